package softswitch

import (
	"fmt"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// boundValueSet is a parser value set with the ids that P4Runtime knows its fields by.
type boundValueSet struct {
	*dataplane.ValueSet
	id   uint32
	keys *boundKeys
}

func (p *program) valueSet(id uint32) (*boundValueSet, error) {
	v := p.valueSets[id]
	if v == nil {
		return nil, status.Errorf(codes.NotFound, "there is no value set %#x", id)
	}
	return v, nil
}

// writeValueSet replaces the members of a value set.
func (p *program) writeValueSet(t p4v1.Update_Type, e *p4v1.ValueSetEntry) (undo func(), err error) {
	if t != p4v1.Update_MODIFY {
		return nil, bad("%v of a value set entry: only MODIFY", t)
	}
	v, err := p.valueSet(e.GetValueSetId())
	if err != nil {
		return nil, err
	}
	members := make([][]dataplane.Match, 0, len(e.GetMembers()))
	seen := map[string]bool{}
	for _, m := range e.GetMembers() {
		ms, err := v.keys.decode(m.GetMatch())
		if err != nil {
			return nil, err
		}
		key := fmt.Sprint(ms)
		if seen[key] {
			return nil, status.Errorf(codes.AlreadyExists, "value set %s: a member is there twice", v.Name)
		}
		seen[key] = true
		members = append(members, ms)
	}
	old := v.Members()
	if err := v.Set(members); err != nil {
		return nil, dataError(err)
	}
	return func() { _ = v.Set(old) }, nil
}

// readValueSets answers a ValueSetEntry: all value sets without an id.
func (p *program) readValueSets(e *p4v1.ValueSetEntry, out *answer) error {
	ids := []uint32{e.GetValueSetId()}
	if e.GetValueSetId() == 0 {
		ids = nil
		for _, info := range p.info.GetValueSets() {
			ids = append(ids, info.GetPreamble().GetId())
		}
	}
	for _, id := range ids {
		v, err := p.valueSet(id)
		if err != nil {
			return err
		}
		x := &p4v1.ValueSetEntry{ValueSetId: id}
		for _, ms := range v.Members() {
			x.Members = append(x.Members, &p4v1.ValueSetMember{Match: v.keys.encode(ms)})
		}
		if err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_ValueSetEntry{ValueSetEntry: x}}); err != nil {
			return err
		}
	}
	return nil
}

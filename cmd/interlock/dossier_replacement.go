package main

import (
	"fmt"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/ledger/page"
	"github.com/interlock/interlock/verify/replace"
)

// addReplacement adds what becomes of each tenant, what is lost, the requests, and the memory map before and after.
func (x *dossier) addReplacement(in *replace.Input) error {
	for i, s := range in.Steps {
		does := s.Note // what the bytes are was compared with what the switch held, entry by entry
		if does == "" {
			does = string(s.Kind)
		}
		x.page.Asked = append(x.page.Asked, page.Step{Number: i + 1, Does: []string{does}, Note: fmt.Sprintf("%d bytes", len(s.Bytes))})
	}
	old, next := map[uint16]string{}, map[uint16]string{}
	first := page.Step{Number: 0}
	for _, t := range in.Tenants {
		old[t.OldVID], next[t.VID] = t.Name, t.Name
		line := fmt.Sprintf("tenant %s (VID %d) is %s", t.Name, max(t.VID, t.OldVID), t.Fate)
		if t.VID != 0 && t.OldVID != 0 && t.VID != t.OldVID {
			line = fmt.Sprintf("tenant %s (VID %d, was %d) is %s", t.Name, t.VID, t.OldVID, t.Fate)
		}
		if t.VID != 0 && !t.Admitted {
			line += ", and not admitted"
		}
		first.Does = append(first.Does, line)
	}
	for _, l := range in.Lost {
		whose := "tenant " + l.Tenant
		if l.Tenant == "" {
			whose = "the system"
		}
		first.Does = append(first.Does, fmt.Sprintf("lost: %s of %s", l.Object, whose))
	}
	if in.Continues != "" {
		first.Note = "goes on from the decision about " + string(in.Continues)
	}
	x.page.Asked = append([]page.Step{first}, x.page.Asked...)
	if !in.Commits() {
		return fmt.Errorf("admission alone is opened")
	}
	if len(in.Old) == 0 {
		return fmt.Errorf("the switch ran no program before, and page tables are empty after it")
	}
	before, err := replacedMemory(in, old)
	if err != nil {
		return err
	}
	codec, err := alloc.CodecOf(in.New)
	if err != nil {
		return err
	}
	after, err := gate.Restored(in)
	if err != nil {
		return err
	}
	x.page.Maps, err = memoryMaps(before, memory{codec, after, next})
	for i := range x.page.Maps {
		x.page.Maps[i].Restored = true
	}
	return err
}

// replacedMemory are the page tables among what a replaced program held.
func replacedMemory(in *replace.Input, names map[uint16]string) (memory, error) {
	codec, err := alloc.CodecOf(in.Old)
	if err != nil {
		return memory{}, err
	}
	var before p4v1.ReadResponse
	if err := proto.Unmarshal(in.Before, &before); err != nil {
		return memory{}, err
	}
	pages := &p4v1.ReadResponse{}
	for _, e := range before.GetEntities() {
		t := e.GetTableEntry()
		if t == nil || t.GetIsDefaultAction() {
			continue
		}
		for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
			if id, ok := codec.PageTable(c); ok && id == t.GetTableId() {
				pages.Entities = append(pages.Entities, e)
			}
		}
	}
	state, err := proto.Marshal(pages)
	return memory{codec, state, names}, err
}

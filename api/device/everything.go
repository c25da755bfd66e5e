package device

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"slices"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
)

// readChunk is how many slots one read request asks for.
const readChunk = 4096

// Admission reads the entries of the admission table, as one canonical ReadResponse. A program without such a table has none.
func (r *Reader) Admission(ctx context.Context, info *configv1.P4Info) ([]byte, error) {
	resp := &p4v1.ReadResponse{}
	if id := TableID(info, specs.AdmissionTable); id != 0 {
		var err error
		if resp.Entities, err = r.Read(ctx, []*p4v1.Entity{entryEntity(&p4v1.TableEntry{TableId: id})}); err != nil {
			return nil, err
		}
	}
	return CanonicalState(resp)
}

func entryEntity(e *p4v1.TableEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}}
}

// Everything reads all that lasts in a program that a linker made, as one ReadResponse in canonical form: entries and default actions with
// their counts, counters, and registers. Of stage arrays it reads the slots that page-table entries reach; what is in others is nobody's.
// What a program has by itself when it is new is left out: zeros, const entries and const default actions without counts.
func (r *Reader) Everything(ctx context.Context, info *configv1.P4Info) ([]byte, error) {
	counted := map[uint32]bool{}
	for _, d := range info.GetDirectCounters() {
		counted[d.GetDirectTableId()] = true
	}
	bound := map[uint32]bool{}
	var ask []*p4v1.Entity
	for _, t := range info.GetTables() {
		id := t.GetPreamble().GetId()
		bound[id] = t.GetConstDefaultActionId() != 0
		var count *p4v1.CounterData
		if counted[id] {
			count = &p4v1.CounterData{}
		}
		ask = append(ask, entryEntity(&p4v1.TableEntry{TableId: id, CounterData: count}),
			entryEntity(&p4v1.TableEntry{TableId: id, IsDefaultAction: true, CounterData: count}))
	}
	for _, c := range info.GetCounters() {
		ask = append(ask, &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{CounterId: c.GetPreamble().GetId()}}})
	}
	stages := map[uint32]*configv1.Register{}
	for _, x := range info.GetRegisters() {
		id := x.GetPreamble().GetId()
		if isStageArray(x.GetPreamble().GetName()) {
			stages[id] = x
			continue
		}
		ask = append(ask, &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{RegisterId: id}}})
	}
	got, err := r.Read(ctx, ask)
	if err != nil {
		return nil, err
	}
	slots, err := r.slots(ctx, info, got, stages)
	if err != nil {
		return nil, err
	}
	got = slices.DeleteFunc(append(got, slots...), func(e *p4v1.Entity) bool { return byItself(e, bound) })
	return canonical(got)
}

// byItself says that a new program has this without being told.
func byItself(e *p4v1.Entity, bound map[uint32]bool) bool {
	none := func(d *p4v1.CounterData) bool { return d.GetPacketCount() == 0 && d.GetByteCount() == 0 }
	switch x := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		t := x.TableEntry
		fixed := t.GetIsConst() || t.GetIsDefaultAction() && bound[t.GetTableId()]
		return fixed && none(t.GetCounterData())
	case *p4v1.Entity_CounterEntry:
		return none(x.CounterEntry.GetData())
	case *p4v1.Entity_RegisterEntry:
		return len(bytes.TrimLeft(x.RegisterEntry.GetData().GetBitstring(), "\x00")) == 0 && x.RegisterEntry.GetData().GetData() != nil
	}
	return false
}

func isStageArray(name string) bool {
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		var k int
		if n, err := fmt.Sscanf(name, "il_stage_"+string(c)+"_%d", &k); n == 1 && err == nil && specs.StageArray(c, k) == name {
			return true
		}
	}
	return false
}

// slots reads what page-table entries reach.
func (r *Reader) slots(ctx context.Context, info *configv1.P4Info, read []*p4v1.Entity, stages map[uint32]*configv1.Register) ([]*p4v1.Entity, error) {
	var got, ask []*p4v1.Entity
	flush := func() error {
		if len(ask) == 0 {
			return nil
		}
		more, err := r.Read(ctx, ask)
		got, ask = append(got, more...), nil
		return err
	}
	reached := extents(info, read)
	ids := []uint32{}
	for id := range stages {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		size := int64(stages[id].GetSize())
		seen := map[int64]bool{}
		for _, x := range reached[stages[id].GetPreamble().GetName()] {
			for s := x.base; s < x.base+x.size && s < size; s++ {
				if seen[s] {
					continue
				}
				seen[s] = true
				ask = append(ask, &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{
					RegisterEntry: &p4v1.RegisterEntry{RegisterId: id, Index: &p4v1.Index{Index: s}},
				}})
				if len(ask) == readChunk {
					if err := flush(); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return got, flush()
}

type extent struct{ base, size int64 }

// extents are what the page-table entries among entities reach, by the stage array's name.
func extents(info *configv1.P4Info, entities []*p4v1.Entity) map[string][]extent {
	names := map[uint32]map[uint32]string{}
	for _, a := range info.GetActions() {
		m := map[uint32]string{}
		for _, p := range a.GetParams() {
			m[p.GetId()] = p.GetName()
		}
		names[a.GetPreamble().GetId()] = m
	}
	out := map[string][]extent{}
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		table := TableID(info, specs.PageTable(c))
		for _, e := range entities {
			t := e.GetTableEntry()
			if table == 0 || t.GetTableId() != table || t.GetIsDefaultAction() {
				continue
			}
			a := t.GetAction().GetAction()
			values := map[string]int64{}
			for _, p := range a.GetParams() {
				if v := new(big.Int).SetBytes(p.GetValue()); v.IsInt64() {
					values[names[a.GetActionId()][p.GetParamId()]] = v.Int64()
				}
			}
			for k := 0; ; k++ {
				size, ok := values[specs.SizeParam(k)]
				if !ok {
					break
				}
				if size > 0 {
					name := specs.StageArray(c, k)
					out[name] = append(out[name], extent{values[specs.BaseParam(k)], size})
				}
			}
		}
	}
	return out
}

// canonical marshals entities in an order that their bytes give, so that equal states have equal bytes.
func canonical(entities []*p4v1.Entity) ([]byte, error) {
	type line struct {
		bytes  []byte
		entity *p4v1.Entity
	}
	lines := make([]line, len(entities))
	for i, e := range entities {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			return nil, err
		}
		lines[i] = line{b, e}
	}
	slices.SortFunc(lines, func(a, b line) int { return bytes.Compare(a.bytes, b.bytes) })
	resp := &p4v1.ReadResponse{}
	for _, l := range lines {
		resp.Entities = append(resp.Entities, l.entity)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(resp)
}

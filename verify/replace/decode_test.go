package replace_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/verify/replace"
	"github.com/interlock/interlock/verify/replace/model"
)

// The tests read requests by themselves, into the model's words.

// names are what a program's ids mean, and whose VIDs are.
type names struct {
	info *configv1.P4Info
	vids map[string]string // VID in hexadecimal -> tenant
}

func mustInfo(t testing.TB, linked []byte) names {
	t.Helper()
	program, diags := p4.Load("linked.p4", linked)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	info, diags := p4info.Generate(program)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return names{info: info, vids: map[string]string{}}
}

func (n names) preamble(id uint32) string {
	for _, list := range [][]*configv1.Preamble{
		each(n.info.GetTables()), each(n.info.GetActions()), each(n.info.GetCounters()), each(n.info.GetRegisters()),
	} {
		for _, p := range list {
			if p.GetId() == id {
				return p.GetName()
			}
		}
	}
	return fmt.Sprintf("nothing %#x", id)
}

func each[T interface{ GetPreamble() *configv1.Preamble }](list []T) []*configv1.Preamble {
	var out []*configv1.Preamble
	for _, x := range list {
		out = append(out, x.GetPreamble())
	}
	return out
}

func trim(b []byte) string { return strings.TrimLeft(fmt.Sprintf("%x", b), "0") }

// A change is what one entity sets.
type change struct {
	cell  model.Cell
	value string
	admit string // a tenant's VID
}

// decode reads an entity that sets one cell; false for the admission table's.
func decode(e *p4v1.Entity, n names) (change, bool) {
	all := decodeAll(e, n)
	if len(all) == 0 || all[0].admit != "" {
		return change{}, false
	}
	var values []string
	for _, c := range all {
		values = append(values, c.value)
	}
	return change{cell: all[0].cell, value: strings.Join(values, " ")}, true
}

// decodeAll reads an entity: page-table entries set a cell for each stage.
func decodeAll(e *p4v1.Entity, n names) []change {
	one := func(object, key, value string) []change {
		return []change{{cell: model.Cell{Tenant: n.owner(object), Object: object, Key: key}, value: value}}
	}
	switch x := e.GetEntity().(type) {
	case *p4v1.Entity_RegisterEntry:
		return one(n.preamble(x.RegisterEntry.GetRegisterId()), fmt.Sprint(x.RegisterEntry.GetIndex().GetIndex()), trim(x.RegisterEntry.GetData().GetBitstring()))
	case *p4v1.Entity_CounterEntry:
		c := one(n.preamble(x.CounterEntry.GetCounterId()), fmt.Sprint(x.CounterEntry.GetIndex().GetIndex()), counts(x.CounterEntry.GetData()))
		if strings.HasPrefix(c[0].cell.Object, "il_") {
			c[0].cell.Tenant, c[0].cell.Key = n.vids[fmt.Sprintf("%x", x.CounterEntry.GetIndex().GetIndex())], ""
		}
		return c
	case *p4v1.Entity_DirectCounterEntry:
		t := x.DirectCounterEntry.GetTableEntry()
		return one(n.preamble(t.GetTableId())+" count", n.key(t), counts(x.DirectCounterEntry.GetData()))
	case *p4v1.Entity_TableEntry:
		t := x.TableEntry
		name := n.preamble(t.GetTableId())
		if t.GetIsConst() {
			return one(name+" count", n.key(t), counts(t.GetCounterData()))
		}
		a := t.GetAction().GetAction()
		if name == "il_admission" && !t.GetIsDefaultAction() {
			return []change{{admit: trim(t.GetMatch()[0].GetExact().GetValue())}}
		}
		if strings.HasPrefix(name, "il_page_") && !t.GetIsDefaultAction() {
			tenant := n.vids[trim(t.GetMatch()[0].GetExact().GetValue())]
			var out []change
			for k := 0; 4*k < len(a.GetParams()); k++ {
				p := a.GetParams()[4*k:]
				v := fmt.Sprintf("%s,%s,%s,%s", trim(p[0].GetValue()), trim(p[1].GetValue()), trim(p[2].GetValue()), trim(p[3].GetValue()))
				if v == ",,," { // a stage that the tenant has nothing in
					continue
				}
				out = append(out, change{cell: model.Cell{Tenant: tenant, Object: name, Key: fmt.Sprint(k)}, value: v})
			}
			return out
		}
		value := n.preamble(a.GetActionId())
		for _, p := range a.GetParams() {
			value += fmt.Sprintf(" %d=%s", p.GetParamId(), trim(p.GetValue()))
		}
		return one(name, n.key(t), fmt.Sprintf("%s %x %s", value, t.GetMetadata(), counts(t.GetCounterData())))
	}
	return nil
}

func counts(d *p4v1.CounterData) string {
	return fmt.Sprintf("%d/%d", d.GetPacketCount(), d.GetByteCount())
}

func (n names) key(t *p4v1.TableEntry) string {
	if t.GetIsDefaultAction() {
		return "default"
	}
	var parts []string
	for _, m := range t.GetMatch() {
		b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m) // fields keep their ids: tables are the same
		parts = append(parts, fmt.Sprintf("%x", b))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%v@%d", parts, t.GetPriority())
}

func (n names) owner(object string) string {
	for _, g := range []string{"ann", "bob", "cyd"} {
		if strings.Contains(object, g+"__") {
			return g
		}
	}
	return ""
}

// modelled puts a replacement into the model's words.
func modelled(t testing.TB, in *replace.Input) *model.Plan {
	t.Helper()
	before, after := names{vids: map[string]string{}}, mustInfo(t, in.New)
	if len(in.Old) > 0 {
		before = mustInfo(t, in.Old)
	}
	p := &model.Plan{Before: map[model.Cell]string{}, Declared: map[model.Cell]string{}, Lost: map[model.Cell]string{}}
	fates := map[string]replace.Tenant{}
	for _, x := range in.Tenants {
		fates[x.Name] = x
		if x.OldVID != 0 {
			before.vids[fmt.Sprintf("%x", x.OldVID)] = x.Name
		}
		if x.VID != 0 {
			after.vids[fmt.Sprintf("%x", x.VID)] = x.Name
		}
		if x.Admitted {
			p.Admitted = append(p.Admitted, x.Name)
		}
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(in.Before, &resp); err != nil {
		t.Fatal(err)
	}
	owners := map[[2]string]string{} // a slot's owner is who reaches it
	for _, e := range resp.GetEntities() {
		for _, c := range decodeAll(e, before) {
			if strings.HasPrefix(c.cell.Object, "il_page_") {
				var base, size int64
				parts := strings.Split(c.value, ",")
				fmt.Sscanf("0"+parts[0], "%x", &base)
				fmt.Sscanf("0"+parts[1], "%x", &size)
				stage := "il_stage_" + strings.TrimPrefix(c.cell.Object, "il_page_") + "_" + c.cell.Key
				for s := base; s < base+size; s++ {
					owners[[2]string{stage, fmt.Sprint(s)}] = c.cell.Tenant
				}
			}
		}
	}
	slot := func(c *model.Cell) {
		if strings.HasPrefix(c.Object, "il_stage_") {
			c.Tenant = owners[[2]string{c.Object, c.Key}]
		}
	}
	announced := map[string]bool{}
	for _, l := range in.Lost {
		announced[l.Tenant+" "+l.Object] = true
	}
	for _, e := range resp.GetEntities() {
		for _, c := range decodeAll(e, before) {
			slot(&c.cell)
			x := fates[c.cell.Tenant]
			if c.admit != "" {
				t.Fatal("admitted in what was read")
			}
			p.Before[c.cell] = c.value
			if !gone(c.cell, x, announced) {
				continue
			}
			p.Lost[c.cell] = ""
			if strings.HasPrefix(c.cell.Object, "il_page_") && x.Admitted {
				parts := strings.Split(c.value, ",")
				var generation uint64
				fmt.Sscanf("0"+parts[3], "%x", &generation)
				p.Lost[c.cell] = ",,," + fmt.Sprintf("%x", uint16(generation+1))
			}
		}
	}
	for _, s := range in.Steps {
		step := model.Step{Commit: s.Kind == replace.Commit}
		var req p4v1.WriteRequest
		if !step.Commit {
			if err := proto.Unmarshal(s.Bytes, &req); err != nil {
				t.Fatal(err)
			}
		}
		for _, u := range req.GetUpdates() {
			for _, c := range decodeAll(u.GetEntity(), after) {
				slot(&c.cell)
				m := model.Update{Cell: c.cell, Value: c.value}
				if c.admit != "" {
					m = model.Update{Admit: after.vids[c.admit]}
					if m.Admit == "" {
						m.Admit = "VID " + c.admit
					}
				}
				step.Updates = append(step.Updates, m)
			}
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}

// gone says whether a cell's content was announced as lost.
func gone(c model.Cell, x replace.Tenant, announced map[string]bool) bool {
	object := strings.TrimSuffix(c.Object, " count")
	switch {
	case strings.HasPrefix(object, "il_page_"):
		return announced[fmt.Sprintf("%s register memory %s/%s", c.Tenant, strings.TrimPrefix(object, "il_page_"), c.Key)]
	case strings.HasPrefix(object, "il_stage_"):
		return announced[fmt.Sprintf("%s register memory %s", c.Tenant, strings.Replace(strings.TrimPrefix(object, "il_stage_"), "_", "/", 1))]
	case object == "il_packets" || object == "il_hits":
		return announced[c.Tenant+" counts of packets and hits"]
	}
	return announced[c.Tenant+" table "+object] || announced[c.Tenant+" counter "+object]
}

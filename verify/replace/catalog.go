package replace

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// A catalog is what a linked program has that lasts, by name: ids differ between programs. It is rederived from the program's text.
type catalog struct {
	program *syntax.Program
	info    *configv1.P4Info

	tables    map[uint32]*table
	actions   map[uint32]*action
	counters  map[uint32]string // indirect ones
	registers map[uint32]string
	objects   map[string]object // tables, counters and registers by name
	stages    map[place]stage
}

// An object that holds state.
type object struct {
	kind  string // "table", "counter", "register"
	owner string // tenant, or "" for the system
	shape string // all that has to be equal for its state to mean the same
	// lasting is false for a table whose entries are the program's own for good and count nothing.
	lasting bool
}

type table struct {
	name   string
	owner  string
	fields map[uint32]string
	fixed  bool // const entries
	seeded bool // entries that the program declares and a controller may change
	bound  bool // the default action is const
}

type action struct {
	name   string
	params map[uint32]string
}

// A place is a stage of a control.
type place struct {
	control specs.Control
	stage   int
}

func (p place) String() string { return fmt.Sprintf("%s/%d", p.control, p.stage) }

// A stage is a stage array.
type stage struct {
	slots int64
	width int32
}

// catalogOf reads a linked program. tenants are the names whose prefixes make an object a tenant's.
func catalogOf(linked []byte, tenants []string) (*catalog, error) {
	prog, diags := syntax.Parse("linked.p4", linked, syntax.Config{Builtin: p4.Builtin(), FS: noFiles{}})
	if err := diags.Err(); err != nil {
		return nil, err
	}
	checked, diags := types.Check(prog)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	info, diags := p4info.Generate(checked)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	c := &catalog{
		program: prog, info: info, tables: map[uint32]*table{}, actions: map[uint32]*action{}, counters: map[uint32]string{},
		registers: map[uint32]string{}, objects: map[string]object{}, stages: map[place]stage{},
	}
	if n := len(info.GetActionProfiles()) + len(info.GetMeters()) + len(info.GetDirectMeters()) + len(info.GetValueSets()) + len(info.GetDigests()) +
		len(info.GetExterns()); n > 0 {
		return nil, fmt.Errorf("%d action profiles, meters, value sets, digests or other externs, whose state could not be given back", n)
	}
	c.addActions()
	if err := c.addTables(tenants); err != nil {
		return nil, err
	}
	for _, x := range info.GetCounters() {
		name := x.GetPreamble().GetName()
		c.counters[x.GetPreamble().GetId()] = name
		c.add(name, object{"counter", ownerOf(name, tenants), fmt.Sprintf("%v of %d", x.GetSpec().GetUnit(), x.GetSize()), true})
	}
	for _, x := range info.GetRegisters() {
		name := x.GetPreamble().GetName()
		c.registers[x.GetPreamble().GetId()] = name
		c.add(name, object{"register", ownerOf(name, tenants), fmt.Sprintf("bit<%d> of %d", x.GetTypeSpec().GetBitstring().GetBit().GetBitwidth(), x.GetSize()), true})
	}
	for _, control := range []specs.Control{specs.Ingress, specs.Egress} {
		for k := 0; ; k++ {
			i := slices.IndexFunc(info.GetRegisters(), func(r *configv1.Register) bool { return r.GetPreamble().GetName() == specs.StageArray(control, k) })
			if i < 0 {
				break
			}
			r := info.GetRegisters()[i]
			c.stages[place{control, k}] = stage{int64(r.GetSize()), r.GetTypeSpec().GetBitstring().GetBit().GetBitwidth()}
		}
	}
	if c.objects[specs.AdmissionTable].kind != "table" {
		return nil, fmt.Errorf("there is no admission table (%s), so nobody can be shut out while its state is incomplete", specs.AdmissionTable)
	}
	return c, nil
}

func (c *catalog) add(name string, o object) { c.objects[name] = o }

func (c *catalog) addActions() {
	for _, a := range c.info.GetActions() {
		x := &action{name: a.GetPreamble().GetName(), params: map[uint32]string{}}
		for _, p := range a.GetParams() {
			x.params[p.GetId()] = p.GetName()
		}
		c.actions[a.GetPreamble().GetId()] = x
	}
}

func (c *catalog) addTables(tenants []string) error {
	direct := map[uint32]*configv1.DirectCounter{}
	for _, d := range c.info.GetDirectCounters() {
		direct[d.GetPreamble().GetId()] = d
	}
	actions := map[uint32]*configv1.Action{}
	for _, a := range c.info.GetActions() {
		actions[a.GetPreamble().GetId()] = a
	}
	for _, t := range c.info.GetTables() {
		name := t.GetPreamble().GetName()
		x := &table{
			name: name, owner: ownerOf(name, tenants), fields: map[uint32]string{},
			fixed: t.GetIsConstTable(), seeded: t.GetHasInitialEntries() && !t.GetIsConstTable(), bound: t.GetConstDefaultActionId() != 0,
		}
		// The shape is in words: whatever of the declaration the control plane can see, with names for ids.
		var shape []string
		for _, f := range t.GetMatchFields() {
			x.fields[f.GetId()] = f.GetName()
			shape = append(shape, fmt.Sprintf("key %s bit<%d> %v", f.GetName(), f.GetBitwidth(), f.GetMatchType()))
		}
		for _, r := range t.GetActionRefs() {
			a := actions[r.GetId()]
			text := fmt.Sprintf("action %s %v", a.GetPreamble().GetName(), r.GetScope())
			for _, p := range a.GetParams() {
				text += fmt.Sprintf(" %s bit<%d>", p.GetName(), p.GetBitwidth())
			}
			shape = append(shape, text)
		}
		for _, id := range t.GetDirectResourceIds() {
			d := direct[id]
			if d == nil {
				return fmt.Errorf("table %s has a direct resource that is no counter", name)
			}
			shape = append(shape, fmt.Sprintf("counter %s %v", d.GetPreamble().GetName(), d.GetSpec().GetUnit()))
		}
		shape = append(shape, fmt.Sprintf("size %d, const default %s, const %v, entries %v, time-outs %v", t.GetSize(),
			actions[t.GetConstDefaultActionId()].GetPreamble().GetName(), t.GetIsConstTable(), t.GetHasInitialEntries(), t.GetIdleTimeoutBehavior()))
		slices.Sort(shape)
		c.tables[t.GetPreamble().GetId()] = x
		c.add(name, object{"table", x.owner, strings.Join(shape, "; "), !x.fixed || len(t.GetDirectResourceIds()) > 0 || !x.bound})
	}
	return nil
}

// ownerOf is the tenant whose prefix a part of an object's name has. That no name has two is proved with the program (P1).
func ownerOf(name string, tenants []string) string {
	for part := range strings.SplitSeq(name, ".") {
		for _, t := range tenants {
			if strings.HasPrefix(part, specs.TenantPrefix(t)) {
				return t
			}
		}
	}
	return ""
}

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

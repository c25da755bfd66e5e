package softswitch

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// programName is what positions in errors call the device configuration.
const programName = "p4_device_config"

// A program is a compiled pipeline together with its P4Info: which object has which id.
type program struct {
	text      []byte
	info      *configv1.P4Info
	cookie    uint64
	hasCookie bool
	pipe      *dataplane.Pipeline

	tables         map[uint32]*boundTable
	registers      map[uint32]*dataplane.Register
	counters       map[uint32]*boundCounter
	directCounters map[uint32]*boundTable

	packetIn, packetOut *controllerHeader
	preambles           map[uint32]*configv1.Preamble // of every object that entities name
}

// boundTable is a table with the ids that P4Runtime knows it by.
type boundTable struct {
	*dataplane.Table
	id        uint32
	fields    map[uint32]int // match field id -> index into Keys
	fieldIDs  []uint32
	actions   map[uint32]int // action id -> index into Actions
	actionIDs []uint32
	params    []map[uint32]int // by action: parameter id -> index into Params
	paramIDs  [][]uint32
	unit      configv1.CounterSpec_Unit // of the direct counter
}

type boundCounter struct {
	*dataplane.Counter
	unit configv1.CounterSpec_Unit
}

// noFiles is a file system without files: a device configuration includes nothing from the switch's own.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// newProgram parses, checks and compiles a device configuration.
func newProgram(text []byte, clock func() uint64) (*program, error) {
	tree, diags := syntax.Parse(programName, text, syntax.Config{FS: noFiles{}, Builtin: p4.Builtin()})
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	info, diags := types.Check(tree)
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	p4i, diags := p4info.Generate(info)
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	pipe, err := dataplane.Compile(info)
	if err != nil {
		return nil, err
	}
	if clock != nil {
		pipe.Clock = clock
	}
	p := &program{text: text, info: p4i, pipe: pipe, preambles: preamblesOf(p4i)}
	if err := p.bindControllers(info); err != nil {
		return nil, err
	}
	if err := p.bind(); err != nil {
		return nil, err
	}
	return p, nil
}

// bind joins the P4Info's objects with the pipeline's, by name. Both come from one text, so a gap is a defect or something that
// one of the two does not support; either way the program is not run.
func (p *program) bind() error {
	actions := map[string]*configv1.Action{}
	for _, a := range p.info.GetActions() {
		actions[a.GetPreamble().GetName()] = a
	}
	direct := map[uint32]*configv1.DirectCounter{}
	for _, c := range p.info.GetDirectCounters() {
		direct[c.GetDirectTableId()] = c
	}
	p.tables, p.directCounters = map[uint32]*boundTable{}, map[uint32]*boundTable{}
	for _, t := range p.info.GetTables() {
		name := t.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Tables(), func(x *dataplane.Table) bool { return x.Name == name })
		if i < 0 {
			return fmt.Errorf("table %s is in no control that is applied: %w", name, dataplane.ErrUnsupported)
		}
		b, err := bindTable(p.pipe.Tables()[i], t, actions)
		if err != nil {
			return err
		}
		p.tables[b.id] = b
		if c := direct[b.id]; c != nil {
			if counter, ok := b.HasCounter(); !ok || counter != c.GetPreamble().GetName() {
				return fmt.Errorf("table %s has no direct counter %s", name, c.GetPreamble().GetName())
			}
			b.unit = c.GetSpec().GetUnit()
			p.directCounters[c.GetPreamble().GetId()] = b
		}
	}
	p.registers = map[uint32]*dataplane.Register{}
	for _, r := range p.info.GetRegisters() {
		name := r.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Registers(), func(x *dataplane.Register) bool { return x.Name == name })
		if i < 0 {
			return fmt.Errorf("register %s is in no control that is applied: %w", name, dataplane.ErrUnsupported)
		}
		p.registers[r.GetPreamble().GetId()] = p.pipe.Registers()[i]
	}
	p.counters = map[uint32]*boundCounter{}
	for _, c := range p.info.GetCounters() {
		name := c.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Counters(), func(x *dataplane.Counter) bool { return x.Name == name })
		if i < 0 {
			return fmt.Errorf("counter %s is in no control that is applied: %w", name, dataplane.ErrUnsupported)
		}
		p.counters[c.GetPreamble().GetId()] = &boundCounter{p.pipe.Counters()[i], c.GetSpec().GetUnit()}
	}
	return nil
}

func bindTable(t *dataplane.Table, info *configv1.Table, actions map[string]*configv1.Action) (*boundTable, error) {
	b := &boundTable{
		Table: t, id: info.GetPreamble().GetId(), fields: map[uint32]int{}, actions: map[uint32]int{},
		params: make([]map[uint32]int, len(t.Actions)), paramIDs: make([][]uint32, len(t.Actions)),
		actionIDs: make([]uint32, len(t.Actions)), fieldIDs: make([]uint32, len(t.Keys)),
	}
	if len(info.GetMatchFields()) != len(t.Keys) {
		return nil, fmt.Errorf("table %s has %d keys, its P4Info %d", t.Name, len(t.Keys), len(info.GetMatchFields()))
	}
	for i, f := range info.GetMatchFields() {
		if int(f.GetBitwidth()) != t.Keys[i].Width {
			return nil, fmt.Errorf("table %s, key %s: %d bits, in its P4Info %d", t.Name, f.GetName(), t.Keys[i].Width, f.GetBitwidth())
		}
		b.fields[f.GetId()], b.fieldIDs[i] = i, f.GetId()
	}
	for i, a := range t.Actions {
		ai := actions[a.Name]
		if ai == nil {
			return nil, fmt.Errorf("table %s: action %s is not in the P4Info", t.Name, a.Name)
		}
		if len(ai.GetParams()) != len(a.Params) {
			return nil, fmt.Errorf("action %s has %d parameters, its P4Info %d", a.Name, len(a.Params), len(ai.GetParams()))
		}
		id := ai.GetPreamble().GetId()
		b.actions[id], b.actionIDs[i] = i, id
		b.params[i] = map[uint32]int{}
		for j, q := range ai.GetParams() {
			if int(q.GetBitwidth()) != a.Params[j].Width {
				return nil, fmt.Errorf("action %s, parameter %s: %d bits, in its P4Info %d", a.Name, q.GetName(),
					a.Params[j].Width, q.GetBitwidth())
			}
			b.params[i][q.GetId()] = j
			b.paramIDs[i] = append(b.paramIDs[i], q.GetId())
		}
	}
	return b, nil
}

// bindControllers lays out the headers of packets to and from the controller.
func (p *program) bindControllers(info *types.Info) error {
	declared := map[string]*types.Struct{}
	for _, d := range info.Program.Decls {
		if d, ok := d.(*syntax.StructDecl); ok {
			if t, ok := info.Defs[d.Name].Type.(*types.Struct); ok {
				declared[controllerHeaderName(d)] = t
			}
		}
	}
	for _, m := range p.info.GetControllerPacketMetadata() {
		name := m.GetPreamble().GetName()
		t := declared[name]
		if t == nil {
			return fmt.Errorf("header %s to or from the controller: %w", name, dataplane.ErrUnsupported)
		}
		h, err := bindController(m, t)
		if err != nil {
			return err
		}
		switch name {
		case "packet_in":
			p.packetIn = h
		case "packet_out":
			p.packetOut = h
		default:
			return fmt.Errorf("@controller_header(%q): want packet_in or packet_out: %w", name, dataplane.ErrUnsupported)
		}
	}
	return nil
}

// controllerHeaderName is the argument of @controller_header, or "".
func controllerHeaderName(d *syntax.StructDecl) string {
	for _, a := range d.Annotations {
		if a.Name == "controller_header" && len(a.Body) == 1 {
			return strings.Trim(a.Body[0].Text, "\"")
		}
	}
	return ""
}

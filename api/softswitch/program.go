package softswitch

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

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
	config    []byte // as it was given
	info      *configv1.P4Info
	cookie    uint64
	hasCookie bool
	pipe      *dataplane.Pipeline

	tables         map[uint32]*boundTable
	registers      map[uint32]*boundRegister
	counters       map[uint32]*boundCounter
	directCounters map[uint32]*boundTable
	meters         map[uint32]*boundMeter
	profiles       map[uint32]*boundProfile
	valueSets      map[uint32]*boundValueSet
	digests        map[uint32]*boundDigest
	copies         replication
	idle           *idleWatch
	ports          *ports

	packetIn, packetOut *controllerHeader
	preambles           map[uint32]*configv1.Preamble // of every object that entities name
}

// boundTable is a table with the ids that P4Runtime knows it by.
type boundTable struct {
	*dataplane.Table
	id      uint32
	keys    *boundKeys
	actions *boundActions
	unit    configv1.CounterSpec_Unit // of the direct counter
	meter   configv1.MeterSpec_Type   // of the direct meter
	profile *boundProfile             // that implements the table, or nil
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

// environment is what a program needs of the switch that it is for.
type environment struct {
	clock func() uint64 // nil: the pipeline's own
	ports *ports
	// tell sends a message to the primary of every role whose scope has an object.
	tell func(m *p4v1.StreamMessageResponse, about *configv1.Preamble) bool
}

// newProgram parses, checks and compiles a device configuration.
func newProgram(config []byte, env environment) (*program, error) {
	text, err := sourceText(config)
	if err != nil {
		return nil, err
	}
	tree, diags := syntax.Parse(programName, text, syntax.Config{FS: noFiles{}, Builtin: p4.Builtin()})
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	info, diags := types.Check(tree)
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	return programOf(info, config, env)
}

// programOf compiles a checked program; config is what it is read back as.
func programOf(info *types.Info, config []byte, env environment) (*program, error) {
	p4i, diags := p4info.Generate(info)
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	pipe, err := dataplane.Compile(info)
	if err != nil {
		return nil, err
	}
	if env.clock != nil {
		pipe.Clock = env.clock
	}
	p := &program{config: config, info: p4i, pipe: pipe, preambles: preamblesOf(p4i), ports: env.ports, copies: replication{
		groups: map[uint32]*p4v1.MulticastGroupEntry{}, sessions: map[uint32]*p4v1.CloneSessionEntry{},
	}}
	p.idle = &idleWatch{program: p, tell: env.tell, wake: make(chan struct{}, 1)}
	if err := p.bindControllers(info); err != nil {
		return nil, err
	}
	if err := p.bind(env); err != nil {
		return nil, err
	}
	return p, nil
}

// run says whether the program runs: then it tells controllers of digests and idle entries. It is not called concurrently.
func (p *program) run(running bool) {
	for _, d := range p.digests {
		d.run(running)
	}
	if slices.ContainsFunc(p.pipe.Tables(), (*dataplane.Table).Timed) {
		p.idle.run(running)
	}
}

// bind joins the P4Info's objects with the pipeline's, by name. Both come from one text, so a gap is a defect or something that
// one of the two does not support; either way the program is not run.
func (p *program) bind(env environment) error {
	actions := map[string]*configv1.Action{}
	for _, a := range p.info.GetActions() {
		actions[a.GetPreamble().GetName()] = a
	}
	direct := map[uint32]*configv1.DirectCounter{}
	for _, c := range p.info.GetDirectCounters() {
		direct[c.GetDirectTableId()] = c
	}
	if err := p.bindOthers(env, actions); err != nil {
		return err
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
		b.profile = p.profiles[t.GetImplementationId()]
		if (b.profile != nil) != (b.Profile() != nil) || b.profile != nil && b.profile.Profile != b.Profile() {
			return fmt.Errorf("table %s: its P4Info and the program disagree on its implementation", name)
		}
		for _, m := range p.info.GetDirectMeters() {
			if m.GetDirectTableId() == b.id {
				b.meter = m.GetSpec().GetType()
			}
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
	p.registers = map[uint32]*boundRegister{}
	for _, r := range p.info.GetRegisters() {
		name := r.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Registers(), func(x *dataplane.Register) bool { return x.Name == name })
		if i < 0 {
			return fmt.Errorf("register %s is in no control that is applied: %w", name, dataplane.ErrUnsupported)
		}
		b, err := bindRegister(p.pipe.Registers()[i], r.GetTypeSpec(), p.info.GetTypeInfo())
		if err != nil {
			return err
		}
		p.registers[r.GetPreamble().GetId()] = b
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

// bindOthers joins what is neither a table nor a register nor a counter.
func (p *program) bindOthers(env environment, actions map[string]*configv1.Action) error {
	missing := func(what, name string) error {
		return fmt.Errorf("%s %s is in no control that is applied: %w", what, name, dataplane.ErrUnsupported)
	}
	p.meters, p.profiles = map[uint32]*boundMeter{}, map[uint32]*boundProfile{}
	p.valueSets, p.digests = map[uint32]*boundValueSet{}, map[uint32]*boundDigest{}
	for _, m := range p.info.GetMeters() {
		id, name := m.GetPreamble().GetId(), m.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Meters(), func(x *dataplane.Meter) bool { return x.Name == name })
		if i < 0 {
			return missing("meter", name)
		}
		p.meters[id] = &boundMeter{p.pipe.Meters()[i], m.GetSpec().GetType()}
	}
	for _, a := range p.info.GetActionProfiles() {
		id, name := a.GetPreamble().GetId(), a.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Profiles(), func(x *dataplane.Profile) bool { return x.Name == name })
		if i < 0 {
			return missing("action profile", name)
		}
		b, err := bindProfile(p.pipe.Profiles()[i], a, actions, env.ports)
		if err != nil {
			return err
		}
		p.profiles[id] = b
	}
	for _, v := range p.info.GetValueSets() {
		id, name := v.GetPreamble().GetId(), v.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.ValueSets(), func(x *dataplane.ValueSet) bool { return x.Name == name })
		if i < 0 {
			return missing("value set", name)
		}
		keys, err := bindKeys("value set "+name, p.pipe.ValueSets()[i].Keys, v.GetMatch())
		if err != nil {
			return err
		}
		p.valueSets[id] = &boundValueSet{p.pipe.ValueSets()[i], id, keys}
	}
	for _, d := range p.info.GetDigests() {
		id, name := d.GetPreamble().GetId(), d.GetPreamble().GetName()
		i := slices.IndexFunc(p.pipe.Digests(), func(x *dataplane.Digest) bool { return x.Name == name })
		if i < 0 {
			return missing("digest", name)
		}
		encode, err := dataEncoderOf(p.pipe.Digests()[i], d.GetTypeSpec(), p.info.GetTypeInfo())
		if err != nil {
			return err
		}
		p.digests[id] = &boundDigest{
			Digest: p.pipe.Digests()[i], preamble: d.GetPreamble(), encode: encode, tell: env.tell, wake: make(chan struct{}, 1),
		}
	}
	return nil
}

func bindTable(t *dataplane.Table, info *configv1.Table, actions map[string]*configv1.Action) (*boundTable, error) {
	b := &boundTable{Table: t, id: info.GetPreamble().GetId()}
	var err error
	if b.keys, err = bindKeys("table "+t.Name, t.Keys, info.GetMatchFields()); err != nil {
		return nil, err
	}
	b.actions, err = bindActions("table "+t.Name, t.Actions, actions)
	return b, err
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

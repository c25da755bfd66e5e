package gateway

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// A program is a tenant's own, with what each of its objects is called in the linked program.
type program struct {
	info  *configv1.P4Info
	texts [][]byte // the file's, and the same with all that it includes in one
	words *strings.Replacer

	tables         []*table // in the order of the P4Info
	byID, byLinked map[uint32]*table
	counters       []*counter
	registers      []*register
}

// A table of the tenant's program; linked is nil if the linked program does not have it.
type table struct {
	own, linked    *configv1.Table
	keys, fromKeys map[uint32]uint32 // ids of match fields, there and back
	width          map[uint32]int    // of match fields, by the tenant's ids
	byID, byLinked map[uint32]*action
	counted        bool
}

type action struct {
	name             string
	own, linked      uint32
	params, fromOwn  map[uint32]uint32 // ids of parameters: back, and there
	width            map[uint32]int    // by the tenant's ids
	onEntry, onTable bool
}

type counter struct {
	own    *configv1.Counter
	linked uint32
}

// A register of the tenant's program is one stage of the tenant's page-table entry.
type register struct {
	own     *configv1.Register
	width   int
	control specs.Control
	stage   int
	array   uint32 // the stage array; 0: the gateway does not know which
}

// Source is a tenant's program.
type Source struct {
	Path string
	Text []byte
}

func newProgram(t *manifest.Tenant, src Source, linked *configv1.P4Info) (*program, error) {
	if string(verify.DigestOf(src.Text)) != t.Source {
		return nil, fmt.Errorf("%s has changed since it was linked: link again", src.Path)
	}
	info, diags := p4.Load(src.Path, src.Text)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	own, diags := p4info.Generate(info)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	var one bytes.Buffer
	if err := (syntax.PrintConfig{Include: slices.Sorted(maps.Keys(p4.Builtin()))}).Fprint(&one, info.Program); err != nil {
		return nil, err
	}
	prefix := specs.TenantPrefix(t.Name)
	p := &program{
		info: own, texts: [][]byte{src.Text, one.Bytes()}, words: strings.NewReplacer("."+prefix, ".", prefix, ""),
		byID: map[uint32]*table{}, byLinked: map[uint32]*table{},
	}
	name := func(o *configv1.Preamble) string {
		if o.GetName() == "NoAction" {
			return o.GetName()
		}
		return t.Names[o.GetName()]
	}
	for _, x := range own.GetTables() {
		y, err := newTable(x, named(linked.GetTables(), name(x.GetPreamble())), own, linked, name)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", x.GetPreamble().GetName(), err)
		}
		p.tables = append(p.tables, y)
		p.byID[x.GetPreamble().GetId()] = y
		if y.linked != nil {
			p.byLinked[y.linked.GetPreamble().GetId()] = y
		}
	}
	for _, x := range own.GetCounters() {
		p.counters = append(p.counters, &counter{x, named(linked.GetCounters(), name(x.GetPreamble())).GetPreamble().GetId()})
	}
	for _, x := range own.GetRegisters() {
		p.registers = append(p.registers, newRegister(x, t, linked))
	}
	return p, nil
}

// newRegister finds a register's place by the name that it is declared by, which the manifest has.
func newRegister(own *configv1.Register, t *manifest.Tenant, linked *configv1.P4Info) *register {
	r := &register{own: own}
	full := own.GetPreamble().GetName()
	declared := full[strings.LastIndexByte(full, '.')+1:]
	found := 0
	for _, v := range t.Registers {
		width := own.GetTypeSpec().GetBitstring().GetBit().GetBitwidth()
		if v.Name != declared || int(width) != v.Width || int64(own.GetSize()) != v.Size {
			continue
		}
		found++
		r.width, r.control, r.stage = v.Width, v.Control, v.Stage
		r.array = named(linked.GetRegisters(), specs.StageArray(v.Control, v.Stage)).GetPreamble().GetId()
	}
	if found != 1 {
		r.array = 0 // it is called otherwise, is no bit<W>, or there are several of the name
	}
	return r
}

// object is one of a P4Info.
type object interface {
	comparable
	GetPreamble() *configv1.Preamble
}

// named finds an object by its name; nil if there is none.
func named[O object](os []O, name string) O {
	var none O
	for _, o := range os {
		if name != "" && o.GetPreamble().GetName() == name {
			return o
		}
	}
	return none
}

// identified finds an object by its id; nil if there is none.
func identified[O object](os []O, id uint32) O {
	var none O
	for _, o := range os {
		if o.GetPreamble().GetId() == id {
			return o
		}
	}
	return none
}

// newTable compares a table of the tenant's program with the one in the linked program.
func newTable(own, linked *configv1.Table, ownInfo, linkedInfo *configv1.P4Info, name func(*configv1.Preamble) string) (*table, error) {
	t := &table{
		own: own, linked: linked, keys: map[uint32]uint32{}, fromKeys: map[uint32]uint32{}, width: map[uint32]int{},
		byID: map[uint32]*action{}, byLinked: map[uint32]*action{},
	}
	if linked == nil {
		return t, nil
	}
	if len(own.GetMatchFields()) != len(linked.GetMatchFields()) {
		return nil, fmt.Errorf("%d keys, %d in the linked program", len(own.GetMatchFields()), len(linked.GetMatchFields()))
	}
	for i, f := range own.GetMatchFields() { // keys keep their order, also where an expression is called otherwise
		g := linked.GetMatchFields()[i]
		if f.GetBitwidth() != g.GetBitwidth() || f.GetMatchType() != g.GetMatchType() {
			return nil, fmt.Errorf("key %s is another one in the linked program", f.GetName())
		}
		t.keys[f.GetId()], t.fromKeys[g.GetId()], t.width[f.GetId()] = g.GetId(), f.GetId(), int(f.GetBitwidth())
	}
	for _, r := range own.GetActionRefs() {
		a := identified(ownInfo.GetActions(), r.GetId())
		b := named(linkedInfo.GetActions(), name(a.GetPreamble()))
		if b == nil || len(a.GetParams()) != len(b.GetParams()) {
			return nil, fmt.Errorf("action %s is another one in the linked program, or is not there", a.GetPreamble().GetName())
		}
		x := &action{
			name: a.GetPreamble().GetName(), own: r.GetId(), linked: b.GetPreamble().GetId(), params: map[uint32]uint32{}, fromOwn: map[uint32]uint32{},
			width: map[uint32]int{}, onEntry: r.GetScope() != configv1.ActionRef_DEFAULT_ONLY, onTable: r.GetScope() != configv1.ActionRef_TABLE_ONLY,
		}
		for _, p := range a.GetParams() {
			i := slices.IndexFunc(b.GetParams(), func(q *configv1.Action_Param) bool { return q.GetName() == p.GetName() })
			if i < 0 || b.GetParams()[i].GetBitwidth() != p.GetBitwidth() {
				return nil, fmt.Errorf("action %s: parameter %s is another one in the linked program", x.name, p.GetName())
			}
			q := b.GetParams()[i].GetId()
			x.params[q], x.fromOwn[p.GetId()], x.width[p.GetId()] = p.GetId(), q, int(p.GetBitwidth())
		}
		t.byID[x.own], t.byLinked[x.linked] = x, x
	}
	for _, id := range own.GetDirectResourceIds() {
		t.counted = t.counted || identified(ownInfo.GetDirectCounters(), id) != nil
	}
	return t, nil
}

func (t *table) name() string    { return t.own.GetPreamble().GetName() }
func (c *counter) name() string  { return c.own.GetPreamble().GetName() }
func (r *register) name() string { return r.own.GetPreamble().GetName() }

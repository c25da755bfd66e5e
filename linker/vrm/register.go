// Package vrm virtualises register memory, after NetVRM (NSDI'22): a tenant's register becomes an extent of a stage array, found
// through the tenant's page-table entry. The package reads a tenant's annotations, gives each of its registers a stage so that
// every packet visits stages in order and each at most once, and builds the code that replaces an access.
//
// Annotations, all of them valid P4-16 that other compilers ignore:
//
//	@virtual                        indexed directly: an index at or past the current size misses (the default)
//	@virtual["fold"]                the index is folded into the current size, a power of two
//	@elastic[min=.., max=.., group=".."]  between min and max slots, as the allocator decides; registers of one group
//	                                (by default, all elastic ones) always have one size
//	@inelastic[size=..]             always that many slots; without an annotation, as many as declared
//	@hit["r"] bool f;               metadata, or bit<1>: whether the latest access of register r was served
//	@generation["r"] bit<16> f;     metadata: how often the content of r was lost
//	@utility_packets, @utility_hits bool f;  metadata: what counts as a packet that asked for memory, and as one served by
//	                                it; without them, a packet with any access, and one none of whose accesses missed
//
// A read that misses gives 0 and a write that misses does nothing. A program that sets a hit flag before an access behaves the same
// where registers are not virtual.
//
// It promises that a program whose accesses cannot be served by a feed-forward pipeline is refused at the access, and that no
// code it builds reaches a slot outside the extent. It does not decide who gets how many slots.
package vrm

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/rewrite"
	"github.com/interlock/interlock/specs"
)

// SlotBits is the width of a stage array's slot; registers are at most as wide.
const SlotBits = 32

// MaxSlots is the most slots that an extent can have.
const MaxSlots = 1<<specs.SizeBits - 1

// Pipeline says where in a program its registers may be used.
type Pipeline struct {
	Ingress, Egress *syntax.ControlDecl
	Metadata        *types.Struct // the user metadata that main's controls share
}

// Register is a virtual register of a tenant's program.
type Register struct {
	Object   *types.Object
	Name     string // as declared
	Control  specs.Control
	Stage    int
	Width    int   // bits of an element
	Declared int64 // elements
	Elastic  bool
	Fold     bool   // indices are folded into the current size, a power of two
	Group    string // elastic registers of one group always have one size
	Min, Max int64  // slots

	hit        *Flag
	generation *Flag
}

// Pos is where the register is declared.
func (r *Register) Pos() syntax.Pos { return r.Object.Ident.Pos() }

// Generation is the metadata field that shows the extent's generation, or nil.
func (r *Register) Generation() *Flag { return r.generation }

// Flag is a field of the program's metadata that an annotation gave a meaning.
type Flag struct {
	Field string
	Bool  bool // else bit<W>
	Pos   syntax.Pos
}

// value is a literal of the flag's type.
func (f *Flag) value(v bool) syntax.Expr {
	switch {
	case f.Bool:
		return rewrite.Bool(v)
	case v:
		return rewrite.Int(1)
	}
	return rewrite.Int(0)
}

// Program is what Analyze found.
type Program struct {
	// Registers that the program uses, by control and stage.
	Registers []*Register
	// UtilityPackets and UtilityHits are the fields that say what counts as a packet that asked for memory and as one that was
	// served; both nil if the program leaves it to the accesses.
	UtilityPackets, UtilityHits *Flag

	info     *types.Info
	metadata *types.Struct
	byObject map[*types.Object]*Register
	accesses map[*syntax.Call]*access
	users    map[*syntax.ControlDecl]bool
	diags    syntax.Diagnostics
}

// Uses says whether a control's code, or that of a control it applies, accesses registers.
func (p *Program) Uses(c *syntax.ControlDecl) bool { return p.users[c] }

// InActions are the accesses that stand in actions. Their replacements access a register under a condition there, which not every
// target can do.
func (p *Program) InActions() []*syntax.Call {
	var out []*syntax.Call
	for c, a := range p.accesses {
		if a.inAction {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *syntax.Call) int {
		return cmp.Or(cmp.Compare(a.Pos().File, b.Pos().File), cmp.Compare(a.Pos().Line, b.Pos().Line), cmp.Compare(a.Pos().Col, b.Pos().Col))
	})
	return out
}

// Accesses says whether a call is an access that Rewrite replaces.
func (p *Program) Accesses(c *syntax.Call) bool { return p.accesses[c] != nil }

// Register returns the register that an object is, or nil.
func (p *Program) Register(o *types.Object) *Register { return p.byObject[o] }

// In returns the registers of a control by stage.
func (p *Program) In(c specs.Control) []*Register {
	var out []*Register
	for _, r := range p.Registers {
		if r.Control == c {
			out = append(out, r)
		}
	}
	return out
}

func (p *Program) errorf(pos syntax.Pos, format string, args ...any) {
	p.diags = append(p.diags, diagnostic(pos, format, args...))
}

// Analyze finds the program's virtual registers and gives them stages.
func Analyze(info *types.Info, pipe Pipeline) (*Program, syntax.Diagnostics) {
	p := &Program{
		info: info, metadata: pipe.Metadata, byObject: map[*types.Object]*Register{},
		accesses: map[*syntax.Call]*access{}, users: map[*syntax.ControlDecl]bool{},
	}
	declared := p.declarations()
	p.flags()
	if len(p.diags) > 0 {
		return nil, p.diags
	}
	p.walk(specs.Ingress, pipe.Ingress)
	p.walk(specs.Egress, pipe.Egress)
	p.unreached()
	for _, r := range declared {
		if r.Control != "" {
			p.Registers = append(p.Registers, r)
		}
	}
	p.checkFlags()
	if len(p.diags) > 0 {
		return nil, p.diags
	}
	return p, nil
}

// declarations collects registers and reads their annotations, in the order of the text.
func (p *Program) declarations() []*Register {
	var out []*Register
	names := map[string]*Register{}
	for _, d := range instances(p.info.Program) {
		o := p.info.Defs[d.Name]
		if o == nil {
			continue
		}
		ext, ok := o.Type.(*types.Extern)
		if !ok || ext.Name != "register" || !builtin(ext.Decl) {
			for _, a := range d.Annotations {
				switch a.Name {
				case "virtual", "elastic", "inelastic":
					p.errorf(a.Pos(), "@%s is for registers; %s is none", a.Name, d.Name.Name)
				}
			}
			continue
		}
		r := &Register{Object: o, Name: d.Name.Name}
		if other := names[r.Name]; other != nil {
			p.errorf(d.Name.Pos(), "register %s has the same name as the one at %s; virtual registers are told apart by their names", r.Name, other.Pos())
			continue
		}
		if p.shape(r, d, ext) && p.annotations(r, d) {
			names[r.Name] = r
			p.byObject[o] = r
			out = append(out, r)
		}
	}
	return out
}

// shape reads a register's element type and size.
func (p *Program) shape(r *Register, d *syntax.InstanceDecl, ext *types.Extern) bool {
	elem, ok := ext.Args[0].(*types.Bit)
	switch {
	case !ok || elem.Signed:
		p.errorf(d.Pos(), "register %s: elements of type %s are not supported; use bit<1> to bit<%d>", r.Name, ext.Args[0], SlotBits)
		return false
	case elem.Width < 1 || elem.Width > SlotBits:
		p.errorf(d.Pos(), "register %s: elements of %d bits do not fit a slot of %d bits", r.Name, elem.Width, SlotBits)
		return false
	}
	r.Width = elem.Width
	if r.Object.Ctor == nil || len(r.Object.Ctor.Args) == 0 {
		p.errorf(d.Pos(), "register %s has no size", r.Name)
		return false
	}
	size, ok := constant(p.info, r.Object.Ctor.Args[0])
	if !ok || size.Sign() <= 0 || size.Cmp(big.NewInt(MaxSlots)) > 0 {
		p.errorf(d.Pos(), "register %s: the size is not a constant between 1 and %d", r.Name, MaxSlots)
		return false
	}
	r.Declared = size.Int64()
	r.Min, r.Max = r.Declared, r.Declared
	return true
}

// instances are all instance declarations of a program, at top level and in controls and parsers.
func instances(prog *syntax.Program) []*syntax.InstanceDecl {
	var out []*syntax.InstanceDecl
	syntax.Walk(prog, func(n syntax.Node) bool {
		if d, ok := n.(*syntax.InstanceDecl); ok {
			out = append(out, d)
		}
		return true
	})
	return out
}

func constant(info *types.Info, e syntax.Expr) (*big.Int, bool) {
	v, ok := info.Values[e].(types.IntValue)
	if !ok {
		return nil, false
	}
	return v.Int, true
}

// builtin says whether a declaration is core.p4's or v1model.p4's.
func builtin(d syntax.Node) bool {
	f := d.Pos().File
	return f == "core.p4" || f == "v1model.p4"
}

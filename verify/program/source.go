package program

import (
	"embed"
	"fmt"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// SourceName is the file name that positions in a tenant's own program carry, and the name of its recorded input.
func SourceName(tenant string) string { return "sources/" + tenant + ".p4" }

// SourceOf is the tenant whose own program an input of that name is, if it is one.
func SourceOf(name string) (tenant string, ok bool) {
	tenant, ok = strings.CutPrefix(name, "sources/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(tenant, ".p4")
}

// kept are the annotations that mean something in a linked program. The others of a tenant's program are not the tenant's to give there:
// what it would be called, hidden or translated by as a program of its own.
var kept = map[string]bool{"name": true, "defaultonly": true, "tableonly": true}

// An ownProgram is a tenant's own program.
type ownProgram struct {
	text   []byte
	info   *types.Info
	p4info *p4configv1.P4Info
	// registers by their declared names: elements and widths. Two controls may have one of the same name.
	registers map[string][]string
	// hits are metadata fields that show whether the latest access of a register was served, by "metadata_t.register", and generations are
	// registers whose losses a field counts, by "metadata_t.field".
	hits, generations map[string]string
}

// sources reads the tenants' own programs; none if there are none.
func (in *Input) sources() (map[string]*ownProgram, error) {
	if in.Sources == nil {
		return nil, nil
	}
	out := map[string]*ownProgram{}
	for _, t := range in.tenants() {
		p, err := source(t.Name, in.Sources[t.Name])
		if err != nil {
			return nil, fmt.Errorf("the program of tenant %s: %w", t.Name, err)
		}
		out[t.Name] = p
	}
	return out, nil
}

// source reads a tenant's own program as the linked one takes it: without annotations but those that are kept. Like the linked program it
// may include nothing but the declarations of v1model.
func source(tenant string, text []byte) (*ownProgram, error) {
	name := SourceName(tenant)
	prog, diags := syntax.Parse(name, text, syntax.Config{FS: embed.FS{}, Builtin: p4.Builtin()})
	if err := diags.Err(); err != nil {
		return nil, err
	}
	p := &ownProgram{text: text, registers: map[string][]string{}, hits: map[string]string{}, generations: map[string]string{}}
	for _, d := range prog.Decls {
		if x, ok := d.(*syntax.StructDecl); ok {
			p.flags(x)
		}
		syntax.Walk(d, func(n syntax.Node) bool {
			if a, ok := n.(*syntax.Annotation); ok && !kept[a.Name] && a.Pos().File == name {
				*a = syntax.Annotation{Name: "dropped"}
			}
			return true
		})
	}
	info, diags := types.Check(prog)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	out, diags := p4info.Generate(info)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	p.info, p.p4info = info, out
	for _, d := range prog.Decls {
		syntax.Walk(d, func(n syntax.Node) bool {
			if i, ok := n.(*syntax.InstanceDecl); ok && i.Pos().File == name {
				p.register(i)
			}
			return true
		})
	}
	return p, nil
}

// flags reads @hit["r"] and @generation["r"] of a struct's fields.
func (p *ownProgram) flags(d *syntax.StructDecl) {
	for _, f := range d.Fields {
		for _, a := range f.Annotations {
			if len(a.Exprs) != 1 {
				continue
			}
			r, ok := a.Exprs[0].(*syntax.StringLit)
			switch {
			case !ok:
			case a.Name == "hit":
				p.hits[d.Name.Name+"."+r.Value] = f.Name.Name
			case a.Name == "generation":
				p.generations[d.Name.Name+"."+f.Name.Name] = r.Value
			}
		}
	}
}

func (p *ownProgram) register(d *syntax.InstanceDecl) {
	o := p.info.Defs[d.Name]
	if o == nil || o.Ctor == nil || len(o.Ctor.Args) == 0 {
		return
	}
	x, ok := o.Type.(*types.Extern)
	if !ok || x.Name != "register" || len(x.Args) == 0 {
		return
	}
	bits, ok := x.Args[0].(*types.Bit)
	size, known := p.info.Values[o.Ctor.Args[0]].(types.IntValue)
	if ok && known {
		p.registers[o.Name] = append(p.registers[o.Name], fmt.Sprintf("%v of %d bits", size.Int, bits.Width))
	}
}

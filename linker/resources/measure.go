package resources

import (
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Constants of the model. An exact table is a cuckoo hash of three ways; with the ten hash bits that address a block of 1024 words,
// that is what HotCloud'20 reports for its one-table system program (3 blocks, 30 hash bits).
const (
	ways             = 3
	wayBits          = 10
	blockWords       = 1024
	wordBits         = 128
	tcamEntries      = 512
	tcamBits         = 44
	containerBits    = 32
	defaultTableSize = 1024
	entryOverhead    = 16 // bits of an exact entry beside key and action data: action and version
)

// Measure is the usage of a V1Switch program.
func Measure(info *types.Info) Usage { return lay(info, nil, nil).usage() }

func builtin(n syntax.Node) bool {
	f := n.Pos().File
	return f == "core.p4" || f == "v1model.p4"
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// ControlOf is the declaration of the control that an instance stands for.
func ControlOf(o *types.Object) *syntax.ControlDecl {
	if o == nil {
		return nil
	}
	if d, ok := o.Decl.(*syntax.ControlDecl); ok {
		return d
	}
	if a, ok := o.Type.(*types.Applicable); ok {
		d, _ := a.Decl.(*syntax.ControlDecl)
		return d
	}
	return nil
}

// need is what something in a program needs, wherever it is used: it stands in one place.
type need struct {
	what  syntax.Node
	named string // its top-level name, or empty
	usage Usage
}

// gateway is what a condition needs.
func (l *layout) gateway(s *syntax.IfStmt) need { return need{what: s, usage: Usage{Gateways: 1}} }

// action is what an action needs: one instruction word.
func (l *layout) action(a *syntax.ActionDecl) need {
	n := need{what: a, named: a.Name.Name}
	if !builtin(a) {
		n.usage = Usage{ActionUnits: 1}
	}
	return n
}

// data is the bits of action data that the control plane gives an entry.
func (l *layout) data(a *syntax.ActionDecl) int64 {
	var data int64
	for _, p := range a.Params {
		if p.Dir == syntax.NoDir {
			data += int64(width(l.info.TypeNodes[p.Type]))
		}
	}
	return data
}

// within are the needs of the conditions, hashes, registers and counters in a step.
func (l *layout) within(n syntax.Node) []need {
	var out []need
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.IfStmt:
			out = append(out, l.gateway(n))
		case *syntax.Call:
			info := l.info.Calls[n]
			switch {
			case info == nil:
			case info.Kind == types.ExternFnCall && info.Method == "hash" && len(info.Args) == 5:
				out = append(out, need{what: n, usage: Usage{
					ExactCrossbar: ceil(int64(width(l.info.Types[info.Args[3]])), 8),
					HashBits:      int64(width(l.info.Types[info.Args[0]])),
				}})
			case info.Kind == types.MethodCall:
				r, ok := info.Recv.(*syntax.Name)
				if !ok {
					break
				}
				if o := l.info.Uses[r.Ident]; o != nil {
					if d, ok := o.Decl.(syntax.Decl); ok {
						if x, ok := l.memory(d); ok {
							out = append(out, x)
						}
					}
				}
			}
		}
		return true
	})
	return out
}

// table is what a table needs, without its actions.
func (l *layout) table(t *syntax.TableDecl) need {
	out := need{what: t, named: t.Name.Name, usage: Usage{}}
	size, entries := int64(defaultTableSize), int64(0)
	var exact, ternary, data int64
	sized := false
	for _, p := range t.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			for _, k := range p.Keys {
				w := int64(width(l.info.Types[k.Expr]))
				if k.MatchKind.Name == "exact" {
					exact += w
				} else {
					ternary += w
				}
			}
		case *syntax.ActionsProperty:
			for _, ref := range p.Actions {
				e := ref.Call
				if c, ok := e.(*syntax.Call); ok {
					e = c.Fun
				}
				if n, ok := e.(*syntax.Name); ok && l.info.Uses[n.Ident] != nil {
					if a, ok := l.info.Uses[n.Ident].Decl.(*syntax.ActionDecl); ok {
						data = max(data, l.data(a))
					}
				}
			}
		case *syntax.EntriesProperty:
			entries = int64(len(p.Entries))
		case *syntax.ExprProperty:
			if v, ok := l.info.Values[p.Value].(types.IntValue); ok && p.Name.Name == "size" {
				size, sized = v.Int.Int64(), true
			}
		}
	}
	if !sized && entries > 0 {
		size = entries
	}
	switch {
	case ternary > 0: // one wide ternary key; action data beside it in SRAM
		bits := exact + ternary
		out.usage[TernaryCrossbar] = ceil(bits, 8)
		out.usage[TCAM] = ceil(size, tcamEntries) * ceil(bits, tcamBits)
		if data > 0 {
			out.usage[SRAM] = ceil(size*data, blockWords*wordBits)
		}
	case exact > 0:
		out.usage[ExactCrossbar] = ceil(exact, 8)
		out.usage[HashBits] = ways * wayBits
		perWord := max(wordBits/(exact+data+entryOverhead), 1)
		words := ceil(exact+data+entryOverhead, wordBits)
		out.usage[SRAM] = ways * ceil(size, ways*blockWords*perWord) * words
	}
	return out
}

// memory is what a register or counter takes of SRAM: its slots in whole blocks, and for a register one block more for the update in
// flight.
func (l *layout) memory(d syntax.Decl) (need, bool) {
	o := l.info.Instances[d]
	if o == nil || o.Ctor == nil || len(o.Ctor.Args) == 0 || builtin(d) {
		return need{}, false
	}
	e, ok := o.Type.(*types.Extern)
	if !ok {
		return need{}, false
	}
	size, ok := l.info.Values[o.Ctor.Args[0]].(types.IntValue)
	if !ok {
		return need{}, false
	}
	out := need{what: d, named: o.Name}
	switch e.Name {
	case "register":
		out.usage = Usage{SRAM: ceil(size.Int.Int64()*int64(width(e.Args[0])), blockWords*wordBits) + 1}
	case "counter":
		out.usage = Usage{SRAM: ceil(size.Int.Int64()*64, blockWords*wordBits)}
	default:
		return need{}, false
	}
	return out, true
}

// phv counts containers of 32 bits: a header's fields are packed, metadata fields are not. What belongs to different tenants of a
// linked program shares containers, since a packet is one tenant's. It returns those of the program and those of each tenant's own fields.
func phv(info *types.Info) (all int64, tenants map[string]int64) {
	tenants = map[string]int64{}
	for _, a := range info.MainArgs {
		d, ok := a.Decl.(*syntax.ParserDecl)
		if !ok || len(d.Params) < 3 {
			continue
		}
		var shared, exclusive int64
		own := map[string]int64{}
		for _, p := range d.Params[1:3] {
			s, ok := info.TypeNodes[p.Type].(*types.Struct)
			if !ok {
				continue
			}
			for _, f := range s.Fields {
				n := containers(f.Type)
				if t, _, ok := strings.Cut(typeName(f.Type), "__"); ok && t == f.Name {
					own[t] += n
				} else {
					shared += n
				}
			}
		}
		for t, n := range own {
			tenants[t] += n
			exclusive = max(exclusive, n)
		}
		all += shared + exclusive
	}
	return all, tenants
}

func typeName(t types.Type) string {
	if s, ok := t.(*types.Struct); ok {
		return s.Name
	}
	return ""
}

func containers(t types.Type) int64 {
	switch t := t.(type) {
	case *types.Struct:
		if t.Kind == types.Header {
			return ceil(int64(width(t)), containerBits) + 1 // and the validity bit
		}
		var n int64
		for _, f := range t.Fields {
			n += containers(f.Type)
		}
		return n
	case *types.Stack:
		return int64(t.Size) * containers(t.Elem)
	}
	return ceil(int64(width(t)), containerBits)
}

// width is a type's size in bits.
func width(t types.Type) int {
	switch t := t.(type) {
	case *types.Bit:
		return t.Width
	case *types.Varbit:
		return t.Max
	case *types.Basic:
		if t == types.Bool {
			return 1
		}
		return 32
	case *types.Enum:
		if t.Underlying != nil {
			return width(t.Underlying)
		}
		return 32
	case *types.NewType:
		return width(t.Under)
	case *types.Stack:
		return t.Size * width(t.Elem)
	case *types.Tuple:
		n := 0
		for _, e := range t.Elems {
			n += width(e)
		}
		return n
	case *types.Struct:
		n := 0
		for _, f := range t.Fields {
			n += width(f.Type)
		}
		return n
	}
	return 0
}

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
func Measure(info *types.Info) Usage {
	m := &measure{info: info, usage: Usage{}, tables: map[*syntax.TableDecl]bool{}, actions: map[*types.Object]bool{}}
	for _, a := range info.MainArgs {
		if c, ok := a.Decl.(*syntax.ControlDecl); ok && (a.Param == "ig" || a.Param == "eg") {
			m.control(c)
			m.usage[Stages] = max(m.usage[Stages], int64(depth(info, c)))
		}
	}
	m.registers()
	m.phv()
	for _, r := range append([]string{Stages, PHV}, perStage...) {
		m.usage[r] += 0 // every resource is named
	}
	return m.usage
}

type measure struct {
	info    *types.Info
	usage   Usage
	tables  map[*syntax.TableDecl]bool
	actions map[*types.Object]bool
	visited map[*syntax.ControlDecl]bool
}

func builtin(n syntax.Node) bool {
	f := n.Pos().File
	return f == "core.p4" || f == "v1model.p4"
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// control adds up what stands in a control and in those that it applies.
func (m *measure) control(c *syntax.ControlDecl) {
	if m.visited == nil {
		m.visited = map[*syntax.ControlDecl]bool{}
	}
	if m.visited[c] {
		return
	}
	m.visited[c] = true
	syntax.Walk(c, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.IfStmt:
			m.usage[Gateways]++
		case *syntax.Call:
			m.call(n)
		}
		return true
	})
}

func (m *measure) call(c *syntax.Call) {
	info := m.info.Calls[c]
	if info == nil {
		return
	}
	switch info.Kind {
	case types.TableApply:
		if t, ok := info.Callee.Decl.(*syntax.TableDecl); ok && !m.tables[t] {
			m.tables[t] = true
			m.table(t)
		}
	case types.ActionCall:
		m.action(info.Callee)
	case types.ControlApply, types.DirectApply:
		if d := ControlOf(info.Callee); d != nil {
			m.control(d)
		}
	case types.ExternFnCall:
		if info.Method == "hash" && len(info.Args) == 5 {
			m.usage[ExactCrossbar] += ceil(int64(width(m.info.Types[info.Args[3]])), 8)
			m.usage[HashBits] += int64(width(m.info.Types[info.Args[0]]))
		}
	}
}

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

// action counts each action once: one instruction word.
func (m *measure) action(o *types.Object) int64 {
	a, ok := o.Decl.(*syntax.ActionDecl)
	if !ok {
		return 0
	}
	if !m.actions[o] {
		m.actions[o] = true
		if !builtin(a) {
			m.usage[ActionUnits]++
		}
	}
	var data int64
	for _, p := range a.Params {
		if p.Dir == syntax.NoDir {
			data += int64(width(m.info.TypeNodes[p.Type]))
		}
	}
	return data
}

func (m *measure) table(t *syntax.TableDecl) {
	size, entries := int64(defaultTableSize), int64(0)
	var exact, ternary, data int64
	sized := false
	for _, p := range t.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			for _, k := range p.Keys {
				w := int64(width(m.info.Types[k.Expr]))
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
				if n, ok := e.(*syntax.Name); ok && m.info.Uses[n.Ident] != nil {
					data = max(data, m.action(m.info.Uses[n.Ident]))
				}
			}
		case *syntax.EntriesProperty:
			entries = int64(len(p.Entries))
		case *syntax.ExprProperty:
			if v, ok := m.info.Values[p.Value].(types.IntValue); ok && p.Name.Name == "size" {
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
		m.usage[TernaryCrossbar] += ceil(bits, 8)
		m.usage[TCAM] += ceil(size, tcamEntries) * ceil(bits, tcamBits)
		if data > 0 {
			m.usage[SRAM] += ceil(size*data, blockWords*wordBits)
		}
	case exact > 0:
		m.usage[ExactCrossbar] += ceil(exact, 8)
		m.usage[HashBits] += ways * wayBits
		perWord := max(wordBits/(exact+data+entryOverhead), 1)
		words := ceil(exact+data+entryOverhead, wordBits)
		m.usage[SRAM] += ways * ceil(size, ways*blockWords*perWord) * words
	}
}

// registers take SRAM: their slots in whole blocks, and one block more for the update in flight.
func (m *measure) registers() {
	for d, o := range m.info.Instances {
		e, ok := o.Type.(*types.Extern)
		if !ok || builtin(d) || o.Ctor == nil || len(o.Ctor.Args) == 0 {
			continue
		}
		size, ok := m.info.Values[o.Ctor.Args[0]].(types.IntValue)
		if !ok {
			continue
		}
		switch e.Name {
		case "register":
			m.usage[SRAM] += ceil(size.Int.Int64()*int64(width(e.Args[0])), blockWords*wordBits) + 1
		case "counter":
			m.usage[SRAM] += ceil(size.Int.Int64()*64, blockWords*wordBits)
		}
	}
}

// phv counts containers of 32 bits: a header's fields are packed, metadata fields are not. What belongs to different tenants of a
// linked program shares containers, since a packet is one tenant's.
func (m *measure) phv() {
	var shared, exclusive int64
	for _, a := range m.info.MainArgs {
		d, ok := a.Decl.(*syntax.ParserDecl)
		if !ok || len(d.Params) < 3 {
			continue
		}
		tenants := map[string]int64{}
		for _, p := range d.Params[1:3] {
			s, ok := m.info.TypeNodes[p.Type].(*types.Struct)
			if !ok {
				continue
			}
			for _, f := range s.Fields {
				n := containers(f.Type)
				if t, _, ok := strings.Cut(typeName(f.Type), "__"); ok && t == f.Name {
					tenants[t] += n
				} else {
					shared += n
				}
			}
		}
		for _, n := range tenants {
			exclusive = max(exclusive, n)
		}
	}
	m.usage[PHV] = shared + exclusive
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

package types

import (
	"fmt"
	"strings"
)

func (t *Basic) String() string {
	switch t.Kind {
	case BoolKind:
		return "bool"
	case IntKind:
		return "int"
	case StringKind:
		return "string"
	case ErrorKind:
		return "error"
	case MatchKindKind:
		return "match_kind"
	case VoidKind:
		return "void"
	case StateKind:
		return "state"
	case DontCareKind:
		return "_"
	case ApplyResultKind:
		return "apply_result"
	case ActionRunKind:
		return "action_run"
	case defaultKind:
		return "{...}"
	case invalidHeaderKind:
		return "{#}"
	}
	return "invalid type"
}

func (t *Bit) String() string {
	if t.Signed {
		return fmt.Sprintf("int<%d>", t.Width)
	}
	return fmt.Sprintf("bit<%d>", t.Width)
}

func (t *Varbit) String() string { return fmt.Sprintf("varbit<%d>", t.Max) }

func (t *Struct) String() string {
	if t.Decl == nil {
		var b strings.Builder
		b.WriteString("struct {")
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteByte(';')
			}
			fmt.Fprintf(&b, " %v %s", f.Type, f.Name)
		}
		b.WriteString(" }")
		return b.String()
	}
	return t.Name + typeArgs(t.Args)
}

func (t *Stack) String() string   { return fmt.Sprintf("%v[%d]", t.Elem, t.Size) }
func (t *Tuple) String() string   { return "tuple<" + typeList(t.Elems) + ">" }
func (t *List) String() string    { return fmt.Sprintf("list<%v>", t.Elem) }
func (t *Set) String() string     { return fmt.Sprintf("set<%v>", t.Elem) }
func (t *Enum) String() string    { return t.Name }
func (t *NewType) String() string { return t.Name }
func (t *Extern) String() string  { return t.Name + typeArgs(t.Args) }

func (t *Signature) String() string {
	var b strings.Builder
	switch t.Kind {
	case ActionSig:
		b.WriteString("action ")
	case CtorSig:
	default:
		if t.Result != nil {
			fmt.Fprintf(&b, "%v ", t.Result)
		}
	}
	b.WriteString(t.Name)
	if len(t.TypeParams) > 0 {
		names := make([]string, len(t.TypeParams))
		for i, p := range t.TypeParams {
			names[i] = p.Name
		}
		fmt.Fprintf(&b, "<%s>", strings.Join(names, ", "))
	}
	b.WriteByte('(')
	for i, p := range t.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		if p.Dir != "" {
			fmt.Fprintf(&b, "%s ", p.Dir)
		}
		fmt.Fprintf(&b, "%v %s", p.Type, p.Name)
	}
	b.WriteByte(')')
	return b.String()
}

func (t *Applicable) String() string { return t.Name + typeArgs(t.Args) }
func (t *Package) String() string    { return t.Name + typeArgs(t.Args) }
func (t *Table) String() string      { return "table " + t.Name }
func (t *TypeParam) String() string  { return t.Name }

func typeArgs(args []Type) string {
	if len(args) == 0 {
		return ""
	}
	return "<" + typeList(args) + ">"
}

func typeList(ts []Type) string {
	s := make([]string, len(ts))
	for i, t := range ts {
		s[i] = t.String()
	}
	return strings.Join(s, ", ")
}

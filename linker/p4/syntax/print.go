package syntax

import (
	"bytes"
	"io"
	"strings"
)

// PrintConfig says how a program is printed. The zero value prints everything.
type PrintConfig struct {
	// Include lists system files ("core.p4", "v1model.p4"): an #include <...> line takes the place of the declarations
	// that come from one (by Pos().File). The lines stand at the top.
	Include []string
}

// Print writes the whole program as canonical text: it parses again to a tree that is Equal to p. Comments and macros
// are gone, since the tree does not have them.
func Print(w io.Writer, p *Program) error { return PrintConfig{}.Fprint(w, p) }

// Fprint writes the program as c says.
func (c PrintConfig) Fprint(w io.Writer, p *Program) error {
	pr := &printer{}
	pr.program(p, c.Include)
	_, err := w.Write(pr.b.Bytes())
	return err
}

// PrintNode returns the text of a node, without a newline at its end. Nodes that stand only in lists (arguments, fields,
// cases) are printed as they stand there.
func PrintNode(n Node) string {
	pr := &printer{}
	pr.node(n)
	return strings.TrimRight(pr.b.String(), "\n")
}

// Layout.
const (
	indent     = "    "
	maxColumns = 100 // longer lists of parameters and arguments get a line for each
)

type printer struct {
	b     bytes.Buffer
	level int
}

func (pr *printer) w(parts ...string) {
	for _, s := range parts {
		pr.b.WriteString(s)
	}
}

// nl ends the line and starts the next.
func (pr *printer) nl() {
	pr.b.WriteByte('\n')
	for i := 0; i < pr.level; i++ {
		pr.b.WriteString(indent)
	}
}

// column is the length of the line so far.
func (pr *printer) column() int {
	s := pr.b.Bytes()
	return len(s) - 1 - bytes.LastIndexByte(s, '\n')
}

// braced prints { lines }, one element a line.
func (pr *printer) braced(n int, element func(i int)) {
	if n == 0 {
		pr.w("{ }")
		return
	}
	pr.w("{")
	pr.level++
	for i := 0; i < n; i++ {
		pr.nl()
		element(i)
	}
	pr.level--
	pr.nl()
	pr.w("}")
}

// sub returns what f prints, without printing it.
func (pr *printer) sub(f func(*printer)) string {
	s := &printer{level: pr.level}
	f(s)
	return s.b.String()
}

// listed prints the elements of a bracketed list on one line if they fit and one a line otherwise.
func (pr *printer) listed(open, end string, elems []string) {
	width := pr.column() + len(open) + len(end)
	long := false
	for _, e := range elems {
		width += len(e) + 2
		long = long || strings.Contains(e, "\n")
	}
	pr.w(open)
	if width <= maxColumns || len(elems) < 2 || long {
		pr.w(strings.Join(elems, ", "), end)
		return
	}
	pr.level++
	for i, e := range elems {
		pr.nl()
		pr.w(e)
		if i < len(elems)-1 {
			pr.w(",")
		}
	}
	pr.level--
	pr.nl()
	pr.w(end)
}

func (pr *printer) program(p *Program, include []string) {
	skip := map[string]bool{}
	for _, f := range include {
		skip[f] = true
	}
	seen := map[string]bool{}
	for _, d := range p.Decls {
		if f := d.Pos().File; skip[f] && !seen[f] {
			seen[f] = true
			pr.w("#include <", f, ">\n")
		}
	}
	var last Decl
	for _, d := range p.Decls {
		if skip[d.Pos().File] {
			continue
		}
		if last == nil && len(seen) > 0 || last != nil && !sameGroup(last, d) {
			pr.w("\n")
		}
		last = d
		pr.decl(d)
		pr.w("\n")
	}
}

// sameGroup reports whether two declarations of one line each, and of one kind, stand without an empty line between them.
func sameGroup(a, b Decl) bool {
	kind := func(d Decl) string {
		switch d := d.(type) {
		case *ConstDecl:
			return "const"
		case *TypedefDecl:
			if d.Inner == nil && len(d.Annotations) == 0 {
				return "type"
			}
		case *FunctionDecl:
			if d.Extern && len(d.Annotations) == 0 {
				return "extern"
			}
		case *InstanceDecl:
			if !d.HasBody && len(d.Annotations) == 0 {
				return "instance"
			}
		}
		return ""
	}
	k := kind(a)
	return k != "" && k == kind(b)
}

// node prints any node.
func (pr *printer) node(n Node) {
	switch n := n.(type) {
	case nil:
	case *Program:
		pr.program(n, nil)
	case *Ident:
		pr.w(n.Name)
	case *Annotation:
		pr.annotation(n)
	case *KeyValue:
		pr.w(n.Key.Name, " = ")
		pr.expr(n.Value, precCond)
	case *Select:
		pr.selectExpr(n)
	case Expr:
		pr.expr(n, precLowest)
	case Type:
		pr.typ(n)
	case Stmt:
		pr.stmt(n)
	case Decl:
		pr.decl(n)
	case Property:
		pr.property(n)
	case *Arg:
		pr.arg(n)
	case *Param:
		pr.param(n)
	case *Field:
		pr.field(n)
	case *EnumMember:
		pr.enumMember(n)
	case *Transition:
		pr.transition(n)
	case *SelectCase:
		pr.selectCase(n)
	case *TableKey:
		pr.tableKey(n)
	case *ActionRef:
		pr.actionRef(n)
	case *TableEntry:
		pr.tableEntry(n)
	case *SwitchCase:
		pr.switchCase(n)
	}
}

// annotations prints each on a line of its own; inlineAnnots all on this line, before what they belong to.
func (pr *printer) annotations(list []*Annotation) {
	for _, a := range list {
		pr.annotation(a)
		pr.nl()
	}
}

func (pr *printer) inlineAnnots(list []*Annotation) {
	for _, a := range list {
		pr.annotation(a)
		pr.w(" ")
	}
}

// trailingAnnots prints those that stand after what they belong to.
func (pr *printer) trailingAnnots(list []*Annotation) {
	for _, a := range list {
		pr.w(" ")
		pr.annotation(a)
	}
}

func (pr *printer) annotation(a *Annotation) {
	pr.w("@", a.Name)
	switch {
	case a.Structured:
		var elems []string
		for _, e := range a.Exprs {
			elems = append(elems, pr.sub(func(s *printer) { s.expr(e, precCond) }))
		}
		for _, kv := range a.KeyValues {
			elems = append(elems, pr.sub(func(s *printer) { s.node(kv) }))
		}
		pr.listed("[", "]", elems)
	case a.HasBody:
		pr.w("(")
		for i, t := range a.Body {
			if i > 0 && spaceBetween(a.Body[i-1].Text, t.Text) {
				pr.w(" ")
			}
			pr.w(t.Text)
		}
		pr.w(")")
	}
}

// spaceBetween reports whether two tokens of an annotation's body are set apart. Only brackets, commas and semicolons
// never join with a neighbour to another token.
func spaceBetween(a, b string) bool {
	switch b {
	case ",", ";", ")", "]":
		return false
	}
	switch a {
	case "(", "[":
		return false
	}
	return true
}

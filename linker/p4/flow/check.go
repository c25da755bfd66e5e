package flow

import (
	"fmt"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Check returns the warnings for a program that was checked without errors, in the order of the text. System tells files whose
// content is not the user's to change (core.p4, v1model.p4); nothing is said about them.
func Check(info *types.Info, system func(file string) bool) syntax.Diagnostics {
	a := &analysis{info: info, system: system, shapes: shapes{}, quiet: map[syntax.Node][]string{}, seen: map[seenKey]bool{}}
	a.readNoWarn()
	a.unused()
	a.suspicious()
	for _, d := range info.Program.Decls {
		a.follow(d)
	}
	a.diags.Sort()
	return a.diags
}

type analysis struct {
	info   *types.Info
	system func(string) bool
	shapes shapes
	diags  syntax.Diagnostics
	quiet  map[syntax.Node][]string // what @noWarn silences
	seen   map[seenKey]bool
}

type seenKey struct{ pos, code string }

// follow runs the flow analysis over one declaration.
func (a *analysis) follow(d syntax.Decl) {
	if a.system(d.Pos().File) {
		return
	}
	u := a.newUnit()
	switch d := d.(type) {
	case *syntax.ParserDecl:
		if d.Proto {
			return
		}
		u.parser(d)
	case *syntax.ControlDecl:
		if d.Proto || d.Apply == nil {
			return
		}
		u.control(d)
	case *syntax.FunctionDecl:
		if d.Body == nil {
			return
		}
		u.function(d.Params, d.Body)
	case *syntax.ActionDecl:
		if d.Body == nil {
			return
		}
		u.action(d)
	default:
		return
	}
	if !u.spent() {
		u.report(d)
	}
}

// report turns what was found into warnings.
func (u *unit) report(d syntax.Decl) {
	for _, n := range u.order {
		f := u.found[n]
		switch p, _ := n.(*syntax.Param); {
		case f.out && f.value == unset:
			u.warn(p.Name, codeOutNotSet, "out parameter %s is never set", p.Name.Name)
		case f.out && f.value&unset != 0:
			u.warn(p.Name, codeOutNotSet, "out parameter %s is not set on every way to the end", p.Name.Name)
		case surely(f.header):
			u.warn(n, codeInvalidHeader, "%s is invalid here", header(n))
		case f.header&invalid != 0:
			u.warn(n, codeInvalidHeader, "%s may be invalid here", header(n))
		case f.value == unset:
			u.warn(n, codeUninitialised, "%s has no value here", syntax.PrintNode(n))
		case f.value&unset != 0:
			u.warn(n, codeUninitialised, "%s may have no value here", syntax.PrintNode(n))
		}
	}
}

// header is the text of the header that an expression names a field of.
func header(n syntax.Node) string {
	if e, ok := n.(syntax.Expr); ok {
		if m, ok := syntax.Unparen(e).(*syntax.Member); ok {
			n = m.X
		}
	}
	return syntax.PrintNode(n)
}

func (a *analysis) warn(n syntax.Node, code, format string, args ...any) {
	if a.system(n.Pos().File) || a.silenced(n, code) {
		return
	}
	// A macro that is used once can make several nodes at one place.
	key := seenKey{n.Pos().String(), code}
	if a.seen[key] {
		return
	}
	a.seen[key] = true
	a.diags = append(a.diags, syntax.Diagnostic{
		Pos: n.Pos(), Last: syntax.Last(n), Code: code, Severity: syntax.Warning, Msg: fmt.Sprintf(format, args...),
	})
}

// readNoWarn finds declarations with @noWarn. It holds for all that is inside them.
func (a *analysis) readNoWarn() {
	var stack []string
	var visit func(n syntax.Node) bool
	visit = func(n syntax.Node) bool {
		if len(stack) > 0 {
			a.quiet[n] = stack
		}
		words := noWarn(annotations(n))
		if words == nil {
			return true
		}
		outer := stack
		stack = append(stack[:len(stack):len(stack)], words...)
		a.quiet[n] = stack
		first := true
		syntax.Walk(n, func(m syntax.Node) bool {
			if first {
				first = false
				return true
			}
			return visit(m)
		})
		stack = outer
		return false
	}
	syntax.Walk(a.info.Program, visit)
}

// annotations are those of a declaration, parameter or field.
func annotations(n syntax.Node) []*syntax.Annotation {
	switch n := n.(type) {
	case syntax.Decl:
		return n.Annots()
	case *syntax.Param:
		return n.Annotations
	case *syntax.Block:
		return n.Annotations
	}
	return nil
}

// noWarn reads the words of @noWarn("word"); nil if there is none.
func noWarn(as []*syntax.Annotation) (words []string) {
	for _, x := range as {
		if x.Name != "noWarn" {
			continue
		}
		for _, t := range x.Body {
			if w := strings.Trim(t.Text, `"`); w != t.Text {
				words = append(words, strings.ReplaceAll(w, "_", "-"))
			}
		}
		for _, e := range x.Exprs {
			if s, ok := e.(*syntax.StringLit); ok {
				words = append(words, strings.ReplaceAll(s.Value, "_", "-"))
			}
		}
	}
	return words
}

func (a *analysis) silenced(n syntax.Node, code string) bool {
	for _, w := range a.quiet[n] {
		if w == code || w == kinds(code) {
			return true
		}
	}
	return false
}

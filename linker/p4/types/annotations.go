package types

import (
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// annotations evaluates the structured annotations of a program, whose expressions see what is declared at top level, and
// checks those that the language defines. Others may say what they like.
func (c *checker) annotations(p *syntax.Program) {
	syntax.Walk(p, func(n syntax.Node) bool {
		if as := annotationsOf(n); len(as) > 0 {
			c.mixedAnnotations(as)
			if _, field := n.(*syntax.Field); field {
				c.matchAnnotations(as)
			}
		}
		if s, ok := n.(*syntax.StructDecl); ok {
			c.lengthAnnotations(s)
		}
		if a, ok := n.(*syntax.Annotation); ok {
			c.annotation(a)
			return false
		}
		return true
	})
}

// annotationsOf are the annotations written before n.
func annotationsOf(n syntax.Node) []*syntax.Annotation {
	switch n := n.(type) {
	case syntax.Decl:
		return n.Annots()
	case *syntax.Param:
		return n.Annotations
	case *syntax.Field:
		return n.Annotations
	case *syntax.KeyProperty:
		return n.Annotations
	case *syntax.ActionsProperty:
		return n.Annotations
	case *syntax.EntriesProperty:
		return n.Annotations
	case *syntax.ExprProperty:
		return n.Annotations
	case *syntax.TableKey:
		return n.Annotations
	case *syntax.ActionRef:
		return n.Annotations
	case *syntax.TableEntry:
		return n.Annotations
	case *syntax.Block:
		return n.Annotations
	case *syntax.ForStmt:
		return n.Annotations
	case *syntax.ForInStmt:
		return n.Annotations
	}
	return nil
}

// mixedAnnotations reports a structured annotation whose name another annotation of the same element has.
func (c *checker) mixedAnnotations(as []*syntax.Annotation) {
	first := map[string]*syntax.Annotation{}
	for _, a := range as {
		b := first[a.Name]
		switch {
		case b == nil:
			first[a.Name] = a
		case a.Structured || b.Structured:
			c.errorf(a, codeAnnotation, "@%s stands here twice, and not both times as @%s(...)", a.Name, a.Name)
		}
	}
}

func (c *checker) annotation(a *syntax.Annotation) {
	for _, e := range a.Exprs {
		c.annotationValue(e)
	}
	seen := map[string]bool{}
	for _, kv := range a.KeyValues {
		c.annotationValue(kv.Value)
		if seen[kv.Key.Name] {
			c.errorf(kv, codeDuplicateEntry, "key %s is given twice", kv.Key.Name)
		}
		seen[kv.Key.Name] = true
	}
	switch a.Name {
	case "name", "deprecated", "noWarn":
		if !c.oneString(a) {
			c.errorf(a, codeAnnotation, "@%s takes one string", a.Name)
		}
	case "hidden", "tableonly", "defaultonly", "optional", "atomic", "pure", "noSideEffects":
		if len(a.Body) > 0 || len(a.Exprs) > 0 || len(a.KeyValues) > 0 {
			c.errorf(a, codeAnnotation, "@%s takes no arguments", a.Name)
		}
	case "pkginfo":
		if !a.Structured && !pairs(a.Body) || a.Structured && len(a.Exprs) > 0 {
			c.errorf(a, codeAnnotation, "@pkginfo takes pairs: @pkginfo(name = \"x\")")
		}
	case "p4runtime_translation":
		if !a.Structured && !translation(a.Body) {
			c.errorf(a, codeAnnotation, "@p4runtime_translation takes a string, and string, bit<W> or a number of bits")
		}
	}
}

// annotationValue evaluates one value of a structured annotation. A bare word that names nothing stands for itself, as a
// string: @virtual[fold].
func (c *checker) annotationValue(e syntax.Expr) {
	if n, ok := e.(*syntax.Name); ok && !n.Absolute && len(c.lookup(n.Ident.Name, false)) == 0 {
		c.info.Types[e] = String
		c.info.Values[e] = StringValue(n.Ident.Name)
		return
	}
	c.expr(e, nil)
	switch c.constant(e).(type) {
	case TupleValue, EnumValue:
		c.errorf(e, codeBadType, "the value of an annotation is a number, a string or a bool")
	}
}

// oneString reports whether the argument of an annotation is one string: literals and constants joined by ++ or, as macros
// leave them, by nothing.
func (c *checker) oneString(a *syntax.Annotation) bool {
	if a.Structured {
		if len(a.Exprs) != 1 || len(a.KeyValues) > 0 {
			return false
		}
		t := c.info.Types[a.Exprs[0]]
		return isBasic(t, StringKind) || isInvalid(t)
	}
	joined := true // nothing, or what follows an operator
	for _, t := range a.Body {
		switch {
		case t.Text == "(" || t.Text == ")":
		case t.Text == "++":
			if joined {
				return false
			}
			joined = true
		case strings.HasPrefix(t.Text, `"`):
			joined = false
		default:
			os := c.lookup(t.Text, false)
			if len(os) != 1 || os[0].Kind != ConstObject || !isBasic(os[0].Type, StringKind) || !joined {
				return false
			}
			joined = false
		}
	}
	return !joined
}

// pairs reports whether tokens are name = value, name = value.
func pairs(body []syntax.Token) bool {
	for i, t := range body {
		want := ""
		switch i % 4 {
		case 1:
			want = "="
		case 3:
			want = ","
		}
		if want != "" && t.Text != want || want == "" && (t.Text == "=" || t.Text == ",") {
			return false
		}
	}
	return len(body)%4 == 3
}

// translation reports whether tokens are "uri", and string, bit<W> or W.
func translation(body []syntax.Token) bool {
	if len(body) < 3 || !strings.HasPrefix(body[0].Text, `"`) || body[1].Text != "," {
		return false
	}
	number := func(t syntax.Token) bool { return t.Text != "" && t.Text[0] >= '0' && t.Text[0] <= '9' }
	rest := body[2:]
	switch len(rest) {
	case 1:
		return rest[0].Text == "string" || number(rest[0])
	case 4:
		return rest[0].Text == "bit" && rest[1].Text == "<" && number(rest[2]) && rest[3].Text == ">"
	}
	return false
}

// matchAnnotations checks the match kinds that the fields of a value set's struct ask for: @match(ternary).
func (c *checker) matchAnnotations(as []*syntax.Annotation) {
	for _, a := range as {
		if a.Name != "match" || a.Structured {
			continue
		}
		if len(a.Body) != 1 || c.matchKinds[a.Body[0].Text] == nil {
			c.errorf(a, codeAnnotation, "@match takes one match kind")
		}
	}
}

// lengthAnnotations checks the expressions that give the sizes of varbit fields, as old programs do: they may name fields that
// come before.
func (c *checker) lengthAnnotations(s *syntax.StructDecl) {
	before := map[string]bool{}
	for _, f := range s.Fields {
		for _, a := range f.Annotations {
			if a.Name != "length" {
				continue
			}
			for i, t := range a.Body {
				letter := t.Text[0] == '_' || t.Text[0] >= 'a' && t.Text[0] <= 'z' || t.Text[0] >= 'A' && t.Text[0] <= 'Z'
				if !letter || syntax.IsKeyword(t.Text) || before[t.Text] || i > 0 && a.Body[i-1].Text == "." {
					continue
				}
				if len(c.lookup(t.Text, false)) == 0 {
					c.diags = append(c.diags, syntax.Diagnostic{
						Pos: t.Pos, Code: codeUndeclared, Msg: t.Text + " is neither declared nor a field before this one",
					})
				}
			}
		}
		before[f.Name.Name] = true
	}
}

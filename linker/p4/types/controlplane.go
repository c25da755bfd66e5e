package types

import (
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// maxInstances bounds the objects that a program instantiates: controls that instantiate controls grow exponentially with the
// text.
const maxInstances = 1 << 16

// controlNames checks that no two objects of one kind have the same name for the control plane (specification, section
// "Control-plane API annotations"). Names are relative to the instance that an object belongs to, unless an @name makes them
// absolute; then a second instance already takes the name twice.
type controlNames struct {
	c       *checker
	listed  map[syntax.Decl]bool      // actions that some table lists: others do not concern the control plane
	applied map[syntax.Decl][]*Object // what a parser or control applies without an instance of its own
	first   map[string]*syntax.Ident  // who has a name
	told    map[*syntax.Ident]bool
	count   int
}

func (c *checker) controlPlane() {
	if c.info.Main == nil || c.info.Main.Ctor == nil || c.diags.HasErrors() {
		return // the objects are not known
	}
	n := &controlNames{
		c: c, listed: map[syntax.Decl]bool{}, applied: map[syntax.Decl][]*Object{},
		first: map[string]*syntax.Ident{}, told: map[*syntax.Ident]bool{},
	}
	for _, t := range c.tableActions {
		for o := range t.refs {
			if d, ok := o.Decl.(*syntax.ActionDecl); ok {
				n.listed[d] = true
			}
		}
	}
	for _, d := range c.info.Program.Decls {
		switch d := d.(type) {
		case *syntax.InstanceDecl:
			n.instance("", d)
		case *syntax.ActionDecl:
			n.action("", d)
		}
	}
	n.constructed(c.info.Main.Ctor, map[syntax.Decl]bool{})
	if n.count > maxInstances {
		c.errorf(c.info.Main.Ident, codeInstances, "the program instantiates more than %d objects", maxInstances)
	}
}

// constructed enters what a constructor call brings along in its arguments. Names of parsers and controls given to a package
// stand for their instances; where one is given twice, the second instance has no name of its own and is left out.
func (n *controlNames) constructed(call *Call, seen map[syntax.Decl]bool) {
	for _, a := range call.Args {
		switch a := syntax.Unparen(a).(type) {
		case *syntax.Name:
			if o := n.c.info.Uses[a.Ident]; o != nil && o.Kind == InstanceObject && o.Ctor != nil {
				n.constructed(o.Ctor, seen)
			}
		case *syntax.Call:
			inner := n.c.info.Calls[a]
			if inner == nil || inner.Kind != ConstructorCall || inner.Callee == nil {
				continue
			}
			switch inner.Callee.Kind {
			case ParserObject, ControlObject:
				if d, ok := inner.Callee.Decl.(syntax.Decl); ok && !seen[d] {
					seen[d] = true
					n.body("."+inner.Callee.Name, d)
					n.arguments("."+inner.Callee.Name, d, inner)
				}
			default:
				n.constructed(inner, seen)
			}
		}
	}
}

// body enters what an instance of a parser or control holds.
func (n *controlNames) body(prefix string, d syntax.Decl) {
	if n.count++; n.count > maxInstances {
		return
	}
	var locals []syntax.Decl
	switch d := d.(type) {
	case *syntax.ParserDecl:
		locals = d.Locals
	case *syntax.ControlDecl:
		locals = d.Locals
	}
	for _, l := range locals {
		switch l := l.(type) {
		case *syntax.InstanceDecl:
			n.instance(prefix, l)
		case *syntax.TableDecl:
			n.enter("table", prefix, l)
		case *syntax.ActionDecl:
			n.action(prefix, l)
		case *syntax.ValueSetDecl:
			n.enter("value set", prefix, l)
		}
	}
	for _, o := range n.directlyApplied(d) {
		if inner, ok := o.Decl.(syntax.Decl); ok {
			n.body(prefix+"."+o.Name, inner)
		}
	}
}

// directlyApplied lists what the body of d applies by T.apply(): there is one instance of it, which is called T.
func (n *controlNames) directlyApplied(d syntax.Decl) []*Object {
	os, known := n.applied[d]
	if known {
		return os
	}
	seen := map[*Object]bool{}
	syntax.Walk(d, func(node syntax.Node) bool {
		if k, ok := node.(*syntax.Call); ok {
			if r := n.c.info.Calls[k]; r != nil && r.Kind == DirectApply && r.Callee != nil && !seen[r.Callee] {
				seen[r.Callee] = true
				os = append(os, r.Callee)
			}
		}
		return true
	})
	n.applied[d] = os
	return os
}

func (n *controlNames) action(prefix string, d *syntax.ActionDecl) {
	if n.listed[d] {
		n.enter("action", prefix, d)
	}
}

func (n *controlNames) instance(prefix string, i *syntax.InstanceDecl) {
	o := n.c.info.Instances[i]
	if o == nil {
		return
	}
	switch t := o.Type.(type) {
	case *Extern:
		n.enter(t.Name, prefix, i)
	case *Applicable:
		name := qualifiedName(prefix, i)
		n.body(name, t.Decl)
		n.arguments(name, t.Decl, o.Ctor)
	}
}

// arguments enters what is constructed in the constructor arguments of an instance: it is called as the parameter.
func (n *controlNames) arguments(instance string, d syntax.Decl, call *Call) {
	if call == nil {
		return
	}
	for i, p := range constructorParams(d) {
		if i >= len(call.Args) {
			return
		}
		made, ok := syntax.Unparen(call.Args[i]).(*syntax.Call)
		if !ok {
			continue
		}
		name := instance + "." + p.Name.Name
		switch t := n.c.info.Types[made].(type) {
		case *Extern:
			n.enterName(t.Name, name, p.Name)
		case *Applicable:
			n.body(name, t.Decl)
			n.arguments(name, t.Decl, n.c.info.Calls[made])
		}
	}
}

func constructorParams(d syntax.Decl) []*syntax.Param {
	switch d := d.(type) {
	case *syntax.ParserDecl:
		return d.CtorParams
	case *syntax.ControlDecl:
		return d.CtorParams
	}
	return nil
}

// enter gives an object its name.
func (n *controlNames) enter(kind, prefix string, d syntax.Decl) {
	if !hasAnnotation(d.Annots(), "hidden") {
		n.enterName(kind, qualifiedName(prefix, d), d.DeclName())
	}
}

func (n *controlNames) enterName(kind, name string, at *syntax.Ident) {
	if n.count++; n.count > maxInstances {
		return
	}
	key := kind + " " + name
	other := n.first[key]
	if other == nil {
		n.first[key] = at
		return
	}
	if n.told[at] {
		return
	}
	n.told[at] = true
	if other == at {
		n.c.errorf(at, codeControlName, "two instances of this %s are called %s by the control plane", kind, name[1:])
		return
	}
	n.c.errorf(at, codeControlName, "two %ss are called %s by the control plane: the other one is at %v", kind, name[1:], other.Pos())
}

// qualifiedName is the name of a declaration in the instance called prefix, after a dot.
func qualifiedName(prefix string, d syntax.Decl) string {
	name := d.DeclName().Name
	for _, a := range d.Annots() {
		if s, ok := annotationString(a); ok && a.Name == "name" {
			name = s
		}
	}
	if strings.HasPrefix(name, ".") {
		return name
	}
	return prefix + "." + name
}

// annotationString joins the literals of an annotation's text.
func annotationString(a *syntax.Annotation) (string, bool) {
	if a.Structured {
		if len(a.Exprs) == 1 {
			s, ok := a.Exprs[0].(*syntax.StringLit)
			if ok {
				return s.Value, true
			}
		}
		return "", false
	}
	s := ""
	for _, t := range a.Body {
		switch {
		case t.Text == "++":
		case len(t.Text) >= 2 && t.Text[0] == '"':
			s += t.Text[1 : len(t.Text)-1]
		default:
			return "", false
		}
	}
	return s, true
}

package p4info

import (
	"fmt"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Generate describes a program that types.Check accepted. The message is complete only if the diagnostics hold no error. A
// program without main is a library: it is described too, with a warning.
func Generate(info *types.Info) (*p4configv1.P4Info, syntax.Diagnostics) {
	g := &generator{info: info}
	g.generate()
	return g.out, g.diags
}

func (g *generator) generate() {
	g.syms, g.out, g.visited = newSymbols(), &p4configv1.P4Info{}, map[string]bool{}
	switch {
	case g.info.Main == nil:
		g.diags = append(g.diags, syntax.Diagnostic{
			Pos: g.info.Program.Pos(), Code: codeArch, Severity: syntax.Warning,
			Msg: "the program has no main: only what stands outside of parsers and controls is described",
		})
	case mainPackage(g.info) != "V1Switch" || len(g.info.MainArgs) == 0:
		g.errorf(g.info.Main.Ident, codeArch, "main is no V1Switch")
		return
	default:
		g.out.PkgInfo = g.pkgInfo(g.info.Main.Decl.(*syntax.InstanceDecl).Annotations)
	}
	g.collect()
	g.syms.assign()
	for _, build := range g.pending {
		build()
	}
	g.diags.Sort()
}

func mainPackage(info *types.Info) string {
	if p, ok := info.Main.Type.(*types.Package); ok {
		return p.Name
	}
	return ""
}

type generator struct {
	info *types.Info
	syms *symbols
	out  *p4configv1.P4Info
	// initial is where the initial entries go, or nil if they are not wanted.
	initial *p4v1.WriteRequest
	diags   syntax.Diagnostics
	// pending builds the objects, once all names are known and ids assigned.
	pending []func()
	// visited has the instances that were walked: two direct applications of a control share its objects.
	visited map[string]bool
	digests int // that have no name of their own
	// These describe the actions of the control of main that is being walked, in the order of p4c: those declared outside that tables
	// list, in the order of the tables; those declared outside that are called; and the others.
	globalActions, calledActions, localActions []func()
	// profiles has the tables that an action profile implements.
	profiles map[string][]string
}

func (g *generator) errorf(at syntax.Node, code, format string, args ...any) {
	g.diags = append(g.diags, syntax.Diagnostic{
		Pos: at.Pos(), Code: code, Severity: syntax.Error, Msg: fmt.Sprintf(format, args...),
	})
}

func (g *generator) later(build func()) { g.pending = append(g.pending, build) }

// environment binds constructor parameters to what one instance was given.
type environment map[*types.Object]bound

type bound struct {
	value types.Value
	// name is the qualified name of an extern object that was passed.
	name string
}

// collect walks the program from main and registers every object that P4Runtime can address.
func (g *generator) collect() {
	for _, d := range g.info.Program.Decls {
		switch d := d.(type) {
		case *syntax.InstanceDecl:
			if g.info.Instances[d] != g.info.Main {
				g.instance(d, "", nil)
			}
		case *syntax.StructDecl:
			if d.Kind == "header" && find(d.Annotations, "controller_header") != nil {
				g.controllerHeader(d)
			}
		}
	}
	for _, arg := range g.info.MainArgs {
		call, _ := arg.Expr.(*syntax.Call)
		env := environment{}
		if call != nil && arg.Decl != nil {
			env = g.bind(g.info.Calls[call], arg.Decl, arg.Decl.DeclName().Name, "", nil)
		}
		switch d := arg.Decl.(type) {
		case *syntax.ParserDecl:
			g.parser(d, d.Name.Name, env)
		case *syntax.ControlDecl:
			g.control(d, d.Name.Name, env)
			g.describeActions()
		default:
			g.errorf(arg.Expr, codeUnsupported, "%s is not a parser or control of this program", arg.Param)
		}
	}
}

// bind evaluates the constructor arguments of the instance called name, in the environment of the object called prefix that
// instantiates it. What is constructed in an argument is called as the parameter, in the new instance (specification, section
// "Control plane names").
func (g *generator) bind(call *types.Call, decl syntax.Decl, name, prefix string, outer environment) environment {
	env := environment{}
	if call == nil {
		return env
	}
	var params []*syntax.Param
	switch d := decl.(type) {
	case *syntax.ParserDecl:
		params = d.CtorParams
	case *syntax.ControlDecl:
		params = d.CtorParams
	}
	for i, p := range params {
		if i >= len(call.Args) || call.Args[i] == nil {
			continue
		}
		b := bound{value: g.value(call.Args[i], outer)}
		if known, ok := g.instanceName(call.Args[i], prefix, outer); ok {
			b.name = known
		} else if made, ok := syntax.Unparen(call.Args[i]).(*syntax.Call); ok && b.value == nil {
			b.name = g.qualified(name, p.Name.Name, nil)
			g.construct(made, g.info.Types[made], g.info.Calls[made], b.name, prefix, nil, outer)
		}
		env[g.info.Defs[p.Name]] = b
	}
	return env
}

// value is the compile-time value of e in an instance, or nil.
func (g *generator) value(e syntax.Expr, env environment) types.Value {
	if v := g.info.Values[e]; v != nil {
		return v
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return g.value(x.X, env)
	case *syntax.Name:
		if b, ok := env[g.info.Uses[x.Ident]]; ok {
			return b.value
		}
	}
	return nil
}

// instanceName is the qualified name of the extern object that e names in the instance called prefix.
func (g *generator) instanceName(e syntax.Expr, prefix string, env environment) (string, bool) {
	n, ok := syntax.Unparen(e).(*syntax.Name)
	if !ok {
		return "", false
	}
	o := g.info.Uses[n.Ident]
	if b, ok := env[o]; ok && b.name != "" {
		return b.name, true
	}
	if o == nil || o.Kind != types.InstanceObject {
		return "", false
	}
	d, ok := o.Decl.(*syntax.InstanceDecl)
	if !ok {
		return "", false
	}
	if o.Parent == nil {
		prefix = ""
	}
	return g.qualified(prefix, o.Name, d.Annotations), true
}

func (g *generator) parser(d *syntax.ParserDecl, prefix string, env environment) {
	if g.visited[prefix] {
		return
	}
	g.visited[prefix] = true
	for _, l := range d.Locals {
		switch l := l.(type) {
		case *syntax.ValueSetDecl:
			g.valueSet(l, prefix)
		case *syntax.InstanceDecl:
			g.instance(l, prefix, env)
		}
	}
	for _, s := range d.States {
		syntax.Walk(s, func(n syntax.Node) bool {
			if call, ok := n.(*syntax.Call); ok {
				g.directApply(call, prefix)
			}
			return true
		})
	}
}

func (g *generator) control(d *syntax.ControlDecl, prefix string, env environment) {
	if g.visited[prefix] {
		return
	}
	g.visited[prefix] = true
	u := g.usage(d)
	for _, o := range u.globals {
		if !u.inTable[o] {
			g.calledActions = append(g.calledActions, func() { g.action(o, prefix, false) })
		}
	}
	for _, l := range d.Locals {
		switch l := l.(type) {
		case *syntax.InstanceDecl:
			g.instance(l, prefix, env)
		case *syntax.ActionDecl:
			if o := g.info.Defs[l.Name]; u.actions[o] {
				g.localActions = append(g.localActions, func() { g.action(o, prefix, u.inTable[o]) })
			}
		case *syntax.TableDecl:
			if u.tables[l] {
				for _, a := range g.tableActions(l) {
					if a.obj.Parent == nil {
						g.globalActions = append(g.globalActions, func() { g.action(a.obj, prefix, true) })
					}
				}
				g.table(l, prefix, env)
			}
		}
	}
	for _, call := range u.calls {
		g.directApply(call, prefix)
		g.externCall(call)
	}
}

// describeActions registers the actions of a control of main and of those inside it: first those declared outside.
func (g *generator) describeActions() {
	for _, list := range [][]func(){g.globalActions, g.calledActions, g.localActions} {
		for _, describe := range list {
			describe()
		}
	}
	g.globalActions, g.calledActions, g.localActions = nil, nil, nil
}

// instance walks an instance of a parser or control, or registers one of an extern.
func (g *generator) instance(d *syntax.InstanceDecl, prefix string, env environment) {
	if o := g.info.Instances[d]; o != nil && o.Ctor != nil {
		g.construct(d.Name, o.Type, o.Ctor, g.qualified(prefix, d.Name.Name, d.Annotations), prefix, d.Annotations, env)
	}
}

// construct walks or registers what a constructor call at a place in the object called prefix makes, by its own name.
func (g *generator) construct(
	at syntax.Node, t types.Type, call *types.Call, name, prefix string, annots []*syntax.Annotation, env environment,
) {
	switch t := t.(type) {
	case *types.Extern:
		g.externInstance(at, t, call, name, annots, env)
	case *types.Applicable:
		inner := g.bind(call, t.Decl, name, prefix, env)
		switch decl := t.Decl.(type) {
		case *syntax.ParserDecl:
			g.parser(decl, name, inner)
		case *syntax.ControlDecl:
			g.control(decl, name, inner)
		}
	}
}

// directApply walks T in T.apply(...): an instance that is named as its type.
func (g *generator) directApply(call *syntax.Call, prefix string) {
	c := g.info.Calls[call]
	if c == nil || c.Kind != types.DirectApply {
		return
	}
	switch d := c.Callee.Decl.(type) {
	case *syntax.ParserDecl:
		g.parser(d, g.qualified(prefix, d.Name.Name, d.Annotations), nil)
	case *syntax.ControlDecl:
		g.control(d, g.qualified(prefix, d.Name.Name, d.Annotations), nil)
	}
}

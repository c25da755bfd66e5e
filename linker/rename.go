package linker

import (
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/rewrite"
	"github.com/interlock/interlock/linker/vrm"
)

// The tenant's namespace: each of its top-level objects, parser states and parser variables gets the tenant's prefix; what is
// local to a control keeps its name there. Control-plane names (tables, actions, counters) get the prefix too, as absolute
// names, so that taking the prefix away gives the tenant's own name back.

const systemMetadataType = "il_standard_metadata_t"

// rename decides the new names.
func (t *tenant) rename() {
	t.names = map[*types.Object]string{}
	t.errors = map[string]bool{}
	t.objects = map[string]string{}
	for _, d := range t.own() {
		if e, ok := d.(*syntax.ErrorDecl); ok {
			for _, m := range e.Members {
				t.errors[m.Name] = true
			}
		}
		if id := d.DeclName(); id != nil {
			if o := t.info.Defs[id]; o != nil {
				t.names[o] = t.prefix + id.Name
			}
		}
	}
	if o := t.portType(); o != nil {
		t.names[o] = t.prefix + o.Name
	}
	for _, s := range t.parser.States {
		if o := t.info.Defs[s.Name]; o != nil {
			t.names[o] = t.prefix + s.Name.Name
		}
		// What is local to a state would hide the system's parameters there, which stand for the tenant's.
		syntax.Walk(s, func(n syntax.Node) bool {
			if d, ok := n.(*syntax.DeclStmt); ok {
				if o := t.info.Defs[d.Decl.DeclName()]; o != nil {
					t.names[o] = t.prefix + o.Name
				}
			}
			return true
		})
	}
	for _, d := range t.parser.Locals {
		if o := t.info.Defs[d.DeclName()]; o != nil {
			t.names[o] = t.prefix + d.DeclName().Name
		}
	}
	for _, d := range t.own() {
		if isControlPlane(d) {
			t.object("", d)
		}
	}
	t.instance(t.ingress, t.ingress.Name.Name)
	t.instance(t.egress, t.egress.Name.Name)
}

// portType is v1model's name for the type of ports if the program uses it. Only one of v1model's versions has it, and the linked
// program is written in the other.
func (t *tenant) portType() *types.Object {
	for _, n := range t.inOwn() {
		if id, ok := n.(*syntax.Ident); ok {
			if o := t.info.Uses[id]; o != nil && o.Kind == types.TypeObject && o.Name == "PortId_t" && o.Ident != nil && builtin(o.Ident) {
				return o
			}
		}
	}
	return nil
}

// isControlPlane says whether a declaration has a control-plane name.
func isControlPlane(d syntax.Decl) bool {
	switch d.(type) {
	case *syntax.TableDecl, *syntax.ActionDecl, *syntax.InstanceDecl:
		return true
	}
	return false
}

// object records the control-plane names of one declaration inside the instance called path.
func (t *tenant) object(path string, d syntax.Decl) {
	o := t.info.Defs[d.DeclName()]
	if _, ok := d.(*syntax.InstanceDecl); ok {
		if o == nil || o == t.info.Main || t.registers.Register(o) != nil {
			return
		}
		e, ok := o.Type.(*types.Extern)
		if !ok || e.Name == "register" {
			return
		}
	}
	own := controlPlaneName(path, d)
	t.objects[own] = t.prefix + own
}

// controlPlaneName is the name of a declaration in the P4Info of its own program.
func controlPlaneName(path string, d syntax.Decl) string {
	name := d.DeclName().Name
	for _, a := range d.Annots() {
		if a.Name != "name" {
			continue
		}
		if len(a.Body) == 1 {
			name = strings.Trim(a.Body[0].Text, `"`)
		} else if len(a.Exprs) == 1 {
			if s, ok := a.Exprs[0].(*syntax.StringLit); ok {
				name = s.Value
			}
		}
	}
	if rest, ok := strings.CutPrefix(name, "."); ok {
		return rest
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// instance records the objects of a control and of those that it instantiates.
func (t *tenant) instance(c *syntax.ControlDecl, path string) {
	for _, d := range c.Locals {
		inst, ok := d.(*syntax.InstanceDecl)
		if ok {
			if sub := t.controlOf(inst); sub != nil {
				t.instance(sub, controlPlaneName(path, d))
				continue
			}
		}
		if isControlPlane(d) {
			t.object(path, d)
		}
	}
}

func (t *tenant) controlOf(d *syntax.InstanceDecl) *syntax.ControlDecl {
	o := t.info.Defs[d.Name]
	if o == nil {
		return nil
	}
	a, ok := o.Type.(*types.Applicable)
	if !ok {
		return nil
	}
	c, _ := a.Decl.(*syntax.ControlDecl)
	return c
}

// checkInstances refuses a control that is instantiated more than once: its tables would have one name for two objects.
func (t *tenant) checkInstances() {
	count := map[*syntax.ControlDecl]syntax.Pos{t.ingress: t.ingress.Pos()}
	if t.egress == t.ingress {
		t.errorf(t.egress.Pos(), CodeUnsupported, "one control for ingress and egress is not supported yet")
	}
	count[t.egress] = t.egress.Pos()
	for _, n := range t.inOwn() {
		d, ok := n.(*syntax.InstanceDecl)
		if !ok {
			continue
		}
		c := t.controlOf(d)
		if c == nil {
			continue
		}
		if pos, ok := count[c]; ok {
			t.errorf(d.Pos(), CodeUnsupported, "control %s already has an instance (%s); more than one is not supported yet", c.Name.Name, pos)
		}
		count[c] = d.Pos()
		if len(c.CtorParams) > 0 || len(c.TypeParams) > 0 {
			t.errorf(c.Pos(), CodeUnsupported, "control %s: type parameters and constructor parameters are not supported yet", c.Name.Name)
		}
	}
}

// copier copies the tenant's code under its new names. subst replaces parameters by what stands for them.
func (t *tenant) copier(subst map[*types.Object]syntax.Expr) *rewrite.Copier {
	c := &rewrite.Copier{}
	c.Ident = func(id *syntax.Ident) string {
		o := t.info.Uses[id]
		if o == nil {
			o = t.info.Defs[id]
		}
		return t.nameOf(o, id.Name)
	}
	c.Expr = func(e syntax.Expr) syntax.Expr {
		switch e := e.(type) {
		case *syntax.Name:
			o := t.info.Uses[e.Ident]
			if s := subst[o]; s != nil {
				return rewrite.Node(&rewrite.Copier{}, s)
			}
			if o != nil && o.Kind == types.ConstObject && o.Ident != nil && builtin(o.Ident) { // v1model's version
				if b, ok := o.Type.(*types.Bit); ok {
					if v, ok := o.Value.(types.IntValue); ok && v.Int.IsInt64() {
						return rewrite.BitLit(b.Width, v.Int.Int64())
					}
				}
			}
		case *syntax.Member:
			if x, ok := e.X.(*syntax.TypeExpr); ok && t.errors[e.Sel.Name] {
				if b, ok := x.Type.(*syntax.BaseType); ok && b.Kind == "error" {
					return rewrite.Member(rewrite.Node(&rewrite.Copier{}, e.X), t.prefix+e.Sel.Name)
				}
			}
		}
		return nil
	}
	c.Annotations = func(list []*syntax.Annotation) []*syntax.Annotation {
		var out []*syntax.Annotation
		for _, a := range list {
			switch a.Name {
			case "name", "defaultonly", "tableonly":
				out = append(out, rewrite.Node(&rewrite.Copier{}, a))
			}
		}
		return out
	}
	c.Stmt = func(s syntax.Stmt) ([]syntax.Stmt, bool) { return t.stmt(c, s) }
	return c
}

func (t *tenant) nameOf(o *types.Object, name string) string {
	if o == nil {
		return name
	}
	if n, ok := t.names[o]; ok {
		return n
	}
	if o.Kind == types.TypeObject && o.Name == "standard_metadata_t" && o.Parent == nil && o.Ident != nil && builtin(o.Ident) {
		return systemMetadataType
	}
	return name
}

// stmt replaces the statements that mean something else in the linked program.
func (t *tenant) stmt(c *rewrite.Copier, s syntax.Stmt) ([]syntax.Stmt, bool) {
	switch s := s.(type) {
	case *syntax.DeclStmt:
		v, ok := s.Decl.(*syntax.VarDecl)
		if !ok || v.Init != nil {
			return nil, false
		}
		o := t.info.Defs[v.Name]
		decl := rewrite.Node(&rewrite.Copier{Ident: c.Ident, Expr: c.Expr, Annotations: c.Annotations}, v)
		if z := t.zeroValue(o.Type); z != nil {
			decl.Init = z
			return []syntax.Stmt{&syntax.DeclStmt{Decl: decl}}, true
		}
		return append([]syntax.Stmt{&syntax.DeclStmt{Decl: decl}}, t.zero(rewrite.Name(decl.Name.Name), o.Type)...), true
	case *syntax.CallStmt:
		if s == t.first {
			return nil, true // the system has parsed the Ethernet header
		}
		info := t.info.Calls[s.Call]
		switch {
		case info == nil:
		case t.registers.Accesses(s.Call):
			return []syntax.Stmt{t.registers.Rewrite(s.Call, c)}, true
		case info.Kind == types.ExternFnCall && info.Method == "log_msg":
			return nil, true
		case info.Kind == types.ExternFnCall && info.Method == "mark_to_drop":
			return []syntax.Stmt{rewrite.Assign(rewrite.Member(rewrite.Node(c, info.Args[0]), "egress_spec"), rewrite.Name("il_drop_port"))}, true
		case info.Kind == types.MethodCall && info.Method == "count" && len(info.Args) == 1:
			return t.count(c, s, info), true
		case info.Kind == types.ControlApply:
			return t.applyControl(c, s, info), true
		}
	}
	return nil, false
}

// count keeps an index inside its counter: a target need not check it.
func (t *tenant) count(c *rewrite.Copier, s *syntax.CallStmt, info *types.Call) []syntax.Stmt {
	plain := &syntax.CallStmt{Call: rewrite.Node(c, s.Call)}
	if e, ok := t.info.Types[info.Recv].(*types.Extern); ok {
		if b, ok := indexType(e); ok && b.Width != 32 {
			plain.Call.Args[0].Value = rewrite.Cast(rewrite.BitType(32), plain.Call.Args[0].Value)
		}
	}
	recv, ok := info.Recv.(*syntax.Name)
	if !ok {
		return []syntax.Stmt{plain}
	}
	o := t.info.Uses[recv.Ident]
	size, ok := t.info.Values[o.Ctor.Args[0]].(types.IntValue)
	if !ok {
		return []syntax.Stmt{plain}
	}
	if v, ok := t.info.Values[info.Args[0]].(types.IntValue); ok && v.Int.Sign() >= 0 && v.Int.Cmp(size.Int) < 0 {
		return []syntax.Stmt{plain}
	}
	guard := rewrite.Binary(rewrite.Node(c, info.Args[0]), "<", rewrite.Int(size.Int.Int64()))
	if t.info.Types[info.Args[0]] == types.Type(types.Int) {
		return nil // a constant past the end counts nothing
	}
	if b, ok := t.info.Types[info.Args[0]].(*types.Bit); ok && size.Int.BitLen() > b.Width {
		return []syntax.Stmt{plain} // every index of this type is one
	}
	return []syntax.Stmt{rewrite.If(guard, []syntax.Stmt{plain}, nil)}
}

// applyControl hands a nested control the page-table entry if it needs it.
func (t *tenant) applyControl(c *rewrite.Copier, s *syntax.CallStmt, info *types.Call) []syntax.Stmt {
	call := rewrite.Node(&rewrite.Copier{Ident: c.Ident, Expr: c.Expr}, s.Call)
	if a, ok := info.Callee.Type.(*types.Applicable); ok {
		if decl, ok := a.Decl.(*syntax.ControlDecl); ok && t.registers.Uses(decl) {
			for _, p := range []string{vrm.PageParam, vrm.MemoryParam} {
				arg := &syntax.Arg{Value: rewrite.Name(p)}
				if len(call.Args) > 0 && call.Args[0].Name != nil {
					arg.Name = &syntax.Ident{Name: p}
				}
				call.Args = append(call.Args, arg)
			}
		}
	}
	return []syntax.Stmt{&syntax.CallStmt{Call: call}}
}

package linker

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/rewrite"
	"github.com/interlock/interlock/linker/vrm"
)

// declarations are the tenant's own top-level declarations under their new names. The parser, the checksum controls and the
// deparser are not among them: they become part of the system's. Registers are not: they become extents of stage arrays.
func (t *tenant) declarations() []syntax.Decl {
	c := t.copier(nil)
	var out []syntax.Decl
	if o := t.portType(); o != nil {
		port := &syntax.TypedefDecl{Type: rewrite.BitType(9)}
		port.Name = &syntax.Ident{Name: t.names[o]}
		out = append(out, port)
	}
	for _, d := range t.own() {
		switch d := d.(type) {
		case *syntax.ParserDecl:
			continue
		case *syntax.ControlDecl:
			if d == t.verify || d == t.compute || d == t.deparser {
				continue
			}
			if d.Proto {
				out = append(out, rewrite.Node(c, d))
				continue
			}
			out = append(out, t.control(c, d))
		case *syntax.InstanceDecl:
			o := t.info.Defs[d.Name]
			if o == t.info.Main || isRegister(o) {
				continue
			}
			out = append(out, t.named(c, "", d))
		case *syntax.ActionDecl:
			a := t.named(c, "", d).(*syntax.ActionDecl)
			t.zeroOut(d.Params, a.Body)
			out = append(out, a)
		case *syntax.FunctionDecl:
			f := rewrite.Node(c, d)
			if d.Body != nil {
				t.zeroOut(d.Params, f.Body)
			}
			out = append(out, f)
		case *syntax.ErrorDecl:
			e := &syntax.ErrorDecl{}
			for _, m := range d.Members {
				e.Members = append(e.Members, &syntax.Ident{Name: t.prefix + m.Name})
			}
			out = append(out, e)
		default:
			out = append(out, rewrite.Node(c, syntax.Decl(d)))
		}
	}
	return out
}

func isRegister(o *types.Object) bool {
	e, ok := o.Type.(*types.Extern)
	return ok && e.Name == "register"
}

// named copies a declaration with a control-plane name and gives it that name, absolute.
func (t *tenant) named(c *rewrite.Copier, path string, d syntax.Decl) syntax.Decl {
	out := rewrite.Node(c, d)
	annots := []*syntax.Annotation{rewrite.Annotation("name", "."+t.prefix+controlPlaneName(path, d))}
	switch out := out.(type) {
	case *syntax.TableDecl:
		out.Annotations = annots
	case *syntax.ActionDecl:
		out.Annotations = annots
	case *syntax.InstanceDecl:
		out.Annotations = annots
		if e, ok := t.info.Defs[d.DeclName()].Type.(*types.Extern); ok && e.Name == "counter" {
			out.Type = rewrite.NamedType("counter") // see indexType
		}
	}
	return out
}

// control copies a control: without its registers, with the page-table entry among its parameters if it accesses any, and with
// its variables and out parameters zeroed when it starts.
func (t *tenant) control(c *rewrite.Copier, d *syntax.ControlDecl) *syntax.ControlDecl {
	path := t.instancePath(d)
	var start []syntax.Stmt
	local := *c
	local.Decl = func(l syntax.Decl) ([]syntax.Decl, bool) {
		switch l := l.(type) {
		case *syntax.InstanceDecl:
			if isRegister(t.info.Defs[l.Name]) {
				return nil, true
			}
			if t.controlOf(l) != nil {
				sub := rewrite.Node(c, l)
				sub.Annotations = nil
				return []syntax.Decl{sub}, true
			}
			return []syntax.Decl{t.named(c, path, l)}, true
		case *syntax.TableDecl:
			return []syntax.Decl{t.named(c, path, l)}, true
		case *syntax.ActionDecl:
			a := t.named(c, path, l).(*syntax.ActionDecl)
			t.zeroOut(l.Params, a.Body)
			return []syntax.Decl{a}, true
		case *syntax.VarDecl:
			// Values are given in the apply block, in order: an initializer may read a variable that has none.
			v := rewrite.Node(c, l)
			if v.Init != nil {
				start = append(start, rewrite.Assign(rewrite.Name(l.Name.Name), v.Init))
				v.Init = nil
			} else {
				start = append(start, t.zero(rewrite.Name(l.Name.Name), t.info.Defs[l.Name].Type)...)
			}
			return []syntax.Decl{v}, true
		}
		return nil, false
	}
	out := rewrite.Node(&local, d)
	out.Annotations = nil // the objects in it have absolute names
	out.Apply.Stmts = append(start, out.Apply.Stmts...)
	t.zeroOut(d.Params, out.Apply)
	if t.registers.Uses(d) {
		out.Params = append(out.Params,
			&syntax.Param{Dir: syntax.In, Type: rewrite.NamedType("il_page_t"), Name: &syntax.Ident{Name: vrm.PageParam}},
			&syntax.Param{Dir: syntax.InOut, Type: rewrite.NamedType("il_memory_t"), Name: &syntax.Ident{Name: vrm.MemoryParam}})
	}
	return out
}

// zeroOut zeroes the out parameters at the start of a body.
func (t *tenant) zeroOut(params []*syntax.Param, body *syntax.Block) {
	var zero []syntax.Stmt
	for _, p := range params {
		if p.Dir == syntax.Out {
			zero = append(zero, t.zero(rewrite.Name(p.Name.Name), t.info.Defs[p.Name].Type)...)
		}
	}
	body.Stmts = append(zero, body.Stmts...)
}

// instancePath is the control-plane name of a control's only instance.
func (t *tenant) instancePath(d *syntax.ControlDecl) string {
	if d == t.ingress || d == t.egress {
		return d.Name.Name
	}
	var find func(c *syntax.ControlDecl, path string) string
	find = func(c *syntax.ControlDecl, path string) string {
		for _, l := range c.Locals {
			inst, ok := l.(*syntax.InstanceDecl)
			if !ok {
				continue
			}
			sub := t.controlOf(inst)
			if sub == nil {
				continue
			}
			p := controlPlaneName(path, l)
			if sub == d {
				return p
			}
			if q := find(sub, p); q != "" {
				return q
			}
		}
		return ""
	}
	for _, c := range []*syntax.ControlDecl{t.ingress, t.egress} {
		if p := find(c, c.Name.Name); p != "" {
			return p
		}
	}
	return d.Name.Name
}

// parameters stand for the system's in code that is inlined: hdr.kv for hdr, and so on.
func (t *tenant) parameters(params []*syntax.Param, with ...syntax.Expr) map[*types.Object]syntax.Expr {
	subst := map[*types.Object]syntax.Expr{}
	for i, p := range params {
		subst[t.info.Defs[p.Name]] = with[i]
	}
	return subst
}

func (t *tenant) inParser() *rewrite.Copier {
	return t.copier(t.parameters(t.parser.Params,
		rewrite.Name("packet"), rewrite.Path("hdr", t.site.Name), rewrite.Path("meta", t.site.Name), rewrite.Path("meta", "il_vsm")))
}

// states are the parser's states under their new names.
func (t *tenant) states() []*syntax.StateDecl {
	c := t.inParser()
	var out []*syntax.StateDecl
	for _, s := range t.parser.States {
		out = append(out, rewrite.Node(c, s))
	}
	return out
}

// parserLocals are the parser's variables and constants, and the statements that give the variables their values when a packet
// enters the tenant's parser.
func (t *tenant) parserLocals() ([]syntax.Decl, []syntax.Stmt) {
	c := t.inParser()
	var decls []syntax.Decl
	var init []syntax.Stmt
	for _, d := range t.parser.Locals {
		out := rewrite.Node(c, d)
		if v, ok := out.(*syntax.VarDecl); ok {
			if v.Init != nil {
				init = append(init, rewrite.Assign(rewrite.Name(v.Name.Name), v.Init))
				v.Init = nil
			} else {
				init = append(init, t.zero(rewrite.Name(v.Name.Name), t.info.Defs[d.DeclName()].Type)...)
			}
		}
		decls = append(decls, out)
	}
	return decls, init
}

// checksums are the calls of one of the tenant's checksum controls, made for its packets only.
func (t *tenant) checksums(control *syntax.ControlDecl) []syntax.Stmt {
	c := t.copier(t.parameters(control.Params, rewrite.Path("hdr", t.site.Name), rewrite.Path("meta", t.site.Name)))
	var out []syntax.Stmt
	for _, s := range control.Apply.Stmts {
		info := t.info.Calls[s.(*syntax.CallStmt).Call]
		mine := rewrite.Binary(rewrite.Path("meta", "il_tenant"), "==", rewrite.Int(int64(t.index)))
		args := []syntax.Expr{rewrite.Binary(mine, "&&", rewrite.Node(c, info.Args[0]))}
		for _, a := range info.Args[1:] { // in the order of the parameters, whether they were named or not
			args = append(args, rewrite.Node(c, a))
		}
		out = append(out, rewrite.CallStmt(rewrite.Name(info.Method), args...))
	}
	return out
}

// enter are the statements that zero the tenant's headers and metadata before its parser starts.
func (t *tenant) enter() []syntax.Stmt {
	out := t.zero(rewrite.Path("hdr", t.site.Name), t.headers)
	out = append(out, t.zero(rewrite.Path("meta", t.site.Name), t.metadata)...)
	_, init := t.parserLocals()
	return append(out, init...)
}

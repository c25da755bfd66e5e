package vrm

import (
	"sort"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// unreached reports accesses outside what was walked.
func (p *Program) unreached() {
	var calls []*syntax.Call
	for c, info := range p.info.Calls {
		if info.Kind != types.MethodCall || p.accesses[c] != nil {
			continue
		}
		n, ok := info.Recv.(*syntax.Name)
		if ok && p.byObject[p.info.Uses[n.Ident]] != nil {
			calls = append(calls, c)
		}
	}
	sort.Slice(calls, func(i, j int) bool { return calls[i].Pos().Before(calls[j].Pos()) })
	for _, c := range calls {
		r := p.byObject[p.info.Uses[p.info.Calls[c].Recv.(*syntax.Name).Ident]]
		p.errorf(c.Pos(), "this access of register %s is not reached from ingress or egress", r.Name)
	}
}

// checkFlags sees to it that each access can set its flags.
func (p *Program) checkFlags() {
	for c, a := range p.accesses {
		if a.reg.hit != nil && a.meta == "" {
			p.errorf(c.Pos(), "register %s has a hit flag, but control %s has no inout parameter of type %s to set it in", a.reg.Name, a.control.Name.Name, p.metadata.Name)
		}
		if o := p.hidden(a); o != nil {
			p.errorf(o.Pos(), "%s hides the user metadata in control %s, whose accesses set a hit flag", o.Name, a.control.Name.Name)
		}
	}
	p.diags.Sort()
}

// hidden finds a local name that would capture the metadata parameter where an access sets its hit flag.
func (p *Program) hidden(a *access) *syntax.Ident {
	if a.reg.hit == nil || a.meta == "" {
		return nil
	}
	var found *syntax.Ident
	check := func(id *syntax.Ident) {
		if id != nil && id.Name == a.meta && found == nil {
			found = id
		}
	}
	for _, d := range a.control.Locals {
		syntax.Walk(d, func(n syntax.Node) bool { return localNames(n, check) })
	}
	syntax.Walk(a.control.Apply, func(n syntax.Node) bool { return localNames(n, check) })
	return found
}

func localNames(n syntax.Node, check func(*syntax.Ident)) bool {
	switch n := n.(type) {
	case *syntax.Param:
		check(n.Name)
	case syntax.Decl:
		check(n.DeclName())
	}
	return true
}

package replace

import (
	"regexp"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
)

// same says that a tenant has the same program in both: the same code, and objects of the same shapes.
func same(old, next *catalog, tenant string) bool {
	for _, pair := range [][2]*catalog{{old, next}, {next, old}} {
		for name, o := range pair[0].objects {
			if o.owner == tenant && pair[1].objects[name] != o {
				return false
			}
		}
	}
	return slices.Equal(old.code(tenant), next.code(tenant))
}

// code is a tenant's part of a linked program, printed: what is declared under its prefix, at the top level and in the system's parser,
// and the statements of the system's other code that name its headers or metadata alone: its checksums. How the system numbers tenants is
// not a part of it, nor are ports, addresses and the VID.
func (c *catalog) code(tenant string) []string {
	prefix := specs.TenantPrefix(tenant)
	mine := func(name string) bool { return strings.HasPrefix(name, prefix) }
	var out []string
	for _, d := range c.program.Decls {
		name := ""
		if n := d.DeclName(); n != nil {
			name = n.Name
		}
		switch x := d.(type) {
		case *syntax.ParserDecl:
			if mine(name) {
				break
			}
			for _, l := range x.Locals {
				if n := l.DeclName(); n != nil && mine(n.Name) {
					out = append(out, syntax.PrintNode(l))
				}
			}
			for _, s := range x.States {
				if mine(s.Name.Name) {
					out = append(out, syntax.PrintNode(s))
				}
			}
			continue
		case *syntax.ControlDecl:
			if mine(name) || x.Apply == nil {
				break
			}
			for _, s := range x.Apply.Stmts {
				if call, ok := s.(*syntax.CallStmt); ok && names(call, tenant) {
					out = append(out, unnumbered(syntax.PrintNode(s)))
				}
			}
			continue
		}
		if mine(name) {
			out = append(out, syntax.PrintNode(d))
		}
	}
	return out
}

// names says that a statement speaks of hdr.TENANT or meta.TENANT.
func names(s syntax.Node, tenant string) bool {
	found := false
	syntax.Walk(s, func(n syntax.Node) bool {
		if m, ok := n.(*syntax.Member); ok && m.Sel.Name == tenant {
			if x, ok := m.X.(*syntax.Name); ok && (x.Ident.Name == "hdr" || x.Ident.Name == "meta") {
				found = true
			}
		}
		return !found
	})
	return found
}

var tenantNumber = regexp.MustCompile(`\bmeta\.il_tenant == [0-9]+`)

func unnumbered(text string) string {
	return tenantNumber.ReplaceAllString(text, "meta.il_tenant == N")
}

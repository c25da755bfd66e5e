package policy

import (
	"fmt"
	"slices"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/traits"

	sharing "github.com/interlock/interlock/policy"
)

// distinct collects the names of tenants and resources that expressions tell apart from others. What is proved for a tenant or resource of any
// other name holds for all of them, because strings are only compared; a policy that looks for 'slots/' is proved for a resource that has it.
type distinct struct {
	params             map[string][]string // the strings in each parameter's value: keys of a map, elements of a list
	tenants, resources map[string]bool
	stands             map[string]string // of those that stand for others: for which, such as "begins with slots/"
}

// told are the tenants and resources for which a statement of p is proved unless it or a site says: those that an expression tells apart, and
// others, which stand for all that it does not.
func told(p *sharing.Policy, st *Statement) (tenants, resources []string, stands map[string]string, err error) {
	n := &distinct{map[string][]string{}, map[string]bool{}, map[string]bool{}, map[string]string{}}
	n.policy(p)
	if st.other != nil {
		n.policy(st.other)
	}
	if st.expr != nil {
		n.expression(st.expr.AST())
	}
	for _, g := range st.given {
		n.expression(g.AST())
	}
	if tenants, err = with(n.tenants, []string{"a", "b", "c"}, 3, MaxTenants); err != nil {
		return nil, nil, nil, fmt.Errorf("tenants: %w", err)
	}
	if resources, err = with(n.resources, []string{"x", "y"}, 2, MaxResources); err != nil {
		return nil, nil, nil, fmt.Errorf("resources: %w", err)
	}
	return tenants, resources, n.stands, nil
}

// with is the special names and at least one of the others, as many as make it least.
func with(special map[string]bool, others []string, least, most int) ([]string, error) {
	var out []string
	for s := range special {
		out = append(out, s)
	}
	for i, o := range others {
		if i == 0 || len(out) < least {
			if special[o] {
				o += "'"
			}
			out = append(out, o)
		}
	}
	slices.Sort(out)
	if len(out) > most {
		return nil, fmt.Errorf("the policy tells %d names apart, and statements are unrolled for %d at most: say in bounds for which", len(special), most)
	}
	return out, nil
}

func (n *distinct) policy(p *sharing.Policy) {
	for _, q := range p.Params() {
		var strings []string
		if v, ok := q.Value.(traits.Iterable); ok {
			for it := v.Iterator(); it.HasNext() == types.True; {
				if s, ok := it.Next().(types.String); ok {
					strings = append(strings, string(s))
				}
			}
		}
		n.params[q.Name] = strings
	}
	for _, e := range p.Expressions() {
		n.expression(e.AST())
	}
}

func (n *distinct) expression(tree *ast.AST) {
	ast.PreOrderVisit(ast.NavigateAST(tree), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.SelectKind:
			s := x.AsSelect()
			if t := tree.GetType(s.Operand().ID()); t != nil && t.Kind() == types.MapKind && param(s.Operand()) == "" {
				n.resources[s.FieldName()] = true
			}
		case ast.CallKind:
			n.call(x.AsCall())
		default:
		}
	}))
}

func (n *distinct) call(c ast.CallExpr) {
	args := c.Args()
	switch name := c.FunctionName(); {
	case c.IsMemberFunction() && len(args) == 1:
		s, ok := quoted(args[0])
		if !ok {
			return
		}
		like := map[string]struct{ name, what string }{
			"startsWith": {s + "x", "begins with " + s}, "endsWith": {"x" + s, "ends with " + s}, "contains": {"x" + s + "y", "contains " + s},
		}
		if l, ok := like[name]; ok {
			n.add(c.Target(), l.name)
			n.stands[l.name] = l.what
		}
	case len(args) != 2:
	case name == operators.Equals || name == operators.NotEquals:
		for i, a := range args {
			if s, ok := quoted(a); ok {
				n.add(args[1-i], s)
			}
		}
	case name == operators.Index || name == operators.OptIndex:
		n.lookup(args[1], args[0])
	case name == operators.In || name == operators.OldIn:
		n.lookup(args[0], args[1])
	}
}

// lookup is of key in a map or list.
func (n *distinct) lookup(key, in ast.Expr) {
	if p := param(in); p != "" {
		for _, s := range n.params[p] {
			n.add(key, s)
		}
		return
	}
	if in.Kind() == ast.ListKind {
		for _, e := range in.AsList().Elements() {
			if s, ok := quoted(e); ok {
				n.add(key, s)
			}
		}
	}
	if in.Kind() == ast.MapKind {
		for _, e := range in.AsMap().Entries() {
			if s, ok := quoted(e.AsMapEntry().Key()); ok {
				n.add(key, s)
			}
		}
	}
	if s, ok := quoted(key); ok {
		n.resources[s] = true
	}
}

// add notes that what subject is about is told apart by its name s: a tenant where it is somebody's name, a resource where it is a variable
// of a loop, which may be over names of either.
func (n *distinct) add(subject ast.Expr, s string) {
	switch subject.Kind() {
	case ast.SelectKind:
		if subject.AsSelect().FieldName() == "name" {
			n.tenants[s] = true
		}
	case ast.IdentKind:
		n.resources[s] = true
	default:
	}
}

// param is the parameter that x is, or "".
func param(x ast.Expr) string {
	if x.Kind() != ast.SelectKind {
		return ""
	}
	s := x.AsSelect()
	if s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == "params" {
		return s.FieldName()
	}
	return ""
}

func quoted(x ast.Expr) (string, bool) {
	if x.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := x.AsLiteral().(types.String)
	return string(s), ok
}

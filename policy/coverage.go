package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Coverage gathers which parts of a policy were evaluated: every expression; for a rule, that it was seen to hold and not to hold; and
// every operand that is not always evaluated: the branches of ?:, and the right sides of && and ||. The zero Coverage is empty. It is
// not for concurrent use.
type Coverage struct {
	seen map[*Expression]*seen
}

type seen struct {
	nodes        map[int64]bool
	holds, fails bool
}

// Part is one thing that tests can reach.
type Part struct {
	At      Position `json:"at"`
	What    string   `json:"what"`
	Reached bool     `json:"reached"`
}

func (c *Coverage) of(e *Expression) *seen {
	if c.seen == nil {
		c.seen = map[*Expression]*seen{}
	}
	s := c.seen[e]
	if s == nil {
		s = &seen{nodes: map[int64]bool{}}
		c.seen[e] = s
	}
	return s
}

// eval is the program's Eval, with notes of what it went through.
func (c *Coverage) eval(e *Expression, s *scope) (ref.Val, *cel.EvalDetails, error) {
	prog, err := e.tracked()
	if err != nil {
		return nil, nil, err
	}
	v, details, err := prog.Eval(s)
	x := c.of(e)
	if details != nil {
		for _, id := range details.State().IDs() {
			x.nodes[id] = true
		}
	}
	x.holds = x.holds || v == types.True
	x.fails = x.fails || v == types.False
	return v, details, err
}

// Parts lists what there is of a policy to reach, in the document's order.
func (c *Coverage) Parts(p *Policy) []Part {
	var out []Part
	for _, e := range p.Expressions() {
		s := c.of(e)
		what := string(e.Role)
		if e.Name != "" {
			what += " " + e.Name
		}
		switch e.Role {
		case RoleLimit, RoleValidation:
			out = append(out, Part{e.At, what + " holds", s.holds}, Part{e.At, what + " does not hold", s.fails})
		default:
			out = append(out, Part{e.At, what, len(s.nodes) > 0})
		}
		ast.PreOrderVisit(ast.NavigateAST(e.AST()), ast.NewExprVisitor(func(x ast.Expr) {
			for i, a := range sometimes(x) {
				if a == nil || a.Kind() == ast.LiteralKind || a.Kind() == ast.IdentKind || a.ID() == 0 { // values, which leave no note
					continue
				}
				if a.Kind() == ast.CallKind && a.AsCall().FunctionName() == operators.Conditional { // nor does it; its branches do
					continue
				}
				what := []string{"", "branch", "other branch"}[i]
				if x.AsCall().FunctionName() != operators.Conditional {
					what = "right side"
				}
				out = append(out, Part{e.Position(a.ID()), fmt.Sprintf("%s in the %s", what, e.Role), s.nodes[a.ID()]})
			}
		}))
	}
	slices.SortStableFunc(out, func(a, b Part) int { return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Col, b.At.Col)) })
	return out
}

// sometimes are the operands of x that are not always evaluated. Those that macros made are left out: nobody wrote them.
func sometimes(x ast.Expr) []ast.Expr {
	if x.Kind() != ast.CallKind {
		return nil
	}
	args := x.AsCall().Args()
	switch x.AsCall().FunctionName() {
	case operators.Conditional:
		if accumulating(args[1]) || accumulating(args[2]) {
			return nil
		}
		return []ast.Expr{nil, args[1], args[2]}
	case operators.LogicalAnd, operators.LogicalOr:
		if accumulates(args[0]) {
			return nil
		}
		return []ast.Expr{nil, args[1]}
	}
	return nil
}

// accumulating says that x is a macro's next result.
func accumulating(x ast.Expr) bool {
	return accumulates(x) || x.Kind() == ast.CallKind && len(x.AsCall().Args()) > 0 && accumulates(x.AsCall().Args()[0])
}

// EntitleCovered is Entitle, and notes in c what was evaluated. It is slower.
func (p *Policy) EntitleCovered(ctx context.Context, tenants []Tenant, capacity Resources, c *Coverage) (*Allocation, error) {
	return p.entitle(ctx, tenants, capacity, c)
}

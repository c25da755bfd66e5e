package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	sharing "github.com/interlock/interlock/policy"
)

// reading is what expressions read, through variables, the price, rank and admitted too.
type reading struct {
	policy *sharing.Policy
	names  []string // tenant.active, oldTenant.usage, params.most, variables.short, free, rank; in the order in which they are met
	seen   map[string]bool
}

func read(p *sharing.Policy, es ...*sharing.Expression) *reading {
	r := &reading{policy: p, seen: map[string]bool{}}
	for _, e := range es {
		r.expression(e)
	}
	return r
}

// first notes a name, and says that it was not met before.
func (r *reading) first(name string) bool {
	if r.seen[name] {
		return false
	}
	r.seen[name] = true
	r.names = append(r.names, name)
	return true
}

func (r *reading) expression(e *sharing.Expression) {
	tree := e.AST()
	ast.PreOrderVisit(ast.NavigateAST(tree), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.IdentKind:
			if x.AsIdent() == "free" {
				r.first("free")
			}
		case ast.SelectKind:
			r.selects(tree, x.AsSelect().Operand(), x.AsSelect().FieldName())
		case ast.CallKind:
			args := x.AsCall().Args()
			switch x.AsCall().FunctionName() {
			case operators.OptSelect:
				if field, ok := quoted(args[1]); ok {
					r.selects(tree, args[0], field)
				}
			case "@rank":
				if r.first("rank") {
					r.expression(r.policy.Rank())
				}
			case "@admitted":
				for _, l := range r.policy.Limits() {
					if r.first("the limit at " + l.At.String()) {
						r.expression(l.Expression)
					}
				}
			}
		default:
		}
	}))
}

func (r *reading) selects(tree *ast.AST, operand ast.Expr, field string) {
	switch tree.GetType(operand.ID()).TypeName() {
	case "interlock.Tenant":
		of := "tenant."
		if operand.Kind() == ast.IdentKind && operand.AsIdent() == "oldTenant" {
			of = "oldTenant."
		}
		if r.first(of+field) && field == "cost" && r.policy.Price() != nil {
			r.expression(r.policy.Price())
		}
	case "interlock.Params":
		r.first("params." + field)
	case "interlock.Variables":
		if e := r.variable(field); e != nil && r.first("variables."+field) {
			r.expression(e)
		}
	}
}

func (r *reading) variable(name string) *sharing.Expression {
	for _, v := range r.policy.Variables() {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// facts are the values of what is read in a state and is not a tenant's own, about one tenant, or about each where name is "".
func (r *reading) facts(s *sharing.State, tenants []sharing.Tenant, name string) []string {
	var out []string
	value := func(what string, e *sharing.Expression, all bool) {
		about := []string{name}
		switch {
		case !e.Tenant():
			about = []string{""}
		case all || name == "":
			about = nil
			for _, t := range tenants {
				about = append(about, t.Name)
			}
		}
		for _, t := range about {
			of := ""
			if t != "" {
				of = " of tenant " + t
			}
			v, err := s.Eval(e, t)
			if err != nil {
				out = append(out, fmt.Sprintf("%s%s is %s", what, of, outcome(v, err)))
				continue
			}
			out = append(out, fmt.Sprintf("%s%s is %s", what, of, sharing.Show(v)))
		}
	}
	for _, n := range r.names {
		kind, field, _ := strings.Cut(n, ".")
		switch {
		case kind == "params":
			for _, q := range r.policy.Params() {
				if q.Name == field {
					out = append(out, n+" is "+sharing.Show(q.Value))
				}
			}
		case kind == "variables":
			value(n, r.variable(field), false)
		case n == "rank":
			value("rank", r.policy.Rank(), true)
		case n == "tenant.cost" && r.policy.Price() != nil:
			value("cost", r.policy.Price(), true)
		}
	}
	return out
}

// own says what a tenant's fields are that are read and that are not said of every tenant anyway.
func own(names []string, t sharing.Tenant) string {
	var b strings.Builder
	add := func(name, format string, args ...any) {
		if slices.Contains(names, name) {
			fmt.Fprintf(&b, ", "+format, args...)
		}
	}
	active := map[bool]string{true: "active", false: "not active"}
	add("tenant.vid", "VID %d", t.VID)
	add("tenant.active", "%s", active[t.Active])
	add("tenant.utility", "utility %s", t.Utility)
	add("tenant.target", "target %s", t.Target)
	add("tenant.balance", "balance %s", t.Balance)
	if len(t.Min) == 0 {
		add("tenant.min", "no min")
	}
	add("tenant.max", "at most %s", listed(t.Max))
	add("oldTenant.usage", "held %s before", listed(t.Held))
	if p := t.Past; p != nil {
		add("oldTenant.active", "%s before", active[p.Active])
		add("oldTenant.utility", "utility %s before", p.Utility)
		add("oldTenant.balance", "balance %s before", p.Balance)
	}
	return b.String()
}

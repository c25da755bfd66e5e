package policy

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/interlock/interlock/policy/strictyaml"
)

// Statement checks an expression about the policy: it may read what a validation may. Positions count within text. more declares further
// names, of which Eval knows nothing. The error is a strictyaml.Errors.
func (p *Policy) Statement(file, text string, want *types.Type, more ...cel.EnvOption) (*Expression, error) {
	e, problems := p.statement(source{text, file, func(line, col int) (int, int) { return max(line, 1), col + 1 }}, want, more)
	if len(problems) > 0 {
		return nil, problems
	}
	return e, nil
}

// StatementIn is Statement for the text in n. Problems go to n's document, and the expression is nil then.
func (p *Policy) StatementIn(n strictyaml.Node, want *types.Type, more ...cel.EnvOption) *Expression {
	text, _ := n.Expression()
	if text == "" {
		return nil
	}
	e, problems := p.statement(source{text, n.File(), n.Position}, want, more)
	for _, x := range problems {
		n.Add(x.Line, x.Col, "%s", x.Msg)
	}
	return e
}

func (p *Policy) statement(src source, want *types.Type, more []cel.EnvOption) (*Expression, strictyaml.Errors) {
	c := *p.compiler
	c.used = map[string]bool{}
	if len(more) > 0 {
		var err error
		if c.env, err = c.env.Extend(more...); err != nil {
			return nil, strictyaml.Errors{{File: src.file, Line: 1, Col: 1, Msg: err.Error()}}
		}
	}
	var wanted []*types.Type
	if want != nil {
		wanted = append(wanted, want)
	}
	return c.check(RoleStatement, src, wanted)
}

// State is an allocation, good or bad, in which expressions can be evaluated. It is not for concurrent use.
type State struct{ f *filling }

// State lays out what the tenants hold, in their order; each must hold the sum of its first quanta, and nil is nothing. What they hold
// may be more than capacity: then free is negative, and Admits says so.
func (p *Policy) State(tenants []Tenant, capacity Resources, usage []Resources) (*State, error) {
	f, err := p.start(tenants, capacity)
	if err != nil {
		return nil, err
	}
	if len(usage) > len(tenants) {
		return nil, fmt.Errorf("%w: usage of %d tenants, of %d", ErrInput, len(usage), len(tenants))
	}
	for i, u := range usage {
		t := f.tenants[i]
		v, err := f.space.vector(u)
		if err != nil {
			return nil, fmt.Errorf("%w: tenant %s: usage: %w", ErrInput, t.Name, err)
		}
		if zero(v) {
			continue
		}
		g, left, err := f.quantaOf(t, amounts{f.space, v})
		if err != nil {
			return nil, fmt.Errorf("%w: tenant %s holds %w", ErrInput, t.Name, err)
		}
		f.move(t, g, left)
	}
	return &State{f}, nil
}

// MemoryState is State for the rungs that the tenants stand on.
func (p *Policy) MemoryState(demands []MemoryDemand, capacity Resources, usage []Resources) (*State, error) {
	tenants := make([]Tenant, len(demands))
	for i, d := range demands {
		var err error
		if tenants[i], err = d.tenant(); err != nil {
			return nil, fmt.Errorf("%w: tenant %s: %w", ErrInput, d.Name, err)
		}
	}
	return p.State(tenants, capacity, usage)
}

// Eval is the value of an expression of the policy, or of a statement about it. tenant names whom it is about; it is empty for an
// expression about nobody. The error is a *Refusal that says what went wrong where.
func (s *State) Eval(e *Expression, tenant string) (ref.Val, error) {
	s.f.cost = 0
	var about *tenantState
	for _, t := range s.f.tenants {
		if t.Name == tenant {
			about = t
		}
	}
	if about == nil && tenant != "" {
		return nil, fmt.Errorf("%w: there is no tenant %q", ErrInput, tenant)
	}
	return s.f.eval(e, about)
}

// Admits is nil when the policy admits the state: nothing is exceeded, every limit holds for every tenant that holds something, and
// every validation holds. Else the error is a *Refusal. A policy in Shadow mode admits whatever fits.
func (s *State) Admits(ctx context.Context) error {
	f := s.f
	f.cost, f.shadowed = 0, nil
	var over []string
	for i, x := range f.free {
		if x < 0 {
			over = append(over, fmt.Sprintf("%s: %d held of %d", f.space.names[i], f.capacity[i]-x, f.capacity[i]))
		}
	}
	if len(over) > 0 {
		return f.refuse(f.policy.grant, nil, ReasonCapacity, strings.Join(over, "; "))
	}
	for _, t := range f.tenants {
		if err := ctx.Err(); err != nil {
			return err
		}
		if zero(t.usage) {
			continue
		}
		for i := range f.policy.limits {
			l := &f.policy.limits[i]
			message, err := f.holds(l, t)
			if err != nil {
				return err
			}
			if message != "" && f.policy.mode != Shadow {
				return f.refuse(l.Expression, t, l.Reason, message)
			}
		}
	}
	return f.validate()
}

package policy

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// scope is the activation of one evaluation: names to values. Variables are evaluated when they are first read, once.
type scope struct {
	*filling
	tenant *tenantState // nil: an expression that is about no tenant
	cache  []ref.Val
}

var _ cel.Activation = (*scope)(nil)

// Parent implements cel.Activation.
func (s *scope) Parent() cel.Activation { return nil }

// ResolveName implements cel.Activation.
func (s *scope) ResolveName(name string) (any, bool) {
	switch name {
	case "tenant":
		if s.tenant != nil {
			return object{tenantType, s.tenant}, true
		}
	case "oldTenant":
		if s.tenant != nil && s.tenant.old != nil {
			return object{tenantType, s.tenant.old}, true
		}
	case "tenants":
		return s.list, true
	case "capacity":
		return amounts{s.space, s.capacity}, true
	case "free":
		return amounts{s.space, s.free}, true
	case "params":
		return object{paramsType, s}, true
	case "variables":
		return object{variablesType, s}, true
	}
	return nil, false
}

// price is what t's usage costs.
func (f *filling) price(t *tenantState) (Ratio, error) {
	if t.cost != nil {
		return *t.cost, nil
	}
	v, err := f.eval(f.policy.price, t)
	if err != nil {
		return Ratio{}, err
	}
	r := toRatio(v)
	if !f.policy.price.refs.others {
		t.cost = &r
	}
	return r, nil
}

// variable is the value of the i-th variable.
func (s *scope) variable(i int) (ref.Val, error) {
	if !s.policy.variables[i].refs.tenant {
		return s.common(i)
	}
	if s.cache == nil {
		s.cache = make([]ref.Val, len(s.policy.variables))
	}
	var err error
	if s.cache[i] == nil {
		s.cache[i], err = s.evalVariable(s.policy.variables[i])
	}
	return s.cache[i], err
}

// common is the value of a variable that is about no tenant. It is the same until somebody is granted something, or for good.
func (f *filling) common(i int) (ref.Val, error) {
	if f.commons == nil {
		f.commons = make([]known, len(f.policy.variables))
	}
	k := &f.commons[i]
	e := f.policy.variables[i]
	if k.value != nil && (k.moves == f.moves || !e.refs.others) {
		return k.value, nil
	}
	v, err := (&scope{filling: f}).evalVariable(e)
	if err == nil {
		*k = known{v, f.moves}
	}
	return v, err
}

// known is a value with the number of moves that were made before it was computed.
type known struct {
	value ref.Val
	moves int
}

func (s *scope) evalVariable(e *Expression) (ref.Val, error) {
	v, err := s.eval(e)
	if err != nil {
		return nil, err
	}
	if m, isMap := v.(traits.Mapper); isMap {
		if v, err = laidOut(m); err != nil {
			return nil, s.refuse(e, s.tenant, ReasonExpression, err.Error())
		}
	}
	return v, nil
}

// laidOut gives a map with strings as keys an order.
func laidOut(m traits.Mapper) (ref.Val, error) {
	switch m.(type) {
	case amounts, *stringMap:
		return m, nil
	}
	values := map[string]ref.Val{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		name, ok := k.(types.String)
		v, found := m.Find(k)
		if !ok || !found {
			return nil, fmt.Errorf("a map with a key that is no string")
		}
		values[string(name)] = v
	}
	return newStringMap(values), nil
}

func (f *filling) eval(e *Expression, t *tenantState) (ref.Val, error) {
	return (&scope{filling: f, tenant: t}).eval(e)
}

func (s *scope) eval(e *Expression) (ref.Val, error) {
	var v ref.Val
	var details *cel.EvalDetails
	var err error
	if s.covered != nil {
		v, details, err = s.covered.eval(e, s)
	} else {
		v, details, err = e.prog.Eval(s)
	}
	if details != nil {
		if c := details.ActualCost(); c != nil {
			s.cost += *c
		}
	}
	var inner *Refusal // of a variable or the price, with its own position
	if errors.As(err, &inner) {
		return nil, inner
	}
	if err != nil {
		return nil, s.refuse(e, s.tenant, ReasonExpression, err.Error())
	}
	if s.cost > s.most {
		return nil, s.refuse(e, s.tenant, ReasonExpression, fmt.Sprintf("the policy's evaluations cost over %d units", s.most))
	}
	return v, nil
}

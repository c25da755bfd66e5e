package policy

import (
	"fmt"
	"maps"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Tenant is what an allocation knows about a tenant. What is left out is 0, empty or false.
type Tenant struct {
	Name string `json:"name"`
	VID  uint16 `json:"vid,omitempty"`
	// Weight is at least 1.
	Weight int64 `json:"weight"`
	// Budget is what the tenant will pay for an epoch, in credits, at least 0; Balance is what it has, in credits, and may be below 0.
	Budget  int64 `json:"budget,omitempty"`
	Balance Ratio `json:"balance,omitzero"`
	// Active says that the tenant had traffic in the last epoch; Utility is what was measured in the last epoch in which it had any, Target
	// what it is to be, both in [0,1].
	Active  bool  `json:"active,omitempty"`
	Utility Ratio `json:"utility,omitzero"`
	Target  Ratio `json:"target,omitzero"`
	// Demand is what the tenant asks for, one indivisible quantum after the other. The first ones are taken together until they cover
	// Min, so that a tenant holds nothing or at least Min; those from which on Max would be exceeded are left out.
	Demand []Resources `json:"demand,omitempty"`
	// Min is what the tenant is useless without, as its program and its site say: the same as the sum of Demand for an inelastic one.
	Min Resources `json:"min,omitempty"`
	// Max is the most that its program and its site let it have; nil is all of Demand.
	Max Resources `json:"max,omitempty"`
	// Held is what the tenant holds under the allocation that is in force: oldTenant.usage.
	Held Resources `json:"held,omitempty"`
	// Past are the other facts of oldTenant; nil: they are as now.
	Past *Past `json:"past,omitempty"`
}

// TenantFields are the fields of tenant, oldTenant and the elements of tenants with their CEL types. cost is there in policies with a
// price, for the expressions behind it.
func TenantFields() map[string]*types.Type {
	out := map[string]*types.Type{costField: ratioType}
	for n, f := range tenantFields() {
		out[n] = f.Type
	}
	return out
}

const costField = "cost"

func tenantFields() map[string]*types.FieldType {
	return map[string]*types.FieldType{
		"name":    tenantField(types.StringType, func(t *tenantState) ref.Val { return types.String(t.Name) }),
		"vid":     tenantField(types.IntType, func(t *tenantState) ref.Val { return types.Int(t.VID) }),
		"weight":  tenantField(types.IntType, func(t *tenantState) ref.Val { return types.Int(t.Weight) }),
		"budget":  tenantField(types.IntType, func(t *tenantState) ref.Val { return types.Int(t.Budget) }),
		"balance": tenantField(ratioType, func(t *tenantState) ref.Val { return t.Balance }),
		"active":  tenantField(types.BoolType, func(t *tenantState) ref.Val { return types.Bool(t.Active) }),
		"utility": tenantField(ratioType, func(t *tenantState) ref.Val { return t.Utility }),
		"target":  tenantField(ratioType, func(t *tenantState) ref.Val { return t.Target }),
		"demand":  tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.next()} }),
		"usage":   tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.usage} }),
		"min":     tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.min} }),
		"max":     tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.max} }),
	}
}

func tenantField(t *types.Type, get func(*tenantState) ref.Val) *types.FieldType {
	return &types.FieldType{
		Type:  t,
		IsSet: func(any) bool { return true },
		GetFrom: func(target any) (any, error) {
			s, ok := target.(*tenantState)
			if !ok {
				return nil, fmt.Errorf("not a tenant: %T", target)
			}
			return get(s), nil
		},
	}
}

// costOf is the field cost: what the price comes to.
func costOf() *types.FieldType {
	return &types.FieldType{
		Type:  ratioType,
		IsSet: func(any) bool { return true },
		GetFrom: func(target any) (any, error) {
			s, ok := target.(*tenantState)
			if !ok {
				return nil, fmt.Errorf("not a tenant: %T", target)
			}
			return s.filling.price(s)
		},
	}
}

// tenantState is a tenant during the filling.
type tenantState struct {
	Tenant
	filling *filling
	space   *space
	quanta  [][]int64 // what is still to be asked for
	usage   []int64
	rest    []int64 // the sum of quanta
	min     []int64
	max     []int64
	old     *tenantState // with what it holds now; nil in itself
	cost    *Ratio       // of usage; nil: not known yet
	done    bool
	reason  string // why it is done
	message string
	rank    Ratio
}

// newTenantState checks t and lays it out. The slices of a state are replaced and never written into, as expressions may have seen them.
func newTenantState(f *filling, t Tenant) (*tenantState, error) {
	s := &tenantState{Tenant: t, filling: f, space: f.space}
	var err error
	vector := func(what string, r Resources) (v []int64) {
		if err != nil {
			return nil
		}
		if v, err = f.space.vector(r); err != nil {
			err = fmt.Errorf("%s: %w", what, err)
		}
		return v
	}
	none := make([]int64, len(f.space.names))
	all := make([]int64, len(f.space.names))
	var quanta [][]int64
	for i, q := range t.Demand {
		v := vector(fmt.Sprintf("demand %d", i), q)
		if err != nil {
			return nil, err
		}
		if !add(all, v) {
			return nil, fmt.Errorf("demand overflows 64 bits")
		}
		if !zero(v) {
			quanta = append(quanta, v)
		}
	}
	s.min, s.max = vector("min", t.Min), all
	if t.Max != nil {
		s.max = vector("max", t.Max)
	}
	held := vector("held", t.Held)
	if err != nil {
		return nil, err
	}
	if !covers(s.max, s.min) {
		return nil, fmt.Errorf("its min is more than its max")
	}
	if s.quanta, err = narrow(quanta, s.min, s.max); err != nil {
		return nil, err
	}
	s.usage = none
	s.rest = sumOf(s.quanta, len(none))
	old := *s
	old.usage, old.quanta, old.rest = held, nil, none
	if p := t.Past; p != nil {
		old.Active, old.Utility, old.Balance = p.Active, p.Utility, p.Balance
	}
	s.old = &old
	return s, nil
}

// narrow joins the first quanta until they cover least, and leaves out those from which on most would be exceeded. A tenant that asks
// for nothing gets nothing, whatever its least is.
func narrow(quanta [][]int64, least, most []int64) ([][]int64, error) {
	if len(quanta) == 0 {
		return nil, nil
	}
	sum := append([]int64(nil), quanta[0]...)
	first := 1
	for ; !covers(sum, least); first++ {
		if first == len(quanta) {
			return nil, fmt.Errorf("its demand is less than its min")
		}
		add(sum, quanta[first])
	}
	if !covers(most, sum) {
		return nil, fmt.Errorf("the first quanta that cover its min are more than its max")
	}
	out := [][]int64{append([]int64(nil), sum...)}
	for _, q := range quanta[first:] {
		add(sum, q)
		if !covers(most, sum) {
			break
		}
		out = append(out, q)
	}
	return out, nil
}

// next is the quantum that the tenant asks for now.
func (t *tenantState) next() []int64 {
	if len(t.quanta) == 0 {
		return make([]int64, len(t.usage))
	}
	return t.quanta[0]
}

// Inelastic makes t ask for all of demand at once, or nothing.
func (t Tenant) Inelastic(demand Resources) Tenant {
	t.Demand, t.Min, t.Max = []Resources{demand}, maps.Clone(demand), nil
	return t
}

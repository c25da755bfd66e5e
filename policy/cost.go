package policy

import (
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// Limits of what expressions may cost, in CEL's cost units (a million is about a tenth of a second), and the sizes that the estimate
// before an expression runs assumes. What may cost more is refused when the policy is read; what does cost more, when it runs.
const (
	// MaxCost bounds an expression that is evaluated for each tenant or grant.
	MaxCost = 1_000_000
	// MaxOnceCost bounds a variable, validation or statement that is about no single tenant: it is evaluated once in a state.
	MaxOnceCost = 150_000_000
	// MaxSmallCost bounds an expression where there are fewOf tenants and resources, so that what is written costs little by itself.
	MaxSmallCost = 100_000
	// BaseCost and DecisionCost bound all evaluations of one call of Entitle or MemoryBounds together: the first, and the second for
	// every tenant and every quantum that is asked for.
	BaseCost     = 250_000
	DecisionCost = 4_000
	// MaxTenants is how many tenants an allocation may have: one for each VID.
	MaxTenants = 4094
	// MaxResources is how many resources a target may have.
	MaxResources = 256
	// MaxExpression is the longest expression, in characters.
	MaxExpression = 8192

	maxString = 1024
	fewOf     = 4
)

func costLimit(e *Expression) uint64 {
	switch e.Role {
	case RoleVariable, RoleValidation, RoleStatement:
		if !e.refs.tenant {
			return MaxOnceCost
		}
	}
	return MaxCost
}

// sizes gives the static cost estimate the largest sizes that an allocation may have.
type sizes struct{ small bool } // fewOf of each

// at most how many tenants and resources there are.
func (s sizes) most() (tenants, resources uint64) {
	if s.small {
		return fewOf, fewOf
	}
	return MaxTenants, MaxResources
}

// EstimateSize implements checker.CostEstimator.
func (s sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	tenants, resources := s.most()
	t := n.Type()
	for t.Kind() == types.OpaqueKind && len(t.Parameters()) == 1 { // an optional is as large as what it holds
		t = t.Parameters()[0]
	}
	switch t.Kind() {
	case types.MapKind:
		if p := n.Path(); len(p) > 0 && (p[0] == "params" || p[0] == "variables") { // by tenants, perhaps
			return &checker.SizeEstimate{Min: 0, Max: tenants}
		}
		return &checker.SizeEstimate{Min: 0, Max: resources}
	case types.ListKind:
		return &checker.SizeEstimate{Min: 0, Max: tenants}
	case types.StringKind:
		return &checker.SizeEstimate{Min: 0, Max: maxString}
	case types.StructKind:
		return &checker.SizeEstimate{Min: 1, Max: 1}
	}
	return nil
}

// EstimateCallCost implements checker.CostEstimator.
func (s sizes) EstimateCallCost(_, id string, _ *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	most, resources := s.most()
	switch {
	case len(args) == 0 || !walks(id):
		return nil
	case id == dominantShareID:
		most = resources
	}
	if s := args[0].ComputedSize(); s != nil {
		most = s.Max
	}
	if most < 1<<63 {
		most++
	}
	return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: most}}
}

// walks says that the overload looks at every element of its first argument.
func walks(id string) bool {
	switch id {
	case dominantShareID, sumIntID, sumRatioID, minIntID, minRatioID, maxIntID, maxRatioID:
		return true
	}
	return false
}

// costTrackers are the run-time counterparts of sizes.EstimateCallCost.
func costTrackers() []interpreter.CostTrackerOption {
	bySize := func(args []ref.Val, _ ref.Val) *uint64 {
		cost := uint64(1)
		if s, ok := args[0].(traits.Sizer); ok {
			if n, ok := s.Size().(types.Int); ok {
				cost += uint64(n)
			}
		}
		return &cost
	}
	var out []interpreter.CostTrackerOption
	for _, id := range []string{dominantShareID, sumIntID, sumRatioID, minIntID, minRatioID, maxIntID, maxRatioID} {
		out = append(out, interpreter.OverloadCostTracker(id, bySize))
	}
	return out
}

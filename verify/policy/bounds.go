package policy

// Bounds say for which inputs a statement is proved.
type Bounds struct {
	// About says in the user's words what it is that the resources are of; empty when they are any.
	About string
	// Tenants are their names, sorted; what is proved holds for exactly that many.
	Tenants []string
	// Resources are their names, sorted.
	Resources []string
	// Capacity of resources that are known; others have any from MinCapacity to 2^63-1.
	Capacity    map[string]int64
	MinCapacity int64
	// Weights and budgets that are known, by tenant; others are any, weights from 1 to 2^31-1 and budgets from 0 to 2^63-1.
	Weight, Budget map[string]int64
	// Params says that the parameters' values are a site's, which statements do not change.
	Params bool
	// Over is for states that no filling reaches: tenants may hold more than there is, so that what is free is negative, and have any
	// weight of 63 bits.
	Over bool
}

// maxWeight is the largest weight that sites and test suites can give.
const maxWeight = 1<<31 - 1

func (b Bounds) free() interval {
	if b.Over {
		return int64s()
	}
	return between(0, 1<<63-1)
}

func (b Bounds) capacity(r string) interval {
	if n, ok := b.Capacity[r]; ok {
		return between(n, n)
	}
	return between(b.MinCapacity, 1<<63-1)
}

func (b Bounds) weight(i int) interval {
	if n, ok := b.Weight[b.Tenants[i]]; ok {
		return between(n, n)
	}
	if b.Over {
		return between(1, 1<<63-1)
	}
	return between(1, maxWeight)
}

func (b Bounds) budget(i int) interval {
	if n, ok := b.Budget[b.Tenants[i]]; ok {
		return between(n, n)
	}
	return between(0, 1<<63-1)
}

func (b Bounds) vid(int) interval { return between(0, 4094) }

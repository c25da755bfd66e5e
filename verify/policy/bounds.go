package policy

// Bounds say for which inputs a statement is proved.
type Bounds struct {
	// Tenants are their names, sorted; what is proved holds for exactly that many.
	Tenants []string
	// Resources are their names, sorted.
	Resources []string
	// Capacity of resources that are known; others have any from MinCapacity to 2^63-1.
	Capacity    map[string]int64
	MinCapacity int64
	// Weights and budgets that are known, by tenant; others are any.
	Weight, Budget map[string]int64
	// Over lets the tenants hold more than there is: what is free may be negative.
	Over bool
}

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
	return between(1, 1<<63-1)
}

func (b Bounds) budget(i int) interval {
	if n, ok := b.Budget[b.Tenants[i]]; ok {
		return between(n, n)
	}
	return between(0, 1<<63-1)
}

func (b Bounds) vid(int) interval { return between(0, 4094) }

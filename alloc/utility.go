package alloc

import "math"

// Traffic is a tenant's on one switch in the last epoch, with the memory that it had there.
type Traffic struct {
	Packets, Hits int64
	Memory        int64 // slots, as Rung.Memory
}

// Estimate is what the last epoch tells about a tenant's utility curve (NetVRM, NSDI 2022; the formulas are those of its public
// artifact). Utility is the hit ratio over all switches.
type Estimate struct {
	Packets, Hits int64
	// Known says that there was traffic, so that Hit, Under and Over mean something.
	Known bool
	Hit   float64 // in [0,1]
	// Memory is normalised: the mean over switches, weighted by their packets, at least 1 slot.
	Memory float64
	// Under is how many slots the tenant lacks to reach its target, Over how many it could give away; at most one is above 0.
	Under, Over float64
}

// Satisfied says whether the tenant reached its target. Without traffic it wants nothing.
func (e Estimate) Satisfied(target float64) bool { return !e.Known || e.Hit >= target }

// Estimator holds the assumption about utility curves: the hit ratio grows like memory to the power of 1/Exponent.
type Estimator struct {
	Exponent float64 // NetVRM's cf: 2, the hit ratio grows like the square root of memory
}

// DefaultEstimator is NetVRM's.
var DefaultEstimator = Estimator{Exponent: 2}

// leastHit keeps a tenant that hits nothing from asking for everything: with exponent 2 it asks for at most 10,000 times as much.
const leastHit = 0.01

// Estimate evaluates the last epoch of a tenant with a utility target in (0,1].
func (x Estimator) Estimate(switches []Traffic, target float64) Estimate {
	var e Estimate
	var weighted float64
	for _, s := range switches {
		e.Packets += s.Packets
		e.Hits += s.Hits
		weighted += float64(s.Memory) * float64(s.Packets)
	}
	if e.Packets == 0 {
		return e
	}
	e.Known = true
	e.Hit = float64(e.Hits) / float64(e.Packets)
	e.Memory = max(1, math.Floor(weighted/float64(e.Packets)))
	if e.Hit < target {
		e.Under = e.Memory*math.Pow(target/max(e.Hit, leastHit), x.Exponent) - e.Memory
	} else {
		e.Over = e.Memory - e.Memory*math.Pow(target/e.Hit, x.Exponent)
	}
	return e
}

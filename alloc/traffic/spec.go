package traffic

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// Kind of traffic.
type Kind string

// Kinds of traffic.
const (
	KeyValue    Kind = "kv" // GET requests from clients to a server, and its replies
	Flows       Kind = "hh" // packets of flows through a link
	Connections Kind = "fw" // TCP connections from the inside out, and attempts from the outside in
)

// Spec says what to generate.
type Spec struct {
	Seed    uint64
	Tenants []Tenant
}

// Tenant of a Spec.
type Tenant struct {
	Name  string
	VID   uint16
	Kind  Kind
	Near  uint16 // physical port of clients, of the link's near end, of the inside
	Far   uint16 // physical port of the server, of the far end, of the outside
	Hosts Hosts
	// Phases follow one another; the traffic ends with the last.
	Phases []Phase
}

// Hosts are the IPv4 addresses on the wire. Of flows and connections they are the networks' first addresses.
type Hosts struct {
	Near []netip.Addr // clients; at least one
	Far  netip.Addr   // the server
}

// Phase is a time in which traffic keeps its character.
type Phase struct {
	For  time.Duration
	Rate float64 // requests, packets or connections a second; 0 is idle
	// Population is how many keys, flows or hosts there are: the working set.
	Population int
	// Skew is Zipf's exponent: item k of n is asked for in proportion to k^-Skew.
	Skew float64
	// Shift renames the items: another shift makes other items popular, out of the same population when it is below that.
	Shift int
}

// MaxPopulation bounds a phase's tables.
const MaxPopulation = 1 << 20

// maxRate bounds a phase's rate, so that packets have distinct times.
const maxRate = 1e6

func (s *Spec) check() error {
	var errs []error
	bad := func(t *Tenant, format string, args ...any) {
		errs = append(errs, fmt.Errorf("tenant %q: %s", t.Name, fmt.Sprintf(format, args...)))
	}
	for i := range s.Tenants {
		t := &s.Tenants[i]
		switch t.Kind {
		case KeyValue, Flows, Connections:
		default:
			bad(t, "kind %q is none of kv, hh, fw", t.Kind)
		}
		if t.VID < 1 || t.VID > 4094 {
			bad(t, "VID %d", t.VID)
		}
		if len(t.Hosts.Near) == 0 || !t.Hosts.Far.Is4() {
			bad(t, "wants IPv4 addresses for both sides")
		}
		for _, a := range t.Hosts.Near {
			if !a.Is4() {
				bad(t, "%v is no IPv4 address", a)
			}
		}
		for j, p := range t.Phases {
			switch {
			case p.For <= 0:
				bad(t, "phase %d lasts %v", j, p.For)
			case p.Rate < 0 || p.Rate > maxRate || math.IsNaN(p.Rate):
				bad(t, "phase %d: rate %v", j, p.Rate)
			case p.Rate > 0 && (p.Population < 1 || p.Population > MaxPopulation):
				bad(t, "phase %d: population %d is not between 1 and %d", j, p.Population, MaxPopulation)
			case p.Skew < 0 || p.Skew > 10 || math.IsNaN(p.Skew):
				bad(t, "phase %d: skew %v", j, p.Skew)
			case p.Shift < 0:
				bad(t, "phase %d: shift %d", j, p.Shift)
			}
		}
	}
	return errors.Join(errs...)
}

// Duration is how long the traffic lasts.
func (s *Spec) Duration() time.Duration {
	var longest time.Duration
	for _, t := range s.Tenants {
		var d time.Duration
		for _, p := range t.Phases {
			d += p.For
		}
		longest = max(longest, d)
	}
	return longest
}

// Default is a scenario in which the tenants need memory at different times: a cache whose working set grows and shrinks
// and whose favourites change, a link whose flows multiply when the cache is quiet, and steady connections. Each of a tenant's
// phases is a part of d. rate scales all rates; 1 is some thousands of packets a second.
func Default(t Tenant, d time.Duration, rate float64) Tenant {
	part := func(percent int, per float64, population int, skew float64, shift int) Phase {
		return Phase{For: d * time.Duration(percent) / 100, Rate: per * rate, Population: population, Skew: skew, Shift: shift}
	}
	switch t.Kind {
	case KeyValue:
		t.Phases = []Phase{
			part(10, 3000, 200, 0.9, 0),
			part(25, 4000, 6500, 1.05, 0), // the working set grows
			part(15, 0, 0, 0, 0),
			part(15, 3000, 1000, 1, 20000),    // other favourites
			part(25, 4000, 6500, 1.05, 40000), // and again
			part(10, 2000, 400, 1, 60000),
		}
	case Flows:
		t.Phases = []Phase{
			part(15, 3000, 40, 0.5, 0),
			part(20, 2500, 40, 0.5, 10000),
			part(28, 5000, 8000, 0.95, 20000), // the flows multiply
			part(22, 2500, 40, 0.5, 40000),
			part(15, 5000, 6000, 0.95, 50000),
		}
	case Connections:
		t.Phases = []Phase{part(100, 120, 500, 1, 0)}
	}
	return t
}

package alloc

import (
	"context"

	"github.com/interlock/interlock/verify/network"
)

// Measured is what is known of a tenant on one switch at the end of an epoch.
type Measured struct {
	Sample                 // of the epoch
	Held   map[Array]int64 // slots by its page tables
}

// Asker asks the sharing policy at every epoch between which sizes the loop may choose.
type Asker interface {
	// Ask is given what is known at the end of an epoch, by switch and in the order of its tenants; nil of a switch that takes no part. What
	// it answers with is in force when it returns: plans are cleared under that, and under nothing else. That a policy refuses is no error:
	// what is in force stays, and the answer says so. An error ends the loop.
	Ask(ctx context.Context, measured [][]Measured) (*Answer, error)
}

// Answer of an Asker.
type Answer struct {
	Bounds [][]Bound // in force, by switch and in the order of its tenants
	// Policy is the digest of the policy in force and its input, Ceilings what it lets tenants have over several switches.
	Policy   string
	Ceilings []network.Ceiling
	// Balances are the tenants' in force, by name, as exact fractions; nil if the policy settles none.
	Balances map[string]string
	// Entry is the ledger entry of the decision that put it into force, if that was taken now.
	Entry *uint64
	// Refused is why what was in force stays; empty where the policy has nothing against what it is asked.
	Refused string
}

// keepTo puts an answer into force for a switch.
func (c *Context) keepTo(a *Answer, tenants []Tenant, bounds []Bound) {
	c.Policy, c.Limits = a.Policy, Limits(tenants, bounds)
}

// measured is what is known of the tenants of a switch.
func measured(tables Tables, tenants []Tenant, samples []Sample) []Measured {
	layout := tables.Layout()
	out := make([]Measured, len(tenants))
	for i, t := range tenants {
		out[i] = Measured{samples[i], map[Array]int64{}}
		for a, x := range layout[t.VID] {
			out[i].Held[a] = x.Size
		}
	}
	return out
}

// noteAnswer puts what the policy said into the record.
func (e *Epoch) noteAnswer(a *Answer) {
	if a == nil {
		return
	}
	if a.Entry != nil || a.Refused != "" {
		e.Share = &ShareEpoch{Entry: a.Entry, Refused: a.Refused}
	}
	for i := range e.Tenants {
		e.Tenants[i].Balance = a.Balances[e.Tenants[i].Name]
	}
}

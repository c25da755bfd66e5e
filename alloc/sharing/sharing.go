// Package sharing asks the sharing policy between which sizes the allocator may choose. It keeps the policy's language out of
// package alloc, and alloc's ladders out of package policy.
package sharing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
)

// Resource is the name that policies know a stage array's slots by: "slots/ingress/0".
func Resource(a alloc.Array) string { return "slots/" + a.String() }

// Capacity is the stage arrays as resources.
func Capacity(c alloc.Capacity) policy.Resources {
	r := policy.Resources{}
	for a, n := range c {
		r[Resource(a)] = n
	}
	return r
}

// Bounds returns each tenant's bounds, in order, and a digest of the policy and all that it was asked, which plans carry. The error is a
// *policy.Refusal when the policy cannot give every tenant its least memory.
func Bounds(ctx context.Context, p *policy.Policy, tenants []alloc.Tenant, capacity alloc.Capacity) ([]alloc.Bound, verify.Digest, error) {
	demands := make([]policy.MemoryDemand, len(tenants))
	for i, t := range tenants {
		d := policy.MemoryDemand{Tenant: policy.Tenant{Name: t.Name, VID: t.VID, Weight: t.Weight, Budget: t.Budget}}
		for _, rung := range t.Ladder.Rungs {
			r := policy.Resources{}
			for j, reg := range t.Ladder.Registers {
				r[Resource(reg.Array)] += rung.Sizes[j]
			}
			d.Rungs = append(d.Rungs, r)
		}
		demands[i] = d
	}
	resources := Capacity(capacity)
	bounds, err := p.MemoryBounds(ctx, demands, resources)
	if err != nil {
		return nil, "", err
	}
	out := make([]alloc.Bound, len(bounds))
	for i, b := range bounds {
		out[i] = alloc.Bound{Floor: b.Floor, Share: b.Share, Ceiling: b.Ceiling, Why: b.Why}
	}
	asked, err := json.Marshal(struct {
		Policy   verify.Digest
		Demands  []policy.MemoryDemand
		Capacity policy.Resources
	}{verify.Digest(p.Digest()), demands, resources})
	if err != nil {
		return nil, "", fmt.Errorf("digest of the policy's input: %w", err)
	}
	return out, verify.DigestOf(asked), nil
}

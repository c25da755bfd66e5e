// Package device talks to a switch: it reads. What it reads is what proofs start from, so it hands over the bytes that the
// switch sent as well as their meaning. Package device/writer writes, and only the gate may import that.
//
// Each driver declares its primitives (Primitives): what the proofs may assume of a switch of that kind, and why.
package device

import (
	"fmt"
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// A Target is a switch to talk to.
type Target struct {
	Name     string // as the site calls it
	Driver   string // "softswitch"
	Address  string // host:port of its P4Runtime server
	DeviceID uint64
	TLS      *TLS // nil: plain text
}

// Primitives are what a driver declares of its switches. Proofs rest on them (TRUST.md), so each says where it comes from.
type Primitives struct {
	Driver string
	// Fence says how it is known that no packet which read an older table entry is still under way.
	Fence string
	// FenceTimeout is how long a marker may take before the fence counts as failed.
	FenceTimeout time.Duration
	// Scrub says how slots are zeroed, and how atomic that is.
	Scrub string
	// Replace says what a switch does when it is given another program, and what is left of what the old one held.
	Replace string
	// Unanswered says what a request without an answer may still do, and until when.
	Unanswered string
	// Proof is what of this proofs of plans use.
	Proof plan.Primitives
	// Parser is how far the switch's parser gets with one packet, which proofs of programs keep to (P9).
	Parser specs.ParserBound
}

// DeclaredPrimitives returns what is declared for a driver. A driver that nobody has declared primitives for cannot be used.
func DeclaredPrimitives(driver string) (Primitives, error) {
	switch driver {
	case "softswitch":
		return Primitives{
			Driver: driver,
			Fence: "a packet-out enters the pipeline after every packet that was in it has left, and comes back as a " +
				"packet-in with the same nonce",
			FenceTimeout: 5 * time.Second,
			Scrub: "one P4Runtime RegisterEntry write a slot, or one without an index for a whole stage array; each slot is written wholly or " +
				"not, a request or an array of many is not",
			Replace: "VERIFY_AND_COMMIT: no packet is inside while programs are exchanged, and the new one starts with tables, " +
				"counters and registers as it declares them; a request without an answer did this wholly or not at all",
			Unanswered: "the request may take effect until the switch has accepted a strictly higher election id",
			Proof: plan.Primitives{
				Fence:      plan.FencePrimitive{By: plan.ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
				Scrub:      plan.ScrubPrimitive{By: []plan.ScrubKind{plan.ByCell, plan.ByArray}},
				Unanswered: plan.UnansweredPrimitive{Until: plan.UntilArbitration},
			},
			Parser: specs.ParserBound{States: 4096, Bytes: 65535},
		}, nil
	}
	return Primitives{}, fmt.Errorf("driver %q: no primitives are declared for it, so nothing can be proved about its switches", driver)
}

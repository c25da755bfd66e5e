package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/interlock/interlock/specs"
)

// Primitives are what a switch's driver declares of it, as far as proofs rest on it. A plan is proved for a switch of which these hold;
// the gate applies it to no other. What is not declared is not assumed.
type Primitives struct {
	Fence      FencePrimitive      `json:"fence"`
	Scrub      ScrubPrimitive      `json:"scrub"`
	Unanswered UnansweredPrimitive `json:"unanswered"`
}

// FencePrimitive says how it is known that no packet which read an older page-table entry is still in its control.
type FencePrimitive struct {
	By FenceKind `json:"by"`
	// Transit is the longest that a packet is in a control after it has read the page table, by the target's data sheet; for ByTransit.
	Transit time.Duration `json:"transitNs,omitempty"`
	// Controls are those that a fence empties. In others packets stay for as long as they like.
	Controls []specs.Control `json:"controls"`
}

// FenceKind is how a fence is known to be complete.
type FenceKind string

// Kinds of fences.
const (
	// ByMarker: a packet-out with a nonce, which enters and leaves the pipeline at the CPU port only, has come back as a packet-in; packets do not
	// overtake it. The step is a Fence.
	ByMarker FenceKind = "marker"
	// ByTransit: at least the transit bound has passed since the last request was answered. The step is a Wait; a shorter one ends nothing.
	ByTransit FenceKind = "transit"
)

// ScrubPrimitive says which updates zero slots. Each slot is zeroed at some moment between the sending of a request and its answer,
// whether all at once or one after the other: nothing rests on that, because a scrub is refused of a slot that anybody can reach at any
// of these moments.
type ScrubPrimitive struct {
	By []ScrubKind `json:"by"`
}

// ScrubKind is an update that zeroes slots.
type ScrubKind string

// Kinds of scrubs.
const (
	ByCell  ScrubKind = "cell"  // a RegisterEntry with an index: that slot
	ByArray ScrubKind = "array" // a RegisterEntry without an index: every slot of the array
)

// UnansweredPrimitive says until when a request without an answer may still take effect.
type UnansweredPrimitive struct {
	Until UnansweredEnd `json:"until"`
	// Bound is the longest that the switch takes to carry out a request, or to drop it, after it was given up on; for UntilBound.
	Bound time.Duration `json:"boundNs,omitempty"`
}

// UnansweredEnd is what ends a request without an answer.
type UnansweredEnd string

// Ends of requests without an answer.
const (
	UntilArbitration UnansweredEnd = "arbitration" // until the switch has accepted a strictly higher election id
	UntilBound       UnansweredEnd = "bound"       // until the bound has passed, whoever has mastership
	UntilNever       UnansweredEnd = "never"       // nothing is known to end it
)

// String says it in words.
func (p Primitives) String() string {
	var controls, scrubs []string
	for _, c := range p.Fence.Controls {
		controls = append(controls, string(c))
	}
	for _, k := range p.Scrub.By {
		scrubs = append(scrubs, string(k))
	}
	fence, end := string(p.Fence.By), "until "+string(p.Unanswered.Until)
	switch {
	case p.Fence.By == ByTransit:
		fence = fmt.Sprintf("transit bound of %v", p.Fence.Transit)
	case p.Unanswered.Until == UntilNever:
		end = "for ever"
	}
	if p.Unanswered.Until == UntilBound {
		end = fmt.Sprintf("for %v", p.Unanswered.Bound)
	}
	return fmt.Sprintf("fence by %s (%s), scrub by %s, a request without an answer may act %s", fence, strings.Join(controls, ", "), strings.Join(scrubs, " or "), end)
}

// check refuses declarations that say nothing, or contradict themselves.
func (p Primitives) check() error {
	w := inField("primitives")
	switch f := p.Fence; {
	case f.By != ByMarker && f.By != ByTransit:
		return w.dot("fence.by").errorf("%q: want %s or %s: a driver that declares no fence has no plans", f.By, ByMarker, ByTransit)
	case (f.Transit > 0) != (f.By == ByTransit) || f.Transit < 0:
		return w.dot("fence.transitNs").errorf("%v for a fence by %s", f.Transit, f.By)
	case slices.ContainsFunc(f.Controls, func(c specs.Control) bool { return c != specs.Ingress && c != specs.Egress }):
		return w.dot("fence.controls").errorf("%v: want %s and %s", f.Controls, specs.Ingress, specs.Egress)
	}
	if len(p.Scrub.By) == 0 || slices.ContainsFunc(p.Scrub.By, func(k ScrubKind) bool { return k != ByCell && k != ByArray }) {
		return w.dot("scrub.by").errorf("%q: want %s or %s", p.Scrub.By, ByCell, ByArray)
	}
	switch u := p.Unanswered; {
	case u.Until != UntilArbitration && u.Until != UntilBound && u.Until != UntilNever:
		return w.dot("unanswered.until").errorf("%q: want %s, %s or %s", u.Until, UntilArbitration, UntilBound, UntilNever)
	case (u.Bound > 0) != (u.Until == UntilBound) || u.Bound < 0:
		return w.dot("unanswered.boundNs").errorf("%v for requests until %s", u.Bound, u.Until)
	}
	return nil
}

// Fences says whether a step is a complete fence where these hold.
func (p Primitives) Fences(s Step) bool {
	switch s.Kind {
	case Fence:
		return p.Fence.By == ByMarker
	case Wait:
		return p.Fence.By == ByTransit && s.For >= p.Fence.Transit
	}
	return false
}

// fences says whether a fence empties a control.
func (d *decoded) fences(c specs.Control) bool {
	return slices.Contains(d.in.Primitives.Fence.Controls, c)
}

// decodeWait reads a step that lets time pass.
func (d *decoded) decodeWait(s Step, w where) (request, error) {
	switch {
	case d.in.Primitives.Fence.By != ByTransit:
		return request{}, w.dot("kind").errorf("%q: the switch's fences are by %s", s.Kind, d.in.Primitives.Fence.By)
	case len(s.Bytes) > 0:
		return request{}, w.dot("bytes").errorf("must not be set: nothing is sent")
	case s.For <= 0:
		return request{}, w.dot("forNs").errorf("%v", s.For)
	}
	return request{fence: d.in.Primitives.Fences(s)}, nil
}

// over says whether a request without an answer can take effect no more.
func (d *decoded) over(electionID uint64) bool {
	switch d.in.Primitives.Unanswered.Until {
	case UntilArbitration:
		return electionID < d.in.ElectionID
	case UntilBound:
		return d.in.Waited >= d.in.Primitives.Unanswered.Bound
	default:
		return false
	}
}

package metering

import "time"

// Record says who held which slots when, and on which terms.
type Record struct {
	// Spans of each switch are in the order of time and do not overlap.
	Spans []Span
	// InForce are the terms in the order of time, each in force until the next one's From.
	InForce []InForce
}

// Span is a time during which what is held on a switch does not change.
type Span struct {
	Switch string
	From   time.Time
	To     time.Time // not in the span
	Held   []Holding
	// Unknown says why it is not known what was held. Held is empty then.
	Unknown string
}

// Holding is an extent by its size.
type Holding struct {
	Tenant string
	Array  string // "ingress/0"
	Slots  int64
}

// InForce are terms from a time on.
type InForce struct {
	From   time.Time
	Entry  int64  // of the ledger, that they are in first
	Digest string // of their text
	// Prices is nil if the terms are not known: then what is held is metered, by switch and array, and what it costs is not said.
	Prices *Prices
}

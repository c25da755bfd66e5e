package smt

import (
	"sync"

	"github.com/interlock/interlock/verify"
)

// Texts up to recurringText bytes are those of shapes and patterns, which recur from plan to plan. Of these as many digests are remembered in
// each of two generations as recurringTexts says.
const (
	recurringText  = 8192
	recurringTexts = 4096
)

// digests remembers the digests of texts: to look one up costs a small part of what it costs to compute it.
type digests struct {
	mu       sync.Mutex
	new, old map[string]verify.Digest
}

func (d *digests) of(text string) verify.Digest {
	if len(text) > recurringText {
		return verify.DigestOf([]byte(text))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	x, ok := d.new[text]
	if ok {
		return x
	}
	if x, ok = d.old[text]; !ok {
		x = verify.DigestOf([]byte(text))
	}
	if d.new == nil || len(d.new) >= recurringTexts {
		d.new, d.old = map[string]verify.Digest{}, d.new
	}
	d.new[text] = x
	return x
}

package smt

import (
	"sync"

	"github.com/interlock/interlock/verify"
)

// cacheSize bounds each of the cache's two generations, in verdicts.
const cacheSize = 1 << 16

// cache remembers what one solver, with its options, said of a text, by the text's digest. Only sat and unsat are kept: what was
// not settled may be settled next time. When a generation is full the older one is dropped.
type cache struct {
	mu       sync.Mutex
	new, old map[verify.Digest]Answer
}

func newCache() *cache { return &cache{new: map[verify.Digest]Answer{}} }

func (c *cache) get(q query) (Answer, bool) {
	key := q.digest
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.new[key]
	if !ok {
		if a, ok = c.old[key]; !ok {
			return a, false
		}
		c.store(key, a)
	}
	if q.wantModel && a.Status == Sat && a.Model == "" {
		return Answer{}, false
	}
	a.Cached = true
	return a, true
}

func (c *cache) put(q query, a Answer) {
	if a.Status != Sat && a.Status != Unsat {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(q.digest, a)
}

func (c *cache) store(key verify.Digest, a Answer) {
	if len(c.new) >= cacheSize {
		c.old, c.new = c.new, map[verify.Digest]Answer{}
	}
	c.new[key] = a
}

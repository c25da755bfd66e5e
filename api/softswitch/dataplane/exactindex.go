package dataplane

import (
	"math/bits"
	"math/rand/v2"
)

// exactIndex finds entries whose whole key is given.
type exactIndex struct {
	seed  uint64
	table *hashTable
}

func newExactIndex() *exactIndex { return &exactIndex{rand.Uint64(), newHashTable()} }

// mix adds a word to a hash.
func mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, 0x9E3779B97F4A7C15)
	return hi ^ lo
}

func (x *exactIndex) hash(key []uint64) uint64 {
	h := x.seed
	for _, w := range key {
		h = mix(h, w) ^ x.seed
	}
	return h
}

func (x *exactIndex) find(key []uint64) *Entry {
	for e := x.table.find(x.hash(key)); e != nil; e = e.peer.Load() {
		if wideEqual(e.key, key) {
			return e
		}
	}
	return nil
}

func (x *exactIndex) insert(e *Entry) { x.table.insert(x.hash(e.key), e, older) }
func (x *exactIndex) remove(e *Entry) { x.table.remove(x.hash(e.key), e) }

// older ranks entries of one hash, of which it does not matter which comes first.
func older(*Entry, *Entry) int { return 1 }

package dataplane

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// exactIndex is a hash table that packets read without locks. A bucket is never changed: a writer puts a new one in its place,
// and when there are too many entries, a new set of buckets.
type exactIndex struct {
	words int
	seed  uint64
	size  int // writer's
	state atomic.Pointer[exactBuckets]
}

type exactBuckets struct {
	mask    uint64
	buckets []atomic.Pointer[[]*Entry]
}

func newExactIndex(words int) *exactIndex {
	x := &exactIndex{words: words, seed: rand.Uint64()}
	x.state.Store(newExactBuckets(16))
	return x
}

func newExactBuckets(n int) *exactBuckets {
	return &exactBuckets{uint64(n - 1), make([]atomic.Pointer[[]*Entry], n)}
}

func (x *exactIndex) hash(key []uint64) uint64 {
	h := x.seed
	for _, w := range key {
		hi, lo := bits.Mul64(h^w, 0x9E3779B97F4A7C15)
		h = hi ^ lo ^ x.seed
	}
	return h ^ h>>32
}

func (x *exactIndex) find(key []uint64) *Entry {
	s := x.state.Load()
	b := s.buckets[x.hash(key)&s.mask].Load()
	if b == nil {
		return nil
	}
	for _, e := range *b {
		if wideEqual(e.key, key) {
			return e
		}
	}
	return nil
}

func (x *exactIndex) insert(e *Entry) {
	s := x.state.Load()
	if x.size++; x.size > 2*len(s.buckets) {
		s = x.grow(s)
	}
	s.add(x.hash(e.key), e)
}

func (s *exactBuckets) add(hash uint64, e *Entry) {
	slot := &s.buckets[hash&s.mask]
	var b []*Entry
	if old := slot.Load(); old != nil {
		b = append(b, *old...)
	}
	b = append(b, e)
	slot.Store(&b)
}

// grow publishes buckets four times as many, with every entry.
func (x *exactIndex) grow(s *exactBuckets) *exactBuckets {
	bigger := newExactBuckets(4 * len(s.buckets))
	for i := range s.buckets {
		if b := s.buckets[i].Load(); b != nil {
			for _, e := range *b {
				bigger.add(x.hash(e.key), e)
			}
		}
	}
	x.state.Store(bigger)
	return bigger
}

func (x *exactIndex) remove(e *Entry) {
	s := x.state.Load()
	slot := &s.buckets[x.hash(e.key)&s.mask]
	old := slot.Load()
	if old == nil {
		return
	}
	b := slices.DeleteFunc(slices.Clone(*old), func(o *Entry) bool { return o == e })
	slot.Store(&b)
	x.size--
}

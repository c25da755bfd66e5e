package dataplane

import (
	"math/bits"
	"sync/atomic"
)

// A hashTable finds entries by a hash of 64 bits. Packets read it without locks while a writer, one at a time, changes it. It is
// flat, so that a lookup costs one cache miss, and the entry another: open addressing with linear probes, of which the hashes are
// never changed once they can be seen. What was deleted keeps its place until the table is built anew. Before all that a lookup
// asks a Bloom filter of one hash, which is small enough to stay in the cache: most lookups of a tuple find nothing.
type hashTable struct {
	state atomic.Pointer[hashSlots]
	used  int // slots that have a hash; the writer's
	live  int // and entries
}

type hashSlots struct {
	mask   uint64
	slots  []hashSlot
	filter []atomic.Uint64 // slotBits for each slot
}

// slotBits is 4: at most one bit in eight is set.
const slotBits = 4

type hashSlot struct {
	hash uint64                // valid once there is a head
	head atomic.Pointer[Entry] // the first of the entries with that hash; the others are its peers. gone if there are none any more
}

// gone is the head of the slots whose entries were deleted.
var gone = &Entry{}

const leastSlots = 16

func newHashTable() *hashTable {
	t := &hashTable{}
	t.state.Store(newHashSlots(leastSlots))
	return t
}

func newHashSlots(n int) *hashSlots {
	return &hashSlots{uint64(n - 1), make([]hashSlot, n), make([]atomic.Uint64, n*slotBits/64)}
}

// bit is that of a hash in the filter.
func (s *hashSlots) bit(hash uint64) (word *atomic.Uint64, bit uint64) {
	return &s.filter[hash>>32&uint64(len(s.filter)-1)], 1 << (hash >> 58)
}

// find is the first entry with that hash, or nil.
func (t *hashTable) find(hash uint64) *Entry {
	s := t.state.Load()
	if word, bit := s.bit(hash); word.Load()&bit == 0 {
		return nil
	}
	for i := hash; ; i++ {
		slot := &s.slots[i&s.mask]
		e := slot.head.Load()
		switch {
		case e == nil:
			return nil
		case slot.hash == hash:
			if e == gone {
				return nil
			}
			return e
		}
	}
}

func (s *hashSlots) note(hash uint64) {
	word, bit := s.bit(hash)
	word.Or(bit)
}

// slot is that of a hash, or the empty one where it belongs.
func (s *hashSlots) slot(hash uint64) *hashSlot {
	for i := hash; ; i++ {
		slot := &s.slots[i&s.mask]
		if slot.head.Load() == nil || slot.hash == hash {
			return slot
		}
	}
}

// insert adds an entry, before those of the same hash that come after it by rank.
func (t *hashTable) insert(hash uint64, e *Entry, rank func(a, b *Entry) int) {
	s := t.state.Load()
	if t.used+1 > len(s.slots)/2 {
		s = t.rebuild(s)
	}
	t.live++
	slot := s.slot(hash)
	first := slot.head.Load()
	switch {
	case first == nil:
		t.used++
		slot.hash = hash
		s.note(hash)
		fallthrough
	case first == gone:
		e.peer.Store(nil)
		slot.head.Store(e)
		return
	case rank(e, first) < 0:
		e.peer.Store(first)
		slot.head.Store(e)
		return
	}
	before := first
	for p := before.peer.Load(); p != nil && rank(p, e) < 0; p = p.peer.Load() {
		before = p
	}
	e.peer.Store(before.peer.Load())
	before.peer.Store(e)
}

// remove takes an entry out that is there.
func (t *hashTable) remove(hash uint64, e *Entry) {
	slot := t.state.Load().slot(hash)
	t.live--
	if first := slot.head.Load(); first == e {
		if next := e.peer.Load(); next != nil {
			slot.head.Store(next)
		} else {
			slot.head.Store(gone)
		}
		return
	}
	for p := slot.head.Load(); ; p = p.peer.Load() {
		if p.peer.Load() == e {
			p.peer.Store(e.peer.Load())
			return
		}
	}
}

// rebuild publishes a table without what was deleted, and with room for as much again as there is.
func (t *hashTable) rebuild(s *hashSlots) *hashSlots {
	n := max(leastSlots, 2<<bits.Len(uint(t.live)))
	fresh := newHashSlots(n)
	t.used = 0
	for i := range s.slots {
		e := s.slots[i].head.Load()
		if e == nil || e == gone {
			continue
		}
		slot := fresh.slot(s.slots[i].hash)
		slot.hash = s.slots[i].hash
		fresh.note(slot.hash)
		slot.head.Store(e)
		t.used++
	}
	t.state.Store(fresh)
	return fresh
}

package dataplane

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// tupleIndex finds entries with masks, prefixes, ranges and priorities. Few entries are tried one by one. More are sorted into
// tuples of one mask each (tuple space search, Srinivasan, Suri and Varghese, SIGCOMM 1999): a lookup masks the key and looks it up
// once for each mask, the tuple with the most urgent entry first, and stops when no tuple that is left can do better. Of prefixes,
// longer ones are more urgent. Ranges are outside the mask, and compared one by one.
//
// A lookup that saw more than one change under way is done again, so that what it found is what there was at one moment.
type tupleIndex struct {
	keys    []Key
	least   bool // the least priority first
	ranked  bool // entries have a priority
	ranges  bool // some key is one
	seed    uint64
	changes atomic.Uint64 // that have begun
	state   atomic.Pointer[tupleState]
}

// maxListed is how many entries are tried one by one.
const maxListed = 12

// A tupleState is never changed but for the tables of its tuples.
type tupleState struct {
	list   []*Entry // in order of rank, while there are no tuples
	tuples []*tuple // by top, the highest first
}

// A tuple is the entries of one mask.
type tuple struct {
	mask    []uint64
	used    []int // the words of the mask that are not 0
	top     int64 // no entry is more urgent
	table   *hashTable
	urgency *priorities // of its entries; the writer's
}

func newTupleIndex(keys []Key, least, ranked bool) *tupleIndex {
	x := &tupleIndex{keys: keys, least: least, ranked: ranked, seed: rand.Uint64()}
	x.ranges = slices.ContainsFunc(keys, func(k Key) bool { return k.Kind == Range })
	x.state.Store(&tupleState{})
	return x
}

// urgency is higher for the entry that wins: by priority, and in a table without them by the length of its prefixes.
func (x *tupleIndex) urgency(e *Entry) int64 {
	switch {
	case !x.ranked:
		return int64(prefixes(e))
	case x.least:
		return -int64(e.Priority)
	}
	return int64(e.Priority)
}

func prefixes(e *Entry) (n int) {
	for i := range e.Match {
		n += e.Match[i].Len
	}
	return n
}

// rank orders by urgency, then by prefix length, then by age.
func (x *tupleIndex) rank(a, b *Entry) int {
	switch ua, ub := x.urgency(a), x.urgency(b); {
	case ua > ub:
		return -1
	case ua < ub:
		return 1
	}
	switch la, lb := prefixes(a), prefixes(b); {
	case la != lb:
		return lb - la
	case a.order < b.order:
		return -1
	case a.order > b.order:
		return 1
	}
	return 0
}

func (x *tupleIndex) find(key []uint64) *Entry {
	for {
		began := x.changes.Load()
		e := x.search(key)
		if x.changes.Load() == began {
			return e
		}
	}
}

func (x *tupleIndex) search(key []uint64) *Entry {
	s := x.state.Load()
	for _, e := range s.list {
		if matchesAll(x.keys, e.Match, e.key, e.mask, key) {
			return e
		}
	}
	var best *Entry
	for _, t := range s.tuples {
		if best != nil && x.urgency(best) > t.top {
			break
		}
		if e := x.findIn(t, key); e != nil && (best == nil || x.rank(e, best) < 0) {
			best = e
		}
	}
	return best
}

func (x *tupleIndex) findIn(t *tuple, key []uint64) *Entry {
	h := x.seed
	for _, i := range t.used {
		h = mix(h, key[i]&t.mask[i])
	}
	for e := t.table.find(h); e != nil; e = e.peer.Load() {
		if t.has(key, e.key) && (!x.ranges || matchesAll(x.keys, e.Match, e.key, e.mask, key)) {
			return e
		}
	}
	return nil
}

// has compares a key with that of an entry, but for ranges.
func (t *tuple) has(key, entry []uint64) bool {
	for _, i := range t.used {
		if (key[i]^entry[i])&t.mask[i] != 0 {
			return false
		}
	}
	return true
}

func (x *tupleIndex) hash(t *tuple, e *Entry) uint64 {
	h := x.seed
	for _, i := range t.used {
		h = mix(h, e.key[i]&t.mask[i])
	}
	return h
}

// maskOf is the mask of an entry's tuple: that of its keys that are no ranges.
func (x *tupleIndex) maskOf(e *Entry) []uint64 {
	m := slices.Clone(e.mask)
	for i, k := range x.keys {
		if k.Kind == Range || e.Match[i].Any {
			clear(m[k.off : k.off+k.words])
		}
	}
	return m
}

func (x *tupleIndex) insert(e *Entry) {
	x.changes.Add(1)
	s := x.state.Load()
	if s.tuples == nil && len(s.list) < maxListed {
		at, _ := slices.BinarySearchFunc(s.list, e, x.rank)
		x.state.Store(&tupleState{list: slices.Insert(slices.Clip(slices.Clone(s.list)), at, e)})
		return
	}
	for _, o := range s.list {
		s = x.put(s, o)
	}
	x.state.Store(x.put(s, e))
}

// put is the state with an entry more. The table of a tuple that is there already is changed in place.
func (x *tupleIndex) put(s *tupleState, e *Entry) *tupleState {
	mask := x.maskOf(e)
	i := x.tupleOf(s, mask)
	var t *tuple
	if i >= 0 {
		t = s.tuples[i]
	} else {
		t = &tuple{mask: mask, table: newHashTable(), urgency: &priorities{count: map[int64]int{}}}
		for i, w := range mask {
			if w != 0 {
				t.used = append(t.used, i)
			}
		}
	}
	t.urgency.add(x.urgency(e))
	t.table.insert(x.hash(t, e), e, x.rank)
	if i >= 0 && t.top == t.urgency.top() {
		return s
	}
	return s.with(i, t)
}

func (x *tupleIndex) remove(e *Entry) {
	x.changes.Add(1)
	s := x.state.Load()
	if s.tuples == nil {
		x.state.Store(&tupleState{list: slices.DeleteFunc(slices.Clone(s.list), func(o *Entry) bool { return o == e })})
		return
	}
	i := x.tupleOf(s, x.maskOf(e))
	if i < 0 {
		return
	}
	t := s.tuples[i]
	t.table.remove(x.hash(t, e), e)
	t.urgency.remove(x.urgency(e))
	switch {
	case t.table.live == 0 && len(s.tuples) == 1:
		x.state.Store(&tupleState{})
	case t.table.live == 0:
		x.state.Store(&tupleState{tuples: slices.Delete(slices.Clone(s.tuples), i, i+1)})
	case t.top != t.urgency.top():
		x.state.Store(s.with(i, t))
	}
}

func (x *tupleIndex) tupleOf(s *tupleState, mask []uint64) int {
	return slices.IndexFunc(s.tuples, func(t *tuple) bool { return wideEqual(t.mask, mask) })
}

// with is the state with tuple t, which was its i-th if i is not below 0, where it belongs now.
func (s *tupleState) with(i int, t *tuple) *tupleState {
	tuples := slices.Clone(s.tuples)
	if i >= 0 {
		tuples = slices.Delete(tuples, i, i+1)
	}
	moved := *t
	moved.top = t.urgency.top()
	at, _ := slices.BinarySearchFunc(tuples, &moved, func(a, b *tuple) int {
		if a.top > b.top {
			return -1
		}
		return 1
	})
	return &tupleState{tuples: slices.Insert(tuples, at, &moved)}
}

// priorities is a multiset of which the greatest is known.
type priorities struct {
	count map[int64]int
	heap  int64Heap // every one that is in count, and some that are not any more
}

func (p *priorities) add(v int64) {
	if p.count[v]++; p.count[v] == 1 {
		heap.Push(&p.heap, v)
	}
}

func (p *priorities) remove(v int64) {
	if p.count[v]--; p.count[v] == 0 {
		delete(p.count, v)
	}
}

func (p *priorities) top() int64 {
	for p.count[p.heap[0]] == 0 {
		heap.Pop(&p.heap)
	}
	return p.heap[0]
}

type int64Heap []int64

func (h int64Heap) Len() int           { return len(h) }
func (h int64Heap) Less(i, j int) bool { return h[i] > h[j] }
func (h int64Heap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *int64Heap) Push(v any)        { *h = append(*h, v.(int64)) }
func (h *int64Heap) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}

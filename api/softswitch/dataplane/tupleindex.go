package dataplane

import (
	"container/heap"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// tupleIndex finds entries with masks, ranges and priorities. Few entries are tried one by one. More are sorted into tuples of
// one mask each (tuple space search, Srinivasan, Suri and Varghese, SIGCOMM 1999): a lookup masks the key and looks it up once
// for each mask, the tuple with the highest priority first, and stops when no tuple that is left can do better. Ranges are
// outside the mask, and compared one by one.
//
// Readers see a state that is never changed; a writer publishes a new one, which shares with the old what has not changed.
type tupleIndex struct {
	keys  []Key
	least bool // the least priority first
	seed  uint64
	state atomic.Pointer[tupleState]
	prio  map[*tuple]*priorities // writer's
}

// maxListed is how many entries are tried one by one.
const maxListed = 12

type tupleState struct {
	list   []*Entry // in order of rank, while there are no tuples
	tuples []*tuple // by top, the highest first
}

// A tuple is the entries of one mask. It is never changed.
type tuple struct {
	mask []uint64
	used []int // the words of the mask that are not 0
	top  int64 // no entry has a higher rank in priorities
	root *hashNode
	size int
}

func newTupleIndex(keys []Key, least bool) *tupleIndex {
	x := &tupleIndex{keys: keys, least: least, seed: rand.Uint64(), prio: map[*tuple]*priorities{}}
	x.state.Store(&tupleState{})
	return x
}

// urgency is higher for the entry that wins.
func (x *tupleIndex) urgency(e *Entry) int64 {
	if x.least {
		return -int64(e.Priority)
	}
	return int64(e.Priority)
}

// rank orders by priority, then by prefix length (tables of lpm keys alone have no priorities), then by age.
func (x *tupleIndex) rank(a, b *Entry) int {
	switch ua, ub := x.urgency(a), x.urgency(b); {
	case ua > ub:
		return -1
	case ua < ub:
		return 1
	}
	la, lb := 0, 0
	for i := range x.keys {
		la, lb = la+a.Match[i].Len, lb+b.Match[i].Len
	}
	switch {
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
	for _, e := range t.root.find(h) {
		if matchesAll(x.keys, e.Match, e.key, e.mask, key) {
			return e
		}
	}
	return nil
}

func mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, 0x9E3779B97F4A7C15)
	return hi ^ lo
}

// hash is that of the entry's masked key.
func (x *tupleIndex) hash(t *tuple, e *Entry) uint64 {
	h := x.seed
	for _, i := range t.used {
		h = mix(h, e.key[i])
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
	s := x.state.Load()
	if s.tuples == nil && len(s.list) < maxListed {
		at, _ := slices.BinarySearchFunc(s.list, e, x.rank)
		x.state.Store(&tupleState{list: slices.Insert(slices.Clip(slices.Clone(s.list)), at, e)})
		return
	}
	next := &tupleState{tuples: slices.Clone(s.tuples)}
	for _, o := range s.list {
		x.put(next, o)
	}
	x.put(next, e)
	x.state.Store(next)
}

func (x *tupleIndex) remove(e *Entry) {
	s := x.state.Load()
	if s.tuples == nil {
		x.state.Store(&tupleState{list: slices.DeleteFunc(slices.Clone(s.list), func(o *Entry) bool { return o == e })})
		return
	}
	next := &tupleState{tuples: slices.Clone(s.tuples)}
	i := x.tupleOf(next, x.maskOf(e))
	if i < 0 {
		return
	}
	t := next.tuples[i]
	p := x.prio[t]
	delete(x.prio, t)
	if t.size == 1 {
		if next.tuples = slices.Delete(next.tuples, i, i+1); len(next.tuples) == 0 {
			next = &tupleState{}
		}
		x.state.Store(next)
		return
	}
	n := &tuple{mask: t.mask, used: t.used, size: t.size - 1, root: t.root.without(x.hash(t, e), 0, e)}
	p.remove(x.urgency(e))
	n.top = p.top()
	x.prio[n] = p
	next.tuples = slices.Delete(next.tuples, i, i+1)
	next.place(n)
	x.state.Store(next)
}

func (x *tupleIndex) tupleOf(s *tupleState, mask []uint64) int {
	return slices.IndexFunc(s.tuples, func(t *tuple) bool { return wideEqual(t.mask, mask) })
}

// put adds an entry to a state that nobody sees yet.
func (x *tupleIndex) put(s *tupleState, e *Entry) {
	mask := x.maskOf(e)
	var t tuple
	p := &priorities{count: map[int64]int{}}
	if i := x.tupleOf(s, mask); i >= 0 {
		t, p = *s.tuples[i], x.prio[s.tuples[i]]
		delete(x.prio, s.tuples[i])
		s.tuples = slices.Delete(s.tuples, i, i+1)
	} else {
		t = tuple{mask: mask, root: &hashNode{}}
		for i, w := range mask {
			if w != 0 {
				t.used = append(t.used, i)
			}
		}
	}
	t.root = t.root.with(x.hash(&t, e), 0, e, x.rank)
	t.size++
	p.add(x.urgency(e))
	t.top = p.top()
	x.prio[&t] = p
	s.place(&t)
}

// place puts a tuple where it belongs.
func (s *tupleState) place(t *tuple) {
	at, _ := slices.BinarySearchFunc(s.tuples, t, func(a, b *tuple) int {
		if a.top > b.top {
			return -1
		}
		return 1
	})
	s.tuples = slices.Insert(s.tuples, at, t)
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

// A hashNode is a node of a persistent hash trie: five bits of the hash choose among its slots, of which only those in use are
// there. It is never changed.
type hashNode struct {
	used  uint32
	slots []hashSlot
}

// A hashSlot has a node below it, or the entries of one hash in order of rank.
type hashSlot struct {
	below   *hashNode
	hash    uint64
	entries []*Entry
}

const hashBits = 5

func (n *hashNode) at(hash uint64, depth int) (i int, bit uint32, ok bool) {
	bit = 1 << (hash >> (hashBits * depth) & (1<<hashBits - 1))
	return bits.OnesCount32(n.used & (bit - 1)), bit, n.used&bit != 0
}

func (n *hashNode) find(hash uint64) []*Entry {
	for depth := 0; ; depth++ {
		i, _, ok := n.at(hash, depth)
		if !ok {
			return nil
		}
		s := &n.slots[i]
		if s.below == nil {
			if s.hash != hash {
				return nil
			}
			return s.entries
		}
		n = s.below
	}
}

func (n *hashNode) with(hash uint64, depth int, e *Entry, rank func(a, b *Entry) int) *hashNode {
	i, bit, ok := n.at(hash, depth)
	if !ok {
		return &hashNode{n.used | bit, slices.Insert(slices.Clip(n.slots), i, hashSlot{hash: hash, entries: []*Entry{e}})}
	}
	m := &hashNode{n.used, slices.Clone(n.slots)}
	s := &m.slots[i]
	switch {
	case s.below != nil:
		s.below = s.below.with(hash, depth+1, e, rank)
	case s.hash == hash:
		at, _ := slices.BinarySearchFunc(s.entries, e, rank)
		s.entries = slices.Insert(slices.Clip(s.entries), at, e)
	default: // two hashes that begin alike
		_, b, _ := new(hashNode).at(s.hash, depth+1)
		below := &hashNode{b, []hashSlot{*s}}
		*s = hashSlot{below: below.with(hash, depth+1, e, rank)}
	}
	return m
}

func (n *hashNode) without(hash uint64, depth int, e *Entry) *hashNode {
	i, bit, ok := n.at(hash, depth)
	if !ok {
		return n
	}
	s := n.slots[i]
	switch {
	case s.below != nil:
		if s.below = s.below.without(hash, depth+1, e); s.below.used == 0 {
			return &hashNode{n.used &^ bit, slices.Delete(slices.Clone(n.slots), i, i+1)}
		}
	case s.hash != hash:
		return n
	default:
		s.entries = slices.DeleteFunc(slices.Clone(s.entries), func(o *Entry) bool { return o == e })
		if len(s.entries) == 0 {
			return &hashNode{n.used &^ bit, slices.Delete(slices.Clone(n.slots), i, i+1)}
		}
	}
	m := &hashNode{n.used, slices.Clone(n.slots)}
	m.slots[i] = s
	return m
}

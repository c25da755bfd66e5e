package dataplane

import (
	"math/bits"
	"sync/atomic"
)

// trieBits bounds the keys of a trie, all together, in bits.
const trieBits = 512

type trieKey [trieBits / 64]uint64 // the first bit is the most significant one of the first word

// trieIndex is a path-compressed binary trie for one lpm key, behind any exact ones. Nodes are never changed: a writer copies the
// path that it changes and publishes a new root.
type trieIndex struct {
	keys []Key // exact ones first, the lpm one last
	lpm  int   // index of the lpm key among the table's
	bits int
	root atomic.Pointer[trieNode]
}

type trieNode struct {
	prefix trieKey
	len    int
	entry  *Entry // or nil: a node that only branches
	child  [2]*trieNode
}

func newTrieIndex(keys []Key) *trieIndex {
	x := &trieIndex{}
	for i, k := range keys {
		x.bits += k.Width
		if k.Kind == LPM {
			x.lpm = i
		} else {
			x.keys = append(x.keys, k)
		}
	}
	x.keys = append(x.keys, keys[x.lpm])
	return x
}

// pack lines the key's bits up.
func (x *trieIndex) pack(key []uint64, out *trieKey) {
	at := 0
	for i := range x.keys {
		k := &x.keys[i]
		for n := k.Width; n > 0; {
			take := min(n, 64-at%64)
			v := wideExtract(key[k.off:k.off+k.words], n-take, take)
			out[at/64] |= v << (64 - at%64 - take)
			at += take
			n -= take
		}
	}
}

// length is how many bits of an entry's packed key count.
func (x *trieIndex) length(e *Entry) int {
	n := x.bits - x.keys[len(x.keys)-1].Width
	if m := &e.Match[x.lpm]; !m.Any {
		n += m.Len
	}
	return n
}

// common is the number of leading bits, at most n, that a and b share.
func common(a, b *trieKey, n int) int {
	for i := 0; i*64 < n; i++ {
		if d := a[i] ^ b[i]; d != 0 {
			return min(n, i*64+bits.LeadingZeros64(d))
		}
	}
	return n
}

func (k *trieKey) bit(i int) int { return int(k[i/64] >> (63 - i%64) & 1) }

func (x *trieIndex) find(key []uint64) *Entry {
	var k trieKey
	x.pack(key, &k)
	var best *Entry
	for n := x.root.Load(); n != nil; n = n.child[k.bit(n.len)] {
		if common(&n.prefix, &k, n.len) < n.len {
			break
		}
		if n.entry != nil {
			best = n.entry
		}
		if n.len == x.bits {
			break
		}
	}
	return best
}

func (x *trieIndex) insert(e *Entry) {
	leaf := &trieNode{len: x.length(e), entry: e}
	x.pack(e.key, &leaf.prefix)
	x.root.Store(grafted(x.root.Load(), leaf))
}

// grafted is the trie n with a leaf more.
func grafted(n, leaf *trieNode) *trieNode {
	if n == nil {
		return leaf
	}
	c := common(&n.prefix, &leaf.prefix, min(n.len, leaf.len))
	switch {
	case c == n.len && c == leaf.len:
		cp := *n
		cp.entry = leaf.entry
		return &cp
	case c == n.len:
		cp := *n
		b := leaf.prefix.bit(c)
		cp.child[b] = grafted(cp.child[b], leaf)
		return &cp
	case c == leaf.len:
		cp := *leaf
		cp.child[n.prefix.bit(c)] = n
		return &cp
	}
	fork := &trieNode{prefix: leaf.prefix, len: c}
	fork.child[leaf.prefix.bit(c)] = leaf
	fork.child[n.prefix.bit(c)] = n
	return fork
}

func (x *trieIndex) remove(e *Entry) {
	var k trieKey
	x.pack(e.key, &k)
	x.root.Store(pruned(x.root.Load(), &k, x.length(e)))
}

// pruned is the trie n without the entry of that prefix.
func pruned(n *trieNode, k *trieKey, length int) *trieNode {
	if n == nil || n.len > length || common(&n.prefix, k, n.len) < n.len {
		return n
	}
	cp := *n
	if n.len == length {
		cp.entry = nil
	} else {
		b := k.bit(n.len)
		cp.child[b] = pruned(n.child[b], k, length)
	}
	if cp.entry == nil {
		switch {
		case cp.child[0] == nil:
			return cp.child[1]
		case cp.child[1] == nil:
			return cp.child[0]
		}
	}
	return &cp
}

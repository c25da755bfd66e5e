package dataplane

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/interlock/interlock/linker/p4/types"
)

// Errors of table writes.
var (
	ErrExists   = errors.New("the entry exists already")
	ErrNotFound = errors.New("there is no such entry")
	ErrFull     = errors.New("it is full")
	ErrInUse    = errors.New("it is referred to")
	ErrRange    = errors.New("out of range")
	ErrConst    = errors.New("the program declares it constant")
)

// MatchKind is how a key is matched.
type MatchKind int

// Match kinds.
const (
	Exact MatchKind = iota
	LPM
	Ternary
	Range
	Optional
)

var matchKinds = map[string]MatchKind{
	"exact": Exact, "lpm": LPM, "ternary": Ternary, "range": Range, "optional": Optional,
}

// A Key is one component of a table's key.
type Key struct {
	Name  string // as in the P4Info
	Kind  MatchKind
	Width int // bits
	off   int // words into the whole key
	words int
}

// Words is the number of 64-bit words of a value of the key.
func (k Key) Words() int { return k.words }

// A Match is what an entry asks of one key; words are least significant first. Any says that it asks nothing: Value and Mask are
// not looked at.
type Match struct {
	Any   bool
	Value []uint64 // of a range, the low bound
	Mask  []uint64 // Ternary: the mask; Range: the high bound; LPM: made from Len
	Len   int      // LPM: the prefix length, 1..Width
}

// An Action is one of a table's actions.
type Action struct {
	Name        string // in the P4Info
	Params      []Param
	TableOnly   bool // may not be the default action
	DefaultOnly bool // may not be an entry's action

	obj   *types.Object
	words int // of all params
}

// A Param is an action parameter that entries give.
type Param struct {
	Name  string
	Width int
	off   int // words
	words int
}

// Words is the number of 64-bit words of a value of the parameter.
func (p Param) Words() int { return p.words }

// Offset is where the parameter lies in Do.Args, in words.
func (p Param) Offset() int { return p.off }

// Do is what an entry does: an action with its arguments. It is never changed once an entry has it.
type Do struct {
	Action int      // index into Table.Actions, or -1 for nothing
	Args   []uint64 // one after the other, at Param.Offset
	// Member or Group is set, and Action is -1, in an entry of a table with a profile: see Profile.Refer and Profile.Choose.
	Member *Member
	Group  *Group
}

// An Entry is one entry of a table. What it matches never changes; what it does is replaced whole.
type Entry struct {
	// what a lookup looks at comes first, so that it shares a cache line
	do    atomic.Pointer[Do]
	count cell
	key   []uint64              // the words to be equal to
	room  [2]uint64             // of a short key
	peer  atomic.Pointer[Entry] // the next of those with the same hash, in an index
	mask  []uint64              // of the key
	meter *meterCell            // of tables with a direct meter
	hits  atomic.Uint64         // of tables that time entries out: when it was last hit, in microseconds

	Match    []Match
	Priority int32 // higher wins; 0 in tables of exact and lpm keys only
	Const    bool  // declared const in the program

	note  atomic.Pointer[Note]
	order uint64 // of insertion
}

// Note is what the control plane keeps with an entry.
type Note struct {
	Metadata           []byte
	ControllerMetadata uint64
	IdleTimeout        int64 // nanoseconds; 0 is none
}

// Do is what the entry does now.
func (e *Entry) Do() *Do { return e.do.Load() }

// Note is what the control plane keeps with the entry; never nil.
func (e *Entry) Note() *Note {
	if n := e.note.Load(); n != nil {
		return n
	}
	return &Note{}
}

// SetNote replaces the note.
func (e *Entry) SetNote(n *Note) { e.note.Store(n) }

// Count is the entry's direct counter.
func (e *Entry) Count() Count { return e.count.load() }

// SetCount sets the entry's direct counter.
func (e *Entry) SetCount(v Count) { e.count.store(v) }

// NewEntry makes an entry.
func NewEntry(match []Match, priority int32, do *Do) *Entry {
	e := &Entry{Match: match, Priority: priority}
	e.do.Store(do)
	return e
}

// An index finds entries for packets while a writer, one at a time, changes it. What find returns was in the index at some
// moment during the call.
type index interface {
	find(key []uint64) *Entry
	insert(*Entry)
	remove(*Entry)
}

// A Table is a match-action table. Packets look up without locks; writers take turns.
type Table struct {
	Name      string // in the P4Info
	Keys      []Key
	Actions   []Action
	Size      int
	ConstDo   bool // the default action is const
	IsConst   bool // const entries
	Priority  bool // entries have a priority: some key is ternary, range or optional
	actions   []*Action
	words     int // of the whole key
	counter   *DirectCounter
	meter     *DirectMeter
	profile   *Profile
	timed     bool // support_timeout
	least     bool // the entry with the least priority wins (largest_priority_wins = false)
	extras    bool // a hit costs more than its action
	clock     func() uint64
	index     index
	otherwise *Entry // the default entry
	original  *Do

	mu      sync.Mutex
	entries map[string]*Entry
	counted uint64
}

// HasCounter tells whether the table has a direct counter, and its P4Info name.
func (t *Table) HasCounter() (string, bool) {
	if t.counter == nil {
		return "", false
	}
	return t.counter.Name, true
}

// HasMeter tells whether the table has a direct meter.
func (t *Table) HasMeter() (*DirectMeter, bool) { return t.meter, t.meter != nil }

// Profile is the action profile or selector that implements the table, or nil.
func (t *Table) Profile() *Profile { return t.profile }

// Timed tells whether the table keeps when its entries were last hit (support_timeout).
func (t *Table) Timed() bool { return t.timed }

// Idle is how long ago the entry was last hit, inserted or touched, in microseconds.
func (t *Table) Idle(e *Entry) uint64 {
	now, last := t.clock(), e.hits.Load()
	if now < last {
		return 0
	}
	return now - last
}

// Touch makes the entry as if it had just been hit.
func (t *Table) Touch(e *Entry) { e.hits.Store(t.clock()) }

// Rates returns the entry's rates; set is false if it has none, and colors everything green.
func (t *Table) Rates(e *Entry) (r Rates, set bool) {
	if e.meter == nil {
		return Rates{}, false
	}
	return e.meter.config()
}

// SetRates sets the entry's rates and fills its buckets; nil takes them away.
func (t *Table) SetRates(e *Entry, r *Rates) error {
	if t.meter == nil {
		return fmt.Errorf("table %s has no direct meter: %w", t.Name, ErrRange)
	}
	if r != nil {
		if err := r.Check(); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	t.mu.Lock()
	t.equip(e)
	t.mu.Unlock()
	e.meter.configure(t.clock(), r)
	return nil
}

// Metered returns what the entry's meter has counted.
func (t *Table) Metered(e *Entry) Metered {
	if e.meter == nil {
		return Metered{}
	}
	return e.meter.metered()
}

// SetMetered sets the counts of the entry's meter.
func (t *Table) SetMetered(e *Entry, v Metered) {
	if t.meter == nil {
		return
	}
	t.mu.Lock()
	t.equip(e)
	t.mu.Unlock()
	e.meter.setMetered(v)
}

// equip gives an entry its meter. The caller holds mu, and no packet sees the entry yet or it has one already.
func (t *Table) equip(e *Entry) {
	if t.meter != nil && e.meter == nil {
		e.meter = &meterCell{}
	}
}

func (t *Table) actionIndex(o *types.Object) int {
	return slices.IndexFunc(t.actions, func(a *Action) bool { return a.obj == o })
}

// identity is the entry's match and priority as a map key.
func (t *Table) identity(m []Match, priority int32) string {
	b := make([]byte, 0, 8*(2*t.words+len(m)+1))
	b = binary.BigEndian.AppendUint32(b, uint32(priority))
	for i := range m {
		if m[i].Any {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		for _, w := range m[i].Value {
			b = binary.BigEndian.AppendUint64(b, w)
		}
		for _, w := range m[i].Mask {
			b = binary.BigEndian.AppendUint64(b, w)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(m[i].Len))
	}
	return string(b)
}

// Insert adds e. It fails with ErrExists or ErrTableFull.
func (t *Table) Insert(e *Entry) error {
	id := t.identity(e.Match, e.Priority)
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.entries[id]; ok {
		return fmt.Errorf("table %s: %w", t.Name, ErrExists)
	}
	if len(t.entries) >= t.Size && !e.Const {
		return fmt.Errorf("table %s: %w: it has %d entries", t.Name, ErrFull, t.Size)
	}
	if e.key == nil { // else it was in the table before, and packets may still look at it
		t.counted++
		e.order = t.counted
		t.prepare(e)
		t.equip(e)
	}
	if t.timed {
		t.Touch(e)
	}
	e.do.Load().hold(1)
	t.entries[id] = e
	t.index.insert(e)
	return nil
}

// Find is the entry with that match and priority. It fails with ErrNotFound.
func (t *Table) Find(m []Match, priority int32) (*Entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.entries[t.identity(m, priority)]; ok {
		return e, nil
	}
	return nil, fmt.Errorf("table %s: %w", t.Name, ErrNotFound)
}

// Modify replaces what an entry does. A packet does either the old or the new whole.
func (t *Table) Modify(e *Entry, do *Do) {
	do.hold(1)
	e.do.Swap(do).hold(-1)
}

// Delete removes an entry. It fails with ErrNotFound.
func (t *Table) Delete(m []Match, priority int32) error {
	id := t.identity(m, priority)
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[id]
	if !ok {
		return fmt.Errorf("table %s: %w", t.Name, ErrNotFound)
	}
	delete(t.entries, id)
	t.index.remove(e)
	e.do.Load().hold(-1)
	return nil
}

// Len is the number of entries, without the default one.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.entries)
}

// Entries lists the entries in the order of their insertion.
func (t *Table) Entries() []*Entry {
	t.mu.Lock()
	all := make([]*Entry, 0, len(t.entries))
	for _, e := range t.entries {
		all = append(all, e)
	}
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b *Entry) int {
		switch {
		case a.order < b.order:
			return -1
		case a.order > b.order:
			return 1
		}
		return 0
	})
	return all
}

// Default is the default entry.
func (t *Table) Default() *Entry { return t.otherwise }

// Original is what the program declares as the default action.
func (t *Table) Original() *Do { return t.original }

// prepare works out the form that the index looks at.
func (t *Table) prepare(e *Entry) {
	p := prepare(t.Keys, t.words, e.Match)
	e.key, e.mask = append(e.room[:0], p.key...), p.mask
}

// prepare works out what packets compare with.
func prepare(keys []Key, words int, match []Match) prepared {
	p := prepared{match, make([]uint64, words), make([]uint64, words)}
	for i, k := range keys {
		m := &match[i]
		if m.Any {
			continue
		}
		copy(p.key[k.off:k.off+k.words], m.Value)
		switch k.Kind {
		case Exact, Optional:
			fillMask(p.mask[k.off:k.off+k.words], k.Width, k.Width)
		case LPM:
			fillMask(p.mask[k.off:k.off+k.words], k.Width, m.Len)
		case Ternary, Range:
			copy(p.mask[k.off:k.off+k.words], m.Mask)
		}
	}
	return p
}

// fillMask sets the n most significant of width bits.
func fillMask(w []uint64, width, n int) {
	clear(w)
	wideOnes(w, width-n, n)
}

// newIndex picks the index for a table's keys.
func (t *Table) newIndex() index {
	switch {
	case len(t.Keys) == 0:
		return noIndex{}
	case slices.ContainsFunc(t.Keys, func(k Key) bool { return k.Kind != Exact }):
		return newTupleIndex(t.Keys, t.least, t.Priority)
	}
	return newExactIndex()
}

// noIndex is that of a table without keys.
type noIndex struct{}

func (noIndex) find([]uint64) *Entry { return nil }
func (noIndex) insert(*Entry)        {}
func (noIndex) remove(*Entry)        {}

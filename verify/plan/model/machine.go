package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/interlock/interlock/specs"
)

// Violation is a property that did not hold at some moment.
type Violation struct {
	Property string // M1 .. M6
	Step     int    // index of the step under way; len(Steps) after the last
	Array    Array  // zero for what concerns no array
	Slot     int64  // -1 for what concerns no single slot
	VIDs     []VID  // those concerned: for M1 and M2 the one who reaches, then the other
	Detail   string // a clause about them, without naming them
}

func (v Violation) String() string {
	s := fmt.Sprintf("%s in step %d, VIDs %v", v.Property, v.Step+1, v.VIDs)
	if v.Array.Control != "" {
		s += fmt.Sprintf(", %v", v.Array)
	}
	if v.Slot >= 0 {
		s += fmt.Sprintf(", slot %d", v.Slot)
	}
	return s + ": " + v.Detail
}

// Packet is a packet in flight in one control: it read the page table when it entered, and acts on what it read then.
type Packet struct {
	Key   Key
	Entry Entry // nil: it found none
	Old   bool  // it was in flight before the plan began
	// grants is by stage and virtual index: which grant of the slot it acts under. Absent is the one from before the plan.
	grants [][]int
}

// grant numbers what a tenant is given: a slot at a virtual index, until the page table no longer gives it.
func (p Packet) grant(stage int, index int64) int { return number(p.grants, stage, index) }

func number(grants [][]int, stage int, index int64) int {
	if stage < len(grants) && index < int64(len(grants[stage])) {
		return grants[stage][index]
	}
	return 0
}

// content is what is in a slot: who wrote it, under which grant of the slot.
type content struct {
	vid   VID
	grant int
}

// Residue is what somebody left in a slot before the plan began.
type Residue struct {
	Array Array
	Slot  int64
	VID   VID
}

// Initial is what a plan cannot know about the switch that it starts on.
type Initial struct {
	Residue []Residue
	Packets []Packet // holding entries that were valid once; only if the plan is not fenced
}

// ActionKind says what happens next.
type ActionKind int

// Action kinds.
const (
	Apply  ActionKind = iota // the switch applies update N of the current step
	Finish                   // the step has succeeded as a whole; the controller goes on
	Arrive                   // a packet of Key enters its control and reads the page table
	Touch                    // packet N accesses its register in Stage at Index: read, then write
	Late                     // the switch applies update N of Plan.Late, or refuses it; nobody hears of it
)

// Action is one event. Packets are numbered from 0: those of Initial first, then as they arrive.
type Action struct {
	Kind  ActionKind
	N     int
	Key   Key
	Stage int
	Index uint32
}

// Schedule is one run of the world. The controller dies after the last action.
type Schedule struct {
	Initial Initial
	Actions []Action
}

// ErrImpossible is wrapped by errors about a schedule that cannot happen.
var ErrImpossible = errors.New("impossible")

// Machine is the switch, with the controller's progress.
type Machine struct {
	plan    *Plan
	tables  Tables
	grants  map[Key][][]int             // of what tables say, as in Packet
	written map[Key]int                 // how often an entry was written so far: the number of the next grant
	cells   map[Array]map[int64]content // absent: zero
	packets []*Packet                   // nil: has left
	earlier int                         // packets before this one were in flight when the current step began
	step    int
	applied []bool
	failed  bool   // an update of the current step was answered with an error: the controller stops
	late    []bool // of Plan.Late: has been applied or refused

	// Violations so far, each once.
	Violations []Violation
	seen       map[string]bool
}

// New starts a machine, in a state that the inherited invariant allows: nobody can reach what another can reach or has left
// something in.
func New(p *Plan, init Initial) (*Machine, error) {
	m := &Machine{
		plan: p, tables: p.Pre.Clone(), grants: map[Key][][]int{}, written: map[Key]int{}, cells: map[Array]map[int64]content{},
		late: make([]bool, len(p.Late)), seen: map[string]bool{},
	}
	for _, pk := range init.Packets {
		if p.Fenced && p.Empties(pk.Key.Control) {
			return nil, fmt.Errorf("%w: old packets after a completed fence", ErrImpossible)
		}
	}
	for a := range p.Slots {
		m.cells[a] = map[int64]content{}
	}
	for _, pk := range init.Packets {
		pk.Old = true
		for k, x := range pk.Entry {
			a := Array{pk.Key.Control, k}
			for s := x.Base; s < x.Base+x.Size; s++ {
				if s < 0 || s >= p.Slots[a] {
					return nil, fmt.Errorf("%w: an old packet reaches outside %v", ErrImpossible, a)
				}
				for _, o := range m.reachers(a, s) {
					if o != pk.Key.VID {
						return nil, fmt.Errorf("%w: slot %d of %v is reached by %d and %d at once before the plan", ErrImpossible, s, a, o, pk.Key.VID)
					}
				}
			}
		}
		m.packets = append(m.packets, &pk)
	}
	for _, r := range init.Residue {
		for _, o := range m.reachers(r.Array, r.Slot) {
			if o != r.VID {
				return nil, fmt.Errorf("%w: residue of %d in slot %d of %v, that %d reaches, before the plan", ErrImpossible, r.VID, r.Slot, r.Array, o)
			}
		}
		m.cells[r.Array][r.Slot] = content{vid: r.VID}
	}
	m.begin()
	m.checkRegistered()
	for _, key := range m.tables.Keys() {
		m.checkEntry(key, m.tables[key])
	}
	m.checkExclusive()
	return m, nil
}

// Run executes a schedule and returns what it violates.
func Run(p *Plan, s Schedule) ([]Violation, error) {
	m, err := New(p, s.Initial)
	if err != nil {
		return nil, err
	}
	for i, a := range s.Actions {
		if err := m.Do(a); err != nil {
			return nil, fmt.Errorf("action %d: %w", i, err)
		}
	}
	return m.Violations, nil
}

// Do lets one action happen.
func (m *Machine) Do(a Action) error {
	switch a.Kind {
	case Apply:
		return m.apply(a.N)
	case Finish:
		return m.finish()
	case Arrive:
		m.packets = append(m.packets, &Packet{Key: a.Key, Entry: m.tables[a.Key], grants: m.grants[a.Key]})
		return nil // it reaches what the table says, which was checked
	case Touch:
		return m.touch(a)
	case Late:
		return m.takeEffect(a.N)
	}
	return fmt.Errorf("%w: action kind %d", ErrImpossible, a.Kind)
}

// Done says whether the last step has finished.
func (m *Machine) Done() bool { return m.step == len(m.plan.Steps) }

// Pending returns the updates of the current step that have not been applied.
func (m *Machine) Pending() []int {
	var out []int
	for i, done := range m.applied {
		if !done {
			out = append(out, i)
		}
	}
	return out
}

// Failed says whether the controller has stopped because an update was refused.
func (m *Machine) Failed() bool { return m.failed }

// Step is the index of the step under way.
func (m *Machine) Step() int { return m.step }

// InFlight returns the packets that have not left, by number.
func (m *Machine) InFlight() map[int]Packet {
	out := map[int]Packet{}
	for i, p := range m.packets {
		if p != nil {
			out[i] = *p
		}
	}
	return out
}

func (m *Machine) begin() {
	m.earlier = len(m.packets)
	if !m.Done() {
		m.applied = make([]bool, len(m.plan.Steps[m.step].Updates))
		return
	}
	m.applied = nil
	m.checkGoal()
}

func (m *Machine) apply(n int) error {
	if m.Done() || n < 0 || n >= len(m.applied) || m.applied[n] {
		return fmt.Errorf("%w: there is no update %d to apply", ErrImpossible, n)
	}
	m.applied[n] = true
	u := m.plan.Steps[m.step].Updates[n]
	m.checkKey(u)
	if refused := m.carryOut(u); refused != "" {
		m.failed = true
		m.violate(Violation{
			Property: "M6", Slot: -1, VIDs: []VID{u.Key.VID},
			Detail: fmt.Sprintf("%s in %s fails, for %s", u.Kind, u.Key.Control, refused),
		})
	}
	return nil
}

// takeEffect lets an update of an earlier request happen. That it is refused hurts nobody.
func (m *Machine) takeEffect(n int) error {
	if n < 0 || n >= len(m.late) || m.late[n] {
		return fmt.Errorf("%w: there is no late update %d", ErrImpossible, n)
	}
	m.late[n] = true
	if m.carryOut(m.plan.Late[n]) == "" {
		m.checkKey(m.plan.Late[n])
	}
	return nil
}

// carryOut applies an update, or says why the switch refuses it.
func (m *Machine) carryOut(u Update) (refused string) {
	if u.Kind == Scrub {
		for _, v := range m.reachers(u.Array, u.Slot) {
			m.violate(Violation{
				Property: "M5", Array: u.Array, Slot: u.Slot, VIDs: []VID{v},
				Detail: "it is scrubbed while this tenant can reach it",
			})
		}
		delete(m.cells[u.Array], u.Slot)
		return ""
	}
	_, exists := m.tables[u.Key]
	switch {
	case exists && u.Kind == Insert:
		return "the entry is there"
	case !exists && u.Kind != Insert:
		return "the entry is not there"
	case u.Kind == Insert && m.entries(u.Key.Control) >= m.plan.Capacity[u.Key.Control]:
		return "the page table is full"
	case u.Kind == Delete:
		delete(m.tables, u.Key)
		delete(m.grants, u.Key)
	default:
		m.give(u.Key, u.Entry)
		m.checkEntry(u.Key, u.Entry)
	}
	m.checkFrame(u.Key)
	m.checkExclusive()
	return ""
}

// give writes an entry. A slot that the entry did not give at the same virtual index until now is a new grant.
func (m *Machine) give(key Key, next Entry) {
	before, exists := m.tables[key]
	m.written[key]++
	grants := make([][]int, len(next))
	for k, x := range next {
		grants[k] = make([]int, min(max(x.Size, 0), m.plan.Slots[Array{key.Control, k}]))
		for i := range grants[k] {
			grants[k][i] = m.written[key]
			if exists && k < len(before) && before[k].Base == x.Base && int64(i) < before[k].Size {
				grants[k][i] = number(m.grants[key], k, int64(i))
			}
		}
	}
	m.tables[key], m.grants[key] = next, grants
}

func (m *Machine) finish() error {
	if m.Done() || len(m.Pending()) > 0 || m.failed {
		return fmt.Errorf("%w: step %d has not succeeded", ErrImpossible, m.step)
	}
	if m.plan.Steps[m.step].Fence {
		for i := range m.earlier { // those who came after the marker may know what changed since
			if m.packets[i] != nil && m.plan.Empties(m.packets[i].Key.Control) {
				m.packets[i] = nil
			}
		}
	}
	m.step++
	m.begin()
	return nil
}

// touch is one register access: translate in 32 bits, read, check what is found, write.
func (m *Machine) touch(t Action) error {
	if t.N < 0 || t.N >= len(m.packets) || m.packets[t.N] == nil {
		return fmt.Errorf("%w: packet %d is not in flight", ErrImpossible, t.N)
	}
	p := m.packets[t.N]
	a := Array{p.Key.Control, t.Stage}
	if t.Stage < 0 || t.Stage >= len(p.Entry) {
		return nil // a miss
	}
	x := p.Entry[t.Stage]
	v := t.Index & x.Mask
	if v >= uint32(x.Size) {
		return nil // a miss
	}
	slot := int64(uint32(x.Base) + v)
	if slot >= m.plan.Slots[a] || !x.Contains(slot) {
		m.violate(Violation{
			Property: "M3", Array: a, Slot: slot, VIDs: []VID{p.Key.VID},
			Detail: fmt.Sprintf("index %d is translated to slot %d, outside the extent or the array", t.Index, slot),
		})
		return nil
	}
	mine := content{p.Key.VID, p.grant(t.Stage, int64(v))}
	if found, dirty := m.cells[a][slot]; dirty && found != mine {
		m.violate(Violation{
			Property: "M2", Array: a, Slot: slot, VIDs: []VID{p.Key.VID, found.vid},
			Detail: "the first finds what the second left, under this grant or another",
		})
	}
	m.cells[a][slot] = mine
	return nil
}

// known says whether some packet in flight knows what the page table says of key: another that comes now can do nothing that this
// one cannot.
func (m *Machine) known(key Key) bool {
	return slices.ContainsFunc(m.packets, func(p *Packet) bool {
		return p != nil && p.Key == key && slices.Equal(p.Entry, m.tables[key]) && slices.EqualFunc(p.grants, m.grants[key], slices.Equal[[]int])
	})
}

// clone returns a machine that goes its own way from here.
func (m *Machine) clone() *Machine {
	c := *m
	c.tables, c.grants, c.written = maps.Clone(m.tables), maps.Clone(m.grants), maps.Clone(m.written)
	c.cells = map[Array]map[int64]content{}
	for a, cells := range m.cells {
		c.cells[a] = maps.Clone(cells)
	}
	c.packets, c.applied, c.late = slices.Clone(m.packets), slices.Clone(m.applied), slices.Clone(m.late)
	c.Violations, c.seen = slices.Clone(m.Violations), maps.Clone(m.seen)
	return &c
}

// reachers lists who can reach a slot now: through the page table, or as a packet in flight.
func (m *Machine) reachers(a Array, s int64) []VID {
	var out []VID
	add := func(v VID, e Entry) {
		if a.Stage < len(e) && e[a.Stage].Contains(s) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for k, e := range m.tables {
		if k.Control == a.Control {
			add(k.VID, e)
		}
	}
	for _, p := range m.packets {
		if p != nil && p.Key.Control == a.Control {
			add(p.Key.VID, p.Entry)
		}
	}
	slices.Sort(out)
	return out
}

// checkExclusive is M1: it paints every slot with who can reach it.
func (m *Machine) checkExclusive() {
	for _, a := range m.plan.Arrays() {
		owner := make([]VID, m.plan.Slots[a])
		paint := func(v VID, e Entry) {
			if a.Stage >= len(e) {
				return
			}
			x := e[a.Stage]
			for s := max(x.Base, 0); s < min(x.Base+x.Size, int64(len(owner))); s++ {
				if o := owner[s]; o != 0 && o != v {
					m.violate(Violation{
						Property: "M1", Array: a, Slot: s, VIDs: []VID{v, o},
						Detail: "both reach it",
					})
					return
				}
				owner[s] = v
			}
		}
		for _, p := range m.packets {
			if p != nil && p.Key.Control == a.Control {
				paint(p.Key.VID, p.Entry)
			}
		}
		for _, k := range m.tables.Keys() {
			if k.Control == a.Control {
				paint(k.VID, m.tables[k])
			}
		}
	}
}

// checkEntry is M3 for one entry.
func (m *Machine) checkEntry(key Key, e Entry) {
	for k, x := range e {
		a := Array{key.Control, k}
		fail := func(format string, args ...any) {
			m.violate(Violation{
				Property: "M3", Array: a, Slot: x.Base, VIDs: []VID{key.VID},
				Detail: fmt.Sprintf(format, args...),
			})
		}
		if x.Size == 0 {
			continue
		}
		if x.Base < 0 || x.Size < 0 || x.Base+x.Size > m.plan.Slots[a] {
			fail("slots %d to %d are not all in the array of %d", x.Base, x.Base+x.Size-1, m.plan.Slots[a])
		}
		if x.Mask&(x.Mask+1) != 0 {
			fail("the mask %#x is not of the form 2^k-1", x.Mask)
		} else if int64(x.Mask)+1 < x.Size {
			fail("the mask %#x folds indices below the size %d", x.Mask, x.Size)
		}
	}
}

// checkFrame is M5 for what the page table now says about key: what is kept is where it was, and an extent under the old generation
// shows only what the tenant had under it.
func (m *Machine) checkFrame(key Key) {
	pre, had := m.plan.Pre[key]
	goal, wanted := m.plan.Goal[key]
	cur, exists := m.tables[key]
	for k := range max(len(pre), len(cur), len(goal)) {
		a := Array{key.Control, k}
		kept := m.plan.Kept(key.VID, a)
		for i := range kept {
			if s, hit := at(m.tables, key.VID, a).Slot(uint32(i)); !hit || s != pre[k].Base+i {
				m.violate(Violation{
					Property: "M5", Array: a, Slot: pre[k].Base + i, VIDs: []VID{key.VID},
					Detail: fmt.Sprintf("it is kept, yet not reached at index %d", i),
				})
				break
			}
		}
		if !exists || k >= len(cur) {
			continue
		}
		x, fail := cur[k], func(what string) {
			m.violate(Violation{
				Property: "M5", Array: a, Slot: -1, VIDs: []VID{key.VID},
				Detail: fmt.Sprintf("generation %d is %s", cur[k].Generation, what),
			})
		}
		isOld := had && x.Generation == pre[k].Generation
		isNew := wanted && x.Generation == goal[k].Generation
		switch {
		case wanted && !isOld && !isNew:
			fail("neither that before nor that of the goal")
		case isOld && m.plan.Lost(key.VID, a) && x.Size > 0 && (x.Base != pre[k].Base || x.Size > pre[k].Size):
			fail("the old one, though the slots are others")
		}
	}
}

// checkKey is M4 for an update: nothing is written under a VID that nobody has.
func (m *Machine) checkKey(u Update) {
	if (u.Kind == Insert || u.Kind == Modify) && !slices.Contains(m.plan.Registered, u.Key.VID) {
		m.violate(Violation{
			Property: "M4", Slot: -1, VIDs: []VID{u.Key.VID},
			Detail: fmt.Sprintf("%s in %s under VID %d, which no tenant has", u.Kind, u.Key.Control, u.Key.VID),
		})
	}
}

// checkRegistered is M4 for the site's list.
func (m *Machine) checkRegistered() {
	seen := map[VID]bool{}
	for _, v := range m.plan.Registered {
		if seen[v] || v < 1 || v > 4094 {
			m.violate(Violation{Property: "M4", Slot: -1, VIDs: []VID{v}, Detail: fmt.Sprintf("VID %d is taken twice, or cannot be a tag", v)})
		}
		seen[v] = true
	}
}

// checkGoal is M6, and M5 for generations, when all steps have succeeded.
func (m *Machine) checkGoal() {
	for _, v := range m.plan.VIDs() {
		for _, a := range m.plan.Arrays() {
			key := Key{a.Control, v}
			have, exists := m.tables[key]
			x, want := at(m.tables, v, a), at(m.plan.Goal, v, a)
			fail := func(prop, format string, args ...any) {
				m.violate(Violation{
					Property: prop, Array: a, Slot: -1, VIDs: []VID{v},
					Detail: fmt.Sprintf(format, args...),
				})
			}
			_, wanted := m.plan.Goal[key]
			switch {
			case x.Size != want.Size, x.Size > 0 && (x.Base != want.Base || x.Mask != want.Mask):
				fail("M6", "ends with base %d, size %d, mask %#x; the goal is %d, %d, %#x", x.Base, x.Size, x.Mask, want.Base, want.Size, want.Mask)
			case exists && wanted && x.Generation != want.Generation:
				fail("M6", "ends with generation %d, the goal is %d", x.Generation, want.Generation)
			}
			if l, ok := m.plan.Limits[Place{a, v}]; want.Size > 0 && !ok {
				fail("M6", "the policy grants no slots, the goal has %d", want.Size)
			} else if ok && (want.Size < l.Floor || want.Size > l.Ceiling) {
				fail("M6", "the goal of %d slots is not within the policy's %d..%d", want.Size, l.Floor, l.Ceiling)
			}
			pre, had := m.plan.Pre[key]
			if !had || !exists || len(have) == 0 {
				continue
			}
			next := pre[a.Stage].Generation
			if m.plan.Lost(v, a) {
				next++
			}
			if x.Generation != next {
				fail("M5", "generation %d should be %d", x.Generation, next)
			}
		}
	}
}

func (m *Machine) entries(c specs.Control) int64 {
	var n int64
	for k := range m.tables {
		if k.Control == c {
			n++
		}
	}
	return n
}

// violate records a violation once for each property, array and pair of tenants.
func (m *Machine) violate(v Violation) {
	v.Step = m.step
	k := fmt.Sprint(v.Property, v.Array, v.VIDs)
	if !m.seen[k] {
		m.seen[k] = true
		m.Violations = append(m.Violations, v)
	}
}

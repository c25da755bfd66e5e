package dataplane

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// A Profile holds the members and groups of an action profile or, with Selector, an action selector. Packets read it without
// locks, and see a member or group before or after an update, never half. Its methods are safe for concurrent use.
type Profile struct {
	Name     string // in the P4Info
	Size     int    // members it has room for
	Selector bool
	// Actions are those of the tables that it implements; they all have the same.
	Actions []Action

	sum     func([]byte) uint64 // of a selector
	mu      sync.Mutex
	members map[uint32]*Member
	groups  map[uint32]*Group
	sets    atomic.Int64 // that entries have for themselves
}

// Uses counts the members and groups, and the sets that entries have for themselves (see Choose).
func (p *Profile) Uses() (members, groups, sets int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.members), len(p.groups), int(p.sets.Load())
}

// A Member is an action with arguments that entries and groups refer to.
type Member struct {
	ID   uint32 // 0 in a set that an entry has for itself
	do   atomic.Pointer[Do]
	uses atomic.Int64 // by groups and entries
}

// Do is what the member does now.
func (m *Member) Do() *Do { return m.do.Load() }

// A Share is a member's part in a group.
type Share struct {
	Member uint32
	Weight int // at least 1
	// Down takes the member out of the choice, without taking it out of the group.
	Down bool
	// WatchPort is kept for the control plane.
	WatchPort []byte
	// Do is the action of a member of a set that an entry has for itself; else nil.
	Do *Do
}

// A Group is a set of members of which a selector picks one for each packet.
type Group struct {
	ID     uint32 // 0 for a set that an entry has for itself
	uses   atomic.Int64
	state  atomic.Pointer[groupState]
	actual *Profile
	// Random says that packets choose at random, and not by the selector's hash.
	Random bool
	// Semantics is what the control plane keeps with a set that an entry has for itself.
	Semantics int32
}

type groupState struct {
	max    int
	shares []Share
	held   []*Member
	choice []*Member // as often as the weight says, ordered by member id; the ones that are down are not there
}

// Shares is who is in the group, not to be changed.
func (g *Group) Shares() []Share { return g.state.Load().shares }

// Max is the greatest sum of weights that the control plane asked for, or 0.
func (g *Group) Max() int { return g.state.Load().max }

func newProfile(name string, size int) *Profile {
	return &Profile{Name: name, Size: size, members: map[uint32]*Member{}, groups: map[uint32]*Group{}}
}

// Member is the member with that id. It fails with ErrNotFound.
func (p *Profile) Member(id uint32) (*Member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.member(id)
}

func (p *Profile) member(id uint32) (*Member, error) {
	if m := p.members[id]; m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("profile %s, member %d: %w", p.Name, id, ErrNotFound)
}

// Members lists the members by id.
func (p *Profile) Members() []*Member {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.members), func(a, b *Member) int { return order(a.ID, b.ID) })
}

func order(a, b uint32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// InsertMember adds a member. It fails with ErrExists or ErrFull.
func (p *Profile) InsertMember(id uint32, do *Do) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.members[id] != nil {
		return fmt.Errorf("profile %s, member %d: %w", p.Name, id, ErrExists)
	}
	if len(p.members) >= p.Size {
		return fmt.Errorf("profile %s: %w: it has %d members", p.Name, ErrFull, p.Size)
	}
	m := &Member{ID: id}
	m.do.Store(do)
	p.members[id] = m
	return nil
}

// ModifyMember replaces what a member does, for every entry and group that refers to it. It fails with ErrNotFound.
func (p *Profile) ModifyMember(id uint32, do *Do) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, err := p.member(id)
	if err != nil {
		return err
	}
	m.do.Store(do)
	return nil
}

// DeleteMember removes a member. It fails with ErrNotFound, or with ErrInUse while an entry or group refers to it.
func (p *Profile) DeleteMember(id uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, err := p.member(id)
	if err != nil {
		return err
	}
	if n := m.uses.Load(); n > 0 {
		return fmt.Errorf("profile %s, member %d: %w: %d references", p.Name, id, ErrInUse, n)
	}
	delete(p.members, id)
	return nil
}

// Group is the group with that id. It fails with ErrNotFound.
func (p *Profile) Group(id uint32) (*Group, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.group(id)
}

func (p *Profile) group(id uint32) (*Group, error) {
	if g := p.groups[id]; g != nil {
		return g, nil
	}
	return nil, fmt.Errorf("profile %s, group %d: %w", p.Name, id, ErrNotFound)
}

// Groups lists the groups by id.
func (p *Profile) Groups() []*Group {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.groups), func(a, b *Group) int { return order(a.ID, b.ID) })
}

// arrange makes the state of a group. The caller holds mu.
func (p *Profile) arrange(size int, shares []Share) (*groupState, error) {
	s := &groupState{max: size, shares: slices.Clone(shares)}
	slices.SortStableFunc(s.shares, func(a, b Share) int { return order(a.Member, b.Member) })
	for i, sh := range s.shares {
		if sh.Weight < 1 {
			return nil, fmt.Errorf("profile %s: weight %d of member %d: %w", p.Name, sh.Weight, sh.Member, ErrRange)
		}
		var m *Member
		if sh.Do != nil {
			m = &Member{}
			m.do.Store(sh.Do)
		} else {
			if i > 0 && s.shares[i-1].Member == sh.Member {
				return nil, fmt.Errorf("profile %s: member %d twice in a group: %w", p.Name, sh.Member, ErrExists)
			}
			var err error
			if m, err = p.member(sh.Member); err != nil {
				return nil, err
			}
		}
		s.held = append(s.held, m)
		if sh.Down {
			continue
		}
		if len(s.choice)+sh.Weight > maxChoice {
			return nil, fmt.Errorf("profile %s: %w: weights of more than %d in a group", p.Name, ErrFull, maxChoice)
		}
		for range sh.Weight {
			s.choice = append(s.choice, m)
		}
	}
	return s, nil
}

// maxChoice bounds the sum of the weights in a group.
const maxChoice = 1 << 16

func (s *groupState) hold(n int64) {
	if s == nil {
		return
	}
	for _, m := range s.held {
		m.uses.Add(n)
	}
}

// InsertGroup adds a group. It fails with ErrExists, or with ErrNotFound if a member is missing.
func (p *Profile) InsertGroup(id uint32, size int, shares []Share) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.groups[id] != nil {
		return fmt.Errorf("profile %s, group %d: %w", p.Name, id, ErrExists)
	}
	s, err := p.arrange(size, shares)
	if err != nil {
		return err
	}
	g := &Group{ID: id, actual: p}
	s.hold(1)
	g.state.Store(s)
	p.groups[id] = g
	return nil
}

// ModifyGroup replaces what is in a group. A packet chooses among the old or among the new members.
func (p *Profile) ModifyGroup(id uint32, size int, shares []Share) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, err := p.group(id)
	if err != nil {
		return err
	}
	s, err := p.arrange(size, shares)
	if err != nil {
		return err
	}
	s.hold(1)
	g.state.Swap(s).hold(-1)
	return nil
}

// Rearrange takes members of a group, or of a set that an entry has for itself, out of the choice, or puts them back.
func (p *Profile) Rearrange(g *Group, down func(Share) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := g.state.Load()
	s := &groupState{max: old.max, shares: slices.Clone(old.shares), held: old.held}
	for i := range s.shares {
		if s.shares[i].Down = down(s.shares[i]); s.shares[i].Down {
			continue
		}
		for range s.shares[i].Weight {
			s.choice = append(s.choice, s.held[i])
		}
	}
	g.state.Store(s)
}

// DeleteGroup removes a group. It fails with ErrNotFound, or with ErrInUse while an entry refers to it.
func (p *Profile) DeleteGroup(id uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, err := p.group(id)
	if err != nil {
		return err
	}
	if n := g.uses.Load(); n > 0 {
		return fmt.Errorf("profile %s, group %d: %w: %d references", p.Name, id, ErrInUse, n)
	}
	g.state.Load().hold(-1)
	delete(p.groups, id)
	return nil
}

// Refer is what an entry does that refers to a member or, with group, to a group. It fails with ErrNotFound.
func (p *Profile) Refer(id uint32, group bool) (*Do, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if group {
		g, err := p.group(id)
		if err != nil {
			return nil, err
		}
		return &Do{Action: -1, Group: g}, nil
	}
	m, err := p.member(id)
	if err != nil {
		return nil, err
	}
	return &Do{Action: -1, Member: m}, nil
}

// Choose is what an entry does that chooses among actions of its own: every share has a Do.
func (p *Profile) Choose(shares []Share, random bool, semantics int32) (*Do, error) {
	for _, s := range shares {
		if s.Do == nil {
			return nil, fmt.Errorf("profile %s: a share without an action: %w", p.Name, ErrRange)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.arrange(0, shares)
	if err != nil {
		return nil, err
	}
	g := &Group{actual: p, Random: random, Semantics: semantics}
	g.state.Store(s)
	return &Do{Action: -1, Group: g}, nil
}

// hold counts an entry's reference.
func (d *Do) hold(n int64) {
	switch {
	case d == nil:
	case d.Member != nil:
		d.Member.uses.Add(n)
	case d.Group != nil:
		d.Group.uses.Add(n)
		if d.Group.ID == 0 {
			d.Group.actual.sets.Add(n)
		}
	}
}

// pick is the member that a hash chooses, or nil if there is none to choose.
func (g *Group) pick(hash uint64) *Member {
	s := g.state.Load()
	if len(s.choice) == 0 {
		return nil
	}
	return s.choice[hash%uint64(len(s.choice))]
}

// Profiles lists the program's action profiles and selectors.
func (p *Pipeline) Profiles() []*Profile { return p.profiles }

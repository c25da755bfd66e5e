package softswitch

//lint:file-ignore SA1019 the deprecated watch must be refused, not taken for a member that watches nothing

import (
	"fmt"
	"math"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// boundProfile is an action profile or selector with the ids that P4Runtime knows it by.
type boundProfile struct {
	*dataplane.Profile
	id      uint32
	info    *configv1.ActionProfile
	actions *boundActions
	ports   *ports
}

func bindProfile(p *dataplane.Profile, info *configv1.ActionProfile, actions map[string]*configv1.Action, ports *ports) (*boundProfile, error) {
	b := &boundProfile{Profile: p, id: info.GetPreamble().GetId(), info: info, ports: ports}
	var err error
	b.actions, err = bindActions("profile "+p.Name, p.Actions, actions)
	if err == nil && info.GetWithSelector() != p.Selector {
		err = fmt.Errorf("profile %s: its P4Info and the program disagree on the selector", p.Name)
	}
	return b, err
}

func (p *program) profile(id uint32) (*boundProfile, error) {
	b := p.profiles[id]
	if b == nil {
		return nil, status.Errorf(codes.NotFound, "there is no action profile %#x", id)
	}
	return b, nil
}

// errOneShot refuses what the specification does: tables of a selector are programmed by members and groups, or in one shot.
func (b *boundProfile) errOneShot(with string) error {
	return bad("profile %s is in use with %s: one shots do not go with members and groups", b.Name, with)
}

func (b *boundProfile) refer(id uint32, group bool) (*dataplane.Do, error) {
	if id == 0 {
		return nil, bad("profile %s: 0 is no member and no group", b.Name)
	}
	do, err := b.Refer(id, group)
	return do, dataError(err)
}

// writeMember inserts, modifies or deletes a member.
func (p *program) writeMember(t p4v1.Update_Type, e *p4v1.ActionProfileMember) (undo func(), err error) {
	b, err := p.profile(e.GetActionProfileId())
	if err != nil {
		return nil, err
	}
	id := e.GetMemberId()
	if id == 0 {
		return nil, bad("profile %s: member 0 is no member", b.Name)
	}
	if t == p4v1.Update_DELETE {
		m, err := b.Member(id)
		if err != nil {
			return nil, dataError(err)
		}
		do := m.Do()
		if err := b.DeleteMember(id); err != nil {
			return nil, dataError(err)
		}
		return func() { _ = b.InsertMember(id, do) }, nil
	}
	do, err := b.actions.decode(e.GetAction(), inEntry)
	if err != nil {
		return nil, err
	}
	if t == p4v1.Update_INSERT {
		if _, _, sets := b.Uses(); sets > 0 {
			return nil, b.errOneShot("one shots")
		}
		if err := b.InsertMember(id, do); err != nil {
			return nil, dataError(err)
		}
		return func() { _ = b.DeleteMember(id) }, nil
	}
	m, err := b.Member(id)
	if err != nil {
		return nil, dataError(err)
	}
	old := m.Do()
	if err := b.ModifyMember(id, do); err != nil {
		return nil, dataError(err)
	}
	return func() { _ = b.ModifyMember(id, old) }, nil
}

// writeGroup inserts, modifies or deletes a group.
func (p *program) writeGroup(t p4v1.Update_Type, e *p4v1.ActionProfileGroup) (undo func(), err error) {
	b, err := p.profile(e.GetActionProfileId())
	if err != nil {
		return nil, err
	}
	id := e.GetGroupId()
	switch {
	case !b.Selector:
		return nil, bad("profile %s has no selector, and so no groups", b.Name)
	case id == 0:
		return nil, bad("profile %s: group 0 is no group", b.Name)
	}
	var old []dataplane.Share
	var oldMax int
	if t != p4v1.Update_INSERT {
		g, err := b.Group(id)
		if err != nil {
			return nil, dataError(err)
		}
		old, oldMax = g.Shares(), g.Max()
	}
	if t == p4v1.Update_DELETE {
		if err := b.DeleteGroup(id); err != nil {
			return nil, dataError(err)
		}
		return func() { _ = b.InsertGroup(id, oldMax, old) }, nil
	}
	size := int(e.GetMaxSize())
	static := int(b.info.GetMaxGroupSize())
	switch {
	case size < 0 || static > 0 && size > static:
		return nil, bad("profile %s: max_size %d of a group: the program allows %d", b.Name, size, static)
	case t == p4v1.Update_MODIFY && size != oldMax:
		return nil, bad("profile %s, group %d: max_size is %d and cannot be changed", b.Name, id, oldMax)
	}
	shares := make([]dataplane.Share, 0, len(e.GetMembers()))
	seen := map[uint32]bool{}
	for _, m := range e.GetMembers() {
		if seen[m.GetMemberId()] {
			return nil, bad("profile %s, group %d: member %d is there twice", b.Name, id, m.GetMemberId())
		}
		seen[m.GetMemberId()] = true
		s := dataplane.Share{Member: m.GetMemberId()}
		if err := b.setShare(&s, m.GetWeight(), m.GetWatch(), m.GetWatchPort()); err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	limit := size
	if limit == 0 {
		limit = static
	}
	if n := b.size(shares, p4v1.ActionProfileActionSet_DEFAULT_SIZE_DETERMINED_BY_ACTION_SELECTOR); limit > 0 && n > limit {
		return nil, status.Errorf(codes.ResourceExhausted, "profile %s, group %d: a size of %d, and room for %d", b.Name, id, n, limit)
	}
	if t == p4v1.Update_INSERT {
		if _, _, sets := b.Uses(); sets > 0 {
			return nil, b.errOneShot("one shots")
		}
		if err := b.InsertGroup(id, size, shares); err != nil {
			return nil, dataError(err)
		}
		return func() { _ = b.DeleteGroup(id) }, nil
	}
	if err := b.ModifyGroup(id, size, shares); err != nil {
		return nil, dataError(err)
	}
	return func() { _ = b.ModifyGroup(id, size, old) }, nil
}

// setShare checks and sets the weight and the port that a member's part depends on.
func (b *boundProfile) setShare(s *dataplane.Share, weight, watch int32, port []byte) error {
	switch disallowed := b.info.GetWeightsDisallowed(); {
	case disallowed && weight != 0:
		return bad("profile %s: the program allows no weights", b.Name)
	case disallowed:
		weight = 1
	case weight < 1:
		return bad("profile %s: a weight of %d: it must be at least 1", b.Name, weight)
	}
	if m := b.info.GetSumOfMembers(); m != nil && m.GetMaxMemberWeight() > 0 && weight > m.GetMaxMemberWeight() {
		return bad("profile %s: a weight of %d: the program allows %d", b.Name, weight, m.GetMaxMemberWeight())
	}
	s.Weight = int(weight)
	if watch != 0 {
		return status.Error(codes.Unimplemented, "watch is deprecated: use watch_port")
	}
	if len(port) > 0 {
		n, err := decodePort(port)
		if err != nil {
			return err
		}
		s.WatchPort = port
		s.Down = b.ports.isDown(n)
	}
	return nil
}

// size is what a group counts for.
func (b *boundProfile) size(shares []dataplane.Share, as p4v1.ActionProfileActionSet_SizeSemantics) int {
	members := b.info.GetSumOfMembers() != nil
	switch as {
	case p4v1.ActionProfileActionSet_SUM_OF_MEMBERS:
		members = true
	case p4v1.ActionProfileActionSet_SUM_OF_WEIGHTS:
		members = false
	}
	n := 0
	for _, s := range shares {
		if members {
			n++
		} else {
			n += s.Weight
		}
	}
	return n
}

// decodeSet reads a one shot: a group that an entry has for itself.
func (b *boundProfile) decodeSet(set *p4v1.ActionProfileActionSet) (*dataplane.Do, error) {
	if !b.Selector {
		return nil, bad("profile %s has no selector: an entry needs a member", b.Name)
	}
	if members, groups, _ := b.Uses(); members > 0 || groups > 0 {
		return nil, b.errOneShot("members and groups")
	}
	mode, as := set.GetActionSelectionMode(), set.GetSizeSemantics()
	switch {
	case mode.Descriptor().Values().ByNumber(mode.Number()) == nil:
		return nil, bad("action selection mode %v", mode)
	case as.Descriptor().Values().ByNumber(as.Number()) == nil:
		return nil, bad("size semantics %v", as)
	}
	var shares []dataplane.Share
	for _, a := range set.GetActionProfileActions() {
		do, err := b.actions.decode(a.GetAction(), inEntry)
		if err != nil {
			return nil, err
		}
		s := dataplane.Share{Do: do}
		if err := b.setShare(&s, a.GetWeight(), a.GetWatch(), a.GetWatchPort()); err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	if limit, n := int(b.info.GetMaxGroupSize()), b.size(shares, as); limit > 0 && n > limit {
		return nil, bad("profile %s: a one shot of size %d: the program allows %d", b.Name, n, limit)
	}
	do, err := b.Choose(shares, mode == p4v1.ActionProfileActionSet_RANDOM, int32(mode)|int32(as)<<semanticsShift)
	return do, dataError(err)
}

// semanticsShift is where dataplane.Group.Semantics has a one shot's size semantics; below is its selection mode.
const semanticsShift = 8

// encodeSet is a one shot as it was written.
func (b *boundProfile) encodeSet(g *dataplane.Group) *p4v1.ActionProfileActionSet {
	set := &p4v1.ActionProfileActionSet{
		ActionSelectionMode: p4v1.ActionProfileActionSet_ActionSelectionMode(g.Semantics & (1<<semanticsShift - 1)),
		SizeSemantics:       p4v1.ActionProfileActionSet_SizeSemantics(g.Semantics >> semanticsShift),
	}
	for _, s := range g.Shares() {
		a := &p4v1.ActionProfileAction{Action: b.actions.encode(s.Do), Weight: b.weight(s)}
		if len(s.WatchPort) > 0 {
			a.WatchKind = &p4v1.ActionProfileAction_WatchPort{WatchPort: s.WatchPort}
		}
		set.ActionProfileActions = append(set.ActionProfileActions, a)
	}
	return set
}

func (b *boundProfile) weight(s dataplane.Share) int32 {
	if b.info.GetWeightsDisallowed() {
		return 0
	}
	return int32(min(s.Weight, math.MaxInt32))
}

// profilesOf lists the profiles that a read means: all for id 0.
func (p *program) profilesOf(id uint32) ([]*boundProfile, error) {
	if id != 0 {
		b, err := p.profile(id)
		return []*boundProfile{b}, err
	}
	var all []*boundProfile
	for _, info := range p.info.GetActionProfiles() {
		all = append(all, p.profiles[info.GetPreamble().GetId()])
	}
	return all, nil
}

// readMembers answers an ActionProfileMember: all profiles without a profile id, all members without a member id.
func (p *program) readMembers(e *p4v1.ActionProfileMember, out *answer) error {
	if e.GetActionProfileId() == 0 && e.GetMemberId() != 0 {
		return bad("a member id without a profile id")
	}
	profiles, err := p.profilesOf(e.GetActionProfileId())
	if err != nil {
		return err
	}
	for _, b := range profiles {
		members := b.Members()
		if id := e.GetMemberId(); id != 0 {
			m, err := b.Member(id)
			if err != nil {
				return dataError(err)
			}
			members = []*dataplane.Member{m}
		}
		for _, m := range members {
			err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_ActionProfileMember{ActionProfileMember: &p4v1.ActionProfileMember{
				ActionProfileId: b.id, MemberId: m.ID, Action: b.actions.encode(m.Do()),
			}}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// readGroups answers an ActionProfileGroup: all selectors without a profile id, all groups without a group id.
func (p *program) readGroups(e *p4v1.ActionProfileGroup, out *answer) error {
	if e.GetActionProfileId() == 0 && e.GetGroupId() != 0 {
		return bad("a group id without a profile id")
	}
	profiles, err := p.profilesOf(e.GetActionProfileId())
	if err != nil {
		return err
	}
	for _, b := range profiles {
		groups := b.Groups()
		if id := e.GetGroupId(); id != 0 {
			g, err := b.Group(id)
			if err != nil {
				return dataError(err)
			}
			groups = []*dataplane.Group{g}
		}
		for _, g := range groups {
			x := &p4v1.ActionProfileGroup{ActionProfileId: b.id, GroupId: g.ID, MaxSize: int32(g.Max())}
			for _, s := range g.Shares() {
				m := &p4v1.ActionProfileGroup_Member{MemberId: s.Member, Weight: b.weight(s)}
				if len(s.WatchPort) > 0 {
					m.WatchKind = &p4v1.ActionProfileGroup_Member_WatchPort{WatchPort: s.WatchPort}
				}
				x.Members = append(x.Members, m)
			}
			if err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_ActionProfileGroup{ActionProfileGroup: x}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// watchPorts takes members whose port is down out of every choice, and puts those back whose port is up again.
func (p *program) watchPorts() {
	down := func(s dataplane.Share) bool {
		if len(s.WatchPort) == 0 {
			return false
		}
		n, err := decodePort(s.WatchPort)
		return err == nil && p.ports.isDown(n)
	}
	for _, b := range p.profiles {
		for _, g := range b.Groups() {
			b.Rearrange(g, down)
		}
	}
	for _, b := range p.tables {
		if b.profile == nil || !b.profile.Selector {
			continue
		}
		for _, e := range b.Entries() {
			if g := e.Do().Group; g != nil && g.ID == 0 {
				b.profile.Rearrange(g, down)
			}
		}
	}
}

package softswitch

import (
	"bytes"
	"context"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A rig is a switch that runs testdata/entities.p4, and its primary.
type rig struct {
	*testing.T
	s *Switch
	c *controller
	*session
}

func entities(t *testing.T) *rig {
	t.Helper()
	s, c := serve(t, Options{})
	text, err := os.ReadFile("testdata/entities.p4")
	if err != nil {
		t.Fatal(err)
	}
	c.use(text)
	return &rig{t, s, c, c.primary(1)}
}

// id is that of the only object of a kind that has the name.
func (r *rig) id(name string) uint32 {
	for id, p := range preamblesOf(r.c.info) {
		if p.GetName() == name {
			return id
		}
	}
	r.Fatalf("no object %s", name)
	return 0
}

// what a packet of entities.p4 asks for.
type what struct{ group, session, member, hash, cell, kind byte }

// ports are those that a packet leaves on.
func (r *rig) ports(w what) []uint16 {
	r.Helper()
	out, err := r.s.Process(1, []byte{w.group, w.session, w.member, w.hash, w.cell, w.kind})
	if err != nil {
		r.Fatal(err)
	}
	var ports []uint16
	for _, o := range out {
		ports = append(ports, o.Port)
	}
	return ports
}

func (r *rig) want(w what, ports ...uint16) {
	r.Helper()
	if got := r.ports(w); !slices.Equal(got, ports) {
		r.Errorf("%+v leaves on %v, want %v", w, got, ports)
	}
}

func (r *rig) do(t p4v1.Update_Type, e *p4v1.Entity) codes.Code {
	r.Helper()
	err := r.c.write(&p4v1.Update{Type: t, Entity: e})
	if err == nil {
		return codes.OK
	}
	if cs := updateErrors(err); len(cs) == 1 {
		return cs[0]
	}
	return status.Code(err)
}

// must does an update, and reads it back: what is read is what was written.
func (r *rig) must(t p4v1.Update_Type, e *p4v1.Entity) {
	r.Helper()
	if c := r.do(t, e); c != codes.OK {
		r.Fatalf("%v %v: %v", t, e, c)
	}
	if t == remove {
		return
	}
	r.reads(e)
}

// reads expects an entity to be read as it was written.
func (r *rig) reads(e *p4v1.Entity) {
	r.Helper()
	key := proto.CloneOf(e)
	if te := key.GetTableEntry(); te != nil {
		te.Action = nil // would choose among entries
	}
	if got := r.c.mustRead(key); len(got) != 1 || !proto.Equal(got[0], e) {
		r.Errorf("written %v\nread %v", e, got)
	}
}

func member(profile, id uint32, a *p4v1.TableAction) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_ActionProfileMember{ActionProfileMember: &p4v1.ActionProfileMember{
		ActionProfileId: profile, MemberId: id, Action: a.GetAction(),
	}}}
}

func group(profile, id uint32, size int32, members ...*p4v1.ActionProfileGroup_Member) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_ActionProfileGroup{ActionProfileGroup: &p4v1.ActionProfileGroup{
		ActionProfileId: profile, GroupId: id, MaxSize: size, Members: members,
	}}}
}

func share(id uint32, weight int32, port ...byte) *p4v1.ActionProfileGroup_Member {
	m := &p4v1.ActionProfileGroup_Member{MemberId: id, Weight: weight}
	if len(port) > 0 {
		m.WatchKind = &p4v1.ActionProfileGroup_Member_WatchPort{WatchPort: port}
	}
	return m
}

func toMember(id uint32) *p4v1.TableAction {
	return &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileMemberId{ActionProfileMemberId: id}}
}

func toGroup(id uint32) *p4v1.TableAction {
	return &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileGroupId{ActionProfileGroupId: id}}
}

func (r *rig) entry(table string, key byte, a *p4v1.TableAction) *p4v1.Entity {
	return entity(&p4v1.TableEntry{TableId: r.c.tableID(table), Match: []*p4v1.FieldMatch{exact(1, key)}, Action: a})
}

func (r *rig) to(port byte) *p4v1.TableAction { return r.c.action("I.to", []byte{port}) }

func TestActionProfile(t *testing.T) {
	r := entities(t)
	p := r.id("I.shared")
	r.must(insert, member(p, 1, r.to(3)))
	r.must(insert, r.entry("I.indirect", 5, toMember(1)))
	r.want(what{member: 5, kind: 3}, 3)
	r.must(modify, member(p, 1, r.to(4)))
	r.want(what{member: 5, kind: 3}, 4)
	for name, tc := range map[string]struct {
		t    p4v1.Update_Type
		e    *p4v1.Entity
		want codes.Code
	}{
		"member twice":            {insert, member(p, 1, r.to(3)), codes.AlreadyExists},
		"member 0":                {insert, member(p, 0, r.to(3)), codes.InvalidArgument},
		"member without action":   {insert, member(p, 2, nil), codes.InvalidArgument},
		"member of no profile":    {insert, member(p+1, 2, r.to(3)), codes.NotFound},
		"modify no member":        {modify, member(p, 2, r.to(3)), codes.NotFound},
		"delete no member":        {remove, member(p, 2, nil), codes.NotFound},
		"delete a used member":    {remove, member(p, 1, nil), codes.FailedPrecondition},
		"group without selector":  {insert, group(p, 1, 0), codes.InvalidArgument},
		"entry with no member":    {insert, r.entry("I.indirect", 6, toMember(9)), codes.NotFound},
		"entry with member 0":     {insert, r.entry("I.indirect", 6, toMember(0)), codes.InvalidArgument},
		"entry with an action":    {insert, r.entry("I.indirect", 6, r.to(1)), codes.InvalidArgument},
		"member in a plain table": {insert, r.entry("I.aged", 6, toMember(1)), codes.InvalidArgument},
		"default of an indirect table": {modify, entity(&p4v1.TableEntry{
			TableId: r.c.tableID("I.indirect"), IsDefaultAction: true, Action: toMember(1),
		}), codes.PermissionDenied},
	} {
		if got := r.do(tc.t, tc.e); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	for id := uint32(2); id <= 4; id++ {
		r.must(insert, member(p, id, r.to(1)))
	}
	if got := r.do(insert, member(p, 5, r.to(1))); got != codes.ResourceExhausted {
		t.Errorf("more members than there is room for: %v", got)
	}
	if got := r.c.mustRead(member(0, 0, nil)); len(got) != 4 {
		t.Errorf("all members: %v", got)
	}
	r.must(remove, r.entry("I.indirect", 5, nil))
	r.must(remove, member(p, 1, nil))
}

func TestSelectorGroups(t *testing.T) {
	r := entities(t)
	p := r.id("I.choice")
	r.must(insert, member(p, 1, r.to(1)))
	r.must(insert, member(p, 2, r.to(2)))
	r.must(insert, group(p, 7, 3, share(1, 2), share(2, 1, 2)))
	r.must(insert, r.entry("I.pick", 5, toGroup(7)))
	count := func() map[uint16]int {
		n := map[uint16]int{}
		for h := range 30 {
			for _, port := range r.ports(what{member: 5, hash: byte(h), kind: 2}) {
				n[port]++
			}
		}
		return n
	}
	if n := count(); n[1] != 20 || n[2] != 10 {
		t.Errorf("weights 2 and 1 of 30 packets: %v", n)
	}
	if err := r.s.SetPort(2, false); err != nil {
		t.Fatal(err)
	}
	if n := count(); n[1] != 30 {
		t.Errorf("with port 2 down: %v", n)
	}
	if err := r.s.SetPort(2, true); err != nil {
		t.Fatal(err)
	}
	if n := count(); n[2] != 10 {
		t.Errorf("with port 2 up again: %v", n)
	}
	for name, tc := range map[string]struct {
		t    p4v1.Update_Type
		e    *p4v1.Entity
		want codes.Code
	}{
		"group twice":                {insert, group(p, 7, 3), codes.AlreadyExists},
		"group 0":                    {insert, group(p, 0, 3), codes.InvalidArgument},
		"group of no member":         {insert, group(p, 8, 3, share(9, 1)), codes.NotFound},
		"a member twice":             {insert, group(p, 8, 3, share(1, 1), share(1, 1)), codes.InvalidArgument},
		"weight 0":                   {insert, group(p, 8, 3, share(1, 0)), codes.InvalidArgument},
		"watch of no port":           {insert, group(p, 8, 3, share(1, 1, 2, 0)), codes.InvalidArgument},
		"more than max_size":         {insert, group(p, 8, 3, share(1, 4)), codes.ResourceExhausted},
		"another max_size":           {modify, group(p, 7, 4), codes.InvalidArgument},
		"modify no group":            {modify, group(p, 8, 3), codes.NotFound},
		"delete a used group":        {remove, group(p, 7, 0), codes.FailedPrecondition},
		"delete a member of a group": {remove, member(p, 1, nil), codes.FailedPrecondition},
		"one shot among groups":      {insert, r.entry("I.pick", 6, oneShot(r.to(1))), codes.InvalidArgument},
	} {
		if got := r.do(tc.t, tc.e); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	r.must(modify, group(p, 7, 3, share(2, 1)))
	r.want(what{member: 5, kind: 2}, 2)
	r.must(remove, r.entry("I.pick", 5, nil))
	r.must(remove, group(p, 7, 0))
	r.must(remove, member(p, 1, nil))
}

func oneShot(actions ...*p4v1.TableAction) *p4v1.TableAction {
	set := &p4v1.ActionProfileActionSet{}
	for _, a := range actions {
		set.ActionProfileActions = append(set.ActionProfileActions, &p4v1.ActionProfileAction{Action: a.GetAction(), Weight: 1})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileActionSet{ActionProfileActionSet: set}}
}

func TestOneShot(t *testing.T) {
	r := entities(t)
	r.must(insert, r.entry("I.pick", 5, oneShot(r.to(4), r.to(3), r.to(3))))
	n := map[uint16]int{}
	for h := range 30 {
		for _, port := range r.ports(what{member: 5, hash: byte(h), kind: 2}) {
			n[port]++
		}
	}
	if n[4] != 10 || n[3] != 20 {
		t.Errorf("of 30 packets: %v", n)
	}
	if got := r.do(insert, member(r.id("I.choice"), 1, r.to(1))); got != codes.InvalidArgument {
		t.Errorf("a member among one shots: %v", got)
	}
	random := oneShot(r.to(4), r.to(3))
	random.GetActionProfileActionSet().ActionSelectionMode = p4v1.ActionProfileActionSet_RANDOM
	random.GetActionProfileActionSet().SizeSemantics = p4v1.ActionProfileActionSet_SUM_OF_WEIGHTS
	r.must(insert, r.entry("I.pick", 6, random))
	n = map[uint16]int{}
	for range 200 { // one chance in 2^199 that this fails
		for _, port := range r.ports(what{member: 6, hash: 1, kind: 2}) {
			n[port]++
		}
	}
	if n[4] == 0 || n[3] == 0 || n[4]+n[3] != 200 {
		t.Errorf("of 200 packets that choose at random: %v", n)
	}
	r.reads(r.entry("I.pick", 6, random))
	r.must(remove, r.entry("I.pick", 6, nil))
	random.GetActionProfileActionSet().ActionSelectionMode = 9
	if got := r.do(insert, r.entry("I.pick", 6, random)); got != codes.InvalidArgument {
		t.Errorf("a mode that there is not: %v", got)
	}
	if got := r.do(insert, r.entry("I.indirect", 6, oneShot(r.to(1)))); got != codes.InvalidArgument {
		t.Errorf("one shot without a selector: %v", got)
	}
	r.must(remove, r.entry("I.pick", 5, nil))
	r.must(insert, member(r.id("I.choice"), 1, r.to(1)))
}

func meterEntry(id uint32, index int64, c *p4v1.MeterConfig) *p4v1.Entity {
	e := &p4v1.MeterEntry{MeterId: id, Config: c}
	if index >= 0 {
		e.Index = &p4v1.Index{Index: index}
	}
	return &p4v1.Entity{Entity: &p4v1.Entity_MeterEntry{MeterEntry: e}}
}

func TestMeters(t *testing.T) {
	r := entities(t)
	id := r.id("I.police")
	r.want(what{cell: 1}, 9)
	r.must(modify, meterEntry(id, 1, &p4v1.MeterConfig{Cir: 0, Cburst: 1, Pir: 0, Pburst: 2}))
	r.want(what{cell: 1}, 9) // green
	r.want(what{cell: 1}, 9) // yellow
	r.want(what{cell: 1}, 7) // red
	r.want(what{cell: 2}, 9) // another cell
	read := meterEntry(id, 1, nil)
	read.GetMeterEntry().CounterData = &p4v1.MeterCounterData{}
	d := r.c.mustRead(read)[0].GetMeterEntry().GetCounterData()
	if d.GetGreen().GetPacketCount() != 2 || d.GetYellow().GetPacketCount() != 1 || d.GetRed().GetPacketCount() != 1 {
		t.Errorf("counts of the colors: %v", d)
	}
	if got := r.c.mustRead(meterEntry(0, -1, nil)); len(got) != 4 {
		t.Errorf("all cells: %v", got)
	}
	r.must(modify, meterEntry(id, 1, nil))
	r.want(what{cell: 1}, 9)
	bad := meterEntry(id, 1, nil)
	bad.GetMeterEntry().CounterData = &p4v1.MeterCounterData{Red: &p4v1.CounterData{PacketCount: 1}}
	for name, tc := range map[string]struct {
		t    p4v1.Update_Type
		e    *p4v1.Entity
		want codes.Code
	}{
		"insert":           {insert, meterEntry(id, 1, nil), codes.InvalidArgument},
		"no meter":         {modify, meterEntry(id+1, 1, nil), codes.NotFound},
		"past the end":     {modify, meterEntry(id, 4, nil), codes.OutOfRange},
		"peak too low":     {modify, meterEntry(id, 1, &p4v1.MeterConfig{Cir: 2, Pir: 1}), codes.InvalidArgument},
		"negative":         {modify, meterEntry(id, 1, &p4v1.MeterConfig{Cir: -1}), codes.InvalidArgument},
		"excess burst":     {modify, meterEntry(id, 1, &p4v1.MeterConfig{Eburst: 1}), codes.InvalidArgument},
		"counts not zero":  {modify, bad, codes.InvalidArgument},
		"direct, no entry": {modify, directMeter(r.entry("I.aged", 1, nil), nil), codes.NotFound},
		"direct, no meter": {modify, directMeter(r.entry("I.pick", 1, nil), nil), codes.InvalidArgument},
	} {
		if got := r.do(tc.t, tc.e); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func directMeter(e *p4v1.Entity, c *p4v1.MeterConfig) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_DirectMeterEntry{DirectMeterEntry: &p4v1.DirectMeterEntry{
		TableEntry: e.GetTableEntry(), Config: c,
	}}}
}

func TestDirectMeter(t *testing.T) {
	r := entities(t)
	conf := &p4v1.MeterConfig{Cir: 1, Cburst: 1, Pir: 2, Pburst: 2}
	e := r.entry("I.aged", 5, r.c.action("I.tell"))
	e.GetTableEntry().MeterConfig = conf
	r.must(insert, e)
	key := r.entry("I.aged", 5, nil)
	if got := r.c.mustRead(directMeter(key, nil)); len(got) != 1 || !proto.Equal(got[0].GetDirectMeterEntry().GetConfig(), conf) {
		t.Errorf("read %v", got)
	}
	r.must(modify, directMeter(key, &p4v1.MeterConfig{Cir: 3, Pir: 3}))
	r.must(modify, r.entry("I.aged", 5, r.c.action("I.tell"))) // without a configuration: the default again
	if got := r.c.mustRead(directMeter(key, nil)); got[0].GetDirectMeterEntry().GetConfig() != nil {
		t.Errorf("after a modification without a configuration: %v", got)
	}
}

func multicast(id uint32, replicas ...*p4v1.Replica) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{
		Type: &p4v1.PacketReplicationEngineEntry_MulticastGroupEntry{MulticastGroupEntry: &p4v1.MulticastGroupEntry{
			MulticastGroupId: id, Replicas: replicas,
		}},
	}}}
}

func cloneSession(id uint32, length int32, replicas ...*p4v1.Replica) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{
		Type: &p4v1.PacketReplicationEngineEntry_CloneSessionEntry{CloneSessionEntry: &p4v1.CloneSessionEntry{
			SessionId: id, Replicas: replicas, PacketLengthBytes: length,
		}},
	}}}
}

func replica(port byte, instance uint32, backups ...*p4v1.BackupReplica) *p4v1.Replica {
	return &p4v1.Replica{PortKind: &p4v1.Replica_Port{Port: []byte{port}}, Instance: instance, BackupReplicas: backups}
}

func TestReplication(t *testing.T) {
	r := entities(t)
	r.want(what{group: 3}) // no such group
	r.must(insert, multicast(3, replica(1, 0), replica(2, 5, &p4v1.BackupReplica{Port: []byte{4}, Instance: 6})))
	r.want(what{group: 3}, 1, 2)
	if err := r.s.SetPort(2, false); err != nil {
		t.Fatal(err)
	}
	r.want(what{group: 3}, 1, 4)
	if err := r.s.SetPort(4, false); err != nil {
		t.Fatal(err)
	}
	r.want(what{group: 3}, 1)
	if err := r.s.SetPort(2, true); err != nil {
		t.Fatal(err)
	}
	r.want(what{group: 3}, 1, 2)
	r.must(modify, multicast(3, replica(6, 0)))
	r.want(what{group: 3}, 6)
	r.must(remove, multicast(3))
	r.want(what{group: 3})

	r.want(what{session: 4}, 9)
	r.must(insert, cloneSession(4, 3, replica(5, 0)))
	out, err := r.s.Process(1, []byte{0, 4, 0, 0, 0, 0, 1, 2, 3, 4})
	if err != nil || len(out) != 2 {
		t.Fatal(out, err)
	}
	i := slices.IndexFunc(out, func(o Output) bool { return o.Port == 5 })
	if i < 0 || len(out[i].Packet) != 3 {
		t.Errorf("a clone cut to 3 bytes: %v", out)
	}
	for name, tc := range map[string]struct {
		t    p4v1.Update_Type
		e    *p4v1.Entity
		want codes.Code
	}{
		"group 0":              {insert, multicast(0), codes.InvalidArgument},
		"group too large":      {insert, multicast(1 << 16), codes.InvalidArgument},
		"no group":             {modify, multicast(9), codes.NotFound},
		"replica twice":        {insert, multicast(9, replica(1, 1), replica(1, 1)), codes.InvalidArgument},
		"its own backup":       {insert, multicast(9, replica(1, 1, &p4v1.BackupReplica{Port: []byte{1}, Instance: 2})), codes.InvalidArgument},
		"instance too large":   {insert, multicast(9, replica(1, 1<<16)), codes.InvalidArgument},
		"no port":              {insert, multicast(9, &p4v1.Replica{Instance: 1}), codes.InvalidArgument},
		"session 0":            {insert, cloneSession(0, 0), codes.InvalidArgument},
		"session twice":        {insert, cloneSession(4, 0), codes.AlreadyExists},
		"session with backups": {insert, cloneSession(5, 0, replica(1, 0, &p4v1.BackupReplica{Port: []byte{2}})), codes.InvalidArgument},
		"negative length":      {insert, cloneSession(5, -1), codes.InvalidArgument},
		"neither":              {insert, &p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{}}, codes.InvalidArgument},
	} {
		if got := r.do(tc.t, tc.e); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// A cable is a wire with a link that tests unplug.
type cable struct{ up atomic.Bool }

func (*cable) Receive(ctx context.Context, _ func([]byte) error) error { <-ctx.Done(); return nil }
func (*cable) Send([]byte) error                                       { return nil }
func (*cable) Close() error                                            { return nil }
func (c *cable) LinkUp() bool                                          { return c.up.Load() }

func TestPortsFollowTheirLinks(t *testing.T) {
	r := entities(t)
	ctx, cancel := context.WithCancel(context.Background())
	done, w := make(chan error, 1), &cable{}
	w.up.Store(true)
	go func() { done <- r.s.Attach(ctx, 2, w) }()
	r.must(insert, multicast(3, replica(2, 5, &p4v1.BackupReplica{Port: []byte{4}, Instance: 6})))
	r.want(what{group: 3}, 2)
	w.up.Store(false)
	wait(t, "the backup", func() bool { return slices.Equal(r.ports(what{group: 3}), []uint16{4}) })
	w.up.Store(true)
	wait(t, "the link", func() bool { return slices.Equal(r.ports(what{group: 3}), []uint16{2}) })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestValueSet(t *testing.T) {
	r := entities(t)
	set := func(values ...byte) *p4v1.Entity {
		e := &p4v1.ValueSetEntry{ValueSetId: r.id("P.special")}
		for _, v := range values {
			e.Members = append(e.Members, &p4v1.ValueSetMember{Match: []*p4v1.FieldMatch{exact(1, v)}})
		}
		return &p4v1.Entity{Entity: &p4v1.Entity_ValueSetEntry{ValueSetEntry: e}}
	}
	r.want(what{kind: 77}, 9)
	r.must(modify, set(77, 78))
	r.want(what{kind: 77}, 8)
	r.must(modify, set())
	r.want(what{kind: 77}, 9)
	for name, tc := range map[string]struct {
		t    p4v1.Update_Type
		e    *p4v1.Entity
		want codes.Code
	}{
		"insert":        {insert, set(1), codes.InvalidArgument},
		"too many":      {modify, set(1, 2, 3), codes.ResourceExhausted},
		"a value twice": {modify, set(1, 1), codes.AlreadyExists},
	} {
		if got := r.do(tc.t, tc.e); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func digestEntry(id uint32, c *p4v1.DigestEntry_Config) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_DigestEntry{DigestEntry: &p4v1.DigestEntry{DigestId: id, Config: c}}}
}

func TestDigests(t *testing.T) {
	r := entities(t)
	id := r.id("learn_t")
	r.ports(what{member: 1, kind: 4}) // not enabled: vanishes
	r.must(insert, digestEntry(id, &p4v1.DigestEntry_Config{MaxListSize: 2, MaxTimeoutNs: int64(time.Hour), AckTimeoutNs: int64(time.Hour)}))
	for _, m := range []byte{7, 7, 8} { // the second is a duplicate
		r.ports(what{member: m, cell: 3, kind: 4})
	}
	list := r.recv().GetDigest()
	if list.GetDigestId() != id || len(list.GetData()) != 2 || list.GetTimestamp() == 0 {
		t.Fatalf("got %v", list)
	}
	ms := list.GetData()[0].GetStruct().GetMembers()
	if len(ms) != 3 || !bytes.Equal(ms[0].GetBitstring(), []byte{7}) || !ms[1].GetBool() || !bytes.Equal(ms[2].GetBitstring(), []byte{3}) {
		t.Errorf("data %v", ms)
	}
	r.ports(what{member: 7, cell: 3, kind: 4}) // sent, and not acknowledged
	r.ports(what{member: 9, cell: 3, kind: 4})
	ack := func(digest uint32, list uint64) {
		t.Helper()
		if err := r.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_DigestAck{
			DigestAck: &p4v1.DigestListAck{DigestId: digest, ListId: list},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	ack(id+1, 1)
	if e := r.recv().GetError(); codes.Code(e.GetCanonicalCode()) != codes.InvalidArgument || e.GetDigestListAck() == nil {
		t.Fatalf("acknowledging no digest: %v", e)
	}
	ack(id, list.GetListId())
	ack(id+1, 1) // an answer to this one says that the first is done
	if e := r.recv().GetError(); e == nil {
		t.Fatal("no error")
	}
	r.ports(what{member: 7, cell: 3, kind: 4})
	if next := r.recv().GetDigest(); len(next.GetData()) != 2 || next.GetListId() == list.GetListId() {
		t.Errorf("after the acknowledgement: %v", next)
	}
	r.must(modify, digestEntry(id, &p4v1.DigestEntry_Config{}))
	r.ports(what{member: 20, kind: 4})
	if next := r.recv().GetDigest(); len(next.GetData()) != 1 {
		t.Errorf("one by one: %v", next)
	}
	for name, tc := range map[string]struct {
		t    p4v1.Update_Type
		e    *p4v1.Entity
		want codes.Code
	}{
		"insert twice": {insert, digestEntry(id, nil), codes.AlreadyExists},
		"no digest":    {insert, digestEntry(id+1, nil), codes.NotFound},
		"negative":     {modify, digestEntry(id, &p4v1.DigestEntry_Config{MaxListSize: -1}), codes.InvalidArgument},
	} {
		if got := r.do(tc.t, tc.e); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	r.must(remove, digestEntry(id, nil))
	if got := r.c.mustRead(digestEntry(0, nil)); len(got) != 0 {
		t.Errorf("after deletion: %v", got)
	}
	if got := r.do(modify, digestEntry(id, nil)); got != codes.NotFound {
		t.Errorf("modify what is disabled: %v", got)
	}
}

func TestIdleTimeout(t *testing.T) {
	r := entities(t)
	e := r.entry("I.aged", 5, r.c.action("I.tell"))
	e.GetTableEntry().IdleTimeoutNs = int64(20 * time.Millisecond)
	e.GetTableEntry().Metadata = []byte("mine")
	r.must(insert, e)
	for range 2 { // again and again
		n := r.recv().GetIdleTimeoutNotification()
		te := n.GetTableEntry()
		if len(te) != 1 || te[0].GetIdleTimeoutNs() != e.GetTableEntry().IdleTimeoutNs || string(te[0].GetMetadata()) != "mine" || n.GetTimestamp() == 0 {
			t.Fatalf("got %v", n)
		}
	}
	key := r.entry("I.aged", 5, nil)
	key.GetTableEntry().TimeSinceLastHit = &p4v1.TableEntry_IdleTimeout{}
	if got := r.c.mustRead(key)[0].GetTableEntry().GetTimeSinceLastHit(); got == nil {
		t.Error("no time since the last hit")
	}
	if got := r.do(insert, func() *p4v1.Entity {
		e := r.entry("I.aged", 6, r.c.action("I.tell"))
		e.GetTableEntry().IdleTimeoutNs = -1
		return e
	}()); got != codes.InvalidArgument {
		t.Errorf("negative time-out: %v", got)
	}
}

func TestReconcileKeepsEntities(t *testing.T) {
	r := entities(t)
	p := r.id("I.choice")
	r.must(insert, member(p, 1, r.to(1)))
	r.must(insert, group(p, 7, 3, share(1, 2)))
	r.must(insert, r.entry("I.pick", 5, toGroup(7)))
	r.must(modify, meterEntry(r.id("I.police"), 1, &p4v1.MeterConfig{Cir: 1, Cburst: 1, Pir: 2, Pburst: 2}))
	e := r.entry("I.aged", 5, r.c.action("I.tell"))
	e.GetTableEntry().MeterConfig = &p4v1.MeterConfig{Cir: 1, Cburst: 1, Pir: 2, Pburst: 2}
	r.must(insert, e)
	r.must(insert, multicast(3, replica(1, 0)))
	r.must(insert, cloneSession(4, 0, replica(1, 0)))
	r.must(insert, digestEntry(r.id("learn_t"), &p4v1.DigestEntry_Config{MaxListSize: 1}))
	r.c.use(r.c.changed(t, "sm.egress_spec = 9;", "sm.egress_spec = 10;"))
	if err := r.c.setPipeline(reconcileCommit, r.c.config(2)); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*p4v1.Entity{
		member(p, 1, r.to(1)), group(p, 7, 3, share(1, 2)), r.entry("I.pick", 5, toGroup(7)), e, multicast(3, replica(1, 0)),
		cloneSession(4, 0, replica(1, 0)), digestEntry(r.id("learn_t"), &p4v1.DigestEntry_Config{MaxListSize: 1}),
		meterEntry(r.id("I.police"), 1, &p4v1.MeterConfig{Cir: 1, Cburst: 1, Pir: 2, Pburst: 2}),
	} {
		r.reads(e)
	}
	r.want(what{}, 10)
	r.want(what{group: 3}, 1)
	r.ports(what{member: 1, kind: 4})
	if d := r.recv().GetDigest(); len(d.GetData()) != 1 {
		t.Errorf("digest of the new program: %v", d)
	}
	r.c.use(r.c.changed(t, "meter(4, MeterType.packets) police", "meter(1, MeterType.packets) police"))
	if err := r.c.setPipeline(reconcileCommit, r.c.config(3)); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a meter that lost its cell: %v", err)
	}
}

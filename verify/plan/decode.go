package plan

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// decoded is what an Input says, in the terms of the reference model, with the names that people use.
type decoded struct {
	in     *Input
	layout *layout
	known  memory
	// plan is all but the entries, the steps, what may be late, and the limits: those are below, in a form that many slots and tenants do not
	// make long.
	plan      *model.Plan
	pre, goal *tables
	steps     []request
	late      request      // what requests without an answer may do
	limits    [2][][]limit // by control and stage: in the order of the roster, nil where there are none
	roster    *roster
	former    model.VID      // a stranger that explanations speak of, or 0
	read      *preState      // for the plans after this one
	nonces    map[int]uint64 // of fences, by step
	fails     map[at]bool    // updates that no order of their request lets succeed
	stops     int            // the first step that cannot succeed, or the number of steps
	groups    [][]group      // what each step does to each entry
	// tried are the entries whose updates were tried in all orders, because what they find depends on it.
	tried   map[model.Key]*history
	courses map[string]*course
	slab    []model.Extent // memory for entries
	rest    instance       // an extent that the plan leaves alone: all of them have its shape
}

// limit of a tenant in an array, if one is given.
type limit struct {
	model.Limit
	given bool
}

// maxVID is the largest number that a page table's key can be.
const maxVID = 1<<vidBits - 1

// name is what people call the owner of a VID.
func (d *decoded) name(v model.VID) string {
	if n, ok := d.roster.names[v]; ok {
		return n
	}
	if v == d.former && v != 0 {
		return "a former tenant"
	}
	return fmt.Sprintf("VID %d (not registered)", v)
}

// isRegistered says whether a tenant has the VID.
func (d *decoded) isRegistered(v model.VID) bool { return v <= maxVID && d.roster.position[v] > 0 }

// decode reads everything that does not depend on a solver (M7).
func decode(in *Input, l *layout, known memory) (*decoded, error) {
	d := newDecoded(in, l, known)
	d.nonces, d.courses = map[int]uint64{}, map[string]*course{}
	for _, t := range l.tables {
		d.plan.Capacity[t.control] = t.capacity
	}
	if in.ElectionID == 0 {
		return nil, inField("electionId").errorf("is 0: a plan is made after arbitration")
	}
	if err := in.Primitives.check(); err != nil {
		return nil, err
	}
	if d.plan.Fences = in.Primitives.Fence.Controls; d.plan.Fences == nil {
		d.plan.Fences = []specs.Control{}
	}
	if err := d.decodeTenants(); err != nil {
		return nil, err
	}
	if err := d.decodePre(); err != nil {
		return nil, err
	}
	for i, b := range in.Unanswered {
		if err := d.decodeUnanswered(b, inField(fmt.Sprintf("unanswered[%d]", i))); err != nil {
			return nil, err
		}
	}
	for i, s := range in.Steps {
		w := where{step: i, update: -1}
		var step request
		var err error
		switch {
		case s.Kind == Wait:
			step, err = d.decodeWait(s, w)
		case s.For != 0:
			err = w.dot("forNs").errorf("must not be set here")
		case s.Kind == Write:
			step, err = d.decodeRequest(s.Bytes, w)
		case s.Kind == Fence && in.Primitives.Fence.By != ByMarker:
			err = w.dot("kind").errorf("%q: the switch's fences are by %s", s.Kind, in.Primitives.Fence.By)
		case s.Kind == Fence:
			step.fence = true
			d.nonces[i], err = decodeMarker(s.Bytes, in.ElectionID, w)
		default:
			err = w.dot("kind").errorf("unknown kind %q", s.Kind)
		}
		if err != nil {
			return nil, err
		}
		d.steps = append(d.steps, step)
	}
	if err := d.together(); err != nil {
		return nil, err
	}
	if err := d.decodeGoal(); err != nil {
		return nil, err
	}
	if err := d.decodeLimits(); err != nil {
		return nil, err
	}
	d.foresee()
	return d, nil
}

// newDecoded is of a plan of which nothing is read yet.
func newDecoded(in *Input, l *layout, known memory) *decoded {
	return &decoded{
		in: in, layout: l, known: known, goal: &tables{},
		plan: &model.Plan{Slots: l.slots, Capacity: map[specs.Control]int64{}, Fenced: in.Fenced},
	}
}

func (d *decoded) decodeTenants() error {
	if d.known.roster.has(d.in.Tenants) {
		d.roster, d.plan.Registered = d.known.roster, d.known.roster.vids
		return nil
	}
	r := &roster{tenants: slices.Clone(d.in.Tenants), vids: make([]model.VID, 0, len(d.in.Tenants)), names: make(map[model.VID]string, len(d.in.Tenants))}
	taken := make(map[string]bool, len(d.in.Tenants))
	for i, t := range d.in.Tenants {
		w := inField("tenants").item(i)
		if !isTenantName(t.Name) || taken[t.Name] {
			return w.dot("name").errorf("%q is no tenant's name, or is taken: want a letter and up to 15 letters or digits, lower case", t.Name)
		}
		taken[t.Name] = true
		v := model.VID(t.VID)
		r.vids = append(r.vids, v)
		if other, dup := r.names[v]; dup {
			r.names[v] = other + " and " + t.Name // M4 will say so
			continue
		}
		r.names[v] = t.Name
		if v <= maxVID {
			r.position[v] = int32(i + 1)
		}
	}
	d.roster, d.plan.Registered = r, r.vids
	return nil
}

func isTenantName(s string) bool {
	if s == "" || len(s) > 16 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func (d *decoded) decodePre() error {
	if s := d.known.state; s != nil && bytes.Equal(s.bytes, d.in.PreState) {
		d.read, d.pre = s, s.tables
		return nil
	}
	if d.scanPre(d.in.PreState) {
		return nil
	}
	d.read = nil
	return d.readPre()
}

// readPre reads the pre-state in any form that is allowed.
func (d *decoded) readPre() error {
	w := inField("preState")
	d.pre = &tables{}
	var resp p4v1.ReadResponse
	if err := unmarshal(d.in.PreState, &resp, w); err != nil {
		return err
	}
	for i, e := range resp.GetEntities() {
		w := w.dot("entities").item(i)
		te := e.GetTableEntry()
		if te == nil {
			return w.errorf("is no table entry")
		}
		key, entry, err := d.decodeEntry(te, w.dot("table_entry"), true)
		if err != nil {
			return err
		}
		if !d.pre.put(key, entry) {
			return w.errorf("a second entry for VID %d in %s", key.VID, key.Control)
		}
	}
	d.pre.order()
	return nil
}

func (d *decoded) decodeRequest(b []byte, w where) (request, error) {
	if r, ok := d.scanRequest(b); ok {
		return r, nil
	}
	return d.readRequest(b, w)
}

// readRequest reads a write request in any form that is allowed.
func (d *decoded) readRequest(b []byte, w where) (request, error) {
	var req p4v1.WriteRequest
	if err := unmarshal(b, &req, w); err != nil {
		return request{}, err
	}
	if err := onlyFields(&req, w, "device_id", "election_id", "updates"); err != nil {
		return request{}, err // role, and an atomicity other than CONTINUE_ON_ERROR, which is 0
	}
	if id := req.GetElectionId(); id.GetHigh() != 0 || id.GetLow() != d.in.ElectionID {
		return request{}, w.dot("election_id").errorf("is %d, the plan is for %d", id.GetLow(), d.in.ElectionID)
	}
	var r request
	err := d.decodeUpdates(&req, w, &r)
	return r, err
}

// decodeUnanswered reads a request that may still take effect, if it may.
func (d *decoded) decodeUnanswered(b []byte, w where) error {
	var req p4v1.WriteRequest
	if err := unmarshal(b, &req, w); err != nil {
		return err
	}
	id := req.GetElectionId()
	switch {
	case id.GetHigh() != 0 || id.GetLow() > d.in.ElectionID:
		return w.dot("election_id").errorf("is higher than the plan's: another controller has the switch")
	case d.over(id.GetLow()):
		return nil
	}
	if err := onlyFields(&req, w, "device_id", "election_id", "updates"); err != nil {
		return err
	}
	return d.decodeUpdates(&req, w, &d.late)
}

// together refuses so many updates of one entry that may come in any order that nobody will try them all, and so many in all that
// nobody will keep them apart.
func (d *decoded) together() error {
	total := map[model.Key]int{}
	for i, s := range d.steps {
		type tally struct {
			n    int
			only bool // modifications, in the plan's own requests
		}
		count := make(map[model.Key]tally, len(s.entries))
		for _, u := range s.entries {
			t, again := count[u.Key]
			if !again {
				t.n = len(d.lateOf(u.Key))
				t.only = t.n == 0
			}
			t.n++
			t.only = t.only && u.Kind == model.Modify
			count[u.Key] = t
			w := where{i, u.Index, ""}
			if t.n > maxTogether && !t.only {
				return w.errorf("more than %d updates of the entry of %s in %s may come in any order, late ones among them: not all orders are tried",
					maxTogether, d.name(u.Key.VID), u.Key.Control)
			}
			if total[u.Key]++; total[u.Key]+maxTogether >= maxVersions {
				return w.errorf("the plan writes the entry of %s in %s for the %dth time: make several plans of it", d.name(u.Key.VID), u.Key.Control, total[u.Key])
			}
		}
	}
	for _, u := range d.late.entries {
		if len(d.lateOf(u.Key)) > maxTogether {
			return inField("unanswered").errorf("more than %d updates of the entry of %s in %s", maxTogether, d.name(u.Key.VID), u.Key.Control)
		}
	}
	return nil
}

// decodeUpdates adds a request's updates to r.
func (d *decoded) decodeUpdates(req *p4v1.WriteRequest, w where, r *request) error {
	if req.GetDeviceId() != d.in.DeviceID {
		return w.dot("device_id").errorf("is %d, the plan is for %d", req.GetDeviceId(), d.in.DeviceID)
	}
	if len(req.GetUpdates()) == 0 {
		return w.errorf("a request without updates")
	}
	for i, u := range req.GetUpdates() {
		w := where{w.step, i, ""}
		if w.step < 0 {
			w = inField(fmt.Sprintf("unanswered.updates[%d]", i))
		}
		x, err := d.decodeUpdate(u, w)
		if err != nil {
			return err
		}
		switch {
		case x.Kind == model.Scrub && x.Slot == everySlot:
			r.scrubArray(x.Array, d.layout.slots[x.Array])
		case x.Kind == model.Scrub:
			r.scrub(x.Array, x.Slot)
		default:
			x.Index = r.updates
			r.write(x)
		}
	}
	return nil
}

func (d *decoded) decodeUpdate(u *p4v1.Update, w where) (model.Update, error) {
	switch e := u.GetEntity().GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		var kind model.UpdateKind
		switch u.GetType() {
		case p4v1.Update_INSERT:
			kind = model.Insert
		case p4v1.Update_MODIFY:
			kind = model.Modify
		case p4v1.Update_DELETE:
			kind = model.Delete
		default:
			return model.Update{}, w.dot("type").errorf("is %v", u.GetType())
		}
		key, entry, err := d.decodeEntry(e.TableEntry, w.dot("table_entry"), kind != model.Delete)
		return model.Update{Kind: kind, Key: key, Entry: entry}, err
	case *p4v1.Entity_RegisterEntry:
		if u.GetType() != p4v1.Update_MODIFY {
			return model.Update{}, w.dot("type").errorf("is %v, a register is written by MODIFY", u.GetType())
		}
		return d.decodeScrub(e.RegisterEntry, w.dot("register_entry"))
	case nil:
		return model.Update{}, w.errorf("names no entity")
	default:
		return model.Update{}, w.errorf("a plan writes page tables and stage arrays, this is a %T", e)
	}
}

// decodeEntry reads a page-table entry; a DELETE names the key only.
func (d *decoded) decodeEntry(te *p4v1.TableEntry, w where, withAction bool) (model.Key, model.Entry, error) {
	var none model.Key
	fields := []string{"table_id", "match", "action"}
	if !withAction {
		fields = fields[:2]
	}
	if err := onlyFields(te, w, fields...); err != nil {
		return none, nil, err
	}
	t := d.layout.tables[te.GetTableId()]
	if t == nil {
		return none, nil, w.dot("table_id").errorf("%d is no page table", te.GetTableId())
	}
	if n := len(te.GetMatch()); n != 1 {
		return none, nil, w.dot("match").errorf("%d keys, want one", n)
	}
	m, mw := te.GetMatch()[0], w.dot("match[0]")
	if m.GetFieldId() != t.key || m.GetExact() == nil {
		return none, nil, mw.errorf("must be exact on field %d", t.key)
	}
	vid, err := bitstring(m.GetExact().GetValue(), vidBits)
	if err != nil {
		return none, nil, mw.errorf("%w", err)
	}
	key := model.Key{Control: t.control, VID: model.VID(vid)}
	if !withAction {
		return key, nil, nil
	}
	aw := w.dot("action")
	a := te.GetAction().GetAction()
	switch {
	case a == nil:
		return none, nil, aw.errorf("must be one action")
	case a.GetActionId() != t.action:
		return none, nil, aw.dot("action_id").errorf("%d is not that of %s", a.GetActionId(), specs.MapAction(t.control))
	case len(a.GetParams()) != t.stages*paramsPerStage:
		return none, nil, aw.dot("params").errorf("%d, want %d", len(a.GetParams()), t.stages*paramsPerStage)
	}
	entry := make(model.Entry, t.stages)
	for i, p := range a.GetParams() {
		if p.GetParamId() != uint32(i+1) {
			return none, nil, aw.dot("params[%d].param_id", i).errorf("is %d, want %d", p.GetParamId(), i+1)
		}
		k, j := i/paramsPerStage, i%paramsPerStage
		v, err := bitstring(p.GetValue(), paramBits[j])
		if err != nil {
			return none, nil, aw.dot("params[%d].value", i).errorf("%s: %w", paramName(j, k), err)
		}
		switch j {
		case baseParam:
			entry[k].Base = int64(v)
		case sizeParam:
			entry[k].Size = int64(v)
		case maskParam:
			entry[k].Mask = uint32(v)
		case generationParam:
			entry[k].Generation = uint16(v)
		}
	}
	return key, entry, nil
}

// everySlot stands for the index that is absent.
const everySlot = -1

func (d *decoded) decodeScrub(r *p4v1.RegisterEntry, w where) (model.Update, error) {
	a, ok := d.layout.arrays[r.GetRegisterId()]
	switch {
	case !ok:
		return model.Update{}, w.dot("register_id").errorf("%d is no stage array", r.GetRegisterId())
	case r.GetIndex() == nil && !slices.Contains(d.in.Primitives.Scrub.By, ByArray):
		return model.Update{}, w.dot("index").errorf("is absent: that means every slot, and this switch is not declared to scrub so")
	case r.GetIndex() != nil && !slices.Contains(d.in.Primitives.Scrub.By, ByCell):
		return model.Update{}, w.dot("index").errorf("is set: this switch is not declared to scrub single slots")
	case r.GetIndex().GetIndex() < 0 || r.GetIndex().GetIndex() >= d.layout.slots[a]:
		return model.Update{}, w.dot("index").errorf("%d is outside %v, which has %d slots", r.GetIndex().GetIndex(), a, d.layout.slots[a])
	case r.GetData().GetData() == nil:
		return model.Update{}, w.dot("data").errorf("is absent")
	}
	if _, ok := r.GetData().GetData().(*p4v1.P4Data_Bitstring); !ok {
		return model.Update{}, w.dot("data").errorf("must be a bit string")
	}
	v, err := bitstring(r.GetData().GetBitstring(), d.layout.widths[a])
	if err != nil {
		return model.Update{}, w.dot("data").errorf("%w", err)
	}
	if v != 0 {
		return model.Update{}, w.dot("data").errorf("writes %#x: a plan only scrubs", v)
	}
	slot := r.GetIndex().GetIndex()
	if r.GetIndex() == nil {
		slot = everySlot
	}
	return model.Update{Kind: model.Scrub, Array: a, Slot: slot}, nil
}

// A marker is an Ethernet header with MarkerEtherType and the addresses that specs.MarkerAddresses makes of the plan's election id,
// then a nonce; zeros may follow up to the shortest Ethernet frame.
const (
	markerType  = 12
	markerNonce = 14
	markerBytes = markerNonce + 8
	shortFrame  = 60
)

// decodeMarker reads a fence's PacketOut and returns its nonce. A marker of an earlier controller that comes back late is not this
// one's, because election ids are never used again.
func decodeMarker(b []byte, electionID uint64, w where) (uint64, error) {
	var out p4v1.PacketOut
	if err := unmarshal(b, &out, w); err != nil {
		return 0, err
	}
	if err := onlyFields(&out, w, "payload"); err != nil {
		return 0, err
	}
	p, w := out.GetPayload(), w.dot("payload")
	if len(p) < markerBytes || len(p) > shortFrame {
		return 0, w.errorf("%d bytes, a marker has %d to %d", len(p), markerBytes, shortFrame)
	}
	if a := specs.MarkerAddresses(electionID); !bytes.Equal(p[:markerType], a[:]) {
		return 0, w.errorf("addresses %x, a marker under election id %d has %x", p[:markerType], electionID, a)
	}
	if t := binary.BigEndian.Uint16(p[markerType:]); t != specs.MarkerEtherType {
		return 0, w.errorf("etherType %#04x, a marker has %#04x", t, specs.MarkerEtherType)
	}
	if len(bytes.TrimRight(p[markerBytes:], "\x00")) > 0 {
		return 0, w.errorf("bytes after the nonce")
	}
	return binary.BigEndian.Uint64(p[markerNonce:]), nil
}

// decodeGoal reads the goal: for a tenant and control either an extent for each stage, or none at all.
func (d *decoded) decodeGoal() error {
	given := map[model.Key]*goalEntry{}
	d.goal.reserve(d.pre)
	for i := 0; i < len(d.in.Goal); {
		if n := d.scanGoal(d.in.Goal[i:]); n > 0 {
			i += n
			continue
		}
		if err := d.readGoal(d.in.Goal[i], given, inField("goal").item(i)); err != nil {
			return err
		}
		i++
	}
	keys := slices.SortedFunc(maps.Keys(given), model.Key.Compare)
	for _, key := range keys {
		if n, want := given[key].count, d.layout.table(key.Control).stages; n != want {
			return inField("goal").errorf("%d of %d stages of %s given for %s: all or none must be", n, want, key.Control, d.name(key.VID))
		}
	}
	d.goal.order()
	return nil
}

// scanGoal takes the extents of one entry if they come one after the other, as they mostly do, and there is nothing wrong with them. It returns
// how many they are.
func (d *decoded) scanGoal(xs []Extent) int {
	key := model.Key{Control: xs[0].Control, VID: model.VID(xs[0].VID)}
	if !d.layout.has(model.Array{Control: key.Control}) || !d.isRegistered(key.VID) {
		return 0
	}
	stages := d.layout.table(key.Control).stages
	if len(xs) < stages {
		return 0
	}
	if _, dup := d.goal.get(key); dup {
		return 0
	}
	entry, same := d.pre.get(key) // most stay what they are
	if !same {
		entry = d.newEntry(stages)
	}
	for k := range stages {
		x := &xs[k]
		if x.Stage != k || x.VID != xs[0].VID || x.Control != key.Control || !x.fits() {
			return 0
		}
		e := model.Extent{Base: x.Base, Size: x.Size, Mask: x.Mask, Generation: x.Generation}
		if same && entry[k] != e {
			same = false
			entry = append(d.newEntry(stages)[:0], entry[:k]...)[:stages]
		}
		if !same {
			entry[k] = e
		}
	}
	d.goal.put(key, entry)
	return stages
}

// goalEntry is an entry of the goal whose extents come one by one.
type goalEntry struct {
	entry model.Entry
	given []bool // by stage
	count int
}

// readGoal reads one extent of the goal.
func (d *decoded) readGoal(x Extent, given map[model.Key]*goalEntry, w element) error {
	a, v := model.Array{Control: x.Control, Stage: x.Stage}, model.VID(x.VID)
	if err := d.place(a, v, w); err != nil {
		return err
	}
	key := model.Key{Control: x.Control, VID: v}
	g := given[key]
	if g == nil {
		stages := d.layout.table(x.Control).stages
		g = &goalEntry{entry: d.newEntry(stages), given: make([]bool, stages)}
		if !d.goal.put(key, g.entry) {
			return w.errorf("a second extent of %s in %v", d.name(v), a)
		}
		given[key] = g
	}
	if g.given[x.Stage] {
		return w.errorf("a second extent of %s in %v", d.name(v), a)
	}
	g.given[x.Stage] = true
	g.count++
	if !x.fits() {
		return w.errorf("base %d or size %d does not fit its %d bits", x.Base, x.Size, specs.BaseBits)
	}
	g.entry[x.Stage] = model.Extent{Base: x.Base, Size: x.Size, Mask: x.Mask, Generation: x.Generation}
	return nil
}

// fits says whether an extent's base and size are numbers of their widths.
func (x *Extent) fits() bool {
	return x.Base >= 0 && x.Size >= 0 && x.Base>>specs.BaseBits == 0 && x.Size>>specs.SizeBits == 0
}

func (d *decoded) decodeLimits() error {
	for s, t := range d.layout.sides {
		if t != nil {
			d.limits[s] = make([][]limit, t.stages)
		}
	}
	for i, x := range d.in.Limits {
		w := inField("limits").item(i)
		a, v := model.Array{Control: x.Control, Stage: x.Stage}, model.VID(x.VID)
		if err := d.place(a, v, w); err != nil {
			return err
		}
		ls := &d.limits[side(x.Control)][x.Stage]
		if *ls == nil {
			*ls = make([]limit, len(d.plan.Registered))
		}
		l := &(*ls)[d.roster.position[v]-1]
		if l.given {
			return w.errorf("a second limit of %s in %v", d.name(v), a)
		}
		if x.Floor < 0 || x.Ceiling < x.Floor {
			return w.errorf("floor %d, ceiling %d", x.Floor, x.Ceiling)
		}
		*l = limit{model.Limit{Floor: x.Floor, Ceiling: x.Ceiling}, true}
	}
	return nil
}

func (d *decoded) place(a model.Array, v model.VID, w element) error {
	if !d.layout.has(a) {
		return w.errorf("the linked program has no stage array %v", a)
	}
	if !d.isRegistered(v) {
		return w.dot("vid").errorf("no tenant has VID %d", v)
	}
	return nil
}

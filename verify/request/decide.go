package request

import (
	"errors"
	"fmt"
	"maps"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/wire"
)

// What one request may ask for (T2).
const (
	MaxUpdates  = 1024    // of a write
	MaxEntities = 4096    // of a read
	MaxBytes    = 1 << 20 // of either
	MaxMetadata = 256     // bytes, of an entry
)

// A State is what the gate has read of the switch, and what it vouches for while it sends the request.
type State struct {
	DeviceID   uint64
	ElectionID uint64 // low 64 bits, of the gate's mastership
	// Pages is a serialised p4.v1.ReadResponse with the tenant's page-table entries.
	Pages []byte
	// Entries is how many entries each of the tenant's tables has, by id, default actions and const entries aside.
	Entries map[uint32]int64
}

// An Error says that a request must not be sent, or an answer not be shown.
type Error struct {
	Property string // T1, T2 or T4
	Index    int    // of the update or entity; -1: the message as a whole
	Err      error
}

func (e *Error) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("%s: %v", e.Property, e.Err)
	}
	return fmt.Sprintf("%s: number %d: %v", e.Property, e.Index+1, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrEntitled marks what is T2's.
var ErrEntitled = errors.New("more than the tenant is entitled to")

func refuse(property string, index int, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrEntitled) {
		property = "T2"
	}
	return &Error{property, index, err}
}

// Write decides T1 and T2 of a serialised p4.v1.WriteRequest. It returns how the entries of tables change if all of it succeeds.
func (s *Scope) Write(b []byte, st State) (*Effect, error) {
	whole := func(err error) (*Effect, error) { return nil, refuse("T1", -1, err) }
	if len(b) > MaxBytes {
		return whole(fmt.Errorf("%w: %d bytes, %d are allowed", ErrEntitled, len(b), MaxBytes))
	}
	var req p4v1.WriteRequest
	if err := wire.Unmarshal(b, &req); err != nil {
		return whole(err)
	}
	if err := only(&req, "device_id", "election_id", "updates"); err != nil { // the atomicity is CONTINUE_ON_ERROR
		return whole(err)
	}
	switch id := req.GetElectionId(); {
	case req.GetDeviceId() != st.DeviceID:
		return whole(fmt.Errorf("device %d, not %d", req.GetDeviceId(), st.DeviceID))
	case id.GetHigh() != 0 || id.GetLow() != st.ElectionID:
		return whole(fmt.Errorf("election id %d, not %d", id.GetLow(), st.ElectionID))
	case len(req.GetUpdates()) == 0:
		return whole(errors.New("no updates"))
	case len(req.GetUpdates()) > MaxUpdates:
		return whole(fmt.Errorf("%w: %d updates, %d are allowed", ErrEntitled, len(req.GetUpdates()), MaxUpdates))
	}
	d, err := s.Decide(st)
	if err != nil {
		return whole(err)
	}
	e := &Effect{updates: make([]change, len(req.GetUpdates()))}
	for i, u := range req.GetUpdates() {
		if err := d.Update(u); err != nil {
			return nil, refuse("T1", i, err)
		}
		switch te := u.GetEntity().GetTableEntry(); {
		case te == nil:
		case u.GetType() == p4v1.Update_INSERT:
			e.updates[i] = change{te.GetTableId(), 1}
		case u.GetType() == p4v1.Update_DELETE:
			e.updates[i] = change{te.GetTableId(), -1}
		}
	}
	return e, nil
}

// A Decision is about the updates of one write, one by one.
type Decision struct {
	scope *Scope
	state State
	mem   []plan.Extent
	more  map[uint32]int64 // entries that are inserted
}

// Decide begins to decide about a write that would be sent in the state.
func (s *Scope) Decide(st State) (*Decision, error) {
	mem, err := s.memory(st)
	return &Decision{s, st, mem, map[uint32]int64{}}, err
}

// Update decides T1 and T2 of the next update. One that is refused is not part of the write.
func (d *Decision) Update(u *p4v1.Update) error {
	if err := d.scope.update(u, d.mem); err != nil {
		return err
	}
	te := u.GetEntity().GetTableEntry()
	if te == nil || u.GetType() != p4v1.Update_INSERT {
		return nil
	}
	id := te.GetTableId()
	now, known := d.state.Entries[id]
	if x := d.scope.tables[id]; !known || now+d.more[id] >= x.size { // deletes may be carried out later
		return fmt.Errorf("%w: table %s has %d entries, and room for %d", ErrEntitled, x.name, now, x.size)
	}
	d.more[id]++
	return nil
}

// An Effect is what the updates of a write do to the numbers of entries.
type Effect struct{ updates []change }

type change struct {
	table uint32
	by    int64
}

// After are the numbers of entries when those updates have succeeded for which done is true.
func (e *Effect) After(entries map[uint32]int64, done func(i int) bool) map[uint32]int64 {
	after := maps.Clone(entries)
	for i, c := range e.updates {
		if c.by != 0 && done(i) {
			after[c.table] += c.by
		}
	}
	return after
}

// Updates is how many there are.
func (e *Effect) Updates() int { return len(e.updates) }

// Reads decides T1 of a serialised p4.v1.ReadRequest.
func (s *Scope) Reads(b []byte, st State) error {
	whole := func(err error) error { return refuse("T1", -1, err) }
	if len(b) > MaxBytes {
		return whole(fmt.Errorf("%w: %d bytes, %d are allowed", ErrEntitled, len(b), MaxBytes))
	}
	var req p4v1.ReadRequest
	if err := wire.Unmarshal(b, &req); err != nil {
		return whole(err)
	}
	if err := only(&req, "device_id", "entities"); err != nil {
		return whole(err)
	}
	switch {
	case req.GetDeviceId() != st.DeviceID:
		return whole(fmt.Errorf("device %d, not %d", req.GetDeviceId(), st.DeviceID))
	case len(req.GetEntities()) == 0:
		return whole(errors.New("no entities"))
	case len(req.GetEntities()) > MaxEntities:
		return whole(fmt.Errorf("%w: %d entities, %d are allowed", ErrEntitled, len(req.GetEntities()), MaxEntities))
	}
	mem, err := s.memory(st)
	if err != nil {
		return whole(err)
	}
	for i, e := range req.GetEntities() {
		if err := s.asked(e, mem); err != nil {
			return refuse("T1", i, err)
		}
	}
	return nil
}

// Answer decides T4 of a serialised p4.v1.ReadResponse, which answers a read that was made in the state.
func (s *Scope) Answer(b []byte, st State) error {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		return refuse("T4", -1, err)
	}
	if path, ok := wire.UnknownField(&resp); ok {
		return refuse("T4", -1, fmt.Errorf("unknown field in %s", path))
	}
	mem, err := s.memory(st)
	if err != nil {
		return refuse("T4", -1, err)
	}
	for i, e := range resp.GetEntities() {
		if err := s.shown(e, mem); err != nil {
			return refuse("T4", i, err)
		}
	}
	return nil
}

// memory is what the tenant's page-table entries give, by stage array.
func (s *Scope) memory(st State) ([]plan.Extent, error) {
	if len(st.Pages) == 0 {
		return nil, nil
	}
	extents, err := s.pages.Extents(st.Pages)
	if err != nil {
		return nil, err
	}
	for _, x := range extents {
		if x.VID != s.tenant.VID {
			return nil, fmt.Errorf("a page-table entry of VID %d, not of the tenant's %d", x.VID, s.tenant.VID)
		}
	}
	return extents, nil
}

func only(m proto.Message, names ...string) error {
	if f := wire.OtherField(m, names...); f != "" {
		return fmt.Errorf("%s.%s must not be set", m.ProtoReflect().Descriptor().Name(), f)
	}
	return nil
}

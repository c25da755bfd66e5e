package plan

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/interlock/interlock/verify/plan/model"
)

// The messages of a plan are many and alike: a scrub has a RegisterEntry for each slot. A scan reads them in place, in the one form
// that deterministic marshalling gives them: fields in order, zeros left out, shortest varints. It accepts nothing else. What it does
// not accept decode.go reads at leisure, and says what is wrong with it, or that it is right after all; what it accepts decode.go would
// read in the same way (FuzzDecode).

// Tags of the fields that occur: number and wire type in one byte.
const (
	tagDeviceID   = 1 << 3   // WriteRequest.device_id
	tagElectionID = 3<<3 | 2 // WriteRequest.election_id
	tagUpdate     = 4<<3 | 2 // WriteRequest.updates
	tagLow        = 2 << 3   // Uint128.low
	tagType       = 1 << 3   // Update.type
	tagEntity     = 2<<3 | 2 // Update.entity
	tagEntities   = 1<<3 | 2 // ReadResponse.entities
	tagTable      = 2<<3 | 2 // Entity.table_entry
	tagRegister   = 11<<3 | 2
	tagID         = 1 << 3   // table_id, field_id, action_id, register_id, Index.index
	tagMatch      = 2<<3 | 2 // TableEntry.match
	tagExact      = 2<<3 | 2 // FieldMatch.exact
	tagAction     = 3<<3 | 2 // TableEntry.action
	tagBytes      = 1<<3 | 2 // TableAction.action, Exact.value, P4Data.bitstring
	tagParam      = 4<<3 | 2 // Action.params
	tagParamID    = 2 << 3   // Param.param_id
	tagParamValue = 3<<3 | 2 // Param.value
	tagIndex      = 2<<3 | 2 // RegisterEntry.index
	tagData       = 3<<3 | 2 // RegisterEntry.data
)

// scan is what has not been read yet. Once something is not as it should be, bad is set, and nothing that was read counts.
type scan struct {
	b   []byte
	bad bool
}

// is reads a tag if it is the next one.
func (s *scan) is(tag byte) bool {
	if s.bad || len(s.b) == 0 || s.b[0] != tag {
		return false
	}
	s.b = s.b[1:]
	return true
}

// want reads a tag that must be the next one.
func (s *scan) want(tag byte) {
	if !s.is(tag) {
		s.bad = true
	}
}

// end says that nothing is left.
func (s *scan) end() bool { return !s.bad && len(s.b) == 0 }

// length reads a varint in its shortest form.
func (s *scan) length() uint64 {
	if len(s.b) > 0 && s.b[0] < 0x80 {
		v := s.b[0]
		s.b = s.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(s.b)
	if n <= 0 || s.b[n-1] == 0 {
		s.bad = true
		return 0
	}
	s.b = s.b[n:]
	return v
}

// number reads a varint that is written because it is not 0.
func (s *scan) number() uint64 {
	v := s.length()
	s.bad = s.bad || v == 0
	return v
}

// message reads what a length stands before.
func (s *scan) message() scan {
	n := s.length()
	if s.bad || n > uint64(len(s.b)) {
		s.bad = true
		return scan{bad: true}
	}
	m := scan{b: s.b[:n]}
	s.b = s.b[n:]
	return m
}

// value reads a canonical bit string of at most bits.
func (s *scan) value(bits int) uint64 {
	m := s.message()
	v, ok := shortest(m.b, bits)
	s.bad = s.bad || !ok
	return v
}

// shortest reads a canonical bit string, as bitstring does.
func shortest(b []byte, bits int) (uint64, bool) {
	if len(b) == 0 || len(b) > 8 || len(b) > 1 && b[0] == 0 {
		return 0, false
	}
	var v uint64
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v, bits >= 64 || v>>bits == 0
}

// scanPre reads the pre-state.
func (d *decoded) scanPre(b []byte) bool {
	old, next := d.known.state, 0
	read := &preState{bytes: bytes.Clone(b), tables: &tables{}}
	if old != nil {
		read.entities = make([]entity, 0, len(old.entities)+1)
		read.tables.reserve(old.tables)
	}
	s := scan{b: read.bytes}
	for s.is(tagEntities) {
		m := s.message()
		e := entity{bytes: m.b}
		if same := old.known(m.b, &next); same != nil && !s.bad {
			e.key, e.entry = same.key, same.entry
		} else {
			m.want(tagTable)
			te := m.message()
			var ok bool
			if e.key, e.entry, ok = d.scanEntry(te, true); !ok || !m.end() {
				return false
			}
			old.pass(e.key, &next)
		}
		if !read.tables.put(e.key, e.entry) {
			return false
		}
		read.entities = append(read.entities, e)
	}
	if !s.end() {
		return false
	}
	read.tables.order()
	d.read, d.pre = read, read.tables
	return true
}

// scanRequest reads a write request of the plan's own.
func (d *decoded) scanRequest(b []byte) (request, bool) {
	s := scan{b: b}
	if d.in.DeviceID != 0 {
		s.want(tagDeviceID)
		if s.number() != d.in.DeviceID {
			return request{}, false
		}
	}
	s.want(tagElectionID)
	id := s.message()
	id.want(tagLow)
	if id.number() != d.in.ElectionID || !id.end() {
		return request{}, false
	}
	var r request
	array := registered{}
	for s.is(tagUpdate) {
		u := s.message()
		u.want(tagType)
		kind := u.number()
		u.want(tagEntity)
		entity := u.message()
		ok := u.end()
		switch {
		case entity.is(tagRegister):
			e := entity.message()
			slot, good := d.scanScrub(e, &array)
			ok = ok && good && kind == wireModify
			r.scrub(array.array, slot)
		case entity.is(tagTable):
			e := entity.message()
			x := model.Update{Index: r.updates}
			var good bool
			x.Key, x.Entry, good = d.scanEntry(e, kind != wireDelete)
			ok = ok && good && wireInsert <= kind && kind <= wireDelete
			x.Kind = [...]model.UpdateKind{wireInsert: model.Insert, wireModify: model.Modify, wireDelete: model.Delete}[min(kind, wireDelete)]
			r.write(x)
		default:
			return request{}, false
		}
		if !ok || !entity.end() {
			return request{}, false
		}
	}
	return r, s.end() && r.updates > 0
}

// Update.Type.
const (
	wireInsert = 1
	wireModify = 2
	wireDelete = 3
)

// registered is a stage array with its register's id: the one that was looked up last.
type registered struct {
	id    uint64
	array model.Array
	slots int64
	known bool
}

// scanScrub reads a RegisterEntry that writes zero into one slot of the array.
func (d *decoded) scanScrub(s scan, last *registered) (slot int64, ok bool) {
	s.want(tagID)
	id := s.number()
	s.bad = s.bad || !slices.Contains(d.in.Primitives.Scrub.By, ByCell)
	if id != last.id || !last.known {
		*last = registered{id: id}
		if id>>32 == 0 {
			last.array, last.known = d.layout.arrays[uint32(id)]
			last.slots = d.layout.slots[last.array]
		}
	}
	s.want(tagIndex)
	index := s.message()
	if index.is(tagID) {
		slot = int64(index.number())
	}
	s.want(tagData)
	data := s.message()
	data.want(tagBytes)
	zero := data.message()
	if !last.known || slot < 0 || slot >= last.slots || len(zero.b) != 1 || zero.b[0] != 0 {
		return 0, false
	}
	return slot, index.end() && data.end() && s.end()
}

// scanEntry reads a page-table entry; without its action only the key.
func (d *decoded) scanEntry(s scan, withAction bool) (model.Key, model.Entry, bool) {
	var none model.Key
	s.want(tagID)
	id := s.number()
	if s.bad || id>>32 != 0 {
		return none, nil, false
	}
	t := d.layout.tables[uint32(id)]
	if t == nil {
		return none, nil, false
	}
	s.want(tagMatch)
	match := s.message()
	match.want(tagID)
	field := match.number()
	match.want(tagExact)
	exact := match.message()
	exact.want(tagBytes)
	key := model.Key{Control: t.control, VID: model.VID(exact.value(vidBits))}
	if field != uint64(t.key) || !exact.end() || !match.end() {
		return none, nil, false
	}
	if !withAction {
		return key, nil, s.end()
	}
	s.want(tagAction)
	one := s.message()
	one.want(tagBytes)
	a := one.message()
	a.want(tagID)
	if a.number() != uint64(t.action) || !one.end() || !s.end() {
		return none, nil, false
	}
	entry := d.newEntry(t.stages)
	for k := range entry {
		var v [paramsPerStage]uint64
		for j := range v {
			a.want(tagParam)
			p := a.message()
			p.want(tagParamID)
			id := p.number()
			p.want(tagParamValue)
			v[j] = p.value(paramBits[j])
			if id != uint64(k*paramsPerStage+j+1) || !p.end() {
				return none, nil, false
			}
		}
		entry[k] = model.Extent{Base: int64(v[baseParam]), Size: int64(v[sizeParam]), Mask: uint32(v[maskParam]), Generation: uint16(v[generationParam])}
	}
	return key, entry, a.end()
}

// entriesAtOnce is how many entries memory is taken for at a time.
const entriesAtOnce = 64

// newEntry takes an entry from memory for many.
func (d *decoded) newEntry(stages int) model.Entry {
	if len(d.slab) < stages {
		d.slab = make([]model.Extent, stages*entriesAtOnce)
	}
	e := d.slab[:stages:stages]
	d.slab = d.slab[stages:]
	return e
}

// ScrubsOnly says whether a serialised p4.v1.WriteRequest writes registers and nothing else. Of a request that is not in the form of a plan it
// says no.
func ScrubsOnly(b []byte) bool {
	s := scan{b: b}
	if s.is(tagDeviceID) {
		s.number()
	}
	if s.is(tagElectionID) {
		s.message()
	}
	for s.is(tagUpdate) {
		u := s.message()
		u.want(tagType)
		u.number()
		u.want(tagEntity)
		entity := u.message()
		entity.want(tagRegister)
		entity.message()
		if !entity.end() || !u.end() {
			return false
		}
	}
	return s.end()
}

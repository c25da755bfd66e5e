package request

//lint:file-ignore SA1019 controller_metadata is deprecated, and still kept with entries

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/verify/plan"
)

// update decides about one update.
func (s *Scope) update(u *p4v1.Update, mem []plan.Extent) error {
	t := u.GetType()
	if t != p4v1.Update_INSERT && t != p4v1.Update_MODIFY && t != p4v1.Update_DELETE {
		return fmt.Errorf("an update of type %v", t)
	}
	modify := func() error {
		if t != p4v1.Update_MODIFY {
			return fmt.Errorf("an update of type %v: only MODIFY", t)
		}
		return nil
	}
	switch e := u.GetEntity().GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		return s.entry(t, e.TableEntry)
	case *p4v1.Entity_DirectCounterEntry:
		return cmp.Or(modify(), count(e.DirectCounterEntry.GetData()), s.directCounter(e.DirectCounterEntry))
	case *p4v1.Entity_CounterEntry:
		return cmp.Or(modify(), count(e.CounterEntry.GetData()), s.counter(e.CounterEntry))
	case *p4v1.Entity_RegisterEntry:
		bits, err := s.slot(e.RegisterEntry, mem)
		if err = cmp.Or(modify(), err); err != nil {
			return err
		}
		d, ok := e.RegisterEntry.GetData().GetData().(*p4v1.P4Data_Bitstring)
		if !ok {
			return errors.New("a slot is written with a bit string")
		}
		_, err = number(d.Bitstring, bits)
		return err
	}
	return fmt.Errorf("no tenant writes a %T", u.GetEntity().GetEntity())
}

// asked decides about one entity of a read.
func (s *Scope) asked(e *p4v1.Entity, mem []plan.Extent) error {
	switch e := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		x, te := s.tables[e.TableEntry.GetTableId()], e.TableEntry
		if x == nil {
			return fmt.Errorf("table %#x is not the tenant's", te.GetTableId())
		}
		if err := only(te, "table_id", "match", "action", "priority", "metadata", "controller_metadata", "counter_data", "is_default_action"); err != nil {
			return err
		}
		if te.GetAction() != nil {
			id := te.GetAction().GetAction().GetActionId()
			if x.actions[id] == nil || len(te.GetAction().GetAction().GetParams()) > 0 {
				return fmt.Errorf("table %s has no action %#x to choose entries by", x.name, id)
			}
		}
		return x.chosen(te)
	case *p4v1.Entity_DirectCounterEntry:
		return s.directCounter(e.DirectCounterEntry)
	case *p4v1.Entity_CounterEntry:
		return s.counter(e.CounterEntry)
	case *p4v1.Entity_RegisterEntry:
		if err := only(e.RegisterEntry, "register_id", "index"); err != nil {
			return err
		}
		_, err := s.slot(e.RegisterEntry, mem)
		return err
	}
	return fmt.Errorf("no tenant reads a %T", e.GetEntity())
}

// shown decides about one entity of an answer.
func (s *Scope) shown(e *p4v1.Entity, mem []plan.Extent) error {
	own := func(te *p4v1.TableEntry) error {
		x := s.tables[te.GetTableId()]
		if x == nil {
			return fmt.Errorf("table %#x is not the tenant's", te.GetTableId())
		}
		if a := te.GetAction(); a != nil && x.actions[a.GetAction().GetActionId()] == nil {
			return fmt.Errorf("table %s has no such action", x.name)
		}
		return nil
	}
	switch e := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		return own(e.TableEntry)
	case *p4v1.Entity_DirectCounterEntry:
		return own(e.DirectCounterEntry.GetTableEntry())
	case *p4v1.Entity_CounterEntry:
		return s.counter(e.CounterEntry)
	case *p4v1.Entity_RegisterEntry:
		_, err := s.slot(e.RegisterEntry, mem)
		return err
	}
	return fmt.Errorf("no tenant is shown a %T", e.GetEntity())
}

// entry decides about an update of a table's entry, or of its default action.
func (s *Scope) entry(t p4v1.Update_Type, te *p4v1.TableEntry) error {
	x := s.tables[te.GetTableId()]
	if x == nil {
		return fmt.Errorf("table %#x is not the tenant's", te.GetTableId())
	}
	fields := []string{"table_id", "match", "priority"}
	switch {
	case te.GetIsDefaultAction():
		fields = []string{"table_id", "is_default_action", "action", "metadata", "controller_metadata", "counter_data"}
	case t != p4v1.Update_DELETE:
		fields = append(fields, "action", "metadata", "controller_metadata", "counter_data")
	}
	if err := only(te, fields...); err != nil {
		return err
	}
	switch {
	case len(te.GetMetadata()) > MaxMetadata:
		return fmt.Errorf("%w: %d bytes of metadata, %d are allowed", ErrEntitled, len(te.GetMetadata()), MaxMetadata)
	case te.GetCounterData() != nil && !x.counted:
		return fmt.Errorf("table %s has no direct counter", x.name)
	}
	if err := count(te.GetCounterData()); err != nil {
		return err
	}
	if te.GetIsDefaultAction() {
		switch {
		case x.bound:
			return fmt.Errorf("the default action of table %s is const", x.name)
		case t != p4v1.Update_MODIFY:
			return fmt.Errorf("%v of a default action: only MODIFY", t)
		case te.GetAction() == nil:
			return nil // back to the program's own
		}
		return x.does(te.GetAction(), false)
	}
	if x.fixed {
		return fmt.Errorf("the entries of table %s are const", x.name)
	}
	if err := x.key(te); err != nil {
		return err
	}
	if t == p4v1.Update_DELETE || t == p4v1.Update_MODIFY && te.GetAction() == nil {
		return nil
	}
	return x.does(te.GetAction(), true)
}

// does decides about the action of an entry.
func (x *table) does(a *p4v1.TableAction, onEntry bool) error {
	y, ok := a.GetType().(*p4v1.TableAction_Action)
	if !ok {
		return errors.New("an entry has one action")
	}
	does := x.actions[y.Action.GetActionId()]
	switch {
	case does == nil:
		return fmt.Errorf("table %s has no action %#x", x.name, y.Action.GetActionId())
	case onEntry && !does.onEntry, !onEntry && !does.onDefault:
		return fmt.Errorf("action %s is not for this use in table %s", does.name, x.name)
	case len(y.Action.GetParams()) != len(does.params):
		return fmt.Errorf("action %s has %d parameters, not %d", does.name, len(does.params), len(y.Action.GetParams()))
	}
	seen := map[uint32]bool{}
	for _, p := range y.Action.GetParams() {
		bits, ok := does.params[p.GetParamId()]
		if !ok || seen[p.GetParamId()] {
			return fmt.Errorf("action %s: parameter %d is none of its, or is there twice", does.name, p.GetParamId())
		}
		seen[p.GetParamId()] = true
		if _, err := number(p.GetValue(), bits); err != nil {
			return fmt.Errorf("action %s, parameter %d: %w", does.name, p.GetParamId(), err)
		}
	}
	return nil
}

// chosen decides about a key that chooses one entry, or by its absence all.
func (x *table) chosen(te *p4v1.TableEntry) error {
	switch {
	case te.GetIsDefaultAction() && (len(te.GetMatch()) > 0 || te.GetPriority() != 0):
		return errors.New("a default action has no key")
	case len(te.GetMatch()) > 0:
		return x.key(te)
	case te.GetPriority() < 0:
		return errors.New("a negative priority")
	}
	return nil
}

// key decides about the key of an entry.
func (x *table) key(te *p4v1.TableEntry) error {
	if x.priority != (te.GetPriority() > 0) || te.GetPriority() < 0 {
		return fmt.Errorf("table %s: priority %d", x.name, te.GetPriority())
	}
	seen := map[uint32]bool{}
	for _, m := range te.GetMatch() {
		f := x.fields[m.GetFieldId()]
		if f == nil || seen[m.GetFieldId()] {
			return fmt.Errorf("table %s: key %d is none of its, or is there twice", x.name, m.GetFieldId())
		}
		seen[m.GetFieldId()] = true
		if err := matches(f, m); err != nil {
			return fmt.Errorf("table %s, key %s: %w", x.name, f.GetName(), err)
		}
	}
	for id, f := range x.fields {
		if f.GetMatchType() == configv1.MatchField_EXACT && !seen[id] {
			return fmt.Errorf("table %s, key %s: an exact match is missing", x.name, f.GetName())
		}
	}
	return nil
}

// matches decides about one field of a key.
func matches(f *configv1.MatchField, m *p4v1.FieldMatch) error {
	bits := int(f.GetBitwidth())
	wrong := fmt.Errorf("a match of the wrong kind (%T)", m.GetFieldMatchType())
	var kind configv1.MatchField_MatchType
	var values [][]byte
	switch y := m.GetFieldMatchType().(type) {
	case *p4v1.FieldMatch_Exact_:
		kind, values = configv1.MatchField_EXACT, [][]byte{y.Exact.GetValue()}
	case *p4v1.FieldMatch_Lpm:
		kind, values = configv1.MatchField_LPM, [][]byte{y.Lpm.GetValue()}
	case *p4v1.FieldMatch_Ternary_:
		kind, values = configv1.MatchField_TERNARY, [][]byte{y.Ternary.GetValue(), y.Ternary.GetMask()}
	case *p4v1.FieldMatch_Range_:
		kind, values = configv1.MatchField_RANGE, [][]byte{y.Range.GetLow(), y.Range.GetHigh()}
	case *p4v1.FieldMatch_Optional_:
		kind, values = configv1.MatchField_OPTIONAL, [][]byte{y.Optional.GetValue()}
	default:
		return wrong
	}
	if kind != f.GetMatchType() {
		return wrong
	}
	ns := make([]*big.Int, len(values))
	for i, v := range values {
		var err error
		if ns[i], err = number(v, bits); err != nil {
			return err
		}
	}
	switch kind {
	case configv1.MatchField_LPM:
		n := int(m.GetLpm().GetPrefixLen())
		if n < 1 || n > bits {
			return fmt.Errorf("a prefix of %d bits of %d", n, bits)
		}
		if ns[0].Sign() != 0 && int(ns[0].TrailingZeroBits()) < bits-n {
			return errors.New("bits after the prefix")
		}
	case configv1.MatchField_TERNARY:
		if ns[1].Sign() == 0 || new(big.Int).AndNot(ns[0], ns[1]).Sign() != 0 {
			return errors.New("an empty mask, or bits outside of it")
		}
	case configv1.MatchField_RANGE:
		if ns[0].Cmp(ns[1]) > 0 {
			return errors.New("the low bound is above the high one")
		}
	}
	return nil
}

func (s *Scope) directCounter(d *p4v1.DirectCounterEntry) error {
	te := d.GetTableEntry()
	x := s.tables[te.GetTableId()]
	switch {
	case x == nil:
		return fmt.Errorf("table %#x is not the tenant's", te.GetTableId())
	case !x.counted:
		return fmt.Errorf("table %s has no direct counter", x.name)
	}
	if err := only(te, "table_id", "match", "priority", "is_default_action"); err != nil {
		return err
	}
	return x.chosen(te)
}

func (s *Scope) counter(c *p4v1.CounterEntry) error {
	size, ok := s.counters[c.GetCounterId()]
	switch i := c.GetIndex(); {
	case !ok:
		return fmt.Errorf("counter %#x is not the tenant's", c.GetCounterId())
	case i != nil && (i.GetIndex() < 0 || i.GetIndex() >= size):
		return fmt.Errorf("index %d of a counter of %d", i.GetIndex(), size)
	}
	return nil
}

// slot decides whether a register entry is a slot of the tenant's, and returns its bits.
func (s *Scope) slot(r *p4v1.RegisterEntry, mem []plan.Extent) (int, error) {
	control, stage, slots, bits, ok := s.pages.Array(r.GetRegisterId())
	switch {
	case !ok:
		return 0, fmt.Errorf("register %#x is no stage array", r.GetRegisterId())
	case r.GetIndex() == nil:
		return 0, errors.New("a whole stage array")
	}
	i := r.GetIndex().GetIndex()
	for _, x := range mem {
		if x.Control == control && x.Stage == stage && x.Base <= i && i < x.Base+x.Size && i < slots {
			return bits, nil
		}
	}
	return 0, fmt.Errorf("slot %d of %s/%d is not the tenant's", i, control, stage)
}

// count decides about what a counter is set to.
func count(d *p4v1.CounterData) error {
	if d.GetPacketCount() < 0 || d.GetByteCount() < 0 {
		return errors.New("a negative count")
	}
	return nil
}

// number reads P4Runtime's canonical form of an unsigned value: as few bytes as possible, at least one, most significant first.
func number(b []byte, bits int) (*big.Int, error) {
	switch {
	case len(b) == 0:
		return nil, errors.New("an empty byte string is no number")
	case len(b) > 1 && b[0] == 0:
		return nil, errors.New("a leading zero byte")
	}
	n := new(big.Int).SetBytes(b)
	if n.BitLen() > bits {
		return nil, fmt.Errorf("a value of %d bits does not fit %d bits", n.BitLen(), bits)
	}
	return n, nil
}

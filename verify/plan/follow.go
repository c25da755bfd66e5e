package plan

import (
	"maps"
	"slices"

	"github.com/interlock/interlock/verify/plan/model"
)

// Follows returns nil if in may name previous as the plan before it (Input.Previous): it does name it, both are for the same program on the
// same switch, and what previous leaves when all of its steps have succeeded is in's PreState. That previous was proved is for the caller
// to know: from its own ledger, or, for an auditor, by deciding that entry of the log again.
func (e *Encoder) Follows(in, previous *Input) error {
	w := inField("previous")
	s, err := previous.Subject()
	if err != nil {
		return err
	}
	switch {
	case in.Previous != s.Digest():
		return w.errorf("names %s, this is %s", in.Previous, s.Digest())
	case in.Switch != previous.Switch || in.DeviceID != previous.DeviceID:
		return w.errorf("is a plan for switch %s, device %d", previous.Switch, previous.DeviceID)
	case string(in.Linked) != string(previous.Linked):
		return w.errorf("is a plan for another program")
	}
	before, err := e.decode(previous)
	if err != nil {
		return w.errorf("%w", err)
	}
	now := newDecoded(in, before.layout, before.known)
	if err := now.decodePre(); err != nil {
		return err
	}
	if !maps.EqualFunc(before.leaves(), now.pre.model(), slices.Equal) {
		return w.errorf("leaves other entries than the switch had before this one")
	}
	return nil
}

// leaves is what is in the page tables when all steps have succeeded, and nothing was written late.
func (d *decoded) leaves() model.Tables {
	t := d.pre.model()
	for _, s := range d.steps {
		for _, u := range s.entries {
			if u.Kind == model.Delete {
				delete(t, u.Key)
			} else {
				t[u.Key] = u.Entry
			}
		}
	}
	return t
}

package replace

import (
	"bytes"
	"fmt"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/wire"
)

// A written thing is what the steps do, as far as their order matters.
type written struct {
	last  int            // the last step that restores anything; -1: none does
	opens map[uint16]int // the step in which a VID is admitted
}

// steps decodes what will be sent and compares it with what is wanted. Whatever the request allows (any subset of its updates, in any
// order), each update by itself is one that is wanted.
func (r *reading) steps() (*written, error) {
	w := &written{last: -1, opens: map[uint16]int{}}
	done := map[item]bool{}
	for i, s := range r.in.Steps {
		at := func(update int, err error) error { return &Error{"M7", i, update, err} }
		switch s.Kind {
		case Commit:
			if i > 0 {
				return nil, &Error{"M8", i, -1, fmt.Errorf("a commit after other steps, which it would undo")}
			}
			if err := r.commit(s.Bytes); err != nil {
				return nil, at(-1, err)
			}
			w.last = i
		case Write:
			var req p4v1.WriteRequest
			if err := r.request(s.Bytes, &req); err != nil {
				return nil, at(-1, err)
			}
			for n, u := range req.GetUpdates() {
				vid, restores, err := r.update(u, done)
				if err != nil {
					if e, ok := err.(*Error); ok { //nolint:errorlint // made just there
						e.Step, e.Update = i, n
						return nil, e
					}
					return nil, at(n, err)
				}
				if restores {
					w.last = i
					continue
				}
				if _, twice := w.opens[vid]; twice || r.admitted[vid] {
					return nil, at(n, fmt.Errorf("VID %d is admitted already", vid))
				}
				w.opens[vid] = i
			}
		default:
			return nil, at(-1, fmt.Errorf("a step of kind %q", s.Kind))
		}
	}
	return w, r.complete(w, done)
}

// commit checks the request that brings the new program.
func (r *reading) commit(b []byte) error {
	var req p4v1.SetForwardingPipelineConfigRequest
	if err := wire.Unmarshal(b, &req); err != nil {
		return err
	}
	want := &p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: r.in.DeviceID, ElectionId: &p4v1.Uint128{Low: r.in.ElectionID},
		Action: p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		Config: &p4v1.ForwardingPipelineConfig{
			P4Info: r.next.info, P4DeviceConfig: r.in.New, Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: Cookie(r.in.New)},
		},
	}
	if !proto.Equal(&req, want) {
		return fmt.Errorf("the request does not commit the new program, with the P4Info that follows from it, on this switch and under this election id")
	}
	return nil
}

func (r *reading) request(b []byte, req *p4v1.WriteRequest) error {
	if err := wire.Unmarshal(b, req); err != nil {
		return err
	}
	if err := only(req, "device_id", "election_id", "updates"); err != nil { // the atomicity is CONTINUE_ON_ERROR
		return err
	}
	if req.GetDeviceId() != r.in.DeviceID || req.GetElectionId().GetHigh() != 0 || req.GetElectionId().GetLow() != r.in.ElectionID {
		return fmt.Errorf("the request is for device %d and election id %d", req.GetDeviceId(), req.GetElectionId().GetLow())
	}
	if len(req.GetUpdates()) == 0 {
		return fmt.Errorf("the request does nothing")
	}
	return nil
}

// update checks one update. It restores something, or admits the VID that is returned.
func (r *reading) update(u *p4v1.Update, done map[item]bool) (vid uint16, restores bool, err error) {
	c, err := r.next.read(u.GetEntity())
	if err != nil {
		return 0, false, err
	}
	kind := p4v1.Update_MODIFY
	if c.kind == entryItem {
		kind = p4v1.Update_INSERT
	}
	if u.GetType() != kind {
		return 0, false, fmt.Errorf("%v of a %s, which takes %v", u.GetType(), c.item, kind)
	}
	if c.object == specs.AdmissionTable && c.kind == entryItem {
		vid, err := r.opening(c)
		return vid, false, err
	}
	it, value := c.item, c.value
	if control, ok := pageControl(c.object); ok && c.kind == entryItem {
		k, ms, err := r.next.page(control, c.entry)
		if err != nil {
			return 0, false, err
		}
		if err := only(c.entry, "table_id", "match", "action"); err != nil {
			return 0, false, err
		}
		it.key, value = fmt.Sprint(k.vid), pageValue(ms)
	}
	want, ok := r.want[it]
	switch {
	case !ok:
		return 0, false, wrong("M8", "it writes the %v, which was not there to be restored", it)
	case want != value:
		return 0, false, wrong("M8", "it writes the %v as %s, and it was %s", it, value, want)
	case done[it]:
		return 0, false, wrong("M8", "it writes the %v a second time", it)
	}
	done[it] = true
	return 0, true, nil
}

// opening checks an entry of the admission table.
func (r *reading) opening(c content) (uint16, error) {
	vid, err := r.next.vid(c.entry)
	if err != nil {
		return 0, err
	}
	if err := only(c.entry, "table_id", "match", "action"); err != nil {
		return 0, err
	}
	a := c.entry.GetAction().GetAction()
	if act := r.next.actions[a.GetActionId()]; act == nil || act.name != specs.AdmitAction || len(a.GetParams()) > 0 {
		return 0, fmt.Errorf("an entry of the admission table that does something else than %s", specs.AdmitAction)
	}
	if t, ok := r.byNew[vid]; !ok || !t.Admitted {
		return 0, wrong("M8", "VID %d is admitted, which is no tenant's that should be", vid)
	}
	return vid, nil
}

// complete checks that nothing is missing: in what was written, among who is admitted, and in what was announced.
func (r *reading) complete(w *written, done map[item]bool) error {
	if !r.in.Commits() && !bytes.Equal(r.in.Old, r.in.New) {
		return wrong("M8", "the programs differ, and the new one is not committed")
	}
	if r.old == nil && !r.in.Commits() {
		return wrong("M8", "there is no program, and none is committed")
	}
	for it := range r.want {
		if !done[it] {
			return wrong("M8", "the %v is neither restored nor announced as lost", it)
		}
	}
	for _, t := range r.in.Tenants {
		if _, opened := w.opens[t.VID]; t.Admitted && !opened && !r.admitted[t.VID] {
			return wrong("M8", "tenant %s is not admitted in the end", t.Name)
		}
	}
	if got, want := r.in.Lost, r.sorted(); !slices.Equal(got, want) {
		for _, l := range want {
			if !slices.Contains(got, l) {
				return wrong("M8", "the loss of %s of %s is not announced", l.Object, l.whose())
			}
		}
		return wrong("M8", "losses are announced that are none, or not in their order")
	}
	return nil
}

func (l Loss) whose() string {
	if l.Tenant == "" {
		return "the system"
	}
	return "tenant " + l.Tenant
}

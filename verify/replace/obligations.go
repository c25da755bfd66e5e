package replace

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/smt"
)

// EncoderVersion names the way in which this package writes obligations. It changes whenever the text of some obligation does, the form of
// the recorded input, or what is refused without one.
const EncoderVersion = "replace/2+" + program.EncoderVersion

// logic of the obligations that are not the program's.
const logic = "QF_LIA"

// An Encoder makes obligations. It keeps what it knows of the programs that it met last: to read one takes longer than all the rest, and
// the same two are asked about before the switch is closed and while it is. It is safe for concurrent use.
type Encoder struct {
	mu       sync.Mutex
	programs map[verify.Digest][]verify.Obligation
	catalogs map[string]*catalog
}

// remembered is how many programs an Encoder keeps, before it begins anew.
const remembered = 8

// NewEncoder returns an Encoder that has met no program.
func NewEncoder() *Encoder {
	return &Encoder{programs: map[verify.Digest][]verify.Obligation{}, catalogs: map[string]*catalog{}}
}

// catalog is catalogOf.
func (e *Encoder) catalog(linked []byte, tenants []string) (*catalog, error) {
	key := fmt.Sprintf("%s %q", verify.DigestOf(linked), tenants)
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.catalogs[key]; ok {
		return c, nil
	}
	c, err := catalogOf(linked, tenants)
	if err != nil {
		return nil, err
	}
	if len(e.catalogs) >= remembered {
		clear(e.catalogs)
	}
	e.catalogs[key] = c
	return c, nil
}

// Obligations checks what is decided by comparison (an *Error says what is wrong), and returns what the solvers must decide. The result
// is a function of the input alone, to the byte.
func (e *Encoder) Obligations(in *Input) ([]verify.Obligation, error) {
	r, err := e.read(in)
	if err != nil {
		return nil, err
	}
	w, err := r.steps()
	if err != nil {
		return nil, err
	}
	var obs []verify.Obligation
	if r.old != nil && in.Commits() {
		old := &program.Input{Linked: in.Old}
		for _, t := range in.Tenants {
			if t.OldVID != 0 {
				old.Tenants = append(old.Tenants, program.Tenant{Name: t.Name, VID: t.OldVID})
			}
		}
		list, err := e.closed(old)
		if err != nil {
			return nil, fmt.Errorf("the old program: %w", err)
		}
		for _, o := range list {
			o.ID, o.Subject, o.Property = "M8/old/"+o.ID, "the old program: "+o.Subject, "M8"
			if strings.HasPrefix(o.ID, "M8/old/P10/") {
				o.Property = "M4"
			}
			obs = append(obs, o)
		}
	}
	obs = append(obs, w.order(in.Tenants, len(in.Steps))...)
	return append(obs, r.extents()...), nil
}

// closed are the obligations of the old program that a replacement rests on: names stand for VIDs, and a VID without an entry in the
// admission table touches nothing. When it was installed it had a certificate that said so; but nobody knows here who installed it.
func (e *Encoder) closed(in *program.Input) ([]verify.Obligation, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	key := s.Digest()
	e.mu.Lock()
	defer e.mu.Unlock()
	if list, ok := e.programs[key]; ok {
		return list, nil
	}
	rep, err := program.Obligations(in)
	if err != nil {
		return nil, err
	}
	var list []verify.Obligation
	for _, o := range rep.Obligations {
		if o.Property == "P10" || strings.HasPrefix(o.ID, "P11/closed/") {
			list = append(list, o)
		}
	}
	if len(e.programs) >= remembered {
		clear(e.programs)
	}
	e.programs[key] = list
	return list, nil
}

// order is M8's order: while step now is under way, all steps before it have succeeded, and of its own updates any may have been carried
// out. So a tenant that is admitted in step open may be in from then on, and what step last restores may be missing until it is over.
func (w *written) order(tenants []Tenant, steps int) []verify.Obligation {
	var obs []verify.Obligation
	for _, t := range tenants {
		open, ok := w.opens[t.VID]
		if !ok || !t.Admitted {
			continue
		}
		b := smt.NewBuilder()
		now := b.Var("now", smt.Int)
		in := b.And(b.Le(b.Int(int64(open)), now), b.Le(now, b.Int(int64(steps))))
		obs = append(obs, verify.Obligation{
			ID: "M8/order/" + t.Name, Property: "M8", Logic: logic,
			Subject: fmt.Sprintf("tenant %s: nothing is restored any more when it may be admitted (step %d)", t.Name, open+1),
			Text:    smt.Script(logic, b.And(in, b.Le(now, b.Int(int64(w.last))))),
			Guard:   smt.Script(logic, in),
		})
	}
	return obs
}

// extents is M1 and M3 of what is written: sorted by their base, extents of a stage array begin where the one before has ended, or later,
// and end within it. That this chain makes them pairwise disjoint is specs/lemmas/chain.smt2.
func (r *reading) extents() []verify.Obligation {
	arrays := map[place][]mapping{}
	for k, ms := range r.pages {
		for i, m := range ms {
			if m.size > 0 {
				at := place{k.control, i}
				arrays[at] = append(arrays[at], m)
			}
		}
	}
	places := slices.SortedFunc(maps.Keys(arrays), func(a, b place) int {
		if a.control != b.control {
			return -strings.Compare(string(a.control), string(b.control)) // ingress first
		}
		return a.stage - b.stage
	})
	var obs []verify.Obligation
	for _, at := range places {
		ms := arrays[at]
		slices.SortFunc(ms, func(a, b mapping) int {
			if a.base != b.base {
				return int(a.base - b.base)
			}
			return int(a.size - b.size)
		})
		b := smt.NewBuilder()
		// k is any of the extents; end is where the one before it ends.
		k, base, size, end := b.Var("k", smt.Int), b.Var("base", smt.Int), b.Var("size", smt.Int), b.Var("end", smt.Int)
		var is []*smt.Term
		before := int64(0)
		for i, m := range ms {
			is = append(is, b.And(b.Eq(k, b.Int(int64(i))), b.Eq(base, b.Int(m.base)), b.Eq(size, b.Int(m.size)), b.Eq(end, b.Int(before))))
			before = m.base + m.size
		}
		any := b.Or(is...)
		good := b.And(b.Le(end, base), b.Le(b.Add(base, size), b.Int(r.next.stages[at].slots)))
		obs = append(obs, verify.Obligation{
			ID: fmt.Sprintf("M8/extents/%v", at), Property: "M1", Logic: logic,
			Subject: fmt.Sprintf("stage %v: %d extents that come back are within its %d slots, and disjoint", at, len(ms), r.next.stages[at].slots),
			Text:    smt.Script(logic, b.And(any, b.Not(good))), Guard: smt.Script(logic, any),
		})
	}
	return obs
}

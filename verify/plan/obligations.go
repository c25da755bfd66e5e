package plan

import (
	"container/list"
	"sync"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// Obligations lists what must be proved about a plan: M1 to M6, and of M7 what is not decided by decoding. It is a pure function
// of in. A plan that cannot be read for certain is refused with an *InputError (M7).
func Obligations(in *Input) ([]verify.Obligation, error) { return NewEncoder(1).Obligations(in) }

// An Encoder builds obligations and remembers the linked programs that it has parsed, the latest first. What it returns does not
// depend on what it remembers. It may be used by several goroutines.
type Encoder struct {
	mu       sync.Mutex
	programs int
	recent   list.List // of *parsed
	texts    texts
}

// texts remembers texts that recur from plan to plan, by all that they depend on.
type texts struct {
	mu    sync.Mutex
	known map[string][2]string
}

// maxTexts bounds how many are remembered. Plans made by a recipe have a few dozen shapes, and sixteen blocks a stage.
const maxTexts = 4096

func (t *texts) of(key string, build func() (text, guard string)) (text, guard string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.known[key]; ok {
		return known[0], known[1]
	}
	text, guard = build()
	if t.known == nil || len(t.known) >= maxTexts {
		t.known = map[string][2]string{}
	}
	t.known[key] = [2]string{text, guard}
	return text, guard
}

type parsed struct {
	digest verify.Digest
	layout *layout
}

// NewEncoder returns an encoder that remembers up to the given number of programs, at least one.
func NewEncoder(programs int) *Encoder { return &Encoder{programs: max(programs, 1)} }

// Obligations is like the function of that name.
func (e *Encoder) Obligations(in *Input) ([]verify.Obligation, error) {
	d, err := e.decode(in)
	if err != nil {
		return nil, err
	}
	return d.obligations(), nil
}

func (e *Encoder) decode(in *Input) (*decoded, error) {
	l, err := e.layout(in.Linked)
	if err != nil {
		return nil, inField("linked").errorf("%w", err)
	}
	return decode(in, l, &e.texts)
}

// layout returns that of a linked program.
func (e *Encoder) layout(linked []byte) (*layout, error) {
	digest := verify.DigestOf(linked)
	e.mu.Lock()
	defer e.mu.Unlock()
	for x := e.recent.Front(); x != nil; x = x.Next() {
		if p := x.Value.(*parsed); p.digest == digest {
			e.recent.MoveToFront(x)
			return p.layout, nil
		}
	}
	info, err := rederive(linked)
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(info)
	if err != nil {
		return nil, err
	}
	e.recent.PushFront(&parsed{digest, l})
	if e.recent.Len() > e.programs {
		e.recent.Remove(e.recent.Back())
	}
	return l, nil
}

// controls with page tables, in a fixed order.
func (d *decoded) controls() []specs.Control {
	var out []specs.Control
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		if d.layout.table(c) != nil {
			out = append(out, c)
		}
	}
	return out
}

func (d *decoded) obligations() []verify.Obligation {
	var out []verify.Obligation
	out = append(out, d.registered()...)
	out = append(out, d.keys()...)
	out = append(out, d.translation()...)
	for _, c := range d.controls() {
		hs := d.histories(c)
		out = append(out, d.masks(c, hs)...)
		out = append(out, d.requests(c)...)
		out = append(out, d.goals(d.layout.table(c), hs)...)
		for _, a := range d.plan.Arrays() {
			if a.Control != c {
				continue
			}
			s := d.stage(a, hs)
			out = append(out, s.obligations()...)
		}
	}
	return append(out, d.markers()...)
}

// stages returns the analysed stages in the order of Arrays, for those who explain.
func (d *decoded) stages() []*stage {
	hs := map[specs.Control][]*history{}
	for _, c := range d.controls() {
		hs[c] = d.histories(c)
	}
	var out []*stage
	for _, a := range d.plan.Arrays() {
		out = append(out, d.stage(a, hs[a.Control]))
	}
	return out
}

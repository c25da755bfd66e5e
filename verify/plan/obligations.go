package plan

import (
	"bytes"
	"container/list"
	"sync"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// Obligations lists what must be proved about a plan: M1 to M6, and of M7 what is not decided by decoding. It is a pure function
// of in. A plan that cannot be read for certain is refused with an *InputError (M7).
func Obligations(in *Input) ([]verify.Obligation, error) { return NewEncoder(1).Obligations(in) }

// An Encoder builds obligations and remembers, of the switches whose plans it has seen, the latest first, the linked programs, which are
// long to parse, and what plans of one switch have in common. What it returns does not depend on what it remembers. It may be used by
// several goroutines.
type Encoder struct {
	mu       sync.Mutex
	switches int
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
	if t == nil {
		return build()
	}
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

// Texts returns what build makes, unless it is remembered: key has all that it depends on. It is for proofs about several plans.
func (e *Encoder) Texts(key string, build func() (text, guard string)) (text, guard string) {
	return e.texts.of(key, build)
}

// parsed is what is remembered of one switch.
type parsed struct {
	name   string
	linked []byte
	layout *layout
	state  *preState
	roster *roster
}

// NewEncoder returns an encoder that remembers up to the given number of switches, at least one.
func NewEncoder(switches int) *Encoder { return &Encoder{switches: max(switches, 1)} }

// Obligations is like the function of that name.
func (e *Encoder) Obligations(in *Input) ([]verify.Obligation, error) {
	d, err := e.decode(in)
	if err != nil {
		return nil, err
	}
	return d.obligations(), nil
}

func (e *Encoder) decode(in *Input) (*decoded, error) {
	p, known, err := e.parsed(in)
	if err != nil {
		return nil, inField("linked").errorf("%w", err)
	}
	d, err := decode(in, p.layout, known)
	if err == nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		p.state, p.roster = d.read, d.roster
	}
	return d, err
}

// parsed returns what is remembered of a plan's switch, with the program that it runs.
func (e *Encoder) parsed(in *Input) (*parsed, memory, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := &parsed{name: in.Switch}
	for x := e.recent.Front(); x != nil; x = x.Next() {
		p := x.Value.(*parsed)
		if !bytes.Equal(p.linked, in.Linked) {
			continue
		}
		if p.name == in.Switch {
			e.recent.MoveToFront(x)
			return p, memory{&e.texts, p.state, p.roster}, nil
		}
		now.linked, now.layout = p.linked, p.layout
	}
	if now.layout == nil {
		info, err := rederive(in.Linked)
		if err != nil {
			return nil, memory{}, err
		}
		if now.layout, err = layoutOf(info); err != nil {
			return nil, memory{}, err
		}
		now.linked = bytes.Clone(in.Linked)
	}
	e.recent.PushFront(now)
	if e.recent.Len() > e.switches {
		e.recent.Remove(e.recent.Back())
	}
	return now, memory{texts: &e.texts}, nil
}

// controls with page tables, in a fixed order.
func (d *decoded) controls() []specs.Control {
	out := make([]specs.Control, 0, 2)
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		if d.layout.table(c) != nil {
			out = append(out, c)
		}
	}
	return out
}

// inherits says whether the pre-state is known to be exclusive and within bounds from an earlier plan.
func (d *decoded) inherits() bool { return d.in.Previous != "" }

func (d *decoded) obligations() []verify.Obligation {
	stages := d.stages()
	ps := allPages(stages)
	out := append(make([]verify.Obligation, 0, 64), d.registered()...)
	out = append(out, d.keys(ps)...)
	out = append(out, d.translation()...)
	out = append(out, d.masks(ps)...)
	out = append(out, d.bounds(stages)...)
	if !d.inherits() {
		for _, s := range stages {
			out = append(out, s.preState()...)
		}
	}
	out = append(out, d.cuts(stages)...)
	out = append(out, d.shapes(stages)...)
	out = append(out, d.patterns(stages)...)
	out = append(out, d.requests()...)
	out = append(out, d.goals(ps)...)
	out = append(out, d.restrictions()...)
	return append(out, d.markers()...)
}

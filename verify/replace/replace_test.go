package replace_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/replace"
	"github.com/interlock/interlock/verify/smt"
)

// z3 decides most tests' replacements; both decides those of TestAdd.
var (
	z3   = sync.OnceValues(func() (*smt.Pool, error) { return smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: "z3"}}) })
	both = sync.OnceValues(func() (*smt.Pool, error) {
		return smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: "z3"}, {Name: "cvc5"}})
	})
)

var (
	encoder = sync.OnceValue(replace.NewEncoder)
	planner = sync.OnceValue(func() *replacement.Planner { return replacement.NewPlanner(encoder()) })
)

// proved returns nil if Z3 proves a replacement, else why it is not: refused, or which obligation is refuted.
func proved(t testing.TB, in *replace.Input) error { return provedBy(t, in, z3, "z3") }

func provedBy(t testing.TB, in *replace.Input, solvers func() (*smt.Pool, error), required ...string) error {
	t.Helper()
	obs, err := encoder().Obligations(in)
	if err != nil {
		return err
	}
	pool, err := solvers()
	if errors.Is(err, smt.ErrMissing) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	s, err := in.Subject()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cert, err := verify.Decide(ctx, pool, s, replace.EncoderVersion, obs, nil, required, time.Unix(0, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Proved()
}

// two is a switch that runs ann and bob, with state of every kind, read when it was closed.
func two(t testing.TB) (*lab, replacement.From) {
	t.Helper()
	l := newLab(t)
	old := linkSite(t, 1024, ann, bob)
	l.install(old, ann, bob)
	l.populate(ann, 1, 2, 3)
	l.populate(bob, 1, 200)
	l.mapped(old, specs.Ingress, ann.vid, 100, 32, 3)
	l.mapped(old, specs.Ingress, bob.vid, 132, 16, 5)
	for i := range uint16(8) {
		l.probe(ann, true, 1, i, 1000+uint32(i))
		l.probe(bob, true, 1, 2*i, 2000+uint32(i))
	}
	l.update(p4v1.Update_INSERT, entryOf(&p4v1.TableEntry{
		TableId: l.named2("il_Ingress.il_l2"), Action: does(l.named2("il_Ingress.il_forward"), 4),
		Match: []*p4v1.FieldMatch{
			{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{1}}}},
			{FieldId: 2, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{9}}}},
		},
	}))
	l.close()
	if l.probe(ann, false, 1, 0, 0).passed {
		t.Fatal("a packet passed a closed switch")
	}
	return l, replacement.From{Linked: old, Before: l.everything()}
}

// named2 is the id of a table or action of the system's.
func (l *lab) named2(name string) uint32 {
	for _, x := range l.pipeline().P4Info.GetTables() {
		if x.GetPreamble().GetName() == name {
			return x.GetPreamble().GetId()
		}
	}
	for _, x := range l.pipeline().P4Info.GetActions() {
		if x.GetPreamble().GetName() == name {
			return x.GetPreamble().GetId()
		}
	}
	l.t.Fatalf("no %s", name)
	return 0
}

func propose(t testing.TB, from replacement.From, slots int, guests ...guest) *replace.Input {
	t.Helper()
	in, err := planner().Propose(wanted(linkSite(t, slots, guests...), guests), from)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// Adding a tenant: the others find everything as it was, counts included, and the newcomer nothing.
func TestAdd(t *testing.T) {
	l, from := two(t)
	in := propose(t, from, 1024, ann, bob, cyd)
	if err := provedBy(t, in, both, "z3", "cvc5"); err != nil {
		t.Fatal(err)
	}
	if len(in.Lost) > 0 {
		t.Errorf("lost: %v", in.Lost)
	}
	l.carryOut(in.Steps)
	if got := contents(t, l.everything(), mustInfo(t, in.New)); !slices.Equal(got, contents(t, from.Before, mustInfo(t, from.Linked))) {
		t.Errorf("the switch holds\n%s\nit held\n%s", strings.Join(got, "\n"), strings.Join(contents(t, from.Before, mustInfo(t, from.Linked)), "\n"))
	}
	for i := range uint16(8) {
		if p := l.probe(ann, false, 1, i, 0); p != (probe{true, 1000 + uint32(i), true, 3}) {
			t.Errorf("ann, slot %d: %+v", i, p)
		}
		if p := l.probe(bob, false, 1, 2*i, 0); p != (probe{true, 2000 + uint32(i), true, 5}) {
			t.Errorf("bob, slot %d: %+v", i, p)
		}
	}
	if l.probe(ann, false, 0x85, 7, 0).passed || l.probe(ann, false, 77, 7, 0).passed {
		t.Error("ann's filter or default action is gone")
	}
}

// contents are what lasts, in words that need no ids, without the admission table.
func contents(t testing.TB, b []byte, info names) []string {
	t.Helper()
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range resp.GetEntities() {
		if c, ok := decode(e, info); ok {
			out = append(out, c.cell.String()+": "+c.value)
		}
	}
	slices.Sort(out)
	return out
}

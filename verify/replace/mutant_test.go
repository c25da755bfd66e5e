package replace_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/replace"
	"github.com/interlock/interlock/verify/replace/model"
)

var (
	seed    = flag.Uint64("seed", 1, "of the model's choices and of random mutants")
	mutants = flag.Int("mutants", 60, "random mutants to try")
)

// agrees has the model carry a replacement out: it breaks what is broken, and nothing that is good.
func agrees(t testing.TB, in *replace.Input, good bool) (violation string) {
	t.Helper()
	v := model.Violations(modelled(t, in), rand.New(rand.NewPCG(*seed, 5)), 40)
	if good && v != "" {
		t.Errorf("seed %d: it is proved, and the model breaks it: %s", *seed, v)
	}
	return v
}

// request decodes a write step.
func request(t testing.TB, s replace.Step) *p4v1.WriteRequest {
	t.Helper()
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(s.Bytes, &req); err != nil {
		t.Fatal(err)
	}
	return &req
}

func (m *mutation) put(i int, req *p4v1.WriteRequest) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		m.t.Fatal(err)
	}
	m.in.Steps[i].Bytes = b
}

// A mutation is a replacement that is being spoiled.
type mutation struct {
	t  testing.TB
	in *replace.Input
}

// find is the first update for which is holds, as step and index.
func (m *mutation) find(is func(u *p4v1.Update) bool) (int, int) {
	m.t.Helper()
	for i, s := range m.in.Steps {
		if s.Kind != replace.Write {
			continue
		}
		for n, u := range request(m.t, s).GetUpdates() {
			if is(u) {
				return i, n
			}
		}
	}
	m.t.Fatal("there is no such update")
	return 0, 0
}

// change changes the first update for which is holds.
func (m *mutation) change(is func(u *p4v1.Update) bool, change func(u *p4v1.Update)) {
	m.t.Helper()
	i, n := m.find(is)
	req := request(m.t, m.in.Steps[i])
	change(req.Updates[n])
	m.put(i, req)
}

// drop leaves it out.
func (m *mutation) drop(is func(u *p4v1.Update) bool) {
	m.t.Helper()
	i, n := m.find(is)
	req := request(m.t, m.in.Steps[i])
	req.Updates = slices.Delete(req.Updates, n, n+1)
	m.put(i, req)
}

// What updates are.
func (m *mutation) table(tenant, name string, dflt bool) func(*p4v1.Update) bool {
	info := mustInfo(m.t, m.in.New)
	full := name
	if tenant != "" {
		full = specs.TenantPrefix(tenant) + "I." + name
	}
	return func(u *p4v1.Update) bool {
		te := u.GetEntity().GetTableEntry()
		return te != nil && info.preamble(te.GetTableId()) == full && te.GetIsDefaultAction() == dflt
	}
}

func cell(u *p4v1.Update) bool   { return u.GetEntity().GetRegisterEntry() != nil }
func count(u *p4v1.Update) bool  { return u.GetEntity().GetCounterEntry() != nil }
func direct(u *p4v1.Update) bool { return u.GetEntity().GetDirectCounterEntry() != nil }

// Mutants of a good replacement: each must be refused, as the property that it breaks, and where it can be seen from outside the model
// must break it too.
func TestMutants(t *testing.T) {
	_, from := two(t)
	bobsVID := guest{"cyd", bob.vid, "kinds.p4", 3}
	add := propose(t, from, 1024, ann, bob, cyd)
	reassign := propose(t, from, 1024, ann, bobsVID)
	for _, c := range []struct {
		name   string
		of     *replace.Input
		mutate func(m *mutation)
		want   string // part of the error
		unseen bool   // by the model: no packet can tell
	}{
		{"an entry is dropped", add, func(m *mutation) { m.drop(m.table("ann", "routes", false)) }, "M8: the entry key=0x", false},
		{"a default action is dropped", add, func(m *mutation) { m.drop(m.table("bob", "routes", true)) }, "M8: the default action of bob__I.routes is neither", false},
		{"a count is dropped", add, func(m *mutation) { m.drop(count) }, "M8: the count", false},
		{"a count of a const entry is dropped", add, func(m *mutation) { m.drop(direct) }, "M8: the count of a const entry", false},
		{"a slot is dropped", add, func(m *mutation) { m.drop(cell) }, "M8: the cell", false},
		{"a page-table entry is dropped", add, func(m *mutation) { m.drop(m.table("", "il_page_ingress", false)) }, "M8: the entry", false},
		{"the system's entry is dropped", add, func(m *mutation) {
			i := slices.IndexFunc(m.in.Steps, func(s replace.Step) bool { return strings.HasPrefix(s.Note, "restore 1 of the system") })
			m.in.Steps = slices.Delete(m.in.Steps, i, i+1)
		}, "M8: the entry dst=0x09 ingress_port=0x01 @0 of il_Ingress.il_l2", false},
		{"a tenant's steps are dropped", add, func(m *mutation) {
			i, _ := m.find(m.table("bob", "routes", false))
			m.in.Steps = slices.Delete(m.in.Steps, i, i+1)
		}, "neither restored nor announced", false},
		{"an entry does something else", add, func(m *mutation) {
			m.change(m.table("ann", "routes", false), func(u *p4v1.Update) {
				u.GetEntity().GetTableEntry().GetAction().GetAction().GetParams()[0].Value = []byte{1}
			})
		}, "M8: step 3: update", false},
		{"an entry of another tenant", add, func(m *mutation) {
			m.change(m.table("ann", "routes", false), func(u *p4v1.Update) {
				i, n := m.find(m.table("bob", "routes", false))
				u.GetEntity().GetTableEntry().TableId = request(m.t, m.in.Steps[i]).Updates[n].GetEntity().GetTableEntry().GetTableId()
			})
		}, "M8: step 3: update", false},
		{"a slot's content changed", add, func(m *mutation) {
			m.change(cell, func(u *p4v1.Update) {
				u.GetEntity().GetRegisterEntry().Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{1}}}
			})
		}, "as 01, and it was", false},
		{"a slot elsewhere", add, func(m *mutation) {
			m.change(cell, func(u *p4v1.Update) { u.GetEntity().GetRegisterEntry().Index.Index = 900 })
		}, "was not there to be restored", false},
		{"another tenant's slot", add, func(m *mutation) {
			m.change(cell, func(u *p4v1.Update) { u.GetEntity().GetRegisterEntry().Index.Index = 133 })
		}, "was not there to be restored", false},
		{"an entry that was not there", add, func(m *mutation) {
			m.change(m.table("ann", "routes", false), func(u *p4v1.Update) {
				u.GetEntity().GetTableEntry().Match[0].GetExact().Value = []byte{55}
			})
		}, "was not there to be restored", false},
		{"an extent that moves", add, func(m *mutation) {
			m.change(m.table("", "il_page_ingress", false), func(u *p4v1.Update) {
				u.GetEntity().GetTableEntry().GetAction().GetAction().Params[0].Value = []byte{90}
			})
		}, "M8: step", false},
		{"a generation that does not say", add, func(m *mutation) {
			m.change(m.table("", "il_page_ingress", false), func(u *p4v1.Update) {
				u.GetEntity().GetTableEntry().GetAction().GetAction().Params[3].Value = []byte{9}
			})
		}, "M8: step", false},
		{"admission opened early", add, func(m *mutation) {
			last := len(m.in.Steps) - 1
			m.in.Steps = slices.Insert(m.in.Steps[:last:last], 1, m.in.Steps[last])
		}, "refuted: M8/order/ann", false},
		{"admission before a tenant's own restoration", add, func(m *mutation) {
			last := len(m.in.Steps) - 1
			m.in.Steps[last], m.in.Steps[last-1] = m.in.Steps[last-1], m.in.Steps[last]
		}, "refuted: M8/order/", false},
		{"admission and restoration in one request", add, func(m *mutation) {
			last := len(m.in.Steps) - 1
			a, b := request(m.t, m.in.Steps[last-1]), request(m.t, m.in.Steps[last])
			a.Updates = append(a.Updates, b.GetUpdates()...)
			m.put(last-1, a)
			m.in.Steps = m.in.Steps[:last]
		}, "refuted: M8/order/", false},
		{"a tenant is left out", add, func(m *mutation) { m.drop(m.table("", "il_admission", false)) }, "M8: tenant ann is not admitted in the end", false},
		{"nobody's VID is admitted", add, func(m *mutation) {
			m.change(m.table("", "il_admission", false), func(u *p4v1.Update) {
				u.GetEntity().GetTableEntry().Match[0].GetExact().Value = []byte{99}
			})
		}, "VID 99 is admitted, which is no tenant's", false},
		{"no commit", add, func(m *mutation) { m.in.Steps = m.in.Steps[1:] }, "M8", true},
		{"the commit again at the end", add, func(m *mutation) { m.in.Steps = append(m.in.Steps, m.in.Steps[0]) }, "M8: step 6: a commit after other steps", false},
		{"the commit of another program", add, func(m *mutation) { m.in.Steps[0] = reassign.Steps[0] }, "M7: step 1", true},
		{"a commit that keeps what was saved", add, func(m *mutation) {
			var req p4v1.SetForwardingPipelineConfigRequest
			if err := proto.Unmarshal(m.in.Steps[0].Bytes, &req); err != nil {
				m.t.Fatal(err)
			}
			req.Action = p4v1.SetForwardingPipelineConfigRequest_RECONCILE_AND_COMMIT
			m.in.Steps[0].Bytes, _ = proto.MarshalOptions{Deterministic: true}.Marshal(&req)
		}, "M7: step 1", true},
		{"twice the same update", add, func(m *mutation) {
			i, n := m.find(count)
			req := request(m.t, m.in.Steps[i])
			req.Updates = append(req.Updates, req.Updates[n])
			m.put(i, req)
		}, "a second time", true},
		{"an insertion as a modification", add, func(m *mutation) {
			m.change(m.table("ann", "routes", false), func(u *p4v1.Update) { u.Type = p4v1.Update_MODIFY })
		}, "which takes INSERT", true},
		{"a deletion", add, func(m *mutation) {
			m.change(m.table("ann", "routes", false), func(u *p4v1.Update) { u.Type = p4v1.Update_DELETE })
		}, "which takes INSERT", true},
		{"for another switch", add, func(m *mutation) {
			req := request(m.t, m.in.Steps[1])
			req.DeviceId++
			m.put(1, req)
		}, "M7: step 2: the request is for device 2", true},
		{"under another election id", add, func(m *mutation) { m.in.ElectionID++ }, "M7: step 1", true},
		{"all or nothing", add, func(m *mutation) {
			req := request(m.t, m.in.Steps[1])
			req.Atomicity = p4v1.WriteRequest_ROLLBACK_ON_ERROR
			m.put(1, req)
		}, "atomicity must not be set", true},
		{"an unknown field", add, func(m *mutation) { m.in.Steps[1].Bytes = append(m.in.Steps[1].Bytes, 0x98, 0x06, 0x01) }, "unknown field", true},
		{"a retained tenant as changed", add, func(m *mutation) { m.in.Tenants[0].Fate = replace.Changed }, "M8: tenant ann is said to be changed, and is retained", true},
		{"a removed tenant that nobody mentions", reassign, func(m *mutation) {
			m.in.Tenants = m.in.Tenants[:2]
			m.in.Lost, _ = encoder().Losses(m.in) // as if it were the system's
		}, "the old program", true},
		{"a loss that is not announced", reassign, func(m *mutation) { m.in.Lost = m.in.Lost[1:] }, "M8: the loss of counter bob__I.ops of tenant bob is not announced", false},
		{"register memory's loss not announced", reassign, func(m *mutation) {
			m.in.Lost = slices.DeleteFunc(slices.Clone(m.in.Lost), func(l replace.Loss) bool { return strings.HasPrefix(l.Object, "register memory") })
		}, "register memory ingress/0 of tenant bob is not announced", false},
		{"a loss that is none", add, func(m *mutation) { m.in.Lost = []replace.Loss{{Tenant: "ann", Object: "table ann__I.routes"}} }, "losses are announced that are none", true},
		{"memory left out that could be given back", add, func(m *mutation) {
			m.in.Unusable = []replace.Slots{{Control: specs.Ingress, First: 140, Last: 140}}
		}, "M8", true},
		{"slots to do without that are none", add, func(m *mutation) {
			m.in.Unusable = []replace.Slots{{Control: specs.Ingress, First: 160, Last: 150}}
		}, "M8: slots 160..150 of ingress/0 are to be done without, and are none", true},
		{"the next one under a VID gets what the last one had", reassign, func(m *mutation) {
			i, n := m.find(m.table("", "il_page_ingress", false))
			req := request(m.t, m.in.Steps[i])
			u := proto.CloneOf(req.Updates[n])
			u.GetEntity().GetTableEntry().Match[0].GetExact().Value = []byte{20}
			req.Updates = append(req.Updates, u)
			m.put(i, req)
		}, "was not there to be restored", false},
		{"two tenants under one VID", add, func(m *mutation) { m.in.Tenants[2].VID = 10 }, "M4: VID 10 of tenant cyd is tenant ann's", true},
		{"old VIDs exchanged", add, func(m *mutation) { m.in.Tenants[0].OldVID, m.in.Tenants[1].OldVID = 20, 10 }, "M8", true},
		{"new VIDs exchanged", add, func(m *mutation) { m.in.Tenants[0].VID, m.in.Tenants[1].VID = 20, 10 }, "M8", true},
		{"read while somebody was admitted", add, func(m *mutation) {
			var before p4v1.ReadResponse
			if err := proto.Unmarshal(m.in.Before, &before); err != nil {
				m.t.Fatal(err)
			}
			i, n := m.find(m.table("", "il_admission", false))
			before.Entities = append(before.Entities, request(m.t, m.in.Steps[i]).Updates[n].GetEntity())
			m.in.Before, _ = proto.MarshalOptions{Deterministic: true}.Marshal(&before)
		}, "M8: what was read: VID 10 was still admitted", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &mutation{t, clone(c.of)}
			c.mutate(m)
			err := proved(t, m.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var exact *replace.Error
			if !errors.As(err, &exact) && !errors.Is(err, verify.ErrRefuted) && !strings.HasPrefix(err.Error(), "the ") {
				t.Errorf("neither refused nor refuted: %v", err)
			}
			if !c.unseen && agrees(t, m.in, false) == "" {
				t.Error("the model finds nothing wrong with it")
			}
		})
	}
}

func clone(in *replace.Input) *replace.Input {
	out := *in
	out.Tenants, out.Lost, out.Steps = slices.Clone(in.Tenants), slices.Clone(in.Lost), slices.Clone(in.Steps)
	return &out
}

// Random mutants: steps and updates dropped, exchanged, moved and doubled. Whatever the model breaks is refused.
func TestRandomMutants(t *testing.T) {
	_, from := two(t)
	good := []*replace.Input{
		propose(t, from, 1024, ann, bob, cyd), propose(t, from, 140, bob, ann), propose(t, from, 1024, ann, guest{"cyd", bob.vid, "kinds.p4", 3}),
	}
	rnd := rand.New(rand.NewPCG(*seed, 6))
	t.Logf("seed %d, %d mutants", *seed, *mutants)
	broken, harmless := 0, 0
	for n := range *mutants {
		m := &mutation{t, clone(good[rnd.IntN(len(good))])}
		for range 1 + rnd.IntN(3) {
			m.random(rnd)
		}
		v := model.Violations(modelled(t, m.in), rand.New(rand.NewPCG(*seed, uint64(n))), 40)
		switch err := proved(t, m.in); {
		case v != "" && err == nil:
			t.Fatalf("mutant %d is proved, and the model breaks it: %s", n, v)
		case v != "":
			broken++
		default:
			harmless++
		}
	}
	t.Logf("%d mutants are broken by the model, and refused; %d it does not break", broken, harmless)
	if broken < *mutants/2 {
		t.Errorf("only %d of %d mutants do harm", broken, *mutants)
	}
}

func (m *mutation) random(rnd *rand.Rand) {
	if len(m.in.Steps) < 2 {
		return
	}
	i := rnd.IntN(len(m.in.Steps))
	j := rnd.IntN(len(m.in.Steps))
	switch rnd.IntN(3) {
	case 0:
		m.in.Steps = slices.Delete(m.in.Steps, i, i+1)
		return
	case 1:
		m.in.Steps[i], m.in.Steps[j] = m.in.Steps[j], m.in.Steps[i]
		return
	}
	if m.in.Steps[i].Kind != replace.Write || m.in.Steps[j].Kind != replace.Write {
		return
	}
	a, b := request(m.t, m.in.Steps[i]), request(m.t, m.in.Steps[j])
	k := rnd.IntN(len(a.GetUpdates()))
	if i == j {
		a.Updates = append(slices.Delete(slices.Clone(a.Updates), k, k+1), a.Updates[rnd.IntN(len(a.Updates))])
		m.put(i, a)
		return
	}
	b.Updates = append(b.Updates, a.Updates[k])
	if rnd.IntN(2) == 0 && len(a.Updates) > 1 {
		a.Updates = slices.Delete(a.Updates, k, k+1)
	}
	m.put(i, a)
	m.put(j, b)
}

// What the solvers decide can fail: a program that does not ask who is admitted, and extents that overlap or do not fit.
func TestSolversCanary(t *testing.T) {
	_, from := two(t)
	in := propose(t, from, 1024, ann, bob)
	for _, c := range []struct {
		name   string
		mutate func(in *replace.Input) *replace.Input
		want   string
	}{
		{"the old program lets everybody in", func(in *replace.Input) *replace.Input {
			bad := from
			bad.Linked = []byte(strings.Replace(string(from.Linked), "if (il_admission.apply().hit) {", "il_admission.apply(); if (true) {", 1))
			return proposeWith(t, in.New, bad)
		}, "refuted: M8/old/P11/closed/"},
		{"another VID runs a tenant's code", func(in *replace.Input) *replace.Input {
			bad := from
			bad.Linked = []byte(strings.ReplaceAll(string(from.Linked), "(3, 20): il_admit_bob_3;", "(3, 21): il_admit_bob_3;"))
			return proposeWith(t, in.New, bad)
		}, "refuted: M8/old/P10/bob"},
		{"extents overlap", func(in *replace.Input) *replace.Input { return proposeWith(t, in.New, pages(t, from, 0, 120)) }, "refuted: M8/extents/ingress/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := proved(t, c.mutate(clone(in))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func proposeWith(t testing.TB, linked []byte, from replacement.From) *replace.Input {
	t.Helper()
	in, err := planner().Propose(wanted(linked, []guest{ann, bob}), from)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// pages changes a parameter of the last page-table entry that was read.
func pages(t testing.TB, from replacement.From, param int, value byte) replacement.From {
	t.Helper()
	info := mustInfo(t, from.Linked)
	var before p4v1.ReadResponse
	if err := proto.Unmarshal(from.Before, &before); err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(before.GetEntities()) {
		if te := e.GetTableEntry(); te != nil && info.preamble(te.GetTableId()) == specs.PageTable(specs.Ingress) && !te.GetIsDefaultAction() {
			te.GetAction().GetAction().GetParams()[param].Value = []byte{value}
			break
		}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&before)
	if err != nil {
		t.Fatal(err)
	}
	from.Before = b
	return from
}

package network_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/smt"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of random network plans")
	plans = flag.Int("plans", 40, "how many random network plans to try")
)

const program = "../../api/gate/testdata/slots.p4"

var (
	tenants = []plan.Tenant{{Name: "ann", VID: 10}, {Name: "bob", VID: 20}, {Name: "cyd", VID: 4094}}
	slots   = [2]int64{48, 32}
)

var testPrimitives = plan.Primitives{
	Fence:      plan.FencePrimitive{By: plan.ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
	Scrub:      plan.ScrubPrimitive{By: []plan.ScrubKind{plan.ByCell}},
	Unanswered: plan.UnansweredPrimitive{Until: plan.UntilArbitration},
}

// site makes network plans for switches that all run slots.p4.
type site struct {
	linked []byte
	codec  *alloc.Codec
	nonce  uint64
}

func newSite(t testing.TB) *site {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := alloc.CodecOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return &site{linked: text, codec: codec}
}

// layout is where each tenant's extents are, by stage.
type layout map[uint16][2]alloc.Extent

// plan is the recipe's from one layout to another.
func (s *site) plan(t testing.TB, name string, floors map[uint16]int64, from, to layout) *plan.Input {
	t.Helper()
	c := &alloc.Context{
		Switch: name, DeviceID: 1, ElectionID: 7, Linked: s.linked, Codec: s.codec, Tenants: tenants, Policy: "none",
		Nonce:      func() uint64 { s.nonce++; return s.nonce },
		Primitives: testPrimitives,
	}
	for _, x := range tenants {
		for stage, n := range slots {
			c.Limits = append(c.Limits, plan.Limit{VID: x.VID, Control: "ingress", Stage: stage, Floor: floors[x.VID], Ceiling: n})
		}
	}
	tables := func(pre alloc.Tables, want layout) alloc.Tables {
		l, registers := alloc.Layout{}, map[uint16][]alloc.Register{}
		for v, es := range want {
			l[v] = map[alloc.Array]alloc.Extent{}
			for stage, e := range es {
				a := alloc.Array{Control: "ingress", Stage: stage}
				l[v][a] = e
				registers[v] = append(registers[v], alloc.Register{Array: a, Max: 64})
			}
		}
		goal, err := alloc.Goal(s.codec, pre, l, registers)
		if err != nil {
			t.Fatal(err)
		}
		return goal
	}
	pre := tables(nil, from)
	state, err := s.codec.Encode(pre)
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Build(state, tables(pre, to), false)
	if err != nil {
		t.Fatal(err)
	}
	if in == nil {
		in = &plan.Input{Switch: name, DeviceID: 1, ElectionID: 7, Linked: s.linked, Primitives: testPrimitives, Tenants: tenants, PreState: state, Limits: c.Limits}
	}
	return in
}

// releases counts the steps of a recipe up to its second fence, which ends what it takes away; 0 if it takes nothing.
func releases(in *plan.Input) int {
	fences := 0
	for i, s := range in.Steps {
		if s.Kind == plan.Fence {
			if fences++; fences == 2 {
				return i + 1
			}
		}
	}
	return 0
}

// rounds cuts plans where takes end and gives begin.
func rounds(ps ...*plan.Input) []network.Round {
	var take, give network.Round
	for _, p := range ps {
		n := releases(p)
		if n > 0 {
			take = append(take, network.Part{Switch: p.Switch, Steps: n})
		}
		if n < len(p.Steps) {
			give = append(give, network.Part{Switch: p.Switch, Steps: len(p.Steps) - n})
		}
	}
	var out []network.Round
	for _, r := range []network.Round{take, give} {
		if len(r) > 0 {
			out = append(out, r)
		}
	}
	return out
}

func pool(t testing.TB) *smt.Pool {
	t.Helper()
	p, err := smt.NewPool([]smt.SolverConfig{{Name: "z3"}}) // our worker if it is there, else Debian's binary
	if err != nil {
		p, err = smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: "z3"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// refuted are the obligations that do not hold, by ID. Any other verdict than proved and refuted fails the test.
func refuted(t testing.TB, p *smt.Pool, in *network.Input) []string {
	t.Helper()
	obs, err := network.Obligations(in, plan.NewEncoder(2))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := p.Decide(t.Context(), obs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rs {
		switch r.Verdict {
		case verify.Refuted:
			out = append(out, r.Obligation)
		case verify.Proved:
		default:
			t.Fatalf("%s: %s %s", r.Obligation, r.Verdict, r.Reason)
		}
	}
	slices.Sort(out)
	return out
}

// ann has 20 slots on each of two switches, and moves 10 from left to right; bob takes over.
func (s *site) pair(t testing.TB) *network.Input {
	left := s.plan(t, "left", nil,
		layout{10: {{Base: 0, Size: 20}}, 20: {{Base: 20, Size: 10}}},
		layout{10: {{Base: 0, Size: 10}}, 20: {{Base: 20, Size: 20}}})
	right := s.plan(t, "right", nil,
		layout{10: {{Base: 0, Size: 20}}, 20: {{Base: 30, Size: 18}}},
		layout{10: {{Base: 0, Size: 30}}, 20: {{Base: 30, Size: 8}}})
	return &network.Input{
		Site: "pair", Plans: []*plan.Input{left, right}, Rounds: rounds(left, right), Policy: "none",
		Ceilings: []network.Ceiling{{VID: 10, Slots: 40}, {VID: 20, Slots: 28}},
	}
}

func TestPair(t *testing.T) {
	s, z3 := newSite(t), pool(t)
	good := s.pair(t)
	if bad := refuted(t, z3, good); bad != nil {
		t.Errorf("refuted: %v", bad)
	}
	subject, err := good.Subject()
	if err != nil {
		t.Fatal(err)
	}
	again, err := network.FromInputs(subject.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if s2, err := again.Subject(); err != nil || s2.Digest() != subject.Digest() {
		t.Errorf("rebuilt: %v, %v", s2.Digest(), err)
	}
}

// Each property has plans that it must refute.
func TestCanaries(t *testing.T) {
	s, z3 := newSite(t), pool(t)
	all := func(in *network.Input) network.Round {
		var r network.Round
		for _, p := range in.Plans {
			r = append(r, network.Part{Switch: p.Switch, Steps: len(p.Steps)})
		}
		return r
	}
	for _, c := range []struct {
		name  string
		spoil func(in *network.Input)
		want  []string
	}{
		{"all at once", func(in *network.Input) { in.Rounds = []network.Round{all(in)} }, []string{"N1/round/1/10", "N1/round/1/20", "N2/round/1/left", "N2/round/1/right"}},
		{"right first", func(in *network.Input) {
			in.Rounds = []network.Round{{all(in)[1]}, {all(in)[0]}}
		}, []string{"N1/round/1/10", "N1/round/2/10", "N2/round/1/right", "N2/round/2/left"}},
		{"ceiling", func(in *network.Input) { in.Ceilings[0].Slots-- }, []string{"N1/goal/10"}},
		{"no ceiling", func(in *network.Input) { in.Ceilings = in.Ceilings[1:] }, []string{"N1/goal/10"}},
		{"held elsewhere", func(in *network.Input) {
			in.Absent = []network.Absent{{Switch: "far", Holds: []network.Holding{{VID: 20, Slots: 1}}}}
		}, []string{"N1/goal/20"}},
		{"another's VID", func(in *network.Input) {
			in.Plans[1].Tenants = []plan.Tenant{{Name: "ann", VID: 10}, {Name: "bob", VID: 4094}, {Name: "cyd", VID: 20}}
		}, []string{"N4/tenants"}},
		{"moved on both", func(in *network.Input) {
			floors := map[uint16]int64{10: 4}
			in.Plans[0] = s.plan(t, "left", floors, layout{10: {{Base: 0, Size: 8}}}, layout{10: {{Base: 20, Size: 8}}})
			in.Plans[1] = s.plan(t, "right", floors, layout{10: {{Base: 0, Size: 8}}}, layout{10: {{Base: 30, Size: 8}}})
			in.Rounds = rounds(in.Plans...)
		}, []string{"N3/round/1/10", "N3/round/2/10"}},
		{"moved on one", func(in *network.Input) {
			floors := map[uint16]int64{10: 4}
			in.Plans[0] = s.plan(t, "left", floors, layout{10: {{Base: 0, Size: 8}}}, layout{10: {{Base: 20, Size: 8}}})
			in.Plans[1] = s.plan(t, "right", floors, layout{10: {{Base: 0, Size: 8}}}, layout{10: {{Base: 0, Size: 4}}})
			in.Rounds = rounds(in.Plans...)
		}, nil},
		{"a late request", func(in *network.Input) {
			in.Plans[0].Unanswered = [][]byte{in.Plans[0].Steps[len(in.Plans[0].Steps)-1].Bytes}
		}, []string{"N1/round/1/20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := s.pair(t)
			c.spoil(in)
			got := refuted(t, z3, in)
			if !slices.Equal(got, c.want) {
				t.Errorf("refuted: %v\nwant:    %v", got, c.want)
			}
			for _, id := range got {
				if why := network.Explain(in, id); !strings.Contains(why, "(VID ") && !strings.HasPrefix(id, "N2") {
					t.Errorf("%s: %q", id, why)
				}
			}
		})
	}
}

func TestInput(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		name, want string
		spoil      func(in *network.Input)
	}{
		{"steps left over", "1 steps on switch left are in no round", func(in *network.Input) { in.Rounds[1][0].Steps-- }},
		{"too many steps", "round 2: 9 steps on switch left, which has", func(in *network.Input) { in.Rounds[1][0].Steps = 9 }},
		{"no steps", "round 1: 0 steps", func(in *network.Input) { in.Rounds[0][0].Steps = 0 }},
		{"empty round", "round 3 is empty", func(in *network.Input) { in.Rounds = append(in.Rounds, nil) }},
		{"unknown switch", `no plan for switch "middle"`, func(in *network.Input) { in.Rounds[0][0].Switch = "middle" }},
		{"one switch twice", "two plans for switch left", func(in *network.Input) { in.Plans[1].Switch = "left" }},
		{"there and absent", `switch "left" is absent, and is there`, func(in *network.Input) { in.Absent = []network.Absent{{Switch: "left"}} }},
		{"two ceilings", "VID 10 has ceiling 1, or has two", func(in *network.Input) {
			in.Ceilings = append(in.Ceilings, network.Ceiling{VID: 10, Slots: 1})
		}},
		{"bytes", "switch left: step 1: ", func(in *network.Input) { in.Plans[0].Steps[0].Bytes = []byte{1} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := s.pair(t)
			c.spoil(in)
			if _, err := network.Obligations(in, plan.NewEncoder(2)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Random network plans, good and bad: the solver refutes exactly what goes wrong in some state that a network can get into, found by going
// through all of them.
func TestAgainstAllStates(t *testing.T) {
	s, z3 := newSite(t), pool(t)
	t.Logf("seed %d, %d plans", *seed, *plans)
	rnd := rand.New(rand.NewPCG(*seed, 0))
	bad, good := 0, 0
	for n := range *plans {
		floors := map[uint16]int64{}
		in := &network.Input{Site: "random", Policy: "none"}
		for _, x := range tenants {
			floors[x.VID] = rnd.Int64N(4) * rnd.Int64N(2)
			in.Ceilings = append(in.Ceilings, network.Ceiling{VID: x.VID, Slots: 40 + rnd.Int64N(80)})
		}
		if rnd.IntN(4) == 0 {
			in.Absent = []network.Absent{{Switch: "far", Holds: []network.Holding{{VID: tenants[rnd.IntN(3)].VID, Slots: rnd.Int64N(30)}}}}
		}
		for i := range 2 + rnd.IntN(2) {
			in.Plans = append(in.Plans, s.plan(t, fmt.Sprintf("s%d", i), floors, randomLayout(rnd), randomLayout(rnd)))
		}
		if in.Rounds = rounds(in.Plans...); rnd.IntN(4) == 0 {
			in.Rounds = randomRounds(rnd, in.Plans)
		}
		want := s.wrong(t, in)
		got := refuted(t, z3, in)
		got = slices.DeleteFunc(got, func(id string) bool { return strings.HasPrefix(id, "N2") }) // about the order, not about a state
		if !slices.Equal(got, want) {
			t.Fatalf("plan %d of seed %d: refuted %v, and there are states against %v", n, *seed, got, want)
		}
		if bad++; len(want) == 0 {
			bad, good = bad-1, good+1
		}
	}
	t.Logf("%d good, %d bad", good, bad)
	if good < *plans/10 || bad < *plans/10 {
		t.Errorf("%d good and %d bad plans say little", good, bad)
	}
}

func randomLayout(rnd *rand.Rand) layout {
	l := layout{}
	for stage, n := range slots {
		at := int64(0)
		for _, i := range rnd.Perm(len(tenants)) {
			gap := rnd.Int64N((n-at)/4 + 1)
			size := rnd.Int64N((n - at - gap) + 1)
			e := l[tenants[i].VID]
			if rnd.IntN(4) > 0 {
				e[stage] = alloc.Extent{Base: at + gap, Size: size / 2}
			}
			l[tenants[i].VID] = e
			at += gap + size/2
		}
	}
	for _, x := range tenants {
		if rnd.IntN(5) == 0 {
			delete(l, x.VID)
		}
	}
	return l
}

// randomRounds cuts plans anywhere.
func randomRounds(rnd *rand.Rand, ps []*plan.Input) []network.Round {
	left := map[string]int{}
	for _, p := range ps {
		left[p.Switch] = len(p.Steps)
	}
	var out []network.Round
	for {
		var r network.Round
		for _, p := range ps {
			if n := left[p.Switch]; n > 0 && rnd.IntN(3) > 0 {
				n = 1 + rnd.IntN(n)
				r, left[p.Switch] = append(r, network.Part{Switch: p.Switch, Steps: n}), left[p.Switch]-n
			}
		}
		if len(r) > 0 {
			out = append(out, r)
		} else if !slices.ContainsFunc(ps, func(p *plan.Input) bool { return left[p.Switch] > 0 }) {
			return out
		}
	}
}

// wrong goes through every state of the network, switch by switch and update by update, and lists what does not hold in some of them. It
// reads the requests by itself.
func (s *site) wrong(t testing.TB, in *network.Input) []string {
	t.Helper()
	bad := map[string]bool{}
	absent, ceiling := map[uint16]int64{}, map[uint16]int64{}
	for _, c := range in.Ceilings {
		ceiling[c.VID] = c.Slots
	}
	for _, a := range in.Absent {
		for _, h := range a.Holds {
			absent[h.VID] += h.Slots
		}
	}
	total := func(e alloc.Entry) (n int64) {
		for _, m := range e {
			n += m.Size
		}
		return n
	}
	now, at, written := make([]alloc.Tables, len(in.Plans)), make([]int, len(in.Plans)), map[uint16]bool{}
	for i, p := range in.Plans {
		var err error
		if now[i], err = s.codec.Decode(p.PreState); err != nil {
			t.Fatal(err)
		}
		for _, st := range p.Steps {
			for _, u := range s.updates(t, st) {
				written[u.key.VID] = true
			}
		}
	}
	pre := slices.Clone(now)
	for r, round := range in.Rounds {
		var reach [][]alloc.Tables // by switch
		for i, p := range in.Plans {
			states := []alloc.Tables{now[i]}
			for _, part := range round {
				if part.Switch != p.Switch {
					continue
				}
				for _, st := range p.Steps[at[i] : at[i]+part.Steps] {
					us := s.updates(t, st)
					for subset := range 1 << len(us) {
						x := now[i].Clone()
						for j, u := range us {
							if subset>>j&1 == 1 {
								u.apply(x)
							}
						}
						if !slices.ContainsFunc(states, x.Equal) {
							states = append(states, x)
						}
						if subset == 1<<len(us)-1 {
							now[i] = x
						}
					}
				}
				at[i] += part.Steps
			}
			reach = append(reach, states)
		}
		pick := make([]int, len(reach))
		for {
			for _, v := range tenants {
				if !written[v.VID] {
					continue
				}
				k := alloc.Key{Control: "ingress", VID: v.VID}
				sum, before, low, with := absent[v.VID], absent[v.VID], 0, 0
				for i := range reach {
					e, was := reach[i][pick[i]][k], pre[i][k]
					sum, before = sum+total(e), before+total(was)
					if was == nil {
						continue
					}
					with++
					for stage := range was {
						have := int64(0)
						if e != nil {
							have = e[stage].Size
						}
						if have < min(was[stage].Size, in.Plans[i].Limits[2*slices.Index(tenants, v)+stage].Floor) {
							low++
							break
						}
					}
				}
				if sum > max(ceiling[v.VID], before) {
					bad[fmt.Sprintf("N1/round/%d/%d", r+1, v.VID)] = true
				}
				if low > 1 {
					bad[fmt.Sprintf("N3/round/%d/%d", r+1, v.VID)] = true
				}
			}
			i := 0
			for ; i < len(pick); i++ {
				if pick[i]++; pick[i] < len(reach[i]) {
					break
				}
				pick[i] = 0
			}
			if i == len(pick) {
				break
			}
		}
	}
	for _, v := range tenants {
		k := alloc.Key{Control: "ingress", VID: v.VID}
		sum, grew := absent[v.VID], false
		for i := range now {
			sum, grew = sum+total(now[i][k]), grew || total(now[i][k]) > total(pre[i][k])
		}
		if written[v.VID] && sum > ceiling[v.VID] && grew {
			bad[fmt.Sprintf("N1/goal/%d", v.VID)] = true
		}
	}
	var out []string
	for id := range bad {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// update of a page table; a deletion has no entry.
type update struct {
	key   alloc.Key
	entry alloc.Entry
}

func (u update) apply(t alloc.Tables) {
	if u.entry == nil {
		delete(t, u.key)
	} else {
		t[u.key] = u.entry
	}
}

func (s *site) updates(t testing.TB, st plan.Step) []update {
	t.Helper()
	if st.Kind != plan.Write {
		return nil
	}
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(st.Bytes, &req); err != nil {
		t.Fatal(err)
	}
	var out []update
	for _, u := range req.GetUpdates() {
		te := u.GetEntity().GetTableEntry()
		if te == nil {
			continue
		}
		vid := uint16(0)
		for _, b := range te.GetMatch()[0].GetExact().GetValue() {
			vid = vid<<8 | uint16(b)
		}
		x := update{key: alloc.Key{Control: "ingress", VID: vid}}
		if u.GetType() != p4v1.Update_DELETE {
			b, err := proto.Marshal(&p4v1.ReadResponse{Entities: []*p4v1.Entity{u.GetEntity()}})
			if err != nil {
				t.Fatal(err)
			}
			one, err := s.codec.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			x.entry = one[x.key]
		}
		out = append(out, x)
	}
	return out
}

package alloc

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/interlock/interlock/specs"
)

func stage(n int) Array { return Array{specs.Ingress, n} }

func ladder(t testing.TB, regs ...Register) Ladder {
	t.Helper()
	l, err := NewLadder(regs)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLadder(t *testing.T) {
	tests := []struct {
		name string
		regs []Register
		want []Rung
		err  bool
	}{
		{"inelastic", []Register{{stage(0), 100, 100, false, false}}, []Rung{{0, []int64{100}}}, false},
		{"doubles", []Register{{stage(0), 16, 128, true, true}}, []Rung{{16, []int64{16}}, {32, []int64{32}}, {64, []int64{64}}, {128, []int64{128}}}, false},
		{"from nothing", []Register{{stage(0), 0, 64, true, true}}, []Rung{{0, []int64{0}}, {16, []int64{16}}, {32, []int64{32}}, {64, []int64{64}}}, false},
		{
			"same proportion",
			[]Register{{stage(0), 64, 256, true, true}, {stage(1), 4, 64, true, true}},
			[]Rung{{64, []int64{64, 4}}, {64, []int64{64, 8}}, {64, []int64{64, 16}}, {128, []int64{128, 32}}, {256, []int64{256, 64}}},
			false,
		},
		{
			"any size",
			[]Register{{stage(0), 10, 100, true, false}},
			[]Rung{{10, []int64{10}}, {16, []int64{16}}, {32, []int64{32}}, {64, []int64{64}}, {100, []int64{100}}},
			false,
		},
		{"beside an inelastic", []Register{{stage(1), 7, 7, false, false}, {stage(0), 16, 32, true, true}}, []Rung{{16, []int64{16, 7}}, {32, []int64{32, 7}}}, false},
		{"bounds rounded", []Register{{stage(0), 17, 100, true, true}}, []Rung{{32, []int64{32}}, {64, []int64{64}}}, false},
		{"none in bounds", []Register{{stage(0), 17, 31, true, true}}, nil, true},
		{"odd fold", []Register{{stage(0), 12, 12, false, true}}, nil, true},
		{"twice", []Register{{stage(0), 1, 1, false, false}, {stage(0), 1, 1, false, false}}, nil, true},
		{"upside down", []Register{{stage(0), 2, 1, true, false}}, nil, true},
		{"nothing", nil, []Rung{{0, []int64{}}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := NewLadder(tt.regs)
			if (err != nil) != tt.err {
				t.Fatalf("error %v", err)
			}
			if d := cmp.Diff(tt.want, l.Rungs); d != "" && err == nil {
				t.Error(d)
			}
		})
	}
}

func genLadder(t *rapid.T, arrays int) Ladder {
	var regs []Register
	for s := range arrays {
		if !rapid.Bool().Draw(t, "used") {
			continue
		}
		r := Register{Array: stage(s), Elastic: rapid.IntRange(0, 3).Draw(t, "elastic") > 0, Fold: rapid.Bool().Draw(t, "fold")}
		if r.Fold {
			r.Max = 1 << rapid.IntRange(4, 8).Draw(t, "max")
			r.Min = min(r.Max, 1<<rapid.IntRange(0, 5).Draw(t, "min"))
		} else {
			r.Max = rapid.Int64Range(1, 300).Draw(t, "max")
			r.Min = rapid.Int64Range(0, min(r.Max, 40)).Draw(t, "min")
		}
		if !r.Elastic {
			r.Max = min(r.Max, 16)
			r.Min = r.Max
		}
		regs = append(regs, r)
	}
	l, err := NewLadder(regs)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLadderInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := genLadder(t, 4)
		for i, rung := range l.Rungs {
			sizes := map[Array]int64{}
			for j, r := range l.Registers {
				n := rung.Sizes[j]
				sizes[r.Array] = n
				if n < r.Min || n > r.Max || r.Fold && n&(n-1) != 0 || i > 0 && n < l.Rungs[i-1].Sizes[j] {
					t.Fatalf("rung %d gives %+v %d slots", i, r, n)
				}
			}
			if l.Level(sizes) != i {
				t.Fatalf("rung %d is at level %d", i, l.Level(sizes))
			}
		}
		for j, r := range l.Registers {
			if top := l.Rungs[len(l.Rungs)-1].Sizes[j]; top != r.Max {
				t.Fatalf("the top rung gives %+v %d slots", r, top)
			}
		}
	})
}

func TestDifference(t *testing.T) {
	tests := []struct {
		name          string
		before, after Reading
		want          Sample
	}{
		{"counts", Reading{10, 4}, Reading{30, 19}, Sample{Packets: 20, Hits: 15}},
		{"nothing", Reading{10, 4}, Reading{10, 4}, Sample{}},
		{"packets went back", Reading{10, 4}, Reading{9, 5}, Sample{Discarded: WentBack}},
		{"hits went back", Reading{10, 4}, Reading{12, 3}, Sample{Discarded: WentBack}},
		{"more hits than packets", Reading{10, 4}, Reading{12, 7}, Sample{Discarded: MoreHits}},
		{"negative", Reading{10, 4}, Reading{-5, 7}, Sample{Discarded: NotReadable}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, Difference(tt.before, tt.after)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEstimate(t *testing.T) {
	tests := []struct {
		name    string
		traffic []Traffic
		target  float64
		want    Estimate
	}{
		{"idle", []Traffic{{0, 0, 100}}, 0.9, Estimate{}},
		// under = 1000 * (0.9/0.6)^2 - 1000
		{"under", []Traffic{{100, 60, 1000}}, 0.9, Estimate{Packets: 100, Hits: 60, Known: true, Hit: 0.6, Memory: 1000, Under: 1250}},
		// over = 1000 - 1000 * (0.4/0.8)^2
		{"over", []Traffic{{100, 80, 1000}}, 0.4, Estimate{Packets: 100, Hits: 80, Known: true, Hit: 0.8, Memory: 1000, Over: 750}},
		{"at target", []Traffic{{100, 50, 1000}}, 0.5, Estimate{Packets: 100, Hits: 50, Known: true, Hit: 0.5, Memory: 1000}},
		// (100*300 + 400*100) / 400 = 175; hits 0 count as a hundredth
		{
			"two switches, no hits",
			[]Traffic{{300, 0, 100}, {100, 0, 400}},
			0.1,
			Estimate{Packets: 400, Known: true, Memory: 175, Under: 17325},
		},
		{"no memory", []Traffic{{10, 0, 0}}, 0.02, Estimate{Packets: 10, Known: true, Memory: 1, Under: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have := DefaultEstimator.Estimate(tt.traffic, tt.target)
			near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 })
			if d := cmp.Diff(tt.want, have, near); d != "" {
				t.Error(d)
			}
		})
	}
}

// pool is a problem with one switch, one stage array, and a 16..max ladder for each tenant.
func pool(t testing.TB, slots, most int64, tenants ...TenantState) *Problem {
	l := ladder(t, Register{stage(0), 16, most, true, true})
	p := &Problem{Switches: []Capacity{{stage(0): slots}}, Tenants: tenants}
	for i := range p.Tenants {
		pr := &p.Tenants[i].On[0]
		pr.Ladder = l
		if pr.Ceiling == 0 {
			pr.Ceiling = len(l.Rungs) - 1
		}
	}
	return p
}

// one is a tenant with a level, packets and hits.
func one(name string, target float64, level int, packets, hits int64) TenantState {
	return TenantState{Name: name, Target: target, On: []Presence{{Level: level, Packets: packets, Hits: hits}}}
}

func memory(p *Problem, c []Choice) map[string]int64 {
	out := map[string]int64{}
	for i, t := range p.Tenants {
		for j, level := range c[i].Levels {
			out[t.Name] += t.On[j].Ladder.Rungs[level].Memory
		}
	}
	return out
}

func TestNetVRM(t *testing.T) {
	with := func(s TenantState, f func(*TenantState)) TenantState { f(&s); return s }
	tests := []struct {
		name    string
		slots   int64
		tenants []TenantState
		want    map[string]int64
		out     string
	}{
		// level 4 is 256 slots
		{"grows from free", 4096, []TenantState{one("a", 0.9, 4, 100, 60)}, map[string]int64{"a": 512}, ""},
		{"grows further", 4096, []TenantState{one("a", 0.9, 4, 100, 40)}, map[string]int64{"a": 1024}, ""},
		{"at least one doubling", 4096, []TenantState{one("a", 0.9, 4, 100, 89)}, map[string]int64{"a": 512}, ""},
		{"satisfied stays", 4096, []TenantState{one("a", 0.9, 4, 100, 95)}, map[string]int64{"a": 256}, ""},
		{"idle keeps what nobody needs", 4096, []TenantState{one("a", 0.9, 4, 0, 0)}, map[string]int64{"a": 256}, ""},
		{"takes from over", 512, []TenantState{one("a", 0.9, 4, 100, 60), one("b", 0.4, 4, 100, 80)}, map[string]int64{"a": 256, "b": 256}, ""},
		{"takes from idle", 512, []TenantState{one("a", 0.9, 3, 100, 60), one("b", 0.4, 4, 0, 0)}, map[string]int64{"a": 256, "b": 256}, ""},
		{"not from one it knows nothing of", 384, []TenantState{one("a", 0.9, 3, 100, 60), with(one("b", 0.4, 4, 0, 0), func(s *TenantState) {
			s.On[0].Unknown, s.On[0].Share = true, 8
		})}, map[string]int64{"a": 128, "b": 256}, ""},
		{"takes from idle as far as needed", 400, []TenantState{one("a", 0.9, 3, 100, 60), one("b", 0.4, 4, 0, 0)}, map[string]int64{"a": 256, "b": 128}, ""},
		{"partial grant", 2048, []TenantState{one("a", 0.9, 6, 100, 10), one("b", 0.9, 5, 100, 95)}, map[string]int64{"a": 1024, "b": 512}, ""},
		{"smallest asker first", 384, []TenantState{one("big", 0.9, 3, 100, 60), one("small", 0.9, 2, 100, 60)}, map[string]int64{"big": 256, "small": 128}, ""},
		{"ceiling", 4096, []TenantState{with(one("a", 0.9, 4, 100, 10), func(s *TenantState) { s.On[0].Ceiling = 5 })}, map[string]int64{"a": 512}, ""},
		{"new floor", 4096, []TenantState{with(one("a", 0.9, 1, 0, 0), func(s *TenantState) { s.On[0].Floor, s.On[0].Share = 3, 3 })}, map[string]int64{"a": 128}, ""},
		{"newcomer", 4096, []TenantState{with(one("a", 0.9, 0, 0, 0), func(s *TenantState) { s.On[0].New = true })}, map[string]int64{"a": 32}, ""},
		{"newcomer's share", 4096, []TenantState{with(one("a", 0.9, 0, 0, 0), func(s *TenantState) { s.On[0].New, s.On[0].Share = true, 4 })}, map[string]int64{"a": 256}, ""},
		{"newcomer's floor", 4096, []TenantState{with(one("a", 0.9, 0, 0, 0), func(s *TenantState) {
			s.On[0].New, s.On[0].Floor, s.On[0].Share = true, 4, 4
		})}, map[string]int64{"a": 256}, ""},
		{"newcomer rejected", 256, []TenantState{one("a", 0.9, 4, 100, 95), with(one("b", 0.9, 0, 0, 0), func(s *TenantState) {
			s.On[0].New, s.Droppable = true, true
		})}, map[string]int64{"a": 256}, "rejected: its least memory does not fit"},
		{"newcomer takes from idle", 256, []TenantState{one("a", 0.9, 4, 0, 0), with(one("b", 0.9, 0, 0, 0), func(s *TenantState) {
			s.On[0].New, s.Droppable = true, true
		})}, map[string]int64{"a": 128, "b": 16}, ""},
		{"dropped", 256, []TenantState{with(one("a", 0.9, 4, 100, 1), func(s *TenantState) { s.Droppable, s.Starved = true, 4 })}, map[string]int64{}, "dropped: starved"},
		{"not droppable", 256, []TenantState{with(one("a", 0.9, 4, 100, 1), func(s *TenantState) { s.Starved = 4 })}, map[string]int64{"a": 256}, ""},
		{"below its share", 512, []TenantState{
			with(one("a", 0.9, 3, 100, 10), func(s *TenantState) { s.On[0].Share = 4 }),
			with(one("b", 0.9, 4, 100, 10), func(s *TenantState) { s.On[0].Share = 3 }),
		}, map[string]int64{"a": 256, "b": 256}, ""},
		{"above its share gives, but not at once", 400, []TenantState{
			with(one("a", 0.9, 3, 100, 10), func(s *TenantState) { s.On[0].Share = 4 }),
			with(one("b", 0.9, 4, 100, 10), func(s *TenantState) { s.On[0].Share = 3 }),
		}, map[string]int64{"a": 128, "b": 256}, ""},
		{"above its share gives", 400, []TenantState{
			with(one("a", 0.9, 3, 100, 10), func(s *TenantState) { s.On[0].Share, s.Starved = 4, 1 }),
			with(one("b", 0.9, 4, 100, 10), func(s *TenantState) { s.On[0].Share = 3 }),
		}, map[string]int64{"a": 256, "b": 128}, ""},
		{"nobody gives below the share", 400, []TenantState{
			with(one("a", 0.9, 3, 100, 10), func(s *TenantState) { s.On[0].Share = 4 }),
			with(one("b", 0.9, 4, 100, 10), func(s *TenantState) { s.On[0].Share = 4 }),
		}, map[string]int64{"a": 128, "b": 256}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pool(t, tt.slots, 4096, tt.tenants...)
			have, err := NetVRM{Estimator: DefaultEstimator}.Allocate(p)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, memory(p, have)); d != "" {
				t.Error(d)
			}
			out := ""
			for _, c := range have {
				out += c.Out
			}
			if out != tt.out {
				t.Errorf("out: %q, want %q", out, tt.out)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	p := pool(t, 4096, 4096, one("a", 0.9, 0, 100, 1), one("b", 0.9, 0, 100, 1), one("c", 0.9, 0, 0, 0))
	for _, tt := range []struct {
		s    Strategy
		want map[string]int64
	}{
		{EqualAll{}, map[string]int64{"a": 1024, "b": 1024, "c": 1024}},
		{EqualAll{For: 256}, map[string]int64{"a": 16, "b": 16, "c": 16}},
		{EqualActive{}, map[string]int64{"a": 1024, "b": 2048, "c": 16}},
	} {
		have, err := tt.s.Allocate(p)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, memory(p, have)); d != "" {
			t.Errorf("%s: %s", tt.s.Name(), d)
		}
	}
}

func TestBadProblems(t *testing.T) {
	for name, change := range map[string]func(p *Problem){
		"floors do not fit":  func(p *Problem) { p.Switches[0][stage(0)] = 31 },
		"hits above packets": func(p *Problem) { p.Tenants[0].On[0].Hits = 101 },
		"no such switch":     func(p *Problem) { p.Tenants[0].On[0].Switch = 1 },
		"no such array":      func(p *Problem) { delete(p.Switches[0], stage(0)) },
		"no such level":      func(p *Problem) { p.Tenants[0].On[0].Level = 99 },
		"ceiling below":      func(p *Problem) { p.Tenants[0].On[0].Floor, p.Tenants[0].On[0].Ceiling = 3, 2 },
		"same name":          func(p *Problem) { p.Tenants[1].Name = "a" },
		"half new": func(p *Problem) {
			t := &p.Tenants[0]
			t.Droppable, t.On = true, append(t.On, t.On[0])
			t.On[1].New = true
		},
	} {
		for _, s := range Strategies() {
			p := pool(t, 4096, 4096, one("a", 0.9, 4, 100, 1), one("b", 0.9, 4, 100, 1))
			change(p)
			if _, err := s.Allocate(p); err == nil {
				t.Errorf("%s: %s accepts it", name, s.Name())
			}
		}
	}
}

// What every strategy promises, on random problems over several switches: each level within its bounds, everything fits, the same
// problem gives the same answer in whatever order the tenants are listed, and the problem is left as it was.
func TestStrategyInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		switches, arrays := rapid.IntRange(1, 3).Draw(t, "switches"), 3
		p := &Problem{}
		for range switches {
			c := Capacity{}
			for s := range arrays {
				c[stage(s)] = rapid.Int64Range(256, 1024).Draw(t, "slots")
			}
			p.Switches = append(p.Switches, c)
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "tenants") {
			s := TenantState{
				Name: fmt.Sprint("t", i), Target: rapid.Float64Range(0.1, 1).Draw(t, "target"),
				Starved: rapid.IntRange(0, 5).Draw(t, "starved"), Droppable: rapid.Bool().Draw(t, "droppable"),
			}
			l, isNew := genLadder(t, arrays), rapid.Bool().Draw(t, "new")
			for sw := range switches {
				top := len(l.Rungs) - 1
				pr := Presence{Switch: sw, Ladder: l, New: isNew, Level: rapid.IntRange(0, top).Draw(t, "level")}
				pr.Floor = 0
				pr.Share = rapid.IntRange(0, top).Draw(t, "share")
				pr.Ceiling = rapid.IntRange(pr.Share, top).Draw(t, "ceiling")
				pr.Packets = rapid.Int64Range(0, 1000).Draw(t, "packets")
				pr.Hits = rapid.Int64Range(0, pr.Packets).Draw(t, "hits")
				s.On = append(s.On, pr)
			}
			s.Most = rapid.Int64Range(0, 600).Draw(t, "most")
			p.Tenants = append(p.Tenants, s)
		}
		before := fmt.Sprint(p)
		for _, s := range Strategies() {
			have, err := s.Allocate(p)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(p) != before {
				t.Fatalf("%s changed the problem", s.Name())
			}
			used := make([]map[Array]int64, switches)
			for i, c := range have {
				tenant := &p.Tenants[i]
				if (c.Levels == nil) != (c.Out != "") || c.Out != "" && !tenant.Droppable {
					t.Fatalf("%s: %s: %+v", s.Name(), tenant.Name, c)
				}
				for j, level := range c.Levels {
					pr := &tenant.On[j]
					if level < pr.Floor || level > pr.Ceiling {
						t.Fatalf("%s: %s has level %d of %d..%d", s.Name(), tenant.Name, level, pr.Floor, pr.Ceiling)
					}
					for x, reg := range pr.Ladder.Registers {
						if used[pr.Switch] == nil {
							used[pr.Switch] = map[Array]int64{}
						}
						used[pr.Switch][reg.Array] += pr.Ladder.Rungs[level].Sizes[x]
					}
				}
				var total, least int64
				for j, level := range c.Levels {
					total, least = total+tenant.On[j].Ladder.slots(level), least+tenant.On[j].Ladder.slots(0)
				}
				if tenant.Most > 0 && total > max(tenant.Most, least) {
					t.Fatalf("%s: %s has %d slots over all switches, and may have %d", s.Name(), tenant.Name, total, tenant.Most)
				}
			}
			for sw, u := range used {
				for a, n := range u {
					if n > p.Switches[sw][a] {
						t.Fatalf("%s: %d slots of %d in %v of switch %d", s.Name(), n, p.Switches[sw][a], a, sw)
					}
				}
			}
			q := *p
			q.Tenants = rapid.Permutation(p.Tenants).Draw(t, "order")
			again, err := s.Allocate(&q)
			if err != nil {
				t.Fatal(err)
			}
			byName := map[string]Choice{}
			for i, c := range again {
				byName[q.Tenants[i].Name] = c
			}
			for i, c := range have {
				if d := cmp.Diff(c, byName[p.Tenants[i].Name]); d != "" {
					t.Fatalf("%s: the order of tenants matters: %s", s.Name(), d)
				}
			}
		}
	})
}

// NetVRM does not take from those who are under their target and at most at their share, and gives nothing to nobody who asks for nothing.
func TestNetVRMTakesFromNobodyInNeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, err := NewLadder([]Register{{stage(0), 16, 256, true, true}})
		if err != nil {
			t.Fatal(err)
		}
		p := &Problem{Switches: []Capacity{{}}}
		var used int64
		for i := range rapid.IntRange(1, 6).Draw(t, "tenants") {
			level := rapid.IntRange(0, len(l.Rungs)-1).Draw(t, "level")
			used += l.Rungs[level].Memory
			s := one(fmt.Sprint("t", i), rapid.Float64Range(0.1, 1).Draw(t, "target"), level, rapid.Int64Range(0, 100).Draw(t, "packets"), 0)
			s.On[0].Ladder, s.On[0].Ceiling = l, len(l.Rungs)-1
			s.On[0].Share = rapid.IntRange(0, len(l.Rungs)-1).Draw(t, "share")
			s.On[0].Hits = rapid.Int64Range(0, s.On[0].Packets).Draw(t, "hits")
			p.Tenants = append(p.Tenants, s)
		}
		p.Switches[0][stage(0)] = used + rapid.Int64Range(0, 256).Draw(t, "free")
		have, err := NetVRM{Estimator: DefaultEstimator}.Allocate(p)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range have {
			pr := &p.Tenants[i].On[0]
			e := DefaultEstimator.Estimate([]Traffic{{pr.Packets, pr.Hits, l.Rungs[pr.Level].Memory}}, p.Tenants[i].Target)
			if e.Under > 0 && c.Levels[0] < min(pr.Level, pr.Share) {
				t.Fatalf("%s is under its target and goes from %d to %d, its share being %d", p.Tenants[i].Name, pr.Level, c.Levels[0], pr.Share)
			}
			if e.Under == 0 && c.Levels[0] > pr.Level {
				t.Fatalf("%s lacks nothing and goes from %d to %d", p.Tenants[i].Name, pr.Level, c.Levels[0])
			}
			if e.Known && e.Under == 0 && pr.Level <= pr.Share {
				if now, next := l.Rungs[pr.Level].Memory, l.Rungs[c.Levels[0]].Memory; float64(now-next) > e.Over {
					t.Fatalf("%s can spare %.1f slots and loses %d", p.Tenants[i].Name, e.Over, now-next)
				}
			}
		}
	})
}

func BenchmarkAllocate(b *testing.B) {
	for _, n := range []int{3, 64, 1000} {
		for _, s := range Strategies() {
			b.Run(fmt.Sprintf("%s/%d", s.Name(), n), func(b *testing.B) {
				var tenants []TenantState
				for i := range n {
					tenants = append(tenants, one(fmt.Sprintf("t%04d", i), 0.9, 3, 1000, int64(i*977%1000)))
				}
				p := pool(b, int64(n)*160, 4096, tenants...)
				for b.Loop() {
					if _, err := s.Allocate(p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

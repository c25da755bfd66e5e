package gate_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
)

const (
	quickstart         = "../../linker/testdata/quickstart/linked.p4"
	quickstartManifest = "../../linker/testdata/quickstart/manifest.json"
)

func quickstartInput(t testing.TB) *program.Input {
	t.Helper()
	text, err := os.ReadFile(quickstart)
	if err != nil {
		t.Fatal(err)
	}
	return &program.Input{Linked: text, Parser: specs.ParserBound{States: 256, Bytes: 512}, Tenants: []program.Tenant{
		{Name: "kv", VID: 100, Ports: []uint16{1, 2}}, {Name: "hh", VID: 200, Ports: []uint16{3, 4}}, {Name: "fw", VID: 300, Ports: []uint16{5, 6}},
	}}
}

// BenchmarkProveQuickstart proves the linked example for every packet, from its text to the verdicts, with a cold cache.
func BenchmarkProveQuickstart(b *testing.B) {
	for _, name := range []string{"z3", "cvc5"} {
		b.Run(name, func(b *testing.B) {
			in := quickstartInput(b)
			var obligations, ms float64
			for b.Loop() {
				b.StopTimer()
				pool := newSolver(b, name)
				b.StartTimer()
				begun := time.Now()
				p, err := gate.ProveProgram(b.Context(), pool, in, []string{name}, time.Now(), nil)
				if err != nil {
					b.Fatal(err)
				}
				ms += float64(time.Since(begun).Microseconds()) / 1000
				if err := p.Certificate.Proved(); err != nil {
					b.Fatal(err)
				}
				obligations = float64(len(p.Obligations))
				b.StopTimer()
				if err := pool.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(obligations, "obligations")
			b.ReportMetric(ms/float64(b.N), "ms/proof")
		})
	}
}

// BenchmarkReallocation moves memory between the three tenants of the quickstart, back and forth: kv's and hh's shares of every stage
// are exchanged, fw keeps what it has. Everything is real: gRPC on loopback, Z3, a ledger that syncs.
func BenchmarkReallocation(b *testing.B) {
	r := newRig(b, quickstart)
	r.install()
	m, err := manifest.Load(quickstartManifest)
	if err != nil {
		b.Fatal(err)
	}
	ts, err := alloc.TenantsOf(m, nil)
	if err != nil {
		b.Fatal(err)
	}
	c := r.context(r.election + 1)
	c.Tenants, c.Limits = nil, nil
	for _, t := range ts {
		c.Tenants = append(c.Tenants, plan.Tenant{Name: t.Name, VID: t.VID})
		for a, n := range r.codec.Slots() {
			c.Limits = append(c.Limits, plan.Limit{VID: t.VID, Control: a.Control, Stage: a.Stage, Ceiling: n})
		}
	}
	r.election++
	conf := r.config()
	conf.Now, conf.Tenants = nil, c.Tenants
	r.admission = admission(b, c.Tenants, map[string][]plan.Limit{"": c.Limits}, nil)
	c.Policy = string(digestOf(b, r.admission))
	g, err := r.open(b.Context(), conf, r.election)
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	levels := [2][]int{}
	for _, t := range ts {
		top := len(t.Ladder.Rungs) - 1
		for k, want := range map[string][2]int64{"kv": {512, 256}, "hh": {256, 512}, "fw": {0, 0}}[t.Name] {
			level := top
			if want > 0 {
				level = slices.IndexFunc(t.Ladder.Rungs, func(x alloc.Rung) bool { return x.Memory >= want })
			}
			levels[k] = append(levels[k], level)
		}
	}
	encoder, pool := plan.NewEncoder(1), solver(b, "z3")
	var parts [4]time.Duration // plan, prove, publish, write and read back
	scrubbed, state := 0, []byte(nil)
	step := func(k int) {
		begun := time.Now()
		lap := func(i int) { parts[i] += time.Since(begun); begun = time.Now() }
		if state == nil {
			state, _ = r.state()
		}
		in, err := c.ToLevels(state, ts, levels[k])
		if err != nil {
			b.Fatal(err)
		}
		lap(0)
		proof, err := gate.ProvePlan(b.Context(), encoder, pool, in, []string{"z3"}, time.Now(), nil)
		if err != nil {
			b.Fatal(err)
		}
		lap(1)
		clearance, err := g.ClearProvedPlan(b.Context(), in, proof)
		if err != nil {
			b.Fatal(err)
		}
		lap(2)
		out, err := g.Apply(b.Context(), clearance)
		if err != nil {
			b.Fatal(err)
		}
		parts[2] += out.Log
		parts[3] += time.Since(begun) - out.Log
		state = out.PageTables
		scrubbed = 0
		for _, s := range in.Steps {
			scrubbed += len(s.Bytes)
		}
	}
	step(0)
	step(1)
	step(0)
	parts = [4]time.Duration{}
	k := 0
	for b.Loop() {
		k = 1 - k
		step(k)
	}
	for i, name := range []string{"plan-ms", "prove-ms", "publish-ms", "write-ms"} {
		b.ReportMetric(float64(parts[i].Microseconds())/1000/float64(b.N), name)
	}
	b.ReportMetric(float64(scrubbed), "bytes-sent")
}

// BenchmarkNetworkReallocation moves memory between tenants from one of two switches to the other, and back. Everything is real, as in
// BenchmarkReallocation; each switch's plan follows on the one before it there.
func BenchmarkNetworkReallocation(b *testing.B) {
	f := newFabric(b)
	n, gates := f.open()
	encoder, pool := plan.NewEncoder(len(gates)), solver(b, "z3")
	last := map[string]verify.Digest{}
	var parts [4]time.Duration // plan, prove, publish, write and read back
	step := func(want [2]layout) {
		begun := time.Now()
		lap := func(i int) { parts[i] += time.Since(begun); begun = time.Now() }
		in := f.plan(gates, want)
		lap(0)
		proofs := gate.Proofs{Plans: map[string]*gate.Proof{}}
		var err error
		for _, p := range in.Plans {
			p.Previous = last[p.Switch]
			s, err := p.Subject()
			if err != nil {
				b.Fatal(err)
			}
			last[p.Switch] = s.Digest()
			if proofs.Plans[p.Switch], err = gate.ProvePlan(b.Context(), encoder, pool, p, []string{"z3"}, time.Now(), nil); err != nil {
				b.Fatal(err)
			}
		}
		if proofs.Network, err = gate.ProveNetwork(b.Context(), encoder, pool, in, []string{"z3"}, time.Now(), nil); err != nil {
			b.Fatal(err)
		}
		lap(1)
		c, err := n.ClearProved(b.Context(), in, proofs)
		if err != nil {
			b.Fatal(err)
		}
		lap(2)
		if _, err := n.Apply(b.Context(), c); err != nil {
			b.Fatal(err)
		}
		lap(3)
	}
	for range 2 {
		step(annLeft)
		step(annRight)
	}
	parts = [4]time.Duration{}
	k := 0
	for b.Loop() {
		k = 1 - k
		step([2][2]layout{annRight, annLeft}[k])
	}
	for i, name := range []string{"plan-ms", "prove-ms", "publish-ms", "write-ms"} {
		b.ReportMetric(float64(parts[i].Microseconds())/1000/float64(b.N), name)
	}
}

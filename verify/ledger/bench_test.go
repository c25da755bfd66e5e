package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/replay"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/smt"
)

var decisions = flag.Int("decisions", 300, "decisions in the log that BenchmarkVerify and BenchmarkReplay read, each with its outcome")

const (
	quickstart         = "../../linker/testdata/quickstart/linked.p4"
	quickstartManifest = "../../linker/testdata/quickstart/manifest.json"
)

// history is a switch that runs the linked example and whose tenants grow and shrink at random: each plan starts where the one before
// ended.
type history struct {
	context *alloc.Context
	tenants []alloc.Tenant
	levels  []int // rungs of their ladders
	state   []byte
	r       *rand.Rand
	pool    *smt.Pool
	encoder *plan.Encoder
}

func newHistory(b *testing.B) *history {
	b.Helper()
	text, err := os.ReadFile(quickstart)
	if err != nil {
		b.Fatal(err)
	}
	codec, err := alloc.CodecOf(text)
	if err != nil {
		b.Fatal(err)
	}
	m, err := manifest.Load(quickstartManifest)
	if err != nil {
		b.Fatal(err)
	}
	h := &history{r: rand.New(rand.NewPCG(1, 2)), encoder: plan.NewEncoder(1)}
	if h.tenants, err = alloc.TenantsOf(m, nil); err != nil {
		b.Fatal(err)
	}
	if h.state, err = codec.Encode(alloc.Tables{}); err != nil {
		b.Fatal(err)
	}
	h.levels = make([]int, len(h.tenants))
	nonce := uint64(0)
	h.context = &alloc.Context{
		Switch: "s1", DeviceID: 1, ElectionID: 1, Linked: text, Codec: codec,
		Primitives: plan.Primitives{
			Fence:      plan.FencePrimitive{By: plan.ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
			Scrub:      plan.ScrubPrimitive{By: []plan.ScrubKind{plan.ByCell}},
			Unanswered: plan.UnansweredPrimitive{Until: plan.UntilArbitration},
		},
		Policy: string(verify.DigestOf([]byte("policy"))), Nonce: func() uint64 { nonce++; return nonce },
	}
	for _, t := range h.tenants {
		h.context.Tenants = append(h.context.Tenants, plan.Tenant{Name: t.Name, VID: t.VID})
		for a, n := range codec.Slots() {
			h.context.Limits = append(h.context.Limits, plan.Limit{VID: t.VID, Control: a.Control, Stage: a.Stage, Ceiling: n})
		}
	}
	if h.pool, err = smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: os.Getenv(smt.WorkerEnv), Processes: 1}}); err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() { h.pool.Close() })
	return h
}

// next is a plan after which one tenant's elastic registers are twice as large as before, or half: what the control loop does in most epochs.
func (h *history) next(b *testing.B) *plan.Input {
	b.Helper()
	for range 1000 {
		levels := slices.Clone(h.levels)
		i := h.r.IntN(len(levels))
		levels[i] += 1 - 2*h.r.IntN(2)
		if levels[i] < 0 || levels[i] == len(h.tenants[i].Ladder.Rungs) {
			continue
		}
		in, err := h.context.ToLevels(h.state, h.tenants, levels)
		if err == nil && in != nil {
			h.levels = levels
			return in
		}
	}
	b.Fatal("nothing fits")
	return nil
}

// decision is what is logged of a plan.
type decision struct {
	in          *plan.Input
	subject     verify.Subject
	certificate *verify.Certificate
	obligations []verify.Obligation
	after       []byte // page tables
}

// decide proves the next plan and supposes that it is carried out.
func (h *history) decide(b *testing.B) *decision {
	b.Helper()
	d := &decision{in: h.next(b)}
	var err error
	if d.subject, err = d.in.Subject(); err != nil {
		b.Fatal(err)
	}
	if d.obligations, err = h.encoder.Obligations(d.in); err != nil {
		b.Fatal(err)
	}
	d.certificate, err = verify.Decide(b.Context(), h.pool, d.subject, plan.EncoderVersion, d.obligations, nil, []string{"z3"}, time.Unix(1e9, 0), nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := d.certificate.Proved(); err != nil {
		b.Fatal(err)
	}
	h.state = h.goal(b, d.in)
	d.after = h.state
	return d
}

// goal is the page tables that a plan leaves.
func (h *history) goal(b *testing.B, in *plan.Input) []byte {
	b.Helper()
	tables := alloc.Tables{}
	for _, x := range in.Goal {
		k := alloc.Key{Control: x.Control, VID: x.VID}
		e := tables[k]
		for len(e) <= x.Stage {
			e = append(e, alloc.Mapping{})
		}
		e[x.Stage] = alloc.Mapping{Base: x.Base, Size: x.Size, Mask: x.Mask, Generation: x.Generation}
		tables[k] = e
	}
	state, err := h.context.Codec.Encode(tables)
	if err != nil {
		b.Fatal(err)
	}
	return state
}

// log appends a decision and its outcome.
func (d *decision) log(ctx context.Context, l *ledger.Log) error {
	at := time.Unix(1e9, 0).UTC()
	n, err := l.AppendDecision(ctx, ledger.Decision{
		Action: "plan", Switch: "s1", Verdict: "proved", Policy: d.in.Policy, Who: "operator@example", At: at,
	}, d.subject, d.certificate, d.obligations)
	if err != nil {
		return err
	}
	_, err = l.AppendOutcome(ctx, ledger.Outcome{
		Action: "apply", Switch: "s1", Decision: n, Result: ledger.Applied, Steps: len(d.in.Steps),
		PreState: stateOf(d.in.Linked, d.in.PreState), PostState: stateOf(d.in.Linked, d.after), Who: "operator@example", At: at,
		Times: map[string]time.Duration{"write": time.Millisecond, "read": time.Millisecond},
	})
	return err
}

// stateOf is the digest of a switch that runs program and has these page tables.
func stateOf(program, tables []byte) verify.Digest {
	sum := sha256.Sum256(program)
	return verify.DigestOf(fmt.Appendf(nil, "%s\n%d\n%s\n", verify.DigestOf(program), binary.BigEndian.Uint64(sum[:]), verify.DigestOf(tables)))
}

func newLog(b *testing.B) *ledger.Log {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "ledger")
	if err := ledger.Create(dir, "interlock/bench"); err != nil {
		b.Fatal(err)
	}
	l, err := ledger.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

// logged writes a log of n decisions with their outcomes and returns its directory and verifier key.
func logged(b *testing.B, n int) (dir, key string) {
	b.Helper()
	h, l := newHistory(b), newLog(b)
	for range n {
		if err := h.decide(b).log(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(l.Dir(), "key.pub"))
	if err != nil {
		b.Fatal(err)
	}
	return l.Dir(), string(text)
}

// BenchmarkAppend appends decisions and outcomes of plans as the control loop does: each is durable when the append returns.
func BenchmarkAppend(b *testing.B) {
	h, l := newHistory(b), newLog(b)
	ds := make([]*decision, 400)
	for i := range ds {
		ds[i] = h.decide(b)
	}
	var took []time.Duration
	before := cpuTime(b)
	for n := 0; b.Loop(); n++ {
		begun := time.Now()
		if err := ds[n%len(ds)].log(b.Context(), l); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	if err := l.Publish(); err != nil {
		b.Fatal(err)
	}
	n := float64(b.N)
	b.ReportMetric(2*n/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(1000*(cpuTime(b)-before)/n, "cpu-ms/decision")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/decision-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/decision-p99")
}

// BenchmarkVerify is 'audit verify' of a log of plans.
func BenchmarkVerify(b *testing.B) {
	dir, key := logged(b, *decisions)
	size := int64(0)
	if err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, err := d.Info()
			if err != nil {
				return err
			}
			size += info.Size()
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	before := cpuTime(b)
	for b.Loop() {
		if c, err := check.Read(dir, key); err != nil || len(c.Findings) > 0 {
			b.Fatal(err, c.Findings)
		}
	}
	b.ReportMetric(1e6*(cpuTime(b)-before)/float64(b.N)/2/float64(*decisions), "cpu-us/entry")
	b.ReportMetric(2*float64(*decisions)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(size)/float64(*decisions), "bytes/decision")
}

// BenchmarkReplay is 'audit replay' of a log of plans.
func BenchmarkReplay(b *testing.B) {
	dir, key := logged(b, *decisions)
	for _, name := range []string{"cvc5", "z3"} {
		b.Run(name, func(b *testing.B) {
			var obligations, spent float64
			for b.Loop() {
				b.StopTimer()
				l, err := check.Read(dir, key)
				if err != nil || len(l.Findings) > 0 {
					b.Fatal(err, l.Findings)
				}
				before := cpuTime(b)
				b.StartTimer()
				var ds []verify.Decider
				var pools []*smt.Pool
				for range 2 {
					p, err := smt.NewPool([]smt.SolverConfig{{Name: name, Path: name, Processes: 1}})
					if err != nil {
						b.Skip(err)
					}
					pools, ds = append(pools, p), append(ds, p)
				}
				results, err := replay.Run(b.Context(), l, ds, replay.Options{})
				for _, p := range pools {
					err = errors.Join(err, p.Close())
				}
				if err != nil {
					b.Fatal(err)
				}
				spent += cpuTime(b) - before
				for _, r := range results {
					obligations += float64(r.Obligations)
					if r.Outcome != replay.Confirmed {
						b.Fatalf("%+v", r)
					}
				}
			}
			n := float64(*decisions * b.N)
			b.ReportMetric(n/b.Elapsed().Seconds(), "decisions/s")
			b.ReportMetric(1000*spent/n, "cpu-ms/decision")
			b.ReportMetric(obligations/n, "obligations/decision")
		})
	}
}

// cpuTime is what this process and those that it waited for have used, in seconds: on a machine with other work it says more than the clock.
func cpuTime(b *testing.B) float64 {
	b.Helper()
	sum := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	return sum.Seconds()
}

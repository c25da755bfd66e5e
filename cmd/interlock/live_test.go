package main

import (
	"bytes"
	"context"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/traffic"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/replay"
	proof "github.com/interlock/interlock/verify/policy"
	"github.com/interlock/interlock/verify/smt"
)

// A liveRig is the example site under a policy of the test's, with its program on a real switch, and a control loop whose epochs the test runs.
type liveRig struct {
	t        *testing.T
	dir      string
	sw       *softswitch.Switch
	balances map[string]int64 // that the site gives in the beginning
	out      bytes.Buffer
	c        *control
	last     *alloc.Epoch
	seed     uint64
}

func newLiveRig(t *testing.T, text string, balances map[string]int64) *liveRig {
	t.Helper()
	r := &liveRig{t: t, dir: filepath.Join(t.TempDir(), "q"), balances: balances}
	r.sw = installed(t, r.dir)
	r.write(text)
	r.start()
	t.Cleanup(func() { r.c.close() })
	return r
}

// installed copies the example site to dir, and runs its program on a switch.
func installed(t *testing.T, dir string) *softswitch.Switch {
	t.Helper()
	sw := softswitch.New(softswitch.Options{DeviceID: 1})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sw.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		<-done
		sw.Close()
	})
	if err := copySite(prepared(t), dir, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	command := newRoot()
	command.SetArgs([]string{"install", filepath.Join(dir, "linked"), "--yes"})
	command.SetOut(io.Discard)
	if err := command.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sw
}

// write writes the policy's file.
func (r *liveRig) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "own.yaml"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// work is the site, as if it had been linked with the policy and the balances.
func (r *liveRig) work() *work {
	r.t.Helper()
	w := mustOpen(r.t, r.dir)
	w.site.Policy = "own.yaml"
	for i := range w.site.Tenants {
		if n, ok := r.balances[w.site.Tenants[i].Name]; ok {
			w.site.Tenants[i].Balance = policy.RatioOf(new(big.Rat).SetInt64(n))
		}
	}
	return w
}

// start starts a controller.
func (r *liveRig) start() {
	r.t.Helper()
	var err error
	if r.c, err = r.work().control(r.t.Context(), &r.out); err != nil {
		r.t.Fatal(err)
	}
	r.c.Record = func(e *alloc.Epoch) error {
		if e.Kind == alloc.Allocation {
			r.last = e
		}
		return nil
	}
}

func (r *liveRig) restart() {
	r.t.Helper()
	r.c.close()
	r.start()
}

// epoch sends the traffic of some tenants, and runs the epoch that ends with it.
func (r *liveRig) epoch(kinds map[string]traffic.Kind) *alloc.Epoch {
	r.t.Helper()
	if len(kinds) > 0 {
		r.seed++
		spec, err := traffic.ForSite(r.c.planner.work.manifest, kinds, r.seed, time.Second, 0.1)
		if err != nil {
			r.t.Fatal(err)
		}
		g, err := traffic.New(spec)
		if err != nil {
			r.t.Fatal(err)
		}
		for {
			p, more, err := g.Next()
			if err != nil {
				r.t.Fatal(err)
			}
			if !more {
				break
			}
			if _, err := r.sw.Process(p.Port, p.Data); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	if _, err := r.c.Epoch(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return r.last
}

func (r *liveRig) tenant(name string) *alloc.TenantEpoch {
	r.t.Helper()
	for i := range r.last.Tenants {
		if r.last.Tenants[i].Name == name {
			return &r.last.Tenants[i]
		}
	}
	r.t.Fatalf("no tenant %s in the record", name)
	return nil
}

func (r *liveRig) balance(name string) *big.Rat {
	r.t.Helper()
	b, ok := new(big.Rat).SetString(r.tenant(name).Balance)
	if !ok {
		r.t.Fatalf("tenant %s has the balance %q", name, r.tenant(name).Balance)
	}
	return b
}

// in is what a tenant holds of a stage array.
func in(t *alloc.TenantEpoch, stage int) int64 {
	for _, x := range t.Extents {
		if x.Stage == stage && x.Control == string(specs.Ingress) {
			return x.Size
		}
	}
	return 0
}

// ceiling is what the policy lets a tenant have of its largest elastic register.
func (r *liveRig) ceiling(name string) int64 {
	r.t.Helper()
	for _, t := range r.c.Tenants {
		if t.Name == name {
			return t.Ladder.Rungs[r.tenant(name).Ceiling].Memory
		}
	}
	r.t.Fatalf("no tenant %s", name)
	return 0
}

// audit has an auditor decide the whole log again, with another solver than the site's. It returns the decisions to share register memory.
func (r *liveRig) audit() []*proof.Admission {
	r.t.Helper()
	if err := r.c.tools.log.Publish(); err != nil {
		r.t.Fatal(err)
	}
	l, err := r.c.planner.work.readLedger()
	if err != nil {
		r.t.Fatal(err)
	}
	if len(l.Findings) > 0 {
		r.t.Fatalf("the log is not intact: %v", l.Findings)
	}
	pool, err := smt.NewPool([]smt.SolverConfig{{Name: "cvc5"}})
	if err != nil {
		r.t.Skipf("no second solver to audit with: %v", err)
	}
	defer pool.Close()
	results, err := replay.Run(r.t.Context(), l, []verify.Decider{pool}, replay.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, x := range results {
		if x.Outcome != replay.Confirmed {
			r.t.Errorf("entry %d (%s): %s: %s", x.Entry, x.Subject, x.Outcome, x.Reason)
		}
	}
	return sharesIn(r.t, l)
}

func sharesIn(t *testing.T, l *check.Log) []*proof.Admission {
	t.Helper()
	var out []*proof.Admission
	for _, e := range l.Entries {
		if e.Decision == nil || e.Decision.Action != "share" {
			continue
		}
		inputs := map[string][]byte{}
		for name, ref := range e.Decision.Inputs {
			b, err := l.Blob(ref)
			if err != nil {
				t.Fatal(err)
			}
			inputs[name] = b
		}
		a, err := proof.AdmissionFrom(inputs)
		if err != nil {
			t.Fatal(err)
		}
		if a.OfMemory() {
			out = append(out, a)
		}
	}
	return out
}

// karmaByHand is what becomes of the balances of kv, hh and fw in an epoch, by pencil and paper: of the array's 16384 slots each has 5461 1/3 as
// its fair share, of which half is guaranteed and half is given as credits.
func karmaByHand(before map[string]*big.Rat, held map[string]int64, active map[string]bool) map[string]*big.Rat {
	half := big.NewRat(16384, 6)
	above := func(n int64) *big.Rat {
		x := new(big.Rat).Sub(big.NewRat(n, 1), half)
		if x.Sign() < 0 {
			return new(big.Rat)
		}
		return x
	}
	lent, allLent, allBorrowed := map[string]*big.Rat{}, new(big.Rat), new(big.Rat)
	for name, least := range map[string]int64{"kv": 256, "hh": 256, "fw": 4096} {
		lent[name] = new(big.Rat)
		if x := new(big.Rat).Sub(half, big.NewRat(least, 1)); !active[name] && x.Sign() > 0 {
			lent[name] = x
		}
		allLent.Add(allLent, lent[name])
		allBorrowed.Add(allBorrowed, above(held[name]))
	}
	out := map[string]*big.Rat{}
	for name := range lent {
		earned := new(big.Rat).Set(lent[name])
		if allBorrowed.Cmp(allLent) < 0 {
			earned.Mul(earned, allBorrowed).Quo(earned, allLent)
		}
		whole := new(big.Rat).SetInt(new(big.Int).Div(earned.Num(), earned.Denom()))
		x := new(big.Rat).Add(before[name], half)
		out[name] = x.Sub(x, above(held[name])).Add(x, whole)
	}
	return out
}

// Credits over time: who has no traffic lends its memory and earns credits for it, and has more later, also when the controller was restarted in
// between. Balances are those that are computed by hand, and an auditor confirms them with another solver.
func TestCreditsLive(t *testing.T) {
	text, ok := specs.Policy("credits")
	if !ok {
		t.Fatal("no such policy")
	}
	r := newLiveRig(t, strings.Replace(string(text), "default: slots/\n", "default: slots/ingress/0\n", 1), nil)
	kv, hh := map[string]traffic.Kind{"kv": traffic.KeyValue}, map[string]traffic.Kind{"hh": traffic.Flows}
	names := []string{"kv", "hh", "fw"}
	balances, held, active := map[string]*big.Rat{}, map[string]int64{}, map[string]bool{}
	for _, n := range names {
		balances[n], active[n] = new(big.Rat), true // nothing is known to be otherwise
	}
	run := func(what string, kinds map[string]traffic.Kind, settles bool) {
		t.Helper()
		r.epoch(kinds)
		if settles {
			for _, n := range names {
				_, active[n] = kinds[n]
			}
			balances = karmaByHand(balances, held, active)
		}
		for _, n := range names {
			if have := r.balance(n); have.Cmp(balances[n]) != 0 {
				t.Errorf("%s: tenant %s has %s credits, by hand %s", what, n, have.RatString(), balances[n].RatString())
			}
			held[n] = in(r.tenant(n), 0)
		}
		t.Logf("%s: kv %d of %d slots, %s credits; hh %d of %d, %s", what, held["kv"], r.ceiling("kv"), balances["kv"].FloatString(1),
			held["hh"], r.ceiling("hh"), balances["hh"].FloatString(1))
	}
	run("the first epoch settles nothing", nil, false)
	first := r.ceiling("hh")
	for range 3 {
		run("kv alone", kv, true)
	}
	if balances["hh"].Cmp(balances["kv"]) <= 0 || r.ceiling("hh") > 2730 {
		t.Errorf("the lender has %s credits and may have %d slots, the borrower has %s", balances["hh"], r.ceiling("hh"), balances["kv"])
	}
	r.restart()
	run("the first epoch after a restart settles nothing", kv, false)
	for range 3 {
		run("hh alone", hh, true)
	}
	if r.ceiling("hh") <= first || held["hh"] <= first {
		t.Errorf("hh has %d slots, and may have %d; at first it could have %d", held["hh"], r.ceiling("hh"), first)
	}
	settled := 0
	for _, a := range r.audit() {
		if a.Settles() {
			settled++
		}
	}
	if settled != 6 {
		t.Errorf("%d epochs were settled, not 6", settled)
	}
}

const prepaidPolicy = `apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: prepaid}
spec:
  price: "ratio(tenant.usage[?'slots/ingress/0'].orValue(0), 256)"
  rank: tenant.cost
  grant: tenant.demand
  limits:
    - {expression: "tenant.usage == tenant.min || tenant.cost <= tenant.balance", message: the balance is used up}
  settle: "max([ratio(0), tenant.balance - tenant.cost])"
`

// A tenant that pays in advance has less and less, and its least in the end. A policy that ends in an error changes nothing, and is told about
// once.
func TestPrepaidLive(t *testing.T) {
	r := newLiveRig(t, prepaidPolicy, map[string]int64{"kv": 40, "hh": 1000})
	both := map[string]traffic.Kind{"kv": traffic.KeyValue, "hh": traffic.Flows}
	had, paid := big.NewRat(40, 1), int64(0)
	for i := range 8 {
		if i == 4 {
			r.restart()
			paid = 0 // the epoch that the controller did not live to see the end of
		}
		r.epoch(both)
		if had.Sub(had, big.NewRat(paid, 1)); had.Sign() < 0 {
			had.SetInt64(0)
		}
		if have := r.balance("kv"); have.Cmp(had) != 0 {
			t.Errorf("epoch %d: kv has %s credits, by hand %s", i, have.RatString(), had.RatString())
		}
		slots := in(r.tenant("kv"), 0)
		if most := r.ceiling("kv"); slots > most || slots > 256 && big.NewRat(slots, 256).Cmp(had) > 0 {
			t.Errorf("epoch %d: kv has %d slots, may have %d, and %s credits", i, slots, most, had.RatString())
		}
		paid = slots / 256
	}
	if slots := in(r.tenant("kv"), 0); slots != 256 || r.ceiling("kv") != 256 {
		t.Errorf("kv has %d slots, and may have %d, with %s credits", slots, r.ceiling("kv"), had.RatString())
	}
	decided := len(r.audit())
	broken := strings.Replace(prepaidPolicy, "tenant.balance - tenant.cost", "tenant.balance - tenant.cost / (tenant.active && 'slots/ingress/0' in capacity ? 0 : 1)", 1)
	r.write(broken)
	r.epoch(nil) // the last under the version before; nobody is active, and the new version has a value
	before, at := r.balance("hh"), r.out.Len()
	for range 2 {
		if e := r.epoch(both); e.Share == nil || !strings.Contains(e.Share.Refused, "division by zero") {
			t.Errorf("the record says %+v", e.Share)
		}
	}
	if have := r.balance("hh"); have.Cmp(before) != 0 {
		t.Errorf("hh had %s credits, and has %s", before, have)
	}
	if n := strings.Count(r.out.String()[at:], "division by zero"); n != 1 {
		t.Errorf("told %d times:\n%s", n, r.out.String())
	}
	r.epoch(nil) // nobody is active: it has a value again
	if have := r.balance("hh"); have.Cmp(before) >= 0 || !strings.Contains(r.out.String(), "nothing against") {
		t.Errorf("hh had %s credits, and has %s:\n%s", before, have, r.out.String()[at:])
	}
	if n := len(r.audit()); n <= decided {
		t.Errorf("%d decisions, then %d", decided, n)
	}
}

// A policy that reads nothing that changes is asked once.
func TestNotLive(t *testing.T) {
	r := newLiveRig(t, strings.ReplaceAll(prepaidPolicy, "  settle:", "  #"), map[string]int64{"kv": 40, "hh": 40})
	for range 3 {
		e := r.epoch(map[string]traffic.Kind{"kv": traffic.KeyValue})
		if e.Share != nil || r.tenant("kv").Balance != "" {
			t.Errorf("the policy was asked: %+v, balance %q", e.Share, r.tenant("kv").Balance)
		}
	}
	if n := len(r.audit()); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

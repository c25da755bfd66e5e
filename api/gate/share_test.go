package gate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/api/gate"
	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/policy"
)

// freeForAll limits nobody.
const freeForAll = "apiVersion: interlock/v1alpha1\nkind: SharingPolicy\nmetadata: {name: free-for-all}\nspec: {rank: 0, grant: tenant.demand}\n"

// admission says that a policy that limits nobody lets the tenants have as much as the limits on each switch say; with one switch, its name is
// "".
func admission(t testing.TB, who []plan.Tenant, limits map[string][]plan.Limit, totals []network.Ceiling) *policy.Admission {
	t.Helper()
	p, err := sharing.Parse("free.yaml", []byte(freeForAll))
	if err != nil {
		t.Fatal(err)
	}
	capacity := sharing.Resources{}
	floors, ceilings := make([]sharing.Resources, len(who)), make([]sharing.Resources, len(who))
	var asked []sharing.Tenant
	for i, x := range who {
		asked = append(asked, sharing.Tenant{Name: x.Name, VID: x.VID, Weight: 1, Active: true})
		floors[i], ceilings[i] = sharing.Resources{}, sharing.Resources{}
		for on, list := range limits {
			for _, l := range list {
				name := fmt.Sprintf("%s%s/%d", policy.Slots, l.Control, l.Stage)
				if on != "" {
					name = fmt.Sprintf("%s%s/%s/%d", policy.Slots, on, l.Control, l.Stage)
				}
				capacity[name] = max(capacity[name], l.Ceiling)
				if l.VID == x.VID {
					floors[i][name], ceilings[i][name] = l.Floor, l.Ceiling
				}
			}
		}
		asked[i].Max = ceilings[i]
	}
	a := policy.NewAdmission(p, asked, capacity, floors, ceilings)
	if _, one := limits[""]; one {
		return a
	}
	for on := range limits {
		a.Switches = append(a.Switches, on)
	}
	slices.Sort(a.Switches)
	for _, x := range who {
		most := int64(0)
		for _, c := range totals {
			if c.VID == x.VID {
				most = c.Slots
			}
		}
		a.Totals = append(a.Totals, most)
	}
	return a
}

func digestOf(t testing.TB, a *policy.Admission) verify.Digest {
	t.Helper()
	s, err := a.Subject()
	if err != nil {
		t.Fatal(err)
	}
	return s.Digest()
}

func (r *rig) proveShare(a *policy.Admission) *gate.Proof {
	r.t.Helper()
	return r.proveShareBy(a, "z3")
}

// inTheNameOf has z3 decide in the name of all: where this is used, something else than the share is decided by several solvers.
type inTheNameOf struct {
	verify.Decider
	all []string
}

func (d inTheNameOf) Decide(ctx context.Context, obs []verify.Obligation, progress func(done, total int)) ([]verify.Result, error) {
	results, err := d.Decider.Decide(ctx, obs, progress)
	var out []verify.Result
	for _, r := range results {
		for _, r.Solver = range d.all {
			out = append(out, r)
		}
	}
	return out, err
}

func (r *rig) proveShareBy(a *policy.Admission, all ...string) *gate.Proof {
	r.t.Helper()
	p, err := gate.ProveAdmission(context.Background(), inTheNameOf{solver(r.t, "z3"), all}, a, all, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// share is that of what is admitted in the rig's ledger, proved in the name of z3.
func (r *rig) share() *gate.Share { return r.shareBy("z3") }

// shareBy publishes the share, once for the same solvers.
func (r *rig) shareBy(all ...string) *gate.Share {
	r.t.Helper()
	a := r.admitted()
	key := fmt.Sprint(digestOf(r.t, a), all)
	if s := r.shares[key]; s != nil {
		return s
	}
	s, _, err := gate.PublishShare(context.Background(), r.log, a, r.proveShareBy(a, all...), nil, "test", r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.shares == nil {
		r.shares = map[string]*gate.Share{}
	}
	r.shares[key] = s
	return s
}

// admitted is what the rig's policy lets tenants have: everything, unless something else was said.
func (r *rig) admitted() *policy.Admission {
	if r.admission == nil {
		r.admission = admission(r.t, tenants, map[string][]plan.Limit{"": r.limits()}, nil)
	}
	return r.admission
}

// open opens a gate and has it adopt the rig's share.
func (r *rig) open(ctx context.Context, conf gate.Config, election uint64) (*gate.Gate, error) {
	g, err := gate.Open(ctx, conf, election)
	if err != nil {
		return nil, err
	}
	if conf.Decider == nil { // for evictions alone
		return g, nil
	}
	if err := g.Adopt(r.shareBy(conf.Required...)); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// When another share is adopted, plans under the one before are refused, and those under the new one are not.
func TestAdopt(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	before := r.plan(g.ElectionID(), first)
	proof := r.prove(before)
	limits := slices.Clone(before.Limits)
	for i := range limits {
		limits[i].Ceiling--
	}
	r.admission = admission(t, tenants, map[string][]plan.Limit{"": limits}, nil)
	if err := g.Adopt(r.share()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.ClearProvedPlan(t.Context(), before, proof); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("under the policy before: %v", err)
	}
	after := r.plan(g.ElectionID(), first)
	after.Limits = limits
	if _, err := g.ClearProvedPlan(t.Context(), after, r.prove(after)); err != nil {
		t.Errorf("under the new policy: %v", err)
	}
}

// Canaries: limits that are in no entry, or in one that is not what it says, open nothing.
func TestOnlySharesOpen(t *testing.T) {
	r := newSlots(t)
	r.election++
	g, err := gate.Open(t.Context(), r.config(), r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	in := r.plan(g.ElectionID(), first)
	refused := func(what string) {
		t.Helper()
		if _, err := g.ClearProvedPlan(t.Context(), in, r.prove(in)); err == nil {
			t.Errorf("%s: a plan was cleared", what)
		}
	}
	refused("nothing was adopted")
	if err := g.Adopt(nil); err == nil {
		t.Error("nothing was adopted as if it were something")
	}
	a := r.admitted()
	generous := admission(t, tenants, map[string][]plan.Limit{"": r.limits()}, nil)
	for i := range generous.Ceilings {
		for name := range generous.Ceilings[i] {
			generous.Ceilings[i][name] *= 2
		}
	}
	publish := func(a *policy.Admission, p *gate.Proof) error {
		s, index, err := gate.PublishShare(t.Context(), r.log, a, p, nil, "test", r.now)
		if err == nil {
			err = g.Adopt(s)
		} else if s != nil {
			t.Errorf("a share in spite of %v (entry %d)", err, index)
		}
		return err
	}
	if err := publish(generous, r.proveShare(generous)); !errors.Is(err, verify.ErrRefuted) {
		t.Errorf("more than there is: %v", err)
	}
	if err := publish(generous, r.proveShare(a)); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("the proof of another: %v", err)
	}
	forged := r.proveShare(generous)
	for i := range forged.Certificate.Results {
		forged.Certificate.Results[i].Verdict = verify.Proved
	}
	if err := publish(generous, forged); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("a forged certificate: %v", err)
	}
	other := newSlots(t)
	if err := g.Adopt(other.share()); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("a share of another ledger: %v", err)
	}
	programs := admission(t, tenants, map[string][]plan.Limit{"": r.limits()}, nil)
	programs.Capacity["sramBlocks"] = 10
	if err := publish(programs, r.proveShare(programs)); !errors.Is(err, gate.ErrTampered) || !strings.Contains(err.Error(), "programs") {
		t.Errorf("what programs use: %v", err)
	}
	strangers := admission(t, []plan.Tenant{{Name: "eve", VID: 66}}, map[string][]plan.Limit{"": {{VID: 66, Control: "ingress", Ceiling: 1}}}, nil)
	if err := publish(strangers, r.proveShare(strangers)); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("tenants that are not registered: %v", err)
	}
	elsewhere := admission(t, tenants, map[string][]plan.Limit{"s7": r.limits(), "s8": r.limits()}, nil)
	if err := publish(elsewhere, r.proveShare(elsewhere)); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("other switches: %v", err)
	}
	refused("nothing good was adopted")
	strict := r.config()
	strict.Required = []string{"z3", "cvc5"}
	r.election++
	demanding, err := gate.Open(t.Context(), strict, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer demanding.Close()
	if err := demanding.Adopt(r.share()); !errors.Is(err, verify.ErrUndecided) {
		t.Errorf("proved by fewer solvers: %v", err)
	}
}

// A share that the ledger has is not proved again; one that it does not have, or that fewer solvers proved, is not taken from it.
func TestLoggedShare(t *testing.T) {
	r := newSlots(t)
	a := r.admitted()
	logged := func(required ...string) *gate.Share {
		t.Helper()
		s, err := gate.LoggedShare(t.Context(), r.log, a, required, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if logged("z3") != nil {
		t.Error("the ledger is empty")
	}
	published := r.share()
	s := logged("z3")
	if s == nil || s.Entry() != published.Entry() || s.Policy() != published.Policy() {
		t.Errorf("%+v, want %+v", s, published)
	}
	if logged("z3", "cvc5") != nil {
		t.Error("cvc5 did not prove it")
	}
	a.Tenants[0].Weight++
	if logged("z3") != nil {
		t.Error("the policy was asked something else")
	}
}

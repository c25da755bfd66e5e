package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/replace"
)

// A Clearance allows one proved thing to be done once, by the gate that minted it, while the state that it was proved about
// lasts. It cannot be stored or copied into another process.
type Clearance struct {
	gate     *Gate
	decision int64 // index of the ledger entry that says it is proved
	expires  time.Time
	used     atomic.Bool

	// turn, unless it is nil, waits until a step of the plan may begin: other switches come first in a network plan.
	turn func(ctx context.Context, step int) error

	// What may be done: one of these.
	plan    *plan.Input
	replace *replace.Input
}

// Decision is the index of the ledger entry behind the clearance.
func (c *Clearance) Decision() int64 { return c.decision }

// take uses the clearance up.
func (c *Clearance) take(g *Gate) error {
	switch {
	case c.gate != g:
		return fmt.Errorf("%w: it was minted by another gate", ErrUsed)
	case c.used.Swap(true):
		return fmt.Errorf("%w: it was used before", ErrUsed)
	case g.conf.Now().After(c.expires):
		return fmt.Errorf("%w: it expired at %s", ErrUsed, c.expires.Format(time.TimeOnly))
	}
	g.metrics.clearances.WithLabelValues("used").Inc()
	return nil
}

// Proof is a certificate with everything it was made from, as ProvePlan and ProveProgram make it. It may be read and shown; one that
// was put together otherwise, or changed since, clears nothing.
type Proof struct {
	Certificate *verify.Certificate
	Obligations []verify.Obligation
	Subject     verify.Subject

	seal verify.Digest // of the certificate as it was made
}

// newProof seals what has just been decided.
func newProof(c *verify.Certificate, obs []verify.Obligation, s verify.Subject) (*Proof, error) {
	text, err := c.Marshal()
	if err != nil {
		return nil, err
	}
	return &Proof{Certificate: c, Obligations: obs, Subject: s, seal: verify.DigestOf(text)}, nil
}

// genuine checks that p is what newProof made of s.
func (p *Proof) genuine(s verify.Subject, encoder string) error {
	text, err := p.Certificate.Marshal()
	if err != nil {
		return err
	}
	if verify.DigestOf(text) != p.seal {
		return fmt.Errorf("%w: the certificate is not the one that was made here", ErrTampered)
	}
	if p.Certificate.Subject != s.Digest() {
		return fmt.Errorf("%w: the proof is of %s, this is %s", ErrTampered, p.Certificate.Subject, s.Digest())
	}
	if err := p.Certificate.Covers(s, encoder, p.Obligations); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return nil
}

// ProvePlan builds a plan's obligations and has them decided. The proof may be a refutation: see Certificate.Proved.
func ProvePlan(ctx context.Context, e *plan.Encoder, d verify.Decider, in *plan.Input, required []string, now time.Time,
	progress func(done, total int),
) (*Proof, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	obs, err := e.Obligations(in)
	if err != nil {
		return nil, err
	}
	cert, err := verify.Decide(ctx, d, s, plan.EncoderVersion, obs, nil, required, now, progress)
	if err != nil {
		return nil, err
	}
	return newProof(cert, obs, s)
}

// ProveProgram does the same for a linked program.
func ProveProgram(ctx context.Context, d verify.Decider, in *program.Input, required []string, now time.Time,
	progress func(done, total int),
) (*Proof, error) {
	return ProveProperties(ctx, d, in, nil, required, now, progress)
}

// ProveProperties decides only some properties of a linked program, all if only is empty. Its certificate covers no program unless
// it has all.
func ProveProperties(ctx context.Context, d verify.Decider, in *program.Input, only, required []string, now time.Time,
	progress func(done, total int),
) (*Proof, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	rep, err := program.Obligations(in)
	if err != nil {
		return nil, err
	}
	var notes []verify.PropertyNote
	for _, n := range rep.NotChecked {
		notes = append(notes, verify.PropertyNote{Property: n.ID, Note: n.Note})
	}
	obs := rep.Obligations
	if len(only) > 0 {
		notes = nil
		obs = slices.DeleteFunc(slices.Clone(obs), func(o verify.Obligation) bool { return !slices.Contains(only, o.Property) })
	}
	cert, err := verify.Decide(ctx, d, s, program.EncoderVersion, obs, notes, required, now, progress)
	if err != nil {
		return nil, err
	}
	return newProof(cert, obs, s)
}

// Record publishes a proof in the ledger, whatever its verdict, and returns the entry's index.
func Record(ctx context.Context, l *ledger.Log, p *Proof, d ledger.Decision) (int64, error) {
	d.Verdict = "proved"
	if err := p.Certificate.Proved(); err != nil {
		d.Reason = err.Error()
		d.Verdict = "undecided"
		if errors.Is(err, verify.ErrRefuted) {
			d.Verdict = "refuted"
		}
	}
	return l.AppendDecision(ctx, d, p.Subject, p.Certificate, p.Obligations)
}

// ClearPlan mints a clearance for a saved plan. The obligations are built again from the plan's own bytes and must be exactly those
// of the certificate. If this gate's ledger has that certificate as proved, that is the proof; else everything is decided again and
// published (proof is set then).
func (g *Gate) ClearPlan(ctx context.Context, in *plan.Input, cert *verify.Certificate) (c *Clearance, proof *Proof, err error) {
	defer func() { g.noteCleared(c, err) }()
	in = clone(in)
	s, err := in.Subject()
	if err != nil {
		return nil, nil, err
	}
	if err := certifies(cert, s); err != nil {
		return nil, nil, err
	}
	if err := g.forUs(in); err != nil {
		return nil, nil, err
	}
	obs, err := g.plans.Obligations(in)
	if err != nil {
		return nil, nil, err
	}
	index, ok, err := g.logged(s, plan.EncoderVersion, obs, cert)
	if err != nil {
		return nil, nil, err
	}
	if ok {
		return g.planClearance(index, in), nil, nil
	}
	if g.conf.Decider == nil {
		return nil, nil, fmt.Errorf("%w: the ledger does not say that it is proved, and there is no solver here", verify.ErrUndecided)
	}
	if proof, err = ProvePlan(ctx, g.plans, g.conf.Decider, in, g.conf.Required, g.conf.Now(), nil); err != nil {
		return nil, nil, err
	}
	c, err = g.clearProved(ctx, in, proof)
	return c, proof, err
}

// clone copies a plan, so that nobody writes to what a clearance is about.
func clone(in *plan.Input) *plan.Input {
	c := *in
	c.Linked, c.PreState = bytes.Clone(in.Linked), bytes.Clone(in.PreState)
	c.Tenants, c.Goal, c.Limits = slices.Clone(in.Tenants), slices.Clone(in.Goal), slices.Clone(in.Limits)
	c.Steps = slices.Clone(in.Steps)
	for i := range c.Steps {
		c.Steps[i].Bytes = bytes.Clone(c.Steps[i].Bytes)
	}
	return &c
}

func (g *Gate) clearance(decision int64) *Clearance {
	return &Clearance{gate: g, decision: decision, expires: g.conf.Now().Add(ClearanceLifetime)}
}

func (g *Gate) planClearance(decision int64, in *plan.Input) *Clearance {
	c := g.clearance(decision)
	c.plan = in
	return c
}

// sameLimits compares without regard to order: a plan has no limit twice.
func sameLimits(a, b []plan.Limit) bool {
	of := map[plan.Limit]bool{}
	for _, l := range b {
		of[l] = true
	}
	return len(a) == len(b) && !slices.ContainsFunc(a, func(l plan.Limit) bool { return !of[l] })
}

// forUs checks that a plan was made for this gate's switch, tenants, policy and mastership.
func (g *Gate) forUs(in *plan.Input) error {
	if in.Switch != g.conf.Target.Name || in.DeviceID != g.conf.Target.DeviceID {
		return fmt.Errorf("%w: the plan is for switch %s, device %d", ErrTampered, in.Switch, in.DeviceID)
	}
	if !slices.Equal(in.Tenants, g.conf.Tenants) {
		return fmt.Errorf("%w: the plan is about other tenants than those registered", ErrTampered)
	}
	switch s := g.share.Load(); {
	case s == nil:
		return fmt.Errorf("%w: no decision says what the policy lets tenants have", verify.ErrUndecided)
	case in.Policy != s.Policy() || !sameLimits(in.Limits, s.limits):
		return fmt.Errorf("%w: the plan was made under another policy than the one in force, or within other limits", ErrTampered)
	}
	declared, err := device.DeclaredPrimitives(g.conf.Target.Driver)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(in.Primitives, declared.Proof) {
		return fmt.Errorf("%w: the plan is for a switch that is declared otherwise (%v); driver %s declares: %v", ErrTampered, in.Primitives, declared.Driver, declared.Proof)
	}
	if in.ElectionID != g.ElectionID() {
		return fmt.Errorf("%w: the plan was made under election id %d, this gate has %d", ErrStale, in.ElectionID, g.ElectionID())
	}
	if in.Previous == "" {
		return nil
	}
	previous := g.proved.Load()
	if previous == nil {
		return fmt.Errorf("%w: the plan follows on one that this gate has not cleared", ErrStale)
	}
	if err := g.plans.Follows(in, previous); err != nil {
		return fmt.Errorf("%w: the plan does not follow on the last one that this gate cleared: %w", ErrStale, err)
	}
	return nil
}

// ClearProvedPlan mints a clearance from a proof made in this process. It publishes the proof, proved or not.
func (g *Gate) ClearProvedPlan(ctx context.Context, in *plan.Input, p *Proof) (*Clearance, error) {
	c, err := g.clearProved(ctx, clone(in), p)
	g.noteCleared(c, err)
	return c, err
}

func (g *Gate) clearProved(ctx context.Context, in *plan.Input, p *Proof) (*Clearance, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	if err := p.genuine(s, plan.EncoderVersion); err != nil {
		return nil, err
	}
	if err := g.forUs(in); err != nil {
		return nil, err
	}
	index, err := Record(ctx, g.ledger.Load(), p, ledger.Decision{
		Action: "plan", Switch: g.conf.Target.Name, Policy: in.Policy, TermsText: g.share.Load().terms, Who: g.conf.Who, At: g.conf.Now().UTC(),
	})
	if err != nil {
		return nil, err
	}
	if err := p.Certificate.Proved(); err != nil {
		return nil, err
	}
	for _, solver := range g.conf.Required {
		if !slices.Contains(p.Certificate.Required, solver) {
			return nil, fmt.Errorf("%w: solver %s was not required of this proof, and is here", verify.ErrUndecided, solver)
		}
	}
	g.proved.Store(in)
	return g.planClearance(index, in), nil
}

// Cookie of a linked program's pipeline: the first 8 bytes of its digest.
func Cookie(linked []byte) uint64 { return replace.Cookie(linked) }

package gate

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
)

// A Clearance allows one proved thing to be done once, by the gate that minted it, while the state that it was proved about
// lasts. It cannot be stored or copied into another process.
type Clearance struct {
	gate     *Gate
	decision int64 // index of the ledger entry that says it is proved
	expires  time.Time
	used     atomic.Bool

	// What may be done: one of these.
	plan    *plan.Input
	install []byte // a serialised SetForwardingPipelineConfigRequest
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
	return nil
}

// Proof is a certificate with everything it was made from, as prove and plan make it.
type Proof struct {
	Certificate *verify.Certificate
	Obligations []verify.Obligation
	Subject     verify.Subject
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
	return &Proof{cert, obs, s}, nil
}

// ProveProgram does the same for a linked program.
func ProveProgram(ctx context.Context, d verify.Decider, in *program.Input, required []string, now time.Time,
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
	cert, err := verify.Decide(ctx, d, s, program.EncoderVersion, rep.Obligations, notes, required, now, progress)
	if err != nil {
		return nil, err
	}
	return &Proof{cert, rep.Obligations, s}, nil
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

// ClearPlan mints a clearance for a plan. The obligations are built again from the plan's own bytes. With a certificate, the
// plan must be exactly what it speaks of; its verdicts are not believed but decided again, unless this process decided them
// (proof). The decision is published before the clearance is minted.
func (g *Gate) ClearPlan(ctx context.Context, in *plan.Input, cert *verify.Certificate) (*Clearance, *Proof, error) {
	if cert != nil {
		s, err := in.Subject()
		if err != nil {
			return nil, nil, err
		}
		if err := g.covers(s, in, cert); err != nil {
			return nil, nil, err
		}
	}
	proof, err := ProvePlan(ctx, g.plans, g.conf.Decider, in, g.conf.Required, g.conf.Now(), nil)
	if err != nil {
		return nil, nil, err
	}
	c, err := g.ClearProvedPlan(ctx, in, proof)
	return c, proof, err
}

func (g *Gate) covers(s verify.Subject, in *plan.Input, cert *verify.Certificate) error {
	if cert.Subject != s.Digest() {
		return fmt.Errorf("%w: the certificate is of the plan %s, this plan is %s", ErrTampered, cert.Subject, s.Digest())
	}
	obs, err := g.plans.Obligations(in)
	if err != nil {
		return err
	}
	if err := cert.Covers(s, plan.EncoderVersion, obs); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return cert.Proved()
}

// ClearProvedPlan mints a clearance from a proof made in this process. It publishes the proof, proved or not.
func (g *Gate) ClearProvedPlan(ctx context.Context, in *plan.Input, p *Proof) (*Clearance, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	if s.Digest() != p.Certificate.Subject {
		return nil, fmt.Errorf("%w: the proof is of %s, this plan is %s", ErrTampered, p.Certificate.Subject, s.Digest())
	}
	if in.Switch != g.conf.Target.Name || in.DeviceID != g.conf.Target.DeviceID {
		return nil, fmt.Errorf("%w: the plan is for switch %s, device %d", ErrTampered, in.Switch, in.DeviceID)
	}
	if in.ElectionID != g.ElectionID() {
		return nil, fmt.Errorf("%w: the plan was made under election id %d, this gate has %d", ErrStale, in.ElectionID, g.ElectionID())
	}
	index, err := Record(ctx, g.conf.Ledger, p, ledger.Decision{
		Action: "plan", Switch: g.conf.Target.Name, Policy: in.Policy, Who: g.conf.Who, At: g.conf.Now().UTC(),
	})
	if err != nil {
		return nil, err
	}
	if err := p.Certificate.Proved(); err != nil {
		return nil, err
	}
	return &Clearance{gate: g, decision: index, expires: g.conf.Now().Add(ClearanceLifetime), plan: in}, nil
}

// Cookie of a linked program's pipeline: the first 8 bytes of its digest.
func Cookie(linked []byte) uint64 {
	var c uint64
	for _, h := range []byte(verify.DigestOf(linked)[len("sha256:"):])[:16] {
		c = c<<4 | uint64(nibble(h))
	}
	return c
}

func nibble(h byte) byte {
	if h >= 'a' {
		return h - 'a' + 10
	}
	return h - '0'
}

// ClearInstall mints a clearance for installing a linked program on a switch that runs none.
func (g *Gate) ClearInstall(ctx context.Context, in *program.Input, cert *verify.Certificate) (*Clearance, *Proof, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, nil, err
	}
	if cert != nil && cert.Subject != s.Digest() {
		return nil, nil, fmt.Errorf("%w: the certificate is of %s, this program with its site's tenants is %s: prove it again",
			ErrTampered, cert.Subject, s.Digest())
	}
	proof, err := ProveProgram(ctx, g.conf.Decider, in, g.conf.Required, g.conf.Now(), nil)
	if err != nil {
		return nil, nil, err
	}
	info, err := rederive(in.Linked)
	if err != nil {
		return nil, proof, err
	}
	index, err := Record(ctx, g.conf.Ledger, proof, ledger.Decision{
		Action: "install", Switch: g.conf.Target.Name, Who: g.conf.Who, At: g.conf.Now().UTC(),
	})
	if err != nil {
		return nil, proof, err
	}
	if err := proof.Certificate.Proved(); err != nil {
		return nil, proof, err
	}
	req, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: g.conf.Target.DeviceID, ElectionId: &p4v1.Uint128{Low: g.ElectionID()},
		Action: p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		Config: &p4v1.ForwardingPipelineConfig{
			P4Info: info, P4DeviceConfig: in.Linked,
			Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: Cookie(in.Linked)},
		},
	})
	if err != nil {
		return nil, proof, err
	}
	return &Clearance{gate: g, decision: index, expires: g.conf.Now().Add(ClearanceLifetime), install: req}, proof, nil
}

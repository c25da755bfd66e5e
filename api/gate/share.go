package gate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/policy"
)

// A Share is what a policy lets tenants have, and what it made of their balances: proved, and published in a ledger. Gates take the limits that
// plans must keep to from one, and from nothing else (M6). It cannot be stored or made otherwise.
type Share struct {
	admission *policy.Admission
	digest    verify.Digest
	required  []string // solvers that each proved all of it
	ledger    string   // where it is published
	entry     int64
	terms     []byte
}

// Policy is the digest of the policy and all that it was asked, which plans within the share carry.
func (s *Share) Policy() string { return string(s.digest) }

// Entry is the index of the ledger entry that says that it is proved.
func (s *Share) Entry() int64 { return s.entry }

// Ceilings are what each tenant may have over all switches of a site that has several.
func (s *Share) Ceilings() []network.Ceiling { return s.admission.Networkwide() }

// ProveAdmission builds the obligations about what a policy lets tenants have and has them decided. That cel-go decides otherwise than the
// solvers, where it was asked, is an error, and nothing is proved.
func ProveAdmission(ctx context.Context, d verify.Decider, a *policy.Admission, required []string, now time.Time) (*Proof, error) {
	s, err := a.Subject()
	if err != nil {
		return nil, err
	}
	obs, err := a.Obligations()
	if err != nil {
		return nil, err
	}
	cert, err := verify.Decide(ctx, d, s, policy.AdmissionVersion, obs, nil, required, now, nil)
	if err != nil {
		return nil, err
	}
	if err := a.Agrees(ctx); err != nil && cert.Proved() == nil {
		return nil, fmt.Errorf("the solvers proved what cel-go does not find: %w", err)
	}
	return newProof(cert, obs, s)
}

// PublishShare publishes a proof made in this process, proved or not, and makes a share of one that is. terms, which may be nil, are recorded with
// it and with every plan within it, so that what tenants owe follows from the log. With an error that says that it is not proved, index is
// the entry's all the same.
func PublishShare(ctx context.Context, l *ledger.Log, a *policy.Admission, p *Proof, terms []byte, who string, now time.Time) (s *Share, index int64, err error) {
	subject, err := a.Subject()
	if err != nil {
		return nil, -1, err
	}
	if err := p.genuine(subject, policy.AdmissionVersion); err != nil {
		return nil, -1, err
	}
	own, err := policy.AdmissionFrom(subject.Inputs) // which nobody writes to
	if err != nil {
		return nil, -1, err
	}
	index, err = Record(ctx, l, p, ledger.Decision{
		Action: "share", Policy: string(subject.Digest()), TermsText: terms, Who: who, At: now.UTC(),
	})
	if err != nil {
		return nil, -1, err
	}
	if err := p.Certificate.Proved(); err != nil {
		return nil, index, err
	}
	return &Share{own, subject.Digest(), slices.Clone(p.Certificate.Required), l.Dir(), index, terms}, index, nil
}

// LoggedShare makes a share of what the ledger says is proved, by each of the required solvers and for the obligations that are built here, and
// what cel-go finds as well. It is nil if the ledger does not say so, or has a finding: then it has to be proved again.
func LoggedShare(ctx context.Context, l *ledger.Log, a *policy.Admission, required []string, terms []byte) (*Share, error) {
	subject, err := a.Subject()
	if err != nil {
		return nil, err
	}
	if err := l.Publish(); err != nil {
		return nil, err
	}
	key, err := os.ReadFile(filepath.Join(l.Dir(), "key.pub"))
	if err != nil {
		return nil, err
	}
	log, err := check.Read(l.Dir(), string(key))
	if err != nil || len(log.Findings) > 0 {
		return nil, err
	}
	for _, e := range slices.Backward(log.Entries) {
		d := e.Decision
		if d == nil || d.Action != "share" || d.Verdict != "proved" || d.Certificate == nil || e.Digest != string(subject.Digest()) {
			continue
		}
		text, err := log.Blob(*d.Certificate)
		if err != nil {
			return nil, err
		}
		cert, err := verify.ParseCertificate(text)
		if err != nil {
			return nil, err
		}
		own, err := policy.AdmissionFrom(subject.Inputs)
		if err != nil {
			return nil, err
		}
		obs, err := own.Obligations()
		if err != nil {
			return nil, err
		}
		if cert.Covers(subject, policy.AdmissionVersion, obs) != nil || cert.Proved() != nil || !covers(cert.Required, required) {
			continue // made by another version, or by fewer solvers than are required now
		}
		if err := own.Agrees(ctx); err != nil {
			return nil, fmt.Errorf("the ledger says that it is proved (entry %d), and cel-go does not find it: %w", e.Index, err)
		}
		return &Share{own, subject.Digest(), cert.Required, l.Dir(), e.Index, terms}, nil
	}
	return nil, nil
}

// covers says that all that are required are among those.
func covers(those, required []string) bool {
	return !slices.ContainsFunc(required, func(solver string) bool { return !slices.Contains(those, solver) })
}

// adopted is a share with its limits on one switch.
type adopted struct {
	*Share
	limits []plan.Limit
}

// Adopt puts a share into force: plans are cleared within its limits on this switch. Plans that were made under the one before, and are not
// cleared yet, are refused from here on.
func (g *Gate) Adopt(s *Share) error {
	if s == nil {
		return fmt.Errorf("%w: no decision says what the policy lets tenants have", verify.ErrUndecided)
	}
	if l := g.ledger.Load(); l == nil || l.Dir() != s.ledger {
		return fmt.Errorf("%w: what the policy lets tenants have is published in another ledger", ErrTampered)
	}
	if !covers(s.required, g.conf.Required) {
		return fmt.Errorf("%w: of what the policy lets tenants have, not every solver that is required here was asked", verify.ErrUndecided)
	}
	limits, err := s.admission.Limits(g.conf.Target.Name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	for _, t := range s.admission.Tenants {
		here := slices.ContainsFunc(limits, func(l plan.Limit) bool { return l.VID == t.VID })
		if here && !slices.Contains(g.conf.Tenants, plan.Tenant{Name: t.Name, VID: t.VID}) {
			return fmt.Errorf("%w: the policy was asked about tenant %s (VID %d), which is not registered", ErrTampered, t.Name, t.VID)
		}
	}
	g.share.Store(&adopted{s, limits})
	return nil
}

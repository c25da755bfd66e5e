package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// What deciding a certificate's obligations can end with, besides success.
var (
	ErrRefuted   = errors.New("refuted")   // a solver found a counterexample
	ErrUndecided = errors.New("undecided") // a solver could not tell
	// ErrDisagree comes with ErrRefuted: another solver proved what one refuted, so one of them is wrong. The texts are in the ledger.
	ErrDisagree = errors.New("the solvers disagree")
)

// A Subject is what a certificate speaks of: a linked program or a plan, with everything that its obligations were built from.
type Subject struct {
	Kind   string            // "program" or "plan"
	Name   string            // for people: "linked.p4 of site quickstart"
	Inputs map[string][]byte // by name; the obligations are a pure function of these
}

// Digest binds the kind and every input. The name is for people and not bound.
func (s Subject) Digest() Digest {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", s.Kind)
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		fmt.Fprintf(h, "%q %s\n", name, DigestOf(s.Inputs[name]))
	}
	return Digest("sha256:" + hex.EncodeToString(h.Sum(nil)))
}

// A Decider decides obligations by every solver it has. smt.Pool is one.
type Decider interface {
	Solvers() []SolverInfo
	Decide(ctx context.Context, obligations []Obligation, progress func(done, total int)) ([]Result, error)
}

// Version and kind of the certificate format.
const (
	CertificateVersion = "interlock/v1alpha1"
	CertificateKind    = "Certificate"
)

// A Certificate records what was to be shown of one subject and every solver's verdict. It is durable and can be checked again;
// it opens nothing by itself: the gate mints a clearance from it, for one use.
type Certificate struct {
	APIVersion  string            `json:"apiVersion"`
	Kind        string            `json:"kind"`
	Subject     Digest            `json:"subject"`
	SubjectKind string            `json:"subjectKind"`
	SubjectName string            `json:"subjectName"`
	Inputs      map[string]Digest `json:"inputs"`
	Encoder     string            `json:"encoder"` // version of what built the obligations
	Created     time.Time         `json:"created"`
	Required    []string          `json:"required"` // names of the solvers that must each prove every obligation
	Solvers     []SolverInfo      `json:"solvers"`
	NotChecked  []PropertyNote    `json:"notChecked"`
	Obligations []Stated          `json:"obligations"`
	Results     []Result          `json:"results"`
}

// PropertyNote says something of a property: why it was not checked, or what it assumes.
type PropertyNote struct {
	Property string `json:"property"`
	Note     string `json:"note"`
}

// Stated is an obligation with its texts replaced by their digests.
type Stated struct {
	ID       string `json:"id"`
	Property string `json:"property"`
	Subject  string `json:"subject"`
	Logic    string `json:"logic"`
	Text     Digest `json:"text"`
	Guard    Digest `json:"guard,omitempty"`
}

// State is o with digests instead of texts.
func (o Obligation) State() Stated {
	s := Stated{ID: o.ID, Property: o.Property, Subject: o.Subject, Logic: o.Logic, Text: DigestOf([]byte(o.Text))}
	if o.Guard != "" {
		s.Guard = DigestOf([]byte(o.Guard))
	}
	return s
}

// Decide has every obligation decided and writes down the outcome, whatever it is: call Proved on the certificate. An error
// means that deciding could not be done at all.
func Decide(ctx context.Context, d Decider, s Subject, encoder string, obligations []Obligation, notChecked []PropertyNote,
	required []string, now time.Time, progress func(done, total int),
) (*Certificate, error) {
	c := &Certificate{
		APIVersion: CertificateVersion, Kind: CertificateKind, Subject: s.Digest(), SubjectKind: s.Kind, SubjectName: s.Name,
		Inputs: map[string]Digest{}, Encoder: encoder, Created: now.UTC(), Required: slices.Clone(required),
		NotChecked: notChecked,
	}
	for name, b := range s.Inputs {
		c.Inputs[name] = DigestOf(b)
	}
	for _, o := range obligations {
		c.Obligations = append(c.Obligations, o.State())
	}
	var err error
	c.Results, err = d.Decide(ctx, obligations, progress)
	c.Solvers = d.Solvers()
	return c, err
}

// Covers returns nil if the certificate speaks of exactly this subject and exactly these obligations, in this order.
func (c *Certificate) Covers(s Subject, encoder string, obligations []Obligation) error {
	switch {
	case c.APIVersion != CertificateVersion || c.Kind != CertificateKind:
		return fmt.Errorf("want %s %s, have %q %q", CertificateVersion, CertificateKind, c.APIVersion, c.Kind)
	case c.Subject != s.Digest():
		return fmt.Errorf("the certificate is of %s, this is %s", c.Subject, s.Digest())
	case c.Encoder != encoder:
		return fmt.Errorf("the certificate's obligations are of encoder %s, this is %s", c.Encoder, encoder)
	case len(c.Obligations) != len(obligations):
		return fmt.Errorf("the certificate has %d obligations, there are %d", len(c.Obligations), len(obligations))
	}
	for i, o := range obligations {
		if c.Obligations[i] != o.State() {
			return fmt.Errorf("obligation %s is not the certificate's %s", o.ID, c.Obligations[i].ID)
		}
	}
	return nil
}

// Proved returns nil only if there is at least one obligation and at least one required solver, and every required solver proved
// every obligation, guard included. Otherwise the error is ErrRefuted or ErrUndecided and says what is missing.
func (c *Certificate) Proved() error {
	if len(c.Required) == 0 {
		return fmt.Errorf("%w: no solver is required", ErrUndecided)
	}
	if len(c.Obligations) == 0 {
		return fmt.Errorf("%w: there are no obligations", ErrUndecided)
	}
	type by struct{ obligation, solver string }
	results := map[by]Result{}
	for _, r := range c.Results {
		k := by{r.Obligation, r.Solver}
		if _, dup := results[k]; dup {
			return fmt.Errorf("%w: two results of %s on %s", ErrUndecided, r.Solver, r.Obligation)
		}
		results[k] = r
	}
	seen := map[string]bool{}
	var undecided error
	for _, o := range c.Obligations {
		if seen[o.ID] {
			return fmt.Errorf("%w: two obligations named %s", ErrUndecided, o.ID)
		}
		seen[o.ID] = true
		for _, solver := range c.Required {
			r, ok := results[by{o.ID, solver}]
			switch {
			case ok && r.Verdict == Refuted:
				err := fmt.Errorf("%w: %s (%s) by %s", ErrRefuted, o.ID, o.Subject, solver)
				for _, other := range c.Required {
					if results[by{o.ID, other}].Verdict == Proved {
						return fmt.Errorf("%w; %w: %s proves it, so one of them is wrong: report the obligation's text", err, ErrDisagree, other)
					}
				}
				return err
			case !ok:
				undecided = fmt.Errorf("%w: %s was not decided by %s", ErrUndecided, o.ID, solver)
			case r.Verdict != Proved:
				undecided = fmt.Errorf("%w: %s by %s: %s (%s)", ErrUndecided, o.ID, solver, r.Verdict, r.Reason)
			case r.Text != o.Text || r.GuardText != o.Guard:
				undecided = fmt.Errorf("%w: %s decided another text than %s states", ErrUndecided, solver, o.ID)
			}
		}
	}
	return undecided
}

// Properties are the ids of the properties that have obligations, sorted.
func (c *Certificate) Properties() []string {
	ids := map[string]bool{}
	for _, o := range c.Obligations {
		ids[o.Property] = true
	}
	return slices.SortedFunc(maps.Keys(ids), compareProperty)
}

// compareProperty sorts P2 before P10.
func compareProperty(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	return 1
}

// Marshal is the certificate's canonical text.
func (c *Certificate) Marshal() ([]byte, error) { return json.MarshalIndent(c, "", " ") }

// ParseCertificate reads a certificate's text and refuses unknown fields.
func ParseCertificate(b []byte) (*Certificate, error) {
	var c Certificate
	if err := StrictJSON(b, &c); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if c.APIVersion != CertificateVersion || c.Kind != CertificateKind {
		return nil, fmt.Errorf("certificate: want %s %s, have %q %q", CertificateVersion, CertificateKind, c.APIVersion, c.Kind)
	}
	return &c, nil
}

// Package suite tests policies: a suite is a YAML document (kind SharingPolicyTest, schema.json) of cases, each of which gives tenants and a
// capacity and says what the policy must make of them. It runs the engine itself and says at which place of the suite an expectation was
// not met. It decides nothing that package policy does not.
package suite

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// Kind of a suite's document.
const Kind = "SharingPolicyTest"

// Schema is the JSON Schema of a suite.
//
//go:embed schema.json
var Schema []byte

// Suite is a file of cases about one policy.
type Suite struct {
	File   string
	Policy *policy.Policy
	Cases  []Case
}

// Case is one or more epochs.
type Case struct {
	Name   string
	At     policy.Position
	policy *policy.Policy // with the case's parameters
	Epochs []Epoch
}

// Epoch is one allocation and what is expected of it.
type Epoch struct {
	Input  Input
	Expect Expect
}

// Expect is what must come out. What is absent is not looked at.
type Expect struct {
	at          policy.Position
	allocation  []amount
	free        []amount
	balances    []value
	costs       []value
	stopped     []stop
	refused     *stop
	orRefused   bool                 // a refusal by a rule of the policy does as well
	statements  []*policy.Expression // of what is allocated in the end
	always      []*policy.Expression // of every state on the way there
	shadowed    []stop
	shadowGiven bool
}

// amount is what a tenant is to hold, all of it.
type amount struct {
	at     policy.Position
	tenant string
	usage  policy.Resources
}

type value struct {
	at     policy.Position
	tenant string
	value  policy.Ratio
}

// stop is a refusal, or what ended a tenant's turn: what is empty is not looked at.
type stop struct {
	at                      policy.Position
	tenant, reason, message string
}

// Load reads the suite in a file; its policy's path is relative to it.
func Load(file string, src []byte) (*Suite, error) {
	return Parse(file, src, func(name string) (*policy.Policy, error) {
		if !strings.HasPrefix(name, policy.Builtin) && !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(file), name)
		}
		return policy.Load(name)
	})
}

// Parse reads a suite; load gives the policy by the name in it. The error is a strictyaml.Errors, or the policy's.
func Parse(file string, src []byte, load func(name string) (*policy.Policy, error)) (*Suite, error) {
	doc, root := strictyaml.Parse(file, src)
	f := root.Fields([]string{"apiVersion", "kind", "policy", "cases"}, "params", "capacity", "tenants")
	f["apiVersion"].OneOf(policy.APIVersion)
	f["kind"].OneOf(Kind)
	name := f["policy"].String()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	p, err := load(name)
	if err != nil {
		return nil, err
	}
	s := &Suite{File: file, Policy: p}
	if f["params"].Present() {
		p = p.With(f["params"])
	}
	r := &reader{file: file}
	common := Input{}
	if f["capacity"].Present() {
		common.Capacity = r.resources(f["capacity"])
	}
	if f["tenants"].Present() {
		common.Tenants = r.tenants(f["tenants"])
	}
	names := map[string]bool{}
	for _, n := range f["cases"].List() {
		c := r.readCase(n, p, common)
		if names[c.Name] {
			n.Errorf("a case is already called %q", c.Name)
		}
		names[c.Name] = true
		s.Cases = append(s.Cases, c)
	}
	if f["cases"].Present() && len(s.Cases) == 0 {
		f["cases"].Errorf("there are no cases")
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Report is what came of a suite.
type Report struct {
	Suite    string        `json:"suite"`
	Policy   string        `json:"policy"`
	Results  []Result      `json:"results"`
	Coverage []policy.Part `json:"coverage"`
}

// Result of one case; it passed when there are no failures.
type Result struct {
	Case     string    `json:"case"`
	Failures []Failure `json:"failures"`
}

// Failure is an expectation that was not met.
type Failure struct {
	At      policy.Position `json:"at"`
	Message string          `json:"message"`
}

func (f Failure) String() string { return fmt.Sprintf("%s: %s", f.At, f.Message) }

// Failed counts the cases that did.
func (r *Report) Failed() int {
	n := 0
	for _, x := range r.Results {
		if len(x.Failures) > 0 {
			n++
		}
	}
	return n
}

// Covered counts the parts of the policy that were reached, and all of them.
func (r *Report) Covered() (reached, all int) {
	for _, p := range r.Coverage {
		if p.Reached {
			reached++
		}
	}
	return reached, len(r.Coverage)
}

// Run runs all cases. The error is the context's.
func (s *Suite) Run(ctx context.Context) (*Report, error) {
	out := &Report{Suite: s.File, Policy: s.Policy.Name()}
	var covered policy.Coverage
	for _, c := range s.Cases {
		failures, err := c.run(ctx, &covered)
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, Result{c.Name, failures})
	}
	out.Coverage = covered.Parts(s.Policy)
	return out, nil
}

// run goes through the epochs: what a tenant holds and its balance are carried on.
func (c *Case) run(ctx context.Context, covered *policy.Coverage) ([]Failure, error) {
	failures := []Failure{}
	var before *policy.Allocation
	var last Input
	for i := range c.Epochs {
		e := &c.Epochs[i]
		in := e.Input.carry(before, last)
		a, err := c.policy.EntitleCovered(ctx, in.Tenants, in.Capacity, covered)
		if cause := ctx.Err(); cause != nil {
			return nil, cause
		}
		check := &checker{policy: c.policy, in: in, epoch: i, of: len(c.Epochs)}
		check.all(ctx, &e.Expect, a, err)
		failures = append(failures, check.failures...)
		if a == nil {
			if i < len(c.Epochs)-1 && e.Expect.refused == nil {
				break // what follows would be about other balances than are meant
			}
			continue // nothing is applied: the next epoch starts from where this one did
		}
		before, last = a, in
	}
	return failures, nil
}

// checker holds one outcome against what was expected.
type checker struct {
	policy    *policy.Policy
	in        Input
	epoch, of int
	failures  []Failure
}

func (c *checker) failf(at policy.Position, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if c.of > 1 {
		msg = fmt.Sprintf("epoch %d: %s", c.epoch+1, msg)
	}
	c.failures = append(c.failures, Failure{at, msg})
}

func (c *checker) all(ctx context.Context, want *Expect, a *policy.Allocation, err error) {
	if want.refused != nil {
		c.refused(want.refused, err)
		return
	}
	var refusal *policy.Refusal
	if want.orRefused && errors.As(err, &refusal) && refusal.Reason != policy.ReasonExpression {
		return
	}
	if err != nil {
		c.failf(want.at, "%v", err)
		return
	}
	for _, w := range want.allocation {
		c.same(w.at, "tenant "+w.tenant+" holds", w.usage, a.Entitlement(w.tenant).Usage)
	}
	for _, w := range want.free {
		c.same(w.at, "free is", w.usage, a.Free)
	}
	for _, w := range want.costs {
		c.number(w, "costs", a.Entitlement(w.tenant).Cost)
	}
	for _, w := range want.balances {
		c.number(w, "has the balance", a.Entitlement(w.tenant).Balance)
	}
	for _, w := range want.stopped {
		e := a.Entitlement(w.tenant)
		switch {
		case e.Reason == "":
			c.failf(w.at, "tenant %s got all that it asked for", w.tenant)
		default:
			c.match(w, "tenant "+w.tenant+" was stopped by", e.Reason, e.Message)
		}
	}
	if want.shadowGiven && len(want.shadowed) == 0 && len(a.Shadowed) > 0 {
		c.failf(want.at, "would have been refused: %v", a.Shadowed[0])
	}
	for _, w := range want.shadowed {
		found := false
		for _, r := range a.Shadowed {
			found = found || (w.tenant == "" || w.tenant == r.Tenant) && (w.reason == "" || w.reason == r.Reason) && strings.Contains(r.Message, w.message)
		}
		if !found {
			c.failf(w.at, "none of the %d things that would have been refused is this", len(a.Shadowed))
		}
	}
	c.statements(want.statements, a)
	c.always(want.always, a)
}

func (c *checker) same(at policy.Position, what string, want, have policy.Resources) {
	for _, r := range sorted(want, have, c.in.Capacity) {
		if want[r] != have[r] {
			c.failf(at, "%s %d of %s, want %d", what, have[r], r, want[r])
		}
	}
}

func (c *checker) number(w value, what string, have *policy.Ratio) {
	switch {
	case have == nil:
		c.failf(w.at, "policy %s says nothing about this", c.policy.Name())
	case have.Cmp(w.value) != 0:
		c.failf(w.at, "tenant %s %s %s, want %s", w.tenant, what, have, w.value)
	}
}

func (c *checker) match(w stop, what, reason, message string) {
	switch {
	case w.reason != "" && w.reason != reason:
		c.failf(w.at, "%s %s (%s), want %s", what, reason, message, w.reason)
	case !strings.Contains(message, w.message):
		c.failf(w.at, "%s %s (%s), want a message with %q", what, reason, message, w.message)
	}
}

func (c *checker) refused(w *stop, err error) {
	var r *policy.Refusal
	switch {
	case err == nil:
		c.failf(w.at, "nothing was refused")
	case !errors.As(err, &r):
		c.failf(w.at, "%v", err)
	case w.tenant != "" && w.tenant != r.Tenant:
		c.failf(w.at, "refused tenant %q (%s), want %q", r.Tenant, r.Message, w.tenant)
	default:
		c.match(*w, "refused with", r.Reason, r.Message)
	}
}

// statements holds each statement against what was allocated: about each tenant, where it is about one.
func (c *checker) statements(list []*policy.Expression, a *policy.Allocation) {
	usage := make([]policy.Resources, len(c.in.Tenants))
	for i, t := range c.in.Tenants {
		usage[i] = a.Entitlement(t.Name).Usage
	}
	c.hold(list, usage, "")
}

// always holds each statement against what tenants hold at the start and after every grant, up to the first where one does not hold.
func (c *checker) always(list []*policy.Expression, a *policy.Allocation) {
	usage := make([]policy.Resources, len(c.in.Tenants))
	before := len(c.failures)
	c.hold(list, usage, " at the start")
	for i, d := range a.Trace {
		if !d.Granted || len(c.failures) > before {
			continue
		}
		k := slices.IndexFunc(c.in.Tenants, func(t policy.Tenant) bool { return t.Name == d.Tenant })
		u := maps.Clone(usage[k])
		if u == nil {
			u = policy.Resources{}
		}
		for r, x := range d.Amount {
			u[r] += x
		}
		usage[k] = u
		c.hold(list, usage, fmt.Sprintf(" after decision %d, which grants tenant %s %v", i+1, d.Tenant, d.Amount))
	}
}

// hold holds each statement against what the tenants hold; when says in which state that is.
func (c *checker) hold(list []*policy.Expression, usage []policy.Resources, when string) {
	if len(list) == 0 {
		return
	}
	s, err := c.policy.State(c.in.Tenants, c.in.Capacity, usage)
	if err != nil {
		c.failf(list[0].At, "%v", err)
		return
	}
	for _, e := range list {
		about := []string{""}
		if e.Tenant() {
			about = nil
			for _, t := range c.in.Tenants {
				about = append(about, t.Name)
			}
		}
		for _, t := range about {
			var failed *policy.Refusal
			switch v, err := s.Eval(e, t); {
			case errors.As(err, &failed):
				c.failf(e.At, "ends in an error (at %s: %s)", failed.At, failed.Message)
			case err != nil:
				c.failf(e.At, "%v", err)
			case v.Value() != true && t != "":
				c.failf(e.At, "does not hold of tenant %s%s", t, when)
			case v.Value() != true:
				c.failf(e.At, "does not hold%s", when)
			}
		}
	}
}

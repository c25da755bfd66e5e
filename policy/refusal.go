package policy

import (
	"errors"
	"fmt"
)

// ErrRefused is wrapped by every error that says: the policy does not admit this. ErrInput is wrapped when what was asked makes no
// sense (a negative demand, a resource that does not exist, two tenants of one name).
var (
	ErrRefused = errors.New("refused by the sharing policy")
	ErrInput   = errors.New("bad input to the sharing policy")
)

// Refusal says which rule of which document refused whom, and why. An expression that fails refuses too.
type Refusal struct {
	Policy string
	At     Position
	Tenant string // empty when the rule is about no single tenant
	Reason string
}

func (r *Refusal) Error() string {
	if r.Tenant == "" {
		return fmt.Sprintf("%s: policy %s refuses: %s", r.At, r.Policy, r.Reason)
	}
	return fmt.Sprintf("%s: policy %s refuses tenant %s: %s", r.At, r.Policy, r.Tenant, r.Reason)
}

// Unwrap makes errors.Is(err, ErrRefused) true.
func (r *Refusal) Unwrap() error { return ErrRefused }

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

func (f *filling) refuse(e *expr, t *tenantState, reason string) error {
	r := &Refusal{Policy: f.policy.name, At: e.at, Reason: reason}
	if t != nil {
		r.Tenant = t.Name
	}
	return r
}

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

// Reasons that the engine gives, beside those of a policy's rules.
const (
	ReasonLimit      = "LimitExceeded"        // a limit that names no reason of its own
	ReasonInvalid    = "Invalid"              // a validation that names no reason of its own
	ReasonCapacity   = "InsufficientCapacity" // the grant does not fit what is free
	ReasonNothing    = "NothingGranted"       // the policy offers nothing more
	ReasonExpression = "ExpressionFailed"     // an expression ended in an error, or in a value that makes no sense
	ReasonUnmet      = "MinimumUnmet"         // the policy does not give a tenant the least that it can work with
)

// Refusal says which rule of which document refused whom, and why. An expression that fails refuses too.
type Refusal struct {
	Policy  string   `json:"policy"`
	At      Position `json:"at"`
	Tenant  string   `json:"tenant,omitempty"` // empty when the rule is about no single tenant
	Reason  string   `json:"reason"`           // one word
	Message string   `json:"message"`
}

func (r *Refusal) Error() string {
	if r.Tenant == "" {
		return fmt.Sprintf("%s: policy %s refuses: %s", r.At, r.Policy, r.Message)
	}
	return fmt.Sprintf("%s: policy %s refuses tenant %s: %s", r.At, r.Policy, r.Tenant, r.Message)
}

// Unwrap makes errors.Is(err, ErrRefused) true.
func (r *Refusal) Unwrap() error { return ErrRefused }

func (f *filling) refuse(e *Expression, t *tenantState, reason, message string) *Refusal {
	r := &Refusal{Policy: f.policy.name, At: e.At, Reason: reason, Message: message}
	if t != nil {
		r.Tenant = t.Name
	}
	return r
}

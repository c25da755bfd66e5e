package plan

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// A claim is an obligation in the making: facts, and what must follow from them. Values decoded from the plan enter as facts
// about named variables, so that the text shows what was decoded and the solver, not the encoder, does the arithmetic.
type claim struct {
	*smt.Builder
	logic string
	facts []*smt.Term
	goals []*smt.Term // all of them must follow
	// situation, besides the facts, is what the claim speaks of; nil if the facts are all.
	situation *smt.Term
	defined   map[string]bool
}

func newClaim(logic string) *claim {
	return &claim{Builder: smt.NewBuilder(), logic: logic, defined: map[string]bool{}}
}

// known is an integer whose value the plan says. A name stands for one value.
func (c *claim) known(value int64, format string, args ...any) *smt.Term {
	return c.define(fmt.Sprintf(format, args...), c.Int(value))
}

// define gives a term a name, so that the text and its models show it.
func (c *claim) define(name string, value *smt.Term) *smt.Term {
	t := c.Var(name, value.Sort())
	if !c.defined[name] {
		c.defined[name] = true
		c.assume(c.Eq(t, value))
	}
	return t
}

// unknown is any integer.
func (c *claim) unknown(format string, args ...any) *smt.Term {
	return c.Var(fmt.Sprintf(format, args...), smt.Int)
}

func (c *claim) assume(facts ...*smt.Term) { c.facts = append(c.facts, facts...) }

func (c *claim) prove(goals ...*smt.Term) { c.goals = append(c.goals, goals...) }

// end is the first slot after an extent.
func (c *claim) end(base, size *smt.Term) *smt.Term { return c.Add(base, size) }

func (c *claim) obligation(property, id, subject string) verify.Obligation {
	guard, text := slices.Clone(c.facts), slices.Clone(c.facts)
	if c.situation != nil {
		guard = append(guard, c.situation)
	}
	text = append(text, c.Not(c.And(c.goals...)))
	return verify.Obligation{
		ID: property + "/" + id, Property: property, Subject: subject, Logic: c.logic,
		Text: smt.Script(c.logic, text...), Guard: smt.Script(c.logic, guard...),
	}
}

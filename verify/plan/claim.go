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
	// ground claims have no facts but names for numbers: those can always be had, and so there is no guard. That a name stands for
	// one number only, define sees to.
	ground bool
	// situation, besides the facts, is what the claim speaks of; nil if the facts are all.
	situation *smt.Term
	defined   map[string]*smt.Term
	// definitions are the names of a ground claim: with them a solver only has to calculate.
	definitions []smt.Definition
}

func newClaim(logic string) *claim {
	return &claim{Builder: smt.NewBuilder(), logic: logic, defined: map[string]*smt.Term{}}
}

// groundLogic is that of the shapes, so that a solver's process that has one has the other.
const groundLogic = shapeLogic

// newGround starts a claim about numbers of the plan.
func newGround() *claim {
	c := newClaim(groundLogic)
	c.ground = true
	return c
}

// known is an integer whose value the plan says.
func (c *claim) known(value int64, format string, args ...any) *smt.Term {
	return c.define(fmt.Sprintf(format, args...), c.Int(value))
}

// define gives a term a name, so that the text and its models show it. A name stands for one term.
func (c *claim) define(name string, value *smt.Term) *smt.Term {
	t := c.Var(name, value.Sort())
	switch c.defined[name] {
	case nil:
		c.defined[name] = value
		if c.ground {
			c.definitions = append(c.definitions, smt.Definition{Name: t, Value: value})
		} else {
			c.assume(c.Eq(t, value))
		}
	case value:
	default:
		panic("plan: " + name + " is defined twice") // a defect of the encoder: no input can bring it about
	}
	return t
}

// unknown is any integer.
func (c *claim) unknown(format string, args ...any) *smt.Term {
	return c.Var(fmt.Sprintf(format, args...), smt.Int)
}

func (c *claim) assume(facts ...*smt.Term) { c.facts = append(c.facts, facts...) }

func (c *claim) prove(goals ...*smt.Term) { c.goals = append(c.goals, goals...) }

func (c *claim) obligation(property, id, subject string) verify.Obligation {
	o := verify.Obligation{ID: property + "/" + id, Property: property, Subject: subject, Logic: c.logic}
	o.Text, o.Guard = c.texts()
	return o
}

// texts are the obligation, and its guard.
func (c *claim) texts() (text, guard string) {
	text = smt.ScriptWith(c.logic, c.definitions, append(slices.Clone(c.facts), c.Not(c.And(c.goals...)))...)
	if c.ground {
		return text, ""
	}
	facts := slices.Clone(c.facts)
	if c.situation != nil {
		facts = append(facts, c.situation)
	}
	return text, smt.Script(c.logic, facts...)
}

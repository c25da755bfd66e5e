package types

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// isV1Model reports whether the program is written for v1model, whose own rules are then checked too: what may implement a
// table, and which keysets its match kinds take.
func (c *checker) isV1Model() bool {
	os := c.top.names["V1Switch"]
	if len(os) == 0 {
		return false
	}
	_, pkg := os[0].Type.(*Package)
	return pkg
}

// tableProperty checks a property other than key, actions and entries. The language leaves the set of properties open
// (specification, section "Additional properties"): what one that it does not define means is the architecture's matter, and
// whoever runs or proves a program has to refuse those that it does not know.
func (c *checker) tableProperty(p *syntax.ExprProperty, acts *tableActions) {
	switch p.Name.Name {
	case "default_action":
		if o := c.actionRef(p.Value, acts, true); o != nil && acts.refs[o] != nil && hasAnnotation(acts.refs[o].Annotations, "tableonly") {
			c.errorf(p.Value, codeActionRef, "action %s is @tableonly", o.Name)
		}
	case "size":
		c.count(p.Value, 1<<31-1, "size of a table")
	case "implementation":
		c.externProperty(p, "action_profile", "action_selector")
	case "counters":
		c.externProperty(p, "direct_counter")
	case "meters":
		c.externProperty(p, "direct_meter")
	case "largest_priority_wins":
		c.boolProperty(p)
	case "support_timeout":
		if c.isV1Model() {
			c.boolProperty(p)
			break
		}
		c.otherProperty(p)
	case "priority_delta":
		if n, ok := c.size(p.Value, 1<<31-1, "priority_delta"); ok && n == 0 {
			c.errorf(p.Value, codeTable, "priority_delta must be positive")
		}
	default:
		c.otherProperty(p)
	}
}

// externProperty checks a property whose value is an instance of an extern, under v1model one of those named.
func (c *checker) externProperty(p *syntax.ExprProperty, names ...string) {
	t := c.expr(p.Value, nil)
	if isInvalid(t) {
		return
	}
	x, ok := t.(*Extern)
	if ok && (!c.isV1Model() || slices.Contains(names, x.Name)) {
		return
	}
	if !ok && !c.isV1Model() {
		c.propertyValue(p, t)
		return
	}
	c.errorf(p.Value, codeTable, "%s cannot be %v", p.Name.Name, t)
}

func (c *checker) boolProperty(p *syntax.ExprProperty) {
	t := c.expr(p.Value, Bool)
	c.convert(p.Value, Bool)
	if !isInvalid(t) && !c.compileTime(p.Value) {
		c.errorf(p.Value, codeNotConst, "%s must be a constant", p.Name.Name)
	}
}

// otherProperty checks a property of the architecture: its value is an instance or known at compile time.
func (c *checker) otherProperty(p *syntax.ExprProperty) {
	t := c.expr(p.Value, nil)
	if !isInvalid(t) {
		c.propertyValue(p, t)
	}
	if c.isV1Model() {
		c.warnf(p.Name, codeProperty, "v1model has no table property %s", p.Name.Name)
	}
}

func (c *checker) propertyValue(p *syntax.ExprProperty, t Type) {
	if !isObject(t) && !c.compileTime(p.Value) {
		c.errorf(p.Value, codeNotConst, "the value of property %s must be an instance or known at compile time", p.Name.Name)
	}
}

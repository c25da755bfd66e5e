package v1model

import (
	"path"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// meterUse is what concerns one direct meter.
type meterUse struct {
	tables  []*syntax.ExprProperty // meters = m
	actions []*syntax.ActionRef    // of these tables
	reads   []*syntax.Call
}

func (c *checker) meter(o *types.Object) *meterUse {
	m := c.meters[o]
	if m == nil {
		m = &meterUse{}
		c.meters[o] = m
		c.order = append(c.order, o)
	}
	return m
}

// instance checks the type arguments of an extern.
func (c *checker) instance(d *syntax.InstanceDecl) {
	o := c.info.Instances[d]
	if o == nil {
		return
	}
	t, ok := o.Type.(*types.Extern)
	if !ok || t.Decl == nil {
		return
	}
	if !standard(t.Decl) {
		c.errorf(d, codeExtern, "v1model has no extern %s", t.Name)
		return
	}
	switch t.Name {
	case "direct_meter":
		c.meter(o)
		if b, ok := t.Args[0].(*types.Bit); !ok || b.Signed || b.Width < 2 {
			c.errorf(d.Type, codeDirectMeter, "a color takes at least two bits: direct_meter<bit<2>>, not <%v>", t.Args[0])
		}
	case "register":
		if !scalar(t.Args[0]) {
			c.errorf(d.Type, codeRegister, "a register holds numbers, not %v", t.Args[0])
		}
	}
}

// call checks that a target knows the function, and remembers the reads of direct meters.
func (c *checker) call(e *syntax.Call) {
	r := c.info.Calls[e]
	if r == nil {
		return
	}
	switch r.Kind {
	case types.ExternFnCall:
		if r.Callee != nil && !standard(r.Callee.Decl) {
			c.errorf(e, codeExtern, "v1model has no extern function %s", r.Method)
		}
	case types.MethodCall:
		n, ok := r.Recv.(*syntax.Name)
		if !ok || r.Method != "read" {
			return
		}
		o := c.info.Uses[n.Ident]
		if t, ok := c.info.Types[n].(*types.Extern); ok && t.Name == "direct_meter" && o != nil {
			m := c.meter(o)
			m.reads = append(m.reads, e)
		}
	}
}

// standard reports whether a declaration comes with the architecture.
func standard(d syntax.Node) bool {
	switch path.Base(d.Pos().File) {
	case "core.p4", "v1model.p4":
		return true
	}
	return false
}

// directMeters checks that each direct meter that is used has one table, and is read in an action of it.
func (c *checker) directMeters() {
	for _, o := range c.order {
		m := c.meters[o]
		switch {
		case len(m.tables) == 0 && len(m.reads) > 0:
			c.errorf(o.Ident, codeDirectMeter, "%s is read, but belongs to no table: meters = %s is missing", o.Name, o.Name)
		case len(m.tables) > 1:
			c.errorf(m.tables[1], codeDirectMeter, "%s belongs to another table already", o.Name)
		case len(m.tables) == 1 && len(m.reads) == 0:
			c.errorf(m.tables[0], codeDirectMeter, "no action reads %s, so that its colors go nowhere", o.Name)
		}
	}
}

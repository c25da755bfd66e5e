package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// The body of a generic function, parser or control is checked once and compiled once for each call or instance: what the checker
// says of it is in terms of its type parameters, and the scope in which it is expanded has their arguments. A callable is never
// expanded inside itself, so that the parameters of all that are being expanded are different ones.

// typeArgs are type parameters and what they stand for.
type typeArgs struct {
	params []*types.TypeParam
	args   []types.Type
}

// with opens a scope in which type parameters stand for args, types of the scope around it.
func (c *compiler) with(params []*types.TypeParam, args []types.Type) (saved *env) {
	saved = c.push(c.env.id, c.env.path)
	if len(params) > 0 {
		g := &c.env.generic
		g.params = append(append([]*types.TypeParam{}, g.params...), params...)
		g.args = append(append([]types.Type{}, g.args...), args...)
	}
	return saved
}

// typ is what a type of the program is in this expansion.
func (c *compiler) typ(t types.Type) types.Type {
	if g := &c.env.generic; len(g.params) > 0 && t != nil {
		return types.Substitute(t, g.params, g.args)
	}
	return t
}

// objectType is the type of a declared object in this expansion.
func (c *compiler) objectType(o *types.Object) types.Type { return c.typ(o.Type) }

// resolved is what a call is in this expansion.
func (c *compiler) resolved(r *types.Call) *types.Call {
	if len(c.env.generic.params) == 0 || r.Sig == nil {
		return r
	}
	x := *r
	x.Sig, _ = c.typ(r.Sig).(*types.Signature)
	x.TypeArgs = make([]types.Type, len(r.TypeArgs))
	for i, t := range r.TypeArgs {
		x.TypeArgs[i] = c.typ(t)
	}
	return &x
}

// functionParams are the type parameters of a function.
func functionParams(o *types.Object) []*types.TypeParam {
	if sig, ok := o.Type.(*types.Signature); ok {
		return sig.TypeParams
	}
	return nil
}

// applicableParams are the type parameters of a parser or control, in the order of its instances' type arguments.
func (c *compiler) applicableParams(d syntax.Decl) []*types.TypeParam {
	t, ok := c.def(d.DeclName()).Type.(*types.Applicable)
	if !ok {
		invalid(d, "%s is no parser or control", d.DeclName().Name)
	}
	var ps []*types.TypeParam
	for _, a := range t.Args {
		if p, ok := a.(*types.TypeParam); ok {
			ps = append(ps, p)
		}
	}
	return ps
}

package dataplane

import (
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// An object is a thing of the program that exists once, however often its control is applied: *Register, *Counter, *Meter,
// *DirectCounter, *DirectMeter, *Profile, *ValueSet, *Table, checksum16 or *instance.
type object any

// An instance is a control or parser that can be applied.
type instance struct {
	decl syntax.Decl
	args []types.Type // of its type parameters
	id   string       // identity: where it is declared, from the top
	path string       // P4Info prefix of what it holds
	ctor []bound
}

// callable is what may not be expanded inside itself. One instance may apply another of the same parser or control, which it was
// given when it was constructed, but not of one that is generic: its type parameters stand for one thing at a time.
func (x *instance) callable() any {
	if len(x.args) > 0 {
		return x.decl
	}
	return x
}

// controlPlaneName is the P4Info name of something declared with these annotations inside path.
func controlPlaneName(annots []*syntax.Annotation, name, path string) string {
	for _, a := range annots {
		if s, ok := annotationString(a); ok && a.Name == "name" {
			name = s
			break
		}
	}
	if abs, ok := strings.CutPrefix(name, "."); ok {
		return abs
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// annotationString is the text of @name("text").
func annotationString(a *syntax.Annotation) (string, bool) {
	if len(a.Exprs) == 1 {
		if s, ok := a.Exprs[0].(*syntax.StringLit); ok {
			return s.Value, true
		}
	}
	if len(a.Body) == 1 {
		if t := a.Body[0].Text; len(t) >= 2 && t[0] == '"' {
			return t[1 : len(t)-1], true
		}
	}
	return "", false
}

// claim makes sure that a P4Info name means one thing of the kind of x.
func (c *compiler) claim(at syntax.Node, x object, name, id string) {
	key := fmt.Sprintf("%T %s", x, name)
	if was, ok := c.owner[key]; ok && was != id {
		unsupported(at, "two objects with the P4Info name %s", name)
	}
	c.owner[key] = id
}

// objectOf is the instance that an expression names.
func (c *compiler) objectOf(e syntax.Expr) object {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.objectOf(x.X)
	case *syntax.Name:
		o := c.use(x.Ident)
		if b := c.lookup(o); b != nil {
			return b.object
		}
		d, ok := o.Decl.(*syntax.InstanceDecl)
		if !ok || o.Parent != nil {
			unsupported(e, "%s here", x.Ident.Name)
		}
		saved := c.env
		c.env = &env{names: map[*types.Object]*binding{}}
		defer func() { c.env = saved }()
		return c.instance(d, o)
	}
	unsupported(e, "this as an instance")
	return nil
}

// instance makes, once, what an instance declaration declares.
func (c *compiler) instance(d *syntax.InstanceDecl, o *types.Object) object {
	id := c.env.id + "/" + d.Name.Name
	if x, ok := c.bound[id]; ok {
		return x
	}
	if d.HasBody {
		unsupported(d, "an instance with abstract methods")
	}
	name := controlPlaneName(d.Annots(), d.Name.Name, c.env.path)
	var x object
	switch t := c.objectType(o).(type) {
	case *types.Extern:
		x = c.externObject(d, o.Ctor, t, name)
		c.claim(d, x, name, id)
	case *types.Applicable:
		x = &instance{decl: t.Decl, args: t.Args, id: id, path: name, ctor: c.ctorArgs(d, t, o.Ctor, id, name)}
	default:
		unsupported(d, "an instance of %s", t)
	}
	c.bound[id] = x
	return x
}

// ctorArgs binds the constructor parameters of the instance with this identity and P4Info prefix. What is constructed in an
// argument is called as the parameter.
func (c *compiler) ctorArgs(at syntax.Node, t *types.Applicable, call *types.Call, id, path string) []bound {
	var params []*syntax.Param
	switch d := t.Decl.(type) {
	case *syntax.ControlDecl:
		params = d.CtorParams
	case *syntax.ParserDecl:
		params = d.CtorParams
	}
	var bs []bound
	for i, p := range params {
		if call == nil || i >= len(call.Args) || call.Args[i] == nil {
			invalid(at, "constructor argument %s is missing", p.Name.Name)
		}
		o := c.def(p.Name)
		if v := c.value(call.Args[i]); v != nil {
			bs = append(bs, bound{o, &binding{value: v}})
			continue
		}
		made, ok := unparen(call.Args[i]).(*syntax.Call)
		if !ok {
			bs = append(bs, bound{o, &binding{object: c.objectOf(call.Args[i])}})
			continue
		}
		x := c.construct(made, id+"/"+p.Name.Name, controlPlaneName(nil, p.Name.Name, path))
		bs = append(bs, bound{o, &binding{object: x}})
	}
	return bs
}

// construct makes, once, what a constructor argument constructs.
func (c *compiler) construct(call *syntax.Call, id, name string) object {
	if x, ok := c.bound[id]; ok {
		return x
	}
	var x object
	switch t := c.typeOf(call).(type) {
	case *types.Extern:
		x = c.externObject(call, c.resolve(call), t, name)
		c.claim(call, x, name, id)
	case *types.Applicable:
		if t.Decl == nil {
			unsupported(call, "an instance of %s", t)
		}
		x = &instance{decl: t.Decl, args: t.Args, id: id, path: name, ctor: c.ctorArgs(call, t, c.resolve(call), id, name)}
	default:
		unsupported(call, "an instance of %s", t)
	}
	c.bound[id] = x
	return x
}

// directInstance is the instance that Type.apply(...) makes. It is called as its type, so that what it holds can exist only once.
func (c *compiler) directInstance(call *syntax.Call, r *types.Call) *instance {
	t, ok := r.Callee.Type.(*types.Applicable)
	if !ok || t.Decl == nil {
		unsupported(call, "applying %s", r.Callee.Name)
	}
	name := t.Decl.DeclName().Name
	return &instance{
		decl: t.Decl, args: r.TypeArgs,
		id: c.env.id + "/" + call.Pos().String() + name, path: controlPlaneName(t.Decl.Annots(), name, c.env.path),
	}
}

// checksum16 is an instance of the extern of that name, which has no state.
type checksum16 struct{}

// clock reads the pipeline's clock, whatever it will be.
func (c *compiler) clock() func() uint64 {
	p := c.pipe
	return func() uint64 { return p.Clock() }
}

// resource is the object that a table property names or makes.
func (c *compiler) resource(p *syntax.ExprProperty) object {
	call, ok := p.Value.(*syntax.Call)
	if !ok {
		return c.objectOf(p.Value)
	}
	t, ok := c.typeOf(call).(*types.Extern)
	if !ok {
		unsupported(p, "this as a table's %s", p.Name.Name)
	}
	name := controlPlaneName(p.Annotations, "", "")
	if name == "" {
		unsupported(p, "an object without a name: the property needs a @name")
	}
	id := "property/" + name // properties that give one name share the object
	if x, ok := c.bound[id]; ok {
		return x
	}
	x := c.externObject(call, c.info.Calls[call], t, name)
	c.claim(p, x, name, id)
	c.bound[id] = x
	return x
}

// joinProfile checks that the tables of one profile have the same actions, so that its members mean the same in each.
func (c *compiler) joinProfile(d *syntax.TableDecl, t *Table) {
	p := t.profile
	if p.Actions == nil {
		p.Actions = t.Actions
		return
	}
	same := slices.EqualFunc(p.Actions, t.Actions, func(a, b Action) bool { return a.Name == b.Name })
	if !same {
		unsupported(d, "tables of profile %s with different actions", p.Name)
	}
}

// externObject makes what a constructor call of an extern makes.
func (c *compiler) externObject(d syntax.Node, ctor *types.Call, t *types.Extern, name string) object {
	arg := func(i int) syntax.Expr {
		if ctor == nil || i >= len(ctor.Args) || ctor.Args[i] == nil {
			invalid(d, "%s needs a constructor argument", t.Name)
		}
		return ctor.Args[i]
	}
	sized := func(i int) int {
		n, ok := c.constInt(arg(i))
		if !ok || n < 0 || n > maxCells {
			invalid(d, "the size of %s must be a constant between 0 and %d", name, maxCells)
		}
		return int(n)
	}
	size := func() int { return sized(0) }
	member := func(i int) string {
		v, ok := c.value(arg(i)).(types.EnumValue)
		if !ok {
			invalid(d, "%s needs a constant of an enum", t.Name)
		}
		return v.Member
	}
	switch t.Name {
	case "register":
		if len(t.Args) == 0 {
			invalid(d, "register without an element type")
		}
		w, signed, ok := widthOf(t.Args[0])
		r := newRegister(name, size(), w, signed)
		if !ok {
			r = c.structRegister(d, name, size(), t.Args[0])
		}
		if b, ok := under(t.Args[0]).(*types.Basic); ok {
			if b.Kind != types.BoolKind {
				unsupported(d, "a register of %s", t.Args[0])
			}
			r.IsBool = true
		}
		c.pipe.registers = append(c.pipe.registers, r)
		return r
	case "counter":
		k := newCounter(name, size())
		c.pipe.counters = append(c.pipe.counters, k)
		return k
	case "meter":
		m := newMeter(name, size(), member(1) == "bytes", c.clock())
		c.pipe.meters = append(c.pipe.meters, m)
		return m
	case "direct_counter":
		return &DirectCounter{Name: name}
	case "direct_meter":
		return &DirectMeter{Name: name, PerByte: member(0) == "bytes"}
	case "action_profile":
		p := newProfile(name, size())
		c.pipe.profiles = append(c.pipe.profiles, p)
		return p
	case "action_selector":
		p := newProfile(name, sized(1))
		p.Selector = true
		p.sum = c.algorithm(arg(0)).sum
		c.pipe.profiles = append(c.pipe.profiles, p)
		return p
	case "Checksum16":
		return checksum16{}
	}
	unsupported(d, "extern %s", t.Name)
	return nil
}

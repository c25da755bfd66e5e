package types

import "github.com/interlock/interlock/linker/p4/syntax"

// externInfo has the constructors and methods of an extern object type.
type externInfo struct {
	obj     *Object
	ctors   []*Object
	methods map[string][]*Object
	all     []*Object // methods and constructors, in order
	// abstract are the methods that instances implement, in order.
	abstract []*Object
}

func (c *checker) externDecl(d *syntax.ExternDecl) {
	t := &Extern{Name: d.Name.Name, Decl: d}
	o := c.newObject(TypeObject, d.Name, t, d)
	x := &externInfo{obj: o, methods: map[string][]*Object{}}
	c.methods[d] = x
	c.within(o, inFunction, func() {
		ps := c.declareTypeParams(d.TypeParams)
		t.Args = typeParamList(ps).types()
		if len(ps) > 0 {
			c.typeParams[o] = ps
		}
		for _, m := range d.Methods {
			c.method(x, t, m)
		}
	})
	c.declare(o)
}

// method checks the declaration of a method or constructor of t.
func (c *checker) method(x *externInfo, t *Extern, d *syntax.FunctionDecl) {
	o := c.newObject(ExternFnObject, d.Name, Invalid, d)
	c.info.Defs[d.Name] = o
	kind := MethodSig
	if d.Ctor || d.Name.Name == t.Name {
		kind = CtorSig
		if d.Result != nil {
			c.errorf(d, codeReturn, "a constructor has no return type")
		}
	}
	x.all = append(x.all, o)
	c.push()
	sig := c.signature(d, kind)
	c.pop()
	o.Type = sig
	list := x.methods[d.Name.Name]
	if kind == CtorSig {
		sig.Result = t
		list = x.ctors
		for _, p := range sig.Params {
			switch p.Type.(type) {
			case *Applicable, *Package:
				c.errorf(p.Decl.Type, codeBadType, "an extern cannot be constructed with %v: it could not apply it", p.Type)
			}
		}
	}
	for _, other := range list {
		switch {
		case d.Abstract || isAbstract(other):
			c.errorf(d.Name, codeRedeclared, "%s is declared twice, and an abstract method cannot be overloaded", d.Name.Name)
		case sameShape(other, o):
			c.errorf(d.Name, codeRedeclared, "%s is declared twice with the same parameters", d.Name.Name)
		}
	}
	if kind == CtorSig {
		x.ctors = append(list, o)
		return
	}
	x.methods[d.Name.Name] = append(list, o)
	if d.Abstract {
		x.abstract = append(x.abstract, o)
	}
}

// specialisable reports a specialisation of an extern whose methods would have parameters or results that they may not have.
func (c *checker) specialisable(at syntax.Node, t *Extern) bool {
	x := c.methods[t.Decl]
	if len(t.Args) == 0 || openType(t) {
		return true
	}
	b := c.externArgs(t)
	for _, m := range x.all {
		sig, ok := m.Type.(*Signature)
		if !ok || sig.Kind == CtorSig {
			continue
		}
		sig = substSig(sig, b)
		for _, p := range sig.Params {
			if isBasic(p.Type, DontCareKind) {
				continue // whoever calls it must know more
			}
			if why := badParam(p.Type, p.Dir, sig.Kind); why != "" {
				c.errorf(at, codeBadType, "parameter %s of %v.%s would be of type %v: %s", p.Name, t, m.Name, p.Type, why)
				return false
			}
		}
		if !isBasic(sig.Result, DontCareKind) && !returnable(sig.Result) {
			c.errorf(at, codeBadType, "%v.%s would return %v", t, m.Name, sig.Result)
			return false
		}
	}
	return true
}

func isAbstract(o *Object) bool {
	d, ok := o.Decl.(*syntax.FunctionDecl)
	return ok && d.Abstract
}

// initialiser checks the implementations of abstract methods that an instance o of type t comes with, and that it has those that it
// needs (specification, section "Instantiating objects with abstract methods").
func (c *checker) initialiser(d *syntax.InstanceDecl, o *Object, t Type) {
	ext, ok := t.(*Extern)
	if !ok {
		if d.HasBody && !isInvalid(t) {
			c.errorf(d, codeAbstract, "%v has no abstract methods to implement", t)
		}
		if d.HasBody {
			o.Type = Invalid
			c.objDecls(d, o, nil)
		}
		return
	}
	o.Type = ext
	o.Methods = map[string]*Object{}
	if d.HasBody {
		c.objDecls(d, o, ext)
	}
	c.needImplemented(d, ext, o.Methods)
}

// needImplemented reports abstract methods of t that an instance leaves open.
func (c *checker) needImplemented(at syntax.Node, t *Extern, done map[string]*Object) {
	for _, m := range c.methods[t.Decl].abstract {
		if done[m.Name] == nil && !hasAnnotation(m.Decl.(*syntax.FunctionDecl).Annotations, "optional") {
			c.errorf(at, codeAbstract, "%v has an abstract method %s that this instance does not implement", t, m.Name)
		}
	}
}

// objDecls checks what stands between the braces of an instance; ext is nil if it is of no extern.
func (c *checker) objDecls(d *syntax.InstanceDecl, o *Object, ext *Extern) {
	owner, self := c.owner, c.self
	c.owner = o
	c.push()
	for _, m := range d.Body {
		switch m := m.(type) {
		case *syntax.InstanceDecl:
			c.instanceDecl(m)
		case *syntax.FunctionDecl:
			c.self = o
			c.implement(m, o, ext)
			c.self = self
		default:
			c.errorf(m, codeContext, "this declaration may not stand in an instance")
		}
	}
	c.pop()
	c.owner = owner
	state := map[*Object]int{}
	for _, m := range d.Body {
		if f := o.Methods[m.DeclName().Name]; f != nil {
			c.recursion(o, f, state)
		}
	}
}

// selfCall is this.method(...) in the implementation of an abstract method.
type selfCall struct {
	call   *syntax.Call
	method string
}

// recursion reports calls through which an implementation comes back to itself. A method's state is 1 while it is on the way and
// 2 once all that it calls has been seen.
func (c *checker) recursion(o, f *Object, state map[*Object]int) {
	if state[f] == 2 {
		return
	}
	state[f] = 1
	for _, k := range c.selfCalls[f] {
		g := o.Methods[k.method]
		switch {
		case g == nil:
		case state[g] == 1:
			c.errorf(k.call, codeContext, "%s may not call itself, be it through others", g.Name)
		default:
			c.recursion(o, g, state)
		}
	}
	state[f] = 2
}

// implement checks one implementation of an abstract method.
func (c *checker) implement(d *syntax.FunctionDecl, o *Object, ext *Extern) {
	f := c.newObject(FunctionObject, d.Name, Invalid, d)
	c.info.Defs[d.Name] = f
	c.within(f, inFunction, func() {
		sig := c.signature(d, MethodSig)
		f.Type = sig
		c.result = sig.Result
		c.overrides(d, sig, ext)
		if o.Methods[f.Name] != nil {
			c.errorf(d.Name, codeRedeclared, "%s is implemented twice", f.Name)
		}
		if ext != nil {
			o.Methods[f.Name] = f
		}
		if d.Body != nil {
			c.functionBody(d, f)
		}
	})
}

// overrides checks that a method has the result and the parameters of the abstract one that it implements. Parameters that are
// optional there may be left out here.
func (c *checker) overrides(d *syntax.FunctionDecl, sig *Signature, ext *Extern) {
	if ext == nil {
		return
	}
	var of *Object
	for _, m := range c.methods[ext.Decl].abstract {
		if m.Name == d.Name.Name {
			of = m
		}
	}
	if of == nil {
		c.errorf(d.Name, codeAbstract, "%v has no abstract method %s", ext, d.Name.Name)
		return
	}
	want := substSig(of.Type.(*Signature), c.externArgs(ext))
	if len(sig.TypeParams) != len(want.TypeParams) {
		c.errorf(d.Name, codeAbstract, "%s has %d type parameters where the abstract method has %d", d.Name.Name, len(sig.TypeParams), len(want.TypeParams))
		return
	}
	b := bindings{}
	for i, p := range want.TypeParams {
		b[p] = sig.TypeParams[i]
	}
	want = substSig(want, b)
	if !Identical(sig.Result, want.Result) {
		c.errorf(d.Name, codeAbstract, "%s returns %v where the abstract method returns %v", d.Name.Name, sig.Result, want.Result)
	}
	n := min(len(sig.Params), len(want.Params))
	if len(sig.Params) > n || !dispensable(want.Params[n:]) {
		c.errorf(d.Name, codeAbstract, "%s has %d parameters where the abstract method has %d", d.Name.Name, len(sig.Params), len(want.Params))
		return
	}
	for i, p := range sig.Params[:n] {
		q := want.Params[i]
		if p.Dir != q.Dir {
			c.errorf(p.Decl, codeAbstract, "parameter %s has another direction in the abstract method: %q", p.Name, string(q.Dir))
		} else if !Identical(p.Type, q.Type) {
			c.errorf(p.Decl, codeAbstract, "parameter %s is of type %v in the abstract method", p.Name, q.Type)
		}
	}
}

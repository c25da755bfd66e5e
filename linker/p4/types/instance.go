package types

import "github.com/interlock/interlock/linker/p4/syntax"

// instanceDecl checks T(args) x;
func (c *checker) instanceDecl(d *syntax.InstanceDecl) {
	o := c.newObject(InstanceObject, d.Name, Invalid, d)
	defer c.declare(o)
	c.info.Instances[d] = o
	wrongPlace := c.place != atTop && c.place != inParser && c.place != inControl
	if wrongPlace {
		c.errorf(d, codeContext, "an instance may not be declared in %v", c.place)
	}
	written, stack := d.Type, (*syntax.StackType)(nil)
	if s, ok := d.Type.(*syntax.StackType); ok {
		written, stack = s.Elem, s
	}
	call, t := c.construct(d, written, d.Args, nil)
	c.initialiser(d, o, t)
	if stack != nil {
		t = c.instanceArray(stack, t)
	}
	if _, pkg := t.(*Package); d.Name.Name == "main" && c.place == atTop && !pkg && !isInvalid(t) {
		c.errorf(d, codePackage, "main is the instance of a package, not of %v", t)
	}
	o.Type = t
	o.Ctor = call
	if wrongPlace {
		return
	}
	switch t := t.(type) {
	case *Package:
		if c.place != atTop {
			c.errorf(d, codeContext, "a package is instantiated at top level")
		}
		if o.Name == "main" {
			c.mainInstance(o, call)
		}
	case *Applicable:
		if c.place == atTop {
			c.errorf(d, codeContext, "a parser or control is instantiated in another one or as an argument of a package")
		}
		if t.Control != (c.place == inControl) && c.place != atTop {
			c.errorf(d, codeContext, "%v may not be instantiated in %v", t, c.place)
		}
	}
}

// instanceArray is the type of T(args)[n] x: n instances of an extern.
func (c *checker) instanceArray(s *syntax.StackType, elem Type) Type {
	n, ok := c.size(s.Size, maxStack, "number of instances")
	if !ok || isInvalid(elem) {
		c.info.TypeNodes[s] = Invalid
		return Invalid
	}
	if !isExtern(elem) || n == 0 {
		c.errorf(s, codeBadType, "an array of instances is of one extern or more, not of %d %v", n, elem)
		c.info.TypeNodes[s] = Invalid
		return Invalid
	}
	t := &Stack{Elem: elem, Size: n}
	c.info.TypeNodes[s] = t
	return t
}

func (c *checker) mainInstance(o *Object, call *Call) {
	c.info.Main = o
	if call == nil {
		return
	}
	for i, p := range call.Sig.Params {
		arg := &MainArg{Param: p.Name, Expr: call.Args[i]}
		if arg.Expr != nil {
			if k, ok := syntax.Unparen(arg.Expr).(*syntax.Call); ok {
				if inner := c.info.Calls[k]; inner != nil && inner.Callee != nil {
					switch decl := inner.Callee.Decl.(type) {
					case *syntax.ParserDecl:
						arg.Decl = decl
					case *syntax.ControlDecl:
						arg.Decl = decl
					}
				}
			}
		}
		c.info.MainArgs = append(c.info.MainArgs, arg)
	}
}

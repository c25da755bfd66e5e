package linker

import (
	"sort"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// forbidden are extern functions that no tenant may call, with what they would do.
var forbidden = map[string]string{
	"recirculate":                       "recirculation",
	"recirculate_preserving_field_list": "recirculation",
	"resubmit":                          "resubmission",
	"resubmit_preserving_field_list":    "resubmission",
	"clone":                             "cloning",
	"clone3":                            "cloning",
	"clone_preserving_field_list":       "cloning",
}

// allowedFunctions are the extern functions that tenants may call; log_msg is left out of the linked program.
var allowedFunctions = map[string]bool{
	"mark_to_drop": true, "hash": true, "verify": true, "verify_checksum": true, "update_checksum": true, "log_msg": true,
	"static_assert": true,
}

// allowedMethods are the extern objects that tenants may use, with their methods.
var allowedMethods = map[string]map[string]bool{
	"packet_in":      {"extract": true, "lookahead": true, "advance": true},
	"packet_out":     {"emit": true},
	"register":       {"read": true, "write": true},
	"counter":        {"count": true},
	"direct_counter": {"count": true},
}

// refuseDecls refuses declarations that the linker does not take over.
func (t *tenant) refuseDecls() {
	for _, d := range t.own() {
		switch d := d.(type) {
		case *syntax.ExternDecl, *syntax.PackageDecl, *syntax.MatchKindDecl:
			t.errorf(d.Pos(), CodeUnsupported, "a tenant's program declares no externs, packages and match kinds")
		case *syntax.FunctionDecl:
			if d.Extern {
				t.errorf(d.Pos(), CodeExtern, "extern function %s: a tenant's program declares no externs", d.Name.Name)
			} else if len(d.TypeParams) > 0 {
				t.errorf(d.Pos(), CodeUnsupported, "function %s: generic functions are not supported yet", d.Name.Name)
			}
		case *syntax.ControlDecl:
			t.refuseOptional(d)
		case *syntax.ParserDecl:
			if d != t.parser && !d.Proto {
				t.errorf(d.Pos(), CodeUnsupported, "parser %s: sub-parsers are not supported yet", d.Name.Name)
			}
		case *syntax.StructDecl:
			if d.Kind == "header_union" {
				t.errorf(d.Pos(), CodeUnsupported, "header unions are not supported yet")
			}
		}
	}
	for _, d := range t.inOwn() {
		switch d := d.(type) {
		case *syntax.ValueSetDecl:
			t.errorf(d.Pos(), CodeUnsupported, "value sets are not supported yet")
		case *syntax.Param:
			t.refuseObject(d)
		case *syntax.BaseType:
			if b, ok := t.info.TypeNodes[d].(*types.Bit); ok && b.Width == 0 {
				t.errorf(d.Pos(), CodeUnsupported, "%v, which has no bits, is not supported by all targets", b)
			}
		case *syntax.InstanceDecl:
			if o := t.info.Defs[d.Name]; o != nil {
				t.refuseInstance(d.Pos(), o.Type)
			}
			if d.HasBody {
				t.errorf(d.Pos(), CodeUnsupported, "instances with abstract methods are not supported yet")
			}
		case *syntax.StackType:
			t.errorf(d.Pos(), CodeUnsupported, "header stacks are not supported yet")
		}
	}
}

// refuseOptional refuses parameters of a control that a call may leave out: what the control reads in their place is nobody's.
func (t *tenant) refuseOptional(d *syntax.ControlDecl) {
	for _, p := range d.Params {
		for _, a := range p.Annotations {
			if a.Name == "optional" {
				t.errorf(p.Pos(), CodeUnsupported, "optional parameters of controls are not supported yet")
			}
		}
	}
}

// refuseObject refuses a parameter that stands for an object: which one is known only where it is given.
func (t *tenant) refuseObject(p *syntax.Param) {
	if p.Name == nil || t.info.Defs[p.Name] == nil {
		return
	}
	if e, ok := t.info.Defs[p.Name].Type.(*types.Extern); ok && e.Name != "packet_in" && e.Name != "packet_out" {
		t.errorf(p.Pos(), CodeUnsupported, "a %s as a parameter is not supported yet", e.Name)
	}
}

// inOwn are all nodes of the program's own declarations.
func (t *tenant) inOwn() []syntax.Node {
	var out []syntax.Node
	for _, d := range t.own() {
		syntax.Walk(d, func(n syntax.Node) bool {
			if n != nil {
				out = append(out, n)
			}
			return true
		})
	}
	return out
}

func (t *tenant) refuseInstance(pos syntax.Pos, typ types.Type) {
	if e, ok := typ.(*types.Extern); ok && allowedMethods[e.Name] == nil {
		t.errorf(pos, CodeExtern, "extern %s is not one that tenants may use", e.Name)
	}
}

// calls are the program's own calls in the order of the text.
func (t *tenant) calls() []*syntax.Call {
	var out []*syntax.Call
	for c := range t.info.Calls {
		if !builtin(c) {
			out = append(out, c)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i].Pos(), out[j].Pos()
		if a.File != b.File {
			return a.File < b.File
		}
		return a.Before(b)
	})
	return out
}

// refuseCalls refuses calls of externs outside the tenant set.
func (t *tenant) refuseCalls() {
	for _, c := range t.calls() {
		info := t.info.Calls[c]
		switch info.Kind {
		case types.ExternFnCall:
			what, bad := forbidden[info.Method]
			switch {
			case bad:
				t.errorf(c.Pos(), CodeForbidden, "%s: %s from a tenant's program is not allowed", info.Method, what)
			case !allowedFunctions[info.Method]:
				t.errorf(c.Pos(), CodeExtern, "extern function %s is not one that tenants may use", info.Method)
			case info.Method == "mark_to_drop" && len(info.Args) != 1:
				t.errorf(c.Pos(), CodeExtern, "mark_to_drop() without standard_metadata is deprecated; use mark_to_drop(standard_metadata)")
			}
		case types.MethodCall:
			e, ok := t.info.Types[info.Recv].(*types.Extern)
			switch {
			case !ok:
				t.errorf(c.Pos(), CodeExtern, "method %s is not one that tenants may use", info.Method)
			case !allowedMethods[e.Name][info.Method]:
				t.errorf(c.Pos(), CodeExtern, "%s.%s is not one of the extern methods that tenants may use", e.Name, info.Method)
			case e.Name == "counter":
				if b, ok := indexType(e); !ok || b.Signed || b.Width > 32 {
					t.errorf(c.Pos(), CodeUnsupported, "a counter indexed by %v is not supported yet", e.Args[0])
				}
				t.refuseInnerCalls(info.Args[0], "the index of a counter is evaluated twice, to check it")
			}
		case types.ConstructorCall:
			if info.Sig != nil {
				t.refuseInstance(c.Pos(), info.Sig.Result)
			}
		case types.ParserApply:
			t.errorf(c.Pos(), CodeUnsupported, "sub-parsers are not supported yet")
		case types.DirectApply:
			t.errorf(c.Pos(), CodeUnsupported, "applying a control by its type is not supported yet; declare an instance of it")
		}
	}
}

// indexType is the type of a counter's indices: bit<32> in the older version of v1model, in which linked programs are written.
func indexType(e *types.Extern) (*types.Bit, bool) {
	if len(e.Args) == 0 {
		return &types.Bit{Width: 32}, true
	}
	b, ok := e.Args[0].(*types.Bit)
	return b, ok
}

// refuseInnerCalls refuses calls in an expression that would be evaluated more often, or for more packets, than it is written.
func (t *tenant) refuseInnerCalls(e syntax.Expr, why string) {
	if e == nil {
		return
	}
	syntax.Walk(e, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Call); ok {
			if info := t.info.Calls[c]; info == nil || info.Kind != types.BuiltinCall {
				t.errorf(c.Pos(), CodeUnsupported, "a call in this place is not supported yet: %s", why)
			}
		}
		return true
	})
}

// refuseWrites refuses what would be written to the switch's own metadata, and to the tag: by what is written, be it an
// assignment, a slice of one, or an argument.
func (t *tenant) refuseWrites() {
	write := func(e, value syntax.Expr) {
		for x := e; ; {
			switch y := x.(type) {
			case *syntax.Paren:
				x = y.X
				continue
			case *syntax.Slice:
				x = y.X
				continue
			case *syntax.PlusSlice:
				x = y.X
				continue
			case *syntax.Index:
				t.errorf(e.Pos(), CodeUnsupported, "writing an element by its number is not supported yet")
				x = y.X
				continue
			}
			if t.isStandardMetadata(x) {
				t.errorf(e.Pos(), CodeSystemState, "writes all of standard_metadata; a tenant's program may set its egress_spec only")
			}
			m, ok := x.(*syntax.Member)
			if !ok {
				return
			}
			if t.isStandardMetadata(m.X) {
				switch m.Sel.Name {
				case "egress_spec":
				case "mcast_grp":
					t.errorf(e.Pos(), CodeForbidden, "writes standard_metadata.mcast_grp: multicast from a tenant's program is not allowed")
				default:
					t.errorf(e.Pos(), CodeSystemState, "writes standard_metadata.%s; a tenant's program may set its egress_spec only", m.Sel.Name)
				}
				return
			}
			t.refuseTag(m, value)
			x = m.X
		}
	}
	for _, n := range t.inOwn() {
		if a, ok := n.(*syntax.AssignStmt); ok {
			write(a.LHS, a.RHS)
		}
	}
	for _, c := range t.calls() {
		info := t.info.Calls[c]
		if info.Sig == nil {
			continue
		}
		for i, p := range info.Sig.Params {
			if p.Dir != syntax.Out && p.Dir != syntax.InOut || i >= len(info.Args) || info.Args[i] == nil {
				continue
			}
			if t.isStandardMetadata(info.Args[i]) {
				continue // passed on as a whole: what the callee does with it is looked at there
			}
			write(info.Args[i], nil)
		}
	}
}

func (t *tenant) isStandardMetadata(e syntax.Expr) bool {
	s, ok := t.info.Types[e].(*types.Struct)
	return ok && s.Name == "standard_metadata_t" && s.Decl != nil && builtin(s.Decl)
}

// refuseTag refuses an assignment of a VLAN TPID to the type of an Ethernet header: behind the tag that the system puts back, it
// would be a second tag. (At run time a packet with such a type is dropped, however the type came about.)
func (t *tenant) refuseTag(lhs *syntax.Member, value syntax.Expr) {
	s, ok := t.info.Types[lhs.X].(*types.Struct)
	if !ok || value == nil {
		return
	}
	shape, ok := ethernetOf(s)
	if !ok || shape.Type != lhs.Sel.Name {
		return
	}
	v, ok := t.info.Values[value].(types.IntValue)
	if !ok || !v.Int.IsInt64() {
		return
	}
	for _, tpid := range specs.TagTypes() {
		if v.Int.Int64() == int64(tpid) {
			t.errorf(lhs.Pos(), CodeTag, "writes the VLAN tag type 0x%04x to the Ethernet header: the tag is the system's, and tenants see packets without one", tpid)
		}
	}
}

// refuseStatements refuses statements that would get around the system's part or that targets do not take.
func (t *tenant) refuseStatements() {
	for _, n := range t.inOwn() {
		switch n := n.(type) {
		case *syntax.ExitStmt:
			t.errorf(n.Pos(), CodeForbidden, "exit would end the system's processing too; use return")
		case *syntax.AssignStmt:
			if n.Op == "/=" || n.Op == "%=" {
				t.refuseDivision(n, n.RHS)
			}
		case *syntax.Binary:
			if n.Op == "/" || n.Op == "%" {
				t.refuseDivision(n, n.Y)
			}
		case *syntax.TableKey:
			syntax.Walk(n.Expr, func(x syntax.Node) bool {
				if c, ok := x.(*syntax.Call); ok && t.info.Calls[c] != nil && t.info.Calls[c].Kind == types.TableApply {
					t.errorf(c.Pos(), CodeUnsupported, "a table applied in the key of another is not supported yet")
				}
				return true
			})
		case *syntax.PlusSlice:
			t.errorf(n.Pos(), CodeUnsupported, "slices by their width are not supported yet; write [high:low]")
		case *syntax.ForStmt:
			t.errorf(n.Pos(), CodeUnsupported, "for loops are not supported yet")
		case *syntax.Cond:
			if _, nested := n.Y.(*syntax.Cond); nested {
				t.errorf(n.Y.Pos(), CodeUnsupported, "write parentheses around this choice: compilers do not agree how it groups")
			}
		case *syntax.ForInStmt:
			t.errorf(n.Pos(), CodeUnsupported, "for loops are not supported yet")
		}
	}
}

// refuseDivision refuses a division by what may be zero: targets differ on what that gives.
func (t *tenant) refuseDivision(at syntax.Node, by syntax.Expr) {
	if t.info.Values[by] == nil {
		t.errorf(at.Pos(), CodeUnsupported, "division by what is not known at compile time is not supported")
	}
}

// properties of tables that are taken over.
var properties = map[string]bool{"default_action": true, "size": true, "counters": true}

// refuseTables refuses table properties that share state or that the linked program's targets refuse.
func (t *tenant) refuseTables() {
	for _, n := range t.inOwn() {
		switch n := n.(type) {
		case *syntax.TableDecl:
			for _, p := range n.Properties {
				e, ok := p.(*syntax.ExprProperty)
				if !ok {
					continue
				}
				if !properties[e.Name.Name] {
					t.errorf(e.Pos(), CodeUnsupported, "table property %s is not supported yet", e.Name.Name)
					continue
				}
				if _, named := e.Value.(*syntax.Name); e.Name.Name == "counters" && !named {
					t.errorf(e.Pos(), CodeUnsupported, "table %s: declare the direct_counter and name it here", n.Name.Name)
				}
			}
		case *syntax.TableEntry:
			if n.Priority != nil {
				t.errorf(n.Pos(), CodeUnsupported, "priorities of entries are not supported yet")
			}
		case *syntax.ActionDecl:
			for _, p := range n.Params {
				if p.Dir == syntax.NoDir && t.info.TypeNodes[p.Type] == types.Type(types.Bool) {
					t.errorf(p.Pos(), CodeUnsupported, "action parameters of type bool are not supported by all targets; use bit<1>")
				}
			}
		}
	}
	applied := map[*types.Object]syntax.Pos{}
	for _, c := range t.calls() {
		info := t.info.Calls[c]
		if info.Kind != types.TableApply {
			continue
		}
		if pos, ok := applied[info.Callee]; ok {
			t.errorf(c.Pos(), CodeUnsupported, "table %s is already applied at %s; applying one twice is not supported yet", info.Callee.Name, pos)
		}
		applied[info.Callee] = c.Pos()
	}
}

package p4info

import (
	"fmt"
	"math/big"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// defaultTableSize is v1model's size of a table that does not say.
const defaultTableSize = 1024

// actionRef is an action that a table can run.
type actionRef struct {
	obj *types.Object
	// ref is nil for the NoAction of a table without a default action.
	ref *syntax.ActionRef
}

// tableActions lists a table's actions; without a default action NoAction, which is then the default, joins them.
func (g *generator) tableActions(t *syntax.TableDecl) []actionRef {
	var r []actionRef
	hasDefault, hasNoAction := false, false
	for _, p := range t.Properties {
		switch p := p.(type) {
		case *syntax.ActionsProperty:
			for _, a := range p.Actions {
				if o := g.actionOf(a.Call); o != nil {
					r = append(r, actionRef{o, a})
					hasNoAction = hasNoAction || o == g.noAction()
				}
			}
		case *syntax.ExprProperty:
			hasDefault = hasDefault || p.Name.Name == "default_action"
		}
	}
	if o := g.noAction(); !hasDefault && !hasNoAction && o != nil {
		r = append(r, actionRef{o, nil})
	}
	return r
}

func (g *generator) actionOf(e syntax.Expr) *types.Object {
	if c, ok := e.(*syntax.Call); ok {
		e = c.Fun
	}
	n, ok := e.(*syntax.Name)
	if !ok {
		return nil
	}
	return g.info.Uses[n.Ident]
}

// noAction is core.p4's NoAction.
func (g *generator) noAction() *types.Object {
	for _, d := range g.info.Program.Decls {
		if a, ok := d.(*syntax.ActionDecl); ok && a.Name.Name == "NoAction" {
			return g.info.Defs[a.Name]
		}
	}
	return nil
}

// actionName is the qualified name of an action that is used in the instance called prefix.
func (g *generator) actionName(o *types.Object, prefix string) string {
	d, ok := o.Decl.(*syntax.ActionDecl)
	if !ok {
		return o.Name
	}
	if o.Parent == nil {
		prefix = ""
	}
	return g.qualified(prefix, o.Name, d.Annotations)
}

func hidden(as []*syntax.Annotation) bool { return find(as, "hidden") != nil }

// action describes an action. What only the program calls has no parameters to be set by the control plane.
func (g *generator) action(o *types.Object, prefix string, inTable bool) {
	d, ok := o.Decl.(*syntax.ActionDecl)
	if !ok || hidden(d.Annotations) {
		return
	}
	name := g.actionName(o, prefix)
	if g.syms.ids[p4configv1.P4Ids_ACTION] != nil {
		if _, known := g.syms.ids[p4configv1.P4Ids_ACTION][name]; known {
			if o.Parent != nil && !g.visited["action "+name+o.Ident.Pos().String()] {
				g.errorf(o.Ident, codeDuplicate, "two actions are called %s", name)
			}
			return
		}
	}
	g.visited["action "+name+o.Ident.Pos().String()] = true
	g.register(p4configv1.P4Ids_ACTION, name, o.Ident, d.Annotations)
	g.later(func() {
		a := &p4configv1.Action{Preamble: g.preamble(p4configv1.P4Ids_ACTION, name, d.Annotations)}
		var params []*syntax.Param
		for _, p := range d.Params {
			if p.Dir == syntax.NoDir && inTable {
				params = append(params, p)
			}
		}
		ids := g.fieldIDs(len(params), func(i int) []*syntax.Annotation { return params[i].Annotations })
		for i, p := range params {
			t := g.info.Defs[p.Name].Type
			q := &p4configv1.Action_Param{Id: ids[i], Name: g.local(p.Name.Name, p.Annotations), Doc: g.doc(p.Annotations)}
			q.Annotations, q.StructuredAnnotations = g.split(p.Annotations)
			if e, ok := t.(*types.Enum); ok && e.Underlying == nil {
				g.typeSpec(p, t)
				q.TypeName = &p4configv1.P4NamedType{Name: e.Name}
			} else {
				q.Bitwidth = g.bits(p, t)
				q.TypeName = g.typeName(p, t)
			}
			a.Params = append(a.Params, q)
		}
		g.out.Actions = append(g.out.Actions, a)
	})
}

func (g *generator) table(d *syntax.TableDecl, prefix string, env environment) {
	if hidden(d.Annotations) {
		return
	}
	name := g.qualified(prefix, d.Name.Name, d.Annotations)
	if g.visited["table "+name] {
		g.errorf(d.Name, codeDuplicate, "two tables are called %s", name)
		return
	}
	g.visited["table "+name] = true
	g.register(p4configv1.P4Ids_TABLE, name, d.Name, d.Annotations)
	for _, p := range d.Properties {
		if p, ok := p.(*syntax.ExprProperty); ok {
			g.tableResource(d, p, name, prefix, env)
		}
	}
	g.later(func() { g.buildTable(d, name, prefix, env) })
}

func (g *generator) buildTable(d *syntax.TableDecl, name, prefix string, env environment) {
	g.typeInfo()
	t := &p4configv1.Table{Preamble: g.preamble(p4configv1.P4Ids_TABLE, name, d.Annotations), Size: defaultTableSize}
	for _, a := range g.tableActions(d) {
		t.ActionRefs = append(t.ActionRefs, g.actionRef(a, prefix))
	}
	hasDefault := false
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			t.MatchFields = g.matchFields(p.Keys)
		case *syntax.EntriesProperty:
			t.IsConstTable = p.Const
			t.HasInitialEntries = len(p.Entries) > 0
		case *syntax.ExprProperty:
			switch p.Name.Name {
			case "default_action":
				hasDefault = true
				g.defaultAction(t, p, prefix, env)
			case "size":
				if n, ok := g.sizeOf(p.Value, env); ok && n != 0 {
					t.Size = n
				}
			case "support_timeout":
				if v, ok := g.value(p.Value, env).(types.BoolValue); ok && bool(v) {
					t.IdleTimeoutBehavior = p4configv1.Table_NOTIFY_CONTROL
				}
			}
		}
	}
	if o := g.noAction(); !hasDefault && o != nil {
		t.InitialDefaultAction = &p4configv1.TableActionCall{
			ActionId: g.syms.id(p4configv1.P4Ids_ACTION, g.actionName(o, "")),
		}
	}
	for _, r := range g.resources(d, prefix, env) {
		if r.profile {
			t.ImplementationId = g.syms.id(p4configv1.P4Ids_ACTION_PROFILE, r.name)
		} else {
			t.DirectResourceIds = append(t.DirectResourceIds, g.syms.id(r.kind, r.name))
		}
	}
	g.out.Tables = append(g.out.Tables, t)
	if g.initial != nil {
		g.tableEntries(d, t, prefix, env)
	}
}

func (g *generator) actionRef(a actionRef, prefix string) *p4configv1.ActionRef {
	r := &p4configv1.ActionRef{Id: g.syms.id(p4configv1.P4Ids_ACTION, g.actionName(a.obj, prefix))}
	if r.Id == 0 && a.ref != nil {
		g.errorf(a.ref, codeUnsupported, "action %s is @hidden, and this table shows it", a.obj.Name)
	}
	if a.ref == nil {
		r.Annotations = []string{"@defaultonly"}
		r.Scope = p4configv1.ActionRef_DEFAULT_ONLY
		return r
	}
	r.Annotations, r.StructuredAnnotations = g.split(a.ref.Annotations)
	table, def := find(a.ref.Annotations, "tableonly"), find(a.ref.Annotations, "defaultonly")
	switch {
	case table != nil && def != nil:
		g.errorf(a.ref, codeScope, "an action cannot be both @tableonly and @defaultonly")
	case table != nil:
		r.Scope = p4configv1.ActionRef_TABLE_ONLY
	case def != nil:
		r.Scope = p4configv1.ActionRef_DEFAULT_ONLY
	}
	return r
}

func (g *generator) defaultAction(t *p4configv1.Table, p *syntax.ExprProperty, prefix string, env environment) {
	o := g.actionOf(p.Value)
	if o == nil {
		return
	}
	id := g.syms.id(p4configv1.P4Ids_ACTION, g.actionName(o, prefix))
	if p.Const {
		t.ConstDefaultActionId = id
	}
	t.InitialDefaultAction = &p4configv1.TableActionCall{ActionId: id, Arguments: g.arguments(o, p.Value, env)}
}

// arguments describes what a default action or entry gives to the parameters that the control plane sees.
func (g *generator) arguments(o *types.Object, e syntax.Expr, env environment) []*p4configv1.TableActionCall_Argument {
	call, ok := e.(*syntax.Call)
	d, isAction := o.Decl.(*syntax.ActionDecl)
	if !ok || !isAction || g.info.Calls[call] == nil {
		return nil
	}
	args := g.info.Calls[call].Args
	var params []*syntax.Param
	var given []syntax.Expr
	for i, q := range d.Params {
		if q.Dir == syntax.NoDir && i < len(args) {
			params = append(params, q)
			given = append(given, args[i])
		}
	}
	ids := g.fieldIDs(len(params), func(i int) []*syntax.Annotation { return params[i].Annotations })
	var r []*p4configv1.TableActionCall_Argument
	for i, q := range params {
		r = append(r, &p4configv1.TableActionCall_Argument{
			ParamId: ids[i], Value: g.byteString(given[i], g.info.Defs[q.Name].Type, env),
		})
	}
	return r
}

// byteString is the big-endian bytes of a constant, as many as the control plane gives its type. What the
// control plane calls a default action's argument of a type that is translated to strings is not known: it is described untranslated.
func (g *generator) byteString(e syntax.Expr, t types.Type, env environment) []byte {
	w := int(g.bits(e, t))
	if w == 0 { // translated to a string
		if g.initial != nil {
			g.errorf(e, codeEntry, "what the control plane calls this argument is not known")
			return nil
		}
		w, _ = types.Width(t)
	}
	switch v := g.value(e, env).(type) {
	case types.IntValue:
		return fixedBytes(v.Int, w)
	case types.BoolValue:
		if v {
			return []byte{1}
		}
		return []byte{0}
	}
	g.errorf(e, codeUnsupported, "an argument of an action that is no constant number or bool")
	return nil
}

// fixedBytes is v modulo 2^width as big-endian bytes, at least one.
func fixedBytes(v *big.Int, width int) []byte {
	v = new(big.Int).Mod(v, new(big.Int).Lsh(big.NewInt(1), uint(width)))
	return v.FillBytes(make([]byte, max(1, (width+7)/8)))
}

func (g *generator) matchFields(keys []*syntax.TableKey) []*p4configv1.MatchField {
	ids := g.fieldIDs(len(keys), func(i int) []*syntax.Annotation { return keys[i].Annotations })
	var r []*p4configv1.MatchField
	for i, k := range keys {
		m := &p4configv1.MatchField{Id: ids[i], Doc: g.doc(k.Annotations)}
		switch k.MatchKind.Name {
		case "exact":
			m.Match = matchType(p4configv1.MatchField_EXACT)
		case "lpm":
			m.Match = matchType(p4configv1.MatchField_LPM)
		case "ternary":
			m.Match = matchType(p4configv1.MatchField_TERNARY)
		case "range":
			m.Match = matchType(p4configv1.MatchField_RANGE)
		case "optional":
			m.Match = matchType(p4configv1.MatchField_OPTIONAL)
		case "selector":
			continue // an input of the action selector, not for the control plane
		default:
			m.Match = &p4configv1.MatchField_OtherMatchType{OtherMatchType: k.MatchKind.Name}
		}
		if a := find(k.Annotations, "name"); a != nil {
			m.Name, _ = g.text(a)
			m.Name = strings.TrimPrefix(m.Name, ".")
		} else if name, ok := g.keyName(k.Expr); ok {
			m.Name = name
		} else {
			g.errorf(k.Expr, codeKeyName, "this key needs a @name: it is no plain path")
		}
		m.Annotations, m.StructuredAnnotations = g.split(k.Annotations)
		t := g.info.Types[k.Expr]
		m.Bitwidth = g.bits(k.Expr, t)
		m.TypeName = g.typeName(k.Expr, t)
		r = append(r, m)
	}
	return r
}

func matchType(t p4configv1.MatchField_MatchType) *p4configv1.MatchField_MatchType_ {
	return &p4configv1.MatchField_MatchType_{MatchType: t}
}

// keyName is the name that a key has without @name: its path as written.
func (g *generator) keyName(e syntax.Expr) (string, bool) {
	switch x := e.(type) {
	case *syntax.Paren:
		return g.keyName(x.X)
	case *syntax.Name:
		if x.Absolute {
			return "." + x.Ident.Name, true
		}
		return x.Ident.Name, true
	case *syntax.Member:
		sel := x.Sel.Name
		if s, ok := g.info.Types[x.X].(*types.Struct); ok {
			if i := s.FieldIndex(sel); i >= 0 && s.Fields[i].Decl != nil {
				sel = g.local(sel, s.Fields[i].Decl.Annotations)
				if rest, absolute := strings.CutPrefix(sel, "."); absolute {
					return rest, true
				}
			}
		}
		n, ok := g.keyName(x.X)
		return n + "." + sel, ok
	case *syntax.Index:
		n, ok := g.keyName(x.X)
		if i, known := g.info.Values[x.I].(types.IntValue); known {
			return fmt.Sprintf("%s[%v]", n, i.Int), ok
		}
		i, ok1 := g.keyName(x.I)
		return n + "[" + i + "]", ok && ok1
	case *syntax.Slice:
		n, ok := g.keyName(x.X)
		hi, ok1 := g.info.Values[x.Hi].(types.IntValue)
		lo, ok2 := g.info.Values[x.Lo].(types.IntValue)
		if !ok1 || !ok2 {
			return "", false
		}
		return fmt.Sprintf("%s[%v:%v]", n, hi.Int, lo.Int), ok
	case *syntax.Call:
		c := g.info.Calls[x]
		if c != nil && c.Kind == types.BuiltinCall && c.Method == "isValid" {
			n, ok := g.keyName(c.Recv)
			return n + ".$valid$", ok
		}
	case *syntax.Binary:
		if x.Op != "&" {
			break
		}
		n, ok := g.keyName(x.X)
		if m, known := g.info.Values[x.Y].(types.IntValue); ok && known {
			return fmt.Sprintf("%s & %#x", n, m.Int), true
		}
	}
	return "", false
}

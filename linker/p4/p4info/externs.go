package p4info

import (
	"fmt"
	"sort"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// externInstance registers what a constructor call makes, if it is of an extern type that P4Runtime knows.
func (g *generator) externInstance(
	at syntax.Node, x *types.Extern, ctor *types.Call, name string, annots []*syntax.Annotation, env environment,
) {
	g.typeInfo()
	var k kind
	switch x.Name {
	case "counter":
		k = p4configv1.P4Ids_COUNTER
	case "meter":
		k = p4configv1.P4Ids_METER
	case "register":
		k = p4configv1.P4Ids_REGISTER
	case "action_profile", "action_selector":
		k = p4configv1.P4Ids_ACTION_PROFILE
	case "direct_counter", "direct_meter":
		return // described with the table that it belongs to
	default:
		return
	}
	if _, dup := g.syms.ids[k][name]; dup {
		g.errorf(at, codeDuplicate, "two objects of this kind are called %s", name)
		return
	}
	g.register(k, name, at, annots)
	g.later(func() {
		switch k {
		case p4configv1.P4Ids_COUNTER:
			c := &p4configv1.Counter{Preamble: g.preamble(k, name, annots), Spec: g.counterSpec(ctor, env)}
			c.Size, _ = g.sizeOf(ctor.Args[0], env)
			c.IndexTypeName = g.indexType(at, x, 0)
			g.out.Counters = append(g.out.Counters, c)
		case p4configv1.P4Ids_METER:
			m := &p4configv1.Meter{Preamble: g.preamble(k, name, annots), Spec: g.meterSpec(ctor, env)}
			m.Size, _ = g.sizeOf(ctor.Args[0], env)
			m.IndexTypeName = g.indexType(at, x, 0)
			g.out.Meters = append(g.out.Meters, m)
		case p4configv1.P4Ids_REGISTER:
			r := &p4configv1.Register{Preamble: g.preamble(k, name, annots), TypeSpec: g.typeSpec(at, x.Args[0])}
			n, _ := g.sizeOf(ctor.Args[0], env)
			r.Size = int32(n)
			r.IndexTypeName = g.indexType(at, x, 1)
			g.out.Registers = append(g.out.Registers, r)
		case p4configv1.P4Ids_ACTION_PROFILE:
			g.actionProfile(name, ctor, annots, env)
		}
	})
}

// indexType is the name of the new type that indexes a register, counter or meter, if any.
func (g *generator) indexType(at syntax.Node, x *types.Extern, arg int) *p4configv1.P4NamedType {
	if arg >= len(x.Args) {
		return nil
	}
	return g.typeName(at, x.Args[arg])
}

// sizeOf evaluates a constant size.
func (g *generator) sizeOf(e syntax.Expr, env environment) (int64, bool) {
	v, ok := g.value(e, env).(types.IntValue)
	if !ok || !v.Int.IsInt64() || v.Int.Int64() < 0 || v.Int.Int64() > 1<<31-1 {
		g.errorf(e, codeSize, "the size must be a constant from 0 to %d", 1<<31-1)
		return 0, false
	}
	return v.Int.Int64(), true
}

// unit is the enum member that says what a counter or meter counts: the last argument.
func (g *generator) unit(call *types.Call, env environment) string {
	e := call.Args[len(call.Args)-1]
	v, ok := g.value(e, env).(types.EnumValue)
	if !ok {
		g.errorf(e, codeUnsupported, "what is counted must be a constant")
	}
	return v.Member
}

func (g *generator) counterSpec(call *types.Call, env environment) *p4configv1.CounterSpec {
	units := map[string]p4configv1.CounterSpec_Unit{
		"packets": p4configv1.CounterSpec_PACKETS, "bytes": p4configv1.CounterSpec_BYTES,
		"packets_and_bytes": p4configv1.CounterSpec_BOTH,
	}
	return &p4configv1.CounterSpec{Unit: units[g.unit(call, env)]}
}

func (g *generator) meterSpec(call *types.Call, env environment) *p4configv1.MeterSpec {
	units := map[string]p4configv1.MeterSpec_Unit{
		"packets": p4configv1.MeterSpec_PACKETS, "bytes": p4configv1.MeterSpec_BYTES,
	}
	return &p4configv1.MeterSpec{Unit: units[g.unit(call, env)]}
}

// resource is what a table property attaches to a table.
type resource struct {
	name    string
	kind    kind
	profile bool
	// property has the annotations and call of an object that is constructed in the property itself.
	property *syntax.ExprProperty
	decl     *syntax.InstanceDecl
	ctor     *types.Call
}

// resources lists a table's profile, direct counter and direct meter, in that order.
func (g *generator) resources(d *syntax.TableDecl, prefix string, env environment) []resource {
	order := map[string]int{"implementation": 0, "counters": 1, "meters": 2}
	var r []resource
	var props []*syntax.ExprProperty
	for _, p := range d.Properties {
		if p, ok := p.(*syntax.ExprProperty); ok {
			if _, ok := order[p.Name.Name]; ok {
				props = append(props, p)
			}
		}
	}
	sort.SliceStable(props, func(i, j int) bool { return order[props[i].Name.Name] < order[props[j].Name.Name] })
	for _, p := range props {
		x, ok := g.info.Types[p.Value].(*types.Extern)
		if !ok {
			continue
		}
		res := resource{}
		switch x.Name {
		case "direct_counter":
			res.kind = p4configv1.P4Ids_DIRECT_COUNTER
		case "direct_meter":
			res.kind = p4configv1.P4Ids_DIRECT_METER
		default:
			res.kind, res.profile = p4configv1.P4Ids_ACTION_PROFILE, true
		}
		if call, ok := p.Value.(*syntax.Call); ok {
			a := find(p.Annotations, "name")
			if a == nil {
				continue // reported by tableResource
			}
			s, _ := g.text(a)
			res.name = strings.TrimPrefix(s, ".") // always absolute
			res.property, res.ctor = p, g.info.Calls[call]
		} else {
			res.name, ok = g.instanceName(p.Value, prefix, env)
			if !ok {
				continue
			}
			if n, ok := p.Value.(*syntax.Name); ok {
				if o := g.info.Uses[n.Ident]; o != nil {
					res.decl, _ = o.Decl.(*syntax.InstanceDecl)
					res.ctor = o.Ctor
				}
			}
		}
		r = append(r, res)
	}
	return r
}

// tableResource registers what a property attaches, unless it is a profile with a declaration of its own.
func (g *generator) tableResource(d *syntax.TableDecl, p *syntax.ExprProperty, table, prefix string, env environment) {
	switch p.Name.Name {
	case "implementation", "counters", "meters":
	default:
		return
	}
	if _, inPlace := p.Value.(*syntax.Call); inPlace && find(p.Annotations, "name") == nil {
		g.errorf(p.Value, codeUnsupported, "an object constructed in a table property needs a @name before the property")
		return
	}
	for _, r := range g.resources(d, prefix, env) {
		if r.property != nil && r.property != p || r.property == nil && !g.namesResource(p, r, prefix, env) {
			continue
		}
		var annots []*syntax.Annotation
		switch {
		case r.property != nil:
			annots = r.property.Annotations
		case r.decl != nil:
			annots = r.decl.Annotations
		}
		if r.profile && r.property == nil {
			g.refersTo(r.name, table)
			return
		}
		if r.ctor == nil {
			g.errorf(p.Value, codeUnsupported, "%s must name an object declared in this program", p.Name.Name)
			return
		}
		if _, dup := g.syms.ids[r.kind][r.name]; dup {
			g.errorf(p.Value, codeDirect, "%s belongs to another table already", r.name)
			return
		}
		g.register(r.kind, r.name, p.Name, annots)
		if r.profile {
			g.refersTo(r.name, table)
		}
		g.later(func() { g.buildResource(r, table, annots, env) })
		return
	}
	g.errorf(p.Value, codeUnsupported, "%s must name an object declared in this program", p.Name.Name)
}

func (g *generator) namesResource(p *syntax.ExprProperty, r resource, prefix string, env environment) bool {
	name, ok := g.instanceName(p.Value, prefix, env)
	return ok && name == r.name
}

func (g *generator) buildResource(r resource, table string, annots []*syntax.Annotation, env environment) {
	id := g.syms.id(p4configv1.P4Ids_TABLE, table)
	switch r.kind {
	case p4configv1.P4Ids_DIRECT_COUNTER:
		g.out.DirectCounters = append(g.out.DirectCounters, &p4configv1.DirectCounter{
			Preamble: g.preamble(r.kind, r.name, annots), Spec: g.counterSpec(r.ctor, env), DirectTableId: id,
		})
	case p4configv1.P4Ids_DIRECT_METER:
		g.out.DirectMeters = append(g.out.DirectMeters, &p4configv1.DirectMeter{
			Preamble: g.preamble(r.kind, r.name, annots), Spec: g.meterSpec(r.ctor, env), DirectTableId: id,
		})
	default:
		g.actionProfile(r.name, r.ctor, annots, env)
	}
}

// refersTo remembers that a table is implemented by a profile.
func (g *generator) refersTo(profile, table string) {
	if g.profiles == nil {
		g.profiles = map[string][]string{}
	}
	g.profiles[profile] = append(g.profiles[profile], table)
}

func (g *generator) actionProfile(name string, call *types.Call, annots []*syntax.Annotation, env environment) {
	p := &p4configv1.ActionProfile{Preamble: g.preamble(p4configv1.P4Ids_ACTION_PROFILE, name, annots,
		"max_group_size", "selector_size_semantics", "max_member_weight")}
	size := call.Args[0]
	if call.Method == "action_selector" {
		p.WithSelector = true
		size = call.Args[1]
	}
	p.Size, _ = g.sizeOf(size, env)
	if p.WithSelector {
		g.selector(p, annots)
	}
	tables := append([]string(nil), g.profiles[name]...)
	sort.Strings(tables)
	for _, t := range tables {
		p.TableIds = append(p.TableIds, g.syms.id(p4configv1.P4Ids_TABLE, t))
	}
	g.out.ActionProfiles = append(g.out.ActionProfiles, p)
}

func (g *generator) selector(p *p4configv1.ActionProfile, annots []*syntax.Annotation) {
	if a := find(annots, "max_group_size"); a != nil {
		n, _ := g.number(a)
		p.MaxGroupSize = int32(n)
	}
	members := false
	if a := find(annots, "selector_size_semantics"); a != nil {
		s, _ := g.text(a)
		switch strings.ToLower(s) {
		case "sum_of_weights":
			p.SelectorSizeSemantics = &p4configv1.ActionProfile_SumOfWeights_{SumOfWeights: &p4configv1.ActionProfile_SumOfWeights{}}
		case "sum_of_members":
			members = true
		default:
			g.errorf(a, codeAnnotation, `@selector_size_semantics is "sum_of_weights" or "sum_of_members"`)
		}
	}
	if members {
		m := &p4configv1.ActionProfile_SumOfMembers{}
		if a := find(annots, "max_member_weight"); a != nil {
			n, _ := g.number(a)
			m.MaxMemberWeight = int32(n)
		}
		p.SelectorSizeSemantics = &p4configv1.ActionProfile_SumOfMembers_{SumOfMembers: m}
	}
}

// externCall registers the message of a digest(...): it is called as its type.
func (g *generator) externCall(call *syntax.Call) {
	c := g.info.Calls[call]
	if c.Kind != types.ExternFnCall || c.Method == "static_assert" {
		return
	}
	g.typeInfo() // p4c's message has it when any extern function is called at run time
	if c.Method != "digest" || len(c.TypeArgs) != 1 || c.Callee.Parent != nil {
		return
	}
	var name string
	var annots []*syntax.Annotation
	switch t := c.TypeArgs[0].(type) {
	case *types.Struct:
		if t.Decl != nil {
			annots = t.Decl.Annotations
		}
		name = t.Name
	case *types.NewType:
		name, annots = t.Name, t.Decl.Annotations
	case *types.Enum:
		name, annots = t.Name, t.Decl.Annotations
	}
	if name != "" {
		name = g.qualified("", name, annots)
	} else {
		name = fmt.Sprintf("digest_%d", g.digests)
		g.digests++
	}
	if _, known := g.syms.ids[p4configv1.P4Ids_DIGEST][name]; known {
		return
	}
	g.syms.add(p4configv1.P4Ids_DIGEST, name)
	g.later(func() {
		g.out.Digests = append(g.out.Digests, &p4configv1.Digest{
			Preamble: g.preamble(p4configv1.P4Ids_DIGEST, name, nil), TypeSpec: g.typeSpec(call, c.TypeArgs[0]),
		})
	})
}

func (g *generator) valueSet(d *syntax.ValueSetDecl, prefix string) {
	name := g.qualified(prefix, d.Name.Name, d.Annotations)
	g.register(p4configv1.P4Ids_VALUE_SET, name, d.Name, d.Annotations)
	g.later(func() {
		v := &p4configv1.ValueSet{Preamble: g.preamble(p4configv1.P4Ids_VALUE_SET, name, d.Annotations)}
		n, _ := g.sizeOf(d.Size, nil)
		v.Size = int32(n)
		set, ok := g.info.Defs[d.Name].Type.(*types.Set)
		if !ok {
			return
		}
		switch t := set.Elem.(type) {
		case *types.Bit:
			v.Match = []*p4configv1.MatchField{{Id: 1, Bitwidth: int32(t.Width), Match: matchType(p4configv1.MatchField_EXACT)}}
		case *types.Struct:
			v.Match = g.valueSetFields(t)
		case *types.Enum:
			w, ok := types.Width(t)
			if !ok {
				g.errorf(d, codeType, "a value set cannot hold %v", t)
				return
			}
			for i, m := range t.Members {
				v.Match = append(v.Match, &p4configv1.MatchField{
					Id: uint32(i) + 1, Name: g.local(m, nil), Bitwidth: int32(w), Match: matchType(p4configv1.MatchField_EXACT),
				})
			}
		default:
			g.errorf(d, codeType, "a value set of %v cannot be described", set.Elem)
			return
		}
		g.out.ValueSets = append(g.out.ValueSets, v)
	})
}

func (g *generator) valueSetFields(t *types.Struct) []*p4configv1.MatchField {
	ids := g.fieldIDs(len(t.Fields), func(i int) []*syntax.Annotation { return t.Fields[i].Decl.Annotations })
	var r []*p4configv1.MatchField
	for i, f := range t.Fields {
		b, ok := f.Type.(*types.Bit)
		if !ok {
			g.errorf(f.Decl, codeType, "a field of a value set has a bit type, not %v", f.Type)
			continue
		}
		as := f.Decl.Annotations
		m := &p4configv1.MatchField{
			Id: ids[i], Name: g.local(f.Name, as), Bitwidth: int32(b.Width), Match: matchType(p4configv1.MatchField_EXACT), Doc: g.doc(as),
		}
		if a := find(as, "match"); a != nil {
			switch kind := matchAnnotation(a); kind {
			case "exact":
			case "lpm":
				m.Match = matchType(p4configv1.MatchField_LPM)
			case "ternary":
				m.Match = matchType(p4configv1.MatchField_TERNARY)
			case "range":
				m.Match = matchType(p4configv1.MatchField_RANGE)
			case "optional":
				m.Match = matchType(p4configv1.MatchField_OPTIONAL)
			default:
				g.errorf(a, codeAnnotation, "@match takes one match kind, not %q", kind)
			}
		}
		m.Annotations, m.StructuredAnnotations = g.split(as, "match")
		r = append(r, m)
	}
	return r
}

func matchAnnotation(a *syntax.Annotation) string {
	var parts []string
	for _, t := range a.Body {
		parts = append(parts, t.Text)
	}
	return strings.Join(parts, " ")
}

func (g *generator) controllerHeader(d *syntax.StructDecl) {
	typeName := g.local(d.Name.Name, d.Annotations)
	g.register(p4configv1.P4Ids_CONTROLLER_HEADER, typeName, d.Name, d.Annotations)
	g.later(func() {
		name, ok := g.text(find(d.Annotations, "controller_header"))
		if !ok {
			return
		}
		t, ok := g.info.Defs[d.Name].Type.(*types.Struct)
		if !ok {
			return
		}
		h := &p4configv1.ControllerPacketMetadata{Preamble: g.preamble(p4configv1.P4Ids_CONTROLLER_HEADER, typeName, d.Annotations)}
		h.Preamble.Name, h.Preamble.Alias = name, name
		fields := g.flatten("", t)
		ids := g.fieldIDs(len(fields), func(i int) []*syntax.Annotation { return fields[i].annots })
		for i, f := range fields {
			if hidden(f.annots) {
				continue
			}
			m := &p4configv1.ControllerPacketMetadata_Metadata{
				Id: ids[i], Name: f.name, Bitwidth: g.bits(f.decl, f.typ), TypeName: g.typeName(f.decl, f.typ),
			}
			m.Annotations, m.StructuredAnnotations = g.split(f.annots)
			h.Metadata = append(h.Metadata, m)
		}
		g.out.ControllerPacketMetadata = append(g.out.ControllerPacketMetadata, h)
	})
}

package vrm

import (
	"fmt"
	"math/bits"
	"sort"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// Code is that of every diagnostic of this package: a register, an annotation or an access that cannot be virtualised.
const Code = "P4710"

func diagnostic(pos syntax.Pos, format string, args ...any) syntax.Diagnostic {
	return syntax.Diagnostic{Pos: pos, Code: Code, Severity: syntax.Error, Msg: fmt.Sprintf(format, args...)}
}

// annotations reads @virtual, @elastic and @inelastic. An unmarked register is inelastic, directly indexed, as large as declared.
func (p *Program) annotations(r *Register, d *syntax.InstanceDecl) bool {
	before := len(p.diags)
	seen := map[string]*syntax.Annotation{}
	for _, a := range d.Annotations {
		switch a.Name {
		case "virtual", "elastic", "inelastic":
			if seen[a.Name] != nil {
				p.errorf(a.Pos(), "register %s already has @%s", r.Name, a.Name)
			}
			seen[a.Name] = a
		}
	}
	if a := seen["virtual"]; a != nil {
		r.Fold = p.folded(r, a)
	}
	if seen["elastic"] != nil && seen["inelastic"] != nil {
		p.errorf(seen["inelastic"].Pos(), "register %s is both @elastic and @inelastic", r.Name)
	}
	if a := seen["elastic"]; a != nil {
		r.Elastic = true
		v := p.keyValues(a, "min", "max", "group")
		if v.has("min") {
			r.Min = v.num["min"]
		} else {
			p.errorf(a.Pos(), "@elastic of register %s has no min", r.Name)
		}
		if v.has("max") {
			r.Max = v.num["max"]
		}
		r.Group = v.str["group"]
	}
	if a := seen["inelastic"]; a != nil {
		if v := p.keyValues(a, "size"); v.has("size") {
			r.Min, r.Max = v.num["size"], v.num["size"]
		}
	}
	if len(p.diags) == before {
		if err := r.checkBounds(); err != "" {
			p.errorf(d.Pos(), "register %s: %s", r.Name, err)
		}
	}
	return len(p.diags) == before
}

func (r *Register) checkBounds() string {
	switch {
	case r.Min < 1:
		return fmt.Sprintf("at least one slot is needed, not %d", r.Min)
	case r.Min > r.Max:
		return fmt.Sprintf("min %d is above max %d", r.Min, r.Max)
	case r.Max > r.Declared:
		return fmt.Sprintf("%d slots are more than the %d elements it is declared with", r.Max, r.Declared)
	case r.Fold && bits.OnesCount64(uint64(r.Min)) != 1:
		return fmt.Sprintf("indices are folded, so %d slots are not a size: it must be a power of two", r.Min)
	case r.Fold && bits.OnesCount64(uint64(r.Max)) != 1:
		return fmt.Sprintf("indices are folded, so %d slots are not a size: it must be a power of two", r.Max)
	}
	return ""
}

// Narrow makes the bounds what a site asks for, 0 leaving one as it is. A site may only narrow.
func (r *Register) Narrow(min, max int64) error {
	n := *r
	if min != 0 {
		n.Min = min
	}
	if max != 0 {
		n.Max = max
	}
	switch {
	case n.Min < r.Min:
		return fmt.Errorf("min %d is below the program's, %d; a site may only narrow", n.Min, r.Min)
	case n.Max > r.Max:
		return fmt.Errorf("max %d is above the program's, %d; a site may only narrow", n.Max, r.Max)
	}
	if msg := n.checkBounds(); msg != "" {
		return fmt.Errorf("%s", msg)
	}
	r.Min, r.Max = n.Min, n.Max
	return nil
}

// folded reads @virtual, @virtual[fold] and @virtual["fold"].
func (p *Program) folded(r *Register, a *syntax.Annotation) bool {
	if !a.Structured && !a.HasBody {
		return false
	}
	if a.Structured && len(a.Exprs) == 1 && len(a.KeyValues) == 0 {
		switch e := a.Exprs[0].(type) {
		case *syntax.Name:
			if e.Ident.Name == "fold" {
				return true
			}
		case *syntax.StringLit:
			if e.Value == "fold" {
				return true
			}
		}
	}
	p.errorf(a.Pos(), "@virtual of register %s: want @virtual or @virtual[\"fold\"]", r.Name)
	return false
}

type values struct {
	num map[string]int64
	str map[string]string
}

func (v values) has(k string) bool { _, ok := v.num[k]; return ok }

// keyValues reads the known keys of a structured annotation; group is a string, all others are numbers of slots.
func (p *Program) keyValues(a *syntax.Annotation, known ...string) values {
	out := values{map[string]int64{}, map[string]string{}}
	if a.HasBody || len(a.Exprs) > 0 {
		p.errorf(a.Pos(), "@%s: want @%s[key=value, ...] with keys %v", a.Name, a.Name, known)
		return out
	}
	for _, kv := range a.KeyValues {
		name := kv.Key.Name
		ok := false
		for _, k := range known {
			ok = ok || k == name
		}
		if !ok {
			p.errorf(kv.Pos(), "@%s has no key %s; it has %v", a.Name, name, known)
			continue
		}
		if name == "group" {
			if s, ok := kv.Value.(*syntax.StringLit); ok {
				out.str[name] = s.Value
			} else {
				p.errorf(kv.Pos(), "@%s: group is a string", a.Name)
			}
			continue
		}
		n, ok := kv.Value.(*syntax.IntLit)
		if !ok || !n.Value.IsInt64() || n.Value.Int64() > MaxSlots {
			p.errorf(kv.Pos(), "@%s: %s is not a number of slots", a.Name, name)
			continue
		}
		out.num[name] = n.Value.Int64()
	}
	return out
}

// flags reads the annotations of the metadata's fields.
func (p *Program) flags() {
	if p.metadata == nil || p.metadata.Decl == nil {
		return
	}
	byName := map[string]*Register{}
	for _, r := range p.byObject {
		byName[r.Name] = r
	}
	fieldType := map[string]types.Type{}
	for _, f := range p.metadata.Fields {
		fieldType[f.Name] = f.Type
	}
	for _, f := range p.metadata.Decl.Fields {
		for _, a := range f.Annotations {
			flag := &Flag{Field: f.Name.Name, Pos: f.Name.Pos()}
			t := fieldType[f.Name.Name]
			_, flag.Bool = t.(*types.Basic)
			bit, isBit := t.(*types.Bit)
			isFlag := t == types.Type(types.Bool) || isBit && bit.Width == 1 && !bit.Signed
			switch a.Name {
			case "hit", "utility_packets", "utility_hits":
				if !isFlag {
					p.errorf(f.Pos(), "@%s is for a field of type bool or bit<1>; %s is %s", a.Name, f.Name.Name, t)
					continue
				}
			case "generation":
				if !isBit || bit.Width != specs.GenerationBits || bit.Signed {
					p.errorf(f.Pos(), "@generation is for a field of type bit<%d>; %s is %s", specs.GenerationBits, f.Name.Name, t)
					continue
				}
			default:
				continue
			}
			switch a.Name {
			case "utility_packets":
				p.setFlag(&p.UtilityPackets, flag, a)
			case "utility_hits":
				p.setFlag(&p.UtilityHits, flag, a)
			default:
				r := p.annotated(a, byName)
				if r == nil {
					continue
				}
				if a.Name == "hit" {
					p.setFlag(&r.hit, flag, a)
				} else {
					p.setFlag(&r.generation, flag, a)
				}
			}
		}
	}
	switch {
	case p.UtilityPackets != nil && p.UtilityHits == nil:
		p.errorf(p.UtilityPackets.Pos, "@utility_packets needs a field with @utility_hits beside it")
	case p.UtilityPackets == nil && p.UtilityHits != nil:
		p.errorf(p.UtilityHits.Pos, "@utility_hits needs a field with @utility_packets beside it")
	}
}

func (p *Program) setFlag(slot **Flag, f *Flag, a *syntax.Annotation) {
	if *slot != nil {
		p.errorf(f.Pos, "field %s already has this @%s", (*slot).Field, a.Name)
		return
	}
	*slot = f
}

// annotated is the register that @hit["r"] or @generation["r"] names.
func (p *Program) annotated(a *syntax.Annotation, byName map[string]*Register) *Register {
	if a.Structured && len(a.Exprs) == 1 {
		if s, ok := a.Exprs[0].(*syntax.StringLit); ok {
			if r := byName[s.Value]; r != nil {
				return r
			}
			var known []string
			for n := range byName {
				known = append(known, n)
			}
			sort.Strings(known)
			p.errorf(a.Pos(), "@%s: there is no register %q; there are %v", a.Name, s.Value, known)
			return nil
		}
	}
	p.errorf(a.Pos(), "@%s: want @%s[\"register\"]", a.Name, a.Name)
	return nil
}

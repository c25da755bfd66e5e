package p4info

import (
	"math/big"
	"strconv"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

func find(as []*syntax.Annotation, name string) *syntax.Annotation {
	for _, a := range as {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// text is the string of an annotation like @name("x").
func (g *generator) text(a *syntax.Annotation) (string, bool) {
	if a.Structured {
		if len(a.Exprs) == 1 {
			if s, ok := a.Exprs[0].(*syntax.StringLit); ok {
				return s.Value, true
			}
		}
	} else if s, ok := tokenStrings(a.Body); ok {
		return s, true
	}
	g.errorf(a, codeAnnotation, "@%s takes one string", a.Name)
	return "", false
}

// tokenStrings joins adjacent string tokens.
func tokenStrings(ts []syntax.Token) (string, bool) {
	if len(ts) == 0 {
		return "", false
	}
	var b strings.Builder
	for _, t := range ts {
		s, ok := unquote(t.Text)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// unquote reads a P4 string literal: the escapes are \\, \" and \n.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	s = strings.ReplaceAll(s, `\"`, `"`)
	s = strings.ReplaceAll(s, `\n`, "\n")
	return strings.ReplaceAll(s, `\\`, `\`), true
}

// number is the number of an annotation like @id(5).
func (g *generator) number(a *syntax.Annotation) (int64, bool) {
	switch {
	case a.Structured && len(a.Exprs) == 1:
		if n, ok := a.Exprs[0].(*syntax.IntLit); ok && n.Value != nil && n.Value.IsInt64() {
			return n.Value.Int64(), true
		}
	case len(a.Body) == 1:
		if n, ok := parseNumber(a.Body[0].Text); ok && n.IsInt64() {
			return n.Int64(), true
		}
	}
	g.errorf(a, codeAnnotation, "@%s takes one number", a.Name)
	return 0, false
}

// parseNumber reads an integer literal as P4 writes it: an optional width and sign letter, a base prefix, underscores.
func parseNumber(s string) (*big.Int, bool) {
	s = strings.ReplaceAll(s, "_", "")
	if i := strings.IndexAny(s, "ws"); i > 0 {
		s = s[i+1:]
	}
	base := 10
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x', 'X':
			base, s = 16, s[2:]
		case 'b', 'B':
			base, s = 2, s[2:]
		case 'o', 'O':
			base, s = 8, s[2:]
		case 'd', 'D':
			s = s[2:]
		}
	}
	return new(big.Int).SetString(s, base)
}

func (g *generator) idAnnotation(as []*syntax.Annotation) (uint32, bool) {
	a := find(as, "id")
	if a == nil {
		return 0, false
	}
	n, ok := g.number(a)
	if ok && (n < 0 || n > 1<<32-1) {
		g.errorf(a, codeID, "@id %d is not a 32-bit number", n)
		return 0, false
	}
	return uint32(n), ok
}

// local is the control-plane name of something that is not qualified: its @name or its own.
func (g *generator) local(name string, as []*syntax.Annotation) string {
	if a := find(as, "name"); a != nil {
		if s, ok := g.text(a); ok && s != "" {
			return s
		}
	}
	return name
}

// qualified is the control-plane name of an object in the instance called prefix: an @name that starts with a dot is absolute.
func (g *generator) qualified(prefix, name string, as []*syntax.Annotation) string {
	n := g.local(name, as)
	if rest, ok := strings.CutPrefix(n, "."); ok {
		return rest
	}
	if prefix == "" {
		return n
	}
	return prefix + "." + n
}

// skip are annotations that P4Info expresses otherwise.
var skipped = map[string]bool{"name": true, "id": true, "brief": true, "description": true}

// split divides annotations into unstructured ones, as text, and structured ones, without those in except.
func (g *generator) split(as []*syntax.Annotation, except ...string) ([]string, []*p4configv1.StructuredAnnotation) {
	var texts []string
	var structured []*p4configv1.StructuredAnnotation
next:
	for _, a := range as {
		if a.Structured {
			if s := g.structured(a); s != nil {
				structured = append(structured, s)
			}
			continue
		}
		if skipped[a.Name] {
			continue
		}
		for _, x := range except {
			if a.Name == x {
				continue next
			}
		}
		texts = append(texts, annotationText(a))
	}
	return texts, structured
}

// annotationText is the annotation as p4c writes it: a space between all tokens of its body.
func annotationText(a *syntax.Annotation) string {
	if len(a.Body) == 0 {
		return "@" + a.Name
	}
	tokens := make([]string, len(a.Body))
	for i, t := range a.Body {
		tokens[i] = t.Text
	}
	return "@" + a.Name + "(" + strings.Join(tokens, " ") + ")"
}

func (g *generator) structured(a *syntax.Annotation) *p4configv1.StructuredAnnotation {
	s := &p4configv1.StructuredAnnotation{Name: a.Name}
	if len(a.KeyValues) > 0 {
		list := &p4configv1.KeyValuePairList{}
		for _, kv := range a.KeyValues {
			e := g.literal(kv.Value)
			if e == nil {
				return nil
			}
			list.KvPairs = append(list.KvPairs, &p4configv1.KeyValuePair{Key: kv.Key.Name, Value: e})
		}
		s.Body = &p4configv1.StructuredAnnotation_KvPairList{KvPairList: list}
		return s
	}
	list := &p4configv1.ExpressionList{}
	for _, x := range a.Exprs {
		e := g.literal(x)
		if e == nil {
			return nil
		}
		list.Expressions = append(list.Expressions, e)
	}
	s.Body = &p4configv1.StructuredAnnotation_ExpressionList{ExpressionList: list}
	return s
}

func (g *generator) literal(e syntax.Expr) *p4configv1.Expression {
	switch v := g.info.Values[e].(type) {
	case types.StringValue:
		return &p4configv1.Expression{Value: &p4configv1.Expression_StringValue{StringValue: string(v)}}
	case types.BoolValue:
		return &p4configv1.Expression{Value: &p4configv1.Expression_BoolValue{BoolValue: bool(v)}}
	case types.IntValue:
		if v.Int.IsInt64() {
			return &p4configv1.Expression{Value: &p4configv1.Expression_Int64Value{Int64Value: v.Int.Int64()}}
		}
	}
	g.errorf(e, codeAnnotation, "the value of an annotation must be a string, a bool or a number of at most 64 bits")
	return nil
}

func (g *generator) doc(as []*syntax.Annotation) *p4configv1.Documentation {
	brief, desc := find(as, "brief"), find(as, "description")
	if brief == nil && desc == nil {
		return nil
	}
	d := &p4configv1.Documentation{}
	if brief != nil {
		d.Brief, _ = g.text(brief)
	}
	if desc != nil {
		d.Description, _ = g.text(desc)
	}
	return d
}

func (g *generator) preamble(k kind, name string, as []*syntax.Annotation, except ...string) *p4configv1.Preamble {
	p := &p4configv1.Preamble{Id: g.syms.id(k, name), Name: name, Alias: g.syms.alias(name), Doc: g.doc(as)}
	p.Annotations, p.StructuredAnnotations = g.split(as, except...)
	return p
}

func (g *generator) pkgInfo(as []*syntax.Annotation) *p4configv1.PkgInfo {
	p := &p4configv1.PkgInfo{Arch: "v1model", Doc: g.doc(as)}
	var rest []*syntax.Annotation
	for _, a := range as {
		switch a.Name {
		case "pkginfo":
			for _, kv := range g.pairs(a) {
				switch kv.key {
				case "name":
					p.Name = kv.text
				case "version":
					p.Version = kv.text
				case "organization":
					p.Organization = kv.text
				case "contact":
					p.Contact = kv.text
				case "url":
					p.Url = kv.text
				case "arch":
					p.Arch = kv.text
				}
			}
		case "platform_property":
			p.PlatformProperties = &p4configv1.PlatformProperties{}
			for _, kv := range g.pairs(a) {
				n, err := strconv.ParseInt(kv.text, 10, 32)
				if err != nil {
					g.errorf(a, codeAnnotation, "@platform_property %s is no 32-bit number", kv.key)
					continue
				}
				switch kv.key {
				case "multicast_group_table_size":
					p.PlatformProperties.MulticastGroupTableSize = int32(n)
				case "multicast_group_table_total_replicas":
					p.PlatformProperties.MulticastGroupTableTotalReplicas = int32(n)
				case "multicast_group_table_max_replicas_per_entry":
					p.PlatformProperties.MulticastGroupTableMaxReplicasPerEntry = int32(n)
				}
			}
		default:
			rest = append(rest, a)
		}
	}
	p.Annotations, p.StructuredAnnotations = g.split(rest)
	return p
}

type pair struct{ key, text string }

// pairs reads key = value, ..., in either syntax of annotations.
func (g *generator) pairs(a *syntax.Annotation) []pair {
	var r []pair
	if a.Structured {
		for _, kv := range a.KeyValues {
			switch v := kv.Value.(type) {
			case *syntax.StringLit:
				r = append(r, pair{kv.Key.Name, v.Value})
			case *syntax.IntLit:
				if v.Value != nil {
					r = append(r, pair{kv.Key.Name, v.Value.String()})
				}
			default:
				g.errorf(kv, codeAnnotation, "@%s takes strings and numbers", a.Name)
			}
		}
		return r
	}
	for i := 0; i < len(a.Body); i += 4 {
		if i+2 >= len(a.Body) || a.Body[i+1].Text != "=" || i+3 < len(a.Body) && a.Body[i+3].Text != "," {
			g.errorf(a, codeAnnotation, "@%s takes key = value, ...", a.Name)
			return r
		}
		v := a.Body[i+2].Text
		if s, ok := unquote(v); ok {
			v = s
		} else if n, ok := parseNumber(v); ok {
			v = n.String()
		}
		r = append(r, pair{a.Body[i].Text, v})
	}
	return r
}

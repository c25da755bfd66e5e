package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
)

// Version, kind and the prefix of built-in policies' names.
const (
	APIVersion = "interlock/v1alpha1"
	Kind       = "SharingPolicy"
	Builtin    = "builtin:"
)

// Schema is the JSON Schema of a SharingPolicy document.
//
//go:embed schema.json
var Schema []byte

// Policy is a compiled sharing policy. It is immutable and may be used concurrently.
type Policy struct {
	name, description string
	file              string
	text              []byte
	params            []param
	values            map[string]ref.Val
	variables         []variable
	price, rank       *expr
	grant             *expr
	limits            []rule
	validations       []rule
}

type param struct {
	name, kind, description string
}

type variable struct {
	name string
	*expr
}

// rule is a limit or a validation: what must hold, and what is said when it does not.
type rule struct {
	*expr
	message     string
	messageExpr *expr
}

// Name is the policy's metadata.name.
func (p *Policy) Name() string { return p.name }

// Description is the policy's metadata.description.
func (p *Policy) Description() string { return p.description }

// Text is the document as it was read.
func (p *Policy) Text() []byte { return append([]byte(nil), p.text...) }

// Digest identifies the policy: the document's text and the parameters' values.
func (p *Policy) Digest() string {
	var b strings.Builder
	fmt.Fprintf(&b, "interlock/policy/v1 %d\n%s", len(p.text), p.text)
	for _, q := range p.params {
		fmt.Fprintf(&b, "\nparam %q = %s", q.name, show(p.values[q.name]))
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Load reads a policy: "builtin:NAME" is one of those that the binary carries, anything else is the path of a file.
func Load(nameOrPath string) (*Policy, error) {
	if name, ok := strings.CutPrefix(nameOrPath, Builtin); ok {
		b, ok := specs.Policy(name)
		if !ok {
			return nil, fmt.Errorf("policy %q: no such built-in policy (there are: %s)", nameOrPath, strings.Join(specs.PolicyNames(), ", "))
		}
		return Parse(nameOrPath, b)
	}
	b, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return Parse(nameOrPath, b)
}

var identifier = regexp.MustCompile(`^[a-z][a-zA-Z0-9]{0,62}$`)

var documentName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Parse compiles a document. The error is a strictyaml.Errors with every problem and its position.
func Parse(file string, src []byte) (*Policy, error) {
	doc, root := strictyaml.Parse(file, src)
	p := &Policy{file: file, text: append([]byte(nil), src...), values: map[string]ref.Val{}}
	top := root.Fields([]string{"apiVersion", "kind", "metadata", "spec"})
	top["apiVersion"].OneOf(APIVersion)
	top["kind"].OneOf(Kind)
	meta := top["metadata"].Fields([]string{"name"}, "description")
	p.name, p.description = meta["name"].String(), meta["description"].String()
	if p.name != "" && !documentName.MatchString(p.name) {
		meta["name"].Errorf("name %q is not of lower-case letters, digits and dashes", p.name)
	}
	spec := top["spec"].Fields([]string{"rank", "grant"}, "params", "variables", "price", "limits", "validations")
	c := &compiler{file: file, doc: doc, vars: map[string]refs{}}
	var err error
	if c.env, err = newEnv(&c.provider); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p.parseParams(c, spec["params"])
	p.parseVariables(c, spec["variables"])
	if spec["price"].Present() {
		p.price = c.compile(spec["price"], ratioType, types.IntType)
		if c.env, err = c.env.Extend(cel.Variable("price", ratioType)); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		if p.price != nil {
			c.vars["price"] = p.price.refs
		}
	}
	p.rank = c.compile(spec["rank"], ratioType, types.IntType)
	p.grant = c.compile(spec["grant"], amountsType)
	p.limits = parseRules(c, spec["limits"])
	p.validations = parseRules(c, spec["validations"])
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Policy) parseParams(c *compiler, n strictyaml.Node) {
	fields := c.provider.fields[paramsType.TypeName()]
	for _, item := range n.List() {
		f := item.Fields([]string{"name", "type", "default"}, "description")
		q := param{name: f["name"].String(), description: f["description"].String()}
		if !identifier.MatchString(q.name) {
			f["name"].Errorf("name %q is not an identifier such as perTenant", q.name)
			continue
		}
		if fields[q.name] != nil {
			f["name"].Errorf("param %q is already declared", q.name)
			continue
		}
		q.kind = f["type"].OneOf("int", "bool", "string", "ratio", "map(int)")
		v := paramValue(f["default"], q.kind)
		if v == nil {
			continue
		}
		p.params = append(p.params, q)
		p.values[q.name] = v
		name := q.name
		fields[name] = &types.FieldType{
			Type:  paramTypes[q.kind],
			IsSet: func(any) bool { return true },
			GetFrom: func(target any) (any, error) {
				values, ok := target.(*scope)
				if !ok {
					return nil, fmt.Errorf("not params: %T", target)
				}
				return values.policy.values[name], nil
			},
		}
	}
}

var paramTypes = map[string]*types.Type{
	"int": types.IntType, "bool": types.BoolType, "string": types.StringType, "ratio": ratioType,
	"map(int)": amountsType,
}

// paramValue reads a value of the parameter type kind; nil after a problem.
func paramValue(n strictyaml.Node, kind string) ref.Val {
	switch kind {
	case "int":
		return types.Int(n.Int(math.MinInt64, math.MaxInt64))
	case "bool":
		return types.Bool(n.Bool())
	case "string":
		s := n.String()
		if len(s) > maxString {
			n.Errorf("string has %d characters, at most %d are allowed", len(s), maxString)
		}
		return types.String(s)
	case "ratio":
		r, err := ParseRatio(n.Text())
		if err != nil {
			n.Errorf("%v", err)
			return nil
		}
		return r
	case "map(int)":
		entries := n.Entries()
		if len(entries) > MaxResources {
			n.Errorf("map has %d entries, at most %d are allowed", len(entries), MaxResources)
		}
		m := Resources{}
		for _, e := range entries {
			m[e.Key] = e.Value.Int(math.MinInt64, math.MaxInt64)
		}
		return amountsOf(m)
	}
	return nil
}

func (p *Policy) parseVariables(c *compiler, n strictyaml.Node) {
	fields := c.provider.fields[variablesType.TypeName()]
	for _, item := range n.List() {
		f := item.Fields([]string{"name", "expression"})
		name := f["name"].String()
		if !identifier.MatchString(name) {
			f["name"].Errorf("name %q is not an identifier such as share", name)
			continue
		}
		if fields[name] != nil {
			f["name"].Errorf("variable %q is already declared", name)
			continue
		}
		e := c.compile(f["expression"])
		if e == nil {
			continue
		}
		if e.out.Kind() == types.MapKind && !e.out.IsExactType(amountsType) {
			f["expression"].Errorf("the expression is a %s; the only maps are %s", e.out, amountsType)
			continue
		}
		i := len(p.variables)
		p.variables = append(p.variables, variable{name, e})
		c.vars["variables."+name] = e.refs
		fields[name] = &types.FieldType{
			Type:  e.out,
			IsSet: func(any) bool { return true },
			GetFrom: func(target any) (any, error) {
				s, ok := target.(*scope)
				if !ok {
					return nil, fmt.Errorf("not variables: %T", target)
				}
				return s.variable(i)
			},
		}
	}
}

func parseRules(c *compiler, n strictyaml.Node) []rule {
	var out []rule
	for _, item := range n.List() {
		f := item.Fields([]string{"expression"}, "message", "messageExpression")
		r := rule{expr: c.compile(f["expression"], types.BoolType), message: f["message"].String()}
		switch {
		case f["message"].Present() && f["messageExpression"].Present():
			item.Errorf("give message or messageExpression, not both")
		case f["messageExpression"].Present():
			r.messageExpr = c.compile(f["messageExpression"], types.StringType)
		case r.message == "":
			item.Errorf("field %q or %q is missing", "message", "messageExpression")
		}
		if r.expr != nil {
			out = append(out, r)
		}
	}
	return out
}

func show(v ref.Val) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprint(types.Format(v))
}

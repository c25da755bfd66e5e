package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

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

// Mode says what becomes of a policy's decisions.
type Mode string

// The modes. In Shadow, limits and validations bind nobody: what they would have stopped is told, and goes ahead.
const (
	Enforce Mode = "Enforce"
	Shadow  Mode = "Shadow"
)

// Policy is a compiled sharing policy. It is immutable and may be used concurrently.
type Policy struct {
	name, description string
	file              string
	text              []byte
	mode              Mode
	byStage           bool
	params            []Param
	variables         []*Expression
	price, rank       *Expression
	grant, settle     *Expression
	limits            []Rule
	validations       []Rule
	compiler          *compiler // for statements
	warnings          strictyaml.Errors
}

// Rule is a limit or a validation: what must hold, and what is said when it does not.
type Rule struct {
	*Expression
	// Message is said when Says is nil.
	Message string
	// Says is a string expression; nil when Message is given.
	Says *Expression
	// Reason is one word for programs, such as OverQuota.
	Reason string
}

// Tenant says that the rule is about one tenant: it or its message reads tenant or oldTenant.
func (r Rule) Tenant() bool { return r.refs.tenant || r.Says != nil && r.Says.refs.tenant }

// Name is the policy's metadata.name.
func (p *Policy) Name() string { return p.name }

// Description is the policy's metadata.description.
func (p *Policy) Description() string { return p.description }

// File is what the document was called when it was read.
func (p *Policy) File() string { return p.file }

// Mode says whether the policy is enforced.
func (p *Policy) Mode() Mode { return p.mode }

// ByStage says that the policy is asked about every stage of the pipeline by itself, too: sramBlocks/0 and so on, beside sramBlocks.
func (p *Policy) ByStage() bool { return p.byStage }

// Text is the document as it was read.
func (p *Policy) Text() []byte { return append([]byte(nil), p.text...) }

// Variables are the policy's variables; each reads only those before it.
func (p *Policy) Variables() []*Expression { return append([]*Expression(nil), p.variables...) }

// Price is what a tenant's usage costs for an epoch, in credits: a Ratio or int. It is nil when the policy has none.
func (p *Policy) Price() *Expression { return p.price }

// Rank says who is served next: the tenant of least rank, a Ratio or int; ties go by name.
func (p *Policy) Rank() *Expression { return p.rank }

// Grant is what the tenant is offered: a map(string, int).
func (p *Policy) Grant() *Expression { return p.grant }

// Settle is what a tenant's balance is after the epoch: a Ratio or int. It is nil when the policy leaves balances alone.
func (p *Policy) Settle() *Expression { return p.settle }

// Limits must hold for a grant to be made; tenant, tenants and free already include it.
func (p *Policy) Limits() []Rule { return append([]Rule(nil), p.limits...) }

// Validations must hold of the allocation when the filling is done.
func (p *Policy) Validations() []Rule { return append([]Rule(nil), p.validations...) }

// Warnings are what is legal and looks like a mistake: names that nothing reads.
func (p *Policy) Warnings() strictyaml.Errors { return append(strictyaml.Errors(nil), p.warnings...) }

// Expressions are all expressions of the document, in its order of evaluation.
func (p *Policy) Expressions() []*Expression {
	out := p.Variables()
	for _, e := range []*Expression{p.price, p.rank, p.grant} {
		if e != nil {
			out = append(out, e)
		}
	}
	for _, r := range append(p.Limits(), p.validations...) {
		out = append(out, r.Expression)
		if r.Says != nil {
			out = append(out, r.Says)
		}
	}
	if p.settle != nil {
		out = append(out, p.settle)
	}
	return out
}

// Digest identifies the policy: the document's text and the parameters' values.
func (p *Policy) Digest() string {
	var b strings.Builder
	fmt.Fprintf(&b, "interlock/policy/v1 %d\n%s", len(p.text), p.text)
	for _, q := range p.params {
		fmt.Fprintf(&b, "\nparam %q = %s", q.Name, show(q.Value))
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Load reads a policy: "builtin:NAME" is one of those that the binary carries, anything else is the path of a file.
func Load(nameOrPath string) (*Policy, error) {
	if name, ok := strings.CutPrefix(nameOrPath, Builtin); ok {
		b, ok := specs.Policy(name)
		if !ok {
			return nil, fmt.Errorf("policy %q: no such built-in policy (there are: %s)", nameOrPath, joined(specs.PolicyNames()))
		}
		return Parse(nameOrPath, b)
	}
	f, err := os.Open(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1)) // a longer one is refused by its size
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return Parse(nameOrPath, b)
}

var identifier = regexp.MustCompile(`^[a-z][a-zA-Z0-9]{0,62}$`)

var documentName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// maxItems bounds each list of a document.
const maxItems = 256

var reasonPattern = regexp.MustCompile(`^[A-Z][a-zA-Z0-9]{0,62}$`)

// Parse compiles a document. The error is a strictyaml.Errors with every problem and its position.
func Parse(file string, src []byte) (*Policy, error) {
	doc, root := strictyaml.Parse(file, src)
	p := &Policy{file: file, text: append([]byte(nil), src...), mode: Enforce}
	top := root.Fields([]string{"apiVersion", "kind", "metadata", "spec"})
	top["apiVersion"].OneOf(APIVersion)
	top["kind"].OneOf(Kind)
	meta := top["metadata"].Fields([]string{"name"}, "description")
	p.name, p.description = meta["name"].String(), meta["description"].String()
	if p.name != "" && !documentName.MatchString(p.name) {
		meta["name"].Errorf("name %q is not of lower-case letters, digits and dashes", p.name)
	}
	spec := top["spec"].Fields([]string{"rank", "grant"}, "mode", "byStage", "params", "variables", "price", "limits", "validations", "settle")
	if m := spec["mode"]; m.Present() {
		p.mode = Mode(m.OneOf(string(Enforce), string(Shadow)))
	}
	p.byStage = spec["byStage"].Bool()
	c := &compiler{file: file, doc: doc, vars: map[string]*refs{}, used: map[string]bool{}, broken: map[string]bool{}}
	var err error
	if c.env, err = newEnv(&c.provider); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p.parseParams(c, spec["params"])
	p.parseVariables(c, spec["variables"])
	if spec["price"].Present() {
		if p.price = c.compile(RolePrice, spec["price"], ratioType, types.IntType); p.price != nil {
			c.price = &p.price.refs
		}
		c.provider.fields[tenantType.TypeName()][costField] = costOf()
	}
	p.rank = c.compile(RoleRank, spec["rank"], ratioType, types.IntType)
	p.grant = c.compile(RoleGrant, spec["grant"], amountsType)
	p.limits = parseRules(c, RoleLimit, spec["limits"])
	p.validations = parseRules(c, RoleValidation, spec["validations"])
	if spec["settle"].Present() {
		p.settle = c.compile(RoleSettle, spec["settle"], ratioType, types.IntType)
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	p.compiler = c
	p.warnings = append(c.unused(), p.unasked()...)
	return p, nil
}

// few is a list that is not too long.
func few(n strictyaml.Node, what string) []strictyaml.Node {
	items := n.List()
	if len(items) > maxItems {
		n.Errorf("there are %d %s, at most %d are allowed", len(items), what, maxItems)
		return nil
	}
	return items
}

func (p *Policy) parseVariables(c *compiler, n strictyaml.Node) {
	fields := c.provider.fields[variablesType.TypeName()]
	for _, item := range few(n, "variables") {
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
		e := c.compile(RoleVariable, f["expression"])
		if e == nil {
			c.broken["variables."+name] = true
			continue
		}
		if e.Type.Kind() == types.MapKind && !e.Type.Parameters()[0].IsExactType(types.StringType) {
			f["expression"].Errorf("the expression is a %s; the only maps are those with strings as keys", TypeName(e.Type))
			c.broken["variables."+name] = true
			continue
		}
		e.Name = name
		c.declare("variables."+name, f["name"])
		i := len(p.variables)
		p.variables = append(p.variables, e)
		c.vars[name] = &e.refs
		fields[name] = &types.FieldType{
			Type:  e.Type,
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

func parseRules(c *compiler, role Role, n strictyaml.Node) []Rule {
	var out []Rule
	for _, item := range few(n, string(role)+"s") {
		f := item.Fields([]string{"expression"}, "message", "messageExpression", "reason")
		r := Rule{Expression: c.compile(role, f["expression"], types.BoolType), Message: f["message"].String(), Reason: ReasonLimit}
		if role == RoleValidation {
			r.Reason = ReasonInvalid
		}
		switch {
		case f["message"].Present() && f["messageExpression"].Present():
			item.Errorf("give message or messageExpression, not both")
		case f["messageExpression"].Present():
			r.Says = c.compile(RoleMessage, f["messageExpression"], types.StringType)
		case r.Message == "":
			item.Errorf("field %q or %q is missing", "message", "messageExpression")
		}
		if n := f["reason"]; n.Present() {
			if r.Reason = n.String(); !reasonPattern.MatchString(r.Reason) {
				n.Errorf("reason %q is not one word such as OverQuota", r.Reason)
			}
		}
		if r.Expression != nil {
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

func joined(names []string) string { return strings.Join(names, ", ") }

package policy

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/verify/smt"
)

// Version and kind of a document of statements.
const (
	APIVersion = "interlock/v1alpha1"
	Kind       = "PolicyStatements"
)

// Schema is the JSON Schema of a document of statements.
//
//go:embed schema.json
var Schema []byte

// Form says what a statement claims.
type Form string

// The forms of statements.
const (
	// Always: the expression holds in every state that the filling reaches, for every tenant if it reads tenant.
	Always Form = "always"
	// Closes: it holds of a tenant whenever that one is served no more, in the state in which this is decided.
	Closes Form = "closes"
	// Finally: it holds in every allocation that the filling ends with and that the validations admit.
	Finally Form = "finally"
	// Monotone: the expression, an int, a Ratio or a bool, changes in one direction only when one field of tenant does.
	Monotone Form = "monotone"
	// Admits: whatever allocation another policy admits, this one admits too.
	Admits Form = "admits"
	// Sound: no expression of the policy ends in an error.
	Sound Form = "sound"
	// Books: what the engine counts on is kept by every grant. It is proved for every policy.
	Books Form = "books"
	// Limits: whoever holds something is within every limit, in every state that the filling reaches.
	Limits Form = "limits"
)

// A Statement is a claim about a policy, for all inputs within bounds.
type Statement struct {
	Name  string
	Form  Form
	At    sharing.Position
	expr  *expression
	given []*expression // about the input
	using []string      // other statements that are taken for granted, because they are proved as well
	field string        // of Monotone
	is    string        // rising or falling
	other *sharing.Policy
	size  size
	// policy is what the statement is about, with the values that bounds give its parameters, if they do: own.
	policy *sharing.Policy
	own    bool
	// ranked: the claim speaks of ranks, so that it depends on whose turn it is.
	ranked bool
}

// size is the tenants and resources for which a statement is proved, unless a site says it; where it is empty, see told.
type size struct {
	tenants, resources []string
	minCapacity        int64
	params             strictyaml.Node // not of the document's, which are applied first
}

// For how many tenants and resources a statement can be proved, unless a site says for which: the policy's loops are unrolled. And how many
// statements a document may have.
const (
	MaxTenants    = 8
	MaxResources  = 8
	MaxStatements = 64
)

// expression is a checked expression with its place in the document of statements.
type expression struct {
	*sharing.Expression
	text  string
	scene *scene
}

// Standard are the statements that are proved for every policy.
func Standard(p *sharing.Policy) []*Statement {
	at := sharing.Position{File: p.File(), Line: 1, Col: 1}
	out := []*Statement{{Name: "capacity is never exceeded, every tenant keeps its min", Form: Books, At: at}}
	if len(p.Limits()) > 0 {
		out = append(out, &Statement{Name: "no step breaks a limit", Form: Limits, At: p.Limits()[0].At})
	}
	return out
}

// ParseStatements reads a document of statements about p. load finds the other policies that it names. The error is a strictyaml.Errors
// with every problem and its position.
func ParseStatements(file string, src []byte, p *sharing.Policy, load func(name string) (*sharing.Policy, error)) ([]*Statement, error) {
	doc, root := strictyaml.Parse(file, src)
	top := root.Fields([]string{"apiVersion", "kind", "statements"}, "bounds")
	top["apiVersion"].OneOf(APIVersion)
	top["kind"].OneOf(Kind)
	usual := readSize(top["bounds"], size{})
	base, changed := p, usual.params.Present()
	if changed {
		base = p.With(usual.params)
	}
	var out []*Statement
	names := map[string]bool{}
	list := top["statements"].List()
	if len(list) > MaxStatements {
		top["statements"].Errorf("there are %d statements, at most %d are allowed", len(list), MaxStatements)
		list = nil
	}
	others := map[string]*sharing.Policy{}
	var unread error // of another policy: no more are looked at then
	for _, n := range list {
		f := n.Fields([]string{"name"}, "always", "closes", "finally", "monotone", "in", "is", "admits", "sound", "given", "using", "bounds")
		s := &Statement{Name: f["name"].String(), At: sharing.Position{File: file, Line: n.Line(), Col: n.Col()}}
		if names[s.Name] {
			f["name"].Errorf("statement %q is already there", s.Name)
		}
		s.size = readSize(f["bounds"], usual)
		s.policy, s.own = base, changed
		if own := s.size.params; own.Present() {
			s.policy, s.own = base.With(own), true
		}
		check := func(n strictyaml.Node, want *types.Type) *expression { return compile(n, s.policy, want) }
		for _, form := range []Form{Always, Closes, Finally, Monotone, Admits, Sound} {
			v := f[string(form)]
			if !v.Present() {
				continue
			}
			if s.Form != "" {
				v.Errorf("a statement is either %s or %s", s.Form, form)
				continue
			}
			s.Form = form
			switch form {
			case Always, Closes, Finally:
				if s.expr = check(v, types.BoolType); s.expr != nil {
					s.ranked = calls(s.expr, "@rank")
				}
			case Monotone:
				if s.expr = check(v, nil); s.expr != nil && s.expr.Type.Kind() != types.BoolKind && s.expr.Type.Kind() != types.IntKind &&
					s.expr.Type.TypeName() != ratioName {
					v.Errorf("the expression is a %s; want an int, a Ratio or a bool", s.expr.Type)
				}
				s.field = f["in"].OneOf("weight", "budget")
				s.is = f["is"].OneOf("rising", "falling")
				for _, part := range []struct{ name, want string }{{"in", "weight or budget"}, {"is", "rising or falling"}} {
					if !f[part.name].Present() {
						v.Errorf("monotone needs the field %q: %s", part.name, part.want)
					}
				}
			case Admits:
				name := v.String()
				if others[name] == nil && unread == nil {
					if others[name], unread = load(name); unread != nil {
						v.Errorf("%v", unread)
					}
				}
				s.other = others[name]
			case Sound:
				if !v.Bool() {
					v.Errorf("the only thing to say is true")
				}
			}
		}
		if s.Form == "" {
			n.Errorf("want one of the fields always, closes, finally, monotone, admits and sound")
		}
		if (f["in"].Present() || f["is"].Present()) && s.Form != Monotone {
			n.Errorf("in and is go with monotone")
		}
		for _, g := range f["given"].List() {
			if e := check(g, types.BoolType); e != nil {
				s.given = append(s.given, e)
			}
		}
		for _, u := range f["using"].List() {
			if why := usable(out, u.String(), s); why != "" {
				u.Errorf("%s", why)
			}
			s.using = append(s.using, u.String())
		}
		names[s.Name] = true
		out = append(out, s)
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// usable says why s cannot take the statement of that name for granted; empty: it can, if it is proved for the same tenants and resources (see
// sized). It could not if that were proved of fewer states, or of another policy.
func usable(before []*Statement, name string, s *Statement) string {
	for _, u := range before {
		if u.Name != name {
			continue
		}
		switch {
		case u.Form != Always:
			return fmt.Sprintf("statement %q is a %s, which does not hold in every state; only an always can be used", name, u.Form)
		case u.own != s.own || u.own && u.policy.Digest() != s.policy.Digest():
			return fmt.Sprintf("statement %q is about other params", name)
		}
		for _, g := range u.given {
			if !slices.ContainsFunc(s.given, func(mine *expression) bool { return mine.text == g.text }) {
				return fmt.Sprintf("statement %q is proved where %s, which is not given here", name, oneLine(g.text))
			}
		}
		return ""
	}
	return fmt.Sprintf("there is no statement %q before this one", name)
}

// calls says that e calls a function.
func calls(e *expression, name string) bool {
	found := false
	ast.PreOrderVisit(ast.NavigateAST(e.AST()), ast.NewExprVisitor(func(x ast.Expr) {
		found = found || x.Kind() == ast.CallKind && x.AsCall().FunctionName() == name
	}))
	return found
}

const ratioName = "interlock.Ratio"

func readSize(n strictyaml.Node, usual size) size {
	if usual.params = (strictyaml.Node{}); !n.Present() {
		return usual
	}
	f := n.Fields(nil, "tenants", "resources", "minimumCapacity", "params")
	names := func(n strictyaml.Node, usual []string, most int) []string {
		if !n.Present() {
			return usual
		}
		var out []string
		for _, x := range n.List() {
			out = append(out, x.String())
		}
		if len(out) == 0 || len(out) > most {
			n.Errorf("there are %d names, want 1 to %d", len(out), most)
		}
		slices.Sort(out)
		if len(slices.Compact(slices.Clone(out))) < len(out) {
			n.Errorf("a name is there twice")
		}
		return out
	}
	usual.tenants = names(f["tenants"], usual.tenants, MaxTenants)
	usual.resources = names(f["resources"], usual.resources, MaxResources)
	if v := f["minimumCapacity"]; v.Present() {
		usual.minCapacity = v.Int(0, 1<<62)
	}
	usual.params = f["params"]
	return usual
}

// compile checks the expression in n; problems go to its document.
func compile(n strictyaml.Node, p *sharing.Policy, want *types.Type) *expression {
	text := n.Text()
	if text == "" {
		n.Errorf("expression is empty")
		return nil
	}
	s := &scene{policy: p}
	checked := p.StatementIn(n, want, s.functions()...)
	if checked == nil {
		return nil
	}
	return &expression{Expression: checked, text: text, scene: s}
}

// scene is what the functions of statements look at while cel-go evaluates one.
type scene struct {
	policy  *sharing.Policy
	state   *sharing.State
	stopped map[string]bool
	quantum map[string]sharing.Resources
}

// functions are those that only statements have: rank(t) is the policy's rank of a tenant, admitted(t) whether every limit holds for it,
// stopped(t) whether it is served no more, quantum(t) the largest of its quanta, by resource. They are macros over its name.
func (s *scene) functions() []cel.EnvOption {
	tenant := func(f func(name string) ref.Val) cel.OverloadOpt {
		return cel.UnaryBinding(func(v ref.Val) ref.Val {
			if s.state == nil {
				return types.NewErr("there is no state to look at")
			}
			return f(string(v.(types.String)))
		})
	}
	var out []cel.EnvOption
	for _, f := range []struct {
		name   string
		result *types.Type
		is     func(name string) ref.Val
	}{
		{"rank", types.NewObjectType(ratioName), s.rank},
		{"admitted", types.BoolType, s.admitted},
		{"stopped", types.BoolType, func(n string) ref.Val { return types.Bool(s.stopped[n]) }},
		{"quantum", types.NewMapType(types.StringType, types.IntType), func(n string) ref.Val {
			return types.DefaultTypeAdapter.NativeToValue(map[string]int64(s.quantum[n]))
		}},
	} {
		out = append(out,
			cel.Macros(cel.GlobalMacro(f.name, 1, func(m cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
				return m.NewCall("@"+f.name, m.NewSelect(args[0], "name")), nil
			})),
			cel.Function("@"+f.name, cel.Overload(f.name+"_of_tenant", []*types.Type{types.StringType}, f.result, tenant(f.is))))
	}
	return out
}

func (s *scene) rank(name string) ref.Val {
	v, err := s.state.Eval(s.policy.Rank(), name)
	if err != nil {
		return types.WrapErr(err)
	}
	if n, ok := v.(types.Int); ok {
		r, err := sharing.NewRatio(int64(n), 1)
		if err != nil {
			return types.WrapErr(err)
		}
		return r
	}
	return v
}

func (s *scene) admitted(name string) ref.Val {
	for _, l := range s.policy.Limits() {
		v, err := s.state.Eval(l.Expression, name)
		if err != nil {
			return types.WrapErr(err)
		}
		if v != types.True {
			return types.False
		}
	}
	return types.True
}

// called is what a function of statements means: for whichever tenant has the name.
func (s *state) called(t *translator, name string, vs []value) (result, bool) {
	var f func(m *member) result
	switch name {
	case "@rank":
		f = func(m *member) result { return t.asRatio(t.nested(s.policy.Rank(), s.scope(m).name)) }
	case "@admitted":
		f = func(m *member) result {
			r, err := s.admitted(m)
			if u, ok := err.(*Unprovable); ok { //nolint:errorlint // translate returns it as it is
				panic(u)
			}
			return r
		}
	case "@stopped":
		f = func(m *member) result { return t.ok(boolean{m.stopped}) }
	case "@quantum":
		f = func(m *member) result {
			q := s.amounts(m.quantum)
			q.ours, q.ordered = nil, false
			return t.ok(q)
		}
	default:
		return result{}, false
	}
	return pick(t, as[text](t, vs[0]), func(name string) result {
		for _, m := range s.tenants {
			if m.name == name {
				return f(m)
			}
		}
		return t.failed()
	}), true
}

// at evaluates a statement's expression in s, about m or nobody.
func (s *state) at(e *expression, m *member) (result, error) {
	sc := s.scope(m)
	return translateWith(s.b, e, sc.name, s.called)
}

// holdsAt says that e is true in s, for every tenant if it is about one.
func (s *state) holdsAt(e *expression) (*smt.Term, error) {
	about := []*member{nil}
	if e.Tenant() {
		about = s.tenants
	}
	var all []*smt.Term
	for _, m := range about {
		r, err := s.at(e, m)
		if err != nil {
			return nil, err
		}
		all = append(all, yes(s.b, r))
	}
	return s.b.And(all...), nil
}

func (s *Statement) String() string { return fmt.Sprintf("%s (%s)", s.Name, s.Form) }

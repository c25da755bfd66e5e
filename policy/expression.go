package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/interlock/interlock/policy/strictyaml"
)

// Role says what an expression is for.
type Role string

// The roles. A statement stands in no document; it is about one.
const (
	RoleVariable   Role = "variable"
	RolePrice      Role = "price"
	RoleRank       Role = "rank"
	RoleGrant      Role = "grant"
	RoleLimit      Role = "limit"
	RoleValidation Role = "validation"
	RoleMessage    Role = "message"
	RoleSettle     Role = "settle"
	RoleStatement  Role = "statement"
)

// Expression is a checked expression of a policy, for those who read policies otherwise than by evaluating them.
type Expression struct {
	Role Role
	Name string // of a variable; else empty
	At   Position
	Text string
	Type *types.Type
	// Cost is the most that one evaluation may cost, for MaxTenants tenants and MaxResources resources, variables and price apart.
	Cost uint64

	checked *cel.Ast
	prog    cel.Program
	tracked func() (cel.Program, error) // prog, with notes of what it evaluates
	refs    refs
	where   func(line, col int) (int, int)
}

// Position in a document. Line and Col count from 1.
type Position struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// AST is the checked syntax tree, macros expanded. It must not be changed.
func (e *Expression) AST() *ast.AST { return e.checked.NativeRep() }

// Position is where the node id of AST stands in the document; At when it stands nowhere.
func (e *Expression) Position(id int64) Position {
	loc := e.AST().SourceInfo().GetStartLocation(id)
	if loc.Line() < 1 {
		return e.At
	}
	l, c := e.where(loc.Line(), loc.Column())
	return Position{e.At.File, l, c}
}

// Tenant says that the expression is about one tenant: it reads tenant or oldTenant, perhaps through a variable.
func (e *Expression) Tenant() bool { return e.refs.tenant }

// Others says that the expression reads what changes when another tenant is granted something: free, or what some tenant other than
// its own holds, asks for or pays.
func (e *Expression) Others() bool { return e.refs.others }

// Fields are the fields of tenants that the expression reads, through variables too, sorted.
func (e *Expression) Fields() []string { return slices.Sorted(maps.Keys(e.refs.fields)) }

// Params are the parameters that the expression reads, through variables too, sorted.
func (e *Expression) Params() []string { return slices.Sorted(maps.Keys(e.refs.params)) }

// refs says what an expression reads, through variables; fields and params apart, through the price too.
type refs struct {
	tenant         bool
	others         bool
	facts          Facts
	fields, params map[string]bool
}

func (r refs) or(s refs) refs {
	return refs{r.tenant || s.tenant, r.others || s.others, r.facts.or(s.facts), union(r.fields, s.fields), union(r.params, s.params)}
}

func union(a, b map[string]bool) map[string]bool {
	out := map[string]bool{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// compiler compiles the expressions of one document; variables are added to it as they are compiled.
type compiler struct {
	file     string
	doc      *strictyaml.Doc
	env      *cel.Env
	provider *provider
	vars     map[string]*refs
	price    *refs // nil: tenants have no cost
	names    []declared
	used     map[string]bool
	broken   map[string]bool // params.NAME and variables.NAME that are declared, but not well
}

// declared is a name that the document declares, with its place.
type declared struct {
	name string
	at   strictyaml.Node
}

func (c *compiler) declare(name string, at strictyaml.Node) {
	c.names = append(c.names, declared{name, at})
}

// unused are the declared names that no expression reads.
func (c *compiler) unused() strictyaml.Errors {
	var out strictyaml.Errors
	for _, d := range c.names {
		if !c.used[d.name] {
			out = append(out, &strictyaml.Error{File: c.file, Line: d.at.Line(), Col: d.at.Col(), Msg: d.name + " is never read"})
		}
	}
	return out
}

// oneStage is the name of a resource of one stage of the pipeline.
var oneStage = regexp.MustCompile(`^[A-Za-z]+/[0-9]+$`)

// unasked are the names of resources of one stage in a policy that is asked about the totals only.
func (p *Policy) unasked() strictyaml.Errors {
	if p.byStage {
		return nil
	}
	var out strictyaml.Errors
	for _, e := range p.Expressions() {
		ast.PreOrderVisit(e.AST().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
			if x.Kind() != ast.LiteralKind {
				return
			}
			if s, ok := x.AsLiteral().Value().(string); ok && oneStage.MatchString(s) {
				at := e.Position(x.ID())
				out = append(out, &strictyaml.Error{
					File: at.File, Line: at.Line, Col: at.Col, Msg: fmt.Sprintf("%s is asked about with 'byStage: true' only", s),
				})
			}
		}))
	}
	return out
}

// source is an expression's text with its place.
type source struct {
	text  string
	file  string
	where func(line, col int) (int, int) // as strictyaml.Node.Position
}

// compile compiles the expression in n; its type must be one of want. Problems go to the document.
func (c *compiler) compile(role Role, n strictyaml.Node, want ...*types.Type) *Expression {
	text, few := n.Expression()
	if !n.Present() || text == "" {
		if n.Present() && few {
			n.Errorf("expression is empty")
		}
		return nil
	}
	e, problems := c.check(role, source{text, c.file, n.Position}, want)
	for _, p := range problems {
		c.doc.Add(p.Line, p.Col, "%s", p.Msg)
	}
	return e
}

// check compiles one expression. It returns nil and every problem, or the expression and none; nil and none where all that is wrong is
// reported already, because it comes of a parameter or variable that is.
func (c *compiler) check(role Role, src source, want []*types.Type) (*Expression, strictyaml.Errors) {
	var problems strictyaml.Errors
	at := func(line, col int, format string, args ...any) {
		l, k := src.where(line, col)
		problems = append(problems, &strictyaml.Error{File: src.file, Line: l, Col: k, Msg: fmt.Sprintf(format, args...)})
	}
	parsed, issues := c.env.Parse(src.text)
	if issues.Err() == nil {
		if line, col, why := tooMuch(parsed.NativeRep()); why != "" { // checking types may take longer than its square
			at(line, col, "%s", why)
			return nil, problems
		}
	}
	checked := parsed
	if issues.Err() == nil {
		checked, issues = c.env.Check(parsed)
	}
	if issues.Err() != nil {
		for _, i := range issues.Errors() {
			if m := c.plainer(i.Message, parsed, i.ExprID); m != "" {
				at(i.Location.Line(), i.Location.Column(), "%s", m)
			}
		}
		return nil, problems
	}
	tree := checked.NativeRep()
	line, col := src.where(1, 0)
	e := &Expression{
		Role: role, At: Position{src.file, line, col}, Text: src.text, Type: checked.OutputType(), checked: checked, where: src.where,
	}
	c.inspect(e, func(id int64, format string, args ...any) {
		if len(problems) == 0 { // the same again around it would only be noise
			loc := tree.SourceInfo().GetStartLocation(id)
			at(loc.Line(), loc.Column(), format, args...)
		}
	})
	if len(problems) > 0 {
		return nil, problems
	}
	var names []string
	for _, w := range want {
		if e.Type.IsExactType(w) {
			names = nil
			break
		}
		names = append(names, TypeName(w))
	}
	if len(names) > 0 {
		at(1, 0, "the expression is a %s; want %s", TypeName(e.Type), strings.Join(names, " or "))
		return nil, problems
	}
	limit := costLimit(e)
	cost, err := c.env.EstimateCost(checked, sizes{})
	if err != nil {
		at(1, 0, "cost: %v", err)
		return nil, problems
	}
	e.Cost = cost.Max
	if least, err := c.env.EstimateCost(checked, sizes{small: true}); err == nil && least.Max > MaxSmallCost {
		at(1, 0, "the expression may cost %d units with %d tenants and resources already; the limit is %d", least.Max, fewOf, MaxSmallCost)
		return nil, problems
	}
	if cost.Max > limit && role != RoleStatement { // statements are evaluated in small allocations, within what they may cost when they run
		at(1, 0, "the expression may cost %d units with %d tenants and %d resources; the limit is %d", cost.Max, MaxTenants, MaxResources, limit)
		return nil, problems
	}
	options := []cel.ProgramOption{cel.CostLimit(limit), cel.CostTrackerOptions(costTrackers()...)}
	env := c.env
	e.tracked = sync.OnceValues(func() (cel.Program, error) {
		return env.Program(checked, append(options, cel.EvalOptions(cel.OptTrackState))...)
	})
	e.prog, err = env.Program(checked, append(options, cel.EvalOptions(cel.OptOptimize))...)
	if err != nil {
		at(1, 0, "%v", err)
		return nil, problems
	}
	return e, nil
}

// maxElements bounds the lists and maps that are written in an expression, maxNodes all of it, macros expanded.
const (
	maxElements = 256
	maxNodes    = 3000
)

// tooMuch says where a parsed expression has more than is checked.
func tooMuch(tree *ast.AST) (line, col int, why string) {
	nodes := 0
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		elements := 0
		switch x.Kind() {
		case ast.ListKind:
			elements = x.AsList().Size()
		case ast.MapKind:
			elements = x.AsMap().Size()
		default:
		}
		nodes++
		switch {
		case why != "":
		case elements > maxElements:
			why = fmt.Sprintf("a list or map of %d elements, at most %d can be written", elements, maxElements)
		case nodes > maxNodes:
			why = fmt.Sprintf("the expression has over %d parts", maxNodes)
		}
		if why != "" && line == 0 {
			loc := tree.SourceInfo().GetStartLocation(x.ID())
			line, col = max(loc.Line(), 1), max(loc.Column(), 0)
		}
	}))
	return line, col, why
}

// inspect reports what no decision may have in it, and notes what the expression reads.
func (c *compiler) inspect(e *Expression, report func(id int64, format string, args ...any)) {
	tree := e.AST()
	ast.PreOrderVisit(ast.NavigateAST(tree), ast.NewExprVisitor(func(x ast.Expr) {
		if bad, why := forbidden(tree.GetType(x.ID()), empty(x)); why != "" {
			report(x.ID(), "type %s is not allowed here: %s", TypeName(bad), why)
		}
		if depth(tree.GetType(x.ID())) > maxTypeDepth {
			report(x.ID(), "type %s is nested too deep: at most a list or map of lists or maps", TypeName(tree.GetType(x.ID())))
		}
		switch x.Kind() {
		case ast.ComprehensionKind:
			names := Names()
			for _, v := range []string{x.AsComprehension().IterVar(), x.AsComprehension().IterVar2(), x.AsComprehension().AccuVar()} {
				if names[v] != nil {
					report(x.ID(), "%s is the name of something else already", v)
				}
			}
			r := x.AsComprehension().IterRange()
			if tree.GetType(r.ID()).Kind() == types.MapKind && !ordered(tree, r) {
				report(r.ID(), "this map has no order to go through; make it a variable, or go through capacity and look up [?r] in it")
			}
		case ast.StructKind:
			report(x.ID(), "values of type %s cannot be built", x.AsStruct().TypeName())
		case ast.IdentKind:
			switch x.AsIdent() {
			case "tenant":
				e.refs.tenant = true
			case "oldTenant":
				e.refs.tenant, e.refs.facts.Old = true, true
			case "free":
				e.refs.others = true
			}
		case ast.SelectKind:
			c.selects(e, tree, x.AsSelect().Operand(), x.AsSelect().FieldName())
		case ast.CallKind:
			args := x.AsCall().Args()
			switch {
			case x.AsCall().FunctionName() == operators.OptSelect && len(args) == 2 && args[1].Kind() == ast.LiteralKind:
				c.selects(e, tree, args[0], fmt.Sprint(args[1].AsLiteral().Value()))
			case x.AsCall().FunctionName() == operators.Add && tree.GetType(x.ID()).Kind() == types.ListKind && !accumulates(args[0]):
				report(x.ID(), "lists cannot be joined: what they hold in the end could not be bounded")
			}
		}
	}))
}

// selects notes what reading a field reads.
func (c *compiler) selects(e *Expression, tree *ast.AST, operand ast.Expr, field string) {
	switch t := tree.GetType(operand.ID()); t.TypeName() {
	case variablesType.TypeName():
		c.used["variables."+field] = true
		if r := c.vars[field]; r != nil {
			e.refs = e.refs.or(*r)
		}
	case paramsType.TypeName():
		c.used["params."+field] = true
		e.refs.params = union(e.refs.params, map[string]bool{field: true})
	case tenantType.TypeName():
		e.refs.fields = union(e.refs.fields, map[string]bool{field: true})
		own := operand.Kind() == ast.IdentKind && (operand.AsIdent() == "tenant" || operand.AsIdent() == "oldTenant")
		switch field {
		case "usage", "demand":
			e.refs.others = e.refs.others || !own
		case costField:
			e.refs.others = e.refs.others || !own || c.price != nil && c.price.others
			if c.price != nil {
				e.refs.facts = e.refs.facts.or(c.price.facts)
			}
		case "active":
			e.refs.facts.Active = true
		case "utility":
			e.refs.facts.Utility = true
		case "balance":
			e.refs.facts.Balance = true
		}
	}
}

// accumulates says that x is where a macro gathers its result. Such names begin with @, so that no document has them.
func accumulates(x ast.Expr) bool {
	return x.Kind() == ast.IdentKind && strings.HasPrefix(x.AsIdent(), "@")
}

// maxTypeDepth bounds how deep lists and maps hold each other: comparing two such values looks at everything in them, and the cost of
// that is counted for the outermost only.
const maxTypeDepth = 2

func depth(t *types.Type) int {
	if t == nil {
		return 0
	}
	deepest := 0
	for _, p := range t.Parameters() {
		deepest = max(deepest, depth(p))
	}
	if t.Kind() == types.ListKind || t.Kind() == types.MapKind || t.Kind() == types.OpaqueKind && len(t.Parameters()) > 0 { // an optional
		deepest++
	}
	return deepest
}

// empty says that x is [] or {}, whose element types may be left open.
func empty(x ast.Expr) bool {
	return x.Kind() == ast.ListKind && x.AsList().Size() == 0 || x.Kind() == ast.MapKind && x.AsMap().Size() == 0
}

// forbiddenKind is why no part of an expression may be of kind k, or empty.
func forbiddenKind(k types.Kind) string {
	switch k {
	case types.DoubleKind:
		return "doubles are not exact; use ratio(a, b)"
	case types.UintKind:
		return "use int"
	case types.DynKind, types.AnyKind, types.TypeParamKind:
		return "the type is not known before it runs"
	case types.TimestampKind, types.DurationKind:
		return "a decision must not depend on the time"
	case types.BytesKind:
		return "bytes have no use in a policy"
	case types.NullTypeKind:
		return "nothing is null in a policy; use an optional"
	case types.TypeKind:
		return "types are not values in a policy"
	}
	return ""
}

// forbidden finds a kind in t that no expression may have. open says that what t holds may be left open.
func forbidden(t *types.Type, open bool) (*types.Type, string) {
	if t == nil {
		return nil, ""
	}
	if why := forbiddenKind(t.Kind()); why != "" {
		return t, why
	}
	if !open {
		for _, p := range t.Parameters() {
			if bad, why := forbidden(p, false); why != "" {
				return bad, why
			}
		}
	}
	return nil, ""
}

// ordered says that the map x has a fixed order: it is one of the environment's, which go by name, as variables' do.
func ordered(tree *ast.AST, x ast.Expr) bool {
	switch x.Kind() {
	case ast.IdentKind:
		return x.AsIdent() == "capacity" || x.AsIdent() == "free"
	case ast.SelectKind:
		return tree.GetType(x.AsSelect().Operand().ID()).Kind() == types.StructKind
	}
	return false
}

// TypeName is a type as policies' authors know it.
func TypeName(t *types.Type) string { return strings.ReplaceAll(t.String(), "interlock.", "") }

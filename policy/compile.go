package policy

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/interlock/interlock/policy/strictyaml"
)

// expr is a compiled expression with its position in the document.
type expr struct {
	at   Position
	text string
	prog cel.Program
	out  *types.Type
	refs refs
}

// refs says what an expression reads, through variables too.
type refs struct {
	tenant bool
	others bool // tenants or free: changes when anybody is granted something
}

func (r refs) or(s refs) refs { return refs{r.tenant || s.tenant, r.others || s.others} }

// Position of an expression in its document. Line and Col count from 1.
type Position struct {
	File      string
	Line, Col int
}

// compiler compiles the expressions of one document; variables are added to it as they are compiled.
type compiler struct {
	file     string
	doc      *strictyaml.Doc
	env      *cel.Env
	provider *provider
	vars     map[string]refs
}

// forbidden are the kinds that no part of an expression may have, with the reason.
var forbidden = map[types.Kind]string{
	types.DoubleKind:    "doubles are not exact; use ratio(a, b)",
	types.UintKind:      "use int",
	types.DynKind:       "the type is not known before it runs",
	types.AnyKind:       "the type is not known before it runs",
	types.TimestampKind: "a decision must not depend on the time",
	types.DurationKind:  "a decision must not depend on the time",
	types.BytesKind:     "bytes have no use in a policy",
}

// compile compiles the expression in n; its type must be one of want. Problems go to the document.
func (c *compiler) compile(n strictyaml.Node, want ...*types.Type) *expr {
	text := n.Text()
	if !n.Present() || text == "" {
		if n.Present() {
			n.Errorf("expression is empty")
		}
		return nil
	}
	line, col := n.Position(1, 0)
	e := &expr{at: Position{c.file, line, col}, text: text}
	checked, issues := c.env.Compile(text)
	if issues.Err() != nil {
		for _, i := range issues.Errors() {
			l, k := n.Position(i.Location.Line(), i.Location.Column())
			c.doc.Add(l, k, "%s", strings.ReplaceAll(i.Message, "\n", " "))
		}
		return nil
	}
	tree := checked.NativeRep()
	ok := true
	report := func(id int64, format string, args ...any) {
		loc := tree.SourceInfo().GetStartLocation(id)
		l, k := n.Position(loc.Line(), loc.Column())
		c.doc.Add(l, k, format, args...)
		ok = false
	}
	ast.PreOrderVisit(ast.NavigateAST(tree), ast.NewExprVisitor(func(x ast.Expr) {
		if why := forbidden[tree.GetType(x.ID()).Kind()]; why != "" && ok {
			report(x.ID(), "type %s is not allowed here: %s", tree.GetType(x.ID()), why)
		}
		switch x.Kind() {
		case ast.ComprehensionKind:
			r := x.AsComprehension().IterRange()
			if tree.GetType(r.ID()).Kind() == types.MapKind && !ordered(tree, r) {
				report(r.ID(), "a map that is written here has no order to go through; make it a variable")
			}
		case ast.StructKind:
			report(x.ID(), "values of type %s cannot be built", x.AsStruct().TypeName())
		case ast.IdentKind:
			switch x.AsIdent() {
			case "tenant":
				e.refs.tenant = true
			case "price": // a function of the tenant, and of whatever its expression reads
				e.refs = e.refs.or(c.vars["price"])
				e.refs.tenant = true
			case "tenants", "free":
				e.refs.others = true
			}
		case ast.SelectKind:
			s := x.AsSelect()
			if s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == "variables" {
				e.refs = e.refs.or(c.vars["variables."+s.FieldName()])
			}
		}
	}))
	e.out = checked.OutputType()
	match := false
	var names []string
	for _, w := range want {
		match = match || e.out.IsExactType(w)
		names = append(names, w.String())
	}
	if !match && len(want) > 0 && ok {
		n.Errorf("the expression is a %s; want %s", e.out, strings.Join(names, " or "))
		ok = false
	}
	if !ok {
		return nil
	}
	cost, err := c.env.EstimateCost(checked, sizes{})
	if err != nil {
		n.Errorf("cost: %v", err)
		return nil
	}
	if cost.Max > MaxStaticCost {
		n.Errorf("the expression may cost %d units with %d tenants and %d resources; the limit is %d",
			cost.Max, MaxTenants, MaxResources, MaxStaticCost)
		return nil
	}
	e.prog, err = c.env.Program(checked, cel.CostLimit(MaxEvalCost), cel.CostTrackerOptions(costTrackers()...),
		cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		n.Errorf("%v", err)
		return nil
	}
	return e
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

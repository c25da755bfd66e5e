package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
)

// What expressions may call is a closed list: whoever adds to it must tell those who translate it.
func TestFunctions(t *testing.T) {
	have, err := policy.Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"matches", "timestamp", "duration", "double", "uint", "bytes", "dyn", "type", "int", "now"} {
		if have[bad] != nil {
			t.Errorf("%s can be called", bad)
		}
	}
	for _, good := range []string{"ratio", "dominantShare", "sum", "min", "max", "floor", "size", "string", "orValue"} {
		if have[good] == nil {
			t.Errorf("%s cannot be called", good)
		}
	}
	for name, ids := range have {
		for _, id := range ids {
			if strings.Contains(id, "double") || strings.Contains(id, "uint") || strings.Contains(id, "timestamp") {
				t.Errorf("%s has overload %s", name, id)
			}
		}
	}
}

// What each name and function gives, in a state with one grant made.
func TestStatements(t *testing.T) {
	p := parse(t, `params:
- {name: i, type: int, default: 7}
- {name: r, type: ratio, default: 0.25}
- {name: s, type: "list(string)", default: [b, a]}
- {name: m, type: "map(int)", default: {y: 2, x: 1}}
- {name: q, type: "map(ratio)", default: {y: 1/2}}
- {name: c, type: "map(string)", default: {a: gold, b: silver}}
variables:
- {name: share, expression: "dominantShare(tenant.usage, capacity)"}
- {name: doubled, expression: "capacity.transformMap(r, n, n * 2)"}
price: tenant.usage['x'] * 3
rank: variables.share
grant: tenant.demand`)
	half, _ := policy.NewRatio(1, 2)
	s, err := p.State([]policy.Tenant{
		{Name: "a", VID: 5, Weight: 2, Budget: 9, Balance: half, Active: true, Utility: half, Demand: repeat(3, amounts{"x": 2}), Held: amounts{"y": 1}},
		{Name: "b", Weight: 1, Demand: repeat(3, amounts{"x": 1, "y": 1}), Min: amounts{"x": 2}, Max: amounts{"x": 2, "y": 3}},
	}, amounts{"x": 10, "y": 4}, []amounts{{"x": 4}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []string{
		"tenant.name == 'a' && tenant.vid == 5 && tenant.weight == 2 && tenant.budget == 9",
		"tenant.balance == ratio(1, 2) && tenant.utility == tenant.balance && tenant.target == ratio(0) && tenant.active",
		"tenant.usage == {'x': 4, 'y': 0} && tenant.demand == {'x': 2, 'y': 0} && tenant.max['x'] == 6 && tenant.min['x'] == 0",
		"oldTenant.usage == {'x': 0, 'y': 1} && oldTenant.demand['x'] == 0 && oldTenant.name == 'a' && oldTenant.cost == ratio(0)",
		"tenants[1].name == 'b' && tenants[1].demand == {'x': 2, 'y': 2} && tenants[1].min['x'] == 2 && !tenants[1].active",
		"tenant.cost == ratio(12) && tenants.map(t, t.cost) == [ratio(12), ratio(0)]",
		"capacity == {'x': 10, 'y': 4} && free == {'x': 6, 'y': 4}",
		"params.i == 7 && params.r == ratio(1, 4) && params.s == ['b', 'a'] && params.m['y'] == 2",
		"params.q.y == ratio(1, 2) && params.c[tenant.name] == 'gold' && params.c[?'z'].orValue('tin') == 'tin'",
		"params.m.map(k, k) == ['x', 'y'] && has(params.m.x) && !has(params.m.z)",
		"variables.share == ratio(2, 5) && variables.doubled == {'y': 8, 'x': 20}",
		"variables.doubled.transformList(r, n, r + string(n)) == ['x20', 'y8']",
		"ratio(1, 3) + ratio(1, 6) == ratio(1, 2) && ratio(1, 3) < ratio(1, 2) && -ratio(1, 3) + 1 == ratio(2, 3)",
		"ratio(3, 4) * 2 / ratio(1, 2) - 1 == ratio(2) && floor(ratio(-1, 2)) == -1 && string(ratio(6, 4)) == '3/2'",
		"min([3, 1, 2]) == 1 && max([3, 1, 2]) == 3 && sum([3, 1, 2]) == 6",
		"min([ratio(1, 2), ratio(1, 3)]) == ratio(1, 3) && max([ratio(1, 2), ratio(1, 3)]) == ratio(1, 2) && sum([ratio(1, 2), ratio(1, 2)]) == ratio(1)",
		"[10, 20].all(i, v, v == (i + 1) * 10) && capacity.exists(r, n, r == 'y' && n == 4)",
		"optional.of(1).optMap(x, x + 1).orValue(0) == 2 && optional.of(1).hasValue()",
		"capacity.all(r, sum(tenants.map(t, t.usage[r])) <= capacity[r])",
		"tenants.exists_one(t, t.weight == 2) && tenants.filter(t, t.weight == 1).size() == 1",
	} {
		e, err := p.Statement("s", x, types.BoolType)
		if err != nil {
			t.Errorf("%s: %v", x, err)
			continue
		}
		if v, err := s.Eval(e, "a"); err != nil || v != types.True {
			t.Errorf("%s: %v, %v", x, v, err)
		}
	}
	for x, want := range map[string]string{
		"min([1].filter(i, i > 1)) == 1": "s:1:1: policy test refuses tenant a: min of an empty list",
		"capacity['z'] == 1":             "no such key: z",
		"ratio(1, 0) == ratio(1)":        "division by zero",
		"-9223372036854775807 - 2 == 0":  "overflow",
	} {
		e, err := p.Statement("s", x, types.BoolType)
		if err != nil {
			t.Errorf("%s: %v", x, err)
			continue
		}
		if v, err := s.Eval(e, "a"); !errors.Is(err, policy.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %s", x, v, err, want)
		}
	}
	for x, want := range map[string]string{
		"1 +":          "s:1:4: Syntax error",
		"true\n&& nop": "s:2:4: undeclared reference to 'nop'",
		"1":            "s:1:1: the expression is a int; want bool",
		"{'a': 1}.transformMap(k, v, v) == {'a': 1}": "s:1:1: this map has no order",
		"[1] + [2] == [1, 2]":                        "s:1:5: lists cannot be joined",
		"[[[1]]].size() == 1":                        "s:1:1: type list(list(list(int))) is nested too deep",
		"optional.none().hasValue()":                 "the type is not known before it runs",
		"[1, 'a'].size() == 2":                       "the type is not known before it runs",
		"null == null":                               "nothing is null in a policy",
		"int == int":                                 "types are not values in a policy",
		"1u == 1u":                                   "use int",
		"tenants[?0].hasValue() && tenants[?0].orValue(tenant).nope": "undefined field 'nope'",
	} {
		_, err := p.Statement("s", x, types.BoolType)
		var all strictyaml.Errors
		if !errors.As(err, &all) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", x, err, want)
		}
	}
}

// Every expression of a document is handed out, with its tree and the places of its nodes.
func TestExpressions(t *testing.T) {
	p := parse(t, `variables:
- {name: v, expression: "1 + 2"}
price: tenant.usage['x']
rank: variables.v
grant: >-
  tenant
  .demand
limits:
- {expression: "tenant.cost <= tenant.budget", messageExpression: "'x'", reason: TooDear}
validations:
- {expression: "true", message: m}
settle: tenant.balance - tenant.cost`)
	var have []string
	for _, e := range p.Expressions() {
		root := e.Position(e.AST().Expr().ID())
		have = append(have, fmt.Sprintf("%s %s %s %s %s", e.Role, e.Name, e.At, root, e.Type))
	}
	want := []string{
		"variable v p.yaml:7:28 p.yaml:7:30 int",
		"price  p.yaml:8:10 p.yaml:8:22 int",
		"rank  p.yaml:9:9 p.yaml:9:18 int",
		"grant  p.yaml:11:5 p.yaml:12:5 map(string, int)",
		"limit  p.yaml:14:19 p.yaml:14:31 bool",
		"message  p.yaml:14:70 p.yaml:14:70 string",
		"validation  p.yaml:16:19 p.yaml:16:19 bool",
		"settle  p.yaml:17:11 p.yaml:17:26 interlock.Ratio",
	}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("have\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if l := p.Limits()[0]; l.Reason != "TooDear" || !l.Tenant() || l.Says == nil || l.Others() {
		t.Errorf("limit %+v", l)
	}
	if v := p.Validations()[0]; v.Tenant() || v.Reason != policy.ReasonInvalid || v.Message != "m" {
		t.Errorf("validation %+v", v)
	}
}

// Each node of each built-in policy has a place in its document.
func TestPositions(t *testing.T) {
	for _, n := range specs.PolicyNames() {
		for _, e := range load(t, policy.Builtin+n).Expressions() {
			ast.PreOrderVisit(ast.NavigateAST(e.AST()), ast.NewExprVisitor(func(x ast.Expr) {
				if at := e.Position(x.ID()); at.Line < e.At.Line || at.Col < 1 {
					t.Errorf("%s: node %d is at %v", n, x.ID(), at)
				}
			}))
		}
	}
}

// What Entitle gives is admitted; one quantum more for anybody is not, where a limit or the capacity stopped the filling.
func TestAdmits(t *testing.T) {
	p := load(t, "builtin:quota")
	tenants := []policy.Tenant{
		{Name: "a", Weight: 1, Demand: repeat(9, amounts{"x": 1})},
		{Name: "b", Weight: 1, Demand: repeat(9, amounts{"x": 1})},
	}
	admits := func(a, b int64) error {
		s, err := p.State(tenants, amounts{"x": 9}, []amounts{{"x": a}, {"x": b}})
		if err != nil {
			t.Fatal(err)
		}
		return s.Admits(context.Background())
	}
	if err := admits(4, 4); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		a, b   int64
		reason string
	}{{5, 4, "OverQuota"}, {4, 6, policy.ReasonCapacity}} {
		var r *policy.Refusal
		if err := admits(tt.a, tt.b); !errors.As(err, &r) || r.Reason != tt.reason {
			t.Errorf("%d and %d: %v", tt.a, tt.b, err)
		}
	}
	if _, err := p.State([]policy.Tenant{{Name: "a", Weight: 1, Demand: repeat(2, amounts{"x": 2})}}, amounts{"x": 9}, []amounts{{"x": 3}}); !errors.Is(err, policy.ErrInput) {
		t.Errorf("part of a quantum: %v", err)
	}
}

// A policy in Shadow mode stops nobody and tells whom it would have.
func TestShadow(t *testing.T) {
	p := parse(t, "mode: Shadow\nrank: 1 / tenant.budget\ngrant: tenant.demand\nlimits:\n- {expression: \"tenant.usage['x'] <= 1\", message: too much, reason: TooMuch}\n"+
		"validations:\n- {expression: \"false\", message: never}")
	a, err := p.Entitle(context.Background(), []policy.Tenant{{Name: "a", Weight: 1, Demand: repeat(2, amounts{"x": 1})}}, amounts{"x": 2})
	if err != nil {
		t.Fatal(err)
	}
	if !a.Entitlements[0].Complete || a.Mode != policy.Shadow {
		t.Errorf("have %+v", a)
	}
	var have []string
	for _, r := range a.Shadowed {
		have = append(have, r.Reason+": "+r.Message)
	}
	want := []string{
		"ExpressionFailed: division by zero", "ExpressionFailed: division by zero", "TooMuch: too much", "ExpressionFailed: division by zero",
		"Invalid: never",
	}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("have %q", have)
	}
}

var _ ref.Val = policy.Ratio{}

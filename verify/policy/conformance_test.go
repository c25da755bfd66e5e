package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cel.dev/expr"
	"cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/prototext"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/smt"
)

// The conformance tests of CEL, as far as they are within the language of policies: the translation means what they expect.
// $INTERLOCK_CEL_SPEC names a checkout of google/cel-spec.
func TestConformance(t *testing.T) {
	root := os.Getenv("INTERLOCK_CEL_SPEC")
	if root == "" {
		t.Skip("INTERLOCK_CEL_SPEC names no checkout of google/cel-spec")
	}
	files, err := filepath.Glob(filepath.Join(root, "tests/simple/testdata/*.textproto"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", root, err)
	}
	p, err := sharing.Parse("p.yaml", document("rank: 0\ngrant: tenant.demand"))
	if err != nil {
		t.Fatal(err)
	}
	ran, refused, outside := 0, 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all test.SimpleTestFile
		if err := (prototext.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, &all); err != nil {
			continue // it needs message types that no policy has
		}
		for _, s := range all.GetSection() {
			for _, c := range s.GetTest() {
				e, err := p.Statement("test", c.GetExpr(), nil)
				if err != nil || len(c.GetBindings()) > 0 || c.GetDisableCheck() || c.GetDisableMacros() {
					outside++
					continue
				}
				st := newState(smt.NewBuilder(), p, Bounds{Tenants: []string{"a"}, Resources: []string{"x"}}, "")
				have, err := translate(st.b, e, st.scope(nil).name)
				if err != nil {
					refused++
					t.Logf("%s/%s/%s: %v", all.GetName(), s.GetName(), c.GetName(), err)
					continue
				}
				var want string
				switch m := c.GetResultMatcher().(type) {
				case *test.SimpleTest_Value:
					want = spec(m.Value)
				case *test.SimpleTest_EvalError, *test.SimpleTest_AnyEvalErrors:
					want = "error"
				case nil:
					want = "true"
				default:
					outside++
					continue
				}
				ran++
				got := "error"
				if bad, known := smt.Eval(have.err, nil).Bool(); !known {
					got = "neither value nor error"
				} else if !bad {
					got = concrete(have.v, nil)
				}
				if got != want {
					t.Errorf("%s/%s/%s: %s: have %s, want %s", all.GetName(), s.GetName(), c.GetName(), c.GetExpr(), got, want)
				}
			}
		}
	}
	if ran < 100 {
		t.Errorf("only %d tests were within the language", ran)
	}
	t.Logf("%d tests, %d not provable, %d outside of the language", ran, refused, outside)
}

// spec is an expected value in the words of concrete.
func spec(v *expr.Value) string {
	switch k := v.GetKind().(type) {
	case *expr.Value_BoolValue:
		return fmt.Sprint(k.BoolValue)
	case *expr.Value_Int64Value:
		return fmt.Sprint(k.Int64Value)
	case *expr.Value_StringValue:
		return "string " + k.StringValue
	case *expr.Value_ListValue:
		var all []string
		for _, x := range k.ListValue.GetValues() {
			all = append(all, spec(x))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case *expr.Value_MapValue:
		var all []string
		entries := slices.Clone(k.MapValue.GetEntries())
		slices.SortFunc(entries, func(x, y *expr.MapValue_Entry) int {
			return strings.Compare(x.GetKey().GetStringValue(), y.GetKey().GetStringValue())
		})
		for _, x := range entries {
			all = append(all, x.GetKey().GetStringValue()+": "+spec(x.GetValue()))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return v.String()
}

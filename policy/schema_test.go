package policy_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(policy.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func matches(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestBuiltinsMatchSchema(t *testing.T) {
	s := schema(t)
	for _, n := range specs.PolicyNames() {
		text, _ := specs.Policy(n)
		if err := matches(t, s, text); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
}

// What the schema can see, it and the reader refuse alike.
func TestSchemaAgreesWithReader(t *testing.T) {
	s := schema(t)
	for name, spec := range map[string]string{
		"good":               "rank: 1\ngrant: tenant.demand",
		"missing":            "rank: 1",
		"unknown":            "rank: 1\ngrant: tenant.demand\nmore: 1",
		"two messages":       "rank: 1\ngrant: tenant.demand\nlimits: [{expression: true, message: a, messageExpression: \"'b'\"}]",
		"no message":         "rank: 1\ngrant: tenant.demand\nlimits: [{expression: true}]",
		"param of no type":   "rank: 1\ngrant: tenant.demand\nparams: [{name: a, default: 1}]",
		"param of odd type":  "rank: 1\ngrant: tenant.demand\nparams: [{name: a, type: double, default: 1}]",
		"odd name":           "rank: 1\ngrant: tenant.demand\nvariables: [{name: A-b, expression: 1}]",
		"list of limits":     "rank: 1\ngrant: tenant.demand\nlimits: {}",
		"integer expression": "rank: 1\ngrant: tenant.demand\nlimits: [{expression: true, message: fine}]",
	} {
		text := document(spec)
		bySchema := matches(t, s, text)
		_, byReader := policy.Parse("p.yaml", text)
		if (bySchema == nil) != (byReader == nil) {
			t.Errorf("%s: schema says %v, reader says %v", name, bySchema, byReader)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range specs.PolicyNames() {
		text, _ := specs.Policy(n)
		f.Add(text)
	}
	f.Add(document("rank: \"'a\\tb' == nope ? 1 : 2\"\ngrant: >-\n  {'x':\n\n   nope}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse("p.yaml", text)
		if (p == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", p, err)
		}
	})
}

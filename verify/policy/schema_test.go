package policy

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
)

// What the schema can see, it and the reader refuse alike; and what is shipped is as it says.
func TestSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	both := func(name string, text []byte, p *sharing.Policy) {
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		bySchema := s.Validate(v)
		_, byReader := ParseStatements("s.yaml", text, p, sharing.Load)
		if (bySchema == nil) != (byReader == nil) {
			t.Errorf("%s: schema says %v, reader says %v", name, bySchema, byReader)
		}
	}
	for _, name := range specs.PolicyNames() {
		p, err := sharing.Load(sharing.Builtin + name)
		if err != nil {
			t.Fatal(err)
		}
		src, _ := specs.Statements(name)
		both(name, src, p)
	}
	p, err := sharing.Load("builtin:quota")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"{name: s}", "{name: s, always: true}", "{name: s, always: true, sound: true}", "{name: s, sound: false}", "{name: s, sound: true}", "{sound: true}",
		"{name: s, monotone: rank(tenant)}", "{name: s, monotone: rank(tenant), in: weight, is: falling}", "{name: s, monotone: rank(tenant), in: name, is: falling}",
		"{name: s, always: true, in: weight}", "{name: s, always: true, given: [true]}", "{name: s, always: true, given: true}", "{name: s, admits: builtin:drf}",
		"{name: s, always: true, bounds: {tenants: []}}", "{name: s, always: true, bounds: {tenants: [a, a]}}", "{name: s, always: true, bounds: {params: {share: 1/2}}}",
		"{name: s, always: true, bounds: {minimumCapacity: -1}}", "{name: s, always: true, more: 1}",
	} {
		both(text, []byte("apiVersion: interlock/v1alpha1\nkind: PolicyStatements\nstatements:\n- "+text+"\n"), p)
	}
}

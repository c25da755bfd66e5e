package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/interlock/interlock/linker/p4"
)

// TestDiagnosticsSchema: what check -o json prints is what the schema says, and a change to it is noticed.
func TestDiagnosticsSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(diagnosticsSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bad.p4")
	src := "#define M no\nconst bit<8> x = M;\nconst bit<4> y = 99;\n"
	if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	_, diags := p4.LoadWith(path, nil, p4.Options{Warnings: true})
	data := diagnosticData(diags)
	if len(data) != 2 || len(data[0].Notes) != 1 {
		t.Fatalf("want an error with a note, and a warning; got %+v", data)
	}
	valid := func(data any) error {
		b, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	if err := valid(data); err != nil {
		t.Error(err)
	}
	data[0].Severity = "fatal"
	if valid(data) == nil {
		t.Error("the schema accepts a severity that there is not")
	}
}

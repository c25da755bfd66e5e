package p4_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
)

func TestBuiltin(t *testing.T) {
	for _, test := range []struct{ name, src, register string }{
		{"core alone", "#include <core.p4>\n", ""},
		{"v1model", "#include <v1model.p4>\nregister<bit<8>>(4) r;\n", "register<bit<8>>"},
		{"both", "#include <core.p4>\n#include <v1model.p4>\nregister<bit<8>>(4) r;\n", "register<bit<8>>"},
		{"later version", "#define V1MODEL_VERSION 20200408\n#include <v1model.p4>\nregister<bit<8>, bit<5>>(4) r;\n", "register<bit<8>, bit<5>>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			info, diags := p4.Load("test.p4", []byte(test.src))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			found := ""
			for d, o := range info.Instances {
				found = o.Type.String()
				if d.Pos().File != "test.p4" {
					t.Errorf("instance at %v", d.Pos())
				}
			}
			if found != test.register {
				t.Errorf("register is a %q, want %q", found, test.register)
			}
			for _, d := range info.Program.Decls {
				if f := d.Pos().File; f != "core.p4" && f != "v1model.p4" && f != "test.p4" {
					t.Errorf("declaration of %q", f)
				}
			}
		})
	}
}

// TestLines checks that findings carry their line, of whichever file it is in.
func TestLines(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"main.p4": "#include \"part.p4\"\nconst bit<8> y = nope;\n", "part.p4": "\nconst bit<8> x = nada;\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, diags := p4.Load(filepath.Join(dir, "main.p4"), nil)
	if len(diags) != 2 {
		t.Fatalf("findings: %v", diags)
	}
	for i, want := range []string{"const bit<8> x = nada;", "const bit<8> y = nope;"} {
		if !strings.Contains(diags[0].Line+diags[1].Line, want) {
			t.Errorf("finding %d: lines %q and %q, one should be %q", i, diags[0].Line, diags[1].Line, want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	info, diags := p4.Load(filepath.Join(t.TempDir(), "none.p4"), nil)
	if info != nil || !diags.HasErrors() {
		t.Errorf("loaded a file that does not exist: %v", diags)
	}
}

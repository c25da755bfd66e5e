package dataplane

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/interlock/interlock/linker/p4"
)

func load(t testing.TB, path string) *Pipeline {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, path, string(src))
}

func compile(t testing.TB, name, src string) *Pipeline {
	t.Helper()
	info, diags := p4.Load(name, []byte(src))
	if diags.HasErrors() {
		t.Fatalf("%v", diags.Err())
	}
	p, err := Compile(info)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTenantsCompile(t *testing.T) {
	files, _ := filepath.Glob("../../../testdata/tenants/*.p4")
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			p := load(t, f)
			t.Logf("%d words, %d tables, %d registers", p.words, len(p.tables), len(p.registers))
		})
	}
}

package linker_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/site"
)

var update = flag.Bool("update", false, "rewrite golden files")

const quickstart = "../testdata/sites/quickstart/site.yaml"

func link(t testing.TB, path string) (*linker.Linked, error) {
	t.Helper()
	s, err := site.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return linker.Link(context.Background(), s, linker.Options{Entitler: linker.Unlimited{}})
}

// TestGolden shows what the linker makes of the quickstart, so that a change of it is seen by people.
func TestGolden(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := l.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{linker.FileP4, linker.FileP4Info, linker.FileManifest, linker.FileResources} {
		got, err := os.ReadFile(dir + "/" + f)
		if err != nil {
			t.Fatal(err)
		}
		golden := "testdata/quickstart/" + f
		if *update {
			if err := os.MkdirAll("testdata/quickstart", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs (rewrite with -update):\n%s", f, cmp.Diff(string(want), string(got)))
		}
	}
}

package linker_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// FuzzLink links whatever it is given: a refusal or an error with a position, never a panic, and never a program that the front end
// does not accept again.
func FuzzLink(f *testing.F) {
	files, err := filepath.Glob("../testdata/tenants/bad/*.p4")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range append(files, "testdata/rich.p4", "testdata/egress.p4", "../testdata/tenants/fw.p4") {
		src, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if strings.Contains(src, "#include \"") {
			t.Skip("reads other files")
		}
		path := filepath.Join(t.TempDir(), "fuzz.p4")
		if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := linkSite(siteWith(t, path, ""))
		if err == nil {
			return
		}
		var diags syntax.Diagnostics
		if !errors.As(err, &diags) && !errors.Is(err, linker.ErrRefused) && !strings.Contains(err.Error(), "site.yaml:") {
			t.Errorf("an error without a position: %v", err)
		}
		if strings.Contains(err.Error(), "defect of the linker") {
			t.Error(err)
		}
	})
}

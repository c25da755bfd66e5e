package linker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
)

// siteWith is a site of one tenant with the given program, beside tenant hh.
func siteWith(t testing.TB, program, more string) *site.Site {
	t.Helper()
	hh, err := filepath.Abs("../testdata/tenants/hh.p4")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: tofino-like, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2, 3, 4], slots: 16384}
tenants:
  - name: t
    vid: 10
    program: %s
    ports: {1: 1, 2: 2}
%s  - name: hh
    vid: 200
    program: %s
    ports: {1: 3, 2: 4}
`, program, more, hh)
	s, err := site.Parse(filepath.Join(filepath.Dir(program), "site.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func linkSite(s *site.Site) (*linker.Linked, error) {
	return linker.Link(context.Background(), s, linker.Options{Entitler: linker.Unlimited{}})
}

// wanted are the expected errors of a program, by line: each stands on a line of its own before the one it is about, as
// // ERROR "regexp".
func wanted(t *testing.T, path string) map[int][]string {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int][]string{}
	var pending []string
	for i, line := range strings.Split(string(src), "\n") {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), `// ERROR "`); ok {
			pending = append(pending, strings.TrimSuffix(comment, `"`))
			continue
		}
		if pending != nil {
			out[i+1], pending = pending, nil
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s expects no error", path)
	}
	return out
}

// TestBadTenants links each bad program: it must be refused for what its comments say, where they say it, and for nothing else.
func TestBadTenants(t *testing.T) {
	files, err := filepath.Glob("../testdata/tenants/bad/*.p4")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d programs, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".p4"), func(t *testing.T) {
			path, err := filepath.Abs(f)
			if err != nil {
				t.Fatal(err)
			}
			_, err = linkSite(siteWith(t, path, ""))
			var diags syntax.Diagnostics
			if !errors.Is(err, linker.ErrRefused) || !errors.As(err, &diags) {
				t.Fatalf("got %v, want a refusal with positions", err)
			}
			want := wanted(t, path)
			for _, d := range diags {
				if d.Pos.File != filepath.ToSlash(path) || d.Pos.Col < 1 || d.Line == "" {
					t.Errorf("no position: %v", d)
				}
				found := -1
				for i, w := range want[int(d.Pos.Line)] {
					if regexp.MustCompile(w).MatchString(d.Msg) {
						found = i
					}
				}
				if found < 0 {
					t.Errorf("unexpected: %v", d)
					continue
				}
				want[int(d.Pos.Line)] = append(want[int(d.Pos.Line)][:found:found], want[int(d.Pos.Line)][found+1:]...)
			}
			for line, list := range want {
				for _, w := range list {
					t.Errorf("line %d: no error like %q; got\n%v", line, w, diags)
				}
			}
		})
	}
}

// narrowTarget is an entitler that grants one resource less than a tenant uses.
type narrowTarget struct {
	tenant, resource string
	byStage          bool
}

func (n narrowTarget) ByStage() bool { return n.byStage }

func (n narrowTarget) Entitle(ctx context.Context, demands []linker.Demand, parts map[string]resources.Usage, capacity resources.Usage) (map[string]linker.Grant, error) {
	grants, err := linker.Unlimited{}.Entitle(ctx, demands, parts, capacity)
	if _, ok := capacity[n.resource]; !ok {
		return nil, fmt.Errorf("there is no resource %s", n.resource)
	}
	grants[n.tenant].Limits[n.resource] = parts[n.tenant][n.resource] - 1
	return grants, err
}

func TestEntitlement(t *testing.T) {
	s, err := site.Load(quickstart)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e    narrowTarget
		want string
	}{
		{narrowTarget{"hh", "hashBits", false}, "hashBits 126 of 125"},
		{narrowTarget{"hh", "hashBits/2", true}, "hashBits/2 126 of 125"},
		{narrowTarget{"hh", "hashBits/2", false}, "there is no resource hashBits/2"},
	} {
		_, err = linker.Link(context.Background(), s, linker.Options{Entitler: c.e})
		if !errors.Is(err, linker.ErrRefused) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%v: got %v", c.e, err)
		}
		if at := "site.yaml:55:5: tenants[1]: tenant hh is not entitled to what its program uses: "; !strings.HasPrefix(c.want, "there") && !strings.Contains(fmt.Sprint(err), at) {
			t.Errorf("%v: got %v", c.e, err)
		}
	}
	if _, err := linker.Link(context.Background(), s, linker.Options{}); err == nil {
		t.Error("linked without an entitler")
	}
}

// TestSiteAgainstProgram checks what only the two together can be wrong about.
func TestSiteAgainstProgram(t *testing.T) {
	kv, err := filepath.Abs("../testdata/tenants/kv.p4")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all := func(bounds string) string {
		var b strings.Builder
		b.WriteString("    memory:\n")
		for _, r := range []string{"key_hi", "key_lo", "val_hi", "val_lo", "hot"} {
			fmt.Fprintf(&b, "      %s: %s\n", r, bounds)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, program, more, want string
		refused                   bool
	}{
		{"unknown register", kv, "    memory: {cache: {min: 256}}\n", "tenants[0].memory.cache: the program of tenant t uses no register cache", false},
		{"wider", kv, all("{min: 128}"), "tenants[0].memory.key_hi: min 128 is below the program's, 256; a site may only narrow", false},
		{"more", kv, all("{max: 32768}"), "max 32768 is above the program's, 16384", false},
		{"no power of two", kv, all("{max: 10000}"), "it must be a power of two", false},
		{"unequal sizes", kv, "    memory: {key_lo: {max: 512}}\n", "registers key_hi and key_lo of tenant t always have one size, but different bounds", false},
		{"no room", kv, all("{min: 16384}"), "tenants[1]: stage 0 of ingress has 16384 slots, but the tenants up to hh need at least 16640", true},
		{
			"no IPv4", write("l2.p4", strings.NewReplacer("        exit;", "        // exit;").Replace(read(t, "../testdata/tenants/bad/exit.p4"))),
			"    addresses: {10.0.0.1: 192.0.2.1}\n", "tenants[0].addresses: the program of tenant t has no IPv4 header", false,
		},
		{"no program", filepath.Join(dir, "none.p4"), "", "site.yaml:12:14: tenants[0].program: open ", false},
		{"syntax error", write("syntax.p4", "#include <core.p4>\nheader h {\n    bit<8> x\n}\n"), "", "syntax.p4:3:13: error[P4101]", false},
		{"type error", write("type.p4", "#include <core.p4>\n#include <v1model.p4>\nconst bit<8> x = y;\n"), "", "type.p4:3:18: error[P4201]", false},
		{"no main", write("main.p4", "#include <core.p4>\n#include <v1model.p4>\n"), "", "main.p4:1:1: error[P4701]: the program has no main package", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := linkSite(siteWith(t, c.program, c.more))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %q", err, c.want)
			}
			if errors.Is(err, linker.ErrRefused) != c.refused {
				t.Errorf("a refusal: %v, want %v", errors.Is(err, linker.ErrRefused), c.refused)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTarget links for targets that cannot do what the program needs.
func TestTarget(t *testing.T) {
	path, err := filepath.Abs("testdata/rich.p4")
	if err != nil {
		t.Fatal(err)
	}
	s := siteWith(t, path, "")
	s.Switch.Target = "bmv2"
	_, err = linkSite(s)
	if !errors.Is(err, linker.ErrRefused) || !strings.Contains(fmt.Sprint(err), "rich.p4:130:9: error[P4711]: a register access inside an action") {
		t.Errorf("got %v", err)
	}
	s.Switch.Target = "tofino"
	if _, err = linkSite(s); err == nil || !strings.Contains(err.Error(), `site.yaml:8:24: switches[0].target: there is no target "tofino"; there are bmv2, tofino-like`) {
		t.Errorf("got %v", err)
	}
	s.Switch.Target, s.Switch.Slots = "tofino-like", 1<<20
	if _, err = linkSite(s); err == nil || !strings.Contains(err.Error(), "switches[0].slots: 1048576 slots, but a stage array of target tofino-like has at most 32768") {
		t.Errorf("got %v", err)
	}
}

// TestRefusedSites links the sites that show refusals.
func TestRefusedSites(t *testing.T) {
	files, err := filepath.Glob("../testdata/sites/refused/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, f := range files {
		_, err := link(t, f)
		var diags syntax.Diagnostics
		if !errors.Is(err, linker.ErrRefused) || !errors.As(err, &diags) {
			t.Errorf("%s: %v", f, err)
			continue
		}
		want := wanted(t, strings.Replace(strings.Replace(f, "sites/refused", "tenants/bad", 1), ".yaml", ".p4", 1))
		if d := diags[0]; want[int(d.Pos.Line)] == nil || !strings.HasPrefix(d.Pos.String(), "../testdata/tenants/bad/") {
			t.Errorf("%s: %v", f, d)
		}
	}
}

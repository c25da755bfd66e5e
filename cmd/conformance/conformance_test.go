package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	pipeline = `
struct m_t { }
struct headers_t { h_t h; }
parser P(packet_in b, out headers_t h, inout m_t m, inout standard_metadata_t s) { state start { b.extract(h.h); transition accept; } }
control V(inout headers_t h, inout m_t m) { apply { } }
control E(inout headers_t h, inout m_t m, inout standard_metadata_t s) { apply { } }
control C(inout headers_t h, inout m_t m) { apply { } }
control D(packet_out b, in headers_t h) { apply { b.emit(h.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`
	switching = `#include "h.p4"
control I(inout headers_t h, inout m_t m, inout standard_metadata_t s) {
    register<bit<8>>(4) r;
    action to(bit<9> port) { s.egress_spec = port; r.write(1, h.h.a); }
    table t { key = { h.h.a: exact; h.h.b: ternary; } actions = { to; NoAction; } const default_action = to(9); }
    apply { t.apply(); }
}
` + "V1Switch(P(), V(), I(), E(), C(), D()) main;\n"
	parts = `#include <v1model.p4>
header h_t { bit<8> a; bit<8> b; }
`
)

// tree makes a checkout of p4c from files by name.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, "testdata", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// switchFiles are a v1model program in two files, with the given test.
func switchFiles(stf string) map[string]string {
	body, _, _ := strings.Cut(pipeline, "V1Switch")
	return map[string]string{
		"p4_16_samples/h.p4":    parts + body,
		"p4_16_samples/sw.p4":   switching,
		"p4_16_samples/sw.stf":  stf,
		"p4_16_errors/e.p4":     "const bit<8> x = true;\n",
		"p4_16_bmv_errors/f.p4": "const bool x = 8w1;\n",
	}
}

func TestLines(t *testing.T) {
	for _, test := range []struct {
		name   string
		change map[string]string
		want   map[string]string // lines that are not full
	}{
		{"all pass", nil, map[string]string{"p4info": "", "entries": "", "accept-core": "", "accept-other": ""}},
		{
			"core program not accepted",
			map[string]string{"p4_16_samples/bad.p4": "#include <core.p4>\nbit<8> f() { return true; }\n"},
			map[string]string{"accept-core": "0/1"},
		},
		{
			"includes from beside it are followed",
			map[string]string{"p4_16_samples/o.p4": "#include \"my_model.p4\"\nconst bit<8> y = x;\n", "p4_16_samples/my_model.p4": "const bit<8> x = 1;\n"},
			map[string]string{"accept-core": "2/2"},
		},
		{
			"accepted, and must not be",
			map[string]string{"p4_16_errors/e.p4": "const bit<8> x = 1;\n"},
			map[string]string{"reject": "1/2"},
		},
		{
			"rejected only because a file is missing",
			map[string]string{"p4_16_errors/e.p4": "#include \"nothere.p4\"\n"},
			map[string]string{"reject": "1/2"},
		},
		{
			"another P4Info",
			map[string]string{"p4_16_samples_outputs/sw.p4.p4info.txtpb": "pkg_info { arch: \"v1model\" }"},
			map[string]string{"p4info": "0/1"},
		},
		{
			"entries that are not there",
			map[string]string{"p4_16_samples_outputs/sw.p4.entries.txtpb": "updates { type: INSERT }"},
			map[string]string{"entries": "0/1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := switchFiles("packet 0 0102\nexpect 9 0102$\n")
			for name, text := range test.change {
				files[name] = text
			}
			lines, err := measure(config{p4c: tree(t, files), jobs: 2})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, l := range lines {
				if l.passed != l.total || test.want[l.name] != "" {
					got[l.name] = strings.Fields(l.String())[1]
				}
			}
			for name, counts := range test.want {
				if counts == "" {
					delete(test.want, name)
				}
			}
			if d := cmp.Diff(test.want, got); d != "" && len(test.want)+len(got) > 0 {
				for _, l := range lines {
					var b strings.Builder
					l.report(&b)
					t.Log(b.String())
				}
				t.Error(d)
			}
		})
	}
}

func TestSTF(t *testing.T) {
	for _, test := range []struct{ name, stf, want string }{
		{"default action", "packet 0 0102 # comment\nexpect 9 01*2$", ""},
		{"entry, announced before", "expect 3 01 02\nadd t 5 h.a:1 h.b:0x0* to(port:3)\npacket 0 0102\npacket 0 0112\nexpect 9 0112", ""},
		{"larger priority wins", "add t 5 h.a:1 h.b:0x** to(port:3)\nadd t 6 h.a:1 h.b:0x02 to(port:4)\npacket 0 0102\nexpect 4", ""},
		{"register", "packet 0 0702\nexpect 9\nregister_read I.r 1 7\nregister_reset r\nregister_read r 1 0\nregister_write r 1 5\nregister_read r 1 5", ""},
		{"anything on a port", "packet 0 0102\npacket 0 0103\nexpect 9", ""},
		{"longer than exact", "packet 0 010203\nexpect 9 0102$", "another output"},
		{"other data", "packet 0 0102\nexpect 9 0103", "another output"},
		{"no packet", "expect 9 0102", "another output"},
		{"unexpected packet", "packet 0 0102", "another output"},
		{"register with another value", "register_read r 1 7", "another state"},
		{"unknown table", "add nope h.a:1 to(port:3)", "name not found"},
		{"unknown key", "add t h.c:1 to(port:3)", "name not found"},
		{"unknown parameter", "add t h.a:1 to(prt:3)", "name not found"},
		{"value too large", "add t h.a:0x100 to(port:3)", "request refused"},
		{"same entry twice", "add t h.a:1 to(port:3)\nadd t h.a:1 to(port:3)", "request refused"},
		{"unknown command", "frobnicate 1", "test not understood"},
		{"no action", "add t h.a:1", "test not understood"},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, err := measure(config{p4c: tree(t, switchFiles(test.stf)), jobs: 1, only: "stf"})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if fs := lines[0].failures; len(fs) > 0 {
				got = fs[0].group
				t.Log(fs[0].cause)
			}
			if len(lines) != 1 || lines[0].total != 1 || got != test.want {
				t.Errorf("%d lines, failed by %q, want %q", len(lines), got, test.want)
			}
		})
	}
}

// TestWorld: programs of a checkout that is known by its name count, parts of programs do not, and one that must be refused
// fails if it is accepted.
func TestWorld(t *testing.T) {
	body, _, _ := strings.Cut(pipeline, "V1Switch")
	dir := filepath.Join(t.TempDir(), "tutorials")
	for name, text := range map[string]string{
		"h.p4":                             parts + body,
		"good.p4":                          switching,
		"bad.p4":                           strings.Replace(switching, "to(9)", "nope(9)", 1),
		"exercises/flowcache/flowcache.p4": strings.Replace(switching, "h.p4", "../../h.p4", 1),
		"p4_14.p4":                         "header_type h { fields { a: 8; } } control ingress { } // main;\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := measure(config{world: []string{dir}, jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range lines {
		got[l.name] = strings.Fields(l.String())[1]
	}
	want := map[string]string{"world": "1/2", "world-wrong": "0/1", "install": "1/1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestGuarded(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	for _, test := range []struct {
		name, want string
		f          func() *failure
	}{
		{"passes", "", func() *failure { return nil }},
		{"fails", "x", func() *failure { return &failure{group: "x"} }},
		{"panics", "panic", func() *failure { panic("here") }},
		{"hangs", "time-out", func() *failure { <-block; return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if f := within(time.Second/10, "f", test.f); f != nil {
				got = f.group
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestGoal(t *testing.T) {
	for _, test := range []struct {
		passed, total, goal int
		want                bool
	}{{97, 100, 97, true}, {96, 100, 97, false}, {0, 0, 0, false}, {585, 604, 97, false}, {586, 604, 97, true}} {
		l := line{name: "x", passed: test.passed, total: test.total, goal: test.goal}
		if l.reached() != test.want {
			t.Errorf("%v: reached %v", &l, l.reached())
		}
	}
}

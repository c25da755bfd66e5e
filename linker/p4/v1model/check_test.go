package v1model_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/v1model"
)

var wanted = regexp.MustCompile(`// ERROR "([^"]*)"`)

// TestErrors holds the findings against the // ERROR comments of the programs in testdata.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.p4")
	if err != nil || len(files) == 0 {
		t.Fatal("no test programs", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := map[int]string{}
			for i, line := range strings.Split(string(src), "\n") {
				if m := wanted.FindStringSubmatch(line); m != nil {
					want[i+1] = m[1]
				}
			}
			info, diags := p4.Load(file, nil)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, d := range v1model.Check(info) {
				line := int(d.Pos.Line)
				if re := want[line]; re == "" || !regexp.MustCompile(re).MatchString(d.Msg) {
					t.Errorf("unexpected: %v", d)
				}
				delete(want, line)
			}
			for line, re := range want {
				t.Errorf("%s:%d: no error matches %q", file, line, re)
			}
		})
	}
}

// TestVersion checks that a program cannot ask for a version of v1model that there never was.
func TestVersion(t *testing.T) {
	for _, test := range []struct {
		name, version string
		bad           bool
	}{
		{"first", "20180101", false},
		{"last", "20200408", false},
		{"too early", "20000101", true},
		{"too late", "20300101", true},
		{"negative", "-5", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := "#define V1MODEL_VERSION " + test.version + `
				#include <v1model.p4>
				struct H { }
				struct M { }
				parser P(packet_in b, out H h, inout M m, inout standard_metadata_t s) { state start { transition accept; } }
				control V(inout H h, inout M m) { apply { } }
				control I(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
				control D(packet_out b, in H h) { apply { } }
				V1Switch(P(), V(), I(), I(), V(), D()) main;`
			info, diags := p4.Load("version.p4", []byte(src))
			if test.bad {
				if len(diags) != 1 || !strings.Contains(diags[0].Msg, "no such version of v1model") {
					t.Errorf("findings: %v", diags)
				}
			} else if diags.HasErrors() || v1model.Check(info) != nil {
				t.Errorf("findings: %v", diags)
			}
		})
	}
}

// TestCodes checks that every documented code is one that some test program provokes.
func TestCodes(t *testing.T) {
	src, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	provoked := map[string]bool{}
	files, _ := filepath.Glob("testdata/errors/*.p4")
	for _, file := range files {
		info, _ := p4.Load(file, nil)
		for _, d := range v1model.Check(info) {
			provoked[d.Code] = true
		}
	}
	for _, m := range regexp.MustCompile(`= "(P4\d+)" // \S`).FindAllStringSubmatch(string(src), -1) {
		if !provoked[m[1]] {
			t.Errorf("no test program provokes %s", m[1])
		}
	}
}

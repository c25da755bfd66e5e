package syntax

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestTrail: a finding in the text of a macro or of an included file says how that text came there.
func TestTrail(t *testing.T) {
	conf := Config{
		FS: fstest.MapFS{
			"inc.p4":   {Data: []byte("const bool b = ;\n")},
			"outer.p4": {Data: []byte("\n#include <inc.p4>\n")},
			"macro.p4": {Data: []byte("#define FROM_FILE const bool b = ;\n")},
		},
		Builtin:     map[string]string{"system.p4": "const bool b = ;\n"},
		IncludePath: []string{"."},
		Defines:     map[string]string{"GIVEN": "const bool b = ;"},
	}
	tests := []struct{ name, src, at, want string }{
		{"plain", "const bool b = ;", "t.p4:1:16", ""},
		{"macro", "#define M ;\n\nconst bool b = M", "t.p4:3:16", "t.p4:1:11: expanded from macro M [#define M ;]"},
		{
			"macro in a macro", "#define IN ;\n#define OUT(x) x = IN\nOUT(const bool b)", "t.p4:3:1",
			"t.p4:1:12: expanded from macro IN [#define IN ;]|t.p4:2:20: expanded from macro OUT [#define OUT(x) x = IN]",
		},
		{"argument of a macro", "#define M(x) const bool b = x\nM(;)", "t.p4:2:3", ""},
		{"pasted", "#define M(x) const bool b = x##lse;\nM(e)", "t.p4:2:1", "t.p4:1:32: expanded from macro M [#define M(x) const bool b = x##lse;]"},
		{"body over lines", "#define M \\\n  const bool b = \\\n  ;\nM", "t.p4:4:1", "t.p4:3:3: expanded from macro M [  ;]"},
		{"given", "GIVEN", "t.p4:1:1", "<command line>:1:22: expanded from macro GIVEN []"},
		{"include", "#include <inc.p4>", "inc.p4:1:16", "t.p4:1:1: included from here [#include <inc.p4>]"},
		{
			"include in an include", "/* */ #include <outer.p4>", "inc.p4:1:16",
			"outer.p4:2:1: included from here [#include <inc.p4>]|t.p4:1:7: included from here [/* */ #include <outer.p4>]",
		},
		{
			"macro of an include", "#include <macro.p4>\nFROM_FILE", "t.p4:2:1",
			"macro.p4:1:34: expanded from macro FROM_FILE [#define FROM_FILE const bool b = ;]",
		},
		{"system file", "#include <system.p4>", "system.p4:1:16", ""},
		{"missing file", "#include <none.p4>", "t.p4:1:1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, diags := Parse("t.p4", []byte(test.src), conf)
			if len(diags) == 0 {
				t.Fatal("nothing is reported")
			}
			p.Complete(diags) // again: nothing may be added twice
			var notes []string
			for _, n := range diags[0].Notes {
				notes = append(notes, n.Pos.String()+": "+n.Msg+" ["+n.Line+"]")
			}
			if at, got := diags[0].Pos.String(), strings.Join(notes, "|"); at != test.at || got != test.want {
				t.Errorf("%v\nat   %s\nwant %s\ngot  %s\nwant %s", diags, at, test.at, got, test.want)
			}
		})
	}
}

package syntax

import (
	"testing"
	"testing/fstest"
)

const commented = `// License.

/* The first
 * constant. */
// Really.
const bool a = true; // behind a
const bool b = F(true /* in a call */);
/** Of c. */ @name("c") // behind an annotation
@hidden
const bool c = true;

#if 0
// skipped
#endif
// far away

const bool d = true;
// of e
#include "e.p4"
// last
#define X 1 // in a directive
`

// TestComments: all comments of the text in force are kept once, and Doc finds a declaration's own.
func TestComments(t *testing.T) {
	fs := fstest.MapFS{"e.p4": {Data: []byte("#define F(x) x\n// of e in e.p4\nconst bool e = F\n// read twice\n;")}}
	p, diags := Parse("main.p4", []byte("#define F(x) x\n"+commented), Config{FS: fs})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"// License.", "/* The first\n * constant. */", "// Really.", "// behind a", "/* in a call */", "/** Of c. */",
		"// behind an annotation", "// far away", "// of e", "// of e in e.p4", "// read twice", "// last",
	}
	for i, c := range p.Comments {
		if i >= len(want) || c.Text != want[i] {
			t.Fatalf("comment %d at %s is %q, want %q", i, c.Pos, c.Text, want[min(i, len(want)-1)])
		}
	}
	if len(p.Comments) != len(want) {
		t.Errorf("%d comments, want %d", len(p.Comments), len(want))
	}
	docs := map[string]string{"a": "The first\nconstant.\nReally.", "b": "", "c": "", "d": "", "e": "of e in e.p4"}
	for _, d := range p.Decls {
		name := d.DeclName().Name
		if got := p.Doc(d).Text(); got != docs[name] {
			t.Errorf("the comment of %s is %q, want %q", name, got, docs[name])
		}
	}
}

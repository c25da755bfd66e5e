package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRead(t *testing.T) {
	doc, root := Parse("f.yaml", []byte("name: kv\nvid: 0x64\non: true\nlist: [a, b]\nmap: {x: 1, y: 2}\nexpr: 1 + 2\n"))
	f := root.Fields([]string{"name", "vid", "on", "list", "map", "expr"}, "more")
	if f["name"].String() != "kv" || f["vid"].Int(1, 4094) != 100 || !f["on"].Bool() || len(f["list"].List()) != 2 || f["expr"].Text() != "1 + 2" {
		t.Errorf("have %v", f)
	}
	if e := f["map"].Entries(); len(e) != 2 || e[0].Key != "x" || e[1].Value.Int(0, 9) != 2 || e[1].At.Line() != 5 {
		t.Errorf("entries %v", e)
	}
	if f["more"].Present() || f["more"].String() != "" || f["more"].Int(3, 4) != 0 || f["more"].List() != nil {
		t.Error("an absent value is not nothing")
	}
	if f["name"].OneOf("hh", "kv") != "kv" {
		t.Error("one of")
	}
	if err := doc.Err(); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "f:1:1: document is empty"},
		{"comment only", "# nothing\n", "f:1:1: document is empty"},
		{"not YAML", "a: b: c\n", "f:1:5: not YAML: mapping values are not allowed in this context (an expression with \": \" must be quoted, or begin with >-)"},
		{"a ternary on a line of its own", "a: é ?\n  é : f\n", "f:2:5: not YAML"},
		{"a ternary in braces", "a: b\nc: [{d: e ? f : g}]\n", "f:2:15: not YAML"},
		{"no end", "a: 'b\n", "not YAML: found unexpected end of stream"},
		{"two documents", "s: x\n---\ns: y\n", "f:2:1: a second document"},
		{"anchor", "s: &x y\n", "f:1:4: anchors are not supported"},
		{"alias", "a: &x y\ns: *x\n", "f:2:4: aliases are not supported"},
		{"merge", "s: x\n<<: {a: b}\n", "f:2:1: merge keys are not supported"},
		{"tag", "s: !!str 5\n", "f:1:4: explicit tags are not supported"},
		{"duplicate", "s: x\ns: y\n", `f:2:1: key "s" is already set in line 1`},
		{"unknown", "s: x\nt: y\n", `f:2:1: unknown field "t" (known: i, s)`},
		{"missing", "i: 1\n", `f:1:1: field "s" is missing`},
		{"not a mapping", "[s]\n", "f:1:1: want a mapping, have a list"},
		{"not a string", "s: 1\n", "f:1:4: want a string, have an integer"},
		{"null", "s:\n", "f:1:3: want a string, have nothing"},
		{"not an integer", "s: x\ni: 1.5\n", "f:2:4: want an integer, have a floating-point number"},
		{"too large", "s: x\ni: 10\n", "f:2:4: 10 is not an integer between 0 and 9"},
		{"far too large", "s: x\ni: 99999999999999999999\n", "f:2:4:"},
		{"complex key", "? [a]\n: b\ns: x\n", "f:1:3: a key must be a scalar"},
		{"deep", "s: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "\n", "nested deeper than 64"},
		{"huge", strings.Repeat("#", MaxBytes+1), "f:1:1: document has"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, root := Parse("f", []byte(tt.text))
			f := root.Fields([]string{"s"}, "i")
			_, _ = f["s"].String(), f["i"].Int(0, 9)
			err := doc.Err()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("have %v\nwant %s", err, tt.want)
			}
			var one *Error
			if !errors.As(err, &one) || one.File != "f" || one.Line < 1 {
				t.Errorf("no position in %v", err)
			}
		})
	}
}

// All problems are reported, in the order of their places.
func TestAllErrors(t *testing.T) {
	doc, root := Parse("f", []byte("i: x\ns: 1\nz: 2\n"))
	f := root.Fields([]string{"s"}, "i")
	_, _ = f["s"].String(), f["i"].Int(0, math.MaxInt64)
	want := "f:1:4: want an integer, have a string\nf:2:4: want a string, have an integer\nf:3:1: unknown field \"z\" (known: i, s)"
	if err := doc.Err(); err == nil || err.Error() != want {
		t.Errorf("have\n%v\nwant\n%s", err, want)
	}
}

// Whatever style a text is written in, a character of it is found where it stands.
func TestPosition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z@+('"\\]{1,6}`), 1, 8).Draw(t, "words")
		// One @ is the character to be found.
		at := rapid.IntRange(0, len(words)-1).Draw(t, "at")
		for i := range words {
			words[i] = "x" + strings.ReplaceAll(words[i], "@", "a")
		}
		words[at] += "@"
		style := rapid.SampledFrom([]string{"literal", "folded", "single", "double"}).Draw(t, "style")
		var text string
		switch style {
		case "literal", "folded":
			text = map[string]string{"literal": "k: |\n", "folded": "k: >-\n"}[style]
			for _, w := range words {
				text += "    " + w + "\n"
			}
		case "single":
			text = "k: '" + strings.ReplaceAll(strings.Join(words, rapid.SampledFrom([]string{" ", "  ", "\n  "}).Draw(t, "gap")), "'", "''") + "'\n"
		case "double":
			joined := strings.Join(words, " ")
			text = "k: \"" + strings.ReplaceAll(strings.ReplaceAll(joined, `\`, `\\`), `"`, `\"`) + "\"\n"
		}
		doc, root := Parse("f", []byte(text))
		n := root.Fields([]string{"k"})["k"]
		value := n.String()
		if err := doc.Err(); err != nil {
			t.Fatal(err)
		}
		// Where CEL would see it.
		line, col := 1, 0
		for _, r := range value {
			if r == '@' {
				break
			}
			col++
			if r == '\n' {
				line, col = line+1, 0
			}
		}
		l, c := n.Position(line, col)
		lines := strings.Split(text, "\n")
		if l < 1 || l > len(lines) || c < 1 || c > len(lines[l-1]) || lines[l-1][c-1] != '@' {
			t.Fatalf("found at %d:%d of\n%s", l, c, text)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("a: 'x'\nb: |\n  y\n", 1, 0)
	f.Add("a: >\n  x\n\n  y\n", 2, 3)
	f.Fuzz(func(t *testing.T, text string, line, col int) {
		doc, root := Parse("f", []byte(text))
		for _, e := range root.Entries() {
			if s := fmt.Sprint(e.Value.Line(), e.Value.Col()); s == "" {
				t.Fatal("no position")
			}
			if l, _ := e.Value.Position(line, col); l < 1 || l > strings.Count(text, "\n")+2 { // a value that is missing stands behind the end
				t.Fatalf("position in line %d", l)
			}
		}
		_ = doc.Err()
	})
}

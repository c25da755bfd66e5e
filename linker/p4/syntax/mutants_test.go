package syntax

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a program with one token deleted, doubled or exchanged with the next.
type mutant struct {
	what, text string
	from, to   int32 // lines of the tokens around the place
}

// offsets returns the tokens of src, which has no directives but #include, and where they end.
func offsets(src string) (toks []token, ends []int) {
	sc := newScanner(newSource("", src, false), &collector{})
	for t := sc.next(); t.kind != tEOF; t = sc.next() {
		if t.bol && t.is("#") {
			sc.inLine = true
			sc.drain()
			sc.inLine = false
			continue
		}
		toks, ends = append(toks, t), append(ends, sc.off)
	}
	return toks, ends
}

func mutate(r *rand.Rand, src string, toks []token, ends []int) mutant {
	i := 1 + r.IntN(len(toks)-3)
	end, next := ends[i], ends[i+1]
	start, nextStart := end-len(toks[i].text), next-len(toks[i+1].text)
	m := mutant{from: toks[i-1].pos.Line, to: toks[i+2].pos.Line}
	switch r.IntN(3) {
	case 0:
		m.what, m.text = "delete", src[:start]+src[end:]
	case 1:
		m.what, m.text = "double", src[:end]+" "+toks[i].text+src[end:]
	default:
		m.what, m.text = "exchange", src[:start]+toks[i+1].text+" "+src[end:nextStart]+" "+toks[i].text+" "+src[next:]
	}
	m.what += fmt.Sprintf(" %q in line %d", toks[i].text, toks[i].pos.Line)
	return m
}

// TestMutants: a program with one small mistake gets one error, next to it. Not always: a brace more or less can only be
// guessed at. The shares are what was reached; they must not fall.
func TestMutants(t *testing.T) {
	const each, want = 150, 0.93
	var files []string
	for _, pattern := range []string{"testdata/ok/*.p4", "../../../testdata/tenants/*.p4", "../types/testdata/valid/*.p4"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	wrong, right := 0, 0
	var examples strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		src := string(data)
		conf := Config{IncludePath: []string{"../../../specs/p4"}}
		if _, diags := Parse(file, data, conf); diags.HasErrors() || strings.Contains(src, "#define") || strings.Contains(src, "\\\n") {
			continue
		}
		toks, ends := offsets(src)
		r := rand.New(rand.NewPCG(1, 2))
		for range each {
			m := mutate(r, src, toks, ends)
			_, diags := Parse(file, []byte(m.text), conf)
			switch {
			case !diags.HasErrors(): // still a program
			case len(diags) == 1 && m.from <= diags[0].Pos.Line && diags[0].Pos.Line <= m.to:
				right++
			default:
				wrong++
				fmt.Fprintf(&examples, "%s: %s\n%v\n", file, m.what, diags)
			}
		}
	}
	share := float64(right) / float64(right+wrong)
	t.Logf("%.1f %% of %d mutants of %d files have one error, at the place", 100*share, right+wrong, len(files))
	if right < 3*each || share < want {
		t.Errorf("want %.1f %%\n%s", 100*want, examples.String())
	}
}

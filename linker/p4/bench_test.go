package p4_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// benchmarkCorpus returns the names and texts of the programs to measure with: those that P4_CORPUS, a pattern as
// p4c/testdata/p4_16_samples/*.p4, matches, and without it the tenants' programs of this repository.
func benchmarkCorpus(b *testing.B) (names []string, texts [][]byte, lines int) {
	b.Helper()
	pattern := os.Getenv("P4_CORPUS")
	if pattern == "" {
		pattern = "../../testdata/tenants/*.p4"
	}
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		b.Fatalf("no programs match %q: %v", pattern, err)
	}
	size := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, text)
		size += len(text)
		lines += bytes.Count(text, []byte("\n"))
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	return names, texts, lines
}

// perFile runs f over the corpus and reports what one file and one line cost. Lines and bytes of included files do not count.
func perFile(b *testing.B, f func(name string, text []byte)) {
	names, texts, lines := benchmarkCorpus(b)
	allocs := testing.AllocsPerRun(1, func() {
		for i, name := range names {
			f(name, texts[i])
		}
	})
	for b.Loop() {
		for i, name := range names {
			f(name, texts[i])
		}
	}
	b.ReportMetric(float64(b.N*len(names))/b.Elapsed().Seconds(), "files/s")
	b.ReportMetric(allocs/float64(lines), "allocs/line")
}

func BenchmarkParse(b *testing.B) {
	conf := syntax.Config{Builtin: p4.Builtin()}
	perFile(b, func(name string, text []byte) { syntax.Parse(name, text, conf) })
}

func BenchmarkParseCached(b *testing.B) {
	conf := syntax.Config{Builtin: p4.Builtin(), Cache: &syntax.Cache{}}
	perFile(b, func(name string, text []byte) { syntax.Parse(name, text, conf) })
}

func BenchmarkLoadCached(b *testing.B) {
	opts := p4.Options{Cache: &syntax.Cache{}}
	perFile(b, func(name string, text []byte) { p4.LoadWith(name, text, opts) })
}

func BenchmarkLoad(b *testing.B) {
	perFile(b, func(name string, text []byte) { p4.Load(name, text) })
}

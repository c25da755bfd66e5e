package format

import (
	"os"
	"testing"
)

// BenchmarkSource formats our largest tenant program: bytes of source a second.
func BenchmarkSource(b *testing.B) {
	src, err := os.ReadFile("../../../testdata/tenants/kv.p4")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Source("kv.p4", src); err != nil {
			b.Fatal(err)
		}
	}
}

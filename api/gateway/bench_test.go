package gateway

import (
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// One call of a tenant's at a time, all the way to the embedded switch and back.
func BenchmarkCalls(b *testing.B) {
	r := newRig(b)
	kv := r.tenant("kv")
	kv.must(insert(kv.route(1, 1)))
	keys := kv.register("key_hi")
	var batch []*p4v1.Update
	for i := range 1000 {
		batch = append(batch, modify(cell(keys, int64(i%16), 1)))
	}
	for _, c := range []struct {
		name string
		call func()
	}{
		{"write an entry", func() { kv.must(modify(kv.route(1, 2))) }},
		{"write 1000 cells", func() { kv.must(batch...) }},
		{"read an entry", func() { kv.reads(kv.route(1, 1)) }},
		{"read a cell", func() { kv.reads(cell(keys, 3)) }},
		{"read 16384 cells", func() { kv.reads(cells(keys)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.call()
			}
		})
	}
}

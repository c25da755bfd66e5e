package dataplane

import (
	"testing"
)

// BenchmarkProcess runs the key-value cache on packets that it forwards.
func BenchmarkProcess(b *testing.B) {
	p := load(b, "../../../testdata/tenants/kv.p4")
	pkt := make([]byte, 100)
	pkt[12], pkt[13] = 8, 0
	pkt[14], pkt[22], pkt[23] = 0x45, 64, 17
	b.SetBytes(int64(len(pkt)))
	b.ReportAllocs()
	for b.Loop() {
		p.Run(1, pkt).Release()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

package softswitch

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/specs"
)

// linked serves the linked quickstart with all tenants admitted and extents for each, and makes requests for the key-value tenant, which enter on
// port 1. They go on to port 2: nothing is in the cache.
func linked(b *testing.B, opts Options) (*Switch, [][]byte) {
	b.Helper()
	text, err := os.ReadFile("../../linker/testdata/quickstart/linked.p4")
	if err != nil {
		b.Fatal(err)
	}
	s := New(opts)
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := s.Load(text); err != nil {
		b.Fatal(err)
	}
	for _, t := range s.active.pipe.Tables() {
		admission := strings.HasSuffix(t.Name, specs.AdmissionTable)
		if !admission && !strings.HasSuffix(t.Name, specs.PageTable(specs.Ingress)) {
			continue
		}
		for i, vid := range []uint64{100, 200, 300} {
			args := make([]uint64, len(t.Actions[0].Params))
			for stage := range len(args) / 4 { // base, size, mask, generation
				copy(args[4*stage:], []uint64{uint64(i) * 4096, 4096, 4095, 1})
			}
			if err := t.Insert(dataplane.NewEntry([]dataplane.Match{{Value: []uint64{vid}}}, 0, &dataplane.Do{Args: args})); err != nil {
				b.Fatal(err)
			}
		}
	}
	packets := make([][]byte, 1024)
	for i := range packets {
		packets[i] = keyRequest(uint64(i) + 1)
	}
	return s, packets
}

// keyRequest asks the key-value tenant's server for a key, over UDP port 50000.
func keyRequest(key uint64) []byte {
	pkt := append(make([]byte, 12), 0x81, 0, 0, 100, 0x08, 0)
	pkt = append(pkt, 0x45, 0, 0, 45, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 11, 198, 51, 100, 1)
	binary.BigEndian.PutUint16(pkt[28:], checksum(pkt[18:38]))
	pkt = append(pkt, 0x30, 0x39, 0xC3, 0x50, 0, 25, 0, 0, 1)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(pkt, key), 0)
}

// checksum is that of an IPv4 header whose own is 0.
func checksum(header []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	sum = sum&0xFFFF + sum>>16
	return ^uint16(sum&0xFFFF + sum>>16)
}

// BenchmarkLinked runs the linked quickstart in process: on one core, as a switch does, and on all with Options.Parallel.
func BenchmarkLinked(b *testing.B) {
	b.Run("cores=1", func(b *testing.B) {
		s, packets := linked(b, Options{Output: func(uint16, []byte) {}})
		oneCore(b, s, packets)
	})
	b.Run("cores=all", func(b *testing.B) {
		s, packets := linked(b, Options{Output: func(uint16, []byte) {}, Parallel: true})
		allCores(b, s, packets)
	})
}

package softswitch

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// router serves the plain L3 program with n entries in each of its tables, and makes packets for them.
func router(b *testing.B, opts Options, n int) (*Switch, *controller, [][]byte) {
	b.Helper()
	s, c := serve(b, opts)
	text, err := os.ReadFile("testdata/l3.p4")
	if err != nil {
		b.Fatal(err)
	}
	c.use(text)
	c.primary(1)
	if err := c.setPipeline(p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT, c.config(1)); err != nil {
		b.Fatal(err)
	}
	var batch []*p4v1.Update
	for i := range n {
		batch = append(batch, c.route(p4v1.Update_INSERT, i), c.neighbour(i), c.denied(i))
		if len(batch) >= 1024 || i == n-1 {
			c.mustWrite(batch...)
			batch = batch[:0]
		}
	}
	packets := make([][]byte, 1024)
	for i := range packets {
		packets[i] = routed(uint32(i * 7919 % n))
	}
	return s, c, packets
}

func word(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// destination spreads routes over the addresses; each is a /24.
func destination(i int) uint32 { return 10<<24 | uint32(i)<<8 }

func (c *controller) route(t p4v1.Update_Type, i int) *p4v1.Update {
	return update(t, &p4v1.TableEntry{
		TableId: c.tableID("I.routes"), Match: []*p4v1.FieldMatch{lpm(1, 24, word(destination(i))...)},
		Action: c.action("I.via", word(uint32(i)), []byte{2}),
	})
}

func (c *controller) neighbour(i int) *p4v1.Update {
	return update(p4v1.Update_INSERT, &p4v1.TableEntry{
		TableId: c.tableID("I.neighbours"), Match: []*p4v1.FieldMatch{exact(1, word(uint32(i))...)},
		Action: c.action("I.to", append([]byte{2, 0}, word(uint32(i))...)),
	})
}

// denied is an entry of the access list that none of the packets hits; there are eight masks.
func (c *controller) denied(i int) *p4v1.Update {
	mask := ^uint32(0) << (i % 8)
	return update(p4v1.Update_INSERT, &p4v1.TableEntry{
		TableId: c.tableID("I.acl"), Priority: int32(i%100 + 1),
		Match:  []*p4v1.FieldMatch{ternary(1, word((172<<24|uint32(i)<<8)&mask), word(mask))},
		Action: c.action("I.drop"),
	})
}

// routed is a packet of 100 bytes for a route.
func routed(i uint32) []byte {
	b := ethernet(1, 2, 0x0800, make([]byte, 86)...)
	b[14], b[22], b[23] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[16:], 86)
	copy(b[26:], []byte{192, 168, 0, 1})
	binary.BigEndian.PutUint32(b[30:], destination(int(i))|1)
	binary.BigEndian.PutUint16(b[24:], checksum(b[14:34]))
	return b
}

// BenchmarkRouter runs the plain L3 program in process: on one core, as a switch does, and on all with Options.Parallel.
func BenchmarkRouter(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 16} {
		b.Run(fmt.Sprintf("entries=%d/cores=1", n), func(b *testing.B) {
			s, _, packets := router(b, Options{Output: func(uint16, []byte) {}}, n)
			oneCore(b, s, packets)
		})
		b.Run(fmt.Sprintf("entries=%d/cores=all", n), func(b *testing.B) {
			s, _, packets := router(b, Options{Output: func(uint16, []byte) {}, Parallel: true}, n)
			allCores(b, s, packets)
		})
	}
}

// oneCore injects packets one after the other.
func oneCore(b *testing.B, s *Switch, packets [][]byte) {
	b.Helper()
	b.SetBytes(int64(len(packets[0])))
	b.ReportAllocs()
	i, cpu := 0, CPUTime(b)
	for b.Loop() {
		if err := s.Inject(1, packets[i%len(packets)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/(CPUTime(b)-cpu).Seconds(), "packets/cpu-s")
	forwarded(b, s, b.N)
}

// allCores injects packets on as many cores as there are.
func allCores(b *testing.B, s *Switch, packets [][]byte) {
	b.Helper()
	b.SetBytes(int64(len(packets[0])))
	b.ResetTimer()
	cpu := CPUTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := s.Inject(1, packets[i%len(packets)]); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/(CPUTime(b)-cpu).Seconds(), "packets/cpu-s")
	forwarded(b, s, b.N)
}

// forwarded reports the rate, and fails if a packet was not forwarded.
func forwarded(b *testing.B, s *Switch, n int) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	if sent := s.Stats()[2].TxPackets; sent < uint64(n) {
		b.Fatalf("%d of %d packets were forwarded", sent, n)
	}
}

// BenchmarkWriteEntries modifies table entries over gRPC, in batches.
func BenchmarkWriteEntries(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			const n = 1 << 10
			_, c, _ := router(b, Options{}, n)
			updates := make([]*p4v1.Update, n)
			for i := range updates {
				updates[i] = c.route(p4v1.Update_MODIFY, int(bits.Reverse16(uint16(i))>>6))
			}
			b.ResetTimer()
			i := 0
			for b.Loop() {
				if i+size > n {
					i = 0
				}
				c.mustWrite(updates[i : i+size]...)
				i += size
			}
			b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

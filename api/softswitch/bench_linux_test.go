package softswitch

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// veth makes a pair of interfaces, or skips.
func veth(b *testing.B, one, other string) {
	b.Helper()
	ip := func(args ...string) error { return exec.Command("ip", args...).Run() }
	if err := ip("link", "add", one, "type", "veth", "peer", "name", other); err != nil {
		b.Skipf("cannot make network interfaces (ip link add: %v): run as root, with iproute2", err)
	}
	b.Cleanup(func() { _ = ip("link", "del", one) })
	for _, name := range []string{one, other} {
		_ = ip("link", "set", name, "addrgenmode", "none") // or the kernel sends packets of its own
		if err := ip("link", "set", name, "up", "arp", "off"); err != nil {
			b.Skipf("cannot bring %s up: %v", name, err)
		}
	}
}

// BenchmarkVeth sends packets over one pair of interfaces to the plain L3 program or to the linked quickstart, and takes them from
// another: the cost of the kernel and of a system call for each packet, twice on each side.
func BenchmarkVeth(b *testing.B) {
	for _, entries := range []int{1 << 10, 1 << 16} {
		b.Run(fmt.Sprintf("l3/entries=%d", entries), func(b *testing.B) {
			s, _, packets := router(b, Options{}, entries)
			overVeth(b, s, packets)
		})
	}
	b.Run("linked", func(b *testing.B) {
		s, packets := linked(b, Options{})
		overVeth(b, s, packets)
	})
}

func overVeth(b *testing.B, s *Switch, packets [][]byte) {
	b.Helper()
	veth(b, "ilbench0", "ilbench1")
	veth(b, "ilbench2", "ilbench3")
	open := func(name string) Wire {
		w, err := openInterface(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = w.Close() })
		return w
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 3)
	for port, name := range map[uint16]string{1: "ilbench1", 2: "ilbench3"} {
		w := open(name)
		go func() { done <- s.Attach(ctx, port, w) }()
	}
	var received atomic.Int64
	sink := open("ilbench2")
	go func() {
		done <- sink.Receive(ctx, func(pkt []byte) error {
			if len(pkt) == len(packets[0]) {
				received.Add(1)
			}
			return nil
		})
	}()
	source := open("ilbench0")
	sent, window := int64(0), int64(64) // unanswered packets at most, so that no queue overflows
	b.ResetTimer()
	for b.Loop() {
		for deadline := time.Now().Add(10 * time.Second); sent-received.Load() >= window; {
			if time.Now().After(deadline) {
				b.Fatalf("%d packets sent, %d came back", sent, received.Load())
			}
			runtime.Gosched()
		}
		if err := source.Send(packets[sent%int64(len(packets))]); err != nil {
			b.Fatal(err)
		}
		sent++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	cancel()
	for range 3 {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

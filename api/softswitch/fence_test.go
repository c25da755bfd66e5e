package softswitch

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// TestFence holds a packet between ingress, where it has read its table entry, and egress. A write does not wait for it; a
// packet-out does, so its packet-in says that the old entry is out of use.
func TestFence(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	s, c := serve(t, Options{Clock: func() uint64 {
		if calls.Add(1) == 2 { // the first packet's second time stamp, after ingress
			close(entered)
			<-release
		}
		return 0
	}})
	p := c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)))

	left := make(chan []Output, 1)
	go func() {
		out, err := s.Process(0, ethernet(1, 0, 0))
		if err != nil {
			t.Error(err)
		}
		left <- out
	}()
	<-entered
	c.mustWrite(update(modify, c.l2(1, 2))) // returns although the packet is inside
	p.packetOut(marker(1))
	back := make(chan *p4v1.StreamMessageResponse, 1)
	go func() {
		m, err := p.stream.Recv()
		if err != nil {
			t.Error(err)
		}
		back <- m
	}()
	select {
	case m := <-back:
		t.Fatalf("the marker overtook a packet: %v", m)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	m := <-back
	if !bytes.Equal(m.GetPacket().GetPayload(), marker(1)) {
		t.Fatalf("got %v", m)
	}
	select {
	case out := <-left:
		if len(out) != 1 || out[0].Port != 1 {
			t.Fatalf("the held packet left as %v, want the old entry's port", out)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the held packet did not leave")
	}
	if out, _ := s.Process(0, ethernet(1, 0, 0)); len(out) != 1 || out[0].Port != 2 {
		t.Fatalf("the next packet left as %v, want the new entry's port", out)
	}
}

// TestUpdatesAreWhole changes entries, default actions and cells under traffic: every packet sees an action with the arguments
// that one write gave it, and traffic never stops. Run it with -race, too.
func TestUpdatesAreWhole(t *testing.T) {
	s, c := serve(t, Options{Parallel: true})
	p := c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)))
	// Port 3 and the drop action never go together with anything else.
	writes := []*p4v1.TableEntry{c.l2(1, 1), c.l2(1, 2), c.l2(1, 3)}
	dropped := c.l2(1, 0)
	dropped.Action = c.action("I.drop")
	writes = append(writes, dropped)

	stop := make(chan struct{})
	var packets [2]atomic.Int64
	var wg sync.WaitGroup
	for i := range packets {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				out, err := s.Process(uint16(i), ethernet(1, byte(i), 0))
				if err != nil || len(out) > 1 || len(out) == 1 && (out[0].Port < 1 || out[0].Port > 3) {
					t.Errorf("%v, %v", out, err)
					return
				}
				packets[i].Add(1)
			}
		})
	}
	// On a busy machine it takes a while until both have begun.
	for i := 0; i < 60 || i < 10_000 && (packets[0].Load() == 0 || packets[1].Load() == 0); i++ {
		c.mustWrite(update(modify, writes[i%len(writes)]), c.cell(0, byte(i)))
		if i%10 == 0 {
			c.mustWrite(update(remove, c.l2(1, 0)), update(insert, c.l2(1, 1)))
			p.packetOut(marker(byte(i)))
			if m := p.recv(); !bytes.Equal(m.GetPacket().GetPayload(), marker(byte(i))) {
				t.Fatalf("marker %d: %v", i, m)
			}
		}
	}
	close(stop)
	wg.Wait()
	if packets[0].Load() == 0 || packets[1].Load() == 0 {
		t.Fatal("traffic stood still")
	}
}

func TestCountersAndStrayAccesses(t *testing.T) {
	s, c := serve(t, Options{})
	c.primary(1)
	e := c.l2(1, 1)
	e.Action = c.action("I.counted", []byte{1})
	c.mustWrite(update(insert, e))
	pkt := ethernet(1, 5, 0)
	stray := ethernet(1, 5, 0)
	stray[10] = 0xFF // the source address is the register's index
	for range 3 {
		if err := s.Inject(4, pkt); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Inject(20, stray); err != nil {
		t.Fatal(err)
	}
	read := func(e *p4v1.Entity) *p4v1.Entity {
		t.Helper()
		all := c.mustRead(e)
		if len(all) != 1 {
			t.Fatalf("read %v", all)
		}
		return all[0]
	}
	cell := read(c.cell(5).Entity).GetRegisterEntry().GetData().GetBitstring()
	if !bytes.Equal(cell, []byte{3}) {
		t.Errorf("cell 5 is %x, want 3", cell)
	}
	seen := read(&p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{
		CounterId: c.info.GetCounters()[0].GetPreamble().GetId(), Index: &p4v1.Index{Index: 4},
	}}}).GetCounterEntry().GetData()
	if seen.GetPacketCount() != 3 || seen.GetByteCount() != int64(3*len(pkt)) {
		t.Errorf("counter: %v", seen)
	}
	hits := read(&p4v1.Entity{Entity: &p4v1.Entity_DirectCounterEntry{DirectCounterEntry: &p4v1.DirectCounterEntry{
		TableEntry: &p4v1.TableEntry{TableId: e.TableId, Match: e.Match},
	}}}).GetDirectCounterEntry().GetData()
	if hits.GetPacketCount() != 4 {
		t.Errorf("direct counter: %v", hits)
	}
	withCount := read(entity(&p4v1.TableEntry{TableId: e.TableId, CounterData: &p4v1.CounterData{}})).GetTableEntry()
	if withCount.GetCounterData().GetPacketCount() != 4 {
		t.Errorf("entry with its counter: %v", withCount)
	}
	m := s.Metrics()
	if m.StrayAccesses["cells"] != 2 || m.StrayAccesses["seen"] != 1 {
		t.Errorf("stray accesses: %v", m.StrayAccesses)
	}
	if st := m.Ports[4]; st.RxPackets != 3 || st.RxBytes != uint64(3*len(pkt)) || st.Dropped != 0 {
		t.Errorf("port 4: %+v", st)
	}
	if st := m.Ports[1]; st.Lost != 4 {
		t.Errorf("port 1, with nothing attached: %+v", st)
	}
}

func BenchmarkWriteCells(b *testing.B) {
	_, c := serve(b, Options{})
	c.primary(1)
	batch := make([]*p4v1.Update, 4096)
	for i := range batch {
		batch[i] = c.cell(int64(i), byte(i>>8)|1, byte(i))
	}
	b.ResetTimer()
	for b.Loop() {
		c.mustWrite(batch...)
	}
	b.ReportMetric(float64(b.N)*4096/b.Elapsed().Seconds(), "cells/s")
}

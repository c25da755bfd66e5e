package traffic

import (
	"cmp"
	"container/heap"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// Packet arrives at a physical port at a time after the start.
type Packet struct {
	At   time.Duration
	Port uint16
	Data []byte
}

// Generator yields the packets of a Spec in the order of time.
type Generator struct {
	streams []*stream // a heap by the time of the next packet
}

// New checks a spec and prepares its traffic.
func New(spec Spec) (*Generator, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	g := &Generator{}
	for i, t := range spec.Tenants {
		name := fnv.New64a()
		name.Write([]byte(t.Name))
		s := &stream{order: i, t: t, w: newWriter(t.VID), rng: rand.New(rand.NewPCG(spec.Seed, name.Sum64()))}
		if s.fill() {
			g.streams = append(g.streams, s)
		}
		if s.err != nil {
			return nil, s.err
		}
	}
	heap.Init((*byTime)(g))
	return g, nil
}

// Next returns the next packet; false when there are no more.
func (g *Generator) Next() (Packet, bool, error) {
	if len(g.streams) == 0 {
		return Packet{}, false, nil
	}
	s := g.streams[0]
	p := heap.Pop(&s.queue).(queued)
	if s.fill() {
		heap.Fix((*byTime)(g), 0)
	} else {
		heap.Pop((*byTime)(g))
	}
	return p.Packet, true, s.err
}

// stream is one tenant's traffic.
type stream struct {
	order int
	t     Tenant
	w     *writer
	rng   *rand.Rand
	err   error

	phase int
	begun time.Duration // when the phase began
	now   time.Duration // of the last event
	zipf  []float64     // cumulated popularity in this phase
	queue queue         // packets that events have led to
	count uint64
}

// queued orders packets of equal times as they were made.
type queued struct {
	Packet
	n uint64
}

// fill makes events until the first packet in the queue cannot be preceded by one that is not there yet. It is false at the end.
func (s *stream) fill() bool {
	for s.phase < len(s.t.Phases) && (len(s.queue) == 0 || s.queue[0].At > s.now) {
		p := s.t.Phases[s.phase]
		if s.zipf == nil && p.Rate > 0 {
			s.zipf = popularity(p.Population, p.Skew)
		}
		next := s.begun + p.For
		if p.Rate > 0 {
			next = s.now + time.Duration(s.rng.ExpFloat64()/p.Rate*float64(time.Second))
		}
		if next >= s.begun+p.For {
			s.begun += p.For
			s.now = s.begun
			s.phase, s.zipf = s.phase+1, nil
			continue
		}
		s.now = next
		s.event(p)
	}
	return len(s.queue) > 0
}

// popularity is the cumulated distribution of Zipf's law over n items.
func popularity(n int, skew float64) []float64 {
	sum, out := 0.0, make([]float64, n)
	for k := range out {
		sum += math.Pow(float64(k+1), -skew)
		out[k] = sum
	}
	return out
}

// item draws one by its popularity and returns its name: a number that only it has.
func (s *stream) item(p Phase) uint64 {
	u := s.rng.Float64() * s.zipf[len(s.zipf)-1]
	rank, _ := slices.BinarySearch(s.zipf, u)
	return uint64(min(rank, len(s.zipf)-1) + p.Shift)
}

// send queues a packet.
func (s *stream) send(at time.Duration, port uint16, data []byte, err error) {
	if err != nil {
		s.err = err
		return
	}
	s.count++
	heap.Push(&s.queue, queued{Packet{at, port, data}, s.count})
}

// Delays of the simulated hosts.
const (
	serverDelay  = 200 * time.Microsecond
	networkDelay = 100 * time.Microsecond
)

func (s *stream) event(p Phase) {
	switch s.t.Kind {
	case KeyValue:
		s.request(p)
	case Flows:
		s.flow(p)
	case Connections:
		s.connection(p)
	}
}

// request is a GET with its reply.
func (s *stream) request(p Phase) {
	key := mix(s.item(p)+1) | 1 // never 0
	client := s.t.Hosts.Near[s.rng.IntN(len(s.t.Hosts.Near))]
	port := layers.UDPPort(1024 + s.rng.IntN(60000-1024))
	if port == KVPort {
		port++
	}
	b, err := s.w.packet(client, s.t.Hosts.Far, layers.IPProtocolUDP, &layers.UDP{SrcPort: port, DstPort: KVPort}, kvPayload(opGet, key, 0))
	s.send(s.now, s.t.Near, b, err)
	b, err = s.w.packet(s.t.Hosts.Far, client, layers.IPProtocolUDP, &layers.UDP{SrcPort: KVPort, DstPort: port}, kvPayload(opReply, key, valueOf(key)))
	s.send(s.now+serverDelay, s.t.Far, b, err)
}

// host is the n-th address after a network's first.
func host(first netip.Addr, n uint32) netip.Addr {
	b := first.As4()
	x := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	x += n
	return netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
}

// flow is one packet of a flow, in either direction.
func (s *stream) flow(p Phase) {
	id := mix(s.item(p) + 0x666c6f77)
	near := host(s.t.Hosts.Near[0], uint32(id%(1<<16)))
	far := host(s.t.Hosts.Far, uint32(id>>16%(1<<16)))
	nearPort, farPort := uint16(1024+id>>32%50000), uint16(1+id>>48%1023)
	src, dst, from, to, port := near, far, nearPort, farPort, s.t.Near
	if id>>63 == 1 { // a flow has a direction
		src, dst, from, to, port = far, near, farPort, nearPort, s.t.Far
	}
	payload := make([]byte, 16+s.rng.IntN(64))
	var b []byte
	var err error
	if id&1 == 0 {
		b, err = s.w.packet(src, dst, layers.IPProtocolUDP, &layers.UDP{SrcPort: layers.UDPPort(from), DstPort: layers.UDPPort(to)}, payload)
	} else {
		b, err = s.w.packet(src, dst, layers.IPProtocolTCP, &layers.TCP{SrcPort: layers.TCPPort(from), DstPort: layers.TCPPort(to), ACK: true, Window: 1024}, payload)
	}
	s.send(s.now, port, b, err)
}

// connection is a TCP connection from a host inside to one outside: handshake, a request and its answer, the end. One event in eight is
// somebody outside who tries to get in.
func (s *stream) connection(p Phase) {
	id := mix(s.item(p) + 0x7463)
	inside := host(s.t.Hosts.Near[0], uint32(s.rng.IntN(1<<8)))
	outside := host(s.t.Hosts.Far, uint32(id%(1<<16)))
	port := layers.TCPPort(1024 + s.rng.IntN(60000))
	const service = 443
	if s.rng.IntN(8) == 0 {
		b, err := s.w.packet(outside, inside, layers.IPProtocolTCP, &layers.TCP{SrcPort: port, DstPort: 22, SYN: true, Window: 1024}, nil)
		s.send(s.now, s.t.Far, b, err)
		return
	}
	at := s.now
	in := func(t layers.TCP, payload int) {
		t.SrcPort, t.DstPort, t.Window = port, service, 1024
		b, err := s.w.packet(inside, outside, layers.IPProtocolTCP, &t, make([]byte, payload))
		s.send(at, s.t.Near, b, err)
		at += networkDelay
	}
	out := func(t layers.TCP, payload int) {
		t.SrcPort, t.DstPort, t.Window = service, port, 1024
		b, err := s.w.packet(outside, inside, layers.IPProtocolTCP, &t, make([]byte, payload))
		s.send(at, s.t.Far, b, err)
		at += networkDelay
	}
	in(layers.TCP{SYN: true, Seq: 1}, 0)
	out(layers.TCP{SYN: true, ACK: true, Seq: 1, Ack: 2}, 0)
	in(layers.TCP{ACK: true, Seq: 2, Ack: 2}, 0)
	in(layers.TCP{PSH: true, ACK: true, Seq: 2, Ack: 2}, 120)
	out(layers.TCP{ACK: true, Seq: 2, Ack: 122}, 400)
	in(layers.TCP{FIN: true, ACK: true, Seq: 122, Ack: 402}, 0)
	out(layers.TCP{FIN: true, ACK: true, Seq: 402, Ack: 123}, 0)
}

// queue is a heap by time, then by number.
type queue []queued

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].At, q[j].At), cmp.Compare(q[i].n, q[j].n)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// byTime orders streams by their next packet, then as they were given.
type byTime Generator

func (g *byTime) Len() int { return len(g.streams) }
func (g *byTime) Less(i, j int) bool {
	a, b := g.streams[i], g.streams[j]
	return cmp.Or(cmp.Compare(a.queue[0].At, b.queue[0].At), cmp.Compare(a.order, b.order)) < 0
}
func (g *byTime) Swap(i, j int) { g.streams[i], g.streams[j] = g.streams[j], g.streams[i] }
func (g *byTime) Push(x any)    { g.streams = append(g.streams, x.(*stream)) }
func (g *byTime) Pop() any {
	x := g.streams[len(g.streams)-1]
	g.streams = g.streams[:len(g.streams)-1]
	return x
}

package dataplane

// The order of effects is simple_switch's. When ingress ends: the clone that was asked for last is made, of the packet as it
// came in and parsed again; digests are sent; then the packet is resubmitted, or replicated to its multicast group, or dropped,
// or goes to egress. When egress ends: the clone is made, of headers as they are now; then the packet is dropped, or it is
// deparsed and recirculated or sent. Copies, resubmitted and recirculated packets wait in one queue, first in, first out.
//
// Where v1model leaves something open: copies, resubmitted and recirculated packets keep the ingress_port of the packet that was
// received; packet_length is that of the packet as ingress began; the queues are empty and the time in them is what the clock
// says.

// Values of instance_type.
const (
	instanceNormal       = 0
	instanceIngressClone = 1
	instanceEgressClone  = 2
	instanceRecirculated = 4
	instanceReplicated   = 5
	instanceResubmitted  = 6
)

// Bounds of what one received packet can cause.
const (
	// MaxPasses is the number of passes through ingress or egress.
	MaxPasses = 4096
	// MaxWaiting is the number of packets in the queue.
	MaxWaiting = 512
)

// kept is how many frames a worker keeps for the next packet.
const kept = 8

// An Output is a packet that left.
type Output struct {
	Port uint16
	Data []byte
}

// A Passage is what became of a packet.
type Passage struct {
	// Outputs are the packets that left, in order; none if it was dropped. They are valid until Release.
	Outputs []Output

	worker *worker
}

// First is the first packet that left; ok is false if none did.
func (x Passage) First() (port uint16, data []byte, ok bool) {
	if len(x.Outputs) == 0 {
		return 0, nil, false
	}
	return x.Outputs[0].Port, x.Outputs[0].Data, true
}

// A worker takes one packet at a time, with all that comes of it, through the pipeline.
type worker struct {
	pipe   *Pipeline
	free   []*frame
	queue  []task
	head   int
	passes int
	port   uint16 // that the packet was received on
	sent   []Output
	data   []byte // of what was sent
}

// A task is a packet that waits for a pass through ingress, or for one through egress for each of its copies.
type task struct {
	f       *frame
	ingress bool
	port    uint16    // of one copy
	copies  []Replica // else of these
	cut     int       // what the copies are cut to, in bytes
}

// Run takes one packet that came in on port, 0 to MaxPort, through the pipeline, with all the copies that are made of it. The
// caller calls Release when it is done with the outputs. pkt is not changed and not kept.
func (p *Pipeline) Run(port uint16, pkt []byte) Passage {
	w := p.workers.Get().(*worker)
	w.run(port, pkt)
	return Passage{Outputs: w.sent, worker: w}
}

// Release gives the memory back: the outputs are no longer valid.
func (x Passage) Release() { x.worker.pipe.workers.Put(x.worker) }

func (w *worker) run(port uint16, pkt []byte) {
	w.sent, w.data, w.queue, w.head, w.passes, w.port = w.sent[:0], w.data[:0], w.queue[:0], 0, 0, port
	f := w.frame()
	f.reset(pkt)
	w.arrive(f, instanceNormal)
	w.ingress(f)
	for w.head < len(w.queue) {
		t := w.queue[w.head]
		w.queue[w.head] = task{}
		if w.head++; w.head == len(w.queue) {
			w.queue, w.head = w.queue[:0], 0
		}
		switch {
		case t.ingress:
			w.ingress(t.f)
		case t.copies == nil:
			w.egress(t.f, t.port)
		default:
			w.replicate(&t)
		}
	}
}

// frame takes a frame that is not in use.
func (w *worker) frame() *frame {
	if n := len(w.free); n > 0 {
		f := w.free[n-1]
		w.free = w.free[:n-1]
		f.own = f.own[:0]
		return f
	}
	return newFrame(w.pipe.words)
}

// done gives a frame back.
func (w *worker) done(f *frame) {
	f.pkt, f.entry = nil, nil
	if len(w.free) < kept {
		w.free = append(w.free, f)
	}
}

// push queues a task, unless there are too many.
func (w *worker) push(t task) {
	if len(w.queue)-w.head >= MaxWaiting {
		w.pipe.overrun.Add(1)
		w.done(t.f)
		return
	}
	w.queue = append(w.queue, t)
}

// pass counts a pass, and tells whether it may happen.
func (w *worker) pass() bool {
	if w.passes >= MaxPasses {
		w.pipe.overrun.Add(1)
		return false
	}
	w.passes++
	return true
}

// arrive sets the standard metadata that a packet has when it enters the parser.
func (w *worker) arrive(f *frame, instance uint64) {
	sm := &w.pipe.sm
	f.w[sm.ingressPort] = uint64(w.port)
	f.w[sm.instanceType] = instance
	f.w[sm.packetLength] = uint64(len(f.pkt)) & mask64(32)
	f.w[sm.ingressTime] = w.pipe.Clock() & mask64(48)
}

func (w *worker) ingress(f *frame) {
	if !w.pass() {
		w.done(f)
		return
	}
	p := w.pipe
	do(p.parser, f)
	f.w[p.sm.parserError] = f.perr
	do(p.verify, f)
	do(p.ingress, f)
	if f.failed {
		w.done(f)
		return
	}
	if f.clone >= 0 {
		w.cloneIngress(f)
	}
	if len(f.samples) > 0 {
		p.sendSamples(f)
	}
	if f.resubmit >= 0 {
		w.resubmit(f)
		return
	}
	spec := uint16(f.w[p.sm.egressSpec])
	if group := uint16(f.w[p.sm.mcastGrp]); group != 0 {
		replicas, ok := p.copies.Group(group)
		if !ok || len(replicas) == 0 {
			w.done(f)
			return
		}
		f.w[p.sm.instanceType] = instanceReplicated
		w.enqueued(f)
		w.push(task{f: f, copies: replicas, cut: whole})
		return
	}
	if spec == DropPort {
		w.done(f)
		return
	}
	f.w[p.sm.instanceType] = instanceNormal
	w.enqueued(f)
	w.push(task{f: f, port: spec})
}

// enqueued notes when a packet is put into a queue.
func (w *worker) enqueued(f *frame) {
	f.w[w.pipe.sm.enqTime] = w.pipe.Clock() & mask64(32)
	f.w[w.pipe.sm.enqDepth] = 0
	f.ask()
}

// cloneIngress makes the clones of a packet at the end of ingress.
func (w *worker) cloneIngress(f *frame) {
	p := w.pipe
	s := p.copies.sessions.get(uint16(f.clone))
	if s == nil || len(s.Replicas) == 0 {
		return
	}
	g := w.frame()
	g.reset(g.take(f))
	w.arrive(g, instanceIngressClone)
	do(p.parser, g)
	if g.failed {
		w.done(g)
		return
	}
	// What the parser wrote to metadata is not kept, as on simple_switch.
	clear(g.w[p.shared.metadata:])
	w.inherit(g, f, f.cloneList, instanceIngressClone)
	w.push(task{f: g, copies: s.Replicas, cut: cut(s)})
}

// cloneEgress makes the clones of a packet at the end of egress.
func (w *worker) cloneEgress(f *frame) {
	p := w.pipe
	s := p.copies.sessions.get(uint16(f.clone))
	if s == nil || len(s.Replicas) == 0 {
		return
	}
	g := w.frame()
	w.copyPacket(g, f)
	clear(g.w[p.shared.metadata:])
	w.inherit(g, f, f.cloneList, instanceEgressClone)
	w.push(task{f: g, copies: s.Replicas, cut: cut(s)})
}

func cut(s *Session) int {
	if s.Length == 0 {
		return whole
	}
	return s.Length
}

// inherit gives a clone, whose metadata is zero, what it has of the packet it was made of.
func (w *worker) inherit(g, f *frame, list int, instance uint64) {
	p := w.pipe
	for _, s := range p.lists[list] {
		copy(g.w[s.from:s.to], f.w[s.from:s.to])
	}
	g.w[p.sm.ingressPort] = uint64(w.port)
	g.w[p.sm.packetLength] = f.w[p.sm.packetLength]
	g.w[p.sm.ingressTime] = f.w[p.sm.ingressTime]
	g.w[p.sm.instanceType] = instance
	g.truncate = whole
	w.enqueued(g)
}

// take is the packet of f, in memory that lasts as long as g.
func (f *frame) take(from *frame) []byte {
	if len(from.own) == 0 {
		return from.pkt
	}
	f.own = append(f.own, from.own...)
	return f.own
}

// copyPacket copies what the blocks share, and the rest of the packet.
func (w *worker) copyPacket(g, f *frame) {
	end := w.pipe.shared.end
	copy(g.w[:end], f.w[:end])
	clear(g.w[end:])
	g.pkt, g.cur, g.out, g.bit = g.take(f), f.cur, g.out[:0], 0
	g.perr, g.entry, g.exited, g.hit, g.action, g.color = f.perr, nil, false, false, 0, Green
	g.truncate, g.failed, g.samples = whole, false, g.samples[:0]
	g.ask()
}

// resubmit sends the packet as it came in back to the parser.
func (w *worker) resubmit(f *frame) {
	p := w.pipe
	g := w.frame()
	g.reset(g.take(f))
	for _, s := range p.lists[f.resubmit] {
		copy(g.w[s.from:s.to], f.w[s.from:s.to])
	}
	w.arrive(g, instanceResubmitted)
	g.w[p.sm.ingressTime] = f.w[p.sm.ingressTime]
	w.done(f)
	w.push(task{f: g, ingress: true})
}

// replicate takes each copy through egress.
func (w *worker) replicate(t *task) {
	sm := &w.pipe.sm
	last := len(t.copies) - 1
	for i, r := range t.copies {
		g := t.f
		if i < last {
			if w.passes >= MaxPasses {
				w.pipe.overrun.Add(uint64(last - i))
				break
			}
			g = w.frame()
			w.copyPacket(g, t.f)
		}
		g.truncate = t.cut
		g.w[sm.egressRid] = uint64(r.Instance)
		w.egress(g, r.Port)
		if i == last {
			return
		}
	}
	w.done(t.f)
}

func (w *worker) egress(f *frame, port uint16) {
	if !w.pass() {
		w.done(f)
		return
	}
	p := w.pipe
	f.turns = 0
	now := p.Clock()
	f.w[p.sm.egressTime] = now & mask64(48)
	f.w[p.sm.deqTime] = (now - f.w[p.sm.enqTime]) & mask64(32)
	f.w[p.sm.deqDepth] = 0
	f.w[p.sm.egressPort], f.w[p.sm.egressSpec] = uint64(port), 0
	do(p.egress, f)
	if f.failed {
		w.done(f)
		return
	}
	if f.clone >= 0 {
		w.cloneEgress(f)
	}
	if f.w[p.sm.egressSpec] == DropPort {
		w.done(f)
		return
	}
	do(p.update, f)
	do(p.deparse, f)
	f.payload()
	if f.recirculate >= 0 {
		w.recirculate(f)
		return
	}
	from := len(w.data)
	w.data = append(w.data, f.out[:min(len(f.out), f.truncate)]...)
	w.sent = append(w.sent, Output{port, w.data[from:]})
	w.done(f)
}

// recirculate sends the packet as it was deparsed back to the parser.
func (w *worker) recirculate(f *frame) {
	g := w.frame()
	g.own = append(g.own[:0], f.out...)
	g.reset(g.own)
	for _, s := range w.pipe.lists[f.recirculate] {
		copy(g.w[s.from:s.to], f.w[s.from:s.to])
	}
	w.arrive(g, instanceRecirculated)
	w.done(f)
	w.push(task{f: g, ingress: true})
}

// do runs a block to its end.
func do(s step, f *frame) {
	if s != nil && !f.failed {
		s(f)
	}
	f.exited = false
}

// payload appends what the parser left.
func (f *frame) payload() {
	if f.cur&7 == 0 && f.bit&7 == 0 {
		f.out = append(f.out, f.pkt[f.cur/8:]...)
		return
	}
	for f.left() > 0 {
		n := min(8, f.left())
		f.out, f.bit = appendBits(f.out, f.bit, readBits(f.pkt, f.cur, n), n)
		f.cur += n
	}
}

package dataplane

import "encoding/hex"

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
	code   *code
	free   []*frame
	queue  []task
	head   int
	passes int
	port   uint16    // that the packet was received on
	trace  *recorder // or nil
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
	if f.trace != nil {
		f.note(StepArrive, "received", "port %d, %d bytes: %x", port, len(pkt), pkt)
	}
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
	f := newFrame(w.code.words)
	if f.trace = w.trace; f.trace != nil {
		f.copied = f.trace.copies
		f.trace.copies++
	}
	return f
}

// done gives a frame back.
func (w *worker) done(f *frame) {
	f.pkt, f.entry = nil, nil
	if len(w.free) < kept && w.trace == nil { // in a trace every copy has a number of its own
		w.free = append(w.free, f)
	}
}

// push queues a task, unless there are too many.
func (w *worker) push(t task) {
	if len(w.queue)-w.head >= MaxWaiting {
		w.pipe.overrun.Add(1)
		if t.f.trace != nil {
			t.f.note(StepOverrun, "", "%d packets wait already", MaxWaiting)
		}
		w.done(t.f)
		return
	}
	w.queue = append(w.queue, t)
}

// pass counts a pass, and tells whether it may happen.
func (w *worker) pass(f *frame) bool {
	if w.passes >= MaxPasses {
		w.pipe.overrun.Add(1)
		if f.trace != nil {
			f.note(StepOverrun, "", "%d passes were made already", MaxPasses)
		}
		return false
	}
	w.passes++
	return true
}

// arrive sets the standard metadata that a packet has when it enters the parser.
func (w *worker) arrive(f *frame, instance uint64) {
	sm := &w.code.sm
	f.w[sm.ingressPort] = uint64(w.port)
	f.w[sm.instanceType] = instance
	f.w[sm.packetLength] = uint64(len(f.pkt)) & mask64(32)
	if w.code.timed.ingress {
		f.w[sm.ingressTime] = w.pipe.Clock() & mask64(48)
	}
	if w.trace != nil {
		for _, s := range w.trace.stale {
			f.w[s.slot] = s.val
		}
	}
}

func (w *worker) ingress(f *frame) {
	if !w.pass(f) {
		w.done(f)
		return
	}
	p, x := w.pipe, w.code
	do(x.parser, f)
	if f.perr != 0 {
		if f.trace != nil {
			f.note(StepError, "", "%s", p.info.Errors[f.perr])
		}
	}
	f.w[x.sm.parserError] = f.perr
	do(x.verify, f)
	do(x.ingress, f)
	if f.failed {
		w.drop(f, "a failure")
		return
	}
	if f.clone >= 0 {
		w.cloneIngress(f)
	}
	if len(f.samples) > 0 {
		if f.trace != nil {
			f.note(StepDigest, "", "%d words", len(f.samples)-1)
		}
		p.sendSamples(f)
	}
	if f.resubmit >= 0 {
		w.resubmit(f)
		return
	}
	spec := uint16(f.w[x.sm.egressSpec])
	if group := uint16(f.w[x.sm.mcastGrp]); group != 0 {
		replicas, ok := p.copies.Group(group)
		if !ok || len(replicas) == 0 {
			w.drop(f, "an empty multicast group")
			return
		}
		if f.trace != nil {
			f.note(StepCopies, "", "multicast group %d: %d copies", group, len(replicas))
		}
		f.w[x.sm.instanceType] = instanceReplicated
		w.enqueued(f)
		w.push(task{f: f, copies: replicas, cut: whole})
		return
	}
	if spec == DropPort {
		w.drop(f, "egress_spec at the end of ingress")
		return
	}
	f.w[x.sm.instanceType] = instanceNormal
	w.enqueued(f)
	w.push(task{f: f, port: spec})
}

// drop ends a packet.
func (w *worker) drop(f *frame, why string) {
	if f.trace != nil {
		f.note(StepDrop, "", "%s", why)
	}
	w.done(f)
}

// enqueued notes when a packet is put into a queue.
func (w *worker) enqueued(f *frame) {
	if w.code.timed.egress {
		f.w[w.code.sm.enqTime] = w.pipe.Clock() & mask64(32)
	}
	f.w[w.code.sm.enqDepth] = 0
	f.ask()
}

// cloneIngress makes the clones of a packet at the end of ingress.
func (w *worker) cloneIngress(f *frame) {
	p, x := w.pipe, w.code
	s := p.copies.sessions.get(uint16(f.clone))
	if s == nil || len(s.Replicas) == 0 {
		if f.trace != nil {
			f.note(StepClone, "I2E", "session %d has no replicas", f.clone)
		}
		return
	}
	g := w.frame()
	if f.trace != nil {
		f.note(StepClone, "I2E", "session %d: packet %d, %d copies", f.clone, g.copied, len(s.Replicas))
	}
	g.reset(g.take(f))
	w.arrive(g, instanceIngressClone)
	do(x.parser, g)
	if g.failed {
		w.done(g)
		return
	}
	// What the parser wrote to metadata is not kept, as on simple_switch.
	clear(g.w[x.shared.metadata:])
	w.inherit(g, f, f.cloneList, instanceIngressClone)
	w.push(task{f: g, copies: s.Replicas, cut: cut(s)})
}

// cloneEgress makes the clones of a packet at the end of egress.
func (w *worker) cloneEgress(f *frame) {
	p, x := w.pipe, w.code
	s := p.copies.sessions.get(uint16(f.clone))
	if s == nil || len(s.Replicas) == 0 {
		if f.trace != nil {
			f.note(StepClone, "E2E", "session %d has no replicas", f.clone)
		}
		return
	}
	g := w.frame()
	if f.trace != nil {
		f.note(StepClone, "E2E", "session %d: packet %d, %d copies", f.clone, g.copied, len(s.Replicas))
	}
	w.copyPacket(g, f)
	clear(g.w[x.shared.metadata:])
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
	x := w.code
	for _, s := range x.lists[list] {
		copy(g.w[s.from:s.to], f.w[s.from:s.to])
	}
	g.w[x.sm.ingressPort] = uint64(w.port)
	g.w[x.sm.packetLength] = f.w[x.sm.packetLength]
	g.w[x.sm.ingressTime] = f.w[x.sm.ingressTime]
	g.w[x.sm.instanceType] = instance
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
	end := w.code.shared.end
	copy(g.w[:end], f.w[:end])
	clear(g.w[end:])
	g.pkt, g.cur, g.out, g.bit = g.take(f), f.cur, g.out[:0], 0
	g.perr, g.entry, g.hit, g.action, g.color = f.perr, nil, false, 0, Green
	g.truncate, g.failed, g.samples = whole, false, g.samples[:0]
	g.ask()
}

// resubmit sends the packet as it came in back to the parser.
func (w *worker) resubmit(f *frame) {
	x := w.code
	g := w.frame()
	g.reset(g.take(f))
	for _, s := range x.lists[f.resubmit] {
		copy(g.w[s.from:s.to], f.w[s.from:s.to])
	}
	w.arrive(g, instanceResubmitted)
	g.w[x.sm.ingressTime] = f.w[x.sm.ingressTime]
	if f.trace != nil {
		f.note(StepAgain, "resubmit", "packet %d", g.copied)
	}
	if g.trace != nil {
		g.note(StepArrive, "resubmitted", "%d bytes", len(g.pkt))
	}
	w.done(f)
	w.push(task{f: g, ingress: true})
}

// replicate takes each copy through egress.
func (w *worker) replicate(t *task) {
	sm := &w.code.sm
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
	if !w.pass(f) {
		w.done(f)
		return
	}
	p, x := w.pipe, w.code
	if f.trace != nil {
		f.note(StepEgress, "", "port %d, instance %d", port, f.w[x.sm.egressRid])
	}
	f.turns = 0
	if x.timed.egress {
		now := p.Clock()
		f.w[x.sm.egressTime] = now & mask64(48)
		f.w[x.sm.deqTime] = (now - f.w[x.sm.enqTime]) & mask64(32)
	}
	f.w[x.sm.deqDepth] = 0
	f.w[x.sm.egressPort], f.w[x.sm.egressSpec] = uint64(port), 0
	do(x.egress, f)
	if f.failed {
		w.drop(f, "a failure")
		return
	}
	if f.clone >= 0 {
		w.cloneEgress(f)
	}
	if f.w[x.sm.egressSpec] == DropPort {
		w.drop(f, "egress_spec at the end of egress")
		return
	}
	do(x.update, f)
	do(x.deparse, f)
	if f.failed {
		w.drop(f, "a failure")
		return
	}
	f.payload()
	if f.recirculate >= 0 {
		w.recirculate(f)
		return
	}
	from := len(w.data)
	w.data = append(w.data, f.out[:min(len(f.out), f.truncate)]...)
	w.sent = append(w.sent, Output{port, w.data[from:]})
	if w.trace != nil {
		f.note(StepSend, "", "port %d, %d bytes: %x", port, len(w.data)-from, w.data[from:])
		w.trace.trace.Outputs = append(w.trace.trace.Outputs, Sent{f.copied, port, hex.EncodeToString(w.data[from:])})
	}
	w.done(f)
}

// recirculate sends the packet as it was deparsed back to the parser.
func (w *worker) recirculate(f *frame) {
	g := w.frame()
	g.own = append(g.own[:0], f.out...)
	g.reset(g.own)
	for _, s := range w.code.lists[f.recirculate] {
		copy(g.w[s.from:s.to], f.w[s.from:s.to])
	}
	w.arrive(g, instanceRecirculated)
	if f.trace != nil {
		f.note(StepAgain, "recirculate", "packet %d", g.copied)
	}
	if g.trace != nil {
		g.note(StepArrive, "recirculated", "%d bytes: %x", len(g.pkt), g.pkt)
	}
	w.done(f)
	w.push(task{f: g, ingress: true})
}

// do runs a block to its end.
func do(s step, f *frame) {
	if !f.failed {
		s.run(f)
	}
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

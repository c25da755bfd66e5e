package program

import (
	"fmt"
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// An Outcome is what a concrete run of the pipeline did with one packet.
type Outcome struct {
	// Dropped: nothing leaves. Otherwise Packet leaves through Port, or to the members of Multicast if it is not 0.
	Dropped   bool
	Port      uint16
	Multicast uint16
	Packet    []byte
	Copies    []string // clone, resubmit, recirculate, as asked for
	Steps     []Step
	// Violated are the IDs of the obligations that this packet makes false.
	Violated []string
}

// Evaluate runs the linked program on one packet by the same executor that makes the obligations, with every unknown
// answered by the oracle. It is there to be compared with other implementations of the language.
func Evaluate(in *Input, packet []byte, port uint16, oracle Oracle) (*Outcome, error) {
	info, err := load(in)
	if err != nil {
		return nil, err
	}
	return evaluate(newMachine(in, info), packet, port, oracle)
}

// An Evaluator runs one program on many packets.
type Evaluator struct{ like *machine }

// NewEvaluator prepares a program for Evaluate.
func NewEvaluator(in *Input) (*Evaluator, error) {
	info, err := load(in)
	if err != nil {
		return nil, err
	}
	return &Evaluator{newMachine(in, info)}, nil
}

// Evaluate is the function of that name.
func (e *Evaluator) Evaluate(packet []byte, port uint16, oracle Oracle) (*Outcome, error) {
	return evaluate(e.like, packet, port, oracle)
}

func evaluate(like *machine, packet []byte, port uint16, oracle Oracle) (out *Outcome, err error) {
	defer recovered(&err)
	m, err := runConcrete(like.in, like, packet, port, oracle)
	if err != nil {
		return nil, err
	}
	out = &Outcome{Dropped: true, Steps: m.concrete.steps}
	for _, s := range m.sends {
		if isTrue(m.fold(s.pc)) {
			out.Copies = append(out.Copies, s.what)
		}
	}
	for _, e := range m.ends {
		if isTrue(m.fold(e.pc)) {
			out.Multicast = uint16(m.constant(e.mcast).Uint64())
		}
	}
	for _, o := range m.outputs {
		if !isTrue(m.fold(o.pc)) {
			continue
		}
		out.Dropped = false
		out.Port = uint16(m.constant(o.port).Uint64())
		out.Packet, err = m.deparse(o, packet)
		if err != nil {
			return nil, err
		}
	}
	p, err := m.claims()
	if err != nil {
		return nil, err
	}
	for _, c := range p.sorted() {
		if isTrue(m.fold(m.wrong(c))) {
			out.Violated = append(out.Violated, c.id)
		}
	}
	return out, nil
}

// runConcrete executes the program that like has loaded.
func runConcrete(in *Input, like *machine, packet []byte, port uint16, oracle Oracle) (*machine, error) {
	if len(packet) > maxPacket {
		return nil, fmt.Errorf("a packet of %d bytes: at most %d", len(packet), maxPacket)
	}
	if port > specs.DropPort {
		return nil, fmt.Errorf("ingress port %d", port)
	}
	outer := oracle.Value
	oracle.Value = func(q Query) *big.Int {
		if q.Kind == "packet" {
			return packetValue(q.Name, packet, port)
		}
		if outer == nil {
			return nil
		}
		return outer(q)
	}
	m := newMachine(in, like.info)
	m.concrete = &concreteRun{oracle: oracle, byTenant: map[syntax.Node]bool{}, left: map[string]bool{}}
	for _, v := range like.stale() {
		m.concrete.left[v.Name()] = true
	}
	if err := m.run(); err != nil {
		return nil, err
	}
	return m, nil
}

// packetValue answers queries about the packet itself.
func packetValue(name string, packet []byte, port uint16) *big.Int {
	switch name {
	case "len":
		return big.NewInt(int64(len(packet)))
	case "port":
		return big.NewInt(int64(port))
	}
	var i int
	if _, err := fmt.Sscanf(name, "pkt_%d", &i); err == nil && i < len(packet) {
		return big.NewInt(int64(packet[i]))
	}
	return new(big.Int)
}

// deparse builds the packet that leaves: the emitted headers, then what was not parsed.
func (m *machine) deparse(o *output, packet []byte) ([]byte, error) {
	all := new(big.Int)
	n := 0
	put := func(v *big.Int, w int) {
		all.Lsh(all, uint(w))
		all.Or(all, v)
		n += w
	}
	for _, e := range o.emits {
		if !isTrue(m.fold(e.cond)) {
			continue
		}
		for i, v := range e.vals {
			put(m.constant(v), packetBits(e.header[i]))
		}
	}
	cursor := int(m.constant(o.cursor).Int64())
	if cursor%8 != n%8 {
		return nil, fmt.Errorf("%w: the deparser puts out %d bits in front of a payload that begins at bit %d", ErrUnsupported, n, cursor)
	}
	payload := new(big.Int).SetBytes(packet)
	rest := 8*len(packet) - cursor
	payload.And(payload, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(rest)), big.NewInt(1)))
	put(payload, rest)
	return all.FillBytes(make([]byte, n/8)), nil
}

func isTrue(t *smt.Term) bool {
	v, ok := t.ConstBool()
	return ok && v
}

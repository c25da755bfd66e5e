package dataplane

import (
	"bytes"
	"fmt"
	"math/big"
)

// A Trace is the way of a packet and of all that came of it, step by step.
type Trace struct {
	Steps []Step `json:"steps"`
	// Cut says that there were more than MaxSteps steps.
	Cut     bool   `json:"cut,omitempty"`
	Outputs []Sent `json:"outputs"`
}

// Sent is a packet that left.
type Sent struct {
	Packet int    `json:"packet"` // which copy; the one that came in is 0
	Port   uint16 `json:"port"`
	Data   string `json:"data"` // hexadecimal
}

// MaxSteps bounds a trace.
const MaxSteps = 100_000

// A Step is one thing that happened. What was done inside a step (the statements of an action, say) follows it, deeper.
type Step struct {
	Packet int  `json:"packet"` // which copy
	Depth  int  `json:"depth"`
	Kind   Kind `json:"kind"`
	// At is file:line:column in the program; empty for what the switch does between blocks.
	At string `json:"at,omitempty"`
	// Name is that of the block, state, table, action, header or extern.
	Name string `json:"name,omitempty"`
	// Text is the piece of program.
	Text string `json:"text,omitempty"`
	// Reads has what the step looked at, before it did anything: variables, a table's key, an action's parameters.
	Reads []Value `json:"reads,omitempty"`
	// Writes has what it changed, afterwards.
	Writes []Value `json:"writes,omitempty"`
	// Result says what came of it.
	Result string `json:"result,omitempty"`
}

// A Value is a named value as text: hexadecimal, or a name of an enum, error or bool, or decimal if it is signed.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Kind says what happened in a step.
type Kind string

// Kinds.
const (
	StepArrive  Kind = "arrive"  // a packet enters the parser: received, resubmitted or recirculated
	StepBlock   Kind = "block"   // one of the six blocks begins
	StepState   Kind = "state"   // of a parser
	StepSelect  Kind = "select"  // Result is the next state
	StepExtract Kind = "extract" // Writes has the header's fields
	StepError   Kind = "error"   // the parser stops; Result is the error
	StepTable   Kind = "table"   // Result is "hit" with the entry, or "miss"
	StepAction  Kind = "action"  // Reads has the parameters
	StepAssign  Kind = "assign"
	StepBranch  Kind = "branch" // if, switch, conditional; Result is the value
	StepCall    Kind = "call"   // a function, control, parser, action or method
	StepEmit    Kind = "emit"   // Result is the bytes, or "invalid"
	StepLog     Kind = "log"
	StepFail    Kind = "fail" // an assertion was false
	StepClone   Kind = "clone"
	StepDigest  Kind = "digest"
	StepAgain   Kind = "again"  // resubmit or recirculate
	StepCopies  Kind = "copies" // multicast
	StepEgress  Kind = "egress" // a packet or copy enters egress
	StepDrop    Kind = "drop"   // Result is why
	StepSend    Kind = "send"   // Result is the port
	StepOverrun Kind = "overrun"
)

// An Oracle dictates what no program determines. Each may be nil, and each may answer false to leave the thing as it is.
type Oracle struct {
	// Stale is what a field of a header or of the user's metadata holds before anything is written to it, by its name as the
	// parser has it (hdr.ipv4.ttl): also what is read of it in an invalid header. Otherwise it is zero.
	Stale func(field string, width int) (*big.Int, bool)
	// Hash is what hash(), a checksum or a selector gets of data; at is the position of the call or, for a selector, the table.
	Hash func(at, algorithm string, data []byte) (uint64, bool)
	// Random is what random() draws from lo to hi.
	Random func(at string, lo, hi uint64) (uint64, bool)
	// Meter is the color that a meter gives; index is -1 for a direct one.
	Meter func(name string, index int) (Color, bool)
	// Select is which of the n choices of a group a selector takes, by weight, from 0.
	Select func(table string, group uint32, n int) (int, bool)
}

// recorder collects a trace.
type recorder struct {
	trace  Trace
	oracle Oracle
	depth  int
	copies int
	stale  []staleWord
}

type staleWord struct {
	slot int
	val  uint64
}

// begin notes a step. What it returns is for finish.
func (r *recorder) begin(f *frame, s Step) int {
	if len(r.trace.Steps) >= MaxSteps {
		r.trace.Cut = true
		return -1
	}
	s.Packet, s.Depth = f.copied, r.depth
	r.trace.Steps = append(r.trace.Steps, s)
	return len(r.trace.Steps) - 1
}

// finish adds to a step what is known of it afterwards.
func (r *recorder) finish(at int, writes []Value, result string) {
	if at < 0 {
		return
	}
	s := &r.trace.Steps[at]
	s.Writes = append(s.Writes, writes...)
	if result != "" {
		s.Result = result
	}
}

// note records a step of the engine. The caller has seen that there is a trace, so that no packet makes arguments for nobody.
func (f *frame) note(kind Kind, name, format string, args ...any) {
	f.trace.begin(f, Step{Kind: kind, Name: name, Result: fmt.Sprintf(format, args...)})
}

// Trace runs a packet as Run does, notes every step, and asks the oracle, which may be nil. It changes registers, counters and
// meters as any packet does. The first call compiles the program a second time; other packets are not slower for it.
func (p *Pipeline) Trace(port uint16, pkt []byte, o *Oracle) (*Trace, error) {
	p.trace.Do(func() { p.traced, p.never = p.compile(true) })
	if p.never != nil {
		return nil, p.never
	}
	if port > MaxPort {
		return nil, fmt.Errorf("port %d: %w: ports are 0 to %d", port, ErrRange, MaxPort)
	}
	r := &recorder{trace: Trace{Steps: []Step{}, Outputs: []Sent{}}}
	if o != nil {
		r.oracle = *o
	}
	if r.oracle.Stale != nil {
		r.stale = p.staleWords(r.oracle.Stale)
	}
	w := &worker{pipe: p, code: p.traced, trace: r}
	w.run(port, bytes.Clone(pkt))
	return &r.trace, nil
}

// staleWords asks for every container.
func (p *Pipeline) staleWords(ask func(string, int) (*big.Int, bool)) (ws []staleWord) {
	for _, c := range p.traced.containers {
		if v, ok := ask(c.name, c.width); ok && v != nil {
			for i, x := range bigWords(v, bitWords(c.width)) {
				ws = append(ws, staleWord{c.slot + i, x & mask64(c.width-64*i)})
			}
		}
	}
	return ws
}

// container is a field of a header or of metadata.
type container struct {
	name  string
	slot  int
	width int
}

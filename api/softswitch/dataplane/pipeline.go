package dataplane

import (
	"sync"
	"time"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Ports.
const (
	// DropPort is the value of egress_spec that drops a packet.
	DropPort = 511
	// MaxPort is the largest port number of v1model's 9 bits that is a port.
	MaxPort = 510
)

// A Pipeline is a compiled program with its state. Its methods are safe for concurrent use.
type Pipeline struct {
	// Clock gives the time for timestamps, in microseconds; replace it before the first packet to have other ones.
	Clock func() uint64

	tables    []*Table
	registers []*Register
	counters  []*Counter

	words                                            int
	parser, verify, ingress, egress, update, deparse step
	sm                                               standardMetadata

	frames sync.Pool
}

// standardMetadata has the slots of the architecture's fields.
type standardMetadata struct {
	ingressPort, egressSpec, egressPort, packetLength, parserError, mcastGrp int
	ingressTime, egressTime                                                  int
}

// Tables lists the program's tables that are applied somewhere.
func (p *Pipeline) Tables() []*Table { return p.tables }

// Registers lists the program's registers that are used somewhere or declared at top level.
func (p *Pipeline) Registers() []*Register { return p.registers }

// Counters lists the program's indirect counters, as Registers does.
func (p *Pipeline) Counters() []*Counter { return p.counters }

// Compile compiles a checked v1model program. The error is an *Error with the position of what is wrong or not supported.
func Compile(info *types.Info) (p *Pipeline, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bail)
			if !ok {
				panic(r)
			}
			p, err = nil, b.err
		}
	}()
	c := &compiler{
		info: info, pipe: &Pipeline{}, env: &env{names: map[*types.Object]*binding{}},
		bound: map[string]object{}, owner: map[string]string{},
	}
	c.program()
	p = c.pipe
	start := time.Now()
	p.Clock = func() uint64 { return uint64(time.Since(start).Microseconds()) }
	p.words = c.words
	p.frames.New = func() any { return newFrame(p.words) }
	return p, nil
}

// program compiles the six blocks of V1Switch over one set of headers and metadata.
func (c *compiler) program() {
	main := c.info.Main
	if main == nil {
		invalid(c.info.Program, "the program has no main")
	}
	if pkg, ok := main.Type.(*types.Package); !ok || pkg.Name != "V1Switch" || len(c.info.MainArgs) != 6 {
		unsupported(main.Decl, "an architecture other than v1model (main must be a V1Switch)")
	}
	var insts [6]*instance
	for i, a := range c.info.MainArgs {
		insts[i] = c.mainInstance(a)
	}
	parser, ok := insts[0].decl.(*syntax.ParserDecl)
	if !ok || len(parser.Params) != 4 {
		invalid(c.info.MainArgs[0].Expr, "the first argument of V1Switch must be a parser of 4 parameters")
	}
	shared := make([]*place, 3) // headers, metadata, standard metadata
	for i := range shared {
		p := c.temp(parser.Params[i+1], c.def(parser.Params[i+1].Name).Type)
		shared[i] = &p
	}
	c.sm = shared[2]
	c.smType, ok = under(c.sm.typ).(*types.Struct)
	if !ok {
		invalid(parser.Params[3], "the last parameter of the parser must be standard_metadata_t")
	}
	c.standardSlots(parser)
	c.topLevel()
	block := func(i int, places ...*place) step {
		var params []*syntax.Param
		switch d := insts[i].decl.(type) {
		case *syntax.ParserDecl:
			params = d.Params
		case *syntax.ControlDecl:
			params = d.Params
		}
		if len(params) != len(places) {
			invalid(c.info.MainArgs[i].Expr, "argument %d of V1Switch must have %d parameters", i+1, len(places))
		}
		var bs []bound
		for j, p := range params {
			o := c.def(p.Name)
			if places[j] == nil {
				bs = append(bs, bound{o, &binding{packet: true}})
				continue
			}
			bs = append(bs, bound{o, &binding{place: &place{places[j].slot, nil, o.Type}}})
		}
		if _, ok := insts[i].decl.(*syntax.ParserDecl); ok {
			return c.parserBody(c.info.MainArgs[i].Expr, insts[i], bs)
		}
		return c.controlBody(c.info.MainArgs[i].Expr, insts[i], bs)
	}
	p := c.pipe
	p.parser = block(0, nil, shared[0], shared[1], shared[2])
	p.verify = block(1, shared[0], shared[1])
	p.ingress = block(2, shared[0], shared[1], shared[2])
	p.egress = block(3, shared[0], shared[1], shared[2])
	p.update = block(4, shared[0], shared[1])
	p.deparse = block(5, nil, shared[0])
}

// mainInstance is the parser or control that an argument of main makes or names.
func (c *compiler) mainInstance(a *types.MainArg) *instance {
	if call, ok := a.Expr.(*syntax.Call); ok && a.Decl != nil {
		r := c.info.Calls[call]
		t, ok := c.typeOf(call).(*types.Applicable)
		if !ok {
			unsupported(a.Expr, "this argument of main")
		}
		if t.Decl == nil {
			t = &types.Applicable{Decl: a.Decl}
		}
		name := controlPlaneName(a.Decl.Annots(), a.Decl.DeclName().Name, "")
		return &instance{decl: a.Decl, id: "main/" + a.Param, path: name, ctor: c.ctorArgs(a.Expr, t, r)}
	}
	inst, ok := c.objectOf(a.Expr).(*instance)
	if !ok {
		unsupported(a.Expr, "this argument of main")
	}
	return inst
}

// topLevel makes the registers and counters that are declared at top level, used or not: the P4Info has them.
func (c *compiler) topLevel() {
	for _, d := range c.info.Program.Decls {
		i, ok := d.(*syntax.InstanceDecl)
		if !ok {
			continue
		}
		o := c.def(i.Name)
		if _, ok := o.Type.(*types.Extern); ok {
			c.instance(i, o)
		}
	}
}

func (c *compiler) standardSlots(at syntax.Node) {
	slot := func(name string) int { return c.sm.slot + c.smField(at, name) }
	c.pipe.sm = standardMetadata{
		ingressPort: slot("ingress_port"), egressSpec: slot("egress_spec"), egressPort: slot("egress_port"),
		packetLength: slot("packet_length"), parserError: slot("parser_error"), mcastGrp: slot("mcast_grp"),
		ingressTime: slot("ingress_global_timestamp"), egressTime: slot("egress_global_timestamp"),
	}
}

// A Passage is what became of a packet.
type Passage struct {
	// Out says that the packet left, on Port with the bytes Data; otherwise it was dropped.
	Out  bool
	Port uint16
	Data []byte

	frame *frame
	pipe  *Pipeline
}

// Run takes one packet that came in on port, 0 to MaxPort, through the pipeline. The caller calls Release when it is done with
// Data. pkt is not changed and not kept.
func (p *Pipeline) Run(port uint16, pkt []byte) Passage {
	f := p.frames.Get().(*frame)
	to, ok := p.run(f, port, pkt)
	return Passage{Out: ok, Port: to, Data: f.out, frame: f, pipe: p}
}

// Release gives the memory back: Data is no longer valid.
func (x Passage) Release() {
	x.frame.pkt = nil
	x.pipe.frames.Put(x.frame)
}

// run is the order of effects of simple_switch.
func (p *Pipeline) run(f *frame, port uint16, pkt []byte) (to uint16, ok bool) {
	f.reset(pkt)
	sm := &p.sm
	f.w[sm.ingressPort] = uint64(port)
	f.w[sm.packetLength] = uint64(len(pkt)) & mask64(32)
	f.w[sm.ingressTime] = p.Clock() & mask64(48)
	do(p.parser, f)
	f.w[sm.parserError] = f.perr
	do(p.verify, f)
	do(p.ingress, f)
	spec := f.w[sm.egressSpec]
	if f.w[sm.mcastGrp] != 0 || spec == DropPort {
		return 0, false // no multicast group can be configured, so every one is empty
	}
	f.w[sm.egressPort], f.w[sm.egressSpec] = spec, 0
	f.w[sm.egressTime] = p.Clock() & mask64(48)
	do(p.egress, f)
	if f.w[sm.egressSpec] == DropPort {
		return 0, false
	}
	do(p.update, f)
	do(p.deparse, f)
	f.payload()
	return uint16(spec), true
}

func do(s step, f *frame) {
	if s != nil {
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

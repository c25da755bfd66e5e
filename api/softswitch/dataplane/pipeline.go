package dataplane

import (
	"sync"
	"sync/atomic"
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
	// Log gets what log_msg says and which assertion failed, if it is not nil; set it before the first packet.
	Log func(string)

	tables    []*Table
	registers []*Register
	counters  []*Counter
	meters    []*Meter
	profiles  []*Profile
	digests   []*Digest
	sets      []*ValueSet
	copies    Replication
	crc16     *customCRC
	crc32     *customCRC

	code *code
	// packets may run at the same time
	concurrent bool
	info       *types.Info // for Trace
	bound      map[string]object
	owner      map[string]string
	trace      sync.Once
	traced     *code // compiled when the first packet is traced
	never      error // why it cannot be

	workers sync.Pool
	overrun atomic.Uint64
	failed  atomic.Uint64
}

// code is what runs: the six blocks, for one layout of the frame.
type code struct {
	words                                            int
	shared                                           sharedWords
	parser, verify, ingress, egress, update, deparse step
	sm                                               standardMetadata
	lists                                            [][]span    // field lists; the first is empty
	containers                                       []container // if it is traced
	timed                                            timed
}

// timed says which times somebody may look at; the clock is not read for others.
type timed struct{ ingress, egress bool }

// sharedWords is where in a frame the blocks' parameters lie: headers from 0, then metadata, then standard metadata, then what is
// the blocks' own.
type sharedWords struct{ metadata, standard, end int }

// A span is a run of words of a frame.
type span struct{ from, to int }

// standardMetadata has the slots of the architecture's fields.
type standardMetadata struct {
	ingressPort, egressSpec, egressPort, instanceType, packetLength int
	enqTime, enqDepth, deqTime, deqDepth, ingressTime, egressTime   int
	mcastGrp, egressRid, checksumError, parserError                 int
}

// Tables lists the program's tables that are applied somewhere.
func (p *Pipeline) Tables() []*Table { return p.tables }

// Registers lists the program's registers that are used somewhere or declared at top level.
func (p *Pipeline) Registers() []*Register { return p.registers }

// Counters lists the program's indirect counters, as Registers does.
func (p *Pipeline) Counters() []*Counter { return p.counters }

// Concurrent tells whether packets may run at the same time without anybody seeing it: each access to a register, counter or meter
// is atomic by itself, so it takes more than one of them, which is why a program with a register that packets both read and
// write, or with @atomic and a register that they write, is not.
func (p *Pipeline) Concurrent() bool { return p.concurrent }

func (c *compiler) concurrent() bool {
	written := false
	for _, r := range c.pipe.registers {
		if r.reads && r.writes {
			return false
		}
		written = written || r.writes
	}
	if !written {
		return true
	}
	atomic := false
	note := func(as []*syntax.Annotation) {
		for _, a := range as {
			atomic = atomic || a.Name == "atomic"
		}
	}
	syntax.Walk(c.info.Program, func(n syntax.Node) bool {
		switch x := n.(type) {
		case *syntax.Block:
			note(x.Annotations)
		case syntax.Decl:
			note(x.Annots())
		}
		return true
	})
	return !atomic
}

// Meters lists the program's indirect meters, as Registers does.
func (p *Pipeline) Meters() []*Meter { return p.meters }

// Replication is the packet replication engine: multicast groups and clone sessions.
func (p *Pipeline) Replication() *Replication { return &p.copies }

// Overrun counts passes through ingress or egress that did not happen because one received packet had caused too many.
func (p *Pipeline) Overrun() uint64 { return p.overrun.Load() }

// Failed counts packets that were dropped because an assert or assume was false.
func (p *Pipeline) Failed() uint64 { return p.failed.Load() }

// Compile compiles a checked v1model program. The error is an *Error with the position of what is wrong or not supported.
func Compile(info *types.Info) (*Pipeline, error) {
	p := &Pipeline{info: info, bound: map[string]object{}, owner: map[string]string{}}
	p.crc16 = newCRC(16, CRC{Polynomial: 0x8005, ReflectIn: true, ReflectOut: true})
	p.crc32 = newCRC(32, CRC{0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF, true, true})
	start := time.Now()
	p.Clock = func() uint64 { return uint64(time.Since(start).Microseconds()) }
	var err error
	if p.code, err = p.compile(false); err != nil {
		return nil, err
	}
	p.workers.New = func() any { return &worker{pipe: p, code: p.code} }
	return p, nil
}

// compile makes the code of the program. The objects that it works on are made the first time.
func (p *Pipeline) compile(tracing bool) (x *code, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bail)
			if !ok {
				panic(r)
			}
			x, err = nil, b.err
		}
	}()
	c := &compiler{
		info: p.info, pipe: p, code: &code{}, env: &env{names: map[*types.Object]*binding{}}, bound: p.bound, owner: p.owner,
		tracing: tracing, words: scratchWords,
	}
	c.program()
	c.code.words = c.words
	if !tracing {
		p.concurrent = c.concurrent()
	}
	return c.code, nil
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
	saved := c.with(c.applicableParams(parser), insts[0].args)
	shared := make([]*place, 3) // headers, metadata, standard metadata
	for i := range shared {
		p := c.temp(parser.Params[i+1], c.objectType(c.def(parser.Params[i+1].Name)))
		shared[i] = &p
	}
	c.env = saved
	c.code.shared = sharedWords{shared[1].slot, shared[2].slot, c.words}
	c.code.lists = [][]span{{}}
	c.metadata = shared[1]
	c.sm = shared[2]
	c.smType, ok = under(c.sm.typ).(*types.Struct)
	if !ok {
		invalid(parser.Params[3], "the last parameter of the parser must be standard_metadata_t")
	}
	c.standardSlots(parser)
	c.code.timed = c.times()
	if c.tracing {
		for _, p := range shared[:2] {
			name := parser.Params[1].Name.Name
			if p == shared[1] {
				name = parser.Params[2].Name.Name
			}
			c.code.containers = append(c.code.containers, c.containers(parser, name, p.typ, p.slot)...)
		}
	}
	c.topLevel()
	block := func(i blockKind, places ...*place) step {
		c.where = i
		var params []*syntax.Param
		switch d := insts[i].decl.(type) {
		case *syntax.ParserDecl:
			params = d.Params
		case *syntax.ControlDecl:
			params = d.Params
		}
		if len(params) != len(places) {
			invalid(c.info.MainArgs[i].Expr, "argument %d of V1Switch must have %d parameters", int(i)+1, len(places))
		}
		saved := c.with(c.applicableParams(insts[i].decl), insts[i].args)
		defer func() { c.env = saved }()
		var bs []bound
		for j, p := range params {
			o := c.def(p.Name)
			if places[j] == nil {
				bs = append(bs, bound{o, &binding{packet: true}})
				continue
			}
			bs = append(bs, bound{o, &binding{place: &place{slot: places[j].slot, typ: c.objectType(o)}}})
		}
		at := c.info.MainArgs[i].Expr
		var body step
		if _, ok := insts[i].decl.(*syntax.ParserDecl); ok {
			body = c.parserBody(at, insts[i], bs)
		} else {
			body = c.controlBody(at, insts[i], bs)
		}
		return c.observed(insts[i].decl, StepBlock, insts[i].path, "", nil, nil, body)
	}
	p := c.code
	p.parser = block(inParser, nil, shared[0], shared[1], shared[2])
	p.verify = block(inVerify, shared[0], shared[1])
	p.ingress = block(inIngress, shared[0], shared[1], shared[2])
	p.egress = block(inEgress, shared[0], shared[1], shared[2])
	p.update = block(inUpdate, shared[0], shared[1])
	p.deparse = block(inDeparser, nil, shared[0])
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
			t = &types.Applicable{Decl: a.Decl, Args: t.Args}
		}
		name := controlPlaneName(a.Decl.Annots(), a.Decl.DeclName().Name, "")
		id := "main/" + a.Param
		return &instance{decl: a.Decl, args: t.Args, id: id, path: name, ctor: c.ctorArgs(a.Expr, t, r, id, name)}
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
	c.code.sm = standardMetadata{
		ingressPort: slot("ingress_port"), egressSpec: slot("egress_spec"), egressPort: slot("egress_port"),
		instanceType: slot("instance_type"), packetLength: slot("packet_length"),
		enqTime: slot("enq_timestamp"), enqDepth: slot("enq_qdepth"), deqTime: slot("deq_timedelta"), deqDepth: slot("deq_qdepth"),
		ingressTime: slot("ingress_global_timestamp"), egressTime: slot("egress_global_timestamp"),
		mcastGrp: slot("mcast_grp"), egressRid: slot("egress_rid"), checksumError: slot("checksum_error"),
		parserError: slot("parser_error"),
	}
}

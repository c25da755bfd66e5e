package dataplane

import (
	"fmt"
	"sync"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// maxSamples bounds the samples of one digest that nobody has taken yet.
const maxSamples = 4096

// A Digest is one kind of message from packets to the control plane. Packets put samples into a bounded queue, never waiting;
// the control plane takes them out. Its methods are safe for concurrent use.
type Digest struct {
	Name   string // in the P4Info
	Fields []SampleField
	Words  int // of a sample

	mu    sync.Mutex
	on    bool
	ring  []uint64 // made when first listened to
	first int      // sample
	held  int      // samples
	lost  uint64
	ready chan struct{}
}

// A SampleField is a scalar of a sample, at a word offset. A sample has the scalars of its type in order; a header has a field
// for its validity before those inside.
type SampleField struct {
	Offset int
	Width  int  // bits; of a varbit the most it can have
	Varbit bool // the first word is the length in bits
	Valid  bool // 1 if the header whose fields follow is valid
}

// Listen says whether samples are wanted. When they are not, packets' samples vanish and the queue is emptied.
func (d *Digest) Listen(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.on = on; !on {
		d.first, d.held = 0, 0
		return
	}
	if d.ring == nil {
		d.ring = make([]uint64, maxSamples*d.Words)
	}
}

// Ready gets a value when there is something to take. One receiver takes until there is no more.
func (d *Digest) Ready() <-chan struct{} { return d.ready }

// Take appends up to n samples, Words words each, oldest first, to dst, and removes them.
func (d *Digest) Take(dst []uint64, n int) []uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ; n > 0 && d.held > 0; n-- {
		dst = append(dst, d.ring[d.first*d.Words:(d.first+1)*d.Words]...)
		d.first = (d.first + 1) % maxSamples
		d.held--
	}
	return dst
}

// Lost counts samples that found the queue full.
func (d *Digest) Lost() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost
}

func (d *Digest) put(sample []uint64) {
	d.mu.Lock()
	switch {
	case !d.on:
	case d.held == maxSamples:
		d.lost++
	default:
		at := (d.first + d.held) % maxSamples
		copy(d.ring[at*d.Words:(at+1)*d.Words], sample)
		d.held++
	}
	wake := d.held > 0
	d.mu.Unlock()
	if wake {
		select {
		case d.ready <- struct{}{}:
		default:
		}
	}
}

// digest compiles digest(receiver, data). The sample has the values at the call; it is sent when ingress ends.
func (c *compiler) digest(call *syntax.Call, r *types.Call) step {
	c.only(call, "digest", inIngress)
	if len(r.TypeArgs) != 1 {
		invalid(call, "digest without a type")
	}
	if c.info.Calls[call].TypeArgs[0] != r.TypeArgs[0] {
		unsupported(call, "a digest whose type depends on type parameters")
	}
	d := c.digestOf(call, r.TypeArgs[0])
	tmp := c.temp(call, r.TypeArgs[0])
	prep := c.store(tmp, r.Args[1])
	index := -1
	for i, x := range c.pipe.digests {
		if x == d {
			index = i
		}
	}
	n := d.Words
	return sequence(prep, native(func(f *frame) flow {
		f.samples = append(f.samples, uint64(index))
		f.samples = append(f.samples, f.w[tmp.slot:tmp.slot+n]...)
		return next
	}))
}

// digestOf makes, once, the digest of a type of data. It is called as the type is, or numbered in the order of the calls in the
// text, as in the P4Info.
func (c *compiler) digestOf(call *syntax.Call, t types.Type) *Digest {
	name := c.digestNames()[call]
	for _, d := range c.pipe.digests {
		if d.Name == name {
			return d
		}
	}
	d := &Digest{Name: name, Words: wordsOf(call, t), ready: make(chan struct{}, 1)}
	d.Fields = sampleFields(call, t, 0)
	c.pipe.digests = append(c.pipe.digests, d)
	return d
}

// digestNames finds the P4Info name of every digest call.
func (c *compiler) digestNames() map[*syntax.Call]string {
	if c.digests != nil {
		return c.digests
	}
	c.digests = map[*syntax.Call]string{}
	unnamed := 0
	syntax.Walk(c.info.Program, func(n syntax.Node) bool {
		call, ok := n.(*syntax.Call)
		if !ok {
			return true
		}
		r := c.info.Calls[call]
		if r == nil || r.Kind != types.ExternFnCall || r.Method != "digest" || len(r.TypeArgs) != 1 {
			return true
		}
		name := ""
		var annots []*syntax.Annotation
		switch t := r.TypeArgs[0].(type) {
		case *types.Struct:
			name = t.Name
			if t.Decl != nil {
				annots = t.Decl.Annotations
			}
		case *types.NewType:
			name, annots = t.Name, t.Decl.Annotations
		case *types.Enum:
			name, annots = t.Name, t.Decl.Annotations
		}
		if name == "" {
			name = fmt.Sprintf("digest_%d", unnamed)
			unnamed++
		} else {
			name = controlPlaneName(annots, name, "")
		}
		c.digests[call] = name
		return true
	})
	return c.digests
}

func sampleFields(at syntax.Node, t types.Type, off int) (fs []SampleField) {
	switch t := under(t).(type) {
	case *types.Struct:
		if t.Kind == types.Header {
			fs = append(fs, SampleField{Offset: off, Width: 1, Valid: true})
			off++
		}
		for _, f := range t.Fields {
			fs = append(fs, sampleFields(at, f.Type, off)...)
			off += wordsOf(at, f.Type)
		}
		return fs
	case *types.Tuple:
		for _, e := range t.Elems {
			fs = append(fs, sampleFields(at, e, off)...)
			off += wordsOf(at, e)
		}
		return fs
	case *types.Stack:
		off++
		for range t.Size {
			fs = append(fs, sampleFields(at, t.Elem, off)...)
			off += wordsOf(at, t.Elem)
		}
		return fs
	case *types.Varbit:
		return []SampleField{{Offset: off, Width: t.Max, Varbit: true}}
	}
	w, _, ok := widthOf(t)
	if !ok {
		unsupported(at, "a %s in a digest", t)
	}
	return []SampleField{{Offset: off, Width: w}}
}

// Digests lists the program's digests.
func (p *Pipeline) Digests() []*Digest { return p.digests }

// sendSamples hands what ingress put together to the digests.
func (p *Pipeline) sendSamples(f *frame) {
	for s := f.samples; len(s) > 0; {
		d := p.digests[s[0]]
		d.put(s[1 : 1+d.Words])
		s = s[1+d.Words:]
	}
	f.samples = f.samples[:0]
}

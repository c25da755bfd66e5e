package dataplane

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// externFunction compiles a call of an extern function of v1model.
func (c *compiler) externFunction(call *syntax.Call, r *types.Call) step {
	switch r.Callee.Name {
	case "mark_to_drop":
		return c.markToDrop(call, r)
	case "verify":
		return c.verify(call, r)
	case "hash":
		return c.hash(call, r)
	case "verify_checksum", "update_checksum", "verify_checksum_with_payload", "update_checksum_with_payload":
		return c.checksum(call, r)
	case "clone", "clone3", "clone_preserving_field_list":
		return c.clone(call, r)
	case "resubmit", "resubmit_preserving_field_list":
		return c.again(call, r, inIngress, func(f *frame, list int) { f.resubmit = list })
	case "recirculate", "recirculate_preserving_field_list":
		return c.again(call, r, inEgress, func(f *frame, list int) { f.recirculate = list })
	case "digest":
		return c.digest(call, r)
	case "random":
		return c.random(call, r)
	case "truncate":
		return c.truncate(call, r)
	case "assert", "assume":
		return c.assertion(call, r)
	case "static_assert":
		return nil // decided when the program was checked
	case "log_msg":
		return c.logMessage(call, r)
	}
	unsupported(call, "extern function %s", r.Callee.Name)
	return nil
}

// markToDrop sets egress_spec to the drop port and clears the multicast group, as v1model declares.
func (c *compiler) markToDrop(call *syntax.Call, r *types.Call) step {
	p := c.sm
	if len(r.Args) == 1 && r.Args[0] != nil {
		_, q := c.placeOf(r.Args[0])
		p = &q
	}
	s, ok := under(p.typ).(*types.Struct)
	if !ok {
		unsupported(call, "mark_to_drop of a %s", p.typ)
	}
	spec, _ := fieldOffset(call, s, "egress_spec")
	group, _ := fieldOffset(call, s, "mcast_grp")
	return native(func(f *frame) flow {
		at := p.at(f)
		f.w[at+spec], f.w[at+group] = DropPort, 0
		return next
	})
}

// verify compiles verify(check, error) of a parser.
func (c *compiler) verify(call *syntax.Call, r *types.Call) step {
	check, e := c.cond(r.Args[0]).fn(), c.scalar(r.Args[1]).fn()
	return native(func(f *frame) flow {
		if check(f) {
			return next
		}
		if f.perr == 0 {
			f.perr = e(f)
		}
		return breaks
	})
}

// method compiles a call of a method of an extern instance.
func (c *compiler) method(call *syntax.Call, r *types.Call) step {
	if t, ok := c.typeOf(r.Recv).(*types.Extern); ok {
		switch t.Name {
		case "packet_in":
			return c.packetIn(call, r)
		case "packet_out":
			return c.packetOut(call, r)
		}
	}
	switch x := c.objectOf(r.Recv).(type) {
	case *Register:
		return c.registerMethod(call, r, x)
	case *Counter:
		if r.Method == "count" {
			i := c.held(c.scalarOf(r.Args[0]))
			return sequence(i.code, native(func(f *frame) flow { x.count(f.w[i.slot], len(f.pkt)); return next }))
		}
	case *DirectCounter:
		if r.Method == "count" {
			return nil // every application of the entry counts, and once, wherever the program says so
		}
	case *Meter:
		if r.Method == "execute_meter" {
			return c.executeMeter(call, r, x)
		}
	case *DirectMeter:
		if r.Method == "read" {
			return c.readMeter(call, r, x)
		}
	}
	unsupported(call, "method %s", r.Method)
	return nil
}

func (c *compiler) registerMethod(call *syntax.Call, r *types.Call, x *Register) step {
	n := x.words
	switch r.Method {
	case "read":
		x.reads = true
		i := c.index(r.Args[1])
		k := i.slot
		prep, dst, done := c.outArgument(r.Args[0], r.Sig.Params[0].Type)
		if dst.dyn == nil && n == 1 {
			d := dst.slot
			return sequence(prep, i.code, native(func(f *frame) flow { x.packetRead(f.w[k], f.w[d:d+1]); return next }), done)
		}
		return sequence(prep, i.code, native(func(f *frame) flow {
			d := dst.at(f)
			x.packetRead(f.w[k], f.w[d:d+n])
			return next
		}), done)
	case "write":
		x.writes = true
		i := c.index(r.Args[0])
		if n == 1 && x.Fields == nil {
			v := c.scalar(r.Args[1])
			prep := c.settled(&i, &v)
			k, from := i.slot, v.slot
			return sequence(prep, native(func(f *frame) flow { x.packetWrite(f.w[k], f.w[from:from+1]); return next }))
		}
		var v scalar
		if x.Fields != nil {
			tmp := c.temp(r.Args[1], r.Sig.Params[1].Type)
			v = scalar{code: c.store(tmp, r.Args[1]), slot: tmp.slot}
		} else {
			w := c.wide(r.Args[1])
			v = scalar{code: w.prep, slot: w.slot}
		}
		prep := c.settled(&i, &v)
		k, from := i.slot, v.slot
		return sequence(prep, native(func(f *frame) flow { x.packetWrite(f.w[k], f.w[from:from+n]); return next }))
	}
	unsupported(call, "method %s of a register", r.Method)
	return nil
}

// index compiles an index into an array.
func (c *compiler) index(e syntax.Expr) scalar {
	if c.isWide(e) {
		unsupported(e, "an index of more than 64 bits")
	}
	return c.held(c.scalar(e))
}

// algorithm is the hash function that a constant HashAlgorithm argument names.
func (c *compiler) algorithm(e syntax.Expr) algorithm {
	v, ok := c.value(e).(types.EnumValue)
	if !ok {
		unsupported(e, "a hash algorithm that is not a constant")
	}
	sum := c.pipe.hashFunction(v.Member)
	if sum == nil {
		unsupported(e, "hash algorithm %s", v.Member)
	}
	return algorithm{v.Member, sum}
}

// hashed is the hash of f.buf, unless an oracle knows better.
func (c *compiler) hashed(call *syntax.Call, algo algorithm) func(*frame) uint64 {
	sum := algo.sum
	if !c.tracing {
		return func(f *frame) uint64 { return sum(f.buf) }
	}
	pos := call.Pos().String()
	return func(f *frame) uint64 {
		v, ok := uint64(0), false
		if ask := f.trace.oracle.Hash; ask != nil {
			v, ok = ask(pos, algo.name, slices.Clone(f.buf))
		}
		if !ok {
			v = sum(f.buf)
		}
		f.trace.begin(f, Step{
			Kind: StepCall, At: pos, Name: algo.name, Reads: []Value{{"data", fmt.Sprintf("0x%x", f.buf)}},
			Result: fmt.Sprintf("%#x", v),
		})
		return v
	}
}

// hash compiles hash(result, algorithm, base, data, max): base + h(data) mod max, and base if max is 0.
func (c *compiler) hash(call *syntax.Call, r *types.Call) step {
	algo := c.algorithm(r.Args[1])
	base, data, most := c.scalarOf(r.Args[2]).fn(), c.bytes(r.Args[3]), c.scalarOf(r.Args[4]).fn()
	t := r.Sig.Params[0].Type
	w, _, ok := widthOf(t)
	if !ok || w > 64 {
		unsupported(call, "a hash of type %s", t)
	}
	m, sum := mask64(w), c.hashed(call, algo)
	prep, dst, done := c.outArgument(r.Args[0], t)
	return sequence(prep, native(func(f *frame) flow {
		v := base(f)
		if k := most(f); k != 0 {
			f.buf = f.buf[:0]
			data(f)
			v += remainder(sum(f), k)
		}
		f.w[dst.at(f)] = v & m
		return next
	}), done)
}

// remainder is v modulo k, which is a power of two most of the time.
func remainder(v, k uint64) uint64 {
	if k&(k-1) == 0 {
		return v & (k - 1)
	}
	return v % k
}

// checksum compiles verify_checksum and update_checksum, and their variants over the payload.
func (c *compiler) checksum(call *syntax.Call, r *types.Call) step {
	name := r.Callee.Name
	payload := name == "verify_checksum_with_payload" || name == "update_checksum_with_payload"
	cond, data := c.cond(r.Args[0]), c.bytes(r.Args[1])
	algo := c.algorithm(r.Args[3])
	t := c.typeOf(r.Args[2])
	w, _, ok := widthOf(t)
	if !ok || w > 64 {
		unsupported(call, "a checksum of type %s", t)
	}
	m, sum := mask64(w), c.hashed(call, algo)
	value := func(f *frame) uint64 {
		f.buf = f.buf[:0]
		data(f)
		if payload {
			f.buf = append(f.buf, f.pkt[min(len(f.pkt), (f.cur+7)/8):]...)
		}
		return sum(f) & m
	}
	if name == "verify_checksum" || name == "verify_checksum_with_payload" {
		given := c.scalar(r.Args[2]).fn()
		bad := c.sm.slot + c.smField(call, "checksum_error")
		return choose(cond, native(func(f *frame) flow {
			if value(f) != given(f) {
				f.w[bad] = 1
			}
			return next
		}), nil)
	}
	prep, dst, done := c.outArgument(r.Args[2], t)
	write := sequence(prep, native(func(f *frame) flow { f.w[dst.at(f)] = value(f); return next }), done)
	return choose(cond, write, nil)
}

// smField is the offset of a field of the architecture's standard metadata.
func (c *compiler) smField(at syntax.Node, name string) int {
	off, _ := fieldOffset(at, c.smType, name)
	return off
}

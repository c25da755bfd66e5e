package dataplane

import (
	"math"
	"slices"
)

// A step is compiled code: instructions on the words of a frame, one after the other. Where an instruction would not do, it calls
// a closure. Jumps are relative, so that steps are joined by appending one to the other. A nil step does nothing.
type step []instr

// An instr is one instruction. What its parts mean is said at each op.
type instr struct {
	op      op
	s, n    uint8
	d, a, b uint32
	k       uint64
	call    func(*frame) flow
}

type op uint8

// In the comments w is the frame's words; pc is the next instruction.
const (
	opCall       op = iota // call; how it says that execution goes on; but if k is 1, returns is pc += b
	opFlow                 // execution goes on as k says
	opJump                 // pc += d
	opSkip                 // pc += w[a], at most b: over as many instructions
	opSet                  // w[d] = k
	opMove                 // w[d] = w[a]
	opClear                // b words from w[d] = 0
	opCopy                 // b words from w[d] = those from w[a]
	opAdd                  // w[d] = w[a] + w[b], of it the bits k
	opAddK                 // w[d] = w[a] + k, of it all but the b highest bits
	opSub                  // w[d] = w[a] - w[b], of it the bits k
	opMul                  // w[d] = w[a] * w[b], of it the bits k
	opAnd                  // w[d] = w[a] & w[b]
	opAndK                 // w[d] = w[a] & k
	opOr                   // w[d] = w[a] | w[b]
	opOrK                  // w[d] = w[a] | k
	opXor                  // w[d] = w[a] ^ w[b]
	opXorK                 // w[d] = w[a] ^ k
	opShl                  // w[d] = w[a] << w[b], of it the bits k
	opShlK                 // w[d] = w[a] << b, of it the bits k; b is below 64
	opShr                  // w[d] = w[a] >> w[b]
	opBits                 // w[d] = w[a] >> b, of it the bits k; b is below 64
	opNotBits              // w[d] = ^w[a] >> b, of it the bits k; b is below 64
	opAddBits              // w[d] = w[a] + (w[b] >> s, of it the bits k), of it all but the n highest bits
	opAddNotBits           // w[d] = w[a] + (^w[b] >> s, of it the bits k), of it all but the n highest bits
	opSar                  // w[d] = w[a] >> w[b], signed, of k bits
	opCat                  // w[d] = w[a] << k | w[b]
	opExtend               // w[d] = w[a], signed, of b bits, of it the bits k
	opInsert               // w[d] = w[a] << b in the bits k, and what it was in the others
	// The rest jump: pc += d if
	opEq   // w[a] == w[b]
	opNe   // w[a] != w[b]
	opLt   // w[a] < w[b]
	opGe   // w[a] >= w[b]
	opLess // w[a] < w[b], signed, of k bits
	opMore // w[a] >= w[b], signed, of k bits
	opEqK  // w[a] == k
	opNeK  // w[a] != k
	opLtK  // w[a] < k
	opGeK  // w[a] >= k
)

// native is a step that is a closure.
func native(call func(*frame) flow) step { return step{{op: opCall, call: call}} }

// ends is a step that execution goes on after as r says.
func ends(r flow) step { return step{{op: opFlow, k: uint64(r)}} }

// run runs the step, and says how execution goes on.
func (s step) run(f *frame) flow {
	w := f.w
	for pc := uint32(0); ; {
		if pc = s.compute(w, pc); pc == 0 {
			return next
		}
		switch in := &s[pc-1]; in.op {
		case opCall:
			if r := in.call(f); r != next {
				if r != returns || in.k == 0 {
					return r
				}
				pc += in.b
			}
		case opFlow:
			return flow(in.k)
		case opClear:
			clear(w[in.d : in.d+in.b])
		case opCopy:
			copy(w[in.d:in.d+in.b], w[in.a:in.a+in.b])
		}
	}
}

// compute runs instructions from pc until there is one that run has to do, and returns which is the next one after it; 0 is the
// end. It calls nothing, so that everything stays in registers.
func (s step) compute(w []uint64, pc uint32) uint32 {
	for int(pc) < len(s) {
		in := &s[pc]
		pc++
		switch in.op {
		case opCall, opFlow, opClear, opCopy:
			return pc
		case opJump:
			pc += in.d
		case opSkip:
			pc += uint32(w[in.a])
		case opSet:
			w[in.d] = in.k
		case opMove:
			w[in.d] = w[in.a]
		case opAdd:
			w[in.d] = (w[in.a] + w[in.b]) & in.k
		case opAddK:
			w[in.d] = (w[in.a] + in.k) << (in.b & 63) >> (in.b & 63)
		case opSub:
			w[in.d] = (w[in.a] - w[in.b]) & in.k
		case opMul:
			w[in.d] = w[in.a] * w[in.b] & in.k
		case opAnd:
			w[in.d] = w[in.a] & w[in.b]
		case opAndK:
			w[in.d] = w[in.a] & in.k
		case opOr:
			w[in.d] = w[in.a] | w[in.b]
		case opOrK:
			w[in.d] = w[in.a] | in.k
		case opXor:
			w[in.d] = w[in.a] ^ w[in.b]
		case opXorK:
			w[in.d] = w[in.a] ^ in.k
		case opShl:
			w[in.d] = w[in.a] << w[in.b] & in.k
		case opShlK:
			w[in.d] = w[in.a] << (in.b & 63) & in.k
		case opShr:
			w[in.d] = w[in.a] >> w[in.b]
		case opBits:
			w[in.d] = w[in.a] >> (in.b & 63) & in.k
		case opNotBits:
			w[in.d] = ^w[in.a] >> (in.b & 63) & in.k
		case opAddBits:
			w[in.d] = (w[in.a] + w[in.b]>>(in.s&63)&in.k) << (in.n & 63) >> (in.n & 63)
		case opAddNotBits:
			w[in.d] = (w[in.a] + ^w[in.b]>>(in.s&63)&in.k) << (in.n & 63) >> (in.n & 63)
		case opSar:
			w[in.d] = uint64(signExtend(w[in.a], int(in.k))>>w[in.b]) & mask64(int(in.k))
		case opCat:
			w[in.d] = w[in.a]<<(in.k&63) | w[in.b]
		case opExtend:
			w[in.d] = uint64(signExtend(w[in.a], int(in.b))) & in.k
		case opInsert:
			w[in.d] = w[in.d]&^in.k | w[in.a]<<(in.b&63)&in.k
		case opEq:
			if w[in.a] == w[in.b] {
				pc += in.d
			}
		case opNe:
			if w[in.a] != w[in.b] {
				pc += in.d
			}
		case opLt:
			if w[in.a] < w[in.b] {
				pc += in.d
			}
		case opGe:
			if w[in.a] >= w[in.b] {
				pc += in.d
			}
		case opLess:
			if signExtend(w[in.a], int(in.k)) < signExtend(w[in.b], int(in.k)) {
				pc += in.d
			}
		case opMore:
			if signExtend(w[in.a], int(in.k)) >= signExtend(w[in.b], int(in.k)) {
				pc += in.d
			}
		case opEqK:
			if w[in.a] == in.k {
				pc += in.d
			}
		case opNeK:
			if w[in.a] != in.k {
				pc += in.d
			}
		case opLtK:
			if w[in.a] < in.k {
				pc += in.d
			}
		case opGeK:
			if w[in.a] >= in.k {
				pc += in.d
			}
		}
	}
	return 0
}

// jumps tells the instructions that may go on elsewhere, d further.
func (o op) jumps() bool { return o == opJump || o >= opEq }

// writes is the run of words that an instruction writes. It is not for calls.
func (in *instr) writes() span {
	d, n := int(in.d), 1
	switch {
	case in.op < opSet, in.op >= opEq:
		n = 0
	case in.op == opClear, in.op == opCopy:
		n = int(in.b)
	}
	return span{d, d + n}
}

// sequence joins steps.
func sequence(steps ...step) step { return slices.Concat(steps...) }

// straight tells whether the step always goes on after its end.
func (s step) straight() bool {
	return !slices.ContainsFunc(s, func(in instr) bool { return in.op == opCall || in.op == opFlow })
}

// always runs after whatever first does, unless first is a parser error.
func always(first, after step) step {
	if after == nil || first.straight() {
		return sequence(first, after)
	}
	return native(func(f *frame) flow {
		r := first.run(f)
		if r == breaks || r == fails {
			return r
		}
		if q := after.run(f); q != next {
			return q
		}
		return r
	})
}

// absorb turns the return of a callee into going on after the call.
func absorb(s step) step {
	s = slices.Clone(s)
	for i := range s {
		rest := uint32(len(s) - i - 1)
		switch {
		case s[i].op == opFlow && flow(s[i].k) == returns:
			s[i] = instr{op: opJump, d: rest}
		case s[i].op == opCall && s[i].k == 0:
			s[i].k, s[i].b = 1, rest
		}
	}
	return s
}

// A test is a compiled condition: a step that goes on after its end if it is true, and jumps to exit if it is not.
type test step

// exit is where a test goes that is false, until it is known where that is.
const exit = math.MaxUint32

// fixed is the test that is always v.
func fixed(v bool) test {
	if v {
		return nil
	}
	return test{{op: opJump, d: exit}}
}

// land makes the test's exits lead to instruction to of s, which begins with the test.
func (t test) land(s step, to int) step {
	for i := range t {
		if t[i].op.jumps() && t[i].d == exit {
			s[i].d = uint32(to - i - 1)
		}
	}
	return s
}

// not is the opposite.
func (t test) not() test {
	n := len(t)
	out := slices.Clone(t)
	for i := range out {
		in := &out[i]
		switch {
		case !in.op.jumps():
		case in.d == exit:
			in.d = uint32(n - i - 1)
		case in.d == uint32(n-i-1):
			in.d = exit
		}
	}
	if n > 0 && t[n-1].d == exit && t[n-1].op >= opEq {
		out[n-1].op, out[n-1].d = opposite[t[n-1].op], exit
		return out
	}
	// what went on after the end goes to the exit now, and what went to the exit goes on after it
	for i := range out {
		if out[i].op.jumps() && out[i].d == uint32(n-i-1) {
			out[i].d++
		}
	}
	return append(out, instr{op: opJump, d: exit})
}

var opposite = map[op]op{
	opEq: opNe, opNe: opEq, opLt: opGe, opGe: opLt, opLess: opMore, opMore: opLess,
	opEqK: opNeK, opNeK: opEqK, opLtK: opGeK, opGeK: opLtK,
}

// and is true if both are; u is not looked at if t is false.
func (t test) and(u test) test { return slices.Concat(t, u) }

// or is true if one of them is; u is not looked at if t is true.
func (t test) or(u test) test { return t.not().and(u.not()).not() }

// fn is the test as a closure.
func (t test) fn() func(*frame) bool {
	s := t.land(sequence(step(t), ends(next), ends(returns)), len(t)+1)
	return func(f *frame) bool { return s.run(f) == next }
}

// choose runs one of two steps.
func choose(t test, a, b step) step {
	if len(t) == 0 {
		return a
	}
	if len(t) == 1 && t[0].op == opJump {
		return b
	}
	if a == nil && b != nil {
		t, a, b = t.not(), b, a
	}
	if b == nil {
		return t.land(sequence(step(t), a), len(t)+len(a))
	}
	over := step{{op: opJump, d: uint32(len(b))}}
	return t.land(sequence(step(t), a, over, b), len(t)+len(a)+1)
}

// branches runs the step whose number is in a slot, and otherwise if there is none of that number.
func branches(slot int, ways []step, otherwise step) step {
	n := len(ways)
	size := n + 1 + len(otherwise) + 1
	for _, s := range ways {
		size += len(s) + 1
	}
	out := make(step, 1+n, size)
	out[0] = instr{op: opSkip, a: uint32(slot), b: uint32(n)}
	leave := func(s step) {
		out = append(out, s...)
		out = append(out, instr{op: opJump, d: uint32(size - len(out) - 1)})
	}
	leave(otherwise)
	for i, s := range ways {
		out[1+i] = instr{op: opJump, d: uint32(len(out) - i - 2)}
		leave(s)
	}
	return out
}

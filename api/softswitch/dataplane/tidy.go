package dataplane

import (
	"cmp"
	"maps"
	"slices"
)

// tidy makes a step shorter that does the same: runs of assignments become as few block operations as they can, without what is
// overwritten before anybody reads it, and jumps to jumps go where those go.
func tidy(s step) step {
	if len(s) < 2 {
		return s
	}
	s = slices.Clone(s)
	targets := make([]int, len(s)) // where each instruction may jump to, or -1
	entered := make([]bool, len(s)+1)
	for i := range s {
		targets[i] = -1
		if t, ok := s[i].target(i); ok {
			for range s { // the limit is for a jump to itself
				if t == len(s) || s[t].op != opJump || s[t].d == enter {
					break
				}
				t, _ = s[t].target(t)
			}
			targets[i], entered[t] = t, true
		}
	}
	out := make(step, 0, len(s))
	moved := make([]int, len(s)+1) // where each instruction is in out
	from := make([]int, 0, len(s)) // which instruction each of out was
	for i := 0; i < len(s); {
		n := i
		for n < len(s) && s[n].assigns() && (n == i || !entered[n]) {
			moved[n] = len(out)
			n++
		}
		if n-i > 1 {
			out = append(out, merged(s[i:n])...)
			for len(from) < len(out) {
				from = append(from, -1)
			}
			i = n
			continue
		}
		if s[i].op == opSkip { // what it skips stays as it is
			for n = i + int(s[i].b); i <= n; i++ {
				moved[i] = len(out)
				out, from = append(out, s[i]), append(from, i)
			}
			continue
		}
		moved[i] = len(out)
		if s[i].op == opJump && targets[i] == i+1 {
			i++
			continue
		}
		out, from = append(out, s[i]), append(from, i)
		i++
	}
	moved[len(s)] = len(out)
	for i, was := range from {
		if was >= 0 && targets[was] >= 0 {
			out[i].aim(moved[targets[was]] - i - 1)
		}
	}
	return out
}

// target is the instruction that instruction i may jump to.
func (in *instr) target(i int) (to int, ok bool) {
	switch {
	case in.op == opCall && in.k == 1:
		return i + 1 + int(int32(in.b)), true
	case in.op.jumps() && in.d != enter:
		return i + 1 + int(int32(in.d)), true
	}
	return 0, false
}

// aim makes an instruction that jumps jump that far.
func (in *instr) aim(by int) {
	if in.op == opCall {
		in.b = uint32(by)
	} else {
		in.d = uint32(by)
	}
}

// assigns tells the instructions that only move words and known values.
func (in *instr) assigns() bool { return in.op >= opSet && in.op <= opCopy }

// A source is what a word is assigned: k, or what was in another word before the run of assignments.
type source struct {
	word int // or -1
	k    uint64
}

// merged is a run of assignments with the same outcome.
func merged(run step) step {
	now := map[int]source{}
	look := func(word int) source {
		if v, ok := now[word]; ok {
			return v
		}
		return source{word: word}
	}
	for _, in := range run {
		d, a, n := int(in.d), int(in.a), int(in.b)
		switch in.op {
		case opSet:
			now[d] = source{-1, in.k}
		case opMove:
			now[d] = look(a)
		case opClear:
			for j := range n {
				now[d+j] = source{-1, 0}
			}
		case opCopy:
			vs := make([]source, n)
			for j := range vs {
				vs[j] = look(a + j)
			}
			for j, v := range vs {
				now[d+j] = v
			}
		}
	}
	var copies, sets step
	for _, d := range slices.Sorted(maps.Keys(now)) {
		switch v := now[d]; {
		case v.word == d:
		case v.word < 0:
			sets = joined(sets, instr{op: opSet, d: uint32(d), k: v.k, b: 1})
		default:
			copies = joined(copies, instr{op: opMove, d: uint32(d), a: uint32(v.word), b: 1})
		}
	}
	copies, ok := ordered(copies)
	if out := sequence(copies, sets); ok && len(out) < len(run) {
		return out
	}
	return run
}

// joined appends an assignment of one word, to the last block if it continues it. b counts words.
func joined(s step, in instr) step {
	if n := len(s); n > 0 {
		switch last := &s[n-1]; {
		case last.d+last.b != in.d:
		case in.op == opMove && last.a+last.b == in.a:
			last.op, last.b = opCopy, last.b+1
			return s
		case in.op == opSet && in.k == 0 && last.k == 0:
			last.op, last.b = opClear, last.b+1
			return s
		}
	}
	return append(s, in)
}

// ordered puts copies that are to happen all at once into an order in which none overwrites what a later one reads. ok is false
// if there is none.
func ordered(copies step) (out step, ok bool) {
	slices.SortStableFunc(copies, func(x, y instr) int { return cmp.Compare(y.b, x.b) })
	for len(copies) > 0 {
		free := slices.IndexFunc(copies, func(x instr) bool {
			return !slices.ContainsFunc(copies, func(y instr) bool { return x.d != y.d && x.d < y.a+y.b && y.a < x.d+x.b })
		})
		if free < 0 {
			return nil, false
		}
		out = append(out, copies[free])
		copies = slices.Delete(copies, free, free+1)
	}
	return out, true
}

package dataplane

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTidy runs random steps as they are and tidied, on the same words.
func TestTidy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const words = 12
		n := rapid.IntRange(1, 25).Draw(t, "instructions")
		s := make(step, n)
		jumps := 0 // that are left of what is skipped
		for i := range s {
			word := func(most int) uint32 { return uint32(rapid.IntRange(0, most).Draw(t, "word")) }
			in := instr{d: word(words - 1), a: word(words - 1), b: word(words - 1), k: rapid.Uint64Range(0, 2).Draw(t, "k")}
			ops := rapid.SampledFrom([]op{opSet, opSet, opMove, opMove, opMove, opClear, opCopy, opAdd, opJump, opEqK, opNe, opSkip, opCall})
			if jumps--; jumps >= 0 {
				ops = rapid.Just(opJump)
			}
			switch in.op = ops.Draw(t, "op"); in.op {
			case opClear, opCopy:
				in.b = word(3)
				in.d, in.a = word(words-1-int(in.b)), word(words-1-int(in.b))
			case opJump, opEqK, opNe:
				in.d = word(n - i - 1)
			case opSkip:
				in.b = word(n - i - 1)
				in.a, jumps = words, int(in.b) // that word is set to what may be skipped
			case opCall:
				in.k, in.b = 1, word(n-i-1)
				r := rapid.SampledFrom([]flow{next, returns, exits}).Draw(t, "flow")
				in.call = func(f *frame) flow { f.w[0]++; return r }
			}
			s[i] = in
		}
		skip := rapid.Uint64Range(0, 3).Draw(t, "skip")
		for _, in := range s {
			if in.op == opSkip {
				skip = min(skip, uint64(in.b))
			}
		}
		run := func(s step) (flow, []uint64) {
			f := &frame{w: make([]uint64, words+1)}
			for i := range f.w {
				f.w[i] = uint64(i) % 5
			}
			f.w[words] = skip
			return s.run(f), f.w
		}
		tidied := tidy(s)
		r, want := run(s)
		if q, got := run(tidied); q != r || !slices.Equal(got, want) {
			t.Fatalf("%v, %v as it was, %v, %v tidied", r, want, q, got)
		}
		if len(tidied) > len(s) {
			t.Fatalf("%d instructions became %d", len(s), len(tidied))
		}
	})
}

// An expr is an expression with its value: what number it is, reduced to width bits.
type expr struct {
	text  string
	width int
	value *big.Int
}

func reduced(v *big.Int, width int) *big.Int {
	return v.And(v, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1)))
}

// drawExpr draws an unsigned expression of that width over the fields of the input.
func drawExpr(t *rapid.T, width, depth int) expr {
	fields := map[int][]expr{
		8: {{"hdr.h.a", 8, big.NewInt(0x11)}, {"hdr.h.b", 8, big.NewInt(0x22)}}, 16: {{"hdr.h.c", 16, big.NewInt(0x3344)}},
		32: {{"hdr.h.d", 32, big.NewInt(0x55667788)}}, 64: {{"hdr.h.e", 64, new(big.Int).SetUint64(0xa1a2a3a4a5a6a7a8)}},
		128: {{"hdr.h.w", 128, hexNumber(input[32:])}},
	}
	if depth == 0 {
		if of := fields[width]; of != nil && rapid.Bool().Draw(t, "field") {
			return rapid.SampledFrom(of).Draw(t, "which")
		}
		v := new(big.Int).SetUint64(rapid.Uint64().Draw(t, "constant"))
		v = reduced(v.Mul(v, v), width)
		return expr{fmt.Sprintf("%dw%v", width, v), width, v}
	}
	sub := func(w int) expr { return drawExpr(t, w, rapid.IntRange(0, depth-1).Draw(t, "depth")) }
	give := func(v *big.Int, format string, args ...any) expr {
		return expr{fmt.Sprintf(format, args...), width, reduced(v, width)}
	}
	z := func() *big.Int { return new(big.Int) }
	kind := rapid.SampledFrom([]string{"+", "-", "*", "&", "|", "^", "|+|", "|-|", "~", "neg", "<<", ">>", "<<k", ">>k", "slice", "++", "cast", "?:", "bool", "signed", "sar"}).Draw(t, "kind")
	switch kind {
	case "+", "-", "*", "&", "|", "^", "|+|", "|-|":
		a, b := sub(width), sub(width)
		v := z()
		switch kind {
		case "+":
			v.Add(a.value, b.value)
		case "-":
			v.Sub(a.value, b.value)
		case "*":
			v.Mul(a.value, b.value)
		case "&":
			v.And(a.value, b.value)
		case "|":
			v.Or(a.value, b.value)
		case "^":
			v.Xor(a.value, b.value)
		case "|+|":
			if v.Add(a.value, b.value); v.BitLen() > width {
				v.Sub(z().Lsh(big.NewInt(1), uint(width)), big.NewInt(1))
			}
		case "|-|":
			if v.Sub(a.value, b.value); v.Sign() < 0 {
				v.SetInt64(0)
			}
		}
		return give(v, "(%s %s %s)", a.text, kind, b.text)
	case "~":
		a := sub(width)
		return give(z().Not(a.value), "(~%s)", a.text)
	case "neg":
		a := sub(width)
		return give(z().Neg(a.value), "(-%s)", a.text)
	case "<<", ">>":
		a, b := sub(width), sub(8)
		v := z().Lsh(a.value, uint(b.value.Uint64()))
		if kind == ">>" {
			v = z().Rsh(a.value, uint(b.value.Uint64()))
		}
		return give(v, "(%s %s %s)", a.text, kind, b.text)
	case "<<k", ">>k":
		a, n := sub(width), uint(rapid.IntRange(0, width+3).Draw(t, "by"))
		if kind == "<<k" {
			return give(z().Lsh(a.value, n), "(%s << %d)", a.text, n)
		}
		return give(z().Rsh(a.value, n), "(%s >> %d)", a.text, n)
	case "sar":
		a, b := sub(width), sub(8)
		v := z().Rsh(signedOf(a), uint(b.value.Uint64()))
		return give(v, "((bit<%d>) ((int<%d>) %s >> %s))", width, width, a.text, b.text)
	case "slice":
		from := rapid.SampledFrom([]int{8, 16, 32, 64, 128}).Filter(func(w int) bool { return w >= width }).Draw(t, "from")
		a, lo := sub(from), rapid.IntRange(0, from-width).Draw(t, "low")
		return give(z().Rsh(a.value, uint(lo)), "(%s)[%d:%d]", a.text, lo+width-1, lo)
	case "++":
		if width == 8 {
			return sub(8)
		}
		a, b := sub(width/2), sub(width/2)
		return give(z().Or(z().Lsh(a.value, uint(width/2)), b.value), "(%s ++ %s)", a.text, b.text)
	case "cast":
		a := sub(rapid.SampledFrom([]int{8, 16, 32, 64, 128}).Draw(t, "from"))
		return give(z().Set(a.value), "((bit<%d>) %s)", width, a.text)
	case "signed":
		a := sub(rapid.SampledFrom([]int{8, 16, 32, 64, 128}).Draw(t, "from"))
		return give(z().Set(signedOf(a)), "((bit<%d>) (int<%d>) (int<%d>) %s)", width, width, a.width, a.text)
	case "?:":
		c, v := drawCondition(t, depth)
		a, b := sub(width), sub(width)
		if !v {
			return give(z().Set(b.value), "(%s ? %s : %s)", c, a.text, b.text)
		}
		return give(z().Set(a.value), "(%s ? %s : %s)", c, a.text, b.text)
	}
	c, v := drawCondition(t, depth)
	return give(new(big.Int).SetUint64(b2u(v)), "((bit<%d>) (bit<1>) (%s))", width, c)
}

func hexNumber(text string) *big.Int {
	v, _ := new(big.Int).SetString(text, 16)
	return v
}

func signedOf(e expr) *big.Int {
	if e.value.Bit(e.width-1) == 0 {
		return e.value
	}
	return new(big.Int).Sub(e.value, new(big.Int).Lsh(big.NewInt(1), uint(e.width)))
}

// drawCondition draws a condition with its value.
func drawCondition(t *rapid.T, depth int) (string, bool) {
	if depth > 1 {
		switch rapid.IntRange(0, 4).Draw(t, "condition") {
		case 0:
			a, x := drawCondition(t, depth-1)
			b, y := drawCondition(t, depth-1)
			return "(" + a + " && " + b + ")", x && y
		case 1:
			a, x := drawCondition(t, depth-1)
			b, y := drawCondition(t, depth-1)
			return "(" + a + " || " + b + ")", x || y
		case 2:
			a, x := drawCondition(t, depth-1)
			return "(!" + a + ")", !x
		}
	}
	w := rapid.SampledFrom([]int{8, 16, 32, 64, 128}).Draw(t, "width")
	a, b := drawExpr(t, w, max(0, depth-1)), drawExpr(t, w, max(0, depth-1))
	if rapid.IntRange(0, 3).Draw(t, "same") == 0 {
		b = a
	}
	o := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "operator")
	cmp, x, y := a.value.Cmp(b.value), a.text, b.text
	if o != "==" && o != "!=" && rapid.Bool().Draw(t, "signed") {
		cmp, x, y = signedOf(a).Cmp(signedOf(b)), fmt.Sprintf("(int<%d>) %s", w, x), fmt.Sprintf("(int<%d>) %s", w, y)
	}
	return "(" + x + " " + o + " " + y + ")", map[string]bool{"==": cmp == 0, "!=": cmp != 0, "<": cmp < 0, "<=": cmp <= 0, ">": cmp > 0, ">=": cmp >= 0}[o]
}

// TestRandomExpressions compares expressions with what they are as numbers.
func TestRandomExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		want := ""
		for i, f := range []struct {
			name  string
			width int
		}{{"a", 8}, {"b", 8}, {"c", 16}, {"d", 32}, {"e", 64}, {"w", 128}} {
			e := drawExpr(t, f.width, rapid.IntRange(0, 4).Draw(t, "depth"))
			fmt.Fprintf(&text, "bit<%d> x%d = %s; ", f.width, i, e.text)
			want += fmt.Sprintf("%0*x", f.width/4, e.value)
		}
		text.WriteString("hdr.h = { x0, x1, x2, x3, x4, x5 };")
		p, err := compileSkeleton(t, "", "", text.String())
		if err != nil {
			t.Fatal(err)
		}
		pkt, _ := hex.DecodeString(input)
		x := p.Run(0, pkt)
		defer x.Release()
		if _, got, ok := x.First(); !ok || hex.EncodeToString(got) != want {
			t.Fatalf("%s\ngives %x, want %s", text.String(), got, want)
		}
	})
}

package dataplane

import (
	"bytes"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestWideArithmetic compares arithmetic on words with math/big.
func TestWideArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(65, 300).Draw(t, "width")
		draw := func(name string) []uint64 {
			w := make([]uint64, bitWords(width))
			for i := range w {
				w[i] = rapid.OneOf(rapid.Just(^uint64(0)), rapid.Just(uint64(0)), rapid.Uint64()).Draw(t, name)
			}
			wideTrim(w, width)
			return w
		}
		a, b := draw("a"), draw("b")
		n := rapid.Uint64Range(0, uint64(width)+5).Draw(t, "shift")
		mod := new(big.Int).Lsh(big.NewInt(1), uint(width))
		x, y := toBig(a), toBig(b)
		signed := func(v *big.Int) *big.Int {
			if v.Bit(width-1) == 1 {
				return new(big.Int).Sub(v, mod)
			}
			return v
		}
		for _, op := range []struct {
			name string
			f    func(d []uint64)
			want *big.Int
		}{
			{"+", func(d []uint64) { wideAdd(d, a, b, width) }, new(big.Int).Add(x, y)},
			{"-", func(d []uint64) { wideSub(d, a, b, width) }, new(big.Int).Sub(x, y)},
			{"*", func(d []uint64) { wideMul(d, a, b, width) }, new(big.Int).Mul(x, y)},
			{"<<", func(d []uint64) { wideShl(d, a, n, width) }, new(big.Int).Lsh(x, uint(n))},
			{">>", func(d []uint64) { wideShr(d, a, n, width, false) }, new(big.Int).Rsh(x, uint(n))},
			{">> signed", func(d []uint64) { wideShr(d, a, n, width, wideNegative(a, width)) }, new(big.Int).Rsh(signed(x), uint(n))},
		} {
			d := make([]uint64, len(a))
			op.f(d)
			want := new(big.Int).Mod(op.want, mod)
			if toBig(d).Cmp(want) != 0 {
				t.Fatalf("%s: got %x, want %x", op.name, toBig(d), want)
			}
		}
		if got := wideCompare(a, b); got != x.Cmp(y) {
			t.Fatalf("compare: %d", got)
		}
	})
}

// TestBits writes fields of any width one after the other and reads them back.
func TestBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		widths := rapid.SliceOfN(rapid.IntRange(1, 130), 1, 8).Draw(t, "widths")
		var b []byte
		bit := 0
		values := make([][]uint64, len(widths))
		all := new(big.Int)
		for i, w := range widths {
			v := make([]uint64, bitWords(w))
			for j := range v {
				v[j] = rapid.Uint64().Draw(t, "value")
			}
			wideTrim(v, w)
			values[i] = v
			b, bit = appendWide(b, bit, v, w)
			all.Lsh(all, uint(w)).Or(all, toBig(v))
		}
		pad := uint(len(b)*8 - bit)
		if want := all.Lsh(all, pad).FillBytes(make([]byte, len(b))); !bytes.Equal(b, want) {
			t.Fatalf("wrote %x, want %x", b, want)
		}
		off := 0
		for i, w := range widths {
			got := make([]uint64, bitWords(w))
			readWide(b, off, w, got)
			if !wideEqual(got, values[i]) {
				t.Fatalf("field %d of %v: read %x, wrote %x", i, widths, got, values[i])
			}
			if w <= 64 && readBits(b, off, w) != values[i][0] {
				t.Fatalf("field %d of %v", i, widths)
			}
			off += w
		}
	})
}

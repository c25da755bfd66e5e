package dataplane

import "math/bits"

// Arithmetic on values of more than 64 bits: little-endian words, bits above the width zero.

// wideTrim clears what is above width bits.
func wideTrim(w []uint64, width int) {
	for i := range w {
		switch lo := i * 64; {
		case lo >= width:
			w[i] = 0
		case width-lo < 64:
			w[i] &= mask64(width - lo)
		}
	}
}

// wideExtract reads n bits (1..64) from bit lo.
func wideExtract(w []uint64, lo, n int) uint64 {
	i, s := lo/64, lo%64
	if i >= len(w) {
		return 0
	}
	v := w[i] >> s
	if s > 0 && i+1 < len(w) {
		v |= w[i+1] << (64 - s)
	}
	return v & mask64(n)
}

// wideInsert writes the n low bits (1..64) of v at bit lo.
func wideInsert(w []uint64, lo, n int, v uint64) {
	i, s := lo/64, lo%64
	m := mask64(n)
	v &= m
	w[i] = w[i]&^(m<<s) | v<<s
	if s > 0 && s+n > 64 {
		w[i+1] = w[i+1]&^(m>>(64-s)) | v>>(64-s)
	}
}

// wideMove copies n bits of src from bit from to bit to of dst. dst and src must not overlap.
func wideMove(dst []uint64, to int, src []uint64, from, n int) {
	for n > 0 {
		take := min(64, n)
		wideInsert(dst, to, take, wideExtract(src, from, take))
		to, from, n = to+take, from+take, n-take
	}
}

func wideAdd(dst, a, b []uint64, width int) {
	var c uint64
	for i := range dst {
		dst[i], c = bits.Add64(a[i], b[i], c)
	}
	wideTrim(dst, width)
}

func wideSub(dst, a, b []uint64, width int) {
	var c uint64
	for i := range dst {
		dst[i], c = bits.Sub64(a[i], b[i], c)
	}
	wideTrim(dst, width)
}

// wideSaturate adds or subtracts, and stops at the ends of the range. It needs dst apart from a and b.
func wideSaturate(dst, a, b []uint64, width int, signed, minus bool) {
	if minus {
		wideSub(dst, a, b, width)
	} else {
		wideAdd(dst, a, b, width)
	}
	switch {
	case !signed && minus:
		if wideCompare(a, b) < 0 {
			clear(dst)
		}
	case !signed:
		if wideCompare(dst, a) < 0 {
			wideOnes(dst, 0, width)
		}
	default:
		x, y, r := wideNegative(a, width), wideNegative(b, width), wideNegative(dst, width)
		if (x != y) == minus && r != x { // the result has the wrong sign
			clear(dst)
			if x {
				wideOnes(dst, width-1, 1)
			} else {
				wideOnes(dst, 0, width-1)
			}
		}
	}
}

// wideMul needs dst apart from a and b.
func wideMul(dst, a, b []uint64, width int) {
	clear(dst)
	for i := range a {
		var carry uint64
		for j := 0; i+j < len(dst); j++ {
			hi, lo := bits.Mul64(a[i], b[j])
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			dst[i+j], c = bits.Add64(dst[i+j], lo, 0)
			carry = hi + c
		}
	}
	wideTrim(dst, width)
}

// wideShl needs dst apart from a.
func wideShl(dst, a []uint64, n uint64, width int) {
	clear(dst)
	if n < uint64(width) {
		wideMove(dst, int(n), a, 0, width-int(n))
	}
}

// wideShr needs dst apart from a. With fill, the bits that come in are ones.
func wideShr(dst, a []uint64, n uint64, width int, fill bool) {
	clear(dst)
	k := int(min(n, uint64(width)))
	if k < width {
		wideMove(dst, 0, a, k, width-k)
	}
	if fill && k > 0 {
		wideOnes(dst, width-k, k)
	}
}

// wideOnes sets n bits from bit lo.
func wideOnes(w []uint64, lo, n int) {
	for n > 0 {
		take := min(64, n)
		wideInsert(w, lo, take, ^uint64(0))
		lo, n = lo+take, n-take
	}
}

// wideCompare orders a and b as unsigned numbers of one width.
func wideCompare(a, b []uint64) int {
	for i := len(a) - 1; i >= 0; i-- {
		switch {
		case a[i] < b[i]:
			return -1
		case a[i] > b[i]:
			return 1
		}
	}
	return 0
}

// wideNegative reads the sign of a two's complement number.
func wideNegative(a []uint64, width int) bool { return a[(width-1)/64]>>((width-1)%64)&1 == 1 }

func wideEqual(a, b []uint64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

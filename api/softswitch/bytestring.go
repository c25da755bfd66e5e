package softswitch

import (
	"math/bits"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// decodeBits reads a P4Runtime byte string as an unsigned number of width bits into words, least significant first. Leading
// zeros are allowed; what does not fit is OUT_OF_RANGE (P4Runtime specification, bytestrings).
func decodeBits(b []byte, width int, dst []uint64) error {
	if len(b) == 0 {
		return status.Error(codes.OutOfRange, "an empty byte string is no number")
	}
	clear(dst)
	for i, x := range b {
		at := 8 * (len(b) - 1 - i)
		if x == 0 {
			continue
		}
		if at+bits.Len8(x) > width {
			return status.Errorf(codes.OutOfRange, "%#x does not fit %d bits", b, width)
		}
		dst[at/64] |= uint64(x) << (at % 64)
	}
	return nil
}

// decodeSigned reads a byte string as a two's complement number of width bits.
func decodeSigned(b []byte, width int, dst []uint64) error {
	if len(b) == 0 {
		return status.Error(codes.OutOfRange, "an empty byte string is no number")
	}
	clear(dst)
	fill := byte(0)
	if b[0]&0x80 != 0 {
		fill = 0xFF
	}
	bit := func(i int) byte { // of the number, sign-extended
		k := len(b) - 1 - i/8
		if k < 0 {
			return fill & 1
		}
		return b[k] >> (i % 8) & 1
	}
	for i := width - 1; i < 8*len(b); i++ {
		if bit(i) != fill&1 {
			return status.Errorf(codes.OutOfRange, "%#x does not fit %d signed bits", b, width)
		}
	}
	for i := range width {
		dst[i/64] |= uint64(bit(i)) << (i % 64)
	}
	return nil
}

// encodeBits is the canonical byte string of an unsigned number: the shortest, at least one byte.
func encodeBits(w []uint64) []byte {
	n := 0
	for i, x := range w {
		if x != 0 {
			n = 64*i + bits.Len64(x)
		}
	}
	b := make([]byte, max(1, (n+7)/8))
	for i := range b {
		at := 8 * (len(b) - 1 - i)
		b[i] = byte(w[at/64] >> (at % 64))
	}
	return b
}

// encodeSigned is the canonical byte string of a two's complement number of width bits.
func encodeSigned(w []uint64, width int) []byte {
	bit := func(i int) byte {
		i = min(i, width-1)
		return byte(w[i/64]>>(i%64)) & 1
	}
	n := width // significant bits, the sign among them
	for n > 1 && bit(n-2) == bit(n-1) {
		n--
	}
	b := make([]byte, (n+7)/8)
	for i := range 8 * len(b) {
		b[len(b)-1-i/8] |= bit(i) << (i % 8)
	}
	return b
}

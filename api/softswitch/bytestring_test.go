package softswitch

import (
	"bytes"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestByteStrings(t *testing.T) {
	for _, tc := range []struct {
		name   string
		width  int
		signed bool
		in     []byte
		want   []byte // canonical; nil if refused
	}{
		{"specification: bit<8> 99", 8, false, []byte{0x63}, []byte{0x63}},
		{"specification: bit<16> 99 padded", 16, false, []byte{0, 0x63}, []byte{0x63}},
		{"zero", 16, false, []byte{0, 0}, []byte{0}},
		{"bit<9> 511", 9, false, []byte{1, 0xFF}, []byte{1, 0xFF}},
		{"bit<9> 512", 9, false, []byte{2, 0}, nil},
		{"long padding", 1, false, append(make([]byte, 20), 1), []byte{1}},
		{"empty", 8, false, nil, nil},
		{"int<8> -1", 8, true, []byte{0xFF}, []byte{0xFF}},
		{"int<16> -739", 16, true, []byte{0xFD, 0x1D}, []byte{0xFD, 0x1D}},
		{"int<16> -1 padded", 16, true, []byte{0xFF, 0xFF, 0xFF}, []byte{0xFF}},
		{"int<16> 128 needs its sign", 16, true, []byte{0x00, 0x80}, []byte{0x00, 0x80}},
		{"int<8> 128", 8, true, []byte{0x00, 0x80}, nil},
		{"int<7> -65", 7, true, []byte{0xBF}, nil},
		{"signed, empty", 7, true, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := make([]uint64, (tc.width+63)/64)
			decode, encode := decodeBits, func(w []uint64, _ int) []byte { return encodeBits(w) }
			if tc.signed {
				decode, encode = decodeSigned, encodeSigned
			}
			err := decode(tc.in, tc.width, w)
			if (err == nil) != (tc.want != nil) {
				t.Fatalf("decode: %v", err)
			}
			if err == nil && !bytes.Equal(encode(w, tc.width), tc.want) {
				t.Fatalf("%x becomes %x, want %x", tc.in, encode(w, tc.width), tc.want)
			}
		})
	}
}

func TestByteStringsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 200).Draw(t, "width")
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 25, 25).Draw(t, "bytes"))
		n.And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1)))
		w, v := make([]uint64, (width+63)/64), make([]uint64, (width+63)/64)
		if err := decodeBits(append([]byte{0}, n.Bytes()...), width, w); err != nil {
			t.Fatal(err)
		}
		b := encodeBits(w)
		if want := n.Bytes(); len(want) > 0 && !bytes.Equal(b, want) || len(want) == 0 && !bytes.Equal(b, []byte{0}) {
			t.Fatalf("%x becomes %x", n, b)
		}
		s := encodeSigned(w, width)
		if err := decodeSigned(s, width, v); err != nil {
			t.Fatal(err)
		}
		for i := range w {
			if v[i] != w[i] {
				t.Fatalf("signed: %x by way of %x becomes %x", w, s, v)
			}
		}
	})
}

package dataplane

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/big"
	"testing"
)

func crcOf(data string) string {
	b, _ := hex.DecodeString(data)
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(b))
}

// wideProduct is w * 0x100000001 of the input packet.
func wideProduct() string {
	w, _ := new(big.Int).SetString(input[32:], 16)
	w.Mul(w, big.NewInt(0x100000001))
	w.And(w, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	return fmt.Sprintf("%032x", w)
}

// TestAlgorithms has the published check values, of "123456789", and of RFC 1071's example.
func TestAlgorithms(t *testing.T) {
	check := []byte("123456789")
	p, err := compileSkeleton(t, "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		data []byte
		want uint64
	}{
		{"crc32", check, 0xCBF43926},
		{"crc16", check, 0xBB3D},
		{"csum16", []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, ^uint64(0xddf2) & 0xFFFF},
		{"csum16", []byte{0x12}, 0xEDFF},
		{"crc32_custom", check, 0xCBF43926},
		{"crc16_custom", check, 0xBB3D},
		{"identity", check, 0x3132333435363738},
		{"xor16", []byte{0x12, 0x34, 0xFF, 0x00, 0x01}, 0x12<<8 ^ 0x34 ^ 0xFF00 ^ 0x0100},
	} {
		if got := p.hashFunction(tc.name)(tc.data); got != tc.want {
			t.Errorf("%s(%x) = %#x, want %#x", tc.name, tc.data, got, tc.want)
		}
	}
}

// TestCustomCRC has the published check values of other CRCs.
func TestCustomCRC(t *testing.T) {
	p, err := compileSkeleton(t, "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		width int
		crc   CRC
		want  uint64
	}{
		{"CCITT-FALSE", 16, CRC{Polynomial: 0x1021, Initial: 0xFFFF}, 0x29B1},
		{"X-25", 16, CRC{0x1021, 0xFFFF, 0xFFFF, true, true}, 0x906E},
		{"CRC-32C", 32, CRC{0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true}, 0xE3069283},
		{"CRC-32/BZIP2", 32, CRC{Polynomial: 0x04C11DB7, Initial: 0xFFFFFFFF, Final: 0xFFFFFFFF}, 0xFC891918},
	} {
		if err := p.SetCRC(tc.width, tc.crc); err != nil {
			t.Fatal(err)
		}
		if got := p.hashFunction(fmt.Sprintf("crc%d_custom", tc.width))([]byte("123456789")); got != tc.want {
			t.Errorf("%s = %#x, want %#x", tc.name, got, tc.want)
		}
	}
	if p.SetCRC(8, CRC{}) == nil {
		t.Error("a CRC of 8 bits was accepted")
	}
}

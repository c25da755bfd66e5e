package dataplane

import (
	"fmt"
	"hash/crc32"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

// An algorithm is one of v1model's HashAlgorithm, computed as simple_switch does.
type algorithm struct {
	name string
	sum  func([]byte) uint64
}

// hashFunction is the algorithm of that name, or nil. Those that the control plane can give parameters belong to the pipeline.
func (p *Pipeline) hashFunction(name string) func([]byte) uint64 {
	switch name {
	case "crc32":
		return func(b []byte) uint64 { return uint64(crc32.ChecksumIEEE(b)) }
	case "crc16":
		return crc16
	case "csum16":
		return csum16
	case "identity":
		return identity
	case "xor16":
		return xor16
	case "crc16_custom":
		return p.crc16.sum
	case "crc32_custom":
		return p.crc32.sum
	case "random":
		return func([]byte) uint64 { return rand.Uint64() }
	}
	return nil
}

// CRC has the parameters of a cyclic redundancy check, in the notation of simple_switch: the polynomial without its highest bit,
// most significant bit first.
type CRC struct {
	Polynomial, Initial, Final uint32
	ReflectIn, ReflectOut      bool
}

// SetCRC gives crc16_custom (width 16) or crc32_custom (width 32) other parameters. At first they are those of crc16 and crc32.
func (p *Pipeline) SetCRC(width int, c CRC) error {
	switch width {
	case 16:
		p.crc16.set(c)
	case 32:
		p.crc32.set(c)
	default:
		return fmt.Errorf("a custom CRC of %d bits: %w: 16 or 32", width, ErrRange)
	}
	return nil
}

// customCRC is a CRC whose parameters change under running traffic: a packet sees the old or the new ones.
type customCRC struct {
	width int
	state atomic.Pointer[crcState]
}

type crcState struct {
	CRC
	table [256]uint32
}

func newCRC(width int, c CRC) *customCRC {
	x := &customCRC{width: width}
	x.set(c)
	return x
}

func (x *customCRC) set(c CRC) {
	m := uint32(mask64(x.width))
	c.Polynomial, c.Initial, c.Final = c.Polynomial&m, c.Initial&m, c.Final&m
	s := &crcState{CRC: c}
	for i := range s.table {
		r := uint32(i) << (x.width - 8)
		for range 8 {
			high := r>>(x.width-1)&1 == 1
			r <<= 1
			if high {
				r ^= c.Polynomial
			}
		}
		s.table[i] = r & m
	}
	x.state.Store(s)
}

func (x *customCRC) sum(b []byte) uint64 {
	s, m := x.state.Load(), uint32(mask64(x.width))
	r := s.Initial
	for _, v := range b {
		if s.ReflectIn {
			v = bits.Reverse8(v)
		}
		r = (s.table[v^byte(r>>(x.width-8))] ^ r<<8) & m
	}
	if s.ReflectOut {
		r = bits.Reverse32(r) >> (32 - x.width)
	}
	return uint64(r ^ s.Final)
}

// crc16Table is CRC-16/ARC: polynomial 0x8005, reflected.
var crc16Table = func() (t [256]uint16) {
	for i := range t {
		c := uint16(i)
		for range 8 {
			if c&1 == 1 {
				c = c>>1 ^ 0xA001
			} else {
				c >>= 1
			}
		}
		t[i] = c
	}
	return t
}()

func crc16(b []byte) uint64 {
	var c uint16
	for _, x := range b {
		c = c>>8 ^ crc16Table[byte(c)^x]
	}
	return uint64(c)
}

// csum16 is the Internet checksum (RFC 1071).
func csum16(b []byte) uint64 {
	var sum uint64
	for len(b) >= 2 {
		sum += uint64(b[0])<<8 | uint64(b[1])
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return ^sum & 0xFFFF
}

// identity is the first eight bytes as a number.
func identity(b []byte) uint64 {
	var v uint64
	for _, x := range b[:min(8, len(b))] {
		v = v<<8 | uint64(x)
	}
	return v
}

// xor16 is the exclusive or of the 16-bit words.
func xor16(b []byte) uint64 {
	var v uint64
	for i, x := range b {
		if i%2 == 0 {
			v ^= uint64(x) << 8
		} else {
			v ^= uint64(x)
		}
	}
	return v
}

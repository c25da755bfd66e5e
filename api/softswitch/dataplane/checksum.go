package dataplane

import "hash/crc32"

// An algorithm is one of v1model's HashAlgorithm, computed as simple_switch does.
type algorithm struct {
	name string
	sum  func([]byte) uint64
}

var algorithms = []algorithm{
	{"crc32", func(b []byte) uint64 { return uint64(crc32.ChecksumIEEE(b)) }},
	{"crc16", crc16},
	{"csum16", csum16},
	{"identity", identity},
	{"xor16", xor16},
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

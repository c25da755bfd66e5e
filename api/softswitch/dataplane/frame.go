package dataplane

import "math"

// A frame is everything one packet needs while it is inside. Frames are made once and used again; a packet allocates nothing.
type frame struct {
	w   []uint64 // every variable of the program, laid out at compile time (see layout.go)
	pkt []byte   // the packet as it came in
	cur int      // parse cursor in bits
	out []byte   // what the deparser has emitted
	bit int      // emitted bits
	buf []byte   // bytes to be hashed

	perr  uint64 // parser error: index into Info.Errors; 0 is NoError
	entry *Entry // the entry whose action runs

	hit    bool  // of the table applied last
	action int   // index, in its table, of the action that the table applied last ran
	color  Color // of the direct meter of the entry whose action runs

	// What the program asks for, to be done when the block ends (see engine.go).
	clone       int // session, or -1
	cloneList   int // index of the field list
	resubmit    int // index of the field list, or -1
	recirculate int // index of the field list, or -1
	truncate    int // bytes that the packet is cut to when it leaves
	samples     []uint64
	turns       int       // of loops in this pass
	failed      bool      // an assertion was false
	trace       *recorder // or nil
	copied      int       // which copy the packet is, in a trace
	own         []byte    // the packet, if it is one that was recirculated
}

// whole is the length of a packet that is not truncated.
const whole = math.MaxInt

func newFrame(words int) *frame {
	return &frame{w: make([]uint64, words), buf: make([]byte, 0, 256), out: make([]byte, 0, 2048)}
}

// reset readies the frame for a packet: everything is zero and invalid.
func (f *frame) reset(pkt []byte) {
	clear(f.w)
	f.pkt, f.cur, f.out, f.bit = pkt, 0, f.out[:0], 0
	f.perr, f.entry, f.hit, f.action, f.color = 0, nil, false, 0, Green
	f.ask()
	f.truncate, f.failed, f.turns, f.samples = whole, false, 0, f.samples[:0]
}

// ask forgets what was asked for.
func (f *frame) ask() { f.clone, f.cloneList, f.resubmit, f.recirculate = -1, 0, -1, -1 }

// left is the number of bits not yet parsed.
func (f *frame) left() int { return len(f.pkt)*8 - f.cur }

// readBits reads n bits (1..64) of b from bit offset off, most significant first.
func readBits(b []byte, off, n int) uint64 {
	i := off >> 3
	if off&7 == 0 {
		switch n {
		case 8:
			return uint64(b[i])
		case 16:
			return uint64(b[i])<<8 | uint64(b[i+1])
		case 32:
			return uint64(b[i])<<24 | uint64(b[i+1])<<16 | uint64(b[i+2])<<8 | uint64(b[i+3])
		case 48:
			return uint64(b[i])<<40 | uint64(b[i+1])<<32 | uint64(b[i+2])<<24 | uint64(b[i+3])<<16 |
				uint64(b[i+4])<<8 | uint64(b[i+5])
		}
	}
	var v uint64
	skip := off & 7
	for n > 0 {
		take := min(8-skip, n)
		v = v<<take | uint64(b[i])>>(8-skip-take)&(1<<take-1)
		n -= take
		skip = 0
		i++
	}
	return v
}

// readWide reads n bits from bit offset off into dst, least significant word first.
func readWide(b []byte, off, n int, dst []uint64) {
	for i := range dst {
		take := min(64, n)
		if take <= 0 {
			dst[i] = 0
			continue
		}
		dst[i] = readBits(b, off+n-take, take)
		n -= take
	}
}

// appendBits appends the n low bits (0..64) of v to b, whose last byte is filled up to bit bits in all.
func appendBits(b []byte, bit int, v uint64, n int) ([]byte, int) {
	if bit&7 == 0 && n&7 == 0 {
		for s := n - 8; s >= 0; s -= 8 {
			b = append(b, byte(v>>s))
		}
		return b, bit + n
	}
	for n > 0 {
		if bit&7 == 0 {
			b = append(b, 0)
		}
		room := 8 - bit&7
		take := min(room, n)
		b[len(b)-1] |= byte(v>>(n-take)&(1<<take-1)) << (room - take)
		bit += take
		n -= take
	}
	return b, bit
}

// appendWide appends the n low bits of the words v, least significant word first.
func appendWide(b []byte, bit int, v []uint64, n int) ([]byte, int) {
	for i := (n - 1) / 64; i >= 0 && n > 0; i-- {
		take := n - 64*i
		b, bit = appendBits(b, bit, v[i], take)
		n -= take
	}
	return b, bit
}

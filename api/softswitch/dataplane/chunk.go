package dataplane

import "encoding/binary"

// A chunk is a run of whole bytes of a header, at most eight, with the fields in it, so that they are moved together.
type chunk struct {
	off, bytes int // in the header
	fields     []chunkField
}

type chunkField struct {
	off   int // words into the header
	shift int
	mask  uint64
}

// chunks cuts a header of fixed fields into chunks, or is nil if it cannot be: then its fields are moved one by one.
func chunks(ws []wire) (cs []chunk) {
	at, bits := 0, 0 // of the chunk that is being made
	var run []wire
	flush := func() {
		c := chunk{off: at, bytes: bits / 8}
		left := bits
		for _, w := range run {
			left -= w.width
			c.fields = append(c.fields, chunkField{w.off, left, mask64(w.width)})
		}
		cs = append(cs, c)
		at, bits, run = at+bits/8, 0, nil
	}
	for _, w := range ws {
		if w.vary || w.width > 64 {
			return nil
		}
		if bits+w.width > 64 {
			if bits%8 != 0 {
				return nil
			}
			flush()
		}
		run, bits = append(run, w), bits+w.width
	}
	if bits%8 != 0 {
		return nil
	}
	if bits > 0 {
		flush()
	}
	return cs
}

// loadBytes reads n bytes, 1 to 8, most significant first.
func loadBytes(b []byte, n int) uint64 {
	switch n {
	case 8:
		return binary.BigEndian.Uint64(b)
	case 6:
		return uint64(binary.BigEndian.Uint32(b))<<16 | uint64(binary.BigEndian.Uint16(b[4:]))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	}
	var v uint64
	for _, x := range b[:n] {
		v = v<<8 | uint64(x)
	}
	return v
}

// storeBytes appends the n low bytes, 1 to 8, of v.
func storeBytes(b []byte, v uint64, n int) []byte {
	switch n {
	case 8:
		return binary.BigEndian.AppendUint64(b, v)
	case 6:
		return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, uint32(v>>16)), uint16(v))
	case 4:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case 2:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	}
	for s := n*8 - 8; s >= 0; s -= 8 {
		b = append(b, byte(v>>s))
	}
	return b
}

// readChunks fills a header from the bytes of a packet.
func readChunks(cs []chunk, h []uint64, b []byte) {
	for i := range cs {
		c := &cs[i]
		v := loadBytes(b[c.off:], c.bytes)
		for _, f := range c.fields {
			h[f.off] = v >> f.shift & f.mask
		}
	}
}

// appendChunks appends the bytes of a header.
func appendChunks(b []byte, cs []chunk, h []uint64) []byte {
	for i := range cs {
		c := &cs[i]
		var v uint64
		for _, f := range c.fields {
			v |= h[f.off] & f.mask << f.shift
		}
		b = storeBytes(b, v, c.bytes)
	}
	return b
}

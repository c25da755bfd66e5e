package dataplane

import (
	"encoding/binary"
	"slices"
)

// A chunk is a run of whole bytes of a header, at most eight, with the fields in it, so that they are moved together.
type chunk struct {
	off    int // bytes into the header
	bytes  int
	fields []chunkField
}

// A chunkField is a field in a word whose highest bytes are the chunk's.
type chunkField struct {
	off   int // words into the header
	shift uint
	mask  uint64
}

// chunks cuts a header of fixed fields into chunks, or is nil if it cannot be: then its fields are moved one by one.
func chunks(ws []wire) (cs []chunk) {
	at, bits := 0, 0 // of the chunk that is being made
	var fields []chunkField
	flush := func() {
		cs = append(cs, chunk{at, bits / 8, fields})
		at, bits, fields = at+bits/8, 0, nil
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
		bits += w.width
		fields = append(fields, chunkField{w.off, uint(64 - bits), mask64(w.width)})
	}
	if bits%8 != 0 {
		return nil
	}
	if bits > 0 {
		flush()
	}
	return cs
}

// readChunks fills a header from the bytes of a packet.
func readChunks(cs []chunk, h []uint64, b []byte) {
	for i := range cs {
		c := &cs[i]
		var v uint64
		if part := b[c.off:]; len(part) >= 8 {
			v = binary.BigEndian.Uint64(part)
		} else {
			for j, x := range part[:c.bytes] {
				v |= uint64(x) << (56 - 8*j)
			}
		}
		c.spread(v, h)
	}
}

// appendChunks appends the bytes of the fields in h.
func appendChunks(b []byte, cs []chunk, h []uint64) []byte {
	from, last := len(b), &cs[len(cs)-1]
	n := from + last.off + last.bytes
	if cap(b) < n+8 {
		b = slices.Grow(b, n-from+8)
	}
	b = b[:n+8]
	for i := range cs {
		c := &cs[i]
		binary.BigEndian.PutUint64(b[from+c.off:], c.gather(h)) // of the last ones, more than there is
	}
	return b[:n]
}

// spread gives the fields their bits of v. Inlined, it would lack registers.
//
//go:noinline
func (c *chunk) spread(v uint64, h []uint64) {
	for i := range c.fields {
		f := &c.fields[i]
		h[f.off] = v >> (f.shift & 63) & f.mask
	}
}

// gather puts the fields together.
//
//go:noinline
func (c *chunk) gather(h []uint64) (v uint64) {
	for i := range c.fields {
		f := &c.fields[i]
		v |= h[f.off] << (f.shift & 63)
	}
	return v
}

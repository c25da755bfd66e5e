package softswitch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A pcapReader reads the classic pcap format, of both byte orders and both resolutions, one packet at a time, with errors that
// say where the file is wrong.
type pcapReader struct {
	r     io.Reader
	order binary.ByteOrder
	unit  time.Duration // of the fraction of a time stamp
	n     int           // packets read
	buf   []byte
}

const (
	pcapMagic     = 0xA1B2C3D4
	pcapMagicNano = 0xA1B23C4D
	linkEthernet  = 1
)

func newPcapReader(r io.Reader) (*pcapReader, error) {
	var h [24]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, fmt.Errorf("not a pcap file: the header is cut off: %w", noEOF(err))
	}
	p := &pcapReader{r: r}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(h[:]) {
		case pcapMagic:
			p.order, p.unit = order, time.Microsecond
		case pcapMagicNano:
			p.order, p.unit = order, time.Nanosecond
		}
	}
	if p.order == nil {
		return nil, fmt.Errorf("not a pcap file: it starts with %#x", h[:4])
	}
	if major := p.order.Uint16(h[4:]); major != 2 {
		return nil, fmt.Errorf("pcap version %d, want 2", major)
	}
	if t := p.order.Uint32(h[20:]); t&0x0FFFFFFF != linkEthernet {
		return nil, fmt.Errorf("link type %d, not Ethernet (%d)", t&0x0FFFFFFF, linkEthernet)
	}
	return p, nil
}

// next returns the next packet, valid until the one after, or io.EOF where the file ends as it should.
func (p *pcapReader) next() (pkt []byte, at time.Time, err error) {
	var h [16]byte
	if _, err := io.ReadFull(p.r, h[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, at, io.EOF
		}
		return nil, at, fmt.Errorf("packet %d: the header is cut off: %w", p.n+1, err)
	}
	p.n++
	length, full := p.order.Uint32(h[8:]), p.order.Uint32(h[12:])
	switch {
	case length > maxPacket:
		return nil, at, fmt.Errorf("packet %d: %d bytes, the most is %d", p.n, length, maxPacket)
	case length < full:
		return nil, at, fmt.Errorf("packet %d: only %d of its %d bytes were recorded", p.n, length, full)
	}
	if cap(p.buf) < int(length) {
		p.buf = make([]byte, length, max(2048, int(length)))
	}
	p.buf = p.buf[:length]
	if _, err := io.ReadFull(p.r, p.buf); err != nil {
		return nil, at, fmt.Errorf("packet %d is cut off: %w", p.n, noEOF(err))
	}
	at = time.Unix(int64(p.order.Uint32(h[:])), int64(p.order.Uint32(h[4:]))*int64(p.unit))
	return p.buf, at, nil
}

// noEOF says what the end of a file means where more was due.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

package program

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// The system's translation, as P7 composes it with a tenant's own program: on the way in physical addresses become the tenant's, on the way out
// the tenant's become physical ones and the hop limit falls. Checksums are adjusted by RFC 1624, equation 3. Headers are told by the widths
// of their fields, as programs name them as they like.

// A shape says where the fields of a tenant's headers are, by their place among the headers' containers; -1 where there is no such header.
type shape struct {
	ethernet, ipv4, udp, tcp int // of the validity; fields follow
	frag                     int // offsets from the IPv4 header's validity: fragment offset, TTL, protocol, checksum, addresses follow
	tcpSum                   int // offset of TCP's checksum from its validity
}

func (m *machine) shape(t types.Type) shape {
	sh := shape{ethernet: -1, ipv4: -1, udp: -1, tcp: -1}
	s, ok := under(t).(*types.Struct)
	if !ok {
		return sh
	}
	off := 0
	for _, f := range s.Fields {
		h, ok := under(f.Type).(*types.Struct)
		if ok && h.Kind == types.Header {
			w := fieldWidths(h)
			n := len(w)
			switch {
			case slices.Equal(w, []int{48, 48, 16}) && sh.ethernet < 0:
				sh.ethernet = off
			case slices.Equal(w, []int{4, 4, 8, 16, 16, 3, 13, 8, 8, 16, 32, 32}), slices.Equal(w, []int{4, 4, 6, 2, 16, 16, 3, 13, 8, 8, 16, 32, 32}):
				sh.ipv4, sh.frag = off, 1+n-6
			case slices.Equal(w, []int{16, 16, 16, 16}):
				sh.udp = off
			case n >= 8 && slices.Equal(w[:4], []int{16, 16, 32, 32}) && slices.Equal(w[n-3:], []int{16, 16, 16}) && total(w[4:n-3]) == 16:
				sh.tcp, sh.tcpSum = off, 1+n-2
			}
		}
		off += len(m.layout(f.Type, nil))
	}
	return sh
}

// fieldWidths are a header's, or nil if it has fields of other types than bit<W>.
func fieldWidths(h *types.Struct) []int {
	var out []int
	for _, f := range h.Fields {
		b, ok := f.Type.(*types.Bit)
		if !ok || b.Signed {
			return nil
		}
		out = append(out, b.Width)
	}
	return out
}

func total(ns []int) int {
	sum := 0
	for _, n := range ns {
		sum += n
	}
	return sum
}

// adjust is a ones' complement checksum after 32 bits that it covers have changed.
func adjust(b *smt.Builder, sum, before, after *smt.Term) *smt.Term {
	half := func(t *smt.Term, hi int) *smt.Term { return b.Extract(t, hi, hi-15) }
	wide := func(t *smt.Term) *smt.Term { return b.ZeroExt(t, 16) }
	s := wide(b.BVNot(sum))
	for _, t := range []*smt.Term{b.BVNot(half(before, 31)), b.BVNot(half(before, 15)), half(after, 31), half(after, 15)} {
		s = b.BVAdd(s, wide(t))
	}
	for range 2 {
		s = b.BVAdd(wide(half(s, 31)), wide(half(s, 15)))
	}
	return b.BVNot(half(s, 15))
}

// addresses is the site's map in one direction, as 32-bit numbers.
func addresses(t Tenant, out bool) (map[uint32]uint32, error) {
	m := map[uint32]uint32{}
	for v, p := range t.Addresses {
		var n [2]uint32
		for i, s := range [2]string{v, p} {
			a, err := netip.ParseAddr(s)
			if err != nil || !a.Is4() {
				return nil, fmt.Errorf("tenant %s: %q is no IPv4 address", t.Name, s)
			}
			x := a.As4()
			n[i] = uint32(x[0])<<24 | uint32(x[1])<<16 | uint32(x[2])<<8 | uint32(x[3])
		}
		if out {
			m[n[0]] = n[1]
		} else {
			m[n[1]] = n[0]
		}
	}
	return m, nil
}

// translated is an address after the site's map, and whether it has no place there.
func translated(b *smt.Builder, of map[uint32]uint32, a *smt.Term) (to, missing *smt.Term) {
	to, missing = a, b.True()
	for _, from := range slices.Sorted(maps.Keys(of)) {
		is := b.Eq(a, b.BV(uint64(from), 32))
		to = b.Ite(is, b.BV(uint64(of[from]), 32), to)
		missing = b.And(missing, b.Not(is))
	}
	return to, missing
}

// translate maps the addresses of a valid IPv4 header and corrects the checksums over them. A packet with an address that has no place, or with
// a checksum that the tenant did not parse and that would have to be corrected, is refused. Checksums are corrected for the addresses in got, which
// are claimed to be those that are translated to: solvers need not find that two sums over equal addresses are equal.
func (sh shape) translate(b *smt.Builder, of map[uint32]uint32, hdr, got []*smt.Term) (out []*smt.Term, refused *smt.Term) {
	out, refused = slices.Clone(hdr), b.False()
	if sh.ipv4 < 0 || len(of) == 0 {
		return out, refused
	}
	at := sh.ipv4 + sh.frag
	valid, frag, protocol := hdr[sh.ipv4], hdr[at], hdr[at+2]
	src, noSrc := translated(b, of, hdr[at+4])
	dst, noDst := translated(b, of, hdr[at+5])
	both := func(sum *smt.Term) *smt.Term {
		return adjust(b, adjust(b, sum, hdr[at+4], got[at+4]), hdr[at+5], got[at+5])
	}
	set := func(i int, cond, v *smt.Term) { out[i] = b.Ite(b.And(valid, cond), v, out[i]) }
	set(at+3, b.True(), both(hdr[at+3]))
	set(at+4, b.True(), src)
	set(at+5, b.True(), dst)
	refused = b.Or(noSrc, noDst)
	first := b.Eq(frag, b.BV(0, 13))
	carries := func(header, sum int, number uint64, corrected func(*smt.Term) *smt.Term) {
		is := b.And(first, b.Eq(protocol, b.BV(number, 8)))
		if header < 0 {
			refused = b.Or(refused, is)
			return
		}
		refused = b.Or(refused, b.And(is, b.Not(hdr[header])))
		set(header+sum, b.And(is, hdr[header]), corrected(hdr[header+sum]))
	}
	zero := b.BV(0, 16)
	carries(sh.udp, 4, 17, func(sum *smt.Term) *smt.Term { // 0 says that there is none (RFC 768)
		v := both(sum)
		return b.Ite(b.Eq(sum, zero), sum, b.Ite(b.Eq(v, zero), b.BV(0xffff, 16), v))
	})
	carries(sh.tcp, sh.tcpSum, 6, both)
	return out, b.And(valid, refused)
}

// hop lowers the hop limit of a valid IPv4 header: by one, from the tenant's or from what came in, whichever is less. came is what came in, 0 if
// there was no such header.
func (sh shape) hop(b *smt.Builder, came *smt.Term, hdr []*smt.Term) (out []*smt.Term, refused *smt.Term) {
	out = slices.Clone(hdr)
	if sh.ipv4 < 0 {
		return out, b.False()
	}
	at := sh.ipv4 + sh.frag
	valid, ttl, protocol := hdr[sh.ipv4], hdr[at+1], hdr[at+2]
	limit := b.Ite(b.BVUlt(ttl, came), ttl, came)
	less := b.BVSub(limit, b.BV(1, 8))
	word := func(ttl *smt.Term) *smt.Term { return b.Concat(b.Concat(b.BV(0, 16), ttl), protocol) }
	out[at+1] = b.Ite(valid, less, ttl)
	out[at+3] = b.Ite(valid, adjust(b, hdr[at+3], word(ttl), word(less)), hdr[at+3])
	return out, b.And(valid, b.BVUle(limit, b.BV(1, 8)))
}

// came is the hop limit that a packet came with; 0 without an IPv4 header.
func (sh shape) came(b *smt.Builder, hdr []*smt.Term) *smt.Term {
	if sh.ipv4 < 0 {
		return b.BV(0, 8)
	}
	return b.Ite(hdr[sh.ipv4], hdr[sh.ipv4+sh.frag+1], b.BV(0, 8))
}

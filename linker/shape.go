package linker

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Headers are recognised by their shape: the widths of their fields. Programs name headers and fields as they like.

// ethernetShape is an Ethernet header of a program: Field of the headers struct, and the names of its own fields.
type ethernetShape struct{ Field, Dst, Src, Type string }

// ipv4Shape is an IPv4 header without options.
type ipv4Shape struct{ Field, FragOffset, TTL, Protocol, Checksum, Src, Dst string }

// transportShape is a UDP or TCP header.
type transportShape struct{ Field, Checksum string }

// widths are those of a header's fields, or nil if it has others than bit<W>.
func widths(s *types.Struct) []int {
	if s.Kind != types.Header {
		return nil
	}
	var out []int
	for _, f := range s.Fields {
		b, ok := f.Type.(*types.Bit)
		if !ok || b.Signed {
			return nil
		}
		out = append(out, b.Width)
	}
	return out
}

func ethernetOf(s *types.Struct) (ethernetShape, bool) {
	if !slices.Equal(widths(s), []int{48, 48, 16}) {
		return ethernetShape{}, false
	}
	return ethernetShape{Dst: s.Fields[0].Name, Src: s.Fields[1].Name, Type: s.Fields[2].Name}, true
}

func ipv4Of(s *types.Struct) (ipv4Shape, bool) {
	w := widths(s)
	if len(w) == 13 && w[2] == 6 && w[3] == 2 { // the old type of service as DSCP and ECN
		w = append([]int{w[0], w[1], 8}, w[4:]...)
	}
	if !slices.Equal(w, []int{4, 4, 8, 16, 16, 3, 13, 8, 8, 16, 32, 32}) {
		return ipv4Shape{}, false
	}
	f := s.Fields[len(s.Fields)-6:]
	return ipv4Shape{
		FragOffset: f[0].Name, TTL: f[1].Name, Protocol: f[2].Name, Checksum: f[3].Name, Src: f[4].Name, Dst: f[5].Name,
	}, true
}

func udpOf(s *types.Struct) (transportShape, bool) {
	if !slices.Equal(widths(s), []int{16, 16, 16, 16}) {
		return transportShape{}, false
	}
	return transportShape{Checksum: s.Fields[3].Name}, true
}

// tcpOf recognises 20 bytes of TCP, however its 16 bits of offset and flags are divided.
func tcpOf(s *types.Struct) (transportShape, bool) {
	w := widths(s)
	n := len(w)
	if n < 8 || !slices.Equal(w[:4], []int{16, 16, 32, 32}) || !slices.Equal(w[n-3:], []int{16, 16, 16}) {
		return transportShape{}, false
	}
	sum := 0
	for _, x := range w[4 : n-3] {
		sum += x
	}
	if sum != 16 {
		return transportShape{}, false
	}
	return transportShape{Checksum: s.Fields[n-2].Name}, true
}

// isTag says whether a header is an 802.1Q tag: PCP, DEI, VID and the inner type, the first two perhaps in one.
func isTag(s *types.Struct) bool {
	w := widths(s)
	return slices.Equal(w, []int{3, 1, 12, 16}) || slices.Equal(w, []int{4, 12, 16})
}

// shapes looks at every header of the program.
func (t *tenant) shapes() {
	var udp, tcp, ipv4 int
	for _, f := range t.headers.Fields {
		s, ok := f.Type.(*types.Struct)
		if !ok || s.Kind != types.Header {
			t.errorf(f.Decl.Pos(), CodeUnsupported, "field %s of the headers is not a header; that is not supported yet", f.Name)
			continue
		}
		if isTag(s) {
			t.errorf(f.Decl.Pos(), CodeTag, "header %s is a VLAN tag: the tag is the system's, and tenants see packets without one", f.Name)
		}
		for _, g := range s.Fields {
			if _, ok := g.Type.(*types.Bit); !ok {
				t.errorf(g.Decl.Pos(), CodeUnsupported, "header field %s.%s has type %s; only bit<W> and int<W> are supported yet", f.Name, g.Name, g.Type)
			}
		}
		if x, ok := ipv4Of(s); ok {
			x.Field = f.Name
			t.ipv4 = &x
			if ipv4++; ipv4 > 1 {
				t.errorf(f.Decl.Pos(), CodeUnsupported, "a second IPv4 header (%s): tunnels are not supported yet", f.Name)
			}
		}
		if x, ok := udpOf(s); ok {
			x.Field = f.Name
			t.udp = &x
			udp++
		}
		if x, ok := tcpOf(s); ok {
			x.Field = f.Name
			t.tcp = &x
			tcp++
		}
	}
	if len(t.site.Addresses) > 0 && (udp > 1 || tcp > 1) {
		t.errorf(t.headers.Decl.Pos(), CodeUnsupported, "the site translates addresses of tenant %s, but its program has more than one header shaped like UDP or TCP: whose checksum to correct is not clear", t.site.Name)
	}
	t.checkMetadata(t.metadata)
}

// checkMetadata refuses metadata that cannot be zeroed field by field.
func (t *tenant) checkMetadata(s *types.Struct) {
	for _, f := range s.Fields {
		if x, ok := f.Type.(*types.Struct); ok && x.Kind != types.HeaderUnion {
			t.checkMetadata(x)
		} else if t.zeroValue(f.Type) == nil {
			t.errorf(f.Decl.Pos(), CodeUnsupported, "metadata field %s has type %s; that is not supported yet", f.Name, f.Type)
		}
	}
}

// headerField returns the field of the headers struct that an expression names as hdr.field, hdr being the given parameter.
func (t *tenant) headerField(e syntax.Expr, hdr *types.Object) (string, bool) {
	if p, ok := e.(*syntax.Paren); ok {
		return t.headerField(p.X, hdr)
	}
	m, ok := e.(*syntax.Member)
	if !ok {
		return "", false
	}
	n, ok := m.X.(*syntax.Name)
	if !ok || t.info.Uses[n.Ident] != hdr {
		return "", false
	}
	return m.Sel.Name, true
}

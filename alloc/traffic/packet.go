package traffic

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// KVPort is the UDP port of the key-value server.
const KVPort = 50000

// Operations of the key-value protocol.
const (
	opGet   = 1
	opReply = 2
)

const kvBytes = 17 // operation, key, value

// writer serialises packets of one tenant.
type writer struct {
	vid uint16
	buf gopacket.SerializeBuffer
}

func newWriter(vid uint16) *writer { return &writer{vid, gopacket.NewSerializeBuffer()} }

// mac is a locally administered address made of an IPv4 address.
func mac(a netip.Addr) []byte {
	b := a.As4()
	return []byte{0x02, 0x00, b[0], b[1], b[2], b[3]}
}

// packet wraps an IPv4 packet from one host to another in the tenant's tag.
func (w *writer) packet(src, dst netip.Addr, protocol layers.IPProtocol, transport gopacket.SerializableLayer, payload []byte) ([]byte, error) {
	s, d := src.As4(), dst.As4()
	ip := &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: protocol, SrcIP: s[:], DstIP: d[:]}
	switch t := transport.(type) {
	case *layers.UDP:
		if err := t.SetNetworkLayerForChecksum(ip); err != nil {
			return nil, err
		}
	case *layers.TCP:
		if err := t.SetNetworkLayerForChecksum(ip); err != nil {
			return nil, err
		}
	}
	err := gopacket.SerializeLayers(w.buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: mac(src), DstMAC: mac(dst), EthernetType: layers.EthernetTypeDot1Q},
		&layers.Dot1Q{VLANIdentifier: w.vid, Type: layers.EthernetTypeIPv4},
		ip, transport, gopacket.Payload(payload))
	if err != nil {
		return nil, fmt.Errorf("packet of VID %d: %w", w.vid, err)
	}
	return append([]byte(nil), w.buf.Bytes()...), nil
}

func kvPayload(op byte, key, value uint64) []byte {
	b := make([]byte, 0, kvBytes)
	b = append(b, op)
	b = binary.BigEndian.AppendUint64(b, key)
	return binary.BigEndian.AppendUint64(b, value)
}

// valueOf is what the server stores under a key.
func valueOf(key uint64) uint64 { return mix(key ^ 0x76616c7565) }

// mix is SplitMix64's finaliser: a bijection that scatters.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// A Responder is a server that sees what leaves the switch.
type Responder struct{ w map[uint16]*writer }

// NewResponder returns a key-value server for all tenants.
func NewResponder() *Responder { return &Responder{map[uint16]*writer{}} }

// Answer is the reply to a GET request of the key-value protocol, tagged as the request is; false for any other packet.
func (r *Responder) Answer(packet []byte) ([]byte, bool) {
	var (
		eth layers.Ethernet
		tag layers.Dot1Q
		ip  layers.IPv4
		udp layers.UDP
		app gopacket.Payload
	)
	var decoded []gopacket.LayerType
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &tag, &ip, &udp, &app)
	parser.IgnoreUnsupported = true
	if err := parser.DecodeLayers(packet, &decoded); err != nil || len(decoded) != 5 {
		return nil, false
	}
	if udp.DstPort != KVPort || len(app) != kvBytes || app[0] != opGet {
		return nil, false
	}
	key := binary.BigEndian.Uint64(app[1:])
	src, ok1 := netip.AddrFromSlice(ip.DstIP.To4())
	dst, ok2 := netip.AddrFromSlice(ip.SrcIP.To4())
	if !ok1 || !ok2 {
		return nil, false
	}
	w := r.w[tag.VLANIdentifier]
	if w == nil {
		w = newWriter(tag.VLANIdentifier)
		r.w[tag.VLANIdentifier] = w
	}
	out, err := w.packet(src, dst, layers.IPProtocolUDP, &layers.UDP{SrcPort: KVPort, DstPort: udp.SrcPort}, kvPayload(opReply, key, valueOf(key)))
	return out, err == nil
}

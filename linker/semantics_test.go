package linker_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/specs"
)

func kvMessage(op byte, key, value uint64) []byte {
	b := []byte{op}
	for _, x := range []uint64{key, value} {
		for i := 7; i >= 0; i-- {
			b = append(b, byte(x>>(8*i)))
		}
	}
	return b
}

func TestCacheBehindTranslation(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, l)
	get := frame{
		vid: 100, pcp: 5, dei: true, src: "198.51.100.11", dst: "198.51.100.1", ttl: 64,
		transport: &layers.UDP{SrcPort: 4000, DstPort: 50000}, payload: kvMessage(1, 0x1122334455667788, 0),
	}
	reply := frame{
		vid: 100, src: "198.51.100.1", dst: "198.51.100.11", ttl: 64,
		transport: &layers.UDP{SrcPort: 50000, DstPort: 4000}, payload: kvMessage(2, 0x1122334455667788, 0xcafe),
	}
	step := func(name string, in uint16, f frame, wantPort int) gopacket.Packet {
		t.Helper()
		port, out := run(p, in, f.bytes(t))
		if port != wantPort {
			t.Fatalf("%s: left on port %d, want %d", name, port, wantPort)
		}
		if port < 0 {
			return nil
		}
		checkSums(t, out)
		d := gopacket.NewPacket(out, layers.LayerTypeEthernet, gopacket.Default)
		tag := d.Layer(layers.LayerTypeDot1Q).(*layers.Dot1Q)
		if tag.VLANIdentifier != f.vid || uint16(tag.Priority) != f.pcp || tag.DropEligible != f.dei {
			t.Errorf("%s: tag %+v", name, tag)
		}
		if ip := d.Layer(layers.LayerTypeIPv4).(*layers.IPv4); ip.TTL != 63 {
			t.Errorf("%s: TTL %d, want 63", name, ip.TTL)
		}
		return d
	}

	// Without memory nothing is cached.
	step("GET without memory", 1, get, 2)
	step("REPLY without memory", 2, reply, 1)
	step("GET again", 1, get, 2)
	if asked, hits := count(t, p, specs.PacketsCounter, 100), count(t, p, specs.HitsCounter, 100); asked != 2 || hits != 0 {
		t.Errorf("without memory: %d packets, %d hits, want 2 and 0", asked, hits)
	}

	x := extent{base: 1000, size: 256, mask: 255}
	mapTenant(t, p, specs.Ingress, 100, 0, x, x, x, x, x)
	step("miss", 1, get, 2)
	step("fill", 2, reply, 1)
	d := step("hit", 1, get, 1)
	ip := d.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	udp := d.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if ip.SrcIP.String() != "198.51.100.1" || ip.DstIP.String() != "198.51.100.11" || udp.SrcPort != 50000 || udp.DstPort != 4000 {
		t.Errorf("the answer goes from %v:%d to %v:%d", ip.SrcIP, udp.SrcPort, ip.DstIP, udp.DstPort)
	}
	if want := kvMessage(2, 0x1122334455667788, 0xcafe); !bytes.Equal(udp.Payload, want) {
		t.Errorf("the answer is %x, want %x", udp.Payload, want)
	}
	if asked, hits := count(t, p, specs.PacketsCounter, 100), count(t, p, specs.HitsCounter, 100); asked != 4 || hits != 1 {
		t.Errorf("%d packets, %d hits, want 4 and 1", asked, hits)
	}
	// The slots used are the tenant's.
	for _, r := range p.Registers() {
		if r.Stray() != 0 {
			t.Errorf("%s: %d stray accesses", r.Name, r.Stray())
		}
		for i := range r.Size {
			v := make([]uint64, r.Words())
			if err := r.Read(i, v); err != nil {
				t.Fatal(err)
			}
			if v[0] != 0 && (i < 1000 || i >= 1256) {
				t.Errorf("%s[%d] = %d, outside the extent", r.Name, i, v[0])
			}
		}
	}

	// Addresses that are not the tenant's, and hop limits that have run out.
	stranger := get
	stranger.src = "198.51.100.99"
	step("unknown source", 1, stranger, -1)
	stranger = get
	stranger.dst = "203.0.113.1"
	step("unknown destination", 1, stranger, -1)
	old := get
	old.ttl = 1
	old.payload = kvMessage(1, 99, 0)
	step("hop limit 1", 1, old, -1)
	tcp := get
	tcp.transport = &layers.TCP{SrcPort: 1, DstPort: 2, SYN: true}
	step("a transport whose checksum cannot be corrected", 1, tcp, -1)
}

// TestSystemOnly sends what no tenant admits: nothing of it reaches tenant code, and nothing leaves, as no entry forwards it.
func TestSystemOnly(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, l)
	tcp := &layers.TCP{SrcPort: 1, DstPort: 2, SYN: true}
	good := frame{vid: 200, src: "10.1.1.1", dst: "10.2.2.2", ttl: 9, transport: tcp}
	if port, _ := run(p, 3, good.bytes(t)); port != 4 {
		t.Fatalf("an admitted packet left on %d, want 4", port)
	}
	before := count(t, p, "hh__HhIngress.traffic", 0)
	untagged, unknown, double := good, good, good
	untagged.vid, unknown.vid = 0, 201
	double.inner = layers.EthernetTypeDot1Q
	for _, c := range []struct {
		name string
		port uint16
		pkt  []byte
	}{
		{"untagged", 3, untagged.bytes(t)},
		{"unknown VID", 3, unknown.bytes(t)},
		{"another tenant's port", 1, good.bytes(t)},
		{"unknown port", 9, good.bytes(t)},
		{"double tag", 3, double.bytes(t)},
		{"from the controller", specs.CPUPort, good.bytes(t)},
		{"too short", 3, good.bytes(t)[:13]},
		{"tag too short", 3, good.bytes(t)[:16]},
	} {
		t.Run(c.name, func(t *testing.T) {
			if port, _ := run(p, c.port, c.pkt); port != -1 {
				t.Errorf("left on port %d", port)
			}
		})
	}
	if after := count(t, p, "hh__HhIngress.traffic", 0); after != before {
		t.Errorf("tenant code counted %d of them", after-before)
	}
	marker := append(append(append([]byte{}, macB...), macA...), specs.MarkerEtherType>>8, specs.MarkerEtherType&0xff, 1, 2, 3, 4, 5, 6, 7, 8)
	if port, out := run(p, specs.CPUPort, marker); port != specs.CPUPort || !bytes.Equal(out, marker) {
		t.Errorf("the fence marker left on port %d as %x", port, out)
	}
	if port, _ := run(p, 3, marker); port != -1 {
		t.Errorf("a marker from outside left on port %d", port)
	}
}

// TestSameAsOwnProgram runs each tenant's program by itself and in the linked program, with all the memory it declares, on the same
// random packets: what leaves is the same but for the tag and the hop limit.
func TestSameAsOwnProgram(t *testing.T) {
	const seed = 1
	for _, c := range []struct {
		file    string
		control specs.Control
		extents []extent
		packet  func(r *rand.Rand) frame
	}{
		{"testdata/rich.p4", specs.Ingress, []extent{{0, 64, 0xffffffff}, {64, 256, 0xff}}, func(r *rand.Rand) frame {
			f := frame{inner: 0x1234, payload: []byte{byte(r.IntN(5))}}
			if r.IntN(4) == 0 {
				f.payload[0] = byte(r.IntN(256))
			}
			for range r.IntN(14) {
				f.payload = append(f.payload, byte(r.IntN(3)))
			}
			return f
		}},
		{"testdata/egress.p4", specs.Egress, []extent{{0, 64, 0xffffffff}, {100, 16, 0xffffffff}}, func(r *rand.Rand) frame {
			f := frame{inner: 0x1234, payload: make([]byte, 7)}
			f.payload[0], f.payload[2], f.payload[6] = byte(r.IntN(3)), byte(r.IntN(70)), byte(r.IntN(9))
			return f
		}},
		{"../testdata/tenants/kv.p4", specs.Ingress, folded(5), func(r *rand.Rand) frame {
			ports := [][2]layers.UDPPort{{4000, 50000}, {50000, 4000}, {1, 2}}[r.IntN(3)]
			return frame{transport: &layers.UDP{SrcPort: ports[0], DstPort: ports[1]}, payload: kvMessage(byte(r.IntN(6)), r.Uint64N(40), r.Uint64())}
		}},
		{"../testdata/tenants/hh.p4", specs.Ingress, folded(3), func(r *rand.Rand) frame {
			if r.IntN(2) == 0 {
				return frame{transport: &layers.UDP{SrcPort: layers.UDPPort(r.IntN(4)), DstPort: 7}}
			}
			return frame{transport: &layers.TCP{SrcPort: layers.TCPPort(r.IntN(4)), DstPort: 7}}
		}},
		{"../testdata/tenants/fw.p4", specs.Ingress, []extent{{0, 4096, 0xffffffff}, {0, 4096, 0xffffffff}}, func(r *rand.Rand) frame {
			return frame{transport: &layers.TCP{SrcPort: layers.TCPPort(r.IntN(3)), DstPort: layers.TCPPort(r.IntN(3)), SYN: r.IntN(2) == 0, ACK: r.IntN(3) == 0}}
		}},
		{"../testdata/tenants/syn.p4", specs.Ingress, []extent{{0, 8192, 8191}}, func(r *rand.Rand) frame {
			return frame{transport: &layers.TCP{SrcPort: 1, DstPort: layers.TCPPort(r.IntN(3)), SYN: r.IntN(8) != 0, ACK: r.IntN(8) == 0}}
		}},
	} {
		t.Run(strings.TrimSuffix(filepath.Base(c.file), ".p4"), func(t *testing.T) {
			own, diags := p4.Load(c.file, nil)
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			alone, err := dataplane.Compile(own)
			if err != nil {
				t.Fatal(err)
			}
			path, err := filepath.Abs(c.file)
			if err != nil {
				t.Fatal(err)
			}
			linked, err := linkSite(siteWith(t, path, ""))
			if err != nil {
				t.Fatal(err)
			}
			p := compile(t, linked)
			mapTenant(t, p, c.control, 10, 0, c.extents...)
			r := rand.New(rand.NewPCG(seed, 0))
			left := 0
			for i := range 4000 {
				f := c.packet(r)
				if f.inner == 0 {
					f.src, f.dst = fmt.Sprintf("10.0.0.%d", 1+r.IntN(3)), fmt.Sprintf("10.0.0.%d", 1+r.IntN(3))
				}
				f.ttl = []uint8{2, 64, 255}[r.IntN(3)]
				in := uint16(1 + r.IntN(2))
				plain := f.bytes(t)
				pcp := byte(r.IntN(8))
				tagged := append(append(plain[:12:12], 0x81, 0, pcp<<5, 10), plain[12:]...)
				if r.IntN(20) == 0 { // too short somewhere
					cut := 14 + r.IntN(len(plain)-14)
					plain, tagged = plain[:cut], tagged[:cut+4]
				}
				if f.inner == 0 && len(plain) > 34 && r.IntN(20) == 0 { // a wrong checksum
					plain[24] ^= 1
					tagged[28] ^= 1
				}
				wantPort, want := run(alone, in, plain)
				port, got := run(p, in, tagged)
				if port != wantPort {
					t.Fatalf("seed %d, packet %d: left on port %d, its own program says %d\n%x", seed, i, port, wantPort, plain)
				}
				if port < 0 {
					continue
				}
				left++
				if len(got) < 18 || got[14]>>5 != pcp {
					t.Fatalf("seed %d, packet %d: tag %x", seed, i, got)
				}
				got = append(got[:12:12], got[16:]...)
				if len(got) >= 34 && f.inner == 0 { // undo one hop
					if got[22] != f.ttl-1 {
						t.Fatalf("seed %d, packet %d: TTL %d, want %d", seed, i, got[22], f.ttl-1)
					}
					got[22]++
					got[24], got[25] = want[24], want[25]
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("seed %d, packet %d:\n got %x\nwant %x", seed, i, got, want)
				}
			}
			if left < 500 {
				t.Errorf("only %d packets left", left)
			}
		})
	}
}

// folded are extents as large as the tenants' registers.
func folded(n int) []extent {
	var out []extent
	for range n {
		out = append(out, extent{0, 16384, 16383})
	}
	return out
}

// TestDirectIndexMisses gives the firewall half of its filter: connections whose bits lie in the other half are not known, and a
// SYN that cannot be remembered is dropped.
func TestDirectIndexMisses(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, l)
	half := extent{base: 4096, size: 2048, mask: 0xffffffff}
	mapTenant(t, p, specs.Ingress, 300, 0, half, half)
	passed := 0
	const total = 400
	for i := range total {
		syn := frame{vid: 300, src: "10.0.0.1", dst: "10.9.9.9", ttl: 64, transport: &layers.TCP{SrcPort: layers.TCPPort(i), DstPort: 80, SYN: true}}
		answer := frame{vid: 300, src: "10.9.9.9", dst: "10.0.0.1", ttl: 64, transport: &layers.TCP{SrcPort: 80, DstPort: layers.TCPPort(i), SYN: true, ACK: true}}
		out, _ := run(p, 5, syn.bytes(t))
		back, _ := run(p, 6, answer.bytes(t))
		if out != back+1 && !(out == -1 && back == -1) {
			t.Fatalf("SYN left on %d, its answer on %d", out, back)
		}
		if out == 6 {
			passed++
		}
	}
	if passed < total/8 || passed > total/2 {
		t.Errorf("%d of %d connections passed, want about a quarter", passed, total)
	}
	if hits := count(t, p, specs.HitsCounter, 300); hits != 2*uint64(passed) {
		t.Errorf("%d hits, want %d", hits, 2*passed)
	}
}

// TestEgressRegisters counts hits where the registers are, shows the generation, and misses without an entry.
func TestEgressRegisters(t *testing.T) {
	path, err := filepath.Abs("testdata/egress.p4")
	if err != nil {
		t.Fatal(err)
	}
	l, err := linkSite(siteWith(t, path, ""))
	if err != nil {
		t.Fatal(err)
	}
	probe := func(slot byte) []byte {
		return frame{vid: 10, inner: 0x1234, payload: []byte{1, 0, slot, 0, 0, 0, 5}}.bytes(t)
	}
	p := compile(t, l)
	if port, _ := run(p, 1, probe(3)); port != 2 {
		t.Fatalf("left on port %d", port)
	}
	mapTenant(t, p, specs.Egress, 10, 8, extent{32, 8, 0xffffffff}, extent{0, 16, 0xffffffff})
	for _, slot := range []byte{3, 3, 8} {
		run(p, 1, probe(slot))
	}
	if asked, hits := count(t, p, specs.PacketsCounter, 10), count(t, p, specs.HitsCounter, 10); asked != 4 || hits != 2 {
		t.Errorf("%d packets, %d hits, want 4 and 2", asked, hits)
	}
	for _, r := range p.Registers() {
		v := make([]uint64, r.Words())
		if r.Name == specs.StageArray(specs.Egress, 0) {
			if err := r.Read(35, v); err != nil || v[0] != 10 {
				t.Errorf("slot 35 holds %d, want 10 (%v)", v[0], err)
			}
		}
	}
	p = compile(t, l)
	mapTenant(t, p, specs.Egress, 10, 9, extent{32, 8, 0xffffffff}, extent{0, 16, 0xffffffff})
	if port, _ := run(p, 1, probe(3)); port != -1 {
		t.Errorf("the tenant does not see generation 9: left on port %d", port)
	}
}

// TestMemoryHelps replays a Zipf-distributed trace: the more memory a tenant has, the larger is its share of hits.
func TestMemoryHelps(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	const packets = 6000
	ratio := func(vid uint64, size uint64, packet func(z *rand.Zipf) (uint16, []byte), answer func(pkt []byte) []byte) float64 {
		p := compile(t, l)
		var xs []extent
		for range 5 {
			xs = append(xs, extent{0, size, size - 1})
		}
		mapTenant(t, p, specs.Ingress, vid, 0, xs...)
		z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 5000)
		for range packets {
			in, pkt := packet(z)
			if port, out := run(p, in, pkt); port == int(in)+1 && answer != nil {
				run(p, in+1, answer(out))
			}
		}
		return float64(count(t, p, specs.HitsCounter, int(vid))) / float64(count(t, p, specs.PacketsCounter, int(vid)))
	}
	kv := func(size uint64) float64 {
		var key uint64
		return ratio(100, size, func(z *rand.Zipf) (uint16, []byte) {
			key = 1 + z.Uint64()
			return 1, frame{
				vid: 100, src: "198.51.100.11", dst: "198.51.100.1", ttl: 64,
				transport: &layers.UDP{SrcPort: 4000, DstPort: 50000}, payload: kvMessage(1, key, 0),
			}.bytes(t)
		}, func([]byte) []byte {
			return frame{
				vid: 100, src: "198.51.100.1", dst: "198.51.100.11", ttl: 64,
				transport: &layers.UDP{SrcPort: 50000, DstPort: 4000}, payload: kvMessage(2, key, key),
			}.bytes(t)
		})
	}
	hh := func(size uint64) float64 {
		return ratio(200, size, func(z *rand.Zipf) (uint16, []byte) {
			flow := z.Uint64()
			return 3, frame{
				vid: 200, src: fmt.Sprintf("10.0.%d.%d", flow>>8, flow&255), dst: "10.9.9.9", ttl: 64,
				transport: &layers.UDP{SrcPort: 1, DstPort: 2},
			}.bytes(t)
		}, nil)
	}
	for name, f := range map[string]func(uint64) float64{"kv": kv, "hh": hh} {
		little, some, much := f(256), f(1024), f(8192)
		t.Logf("%s: hit ratio %.3f with 256 slots, %.3f with 1024, %.3f with 8192", name, little, some, much)
		if little+0.02 > some || some+0.05 > much {
			t.Errorf("%s: hit ratio %.3f, %.3f, %.3f does not grow with memory", name, little, some, much)
		}
	}
}

package traffic

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/interlock/interlock/linker/manifest"
)

func quickstart(t testing.TB, d time.Duration, rate float64) Spec {
	t.Helper()
	m, err := manifest.Load(filepath.Join("..", "..", "linker", "testdata", "quickstart", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := ForSite(m, map[string]Kind{"kv": KeyValue, "hh": Flows, "fw": Connections}, 1, d, rate)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func all(t testing.TB, spec Spec) []Packet {
	t.Helper()
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	var out []Packet
	for {
		p, more, err := g.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return out
		}
		out = append(out, p)
	}
}

func digest(packets []Packet) string {
	h := sha256.New()
	for _, p := range packets {
		fmt.Fprintf(h, "%d %d %d\n", p.At, p.Port, len(p.Data))
		h.Write(p.Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func TestDeterministic(t *testing.T) {
	spec := quickstart(t, time.Second, 0.2)
	a, b := all(t, spec), all(t, spec)
	if digest(a) != digest(b) {
		t.Error("the same spec gives other packets")
	}
	spec.Seed = 2
	if digest(all(t, spec)) == digest(a) {
		t.Error("another seed gives the same packets")
	}
	// One tenant's packets do not depend on the others.
	alone := quickstart(t, time.Second, 0.2)
	alone.Tenants = alone.Tenants[:1]
	var kv []Packet
	for _, p := range a {
		if p.Port == alone.Tenants[0].Near || p.Port == alone.Tenants[0].Far {
			kv = append(kv, p)
		}
	}
	if digest(all(t, alone)) != digest(kv) {
		t.Error("kv's packets depend on the other tenants")
	}
}

// Every packet is one that a tenant's program accepts: tagged, with right lengths and checksums, on the right port, in order of time.
func TestWellFormed(t *testing.T) {
	spec := quickstart(t, time.Second, 0.3)
	tenants := map[uint16]Tenant{}
	for _, x := range spec.Tenants {
		tenants[x.VID] = x
	}
	seen := map[string]int{}
	var last time.Duration
	for i, p := range all(t, spec) {
		if p.At < last || p.At > spec.Duration()+time.Millisecond {
			t.Fatalf("packet %d at %v, after %v", i, p.At, last)
		}
		last = p.At
		pkt := gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.Default)
		if pkt.TransportLayer() == nil { // what the payload looks like does not matter
			t.Fatalf("packet %d: %v", i, pkt)
		}
		tag, ok := pkt.Layer(layers.LayerTypeDot1Q).(*layers.Dot1Q)
		if !ok {
			t.Fatalf("packet %d has no tag", i)
		}
		x, ok := tenants[tag.VLANIdentifier]
		if !ok || p.Port != x.Near && p.Port != x.Far {
			t.Fatalf("packet %d of VID %d on port %d", i, tag.VLANIdentifier, p.Port)
		}
		ip := pkt.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		end := 18 + int(ip.Length) // what follows pads a short frame
		if end != len(p.Data) && (len(p.Data) != 60 || end > 60) || checksum(p.Data[18:38]) != 0 {
			t.Fatalf("packet %d: length %d, checksum %#x", i, ip.Length, checksum(p.Data[18:38]))
		}
		pseudo := append(append([]byte{}, p.Data[30:38]...), 0, byte(ip.Protocol))
		pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(end-38))
		if sum := checksum(append(pseudo, p.Data[38:end]...)); sum != 0 {
			t.Fatalf("packet %d: transport checksum is off by %#x", i, sum)
		}
		side := "far"
		if p.Port == x.Near {
			side = "near"
		}
		seen[fmt.Sprintf("%s %s %v", x.Name, side, ip.Protocol)]++
	}
	for _, want := range []string{"kv near UDP", "kv far UDP", "hh near UDP", "hh near TCP", "hh far UDP", "hh far TCP", "fw near TCP", "fw far TCP"} {
		if seen[want] == 0 {
			t.Errorf("none of %s among %v", want, seen)
		}
	}
}

func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		x := uint32(b[i]) << 8
		if i+1 < len(b) {
			x |= uint32(b[i+1])
		}
		sum += x
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// A responder answers what the trace answers.
func TestResponder(t *testing.T) {
	spec := quickstart(t, 200*time.Millisecond, 0.5)
	spec.Tenants = spec.Tenants[:1]
	kv := spec.Tenants[0]
	r := NewResponder()
	want := map[string]int{}
	answered := 0
	for _, p := range all(t, spec) {
		if p.Port == kv.Far {
			want[string(p.Data)]--
			if _, ok := r.Answer(p.Data); ok {
				t.Fatal("a reply was answered")
			}
			continue
		}
		b, ok := r.Answer(p.Data)
		if !ok {
			t.Fatal("a request was not answered")
		}
		answered++
		want[string(b)]++
	}
	for b, n := range want {
		if n != 0 {
			t.Fatalf("%d more answers than replies: %x", n, b)
		}
	}
	if answered == 0 {
		t.Error("no requests")
	}
	for _, junk := range [][]byte{nil, make([]byte, 60), all(t, quickstart(t, 100*time.Millisecond, 0.5))[0].Data[:30]} {
		if _, ok := r.Answer(junk); ok {
			t.Errorf("%x was answered", junk)
		}
	}
}

// Rates, idleness and popularity are those of the phases.
func TestPhases(t *testing.T) {
	a := netip.MustParseAddr("10.0.0.1")
	spec := Spec{Seed: 5, Tenants: []Tenant{{Name: "x", VID: 7, Kind: KeyValue, Near: 1, Far: 2, Hosts: Hosts{[]netip.Addr{a}, a.Next()}, Phases: []Phase{
		{For: 2 * time.Second, Rate: 2000, Population: 1000, Skew: 1},
		{For: time.Second},
		{For: time.Second, Rate: 1000, Population: 10, Skew: 0, Shift: 1000},
	}}}}
	var requests [3]int
	keys := [3]map[uint64]int{{}, {}, {}}
	for _, p := range all(t, spec) {
		if p.Port != 1 {
			continue
		}
		phase := 0
		if p.At >= 2*time.Second {
			phase = 1
		}
		if p.At >= 3*time.Second {
			phase = 2
		}
		requests[phase]++
		keys[phase][binary.BigEndian.Uint64(p.Data[47:])]++
	}
	if math.Abs(float64(requests[0])-4000) > 250 || requests[1] != 0 || math.Abs(float64(requests[2])-1000) > 130 {
		t.Errorf("requests %v", requests)
	}
	most := 0
	for _, n := range keys[0] {
		most = max(most, n)
	}
	// Zipf: the first of 1000 has 1/H(1000) = 0.1336 of all.
	if share := float64(most) / float64(requests[0]); math.Abs(share-0.1336) > 0.02 {
		t.Errorf("the most popular key has %.3f of the requests", share)
	}
	if len(keys[2]) != 10 {
		t.Errorf("%d keys of 10", len(keys[2]))
	}
	for k := range keys[2] {
		if keys[0][k] > 0 || k == 0 {
			t.Errorf("key %#x is shifted and yet known", k)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trace")
	spec := quickstart(t, 300*time.Millisecond, 0.3)
	start := time.Unix(1_700_000_000, 0).UTC()
	counts, err := WriteFiles(dir, spec, start)
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint16][]Packet{}
	for _, p := range all(t, spec) {
		want[p.Port] = append(want[p.Port], p)
	}
	if len(counts) != 6 {
		t.Errorf("%d files", len(counts))
	}
	for _, c := range counts {
		f, err := os.Open(c.Path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := pcapgo.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; ; n++ {
			data, info, err := r.ReadPacketData()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			p := want[c.Port][n]
			if !bytes.Equal(data, p.Data) || info.Timestamp.Sub(start).Truncate(time.Microsecond) != p.At.Truncate(time.Microsecond) {
				t.Fatalf("%s: packet %d differs", c.Path, n)
			}
		}
		if n != len(want[c.Port]) || n != c.Packets || n == 0 {
			t.Errorf("%s: %d packets, %d counted, %d generated", c.Path, n, c.Packets, len(want[c.Port]))
		}
		f.Close()
	}
}

func TestBadSpecs(t *testing.T) {
	good := quickstart(t, time.Second, 1)
	for name, change := range map[string]func(*Tenant){
		"kind":         func(x *Tenant) { x.Kind = "web" },
		"vid":          func(x *Tenant) { x.VID = 4095 },
		"no hosts":     func(x *Tenant) { x.Hosts.Near = nil },
		"IPv6":         func(x *Tenant) { x.Hosts.Far = netip.MustParseAddr("::1") },
		"no time":      func(x *Tenant) { x.Phases[0].For = 0 },
		"negative":     func(x *Tenant) { x.Phases[0].Rate = -1 },
		"no keys":      func(x *Tenant) { x.Phases[0].Population = 0 },
		"too many":     func(x *Tenant) { x.Phases[0].Population = MaxPopulation + 1 },
		"skew":         func(x *Tenant) { x.Phases[0].Skew = math.NaN() },
		"before first": func(x *Tenant) { x.Phases[0].Shift = -1 },
	} {
		spec := good
		x := good.Tenants[0]
		x.Phases = append([]Phase(nil), x.Phases...)
		change(&x)
		spec.Tenants = []Tenant{x}
		if _, err := New(spec); err == nil || !strings.Contains(err.Error(), `"kv"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := manifest.Load(filepath.Join("..", "..", "linker", "testdata", "quickstart", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ForSite(m, map[string]Kind{"nobody": Flows}, 1, time.Second, 1); err == nil {
		t.Error("traffic for a tenant that there is not")
	}
}

// In the default scenario memory matters, and to different tenants at different times: caches and rows of some sizes reach the
// sites' utility targets in a phase, and of others do not.
func TestMemoryMatters(t *testing.T) {
	spec := quickstart(t, 12*time.Second, 1)
	packets := all(t, spec)
	// ratio is the share of requests that a direct-mapped memory of a size serves in each phase.
	ratio := func(x Tenant, size uint32) []float64 {
		slots := make([]uint64, size)
		served, asked := make([]float64, len(x.Phases)), make([]float64, len(x.Phases))
		for _, p := range packets {
			if p.Port != x.Near && (p.Port != x.Far || x.Kind == KeyValue) {
				continue
			}
			phase, end := 0, x.Phases[0].For
			for phase < len(x.Phases)-1 && p.At >= end {
				phase++
				end += x.Phases[phase].For
			}
			var id []byte
			if x.Kind == KeyValue {
				id = p.Data[47:55]
			} else {
				id = append(append([]byte{p.Data[27]}, p.Data[30:42]...), 0)
			}
			h := crc32.ChecksumIEEE(id)
			name := uint64(crc32.Checksum(id, crc32.MakeTable(crc32.Castagnoli))) | 1<<32
			asked[phase]++
			if slots[h%size] == name {
				served[phase]++
			}
			slots[h%size] = name
		}
		for i := range served {
			if asked[i] > 0 {
				served[i] /= asked[i]
			}
		}
		return served
	}
	for _, x := range spec.Tenants[:2] {
		for size := uint32(256); size <= 16384; size *= 2 {
			t.Logf("%s with %5d slots: %.2f", x.Name, size, ratio(x, size))
		}
	}
	kv, hh := spec.Tenants[0], spec.Tenants[1]
	if small, large := ratio(kv, 256), ratio(kv, 8192); small[0] < 0.8 || small[1] > 0.6 || large[1] < small[1]+0.2 {
		t.Errorf("kv's working set: %.2f with 256 slots, %.2f with 8192", small[1], large[1])
	}
	if small, large := ratio(hh, 256), ratio(hh, 8192); small[0] < 0.7 || small[2] > 0.5 || large[2] < small[2]+0.2 {
		t.Errorf("hh's flows: %.2f with 256 slots, %.2f with 8192", small, large)
	}
}

func BenchmarkGenerate(b *testing.B) {
	spec := quickstart(b, time.Hour, 1)
	g, err := New(spec)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, more, err := g.Next(); !more || err != nil {
			b.Fatal(more, err)
		}
	}
}

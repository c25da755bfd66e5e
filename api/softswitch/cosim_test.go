package softswitch_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc/traffic"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/verify/program"
)

// The switch and the verifier read the same linked program with code that they do not share. Here both run the same packets: what
// the verifier does not determine (tables, register contents, hashes, checksums) is answered from the switch's tables, from a
// shadow of its registers and by hashes of the test's own. They must agree on every packet, byte and register cell.

var (
	cosimSeed    = flag.Uint64("cosim.seed", 1, "seed of random packets")
	cosimPackets = flag.Int("cosim.packets", 3000, "number of packets")
)

const linkedFile = "../../linker/testdata/quickstart/linked.p4"

// A twin is the same program twice.
type twin struct {
	t      testing.TB
	pipe   *dataplane.Pipeline
	eval   *program.Evaluator
	tables map[string]*dataplane.Table
	regs   map[string][]*big.Int // the verifier's registers
	rnd    *rand.Rand
	wrote  int
	hashes int
	wrong  int // checksums
}

func newTwin(t testing.TB) *twin {
	t.Helper()
	text, err := os.ReadFile(linkedFile)
	if err != nil {
		t.Fatal(err)
	}
	info, diags := p4.Load("linked.p4", text)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	w := &twin{t: t, rnd: rand.New(rand.NewPCG(*cosimSeed, 3)), tables: map[string]*dataplane.Table{}, regs: map[string][]*big.Int{}}
	if w.pipe, err = dataplane.Compile(info); err != nil {
		t.Fatal(err)
	}
	w.eval, err = program.NewEvaluator(&program.Input{Linked: text, Tenants: []program.Tenant{
		{Name: "kv", VID: 100, Ports: []uint16{1, 2}}, {Name: "hh", VID: 200, Ports: []uint16{3, 4}}, {Name: "fw", VID: 300, Ports: []uint16{5, 6}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range w.pipe.Tables() {
		w.tables[short(x.Name)] = x
	}
	for _, r := range w.pipe.Registers() {
		w.regs[short(r.Name)] = make([]*big.Int, r.Size)
	}
	for _, vid := range []uint64{100, 200, 300} {
		w.admit(vid)
	}
	return w
}

// short is the last part of an object's name, which is unique in what the linker prints for the quickstart.
func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// admit lets a tenant's packets in.
func (w *twin) admit(vid uint64) {
	w.t.Helper()
	table := w.tables["il_admission"]
	for i, a := range table.Actions {
		if short(a.Name) != "il_admit" {
			continue
		}
		if err := table.Insert(dataplane.NewEntry([]dataplane.Match{{Value: []uint64{vid}}}, 0, &dataplane.Do{Action: i})); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.t.Fatal("no action that admits")
}

// mapTenant gives a tenant the slots base .. base+size-1 of every stage.
func (w *twin) mapTenant(vid, base, size uint64) {
	w.t.Helper()
	table := w.tables["il_page_ingress"]
	for i, a := range table.Actions {
		if short(a.Name) != "il_map_ingress" {
			continue
		}
		do := &dataplane.Do{Action: i}
		for j := range a.Params {
			mask := uint64(1<<32 - 1)
			if size&(size-1) == 0 && size > 0 {
				mask = size - 1
			}
			do.Args = append(do.Args, []uint64{base, size, mask, 3}[j%4])
		}
		if err := table.Insert(dataplane.NewEntry([]dataplane.Match{{Value: []uint64{vid}}}, 0, do)); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.t.Fatal("no map action")
}

// number is a value of 64-bit words, least significant first.
func number(words []uint64) *big.Int {
	v := new(big.Int)
	for j := len(words) - 1; j >= 0; j-- {
		v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(words[j]))
	}
	return v
}

// lookup finds what a table does by comparing all its entries.
func (w *twin) lookup(q program.TableQuery) *program.TableAnswer {
	table := w.tables[short(q.Name)]
	if table == nil {
		w.t.Fatalf("the switch has no table %s", q.Table)
	}
	var best *dataplane.Entry
	longest := -1
	for _, e := range table.Entries() {
		length, ok := 0, true
		for i, m := range e.Match {
			if m.Any {
				continue
			}
			v := number(m.Value)
			switch k := table.Keys[i]; k.Kind {
			case dataplane.Exact:
				ok = ok && v.Cmp(q.Keys[i]) == 0
			case dataplane.LPM:
				shift := uint(k.Width - m.Len)
				ok = ok && new(big.Int).Rsh(v, shift).Cmp(new(big.Int).Rsh(q.Keys[i], shift)) == 0
				length = m.Len
			case dataplane.Ternary:
				mask := number(m.Mask)
				ok = ok && v.And(v, mask).Cmp(mask.And(mask, q.Keys[i])) == 0
				length = int(e.Priority)
			default:
				w.t.Fatalf("table %s: this test knows no key of kind %d", q.Table, k.Kind)
			}
		}
		if ok && length > longest {
			best, longest = e, length
		}
	}
	hit := best != nil
	if best == nil {
		best = table.Default()
	}
	do := best.Do()
	if do.Action < 0 {
		return nil
	}
	a := table.Actions[do.Action]
	ans := &program.TableAnswer{Hit: hit, Action: short(a.Name), Data: map[string]*big.Int{}}
	for _, p := range a.Params {
		ans.Data[p.Name] = new(big.Int).SetUint64(do.Args[p.Offset()])
	}
	return ans
}

// data is a hash's or checksum's input, most significant bit first, padded with zeros to whole bytes.
func data(args []*big.Int, widths []int) []byte {
	all, n := new(big.Int), 0
	for i, a := range args {
		all.Lsh(all, uint(widths[i])).Or(all, a)
		n += widths[i]
	}
	pad := (8 - n%8) % 8
	return all.Lsh(all, uint(pad)).FillBytes(make([]byte, (n+pad)/8))
}

// csum16 is the Internet checksum, RFC 1071.
func csum16(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i]) << 8
		if i+1 < len(b) {
			sum += uint32(b[i+1])
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// crc16 is CRC-16/ARC, which v1model's crc16 is: reflected 0x8005.
func crc16(b []byte) uint16 {
	var c uint16
	for _, x := range b {
		c ^= uint16(x)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0xA001
			} else {
				c >>= 1
			}
		}
	}
	return c
}

func (w *twin) value(q program.Query) *big.Int {
	switch q.Kind {
	case "register":
		cells := w.regs[short(q.Object)]
		if cells == nil {
			w.t.Fatalf("the switch has no register %s", q.Object)
		}
		if !q.Index.IsInt64() || q.Index.Int64() >= int64(len(cells)) {
			w.t.Fatalf("register %s: index %v of %d", q.Object, q.Index, len(cells))
		}
		return cells[q.Index.Int64()]
	case "hash":
		w.hashes++
		b := data(q.Args, q.Widths)
		h := new(big.Int)
		switch strings.ToLower(q.Algorithm) {
		case "crc32":
			h.SetUint64(uint64(crc32.ChecksumIEEE(b)))
		case "crc16":
			h.SetUint64(uint64(crc16(b)))
		case "csum16":
			h.SetUint64(uint64(csum16(b)))
		default:
			w.t.Fatalf("hash algorithm %s", q.Algorithm)
		}
		if q.Max.Sign() > 0 {
			h.Mod(h, q.Max)
		}
		return h
	case "verify":
		if sum := big.NewInt(int64(csum16(data(q.Args, q.Widths)))); sum.Cmp(q.Max) != 0 {
			w.wrong++
			return big.NewInt(1)
		}
		return nil
	case "checksum":
		if q.Args == nil {
			w.t.Fatalf("checksum %s without its data", q.Name)
		}
		return new(big.Int).SetUint64(uint64(csum16(data(q.Args, q.Widths))))
	case "length":
		return nil // of a packet longer than the verifier's longest; these are short
	case "queue":
		if strings.HasSuffix(q.Name, "egress_spec") {
			return nil // v1model leaves 0 there for egress; the verifier supposes anything
		}
		fallthrough
	case "arrival", "stale", "uninitialised": // nothing of these packets may depend on them
		return big.NewInt(w.rnd.Int64())
	}
	w.t.Fatalf("query of kind %s", q.Kind)
	return nil
}

// fill puts random entries into the tables that a controller writes, on keys that packets have.
func (w *twin) fill(rnd *rand.Rand, hosts []uint64) {
	w.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(w.tables)) {
		table := w.tables[name]
		if table.IsConst || strings.HasPrefix(name, "il_page") {
			continue
		}
		for n := range 30 {
			var match []dataplane.Match
			for _, k := range table.Keys {
				v := rnd.Uint64N(8)
				if k.Width >= 32 {
					v = hosts[rnd.IntN(len(hosts))]
				}
				if k.Width < 64 {
					v &= 1<<k.Width - 1
				}
				m := dataplane.Match{Value: []uint64{v}}
				switch k.Kind {
				case dataplane.LPM:
					m.Len = 1 + rnd.IntN(k.Width)
					m.Value[0] = v >> (k.Width - m.Len) << (k.Width - m.Len)
				case dataplane.Ternary:
					m.Mask = []uint64{rnd.Uint64() & rnd.Uint64() & (1<<k.Width - 1)}
					m.Value[0] &= m.Mask[0]
				}
				match = append(match, m)
			}
			do := &dataplane.Do{Action: rnd.IntN(len(table.Actions))}
			a := table.Actions[do.Action]
			if a.DefaultOnly {
				continue
			}
			for _, p := range a.Params {
				do.Args = append(do.Args, rnd.Uint64()&(1<<min(p.Width, 63)-1)>>rnd.IntN(p.Width))
			}
			priority := int32(0)
			if table.Priority {
				priority = int32(n + 1)
			}
			_ = table.Insert(dataplane.NewEntry(match, priority, do)) // the same match twice is refused
		}
	}
}

// packets are what tenants send, and what nobody should.
type packets struct {
	rnd *rand.Rand
	gen *traffic.Generator
}

func newPackets(t testing.TB, seed uint64) *packets {
	t.Helper()
	m, err := manifest.Load("../../linker/testdata/quickstart/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := traffic.ForSite(m, map[string]traffic.Kind{
		"kv": traffic.KeyValue, "hh": traffic.Flows, "fw": traffic.Connections,
	}, seed, time.Minute, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range spec.Tenants {
		for j := range spec.Tenants[i].Phases { // small sets, so that caches hit and counters pass thresholds; all at one rate
			spec.Tenants[i].Phases[j].Population, spec.Tenants[i].Phases[j].Rate = 40, 1000
		}
	}
	g, err := traffic.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return &packets{rand.New(rand.NewPCG(seed, 2)), g}
}

func (p *packets) valid(t testing.TB) (string, uint16, []byte) {
	t.Helper()
	x, more, err := p.gen.Next()
	if err != nil || !more {
		t.Fatalf("no more traffic: %v", err)
	}
	return "valid", x.Port, bytes.Clone(x.Data)
}

// next is a packet of a random kind.
func (p *packets) next(t testing.TB) (kind string, port uint16, b []byte) {
	kind, port, b = p.valid(t)
	switch p.rnd.IntN(12) {
	case 0:
		kind, b = "cut short", b[:p.rnd.IntN(len(b)+1)]
	case 1:
		kind, port = "on another port", uint16(p.rnd.IntN(10))
	case 2:
		kind = "untagged"
		b = append(b[:12:12], b[16:]...)
	case 3:
		kind = "tagged twice"
		b = append(append(b[:16:16], 0x81, 0, 0, byte(p.rnd.IntN(256))), b[16:]...)
	case 4:
		kind = "another tag"
		binary.BigEndian.PutUint16(b[14:], uint16([]int{0, 100, 200, 300, 301, 4095, p.rnd.IntN(1 << 16)}[p.rnd.IntN(7)]))
	case 5:
		kind = "priority and DEI"
		b[14] |= byte(p.rnd.IntN(16)) << 4
	case 6, 7:
		kind = "bits flipped"
		for range 1 + p.rnd.IntN(4) {
			i := 12 + p.rnd.IntN(min(len(b)-12, 60))
			b[i] ^= 1 << p.rnd.IntN(8)
		}
	case 8:
		kind = "hop limit"
		b[26] = byte(p.rnd.IntN(3))
		fixChecksum(b)
	case 9:
		kind = "noise"
		b = make([]byte, p.rnd.IntN(120))
		for i := range b {
			b[i] = byte(p.rnd.Uint32())
		}
	case 10:
		kind = "noise behind a good tag"
		for i := 18; i < len(b); i++ {
			b[i] = byte(p.rnd.Uint32())
		}
	}
	return kind, port, b
}

// fixChecksum makes the IPv4 header's checksum right.
func fixChecksum(b []byte) {
	if len(b) >= 38 {
		b[28], b[29] = 0, 0
		binary.BigEndian.PutUint16(b[28:], csum16(b[18:38]))
	}
}

// compare runs a packet through both and says how they differ, and whether it was forwarded.
func (w *twin) compare(port uint16, pkt []byte, o program.Oracle) (out bool, err error) {
	want, err := w.eval.Evaluate(pkt, port, o)
	if err != nil {
		return false, err
	}
	x := w.pipe.Run(port, pkt)
	defer x.Release()
	to, data, out := x.First()
	same := out != want.Dropped && len(x.Outputs) < 2 && (!out || to == want.Port && bytes.Equal(data, want.Packet))
	if !same {
		return out, fmt.Errorf("on port %d:\n  in       %x\n  switch   %v %d %x\n  verifier %v %d %x\n%s", port, pkt,
			out, to, data, !want.Dropped, want.Port, want.Packet, steps(want.Steps))
	}
	if len(want.Violated) > 0 {
		return out, fmt.Errorf("on port %d: %x violates %v, which is proved for all packets", port, pkt, want.Violated)
	}
	return out, nil
}

// TestCosimulationCanary: when one of the two is lied to, they differ.
func TestCosimulationCanary(t *testing.T) {
	for name, lie := range map[string]func(w *twin, o *program.Oracle){
		"hashes": func(w *twin, o *program.Oracle) {
			o.Value = func(q program.Query) *big.Int {
				if q.Kind == "hash" {
					return new(big.Int)
				}
				return w.value(q)
			}
		},
		"checksums": func(w *twin, o *program.Oracle) {
			o.Value = func(q program.Query) *big.Int {
				if q.Kind == "verify" {
					return big.NewInt(1)
				}
				return w.value(q)
			}
		},
		"page tables": func(w *twin, o *program.Oracle) {
			o.Table = func(q program.TableQuery) *program.TableAnswer {
				if short(q.Name) == "il_page_ingress" {
					return nil
				}
				return w.lookup(q)
			}
		},
		"register writes": func(_ *twin, o *program.Oracle) { o.Wrote = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwin(t)
			p := newPackets(t, *cosimSeed)
			for i, v := range []uint64{100, 200, 300} {
				w.mapTenant(v, uint64(i)*4096, 4096)
			}
			o := program.Oracle{Value: w.value, Table: w.lookup, Wrote: w.write}
			lie(w, &o)
			for range 600 {
				_, port, pkt := p.valid(t)
				if _, err := w.compare(port, pkt, o); err != nil {
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}

func TestCosimulation(t *testing.T) {
	t.Logf("seed %d, %d packets", *cosimSeed, *cosimPackets)
	w := newTwin(t)
	p := newPackets(t, *cosimSeed)
	w.mapTenant(100, 0, 256)
	w.mapTenant(200, 256, 100) // no power of two: the mask folds nothing, and indices past the size miss
	w.mapTenant(300, 1024, 4096)
	w.fill(p.rnd, []uint64{0x0a000001, 0x0a00000b, 0xc6336401, 0xc633640b, 0x0a010000, 0x0a020000, 0xffffffffffff})
	tally, forwarded := map[string]int{}, map[string]int{}
	for n := range *cosimPackets {
		kind, port, pkt := p.next(t)
		out, err := w.compare(port, pkt, program.Oracle{Value: w.value, Table: w.lookup, Wrote: w.write})
		if err != nil {
			t.Errorf("packet %d (%s): %v", n, kind, err)
		}
		if out {
			forwarded[kind]++
		}
		tally[kind]++
		if t.Failed() {
			return
		}
	}
	filled := 0
	for _, r := range w.pipe.Registers() {
		cell := make([]uint64, r.Words())
		for i, want := range w.regs[short(r.Name)] {
			if err := r.Read(i, cell); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = new(big.Int)
			}
			if number(cell).Cmp(want) != 0 {
				t.Errorf("%s[%d] is %v in the switch, %v in the verifier", r.Name, i, number(cell), want)
			}
			if want.Sign() != 0 {
				filled++
			}
		}
		if r.Stray() > 0 {
			t.Errorf("%s: %d accesses past its end", r.Name, r.Stray())
		}
	}
	t.Logf("packets %v, forwarded %v; %d register writes, %d cells in use, %d hashes, %d wrong checksums", tally, forwarded, w.wrote, filled, w.hashes, w.wrong)
	if filled < 50 || w.hashes < 100 || w.wrong == 0 || forwarded["valid"] < tally["valid"]/4 {
		t.Error("the packets hardly touch the tenants' programs")
	}
}

func (w *twin) write(x program.RegisterWrite) {
	w.wrote++
	cells := w.regs[short(x.Register)]
	if !x.Index.IsInt64() || x.Index.Int64() >= int64(len(cells)) {
		w.t.Fatalf("a write to %s[%v] of %d", x.Register, x.Index, len(cells))
	}
	cells[x.Index.Int64()] = x.Value
}

func steps(all []program.Step) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "  %v: %s\n", s.Pos, s.Text)
	}
	return b.String()
}

// BenchmarkProcessLinked is the linked quickstart on one core with the traffic of its three tenants.
func BenchmarkProcessLinked(b *testing.B) {
	for _, only := range []uint16{0, 100, 200, 300} {
		b.Run(map[uint16]string{0: "mixed", 100: "kv", 200: "hh", 300: "fw"}[only], func(b *testing.B) {
			w := newTwin(b)
			p := newPackets(b, 1)
			w.mapTenant(100, 0, 4096)
			w.mapTenant(200, 4096, 4096)
			w.mapTenant(300, 8192, 4096)
			type arrival struct {
				port uint16
				data []byte
			}
			var list []arrival
			size := 0
			for len(list) < 4096 {
				_, port, pkt := p.valid(b)
				if only != 0 && binary.BigEndian.Uint16(pkt[14:])&0xfff != only {
					continue
				}
				list = append(list, arrival{port, pkt})
				size += len(pkt)
			}
			b.SetBytes(int64(size / len(list)))
			b.ReportAllocs()
			n, cpu := 0, softswitch.CPUTime(b)
			for b.Loop() {
				x := w.pipe.Run(list[n&4095].port, list[n&4095].data)
				x.Release()
				n++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64(b.N)/(softswitch.CPUTime(b)-cpu).Seconds(), "packets/cpu-s")
		})
	}
}

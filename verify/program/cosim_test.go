package program

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4"
)

// The executor is run against the embedded switch's compiler, which shares no semantics with it: the same packets, table
// entries and registers must give the same packets and registers. Both start from zeroed containers.

// world is what a random table and register content is made of, drawn on demand.
type world struct {
	rng     *rand.Rand
	tables  map[string]*dataplane.Table
	choices map[string]*chosen
	cells   map[string]*big.Int // now, by register and index
	before  map[string]*big.Int
	where   map[string]cellName
}

type cellName struct {
	register string
	index    int64
}

type chosen struct {
	table  string
	keys   []*big.Int
	action int
	data   map[string]*big.Int
}

func (w *world) oracle() Oracle {
	return Oracle{Value: w.value, Table: w.table, Wrote: func(r RegisterWrite) {
		w.cell(r.Register, r.Index)
		w.cells[cellKey(r.Register, r.Index)] = r.Value
	}}
}

func cellKey(register string, index *big.Int) string { return register + "/" + index.String() }

func (w *world) cell(register string, index *big.Int) *big.Int {
	k := cellKey(register, index)
	v, ok := w.cells[k]
	if !ok {
		v = big.NewInt(int64(w.rng.IntN(3)))
		w.cells[k], w.before[k], w.where[k] = v, v, cellName{register, index.Int64()}
	}
	return v
}

func (w *world) value(q Query) *big.Int {
	switch q.Kind {
	case "register":
		return w.cell(q.Object, q.Index)
	case "hash":
		if q.Max.Sign() == 0 {
			return nil
		}
		return new(big.Int).Mod(digest(q), q.Max)
	case "checksum":
		return digest(q)
	case "verify":
		if digest(q).Cmp(q.Max) != 0 {
			return big.NewInt(1)
		}
	}
	return nil
}

// digest computes a hash or checksum of a query's data.
func digest(q Query) *big.Int {
	all, n := new(big.Int), 0
	for i, a := range q.Args {
		all.Or(all.Lsh(all, uint(q.Widths[i])), a)
		n += q.Widths[i]
	}
	pad := (8 - n%8) % 8
	b := all.Lsh(all, uint(pad)).FillBytes(make([]byte, (n+pad)/8))
	switch q.Algorithm {
	case "crc32":
		return big.NewInt(int64(crc32.ChecksumIEEE(b)))
	case "crc16":
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
		return big.NewInt(int64(c))
	case "csum16":
		var sum uint32
		for i, x := range b {
			sum += uint32(x) << (8 * (1 - i%2))
		}
		for sum > 0xffff {
			sum = sum&0xffff + sum>>16
		}
		return big.NewInt(int64(^sum & 0xffff))
	}
	panic("no " + q.Algorithm + " here")
}

func (w *world) table(q TableQuery) *TableAnswer {
	t := w.tables[q.Table]
	if t == nil {
		panic("the switch has no table " + q.Table)
	}
	k := q.Table + numbersKey(q.Keys)
	c, ok := w.choices[k]
	if !ok {
		if w.rng.IntN(4) > 0 {
			c = w.draw(t, q)
		}
		w.choices[k] = c
	}
	if c == nil {
		return nil
	}
	name := t.Actions[c.action].Name
	return &TableAnswer{Hit: true, Action: name[strings.LastIndexByte(name, '.')+1:], Data: c.data}
}

func numbersKey(vs []*big.Int) string {
	out := ""
	for _, v := range vs {
		out += "/" + v.String()
	}
	return out
}

// draw makes an entry. Page-table entries get extents within the stage arrays, ports are few.
func (w *world) draw(t *dataplane.Table, q TableQuery) *chosen {
	var can []int
	for i, a := range t.Actions {
		if !a.DefaultOnly {
			can = append(can, i)
		}
	}
	if len(can) == 0 {
		return nil
	}
	c := &chosen{q.Table, q.Keys, can[w.rng.IntN(len(can))], map[string]*big.Int{}}
	for _, p := range t.Actions[c.action].Params {
		limit := 1 << min(p.Width, 30)
		switch {
		case strings.HasPrefix(p.Name, "base_"), strings.HasPrefix(p.Name, "size_"):
			limit = 512
		case p.Width == 9:
			limit = 4
		}
		c.data[p.Name] = big.NewInt(int64(w.rng.IntN(limit)))
	}
	return c
}

func words(v *big.Int, n int) []uint64 {
	out := make([]uint64, n)
	rest := new(big.Int).Set(v)
	for i := range out {
		out[i] = new(big.Int).And(rest, new(big.Int).SetUint64(^uint64(0))).Uint64()
		rest.Rsh(rest, 64)
	}
	return out
}

// install writes the world into a switch.
func (w *world) install(pipe *dataplane.Pipeline) error {
	for _, c := range w.choices {
		if c == nil {
			continue
		}
		t := w.tables[c.table]
		var match []dataplane.Match
		for i, k := range t.Keys {
			m := dataplane.Match{Value: words(c.keys[i], k.Words())}
			switch k.Kind {
			case dataplane.LPM:
				m.Len = k.Width
				m.Mask = words(allOnes(k.Width), k.Words())
			case dataplane.Ternary:
				m.Mask = words(allOnes(k.Width), k.Words())
			case dataplane.Range:
				m.Mask = m.Value
			}
			match = append(match, m)
		}
		n := 0
		for _, p := range t.Actions[c.action].Params {
			n = max(n, p.Offset()+p.Words())
		}
		args := make([]uint64, n)
		for _, p := range t.Actions[c.action].Params {
			copy(args[p.Offset():], words(c.data[p.Name], p.Words()))
		}
		priority := int32(0)
		if t.Priority {
			priority = 1
		}
		if err := t.Insert(dataplane.NewEntry(match, priority, &dataplane.Do{Action: c.action, Args: args})); err != nil {
			return err
		}
	}
	for k, v := range w.before {
		at := w.where[k]
		for _, r := range pipe.Registers() {
			if r.Name == at.register {
				if err := r.Write(int(at.index), words(v, r.Words())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func allOnes(n int) *big.Int {
	one := big.NewInt(1)
	return new(big.Int).Sub(new(big.Int).Lsh(one, uint(n)), one)
}

// remove takes the entries out again.
func (w *world) remove(pipe *dataplane.Pipeline) error {
	var errs []error
	for _, t := range pipe.Tables() {
		for _, e := range t.Entries() {
			if !e.Const {
				errs = append(errs, t.Delete(e.Match, e.Priority))
			}
		}
	}
	return errors.Join(errs...)
}

func cosimulate(t *testing.T, in *Input, packets int, packet func(*rand.Rand) (uint16, []byte)) {
	info, diags := p4.Load(LinkedName, in.Linked)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	pipe, err := dataplane.Compile(info)
	if err != nil {
		t.Fatal(err)
	}
	pipe.Clock = func() uint64 { return 0 }
	mine, err := NewEvaluator(in)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]*dataplane.Table{}
	for _, x := range pipe.Tables() {
		tables[x.Name] = x
	}
	left, steps := 0, map[string]bool{}
	for seed := range uint64(packets) {
		w := &world{
			rng: rand.New(rand.NewPCG(seed, 1)), tables: tables, choices: map[string]*chosen{}, cells: map[string]*big.Int{},
			before: map[string]*big.Int{}, where: map[string]cellName{},
		}
		port, pkt := packet(w.rng)
		out, err := mine.Evaluate(pkt, port, w.oracle())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, s := range out.Steps {
			steps[s.Pos.String()] = true
		}
		if len(out.Violated) > 0 && len(in.Tenants) > 0 {
			t.Errorf("seed %d: violates %v, which are proved", seed, out.Violated)
		}
		if err := w.install(pipe); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		x := pipe.Run(port, pkt)
		to, data, sent := x.First()
		if sent != !out.Dropped || len(x.Outputs) > 1 || sent && (to != out.Port || !bytes.Equal(data, out.Packet)) {
			t.Errorf("seed %d: port %d, packet % x:\nverifier: dropped %v, port %d, % x\nswitch: out %v, port %d, % x\n%s",
				seed, port, pkt, out.Dropped, out.Port, out.Packet, sent, to, data, stepLines(out.Steps))
		}
		if sent {
			left++
		}
		x.Release()
		for k, v := range w.cells {
			at := w.where[k]
			for _, r := range pipe.Registers() {
				if r.Name != at.register {
					continue
				}
				got := make([]uint64, r.Words())
				if err := r.Read(int(at.index), got); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, words(v, r.Words())) {
					t.Errorf("seed %d: %s: verifier %v, switch %v", seed, k, v, got)
				}
			}
		}
		if err := w.remove(pipe); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d packets left; %d places executed", left, packets, len(steps))
	if left < packets/20 {
		t.Errorf("only %d of %d packets left the switch", left, packets)
	}
}

func stepLines(steps []Step) string {
	out := ""
	for _, s := range steps {
		out += fmt.Sprintf("  %s: %s\n", s.Pos, s.Text)
	}
	return out
}

// pick returns one of its arguments.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// frame builds a packet, perhaps cut short.
func frameOf(rng *rand.Rand, tag []byte, body ...[]byte) []byte {
	p := make([]byte, 12)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	p = append(p, tag...)
	for _, b := range body {
		p = append(p, b...)
	}
	for range rng.IntN(8) {
		p = append(p, byte(rng.Uint32()))
	}
	if rng.IntN(8) == 0 {
		p = p[:rng.IntN(len(p)+1)]
	}
	return p
}

func tagBytes(rng *rand.Rand, vid uint16, inner uint16) []byte {
	tci := uint16(rng.Uint32())&0xf000 | vid
	if rng.IntN(16) == 0 {
		inner = pick[uint16](rng, 0x8100, 0x88a8, 0x9100, 0x9200, 0x86dd)
	}
	if rng.IntN(32) == 0 {
		return []byte{byte(inner >> 8), byte(inner)}
	}
	return []byte{0x81, 0, byte(tci >> 8), byte(tci), byte(inner >> 8), byte(inner)}
}

func some(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32() & (rng.Uint32() >> 8)) // few bits set
	}
	return b
}

func TestCosimulateTwo(t *testing.T) {
	cosimulate(t, two(t), 400, twoPacket)
}

// twoPacket is a packet that gets somewhere in two.p4.
func twoPacket(rng *rand.Rand) (uint16, []byte) {
	ip := some(rng, 20)
	ip[0] = pick[byte](rng, 0x45, 0x45, 0x45, 0x46)
	switch rng.IntN(5) {
	case 0:
		return pick[uint16](rng, 1, 2, 3), frameOf(rng, tagBytes(rng, pick[uint16](rng, 0, 100, 200, 4095), 0x800), ip)
	case 1:
		return 510, frameOf(rng, []byte{0x88, pick[byte](rng, 0xb5, 0xb6)}, some(rng, 8))
	case 2, 3:
		var labels []byte
		for i, n := 0, rng.IntN(5); i < n; i++ {
			l := some(rng, 4)
			l[2] &^= 1
			if i == n-1 {
				l[2] |= 1
			}
			labels = append(labels, l...)
		}
		inner := uint16(0x8847)
		if len(labels) == 0 {
			inner = 0x800
		}
		return 3, frameOf(rng, tagBytes(rng, 200, inner), labels, ip)
	}
	return pick[uint16](rng, 1, 2), frameOf(rng, tagBytes(rng, 100, pick[uint16](rng, 0x1234, 0x1234, 5)), some(rng, 9))
}

func TestCosimulateQuickstart(t *testing.T) {
	cosimulate(t, quickstart(t), 300, quickstartPacket)
}

// quickstartPacket is a packet of one of the quickstart's tenants.
func quickstartPacket(rng *rand.Rand) (uint16, []byte) {
	tenant := rng.IntN(3)
	port := uint16(1 + 2*tenant + rng.IntN(2))
	ip := append([]byte{pick[byte](rng, 0x45, 0x45, 0x45, 0x55), 0, 0, 60, 0, 0, 0, 0}, some(rng, 12)...)
	ip[8] = pick[byte](rng, 64, 64, 2, 1)
	ip[9] = pick[byte](rng, 6, 17, 17)
	if tenant == 0 && rng.IntN(8) > 0 {
		copy(ip[12:], []byte{198, 51, 100, pick[byte](rng, 1, 11, 12), 198, 51, 100, pick[byte](rng, 1, 13, 14)})
	}
	if rng.IntN(4) > 0 {
		sum := digest(Query{Algorithm: "csum16", Args: []*big.Int{
			new(big.Int).SetBytes(ip[:10]), new(big.Int).SetBytes(ip[12:]),
		}, Widths: []int{80, 64}})
		ip[10], ip[11] = byte(sum.Uint64()>>8), byte(sum.Uint64())
	}
	l4 := append([]byte{0xc3, 0x50, 0xc3, 0x50}, some(rng, 16)...)
	if ip[9] == 17 {
		kv := some(rng, 17)
		kv[0] = byte(1 + rng.IntN(5))
		clear(kv[1:8])
		l4 = append(l4[:8], kv...)
	} else {
		l4[12] = 0x50
	}
	inner := uint16(0x800)
	return port, frameOf(rng, tagBytes(rng, uint16(100*(tenant+1)), inner), ip, l4)
}

// Every operator and statement, in a program without tenants; that it breaks P2 does not matter here.
func TestCosimulateOperators(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "ops.p4"))
	if err != nil {
		t.Fatal(err)
	}
	cosimulate(t, &Input{Linked: text}, 400, func(rng *rand.Rand) (uint16, []byte) {
		p := some(rng, 14)
		in := some(rng, 15)
		in[0] = pick(rng, 0, 1, 2, 7, 0x7f, 0x80, 0xff, 0xa5, 0xa0, byte(rng.Uint32()))
		in[1] = pick(rng, 0, 1, 3, 8, 9, 0x80, 0xff, in[0], 200, byte(rng.Uint32()))
		in[2] = pick(rng, 0, 1, 0x7f, 0x80, 0xff, byte(rng.Uint32()))
		in[3] = pick(rng, 0, 1, 0x7f, 0x80, 0xff, byte(rng.Uint32()))
		in[13] = byte(rng.Uint32())
		p = append(append(p, in...), some(rng, rng.IntN(7))...)
		if rng.IntN(10) == 0 {
			p = p[:rng.IntN(len(p)+1)]
		}
		return uint16(rng.IntN(4)), p
	})
}

// The order in which things happen inside expressions and calls, and what they see; no tenants either.
func TestCosimulateOrder(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "order.p4"))
	if err != nil {
		t.Fatal(err)
	}
	cosimulate(t, &Input{Linked: text}, 600, func(rng *rand.Rand) (uint16, []byte) {
		b := func() byte {
			return pick(rng, 0, 1, 2, 3, 5, 7, 9, 9, 9, 11, 0x7f, 0x80, 0xff, byte(rng.Uint32()), byte(rng.Uint32()))
		}
		in := []byte{b(), b(), byte(10 * rng.IntN(11))}
		return uint16(rng.IntN(4)), append(append(some(rng, 14), in...), some(rng, rng.IntN(7))...)
	})
}

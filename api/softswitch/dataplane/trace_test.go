package dataplane

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// traceText shows a trace for people and golden files.
func traceText(tr *Trace) string {
	var b strings.Builder
	list := func(word string, vs []Value) {
		for _, v := range vs {
			fmt.Fprintf(&b, " %s %s=%s", word, v.Name, v.Value)
		}
	}
	for _, s := range tr.Steps {
		fmt.Fprintf(&b, "%d %s%s", s.Packet, strings.Repeat("  ", s.Depth), s.Kind)
		for _, x := range []string{s.At, s.Name, s.Text} {
			if x != "" {
				fmt.Fprintf(&b, " %s", strings.TrimPrefix(x, "testdata/"))
			}
		}
		list("read", s.Reads)
		list("wrote", s.Writes)
		if s.Result != "" {
			fmt.Fprintf(&b, " -> %s", s.Result)
		}
		b.WriteByte('\n')
	}
	for _, o := range tr.Outputs {
		fmt.Fprintf(&b, "packet %d left on port %d: %s\n", o.Packet, o.Port, o.Data)
	}
	return b.String()
}

func traced(t testing.TB, p *Pipeline, in string, o *Oracle) *Trace {
	t.Helper()
	pkt, err := hex.DecodeString(in)
	must(t, err)
	tr, err := p.Trace(3, pkt, o)
	must(t, err)
	return tr
}

func TestTrace(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	must(t, p.Replication().SetSession(1, Session{Replicas: []Replica{{Port: 4, Instance: 9}}}))
	q := load(t, "testdata/tables.p4")
	var b strings.Builder
	for _, in := range []string{"0000aabb", "0101aabb", "0200", "00", "0600"} {
		fmt.Fprintf(&b, "# %s\n%s\n", in, traceText(traced(t, p, in, nil)))
	}
	for _, in := range []string{"0102030405060708090a0b0c0d0e0f101112131415161718"} {
		fmt.Fprintf(&b, "# tables: %s\n%s\n", in, traceText(traced(t, q, in, nil)))
	}
	const golden = "testdata/trace.golden"
	if *update {
		must(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if b.String() != string(want) {
		t.Errorf("traces differ from %s (run with -update and look at the difference):\n%s", golden, b.String())
	}
}

// TestTraceIsThePacket: what a trace says leaves is what leaves without one, and tables and registers are the same ones.
func TestTraceIsThePacket(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	r := p.Replication()
	must(t, r.SetSession(1, Session{Replicas: []Replica{{4, 1}, {5, 2}}}))
	must(t, r.SetGroup(1, []Replica{{6, 1}, {7, 2}, {6, 3}}))
	for what := range 10 {
		in := fmt.Sprintf("%02x01aabb", what)
		var got []string
		for _, o := range traced(t, p, in, nil).Outputs {
			got = append(got, fmt.Sprintf("%d:%s", o.Port, o.Data))
		}
		if want := sent(t, p, 3, in); !slices.Equal(got, want) {
			t.Errorf("%s: traced %v, else %v", in, got, want)
		}
	}
}

func TestOracle(t *testing.T) {
	run := func(apply, locals string, o *Oracle) string {
		p, err := compileSkeleton(t, "", locals, apply)
		must(t, err)
		tr := traced(t, p, input, o)
		if len(tr.Outputs) != 1 {
			t.Fatalf("%s: %d packets left", apply, len(tr.Outputs))
		}
		return tr.Outputs[0].Data
	}
	got := map[string]string{
		"stale header": run("hdr.h.a = hdr.g.b; hdr.h.w = hdr.s[1].w;", "", &Oracle{Stale: func(f string, w int) (*big.Int, bool) {
			return map[string]*big.Int{"hdr.g.b": big.NewInt(0x1AB), "hdr.s[1].w": new(big.Int).Lsh(big.NewInt(5), 100)}[f], true
		}}),
		"stale metadata":  run("hdr.h.d = meta.n;", "", &Oracle{Stale: func(f string, w int) (*big.Int, bool) { return big.NewInt(9), f == "meta.n" && w == 32 }}),
		"hash":            run("hash(hdr.h.c, HashAlgorithm.crc16, 16w10, { hdr.h.a }, 16w7);", "", &Oracle{Hash: func(at, algo string, data []byte) (uint64, bool) { return 5, algo == "crc16" && data[0] == 0x11 }}),
		"random":          run("random(hdr.h.a, 8w0, 8w255);", "", &Oracle{Random: func(_ string, lo, hi uint64) (uint64, bool) { return hi - lo - 1, true }}),
		"meter":           run("m.execute_meter(32w3, hdr.h.a);", "meter(4, MeterType.packets) m;", &Oracle{Meter: func(name string, i int) (Color, bool) { return Red, name == "I.m" && i == 3 }}),
		"nothing to know": run("hash(hdr.h.c, HashAlgorithm.identity, 16w10, { hdr.h.a }, 16w7);", "", nil),
	}
	for name, want := range map[string]string{
		"stale header": "ab" + input[2:32] + "00000050" + strings.Repeat("00", 12), "stale metadata": changed("d", "00000009"),
		"hash": changed("c", "000f"), "random": changed("a", "fe"), "meter": changed("a", "02"), "nothing to know": changed("c", "000d"),
	} {
		if got[name] != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got[name], want)
		}
	}
}

func TestOracleSelects(t *testing.T) {
	p := load(t, "testdata/state.p4")
	ways := p.Profiles()[0]
	for i := range uint32(3) {
		must(t, ways.InsertMember(i, &Do{Action: 0, Args: []uint64{uint64(i)}}))
	}
	must(t, ways.InsertGroup(9, 0, []Share{{Member: 0, Weight: 1}, {Member: 1, Weight: 1}, {Member: 2, Weight: 1}}))
	do, err := ways.Refer(9, true)
	must(t, err)
	must(t, tableNamed(t, p, "I.selected").Insert(NewEntry(key8(1), 0, do)))
	for i := range 3 {
		tr := traced(t, p, "01000000", &Oracle{Select: func(table string, group uint32, n int) (int, bool) {
			return i, table == "I.selected" && group == 9 && n == 3
		}})
		if got := tr.Outputs[0].Data; got != fmt.Sprintf("01000%d00", i) {
			t.Errorf("choice %d: %s", i, got)
		}
	}
}

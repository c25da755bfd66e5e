package dataplane

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// colors runs a packet n times and lists the last byte of its header.
func colors(t testing.TB, p *Pipeline, pkt string, n int) string {
	t.Helper()
	out := ""
	for range n {
		got := sent(t, p, 3, pkt)
		out += got[0][9:10]
	}
	return out
}

func tableNamed(t testing.TB, p *Pipeline, name string) *Table {
	t.Helper()
	i := slices.IndexFunc(p.Tables(), func(x *Table) bool { return x.Name == name })
	if i < 0 {
		t.Fatalf("no table %s", name)
	}
	return p.Tables()[i]
}

func key8(v uint64) []Match { return []Match{{Value: []uint64{v}}} }

func TestMeter(t *testing.T) {
	p := load(t, "testdata/state.p4")
	now := uint64(1000)
	p.Clock = func() uint64 { return now }
	m := p.Meters()[0]
	if m.Name != "I.gate" || m.PerByte {
		t.Fatalf("%+v", m)
	}
	if got := colors(t, p, "aa020000", 3); got != "000" {
		t.Errorf("without rates: %s", got)
	}
	// 2 at once and 1 a second committed; 4 at once and 2 a second at most.
	must(t, m.SetRates(2, &Rates{Committed: 1, CommittedBurst: 2, Peak: 2, PeakBurst: 4}))
	if got := colors(t, p, "aa020000", 6); got != "001122" {
		t.Errorf("at once: %s", got)
	}
	now += 999_999
	if got := colors(t, p, "aa020000", 2); got != "12" {
		t.Errorf("after a second less a microsecond: %s", got)
	}
	now++
	if got := colors(t, p, "aa020000", 2); got != "02" {
		t.Errorf("after a second: %s", got)
	}
	now += 1 << 62 // buckets do not overflow
	if got := colors(t, p, "aa020000", 5); got != "00112" {
		t.Errorf("after very long: %s", got)
	}
	v, err := m.Metered(2)
	must(t, err)
	if v[Green].Packets != 8 || v[Yellow].Packets != 5 || v[Red].Packets != 5 || v[Green].Bytes != 8*4 {
		t.Errorf("counted %v", v)
	}
	if got := colors(t, p, "aa090000", 1); got != "0" || m.Stray() != 1 {
		t.Errorf("past the end: %s, %d strays", got, m.Stray())
	}
	if err := m.SetRates(2, &Rates{Committed: 2, Peak: 1}); !errors.Is(err, ErrRange) {
		t.Errorf("peak below committed: %v", err)
	}
	if err := m.SetRates(4, nil); !errors.Is(err, ErrRange) {
		t.Errorf("cell 4 of 4: %v", err)
	}
	must(t, m.SetRates(2, nil))
	if _, set, err := m.Rates(2); set || err != nil {
		t.Errorf("rates are set: %v %v", set, err)
	}
}

func TestDirectMeter(t *testing.T) {
	p := load(t, "testdata/state.p4")
	table := tableNamed(t, p, "I.metered")
	colored := &Do{Action: 0, Args: []uint64{7}}
	e := NewEntry(key8(0xBB), 0, colored)
	must(t, table.SetRates(e, &Rates{Committed: 4, CommittedBurst: 8, Peak: 4, PeakBurst: 8})) // bytes
	must(t, table.Insert(e))
	must(t, table.Insert(NewEntry(key8(0xBC), 0, &Do{Action: 1})))
	if got := colors(t, p, "bb000000", 3); got != "002" {
		t.Errorf("colors %s", got)
	}
	if got := colors(t, p, "bc000000", 1); got != "0" {
		t.Errorf("an action that does not read the color leaves %s", got)
	}
	if r, set := table.Rates(e); !set || r.CommittedBurst != 8 || table.Metered(e)[Green].Bytes != 8 {
		t.Errorf("rates %v %v, metered %v", r, set, table.Metered(e))
	}
	must(t, table.Delete(key8(0xBC), 0))
	if got := colors(t, p, "bc000000", 1); got != "9" {
		t.Errorf("a miss writes color %s", got)
	}
}

func TestDirectCounter(t *testing.T) {
	p := load(t, "testdata/state.p4")
	now := uint64(5)
	p.Clock = func() uint64 { return now }
	table := tableNamed(t, p, "I.counted")
	e := NewEntry(key8(1), 0, &Do{Action: 1})
	must(t, table.Insert(e))
	now = 100
	if !table.Timed() || table.Idle(e) != 95 {
		t.Errorf("idle for %d", table.Idle(e))
	}
	sent(t, p, 1, "01000000")
	now = 110
	if e.Count() != (Count{1, 4}) || table.Idle(e) != 10 {
		t.Errorf("count %v, idle for %d", e.Count(), table.Idle(e))
	}
	sent(t, p, 1, "02000000")
	if table.Default().Count() != (Count{1, 4}) {
		t.Errorf("the default entry counted %v", table.Default().Count())
	}
	// Actions that tables share: the meter of another table is not read, and its counter not counted.
	must(t, table.Insert(NewEntry(key8(3), 0, &Do{Action: 2})))
	if got := colors(t, p, "03000000", 1); got != "9" {
		t.Errorf("reading another table's meter gives %s", got)
	}
	other := tableNamed(t, p, "I.metered")
	must(t, other.Insert(NewEntry(key8(0xBC), 0, &Do{Action: 1})))
	sent(t, p, 1, "bc000000")
	if table.Default().Count() != (Count{1, 4}) {
		t.Errorf("the default entry counted %v", table.Default().Count())
	}
}

func TestProfile(t *testing.T) {
	p := load(t, "testdata/state.p4")
	table, ways := tableNamed(t, p, "I.selected"), p.Profiles()[0]
	if table.Profile() != ways || !ways.Selector || ways.Size != 8 {
		t.Fatalf("%+v", ways)
	}
	to := func(v uint64) *Do { return &Do{Action: 0, Args: []uint64{v}} }
	for i := uint32(1); i <= 3; i++ {
		must(t, ways.InsertMember(i, to(uint64(i))))
	}
	// picks lists what the packets of flows 0 to 5 get.
	picks := func() string {
		out := ""
		for _, flow := range []string{"00", "01", "02", "03", "04", "05"} {
			out += sent(t, p, 1, "01"+flow+"0000")[0][7:8]
		}
		return out
	}
	must(t, ways.InsertGroup(9, 0, []Share{{Member: 2, Weight: 2}, {Member: 1, Weight: 1}}))
	do, err := ways.Refer(9, true)
	must(t, err)
	e := NewEntry(key8(1), 0, do)
	must(t, table.Insert(e))
	if got := picks(); got != "122122" {
		t.Errorf("group: %s", got)
	}
	must(t, ways.ModifyMember(2, to(8)))
	if got := picks(); got != "188188" {
		t.Errorf("modified member: %s", got)
	}
	must(t, ways.ModifyGroup(9, 0, []Share{{Member: 1, Weight: 1, Down: true}, {Member: 3, Weight: 1}}))
	if got := picks(); got != "333333" {
		t.Errorf("modified group with a member down: %s", got)
	}
	must(t, ways.DeleteMember(2))
	for name, err := range map[string]error{
		"member of a group": ways.DeleteMember(3), "group of an entry": ways.DeleteGroup(9),
	} {
		if !errors.Is(err, ErrInUse) {
			t.Errorf("deleting a %s: %v", name, err)
		}
	}
	must(t, ways.ModifyGroup(9, 0, nil))
	if got := picks(); got != "000000" {
		t.Errorf("empty group: %s", got)
	}
	one, err := ways.Refer(3, false)
	must(t, err)
	table.Modify(e, one)
	if got := picks(); got != "333333" {
		t.Errorf("member: %s", got)
	}
	must(t, ways.DeleteGroup(9))
	set, err := ways.Choose([]Share{{Do: to(5), Weight: 1}, {Do: to(6), Weight: 1}}, false, 0)
	must(t, err)
	table.Modify(e, set)
	if got := picks(); got != "565656" {
		t.Errorf("a set of its own: %s", got)
	}
	must(t, table.Delete(key8(1), 0))
	must(t, ways.DeleteMember(3))
	for i := uint32(10); i < 17; i++ {
		must(t, ways.InsertMember(i, to(0)))
	}
	for name, tc := range map[string]struct{ got, want error }{
		"too many":       {ways.InsertMember(99, to(0)), ErrFull},
		"twice":          {ways.InsertMember(10, to(0)), ErrExists},
		"missing member": {ways.ModifyMember(77, to(0)), ErrNotFound},
		"missing group":  {ways.ModifyGroup(77, 0, nil), ErrNotFound},
		"stranger":       {ways.InsertGroup(1, 0, []Share{{Member: 77, Weight: 1}}), ErrNotFound},
		"weight":         {ways.InsertGroup(1, 0, []Share{{Member: 10}}), ErrRange},
		"member twice":   {ways.InsertGroup(1, 0, []Share{{Member: 10, Weight: 1}, {Member: 10, Weight: 1}}), ErrExists},
	} {
		if !errors.Is(tc.got, tc.want) {
			t.Errorf("%s: %v, want %v", name, tc.got, tc.want)
		}
	}
}

func TestInitialEntries(t *testing.T) {
	p := load(t, "testdata/state.p4")
	table := tableNamed(t, p, "I.initial")
	for pkt, want := range map[string]string{"c0": "2", "c8": "1", "cf": "3"} {
		if got := sent(t, p, 1, pkt+"000000")[0][7:8]; got != want {
			t.Errorf("%s: action %s, want %s", pkt, got, want)
		}
	}
	var all []string
	for _, e := range table.Entries() {
		s := "open"
		if e.Const {
			s = "const"
		}
		all = append(all, s)
	}
	if got := strings.Join(all, " "); got != "const open open" || table.IsConst {
		t.Errorf("entries: %s; table const: %v", got, table.IsConst)
	}
}

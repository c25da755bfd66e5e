package dataplane

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sent lists what leaves as "port:bytes".
func sent(t testing.TB, p *Pipeline, port uint16, pkt string) []string {
	t.Helper()
	b, err := hex.DecodeString(pkt)
	if err != nil {
		t.Fatal(err)
	}
	x := p.Run(port, b)
	defer x.Release()
	var out []string
	for _, o := range x.Outputs {
		out = append(out, fmt.Sprintf("%d:%x", o.Port, o.Data))
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEngine(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	r := p.Replication()
	must(t, r.SetSession(1, Session{Replicas: []Replica{{Port: 4, Instance: 9}}}))
	must(t, r.SetSession(2, Session{Replicas: []Replica{{4, 1}, {5, 2}}}))
	must(t, r.SetSession(3, Session{Replicas: []Replica{{Port: 4}}, Length: 8}))
	must(t, r.SetSession(4, Session{}))
	must(t, r.SetGroup(1, []Replica{{6, 1}, {7, 2}, {6, 3}}))
	must(t, r.SetGroup(2, nil))
	// What leaves: instance, rid, port, length, kept, lost, ingress port; order; payload.
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"unicast", "0000aabb", []string{"1:00000104000103" + "0000aabb"}},
		{"clone", "0101aabb", []string{"4:010904044b0003" + "0101aabb", "1:000001044b0103" + "ee01aabb"}},
		{"clone to two ports", "0102aabb", []string{"4:010104044b0003" + "0102aabb", "5:010205044b0003" + "0102aabb", "1:000001044b0103" + "ee02aabb"}},
		{"clone cut", "0103aabb", []string{"4:010004044b000301", "1:000001044b0103" + "ee03aabb"}},
		{"clone to an empty session", "0104aabb", []string{"1:000001044b0103" + "ee04aabb"}},
		{"clone to no session", "0109aabb", []string{"1:000001044b0103" + "ee09aabb"}},
		{"clone and drop", "0600aabb", []string{"4:01090404000003" + "0600aabb"}},
		{"resubmit", "0200aabb", []string{"1:00000104550103" + "0200aabb"}},
		{"multicast", "0301aabb", []string{"6:05010604000103" + "0301aabb", "7:05020704000103" + "0301aabb", "6:05030604000103" + "0301aabb"}},
		{"multicast to nobody", "0302aabb", nil},
		{"multicast to no group", "0309aabb", nil},
		{"clone from egress", "0700aabb", []string{"1:00000104000103" + "0799aabb", "4:02090404000003" + "0799aabb"}},
		{"recirculate", "0803aabb", []string{"1:0803aabb"}},
		{"truncate", "0900aabb", []string{"1:000001"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // the second packet must not see the first
				if got := sent(t, p, 3, tc.in); !slices.Equal(got, tc.want) {
					t.Fatalf("\n got %v\nwant %v", got, tc.want)
				}
			}
		})
	}
	if p.Overrun() != 0 {
		t.Errorf("%d passes too many", p.Overrun())
	}
}

func TestEndlessResubmission(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	if got := sent(t, p, 3, "0500"); got != nil {
		t.Errorf("%v left", got)
	}
	if p.Overrun() != 1 {
		t.Errorf("%d passes too many, want 1", p.Overrun())
	}
	if got := sent(t, p, 3, "0000"); len(got) != 1 {
		t.Errorf("after it: %v", got)
	}
}

// TestManyCopies: a session may ask for more copies than can wait.
func TestManyCopies(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	var group []Replica
	for i := range MaxReplicas {
		group = append(group, Replica{uint16(i % 511), uint16(i)})
	}
	must(t, p.Replication().SetGroup(1, group))
	if got := sent(t, p, 3, "0301"); len(got) != MaxReplicas {
		t.Errorf("%d copies", len(got))
	}
}

func TestReplicationRefuses(t *testing.T) {
	var r Replication
	for name, err := range map[string]error{
		"group 0":         r.SetGroup(0, nil),
		"port":            r.SetGroup(1, []Replica{{Port: 511}}),
		"twice":           r.SetGroup(1, []Replica{{1, 1}, {1, 1}}),
		"too many":        r.SetGroup(1, make([]Replica, MaxReplicas+1)),
		"session":         r.SetSession(MaxSession+1, Session{}),
		"length":          r.SetSession(1, Session{Length: -1}),
		"session, twice":  r.SetSession(1, Session{Replicas: []Replica{{1, 1}, {1, 1}}}),
		"session on port": r.SetSession(1, Session{Replicas: []Replica{{Port: 600}}}),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if len(r.Groups()) != 0 || len(r.Sessions()) != 0 {
		t.Errorf("groups %v, sessions %v", r.Groups(), r.Sessions())
	}
	must(t, r.SetGroup(65535, []Replica{{1, 1}}))
	if g, ok := r.Group(65535); !ok || len(g) != 1 || !slices.Equal(r.Groups(), []uint16{65535}) {
		t.Errorf("group %v %v, groups %v", g, ok, r.Groups())
	}
	if !r.DeleteGroup(65535) || r.DeleteGroup(65535) || r.DeleteSession(3) {
		t.Error("deleting does not tell what there was")
	}
}

func TestDigest(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	if len(p.Digests()) != 1 || p.Digests()[0].Name != "sample_t" {
		t.Fatalf("digests %v", p.Digests())
	}
	d := p.Digests()[0]
	sent(t, p, 1, "0401") // nobody listens
	d.Listen(true)
	sent(t, p, 1, "0402")
	sent(t, p, 1, "0403")
	<-d.Ready()
	if got := d.Take(nil, 10); !slices.Equal(got, []uint64{4, 2, 0x010203040506, 4, 3, 0x010203040506}) {
		t.Errorf("samples %x", got)
	}
	for range maxSamples + 5 {
		sent(t, p, 1, "0404")
	}
	if d.Lost() != 5 || len(d.Take(nil, maxSamples+9)) != 3*maxSamples {
		t.Errorf("%d lost", d.Lost())
	}
	want := []SampleField{{0, 8, false, false}, {1, 8, false, false}, {2, 48, false, false}}
	if !slices.Equal(d.Fields, want) {
		t.Errorf("fields %v", d.Fields)
	}
}

func TestValueSet(t *testing.T) {
	p := load(t, "testdata/engine.p4")
	v := p.ValueSets()[0]
	if v.Name != "P.marked" || len(v.Keys) != 1 || v.Size != 2 {
		t.Fatalf("%+v", v)
	}
	if got := sent(t, p, 3, "0044"); !strings.HasSuffix(got[0], "0001030044") {
		t.Errorf("before: %v", got)
	}
	must(t, v.Set([][]Match{{{Value: []uint64{0x43}}}, {{Value: []uint64{0x44}}}}))
	if got := sent(t, p, 3, "0044"); !strings.HasSuffix(got[0], "7701030044") {
		t.Errorf("with it: %v", got)
	}
	if err := v.Set(make([][]Match, 3)); !errors.Is(err, ErrFull) {
		t.Errorf("three members: %v", err)
	}
	if len(v.Members()) != 2 {
		t.Errorf("members %v", v.Members())
	}
}

// TestEngineAllocates nothing in steady state.
func TestEngineAllocates(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	p := load(t, "testdata/engine.p4")
	must(t, p.Replication().SetSession(2, Session{Replicas: []Replica{{4, 1}, {5, 2}}}))
	must(t, p.Replication().SetGroup(1, []Replica{{6, 1}, {7, 2}, {6, 3}}))
	p.Digests()[0].Listen(true)
	for _, in := range []string{"0000", "0102", "0200", "0301", "0400", "0700", "0803"} {
		pkt, _ := hex.DecodeString(in)
		if n := testing.AllocsPerRun(200, func() { p.Run(1, pkt).Release() }); n > 0 {
			t.Errorf("%s: %v allocations", in, n)
		}
	}
}

func TestConcurrent(t *testing.T) {
	const cells = "register<bit<8>>(4) r; register<bit<8>>(4) s;"
	for _, tc := range []struct {
		name, apply string
		want        bool
	}{
		{"no register is used", "", true},
		{"one is read", "r.read(hdr.h.a, 0);", true},
		{"one is written", "r.write(0, hdr.h.a);", true},
		{"one is read, another written", "r.read(hdr.h.a, 0); s.write(0, hdr.h.a);", true},
		{"one is read and written", "bit<8> x; r.read(x, 0); r.write(0, x + 1);", false},
		{"two are written, together", "@atomic { r.write(0, hdr.h.a); s.write(0, hdr.h.b); }", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := compileSkeleton(t, "", cells, tc.apply)
			must(t, err)
			if p.Concurrent() != tc.want {
				t.Errorf("concurrent: %v", p.Concurrent())
			}
		})
	}
}

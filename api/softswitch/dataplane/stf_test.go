package dataplane

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
)

// The packet tests are written in the simple test format (STF) that P4 compilers use: NAME.p4 with NAME.stf beside it.
//
//	add TABLE [PRIORITY] KEY:VALUE... ACTION(PARAM:VALUE, ...)   higher priorities win
//	setdefault TABLE ACTION(PARAM:VALUE, ...)
//	packet PORT HEX
//	expect PORT [HEX]     * is any digit, $ at the end forbids more bytes; without HEX any packet
//	register_write NAME INDEX VALUE
//	register_read NAME INDEX VALUE                               (checks)
//	mirroring_add SESSION PORT
//	mc_mgrp_create GROUP, mc_node_create RID PORT..., mc_node_associate GROUP NODE
//
// Every packet that comes out must be expected.

// other people's tests, not run by default: a directory of .p4 and .stf files.
const externalSTF = "INTERLOCK_STF_DIR"

func TestPackets(t *testing.T) {
	files, err := filepath.Glob("testdata/*.stf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".stf"), func(t *testing.T) { runSTF(t, f, false) })
	}
}

func TestExternalPackets(t *testing.T) {
	dir := os.Getenv(externalSTF)
	if dir == "" {
		t.Skipf("set %s to a directory with .p4 and .stf files", externalSTF)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.stf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".stf"), func(t *testing.T) { runSTF(t, f, true) })
	}
}

func load(t testing.TB, path string) *Pipeline {
	t.Helper()
	info, diags := p4.Load(path, nil)
	if diags.HasErrors() {
		t.Fatalf("%v", diags.Err())
	}
	p, err := Compile(info)
	if err != nil {
		t.Fatal(err)
	}
	p.Clock = func() uint64 { return 0 }
	return p
}

type stf struct {
	t    testing.TB
	file string
	line int
	p    *Pipeline
	got  map[uint16][][]byte
	want map[uint16][]expectation

	groups map[uint16][]Replica
	nodes  [][]Replica
}

type expectation struct {
	line int
	data string
}

// runSTF runs one test. lenient skips what the front end or the switch does not support.
func runSTF(t *testing.T, file string, lenient bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	prog := strings.TrimSuffix(file, ".stf") + ".p4"
	info, diags := p4.Load(prog, nil)
	if diags.HasErrors() {
		if lenient {
			t.Skipf("front end: %v", diags.Err())
		}
		t.Fatal(diags.Err())
	}
	p, err := Compile(info)
	if err != nil {
		if lenient {
			t.Skipf("compile: %v", err)
		}
		t.Fatal(err)
	}
	p.Clock = func() uint64 { return 0 }
	s := &stf{t: t, file: file, p: p, got: map[uint16][][]byte{}, want: map[uint16][]expectation{}, groups: map[uint16][]Replica{}}
	for i, l := range strings.Split(string(text), "\n") {
		s.line = i + 1
		if j := strings.IndexByte(l, '#'); j >= 0 {
			l = l[:j]
		}
		if strings.TrimSpace(l) != "" && s.command(strings.TrimSpace(l)) {
			t.Skipf("%s:%d: %s", file, s.line, l)
		}
	}
	for port, want := range s.want {
		for _, e := range want {
			s.line = e.line
			s.check(port, e.data)
		}
	}
	for port, ps := range s.got {
		if len(ps) > 0 {
			t.Errorf("%s: unexpected packet on port %d: %x", file, port, ps[0])
		}
	}
}

func (s *stf) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s:%d: %s", s.file, s.line, fmt.Sprintf(format, args...))
}

func (s *stf) command(l string) (skip bool) {
	s.t.Helper()
	word, rest, _ := strings.Cut(l, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "wait":
	case "packet":
		s.packet(rest)
	case "expect":
		s.expect(rest)
	case "add":
		s.add(rest)
	case "setdefault":
		name, call, _ := strings.Cut(rest, " ")
		t := s.table(name)
		t.Modify(t.Default(), s.action(t, call))
	case "register_write", "register_read":
		f := strings.Fields(rest)
		r := s.register(f[0])
		i, v, w := int(s.number(f[1]).Int64()), bigWords(s.number(f[2]), r.Words()), make([]uint64, r.Words())
		if word == "register_write" {
			if err := r.Write(i, v); err != nil {
				s.fatalf("%v", err)
			}
		} else if err := r.Read(i, w); err != nil || !slices.Equal(v, w) {
			s.fatalf("register %s[%d] is %x (%v), want %x", f[0], i, w, err, v)
		}
	case "mirroring_add":
		f := strings.Fields(rest)
		s.do(s.p.Replication().SetSession(s.small(f[0]), Session{Replicas: []Replica{{Port: s.small(f[1])}}}))
	case "mc_mgrp_create":
		s.groups[s.small(rest)] = nil
	case "mc_node_create":
		f := strings.Fields(rest)
		var node []Replica
		for _, port := range f[1:] {
			node = append(node, Replica{s.small(port), s.small(f[0])})
		}
		s.nodes = append(s.nodes, node)
	case "mc_node_associate":
		f := strings.Fields(rest)
		id := s.small(f[0])
		s.groups[id] = append(s.groups[id], s.nodes[s.small(f[1])]...)
		s.do(s.p.Replication().SetGroup(id, s.groups[id]))
	default:
		return true
	}
	return false
}

func (s *stf) do(err error) {
	s.t.Helper()
	if err != nil {
		s.fatalf("%v", err)
	}
}

func (s *stf) small(v string) uint16 { return uint16(s.number(v).Uint64()) }

func (s *stf) packet(rest string) {
	port, data, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		s.fatalf("port: %v", err)
	}
	pkt, err := hex.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil {
		s.fatalf("packet: %v", err)
	}
	x := s.p.Run(uint16(n), pkt)
	defer x.Release()
	for _, o := range x.Outputs {
		s.got[o.Port] = append(s.got[o.Port], slices.Clone(o.Data))
	}
}

func (s *stf) expect(rest string) {
	s.t.Helper()
	port, data, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		s.fatalf("port: %v", err)
	}
	// Tests may announce what they expect before they send.
	s.want[uint16(n)] = append(s.want[uint16(n)], expectation{s.line, data})
}

func (s *stf) check(n uint16, data string) {
	s.t.Helper()
	q := s.got[n]
	if len(q) == 0 {
		s.fatalf("no packet on port %d", n)
	}
	s.got[n] = q[1:]
	want := strings.ToLower(strings.Join(strings.Fields(data), ""))
	want, strict := strings.CutSuffix(want, "$")
	got := hex.EncodeToString(q[0])
	ok := len(got) == len(want) || len(got) > len(want) && !strict
	for i := 0; ok && i < len(want); i++ {
		ok = want[i] == '*' || want[i] == got[i]
	}
	if !ok {
		s.fatalf("port %d:\n got %s\nwant %s", n, got, want)
	}
}

func (s *stf) table(name string) *Table {
	for _, t := range s.p.Tables() {
		if t.Name == name || strings.HasSuffix(t.Name, "."+name) || strings.HasSuffix(name, "."+t.Name) {
			return t
		}
	}
	s.fatalf("no table %s", name)
	return nil
}

func (s *stf) register(name string) *Register {
	for _, r := range s.p.Registers() {
		if r.Name == name || strings.HasSuffix(r.Name, "."+name) {
			return r
		}
	}
	s.fatalf("no register %s", name)
	return nil
}

func (s *stf) action(t *Table, call string) *Do {
	m := regexp.MustCompile(`^([\w.$]+)\((.*)\)`).FindStringSubmatch(strings.TrimSpace(call))
	if m == nil {
		s.fatalf("action %q", call)
	}
	for i, a := range t.Actions {
		if a.Name != m[1] && !strings.HasSuffix(a.Name, "."+m[1]) && !strings.HasSuffix(m[1], "."+a.Name) {
			continue
		}
		do := &Do{Action: i, Args: make([]uint64, t.actions[i].words)}
		for _, arg := range strings.Split(m[2], ",") {
			name, v, ok := strings.Cut(strings.TrimSpace(arg), ":")
			if !ok {
				continue
			}
			for _, p := range a.Params {
				if p.Name == name {
					copy(do.Args[p.off:], bigWords(s.number(v), p.words))
				}
			}
		}
		return do
	}
	s.fatalf("table %s has no action %s", t.Name, m[1])
	return nil
}

func (s *stf) number(v string) *big.Int {
	n, ok := new(big.Int).SetString(strings.TrimSpace(v), 0)
	if !ok {
		s.fatalf("number %q", v)
	}
	return n
}

func (s *stf) add(rest string) {
	open := strings.IndexByte(rest, '(')
	if open < 0 {
		s.fatalf("no action")
	}
	start := strings.LastIndexByte(rest[:open], ' ')
	f := strings.Fields(rest[:start])
	t := s.table(f[0])
	match := make([]Match, len(t.Keys))
	for i := range match {
		match[i].Any = true
	}
	priority := int32(10000)
	for i, k := range f[1:] {
		name, v, ok := strings.Cut(k, ":")
		if !ok {
			priority = int32(s.number(k).Int64())
			continue
		}
		j := slices.IndexFunc(t.Keys, func(k Key) bool { return sameKey(k.Name, name) })
		if j < 0 {
			s.fatalf("table %s has no key %s (argument %d)", t.Name, name, i)
		}
		match[j] = s.match(t.Keys[j], v)
	}
	e := NewEntry(match, 0, s.action(t, rest[start:]))
	if t.Priority {
		e.Priority = priority
	}
	if err := t.Insert(e); err != nil {
		s.fatalf("%v", err)
	}
}

// sameKey compares a P4Info key name with the ways tests write it.
func sameKey(info, test string) bool {
	norm := func(x string) string {
		x = strings.ReplaceAll(x, "$valid$", "isValid()")
		x = regexp.MustCompile(`\$(\d+)`).ReplaceAllString(x, ".$1")
		return regexp.MustCompile(`\[(\d+)\]`).ReplaceAllString(x, ".$1")
	}
	info, test = norm(info), norm(test)
	return info == test || strings.HasSuffix(info, "."+test) || strings.HasSuffix(test, "."+info)
}

func (s *stf) match(k Key, v string) Match {
	words := func(n *big.Int) []uint64 { return bigWords(n, k.words) }
	if val, length, ok := strings.Cut(v, "/"); ok {
		n := int(s.number(length).Int64())
		m := make([]uint64, k.words)
		fillMask(m, k.Width, n)
		x := words(s.number(val))
		for i := range x {
			x[i] &= m[i]
		}
		return Match{Any: n == 0, Value: x, Len: n}
	}
	for _, sep := range []string{"->", ".."} {
		if lo, hi, ok := strings.Cut(v, sep); ok {
			return Match{Value: words(s.number(lo)), Mask: words(s.number(hi))}
		}
	}
	full := make([]uint64, k.words)
	fillMask(full, k.Width, k.Width)
	if strings.Contains(v, "*") {
		bits, base := 4, v[:min(2, len(v))]
		if base == "0b" {
			bits = 1
		}
		val, mask := "", ""
		for _, d := range v[2:] {
			if d == '*' {
				val, mask = val+"0", mask+"0"
			} else {
				val += string(d)
				mask += map[int]string{4: "f", 1: "1"}[bits]
			}
		}
		x, m := words(s.number(base+val)), words(s.number(base+mask))
		for i := range m {
			m[i] &= full[i]
		}
		return Match{Value: x, Mask: m}
	}
	switch k.Kind {
	case Ternary:
		return Match{Value: words(s.number(v)), Mask: full}
	case LPM:
		return Match{Value: words(s.number(v)), Len: k.Width}
	case Range:
		return Match{Value: words(s.number(v)), Mask: words(s.number(v))}
	}
	return Match{Value: words(s.number(v))}
}

package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	logusage "github.com/interlock/interlock/verify/ledger/usage"
	"github.com/interlock/interlock/verify/plan"
)

// scriptMetered checks what package usage reads from a ledger against its twin, which knows what was read back from the switch after every
// outcome: it computes page tables from the bytes that were sent, and takes no others than those that have the digest in the outcome. Of
// exports of the ledger, whatever they tell of a time must be the same.
func scriptMetered(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: metered LEDGER EXPORT...")
	}
	l, u := usageOf(ts, args[0])
	twin := &meterTwin{ts: ts, log: l, tables: map[string][]byte{}, program: map[string][]byte{}, tenants: map[string][]plan.Tenant{}}
	for _, e := range l.Entries {
		if e.Outcome == nil || e.Outcome.Result == "pending" {
			continue
		}
		want := twin.holds(e)
		at, got := heldAt(u, e.Outcome.Switch, e.Outcome.At)
		if !at || !maps.Equal(got, want) {
			ts.Fatalf("after entry %d (%s on %s) tenants hold %v, usage says %v", e.Index, e.Outcome.Action, e.Outcome.Switch, want, got)
		}
	}
	for _, name := range args[1:] {
		_, v := usageOf(ts, name)
		known := 0
		for _, s := range v.Spans {
			if s.Unknown != "" {
				continue
			}
			known++
			if _, want := heldAt(u, s.Switch, s.From); !maps.Equal(want, holdings(s)) {
				ts.Fatalf("%s: from entry %d on %v is held, and %v", name, s.Entry, holdings(s), want)
			}
		}
		if known == len(u.Spans) {
			fmt.Fprintln(ts.Stdout(), "all is known")
		} else {
			fmt.Fprintf(ts.Stdout(), "%d of %d spans are known\n", known, len(u.Spans))
		}
	}
}

func usageOf(ts *testscript.TestScript, name string) (*check.Log, *logusage.Usage) {
	l, err := readLedger(ts.MkAbs(name), "")
	ts.Check(err)
	if len(l.Findings) > 0 {
		ts.Fatalf("%s: %v", name, l.Findings[0])
	}
	u, err := logusage.Read(l)
	ts.Check(err)
	return l, u
}

// heldAt is what is held on a switch at a time, by "tenant array".
func heldAt(u *logusage.Usage, name string, at time.Time) (known bool, held map[string]int64) {
	for _, s := range u.Spans {
		if s.Switch == name && !s.From.After(at) && (s.To.IsZero() || s.To.After(at)) {
			return s.Unknown == "", holdings(s)
		}
	}
	return false, nil
}

func holdings(s logusage.Span) map[string]int64 {
	held := map[string]int64{}
	for _, h := range s.Held {
		held[h.Tenant+" "+h.Array] += h.Slots
	}
	return held
}

// meterTwin is what each switch runs and holds.
type meterTwin struct {
	ts      *testscript.TestScript
	log     *check.Log
	tables  map[string][]byte
	program map[string][]byte
	tenants map[string][]plan.Tenant
}

func (m *meterTwin) holds(e check.Entry) map[string]int64 {
	o := e.Outcome
	if o.Result != "applied" {
		m.ts.Fatalf("entry %d is %s: the twin knows what was applied only", e.Index, o.Result)
	}
	d := m.log.Entries[o.Decision]
	var err error
	switch o.Action {
	case "apply":
		inputs := map[string][]byte{}
		for name, ref := range d.Decision.Inputs {
			inputs[name], err = m.log.Blob(ref)
			m.ts.Check(err)
		}
		in, err := plan.FromInputs(inputs)
		m.ts.Check(err)
		m.tables[o.Switch], err = gate.Expected(in)
		m.ts.Check(err)
		m.program[o.Switch], m.tenants[o.Switch] = in.Linked, in.Tenants
	case "replace":
		in, err := replacementIn(m.log, d)
		m.ts.Check(err)
		if in.Commits() {
			m.tables[o.Switch], err = gate.Restored(in)
			m.ts.Check(err)
		}
		m.program[o.Switch], m.tenants[o.Switch] = in.New, nil
		for _, t := range in.Tenants {
			if t.VID != 0 {
				m.tenants[o.Switch] = append(m.tenants[o.Switch], plan.Tenant{Name: t.Name, VID: t.VID})
			}
		}
	case "evict":
		m.tables[o.Switch], err = afterEviction(m.log, d)
		m.ts.Check(err)
	}
	program := verify.DigestOf(m.program[o.Switch])
	raw, err := hex.DecodeString(strings.TrimPrefix(string(program), "sha256:"))
	m.ts.Check(err)
	state := verify.DigestOf(fmt.Appendf(nil, "%s\n%d\n%s\n", program, binary.BigEndian.Uint64(raw), verify.DigestOf(m.tables[o.Switch])))
	if string(state) != o.PostState {
		m.ts.Fatalf("entry %d: the twin is in state %s, %s was read back", e.Index, state, o.PostState)
	}
	codec, err := alloc.CodecOf(m.program[o.Switch])
	m.ts.Check(err)
	tables, err := codec.Decode(m.tables[o.Switch])
	m.ts.Check(err)
	held := map[string]int64{}
	for k, entry := range tables {
		for stage, x := range entry {
			if x.Size > 0 {
				held[fmt.Sprintf("%s %s/%d", tenantNames(m.tenants[o.Switch])[k.VID], k.Control, stage)] += x.Size
			}
		}
	}
	return held
}

package check

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// continuity checks that each switch's states follow each other, an outcome beginning where the last one ended, and that every
// outcome carries out an earlier decision that allows it. A decision may be carried out again: what it rests on, the gate compares
// with the switch each time.
func (l *Log) continuity() {
	// decisions says which decision an outcome's action carries out.
	decisions := map[string]string{"install": "install", "apply": "plan", "evict": "evict", "close": "close", "replace": "replace"}
	last := map[string]Entry{}
	for _, e := range l.Entries {
		o := e.Outcome
		if o == nil {
			continue
		}
		file := l.bundle(e.Index)
		if o.Result == "pending" { // an eviction that was asked for, and not done yet
			if o.Action != "evict" || o.Decision >= 0 || o.Steps != 0 || o.PreState != o.PostState {
				l.find(e.Index, file, "a pending %s that says that something was done", o.Action)
			}
			continue
		}
		if prev, ok := last[o.Switch]; ok && prev.Outcome.PostState != o.PreState {
			left, found := short(prev.Outcome.PostState, o.PreState)
			l.find(e.Index, file, "switch %s: entry %d left state %s, this one found %s: something else wrote to the switch", o.Switch, prev.Index, left, found)
		}
		last[o.Switch] = e
		if o.Action == "recover" && o.Decision < 0 {
			continue
		}
		if o.Decision >= 0 && o.Decision < e.Index && l.Entries[o.Decision].unread() {
			continue // that is the finding
		}
		if o.Decision < 0 || o.Decision >= e.Index || l.Entries[o.Decision].Decision == nil {
			l.find(e.Index, file, "entry %d, which it carried out, is no earlier decision", o.Decision)
			continue
		}
		if o.Action == "recover" {
			continue
		}
		d := l.Entries[o.Decision].Decision
		if d.Action != decisions[o.Action] || d.Switch != "" && d.Switch != o.Switch {
			l.find(e.Index, file, "it says %s on switch %s, entry %d decided to %s on %s", o.Action, o.Switch, o.Decision, d.Action, d.Switch)
		}
		if want, known := provedFor(d); known && o.PreState != want {
			began, proved := short(o.PreState, want)
			l.find(e.Index, file, "it began in state %s, entry %d proved it for %s", began, o.Decision, proved)
		}
		if d.Verdict != "proved" && d.Verdict != "lemma" {
			l.find(e.Index, file, "it carried out entry %d, whose verdict is %s", o.Decision, d.Verdict)
		}
	}
}

// short cuts two digests that differ, but not before the place where they do.
func short(a, b string) (string, string) {
	n := 19
	for n < min(len(a), len(b)) && a[:n] == b[:n] {
		n++
	}
	return a[:min(n, len(a))], b[:min(n, len(b))]
}

// provedFor returns the digest of the state that a plan was proved for: its program, the program's cookie, and the page tables; see
// Outcome in package ledger. The cookie is the number that the program's digest begins with.
func provedFor(d *Decision) (state string, known bool) {
	if d.Action != "plan" {
		return "", false
	}
	program, tables := d.Inputs["linked.p4"].Content, d.Inputs["prestate.bin"].Content
	hexa, _ := strings.CutPrefix(program, "sha256:")
	raw, err := hex.DecodeString(hexa)
	if err != nil || len(raw) != sha256.Size {
		return "of no program", true
	}
	return digest(fmt.Appendf(nil, "%s\n%d\n%s\n", program, binary.BigEndian.Uint64(raw), tables)), true
}

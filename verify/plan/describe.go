package plan

import (
	"fmt"
	"strings"

	"github.com/interlock/interlock/verify/plan/model"
)

// Line is one step of a plan in words.
type Line struct {
	Step    int      `json:"step"` // index into Input.Steps
	Title   string   `json:"title"`
	Details []string `json:"details,omitempty"`
}

// Describe says what a plan does, step by step, as decoded from its bytes; notes in the plan are not looked at.
func Describe(in *Input) ([]Line, error) { return NewEncoder(1).Describe(in) }

// Describe is like the function of that name.
func (e *Encoder) Describe(in *Input) ([]Line, error) {
	d, err := e.decode(in)
	if err != nil {
		return nil, err
	}
	now := d.plan.Pre.Clone()
	var out []Line
	for i, s := range d.plan.Steps {
		l := Line{Step: i}
		if s.Fence {
			l.Title = "fence: wait until no packet or request knows an older page table"
			out = append(out, l)
			continue
		}
		scrubbed, entries := int64(0), 0
		for _, u := range s.Updates {
			if u.Kind != model.Scrub {
				entries++
				l.Details = append(l.Details, d.entryChange(u, now[u.Key]))
				now[u.Key] = u.Entry
			}
		}
		for _, a := range d.plan.Arrays() {
			for _, r := range d.runs(a, s) {
				scrubbed += r.hi - r.lo
				l.Details = append(l.Details, fmt.Sprintf("scrub %s of %v", slotRange(r.lo, r.hi-1), a))
			}
		}
		var parts []string
		if entries > 0 {
			parts = append(parts, plural(int64(entries), "page-table entry", "page-table entries"))
		}
		if scrubbed > 0 {
			parts = append(parts, "zero in "+plural(scrubbed, "slot", "slots"))
		}
		l.Title = "write " + strings.Join(parts, ", ")
		out = append(out, l)
	}
	return out, nil
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// entryChange is what an update does to an entry: "modify kv in ingress: stage 0 slots 0..127 (was 0..255), generation 4 (was 3)".
func (d *decoded) entryChange(u model.Update, was model.Entry) string {
	head := fmt.Sprintf("%v %s in %s", u.Kind, d.name(u.Key.VID), u.Key.Control)
	if u.Kind == model.Delete {
		return head
	}
	var parts []string
	for k, x := range u.Entry {
		old := extentOf(was, k)
		if was != nil && old == x {
			continue
		}
		p := fmt.Sprintf("stage %d: %s", k, slots(x))
		if was != nil && slots(old) != slots(x) {
			p += fmt.Sprintf(" (was %s)", slots(old))
		}
		if x.Generation != old.Generation {
			p += fmt.Sprintf(", generation %d", x.Generation)
		}
		if was != nil && x.Mask != old.Mask && x.Size > 0 {
			p += fmt.Sprintf(", mask %#x", x.Mask)
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return head + ": as it was"
	}
	return head + ": " + strings.Join(parts, "; ")
}

func slots(x model.Extent) string {
	if x.Size == 0 {
		return "none"
	}
	return slotRange(x.Base, x.Base+x.Size-1)
}

package plan

import (
	"fmt"
	"strings"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// A Counterexample is how a plan goes wrong, in the words of those who wrote it. Steps and updates are counted from 1 in words and
// from 0 in fields.
type Counterexample struct {
	Property   string        `json:"property"`
	Obligation string        `json:"obligation"` // its ID
	Tenants    []string      `json:"tenants,omitempty"`
	Control    specs.Control `json:"control,omitempty"` // empty if no stage is concerned
	Stage      int           `json:"stage"`
	First      int64         `json:"first"` // slots First..Last; -1 if no slots are concerned
	Last       int64         `json:"last"`
	Step       int           `json:"step"` // at fault: index into Input.Steps, -1 before the plan, len(Steps) after it
	What       string        `json:"what"`
	Run        []string      `json:"run,omitempty"` // what happens, in order
	Fix        string        `json:"fix,omitempty"`
	// Replayed says that Run has happened in the reference model. If it is false the solver's answer could not be confirmed, and
	// What says so.
	Replayed bool           `json:"replayed"`
	Schedule model.Schedule `json:"-"`
}

// String is several lines, the first of them a sentence.
func (c Counterexample) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", c.Property, c.What)
	for _, r := range c.Run {
		fmt.Fprintf(&b, "  %s\n", r)
	}
	if c.Fix != "" {
		fmt.Fprintf(&b, "  fix: %s\n", c.Fix)
	}
	return b.String()
}

// narrate tells a schedule in words.
func (d *decoded) narrate(p *model.Plan, s model.Schedule, a model.Array) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	entry := func(e model.Entry) string {
		if x := extentOf(e, a.Stage); x.Size > 0 {
			return fmt.Sprintf("%s of %v", slotRange(x.Base, x.Base+x.Size-1), a)
		}
		return fmt.Sprintf("no slot of %v", a)
	}
	packets := map[int]string{}
	count := len(s.Initial.Packets)
	for i, k := range s.Initial.Packets {
		packets[i] = fmt.Sprintf("the old packet of %s", d.name(k.Key.VID))
		say("a packet of %s is in flight from before the plan; it knows %s", d.name(k.Key.VID), entry(k.Entry))
	}
	for _, r := range s.Initial.Residue {
		say("slot %d of %v still holds what %s wrote there once", r.Slot, r.Array, d.name(r.VID))
	}
	m, err := model.New(p, s.Initial)
	if err != nil {
		return out
	}
	for _, x := range s.Actions {
		step := m.Step()
		switch x.Kind {
		case model.Apply:
			u := p.Steps[step].Updates[x.N]
			say("step %d, update %d: %s", step+1, u.Index+1, d.update(u, a))
		case model.Finish:
			if p.Steps[step].Fence {
				say("step %d: the fence's marker comes back; packets from before it are gone", step+1)
			} else {
				say("step %d has succeeded", step+1)
			}
		case model.Late:
			say("a request that had no answer takes effect: %s", d.update(p.Late[x.N], a))
		case model.Arrive:
			packets[count] = fmt.Sprintf("that packet of %s", d.name(x.Key.VID))
			say("a packet of %s comes in and reads the page table: %s", d.name(x.Key.VID), entry(m.Entry(x.Key)))
			count++
		case model.Touch:
			pk := m.InFlight()[x.N]
			if slot, hit := extentOf(pk.Entry, x.Stage).Slot(x.Index); hit {
				say("%s reads and writes slot %d of %v", packets[x.N], slot, model.Array{Control: pk.Key.Control, Stage: x.Stage})
			}
		}
		if m.Do(x) != nil {
			break
		}
	}
	return out
}

// update is one update in words; of an entry only what it says about a stage, if a has a control.
func (d *decoded) update(u model.Update, a model.Array) string {
	if u.Kind == model.Scrub {
		return fmt.Sprintf("slot %d of %v is scrubbed", u.Slot, u.Array)
	}
	who := fmt.Sprintf("%s's entry in %s", d.name(u.Key.VID), u.Key.Control)
	verb := map[model.UpdateKind]string{model.Insert: "is inserted", model.Modify: "is modified", model.Delete: "is deleted"}[u.Kind]
	if u.Kind == model.Delete || u.Key.Control != a.Control {
		return who + " " + verb
	}
	x := extentOf(u.Entry, a.Stage)
	if x.Size == 0 {
		return fmt.Sprintf("%s %s: no slot of %v", who, verb, a)
	}
	return fmt.Sprintf("%s %s: %s of %v", who, verb, slotRange(x.Base, x.Base+x.Size-1), a)
}

func slotRange(first, last int64) string {
	if first == last {
		return fmt.Sprintf("slot %d", first)
	}
	return fmt.Sprintf("slots %d..%d", first, last)
}

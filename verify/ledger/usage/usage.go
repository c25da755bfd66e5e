// Package usage reads from a log, and from nothing else, who held which slots of which switch from when to when, and on which terms.
//
// Times are those that entries state, made monotone: an entry that states an earlier time than one before it counts as of that one's. A
// change counts from the time of the outcome that says it was carried out. A decision that was refused, or never carried out, changes
// nothing; nor does an eviction that is pending. What an attempt left that failed on the way, or that was interrupted, is looked up by the
// state's digest: it is what a later entry of the log began with, or the state before. Where no entry says, it is unknown until one does.
// Extents that nobody is given, quarantined ones among them, are held by nobody.
package usage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// Holding is what a tenant holds in one stage array.
type Holding struct {
	Tenant string
	Array  string // "ingress/0"
	Slots  int64
}

// Span is a time during which what is held on a switch does not change: [From, To). The last one of a switch has no To.
type Span struct {
	Switch   string
	From, To time.Time
	Entry    int64     // that it begins with
	Held     []Holding // by array, then by tenant
	Unknown  string    // why it is not known what was held; Held is empty then
}

// Terms are what plans were made on from a time on: a blob of the log, by its first decision.
type Terms struct {
	From   time.Time
	Entry  int64
	Digest string
	Text   []byte // nil if an export leaves them out
}

// Usage is what a log says.
type Usage struct {
	Spans []Span // in the order of entries
	Terms []Terms
	Last  time.Time // of the last entry; zero for an empty log
}

// ErrRedacted is wrapped by errors about what an export leaves out and is needed.
var ErrRedacted = check.ErrRedacted

// Read reads a log, which must have no findings.
func Read(l *check.Log) (*Usage, error) {
	r := &reader{
		log: l, plans: plan.NewEncoder(4), replacements: replace.NewEncoder(), switches: map[string]*onSwitch{}, given: map[string]given{},
	}
	for _, e := range l.Entries {
		if err := r.entry(e); err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
	return &r.usage, nil
}

type reader struct {
	log          *check.Log
	plans        *plan.Encoder
	replacements *replace.Encoder
	usage        Usage
	switches     map[string]*onSwitch
	begun        map[string][]check.Entry // decisions by the digest of the state that they were made for; nil: not collected yet
	given        map[string]given         // what replacements leave, by the digest of the decision
}

// onSwitch is what is known of one switch.
type onSwitch struct {
	tables  held
	known   bool
	last    int    // index of its last span; -1: none
	state   string // digest
	tenants map[uint16]string
}

// held is slots by array and VID.
type held map[place]int64

type place struct {
	array string
	vid   uint16
}

func (r *reader) entry(e check.Entry) error {
	at := time.Time{}
	switch {
	case e.Decision != nil:
		at = e.Decision.At
	case e.Outcome != nil:
		at = e.Outcome.At
	case e.KeyChange != nil:
		at = e.KeyChange.At
	}
	if at.After(r.usage.Last) {
		r.usage.Last = at
	}
	if d := e.Decision; d != nil {
		if d.Action == "replace" && d.Verdict == "proved" {
			if err := r.give(e); err != nil {
				return err
			}
		}
		return r.terms(e)
	}
	if o := e.Outcome; o != nil && o.Result != "pending" {
		return r.outcome(e)
	}
	return nil
}

// terms notes the terms of a plan that was proved, if they are not those in force.
func (r *reader) terms(e check.Entry) error {
	d := e.Decision
	if d.Terms == nil || d.Verdict != "proved" {
		return nil
	}
	if n := len(r.usage.Terms); n > 0 && r.usage.Terms[n-1].Digest == d.Terms.Content {
		return nil
	}
	text, err := r.log.Blob(*d.Terms)
	if err != nil && !errors.Is(err, ErrRedacted) {
		return fmt.Errorf("terms: %w", err)
	}
	r.usage.Terms = append(r.usage.Terms, Terms{r.usage.Last, e.Index, d.Terms.Content, text})
	return nil
}

func (r *reader) on(name string) *onSwitch {
	if r.switches[name] == nil {
		r.switches[name] = &onSwitch{last: -1}
	}
	return r.switches[name]
}

// outcome notes what a switch holds after an outcome.
func (r *reader) outcome(e check.Entry) error {
	o := e.Outcome
	s := r.on(o.Switch)
	next, tenants, err := r.after(e, s)
	why := ""
	if err != nil {
		if !errors.Is(err, errUnknown) {
			return err
		}
		why = strings.TrimPrefix(err.Error(), errUnknown.Error()+": ")
	}
	same := s.last >= 0 && s.known && err == nil && maps.Equal(next, s.tables) && (tenants == nil || maps.Equal(tenants, s.tenants))
	s.tables, s.known, s.state = next, err == nil, o.PostState
	if tenants != nil {
		s.tenants = tenants
	}
	if same {
		return nil
	}
	now := r.usage.Last
	if s.last >= 0 {
		r.usage.Spans[s.last].To = now
	}
	s.last = len(r.usage.Spans)
	r.usage.Spans = append(r.usage.Spans, Span{Switch: o.Switch, From: now, Entry: e.Index, Held: s.holdings(), Unknown: why})
	return nil
}

// errUnknown is wrapped by why it is not known what a switch holds.
var errUnknown = errors.New("unknown")

// after is what is held after an outcome, and the names of the tenants by VID if they may be others now.
func (r *reader) after(e check.Entry, s *onSwitch) (held, map[uint16]string, error) {
	o := e.Outcome
	var d *check.Decision
	if o.Decision >= 0 && o.Decision < e.Index {
		d = r.log.Entries[o.Decision].Decision
	}
	switch {
	case o.Result == "applied" && o.Action == "apply" && d != nil && d.Action == "plan":
		in, err := r.plan(d)
		if err != nil {
			return nil, nil, err
		}
		tables := held{}
		for _, x := range in.Goal {
			tables.add(fmt.Sprintf("%s/%d", x.Control, x.Stage), x.VID, x.Size)
		}
		return tables, namesOf(in.Tenants), nil
	case o.Result == "applied" && o.Action == "evict" && d != nil && s.known && s.state == o.PreState:
		gone, err := r.evicted(d)
		if err != nil {
			return nil, nil, err
		}
		tables := maps.Clone(s.tables)
		maps.DeleteFunc(tables, func(p place, _ int64) bool { return gone[p.vid] })
		return tables, nil, nil
	case s.known && o.PostState == s.state:
		return s.tables, nil, nil // it changed nothing
	case o.Result == "applied" && o.Action == "replace" && d != nil && d.Action == "replace" && o.PreState != o.PostState:
		g, ok := r.given[r.log.Entries[o.Decision].Digest]
		switch {
		case !ok:
			return nil, nil, fmt.Errorf("%w: entry %d was not proved", errUnknown, o.Decision)
		case g.unknown != "":
			return nil, nil, fmt.Errorf("%w: %s", errUnknown, g.unknown)
		}
		return g.tables, g.tenants, nil
	case emptied(o, d):
		return held{}, nil, nil
	}
	return r.lookUp(o)
}

// emptied says that no page table has an entry after an outcome: no program runs, or the decision's just began to.
func emptied(o *check.Outcome, d *check.Decision) bool {
	if o.PostState == string(verify.DigestOf([]byte("no program"))) {
		return true
	}
	if d == nil {
		return false
	}
	state, ok := stateOf(d.Inputs["linked.p4"].Content, string(verify.DigestOf(nil)))
	return ok && o.PostState == state
}

// plan is a decision's, without its program and the state that it was made for.
func (r *reader) plan(d *check.Decision) (*plan.Input, error) {
	b, err := r.log.Blob(d.Inputs["plan.json"])
	if err != nil {
		return nil, err
	}
	var in plan.Input
	if err := verify.StrictJSON(b, &in); err != nil {
		return nil, fmt.Errorf("plan.json: %w", err)
	}
	return &in, nil
}

func namesOf(tenants []plan.Tenant) map[uint16]string {
	names := map[uint16]string{}
	for _, t := range tenants {
		names[t.VID] = t.Name
	}
	return names
}

func (h held) add(array string, vid uint16, slots int64) {
	if slots > 0 {
		h[place{array, vid}] += slots
	}
}

// evicted are the VIDs whose entries an eviction deletes: replay checks that it does nothing else.
func (r *reader) evicted(d *check.Decision) (map[uint16]bool, error) {
	b, err := r.log.Blob(d.Inputs["request.bin"])
	if err != nil {
		return nil, err
	}
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(b, &req); err != nil {
		return nil, fmt.Errorf("request.bin: %w", err)
	}
	gone := map[uint16]bool{}
	for _, u := range req.GetUpdates() {
		for _, m := range u.GetEntity().GetTableEntry().GetMatch() {
			vid := uint64(0)
			for _, x := range m.GetExact().GetValue() {
				vid = vid<<8 | uint64(x)
			}
			gone[uint16(vid)] = true
		}
	}
	return gone, nil
}

// lookUp finds what an outcome's post-state holds in a plan that was made for that state.
func (r *reader) lookUp(o *check.Outcome) (held, map[uint16]string, error) {
	if r.begun == nil {
		r.begun = map[string][]check.Entry{}
		for _, e := range r.log.Entries {
			if d := e.Decision; d != nil && d.Action == "plan" {
				if state, ok := madeFor(d); ok {
					r.begun[state] = append(r.begun[state], e)
				}
			}
		}
	}
	for _, e := range r.begun[o.PostState] {
		d := e.Decision
		if d.Switch != o.Switch {
			continue
		}
		in, err := r.plan(d)
		if err == nil {
			in.Linked, err = r.log.Blob(d.Inputs["linked.p4"])
		}
		if err == nil {
			in.PreState, err = r.log.Blob(d.Inputs["prestate.bin"])
		}
		if errors.Is(err, check.ErrRedacted) {
			return nil, nil, fmt.Errorf("%w: it was left in a state that only what the export leaves out tells", errUnknown)
		} else if err != nil {
			return nil, nil, err
		}
		in.Steps, in.Unanswered, in.Goal, in.Limits = nil, nil, nil, nil
		entries, err := r.plans.Entries(in)
		if err != nil {
			continue // another entry may have been read
		}
		tables := held{}
		for key, entry := range entries.Pre {
			for stage, x := range entry {
				tables.add(fmt.Sprintf("%s/%d", key.Control, stage), uint16(key.VID), x.Size)
			}
		}
		return tables, namesOf(in.Tenants), nil
	}
	return nil, nil, fmt.Errorf("%w: what was tried then (%s: %s) left a state that no later plan of the log was made for", errUnknown, o.Action, o.Result)
}

// madeFor is the digest of the state that a plan was made for.
func madeFor(d *check.Decision) (string, bool) {
	return stateOf(d.Inputs["linked.p4"].Content, d.Inputs["prestate.bin"].Content)
}

// stateOf is the digest of a switch's state, from those of its program and its page tables; see Outcome in package ledger.
func stateOf(program, tables string) (string, bool) {
	hexa, _ := strings.CutPrefix(program, "sha256:")
	raw, err := hex.DecodeString(hexa)
	if err != nil || len(raw) != sha256.Size {
		return "", false
	}
	return string(verify.DigestOf(fmt.Appendf(nil, "%s\n%d\n%s\n", program, binary.BigEndian.Uint64(raw), tables))), true
}

// holdings are what is known to be held, by tenants' names. A VID that no plan names is called by its number.
func (s *onSwitch) holdings() []Holding {
	var list []Holding
	for p, slots := range s.tables {
		name, ok := s.tenants[p.vid]
		if !ok {
			name = fmt.Sprintf("VID %d", p.vid)
		}
		list = append(list, Holding{name, p.array, slots})
	}
	slices.SortFunc(list, func(a, b Holding) int {
		if c := strings.Compare(a.Array, b.Array); c != 0 {
			return c
		}
		return strings.Compare(a.Tenant, b.Tenant)
	})
	return list
}

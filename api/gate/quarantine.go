package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/replace"
)

// ErrScrub says that the switch did not scrub some slots, though it answered, and ErrRestore that it did not give them their content back when its
// program was replaced. Nobody has them. When that happens twice in a row, they are in quarantine: planners leave them alone, until a plan
// scrubs them, and a replacement goes on without them.
var (
	ErrScrub   = errors.New("slots are not scrubbed")
	ErrRestore = errors.New("slots are not restored")
)

// RefusalsForQuarantine is how often in a row a slot must be refused.
const RefusalsForQuarantine = 2

// slot is one of a stage array.
type slot struct {
	control specs.Control
	stage   int
	index   int64
}

func (s slot) compare(o slot) int {
	return cmp.Or(cmp.Compare(o.control, s.control), s.stage-o.stage, cmp.Compare(s.index, o.index)) // ingress before egress
}

// A refusal is what is known of a slot that was not written.
type refusal struct {
	times int
	entry int64 // of the outcome that says so last; of one in quarantine, of that which put it there
	since time.Time
	why   string
}

// Refusals are the slots of one switch that were to be scrubbed or restored and were not, by the ledger's outcomes. No slot among them is anybody's,
// unless somebody else wrote to the switch.
type Refusals struct {
	of map[slot]refusal
}

// RefusalsOf reads them from a ledger's entries.
func RefusalsOf(entries []check.Entry, name string) *Refusals {
	r := &Refusals{map[slot]refusal{}}
	for _, e := range entries {
		if o := e.Outcome; o != nil && o.Switch == name {
			r.note(e.Index, o.At, convert(o.Refused), convert(o.Scrubbed))
		}
	}
	return r
}

func convert(list []check.Slots) []ledger.Slots {
	var out []ledger.Slots
	for _, s := range list {
		out = append(out, ledger.Slots(s))
	}
	return out
}

// note takes an outcome in.
func (r *Refusals) note(entry int64, at time.Time, refused, scrubbed []ledger.Slots) {
	for _, x := range scrubbed {
		for i := x.First; i <= x.Last; i++ {
			delete(r.of, slot{specs.Control(x.Control), x.Stage, i})
		}
	}
	for _, x := range refused {
		for i := x.First; i <= x.Last; i++ {
			s := slot{specs.Control(x.Control), x.Stage, i}
			was := r.of[s]
			if was.times < RefusalsForQuarantine {
				was.entry, was.since = entry, at
			}
			was.times++
			was.why = x.Why
			r.of[s] = was
		}
	}
}

// Refused is a run of slots that were refused alike.
type Refused struct {
	Control     specs.Control
	Stage       int
	First, Last int64
	Quarantined bool
	Since       time.Time // that they are in quarantine, or were refused
	Entry       int64     // of the ledger, that says so
	Why         string
}

func (x Refused) String() string {
	if x.First == x.Last {
		return fmt.Sprintf("%s/%d slot %d", x.Control, x.Stage, x.First)
	}
	return fmt.Sprintf("%s/%d slots %d..%d", x.Control, x.Stage, x.First, x.Last)
}

// All lists them, in order.
func (r *Refusals) All() []Refused {
	var out []Refused
	for _, s := range slices.SortedFunc(maps.Keys(r.of), slot.compare) {
		x := r.of[s]
		next := Refused{s.control, s.stage, s.index, s.index, x.times >= RefusalsForQuarantine, x.since, x.entry, x.why}
		if n := len(out) - 1; n >= 0 {
			last := out[n]
			last.First, last.Last = next.First, next.Last
			if last == next && out[n].Last+1 == s.index {
				out[n].Last = s.index
				continue
			}
		}
		out = append(out, next)
	}
	return out
}

// quarantined counts the slots in quarantine.
func (r *Refusals) quarantined() (n int64) {
	for _, x := range r.of {
		if x.times >= RefusalsForQuarantine {
			n++
		}
	}
	return n
}

// Remember tells the gate what the ledger says of slots that were refused.
func (g *Gate) Remember(r *Refusals) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusals = r
	g.quarantined.Store(r.quarantined())
}

// quarantines checks that slots are in quarantine.
func (g *Gate) quarantines(x replace.Slots) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := x.First; i <= x.Last; i++ {
		if s := (slot{x.Control, x.Stage, i}); g.refusals.of[s].times < RefusalsForQuarantine {
			return fmt.Errorf("%w: %s/%d slot %d is to be done without, and is not in quarantine", ErrTampered, s.control, s.stage, s.index)
		}
	}
	return nil
}

// Unusable are the slots in quarantine, as a replacement does without them.
func (g *Gate) Unusable() []replace.Slots {
	var out []replace.Slots
	for _, x := range g.Refused() {
		if x.Quarantined {
			out = append(out, replace.Slots{Control: x.Control, Stage: x.Stage, First: x.First, Last: x.Last})
		}
	}
	return out
}

// Refused are the slots that were to be scrubbed or restored and were not, as of now.
func (g *Gate) Refused() []Refused {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refusals.All()
}

// writes are the slots that an update gives a value; none if it does something else.
func writes(u *p4v1.Update, arrays map[uint32]stageArray) []slot {
	r := u.GetEntity().GetRegisterEntry()
	a, ok := arrays[r.GetRegisterId()]
	if r == nil || !ok {
		return nil
	}
	if r.GetIndex() != nil {
		return []slot{{a.control, a.stage, r.GetIndex().GetIndex()}}
	}
	var all []slot
	for i := range a.slots {
		all = append(all, slot{a.control, a.stage, i})
	}
	return all
}

// A stageArray is a register array of a linked program that tenants' memory is in.
type stageArray struct {
	control specs.Control
	stage   int
	slots   int64
}

// stageArrays are a program's, by their ids.
func stageArrays(info *configv1.P4Info) map[uint32]stageArray {
	named := map[string]*configv1.Register{}
	for _, r := range info.GetRegisters() {
		named[r.GetPreamble().GetName()] = r
	}
	out := map[uint32]stageArray{}
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		for stage := 0; named[specs.StageArray(c, stage)] != nil; stage++ {
			r := named[specs.StageArray(c, stage)]
			out[r.GetPreamble().GetId()] = stageArray{c, stage, int64(r.GetSize())}
		}
	}
	return out
}

// A writing is what became of the slots that are written: the scrubs of a plan, or what a replacement restores.
type writing struct {
	refused map[slot]string // why
	written map[slot]bool   // of those that had been refused
	err     error           // ErrScrub or ErrRestore
}

func newWriting(err error) *writing { return &writing{map[slot]string{}, map[slot]bool{}, err} }

// settled looks at a request that the switch answered, perhaps with an error. Slots that it said it did not write are refused. Of those that it
// says it did, the ones that it had refused before are read back: its word is not taken for them any more. The error is the request's, or says that
// some do not hold what was written.
func (g *Gate) settled(ctx context.Context, request []byte, info *configv1.P4Info, w *writing, failure error) error {
	if failure == nil && len(g.refusals.of) == 0 {
		return nil
	}
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(request, &req); err != nil {
		return errors.Join(failure, err)
	}
	errs := p4rt.UpdateErrors(failure)
	if failure != nil && len(errs) != len(req.GetUpdates()) {
		return failure // it refused the request, or did not answer
	}
	arrays := stageArrays(info)
	refused, suspects := map[slot]string{}, map[slot]*big.Int{}
	for i, u := range req.GetUpdates() {
		why := ""
		if failure != nil {
			switch code := codes.Code(errs[i].GetCanonicalCode()); code {
			case codes.OK:
			case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.Unavailable, codes.PermissionDenied:
				return failure // the switch has other troubles than slots
			default:
				why = fmt.Sprintf("%s: %s", code, errs[i].GetMessage())
			}
		}
		for _, x := range writes(u, arrays) {
			if why != "" {
				refused[x] = why
			} else if _, known := g.refusals.of[x]; known {
				suspects[x] = new(big.Int).SetBytes(u.GetEntity().GetRegisterEntry().GetData().GetBitstring())
			}
		}
	}
	for x := range refused {
		delete(suspects, x) // it is written twice
	}
	held, err := g.hold(ctx, suspects, arrays)
	if err != nil {
		return errors.Join(failure, err)
	}
	for x, want := range suspects {
		switch v := held[x]; {
		case v != nil && v.Cmp(want) == 0:
			w.written[x] = true
			delete(w.refused, x)
		case want.Sign() == 0:
			refused[x] = "the switch accepted the scrub, and the slot does not read back as zero"
		default:
			refused[x] = "the switch accepted the write, and the slot does not read back as written"
		}
	}
	if len(refused) == 0 {
		return failure
	}
	maps.Copy(w.refused, refused)
	for x := range refused {
		delete(w.written, x)
	}
	names := []string{}
	for _, x := range runs(refused) {
		name := Refused{Control: specs.Control(x.Control), Stage: x.Stage, First: x.First, Last: x.Last}.String()
		names = append(names, name+" ("+x.Why+")")
	}
	if more := len(names) - 3; more > 0 {
		names = append(names[:3], fmt.Sprintf("and %d more", more))
	}
	err = fmt.Errorf("%w: %s", w.err, strings.Join(names, ", "))
	if failure != nil {
		err = fmt.Errorf("%w; %w", failure, err)
	}
	return err
}

// hold reads slots back.
func (g *Gate) hold(ctx context.Context, want map[slot]*big.Int, arrays map[uint32]stageArray) (map[slot]*big.Int, error) {
	if len(want) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, g.conf.Patience)
	defer cancel()
	ids := map[slot]uint32{}
	for id, a := range arrays {
		ids[slot{a.control, a.stage, 0}] = id
	}
	var ask []*p4v1.Entity
	for _, x := range slices.SortedFunc(maps.Keys(want), slot.compare) {
		ask = append(ask, &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
			RegisterId: ids[slot{x.control, x.stage, 0}], Index: &p4v1.Index{Index: x.index},
		}}})
	}
	got, err := g.reader.Read(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("reading back slots that were refused before: %w", err)
	}
	out := map[slot]*big.Int{}
	for _, e := range got {
		r := e.GetRegisterEntry()
		a, ok := arrays[r.GetRegisterId()]
		if !ok {
			continue
		}
		if b, ok := r.GetData().GetData().(*p4v1.P4Data_Bitstring); ok {
			out[slot{a.control, a.stage, r.GetIndex().GetIndex()}] = new(big.Int).SetBytes(b.Bitstring)
		}
	}
	return out, nil
}

// runs joins slots of which the same is said.
func runs(of map[slot]string) []ledger.Slots {
	var out []ledger.Slots
	for _, s := range slices.SortedFunc(maps.Keys(of), slot.compare) {
		next := ledger.Slots{Control: string(s.control), Stage: s.stage, First: s.index, Last: s.index, Why: of[s]}
		if n := len(out) - 1; n >= 0 && out[n].Control == next.Control && out[n].Stage == next.Stage && out[n].Why == next.Why && out[n].Last+1 == s.index {
			out[n].Last = s.index
			continue
		}
		out = append(out, next)
	}
	return out
}

// record writes what became of slots into an outcome.
func (w *writing) record(o *ledger.Outcome) {
	written := map[slot]string{}
	for x := range w.written {
		written[x] = ""
	}
	o.Refused, o.Scrubbed = runs(w.refused), runs(written)
}

// noteRefusals takes over what an outcome says that is in the ledger now.
func (g *Gate) noteRefusals(entry int64, o ledger.Outcome) {
	if len(o.Refused)+len(o.Scrubbed) == 0 {
		return
	}
	before := g.refusals.of
	g.refusals = &Refusals{maps.Clone(before)}
	g.refusals.note(entry, o.At, o.Refused, o.Scrubbed)
	g.quarantined.Store(g.refusals.quarantined())
	for _, x := range g.refusals.All() {
		switch {
		case x.Entry != entry: // nothing new
		case x.Quarantined:
			g.log.Error("slots are quarantined: they are given to nobody until they are scrubbed", "slots", x.String(), "entry", entry, "why", x.Why)
		default:
			g.log.Warn("slots were not written; the next refusal puts them into quarantine", "slots", x.String(), "entry", entry, "why", x.Why)
		}
	}
	for _, x := range o.Scrubbed {
		g.log.Info("slots that were refused are written: they may be given to tenants again", "control", x.Control, "stage", x.Stage,
			"first", x.First, "last", x.Last, "entry", entry)
	}
}

package usage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/export"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// switched is a log in the making of a switch whose program is replaced. Each tenant has the same number of slots in every stage.
type switched struct {
	*history
	planner *replacement.Planner
	linked  []byte
	names   []plan.Tenant
	tables  alloc.Tables
	last    verify.Digest // the digest of the last replacement that was decided
}

func newSwitched(t *testing.T) *switched {
	return &switched{history: newHistory(t), planner: replacement.NewPlanner(replace.NewEncoder()), tables: alloc.Tables{}}
}

// program links the named tenants ("a=7") with stage arrays of that many slots.
func (w *switched) program(slots int, tenants ...string) ([]byte, []plan.Tenant) {
	w.t.Helper()
	path, err := filepath.Abs("../../replace/testdata/kinds.p4")
	if err != nil {
		w.t.Fatal(err)
	}
	text := fmt.Sprintf(`apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: tofino-like, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2, 3, 4, 5, 6, 7, 8], slots: %d}
tenants:
`, slots)
	var names []plan.Tenant
	for i, x := range tenants {
		name, vid, _ := strings.Cut(x, "=")
		text += fmt.Sprintf("  - {name: %s, vid: %s, program: %q, ports: {1: %d, 2: %d}}\n", name, vid, path, 2*i+1, 2*i+2)
		n := plan.Tenant{Name: name}
		if _, err := fmt.Sscan(vid, &n.VID); err != nil {
			w.t.Fatal(err)
		}
		names = append(names, n)
	}
	s, err := site.Parse("site.yaml", []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := linker.Link(w.t.Context(), s, linker.Options{Entitler: linker.Unlimited{}})
	if err != nil {
		w.t.Fatal(err)
	}
	return l.P4, names
}

// holding is the page tables in which tenants have these sizes.
func (w *switched) holding(sizes map[string]int64) alloc.Tables {
	codec := w.codec()
	tables, base := alloc.Tables{}, int64(0)
	for _, n := range w.names {
		size := sizes[n.Name]
		if size == 0 {
			continue
		}
		e := make(alloc.Entry, codec.Stages(specs.Ingress))
		for i := range e {
			e[i] = alloc.Mapping{Base: base, Size: size, Mask: alloc.DirectMask}
		}
		tables[alloc.Key{Control: specs.Ingress, VID: n.VID}] = e
		base += size
	}
	return tables
}

func (w *switched) codec() *alloc.Codec {
	w.t.Helper()
	c, err := alloc.CodecOf(w.linked)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *switched) bytes(tables alloc.Tables) []byte {
	w.t.Helper()
	b, err := w.codec().Encode(tables)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *switched) found() verify.Digest {
	if w.linked == nil {
		return verify.DigestOf([]byte("no program"))
	}
	d, _ := stateOf(string(verify.DigestOf(w.linked)), string(verify.DigestOf(w.bytes(w.tables))))
	return verify.Digest(d)
}

// logged logs a decision that was proved.
func (w *switched) logged(action string, s verify.Subject) int64 {
	w.t.Helper()
	obs := []verify.Obligation{{ID: "X", Property: "X", Logic: "QF_LIA", Text: "(assert false)"}}
	cert, err := verify.Decide(w.t.Context(), says(verify.Proved), s, "1", obs, nil, []string{"z3"}, w.at(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	n, err := w.log.AppendDecision(w.t.Context(), ledger.Decision{Action: action, Switch: "s1", Verdict: "proved", At: w.at()}, s, cert, obs)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *switched) became(action, result string, decision int64, change func()) {
	w.t.Helper()
	o := ledger.Outcome{Action: action, Switch: "s1", Decision: decision, Result: result, PreState: w.found(), At: w.at()}
	change()
	o.PostState = w.found()
	if _, err := w.log.AppendOutcome(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// plan logs a plan that tenants have these sizes, and that they have others when it ended so.
func (w *switched) plan(result string, goal, became map[string]int64) {
	w.t.Helper()
	in := &plan.Input{Switch: "s1", Linked: w.linked, Tenants: w.names, PreState: w.bytes(w.tables)}
	for k, e := range w.holding(goal) {
		for stage, m := range e {
			in.Goal = append(in.Goal, plan.Extent{VID: k.VID, Control: k.Control, Stage: stage, Base: m.Base, Size: m.Size, Mask: m.Mask})
		}
	}
	s, err := in.Subject()
	if err != nil {
		w.t.Fatal(err)
	}
	w.became("apply", result, w.logged("plan", s), func() { w.tables = w.holding(became) })
}

// propose is the replacement of what there is by another program.
func (w *switched) propose(slots int, evicted []string, tenants ...string) *replace.Input {
	w.t.Helper()
	next, names := w.program(slots, tenants...)
	from := replacement.From{Linked: w.linked}
	if w.linked != nil {
		from.Before = w.bytes(w.tables)
	}
	in, err := w.planner.Propose(replacement.Wanted{Switch: "s1", DeviceID: 1, ElectionID: 1, Linked: next, Tenants: names, Evicted: evicted}, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func (w *switched) decided(in *replace.Input) int64 {
	w.t.Helper()
	s, err := in.Subject()
	if err != nil {
		w.t.Fatal(err)
	}
	w.last = s.Digest()
	return w.logged("replace", s)
}

// replaced logs that a replacement left tenants these sizes.
func (w *switched) replaced(result string, in *replace.Input, sizes map[string]int64) {
	w.t.Helper()
	w.became("replace", result, w.decided(in), func() {
		w.linked, w.names = in.New, nil
		for _, t := range in.Tenants {
			if t.VID != 0 {
				w.names = append(w.names, plan.Tenant{Name: t.Name, VID: t.VID})
			}
		}
		w.tables = w.holding(sizes)
	})
}

// read says the spans that the log tells, and those that an export for tenant a does.
func (w *switched) read() (whole, exported string) {
	w.t.Helper()
	if err := w.log.Publish(); err != nil {
		w.t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(w.log.Dir(), "key.pub"))
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := check.Read(w.log.Dir(), string(key))
	if err != nil || len(l.Findings) > 0 {
		w.t.Fatal(err, l.Findings)
	}
	var b bytes.Buffer
	if _, err := export.Write(&b, l, "a"); err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "a.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		w.t.Fatal(err)
	}
	x, err := check.Read(path, string(key))
	if err != nil || len(x.Findings) > 0 {
		w.t.Fatal(err, x.Findings)
	}
	if _, err := x.Blob(lastReplacement(x).Inputs["lost.json"]); !errors.Is(err, ErrRedacted) {
		w.t.Errorf("what others lose is in an export: %v", err)
	}
	return w.spans(l), w.spans(x)
}

func lastReplacement(l *check.Log) *check.Decision {
	for _, e := range slices.Backward(l.Entries) {
		if e.Decision != nil && e.Decision.Action == "replace" {
			return e.Decision
		}
	}
	return &check.Decision{}
}

func (w *switched) spans(l *check.Log) string {
	w.t.Helper()
	u, err := Read(l)
	if err != nil {
		w.t.Fatal(err)
	}
	var spans []string
	for _, s := range u.Spans {
		text := fmt.Sprintf("%d-", s.From.Unix())
		if s.To.IsZero() {
			text += "..."
		} else {
			text += fmt.Sprint(s.To.Unix())
		}
		for _, x := range s.Held {
			if x.Array == "ingress/0" {
				text += fmt.Sprintf(" %s=%d", x.Tenant, x.Slots)
			}
		}
		if s.Unknown != "" {
			text += " ?"
		}
		spans = append(spans, text)
	}
	return strings.Join(spans, "; ")
}

func TestReplacement(t *testing.T) {
	type sizes = map[string]int64
	started := func(w *switched) {
		w.replaced("applied", w.propose(1024, nil, "a=7", "b=8"), nil)
		w.now += 10
		w.plan("applied", sizes{"a": 4, "b": 6}, sizes{"a": 4, "b": 6})
		w.now += 10
	}
	const begun = "0-10; 10-"
	for _, c := range []struct {
		name     string
		do       func(w *switched)
		whole    string
		exported string // where it is not the same
	}{
		{"a tenant is added", func(w *switched) {
			w.replaced("applied", w.propose(1024, nil, "a=7", "b=8", "c=9"), sizes{"a": 4, "b": 6})
		}, "20 a=4 b=6; 20-... a=4 b=6", ""},
		{"a tenant is removed, and another one has its VID", func(w *switched) {
			w.replaced("applied", w.propose(1024, nil, "a=7", "c=8"), sizes{"a": 4})
		}, "20 a=4 b=6; 20-... a=4", ""},
		{"VIDs are exchanged", func(w *switched) {
			w.replaced("applied", w.propose(1024, nil, "a=8", "b=7"), sizes{"a": 4, "b": 6})
		}, "20 a=4 b=6; 20-... a=4 b=6", ""},
		{"memory that has no place any more is lost", func(w *switched) {
			w.plan("applied", sizes{"a": 4, "b": 16}, sizes{"a": 4, "b": 16})
			w.now += 10
			w.replaced("applied", w.propose(16, nil, "a=7", "b=8"), sizes{"a": 4})
		}, "20 a=4 b=6; 20-30 a=4 b=16; 30-... a=4", ""},
		{"a tenant is not admitted", func(w *switched) {
			w.replaced("applied", w.propose(1024, []string{"a"}, "a=7", "b=8", "c=9"), sizes{"b": 6})
		}, "20 a=4 b=6; 20-... b=6", ""},
		{"interrupted when the new program had begun, then gone on with", func(w *switched) {
			in := w.propose(1024, nil, "a=7", "b=8", "c=9")
			w.replaced("failed", in, nil)
			w.now += 10
			again := *in
			again.Continues = w.last
			w.replaced("failed", &again, nil)
			w.now += 10
			again.Continues = w.last
			w.replaced("applied", &again, sizes{"a": 4, "b": 6})
		}, "20 a=4 b=6; 20-40; 40-... a=4 b=6", ""},
		{"the switch died on the way", func(w *switched) {
			in := w.propose(1024, nil, "a=7", "b=8", "c=9")
			w.became("replace", "failed", w.decided(in), func() { w.linked, w.names, w.tables = nil, nil, alloc.Tables{} })
			w.now += 10
			in.Continues = w.last
			w.replaced("applied", in, sizes{"a": 4, "b": 6})
		}, "20 a=4 b=6; 20-30; 30-... a=4 b=6", ""},
		{"decided, and never carried out", func(w *switched) {
			w.decided(w.propose(1024, nil, "a=7", "c=9"))
			w.now += 10
			w.plan("applied", sizes{"a": 5}, sizes{"a": 5})
		}, "30 a=4 b=6; 30-... a=5", ""},
		{"what a failed plan left is in what was read for the replacement", func(w *switched) {
			w.plan("failed", sizes{"a": 9}, sizes{"a": 3})
			w.now += 10
			w.replaced("applied", w.propose(1024, nil, "a=7", "b=8", "c=9"), sizes{"a": 3})
		}, "20 a=4 b=6; 20-30 ?; 30-... a=3", "20 a=4 b=6; 20-30 ?; 30-... ?"},
		{"admission alone changes nothing, and tells nothing", func(w *switched) {
			w.plan("failed", sizes{"a": 9}, sizes{"a": 3})
			w.now += 10
			in, err := w.planner.Open(replacement.Wanted{Switch: "s1", DeviceID: 1, ElectionID: 1, Linked: w.linked, Tenants: w.names}, nil)
			if err != nil {
				w.t.Fatal(err)
			}
			w.became("replace", "applied", w.decided(in), func() {})
		}, "20 a=4 b=6; 20-30 ?; 30-... ?", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newSwitched(t)
			started(w)
			c.do(w)
			whole, exported := w.read()
			if whole != begun+c.whole {
				t.Errorf("got %q, want %q", whole, begun+c.whole)
			}
			want := c.whole
			if c.exported != "" {
				want = c.exported
			}
			if exported != begun+want {
				t.Errorf("the export says %q, want %q", exported, begun+want)
			}
		})
	}
}

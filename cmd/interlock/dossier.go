package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/page"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/smt"
)

// dossier is all that the log knows about one decision, in words.
type dossier struct {
	page        page.Data
	certificate *verify.Certificate // nil if there is none, or it was left out
}

// writeDossier writes a decision's page to path.
func writeDossier(out io.Writer, path string, l *check.Log, e check.Entry) error {
	d := newDossier(l, e)
	f, err := os.Create(path)
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := errors.Join(page.Write(f, &d.page), f.Close()); err != nil {
		return exitWith(exitEnvironment, err)
	}
	fmt.Fprintf(out, "entry %d: open %s\n", e.Index, path)
	return nil
}

func newDossier(l *check.Log, e check.Entry) *dossier {
	d := e.Decision
	p := page.Data{
		Title: e.Subject, Verdict: d.Verdict, Reason: strings.TrimPrefix(strings.TrimSpace(d.Reason), d.Verdict+": "), Entry: e.Index, Action: d.Action, Who: d.Who, At: d.At,
		Log: page.Log{Origin: l.Origin, Root: l.Root, Size: l.Size, Key: l.Keys[len(l.Keys)-1].Key, Checkpoint: string(l.Checkpoint)},
	}
	p.Log.Leaf, _ = l.Leaf(e.Index) // e is of l
	if d.Lemma != "" {
		p.Reason = strings.TrimSpace("safe in every state by the lemma in " + d.Lemma + ". " + p.Reason)
		p.NoFormulas = "No solver was asked: the lemma in " + d.Lemma + " covers every " + map[string]string{"evict": "eviction", "close": "closing"}[d.Action] + "."
	}
	inputs := map[string][]byte{}
	var unread error // beside what was left out
	for name, ref := range d.Inputs {
		p.Inputs = append(p.Inputs, page.Input{Name: name, Digest: ref.Content, Size: ref.Size})
		b, err := l.Blob(ref)
		switch {
		case err == nil:
			inputs[name] = b
		case !errors.Is(err, check.ErrRedacted):
			unread = errors.Join(unread, fmt.Errorf("%s: %w", name, err))
		}
	}
	slices.SortFunc(p.Inputs, func(a, b page.Input) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range l.Entries[e.Index+1:] {
		if o.Outcome != nil && o.Outcome.Decision == e.Index {
			p.Outcomes = append(p.Outcomes, outcomeWords(o))
		}
	}
	switch {
	case len(p.Outcomes) > 0:
	case d.Action == "install" || d.Action == "share" || d.Action == "network":
		p.NoOutcomes = "Nothing is carried out on the word of this decision alone: see those that rest on it."
	default:
		p.NoOutcomes = "It was not carried out."
	}
	x := &dossier{page: p}
	x.addProof(l, e)
	x.addRefutation(l, e, inputs)
	if err := cmp.Or(unread, x.addMemory(l, e, inputs)); err != nil {
		x.page.NoMaps = "There is no map: " + err.Error() + "."
	}
	return x
}

func outcomeWords(e check.Entry) string {
	o := e.Outcome
	s := fmt.Sprintf("entry %d, %s on switch %s at %s: %s after %d steps", e.Index, o.Action, o.Switch, o.At.Format(time.DateTime), o.Result, o.Steps)
	if o.Error != "" {
		s += ": " + o.Error
	}
	return s
}

// addProof adds properties and formulas.
func (x *dossier) addProof(l *check.Log, e check.Entry) {
	verdicts := map[string][]string{}
	if ref := e.Decision.Certificate; ref != nil {
		b, err := l.Blob(*ref)
		if err == nil {
			x.certificate, err = verify.ParseCertificate(b)
		}
		if err != nil {
			x.page.NoFormulas = "The certificate: " + err.Error()
		}
	}
	if c := x.certificate; c != nil {
		for _, s := range c.Solvers {
			x.page.Solvers = append(x.page.Solvers, s.Name+" "+s.Version)
		}
		for _, r := range propertyRows(c) {
			row := page.Property{ID: r.id, What: propertyTitle[r.id], Verdict: string(r.worst), Obligations: r.obligations}
			for _, s := range c.Solvers {
				row.Times = append(row.Times, r.times[s.Name].Round(100*time.Microsecond).String())
			}
			x.page.Properties = append(x.page.Properties, row)
		}
		for _, r := range c.Results {
			verdicts[r.Obligation] = append(verdicts[r.Obligation], fmt.Sprintf("%s %s", r.Solver, r.Verdict))
		}
	}
	if e.Decision.Certificate == nil {
		return
	}
	obs, err := l.Obligations(e)
	if err != nil {
		x.page.NoFormulas = "The formulas: " + err.Error()
	}
	for _, o := range obs {
		x.page.Formulas = append(x.page.Formulas, page.Formula{
			ID: o.ID, Property: o.Property, Subject: o.Subject, Logic: o.Logic, Text: o.Text, Guard: o.Guard,
			Verdicts: strings.Join(verdicts[o.ID], ", "),
		})
	}
}

// addMemory adds the steps and the memory map before and after, read from the recorded bytes.
func (x *dossier) addMemory(l *check.Log, e check.Entry, inputs map[string][]byte) error {
	var in *plan.Input
	switch e.Decision.Action {
	case "install":
		x.page.Asked = []page.Step{{Number: 1, Does: []string{"install " + e.Subject}}}
		return errors.New("an installation maps no memory: page tables are empty after it")
	case "share":
		if err := x.addShare(inputs); err != nil {
			return err
		}
		return errors.New("what a policy lets tenants have is no allocation yet: a plan chooses one")
	case "network":
		return x.addNetwork(inputs)
	case "close":
		x.page.Asked = []page.Step{{Number: 1, Does: []string{"delete every entry of the admission table"}}, {Number: 2, Does: []string{"fence"}}}
		return errors.New("closing a switch leaves its memory as it is")
	case "replace":
		in, err := replacementIn(l, e)
		if err != nil {
			return err
		}
		return x.addReplacement(in)
	case "evict":
		request, pre := inputs[gate.EvictRequest], inputs[gate.EvictPreState]
		if request == nil || pre == nil {
			return errors.New("the eviction's request is not there")
		}
		in = &plan.Input{PreState: pre, Steps: []plan.Step{{Kind: plan.Write, Bytes: request}}}
		var err error
		if in.Linked, in.Tenants, err = programBefore(l, e); err != nil {
			return err
		}
	default:
		for _, name := range []string{"linked.p4", "prestate.bin", "plan.json"} {
			if inputs[name] == nil {
				return fmt.Errorf("%s was left out of this export", name)
			}
		}
		var err error
		if in, err = plan.FromInputs(inputs); err != nil {
			return err
		}
	}
	maps, err := x.addPlan(in)
	x.page.Maps = append(x.page.Maps, maps...)
	return err
}

// addRefutation adds the counterexample of the first refuted obligation of each property, of plans and programs.
func (x *dossier) addRefutation(l *check.Log, e check.Entry, inputs map[string][]byte) {
	if x.certificate == nil || e.Decision.Verdict != "refuted" {
		return
	}
	obs, err := l.Obligations(e)
	if err != nil {
		return // the page says so
	}
	shown := map[string]bool{}
	for _, r := range x.certificate.Results {
		i := slices.IndexFunc(obs, func(o check.Obligation) bool { return o.ID == r.Obligation })
		if r.Verdict != verify.Refuted || i < 0 || shown[obs[i].Property] {
			continue
		}
		shown[obs[i].Property] = true
		text := fmt.Sprintf("%s: %s", obs[i].Property, obs[i].Subject)
		if found, err := counterexample(e.Decision.Action, inputs, verify.Obligation(obs[i]), r.Model); err == nil {
			text = found
		}
		x.page.Refuted = append(x.page.Refuted, strings.Split(strings.TrimSpace(text), "\n"))
	}
}

// counterexample is what a solver found, run again, in words.
func counterexample(action string, inputs map[string][]byte, o verify.Obligation, found string) (string, error) {
	m, err := smt.ParseModel(found)
	if err != nil {
		return "", err
	}
	switch action {
	case "plan":
		in, err := plan.FromInputs(inputs)
		if err != nil {
			return "", err
		}
		return plan.Explain(in, o, m).String(), nil
	case "install":
		in, err := program.FromInputs(inputs)
		if err != nil {
			return "", err
		}
		c, err := program.Explain(in, o, m)
		if err != nil {
			return "", err
		}
		return c.String(), nil
	}
	return "", fmt.Errorf("nothing explains a decision to %s", action)
}

// addPlan adds a plan's steps, and returns its memory map.
func (x *dossier) addPlan(in *plan.Input) ([]page.Map, error) {
	codec, err := alloc.CodecOf(in.Linked)
	if err != nil {
		return nil, err
	}
	steps, err := alloc.Describe(codec, in)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		n := min(len(s.Does), maxLines)
		x.page.Asked = append(x.page.Asked, page.Step{Number: s.Step, Does: s.Does[:n], More: len(s.Does) - n, Note: s.Note})
	}
	after, err := gate.Expected(in)
	if err != nil {
		return nil, err
	}
	names := tenantNames(in.Tenants)
	return memoryMaps(memory{codec, in.PreState, names}, memory{codec, after, names})
}

// addNetwork adds the rounds of a network plan, and the map of every switch.
func (x *dossier) addNetwork(inputs map[string][]byte) error {
	in, err := network.FromInputs(inputs)
	if err != nil {
		return err
	}
	for _, p := range in.Plans {
		maps, err := x.addPlan(p)
		if err != nil {
			return err
		}
		for _, m := range maps {
			m.Stage = p.Switch + " " + m.Stage
			x.page.Maps = append(x.page.Maps, m)
		}
	}
	x.page.Asked = nil
	for i, r := range in.Rounds {
		var does []string
		for _, p := range r {
			does = append(does, fmt.Sprintf("switch %s: the next %d steps of its plan", p.Switch, p.Steps))
		}
		x.page.Asked = append(x.page.Asked, page.Step{Number: i + 1, Does: does})
	}
	return nil
}

// programBefore is the linked program that ran on an eviction's switch, and the tenants, as the last plan or replacement before it recorded them.
func programBefore(l *check.Log, e check.Entry) ([]byte, []plan.Tenant, error) {
	for _, x := range slices.Backward(l.Entries[:e.Index]) {
		d := x.Decision
		if d == nil || d.Switch != e.Decision.Switch || d.Verdict != "proved" {
			continue
		}
		if d.Action == "replace" {
			in, err := replacementIn(l, x)
			if err != nil {
				return nil, nil, err
			}
			var tenants []plan.Tenant
			for _, t := range in.Tenants {
				if t.VID != 0 {
					tenants = append(tenants, plan.Tenant{Name: t.Name, VID: t.VID})
				}
			}
			return in.New, tenants, nil
		}
		if d.Action != "plan" {
			continue
		}
		inputs := map[string][]byte{}
		for name, ref := range d.Inputs {
			b, err := l.Blob(ref)
			if err != nil {
				return nil, nil, err
			}
			inputs[name] = b
		}
		in, err := plan.FromInputs(inputs)
		if err != nil {
			return nil, nil, err
		}
		return in.Linked, in.Tenants, nil
	}
	return nil, nil, errors.New("nothing before it says which program ran")
}

// memory is the content of page tables, with what is needed to read it.
type memory struct {
	codec *alloc.Codec
	state []byte
	names map[uint16]string // tenants by VID
}

func tenantNames(tenants []plan.Tenant) map[uint16]string {
	names := map[uint16]string{}
	for _, t := range tenants {
		names[t.VID] = t.Name
	}
	return names
}

// memoryMaps are the stage arrays of either, before and after.
func memoryMaps(before, after memory) ([]page.Map, error) {
	slots := before.codec.Slots()
	for a, n := range after.codec.Slots() {
		slots[a] = max(slots[a], n)
	}
	index := map[alloc.Array]int{}
	arrays := slices.SortedFunc(maps.Keys(slots), alloc.Array.Compare)
	list := make([]page.Map, len(arrays))
	for i, a := range arrays {
		index[a] = i
		list[i] = page.Map{Stage: a.String(), Slots: slots[a]}
	}
	for _, side := range []struct {
		memory
		add func(i int, x page.Extent)
	}{
		{before, func(i int, x page.Extent) { list[i].Before = append(list[i].Before, x) }},
		{after, func(i int, x page.Extent) { list[i].After = append(list[i].After, x) }},
	} {
		tables, err := side.codec.Decode(side.state)
		if err != nil {
			return nil, err
		}
		for _, k := range tables.Keys() {
			name, ok := side.names[k.VID]
			if !ok {
				name = fmt.Sprintf("VID %d", k.VID)
			}
			for stage, m := range tables[k] {
				i, ok := index[alloc.Array{Control: k.Control, Stage: stage}]
				if m.Size > 0 && ok {
					side.add(i, page.Extent{Tenant: name, Base: m.Base, Size: m.Size, Generation: m.Generation})
				}
			}
		}
	}
	return list, nil
}

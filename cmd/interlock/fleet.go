package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// A fleet is all switches of a site that has several: what plans over the network are made of.
type fleet struct {
	dir      string
	planners []*planner // by switch, in the site's order
	inForce  *inForce
	on       []string // the switches that may be changed
}

// fleet asks the policy about the whole site, of which n may be a part.
func (n *linkedSite) fleet(ctx context.Context) (*fleet, error) {
	dir, on := n.dir, []string{}
	for _, w := range n.works {
		on = append(on, w.site.Switch.Name)
	}
	if n.works[0].origin.Switch != "" && filepath.Clean(n.works[0].dir) == filepath.Clean(dir) {
		dir = filepath.Dir(filepath.Clean(dir)) // the directory of one of the switches was named
	}
	all, err := openNetwork(dir, nil)
	if err != nil {
		return nil, err
	}
	f := &fleet{dir: dir, on: on}
	for _, w := range all.works {
		p, err := w.unbounded()
		if err != nil {
			return nil, err
		}
		f.planners = append(f.planners, p)
	}
	f.inForce, err = rule(ctx, true, f.planners...)
	return f, err
}

func (f *fleet) close() {
	for _, p := range f.planners {
		if p.reader != nil {
			p.close()
		}
	}
}

func (f *fleet) site() string { return f.planners[0].work.site.Name }

func (f *fleet) changes(p *planner) bool { return slices.Contains(f.on, p.name()) }

// network reads all switches. One that cannot be reached is an error if it is to be changed; else it is absent, with the most that tenants
// may have there by the ledger.
func (f *fleet) network(ctx context.Context) (*alloc.Network, error) {
	n := &alloc.Network{Site: f.site(), Ceilings: f.inForce.shares.Admission.Networkwide(), Policy: string(f.inForce.digest)}
	var errs []error
	for _, p := range f.planners {
		state, err := p.read(ctx)
		var coded *exitError
		errors.As(err, &coded)
		switch {
		case err == nil:
			n.Stations = append(n.Stations, &alloc.Station{Context: p.context, Tenants: p.tenants, Bounds: p.bounds, State: state})
		case f.changes(p) || coded == nil || coded.code != exitEnvironment:
			errs = append(errs, err)
		default:
			held, err := p.work.held()
			errs = append(errs, err)
			n.Absent = append(n.Absent, network.Absent{Switch: p.name(), Holds: held})
		}
	}
	if err := together(errs); err != nil {
		var coded *exitError
		if errors.As(err, &coded); coded == nil || !errors.Is(err, device.ErrUnreachable) {
			return nil, err
		}
		return nil, &exitError{coded.code, fmt.Errorf("%w\nplan for the others with --on: what tenants may have on a switch that is not "+
			"within reach counts against what they may have", err)}
	}
	return n, nil
}

// read takes an election id for a plan on the switch, and reads its page tables.
func (p *planner) read(ctx context.Context) ([]byte, error) {
	var err error
	if p.reader, err = device.Dial(p.work.target()); err != nil {
		return nil, gateError(err)
	}
	state, err := p.state(ctx)
	if err != nil {
		return nil, err
	}
	p.context.ElectionID, err = nextElectionID(p.work.ledgerDir())
	return state, err
}

// held is the most that tenants may have on a switch, by what the ledger says of it: what it was left with; or, if its last plan did not come
// to an end, what that plan could leave it with.
func (w *work) held() ([]network.Holding, error) {
	l, err := w.readLedger()
	if err != nil {
		return nil, err
	}
	most := map[uint16]int64{}
	codec, err := alloc.CodecOf(w.linked)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	add := func(state []byte) error {
		tables, err := codec.Decode(state)
		if err != nil {
			return exitWith(exitRefused, err)
		}
		sum := map[uint16]int64{}
		for k, e := range tables {
			for _, m := range e {
				sum[k.VID] += m.Size
			}
		}
		for v, n := range sum {
			most[v] = max(most[v], n)
		}
		return nil
	}
	if state, _, err := recordedState(l, w.site.Switch.Name); err == nil {
		if err := add(state); err != nil {
			return nil, err
		}
	} else {
		in, err := lastPlan(l, w.site.Switch.Name)
		if err != nil {
			return nil, err
		}
		if in != nil { // every state on the way has less of a tenant than the beginning or the end
			after, err := gate.Expected(in)
			if err != nil {
				return nil, exitWith(exitRefused, err)
			}
			if err := errors.Join(add(in.PreState), add(after)); err != nil {
				return nil, err
			}
		}
	}
	holds := []network.Holding{}
	for _, v := range slices.Sorted(maps.Keys(most)) {
		holds = append(holds, network.Holding{VID: v, Slots: most[v]})
	}
	return holds, nil
}

// lastPlan is the last one that was carried out on a switch, as far as it went; nil if there was none.
func lastPlan(l *check.Log, name string) (*plan.Input, error) {
	for _, e := range slices.Backward(l.Entries) {
		o := e.Outcome
		if o == nil || o.Switch != name || o.Action != "apply" || o.Decision < 0 {
			continue
		}
		inputs := map[string][]byte{}
		for path, ref := range l.Entries[o.Decision].Decision.Inputs {
			b, err := l.Blob(ref)
			if err != nil {
				return nil, exitWith(exitRefused, err)
			}
			inputs[path] = b
		}
		in, err := plan.FromInputs(inputs)
		return in, exitWith(exitRefused, err)
	}
	return nil, nil
}

// plan proposes, proves and saves a network plan.
func (f *fleet) plan(ctx context.Context, out io.Writer, steps string, set []string, path string) error {
	n, err := f.network(ctx)
	if err != nil {
		return err
	}
	p, err := f.propose(n, steps, set)
	if err != nil {
		return err
	}
	if p == nil {
		fmt.Fprintln(out, "nothing to do: every switch is as wanted")
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(p.Waits)) {
		fmt.Fprintf(out, "switch %s waits: %s; plan again when this plan is applied\n", name, p.Waits[name])
	}
	if p.Input == nil {
		return refusedf("no switch can be changed without breaking a limit of the network")
	}
	return f.proveAndSave(ctx, out, p.Input, path)
}

// propose makes a network plan by hand-written steps for one switch, or to wanted sizes.
func (f *fleet) propose(n *alloc.Network, steps string, set []string) (*alloc.Proposal, error) {
	used := map[string]bool{}
	fixed := make([]bool, len(n.Stations))
	levels := make([][]int, len(n.Stations))
	plans := make([]*plan.Input, len(n.Stations))
	for i, s := range n.Stations {
		p := f.planner(s.Context.Switch)
		if fixed[i] = !f.changes(p); fixed[i] {
			tables, err := s.Context.Codec.Decode(s.State)
			if err != nil {
				return nil, exitWith(exitRefused, err)
			}
			for _, t := range s.Tenants {
				levels[i] = append(levels[i], tables.Level(t))
			}
			continue
		}
		if steps != "" {
			if len(f.on) > 1 {
				return nil, inputf("--steps %s: the steps are for one switch: say which with --on", steps)
			}
			file, err := alloc.LoadSteps(steps, p.work.manifest)
			if err == nil {
				plans[i], err = s.Context.Compile(s.State, file, false)
			}
			if err != nil {
				return nil, exitWith(exitInput, err)
			}
			continue
		}
		var here []string
		for _, x := range set {
			name, rest, ok := strings.Cut(x, "/")
			if !ok {
				name, rest = p.name(), x
			}
			tenant, _, _ := strings.Cut(rest, "=")
			if name == p.name() && (ok || p.has(tenant)) {
				here, used[x] = append(here, rest), true
			}
		}
		var err error
		if levels[i], err = p.levels(s.State, here); err != nil {
			return nil, about(p.name(), err)
		}
		if len(here) == 0 && len(set) > 0 { // nothing is said for this switch
			tables, err := s.Context.Codec.Decode(s.State)
			if err != nil {
				return nil, exitWith(exitRefused, err)
			}
			levels[i] = p.present(tables)
		}
	}
	for _, x := range set {
		if !used[x] {
			return nil, inputf("--set %s: no switch that is to be changed has such a tenant, or it is evicted", x)
		}
	}
	if steps != "" {
		in, err := n.Assemble(plans)
		return &alloc.Proposal{Input: in}, exitWith(exitInput, err)
	}
	if len(set) == 0 {
		n.Trim(levels, func(i int) bool { return fixed[i] })
	}
	p, err := n.Plan(levels, func(i int) bool { return fixed[i] })
	return p, exitWith(exitRefused, err)
}

func (f *fleet) planner(name string) *planner {
	i := slices.IndexFunc(f.planners, func(p *planner) bool { return p.name() == name })
	return f.planners[i] // names come from there
}

// prove decides a network plan and each of its plans, with equal texts decided once.
func (t *tools) proveNetwork(ctx context.Context, e *plan.Encoder, in *network.Input) (gate.Proofs, error) {
	p := gate.Proofs{Plans: map[string]*gate.Proof{}}
	var err error
	for _, one := range in.Plans {
		if len(one.Steps) == 0 {
			continue
		}
		if p.Plans[one.Switch], err = gate.ProvePlan(ctx, e, t.pool, one, t.required, time.Now(), nil); err != nil {
			return p, fmt.Errorf("switch %s: %w", one.Switch, err)
		}
	}
	p.Network, err = gate.ProveNetwork(ctx, e, t.pool, in, t.required, time.Now(), nil)
	return p, err
}

func (f *fleet) proveAndSave(ctx context.Context, out io.Writer, in *network.Input, path string) error {
	t, err := f.planners[0].work.openTools()
	if err != nil {
		return err
	}
	defer t.close()
	file, err := alloc.NewNetworkFile(in, alloc.CodecOf)
	if err != nil {
		return exitWith(exitInput, err)
	}
	proofs, err := t.proveNetwork(ctx, plan.NewEncoder(len(in.Plans)), in)
	var bad *plan.InputError
	if errors.As(err, &bad) {
		return refusedf("M7 refuted: %w", err)
	} else if err != nil {
		return exitWith(exitUndecided, err)
	}
	certs := &gate.Certificates{Network: proofs.Network.Certificate, Plans: map[string]*verify.Certificate{}}
	for _, one := range in.Plans {
		p := proofs.Plans[one.Switch]
		if p == nil {
			continue
		}
		certs.Plans[one.Switch] = p.Certificate
		if _, err := gate.Record(ctx, t.log, p, ledger.Decision{
			Action: "plan", Switch: one.Switch, Policy: one.Policy, TermsText: f.inForce.terms, Who: who(), At: time.Now().UTC(),
		}); err != nil {
			return exitWith(exitEnvironment, err)
		}
	}
	index, err := gate.Record(ctx, t.log, proofs.Network, ledger.Decision{Action: "network", Policy: in.Policy, Who: who(), At: time.Now().UTC()})
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	for _, one := range in.Plans {
		if err := reserveElectionID(f.planners[0].work.ledgerDir(), one.ElectionID); err != nil {
			return err
		}
	}
	if err := file.Save(path); err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := saveCertificates(certificatePath(path), certs); err != nil {
		return err
	}
	printNetworkPlan(out, file)
	var errs []error
	for _, one := range in.Plans {
		if p := proofs.Plans[one.Switch]; p != nil {
			fmt.Fprintf(out, "\nswitch %s:\n", one.Switch)
			printCertificate(out, p.Certificate)
			if err := p.Certificate.Proved(); err != nil {
				explainPlan(out, one, p)
				errs = append(errs, exitWith(verdictCode(err), fmt.Errorf("the plan for switch %s is not proved: %w", one.Switch, err)))
			}
		}
	}
	fmt.Fprintf(out, "\nall switches together:\n")
	printCertificate(out, proofs.Network.Certificate)
	if err := proofs.Network.Certificate.Proved(); err != nil {
		explainNetwork(out, in, proofs.Network.Certificate)
		errs = append(errs, exitWith(verdictCode(err), fmt.Errorf("the network plan is not proved: %w (ledger entry %d)", err, index)))
	}
	if err := together(errs); err != nil {
		return err
	}
	if _, err := f.inForce.published(ctx, t.pool, t.required, t.log); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s is proved (ledger entry %d); apply it with 'interlock apply %s -d %s'\n", path, index, path, filepath.Clean(f.dir))
	return nil
}

// explainNetwork prints why the first refuted obligation of each property does not hold.
func explainNetwork(out io.Writer, in *network.Input, c *verify.Certificate) {
	shown := map[string]bool{}
	for _, r := range c.Results {
		property, _, _ := strings.Cut(r.Obligation, "/")
		if r.Verdict == verify.Refuted && !shown[property] {
			shown[property] = true
			fmt.Fprintf(out, "\nREFUTED %s: %s\n", property, network.Explain(in, r.Obligation))
		}
	}
}

func saveCertificates(path string, c *gate.Certificates) error {
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return exitWith(exitEnvironment, os.WriteFile(path, append(b, '\n'), 0o644))
}

func loadCertificates(path string) (*gate.Certificates, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, inputf("no certificate for the plan: %w", err)
	}
	var c gate.Certificates
	if err := verify.StrictJSON(b, &c); err != nil {
		return nil, inputf("%s:%w", path, err)
	}
	return &c, nil
}

// printNetworkPlan shows every switch's steps, and the rounds.
func printNetworkPlan(out io.Writer, f *alloc.NetworkFile) {
	fmt.Fprintf(out, "network plan %s for site %s, %d switches, %d rounds\n", f.Digest, f.Input.Site, len(f.Input.Plans), len(f.Input.Rounds))
	for i, s := range f.Switches {
		if len(s.Steps) == 0 {
			fmt.Fprintf(out, "switch %s stays as it is\n", s.Switch)
			continue
		}
		fmt.Fprintf(out, "switch %s, election id %d, %d steps\n", s.Switch, f.Input.Plans[i].ElectionID, len(s.Steps))
		printStepTexts(out, s.Steps)
	}
	for _, a := range f.Input.Absent {
		fmt.Fprintf(out, "switch %s is not within reach\n", a.Switch)
	}
	done := map[string]int{}
	for i, r := range f.Input.Rounds {
		var parts []string
		for _, p := range r {
			parts = append(parts, fmt.Sprintf("steps %d to %d of %s", done[p.Switch]+1, done[p.Switch]+p.Steps, p.Switch))
			done[p.Switch] += p.Steps
		}
		fmt.Fprintf(out, "round %d: %s\n", i+1, strings.Join(parts, ", "))
	}
}

// apply carries a saved network plan out.
func (n *linkedSite) applyNetwork(ctx context.Context, out io.Writer, path string) error {
	file, err := alloc.LoadNetworkPlan(path, alloc.CodecOf)
	if errors.Is(err, alloc.ErrChanged) {
		return exitWith(exitRefused, err)
	} else if err != nil {
		return exitWith(exitInput, err)
	}
	certs, err := loadCertificates(certificatePath(path))
	if err != nil {
		return err
	}
	f, err := n.fleet(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	in := file.Input
	t, err := f.planners[0].work.openTools()
	if err != nil {
		return err
	}
	defer t.close()
	terms := gate.Terms{Site: f.site()}
	if terms.Share, err = f.inForce.published(ctx, t.pool, t.required, t.log); err != nil {
		return err
	}
	var gates []*gate.Gate
	defer func() {
		for _, g := range gates {
			g.Close()
		}
	}()
	for _, p := range f.planners {
		one := in.Plan(p.name())
		if one == nil { // the plan supposes that it is not within reach, and so it is left alone
			held, err := p.work.held()
			if err != nil {
				return err
			}
			terms.Absent = append(terms.Absent, network.Absent{Switch: p.name(), Holds: held})
			continue
		}
		g, err := p.work.openGateAs(ctx, one.ElectionID, f.inForce, t)
		if err != nil {
			return p.work.explainStale(ctx, one, err)
		}
		gates = append(gates, g)
	}
	if len(gates) == 0 {
		return inputf("%s is for no switch of site %s", path, f.site())
	}
	together := gate.NewNetwork(terms, gates...)
	begun := time.Now()
	clearance, err := together.Clear(ctx, in, certs)
	if err != nil {
		return gateError(err)
	}
	took := time.Since(begun)
	for _, p := range f.planners {
		if one := in.Plan(p.name()); one != nil {
			if err := useElectionID(p.work.ledgerDir(), one.ElectionID); err != nil {
				return p.work.staleFirst(ctx, one, err)
			}
		}
	}
	results, err := together.Apply(ctx, clearance)
	for _, r := range results {
		switch {
		case r.Err != nil && r.Outcome != nil:
			fmt.Fprintf(out, "switch %s: stopped after %d of %d steps: %v\n", r.Switch, r.Outcome.Steps, len(in.Plan(r.Switch).Steps), r.Err)
		case r.Outcome != nil:
			fmt.Fprintf(out, "switch %s: applied %d steps in %v, read back and equal (entry %d)\n", r.Switch, r.Outcome.Steps,
				r.Outcome.Writes.Round(100*time.Microsecond), r.Outcome.Entry)
		}
	}
	if err != nil {
		return gateError(tellRefused(err))
	}
	fmt.Fprintf(out, "applied %d rounds: cleared in %v by its proof (ledger entry %d)\n", len(in.Rounds), took.Round(100*time.Microsecond), clearance.Decision())
	return nil
}

package policy

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/google/cel-go/common/types"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

const boolKind = types.BoolKind

// Version and kind of the report's format.
const (
	ReportVersion = "interlock/v1alpha1"
	ReportKind    = "PolicyReport"
)

// A Report says what is proved of a policy, and for which inputs.
type Report struct {
	APIVersion string              `json:"apiVersion"`
	Kind       string              `json:"kind"`
	Policy     string              `json:"policy"`
	Digest     string              `json:"digest"`
	Solvers    []verify.SolverInfo `json:"solvers"`
	Statements []Outcome           `json:"statements"`
}

// Outcome of one statement.
type Outcome struct {
	Statement string           `json:"statement"`
	Form      Form             `json:"form"`
	At        sharing.Position `json:"at"`
	Tenants   []string         `json:"tenants"`            // for how many it is proved, and their names
	Resources []string         `json:"resources"`          // likewise
	About     string           `json:"about,omitempty"`    // what the resources are of, where they are a site's
	Capacity  map[string]int64 `json:"capacity,omitempty"` // likewise
	Params    []string         `json:"params,omitempty"`   // the parameters' values, such as "share 1/3"
	From      string           `json:"from,omitempty"`     // whose values these are: the policy's defaults, the statement's or the site's
	Assumes   []string         `json:"assumes,omitempty"`
	// Stands has the names among Tenants and Resources that stand for others, and for which: "slots/x" for what "begins with slots/".
	Stands  map[string]string `json:"stands,omitempty"`
	Verdict verify.Verdict    `json:"verdict"`
	Reason  string            `json:"reason,omitempty"`
	// Obligations are what was decided, with every solver's results.
	Obligations []verify.Stated `json:"obligations,omitempty"`
	Results     []verify.Result `json:"results,omitempty"`
	// Counterexample is there when Verdict is refuted.
	Counterexample *Counterexample `json:"counterexample,omitempty"`
	spent          map[string]time.Duration
}

// defaults is From where nothing gives values.
const defaults = "the policy's defaults"

// Spent is the time that a solver needed for a statement, with what it tried in vain.
func (o Outcome) Spent(solver string) time.Duration { return o.spent[solver] }

// A Proof is a policy with what is claimed of it.
type Proof struct {
	policy     *sharing.Policy
	statements []*Statement
}

// New takes a policy and what is claimed of it: see Standard and ParseStatements.
func New(p *sharing.Policy, statements []*Statement) *Proof { return &Proof{p, statements} }

// of is p about st, which may be about other values of parameters; params says that the policy's are a site's, which stay.
func (p *Proof) of(st *Statement, params bool) *Proof {
	if !st.own || params {
		return p
	}
	return &Proof{st.policy, p.statements}
}

// statement is the one of that name, or nil.
func (p *Proof) statement(name string) *Statement {
	for _, st := range p.statements {
		if st.Name == name {
			return st
		}
	}
	return nil
}

// Prove has every statement among only (all, if it is empty) decided for all inputs within each of the bounds; where bounds leave tenants or
// resources out, a statement's own sizes say how many there are. The error is ctx's, or the decider's.
func (p *Proof) Prove(ctx context.Context, d verify.Decider, only []string, bounds []Bounds, progress func(done, total int)) (*Report, error) {
	r := &Report{APIVersion: ReportVersion, Kind: ReportKind, Policy: p.policy.Name(), Digest: p.policy.Digest(), Solvers: d.Solvers()}
	chosen := map[string]bool{}
	for _, n := range only {
		chosen[n] = true
	}
	var todo []*Statement
	for _, st := range p.statements {
		if len(only) == 0 || chosen[st.Name] {
			todo = append(todo, st)
		}
	}
	for _, st := range todo {
		for _, b := range bounds {
			o, err := p.prove(ctx, d, st, b)
			if err != nil {
				return nil, err
			}
			r.Statements = append(r.Statements, o)
			if progress != nil {
				progress(len(r.Statements), len(todo)*len(bounds))
			}
		}
	}
	return r, nil
}

// sized is bounds with the statement's sizes where the site leaves them open, and with the names that matter where both do. What the statement
// takes for granted must be proved for the same: of other tenants or resources it may not hold.
func (p *Proof) sized(st *Statement, b Bounds) (Bounds, map[string]string, error) {
	given := b
	tenants, resources, stands, err := told(p.policy, st)
	first := func(lists ...[]string) []string {
		for _, l := range lists {
			if len(l) > 0 {
				return l
			}
		}
		return nil
	}
	b.Tenants = first(b.Tenants, st.size.tenants, tenants)
	b.Resources = first(b.Resources, st.size.resources, resources)
	b.MinCapacity = max(b.MinCapacity, st.size.minCapacity)
	if len(b.Tenants) == 0 || len(b.Resources) == 0 {
		return b, nil, &Unprovable{At: st.At, Reason: err.Error()}
	}
	for _, name := range st.using {
		u, _, err := p.sized(p.statement(name), given)
		switch {
		case err != nil:
			return b, nil, err
		case !slices.Equal(u.Tenants, b.Tenants), !slices.Equal(u.Resources, b.Resources), u.MinCapacity > b.MinCapacity:
			return b, nil, &Unprovable{At: st.At, Reason: fmt.Sprintf("it takes for granted what is proved for tenants %v, resources %v and capacities from %d on"+
				", and is itself about %v, %v and %d: say the same in bounds (%s)", u.Tenants, u.Resources, u.MinCapacity, b.Tenants, b.Resources, b.MinCapacity, name)}
		}
	}
	for name := range stands {
		if !slices.Contains(b.Tenants, name) && !slices.Contains(b.Resources, name) {
			delete(stands, name)
		}
	}
	return b, stands, nil
}

func (p *Proof) prove(ctx context.Context, d verify.Decider, st *Statement, bounds Bounds) (Outcome, error) {
	p = p.of(st, bounds.Params)
	bounds, stands, err := p.sized(st, bounds)
	o := Outcome{Statement: st.Name, Form: st.Form, At: st.At, Tenants: bounds.Tenants, Resources: bounds.Resources, About: bounds.About, Capacity: bounds.Capacity, spent: map[string]time.Duration{}}
	o.Stands = stands
	for _, q := range p.policy.Params() {
		o.Params = append(o.Params, q.Name+" "+sharing.Show(q.Value))
	}
	switch {
	case len(o.Params) == 0:
	case bounds.Params:
		o.From = "the site's"
	case st.own:
		o.From = "the statement's, or the policy's defaults"
	default:
		o.From = defaults
	}
	for _, g := range st.given {
		o.Assumes = append(o.Assumes, g.text)
	}
	o.Assumes = append(o.Assumes, st.using...)
	var goals []goal
	if err == nil {
		if goals, err = p.everywhere(st, bounds); err == nil && goals != nil {
			done, err := p.holdsEverywhere(ctx, d, st, &o, goals)
			if done || err != nil {
				return o, err
			}
		}
	}
	if err == nil {
		goals, err = p.goals(st, bounds)
	}
	var not *Unprovable
	if errors.As(err, &not) {
		o.Verdict, o.Reason = verify.Unknown, not.Error()
		return o, nil
	}
	if err != nil {
		return o, err
	}
	if err := p.decide(ctx, d, st, &o, goals); err != nil {
		return o, err
	}
	p.judge(ctx, d, st, &o, goals)
	return o, nil
}

// holdsEverywhere tries to prove a claim of all states at once, without induction, which is less to decide where it is so.
func (p *Proof) holdsEverywhere(ctx context.Context, d verify.Decider, st *Statement, o *Outcome, goals []goal) (bool, error) {
	try := *o // the times are o's, too
	if err := p.decide(ctx, d, st, &try, goals); err != nil {
		return false, err
	}
	for _, r := range try.Results {
		if r.Verdict != verify.Proved {
			return false, nil
		}
	}
	*o = try
	p.judge(ctx, d, st, o, goals)
	return o.Verdict == verify.Proved, nil
}

// decide has every goal decided, with as little effort as proves it. Of a site's resources there are many, and what is not decided for one
// tenant is not looked at for the others.
func (p *Proof) decide(ctx context.Context, d verify.Decider, st *Statement, o *Outcome, goals []goal) error {
	o.Obligations, o.Results = make([]verify.Stated, len(goals)), nil
	groups := [][]int{nil}
	for i := range goals {
		if groups[0] = append(groups[0], i); o.About != "" {
			groups = append(groups[:len(groups)-1], []int{i}, nil)
		}
	}
	for _, todo := range groups {
		proved, err := p.decideSome(ctx, d, st, o, goals, todo)
		if err != nil || !proved {
			o.Obligations = slices.DeleteFunc(o.Obligations, func(s verify.Stated) bool { return s.ID == "" })
			return err
		}
	}
	return nil
}

func (p *Proof) decideSome(ctx context.Context, d verify.Decider, st *Statement, o *Outcome, goals []goal, todo []int) (proved bool, err error) {
	proved = true
	for _, e := range []effort{near, unranked, whole} {
		if st.ranked && e == unranked || len(todo) == 0 {
			continue
		}
		var obligations []verify.Obligation
		var skipped []int
		for _, i := range todo {
			ob := goals[i].obligation(goals[i].id(st, i), st.Name, e)
			if e == near && ob.Logic != "QF_LIA" { // what does not follow from near may be long in coming out so
				skipped = append(skipped, i)
				continue
			}
			obligations = append(obligations, ob)
			o.Obligations[i] = ob.State()
		}
		results, err := d.Decide(ctx, obligations, nil)
		if err != nil {
			return false, err
		}
		open, limit := map[string]bool{}, false
		for _, r := range results {
			limit = limit || r.Verdict == verify.Unknown
			o.spent[r.Solver] += r.Time
			open[r.Obligation] = open[r.Obligation] || r.Verdict != verify.Proved
		}
		again := skipped
		for _, i := range todo {
			if slices.Contains(skipped, i) {
				continue
			}
			if limit && o.About != "" {
				continue // more to assume would not make it quicker
			}
			if open[goals[i].id(st, i)] && (e == near || e == unranked && len(goals[i].order) > 0) {
				again = append(again, i)
			}
		}
		for _, r := range results {
			if !slices.ContainsFunc(again, func(i int) bool { return goals[i].id(st, i) == r.Obligation }) {
				o.Results = append(o.Results, r)
				proved = proved && r.Verdict == verify.Proved
			}
		}
		todo = again
	}
	return proved, nil
}

func (g goal) id(st *Statement, i int) string { return fmt.Sprintf("Y/%s/%d", st.Name, i) }

// judge sums up. A model is replayed before it counts: what does not happen when cel-go runs the policy is no refutation.
func (p *Proof) judge(ctx context.Context, d verify.Decider, st *Statement, o *Outcome, goals []goal) {
	o.Verdict = verify.Proved
	if len(o.Results) == 0 {
		o.Verdict, o.Reason = verify.Unknown, "there is nothing to decide"
	}
	byID := map[string]int{}
	for i, g := range goals {
		byID[g.id(st, i)] = i
	}
	for _, r := range o.Results {
		g := goals[byID[r.Obligation]]
		switch r.Verdict {
		case verify.Proved:
		case verify.Refuted:
			model, err := smt.ParseModel(r.Model)
			if err != nil {
				o.Verdict, o.Reason = verify.Error, fmt.Sprintf("%s's model cannot be read: %v", r.Solver, err)
				return
			}
			ce, err := p.replay(ctx, st, g, model)
			small := (*Counterexample)(nil)
			if err == nil || errors.Is(err, errNotReached) { // another may come up where this one does not
				small = p.smaller(ctx, d, st, g)
			}
			switch {
			case small != nil:
				ce = small
			case errors.Is(err, errNotReached):
				o.Verdict, o.Reason = verify.Unknown, fmt.Sprintf("%s: %v", g.what, err)
				continue
			case err != nil:
				o.Verdict, o.Reason = verify.Error, fmt.Sprintf("%s: the counterexample of %s does not hold when it is replayed: %v", g.what, r.Solver, err)
				return
			}
			o.Verdict, o.Reason, o.Counterexample = verify.Refuted, g.what, ce
			return
		default:
			if o.Verdict == verify.Proved {
				o.Verdict, o.Reason = r.Verdict, fmt.Sprintf("%s: %s: %s", g.what, r.Solver, r.Reason)
			}
		}
	}
}

// smaller is a counterexample to g with small numbers, which is easier to read, or nil. It is replayed as any other.
func (p *Proof) smaller(ctx context.Context, d verify.Decider, st *Statement, g goal) *Counterexample {
	for _, most := range []int64{20, 5000} {
		few := g
		few.assumed = append(slices.Clone(g.assumed), g.below(most)...)
		results, err := d.Decide(ctx, []verify.Obligation{few.obligation("Y/smaller", st.Name, whole)}, nil)
		if err != nil {
			return nil
		}
		for _, r := range results {
			model, err := smt.ParseModel(r.Model)
			if r.Verdict != verify.Refuted || err != nil {
				continue
			}
			if ce, err := p.replay(ctx, st, g, model); err == nil {
				return ce
			}
		}
	}
	return nil
}

// below says that no variable is far from 0, of those that may be near.
func (g goal) below(most int64) []*smt.Term {
	b := g.state.b
	all := slices.Clone(g.state.variables)
	if g.other != nil {
		all = append(all, g.other.variables...)
	}
	var out []*smt.Term
	for _, v := range all {
		if v.in.lo == nil || v.in.lo.Cmp(big.NewInt(most)) > 0 {
			continue
		}
		out = append(out, b.Le(v.t, b.Int(most)))
		if v.in.lo.Sign() < 0 {
			out = append(out, b.Le(b.Int(-most), v.t))
		}
	}
	return out
}

// Proved returns nil only if there is a statement and all of them are proved. Otherwise the error is verify.ErrRefuted or
// verify.ErrUndecided, and names the first.
func (r *Report) Proved() error {
	if len(r.Statements) == 0 {
		return fmt.Errorf("%w: there are no statements", verify.ErrUndecided)
	}
	var undecided error
	for _, o := range r.Statements {
		switch {
		case o.Verdict == verify.Refuted:
			return fmt.Errorf("%w: %s", verify.ErrRefuted, o.Statement)
		case o.Verdict != verify.Proved && undecided == nil:
			undecided = fmt.Errorf("%w: %s: %s (%s)", verify.ErrUndecided, o.Statement, o.Verdict, o.Reason)
		}
	}
	return undecided
}

// decides: messages are not needed for decisions and may say whatever they like.
func decides(e *sharing.Expression) bool { return e.Role != sharing.RoleMessage }

// NotProvable says what of a policy has no translation, expression by expression: such statements as read it stay unknown. Messages are left
// out, as no decision needs them.
func NotProvable(p *sharing.Policy) []*Unprovable {
	s := newState(smt.NewBuilder(), p, Bounds{Tenants: []string{"a", "b"}, Resources: []string{"x", "y"}}, "")
	var out []*Unprovable
	seen := map[Unprovable]bool{}
	for _, e := range p.Expressions() {
		if !decides(e) {
			continue
		}
		var m *member
		if e.Tenant() || e.Role != sharing.RoleValidation {
			m = s.tenants[0]
		}
		_, err := translate(s.b, e, s.scope(m).name)
		var u *Unprovable
		if errors.As(err, &u) && !seen[*u] {
			seen[*u] = true
			out = append(out, u)
		}
	}
	return out
}

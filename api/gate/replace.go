package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/replace"
)

// Replacements is what this gate builds the obligations of replacements with; who proposes them may share what it knows.
func (g *Gate) Replacements() *replace.Encoder { return g.swaps }

// ProveReplacement builds a replacement's obligations and has them decided. Nothing is written to switch or ledger. A *replace.Error says
// that it is wrong without asking a solver.
func (g *Gate) ProveReplacement(ctx context.Context, in *replace.Input, progress func(done, total int)) (*Proof, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	obs, err := g.swaps.Obligations(in)
	if err != nil {
		return nil, err
	}
	if g.conf.Decider == nil {
		return nil, fmt.Errorf("%w: there is no solver here", verify.ErrUndecided)
	}
	cert, err := verify.Decide(ctx, g.conf.Decider, s, replace.EncoderVersion, obs, nil, g.conf.Required, g.conf.Now(), progress)
	if err != nil {
		return nil, err
	}
	return newProof(cert, obs, s)
}

// ClearProgram checks that a linked program is proved: that the ledger says so of its certificate, or else by deciding again and
// publishing that. A switch gets no other.
func (g *Gate) ClearProgram(ctx context.Context, in *program.Input, cert *verify.Certificate) error {
	err := g.provedProgram(ctx, in, cert)
	if err != nil {
		g.noteCleared(nil, err)
	}
	return err
}

func (g *Gate) provedProgram(ctx context.Context, in *program.Input, cert *verify.Certificate) error {
	declared, err := device.DeclaredPrimitives(g.conf.Target.Driver)
	if err != nil {
		return err
	}
	if p := in.Parser; p == (specs.ParserBound{}) || p.Within(declared.Parser) != p {
		return fmt.Errorf("%w: the program was proved for a parser of %v; driver %s declares %v", ErrTampered, p, declared.Driver, declared.Parser)
	}
	if err := in.Whole(); err != nil {
		return fmt.Errorf("%w: %w", verify.ErrUndecided, err)
	}
	s, err := in.Subject()
	if err != nil {
		return err
	}
	if err := certifies(cert, s); err != nil {
		return fmt.Errorf("%w (the program with its site's tenants): prove it again", err)
	}
	rep, err := program.Obligations(in)
	if err != nil {
		return err
	}
	_, ok, err := g.logged(s, program.EncoderVersion, rep.Obligations, cert)
	if err != nil {
		return err
	}
	if !ok {
		if g.conf.Decider == nil {
			return fmt.Errorf("%w: the ledger does not say that it is proved, and there is no solver here", verify.ErrUndecided)
		}
		proof, err := ProveProgram(ctx, g.conf.Decider, in, g.conf.Required, g.conf.Now(), nil)
		if err != nil {
			return err
		}
		if _, err = Record(ctx, g.ledger.Load(), proof, ledger.Decision{
			Action: "install", Switch: g.conf.Target.Name, Who: g.conf.Who, At: g.conf.Now().UTC(),
		}); err != nil {
			return err
		}
		if err := proof.Certificate.Proved(); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.programs[s.Digest()] = true
	return nil
}

// ClearReplacement mints a clearance from a replacement's proof, made in this process, and from that of its program, which ClearProgram
// has checked before. It publishes the proof, proved or not: with it what the closed switch held is durably in the ledger.
func (g *Gate) ClearReplacement(ctx context.Context, in *replace.Input, p *Proof, prog *program.Input) (c *Clearance, err error) {
	defer func() { g.noteCleared(c, err) }()
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	if err := p.genuine(s, replace.EncoderVersion); err != nil {
		return nil, err
	}
	if err := g.replacementForUs(in, prog); err != nil {
		return nil, err
	}
	index, err := Record(ctx, g.ledger.Load(), p, ledger.Decision{
		Action: "replace", Switch: g.conf.Target.Name, Who: g.conf.Who, At: g.conf.Now().UTC(),
	})
	if err != nil {
		return nil, err
	}
	if err := p.Certificate.Proved(); err != nil {
		return nil, err
	}
	for _, solver := range g.conf.Required {
		if !slices.Contains(p.Certificate.Required, solver) {
			return nil, fmt.Errorf("%w: solver %s was not required of this proof, and is here", verify.ErrUndecided, solver)
		}
	}
	clear := g.clearance(index)
	if clear.replace, err = replace.FromInputs(s.Inputs); err != nil { // a copy, which nobody writes to
		return nil, err
	}
	return clear, nil
}

// replacementForUs checks that a replacement was made for this gate's switch, mastership and tenants, and brings a program that is proved.
func (g *Gate) replacementForUs(in *replace.Input, prog *program.Input) error {
	if in.Switch != g.conf.Target.Name || in.DeviceID != g.conf.Target.DeviceID {
		return fmt.Errorf("%w: the replacement is for switch %s, device %d", ErrTampered, in.Switch, in.DeviceID)
	}
	if in.ElectionID != g.ElectionID() {
		return fmt.Errorf("%w: the replacement was made under election id %d, this gate has %d", ErrStale, in.ElectionID, g.ElectionID())
	}
	ps, err := prog.Subject()
	if err != nil {
		return err
	}
	g.mu.Lock()
	ok := g.programs[ps.Digest()]
	g.mu.Unlock()
	if !ok || !bytes.Equal(prog.Linked, in.New) {
		return fmt.Errorf("%w: the new program is not the one whose proof was checked", ErrTampered)
	}
	var ours, proved []plan.Tenant
	for _, t := range in.Tenants {
		if t.VID != 0 {
			ours = append(ours, plan.Tenant{Name: t.Name, VID: t.VID})
		}
	}
	for _, t := range prog.Tenants {
		proved = append(proved, plan.Tenant{Name: t.Name, VID: t.VID})
	}
	for _, x := range in.Unusable {
		if err := g.quarantines(x); err != nil {
			return err
		}
	}
	if !sameTenants(ours, g.conf.Tenants) || !sameTenants(proved, g.conf.Tenants) {
		return fmt.Errorf("%w: the replacement is about other tenants than those registered", ErrTampered)
	}
	return nil
}

// sameTenants compares without regard to order.
func sameTenants(a, b []plan.Tenant) bool {
	byName := func(x, y plan.Tenant) int { return bytes.Compare([]byte(x.Name), []byte(y.Name)) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byName), slices.SortedFunc(slices.Values(b), byName))
}

// Replace carries out a cleared replacement. On an error nothing more is sent; then nobody is admitted, or everything is restored.
func (g *Gate) Replace(ctx context.Context, c *Clearance) (*Outcome, error) {
	out, err := g.exchange(ctx, c)
	g.note("replace", c.decision, out, err)
	return out, err
}

func (g *Gate) exchange(ctx context.Context, c *Clearance) (*Outcome, error) {
	if c.replace == nil {
		return nil, fmt.Errorf("%w: the clearance is not for a replacement", ErrUsed)
	}
	if err := c.take(g); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	out, in := &Outcome{}, c.replace
	if g.unanswered.Load() {
		return out, ErrUnanswered
	}
	begun := time.Now()
	before, err := g.observe(ctx)
	if err != nil {
		return out, err
	}
	if err := g.replaceable(ctx, before, in, c.decision); err != nil {
		return out, err
	}
	out.Read = time.Since(begun)
	if err := g.begin(ctx, before, c.decision); err != nil {
		return out, err
	}
	begun, out.begun = time.Now(), true
	g.proved.Store(nil) // no plan follows on one for what ran before
	did := newWriting(ErrRestore)
	failure := g.sendReplacement(ctx, in, did, out)
	out.Writes = time.Since(begun)

	begun = time.Now()
	after, err := g.observeAfter(ctx)
	if err != nil {
		return out, errors.Join(failure, fmt.Errorf("reading back after the replacement: %w", err))
	}
	out.PageTables = after.pageTables
	if failure == nil {
		failure = g.replaced(ctx, before, after, in)
	}
	out.Read += time.Since(begun)
	begun = time.Now()
	rec := ledger.Outcome{
		Action: "replace", Decision: c.decision, Result: ledger.Applied, Steps: out.Steps,
		PreState: before.digest(), PostState: after.digest(),
		Times: map[string]time.Duration{"write": out.Writes, "read": out.Read},
	}
	if failure != nil {
		rec.Result, rec.Error = ledger.Failed, failure.Error()
	}
	did.record(&rec)
	out.Entry, err = g.finish(ctx, rec)
	out.Log = time.Since(begun)
	return out, errors.Join(failure, err)
}

// replaceable checks that the switch is as the replacement supposes: what it held is what this gate read of it when it was shut, or what the
// decision that is gone on from has; and nobody is admitted, unless admission alone is opened.
func (g *Gate) replaceable(ctx context.Context, now *observation, in *replace.Input, decision int64) error {
	stale := func(format string, args ...any) error {
		return fmt.Errorf("%w: switch %s %s", ErrStale, in.Switch, fmt.Sprintf(format, args...))
	}
	var admission []byte
	if now.pipeline != nil {
		var err error
		if admission, err = g.reader.Admission(ctx, now.pipeline.P4Info); err != nil {
			return err
		}
	}
	switch {
	case !in.Commits():
		if now.pipeline == nil || !bytes.Equal(now.pipeline.DeviceConfig, in.New) || !bytes.Equal(admission, in.Before) {
			return stale("does not run the program, or others are admitted than were")
		}
		s, err := g.stand(ctx, in.New, decision)
		if err == nil && s.Situation != Complete {
			err = stale("does not hold all that its tenants had")
		}
		return err
	case len(admission) > 0:
		return stale("admits somebody")
	case in.Continues != "":
		last, err := g.lastReplacement(decision)
		if err != nil {
			return err
		}
		if last == nil || last.done || last.subject != in.Continues || !bytes.Equal(last.in.Before, in.Before) || !bytes.Equal(last.in.Old, in.Old) {
			return stale("is not in the middle of what the replacement goes on from")
		}
		return nil
	case len(in.Old) == 0:
		if now.pipeline != nil {
			return stale("runs a program")
		}
		return nil
	case now.pipeline == nil:
		return stale("runs no program any more")
	case !g.shut || g.held == nil:
		return stale("was not shut by this gate, or written to since")
	case !bytes.Equal(now.pipeline.DeviceConfig, in.Old) || !bytes.Equal(g.held.Linked, in.Old) || !bytes.Equal(g.held.Before, in.Before):
		return stale("does not hold what was proved about")
	}
	return nil
}

// sendReplacement carries out the steps, each only when the one before has succeeded.
func (g *Gate) sendReplacement(ctx context.Context, in *replace.Input, did *writing, out *Outcome) error {
	info, err := g.info(in.New)
	if err != nil {
		return err
	}
	for i, s := range in.Steps {
		var err error
		switch s.Kind {
		case replace.Commit:
			g.fenced, g.shut, g.held, g.serves = false, false, nil, ""
			err = g.answered(g.session.SetPipeline(ctx, s.Bytes))
		case replace.Write:
			err = g.settled(ctx, s.Bytes, info, did, g.write(ctx, s.Bytes))
		default:
			err = fmt.Errorf("unknown kind %q", s.Kind)
		}
		if err != nil {
			return fmt.Errorf("step %d of %d: %w", i+1, len(in.Steps), err)
		}
		out.Steps++
	}
	return nil
}

// replaced checks what was read back against what was sent.
func (g *Gate) replaced(ctx context.Context, before, after *observation, in *replace.Input) error {
	info, err := g.info(in.New)
	if err != nil {
		return err
	}
	switch {
	case after.pipeline == nil:
		return errors.New("the switch accepted the program, but runs none")
	case !bytes.Equal(after.pipeline.DeviceConfig, in.New), after.pipeline.Cookie != Cookie(in.New), !proto.Equal(after.pipeline.P4Info, info):
		return errors.New("the program read back is not the one that was sent")
	}
	tables := before.pageTables
	if in.Commits() {
		if tables, err = restored(in, info); err != nil {
			return err
		}
	}
	if !bytes.Equal(after.pageTables, tables) {
		return errors.New("every step succeeded, but the page tables read back are not those that were restored")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.conf.Patience)
	defer cancel()
	admission, err := g.reader.Admission(ctx, info)
	if err != nil {
		return err
	}
	st, err := parseState(admission)
	if err != nil {
		return err
	}
	admitted := map[uint64]bool{}
	for k := range st {
		admitted[k.vid] = true
	}
	for _, t := range in.Tenants {
		if t.Admitted && !admitted[uint64(t.VID)] {
			return fmt.Errorf("every step succeeded, but tenant %s is not admitted", t.Name)
		}
	}
	return nil
}

// restored are the page tables after a replacement that commits.
func restored(in *replace.Input, info *configv1.P4Info) ([]byte, error) {
	pages := map[uint32]bool{}
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		pages[device.TableID(info, specs.PageTable(c))] = true
	}
	delete(pages, 0)
	st := pageState{}
	for i, s := range in.Steps {
		if s.Kind != replace.Write {
			continue
		}
		var req p4v1.WriteRequest
		if err := proto.Unmarshal(s.Bytes, &req); err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		for _, u := range req.GetUpdates() {
			te := u.GetEntity().GetTableEntry()
			if te == nil || te.GetIsDefaultAction() || !pages[te.GetTableId()] {
				continue
			}
			k, err := keyOf(te)
			if err != nil {
				return nil, fmt.Errorf("step %d: %w", i+1, err)
			}
			st[k] = te
		}
	}
	return st.bytes()
}

// Restored are the page tables that a replacement leaves when every step succeeds; nil if it only opens admission, and leaves them alone.
func Restored(in *replace.Input) ([]byte, error) {
	if !in.Commits() {
		return nil, nil
	}
	info, err := rederive(in.New)
	if err != nil {
		return nil, err
	}
	return restored(in, info)
}

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/replace"
)

// An installation is what is to be done on one switch.
type installation struct {
	work    *work
	program *program.Input
	gate    *gate.Gate
	cert    *verify.Certificate
	planner *replacement.Planner
	wanted  replacement.Wanted
	from    *gate.Standing
	// in is the whole of it, as far as it is known before the switch is closed; nil if there is nothing to do.
	in *replace.Input
}

// prepare checks the program's proof, reads the switch, and proposes and proves what is to be done. Where the switch has to be closed first,
// that is a rehearsal: what is read then is proposed and proved again, with little left to do.
func (i *installation) prepare(ctx context.Context) error {
	var err error
	if i.program, err = i.work.programInput(); err != nil {
		return err
	}
	if err := i.gate.ClearProgram(ctx, i.program, i.cert); err != nil {
		return err
	}
	evicted, err := i.work.evicted()
	if err != nil {
		return err
	}
	i.planner = replacement.NewPlanner(i.gate.Replacements())
	target := i.work.target()
	i.wanted = replacement.Wanted{
		Switch: target.Name, DeviceID: target.DeviceID, ElectionID: i.gate.ElectionID(), Linked: i.work.linked, Tenants: i.work.tenants(),
		Evicted: evicted, Unusable: i.gate.Unusable(),
	}
	if i.from, err = i.gate.Stand(ctx, i.work.linked); err != nil {
		return err
	}
	before := i.from.Before
	if i.from.Situation == gate.Occupied {
		if before, err = i.planner.Shut(i.from.Linked, before); err != nil {
			return err
		}
	}
	if i.in, err = i.propose(i.from, before); err != nil || i.in == nil {
		return err
	}
	bar := newProgress("proving")
	proof, err := i.gate.ProveReplacement(ctx, i.in, bar.update)
	bar.finish()
	if err != nil {
		return err
	}
	return proof.Certificate.Proved()
}

func (i *installation) propose(s *gate.Standing, before []byte) (*replace.Input, error) {
	if s.Situation == gate.Complete {
		return i.planner.Open(i.wanted, before)
	}
	return i.planner.Propose(i.wanted, replacement.From{Linked: s.Linked, Before: before, Continues: s.Continues})
}

// announce says what will be done before anything is: what becomes of whom, what is lost, and what the outage consists of.
func (i *installation) announce(out io.Writer) {
	name := i.work.site.Switch.Name
	switch i.from.Situation {
	case gate.Empty, gate.Complete:
		return
	case gate.Interrupted:
		fmt.Fprintf(out, "a replacement on switch %s was interrupted: nobody is admitted, and what the tenants had is in ledger entry %d; going on from there\n",
			name, i.from.Entry)
	default:
		fmt.Fprintf(out, "switch %s runs another program, which carries tenants\n", name)
	}
	t := newTable(out, "tenant", "VID", "becomes", "gets back", "loses")
	for _, x := range i.in.Tenants {
		vid := fmt.Sprint(x.VID)
		switch {
		case x.VID == 0:
			vid = fmt.Sprint(x.OldVID)
		case x.OldVID != 0 && x.OldVID != x.VID:
			vid = fmt.Sprintf("%d, was %d", x.VID, x.OldVID)
		}
		becomes := string(x.Fate)
		if x.VID != 0 && !x.Admitted {
			becomes += ", evicted"
		}
		t.AppendRow([]any{x.Name, vid, becomes, i.kept(x), i.lost(x.Name)})
	}
	if others := i.lost(""); others != "nothing" {
		t.AppendRow([]any{"(the system)", "", "", "", others})
	}
	t.Render()
	for _, x := range i.in.Unusable {
		fmt.Fprintf(out, "in quarantine, and done without: %s/%d slots %d..%d; memory that has one of them is not given back\n", x.Control, x.Stage, x.First, x.Last)
	}
	updates := 0
	for _, s := range i.in.Steps[1:] {
		updates += len(s.Bytes)
	}
	if i.from.Situation == gate.Occupied {
		fmt.Fprintf(out, "outage: packets of all tenants are dropped from when the switch is closed until the last of %d requests (%d bytes besides the program); "+
			"reading what is there took %v just now\n", len(i.in.Steps), updates, i.from.Read.Round(100*time.Microsecond))
		return
	}
	fmt.Fprintf(out, "packets of all tenants are dropped until the last of %d requests (%d bytes besides the program)\n", len(i.in.Steps), updates)
}

// kept is what a tenant gets back, in words.
func (i *installation) kept(x replace.Tenant) string {
	prefix := "restore tenant " + x.Name + ": "
	for _, s := range i.in.Steps {
		if what, ok := strings.CutPrefix(s.Note, prefix); ok {
			return what
		}
	}
	return "nothing"
}

func (i *installation) lost(tenant string) string {
	var list []string
	for _, l := range i.in.Lost {
		if l.Tenant == tenant {
			list = append(list, l.Object)
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "\n")
}

// carryOut does what was announced.
func (i *installation) carryOut(ctx context.Context, out io.Writer) error {
	name := i.work.site.Switch.Name
	if i.in == nil {
		fmt.Fprintf(out, "switch %s runs this program already\n", name)
		return nil
	}
	begun := time.Now()
	if i.from.Situation == gate.Occupied {
		if err := i.close(ctx, out); err != nil {
			return fmt.Errorf("%w\nif nobody is admitted now, 'interlock install' goes on from what is on the switch", err)
		}
	}
	proof, err := i.gate.ProveReplacement(ctx, i.in, nil)
	if err != nil {
		return err
	}
	c, err := i.gate.ClearReplacement(ctx, i.in, proof, i.program)
	if err != nil {
		return err
	}
	cleared := time.Since(begun)
	did, err := i.gate.Replace(ctx, c)
	if err != nil {
		return fmt.Errorf("%w\n'interlock install' goes on: what the tenants had is in ledger entry %d", err, c.Decision())
	}
	switch i.from.Situation {
	case gate.Complete:
		fmt.Fprintf(out, "switch %s runs this program already\n", name)
		fmt.Fprintf(out, "%s, cleared in %v by its proof (ledger entry %d), written in %v (entry %d)\n", i.in.Steps[0].Note,
			cleared.Round(time.Millisecond), c.Decision(), did.Writes.Round(time.Millisecond), did.Entry)
		return nil
	case gate.Empty:
		fmt.Fprintf(out, "installed on switch %s: cookie %#x\n", name, gate.Cookie(i.work.linked))
	default:
		fmt.Fprintf(out, "replaced on switch %s: cookie %#x; tenants' packets were dropped for %v\n", name, gate.Cookie(i.work.linked),
			time.Since(begun).Round(time.Millisecond))
	}
	fmt.Fprintf(out, "cleared in %v by its proof (ledger entry %d), written in %v, read back and equal (entry %d)\n",
		cleared.Round(time.Millisecond), c.Decision(), did.Writes.Round(time.Millisecond), did.Entry)
	if missing := i.cert.NotChecked; len(missing) > 0 {
		var ids []string
		for _, n := range missing {
			ids = append(ids, n.Property)
		}
		fmt.Fprintf(out, "not proved yet: %s\n", strings.Join(ids, ", "))
	}
	return nil
}

// close closes the switch, reads it, and proposes again. What is lost must be what was announced.
func (i *installation) close(ctx context.Context, out io.Writer) error {
	did, err := i.gate.Shut(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "closed switch %s in %v (ledger entry %d)\n", i.work.site.Switch.Name, did.Writes.Round(10*time.Microsecond), did.Entry)
	held, err := i.gate.Hold(ctx)
	if err != nil {
		return err
	}
	announced := i.in
	if i.in, err = i.propose(held, held.Before); err != nil {
		return err
	}
	if !slices.Equal(i.in.Lost, announced.Lost) || !slices.Equal(i.in.Tenants, announced.Tenants) {
		return fmt.Errorf("%w: what would be lost is not what was announced", gate.ErrStale)
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/smt"
)

func newProve() *cobra.Command {
	c := &cobra.Command{
		Use:     "prove [DIR]",
		GroupID: "program",
		Short:   "Prove a linked program: isolation for all packets, tables and register contents",
		Long: `Prove re-parses DIR/linked.p4, executes it symbolically and has every required solver decide each
obligation and its guard (the situation can happen at all). Of DIR/linked.p4info.txtpb and manifest.json it has them decide that they
follow from linked.p4 and the tenants' own programs, DIR/sources (P12). The certificate goes to DIR/certificate.json and the ledger.`,
		Example: "  interlock prove linked\n  interlock prove linked --only P2,P5\n  interlock prove specs",
		Args:    cobra.MaximumNArgs(1),
	}
	format := addFormat(c)
	on := addOn(c)
	only := c.Flags().StringSlice("only", nil, "decide these properties alone, to look into them: nothing is certified or logged")
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		if len(*only) > 0 {
			return n.look(c.Context(), c.OutOrStdout(), *format, *only)
		}
		return n.prove(c.Context(), c.OutOrStdout(), *format)
	}
	c.AddCommand(newProveSpecs())
	return c
}

// proven is what proving one program came to.
type proven struct {
	work  *work
	in    *program.Input
	proof *gate.Proof
	index int64 // of the ledger entry
}

// look decides some properties and certifies nothing.
func (n *linkedSite) look(ctx context.Context, out io.Writer, f format, only []string) error {
	for _, id := range only {
		if propertyTitle[id] == "" || !strings.HasPrefix(id, "P") {
			return inputf("--only %s: there is no property of that name", id)
		}
	}
	return n.decide(ctx, out, f, only, func(*proven) error { return nil })
}

func (n *linkedSite) prove(ctx context.Context, out io.Writer, f format) error {
	log, err := n.works[0].openLedger()
	if err != nil {
		return err
	}
	defer log.Close()
	return n.decide(ctx, out, f, nil, func(p *proven) error {
		var err error
		p.index, err = gate.Record(ctx, log, p.proof, ledger.Decision{
			Action: "install", Switch: p.work.site.Switch.Name, Who: who(), At: time.Now().UTC(),
		})
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		return saveCertificate(filepath.Join(p.work.dir, certificateFile), p.proof.Certificate)
	})
}

// decide proves the programs of all switches. Texts that several of them have are decided once: the pool remembers them.
func (n *linkedSite) decide(ctx context.Context, out io.Writer, f format, only []string, keep func(*proven) error) error {
	pool, required, err := n.works[0].solvers()
	if err != nil {
		return err
	}
	defer pool.Close()
	var certificates []*verify.Certificate
	err = n.each(func(w *work) error {
		in, err := w.programInput()
		if err != nil {
			return err
		}
		p := &proven{work: w, in: in}
		bar := newProgress("proving")
		p.proof, err = gate.ProveProperties(ctx, pool, p.in, only, required, time.Now(), bar.update)
		bar.finish()
		if err != nil {
			return proofError(err)
		}
		if err := keep(p); err != nil {
			return err
		}
		certificates = append(certificates, p.proof.Certificate)
		if f == "table" {
			if len(certificates) > 1 {
				fmt.Fprintln(out)
			}
			n.head(out, w)
			p.print(out, len(only) == 0)
		}
		file := filepath.Join(w.dir, linkedFile)
		switch err := p.proof.Certificate.Proved(); {
		case err != nil && len(only) > 0:
			return exitWith(verdictCode(err), fmt.Errorf("%s: %w", file, err))
		case err != nil:
			return exitWith(verdictCode(err), fmt.Errorf("%s is not proved: %w (ledger entry %d)", file, err, p.index))
		}
		return nil
	})
	if f != "table" && len(certificates) > 0 {
		if err := printEach(f, out, certificates, nil); err != nil {
			return err
		}
	}
	return err
}

// print shows a proof, or what refutes it.
func (p *proven) print(out io.Writer, logged bool) {
	printCertificate(out, p.proof.Certificate)
	switch err := p.proof.Certificate.Proved(); {
	case err != nil:
		explainProgram(out, p.in, p.proof)
	case logged:
		fmt.Fprintf(out, "\n%s is proved (ledger entry %d, %s)\n", filepath.Join(p.work.dir, linkedFile), p.index,
			filepath.Join(p.work.dir, certificateFile))
		fmt.Fprintf(out, "its parser keeps to %v a packet: what target %s has, and driver %s declares\n", p.in.Parser,
			p.work.site.Switch.Target, p.work.site.Switch.Driver)
		if d, err := device.DeclaredPrimitives(p.work.site.Switch.Driver); err == nil {
			fmt.Fprintf(out, "plans for it will suppose of the switch: %v\n", d.Proof)
		}
	}
}

// proofError gives an error of making or deciding obligations its exit code: a construct that the verifier does not know leaves the
// question open, and so does a solver that could not be asked; anything else is wrong with the program.
func proofError(err error) error {
	switch {
	case errors.Is(err, program.ErrUnsupported), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exitWith(exitUndecided, err)
	case errors.Is(err, smt.ErrMissing):
		return exitWith(exitEnvironment, err)
	}
	return exitWith(exitInput, err)
}

// verdictCode is the exit code for what Certificate.Proved says.
func verdictCode(err error) int {
	if errors.Is(err, verify.ErrRefuted) {
		return exitRefused
	}
	return exitUndecided
}

func saveCertificate(path string, c *verify.Certificate) error {
	b, err := c.Marshal()
	if err != nil {
		return err
	}
	return exitWith(exitEnvironment, os.WriteFile(path, append(b, '\n'), 0o644))
}

// propertyRow sums up a property's obligations.
type propertyRow struct {
	id          string
	obligations int
	proved      int
	guards      int // that are satisfiable
	guarded     int // obligations that have a guard
	worst       verify.Verdict
	times       map[string]time.Duration
}

func propertyRows(c *verify.Certificate) []propertyRow {
	property := map[string]string{}
	rows := map[string]*propertyRow{}
	guarded := map[string]bool{}
	for _, o := range c.Obligations {
		property[o.ID] = o.Property
		if rows[o.Property] == nil {
			rows[o.Property] = &propertyRow{id: o.Property, worst: verify.Proved, times: map[string]time.Duration{}}
		}
		rows[o.Property].obligations++
		if guarded[o.ID] = o.Guard != ""; guarded[o.ID] {
			rows[o.Property].guarded++
		}
	}
	bad, ok := map[string]verify.Verdict{}, map[string]int{}
	for _, r := range c.Results {
		row := rows[property[r.Obligation]]
		row.times[r.Solver] += r.Time
		if !slices.Contains(c.Required, r.Solver) {
			continue
		}
		if r.Verdict == verify.Proved {
			ok[r.Obligation]++
		} else if bad[r.Obligation] != verify.Refuted {
			bad[r.Obligation] = r.Verdict
		}
	}
	for _, o := range c.Obligations {
		row := rows[o.Property]
		if ok[o.ID] == len(c.Required) {
			row.proved++
			if guarded[o.ID] {
				row.guards++
			}
		} else if v := bad[o.ID]; row.worst != verify.Refuted {
			row.worst = cmp.Or(v, verify.Unknown)
		}
	}
	var list []propertyRow
	for _, id := range c.Properties() {
		list = append(list, *rows[id])
	}
	return list
}

func printCertificate(out io.Writer, c *verify.Certificate) {
	header := []any{"property", "what", "obligations", "verdict", "guards"}
	for _, s := range c.Solvers {
		header = append(header, s.Name)
	}
	t := newTable(out, header...)
	for _, r := range propertyRows(c) {
		verdict := string(r.worst)
		if r.proved < r.obligations {
			verdict = fmt.Sprintf("%s (%d of %d proved)", strings.ToUpper(verdict), r.proved, r.obligations)
		}
		guards := fmt.Sprintf("%d sat", r.guards)
		if r.guarded == 0 {
			guards = "-"
		}
		row := []any{r.id, propertyTitle[r.id], r.obligations, verdict, guards}
		for _, s := range c.Solvers {
			row = append(row, r.times[s.Name].Round(100*time.Microsecond))
		}
		t.AppendRow(row)
	}
	for _, n := range c.NotChecked {
		t.AppendRow([]any{n.Property, propertyTitle[n.Property], "-", "not checked", ""})
	}
	t.Render()
	for _, s := range c.Solvers {
		fmt.Fprintf(out, "%s: %s\n", s.Name, s.Version)
	}
	for _, n := range c.NotChecked {
		if n.Note != "" {
			fmt.Fprintf(out, "%s: %s\n", n.Property, n.Note)
		}
	}
}

// propertyTitle says each property of DESIGN.md §5 in a few words.
var propertyTitle = map[string]string{
	"P1": "namespace: own objects only", "P2": "tag unchanged, exactly one", "P3": "no recirculation, cloning, multicast",
	"P4": "nothing depends on stale PHV", "P5": "slots within the tenant's extent", "P6": "feed-forward, one access a stage",
	"P7": "equivalent to the tenant's own program", "P8": "usage within entitlement", "P9": "parsing within the target's bound",
	"P10": "untagged and unknown never reach tenants", "P11": "own ports in and out", "P12": "P4Info and owners follow from the programs",
	"M1": "exclusive: one tenant a slot", "M2": "no residue", "M3": "extents within bounds", "M4": "page table bound to the VID",
	"M5": "kept slots untouched", "M6": "reaches the goal, within policy", "M7": "bytes mean what the plan says", "M8": "restored or announced, then admitted",
	"Y":  "the policy admits whatever it allows",
	"N1": "within limits over all switches", "N2": "all take before any gives", "N3": "below its floor on one switch at most",
	"N4": "one VID, one tenant everywhere",
}

// explainProgram prints the counterexample of the first refuted obligation of each property.
func explainProgram(out io.Writer, in *program.Input, p *gate.Proof) {
	shown := map[string]bool{}
	for _, r := range p.Certificate.Results {
		i := slices.IndexFunc(p.Obligations, func(o verify.Obligation) bool { return o.ID == r.Obligation })
		if r.Verdict != verify.Refuted || i < 0 || shown[p.Obligations[i].Property] {
			continue
		}
		o := p.Obligations[i]
		shown[o.Property] = true
		model, err := smt.ParseModel(r.Model)
		if err != nil {
			fmt.Fprintf(out, "\n%s refuted: %s\n  (the solver's model cannot be read: %v)\n", o.Property, o.Subject, err)
			continue
		}
		ce, err := program.Explain(in, o, model)
		if err != nil {
			fmt.Fprintf(out, "\n%s refuted: %s\n  (the counterexample could not be replayed: %v)\n", o.Property, o.Subject, err)
			continue
		}
		fmt.Fprintf(out, "\nREFUTED %s\n", strings.TrimRight(strings.Replace(ce.String(), " refuted:", ":", 1), "\n"))
	}
}

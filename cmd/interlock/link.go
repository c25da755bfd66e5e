package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
)

func newLink() *cobra.Command {
	var sitePath, dir, ledgerDir string
	var addresses []string
	c := &cobra.Command{
		Use:     "link -s SITE -o DIR",
		GroupID: "program",
		Short:   "Link the tenants' programs and the system program into one program",
		Long: `Link checks every tenant's program, refuses what tenants may not do, asks the sharing policy what each may use, and
writes DIR/linked.p4, linked.p4info.txtpb, manifest.json, resources.json and sources/TENANT.p4. Prove the result before you install it.

Where the site has several switches, each has a program of its own, of the tenants that are on it: DIR/SWITCH/linked.p4 and so on. Later
commands take DIR for all of them, with --on SWITCH for one, or DIR/SWITCH.`,
		Example: `  interlock link -s testdata/sites/quickstart/site.yaml -o linked
  interlock link -s testdata/sites/pair/site.yaml -o linked --address left=192.0.2.1:9559 --address right=192.0.2.2:9559`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringVarP(&sitePath, "site", "s", "site.yaml", "site file")
	c.Flags().StringVarP(&dir, "output", "o", defaultDir, "directory to write")
	c.Flags().StringVar(&ledgerDir, "ledger", "", "ledger for this directory, instead of the site's")
	c.Flags().StringArrayVar(&addresses, "address", nil, "address of the switch, instead of the site's; SWITCH=ADDRESS where the site has several")
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := site.Load(sitePath)
		if err != nil {
			return exitWith(exitInput, err)
		}
		at, err := addressesOf(s, addresses)
		if err != nil {
			return err
		}
		return linkSite(c.Context(), c.OutOrStdout(), s, dir, func(name string) origin {
			return origin{Site: sitePath, Ledger: ledgerDir, Address: at[name]}
		})
	}
	return c
}

// addressesOf reads --address.
func addressesOf(s *site.Site, flags []string) (map[string]string, error) {
	at := map[string]string{}
	for _, f := range flags {
		name, address, ok := strings.Cut(f, "=")
		if !ok && len(s.Switches) == 1 {
			name, address = s.Switch.Name, f
		}
		switch {
		case address == "":
			return nil, inputf("--address %s: the site has %d switches: want SWITCH=ADDRESS", f, len(s.Switches))
		case s.On(name) == nil:
			return nil, inputf("--address %s: site %s has no switch %q", f, s.Name, name)
		case at[name] != "":
			return nil, inputf("--address %s: switch %s has an address already", f, name)
		}
		at[name] = address
	}
	return at, nil
}

// linkSite links the program of every switch, and writes them when all of them could be.
func linkSite(ctx context.Context, out io.Writer, s *site.Site, dir string, from func(name string) origin) error {
	var programs []*linker.Linked
	var errs []error
	for _, sw := range s.Switches {
		l, err := link(ctx, s.On(sw.Name))
		if err != nil && len(s.Switches) > 1 {
			err = fmt.Errorf("switch %s: %w", sw.Name, err)
		}
		programs, errs = append(programs, l), append(errs, linkError(err))
	}
	if err := together(errs); err != nil {
		return err
	}
	if len(programs) == 1 {
		return writeLinked(out, s, dir, from(s.Switch.Name), programs[0])
	}
	all := from("")
	for i, sw := range s.Switches {
		o := from(sw.Name)
		o.Switch = sw.Name
		if err := writeLinked(out, s.On(sw.Name), filepath.Join(dir, sw.Name), o, programs[i]); err != nil {
			return err
		}
		all.Switches = append(all.Switches, sw.Name)
	}
	return exitWith(exitEnvironment, writeOrigin(dir, all))
}

func writeLinked(out io.Writer, s *site.Site, dir string, o origin, l *linker.Linked) error {
	if err := l.WriteDir(dir); err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := os.WriteFile(filepath.Join(dir, siteFile), s.Source, 0o644); err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := writeOrigin(dir, o); err != nil {
		return exitWith(exitEnvironment, err)
	}
	printLinked(out, dir, s, l)
	return nil
}

func link(ctx context.Context, s *site.Site) (*linker.Linked, error) {
	p, err := loadPolicy(s)
	if err != nil {
		return nil, err
	}
	return linker.Link(ctx, s, linker.Options{Entitler: entitler{p}, Policy: p.Digest()})
}

// loadPolicy loads the site's policy, built in or a file.
func loadPolicy(s *site.Site) (*policy.Policy, error) {
	name := s.Policy
	if !strings.HasPrefix(name, policy.Builtin) {
		name = s.Resolve(name)
	}
	p, err := policy.Load(name)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	if s.PolicyParams.Present() {
		p = p.With(s.PolicyParams)
		err = s.PolicyParams.Err()
	}
	return p, exitWith(exitInput, err)
}

// entitler asks a policy what tenants may use at link time: all of their part of the linked program, or nothing.
type entitler struct{ policy *policy.Policy }

func (e entitler) ByStage() bool { return e.policy.ByStage() }

func (e entitler) Entitle(ctx context.Context, demands []linker.Demand, parts map[string]resources.Usage, capacity resources.Usage) (map[string]linker.Grant, error) {
	var tenants []policy.Tenant
	for _, d := range demands {
		t := policy.Tenant{
			Name: d.Tenant, VID: d.VID, Weight: d.Weight, Budget: d.Budget, Balance: d.Balance, Target: policy.RatioOf(d.Target), Active: true,
		}
		tenants = append(tenants, t.Inelastic(policy.Resources(parts[d.Tenant])))
	}
	a, err := e.policy.Entitle(ctx, tenants, policy.Resources(capacity))
	if err != nil {
		return nil, err
	}
	printShadowed(os.Stderr, a)
	grants := map[string]linker.Grant{}
	for _, x := range a.Entitlements {
		grants[x.Tenant] = linker.Grant{Limits: x.Usage, Why: x.Message}
	}
	return grants, nil
}

// linkError gives an error of the linker its exit code, and shows the source line of each diagnostic. A program that is no P4 is
// bad input; one that does what tenants may not do is refused.
func linkError(err error) error {
	if err == nil {
		return nil
	}
	var diags syntax.Diagnostics
	if errors.As(err, &diags) {
		var text bytes.Buffer
		diags.Render(&text)
		code, verb := exitInput, "cannot be read"
		if errors.Is(err, linker.ErrRefused) {
			code, verb = exitRefused, "refused"
		}
		return &exitError{code, errors.New(verb + "\n" + strings.TrimRight(text.String(), "\n"))}
	}
	if errors.Is(err, linker.ErrRefused) || errors.Is(err, policy.ErrRefused) {
		return exitWith(exitRefused, err)
	}
	return exitWith(exitInput, err)
}

func printLinked(out io.Writer, dir string, s *site.Site, l *linker.Linked) {
	on := ""
	if len(s.Switches) > 1 {
		on = " on switch " + s.Switch.Name
	}
	fmt.Fprintf(out, "linked %d tenants of site %s%s for target %s into %s (%d lines)\n", len(s.Tenants), s.Name, on, l.Resources.Target,
		dir, bytes.Count(l.P4, []byte("\n")))
	t := newTable(out, "tenant", "VID", "virtual registers", "ports (virtual: physical)")
	for _, x := range l.Manifest.Tenants {
		var regs, ports []string
		for _, r := range x.Registers {
			kind := "inelastic"
			if r.Elastic {
				kind = fmt.Sprintf("%d..%d", r.Min, r.Max)
			}
			regs = append(regs, fmt.Sprintf("%s (%s/%d, %s)", r.Name, r.Control, r.Stage, kind))
		}
		for _, v := range slices.Sorted(maps.Keys(x.Ports)) {
			ports = append(ports, fmt.Sprintf("%d: %d", v, x.Ports[v]))
		}
		t.AppendRow([]any{x.Name, x.VID, strings.Join(regs, "\n"), strings.Join(ports, ", ")})
	}
	t.Render()
	u := newTable(out, "resource", "linked", "sum of tenants", "target")
	for _, name := range slices.Sorted(maps.Keys(l.Resources.Capacity)) {
		sum := int64(0)
		for _, t := range l.Resources.Alone {
			sum += t[name]
		}
		u.AppendRow([]any{name, l.Resources.Linked[name], sum, l.Resources.Capacity[name]})
	}
	u.Render()
}

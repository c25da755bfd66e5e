package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// ownership is one extent, as status prints it.
type ownership struct {
	Tenant      string `json:"tenant"`
	VID         uint16 `json:"vid"`
	Control     string `json:"control"`
	Stage       int    `json:"stage"`
	Base        int64  `json:"base"`
	Size        int64  `json:"size"`
	Generation  uint16 `json:"generation"`
	*provenance        // nil: the log does not tell
}

// primitives are what proofs rest on in a driver, as status prints them.
type primitives struct {
	Driver       string `json:"driver"`
	Fence        string `json:"fence"`
	FenceTimeout string `json:"fenceTimeout"`
	Scrub        string `json:"scrub"`
	Replace      string `json:"replace"`
	Unanswered   string `json:"unanswered"`
	Proofs       string `json:"proofs"` // what of this they use
}

// switchStatus is what status prints of one switch.
type switchStatus struct {
	Switch  string     `json:"switch"`
	Address string     `json:"address"`
	Empty   bool       `json:"empty"` // it runs no program
	Cookie  string     `json:"cookie"`
	Ours    bool       `json:"ours"` // it runs the program in DIR
	Shut    []string   `json:"shut"` // tenants whose packets are dropped: evicted, or not admitted since a replacement was interrupted
	Trusted primitives `json:"trusted"`
	Evicted []eviction `json:"evicted"`
	// Balances are the tenants' in force, where the site's policy settles them.
	Balances map[string]policy.Ratio `json:"balances,omitempty"`
	Owners   []ownership             `json:"owners"`
	Free     map[string]float64      `json:"free"` // share of each stage array
	// Quarantine are slots that the switch refused to scrub, and that are given to nobody.
	Quarantine []quarantined `json:"quarantine"`
	// Held is the most slots that tenants may have on a switch that cannot be read: they count against their ceilings, and are given to
	// nobody.
	Held  map[string]int64 `json:"held,omitempty"`
	Error string           `json:"error,omitempty"` // why nothing could be read
}

func newStatus() *cobra.Command {
	c := &cobra.Command{
		Use:     "status [DIR]",
		GroupID: "memory",
		Short:   "Show what runs on the switch and who owns which slots, since when, under which certificate",
		Long: `Status reads the switch's program and page tables back, and says who owns which slots. Since when, and by which decision and certificate, is
what the ledger says; where it does not (an interrupted plan, a write outside the gate) nothing is said. Where the site's policy settles balances,
it shows them, too: those that the ledger's last decision about each tenant left.`,
		Example: "  interlock status linked -o json",
		Args:    cobra.MaximumNArgs(1),
	}
	format := addFormat(c)
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		ctx, cancel := timeout(c.Context())
		defer cancel()
		var list []*switchStatus
		err = n.each(func(w *work) error {
			s, err := w.status(ctx)
			if err != nil && n.several { // the others' are shown all the same
				s = &switchStatus{Switch: w.site.Switch.Name, Address: w.site.Switch.Address, Error: err.Error(), Owners: []ownership{}, Shut: []string{}}
				s.Evicted, _ = w.evictions()
				s.Quarantine = w.quarantine()
				s.Held = w.heldBy()
			}
			if s != nil {
				list = append(list, s)
			}
			return err
		})
		if len(list) == 0 {
			return err
		}
		return together([]error{err, printEach(*format, c.OutOrStdout(), list, func(out io.Writer, s *switchStatus) { s.print(out, n.dir) })})
	}
	return c
}

// status reads the switch.
func (w *work) status(ctx context.Context) (*switchStatus, error) {
	r, err := device.Dial(w.target())
	if err != nil {
		return nil, gateError(err)
	}
	defer r.Close()
	p, err := r.Pipeline(ctx)
	empty := errors.Is(err, device.ErrNoPipeline)
	if empty {
		p = &device.Pipeline{}
	} else if err != nil {
		return nil, gateError(err)
	}
	s := &switchStatus{Switch: w.site.Switch.Name, Address: w.site.Switch.Address, Empty: empty, Owners: []ownership{}, Shut: []string{}, Cookie: fmt.Sprintf("%#x", p.Cookie)}
	s.Ours = string(p.DeviceConfig) == string(w.linked) && p.Cookie == gate.Cookie(w.linked)
	declared, err := device.DeclaredPrimitives(w.site.Switch.Driver)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	s.Trusted = primitives{
		declared.Driver, declared.Fence, declared.FenceTimeout.String(), declared.Scrub, declared.Replace, declared.Unanswered, declared.Proof.String(),
	}
	if s.Evicted, err = w.evictions(); err != nil {
		return nil, err
	}
	s.Quarantine = w.quarantine()
	if pol, err := loadPolicy(w.site); err == nil && pol.Settles() { // the switch can be looked at with a policy that cannot be read
		if s.Balances, err = w.balances(); err != nil {
			return nil, err
		}
	}
	if !s.Ours {
		return s, nil
	}
	state, err := r.PageTables(ctx, p.P4Info)
	if err != nil {
		return nil, gateError(err)
	}
	if s.Shut, err = w.shut(ctx, r, p); err != nil {
		return nil, err
	}
	if s.Owners, s.Free, err = w.owners(state); err != nil {
		return nil, err
	}
	slots := alloc.CapacityOf(w.manifest)
	for _, q := range s.Quarantine {
		a := alloc.Array{Control: specs.Control(q.Control), Stage: q.Stage}
		if n := slots[a]; q.Last < n {
			s.Free[a.String()] -= float64(q.Last-q.First+1) / float64(n)
		}
	}
	return s, nil
}

// shut names the tenants that are not admitted.
func (w *work) shut(ctx context.Context, r *device.Reader, p *device.Pipeline) ([]string, error) {
	b, err := r.Admission(ctx, p.P4Info)
	if err != nil {
		return nil, gateError(err)
	}
	admitted, err := replacement.Admitted(b)
	if err != nil {
		return nil, exitWith(exitRefused, err)
	}
	names := []string{}
	for _, t := range w.site.Tenants {
		if !slices.Contains(admitted, t.VID) {
			names = append(names, t.Name)
		}
	}
	return names, nil
}

func (s *switchStatus) print(out io.Writer, dir string) {
	switch {
	case s.Error != "":
		fmt.Fprintf(out, "switch %s at %s: %s\n", s.Switch, s.Address, s.Error)
		for _, name := range slices.Sorted(maps.Keys(s.Held)) {
			fmt.Fprintf(out, "tenant %s may have %d slots there, which nobody else is given until it is read again\n", name, s.Held[name])
		}
		printEvictions(out, s.Evicted)
		printQuarantine(out, s.Quarantine)
		return
	case s.Empty:
		fmt.Fprintf(out, "switch %s at %s runs no program\n", s.Switch, s.Address)
		return
	case !s.Ours:
		fmt.Fprintf(out, "switch %s at %s, cookie %s: it does not run the program in %s\n", s.Switch, s.Address, s.Cookie, dir)
		return
	}
	fmt.Fprintf(out, "switch %s at %s, cookie %s\n", s.Switch, s.Address, s.Cookie)
	t := newTable(out, "tenant", "VID", "stage", "slots", "size", "generation", "since", "entry", "certificate")
	for _, o := range s.Owners {
		row := []any{
			o.Tenant, o.VID, fmt.Sprintf("%s/%d", o.Control, o.Stage), fmt.Sprintf("%d..%d", o.Base, o.Base+o.Size-1),
			o.Size, o.Generation,
		}
		if p := o.provenance; p != nil {
			row = append(row, p.Since.Local().Format(time.DateTime), p.Entry, p.Certificate[:min(len(p.Certificate), 19)])
		}
		t.AppendRow(row)
	}
	t.Render()
	for _, name := range slices.Sorted(maps.Keys(s.Balances)) {
		fmt.Fprintf(out, "tenant %s has %s credits\n", name, s.Balances[name])
	}
	printEvictions(out, s.Evicted)
	printQuarantine(out, s.Quarantine)
	if len(s.Shut) > 0 {
		fmt.Fprintf(out, "packets are dropped of: %s\n", strings.Join(s.Shut, ", "))
	}
	fmt.Fprintf(out, "trusted of driver %s:\n  fence: %s\n  scrub: %s\n  replace: %s\n  proofs of plans use: %s\n", s.Trusted.Driver, s.Trusted.Fence,
		s.Trusted.Scrub, s.Trusted.Replace, s.Trusted.Proofs)
}

func printEvictions(out io.Writer, list []eviction) {
	for _, e := range list {
		pending := ""
		if e.Pending {
			on := ""
			if len(e.On) > 0 {
				on = " on " + strings.Join(e.On, ", ")
			}
			pending = "; that is pending" + on + ": its memory is unmapped when a command opens the gate next"
		}
		fmt.Fprintf(out, "tenant %s is evicted, since %s by %s%s\n", e.Tenant, e.Since.Local().Format(time.DateTime), e.Who, pending)
	}
}

// owners lists the extents in a page-table read-back.
func (w *work) owners(state []byte) ([]ownership, map[string]float64, error) {
	codec, err := alloc.CodecOf(w.linked)
	if err != nil {
		return nil, nil, exitWith(exitInput, err)
	}
	tables, err := codec.Decode(state)
	if err != nil {
		return nil, nil, exitWith(exitRefused, err)
	}
	var found map[plan.Extent]provenance
	if l, err := w.readLedger(); err == nil { // a switch can be looked at without its ledger
		var now []plan.Extent
		for _, k := range tables.Keys() {
			for stage, m := range tables[k] {
				now = append(now, plan.Extent{
					VID: k.VID, Control: k.Control, Stage: stage, Base: m.Base, Size: m.Size, Mask: m.Mask, Generation: m.Generation,
				})
			}
		}
		if found, err = provenances(l, w.site.Switch.Name, now); err != nil {
			return nil, nil, exitWith(exitRefused, err)
		}
	}
	list := []ownership{}
	used := map[alloc.Array]int64{}
	for _, k := range tables.Keys() {
		for stage, m := range tables[k] {
			if m.Size == 0 {
				continue
			}
			used[alloc.Array{Control: k.Control, Stage: stage}] += m.Size
			name := fmt.Sprintf("VID %d", k.VID)
			for _, t := range w.site.Tenants {
				if t.VID == k.VID {
					name = t.Name
				}
			}
			o := ownership{Tenant: name, VID: k.VID, Control: string(k.Control), Stage: stage, Base: m.Base, Size: m.Size, Generation: m.Generation}
			if p, ok := found[plan.Extent{
				VID: k.VID, Control: k.Control, Stage: stage, Base: m.Base, Size: m.Size, Mask: m.Mask, Generation: m.Generation,
			}]; ok {
				o.provenance = &p
			}
			list = append(list, o)
		}
	}
	free := map[string]float64{}
	for a, n := range codec.Slots() {
		free[a.String()] = 1 - float64(used[a])/float64(n)
	}
	return list, free, nil
}

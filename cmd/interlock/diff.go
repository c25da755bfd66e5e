package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// explainStale turns "another controller has mastership" on a saved plan into what the user needs: what moved since.
func (w *work) explainStale(ctx context.Context, in *plan.Input, err error) error {
	if !errors.Is(err, device.ErrNotPrimary) {
		return err
	}
	return w.staleFirst(ctx, in, refusedf("%w: the plan was made under election id %d, and another controller has had the switch since: "+
		"plan again", gate.ErrStale, in.ElectionID))
}

// staleFirst lists what moved on the switch since a plan was made; if nothing did, err says what is wrong with the plan.
func (w *work) staleFirst(ctx context.Context, in *plan.Input, err error) error {
	short, cancel := timeout(ctx)
	defer cancel()
	r, derr := device.Dial(w.target())
	if derr != nil {
		return gateError(derr)
	}
	defer r.Close()
	if stale := gate.Fresh(short, r, in); stale != nil {
		return gateError(stale)
	}
	return err
}

func newDiff() *cobra.Command {
	c := &cobra.Command{
		Use:     "diff [DIR]",
		GroupID: "memory",
		Short:   "Show how the switch differs from what the ledger's last applied plan left (drift)",
		Long:    "Diff reads the page tables back and lists what moved. It exits with 1 if anything did.",
		Example: "  interlock diff linked",
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
		var list []*drift
		err = n.each(func(w *work) error {
			d, err := w.drift(ctx)
			if err != nil {
				return err
			}
			list = append(list, d)
			if len(d.Moved) > 0 {
				return refusedf("the switch has drifted")
			}
			return nil
		})
		if len(list) == 0 {
			return err
		}
		return together([]error{err, printEach(*format, c.OutOrStdout(), list, func(out io.Writer, d *drift) { d.print(out) })})
	}
	return c
}

// drift is how a switch differs from what the ledger says.
type drift struct {
	Switch string   `json:"switch"`
	Entry  int64    `json:"entry"`
	Moved  []string `json:"moved"`
}

func (w *work) drift(ctx context.Context) (*drift, error) {
	want, entry, err := w.recordedState()
	if err != nil {
		return nil, err
	}
	r, err := device.Dial(w.target())
	if err != nil {
		return nil, gateError(err)
	}
	defer r.Close()
	p, err := r.Pipeline(ctx)
	if err != nil {
		return nil, gateError(err)
	}
	have, err := r.PageTables(ctx, p.P4Info)
	if err != nil {
		return nil, gateError(err)
	}
	list, err := gate.Moved(want, have, p.P4Info, w.tenants())
	if err != nil {
		return nil, exitWith(exitRefused, err)
	}
	return &drift{w.site.Switch.Name, entry, list}, nil
}

func (d *drift) print(out io.Writer) {
	if len(d.Moved) == 0 {
		fmt.Fprintf(out, "switch %s is as entry %d of the ledger left it\n", d.Switch, d.Entry)
		return
	}
	fmt.Fprintf(out, "switch %s differs from what entry %d left:\n  %s\n", d.Switch, d.Entry, strings.Join(d.Moved, "\n  "))
}

// recordedState is that of the site's ledger and switch.
func (w *work) recordedState() ([]byte, int64, error) {
	l, err := w.readLedger()
	if err != nil {
		return nil, 0, err
	}
	return recordedState(l, w.site.Switch.Name)
}

// recordedState is the content of a switch's page tables as the ledger's outcomes imply it, and the last outcome's entry.
func recordedState(l *check.Log, name string) ([]byte, int64, error) {
	var err error
	entry := int64(-1)
	var state []byte
	known := false
	for _, e := range l.Entries {
		o := e.Outcome
		if o == nil || o.Switch != name || o.Result == ledger.Pending {
			continue
		}
		entry = e.Index
		switch {
		case o.Action == "apply" && o.Result == "applied" && o.Decision >= 0:
			inputs := map[string][]byte{}
			for name, ref := range l.Entries[o.Decision].Decision.Inputs {
				if inputs[name], err = l.Blob(ref); err != nil {
					return nil, 0, exitWith(exitRefused, err)
				}
			}
			in, err := plan.FromInputs(inputs)
			if err != nil {
				return nil, 0, exitWith(exitRefused, err)
			}
			if state, err = gate.Expected(in); err != nil {
				return nil, 0, exitWith(exitRefused, err)
			}
			known = true
		case o.Action == "close": // page tables stay
		case o.Action == "replace" && o.Result == "applied" && o.Decision >= 0:
			in, err := replacementIn(l, l.Entries[o.Decision])
			if err != nil {
				return nil, 0, exitWith(exitRefused, err)
			}
			if in.Commits() {
				if state, err = gate.Restored(in); err != nil {
					return nil, 0, exitWith(exitRefused, err)
				}
				known = true
			}
		case o.Action == "evict" && o.Result == "applied" && o.Decision >= 0:
			if state, err = afterEviction(l, l.Entries[o.Decision]); err != nil {
				return nil, 0, exitWith(exitRefused, err)
			}
			known = true
		default: // a failed or interrupted plan: only the digest of what it left is recorded
			known = false
		}
	}
	switch {
	case entry < 0:
		return nil, 0, inputf("the ledger has no outcome on switch %s yet", name)
	case !known:
		return nil, 0, inputf("the last outcome (entry %d) was no completed plan; 'interlock audit compare' checks its state's digest", entry)
	}
	return state, entry, nil
}

// replacementIn is the replacement that an entry decided.
func replacementIn(l *check.Log, e check.Entry) (*replace.Input, error) {
	inputs := map[string][]byte{}
	for name, ref := range e.Decision.Inputs {
		var err error
		if inputs[name], err = l.Blob(ref); err != nil {
			return nil, err
		}
	}
	return replace.FromInputs(inputs)
}

// afterEviction is the content of the page tables after a recorded eviction.
func afterEviction(l *check.Log, e check.Entry) ([]byte, error) {
	pre, err := l.Blob(e.Decision.Inputs[gate.EvictPreState])
	if err != nil {
		return nil, err
	}
	request, err := l.Blob(e.Decision.Inputs[gate.EvictRequest])
	if err != nil {
		return nil, err
	}
	return gate.Expected(&plan.Input{PreState: pre, Steps: []plan.Step{{Kind: plan.Write, Bytes: request}}})
}

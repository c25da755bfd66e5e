package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
)

func newAuditCompare() *cobra.Command {
	var dir, key string
	var target device.Target
	c := &cobra.Command{
		Use:   "compare [LEDGER --switch ADDRESS]",
		Short: "Read the switch live and compare it with the log's last entry",
		Long: `Compare reads the program, its cookie and the page tables back from the switch, and compares their digest with the state that the log's last
outcome on it left. If it differs it lists what moved, where the log tells, and exits with 1. An auditor names the ledger and
the switch's address; the operator, the linked directory. It only reads, and takes no mastership.`,
		Example: `  interlock audit compare ledger --key key.pub --switch 192.0.2.7:9559
  interlock audit compare -d linked`,
		Args: cobra.MaximumNArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.Flags().StringVar(&key, "key", "", "verifier key file (default: key.pub in the ledger)")
	c.Flags().StringVar(&target.Address, "switch", "", "address of the switch's P4Runtime server")
	c.Flags().StringVar(&target.Name, "name", "", "the switch's name in the log (default: the only one there)")
	c.Flags().StringVar(&target.Driver, "driver", "softswitch", "the switch's driver")
	c.Flags().Uint64Var(&target.DeviceID, "device-id", 1, "the switch's device id")
	format := addFormat(c)
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var l *check.Log
		var targets []device.Target
		var err error
		switch {
		case len(args) == 1 && target.Address == "":
			return inputf("which switch? Give its address with --switch")
		case len(args) == 0 && target.Address != "":
			return inputf("--switch goes with a LEDGER; with -d the site says where the switch is")
		case len(args) == 1 && len(*on) > 0:
			return inputf("--on goes with -d; a LEDGER's switch is named with --name")
		case len(args) == 1:
			l, err = readLedger(args[0], key)
			if err == nil && target.Name == "" {
				target.Name, err = onlySwitch(l)
			}
			targets = append(targets, target)
		default:
			n, nerr := openNetwork(dir, *on)
			if nerr != nil {
				return nerr
			}
			for _, w := range n.works {
				targets = append(targets, w.target())
			}
			l, err = readLedger(n.works[0].ledgerDir(), key)
		}
		if err != nil {
			return err
		}
		if len(l.Findings) > 0 {
			return refusedf("the log is not intact, so there is nothing to compare with: %s", l.Findings[0])
		}
		var list []*comparison
		var errs []error
		for _, t := range targets {
			data, err := compareSwitch(c.Context(), l, t)
			if err == nil {
				list = append(list, data)
			}
			if err == nil && !data.Same {
				err = refusedf("switch %s is in state %s, the log's last entry left %s: something else wrote to it, or a plan was interrupted",
					data.Switch, data.State, data.Logged)
			}
			errs = append(errs, err)
		}
		if len(list) > 0 {
			errs = append(errs, printEach(*format, c.OutOrStdout(), list, func(out io.Writer, data *comparison) {
				if data.Same {
					fmt.Fprintf(out, "switch %s is as the log's last entry left it: %s\n", data.Switch, data.State)
				}
				for _, m := range data.Moved {
					fmt.Fprintln(out, m)
				}
			}))
		}
		return together(errs)
	}
	return c
}

// comparison of a switch with the log.
type comparison struct {
	Switch string   `json:"switch"`
	State  string   `json:"state"`  // digest of what was read
	Logged string   `json:"logged"` // digest of what the last outcome left
	Same   bool     `json:"same"`
	Moved  []string `json:"moved"`
}

func compareSwitch(ctx context.Context, l *check.Log, target device.Target) (*comparison, error) {
	want, _ := lastState(l, target.Name)
	if want == "" {
		return nil, inputf("the ledger has no outcome on switch %s yet", target.Name)
	}
	r, err := device.Dial(target)
	if err != nil {
		return nil, gateError(err)
	}
	defer r.Close()
	ctx, cancel := timeout(ctx)
	defer cancel()
	have, err := gate.StateDigest(ctx, r)
	if err != nil {
		return nil, gateError(err)
	}
	data := &comparison{Switch: target.Name, State: string(have), Logged: string(want), Same: have == want, Moved: []string{}}
	if data.Same {
		return data, nil
	}
	tables, _, err := recordedState(l, target.Name)
	if err != nil {
		return data, nil // the log does not tell; the digests differ all the same
	}
	p, err := r.Pipeline(ctx)
	if err != nil {
		return data, nil // no program, or another: that is the difference
	}
	now, err := r.PageTables(ctx, p.P4Info)
	if err != nil {
		return data, nil
	}
	if moved, err := gate.Moved(tables, now, p.P4Info, lastTenants(l, target.Name)); err == nil && moved != nil {
		data.Moved = moved
	}
	return data, nil
}

// onlySwitch is the one switch that a log is about.
func onlySwitch(l *check.Log) (string, error) {
	name := ""
	for _, e := range l.Entries {
		if e.Outcome == nil {
			continue
		}
		if name != "" && e.Outcome.Switch != name {
			return "", inputf("the log is about switches %s and %s: say which with --name", name, e.Outcome.Switch)
		}
		name = e.Outcome.Switch
	}
	if name == "" {
		return "", inputf("the log has no outcome on any switch yet")
	}
	return name, nil
}

// lastTenants are those of the last plan for a switch.
func lastTenants(l *check.Log, name string) []plan.Tenant {
	_, tenants, err := programBefore(l, check.Entry{Index: int64(len(l.Entries)), Decision: &check.Decision{Switch: name}})
	if err != nil {
		return nil
	}
	return tenants
}

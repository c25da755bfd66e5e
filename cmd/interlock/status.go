package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
)

// ownership is one extent, as status prints it.
type ownership struct {
	Tenant     string `json:"tenant"`
	VID        uint16 `json:"vid"`
	Control    string `json:"control"`
	Stage      int    `json:"stage"`
	Base       int64  `json:"base"`
	Size       int64  `json:"size"`
	Generation uint16 `json:"generation"`
}

// primitives are what proofs rest on in a driver, as status prints them.
type primitives struct {
	Driver       string `json:"driver"`
	Fence        string `json:"fence"`
	FenceTimeout string `json:"fenceTimeout"`
	Scrub        string `json:"scrub"`
	Unanswered   string `json:"unanswered"`
}

func newStatus() *cobra.Command {
	c := &cobra.Command{
		Use:     "status [DIR]",
		GroupID: "memory",
		Short:   "Show what runs on the switch and who owns which slots, as read back from it",
		Example: "  interlock status linked -o json",
		Args:    cobra.MaximumNArgs(1),
	}
	format := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWork(dirArg(args, 0))
		if err != nil {
			return err
		}
		ctx, cancel := timeout(c.Context())
		defer cancel()
		r, err := device.Dial(w.target())
		if err != nil {
			return gateError(err)
		}
		defer r.Close()
		p, err := r.Pipeline(ctx)
		empty := errors.Is(err, device.ErrNoPipeline)
		if empty {
			p = &device.Pipeline{}
		} else if err != nil {
			return gateError(err)
		}
		data := struct {
			Switch  string             `json:"switch"`
			Address string             `json:"address"`
			Empty   bool               `json:"empty"` // it runs no program
			Cookie  string             `json:"cookie"`
			Ours    bool               `json:"ours"` // it runs the program in DIR
			Trusted primitives         `json:"trusted"`
			Evicted []eviction         `json:"evicted"`
			Owners  []ownership        `json:"owners"`
			Free    map[string]float64 `json:"free"` // share of each stage array
		}{Switch: w.site.Switch.Name, Address: w.site.Switch.Address, Empty: empty, Owners: []ownership{}, Cookie: fmt.Sprintf("%#x", p.Cookie)}
		data.Ours = string(p.DeviceConfig) == string(w.linked) && p.Cookie == gate.Cookie(w.linked)
		declared, err := device.DeclaredPrimitives(w.site.Switch.Driver)
		if err != nil {
			return exitWith(exitInput, err)
		}
		data.Trusted = primitives{declared.Driver, declared.Fence, declared.FenceTimeout.String(), declared.Scrub, declared.Unanswered}
		if data.Evicted, err = w.evictions(); err != nil {
			return err
		}
		if data.Ours {
			state, err := r.PageTables(ctx, p.P4Info)
			if err != nil {
				return gateError(err)
			}
			if data.Owners, data.Free, err = w.owners(state); err != nil {
				return err
			}
		}
		return format.print(c.OutOrStdout(), data, func(out io.Writer) {
			switch {
			case data.Empty:
				fmt.Fprintf(out, "switch %s at %s runs no program\n", data.Switch, data.Address)
				return
			case !data.Ours:
				fmt.Fprintf(out, "switch %s at %s, cookie %s: it does not run the program in %s\n", data.Switch, data.Address, data.Cookie, w.dir)
				return
			}
			fmt.Fprintf(out, "switch %s at %s, cookie %s\n", data.Switch, data.Address, data.Cookie)
			t := newTable(out, "tenant", "VID", "stage", "slots", "size", "generation")
			for _, o := range data.Owners {
				t.AppendRow([]any{
					o.Tenant, o.VID, fmt.Sprintf("%s/%d", o.Control, o.Stage), fmt.Sprintf("%d..%d", o.Base, o.Base+o.Size-1),
					o.Size, o.Generation,
				})
			}
			t.Render()
			printEvictions(out, data.Evicted)
			fmt.Fprintf(out, "trusted of driver %s:\n  fence: %s\n  scrub: %s\n", data.Trusted.Driver, data.Trusted.Fence, data.Trusted.Scrub)
		})
	}
	return c
}

func printEvictions(out io.Writer, list []eviction) {
	for _, e := range list {
		pending := ""
		if e.Pending {
			pending = "; that is pending: its memory is unmapped when a command opens the gate next"
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
			list = append(list, ownership{name, k.VID, string(k.Control), stage, m.Base, m.Size, m.Generation})
		}
	}
	free := map[string]float64{}
	for a, n := range codec.Slots() {
		free[a.String()] = 1 - float64(used[a])/float64(n)
	}
	return list, free, nil
}

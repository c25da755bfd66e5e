package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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

// switchStatus is what status prints of one switch.
type switchStatus struct {
	Switch  string             `json:"switch"`
	Address string             `json:"address"`
	Empty   bool               `json:"empty"` // it runs no program
	Cookie  string             `json:"cookie"`
	Ours    bool               `json:"ours"` // it runs the program in DIR
	Trusted primitives         `json:"trusted"`
	Evicted []eviction         `json:"evicted"`
	Owners  []ownership        `json:"owners"`
	Free    map[string]float64 `json:"free"`            // share of each stage array
	Error   string             `json:"error,omitempty"` // why nothing could be read
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
				s = &switchStatus{Switch: w.site.Switch.Name, Address: w.site.Switch.Address, Error: err.Error(), Owners: []ownership{}}
				s.Evicted, _ = w.evictions()
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
	s := &switchStatus{Switch: w.site.Switch.Name, Address: w.site.Switch.Address, Empty: empty, Owners: []ownership{}, Cookie: fmt.Sprintf("%#x", p.Cookie)}
	s.Ours = string(p.DeviceConfig) == string(w.linked) && p.Cookie == gate.Cookie(w.linked)
	declared, err := device.DeclaredPrimitives(w.site.Switch.Driver)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	s.Trusted = primitives{declared.Driver, declared.Fence, declared.FenceTimeout.String(), declared.Scrub, declared.Unanswered}
	if s.Evicted, err = w.evictions(); err != nil {
		return nil, err
	}
	if !s.Ours {
		return s, nil
	}
	state, err := r.PageTables(ctx, p.P4Info)
	if err != nil {
		return nil, gateError(err)
	}
	s.Owners, s.Free, err = w.owners(state)
	return s, err
}

func (s *switchStatus) print(out io.Writer, dir string) {
	switch {
	case s.Error != "":
		fmt.Fprintf(out, "switch %s at %s: %s\n", s.Switch, s.Address, s.Error)
		printEvictions(out, s.Evicted)
		return
	case s.Empty:
		fmt.Fprintf(out, "switch %s at %s runs no program\n", s.Switch, s.Address)
		return
	case !s.Ours:
		fmt.Fprintf(out, "switch %s at %s, cookie %s: it does not run the program in %s\n", s.Switch, s.Address, s.Cookie, dir)
		return
	}
	fmt.Fprintf(out, "switch %s at %s, cookie %s\n", s.Switch, s.Address, s.Cookie)
	t := newTable(out, "tenant", "VID", "stage", "slots", "size", "generation")
	for _, o := range s.Owners {
		t.AppendRow([]any{
			o.Tenant, o.VID, fmt.Sprintf("%s/%d", o.Control, o.Stage), fmt.Sprintf("%d..%d", o.Base, o.Base+o.Size-1),
			o.Size, o.Generation,
		})
	}
	t.Render()
	printEvictions(out, s.Evicted)
	fmt.Fprintf(out, "trusted of driver %s:\n  fence: %s\n  scrub: %s\n", s.Trusted.Driver, s.Trusted.Fence, s.Trusted.Scrub)
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

package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// linkedSite is a linked directory with the works of its switches, in the site's order; one, in most sites.
type linkedSite struct {
	dir   string
	works []*work
	// several says that the site has several switches, however many of them are meant.
	several bool
}

// addOn gives c the flag --on, for sites with several switches.
func addOn(c *cobra.Command) *[]string {
	return c.Flags().StringSlice("on", nil, "only on these switches, where the site has several")
}

// openNetwork opens the programs of all switches in dir, or of those in on.
func openNetwork(dir string, on []string) (*linkedSite, error) {
	return openNetworkWith(dir, on, openWork)
}

// openNetworkWith has every switch's program opened by open. With an error it also returns the works of the switches where that went well.
func openNetworkWith(dir string, on []string, open func(dir string) (*work, error)) (*linkedSite, error) {
	o, err := readOrigin(dir)
	if err != nil {
		return nil, err
	}
	n := &linkedSite{dir: dir, several: len(o.Switches) > 0 || o.Switch != ""}
	dirs := []string{dir}
	if len(o.Switches) > 0 {
		dirs = nil
		for _, name := range o.Switches {
			if len(on) == 0 || slices.Contains(on, name) {
				dirs = append(dirs, filepath.Join(dir, name))
			}
		}
	}
	var errs []error
	for _, d := range dirs {
		w, err := open(d)
		if errs = append(errs, err); err == nil {
			n.works = append(n.works, w)
		}
	}
	if err := together(errs); err != nil {
		return n, err
	}
	known := o.Switches
	if len(known) == 0 {
		known = []string{n.works[0].site.Switch.Name}
	}
	for _, name := range on {
		if !slices.Contains(known, name) {
			return nil, inputf("--on %s: there is no such switch in %s, which has %s", name, dir, strings.Join(known, ", "))
		}
	}
	return n, nil
}

// one is the work of the only switch that is meant.
func (n *linkedSite) one() (*work, error) {
	if len(n.works) == 1 {
		return n.works[0], nil
	}
	return nil, inputf("%s has the programs of %d switches: say which with --on", n.dir, len(n.works))
}

// each does something for every switch, also when it failed for one before. Where there are several, errors name theirs. The exit code
// is the first one's.
func (n *linkedSite) each(do func(w *work) error) error {
	var errs []error
	for _, w := range n.works {
		errs = append(errs, n.named(w, do(w)))
	}
	return together(errs)
}

// named says which switch an error is about.
func (n *linkedSite) named(w *work, err error) error {
	if !n.several {
		return err
	}
	return about(w.site.Switch.Name, err)
}

// about puts the switch's name before an error that does not say it.
func about(name string, err error) error {
	if err == nil || strings.Contains(err.Error(), "switch "+name) {
		return err
	}
	var coded *exitError
	if errors.As(err, &coded) {
		return &exitError{coded.code, fmt.Errorf("switch %s: %w", name, err)}
	}
	return fmt.Errorf("switch %s: %w", name, err)
}

// together is all errors in one, with the exit code of the first. What is wrong on every switch is said once.
func together(errs []error) error {
	said := map[string]bool{}
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})
	if len(errs) < 2 {
		return errors.Join(errs...) //nolint:wrapcheck // one is itself, none is nil
	}
	var coded *exitError
	errors.As(errs[0], &coded)
	code := exitEnvironment
	if coded != nil {
		code = coded.code
	}
	return &exitError{code, errors.Join(errs...)}
}

// head prints which switch the text that follows is about, where there are several.
func (n *linkedSite) head(out io.Writer, w *work) {
	if len(n.works) > 1 {
		fmt.Fprintf(out, "switch %s:\n", w.site.Switch.Name)
	}
}

// onSwitch is " on switch NAME" where the site has several.
func (n *linkedSite) onSwitch(w *work) string {
	if !n.several {
		return ""
	}
	return " on switch " + w.site.Switch.Name
}

// printEach prints what a command has found out on each switch: as JSON or YAML one object, or a list of them where several switches are
// meant.
func printEach[T any](f format, out io.Writer, data []T, asTable func(io.Writer, T)) error {
	if len(data) == 1 {
		return f.print(out, data[0], func(out io.Writer) { asTable(out, data[0]) })
	}
	return f.print(out, data, func(out io.Writer) {
		for i, d := range data {
			if i > 0 {
				fmt.Fprintln(out)
			}
			asTable(out, d)
		}
	})
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
)

// evictedFile, beside the ledger, has the tenants that plans give nothing.
const evictedFile = "evicted.json"

// An eviction is a tenant that is kept out, until it is admitted again.
type eviction struct {
	Tenant string    `json:"tenant"`
	VID    uint16    `json:"vid"`
	Since  time.Time `json:"since"`
	Who    string    `json:"who"`
	// Pending says that its memory is not known to be unmapped: the switch could not be reached, or did not answer. Whoever opens the
	// gate next does it first of all.
	Pending bool `json:"pending"`
	// On are the switches where it is pending; empty where the site has one switch.
	On []string `json:"on,omitempty"`
}

// pendingOn says whether it is pending on a switch.
func (e *eviction) pendingOn(name string) bool {
	return e.Pending && (len(e.On) == 0 || slices.Contains(e.On, name))
}

func (w *work) evictions() ([]eviction, error) {
	path := filepath.Join(w.ledgerDir(), evictedFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []eviction{}, nil
	} else if err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	list := []eviction{}
	if err := verify.StrictJSON(b, &list); err != nil {
		return nil, inputf("%s:%w", path, err)
	}
	return list, nil
}

// evicted names the tenants that are kept out.
func (w *work) evicted() ([]string, error) {
	list, err := w.evictions()
	names := []string{}
	for _, e := range list {
		names = append(names, e.Tenant)
	}
	return names, err
}

// setEvicted keeps a tenant out from now on; it is on disk when setEvicted returns.
func (w *work) setEvicted(e eviction) error {
	return w.changeEvictions(func(list []eviction) []eviction {
		if i := slices.IndexFunc(list, func(o eviction) bool { return o.Tenant == e.Tenant }); i >= 0 {
			list[i].Pending, list[i].On = e.Pending, e.On // it has been out since then
			return list
		}
		return append(list, e)
	})
}

// setUnmapped notes that a tenant's memory on this switch is unmapped.
func (w *work) setUnmapped(tenant string) error {
	return w.changeEvictions(func(list []eviction) []eviction {
		if i := slices.IndexFunc(list, func(o eviction) bool { return o.Tenant == tenant }); i >= 0 {
			e := &list[i]
			e.On = slices.DeleteFunc(e.On, func(name string) bool { return name == w.site.Switch.Name })
			e.Pending = len(e.On) > 0
		}
		return list
	})
}

// setAdmitted lets a tenant in again.
func (w *work) setAdmitted(tenant string) error {
	return w.changeEvictions(func(list []eviction) []eviction {
		return slices.DeleteFunc(list, func(e eviction) bool { return e.Tenant == tenant })
	})
}

func (w *work) changeEvictions(change func([]eviction) []eviction) error {
	list, err := w.evictions()
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(change(list), "", " ")
	if err != nil {
		return err
	}
	dir := w.ledgerDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return exitWith(exitEnvironment, err)
	}
	f, err := os.CreateTemp(dir, ".evicted-*")
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, evictedFile))
	}
	if err == nil {
		var d *os.File
		if d, err = os.Open(dir); err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
	}
	return exitWith(exitEnvironment, err)
}

// carryOut does the evictions that are pending. Nothing else is done on the switch before.
func (w *work) carryOut(ctx context.Context, g *gate.Gate) error {
	list, err := w.evictions()
	if err != nil {
		return err
	}
	for _, e := range list {
		if !e.pendingOn(w.site.Switch.Name) {
			continue
		}
		out, err := g.Evict(ctx, e.Tenant, e.VID)
		if err != nil && !errors.Is(err, device.ErrNoPipeline) { // an empty switch maps nothing
			return gateError(fmt.Errorf("the eviction of tenant %s, which is pending since %s: %w", e.Tenant, e.Since.Format(time.RFC3339), err))
		}
		if err := w.setUnmapped(e.Tenant); err != nil {
			return err
		}
		if out.Steps > 0 {
			fmt.Fprintf(os.Stderr, "evicted tenant %s (VID %d), as was asked for at %s (ledger entry %d)\n",
				e.Tenant, e.VID, e.Since.Format(time.RFC3339), out.Entry)
		}
	}
	return nil
}

// Package report draws what a run of the control loop did: who owned which slots over time, each tenant's utility, and where
// the time of a reallocation went. It only draws: its input is a recorded run, its output are SVG files and one HTML page.
package report

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A Run is a recorded run of the control loop on one switch.
type Run struct {
	Title   string
	Tenants []Tenant
	Arrays  []Array
	Epochs  []Epoch
}

// Tenant of the run; Target is its utility target, in [0,1].
type Tenant struct {
	Name    string
	Target  float64
	Balance string // credits at the end of the run; empty where the policy settles none
}

// Array is a stage array.
type Array struct {
	Control string
	Stage   int
	Slots   int64
}

// Epoch is what one epoch ended with.
type Epoch struct {
	At      time.Duration // since the run began
	Extents []Extent
	Utility map[string]float64 // tenants without traffic are absent
	Parts   []Part             // of the reallocation's time; empty when nothing changed
}

// Extent is owned by Tenant from the end of the epoch on.
type Extent struct {
	Tenant  string
	Control string
	Stage   int
	Base    int64
	Size    int64
}

// Part is one part of a reallocation's time. Every epoch names the same parts in the same order.
type Part struct {
	Name string
	Time time.Duration
}

// Write draws run into dir: slots.svg, utility.svg, time.svg and index.html.
func Write(dir string, run *Run) error {
	if len(run.Epochs) == 0 {
		return fmt.Errorf("report: the run has no epochs")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pal := newPalette(run.Tenants)
	for _, picture := range []struct {
		file string
		draw func(*Run, palette) ([]byte, error)
	}{{"slots.svg", drawSlots}, {"utility.svg", drawUtility}, {"time.svg", drawTime}} {
		svg, err := picture.draw(run, pal)
		if err != nil {
			return fmt.Errorf("report: %s: %w", picture.file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, picture.file), svg, 0o644); err != nil {
			return err
		}
	}
	return writePage(filepath.Join(dir, "index.html"), run)
}

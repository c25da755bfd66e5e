package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample is a run in which tenant a grows at the expense of b, which is idle for a while.
func sample() *Run {
	run := &Run{
		Title:   "sample",
		Tenants: []Tenant{{"a", 0.9, "7/2"}, {"b", 0.8, ""}},
		Arrays:  []Array{{"ingress", 0, 1024}, {"ingress", 1, 1024}},
	}
	for i := range 20 {
		size := int64(128 << min(i/4, 2))
		e := Epoch{
			At: time.Duration(i) * 500 * time.Millisecond,
			Extents: []Extent{
				{"a", "ingress", 0, 0, size},
				{"a", "ingress", 1, 0, size},
				{"b", "ingress", 0, 768, 256},
			},
			Utility: map[string]float64{"a": 0.5 + float64(size)/1024},
		}
		if i < 8 || i > 12 {
			e.Utility["b"] = 0.85
		}
		if i%4 == 0 {
			e.Parts = []Part{{"estimate", time.Millisecond}, {"prove", 3 * time.Millisecond}, {"write", 2 * time.Millisecond}}
		}
		run.Epochs = append(run.Epochs, e)
	}
	return run
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, sample()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"slots.svg", "utility.svg", "time.svg"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		dec := xml.NewDecoder(strings.NewReader(string(b)))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", name, err)
			}
		}
	}
	html, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	// a is below 0.9 while it has 128 or 256 slots (8 epochs) and above with 512; b is at 0.85 of 0.8 in its 15 epochs.
	for _, want := range []string{"12 (60 %)", "15 (100 %)", "5 of 20 epochs changed extents; median of a reallocation 6ms"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("index.html lacks %q", want)
		}
	}
}

func TestOwnedMergesEpochs(t *testing.T) {
	run := sample()
	bs := owned(run, run.Arrays[0], newPalette(run.Tenants))
	if len(bs) != 4 { // b once, a in three sizes
		t.Fatalf("got %d boxes, want 4: %v", len(bs), bs)
	}
	if last := bs[len(bs)-1]; last.x0 != 4 || last.x1 != 10 || last.y1 != 512 {
		t.Errorf("a's last extent is %v, want 4 s to 10 s up to slot 512", last)
	}
}

func TestNoEpochs(t *testing.T) {
	if err := Write(t.TempDir(), &Run{}); err == nil {
		t.Error("a run without epochs was drawn")
	}
}

package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A log of more than 65,536 entries has hash tiles of three levels. Each is written, and looked at by the checker (whose own test changes them
// in every way).
func TestLargeLog(t *testing.T) {
	if testing.Short() {
		t.Skip("tens of thousands of signatures")
	}
	const size = 65536 + 256 + 7
	l := newLog(t)
	var wg sync.WaitGroup
	next := make(chan int)
	for range 64 {
		wg.Go(func() {
			for range next {
				if _, err := l.AppendOutcome(context.Background(), Outcome{Action: "evict", Switch: "s1", Decision: -1, Result: Pending}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range size {
		next <- n
	}
	close(next)
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, l.Dir()) // it goes on from what is on disk
	if err := appendPair(t, l, 0); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The last bit of a file of each kind: nothing else is wrong.
	for _, name := range []string{"tile/0/256", "tile/0/257.p/9", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"} {
		b := readFile(t, l.Dir(), name)
		b[len(b)-1] ^= 1
		if err := os.WriteFile(filepath.Join(l.Dir(), name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := read(t, l.Dir())
	var got []string
	for _, f := range c.Findings {
		got = append(got, fmt.Sprintf("%s %d", f.File, f.Entry))
	}
	want := []string{"tile/0/256 65791", "tile/0/257.p/9 65800", "tile/1/000 65280", "tile/1/001.p/1 65536", "tile/2/000.p/1 0"}
	if !slices.Equal(got, want) || c.Size != size+2 {
		t.Errorf("of %d entries, found %v, want %v", c.Size, got, want)
	}
	if files, err := c.Files(); err != nil || !slices.Contains(files, "tile/1/001.p/1") || !slices.Contains(files, "tile/2/000.p/1") {
		t.Errorf("an export would not have the upper tiles: %v", err)
	}
}

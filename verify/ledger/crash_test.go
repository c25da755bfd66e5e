package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var errCrash = errors.New("crash")

// crasher stops a log before one of its steps on the disk, and all that come after. It can hold the publisher back until it is let go, so
// that many appends are in the journal only.
type crasher struct {
	mu    sync.Mutex
	stop  int // steps that still succeed; negative: all do
	steps int
	held  chan struct{} // nil: nothing is held back
}

func (c *crasher) step(op, path string) error {
	journal := strings.HasPrefix(path, "journal")
	if c.held != nil && (!journal || op == "syncfs") {
		<-c.held
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.steps++; c.stop >= 0 && c.steps > c.stop {
		return errCrash
	}
	return nil
}

// A crash before any step on the disk leaves a log that is intact for whoever reads it, and that opens with all entries that were
// acknowledged and accepts the next, whatever the publisher had done of its work.
func TestCrash(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit int64 // of a journal
		hold  bool  // the publisher, until everything is appended
		each  bool  // append is published before the next
	}{
		{"published one by one", journalLimit, false, true},
		{"all at once", journalLimit, true, false},
		{"whenever it comes", journalLimit, false, false},
		{"journals change after every append", 1, false, true},
		{"journals change while one is emptied", 1, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for stop := 0; ; stop++ {
				l := newLog(t)
				l.limit = c.limit
				if err := appendPair(t, l, 0); err != nil {
					t.Fatal(err)
				}
				if err := l.Publish(); err != nil {
					t.Fatal(err)
				}
				crash := &crasher{stop: stop}
				release := func() {}
				if c.hold {
					crash.held = make(chan struct{})
					release = sync.OnceFunc(func() { close(crash.held) })
				}
				l.OnDisk(crash.step)
				acked := l.Size()
				for n := 1; n < 4; n++ {
					err := appendPair(t, l, n)
					acked = max(acked, l.Size())
					if err == nil && c.each {
						err = l.Publish()
					}
					if err != nil {
						break
					}
				}
				release()
				err := l.Close()
				if err != nil && !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				if c := read(t, l.Dir()); len(c.Findings) > 0 {
					t.Fatalf("stopped before step %d: before it is opened again: %v", stop, c.Findings)
				}
				again := open(t, l.Dir())
				size := again.Size()
				if size < acked || size > acked+1 || size < 2 {
					t.Fatalf("stopped before step %d: %d entries, %d were acknowledged", stop, size, acked)
				}
				if c := read(t, l.Dir()); len(c.Findings) > 0 || c.Size != size {
					t.Fatalf("stopped before step %d: %d of %d entries: %v", stop, c.Size, size, c.Findings)
				}
				if err := appendPair(t, again, int(size/2)); err != nil {
					t.Fatalf("stopped before step %d: the next append: %v", stop, err)
				}
				again.Close()
				if err == nil && crash.steps <= stop {
					if stop < 20 {
						t.Errorf("only %d steps: is every write covered?", stop)
					}
					return
				}
			}
		})
	}
}

// unsyncedLog is a log of 10 entries whose files after the first two are not synced, with frames in both journals, and a copy of what
// was synced.
func unsyncedLog(t *testing.T) (l *Log, synced string, release func()) {
	t.Helper()
	l = newLog(t)
	if err := appendPair(t, l, 0); err != nil {
		t.Fatal(err)
	}
	l.Close()
	synced = filepath.Join(memoryDir(t), "synced")
	copyLog(t, l.Dir(), synced)
	l = open(t, l.Dir())
	held := make(chan struct{})
	release = sync.OnceFunc(func() { close(held) })
	t.Cleanup(release)
	l.OnDisk(func(op, path string) error {
		if op == "syncfs" {
			<-held
		}
		return nil
	})
	for n := 1; n < 5; n++ {
		if n == 3 { // the other journal; the publisher waits when it would empty this one
			if err := l.Publish(); err != nil {
				t.Fatal(err)
			}
			l.limit = 1
		}
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range journalFiles {
		if len(readFile(t, l.Dir(), name)) == 0 {
			t.Fatalf("%s is empty", name)
		}
	}
	return l, synced, release
}

func copyLog(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(to, keyFile), 0o600); err != nil {
		t.Fatal(err)
	}
}

// After a power cut, files that were not synced can be anything: as they were at the last sync, missing, cut anywhere, full of zeros. Only
// the journals are as new as was acknowledged. Every acknowledged entry is there again.
func TestPowerCut(t *testing.T) {
	l, synced, _ := unsyncedLog(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var unsynced []string
	if err := filepath.WalkDir(l.Dir(), func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(l.Dir(), path)
		if err != nil || d.IsDir() || strings.HasPrefix(name, "journal") || name == "lock" {
			return err
		}
		old, oerr := os.ReadFile(filepath.Join(synced, name))
		if oerr != nil || !bytes.Equal(old, readFile(t, path)) {
			unsynced = append(unsynced, name)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(unsynced) < 8 {
		t.Fatalf("only %q are not synced", unsynced)
	}
	for trial := range 60 {
		dir := filepath.Join(memoryDir(t), "log")
		copyLog(t, synced, dir)
		for _, name := range journalFiles {
			writeFile(t, filepath.Join(dir, name), readFile(t, l.Dir(), name))
		}
		for _, name := range unsynced {
			b := readFile(t, l.Dir(), name)
			switch rnd.IntN(4) {
			case 0:
				continue // as it was at the last sync, or not there
			case 1:
				b = b[:rnd.IntN(len(b)+1)]
			case 2:
				clear(b[rnd.IntN(len(b)+1):])
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, name), b)
		}
		again := open(t, dir)
		if again.Size() != 10 {
			t.Errorf("trial %d: %d entries after a power cut, want 10", trial, again.Size())
		}
		if err := appendPair(t, again, 5); err != nil {
			t.Fatal(err)
		}
		again.Close()
		if c := read(t, dir); len(c.Findings) > 0 || c.Size != 12 {
			t.Fatalf("trial %d: %d entries, %v", trial, c.Size, c.Findings)
		}
	}
}

// A journal whose last frame is torn at any byte is as if the frame had not been written; whatever follows the last frame is nothing.
func TestTornJournal(t *testing.T) {
	l, synced, _ := unsyncedLog(t)
	whole := readFile(t, l.Dir(), journalFiles[1])
	frames := parseFrames(whole)
	last := len(whole) - 8 - len(frames[len(frames)-1].payload())
	size := frames[len(frames)-1].Index + 1
	dir := filepath.Join(memoryDir(t), "log")
	try := func(what string, torn []byte, want int64) {
		t.Helper()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		copyLog(t, synced, dir)
		writeFile(t, filepath.Join(dir, journalFiles[0]), readFile(t, l.Dir(), journalFiles[0]))
		writeFile(t, filepath.Join(dir, journalFiles[1]), torn)
		again := open(t, dir)
		if again.Size() != want {
			t.Fatalf("%s: %d entries, want %d", what, again.Size(), want)
		}
		again.Close()
		if c := read(t, dir); len(c.Findings) > 0 || c.Size != want {
			t.Fatalf("%s: %d entries, %v", what, c.Size, c.Findings)
		}
	}
	step := 1
	if testing.Short() {
		step = 97
	}
	for n := last; n < len(whole); n += step * (1 + min(1, (n-last)/64)*12) { // every byte of its head, then every 13th
		try("cut", whole[:n], size-1)
	}
	try("whole", whole, size)
	for _, tail := range []int{1, 7, 8, 100} {
		try("with a beginning after it", append(slices.Clone(whole), whole[:tail]...), size)
	}
	zeros := append(slices.Clone(whole[:last]), make([]byte, len(whole)-last)...)
	try("with zeros for the last frame", zeros, size-1)
}

// A journal that lost acknowledged entries does not make the log shorter in silence.
func TestDamagedJournal(t *testing.T) {
	l, _, _ := unsyncedLog(t)
	dir := filepath.Join(memoryDir(t), "log")
	for _, name := range journalFiles {
		whole := readFile(t, l.Dir(), name)
		for _, at := range []int{len(whole) - 1, len(whole) / 2, 9, 4, 0} {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			copyLog(t, l.Dir(), dir)
			bad := slices.Clone(whole)
			bad[at] ^= 1
			writeFile(t, filepath.Join(dir, name), bad)
			covered := read(t, dir).Size // by the checkpoint that others may have seen
			again, err := Open(dir)
			if err == nil {
				if again.Size() < covered {
					t.Errorf("byte %d of %s changed: the log opens with %d entries, and had %d", at, name, again.Size(), covered)
				}
				again.Close()
			}
		}
	}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Appends from many goroutines at once are all there, each once, and share syncs.
func TestConcurrentAppends(t *testing.T) {
	l := newLog(t)
	l.limit = 20 << 10
	var mu sync.Mutex
	syncs := 0
	l.OnDisk(func(op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		if op == "sync" {
			syncs++
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	var wg sync.WaitGroup
	const writers, each = 8, 20
	seen := make([]bool, writers*each)
	for range writers {
		wg.Go(func() {
			for range each {
				n, err := l.AppendOutcome(t.Context(), Outcome{Action: "recover", Switch: "s1", Decision: -1, Result: Interrupted, PreState: "a", PostState: "a"})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[n] {
					t.Errorf("index %d twice", n)
				}
				seen[n] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := l.Publish(); err != nil {
		t.Fatal(err)
	}
	if c := read(t, l.Dir()); len(c.Findings) > 0 || c.Size != writers*each {
		t.Errorf("%d entries, %v", c.Size, c.Findings)
	}
	if syncs >= writers*each {
		t.Errorf("%d syncs of %d appends", syncs, writers*each)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{}, []byte("entry"), []byte("checkpoint"))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, raw, entry, checkpoint []byte) {
		parseFrames(raw)
		want := frame{Index: int64(len(raw)), Entry: entry, Checkpoint: checkpoint, Files: map[string][]byte{"blobs/a": raw, "blobs/b": entry}}
		got, ok := parseFrame(want.payload())
		if !ok || got.Index != want.Index || !bytes.Equal(got.Entry, entry) || !bytes.Equal(got.Files["blobs/a"], raw) ||
			!bytes.Equal(got.Files["blobs/b"], entry) || !bytes.Equal(got.Checkpoint, checkpoint) {
			t.Errorf("%v %v", got, ok)
		}
	})
}

package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
)

// proved is a decider that says proved to everything.
type proved struct{}

func (proved) Solvers() []verify.SolverInfo { return []verify.SolverInfo{{Name: "z3"}} }

func (proved) Decide(_ context.Context, obs []verify.Obligation, _ func(int, int)) ([]verify.Result, error) {
	var rs []verify.Result
	for _, o := range obs {
		s := o.State()
		rs = append(rs, verify.Result{Obligation: o.ID, Text: s.Text, GuardText: s.Guard, Solver: "z3", Verdict: verify.Proved})
	}
	return rs, nil
}

// memoryDir is a directory in memory where there is such a thing: tests open and close hundreds of logs, and a disk would be synced each
// time with whatever else is on it.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ledger")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newLog(t testing.TB) *Log {
	t.Helper()
	dir := memoryDir(t)
	if err := Create(dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func open(t testing.TB, dir string) *Log {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// appendPair appends a decision and its outcome; states run 0, 1, 2, ...
func appendPair(t testing.TB, l *Log, n int) error {
	t.Helper()
	ctx := context.Background()
	s := verify.Subject{Kind: "plan", Name: fmt.Sprintf("plan %d", n), Inputs: map[string][]byte{
		"plan.json": fmt.Appendf(nil, "plan %d", n), "linked.p4": program, "prestate.bin": fmt.Append(nil, n),
	}}
	obs := []verify.Obligation{{ID: fmt.Sprintf("M1/%d", n), Property: "M1", Logic: "QF_LIA", Text: "(assert false)(check-sat)", Guard: "(check-sat)"}}
	cert, err := verify.Decide(ctx, proved{}, s, "1", obs, nil, []string{"z3"}, time.Unix(int64(n), 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	index, err := l.AppendDecision(ctx, Decision{Action: "plan", Verdict: "proved", Who: "test", At: time.Unix(int64(n), 0).UTC()}, s, cert, obs)
	if err != nil {
		return err
	}
	_, err = l.AppendOutcome(ctx, Outcome{
		Action: "apply", Switch: "s1", Decision: index, Result: Applied,
		PreState: state(fmt.Append(nil, n)), PostState: state(fmt.Append(nil, n+1)), Who: "test",
	})
	return err
}

var program = []byte("the same program")

// state is the digest of a switch that runs program and has these page tables.
func state(tables []byte) verify.Digest {
	sum := sha256.Sum256(program)
	return verify.DigestOf(fmt.Appendf(nil, "%s\n%d\n%s\n", verify.DigestOf(program), binary.BigEndian.Uint64(sum[:]), verify.DigestOf(tables)))
}

func publish(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Publish(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) *check.Log {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := check.Read(dir, string(key))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAppendReadBack(t *testing.T) {
	l := newLog(t)
	var early []byte
	for n := range 140 { // 280 entries: more than a bundle
		if n == 70 {
			publish(t, l)
			early, _ = os.ReadFile(filepath.Join(l.Dir(), "checkpoint"))
		}
		if n%50 == 49 {
			l.Close()
			l = open(t, l.Dir())
		}
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, l)
	c := read(t, l.Dir())
	if len(c.Findings) > 0 {
		t.Fatalf("an intact log has findings: %v", c.Findings)
	}
	if c.Size != 280 || len(c.Entries) != 280 || l.Size() != 280 {
		t.Fatalf("%d entries, want 280", c.Size)
	}
	e := c.Entries[270]
	if e.Decision == nil || e.Subject != "plan 135" {
		t.Fatalf("entry 270 is %+v", e)
	}
	if b, err := c.Blob(e.Decision.Inputs["plan.json"]); err != nil || string(b) != "plan 135" {
		t.Errorf("input: %q, %v", b, err)
	}
	if err := c.Extends(early); err != nil || len(c.Findings) > 0 {
		t.Errorf("%v %v", err, c.Findings)
	}
}

// Any changed byte in any file that the log consists of is found, and the entry is named where there is one.
func TestFlippedByte(t *testing.T) {
	l := newLog(t)
	for n := range 3 {
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
	}
	dir := l.Dir()
	l.Close()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	classes := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || name == "lock" || strings.HasPrefix(name, "journal") || name == "key" || name == "key.pub" {
			return err
		}
		orig, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		classes[strings.SplitN(name, "/", 3)[0]]++
		for range 40 {
			at, bit := rnd.IntN(len(orig)), byte(1)<<rnd.IntN(8)
			bad := append([]byte(nil), orig...)
			bad[at] ^= bit
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				return err
			}
			c := read(t, dir)
			if len(c.Findings) == 0 {
				t.Errorf("%s: bit %#x of byte %d flipped, nothing found", name, bit, at)
			}
			if strings.HasPrefix(name, "blobs/") || strings.HasPrefix(name, "tile/entries") {
				if len(c.Findings) > 0 && c.Findings[0].Entry < 0 {
					t.Errorf("%s: byte %d: no entry is named: %v", name, at, c.Findings)
				}
			}
		}
		for _, n := range []int{0, 1, len(orig) / 2, len(orig) - 1} {
			if err := os.WriteFile(path, orig[:n], 0o644); err != nil {
				return err
			}
			if c := read(t, dir); len(c.Findings) == 0 {
				t.Errorf("%s cut to %d bytes: nothing found", name, n)
			}
		}
		return os.WriteFile(path, orig, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if classes["tile"] < 2 || classes["blobs"] < 5 || classes["checkpoint"] != 1 {
		t.Errorf("not every class of file was tried: %v", classes)
	}
	if c := read(t, dir); len(c.Findings) > 0 {
		t.Errorf("the restored log has findings: %v", c.Findings)
	}
}

// Cut anywhere, the log is found not to be intact; what is missing of the entries is named.
func TestCutAnywhere(t *testing.T) {
	l := newLog(t)
	for n := range 2 {
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
	}
	dir := l.Dir()
	l.Close()
	for name, everywhere := range map[string]bool{"checkpoint": true, "tile/0/000.p/4": true, "tile/entries/000.p/4": false} {
		path := filepath.Join(dir, name)
		orig := readFile(t, path)
		for n := range len(orig) {
			if !everywhere && n%13 != 0 && n < len(orig)-40 {
				continue
			}
			if err := os.WriteFile(path, orig[:n], 0o644); err != nil {
				t.Fatal(err)
			}
			c := read(t, dir)
			if len(c.Findings) == 0 {
				t.Errorf("%s cut to %d bytes: nothing found", name, n)
			} else if name != "checkpoint" && c.Findings[0].Entry < 0 {
				t.Errorf("%s cut to %d bytes: no entry is named: %v", name, n, c.Findings)
			}
		}
		if err := os.WriteFile(path, append(orig, 0), 0o644); err != nil {
			t.Fatal(err)
		}
		if c := read(t, dir); len(c.Findings) == 0 {
			t.Errorf("%s with a byte more: nothing found", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if name != "checkpoint" {
			if c := read(t, dir); len(c.Findings) == 0 || c.Findings[0].Entry < 0 {
				t.Errorf("%s is missing: %v", name, c.Findings)
			}
		}
		if err := os.WriteFile(path, orig, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Entries that were removed, repeated, reordered or replaced by older ones are named, although each is signed.
func TestMovedEntries(t *testing.T) {
	l := newLog(t)
	for n := range 3 {
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
	}
	dir := l.Dir()
	l.Close()
	path := filepath.Join(dir, "tile/entries/000.p/6")
	orig := readFile(t, path)
	entries, err := splitBundle(orig)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		order []int
		entry int64 // named first
	}{
		{"one removed", []int{0, 1, 3, 4, 5}, 2},
		{"the last removed", []int{0, 1, 2, 3, 4}, 5},
		{"one repeated", []int{0, 1, 1, 2, 3, 4, 5}, 2},
		{"two swapped", []int{0, 3, 2, 1, 4, 5}, 1},
		{"one replaced by an older one", []int{0, 1, 2, 1, 4, 5}, 3},
	} {
		var b []byte
		for _, i := range c.order {
			b = binary.BigEndian.AppendUint16(b, uint16(len(entries[i])))
			b = append(b, entries[i]...)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		got := read(t, dir)
		named := false
		for _, f := range got.Findings {
			named = named || f.Entry == c.entry
		}
		if !named {
			t.Errorf("%s: entry %d is not named: %v", c.name, c.entry, got.Findings)
		}
	}
}

// A log that is being appended to is read as it was at some moment.
func TestReadWhileAppending(t *testing.T) {
	l := newLog(t)
	done := make(chan error)
	go func() {
		for n := range 60 {
			if err := appendPair(t, l, n); err != nil {
				done <- err
				return
			}
		}
		close(done)
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		if c := read(t, l.Dir()); len(c.Findings) > 0 {
			t.Fatalf("%d entries: %v", c.Size, c.Findings)
		}
	}
}

// A log cut back to an earlier checkpoint is consistent in itself; an earlier checkpoint kept elsewhere shows the cut.
func TestRollBackAndGap(t *testing.T) {
	l := newLog(t)
	dir := l.Dir()
	if err := appendPair(t, l, 0); err != nil {
		t.Fatal(err)
	}
	if err := appendPair(t, l, 5); err != nil { // begins in state 5, not in 1
		t.Fatal(err)
	}
	publish(t, l)
	c := read(t, dir)
	if len(c.Findings) != 1 || c.Findings[0].Entry != 3 || !strings.Contains(c.Findings[0].What, "something else wrote") {
		t.Errorf("a gap between states: %v", c.Findings)
	}
	later, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	other := newLog(t)
	if err := appendPair(t, other, 0); err != nil {
		t.Fatal(err)
	}
	if err := read(t, other.Dir()).Extends(later); err == nil {
		t.Error("a checkpoint signed by another key was accepted")
	}
	short := read(t, dir)
	short.Findings = nil
	if err := short.Extends(later); err != nil || len(short.Findings) != 0 {
		t.Errorf("the log does not extend itself: %v %v", err, short.Findings)
	}
}

func TestDiskFull(t *testing.T) {
	l := newLog(t)
	l.OnDisk(func(string, string) error { return diskError(syscall.ENOSPC) })
	if err := appendPair(t, l, 0); !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
}

func TestKeyForOthers(t *testing.T) {
	l := newLog(t)
	l.Close()
	if err := os.Chmod(filepath.Join(l.Dir(), "key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(l.Dir()); err == nil || !strings.Contains(err.Error(), "others can read") {
		t.Errorf("a key that everybody can read was used: %v", err)
	}
}

func TestOneWriter(t *testing.T) {
	l := newLog(t)
	if _, err := Open(l.Dir()); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
}

package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/interlock/interlock/verify/ledger/check"
)

func rotate(t *testing.T, l *Log) (string, error) {
	t.Helper()
	return l.RotateKey(context.Background(), "test", time.Unix(5, 0))
}

func readFile(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A log whose key was changed twice is intact for whoever has any of the three keys, and for nobody else.
func TestRotateKey(t *testing.T) {
	l := newLog(t)
	dir := l.Dir()
	keys := []string{string(readFile(t, dir, pubKeyFile))}
	var earlier [][]byte
	private := readFile(t, dir, keyFile)
	for n := range 3 {
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
		publish(t, l)
		earlier = append(earlier, readFile(t, dir, "checkpoint"))
		if n == 2 {
			break
		}
		now, err := rotate(t, l)
		if err != nil {
			t.Fatal(err)
		}
		earlier = append(earlier, readFile(t, dir, "checkpoint"))
		keys = append(keys, now)
		if n == 0 { // the second change is by a process that opened the log after the first
			l.Close()
			l = open(t, dir)
		}
	}
	l.Close()
	if string(readFile(t, dir, keyFile)) == string(private) || strings.TrimSpace(string(readFile(t, dir, pubKeyFile))) != keys[2] {
		t.Error("the old key is still in its place")
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new private key: %v %v", info.Mode(), err)
	}
	for i, k := range keys {
		c, err := check.Read(dir, k)
		if err != nil || len(c.Findings) > 0 || c.Size != 8 {
			t.Errorf("with key %d: %v %+v", i, err, c.Findings)
		}
		if len(c.Keys) != 3 || c.Keys[1].From != 3 || c.Keys[2].From != 6 {
			t.Errorf("keys %+v", c.Keys)
		}
		for j, cp := range earlier {
			if err := c.Extends(cp); err != nil || len(c.Findings) > 0 {
				t.Errorf("checkpoint %d: %v %v", j, err, c.Findings)
			}
		}
	}
	stranger := newLog(t)
	c, err := check.Read(dir, string(readFile(t, stranger.Dir(), pubKeyFile)))
	if err != nil || len(c.Findings) == 0 || !strings.Contains(c.Findings[0].What, "never signed this log") {
		t.Errorf("a stranger's key: %v %v", err, c.Findings)
	}
	open(t, dir)
}

// A crash at any step of a change leaves a log that opens, with one key or the other in charge and nothing lost.
func TestRotateCrash(t *testing.T) {
	errCrash := errors.New("crash")
	changed := map[bool]int{}
	for stop := 0; ; stop++ {
		l := newLog(t)
		dir := l.Dir()
		if err := appendPair(t, l, 0); err != nil {
			t.Fatal(err)
		}
		old := string(readFile(t, dir, pubKeyFile))
		steps := 0
		var mu sync.Mutex
		l.OnDisk(func(op, path string) error {
			mu.Lock()
			defer mu.Unlock()
			if steps++; steps > stop {
				return errCrash
			}
			return nil
		})
		_, err := rotate(t, l)
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		l.Close()
		l = open(t, dir)
		if err := appendPair(t, l, 1); err != nil {
			t.Fatalf("stopped before step %d: %v", stop, err)
		}
		publish(t, l)
		c, rerr := check.Read(dir, old)
		if rerr != nil || len(c.Findings) > 0 || c.Size != 4+int64(len(c.Keys)-1) {
			t.Fatalf("stopped before step %d: %v %+v", stop, rerr, c.Findings)
		}
		if _, serr := os.Stat(filepath.Join(dir, nextKeyFile)); serr == nil {
			t.Errorf("stopped before step %d: %s is still there", stop, nextKeyFile)
		}
		changed[len(c.Keys) == 2]++
		if err == nil && steps <= stop {
			if changed[true] < 3 || changed[false] < 3 {
				t.Errorf("crashes that left the new key in charge and that did not: %v", changed)
			}
			return
		}
	}
}

// A change of keys that the key in charge did not sign is none.
func TestForgedKeyChange(t *testing.T) {
	l, thief := newLog(t), newLog(t)
	old := string(readFile(t, l.Dir(), pubKeyFile))
	l.key.private = thief.key.private
	if _, err := rotate(t, l); err != nil {
		t.Fatal(err)
	}
	l.Close()
	c, err := check.Read(l.Dir(), old)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Findings) == 0 || c.Findings[0].Entry != 0 || !strings.Contains(c.Findings[0].What, "does not fit the statement") {
		t.Errorf("%v", c.Findings)
	}
}

// key.next is not thrown away when it may be the one that the log needs.
func TestUnreadableNextKey(t *testing.T) {
	l := newLog(t)
	dir := l.Dir()
	l.OnDisk(func(op, path string) error {
		if op == "rename" && path == keyFile {
			return errors.New("crash")
		}
		return nil
	})
	if _, err := rotate(t, l); err == nil {
		t.Fatal("no crash")
	}
	l.Close()
	next := filepath.Join(dir, nextKeyFile)
	if err := os.Chmod(next, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "others can read") {
		t.Errorf("opened with a key that everybody can read: %v", err)
	}
	if err := os.Chmod(next, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

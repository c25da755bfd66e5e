package witness_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/witness"
)

func TestCosign(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	if err := ledger.Create(dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	pub, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	read := func() *check.Log {
		l, err := check.Read(dir, string(pub))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	path := filepath.Join(home, "key")
	if _, err := witness.Create(path, "witness.example"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key: %v %v", info.Mode(), err)
	}
	k, err := witness.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	l := read()
	if err := l.Verify(k.Verifier()); err != nil || len(l.Findings) != 1 {
		t.Errorf("nobody has signed yet: %v %v", err, l.Findings)
	}
	signed, err := k.Cosign(l.Checkpoint, time.Unix(1700000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Publish(dir, signed); err != nil {
		t.Fatal(err)
	}
	l = read()
	if err := l.Verify(k.Verifier()); err != nil || len(l.Findings) > 0 || !l.Cosigned[0].Verified || l.Cosigned[0].At.Unix() != 1700000000 {
		t.Errorf("%v %v %+v", err, l.Findings, l.Cosigned)
	}
	if _, err := k.Cosign(signed, time.Now()); err == nil {
		t.Error("signed twice")
	}
	// Any changed byte is found by who knows the witness.
	file := filepath.Join(dir, witness.Dir, strings.Split(k.ID(), "+")[1])
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 1
		if err := os.WriteFile(file, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		l := read()
		if err := l.Verify(k.Verifier()); err != nil || len(l.Findings) == 0 {
			t.Errorf("byte %d (%q) changed: %v %v", i, signed[i], err, l.Findings)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Load(path); err == nil {
		t.Error("a key that others can read was used")
	}
}

package witness_test

import (
	"bytes"
	"fmt"
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
	// Any byte that is changed, cut off or added is found by who knows the witness, and so is a signature that is gone; one in a place where it does
	// not belong is found by everybody.
	file := filepath.Join(dir, witness.Dir, strings.Split(k.ID(), "+")[1])
	try := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		l := read()
		if err := l.Verify(k.Verifier()); err != nil || len(l.Findings) == 0 || !strings.HasPrefix(l.Findings[0].File, witness.Dir) {
			t.Errorf("%s: %v %v", what, err, l.Findings)
		}
	}
	for i := range signed {
		for bit := range 8 {
			bad := bytes.Clone(signed)
			bad[i] ^= 1 << bit
			try(fmt.Sprintf("bit %d of byte %d (%q) changed", bit, i, signed[i]), bad)
		}
		try(fmt.Sprintf("cut to %d bytes", i), signed[:i])
	}
	lines := bytes.SplitAfter(signed, []byte("\n"))
	try("a byte more", append(bytes.Clone(signed), '\n'))
	try("the witness's line twice", append(bytes.Clone(signed), lines[len(lines)-2]...))
	try("signatures exchanged", bytes.Join(append(append(lines[:len(lines)-3:len(lines)-3], lines[len(lines)-2]), lines[len(lines)-3]), nil))
	if err := os.WriteFile(file, signed, 0o644); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(dir, witness.Dir, "00000001")
	if err := os.WriteFile(again, signed, 0o644); err != nil {
		t.Fatal(err)
	}
	if l := read(); len(l.Findings) != 1 || l.Findings[0].File != witness.Dir+"/00000001" {
		t.Errorf("the same signature in another file: %v", l.Findings)
	}
	if err := os.Remove(again); err != nil {
		t.Fatal(err)
	}
	if l := read(); len(l.Findings) > 0 {
		t.Errorf("everything as it was: %v", l.Findings)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if l := read(); l.Verify(k.Verifier()) != nil || len(l.Findings) != 1 {
		t.Errorf("the signature is gone: %v", l.Findings)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Load(path); err == nil {
		t.Error("a key that others can read was used")
	}
}

package main

import (
	"errors"
	"testing"

	"github.com/interlock/interlock/api/gate"
)

// Election ids differ, and one that a saved plan was made under can be used once.
func TestElectionIDs(t *testing.T) {
	dir := t.TempDir()
	a, err := nextElectionID(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := nextElectionID(dir)
	if err != nil || b <= a {
		t.Fatalf("%d after %d, %v", b, a, err)
	}
	if err := reserveElectionID(dir, a); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id uint64
		ok bool
	}{{b, false}, {a, true}, {a, false}} {
		err := useElectionID(dir, c.id)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, gate.ErrStale) {
			t.Errorf("id %d: %v, want it to be usable: %t", c.id, err, c.ok)
		}
	}
}

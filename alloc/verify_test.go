package alloc

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/interlock/interlock/verify/plan"
)

// linkedQuickstart is the quickstart site with the text of its linked program, as plans carry it.
func linkedContext(t testing.TB) (*Context, []Tenant) {
	t.Helper()
	m, c := quickstart(t)
	linked, err := os.ReadFile(filepath.Join("..", "linker", "testdata", "quickstart", "linked.p4"))
	if err != nil {
		t.Fatal(err)
	}
	c.Linked = linked
	if c.Codec, err = CodecOf(linked); err != nil {
		t.Fatal(err)
	}
	tenants, err := TenantsOf(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, tenants
}

// The verifier reads the bytes that are built here, from the first allocation through a reallocation to an eviction (M7).
func TestVerifierReadsPlans(t *testing.T) {
	c, tenants := linkedContext(t)
	var state []byte
	encoder := plan.NewEncoder(1)
	check := func(name string, in *plan.Input, err error) {
		t.Helper()
		if err != nil || in == nil {
			t.Fatalf("%s: plan %v, %v", name, in, err)
		}
		obligations, err := encoder.Obligations(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(obligations) == 0 {
			t.Fatalf("%s: nothing to prove", name)
		}
		goal := Tables{}
		for _, x := range in.Goal {
			k := Key{x.Control, x.VID}
			goal[k] = append(goal[k], Mapping{x.Base, x.Size, x.Mask, x.Generation})
		}
		if state, err = c.Codec.Encode(goal); err != nil {
			t.Fatal(err)
		}
	}
	in, err := c.ToLevels(state, tenants, []int{0, 0, 0})
	check("first", in, err)
	in, err = c.ToLevels(state, tenants, []int{5, 1, 0})
	check("grow", in, err)
	in, err = c.ToLevels(state, tenants, []int{2, 4, 0})
	check("exchange", in, err)
	in, err = c.Evict(state, tenants[0].VID, false)
	check("evict", in, err)
	if tables, err := c.Codec.Decode(state); err != nil || len(tables) != 2 {
		t.Errorf("%d entries, %v", len(tables), err)
	}
	// Canary: the verifier does read the bytes.
	in, err = c.ToLevels(state, tenants, []int{0, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	in.ElectionID++
	if _, err := encoder.Obligations(in); err == nil {
		t.Error("requests of another election were read")
	}
}

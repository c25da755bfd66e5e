package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/resources"
	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
)

// perStage lets nobody have more than a part of anything in any stage.
func perStage(t *testing.T, most string, byStage bool) *sharing.Policy {
	t.Helper()
	p, err := sharing.Parse("stages.yaml", fmt.Appendf(nil, `
apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: stages}
spec:
  byStage: %v
  rank: dominantShare(tenant.usage, capacity)
  grant: tenant.demand
  limits:
    - expression: "capacity.all(r, all, !r.contains('/') || ratio(tenant.usage[r], max([all, 1])) <= ratio(%s))"
      message: too much of a stage
`, byStage, strings.ReplaceAll(most, "/", ", ")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// linkedQuickstart is what the linker printed for kv, hh and fw.
func linkedQuickstart(t *testing.T) (linked, target []byte, tenants []sharing.Tenant) {
	t.Helper()
	linked, err := os.ReadFile("../../linker/testdata/quickstart/linked.p4")
	if err != nil {
		t.Fatal(err)
	}
	if target, err = resources.Profile("tofino-like"); err != nil {
		t.Fatal(err)
	}
	for i, n := range []string{"kv", "hh", "fw"} {
		tenants = append(tenants, sharing.Tenant{Name: n, VID: uint16(100 * (i + 1)), Weight: 1, Active: true})
	}
	return linked, target, tenants
}

func TestProgramUsage(t *testing.T) {
	pool := solvers(t)
	linked, target, tenants := linkedQuickstart(t)
	replace := func(old, new string) []byte {
		if !bytes.Contains(linked, []byte(old)) {
			t.Fatalf("linked.p4 has no %q", old)
		}
		return bytes.Replace(linked, []byte(old), []byte(new), 1)
	}
	for _, c := range []struct {
		name    string
		most    string
		byStage bool
		linked  []byte
		refuted string // the obligation, or empty
	}{
		{"within every stage", "6/10", true, linked, ""},
		{"above 40 % of a stage: kv's conditions", "2/5", true, linked, "P8/limits/kv"},
		{"the same by totals only", "2/5", false, linked, ""},
		// What a linker that understates would print is what counts, wherever it hides it.
		{"a table of kv's that has grown", "6/10", true, replace("        size = 256;\n        counters = routed;", "        size = 8192;\n        counters = routed;"), "P8/limits/kv"},
		{
			"a hash that only kv's packets compute, in the system's code", "6/10", true,
			replace("il_run_kv: {\n                        if", "il_run_kv: {\n hash(meta.il_src, HashAlgorithm.crc32, 32w0, { hdr.kv.ipv4, hdr.kv.kv, hdr.kv.ipv4, hdr.kv.kv, hdr.kv.kv }, 32w1024);\n                        if"), "P8/limits/kv",
		},
		{
			"an array of the system's that no target has room for", "6/10", true,
			replace("counter(4096, CounterType.packets) il_hits;", "counter(4096, CounterType.packets) il_hits; register<bit<32>>(33554432) il_more;"), "P8/target",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ForProgram(perStage(t, c.most, c.byStage), c.linked, target, tenants)
			if err != nil {
				t.Fatal(err)
			}
			err = decided(t, pool, a)
			if c.refuted == "" && err != nil || c.refuted != "" && (!errors.Is(err, verify.ErrRefuted) || !strings.Contains(err.Error(), c.refuted)) {
				t.Errorf("got %v, want %s refuted", err, c.refuted)
			}
			if err := a.Agrees(context.Background()); strings.HasPrefix(c.refuted, "P8/limits") == (err == nil) {
				t.Errorf("cel-go says %v", err)
			}
			s, err := a.Subject()
			if err != nil {
				t.Fatal(err)
			}
			again, err := AdmissionFrom(s.Inputs)
			if err != nil {
				t.Fatal(err)
			}
			x, err := a.Obligations()
			if err != nil {
				t.Fatal(err)
			}
			y, err := again.Obligations()
			if err != nil || fmt.Sprint(x) != fmt.Sprint(y) {
				t.Errorf("rebuilt from the record: %v, %d and %d obligations", err, len(x), len(y))
			}
			for _, o := range x {
				if o.Property != "P8" {
					t.Errorf("%s is for %s", o.ID, o.Property)
				}
			}
		})
	}
}

// Amounts that somebody states are held against the text: nothing is decided of others.
func TestProgramUsageUnderstated(t *testing.T) {
	linked, target, tenants := linkedQuickstart(t)
	fresh := func() *Admission {
		a, err := ForProgram(perStage(t, "6/10", true), linked, target, tenants)
		if err != nil {
			t.Fatal(err)
		}
		s, err := a.Subject()
		if err != nil {
			t.Fatal(err)
		}
		if a, err = AdmissionFrom(s.Inputs); err != nil { // nothing in common with the first
			t.Fatal(err)
		}
		return a
	}
	if _, err := fresh().Obligations(); err != nil {
		t.Fatal(err)
	}
	own, err := ForProgram(perStage(t, "6/10", true), linked, target, tenants)
	if err != nil {
		t.Fatal(err)
	}
	own.Floors[0]["gateways"]--
	own.Ceilings[0]["gateways"]--
	own.Tenants[0].Demand[0]["gateways"]--
	own.Tenants[0].Min["gateways"]--
	if _, err := own.Obligations(); !errors.Is(err, ErrUsage) {
		t.Errorf("what was measured once is taken for granted: %v", err)
	}
	for name, lie := range map[string]func(a *Admission){
		"a floor":      func(a *Admission) { a.Floors[0]["gateways"]-- },
		"a ceiling":    func(a *Admission) { a.Ceilings[1]["hashBits/2"]++ },
		"a demand":     func(a *Admission) { a.Tenants[2].Demand[0]["sramBlocks"] = 1 },
		"no demand":    func(a *Admission) { a.Tenants[0].Demand = nil },
		"a min":        func(a *Admission) { a.Tenants[0].Min["gateways"] = 0 },
		"a max":        func(a *Admission) { a.Tenants[0].Max = sharing.Resources{"gateways": 1} },
		"the capacity": func(a *Admission) { a.Capacity["gateways/0"] = 1000 },
		"another target": func(a *Admission) {
			a.Target = bytes.Replace(a.Target, []byte("gateways: 16"), []byte("gateways: 32"), 1)
		},
		"fewer tenants": func(a *Admission) {
			a.Tenants, a.Floors, a.Ceilings = a.Tenants[:2], a.Floors[:2], a.Ceilings[:2]
			a.Tenants[0].Name = "hh"
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := fresh()
			lie(a)
			if _, err := a.Obligations(); !errors.Is(err, ErrUsage) {
				t.Errorf("obligations: %v", err)
			}
			if err := a.Agrees(context.Background()); !errors.Is(err, ErrUsage) {
				t.Errorf("cel-go: %v", err)
			}
		})
	}
	a := fresh()
	said := map[string]map[string]int64{}
	for i, x := range a.Tenants {
		said[x.Name] = map[string]int64{}
		for r, n := range a.Floors[i] {
			said[x.Name][r] = n
		}
	}
	if err := a.Uses(said); err != nil {
		t.Error(err)
	}
	said["hh"]["hashBits"]--
	if err := a.Uses(said); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "tenant hh: hashBits is 126, not 125") {
		t.Error(err)
	}
}

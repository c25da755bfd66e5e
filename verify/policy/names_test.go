package policy

import (
	"context"
	"slices"
	"strings"
	"testing"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
)

// A statement is proved for the names that the policy or the statement tells apart, and for one that nothing is said of.
func TestNames(t *testing.T) {
	pool := solvers(t)
	const everything = "rank: dominantShare(tenant.usage, capacity)\ngrant: tenant.demand\n"
	tests := []struct {
		name, policy, statement string
		tenants, resources      []string
	}{
		{
			name: "a prefix", policy: everything,
			statement: "always: \"capacity.all(r, !r.startsWith('slots/') || ratio(tenant.usage[r], max([capacity[r], 1])) <= ratio(1, 2))\"",
			tenants:   []string{"a", "b", "c"}, resources: []string{"slots/x", "x"},
		},
		{
			name: "keys of a parameter",
			policy: "params: [{name: most, type: map(int), default: {sramBlocks: 2}}]\n" + everything +
				"limits: [{expression: \"tenant.usage.all(r, !(r in params.most) || tenant.usage[r] <= params.most[r])\", message: m}]",
			statement: "always: \"tenant.usage.all(r, !(r in params.most) || tenant.usage[r] < params.most[r])\"",
			tenants:   []string{"a", "b", "c"}, resources: []string{"sramBlocks", "x"},
		},
		{
			name: "a tenant", policy: everything, statement: "always: tenant.name != 'kv' || tenant.usage.all(r, n, n == 0)",
			tenants: []string{"a", "b", "kv"}, resources: []string{"x", "y"},
		},
		{
			name: "a field of a map", policy: everything, statement: "always: \"!has(tenant.usage.gateways) || tenant.usage.gateways == 0\"",
			tenants: []string{"a", "b", "c"}, resources: []string{"gateways", "x"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := sharing.Parse("p.yaml", document(tt.policy))
			if err != nil {
				t.Fatal(err)
			}
			sts, err := ParseStatements("s.yaml", []byte("apiVersion: interlock/v1alpha1\nkind: PolicyStatements\nstatements:\n- name: s\n  "+
				tt.statement+"\n"), p, sharing.Load)
			if err != nil {
				t.Fatal(err)
			}
			r, err := New(p, sts).Prove(context.Background(), pool, nil, []Bounds{{}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			o := r.Statements[0]
			if !slices.Equal(o.Tenants, tt.tenants) || !slices.Equal(o.Resources, tt.resources) {
				t.Errorf("decided for %v and %v, want %v and %v", o.Tenants, o.Resources, tt.tenants, tt.resources)
			}
			if o.Verdict != verify.Refuted || !strings.Contains(o.Counterexample.String(), "is false") {
				t.Errorf("%s (%s), want refuted\n%s", o.Verdict, o.Reason, o.Counterexample)
			}
		})
	}
}

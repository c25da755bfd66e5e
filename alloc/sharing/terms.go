package sharing

import (
	"slices"
	"time"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/metering"
)

// Terms are what plans under a policy are made on, for the log: see metering.Terms. Names of resources are those that Bounds, or for several
// switches Network, has.
func Terms(p *policy.Policy, places []Place, several bool, epoch time.Duration) ([]byte, error) {
	var tenants []policy.Tenant
	t := metering.Terms{Epoch: epoch.String(), Capacity: policy.Resources{}}
	for _, x := range places {
		for a, n := range x.Capacity {
			name := Resource(a)
			if several {
				name = ResourceOn(x.Switch, a)
			}
			t.Capacity[name] = n
			t.Resources = append(t.Resources, metering.Resource{Name: name, Switch: x.Switch, Array: a.String()})
		}
		for _, y := range x.Tenants {
			if !slices.ContainsFunc(tenants, func(o policy.Tenant) bool { return o.Name == y.Name }) {
				tenants = append(tenants, tenant(y))
			}
		}
	}
	return t.Marshal(p, tenants)
}

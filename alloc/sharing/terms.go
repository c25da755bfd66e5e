package sharing

import (
	"time"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/metering"
)

// Terms are what plans within shares are made on, for the log, with the tenants as the policy was asked about them: see metering.Terms. What its
// price does not read is left out, so that equal terms have equal texts.
func (s *Site) Terms(p *policy.Policy, shares *Shares, epoch time.Duration) ([]byte, error) {
	t := metering.Terms{Epoch: epoch.String(), Capacity: s.Capacity()}
	for i, x := range s.Places {
		for a := range x.Capacity {
			t.Resources = append(t.Resources, metering.Resource{Name: s.resource(i, a), Switch: x.Switch, Array: a.String()})
		}
	}
	return t.Marshal(p, shares.Admission.Tenants)
}

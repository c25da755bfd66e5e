package metering

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/interlock/interlock/policy"
)

// Version and kind of the terms' format.
const (
	APIVersion = "interlock/v1alpha1"
	Kind       = "PolicyTerms"
)

// Terms are a policy with what its price may depend on besides what is held. They are in the ledger beside every plan that was made on them.
type Terms struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Policy     policy.Record `json:"policy"`
	// Epoch is what prices are for: a duration such as "1s".
	Epoch     string           `json:"epoch"`
	Capacity  policy.Resources `json:"capacity"`
	Resources []Resource       `json:"resources"`
	// Tenants as the policy knows them, without what they ask for.
	Tenants []policy.Tenant `json:"tenants"`
}

// Resource is a stage array as the policy knows it: "slots/ingress/0" is array "ingress/0" of a switch.
type Resource struct {
	Name   string `json:"name"`
	Switch string `json:"switch"`
	Array  string `json:"array"`
}

// Marshal completes the terms with a policy and returns their text. Equal terms have equal texts.
func (t Terms) Marshal(p *policy.Policy) ([]byte, error) {
	t.APIVersion, t.Kind = APIVersion, Kind
	var err error
	if t.Policy, err = p.Record(); err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	slices.SortFunc(t.Resources, func(a, b Resource) int { return cmp.Compare(a.Name, b.Name) })
	return json.Marshal(&t)
}

// Price reads terms and makes what prices are computed with.
func Price(text []byte) (*Prices, error) {
	var t Terms
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	if t.APIVersion != APIVersion || t.Kind != Kind {
		return nil, fmt.Errorf("terms: want %s %s, have %q %q", APIVersion, Kind, t.APIVersion, t.Kind)
	}
	p := &Prices{capacity: t.Capacity, resources: map[place]string{}}
	var err error
	if p.policy, err = t.Policy.Policy(); err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	if p.epoch, err = time.ParseDuration(t.Epoch); err != nil || p.epoch <= 0 {
		return nil, fmt.Errorf("terms: an epoch of %q", t.Epoch)
	}
	for _, r := range t.Resources {
		if _, ok := t.Capacity[r.Name]; !ok {
			return nil, fmt.Errorf("terms: resource %s has no capacity", r.Name)
		}
		p.resources[place{r.Switch, r.Array}] = r.Name
	}
	p.tenants = t.Tenants
	return p, nil
}

// place is a stage array of a switch.
type place struct{ sw, array string }

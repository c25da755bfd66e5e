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

// Terms are a policy with what its price depends on besides what is held, and nothing more: parameters and fields of tenants that the price
// does not read are nobody's business who gets a bill. They are in the ledger beside every plan that was made on them.
type Terms struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Policy     policy.Record `json:"policy"`
	// Epoch is what prices are for: a duration such as "1s".
	Epoch     string           `json:"epoch"`
	Capacity  policy.Resources `json:"capacity"`
	Resources []Resource       `json:"resources"`
	Tenants   []Party          `json:"tenants"`
}

// Party is a tenant as the terms know it.
type Party struct {
	Name string `json:"name"`
	VID  uint16 `json:"vid,omitempty"`
	// Own is what else the price reads of tenants. An export for another tenant does not show it.
	Own *Own `json:"own,omitempty"`
}

// Own is what a site says of a tenant, as far as the price reads it.
type Own struct {
	Weight  int64        `json:"weight,omitempty"`
	Budget  int64        `json:"budget,omitempty"`
	Balance policy.Ratio `json:"balance,omitzero"`
	Active  bool         `json:"active,omitempty"`
	Utility policy.Ratio `json:"utility,omitzero"`
	Target  policy.Ratio `json:"target,omitzero"`
}

// partyOf is what the price reads of a tenant.
func partyOf(t policy.Tenant, price *policy.Expression) Party {
	p := Party{Name: t.Name, VID: t.VID}
	if price == nil {
		return p
	}
	own, reads := Own{}, false
	for _, field := range price.Fields() {
		switch field {
		case "weight":
			own.Weight = t.Weight
		case "budget":
			own.Budget = t.Budget
		case "balance":
			own.Balance = t.Balance
		case "active":
			own.Active = t.Active
		case "utility":
			own.Utility = t.Utility
		case "target":
			own.Target = t.Target
		default: // name, VID, and what is held
			continue
		}
		reads = true
	}
	if reads {
		p.Own = &own
	}
	return p
}

// tenant is a party as its policy knows it.
func (p Party) tenant() policy.Tenant {
	t := policy.Tenant{Name: p.Name, VID: p.VID, Weight: 1}
	if o := p.Own; o != nil {
		t.Weight, t.Budget, t.Balance, t.Active, t.Utility, t.Target = max(1, o.Weight), o.Budget, o.Balance, o.Active, o.Utility, o.Target
	}
	return t
}

// Resource is a stage array as the policy knows it: "slots/ingress/0" is array "ingress/0" of a switch.
type Resource struct {
	Name   string `json:"name"`
	Switch string `json:"switch"`
	Array  string `json:"array"`
}

// Marshal completes the terms with a policy and its tenants, and returns their text. Equal terms have equal texts.
func (t Terms) Marshal(p *policy.Policy, tenants []policy.Tenant) ([]byte, error) {
	t.APIVersion, t.Kind = APIVersion, Kind
	for _, x := range tenants {
		t.Tenants = append(t.Tenants, partyOf(x, p.Price()))
	}
	var err error
	if t.Policy, err = p.AsPriced().Record(); err != nil {
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
	for _, x := range t.Tenants {
		p.tenants = append(p.tenants, x.tenant())
	}
	return p, nil
}

// place is a stage array of a switch.
type place struct{ sw, array string }

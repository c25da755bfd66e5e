package sharing

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/ledger/check"
	admission "github.com/interlock/interlock/verify/policy"
)

// Balances are the tenants' balances in force, by name: those of the last decision to `share` that settled theirs. A tenant that is not among
// them has what its site gives it in the beginning.
func Balances(l *check.Log, names []string) (map[string]policy.Ratio, error) {
	out := map[string]policy.Ratio{}
	err := decided(l, func(a *admission.Admission) bool {
		if a.Settles() {
			for _, t := range a.Tenants {
				if _, known := out[t.Name]; !known && slices.Contains(names, t.Name) {
					out[t.Name] = t.Balance
				}
			}
		}
		return len(out) < len(names)
	})
	return out, err
}

// Recall sets what is known of the tenants to what it was in the last decision to `share` about each of them, as far as p reads it.
func (s *Site) Recall(l *check.Log, p *policy.Policy) error {
	names, _ := s.at()
	s.Known = map[string]Known{}
	facts := p.Facts()
	if p.Live() {
		capacity := s.Capacity()
		if err := decided(l, func(a *admission.Admission) bool {
			if !a.OfMemory() {
				return true
			}
			for _, t := range a.Tenants {
				if _, known := s.Known[t.Name]; known || !slices.Contains(names, t.Name) {
					continue
				}
				k := Known{Active: t.Active, Utility: t.Utility, Past: t.Past}
				for r, n := range t.Held {
					if n <= capacity[r] {
						if k.Held == nil {
							k.Held = policy.Resources{}
						}
						k.Held[r] = n
					}
				}
				s.Known[t.Name] = k
			}
			return len(s.Known) < len(names)
		}); err != nil {
			return err
		}
	}
	balances := map[string]policy.Ratio{}
	if facts.Balance || p.Settle() != nil {
		var err error
		if balances, err = Balances(l, names); err != nil {
			return err
		}
	}
	for _, x := range s.Places {
		for _, t := range x.Tenants {
			b, settled := balances[t.Name]
			k, known := s.Known[t.Name]
			if !settled && !known {
				continue
			}
			if k.Balance = t.Balance; settled {
				k.Balance = b
			}
			if !known {
				k.Active = true
			}
			s.Known[t.Name] = k
		}
	}
	return nil
}

// decided goes through the decisions to `share` that were proved, from the last one back, as long as more says so.
func decided(l *check.Log, more func(*admission.Admission) bool) error {
	for _, e := range slices.Backward(l.Entries) {
		d := e.Decision
		if d == nil || d.Action != "share" || d.Verdict != "proved" {
			continue
		}
		inputs := map[string][]byte{}
		for name, ref := range d.Inputs {
			b, err := l.Blob(ref)
			if err != nil {
				return fmt.Errorf("entry %d: %w", e.Index, err)
			}
			inputs[name] = b
		}
		a, err := admission.AdmissionFrom(inputs)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		if !more(a) {
			return nil
		}
	}
	return nil
}

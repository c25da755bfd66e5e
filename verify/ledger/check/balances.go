package check

import (
	"errors"
	"math/big"

	"github.com/go-json-experiment/json"
)

// shares is what is checked of a decision to share: tenants with their balances, and, where it settles an epoch, those before.
type shares struct {
	Tenants []struct {
		Name    string `json:"name"`
		Balance string `json:"balance"`
	} `json:"tenants"`
	Before []string `json:"before"`
}

// balances checks that each tenant's balance begins where the last decision that settled it left it. Its first is the site's to give. What an
// export leaves out, nothing is said of, nor of what follows on it.
func (l *Log) balances() {
	type settled struct {
		balance *big.Rat
		entry   int64
	}
	last := map[string]settled{}
	for _, e := range l.Entries {
		d := e.Decision
		if d == nil || d.Action != "share" || d.Verdict != "proved" {
			continue
		}
		file := l.bundle(e.Index)
		ref, ok := d.Inputs["shares.json"]
		if !ok {
			l.find(e.Index, file, "what it shares is not recorded")
			continue
		}
		b, err := l.Blob(ref)
		if errors.Is(err, ErrRedacted) {
			last = map[string]settled{}
			continue
		} else if err != nil {
			continue // that is the finding
		}
		var s shares
		if err := json.Unmarshal(b, &s); err != nil || s.Before != nil && len(s.Before) != len(s.Tenants) {
			l.find(e.Index, file, "what it shares cannot be read (%v)", err)
			continue
		}
		for i, t := range s.Tenants {
			now, ok := credits(t.Balance)
			before := now
			if s.Before != nil {
				var also bool
				before, also = credits(s.Before[i])
				ok = ok && also
			}
			if !ok {
				l.find(e.Index, file, "tenant %s has no balance that is a number", t.Name)
				continue
			}
			if was, known := last[t.Name]; known && was.balance.Cmp(before) != 0 {
				l.find(e.Index, file, "tenant %s: entry %d left a balance of %s, this one begins with %s", t.Name, was.entry, was.balance.RatString(), before.RatString())
			}
			if s.Before != nil {
				last[t.Name] = settled{now, e.Index}
			}
		}
	}
}

// credits reads a balance; what is left out is 0.
func credits(text string) (*big.Rat, bool) {
	if text == "" {
		return new(big.Rat), true
	}
	return new(big.Rat).SetString(text)
}

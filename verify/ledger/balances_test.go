package ledger

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/verify"
)

// Every balance begins where the last decision that settled it left it, whoever else was there or not.
func TestBalances(t *testing.T) {
	for name, c := range map[string]struct {
		shares []string // shares.json of each decision to share
		entry  int64    // at fault; -1: none
		want   string
	}{
		"settled in turn": {[]string{
			`{"tenants":[{"name":"a","balance":"5"},{"name":"b"}],"before":["7","1"]}`,
			`{"tenants":[{"name":"a","balance":"5"},{"name":"b"}]}`,
			`{"tenants":[{"name":"a","balance":"9/2"},{"name":"b","balance":"1"}],"before":["5","0"]}`,
		}, -1, ""},
		"one was away": {[]string{
			`{"tenants":[{"name":"a","balance":"5"},{"name":"b","balance":"2"}],"before":["7","1"]}`,
			`{"tenants":[{"name":"a","balance":"4"}],"before":["5"]}`,
			`{"tenants":[{"name":"b","balance":"3"},{"name":"a","balance":"3"}],"before":["2","4"]}`,
		}, -1, ""},
		"the site's may change until it is settled": {[]string{
			`{"tenants":[{"name":"a","balance":"7"}]}`, `{"tenants":[{"name":"a","balance":"8"}]}`,
			`{"tenants":[{"name":"a","balance":"1"}],"before":["9"]}`,
		}, -1, ""},
		"the same number, written otherwise": {[]string{
			`{"tenants":[{"name":"a","balance":"1/2"}],"before":["1"]}`, `{"tenants":[{"name":"a","balance":"0"}],"before":["0.5"]}`,
		}, -1, ""},
		"a gift": {[]string{
			`{"tenants":[{"name":"a","balance":"5"}],"before":["7"]}`, `{"tenants":[{"name":"a","balance":"5"}],"before":["6"]}`,
		}, 1, "tenant a: entry 0 left a balance of 5, this one begins with 6"},
		"a gift without a settlement": {[]string{
			`{"tenants":[{"name":"a","balance":"5"}],"before":["7"]}`, `{"tenants":[{"name":"a","balance":"500"}]}`,
		}, 1, "entry 0 left a balance of 5, this one begins with 500"},
		"a debt forgotten while it was away": {[]string{
			`{"tenants":[{"name":"a","balance":"-5"},{"name":"b"}],"before":["7","0"]}`, `{"tenants":[{"name":"b","balance":"1"}],"before":["0"]}`,
			`{"tenants":[{"name":"a","balance":"6"}],"before":["7"]}`,
		}, 2, "entry 0 left a balance of -5, this one begins with 7"},
		"no number":              {[]string{`{"tenants":[{"name":"a","balance":"much"}]}`}, 0, "no balance that is a number"},
		"balances of nobody":     {[]string{`{"tenants":[{"name":"a"}],"before":["1","2"]}`}, 0, "cannot be read"},
		"what is no JSON at all": {[]string{`tenants`}, 0, "cannot be read"},
		"nothing":                {[]string{""}, 0, "is not recorded"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			for i, text := range c.shares {
				s := verify.Subject{Kind: "sharing", Name: "shares", Inputs: map[string][]byte{"policy.yaml": fmt.Append(nil, i), "shares.json": []byte(text)}}
				if text == "" {
					delete(s.Inputs, "shares.json")
				}
				obs := []verify.Obligation{{ID: "Y/settle", Property: "Y", Logic: "QF_LIA", Text: "(assert false)(check-sat)"}}
				cert, err := verify.Decide(context.Background(), proved{}, s, "1", obs, nil, []string{"z3"}, time.Unix(0, 0), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := l.AppendDecision(context.Background(), Decision{Action: "share", Verdict: "proved"}, s, cert, obs); err != nil {
					t.Fatal(err)
				}
			}
			publish(t, l)
			findings := read(t, l.Dir()).Findings
			switch {
			case c.entry < 0 && len(findings) > 0:
				t.Errorf("findings: %v", findings)
			case c.entry >= 0 && (len(findings) != 1 || findings[0].Entry != c.entry || !strings.Contains(findings[0].What, c.want)):
				t.Errorf("findings %v, want %q at entry %d", findings, c.want, c.entry)
			}
		})
	}
}

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/ledger/page"
	proof "github.com/interlock/interlock/verify/policy"
)

// addShare says what a policy lets tenants have, and what it made of their balances.
func (x *dossier) addShare(inputs map[string][]byte) error {
	a, err := proof.AdmissionFrom(inputs)
	if err != nil {
		return err
	}
	x.page.Asked = nil
	add := func(does []string) {
		n := min(len(does), maxLines)
		x.page.Asked = append(x.page.Asked, page.Step{Number: len(x.page.Asked) + 1, Does: does[:n], More: len(does) - n})
	}
	if a.Settles() {
		does := []string{"settle the epoch that ended, under " + a.File}
		for i, t := range a.Tenants {
			active := "active"
			if !t.Active {
				active = "without traffic"
			}
			does = append(does, fmt.Sprintf("tenant %s: %s, utility %s, held %s: %s credits, before %s", t.Name, active, t.Utility, amountsText(t.Held),
				t.Balance, a.Before[i]))
		}
		add(does)
	}
	does := []string{"let plans choose, under " + a.File}
	if !a.OfMemory() {
		does[0] = "let the programs use, under " + a.File
	}
	for i, t := range a.Tenants {
		line := fmt.Sprintf("tenant %s: %s", t.Name, rangesText(a.Floors[i], a.Ceilings[i]))
		if a.Totals != nil {
			line += fmt.Sprintf("; at most %d slots on all switches", a.Totals[i])
		}
		does = append(does, line)
	}
	add(does)
	return nil
}

// rangesText says between which amounts. The same of stages in a row is said once.
func rangesText(floor, ceiling policy.Resources) string {
	if maps.Equal(floor, ceiling) {
		return amountsText(ceiling)
	}
	byFloor := map[int64]policy.Resources{} // amountsText joins what has equal amounts
	for r, n := range ceiling {
		if byFloor[floor[r]] == nil {
			byFloor[floor[r]] = policy.Resources{}
		}
		byFloor[floor[r]][r] = n
	}
	var parts []string
	for _, least := range slices.Sorted(maps.Keys(byFloor)) {
		parts = append(parts, fmt.Sprintf("from %d to %s", least, amountsText(byFloor[least])))
	}
	return strings.Join(parts, ", ")
}

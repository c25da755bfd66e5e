package gate_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Counts are how often each kind of fault happened in a campaign, and what came of it.
type counts struct {
	t        testing.TB
	kinds    []*fault
	injected int
	outcomes map[string]map[string]int // by kind
}

// enough is how many faults of each kind a campaign must have on average before one that never happened counts as a defect of the test.
const enough = 20

// all are those of the campaigns that have ended.
var all []string

func newCounts(t testing.TB, kinds []*fault) *counts {
	return &counts{t: t, kinds: kinds, outcomes: map[string]map[string]int{}}
}

// add counts a fault that happened.
func (n *counts) add(f *fault, outcome string) {
	n.injected++
	if n.outcomes[f.name] == nil {
		n.outcomes[f.name] = map[string]int{}
	}
	n.outcomes[f.name][outcome]++
}

// join adds the counts of a part of the campaign.
func (n *counts) join(m *counts) {
	n.injected += m.injected
	for kind, of := range m.outcomes {
		if n.outcomes[kind] == nil {
			n.outcomes[kind] = map[string]int{}
		}
		for outcome, k := range of {
			n.outcomes[kind][outcome] += k
		}
	}
}

// report keeps the counts for the end of the tests. In a large campaign every kind must have happened.
func (n *counts) report(more string) {
	n.t.Helper()
	text := fmt.Sprintf("%s: %d faults\n", n.t.Name(), n.injected)
	for _, f := range n.kinds {
		sum, of := 0, n.outcomes[f.name]
		var what []string
		for _, outcome := range slices.Sorted(maps.Keys(of)) {
			sum += of[outcome]
			what = append(what, fmt.Sprintf("%s %d", outcome, of[outcome]))
		}
		text += fmt.Sprintf("%6d  %s (%s)\n", sum, f.name, strings.Join(what, ", "))
		if sum == 0 && n.injected >= enough*len(n.kinds) {
			n.t.Errorf("of %d faults none was %q", n.injected, f.name)
		}
	}
	all = append(all, text+"        "+more+"\n")
}

// printCounts says how often each kind happened in each campaign.
func printCounts(to io.Writer) {
	for _, text := range all {
		fmt.Fprint(to, text)
	}
}

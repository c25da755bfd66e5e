package main

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
)

// provenance says since when an extent is as it is, and what allows it.
type provenance struct {
	Since       time.Time `json:"since"`
	Entry       int64     `json:"entry"`       // index of the decision in the ledger
	Certificate string    `json:"certificate"` // its digest
}

// provenances finds, for each extent that there is on a switch now, the plan that gave it: the first of those that were applied without a
// break up to now, and have it in their goal. A program that replaced another gave retained tenants their extents back as they were. What
// the log does not tell is left out: what an interrupted plan left behind, or somebody else.
func provenances(l *check.Log, name string, now []plan.Extent) (map[plan.Extent]provenance, error) {
	found := map[plan.Extent]provenance{}
	open := slices.Clone(now)
	for _, e := range slices.Backward(l.Entries) {
		o := e.Outcome
		if len(open) == 0 {
			break
		}
		if o == nil || o.Switch != name || o.Result == ledger.Pending || o.Action == "evict" && o.Result == ledger.Applied {
			continue // an eviction leaves the others' extents as they are
		}
		if kept(l, o) {
			continue
		}
		if o.Action != "apply" || o.Result != ledger.Applied || o.Decision < 0 {
			break
		}
		d := l.Entries[o.Decision].Decision
		b, err := l.Blob(d.Inputs["plan.json"])
		if err != nil {
			return nil, err
		}
		var p struct {
			Goal []plan.Extent `json:"goal"`
		}
		if err := json.Unmarshal(b, &p); err != nil {
			return nil, err
		}
		open = slices.DeleteFunc(open, func(x plan.Extent) bool {
			if !slices.Contains(p.Goal, x) {
				return true
			}
			found[x] = provenance{o.At, o.Decision, d.Certificate.Content}
			return false
		})
	}
	return found, nil
}

// kept says that what was done left extents as they were: a switch was closed, or its program was replaced by another.
func kept(l *check.Log, o *check.Outcome) bool {
	if o.Result != ledger.Applied || o.Decision < 0 {
		return false
	}
	switch o.Action {
	case "close":
		return true
	case "replace":
		old, err := l.Blob(l.Entries[o.Decision].Decision.Inputs["old.p4"])
		return err == nil && len(old) > 0 // else it was the first program of an empty switch
	}
	return false
}

// heldBy is held by the names of tenants; nil if the ledger does not tell.
func (w *work) heldBy() map[string]int64 {
	held, err := w.held()
	if err != nil {
		return nil
	}
	out := map[string]int64{}
	for _, h := range held {
		for _, t := range w.site.Tenants {
			if t.VID == h.VID {
				out[t.Name] = h.Slots
			}
		}
	}
	return out
}

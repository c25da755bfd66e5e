package replay

import (
	"bytes"
	"errors"
	"fmt"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify/ledger/check"
)

// lemma checks that a decision which rests on the standing lemma for evictions, or for closing a switch, is one: its request deletes entries
// of page tables or the admission table that the recorded pre-states have, and does nothing else.
func lemma(l *check.Log, e check.Entry, r Result) (Result, error) {
	what, states := "an eviction", []string{"prestate.bin", "admission.bin"}
	if e.Decision.Action == "close" {
		what, states = "a closing", states[1:]
	}
	if _, ok := e.Decision.Inputs["admission.bin"]; !ok && e.Decision.Action == "evict" {
		states = states[:1] // of before there was an admission table
	}
	inputs := map[string][]byte{}
	for _, name := range append(states, "request.bin") {
		ref, ok := e.Decision.Inputs[name]
		if !ok {
			r.Outcome, r.Reason = Contradicted, "not "+what+": "+name+" is not recorded"
			return r, nil
		}
		var err error
		if inputs[name], err = l.Blob(ref); errors.Is(err, check.ErrRedacted) {
			r.Outcome, r.Reason = Undecided, name+" was left out of the export"
			return r, nil
		} else if err != nil {
			return r, err
		}
	}
	var pre [][]byte
	for _, name := range states {
		pre = append(pre, inputs[name])
	}
	r.Outcome = Confirmed
	if err := deletesOnly(inputs["request.bin"], pre...); err != nil {
		r.Outcome, r.Reason = Contradicted, fmt.Sprintf("not %s: %v", what, err)
	}
	return r, nil
}

// deletesOnly checks that a serialised p4.v1.WriteRequest only deletes entries of pre, serialised p4.v1.ReadResponses with entries of page
// tables and of the admission table.
func deletesOnly(request []byte, pre ...[]byte) error {
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(request, &req); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	there := map[string]bool{}
	for _, b := range pre {
		var state p4v1.ReadResponse
		if err := proto.Unmarshal(b, &state); err != nil {
			return fmt.Errorf("pre-state: %w", err)
		}
		for _, entity := range state.GetEntities() {
			if t := entity.GetTableEntry(); t != nil {
				there[entryKey(t)] = true
			}
		}
	}
	// What the request says has to be all that it says: rebuilt from what is allowed in it, it has the same bytes.
	plain := &p4v1.WriteRequest{DeviceId: req.GetDeviceId(), ElectionId: &p4v1.Uint128{
		High: req.GetElectionId().GetHigh(), Low: req.GetElectionId().GetLow(),
	}}
	for i, u := range req.GetUpdates() {
		t := u.GetEntity().GetTableEntry()
		if u.GetType() != p4v1.Update_DELETE || t == nil {
			return fmt.Errorf("update %d is no deletion of a table entry", i)
		}
		if !there[entryKey(t)] {
			return fmt.Errorf("update %d deletes what is no entry of the pre-state", i)
		}
		plain.Updates = append(plain.Updates, &p4v1.Update{Type: p4v1.Update_DELETE, Entity: &p4v1.Entity{
			Entity: &p4v1.Entity_TableEntry{TableEntry: keyOf(t)},
		}})
	}
	if len(plain.Updates) == 0 {
		return fmt.Errorf("it deletes nothing")
	}
	if want, err := (proto.MarshalOptions{Deterministic: true}).Marshal(plain); err != nil || !bytes.Equal(want, request) {
		return fmt.Errorf("the request says more than deletions (%v)", err)
	}
	return nil
}

// keyOf is what identifies an exact-match entry.
func keyOf(t *p4v1.TableEntry) *p4v1.TableEntry {
	return &p4v1.TableEntry{TableId: t.GetTableId(), Match: t.GetMatch(), Priority: t.GetPriority()}
}

func entryKey(t *p4v1.TableEntry) string {
	b, err := (proto.MarshalOptions{Deterministic: true}).Marshal(keyOf(t))
	if err != nil {
		return ""
	}
	return string(b)
}

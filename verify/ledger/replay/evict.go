package replay

import (
	"bytes"
	"fmt"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify/ledger/check"
)

// lemma checks that a decision which rests on the standing lemma for evictions is one: its request deletes page-table entries that
// the recorded pre-state has, and does nothing else.
func lemma(l *check.Log, e check.Entry, r Result) (Result, error) {
	for _, name := range []string{"request.bin", "prestate.bin"} {
		if _, ok := e.Decision.Inputs[name]; !ok {
			r.Outcome, r.Reason = Contradicted, "not an eviction: "+name+" is not recorded"
			return r, nil
		}
	}
	request, err := l.Blob(e.Decision.Inputs["request.bin"])
	if err != nil {
		return r, err
	}
	pre, err := l.Blob(e.Decision.Inputs["prestate.bin"])
	if err != nil {
		return r, err
	}
	r.Outcome = Confirmed
	if err := unmapsOnly(request, pre); err != nil {
		r.Outcome, r.Reason = Contradicted, fmt.Sprintf("not an eviction: %v", err)
	}
	return r, nil
}

// unmapsOnly checks that a serialised p4.v1.WriteRequest only deletes entries of pre, a serialised p4.v1.ReadResponse with the
// entries of all page tables.
func unmapsOnly(request, pre []byte) error {
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(request, &req); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	var state p4v1.ReadResponse
	if err := proto.Unmarshal(pre, &state); err != nil {
		return fmt.Errorf("pre-state: %w", err)
	}
	there := map[string]bool{}
	for _, entity := range state.GetEntities() {
		if t := entity.GetTableEntry(); t != nil {
			there[entryKey(t)] = true
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
			return fmt.Errorf("update %d deletes what is no page-table entry of the pre-state", i)
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

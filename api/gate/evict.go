package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
)

// EvictLemma is the standing lemma behind Evict: removing a tenant's page-table entries, and nothing else, preserves M1 to M3 in
// every state, and leaves every other tenant's slots alone.
const EvictLemma = "specs/lemmas/evict.smt2"

// Names of an eviction's recorded inputs: the write request, and the page tables that it was made for.
const (
	EvictRequest  = "request.bin"
	EvictPreState = "prestate.bin"
)

// Evict unmaps all of a tenant's register memory at once, in any state of the switch: it deletes the tenant's page-table entries.
// Its slots are free, and are scrubbed before anyone gets them. No solver, policy or allocator is involved.
func (g *Gate) Evict(ctx context.Context, name string, vid uint16) (*Outcome, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := &Outcome{}
	before, err := g.observe(ctx)
	if err != nil {
		return out, err
	}
	if before.pipeline == nil {
		return out, fmt.Errorf("switch %s runs no program", g.conf.Target.Name)
	}
	request, n, err := g.unmap(before, vid)
	if err != nil {
		return out, err
	}
	if n == 0 {
		return out, nil
	}
	index, err := g.conf.Ledger.AppendDecision(ctx, ledger.Decision{
		Action: "evict", Switch: g.conf.Target.Name, Verdict: "lemma", Lemma: EvictLemma, Who: g.conf.Who, At: g.conf.Now().UTC(),
	}, verify.Subject{
		Kind: "evict", Name: fmt.Sprintf("eviction of tenant %s (VID %d)", name, vid),
		Inputs: map[string][]byte{EvictRequest: request, EvictPreState: before.pageTables},
	}, nil, nil)
	if err != nil {
		return out, err
	}
	if err := g.begin(ctx, before, index); err != nil {
		return out, err
	}
	begun := time.Now()
	failure := g.write(ctx, request)
	out.Writes = time.Since(begun)
	after, err := g.observeAfter(ctx)
	if err != nil {
		return out, errors.Join(failure, fmt.Errorf("reading back after the eviction: %w", err))
	}
	if failure == nil {
		out.Steps = 1
		if _, left, err := g.unmap(after, vid); err != nil {
			failure = err
		} else if left > 0 {
			failure = fmt.Errorf("the switch accepted the eviction, but tenant %s still has %d entries", name, left)
		}
	}
	rec := ledger.Outcome{
		Action: "evict", Decision: index, Result: ledger.Applied, Steps: out.Steps,
		PreState: before.digest(), PostState: after.digest(), Times: map[string]time.Duration{"write": out.Writes},
	}
	if failure != nil {
		rec.Result, rec.Error = ledger.Failed, failure.Error()
	}
	out.Entry, err = g.finish(ctx, rec)
	return out, errors.Join(failure, err)
}

// unmap builds the request that deletes every page-table entry of vid, and says how many there are.
func (g *Gate) unmap(o *observation, vid uint16) ([]byte, int, error) {
	st, err := parseState(o.pageTables)
	if err != nil {
		return nil, 0, err
	}
	req := &p4v1.WriteRequest{
		DeviceId: g.conf.Target.DeviceID, ElectionId: &p4v1.Uint128{Low: g.ElectionID()},
	}
	for k, e := range st {
		if k.vid == uint64(vid) {
			req.Updates = append(req.Updates, &p4v1.Update{
				Type: p4v1.Update_DELETE,
				Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{
					TableEntry: &p4v1.TableEntry{TableId: e.GetTableId(), Match: e.GetMatch()},
				}},
			})
		}
	}
	slices.SortFunc(req.Updates, func(a, b *p4v1.Update) int {
		return int(int64(a.GetEntity().GetTableEntry().GetTableId()) - int64(b.GetEntity().GetTableEntry().GetTableId()))
	})
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	return b, len(req.Updates), err
}

package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
)

// EvictLemma is the standing lemma behind Evict: removing a tenant's entries of page tables and of the admission table, and nothing else,
// preserves M1 to M3 in every state, and leaves every other tenant's slots alone.
const EvictLemma = "specs/lemmas/evict.smt2"

// Names of an eviction's recorded inputs: the write request, and the page tables and the admission table that it was made for.
const (
	EvictRequest   = "request.bin"
	EvictPreState  = "prestate.bin"
	EvictAdmission = "admission.bin"
)

// Evict shuts a tenant out at once, in any state of the switch: it deletes the tenant's entries of the admission table, so that its
// packets are dropped, and of the page tables. Its slots are free, and are scrubbed before anyone gets them. No solver, policy or allocator is
// involved. On a switch that runs no program, where nobody is in, the error is device.ErrNoPipeline.
func (g *Gate) Evict(ctx context.Context, name string, vid uint16) (*Outcome, error) {
	out, decision, err := g.evict(ctx, name, vid)
	g.note("evict", decision, out, err)
	return out, err
}

func (g *Gate) evict(ctx context.Context, name string, vid uint16) (*Outcome, int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	out, index := &Outcome{}, int64(-1)
	before, err := g.observe(ctx)
	if err != nil {
		return out, index, err
	}
	if before.pipeline == nil {
		return out, index, fmt.Errorf("switch %s runs no program: %w", g.conf.Target.Name, device.ErrNoPipeline)
	}
	admission, err := g.reader.Admission(ctx, before.pipeline.P4Info)
	if err != nil {
		return out, index, err
	}
	request, n, err := g.expel(vid, before.pageTables, admission)
	if err != nil {
		return out, index, err
	}
	if n == 0 {
		return out, index, nil
	}
	if index, err = g.ledger.Load().AppendDecision(ctx, ledger.Decision{
		Action: "evict", Switch: g.conf.Target.Name, Verdict: "lemma", Lemma: EvictLemma, Who: g.conf.Who, At: g.conf.Now().UTC(),
	}, verify.Subject{
		Kind: "evict", Name: fmt.Sprintf("eviction of tenant %s (VID %d)", name, vid),
		Inputs: map[string][]byte{EvictRequest: request, EvictPreState: before.pageTables, EvictAdmission: admission},
	}, nil, nil); err != nil {
		return out, index, err
	}
	if err := g.begin(ctx, before, index); err != nil {
		return out, index, err
	}
	begun := time.Now()
	out.begun = true
	failure := g.write(ctx, request)
	out.Writes = time.Since(begun)
	after, err := g.observeAfter(ctx)
	if err != nil {
		return out, index, errors.Join(failure, fmt.Errorf("reading back after the eviction: %w", err))
	}
	if failure == nil {
		out.Steps = 1
		failure = g.expelled(ctx, name, vid, after)
	}
	rec := ledger.Outcome{
		Action: "evict", Decision: index, Result: ledger.Applied, Steps: out.Steps,
		PreState: before.digest(), PostState: after.digest(), Times: map[string]time.Duration{"write": out.Writes},
	}
	if failure != nil {
		rec.Result, rec.Error = ledger.Failed, failure.Error()
	}
	out.Entry, err = g.finish(ctx, rec)
	return out, index, errors.Join(failure, err)
}

// expelled checks that nothing of a tenant's is left.
func (g *Gate) expelled(ctx context.Context, name string, vid uint16, after *observation) error {
	if after.pipeline == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.conf.Patience)
	defer cancel()
	admission, err := g.reader.Admission(ctx, after.pipeline.P4Info)
	if err != nil {
		return err
	}
	_, left, err := g.expel(vid, after.pageTables, admission)
	if err == nil && left > 0 {
		err = fmt.Errorf("the switch accepted the eviction, but tenant %s still has %d entries", name, left)
	}
	return err
}

// expel builds the request that deletes every entry of vid in the given tables' states, admission first, and says how many there are. It
// leaves alone whatever else is there, even entries that no gate would write.
func (g *Gate) expel(vid uint16, pageTables, admission []byte) ([]byte, int, error) {
	return g.deletion(func(k entryKey) bool { return k.vid == uint64(vid) }, admission, pageTables)
}

// deletion builds the request that deletes the entries that are chosen by their keys.
func (g *Gate) deletion(chosen func(entryKey) bool, states ...[]byte) ([]byte, int, error) {
	req := &p4v1.WriteRequest{
		DeviceId: g.conf.Target.DeviceID, ElectionId: &p4v1.Uint128{Low: g.ElectionID()},
	}
	for _, b := range states {
		var state p4v1.ReadResponse
		if err := proto.Unmarshal(b, &state); err != nil {
			return nil, 0, fmt.Errorf("entries that were read: %w", err)
		}
		for _, e := range state.GetEntities() { // sorted by table
			te := e.GetTableEntry()
			if k, err := keyOf(te); err != nil || !chosen(k) {
				continue
			}
			req.Updates = append(req.Updates, &p4v1.Update{
				Type: p4v1.Update_DELETE,
				Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{
					TableEntry: &p4v1.TableEntry{TableId: te.GetTableId(), Match: te.GetMatch()},
				}},
			})
		}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	return b, len(req.Updates), err
}

package gate

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
)

// CloseLemma is the standing lemma behind Shut: with nobody admitted, and after a fence, nothing of any tenant's is touched.
const CloseLemma = "specs/lemmas/replace.smt2"

// Shut closes the switch, which must run a program: it deletes every entry of the admission table, and waits with a fence until no packet
// acts on one. It is safe in every state, as an eviction is: packets do less. Until something is written, or mastership is lost, nothing
// that tenants hold changes any more, and Hold may read it.
func (g *Gate) Shut(ctx context.Context) (*Outcome, error) {
	out, decision, err := g.close(ctx)
	g.note("close", decision, out, err)
	return out, err
}

func (g *Gate) close(ctx context.Context) (*Outcome, int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	out, index := &Outcome{}, int64(-1)
	if g.unanswered.Load() {
		return out, index, ErrUnanswered
	}
	before, err := g.observe(ctx)
	if err != nil {
		return out, index, err
	}
	if before.pipeline == nil {
		return out, index, fmt.Errorf("switch %s runs no program: %w", g.conf.Target.Name, device.ErrNoPipeline)
	}
	if device.TableID(before.pipeline.P4Info, specs.AdmissionTable) == 0 {
		return out, index, fmt.Errorf("%w: it has no admission table, so nobody can be shut out", ErrOccupied)
	}
	admission, err := g.reader.Admission(ctx, before.pipeline.P4Info)
	if err != nil {
		return out, index, err
	}
	request, n, err := g.deletion(func(entryKey) bool { return true }, admission)
	if err != nil {
		return out, index, err
	}
	marker, err := marker(g.ElectionID())
	if err != nil {
		return out, index, err
	}
	if n == 0 { // nobody is in; those who were may still be on their way
		begun := time.Now()
		err := g.session.Fence(ctx, marker)
		out.Writes, g.shut = time.Since(begun), err == nil
		return out, index, err
	}
	if index, err = g.ledger.Load().AppendDecision(ctx, ledger.Decision{
		Action: "close", Switch: g.conf.Target.Name, Verdict: "lemma", Lemma: CloseLemma, Who: g.conf.Who, At: g.conf.Now().UTC(),
	}, verify.Subject{
		Kind: "close", Name: fmt.Sprintf("closing of switch %s", g.conf.Target.Name),
		Inputs: map[string][]byte{EvictRequest: request, EvictAdmission: admission},
	}, nil, nil); err != nil {
		return out, index, err
	}
	if err := g.begin(ctx, before, index); err != nil {
		return out, index, err
	}
	begun := time.Now()
	out.begun = true
	failure := g.write(ctx, request)
	if failure == nil {
		out.Steps++
		if failure = g.session.Fence(ctx, marker); failure == nil {
			out.Steps++
		}
	}
	out.Writes = time.Since(begun)
	after, err := g.observeAfter(ctx)
	if err != nil {
		return out, index, errors.Join(failure, fmt.Errorf("reading back after closing: %w", err))
	}
	rec := ledger.Outcome{
		Action: "close", Decision: index, Result: ledger.Applied, Steps: out.Steps,
		PreState: before.digest(), PostState: after.digest(), Times: map[string]time.Duration{"write": out.Writes},
	}
	if failure != nil {
		rec.Result, rec.Error = ledger.Failed, failure.Error()
	}
	out.Entry, err = g.finish(ctx, rec)
	g.shut = failure == nil && err == nil
	return out, index, errors.Join(failure, err)
}

// marker is a fence's, with a nonce that no other has.
func marker(election uint64) ([]byte, error) {
	var nonce [8]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	addresses := specs.MarkerAddresses(election)
	payload := binary.BigEndian.AppendUint16(addresses[:], specs.MarkerEtherType)
	return proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.PacketOut{Payload: append(payload, nonce[:]...)})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/smt"
)

// tools are what gates share: the solvers and the site's ledger.
type tools struct {
	pool     *smt.Pool
	required []string
	log      *ledger.Log
}

// openTools starts the solvers and opens the ledger.
func (w *work) openTools() (*tools, error) {
	pool, required, err := w.solvers()
	if err != nil {
		return nil, err
	}
	log, err := w.openLedger()
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &tools{pool, required, log}, nil
}

func (t *tools) close() {
	t.log.Close()
	t.pool.Close()
}

// openGate takes mastership of the switch with a new election id. If the switch is not as the ledger's last outcome left it, that is
// recorded first.
func (w *work) openGate(ctx context.Context, t *tools) (*gate.Gate, error) {
	election, err := nextElectionID(w.ledgerDir())
	if err != nil {
		return nil, err
	}
	return w.openGateAs(ctx, election, nil, t)
}

// openGateAs is openGate with an election id that was taken before, for plans within what is in force; nil: for no plans.
func (w *work) openGateAs(ctx context.Context, election uint64, under *inForce, t *tools) (*gate.Gate, error) {
	return w.gateWith(ctx, election, under, t.log, t.pool, t.required)
}

func (w *work) gateWith(ctx context.Context, election uint64, under *inForce, log *ledger.Log, d verify.Decider, required []string) (*gate.Gate, error) {
	var share *gate.Share
	if under != nil {
		var err error
		if share, err = under.published(ctx, d, required, log); err != nil {
			return nil, err
		}
	}
	short, cancel := timeout(ctx)
	defer cancel()
	g, err := gate.Open(short, gate.Config{
		Target: w.target(), Ledger: log, Decider: d, Tenants: w.tenants(),
		Required: required, Who: who(), Log: w.log,
	}, election)
	if err != nil {
		return nil, gateError(err)
	}
	if share != nil {
		if err := g.Adopt(share); err != nil {
			g.Close()
			return nil, gateError(err)
		}
	}
	if log == nil {
		return g, nil
	}
	if err := log.Publish(); err != nil { // what is read of it below is what others read
		g.Close()
		return nil, exitWith(exitEnvironment, err)
	}
	if err := w.recover(short, g); err != nil {
		return nil, err
	}
	if err := w.carryOut(short, g); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// recover records what an interrupted controller left behind.
func (w *work) recover(ctx context.Context, g *gate.Gate) error {
	l, err := w.readLedger()
	if err != nil {
		g.Close()
		return err
	}
	state, decision := lastState(l, w.site.Switch.Name)
	g.Remember(gate.RefusalsOf(l.Entries, w.site.Switch.Name))
	recovered, err := g.Recover(ctx, state, decision)
	if err != nil {
		g.Close()
		return gateError(err)
	}
	if recovered {
		fmt.Fprintf(os.Stderr, "switch %s is not as the ledger's last entry left it (an interrupted plan, or writes outside the gate): "+
			"recorded; going on from what was read back\n", w.site.Switch.Name)
	}
	return nil
}

// lastState is the state that the ledger's last outcome left the switch in, and the index of the last decision.
func (w *work) lastState() (verify.Digest, int64, error) {
	l, err := w.readLedger()
	if err != nil {
		return "", -1, err
	}
	state, decision := lastState(l, w.site.Switch.Name)
	return state, decision, nil
}

func lastState(l *check.Log, name string) (state verify.Digest, decision int64) {
	decision = -1
	for _, e := range l.Entries {
		switch {
		case e.Outcome != nil && e.Outcome.Switch == name && e.Outcome.Result != ledger.Pending:
			state = verify.Digest(e.Outcome.PostState)
		case e.Decision != nil && e.Decision.Switch == name && e.Decision.Verdict == "proved":
			decision = e.Index
		}
	}
	return state, decision
}

// readLedger reads the site's ledger as an auditor would.
func (w *work) readLedger() (*check.Log, error) { return readLedger(w.ledgerDir(), "") }

// errLedgerBusy is how long an eviction waits for the controller that it pushed aside to let go of the ledger.
const ledgerPatience = 10 * time.Second

// takeLedger opens the ledger as soon as its holder lets go of it.
func (w *work) takeLedger(ctx context.Context) (*ledger.Log, error) {
	deadline := time.Now().Add(ledgerPatience)
	for {
		l, err := w.openLedger()
		if err == nil || !errors.Is(err, ledger.ErrBusy) || time.Now().After(deadline) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, exitWith(exitEnvironment, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

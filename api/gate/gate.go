// Package gate is the only code that may write to a switch. It checks certificates, mints clearances for one use, and sends
// exactly the bytes that were proved, in their order, after the decision is durably in the ledger, the state read back equals the
// proved plan's pre-state, and mastership is held. On any failure it stops: every state on the way is safe (DESIGN.md §5.2).
//
// There is no override. Evict, which only unmaps, is the kill switch and needs neither solver nor policy.
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/device/writer"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// What the gate refuses with, besides verify.ErrRefuted and verify.ErrUndecided.
var (
	// ErrStale says that the switch is not in the state that was proved about; the error lists what moved.
	ErrStale = errors.New("stale: the switch changed after the proof")
	// ErrTampered says that what is to be applied is not what was proved.
	ErrTampered = errors.New("not what was proved")
	// ErrUsed says that a clearance was used, or has expired.
	ErrUsed = errors.New("clearance used up")
	// ErrUnanswered says that the gate can do nothing more but evict: a request that it sent may still take effect. That ends when a
	// gate with a higher election id has mastership.
	ErrUnanswered = errors.New("an earlier request was not answered and may still take effect: take mastership again first")
	// ErrOccupied says that the program that runs on the switch cannot be replaced: it cannot be closed, or nobody knows whether it holds
	// all that its tenants had.
	ErrOccupied = errors.New("the switch runs a program that cannot be replaced")
)

// ClearanceLifetime is how long a clearance may wait to be used.
const ClearanceLifetime = 5 * time.Minute

// DefaultPatience is how long the gate waits for an answer of the switch before it stops.
const DefaultPatience = 10 * time.Second

// Config of a gate.
type Config struct {
	Target device.Target
	Ledger *ledger.Log
	// Decider proves what the ledger does not say is proved; nil where only Evict is wanted.
	Decider verify.Decider
	// Tenants are those registered at the site. A plan that was made for others is refused: its proof is about other bindings of
	// VIDs to tenants (M4).
	Tenants []plan.Tenant
	// Required are the names of the solvers that must each prove every obligation.
	Required []string
	Who      string // recorded in the ledger
	// Patience with each write request and each read-back; 0: DefaultPatience. Longer than that is a failure, after which nothing
	// more is sent; a fence has the driver's limit.
	Patience time.Duration
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: none. Every action and every refusal is logged.
}

// A Gate has mastership of one switch. It carries out one thing at a time.
type Gate struct {
	conf    Config
	reader  *device.Reader
	session *writer.Session
	plans   *plan.Encoder
	swaps   *replace.Encoder
	log     *slog.Logger
	metrics *metrics
	ledger  atomic.Pointer[ledger.Log]

	share atomic.Pointer[adopted] // what the policy in force lets tenants have; nil: nothing was adopted, and no plan is cleared

	mu sync.Mutex
	// fenced: this gate completed a fence after its last page-table write. unanswered: a write request of this gate got no answer, and
	// so may take effect at any time as long as this gate has mastership.
	fenced bool
	// shut: this gate emptied the admission table, completed a fence since, and has written nothing after that. held is what it then read
	// of the switch, and of which program.
	shut       bool
	held       *Standing
	programs   map[verify.Digest]bool // subjects whose proof ClearProgram has checked
	unanswered atomic.Bool
	infos      map[verify.Digest]*configv1.P4Info // of linked programs
	proved     atomic.Pointer[plan.Input]         // the last plan that this gate cleared: the next may follow on it

	// turn is held by the tenant's request that is carried out, or waits for mu.
	turn *semaphore.Weighted
	// serves is the program that tenants' requests were found to be about, "" if nobody has looked since it was replaced; entries is how many
	// entries the tables of each tenant have in it.
	serves  verify.Digest
	entries map[string]map[uint32]int64

	// refusals are slots that were to be scrubbed and were not; quarantined is how many of them are in quarantine.
	refusals    *Refusals
	quarantined atomic.Int64

	state verify.Digest // as this gate last knew it: read before an action, or left by its outcome; "" before the first
}

// Open connects to the switch and takes mastership with electionID, which must be higher than any used before.
func Open(ctx context.Context, conf Config, electionID uint64) (*Gate, error) {
	if conf.Now == nil {
		conf.Now = time.Now
	}
	if conf.Patience == 0 {
		conf.Patience = DefaultPatience
	}
	r, err := device.Dial(conf.Target)
	if err != nil {
		return nil, err
	}
	s, err := writer.Open(ctx, conf.Target, electionID)
	if err != nil {
		r.Close()
		return nil, err
	}
	g := &Gate{conf: conf, reader: r, session: s, plans: plan.NewEncoder(2), swaps: replace.NewEncoder(), programs: map[verify.Digest]bool{}, refusals: RefusalsOf(nil, ""), turn: semaphore.NewWeighted(1), log: slog.New(slog.DiscardHandler)}
	if conf.Log != nil {
		g.log = conf.Log.With("switch", conf.Target.Name, "election", electionID)
	}
	g.metrics = newMetrics(g)
	g.ledger.Store(conf.Ledger)
	g.log.Info("mastership", "address", conf.Target.Address)
	return g, nil
}

// UseLedger gives a gate that was opened without a ledger the one to write to. An eviction takes mastership first, which makes the
// controller that holds the ledger let go of it.
func (g *Gate) UseLedger(l *ledger.Log) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ledger.Store(l)
}

// Lost returns why mastership is over, or nil while it is held.
func (g *Gate) Lost() error { return g.session.Held() }

// Done is closed when mastership is over; Lost says why.
func (g *Gate) Done() <-chan struct{} { return g.session.Done() }

// Close gives mastership up.
func (g *Gate) Close() error { return errors.Join(g.session.Close(), g.reader.Close()) }

// ElectionID is the gate's, which plans for it must carry.
func (g *Gate) ElectionID() uint64 { return g.session.ElectionID() }

// observe reads back what runs on the switch and its page tables.
func (g *Gate) observe(ctx context.Context) (*observation, error) {
	p, err := g.reader.Pipeline(ctx)
	if errors.Is(err, device.ErrNoPipeline) {
		return &observation{}, nil
	}
	if err != nil {
		return nil, err
	}
	tables, err := g.reader.PageTables(ctx, p.P4Info)
	if err != nil {
		return nil, err
	}
	return &observation{pipeline: p, pageTables: tables}, nil
}

// observeAfter reads back even when ctx is over: what was done must be known. A switch that has stopped answering does not hold the
// gate up for good.
func (g *Gate) observeAfter(ctx context.Context) (*observation, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.conf.Patience)
	defer cancel()
	return g.observe(ctx)
}

// write sends one request and waits for its answer.
func (g *Gate) write(ctx context.Context, request []byte) error {
	ctx, cancel := context.WithTimeout(ctx, g.conf.Patience)
	defer cancel()
	g.fenced, g.shut = false, false
	g.log.Debug("write", "bytes", len(request))
	return g.answered(g.session.Write(ctx, request))
}

// answered notes whether a request may still take effect after err.
func (g *Gate) answered(err error) error {
	switch code := status.Code(err); {
	case err == nil:
	case errors.Is(err, device.ErrUnreachable), code == codes.Canceled, code == codes.Internal, code == codes.ResourceExhausted:
		g.unanswered.Store(true) // the last two may be this side's
	}
	return err
}

// observation is a switch's state as far as the gate answers for it.
type observation struct {
	pipeline   *device.Pipeline // nil: none
	pageTables []byte
}

// digest of the state: program, P4Info's cookie and page tables.
func (o *observation) digest() verify.Digest {
	if o.pipeline == nil {
		return verify.DigestOf([]byte("no program"))
	}
	return verify.DigestOf(fmt.Appendf(nil, "%s\n%d\n%s\n",
		verify.DigestOf(o.pipeline.DeviceConfig), o.pipeline.Cookie, verify.DigestOf(o.pageTables)))
}

// StateDigest reads the switch and returns the digest that ledger entries name states by.
func StateDigest(ctx context.Context, r *device.Reader) (verify.Digest, error) {
	o, err := (&Gate{reader: r}).observe(ctx)
	if err != nil {
		return "", err
	}
	return o.digest(), nil
}

// finish records an outcome. The entry is written even if ctx is over: the log must say what was done.
func (g *Gate) finish(ctx context.Context, o ledger.Outcome) (int64, error) {
	o.Switch, o.Who, o.At = g.conf.Target.Name, g.conf.Who, g.conf.Now().UTC()
	index, err := g.ledger.Load().AppendOutcome(context.WithoutCancel(ctx), o)
	if err == nil {
		g.state = o.PostState
		g.noteRefusals(index, o)
	}
	return index, err
}

// Recover compares the switch with the state that the ledger's last outcome left, and records what an interrupted controller
// left behind. Proposals start from what is read back, so nothing else is needed to go on safely. last is "" for a new ledger.
func (g *Gate) Recover(ctx context.Context, last verify.Digest, decision int64) (recovered bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.observe(ctx)
	if err != nil {
		return false, err
	}
	now := o.digest()
	g.state = now
	if last == "" || now == last {
		return false, nil
	}
	err = g.recovered(ctx, last, now, decision)
	return err == nil, err
}

func (g *Gate) recovered(ctx context.Context, last, now verify.Digest, decision int64) error {
	entry, err := g.finish(ctx, ledger.Outcome{
		Action: "recover", Decision: decision, Result: ledger.Interrupted, PreState: last, PostState: now,
		Error: "the switch is not as the last entry left it",
	})
	g.metrics.actions.WithLabelValues("recover", ledger.Interrupted).Inc()
	g.log.Warn("the switch is not as the last entry left it: recorded", "entry", entry, "was", last, "is", now, "err", err)
	return err
}

// begin notes the state that an action starts from. If it is not the one that this gate knows (the action before could not be read
// back, or was answered late), that is recorded first, so that the log has no gap.
func (g *Gate) begin(ctx context.Context, before *observation, decision int64) error {
	now, last := before.digest(), g.state
	g.state = now
	if last == "" || last == now {
		return nil
	}
	return g.recovered(ctx, last, now, decision)
}

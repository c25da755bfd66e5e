package softswitch

import (
	"context"
	"sync"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// How often entries are looked at that have an idle time-out: ten times in the shortest of them, within these bounds.
const (
	minIdleScan = 10 * time.Millisecond
	maxIdleScan = time.Second
)

// An idleWatch tells controllers of entries that were not hit for as long as they asked for, while its program runs.
type idleWatch struct {
	program *program
	tell    func(*p4v1.StreamMessageResponse, *configv1.Preamble) bool

	mu       sync.Mutex
	shortest time.Duration // of the time-outs written since the program runs; 0: none
	wake     chan struct{}
	stop     context.CancelFunc
	done     chan struct{}
}

// note takes an entry's time-out into account.
func (w *idleWatch) note(ns int64) {
	if ns <= 0 {
		return
	}
	w.mu.Lock()
	shorter := w.shortest == 0 || time.Duration(ns) < w.shortest
	if shorter {
		w.shortest = time.Duration(ns)
	}
	w.mu.Unlock()
	if shorter {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// run starts or ends the watch. It is not called concurrently.
func (w *idleWatch) run(running bool) {
	switch {
	case running && w.stop == nil:
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background())
		w.done = make(chan struct{})
		go w.watch(ctx, w.done)
	case !running && w.stop != nil:
		w.stop()
		<-w.done
		w.stop = nil
	}
}

func (w *idleWatch) watch(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	var tick <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-tick:
			w.scan()
		}
		w.mu.Lock()
		every := w.shortest / 10
		w.mu.Unlock()
		tick = time.After(min(max(every, minIdleScan), maxIdleScan))
	}
}

// scan sends a notification for each table that has entries which are due, and starts their time anew.
func (w *idleWatch) scan() {
	for _, info := range w.program.info.GetTables() {
		b := w.program.tables[info.GetPreamble().GetId()]
		if !b.Timed() {
			continue
		}
		var due []*p4v1.TableEntry
		for _, e := range b.Entries() {
			if ns := e.Note().IdleTimeout; ns > 0 && int64(b.Idle(e))*1000 >= ns {
				te := b.describe(e)
				te.Action = nil
				due = append(due, te)
				b.Touch(e)
			}
		}
		if len(due) > 0 {
			w.tell(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_IdleTimeoutNotification{
				IdleTimeoutNotification: &p4v1.IdleTimeoutNotification{TableEntry: due, Timestamp: time.Now().UnixNano()},
			}}, info.GetPreamble())
		}
	}
}

package softswitch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// PortStats counts packets and bytes at one port since the switch was made.
type PortStats struct {
	RxPackets, RxBytes uint64
	TxPackets, TxBytes uint64
	// Dropped counts received packets that the program dropped.
	Dropped uint64
	// Lost counts packets that were to leave here and could not: nothing attached, or it failed.
	Lost uint64
}

// A Wire is what a port is attached to.
type Wire interface {
	// Receive hands every packet that arrives to rx, one at a time, until ctx ends or no more can come, and returns nil then.
	// rx does not keep the packet.
	Receive(ctx context.Context, rx func(pkt []byte) error) error
	// Send sends a packet out. It does not keep it. It may be called concurrently.
	Send(pkt []byte) error
	io.Closer
}

// A LinkedWire knows whether there is a link. The switch looks at it every linkPoll (see Switch.SetPort).
type LinkedWire interface {
	Wire
	LinkUp() bool
}

// linkPoll is how often the links of wires are looked at.
const linkPoll = 200 * time.Millisecond

type attached struct {
	wire  Wire // or nil
	stats PortStats
}

type portTable struct {
	mu       sync.Mutex
	attached map[uint16]*attached
}

func (t *portTable) at(port uint16) *attached {
	a := t.attached[port]
	if a == nil {
		a = &attached{}
		t.attached[port] = a
	}
	return a
}

func (t *portTable) received(port uint16, n int, out bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.at(port).stats
	s.RxPackets++
	s.RxBytes += uint64(n)
	if !out {
		s.Dropped++
	}
}

func (t *portTable) sent(port uint16, n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.at(port).stats
	if err != nil {
		s.Lost++
		return
	}
	s.TxPackets++
	s.TxBytes += uint64(n)
}

var errUnattached = errors.New("nothing is attached")

func (t *portTable) send(s *Switch, port uint16, pkt []byte) {
	t.mu.Lock()
	w := t.at(port).wire
	t.mu.Unlock()
	var err error
	switch {
	case w != nil:
		err = w.Send(pkt)
	case s.opts.Output != nil:
		s.opts.Output(port, pkt)
	default:
		err = errUnattached
	}
	t.sent(port, len(pkt), err)
}

func (t *portTable) stats() map[uint16]PortStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := make(map[uint16]PortStats, len(t.attached))
	for p, a := range t.attached {
		m[p] = a.stats
	}
	return m
}

func (t *portTable) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, a := range t.attached {
		if a.wire != nil {
			errs = append(errs, a.wire.Close())
			a.wire = nil
		}
	}
	return errors.Join(errs...)
}

// Attach connects a port to a wire and runs it: once a program is loaded, packets that arrive are injected until ctx ends or no
// more can come. It blocks; the wire stays attached for sending, and is closed by Close.
func (s *Switch) Attach(ctx context.Context, port uint16, w Wire) error {
	if port > dataplane.MaxPort || port == s.cpu {
		return fmt.Errorf("port %d: ports that can be attached are 0 to %d, but not %d, the controller's", port, dataplane.MaxPort, s.cpu)
	}
	s.ports.mu.Lock()
	a := s.ports.at(port)
	if a.wire != nil {
		s.ports.mu.Unlock()
		return fmt.Errorf("port %d has something attached already", port)
	}
	a.wire = w
	s.ports.mu.Unlock()
	select {
	case <-s.loaded:
	case <-ctx.Done():
		return nil
	}
	if l, ok := w.(LinkedWire); ok {
		defer s.followLink(ctx, port, l)()
	}
	err := w.Receive(ctx, func(pkt []byte) error { return s.Inject(port, pkt) })
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("port %d: %w", port, err)
	}
	return nil
}

// followLink keeps the port's state that of its wire's link until what it returns is called.
func (s *Switch) followLink(ctx context.Context, port uint16, w LinkedWire) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(linkPoll)
		defer tick.Stop()
		for {
			if err := s.SetPort(port, w.LinkUp()); err != nil {
				s.log.Warn("link state", "port", port, "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

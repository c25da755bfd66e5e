package softswitch

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch/dataplane"

	"github.com/interlock/interlock/api/p4rt"
)

// CPUPort is the port to and from the controller, unless Options.CPUPort says otherwise.
const CPUPort = 510

// ErrNoProgram says that the switch has nothing to run packets through.
var ErrNoProgram = errors.New("no program is loaded")

// Options of a Switch. The zero value is a switch with device id 0 and no ports.
type Options struct {
	DeviceID uint64
	// CPUPort is the port to and from the controller; 0 is port 510.
	CPUPort uint16
	// Log gets what an operator should know; nil discards it.
	Log *slog.Logger
	// Output gets packets that leave on ports which nothing is attached to. It must not keep pkt. Nil drops them.
	Output func(port uint16, pkt []byte)
	// Clock gives the time of timestamps in microseconds; nil is the time since the program was loaded.
	Clock func() uint64

	// Roles are those that controllers may have besides the default one; AnyRole takes every name. A switch whose writes are proved
	// first has none: each role has a primary of its own, and a proof knows of one.
	Roles []string

	// Parallel lets packets from different sources run at the same time whatever the program. Then a packet's read and write of a
	// register cell are two accesses, and others may come in between. Without it only programs in which nobody could tell run so.
	Parallel bool

	// OnRequest is called with every P4Runtime request that could change something, before anything is done. An error is
	// the answer, and nothing is done. For tests.
	OnRequest func(req proto.Message) error
	// OnUpdate is called with every update of a write before it is applied. An error makes that update fail. For tests.
	OnUpdate func(i int, u *p4v1.Update) error
	// OnReply is called when a request has been carried out, before the answer is sent; an error replaces the answer. For tests.
	OnReply func(req proto.Message) error
}

// A Switch is one switch. Its methods are safe for concurrent use.
type Switch struct {
	opts Options
	log  *slog.Logger
	cpu  uint16 // port

	// lane is held by the packet that runs, unless they run in parallel. It is taken after inside.
	lane sync.Mutex
	// inside is held shared by every packet that is in the pipeline, and exclusively by a packet-out and while the pipeline is
	// exchanged: that is the fence.
	inside sync.RWMutex
	active *program // guarded by inside

	// control serialises everything that writes over P4Runtime, and changes of mastership. It is taken before inside.
	control sync.RWMutex
	saved   *program // verified and saved, not committed; guarded by control

	loaded     chan struct{} // closed when the first program is installed
	loadedOnce sync.Once

	arbiter p4rt.Arbiter[*scope]
	ports   portTable
	links   ports         // that are up or down
	lost    atomic.Uint64 // packet-ins that no primary was there for, or whose primary was too slow

	updatesDone, updatesRefused, installs atomic.Uint64
}

// New makes a switch without a program.
func New(opts Options) *Switch {
	s := &Switch{opts: opts, log: opts.Log, loaded: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.arbiter.Device, s.arbiter.Parse, s.cpu = opts.DeviceID, parseScope, opts.CPUPort
	if s.cpu == 0 {
		s.cpu = CPUPort
	}
	s.ports.attached = map[uint16]*attached{}
	return s
}

// Load installs the program with the given text, without a controller. The error is a syntax.Diagnostics or *dataplane.Error
// with positions.
func (s *Switch) Load(text []byte) error {
	p, err := newProgram(text, s.environment())
	if err != nil {
		return err
	}
	s.control.Lock()
	defer s.control.Unlock()
	s.install(p)
	return nil
}

// install exchanges the running program. The caller holds control.
func (s *Switch) install(p *program) {
	s.inside.Lock()
	old := s.active
	s.active = p
	s.inside.Unlock()
	s.installed(old, p)
}

// environment is what programs of this switch get.
func (s *Switch) environment() environment {
	return environment{clock: s.opts.Clock, ports: &s.links, tell: func(m *p4v1.StreamMessageResponse, about *configv1.Preamble) bool {
		return s.arbiter.Tell(m, func(sc *scope) bool { return sc.has(about) })
	}}
}

// installed notes that p runs instead of old. The caller holds control.
func (s *Switch) installed(old, p *program) {
	if old != nil {
		old.run(false)
	}
	p.run(true)
	s.saved = nil
	s.installs.Add(1)
	s.loadedOnce.Do(func() { close(s.loaded) })
	s.log.Info("program installed", "tables", len(p.tables), "registers", len(p.registers), "bytes", len(p.config))
}

// program is the one that reads and writes refer to: the saved one, else the running one. The caller holds control.
func (s *Switch) program() *program {
	if s.saved != nil {
		return s.saved
	}
	s.inside.RLock()
	defer s.inside.RUnlock()
	return s.active
}

// Output is a packet that left.
type Output struct {
	Port   uint16
	Packet []byte
}

// Process runs one packet and returns what leaves, in order, without handing it to any port or controller and without counting
// it at one. Counters, registers and tables of the program are the switch's own.
func (s *Switch) Process(port uint16, pkt []byte) ([]Output, error) {
	_, x, err := s.run(port, pkt)
	if err != nil {
		return nil, err
	}
	defer x.Release()
	var out []Output
	for _, o := range x.Outputs {
		out = append(out, Output{o.Port, append([]byte(nil), o.Data...)})
	}
	return out, nil
}

// run takes one packet through the program, and says which that was.
func (s *Switch) run(port uint16, pkt []byte) (*program, dataplane.Passage, error) {
	if port > dataplane.MaxPort {
		return nil, dataplane.Passage{}, fmt.Errorf("port %d: ports are 0 to %d", port, dataplane.MaxPort)
	}
	s.inside.RLock()
	defer s.inside.RUnlock()
	if s.active == nil {
		return nil, dataplane.Passage{}, ErrNoProgram
	}
	if !s.opts.Parallel && !s.active.pipe.Concurrent() {
		s.lane.Lock()
		defer s.lane.Unlock()
	}
	return s.active, s.active.pipe.Run(port, pkt), nil
}

// Inject takes a packet in on a port, as from outside: it is counted there, and what leaves goes to the port it leaves on, or
// to the controller.
func (s *Switch) Inject(port uint16, pkt []byte) error {
	p, x, err := s.run(port, pkt)
	if err != nil {
		return err
	}
	s.ports.received(port, len(pkt), len(x.Outputs) > 0)
	s.deliver(p, x)
	return nil
}

// packetOut takes a packet in on the CPU port: a fence.
func (s *Switch) packetOut(out *p4v1.PacketOut) error {
	s.inside.Lock()
	p := s.active
	if p == nil {
		s.inside.Unlock()
		return status.Error(codes.FailedPrecondition, ErrNoProgram.Error())
	}
	pkt, err := p.packetOut.encode(out)
	if err != nil {
		s.inside.Unlock()
		return err
	}
	x := p.pipe.Run(s.cpu, pkt)
	s.inside.Unlock()
	s.ports.received(s.cpu, len(pkt), len(x.Outputs) > 0)
	s.deliver(p, x)
	return nil
}

// deliver sends packets where they go. They have left the pipeline, so nothing waits for a slow receiver but their sender.
func (s *Switch) deliver(p *program, x dataplane.Passage) {
	defer x.Release()
	for _, o := range x.Outputs {
		switch {
		case o.Port != s.cpu:
			s.ports.send(s, o.Port, o.Data)
		case s.packetIn(p, o.Data):
			s.ports.sent(s.cpu, len(o.Data), nil)
		default:
			s.lost.Add(1)
		}
	}
}

// Metrics are what the switch counts about itself.
type Metrics struct {
	// StrayAccesses counts, by P4Info name, accesses to registers and counters at or past their end.
	StrayAccesses map[string]uint64
	// Overruns counts passes that did not happen because one received packet had caused too many copies, resubmissions or
	// recirculations; FailedAssertions the packets that were dropped by a false assert or assume.
	Overruns, FailedAssertions uint64
	// LostPacketIns counts packets to the controller that found no primary, or one that was too slow.
	LostPacketIns uint64
	// UpdatesDone and UpdatesRefused count the updates of write requests, one by one.
	UpdatesDone, UpdatesRefused uint64
	// Installs counts programs that were installed.
	Installs uint64
	// TableEntries is the number of entries of each table, without the default one, by P4Info name.
	TableEntries map[string]int
	Ports        map[uint16]PortStats
}

// Metrics returns what the switch has counted since it was made; stray accesses since the program was loaded.
func (s *Switch) Metrics() Metrics {
	m := Metrics{
		StrayAccesses: map[string]uint64{}, TableEntries: map[string]int{}, LostPacketIns: s.lost.Load(), Ports: s.ports.stats(),
		UpdatesDone: s.updatesDone.Load(), UpdatesRefused: s.updatesRefused.Load(), Installs: s.installs.Load(),
	}
	s.inside.RLock()
	defer s.inside.RUnlock()
	if s.active == nil {
		return m
	}
	for _, t := range s.active.pipe.Tables() {
		m.TableEntries[t.Name] = t.Len()
	}
	for _, r := range s.active.pipe.Registers() {
		if n := r.Stray(); n > 0 {
			m.StrayAccesses[r.Name] = n
		}
	}
	for _, c := range s.active.pipe.Counters() {
		if n := c.Stray(); n > 0 {
			m.StrayAccesses[c.Name] = n
		}
	}
	for _, x := range s.active.pipe.Meters() {
		if n := x.Stray(); n > 0 {
			m.StrayAccesses[x.Name] = n
		}
	}
	m.Overruns, m.FailedAssertions = s.active.pipe.Overrun(), s.active.pipe.Failed()
	return m
}

// Stats returns the counters of every port that saw a packet or has something attached.
func (s *Switch) Stats() map[uint16]PortStats { return s.ports.stats() }

// Close ends what is attached to the ports. Serve ends with its context.
func (s *Switch) Close() error {
	s.control.Lock()
	if s.active != nil {
		s.active.run(false)
	}
	s.control.Unlock()
	return s.ports.close()
}

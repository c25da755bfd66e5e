package softswitch

import (
	"context"
	"sync"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch/dataplane"

	"github.com/interlock/interlock/api/p4rt"
)

// Bounds of what a controller that does not answer may make the switch keep.
const (
	maxListSize = 1024    // samples in a message
	maxUnacked  = 1 << 16 // samples of a digest that are sent and not acknowledged
)

// boundDigest is a digest with what controllers want to know of it. While it is enabled, and its program runs, a goroutine takes
// the samples out of the data plane and sends them.
type boundDigest struct {
	*dataplane.Digest
	preamble *configv1.Preamble
	encode   func(sample []uint64) *p4v1.P4Data
	tell     func(*p4v1.StreamMessageResponse, *configv1.Preamble) bool

	mu      sync.Mutex
	config  *p4v1.DigestEntry_Config // nil: disabled
	running bool                     // the program is
	stop    context.CancelFunc       // of the goroutine, or nil
	done    chan struct{}
	wake    chan struct{} // config has changed
	unacked map[string]unacked
	list    uint64 // of the message sent last
}

type unacked struct {
	list uint64
	sent time.Time
}

func (p *program) digest(id uint32) (*boundDigest, error) {
	d := p.digests[id]
	if d == nil {
		return nil, status.Errorf(codes.NotFound, "there is no digest %#x", id)
	}
	return d, nil
}

// writeDigest enables, configures or disables a digest.
func (p *program) writeDigest(t p4v1.Update_Type, e *p4v1.DigestEntry) (undo func(), err error) {
	d, err := p.digest(e.GetDigestId())
	if err != nil {
		return nil, err
	}
	was := d.configured()
	switch {
	case t == p4v1.Update_INSERT && was != nil:
		return nil, status.Errorf(codes.AlreadyExists, "digest %s is enabled already", d.Name)
	case t != p4v1.Update_INSERT && was == nil:
		return nil, status.Errorf(codes.NotFound, "digest %s is not enabled", d.Name)
	}
	undo = func() { d.configure(was) }
	if t == p4v1.Update_DELETE {
		d.configure(nil)
		return undo, nil
	}
	c := e.GetConfig()
	if c.GetMaxTimeoutNs() < 0 || c.GetMaxListSize() < 0 || c.GetAckTimeoutNs() < 0 {
		return nil, bad("digest %s: a negative time-out or size", d.Name)
	}
	if c == nil {
		c = &p4v1.DigestEntry_Config{}
	}
	d.configure(proto.CloneOf(c))
	return undo, nil
}

// readDigests answers a DigestEntry: all that are enabled for id 0.
func (p *program) readDigests(e *p4v1.DigestEntry, out *answer) error {
	ids := []uint32{e.GetDigestId()}
	if e.GetDigestId() == 0 {
		ids = nil
		for _, info := range p.info.GetDigests() {
			ids = append(ids, info.GetPreamble().GetId())
		}
	}
	for _, id := range ids {
		d, err := p.digest(id)
		if err != nil {
			return err
		}
		c := d.configured()
		if c == nil {
			continue
		}
		x := &p4v1.DigestEntry{DigestId: id, Config: c}
		if err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_DigestEntry{DigestEntry: x}}); err != nil {
			return err
		}
	}
	return nil
}

func (d *boundDigest) configured() *p4v1.DigestEntry_Config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config
}

// configure enables the digest, or disables it for nil.
func (d *boundDigest) configure(c *p4v1.DigestEntry_Config) {
	d.mu.Lock()
	d.config = c
	d.mu.Unlock()
	d.adjust()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// run says whether the digest's program runs.
func (d *boundDigest) run(running bool) {
	d.mu.Lock()
	d.running = running
	d.mu.Unlock()
	d.adjust()
}

// adjust starts or ends the goroutine. It is not called concurrently.
func (d *boundDigest) adjust() {
	d.mu.Lock()
	on := d.running && d.config != nil
	stop := d.stop
	d.mu.Unlock()
	switch {
	case on && stop == nil:
		ctx, cancel := context.WithCancel(context.Background())
		d.mu.Lock()
		d.stop, d.done, d.unacked = cancel, make(chan struct{}), map[string]unacked{}
		d.mu.Unlock()
		d.Listen(true)
		go d.collect(ctx, d.done)
	case !on && stop != nil:
		stop()
		<-d.done
		d.mu.Lock()
		d.stop = nil
		d.mu.Unlock()
		d.Listen(false)
	}
}

// collect gathers samples that controllers do not know of yet, and sends them when there are enough, or the first has waited
// long enough.
func (d *boundDigest) collect(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	var (
		samples []uint64
		batch   []*p4v1.P4Data
		keys    []string
		inBatch = map[string]bool{}
		timer   = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	timer.Stop()
	flush := func() {
		timer.Stop()
		if len(batch) > 0 {
			d.send(batch, keys)
			batch, keys = nil, nil
			clear(inBatch)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			flush()
			continue
		case <-d.wake: // what is gathered goes by the new configuration
			flush()
			continue
		case <-d.Ready():
		}
		for {
			c := d.configured()
			if c == nil {
				break
			}
			size := int(c.GetMaxListSize())
			if size == 0 || size > maxListSize {
				size = maxListSize
			}
			samples = d.Take(samples[:0], size-len(batch))
			if len(samples) == 0 {
				if len(batch) > 0 && c.GetMaxTimeoutNs() == 0 {
					flush()
				}
				break
			}
			for s := samples; len(s) > 0; s = s[d.Words:] {
				data := d.encode(s[:d.Words])
				key, err := proto.MarshalOptions{Deterministic: true}.Marshal(data)
				if err != nil || inBatch[string(key)] || d.isUnacked(string(key)) {
					continue
				}
				if len(batch) == 0 && c.GetMaxTimeoutNs() > 0 {
					timer.Reset(time.Duration(c.GetMaxTimeoutNs()))
				}
				inBatch[string(key)] = true
				batch, keys = append(batch, data), append(keys, string(key))
			}
			if len(batch) >= size {
				flush()
			}
		}
	}
}

// isUnacked tells whether the same data was sent lately, and not acknowledged.
func (d *boundDigest) isUnacked(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.unacked[key]
	if ok && (d.config == nil || time.Since(u.sent) >= time.Duration(d.config.GetAckTimeoutNs())) {
		delete(d.unacked, key)
		return false
	}
	return ok
}

// send sends a list. What nobody takes is not remembered, so that it is sent when it comes again.
func (d *boundDigest) send(batch []*p4v1.P4Data, keys []string) {
	now := time.Now()
	d.mu.Lock()
	d.list++
	list := d.list
	d.mu.Unlock()
	told := d.tell(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Digest{Digest: &p4v1.DigestList{
		DigestId: d.preamble.GetId(), ListId: list, Data: batch, Timestamp: now.UnixNano(),
	}}}, d.preamble)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !told || d.config.GetAckTimeoutNs() == 0 {
		return
	}
	if len(d.unacked)+len(keys) > maxUnacked {
		clear(d.unacked)
	}
	for _, k := range keys {
		d.unacked[k] = unacked{list, now}
	}
}

// acknowledge forgets what was sent with a list.
func (d *boundDigest) acknowledge(list uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, u := range d.unacked {
		if u.list == list {
			delete(d.unacked, k)
		}
	}
}

// acknowledge takes a DigestListAck in.
func (s *server) acknowledge(st *p4rt.Stream[*scope], ack *p4v1.DigestListAck) {
	_, _, err := s.arbiter.CheckPrimary(st)
	if err == nil {
		var d *boundDigest
		s.inside.RLock()
		if s.active != nil {
			d = s.active.digests[ack.GetDigestId()]
		}
		s.inside.RUnlock()
		if d != nil {
			d.acknowledge(ack.GetListId())
			return
		}
		err = bad("there is no digest %#x", ack.GetDigestId())
	}
	x := status.Convert(err)
	st.Post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Error{Error: &p4v1.StreamError{
		CanonicalCode: int32(x.Code()), Message: x.Message(),
		Details: &p4v1.StreamError_DigestListAck{DigestListAck: &p4v1.DigestListAckError{DigestListAck: ack}},
	}}}, true)
}

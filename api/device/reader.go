package device

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
)

// ErrUnreachable wraps every failure to get an answer from the switch.
var ErrUnreachable = errors.New("switch unreachable")

// ErrNotPrimary says that another controller has the switch, which has seen a higher election id.
var ErrNotPrimary = errors.New("another controller has mastership")

// ErrNoPipeline says that the switch runs no program.
var ErrNoPipeline = errors.New("no program is installed")

// A Reader reads from one switch. It is safe for concurrent use.
type Reader struct {
	Target
	conn   *grpc.ClientConn
	client p4v1.P4RuntimeClient
}

// MaxMessage bounds a P4Runtime message, in bytes: a read of every page table or a request that scrubs 4096 slots is far below.
const MaxMessage = 64 << 20

// Dial connects to t for reading. The connection is made when it is first used.
func Dial(t Target) (*Reader, error) {
	creds, err := t.Credentials()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(t.Address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage)))
	if err != nil {
		return nil, fmt.Errorf("switch %s: %w", t.Name, err)
	}
	return &Reader{Target: t, conn: conn, client: p4v1.NewP4RuntimeClient(conn)}, nil
}

// Close ends the connection.
func (r *Reader) Close() error { return r.conn.Close() }

// Pipeline is what runs on a switch.
type Pipeline struct {
	P4Info       *configv1.P4Info
	DeviceConfig []byte
	Cookie       uint64
}

// Pipeline reads back the installed program.
func (r *Reader) Pipeline(ctx context.Context) (*Pipeline, error) {
	resp, err := r.client.GetForwardingPipelineConfig(ctx, &p4v1.GetForwardingPipelineConfigRequest{
		DeviceId: r.DeviceID, ResponseType: p4v1.GetForwardingPipelineConfigRequest_ALL,
	})
	if status.Code(err) == codes.FailedPrecondition {
		return nil, fmt.Errorf("switch %s: %w", r.Name, ErrNoPipeline)
	}
	if err != nil {
		return nil, r.wrap(err)
	}
	c := resp.GetConfig()
	if c == nil || c.GetP4Info() == nil {
		return nil, fmt.Errorf("switch %s: %w", r.Name, ErrNoPipeline)
	}
	return &Pipeline{P4Info: c.GetP4Info(), DeviceConfig: c.GetP4DeviceConfig(), Cookie: c.GetCookie().GetCookie()}, nil
}

// Cookie reads the cookie of the installed program alone.
func (r *Reader) Cookie(ctx context.Context) (uint64, error) {
	resp, err := r.client.GetForwardingPipelineConfig(ctx, &p4v1.GetForwardingPipelineConfigRequest{
		DeviceId: r.DeviceID, ResponseType: p4v1.GetForwardingPipelineConfigRequest_COOKIE_ONLY,
	})
	if status.Code(err) == codes.FailedPrecondition {
		return 0, fmt.Errorf("switch %s: %w", r.Name, ErrNoPipeline)
	}
	if err != nil {
		return 0, r.wrap(err)
	}
	return resp.GetConfig().GetCookie().GetCookie(), nil
}

// PageTables reads every entry of every page table that info declares and returns them as one canonical ReadResponse: entries
// sorted by table and key, marshalled deterministically, so that equal states have equal bytes.
func (r *Reader) PageTables(ctx context.Context, info *configv1.P4Info) ([]byte, error) {
	var reqs []*p4v1.Entity
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		if id := TableID(info, specs.PageTable(c)); id != 0 {
			reqs = append(reqs, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{TableId: id}}})
		}
	}
	all := &p4v1.ReadResponse{}
	if len(reqs) > 0 {
		entities, err := r.Read(ctx, reqs)
		if err != nil {
			return nil, err
		}
		all.Entities = entities
	}
	return CanonicalState(all)
}

// CanonicalState sorts a page-table read-back by table and key and marshals it deterministically.
func CanonicalState(resp *p4v1.ReadResponse) ([]byte, error) {
	slices.SortFunc(resp.Entities, func(a, b *p4v1.Entity) int {
		x, y := a.GetTableEntry(), b.GetTableEntry()
		if c := cmp.Compare(x.GetTableId(), y.GetTableId()); c != 0 {
			return c
		}
		return bytes.Compare(exactKey(x), exactKey(y))
	})
	return proto.MarshalOptions{Deterministic: true}.Marshal(resp)
}

// exactKey is the entry's first exact key, left-padded so that it sorts by value.
func exactKey(e *p4v1.TableEntry) []byte {
	if len(e.GetMatch()) == 0 {
		return nil
	}
	v := e.GetMatch()[0].GetExact().GetValue()
	key := make([]byte, max(8, len(v)))
	copy(key[len(key)-len(v):], v)
	return key
}

// Counters reads an indirect counter's packet counts for the given indices.
func (r *Reader) Counters(ctx context.Context, counterID uint32, indices []int64) (map[int64]int64, error) {
	reqs := make([]*p4v1.Entity, len(indices))
	for i, ix := range indices {
		reqs[i] = &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{
			CounterId: counterID, Index: &p4v1.Index{Index: ix},
		}}}
	}
	entities, err := r.Read(ctx, reqs)
	if err != nil {
		return nil, err
	}
	counts := make(map[int64]int64, len(entities))
	for _, e := range entities {
		c := e.GetCounterEntry()
		counts[c.GetIndex().GetIndex()] = c.GetData().GetPacketCount()
	}
	for _, ix := range indices {
		if _, ok := counts[ix]; !ok {
			return nil, fmt.Errorf("switch %s: counter %#x has no index %d in the answer", r.Name, counterID, ix)
		}
	}
	return counts, nil
}

// Read sends one read request and collects every answer.
func (r *Reader) Read(ctx context.Context, entities []*p4v1.Entity) ([]*p4v1.Entity, error) {
	stream, err := r.client.Read(ctx, &p4v1.ReadRequest{DeviceId: r.DeviceID, Entities: entities})
	if err != nil {
		return nil, r.wrap(err)
	}
	var got []*p4v1.Entity
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return nil, r.wrap(err)
		}
		got = append(got, resp.GetEntities()...)
	}
}

func (r *Reader) wrap(err error) error { return Wrap(r.Target, err) }

// Wrap names the switch in an error of its P4Runtime server; no answer at all is ErrUnreachable.
func Wrap(t Target, err error) error {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return fmt.Errorf("switch %s (%s): %w: %s", t.Name, t.Address, ErrUnreachable, status.Convert(err).Message())
	}
	return fmt.Errorf("switch %s (%s): %w", t.Name, t.Address, err)
}

// TableID returns the id of the table with that P4Info name, or 0.
func TableID(info *configv1.P4Info, name string) uint32 {
	for _, t := range info.GetTables() {
		if t.GetPreamble().GetName() == name {
			return t.GetPreamble().GetId()
		}
	}
	return 0
}

// CounterID returns the id of the indirect counter with that P4Info name, or 0.
func CounterID(info *configv1.P4Info, name string) uint32 {
	for _, c := range info.GetCounters() {
		if c.GetPreamble().GetName() == name {
			return c.GetPreamble().GetId()
		}
	}
	return 0
}

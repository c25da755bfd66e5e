package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/linker/manifest"
)

// maxWaiting is how many requests of a tenant may be under way: one is carried out, the others wait.
const maxWaiting = 64

// Config of a gateway.
type Config struct {
	Gate     *gate.Gate
	Linked   []byte // the program that the gate's switch runs
	Manifest *manifest.Manifest
	DeviceID uint64            // of every tenant's switch
	Sources  map[string]Source // by tenant
	Log      *slog.Logger      // nil: none
}

// A Gateway has a virtual switch for each tenant of one shared switch.
type Gateway struct {
	codec   *alloc.Codec
	log     *slog.Logger
	metrics *metrics
	tenants map[string]*virtual
}

// A virtual switch is what one tenant sees.
type virtual struct {
	gateway *Gateway
	name    string
	vid     uint16
	device  uint64
	program *program
	port    *gate.Port
	log     *slog.Logger

	// control is held shared by writes and exclusively by changes of mastership.
	control sync.RWMutex
	arbiter p4rt.Arbiter[struct{}]
	waiting *semaphore.Weighted // bounds the queue
	turn    *semaphore.Weighted // its head
}

// New makes a gateway. Its tenants are the manifest's.
func New(conf Config) (*Gateway, error) {
	served, err := conf.Gate.Tenants(conf.Linked)
	if err != nil {
		return nil, err
	}
	codec, err := alloc.NewCodec(served.Info())
	if err != nil {
		return nil, err
	}
	g := &Gateway{codec: codec, log: slog.New(slog.DiscardHandler), metrics: newMetrics(), tenants: map[string]*virtual{}}
	if conf.Log != nil {
		g.log = conf.Log.With("switch", conf.Manifest.Switch)
	}
	for i := range conf.Manifest.Tenants {
		t := &conf.Manifest.Tenants[i]
		v := &virtual{
			gateway: g, name: t.Name, vid: t.VID, device: conf.DeviceID, log: g.log.With("tenant", t.Name),
			waiting: semaphore.NewWeighted(maxWaiting), turn: semaphore.NewWeighted(1),
		}
		v.arbiter.Device, v.arbiter.Parse = conf.DeviceID, noRoles
		src, ok := conf.Sources[t.Name]
		if !ok {
			return nil, fmt.Errorf("tenant %s: no program is given", t.Name)
		}
		if v.program, err = newProgram(t, src, served.Info()); err != nil {
			return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
		}
		if v.port, err = served.Port(t.Name); err != nil {
			return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
		}
		g.tenants[t.Name] = v
	}
	return g, nil
}

// Tenants are the names of those that are served, in order.
func (g *Gateway) Tenants() []string {
	var names []string
	for name := range g.tenants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// errRole is for a controller that wants to have a role.
var errRole = errors.New("a tenant's switch has the default role only")

func noRoles(config *anypb.Any) (struct{}, error) {
	if config != nil {
		return struct{}{}, status.Error(codes.NotFound, errRole.Error())
	}
	return struct{}{}, nil
}

// enter waits until it is the request's turn among the tenant's own.
func (v *virtual) enter(ctx context.Context) (leave func(), err error) {
	if !v.waiting.TryAcquire(1) {
		return nil, status.Errorf(codes.ResourceExhausted, "%d requests are under way already", maxWaiting)
	}
	if err := v.turn.Acquire(ctx, 1); err != nil {
		v.waiting.Release(1)
		return nil, status.FromContextError(err).Err()
	}
	return func() {
		v.turn.Release(1)
		v.waiting.Release(1)
	}, nil
}

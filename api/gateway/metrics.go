package gateway

import (
	"context"
	"path"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// metrics are a gateway's.
type metrics struct {
	requests *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "interlock_gateway_requests_total", Help: "P4Runtime calls of tenants, by how they ended.",
	}, []string{"tenant", "method", "code"})}
}

// Collector shows the gateway's metrics to Prometheus.
func (g *Gateway) Collector() prometheus.Collector { return g.metrics.requests }

// counted are the options that count and log the calls to a server.
func (g *Gateway) counted(who func(context.Context) (*virtual, error)) []grpc.ServerOption {
	note := func(ctx context.Context, method string, err error) {
		tenant := "" // nobody's
		if v, err := who(ctx); err == nil {
			tenant = v.name
		}
		code := status.Code(err)
		g.metrics.requests.WithLabelValues(tenant, path.Base(method), code.String()).Inc()
		g.log.Debug("tenant's call", "tenant", tenant, "method", path.Base(method), "code", code.String(), "err", err)
	}
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			resp, err := handle(ctx, req)
			note(ctx, info.FullMethod, err)
			return resp, err
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			err := handle(srv, stream)
			note(stream.Context(), info.FullMethod, err)
			return err
		}),
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/api/softswitch"
)

func newSwitch() *cobra.Command {
	var listen string
	var device uint64
	var ports []string
	var wires softswitch.WireOptions
	var opts switchOptions
	c := &cobra.Command{
		Use:     "switch",
		GroupID: "tools",
		Short:   "Run the embedded switch: v1model programs, P4Runtime, ports as pcap files, sockets or interfaces",
		Long: `Switch serves P4Runtime and runs packets until it is interrupted; then it prints what each port saw.
A port is attached by one --port:

  PORT:IN.pcap,OUT.pcap         packets from one file and to another
  PORT:follow:IN.pcap,OUT.pcap  the same; waits for IN.pcap to be made, and for more when it ends
  PORT:dir:DIR,OUT.pcap         every *.pcap that appears in DIR
  PORT:unix:PATH                a Unix datagram socket, one packet a datagram
  PORT:if:NAME                  a Linux interface (needs CAP_NET_RAW)`,
		Example: "  interlock switch --listen 127.0.0.1:9559 --port 1:in.pcap,out.pcap --port 2:if:veth0",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:9559", "address of the P4Runtime server")
	c.Flags().Uint64Var(&device, "device-id", 1, "P4Runtime device id")
	c.Flags().StringArrayVar(&ports, "port", nil, "port to attach")
	c.Flags().BoolVar(&wires.Recorded, "recorded", false, "replay files with the pauses between their time stamps, not as fast as possible")
	c.Flags().Uint16Var(&opts.CPUPort, "cpu-port", softswitch.CPUPort, "port to and from the controller (packet in, packet out)")
	c.Flags().StringArrayVar(&opts.Roles, "role", nil, "P4Runtime role that controllers may have besides the default one ('*': any)")
	c.Flags().StringVar(&opts.cert, "tls-cert", "", "serve TLS with this certificate (PEM)")
	c.Flags().StringVar(&opts.key, "tls-key", "", "the certificate's key (PEM)")
	c.Flags().StringVar(&opts.clientCA, "tls-client-ca", "", "let in only clients with a certificate of this authority (PEM)")
	c.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	c.Flags().StringVar(&opts.metrics, "metrics", "", "serve Prometheus metrics at this address, under /metrics")
	c.Flags().DurationVar(&opts.stats, "stats", 0, "print what each port saw this often, not only at the end (0: never)")
	c.Flags().Float64Var(&wires.Rate, "rate", 0, "replay files evenly, at this many packets a second and port")
	c.RunE = func(c *cobra.Command, _ []string) error {
		opts.DeviceID = device
		return serveSwitch(c.Context(), c.OutOrStdout(), listen, ports, wires, opts)
	}
	return c
}

// switchOptions are a switch's own options and what the command serves besides.
type switchOptions struct {
	softswitch.Options
	cert, key, clientCA string
	metrics             string
	stats               time.Duration
}

func serveSwitch(ctx context.Context, out io.Writer, listen string, ports []string, wires softswitch.WireOptions, opts switchOptions) error {
	var serving []grpc.ServerOption
	if opts.cert != "" {
		secure, err := p4rt.ServerTLS(opts.cert, opts.key, opts.clientCA)
		if err != nil {
			return exitWith(exitInput, err)
		}
		serving = append(serving, secure)
	} else if opts.clientCA != "" {
		return inputf("--tls-client-ca needs --tls-cert and --tls-key")
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	opts.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := softswitch.New(opts.Options)
	defer s.Close()
	g, ctx := errgroup.WithContext(ctx)
	for _, spec := range ports {
		port, wire, err := softswitch.ParsePort(spec, wires)
		if err != nil {
			l.Close()
			return exitWith(exitInput, err)
		}
		if port == opts.CPUPort {
			l.Close()
			return inputf("port %d is the controller's (--cpu-port)", port)
		}
		g.Go(func() error { return s.Attach(ctx, port, wire) })
	}
	if opts.metrics != "" {
		at, err := serveMetrics(ctx, g, opts.metrics, s.Collector())
		if err != nil {
			l.Close()
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(out, "metrics on http://%s/metrics\n", at)
	}
	fmt.Fprintf(out, "device %d: P4Runtime on %s, %d ports\n", opts.DeviceID, l.Addr(), len(ports))
	g.Go(func() error { return s.Serve(ctx, l, serving...) })
	if opts.stats > 0 {
		g.Go(func() error {
			tick := time.NewTicker(opts.stats)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					printPorts(out, s)
				case <-ctx.Done():
					return nil
				}
			}
		})
	}
	err = g.Wait()
	printPorts(out, s)
	if err != nil && !errors.Is(err, context.Canceled) {
		return exitWith(exitEnvironment, err)
	}
	return nil
}

func printPorts(out io.Writer, s *softswitch.Switch) {
	m := s.Metrics()
	t := newTable(out, "port", "received", "bytes", "sent", "bytes", "dropped", "lost")
	for _, p := range slices.Sorted(maps.Keys(m.Ports)) {
		st := m.Ports[p]
		t.AppendRow([]any{p, st.RxPackets, st.RxBytes, st.TxPackets, st.TxBytes, st.Dropped, st.Lost})
	}
	t.Render()
	for _, name := range slices.Sorted(maps.Keys(m.StrayAccesses)) {
		fmt.Fprintf(out, "%s: %d accesses past its end\n", name, m.StrayAccesses[name])
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/api/gateway"
)

func newGateway() *cobra.Command {
	var metrics, level string
	var tenants entrance
	c := &cobra.Command{
		Use:     "gateway [DIR]",
		GroupID: "memory",
		Short:   "Let tenants drive their own tables with ordinary P4Runtime clients",
		Long: `Gateway has mastership of the switch and serves P4Runtime to each tenant, who finds a switch of its own there: its own program and P4Info,
election ids of its own, and its own tables, counters and registers by the names and ids of its program ('interlock check --p4info').
Every request is decided about from the bytes that are sent (T1, T2); one that is refused sends nothing.

With --sockets, DIR/TENANT.sock is a Unix socket that only you may open: give it to the tenant (chown). With --listen, tenants come in over TCP
with a certificate of --tls-client-ca whose common name is the tenant's name. The device id is the switch's in the site.

Memory is not reallocated meanwhile; 'interlock run --gateway' does both. Where the site has several switches, sockets are in DIR/SWITCH.`,
		Example: `  interlock gateway linked --sockets /run/interlock
  interlock gateway linked --listen :9560 --tls-cert gw.pem --tls-key gw.key --tls-client-ca tenants.pem
  python3 -m p4runtime_sh --grpc-addr unix:/run/interlock/kv.sock --device-id 1 --election-id 0,1`,
		Args: cobra.MaximumNArgs(1),
	}
	tenants.flags(c, "sockets", "")
	c.Flags().StringVar(&metrics, "metrics", "", "serve Prometheus metrics of the gate and the gateway at this address, under /metrics")
	c.Flags().StringVar(&level, "log-level", "error", "least level of what is logged to standard error, as JSON: debug, info, warn, error")
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if !tenants.open() {
			return inputf("where do tenants come in? say --sockets DIR, or --listen with TLS")
		}
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		if len(n.works) > 1 {
			if err := tenants.forSeveral(); err != nil {
				return err
			}
		}
		var least slog.Level
		if err := least.UnmarshalText([]byte(level)); err != nil {
			return inputf("--log-level %s: want debug, info, warn or error", level)
		}
		log := slog.New(slog.NewJSONHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: least}))
		return n.gateway(c.Context(), c.OutOrStdout(), tenants, metrics, log)
	}
	return c
}

// gateway serves tenants until ctx ends or mastership of a switch is lost.
func (n *linkedSite) gateway(ctx context.Context, out io.Writer, tenants entrance, metrics string, log *slog.Logger) error {
	ledger, err := n.works[0].openLedger()
	if err != nil {
		return err
	}
	defer ledger.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var collectors []prometheus.Collector
	for _, w := range n.works {
		w.log = log
		id, err := nextElectionID(w.ledgerDir())
		if err != nil {
			return err
		}
		g, err := w.gateWith(ctx, id, nil, ledger, nil, nil)
		if err != nil {
			return n.named(w, err)
		}
		defer g.Close()
		if err := w.runsLinked(ctx); err != nil {
			return n.named(w, err)
		}
		below := ""
		if n.several {
			below = w.site.Switch.Name
		}
		d, err := w.letIn(ctx, out, g, tenants, below)
		if err != nil {
			return n.named(w, err)
		}
		defer d.close()
		go func() {
			select {
			case <-g.Done():
				stop(n.named(w, gateError(g.Lost())))
			case <-d.ended:
				stop(n.named(w, exitWith(exitEnvironment, d.err)))
			case <-ctx.Done():
			}
		}()
		collectors = append(append(collectors, d.collectors()...), g.Collector())
	}
	if metrics != "" {
		var group errgroup.Group
		defer func() { stop(nil); _ = group.Wait() }()
		at, err := serveMetrics(ctx, &group, metrics, collectors...)
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(out, "metrics on http://%s/metrics\n", at)
	}
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// runsLinked checks that the switch runs the linked program.
func (w *work) runsLinked(ctx context.Context) error {
	r, err := device.Dial(w.target())
	if err != nil {
		return gateError(err)
	}
	p := &planner{work: w, reader: r}
	defer p.close()
	_, err = p.state(ctx)
	return err
}

// An entrance is where tenants may come in.
type entrance struct {
	sockets           string // directory
	listen            string // address
	cert, key, client string
	flag              string // the name of the first one's
	prefix            string // of the others'
}

// flags adds the flags to a command.
func (e *entrance) flags(c *cobra.Command, sockets, prefix string) {
	e.flag, e.prefix = sockets, prefix
	c.Flags().StringVar(&e.sockets, sockets, "", "let each tenant drive its own tables through TENANT.sock in this directory")
	c.Flags().StringVar(&e.listen, prefix+"listen", "", "let tenants drive their own tables at this address, known by their certificates")
	c.Flags().StringVar(&e.cert, prefix+"tls-cert", "", "the certificate shown there (PEM)")
	c.Flags().StringVar(&e.key, prefix+"tls-key", "", "its key (PEM)")
	c.Flags().StringVar(&e.client, prefix+"tls-client-ca", "", "the authority of tenants' certificates (PEM), whose common name is the tenant's name")
	c.MarkFlagsRequiredTogether(prefix+"listen", prefix+"tls-cert", prefix+"tls-key", prefix+"tls-client-ca")
}

func (e *entrance) open() bool { return e.sockets != "" || e.listen != "" }

// forSeveral refuses what only one switch can have.
func (e *entrance) forSeveral() error {
	if e.listen != "" {
		return inputf("--%slisten is for one switch, and the site has several: use --%s, or 'interlock gateway' with --on", e.prefix, e.flag)
	}
	return nil
}

// A door is an open entrance of one switch. The nil door is closed.
type door struct {
	gateway *gateway.Gateway
	stop    func()
	ended   chan struct{} // closed with err set
	err     error
}

// letIn serves a switch's tenants until the door is closed; nil if no entrance is wanted. Sockets are below the directory, if so.
func (w *work) letIn(ctx context.Context, out io.Writer, g *gate.Gate, e entrance, below string) (*door, error) {
	if !e.open() {
		return nil, nil
	}
	conf := gateway.Config{
		Gate: g, Linked: w.linked, Manifest: w.manifest, DeviceID: w.site.Switch.DeviceID, Sources: map[string]gateway.Source{}, Log: w.log,
	}
	for _, t := range w.site.Tenants {
		path := w.site.Resolve(t.Program)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, exitWith(exitInput, err)
		}
		conf.Sources[t.Name] = gateway.Source{Path: path, Text: text}
	}
	gw, err := gateway.New(conf)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	var ls []*gateway.Listener
	if e.sockets != "" {
		dir := filepath.Join(e.sockets, below)
		if ls, err = gw.Sockets(dir); err != nil {
			return nil, exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(out, "tenants %s: P4Runtime on %s, device %d\n", strings.Join(gw.Tenants(), ", "), filepath.Join(dir, "TENANT.sock"), conf.DeviceID)
	}
	if e.listen != "" {
		l, err := gw.TLS(e.listen, e.cert, e.key, e.client)
		if err != nil {
			gateway.Close(ls...)
			return nil, exitWith(exitEnvironment, err)
		}
		ls = append(ls, l)
		fmt.Fprintf(out, "tenants %s: P4Runtime on %s by certificates, device %d\n", strings.Join(gw.Tenants(), ", "), l.Addr(), conf.DeviceID)
	}
	ctx, stop := context.WithCancel(ctx)
	d := &door{gateway: gw, stop: stop, ended: make(chan struct{})}
	go func() {
		if d.err = gw.Serve(ctx, ls...); d.err != nil && w.log != nil {
			w.log.Error("tenants are served no more", "switch", w.site.Switch.Name, "err", d.err)
		}
		close(d.ended)
	}()
	return d, nil
}

func (d *door) close() {
	if d != nil {
		d.stop()
		<-d.ended
	}
}

func (d *door) collectors() []prometheus.Collector {
	if d == nil {
		return nil
	}
	return []prometheus.Collector{d.gateway.Collector()}
}

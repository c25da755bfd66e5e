package gate

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
)

// metrics are a gate's, from when it was opened.
type metrics struct {
	actions    *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	clearances *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	primary    prometheus.GaugeFunc
	unanswered prometheus.GaugeFunc
	entries    prometheus.GaugeFunc
	quarantine prometheus.GaugeFunc
}

// durations are the upper bounds, in seconds, of the histograms' buckets: 0.1 ms to 10 s, roughly.
var durations = prometheus.ExponentialBuckets(0.0001, 2, 17)

func newMetrics(g *Gate) *metrics {
	gauge := func(name, help string, f func() float64) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	return &metrics{
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "interlock_gate_actions_total", Help: "What the gate was asked to do (apply, install, evict, recover), by how it ended.",
		}, []string{"action", "result"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "interlock_gate_refusals_total", Help: "What the gate refused, by the reason.",
		}, []string{"reason"}),
		clearances: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "interlock_gate_clearances_total", Help: "Clearances, minted and used.",
		}, []string{"event"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "interlock_gate_seconds", Help: "Time of an action's parts: write, read (back, before and after), log.", Buckets: durations,
		}, []string{"part"}),
		primary: gauge("interlock_gate_primary", "1 while mastership of the switch is held.", func() float64 { return truth(g.Lost() == nil) }),
		unanswered: gauge("interlock_gate_unanswered", "1 if a request was not answered, so that nothing more is applied under this mastership.",
			func() float64 { return truth(g.unanswered.Load()) }),
		quarantine: gauge("interlock_gate_quarantined_slots", "Slots that the switch refused to scrub, and that are given to nobody.",
			func() float64 { return float64(g.quarantined.Load()) }),
		entries: gauge("interlock_gate_ledger_entries", "Entries in the ledger.", func() float64 {
			if l := g.ledger.Load(); l != nil {
				return float64(l.Size())
			}
			return 0
		}),
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.actions, m.refusals, m.clearances, m.seconds, m.primary, m.unanswered, m.entries, m.quarantine}
}

// Collector shows the gate's metrics to Prometheus, labelled with its switch.
func (g *Gate) Collector() prometheus.Collector {
	return prometheus.WrapCollectorWith(prometheus.Labels{"switch": g.conf.Target.Name}, g.metrics)
}

// Describe sends what Collect may send.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(to)
	}
}

// Collect sends every metric as it is now.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(to)
	}
}

// reasons name what the gate refuses with, in the order in which they are looked for.
var reasons = []struct {
	err  error
	name string
}{
	{verify.ErrDisagree, "solvers disagree"},
	{verify.ErrRefuted, "refuted"},
	{verify.ErrUndecided, "undecided"},
	{ErrTampered, "tampered"},
	{ErrStale, "stale"},
	{ErrUsed, "clearance used up"},
	{ErrUnanswered, "unanswered"},
	{ErrElsewhere, "another switch failed"},
	{ErrOccupied, "occupied"},
	{ErrScrub, "slots not scrubbed"},
	{device.ErrNoPipeline, "no program"},
	{ledger.ErrDisk, "ledger"},
	{device.ErrNotPrimary, "not primary"},
	{device.ErrUnreachable, "unreachable"},
}

func reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.name
		}
	}
	return "other"
}

// note counts and logs what became of an action. One that sent nothing was refused.
func (g *Gate) note(action string, decision int64, out *Outcome, err error) {
	if out == nil {
		out = &Outcome{}
	}
	log := g.log.With("action", action, "decision", decision, "steps", out.Steps)
	result := ledger.Applied
	switch {
	case err == nil:
		log.Info("done", "entry", out.Entry, "write", out.Writes, "read", out.Read)
	case !out.begun:
		result = "refused"
		g.metrics.refusals.WithLabelValues(reason(err)).Inc()
		log.Warn("refused", "reason", reason(err), "err", err)
	default:
		result = ledger.Failed
		log.Error("stopped", "entry", out.Entry, "reason", reason(err), "err", err)
	}
	g.metrics.actions.WithLabelValues(action, result).Inc()
	for part, d := range map[string]time.Duration{"write": out.Writes, "read": out.Read, "log": out.Log} {
		if out.begun {
			g.metrics.seconds.WithLabelValues(part).Observe(d.Seconds())
		}
	}
}

// noteCleared counts and logs a clearance, or why there is none.
func (g *Gate) noteCleared(c *Clearance, err error) {
	if err != nil {
		g.metrics.refusals.WithLabelValues(reason(err)).Inc()
		g.log.Warn("not cleared", "reason", reason(err), "err", err)
		return
	}
	g.metrics.clearances.WithLabelValues("minted").Inc()
	g.log.Debug("cleared", "decision", c.decision)
}

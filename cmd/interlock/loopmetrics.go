package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/policy"
)

// loopMetrics are the control loop's, from when it began.
type loopMetrics struct {
	epochs  *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	memory  *prometheus.GaugeVec
	utility *prometheus.GaugeVec
	balance *prometheus.GaugeVec
	shares  *prometheus.CounterVec
}

func newLoopMetrics() *loopMetrics {
	return &loopMetrics{
		epochs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "interlock_loop_epochs_total", Help: "Epochs of the control loop, by kind and by what came of them: applied, no change, failed.",
		}, []string{"switch", "kind", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "interlock_loop_seconds", Help: "Time of an epoch's parts.", Buckets: prometheus.ExponentialBuckets(0.0001, 2, 17),
		}, []string{"switch", "part"}),
		memory: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "interlock_tenant_slots", Help: "Slots of each elastic virtual register of a tenant.",
		}, []string{"switch", "tenant"}),
		utility: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "interlock_tenant_hit_ratio", Help: "Estimated share of a tenant's packets that hit, in the last epoch that could tell.",
		}, []string{"switch", "tenant"}),
		balance: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "interlock_tenant_balance", Help: "Credits of a tenant, where the policy settles balances.",
		}, []string{"tenant"}),
		shares: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "interlock_policy_decisions_total",
			Help: "Epochs in which what the policy lets tenants have was decided anew, or refused, so that bounds and balances stayed.",
		}, []string{"switch", "result"}),
	}
}

// note takes an epoch of a switch in.
func (m *loopMetrics) note(name string, e *alloc.Epoch) {
	result := "no change"
	switch {
	case e.Error != "":
		result = "failed"
	case e.Plan != nil:
		result = "applied"
	}
	m.epochs.WithLabelValues(name, string(e.Kind), result).Inc()
	for _, p := range e.Parts {
		m.seconds.WithLabelValues(name, p.Name).Observe(p.Time.Seconds())
	}
	for _, t := range e.Tenants {
		m.memory.WithLabelValues(name, t.Name).Set(float64(t.Memory))
		if t.Utility != nil {
			m.utility.WithLabelValues(name, t.Name).Set(*t.Utility)
		}
		if b, err := policy.ParseRatio(t.Balance); t.Balance != "" && err == nil {
			credits, _ := b.Rat().Float64()
			m.balance.WithLabelValues(t.Name).Set(credits)
		}
	}
	if s := e.Share; s != nil && s.Entry != nil {
		m.shares.WithLabelValues(name, "decided").Inc()
	}
	if s := e.Share; s != nil && s.Refused != "" {
		m.shares.WithLabelValues(name, "refused").Inc()
	}
}

func (m *loopMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.epochs, m.seconds, m.memory, m.utility, m.balance, m.shares}
}

// Describe sends what Collect may send.
func (m *loopMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(to)
	}
}

// Collect sends every metric as it is now.
func (m *loopMetrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(to)
	}
}

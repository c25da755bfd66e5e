package gate_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// What the gate does and refuses is counted, and in its log.
func TestMetricsAndLog(t *testing.T) {
	r := newSlots(t)
	var log bytes.Buffer
	conf := r.config()
	conf.Log = slog.New(slog.NewJSONHandler(&log, nil))
	r.election++
	g, err := r.open(t.Context(), conf, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	if _, err := g.Evict(t.Context(), "ann", 10); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it is stale, and then used up
		if _, err := g.Apply(t.Context(), c); err == nil {
			t.Fatal("applied a stale plan")
		}
	}
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(g.Collector()); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"interlock_gate_actions_total apply applied s1":      1,
		"interlock_gate_actions_total apply refused s1":      2,
		"interlock_gate_actions_total evict applied s1":      1,
		"interlock_gate_refusals_total stale s1":             1,
		"interlock_gate_refusals_total clearance used up s1": 1,
		"interlock_gate_clearances_total minted s1":          2,
		"interlock_gate_clearances_total used s1":            2,
		"interlock_gate_seconds write s1":                    2,
		"interlock_gate_primary s1":                          1,
		"interlock_gate_unanswered s1":                       0,
		"interlock_gate_ledger_entries s1":                   6,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
	for _, want := range []string{`"action":"apply"`, `"action":"evict"`, `"reason":"stale"`, `"switch":"s1"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, log.String())
		}
	}
}

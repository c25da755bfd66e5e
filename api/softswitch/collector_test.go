package softswitch

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestCollector(t *testing.T) {
	s, c := serve(t, Options{})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 2)), c.cell(0, 1))
	_ = c.write(update(insert, c.l2(1, 2)))
	if err := s.Inject(3, ethernet(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Inject(3, ethernet(9, 0, 0)); err != nil {
		t.Fatal(err)
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(s.Collector())
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "interlock_switch_")
			for _, l := range m.GetLabel() {
				name += "/" + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"updates_total/done": 2, "updates_total/refused": 1, "programs_installed_total": 1, "table_entries/I.l2": 1,
		"port_packets_total/in/3": 2, "port_bytes_total/in/3": 28, "port_dropped_total/3": 1, "port_lost_total/2": 1,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

package softswitch

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// A collector shows a switch's metrics to Prometheus. Everything counts from when the switch was made, but what names an object
// of the program: that is from when the program was installed.
type collector struct{ s *Switch }

var (
	portPackets   = prometheus.NewDesc("interlock_switch_port_packets_total", "Packets at a port.", []string{"port", "direction"}, nil)
	portBytes     = prometheus.NewDesc("interlock_switch_port_bytes_total", "Bytes at a port.", []string{"port", "direction"}, nil)
	portDropped   = prometheus.NewDesc("interlock_switch_port_dropped_total", "Packets received at a port that the program dropped.", []string{"port"}, nil)
	portLost      = prometheus.NewDesc("interlock_switch_port_lost_total", "Packets that were to leave at a port and could not.", []string{"port"}, nil)
	packetInsLost = prometheus.NewDesc("interlock_switch_packet_ins_lost_total", "Packets to the controller that nobody took.", nil, nil)
	strayAccesses = prometheus.NewDesc("interlock_switch_stray_accesses_total", "Accesses of packets past the end of a register or counter.", []string{"object"}, nil)
	tableEntries  = prometheus.NewDesc("interlock_switch_table_entries", "Entries of a table, without the default one.", []string{"table"}, nil)
	updates       = prometheus.NewDesc("interlock_switch_updates_total", "Updates that controllers asked for in write requests.", []string{"result"}, nil)
	installs      = prometheus.NewDesc("interlock_switch_programs_installed_total", "Programs installed.", nil, nil)
)

// Collector shows the switch's metrics to Prometheus.
func (s *Switch) Collector() prometheus.Collector { return collector{s} }

// Describe sends what Collect may send.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		portPackets, portBytes, portDropped, portLost, packetInsLost, strayAccesses, tableEntries, updates, installs,
	} {
		to <- d
	}
}

// Collect sends every metric as it is now.
func (c collector) Collect(to chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	m := c.s.Metrics()
	for port, st := range m.Ports {
		p := strconv.Itoa(int(port))
		count(portPackets, st.RxPackets, p, "in")
		count(portPackets, st.TxPackets, p, "out")
		count(portBytes, st.RxBytes, p, "in")
		count(portBytes, st.TxBytes, p, "out")
		count(portDropped, st.Dropped, p)
		count(portLost, st.Lost, p)
	}
	count(packetInsLost, m.LostPacketIns)
	for name, n := range m.StrayAccesses {
		count(strayAccesses, n, name)
	}
	for name, n := range m.TableEntries {
		to <- prometheus.MustNewConstMetric(tableEntries, prometheus.GaugeValue, float64(n), name)
	}
	count(updates, m.UpdatesDone, "done")
	count(updates, m.UpdatesRefused, "refused")
	count(installs, m.Installs)
}

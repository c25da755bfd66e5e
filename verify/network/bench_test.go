package network_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// crowd is several switches with the same tenants, each of whom has room of its own in both stages of each.
type crowd struct {
	r         *rand.Rand
	codec     *alloc.Codec
	network   *alloc.Network
	layouts   []alloc.Layout
	registers map[uint16][]alloc.Register
}

// room is how many slots of a stage each tenant of a crowd moves about in.
const room = 64

func newCrowd(b *testing.B, switches, count int) *crowd {
	text, err := os.ReadFile(program)
	if err != nil {
		b.Fatal(err)
	}
	linked := strings.NewReplacer("(48)", fmt.Sprintf("(%d)", count*room), "(32)", fmt.Sprintf("(%d)", count*room), "size = 16;", fmt.Sprintf("size = %d;", count)).
		Replace(string(text))
	c := &crowd{r: rand.New(rand.NewPCG(1, uint64(count))), network: &alloc.Network{Site: "crowd", Policy: "none"}, registers: map[uint16][]alloc.Register{}}
	if c.codec, err = alloc.CodecOf([]byte(linked)); err != nil {
		b.Fatal(err)
	}
	layout := alloc.Layout{}
	var who []plan.Tenant
	var limits []plan.Limit
	for i := range count {
		v := uint16(i + 1)
		who = append(who, plan.Tenant{Name: fmt.Sprintf("t%d", v), VID: v})
		layout[v] = map[alloc.Array]alloc.Extent{}
		for stage := range 2 {
			a := alloc.Array{Control: specs.Ingress, Stage: stage}
			layout[v][a] = alloc.Extent{Base: int64(i) * room, Size: room / 2}
			c.registers[v] = append(c.registers[v], alloc.Register{Array: a, Max: room})
			limits = append(limits, plan.Limit{VID: v, Control: specs.Ingress, Stage: stage, Ceiling: room})
		}
		c.network.Ceilings = append(c.network.Ceilings, network.Ceiling{VID: v, Slots: int64(switches) * 2 * room})
	}
	nonce := uint64(0)
	for i := range switches {
		tables, err := alloc.Goal(c.codec, nil, layout, c.registers)
		if err != nil {
			b.Fatal(err)
		}
		state, err := c.codec.Encode(tables)
		if err != nil {
			b.Fatal(err)
		}
		c.layouts = append(c.layouts, layout)
		c.network.Stations = append(c.network.Stations, &alloc.Station{State: state, Fenced: true, Context: &alloc.Context{
			Switch: fmt.Sprintf("s%d", i+1), DeviceID: 1, ElectionID: 7, Linked: []byte(linked), Codec: c.codec, Tenants: who, Limits: limits, Policy: "none",
			Nonce: func() uint64 { nonce++; return nonce }, Primitives: testPrimitives,
		}})
	}
	return c
}

// next changes some tenants' extents on every switch, and starts from what the plan before it leaves.
func (c *crowd) next(b *testing.B, changed int) *network.Input {
	plans := make([]*plan.Input, len(c.network.Stations))
	who := c.r.Perm(len(c.registers))[:changed]
	for i, s := range c.network.Stations {
		layout := alloc.Layout{}
		for v, x := range c.layouts[i] {
			layout[v] = x
		}
		for _, t := range who {
			v := uint16(t + 1)
			layout[v] = map[alloc.Array]alloc.Extent{}
			for a, x := range c.layouts[i][v] {
				x.Size = 1 + (x.Size+c.r.Int64N(room-1))%room // another one
				layout[v][a] = x
			}
		}
		pre, err := c.codec.Decode(s.State)
		if err != nil {
			b.Fatal(err)
		}
		goal, err := alloc.Goal(c.codec, pre, layout, c.registers)
		if err != nil {
			b.Fatal(err)
		}
		if plans[i], err = s.Context.Build(s.State, goal, s.Fenced); err != nil || plans[i] == nil {
			b.Fatal(err)
		}
		plans[i].Previous = s.Previous
		subject, err := plans[i].Subject()
		if err != nil {
			b.Fatal(err)
		}
		s.Previous, c.layouts[i] = subject.Digest(), layout
		defer func() {
			if s.State, err = c.codec.Encode(goal); err != nil {
				b.Fatal(err)
			}
		}()
	}
	in, err := c.network.Assemble(plans)
	if err != nil {
		b.Fatal(err)
	}
	return in
}

// BenchmarkProveNetwork measures the proof of a network plan with those of its plans, as the control loop sees it: warm solvers, and each
// switch's plan follows on the one before it there. alone-ms is the median if they do not.
func BenchmarkProveNetwork(b *testing.B) {
	for _, c := range []struct{ switches, tenants, changed int }{{2, 64, 1}, {4, 64, 1}, {4, 64, 6}, {4, 1000, 1}} {
		b.Run(fmt.Sprintf("switches=%d/tenants=%d/changed=%d", c.switches, c.tenants, c.changed), func(b *testing.B) {
			w := newCrowd(b, c.switches, c.tenants)
			z3 := pool(b)
			e := plan.NewEncoder(c.switches)
			obligations := 0
			decide := func(os []verify.Obligation, err error) {
				if err != nil {
					b.Fatal(err)
				}
				results, err := z3.Decide(b.Context(), os, nil)
				if err != nil {
					b.Fatal(err)
				}
				for i, r := range results {
					if r.Verdict != verify.Proved {
						b.Fatalf("%s: %s %s", os[i].ID, r.Verdict, r.Reason)
					}
				}
				obligations += len(os)
			}
			prove := func(in *network.Input) time.Duration {
				begun := time.Now()
				obligations = 0
				for _, p := range in.Plans {
					decide(e.Obligations(p))
				}
				decide(network.Obligations(in, e))
				return time.Since(begun)
			}
			prove(w.next(b, c.changed)) // parses the program and starts the processes, too
			prove(w.next(b, c.changed))
			var whole, alone []time.Duration
			for b.Loop() {
				b.StopTimer()
				in := w.next(b, c.changed)
				for _, p := range in.Plans {
					p.Previous = ""
				}
				alone = append(alone, prove(in))
				in = w.next(b, c.changed)
				b.StartTimer()
				whole = append(whole, prove(in))
			}
			at := func(ds []time.Duration, percent int) float64 {
				slices.Sort(ds)
				return float64(ds[(len(ds)-1)*percent/100].Microseconds()) / 1000
			}
			b.ReportMetric(0, "ns/op") // preparing the next plan would be in it
			b.ReportMetric(at(whole, 0), "least-ms")
			b.ReportMetric(at(whole, 50), "median-ms")
			b.ReportMetric(at(whole, 95), "p95-ms")
			b.ReportMetric(at(alone, 50), "alone-ms")
			b.ReportMetric(float64(obligations), "obligations")
		})
	}
}

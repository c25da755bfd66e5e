package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
)

// crowd is a switch full of tenants, each with an extent in every stage, that goes on being reallocated: each plan starts from the
// goal of the one before.
type crowd struct {
	r       *rand.Rand
	text    []byte
	arrays  map[model.Array]int64
	tenants []model.VID
	state   model.Tables
}

// room is how many slots of a stage each tenant of a crowd moves about in.
const room = 64

func newCrowd(tb testing.TB, n int) *crowd {
	c := &crowd{r: rand.New(rand.NewPCG(1, uint64(n))), state: model.Tables{}, arrays: map[model.Array]int64{}}
	text := string(linked(tb))
	for a, slots := range linkedArrays {
		c.arrays[a] = int64(n * room)
		text = strings.Replace(text, fmt.Sprintf("register<bit<32>>(%d)", slots), fmt.Sprintf("register<bit<32>>(%d)", n*room), 1)
	}
	c.text = []byte(text)
	for i := range n {
		v := model.VID(4094 - i)
		c.tenants = append(c.tenants, v)
		for ctl, stages := range map[specs.Control]int{specs.Ingress: 2, specs.Egress: 1} {
			e := make(model.Entry, stages)
			for k := range e {
				e[k] = model.Extent{Base: int64(i * room), Size: room / 2, Mask: ^uint32(0)}
			}
			c.state[model.Key{Control: ctl, VID: v}] = e
		}
	}
	return c
}

// next is a plan that changes the extents of the given number of tenants.
func (c *crowd) next(changed int) *Input {
	goal := cloneTables(c.state)
	for _, i := range c.r.Perm(len(c.tenants))[:changed] {
		for _, ctl := range []specs.Control{specs.Ingress, specs.Egress} {
			e := goal[model.Key{Control: ctl, VID: c.tenants[i]}]
			for k := range e {
				old := e[k]
				lo := int64(i*room) + c.r.Int64N(room/2)*c.r.Int64N(2) // moves, or stays
				if c.r.IntN(2) == 0 {
					lo = old.Base
				}
				e[k].Base, e[k].Size = lo, 1+c.r.Int64N(int64((i+1)*room)-lo)
				if old.Base != lo || e[k].Size < old.Size {
					e[k].Generation++
				}
			}
		}
	}
	s := site{arrays: c.arrays, tenants: c.tenants, pre: c.state, goal: goal, fenced: true}
	p := s.recipe(rand.New(rand.NewPCG(1, 1)))
	c.state = goal
	in := input(p)
	in.Linked = c.text
	return in
}

// BenchmarkProvePlan measures a plan's obligations from the bytes to the verdicts, as the control loop sees them: warm solver, and
// what earlier plans had in common with this one already decided. first-ms is the first plan of all, with nothing decided yet.
func BenchmarkProvePlan(b *testing.B) {
	type size struct{ tenants, changed int }
	var sizes []size
	for _, n := range []int{3, 64, 256, 1000, 4094} {
		sizes = append(sizes, size{n, 1})
		if n >= 10 {
			sizes = append(sizes, size{n, n / 10})
		}
		sizes = append(sizes, size{n, n})
	}
	for _, c := range sizes {
		b.Run(fmt.Sprintf("tenants=%d/changed=%d", c.tenants, c.changed), func(b *testing.B) {
			w := newCrowd(b, c.tenants)
			pool := newPool(b, 2)
			e := NewEncoder(1)
			prove := func(in *Input) (encode, decide time.Duration, n, size int) {
				start := time.Now()
				os, err := e.Obligations(in)
				if err != nil {
					b.Fatal(err)
				}
				encode = time.Since(start)
				results, err := pool.Decide(b.Context(), os, nil)
				if err != nil {
					b.Fatal(err)
				}
				for i, r := range results {
					if r.Verdict != verify.Proved {
						b.Fatalf("%s: %s %s", os[i].ID, r.Verdict, r.Reason)
					}
					size += len(os[i].Text) + len(os[i].Guard)
				}
				return encode, time.Since(start) - encode, len(os), size
			}
			prove(w.next(0)) // parses the program and starts the processes
			e0, d0, _, _ := prove(w.next(c.changed))
			var encode, decide []time.Duration
			n, size := 0, 0
			for b.Loop() {
				b.StopTimer()
				in := w.next(c.changed)
				b.StartTimer()
				var ed, dd time.Duration
				ed, dd, n, size = prove(in)
				encode, decide = append(encode, ed), append(decide, dd)
			}
			median := func(ds []time.Duration) float64 {
				slices.Sort(ds)
				return float64(ds[len(ds)/2].Microseconds()) / 1000
			}
			b.ReportMetric(float64((e0+d0).Microseconds())/1000, "first-ms")
			b.ReportMetric(median(encode), "encode-ms")
			b.ReportMetric(median(decide), "decide-ms")
			b.ReportMetric(float64(n), "obligations")
			b.ReportMetric(float64(size)/1024, "KiB")
		})
	}
}

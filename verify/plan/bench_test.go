package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
)

// crowd is a switch of twelve stages full of tenants that goes on being reallocated: each plan starts from the goal of the one before.
type crowd struct {
	r        *rand.Rand
	text     []byte
	arrays   map[model.Array]int64
	tenants  []model.VID
	room     map[model.Place]int64 // where a tenant's room in an array begins
	state    model.Tables
	previous verify.Digest // of the last plan
}

// room is how many slots of a stage each tenant of a crowd moves about in.
const room = 64

// crowdStages are those of a crowd's switch.
var crowdStages = map[specs.Control]int{specs.Ingress: 8, specs.Egress: 4}

// crowdProgram is testdata/linked.p4 with other stage arrays.
func crowdProgram(tb testing.TB, arrays map[model.Array]int64) []byte {
	b, err := os.ReadFile("testdata/linked.p4")
	if err != nil {
		tb.Fatal(err)
	}
	var lines []string
	for l := range strings.SplitSeq(string(b), "\n") {
		if strings.Contains(l, "register<") || strings.Contains(l, "meta.il_page") {
			continue
		}
		lines = append(lines, l)
	}
	text := strings.Join(lines, "\n")
	registers := ""
	for ctl, n := range crowdStages {
		var params []string
		for k := range n {
			a := model.Array{Control: ctl, Stage: k}
			registers += fmt.Sprintf("@id(%#x) @name(%q) register<bit<32>>(%d) il_stage_%s_%d;\n", registerID(a), specs.StageArray(ctl, k), arrays[a], ctl, k)
			params = append(params, fmt.Sprintf("bit<24> base_%d, bit<24> size_%d, bit<32> mask_%d, bit<16> gen_%d", k, k, k, k))
		}
		head := fmt.Sprintf("action il_map_%s(", ctl)
		from := strings.Index(text, head)
		to := from + strings.Index(text[from:], "{")
		text = text[:from] + head + strings.Join(params, ", ") + ") " + text[to:]
	}
	return []byte(strings.Replace(text, "parser il_Parser", registers+"parser il_Parser", 1))
}

// newCrowd makes n tenants, each with memory in some of the stages.
func newCrowd(tb testing.TB, n, stages int) *crowd {
	c := &crowd{r: rand.New(rand.NewPCG(1, uint64(n))), state: model.Tables{}, arrays: map[model.Array]int64{}, room: map[model.Place]int64{}}
	var all []model.Array
	for ctl, count := range crowdStages {
		for k := range count {
			all = append(all, model.Array{Control: ctl, Stage: k})
		}
	}
	slices.SortFunc(all, func(a, b model.Array) int { return strings.Compare(b.String(), a.String()) })
	for i := range n {
		v := model.VID(4094 - i)
		c.tenants = append(c.tenants, v)
		for ctl, count := range crowdStages {
			c.state[model.Key{Control: ctl, VID: v}] = make(model.Entry, count)
		}
		for j := range stages {
			a := all[(i+j*len(all)/stages)%len(all)]
			c.room[model.Place{Array: a, VID: v}] = c.arrays[a]
			c.state[model.Key{Control: a.Control, VID: v}][a.Stage] = model.Extent{Base: c.arrays[a], Size: room / 2, Mask: ^uint32(0)}
			c.arrays[a] += room
		}
	}
	for _, a := range all {
		c.arrays[a] = max(c.arrays[a], room)
	}
	c.text = crowdProgram(tb, c.arrays)
	return c
}

// next is a plan that changes the extents of the given number of tenants.
func (c *crowd) next(changed int) *Input {
	goal := cloneTables(c.state)
	for _, i := range c.r.Perm(len(c.tenants))[:changed] {
		v := c.tenants[i]
		for _, ctl := range []specs.Control{specs.Ingress, specs.Egress} {
			e := goal[model.Key{Control: ctl, VID: v}]
			for k := range e {
				begin, has := c.room[model.Place{Array: model.Array{Control: ctl, Stage: k}, VID: v}]
				if !has {
					continue
				}
				old := e[k]
				lo := begin + c.r.Int64N(room/2)*c.r.Int64N(2) // moves, or stays
				if c.r.IntN(2) == 0 {
					lo = old.Base
				}
				e[k].Base, e[k].Size = lo, 1+c.r.Int64N(begin+room-lo)
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
	in.Linked, in.Previous = c.text, c.previous
	subject, err := in.Subject()
	if err != nil {
		panic(err)
	}
	c.previous = subject.Digest()
	return in
}

// BenchmarkProvePlan measures a plan's proof from the bytes to the verdicts, as the control loop sees it: warm solvers, and what earlier
// plans had in common with this one already decided. first-ms is the first plan of all, with nothing decided yet: it proves all that the
// switch has. Each tenant has memory in three of twelve stages, or in all of them.
func BenchmarkProvePlan(b *testing.B) {
	type size struct{ tenants, changed, stages int }
	var sizes []size
	for _, stages := range []int{3, 12} {
		for _, n := range []int{3, 64, 256, 1000, 4094} {
			sizes = append(sizes, size{n, 1, stages})
			if n >= 10 {
				sizes = append(sizes, size{n, n / 10, stages})
			}
			sizes = append(sizes, size{n, n, stages})
		}
	}
	for _, c := range sizes {
		b.Run(fmt.Sprintf("tenants=%d/changed=%d/stages=%d", c.tenants, c.changed, c.stages), func(b *testing.B) {
			w := newCrowd(b, c.tenants, c.stages)
			pool := newPool(b, 2)
			e := NewEncoder(1)
			n, size, sent := 0, 0, 0
			prove := func(in *Input) (encode, decide time.Duration) {
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
				decide = time.Since(start) - encode
				n, size, sent = len(os), 0, 0
				for i, r := range results {
					if r.Verdict != verify.Proved {
						b.Fatalf("%s: %s %s", os[i].ID, r.Verdict, r.Reason)
					}
					size += len(os[i].Text) + len(os[i].Guard)
				}
				for _, s := range in.Steps {
					sent += len(s.Bytes)
				}
				return encode, decide
			}
			e0, d0 := prove(w.next(c.changed)) // parses the program and starts the processes, too
			prove(w.next(c.changed))
			var encode, decide, whole []time.Duration
			for b.Loop() {
				b.StopTimer()
				in := w.next(c.changed)
				b.StartTimer()
				ed, dd := prove(in)
				encode, decide, whole = append(encode, ed), append(decide, dd), append(whole, ed+dd)
			}
			at := func(ds []time.Duration, percent int) float64 {
				slices.Sort(ds)
				return float64(ds[(len(ds)-1)*percent/100].Microseconds()) / 1000
			}
			b.ReportMetric(0, "ns/op")               // preparing the next plan would be in it
			b.ReportMetric(at(whole, 0), "least-ms") // on a machine that others use it says more
			b.ReportMetric(at(whole, 50), "median-ms")
			b.ReportMetric(at(whole, 95), "p95-ms")
			b.ReportMetric(float64((e0+d0).Microseconds())/1000, "first-ms")
			b.ReportMetric(at(encode, 50), "encode-ms")
			b.ReportMetric(at(decide, 50), "decide-ms")
			b.ReportMetric(float64(n), "obligations")
			b.ReportMetric(float64(size)/1024, "text-KiB")
			b.ReportMetric(float64(sent)/1024, "sent-KiB")
		})
	}
}

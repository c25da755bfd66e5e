package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// box is a filled rectangle in data coordinates.
type box struct {
	x0, x1, y0, y1 float64
	fill           color.Color
}

// boxes plots rectangles.
type boxes []box

func (b boxes) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, r := range b {
		c.FillPolygon(r.fill, []vg.Point{
			{X: tx(r.x0), Y: ty(r.y0)}, {X: tx(r.x1), Y: ty(r.y0)}, {X: tx(r.x1), Y: ty(r.y1)}, {X: tx(r.x0), Y: ty(r.y1)},
		})
	}
}

// drawSlots maps who owned which slots over time: a panel for each stage array, time to the right, slots upwards.
func drawSlots(run *Run, pal palette) ([]byte, error) {
	var panels []*plot.Plot
	for i, a := range run.Arrays {
		p := newPlot("time (s)", fmt.Sprintf("%s %d", a.Control, a.Stage))
		last := end(run)
		p.Add(append(boxes{{0, last, 0, float64(a.Slots), free}}, owned(run, a, pal)...))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, last, 0, float64(a.Slots)
		p.Y.Tick.Marker = plot.ConstantTicks(slotTicks(a.Slots))
		if i < len(run.Arrays)-1 {
			p.HideX()
			p.X.Label.Text = ""
		}
		panels = append(panels, p)
	}
	if len(panels) == 0 {
		return nil, fmt.Errorf("the run has no stage arrays")
	}
	h := header{title: "Who owned which slots"}
	for _, t := range run.Tenants {
		h.keys = append(h.keys, key{t.Name, pal[t.Name]})
	}
	h.keys = append(h.keys, key{"free", pale})
	return render(h, vg.Length(0.5+0.85*float64(len(panels)))*vg.Inch, panels...)
}

// owned merges a tenant's ownership over consecutive epochs into one box while the extent stays the same.
func owned(run *Run, a Array, pal palette) boxes {
	type key struct {
		tenant     string
		base, size int64
	}
	open := map[key]float64{}
	var bs boxes
	add := func(k key, from, to float64) {
		bs = append(bs, box{from, to, float64(k.base), float64(k.base + k.size), pal[k.tenant]})
	}
	for i, e := range run.Epochs {
		now := map[key]bool{}
		for _, x := range e.Extents {
			if x.Control == a.Control && x.Stage == a.Stage && x.Size > 0 {
				now[key{x.Tenant, x.Base, x.Size}] = true
			}
		}
		for k, from := range open {
			if !now[k] {
				add(k, from, e.At.Seconds())
				delete(open, k)
			}
		}
		for k := range now {
			if _, ok := open[k]; !ok {
				open[k] = e.At.Seconds()
			}
		}
		if i == len(run.Epochs)-1 {
			for k, from := range open {
				add(k, from, end(run))
			}
		}
	}
	sortBoxes(bs)
	return bs
}

// end is where the time axis ends: an epoch's length after the last epoch began.
func end(run *Run) float64 {
	last := run.Epochs[len(run.Epochs)-1].At.Seconds()
	if n := len(run.Epochs); n > 1 {
		return last + (last-run.Epochs[0].At.Seconds())/float64(n-1)
	}
	return last + 1
}

func slotTicks(slots int64) []plot.Tick {
	ticks := make([]plot.Tick, 0, 3)
	for _, f := range []float64{0, 0.5, 1} {
		v := math.Round(f * float64(slots))
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.0f", v)})
	}
	return ticks
}

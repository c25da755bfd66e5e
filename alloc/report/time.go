package report

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// drawTime stacks the parts of each reallocation's time: a bar for each epoch that changed something.
func drawTime(run *Run, _ palette) ([]byte, error) {
	var bars boxes
	var names []string
	var ticks plot.ConstantTicks
	top, x := 0.0, 0.0
	for i, e := range run.Epochs {
		if len(e.Parts) == 0 {
			continue
		}
		x++
		y := 0.0
		for j, part := range e.Parts {
			if len(names) == j {
				names = append(names, part.Name)
			}
			if names[j] != part.Name {
				return nil, fmt.Errorf("epoch %d names its parts differently", i)
			}
			ms := part.Time.Seconds() * 1e3
			bars = append(bars, box{x - 0.35, x + 0.35, y, y + ms, okabeIto[j%len(okabeIto)]})
			y += ms
		}
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprint(i)})
		top = max(top, y)
	}
	p := newPlot("epoch", "ms")
	p.Add(bars)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, x+1, 0, max(top*1.1, 1)
	p.X.Tick.Marker = thin(ticks)
	h := header{title: "Time of each reallocation"}
	for j, name := range names {
		h.keys = append(h.keys, key{name, okabeIto[j%len(okabeIto)]})
	}
	return render(h, 3.2*vg.Inch, p)
}

// maxLabels is how many labels an axis has room for.
const maxLabels = 24

// thin leaves out labels where there are too many.
func thin(ticks plot.ConstantTicks) plot.ConstantTicks {
	step := len(ticks)/maxLabels + 1
	var out plot.ConstantTicks
	for i := 0; i < len(ticks); i += step {
		out = append(out, ticks[i])
	}
	return out
}

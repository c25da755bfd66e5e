package report

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// drawTime stacks the parts of each reallocation's time, one bar an epoch.
func drawTime(run *Run, _ palette) ([]byte, error) {
	p := newPlot("epoch", "ms")
	var bars boxes
	var names []string
	top := 0.0
	for i, e := range run.Epochs {
		y := 0.0
		for j, part := range e.Parts {
			if len(names) == j {
				names = append(names, part.Name)
			}
			if names[j] != part.Name {
				return nil, fmt.Errorf("epoch %d names its parts differently", i+1)
			}
			ms := part.Time.Seconds() * 1e3
			bars = append(bars, box{float64(i) + 0.6, float64(i) + 1.4, y, y + ms, okabeIto[j%len(okabeIto)]})
			y += ms
		}
		top = max(top, y)
	}
	if len(bars) == 0 {
		top = 1
	}
	p.Add(bars)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0.4, float64(len(run.Epochs))+0.6, 0, top*1.1
	p.X.Tick.Marker = epochTicks(len(run.Epochs))
	h := header{title: "Where the time of each reallocation went"}
	for j, name := range names {
		h.keys = append(h.keys, key{name, okabeIto[j%len(okabeIto)]})
	}
	return render(h, 3.2*vg.Inch, p)
}

func epochTicks(n int) plot.ConstantTicks {
	step := max(1, n/12)
	var ticks plot.ConstantTicks
	for i := 1; i <= n; i += step {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: fmt.Sprint(i)})
	}
	return ticks
}

package report

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// drawUtility plots each tenant's utility over time, and its target as a dashed line, in a panel each.
func drawUtility(run *Run, pal palette) ([]byte, error) {
	var panels []*plot.Plot
	for i, t := range run.Tenants {
		p := newPlot("time (s)", t.Name)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end(run), 0, 1
		p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}
		grid := plotter.NewGrid()
		grid.Vertical.Color, grid.Horizontal.Color = pale, pale
		grid.Vertical.Width, grid.Horizontal.Width = 0.4, 0.4
		p.Add(grid)

		target, err := plotter.NewLine(plotter.XYs{{X: 0, Y: t.Target}, {X: end(run), Y: t.Target}})
		if err != nil {
			return nil, err
		}
		target.Color, target.Width, target.Dashes = ink, 0.8, []vg.Length{4, 3}
		p.Add(target)
		for _, stretch := range stretches(run, t.Name) {
			line, err := plotter.NewLine(stretch)
			if err != nil {
				return nil, err
			}
			line.Color, line.Width = pal[t.Name], 2
			p.Add(line)
		}
		if i < len(run.Tenants)-1 {
			p.HideX()
			p.X.Label.Text = ""
		}
		panels = append(panels, p)
	}
	h := header{title: "Utility: share of packets that register memory served (dashed: target)"}
	for _, t := range run.Tenants {
		h.keys = append(h.keys, key{t.Name, pal[t.Name]})
	}
	return render(h, vg.Length(0.5+1.2*float64(len(panels)))*vg.Inch, panels...)
}

// stretches are the runs of epochs in which the tenant had traffic: no line is drawn through idle epochs.
func stretches(run *Run, tenant string) []plotter.XYs {
	var all []plotter.XYs
	var cur plotter.XYs
	for _, e := range run.Epochs {
		u, ok := e.Utility[tenant]
		if ok {
			cur = append(cur, plotter.XY{X: e.At.Seconds(), Y: u})
			continue
		}
		if len(cur) > 0 {
			all, cur = append(all, cur), nil
		}
	}
	if len(cur) > 0 {
		all = append(all, cur)
	}
	return all
}

// sortBoxes makes a picture's text the same for the same run.
func sortBoxes(bs boxes) {
	slices.SortFunc(bs, func(a, b box) int {
		return cmp.Or(cmp.Compare(a.x0, b.x0), cmp.Compare(a.y0, b.y0), cmp.Compare(a.x1, b.x1), cmp.Compare(a.y1, b.y1))
	})
}

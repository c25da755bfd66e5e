package report

import (
	"bytes"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colours that stay apart for colour-blind readers (Okabe and Ito, 2008), darkest neighbours apart.
var okabeIto = [...]color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0x56, 0xb4, 0xe9, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0xf0, 0xe4, 0x42, 0xff},
}

// palette gives every tenant its colour, the same in all pictures.
type palette map[string]color.RGBA

func newPalette(tenants []Tenant) palette {
	p := palette{}
	for i, t := range tenants {
		p[t.Name] = okabeIto[i%len(okabeIto)]
	}
	return p
}

var (
	ink  = color.RGBA{0x22, 0x2b, 0x33, 0xff}
	pale = color.RGBA{0xd9, 0xde, 0xe3, 0xff}
	free = color.RGBA{0xf4, 0xf6, 0xf8, 0xff}
)

const (
	width    = 9 * vg.Inch
	textSize = 10
)

// newPlot is a plot in the report's style.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font.Size = 12
	p.Title.TextStyle.Font.Variant = "Sans"
	p.Title.TextStyle.Color = ink
	p.Title.Padding = 6
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color = ink
		a.Label.TextStyle.Font.Size = textSize
		a.Label.TextStyle.Font.Variant = "Sans"
		a.Label.TextStyle.Color = ink
		a.Tick.Label.Font.Size = textSize - 1
		a.Tick.Label.Font.Variant = "Sans"
		a.Tick.Label.Color = ink
		a.LineStyle.Width = 0.5
		a.LineStyle.Color = pale
		a.Tick.LineStyle.Width = 0.5
		a.Tick.LineStyle.Color = pale
		a.Padding = 4
	}
	p.Legend.TextStyle.Font.Size = textSize
	p.Legend.TextStyle.Font.Variant = "Sans"
	p.Legend.TextStyle.Color = ink
	p.Legend.ThumbnailWidth = 14
	p.Legend.Padding = 3
	return p
}

// hideX removes the x axis's labels, for panels that stand above another one.
func hideX(p *plot.Plot) {
	p.X.Label.Text = ""
	p.X.Tick.Label.Color = color.Transparent
	p.X.Tick.LineStyle.Color = color.Transparent
}

// swatch is a legend's filled box.
type swatch struct{ fill color.Color }

func (s swatch) Thumbnail(c *draw.Canvas) {
	r := c.Rectangle
	side := r.Size().Y * 0.8
	x, y := r.Min.X, (r.Min.Y+r.Max.Y-side)/2
	c.FillPolygon(s.fill, []vg.Point{{X: x, Y: y}, {X: x + side*1.4, Y: y}, {X: x + side*1.4, Y: y + side}, {X: x, Y: y + side}})
}

// render draws panels below each other and returns the SVG.
func render(height vg.Length, panels ...*plot.Plot) ([]byte, error) {
	canvas := vgsvg.New(width, height)
	dc := draw.New(canvas)
	grid := make([][]*plot.Plot, len(panels))
	for i, p := range panels {
		p.BackgroundColor = color.White
		grid[i] = []*plot.Plot{p}
	}
	tiles := draw.Tiles{
		Rows: len(panels), Cols: 1, PadX: 8, PadY: 6, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 14,
	}
	for i, row := range plot.Align(grid, tiles, dc) {
		panels[i].Draw(row[0])
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	// Machines without that font fall back to another one without serifs.
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,sans-serif;")), nil
}

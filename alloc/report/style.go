package report

import (
	"bytes"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colours that stay apart for colour-blind readers (Okabe and Ito, 2008), darkest neighbours apart.
var okabeIto = [...]color.RGBA{
	{0x00, 0x72, 0xb2, 0xff},
	{0xe6, 0x9f, 0x00, 0xff},
	{0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff},
	{0x56, 0xb4, 0xe9, 0xff},
	{0xd5, 0x5e, 0x00, 0xff},
	{0xf0, 0xe4, 0x42, 0xff},
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

// newPlot is a panel in the report's style.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
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
	return p
}

// header is the strip above the panels: a title on the left and a key to the colours on the right.
type header struct {
	title string
	keys  []key
}

type key struct {
	name string
	fill color.Color
}

const headerHeight = 26

func (h header) draw(dc draw.Canvas) {
	style := func(size vg.Length) text.Style {
		return text.Style{
			Color: ink, Font: font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans", Size: size},
			Handler: plot.DefaultTextHandler, YAlign: draw.YCenter,
		}
	}
	mid := dc.Max.Y - headerHeight/2
	dc.FillText(style(12), vg.Point{X: dc.Min.X + 8, Y: mid}, h.title)
	names := style(textSize)
	x := dc.Max.X - 14
	for _, k := range slices.Backward(h.keys) {
		x -= names.Width(k.name)
		dc.FillText(names, vg.Point{X: x, Y: mid}, k.name)
		x -= 5 + 12
		dc.FillPolygon(k.fill, []vg.Point{{X: x, Y: mid - 4}, {X: x + 12, Y: mid - 4}, {X: x + 12, Y: mid + 4}, {X: x, Y: mid + 4}})
		x -= 16
	}
}

// render draws panels below each other, under the header, and returns the SVG.
func render(h header, height vg.Length, panels ...*plot.Plot) ([]byte, error) {
	canvas := vgsvg.New(width, height+headerHeight)
	dc := draw.New(canvas)
	dc.FillPolygon(color.White, []vg.Point{dc.Min, {X: dc.Max.X, Y: dc.Min.Y}, dc.Max, {X: dc.Min.X, Y: dc.Max.Y}})
	h.draw(dc)
	dc = draw.Crop(dc, 0, 0, 0, -headerHeight)
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

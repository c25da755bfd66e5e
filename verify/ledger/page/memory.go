package page

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
)

// Map is one stage array before and after.
type Map struct {
	Stage         string // "ingress/0"
	Slots         int64
	Before, After []Extent
	// Restored says that the array was emptied in between, and that what is in both was given back.
	Restored bool
}

// Extent of a tenant.
type Extent struct {
	Tenant     string
	Base, Size int64
	Generation uint16
}

// Colours that stay apart for colour-blind readers (Okabe and Ito, 2008), and whether dark letters stand out on them.
func palette() []swatch {
	return []swatch{
		{"", "#0072b2", "#fff"},
		{"", "#e69f00", "#222b33"},
		{"", "#009e73", "#fff"},
		{"", "#cc79a7", "#222b33"},
		{"", "#56b4e9", "#222b33"},
		{"", "#d55e00", "#fff"},
		{"", "#f0e442", "#222b33"},
	}
}

type swatch struct{ Name, Fill, ink string }

// tenants in the maps, sorted.
func tenants(maps []Map) []string {
	seen := map[string]bool{}
	var names []string
	for _, m := range maps {
		for _, x := range append(slices.Clone(m.Before), m.After...) {
			if !seen[x.Tenant] {
				seen[x.Tenant] = true
				names = append(names, x.Tenant)
			}
		}
	}
	slices.Sort(names)
	return names
}

func colour(maps []Map) map[string]swatch {
	of, all := map[string]swatch{}, palette()
	for i, n := range tenants(maps) {
		s := all[i%len(all)]
		s.Name = n
		of[n] = s
	}
	return of
}

func legend(maps []Map, colours map[string]swatch) []swatch {
	var out []swatch
	for _, n := range tenants(maps) {
		out = append(out, colours[n])
	}
	return append(out, swatch{Name: "free", Fill: free})
}

// Measures of a picture, in its own units.
const (
	left, barWidth, barHeight = 110, 840, 26
	top, gap                  = 22, 14
	free                      = "var(--free)"
)

// svg draws the map as two bars, one below the other, slots to the right; what stays is joined between them.
func (m Map) svg(colours map[string]swatch) string {
	var b strings.Builder
	height := top + 2*barHeight + gap + 22
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">`,
		left+barWidth+20, height)
	fmt.Fprintf(&b, `<title>%s: %s; then %s</title>`, html.EscapeString(m.Stage), words(m.Before), words(m.After))
	fmt.Fprintf(&b, `<text x="0" y="14" font-weight="600">%s</text>`, html.EscapeString(m.Stage))
	second := top + barHeight + gap
	for _, kept := range m.kept() {
		x, w := m.place(kept.Base, kept.Size)
		fmt.Fprintf(&b, `<rect x="%.2f" y="%d" width="%.2f" height="%d" fill="%s" fill-opacity=".25"/>`, x, top+barHeight, w, gap, colours[kept.Tenant].Fill)
	}
	for _, bar := range []struct {
		name string
		y    int
		list []Extent
	}{{"before", top, m.Before}, {"after", second, m.After}} {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-10, bar.y+17, bar.name)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`, left, bar.y, barWidth, barHeight, free)
		for _, x := range bar.list {
			at, w := m.place(x.Base, x.Size)
			c := colours[x.Tenant]
			fmt.Fprintf(&b, `<rect x="%.2f" y="%d" width="%.2f" height="%d" fill="%s" stroke="var(--paper)" stroke-width=".5"><title>%s</title></rect>`,
				at, bar.y, max(w, 1), barHeight, c.Fill, words([]Extent{x}))
			if w > float64(8*len(x.Tenant)+6) {
				fmt.Fprintf(&b, `<text x="%.2f" y="%d" text-anchor="middle" fill="%s">%s</text>`, at+w/2, bar.y+17, c.ink, html.EscapeString(x.Tenant))
			}
		}
	}
	for i := range int64(5) {
		slot := m.Slots * i / 4
		x, _ := m.place(slot, 0)
		fmt.Fprintf(&b, `<text x="%.2f" y="%d" text-anchor="middle" fill="var(--quiet)" font-size="11">%d</text>`, x, second+barHeight+16, slot)
	}
	b.WriteString("</svg>")
	return b.String()
}

// place is where slots are in the picture.
func (m Map) place(base, size int64) (x, w float64) {
	scale := barWidth / float64(max(m.Slots, 1))
	return left + scale*float64(base), scale * float64(size)
}

// kept are the slots that a tenant has before and after at the same virtual index, and with their content.
func (m Map) kept() []Extent {
	var out []Extent
	for _, a := range m.Before {
		for _, b := range m.After {
			if a.Tenant == b.Tenant && a.Base == b.Base && a.Generation == b.Generation {
				out = append(out, Extent{a.Tenant, a.Base, min(a.Size, b.Size), a.Generation})
			}
		}
	}
	return out
}

// words is an escaped text.
func words(list []Extent) string {
	if len(list) == 0 {
		return "all free"
	}
	var out []string
	for _, x := range list {
		out = append(out, fmt.Sprintf("%s has %s", x.Tenant, x.Range()))
	}
	return html.EscapeString(strings.Join(out, ", "))
}

// Range is "first..last (size)".
func (x Extent) Range() string {
	if x.Size == 0 {
		return "none"
	}
	return fmt.Sprintf("%d..%d (%d)", x.Base, x.Base+x.Size-1, x.Size)
}

// Change of a tenant's extent in a stage, in words.
type Change struct{ Stage, Tenant, Before, After, What string }

// Changes has a row for each tenant and stage array, those that change first within it.
func Changes(maps []Map) []Change {
	var rows []Change
	for _, m := range maps {
		for _, n := range tenants([]Map{m}) {
			a, b := of(m.Before, n), of(m.After, n)
			rows = append(rows, Change{m.Stage, n, a.Range(), b.Range(), m.becomes(a, b)})
		}
	}
	slices.SortStableFunc(rows, func(a, b Change) int {
		if a.Stage != b.Stage {
			return 0
		}
		return cmp.Compare(order(a.What), order(b.What))
	})
	return rows
}

const unchanged = "not touched"

func order(what string) int {
	if what == unchanged {
		return 1
	}
	return 0
}

func of(list []Extent, tenant string) Extent {
	for _, x := range list {
		if x.Tenant == tenant {
			return x
		}
	}
	return Extent{Tenant: tenant}
}

func (m Map) becomes(before, after Extent) string {
	switch {
	case !m.Restored:
		return Becomes(before, after)
	case after.Size == 0:
		return fmt.Sprintf("all %d slots are lost", before.Size)
	}
	return "given back"
}

// Becomes says what a change means for what is in the slots.
func Becomes(before, after Extent) string {
	switch {
	case before == after:
		return unchanged
	case before.Size == 0:
		return fmt.Sprintf("given %d empty slots", after.Size)
	case after.Size == 0:
		return fmt.Sprintf("all %d slots are taken", before.Size)
	case before.Base != after.Base || before.Generation != after.Generation:
		return fmt.Sprintf("lost: it starts anew (generation %d, then %d)", before.Generation, after.Generation)
	case after.Size > before.Size:
		return fmt.Sprintf("kept, and %d empty slots more", after.Size-before.Size)
	}
	return fmt.Sprintf("kept, but for the last %d slots", before.Size-after.Size)
}

package format

import (
	"unicode/utf8"
)

// alignKind says which rows are aligned with each other.
type alignKind uint8

const (
	notAligned alignKind = iota
	alignField
	alignTypedef
	alignType
	alignConst
	alignMember
	alignKeyed
)

// Neighbours are not aligned if that took more spaces than this.
const (
	maxCellPadding = 32
	maxNotePadding = 40
)

// align finds what is aligned with the neighbours in the rows from first on, which are those of one line of the structure.
func (f *formatter) align(first int) {
	for i := first; i < len(f.rows); i++ {
		r := &f.rows[i]
		if last := r.to - 1; last > r.from && f.toks[last].comment() {
			r.note = last
		}
		t := &f.toks[r.from]
		r.through = t.comment() && r.from+1 == r.to || i+1 < len(f.rows) && t.is("@")
	}
	last := &f.rows[len(f.rows)-1]
	f.rows[first].tall = f.toks[f.from].block == declarations && f.endsOpen(last)
	for i := first; i < len(f.rows)-1; i++ {
		if !f.rows[i].through {
			return
		}
	}
	from, end := last.from, last.to-1
	for end > from && f.toks[end].comment() {
		end--
	}
	if len(f.rows)-first > 1 && !f.toks[from].annotated {
		return
	}
	if end <= from {
		return
	}
	equals, colon, depth := -1, -1, 0
	for i := from; i <= end; i++ {
		switch t := &f.toks[i]; {
		case t.role == blockOpen || t.multiline():
			return
		case i > from && t.annotated, t.comment():
			// What has annotations or comments before it stands apart.
			last.through = true
			return
		case t.opens():
			depth++
		case t.closes():
			depth--
		case depth == 0 && equals < 0 && t.is("="):
			equals = i
		case depth == 0 && t.role == labelColon:
			colon = i
		}
	}
	t, block := &f.toks[from], f.toks[f.from].block
	semicolon := f.toks[end].is(";")
	switch {
	case block == keyed && colon > from && colon < end:
		last.align, last.cells = alignKeyed, []int{colon + 1}
	case block == members && equals > from:
		last.align, last.cells = alignMember, []int{equals}
	case block == property || block == keyed || block == members || block == cases:
	case t.is("const") && equals > from+2 && semicolon:
		last.align, last.cells = alignConst, []int{equals - 1, equals}
	case t.is("typedef") && semicolon && end > from+2:
		last.align, last.cells = alignTypedef, []int{end - 1}
	case t.is("type") && f.toks[from+1].kind == word && semicolon && end > from+2:
		last.align, last.cells = alignType, []int{end - 1}
	case block == fields && semicolon && end > from+1 && f.toks[end-1].kind == word:
		last.align, last.cells = alignField, []int{end - 1}
	}
}

// endsOpen reports whether the row ends with the opening brace of a block.
func (f *formatter) endsOpen(r *row) bool {
	i := r.to - 1
	for i > r.from && f.toks[i].comment() {
		i--
	}
	return f.toks[i].role == blockOpen
}

// width is how much room the tokens from up to to take in a row.
func (f *formatter) width(from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		if i > from && spaced(&f.toks[i-1], &f.toks[i]) {
			n++
		}
		n += utf8.RuneCountInString(f.toks[i].text)
	}
	return n
}

// pads says how many spaces stand before tokens besides the usual ones.
type pads map[int]int

// alignCells fills in the padding of all cells.
func (f *formatter) alignCells() pads {
	p := pads{}
	var section []*row
	for i := range f.rows {
		r := &f.rows[i]
		if r.through && !r.blank {
			continue
		}
		if len(section) > 0 && (r.blank || r.align != section[0].align || r.column != section[0].column) {
			f.alignSection(section, 0, p)
			section = section[:0]
		}
		if r.align != notAligned && !r.through {
			section = append(section, r)
		}
	}
	f.alignSection(section, 0, p)
	return p
}

// alignSection aligns the cells from number n on of neighbouring rows.
func (f *formatter) alignSection(rows []*row, n int, p pads) {
	if len(rows) == 0 || n >= len(rows[0].cells) {
		return
	}
	width := func(r *row) int {
		from := r.from
		if n > 0 {
			from = r.cells[n-1]
		}
		return f.width(from, r.cells[n])
	}
	for len(rows) > 0 {
		// As many as are not too different.
		lo, hi, k := width(rows[0]), width(rows[0]), 1
		for ; k < len(rows); k++ {
			w := width(rows[k])
			if max(hi, w)-min(lo, w) > maxCellPadding {
				break
			}
			lo, hi = min(lo, w), max(hi, w)
		}
		for _, r := range rows[:k] {
			if w := width(r); w < hi {
				p[r.cells[n]] = hi - w
			}
		}
		f.alignSection(rows[:k], n+1, p)
		rows = rows[k:]
	}
}

// alignNotes adds the padding of comments behind code.
func (f *formatter) alignNotes(p pads) {
	width := func(r *row) int {
		n := f.width(r.from, r.note)
		for i := r.from; i < r.note; i++ {
			n += p[i]
		}
		return n
	}
	plain := func(r *row) bool {
		for i := r.from; i < r.note; i++ {
			if f.toks[i].multiline() {
				return false
			}
		}
		return r.note >= 0
	}
	for i := 0; i < len(f.rows); {
		r := &f.rows[i]
		i++
		if !plain(r) {
			continue
		}
		section := []*row{r}
		lo, hi := width(r), width(r)
		for ; i < len(f.rows); i++ {
			s := &f.rows[i]
			if s.blank || s.column != r.column || !plain(s) {
				break
			}
			w := width(s)
			if max(hi, w)-min(lo, w) > maxNotePadding {
				break
			}
			lo, hi = min(lo, w), max(hi, w)
			section = append(section, s)
		}
		for _, s := range section {
			p[s.note] = hi - width(s)
		}
	}
}

package format

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	indent     = 4
	maxColumns = 100
)

// A row is one line of the result, or several if a token in it spans lines.
type row struct {
	from, to int // tokens
	column   int
	blank    bool // an empty line stands before it
	note     int  // the comment behind the code, or -1
	align    alignKind
	cells    []int // tokens that are aligned with those of neighbouring rows
	through  bool  // does not disturb the alignment of its neighbours
	tall     bool  // a declaration with a block of several rows begins here
}

// formatter makes rows of a file's tokens.
type formatter struct {
	*file
	brk   []bool // a line break stands before the token
	rows  []row
	level int
	// of the line being laid out
	from, to int
	dirs     bool // it has directives
	refilled map[int]bool
	// annotated are the first and the last token of the line that annotations stand before; none if first is to.
	annotated [2]int
	// Of the whole file, so that rows need not look far: for each token the last token of code before it (or -1), and the first one
	// from it on that is code, opens a block or stands behind annotations.
	before, solid []int
}

// layout breaks the text into rows.
func (f *formatter) layout() {
	f.brk = make([]bool, len(f.toks)+1)
	f.refilled = map[int]bool{}
	f.survey()
	for from := 0; from < len(f.toks); {
		to := from + 1
		for to < len(f.toks) {
			if f.toks[to].starts {
				if end := f.oneLine(from, to); end > to {
					to = end
					continue
				}
				break
			}
			to++
		}
		f.line(from, to)
		from = to
	}
	f.air()
}

// survey finds what before and solid say.
func (f *formatter) survey() {
	f.before, f.solid = make([]int, len(f.toks)), make([]int, len(f.toks))
	last := -1
	for i := range f.toks {
		f.before[i] = last
		if f.toks[i].code() {
			last = i
		}
	}
	last = len(f.toks)
	for i := len(f.toks) - 1; i >= 0; i-- {
		if t := &f.toks[i]; t.code() || t.role == blockOpen || t.annotated {
			last = i
		}
		f.solid[i] = last
	}
}

// oneLine decides about a block whose first or closing line would start at token to: if the whole block may stand in the
// line that starts at from, it returns the token behind its closing brace.
func (f *formatter) oneLine(from, to int) int {
	open := to - 1
	o := &f.toks[open]
	if o.role != blockOpen || o.match < 0 {
		return to
	}
	if o.match == to {
		return to + 1
	}
	if o.flow || f.toks[from].role == blockOpen {
		return to
	}
	width := f.toks[from].level * indent
	for i := from; i < len(f.toks); i++ {
		t := &f.toks[i]
		if i > o.match && (t.starts || t.comment()) {
			break
		}
		if i > from && t.newlines > 0 || t.multiline() || t.kind == lineComment || !t.code() && !t.comment() || t.pragma {
			return to
		}
		if i > open && t.role == blockOpen && t.match != i+1 {
			return to
		}
		width += utf8.RuneCountInString(t.text)
		if i > from && spaced(&f.toks[i-1], t) {
			width++
		}
		if width > maxColumns {
			return to
		}
	}
	return o.match + 1
}

// line lays out one line of the structure: the tokens from up to to.
func (f *formatter) line(from, to int) {
	f.from, f.to, f.dirs = from, to, false
	f.level = f.toks[from].level
	f.annotated = [2]int{to, from}
	for i := from; i < to; i++ {
		if f.toks[i].annotated {
			f.annotated = [2]int{min(f.annotated[0], i), i}
		}
		f.dirs = f.dirs || !f.toks[i].code() && !f.toks[i].comment()
		f.brk[i] = i == from || f.keepBreak(i)
	}
	f.join()
	first := len(f.rows)
	f.wrap()
	f.align(first)
}

// forced reports whether token i must start a row.
func (f *formatter) forced(i int) bool {
	t, p := &f.toks[i], &f.toks[i-1]
	return p.kind == lineComment || p.kind == directive || p.kind == skipped || t.kind == directive || t.kind == skipped ||
		t.comment() && t.newlines > 0 || p.kind == blockComment && p.multiline() ||
		t.kind == blockComment && t.multiline() && f.codeFollows(i) ||
		p.kind == blockComment && t.newlines > 0 && f.brk[i-1] || p.pragma && !t.pragma
}

// codeFollows reports whether there is code behind token i in the line.
func (f *formatter) codeFollows(i int) bool {
	return f.before[f.to-1] > i || f.toks[f.to-1].code() && f.to-1 > i
}

// keepBreak reports whether token i of a line starts a row, as far as the author and the rules for single tokens have a say.
func (f *formatter) keepBreak(i int) bool {
	if f.forced(i) {
		return true
	}
	t, p := &f.toks[i], &f.toks[i-1]
	if t.newlines == 0 || t.role == strayRole(t) {
		return false
	}
	switch {
	case t.role == blockOpen, t.role == listOpen && p.is("="):
		return false
	case t.annotated:
		return true
	case t.raw && p.raw:
		return !t.pragma
	case p.role == callOpen, p.role == groupOpen, p.role == listOpen, p.is(","), p.is(";"):
		return true
	case t.role == parenClose, t.role == listClose:
		return true // see join
	case p.role == binary, t.role == binary:
		return !assignment(t.text)
	case t.is("@"):
		return true
	case p.comment(), t.comment():
		return true
	case p.role == at, p.kind == str && t.kind == str:
		return p.kind == str
	}
	return false
}

// strayRole is a role that t does not have, unless it must not begin a line.
func strayRole(t *token) role {
	if t.kind == strayChar {
		return t.role
	}
	return 255
}

// join removes breaks that make no sense without another: a closing bracket has a line of its own only if the opening one
// ends its line.
func (f *formatter) join() {
	for i := f.from + 1; i < f.to; i++ {
		t := &f.toks[i]
		if !f.brk[i] || !t.closes() || f.forced(i) {
			continue
		}
		if m := t.match; m < f.from || !f.brk[m+1] || m+1 == i {
			f.brk[i] = false
			if m >= f.from && m+1 == i {
				f.brk[m+1] = false
			}
		}
	}
}

// group is an open bracket in the line being laid out.
type group struct {
	open    int
	content int // column of what is in it
	close   int // column of a closing bracket that begins a line
	base    int // indentation of the line that it stands in
	hanging bool
}

// place is where the layout of a line has got to, at the start of a row.
type place struct {
	i      int
	groups []group
	conds  [][]group // at each open #if
}

// wrap lays out the rows of the line, and breaks those that are too long.
func (f *formatter) wrap() {
	states := []place{{i: f.from}}
	clear(f.refilled)
	first := len(f.rows)
	for states[len(states)-1].i < f.to {
		p := states[len(states)-1]
		r, next, over := f.row(p, f.dirs)
		if over >= 0 && !f.dirs {
			if k := f.breakIn(p, r, over); k >= 0 {
				// Start again with the row that the new break is in.
				n := len(states) - 1
				for states[n].i >= k {
					n--
				}
				states = states[:n+1]
				f.rows = f.rows[:first+n]
				continue
			}
			r, next, _ = f.row(p, true)
		}
		f.rows = append(f.rows, r)
		states = append(states, next)
	}
}

// row places the tokens of the row that starts at p, and says at which token it gets too long, or -1. There it ends, unless it is
// to be whole.
func (f *formatter) row(p place, whole bool) (r row, next place, over int) {
	groups := slices.Clone(p.groups)
	// No deeper than a line is long: the text would grow with the square of its nesting.
	r = row{from: p.i, note: -1, column: min(f.column(p), maxColumns)}
	t := &f.toks[p.i]
	r.blank = t.newlines > 1 && p.i > 0 && !f.afterOpen(p.i) && !f.beforeClose(p.i)
	col, over := r.column, -1
	i := p.i
	for ; i < f.to && (i == p.i || !f.brk[i]) && (whole || over < 0); i++ {
		t := &f.toks[i]
		if i > p.i && spaced(&f.toks[i-1], t) {
			col++
		}
		start := col
		col = endColumn(col, t.text)
		if over < 0 && col > maxColumns && (t.code() || !f.lastInRow(i)) {
			over = i
		}
		switch {
		case t.opens():
			g := group{open: i, base: r.column, close: start, content: col}
			if t.role == listOpen {
				g.content++
			}
			if i+1 < f.to && f.brk[i+1] {
				g.hanging, g.close, g.content = true, r.column, r.column+indent
				if t.params && t.match > i && t.match < f.to && f.endsOpen(&row{from: f.from, to: f.to}) {
					f.brk[t.match] = true // so that parameters and body can be told apart
				}
			}
			groups = append(groups, g)
		case t.closes() && len(groups) > 0:
			groups = groups[:len(groups)-1]
		}
	}
	r.to = i
	next = place{i: i, groups: groups, conds: p.conds}
	if t.kind == directive {
		switch n := len(p.conds); directiveName(t.text) {
		case "if", "ifdef", "ifndef":
			next.conds = append(slices.Clone(p.conds), groups)
		case "else", "elif":
			if n > 0 {
				next.groups = p.conds[n-1]
			}
		case "endif":
			if n > 0 {
				next.conds = p.conds[:n-1]
			}
		}
	}
	return r, next, over
}

// lastInRow reports whether i is the last token of its row.
func (f *formatter) lastInRow(i int) bool { return i+1 == f.to || f.brk[i+1] }

func endColumn(col int, text string) int {
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		return utf8.RuneCountInString(text[i+1:])
	}
	return col + utf8.RuneCountInString(text)
}

// column is where the row at p starts.
func (f *formatter) column(p place) int {
	base := f.level * indent
	t := &f.toks[p.i]
	switch {
	case t.kind == directive || t.kind == skipped:
		return 0
	case p.i == f.from:
		return base
	}
	if n := len(p.groups); n > 0 {
		g := &p.groups[n-1]
		if t.closes() && t.match == g.open {
			return g.close
		}
		prev := f.codeBefore(p.i)
		if f.toks[g.open].commas && prev > g.open && !f.toks[prev].is(",") && !f.toks[prev].is(";") && !t.comment() && !t.raw {
			return g.content + indent
		}
		return g.content
	}
	if i := f.solid[p.i]; i < f.to && (f.toks[i].role == blockOpen || f.toks[i].annotated) {
		return base
	}
	if f.onlyAnnotations(p.i) {
		return base
	}
	return base + indent
}

// onlyAnnotations reports whether nothing but annotations stands in the line before token i.
func (f *formatter) onlyAnnotations(i int) bool {
	return f.toks[i].is("@") && f.toks[f.from].is("@") && i <= f.annotated[0] && i <= f.annotated[1]
}

// codeBefore is the last token of code before i in the line, or -1.
func (f *formatter) codeBefore(i int) int {
	if j := f.before[i]; j >= f.from {
		return j
	}
	return -1
}

// afterOpen and beforeClose report whether token i is the first or the last behind a bracket: no empty line stands there.
func (f *formatter) afterOpen(i int) bool {
	p := &f.toks[i-1]
	if p.kind == lineComment && i > 1 && p.newlines == 0 {
		p = &f.toks[i-2]
	}
	if p.role == blockOpen && len(f.rows) > 0 {
		// Behind parameters on lines of their own, air is welcome.
		first := &f.toks[f.rows[len(f.rows)-1].from]
		return first.starts || first.annotated
	}
	return p.role == blockOpen || p.opens()
}

func (f *formatter) beforeClose(i int) bool {
	t := &f.toks[i]
	return t.role == blockClose || t.closes()
}

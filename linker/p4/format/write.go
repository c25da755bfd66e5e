package format

import "strings"

// write makes the text of the rows.
func (f *formatter) write() string {
	pad := f.alignCells()
	f.alignNotes(pad)
	var b strings.Builder
	b.Grow(len(f.text) + len(f.text)/8)
	spaces := func(n int) {
		for ; n > 0; n-- {
			b.WriteByte(' ')
		}
	}
	for n := range f.rows {
		r := &f.rows[n]
		if r.blank {
			b.WriteByte('\n')
		}
		spaces(r.column)
		col := r.column
		for i := r.from; i < r.to; i++ {
			t := &f.toks[i]
			if i > r.from {
				gap := pad[i]
				if spaced(&f.toks[i-1], t) {
					gap++
				}
				spaces(gap)
				col += gap
			}
			text := t.text
			if t.kind == blockComment {
				text = shift(text, t.col, col)
			}
			b.WriteString(text)
			col = endColumn(col, text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// air adds an empty line behind every declaration of several rows, and before it and its comments.
func (f *formatter) air() {
	for n := 1; n < len(f.rows); n++ {
		last, r := &f.rows[n-1], &f.rows[n]
		p, t := &f.toks[last.from], &f.toks[r.from]
		behind := p.role == blockClose && p.starts && p.block == declarations
		if behind && (t.comment() || t.code() && t.starts && t.role != blockClose) {
			r.blank = true
		}
		if !r.tall {
			continue
		}
		first := n
		for first > 0 && !f.rows[first].blank && f.toks[f.rows[first-1].from].comment() {
			first--
		}
		if first > 0 && f.toks[f.rows[first-1].from].kind < directive && !f.endsOpen(&f.rows[first-1]) {
			f.rows[first].blank = true
		}
	}
}

// shift moves the lines of a block comment that goes from column from to column to. Lines that begin with stars are put
// below the first star; others keep their distance from the comment's beginning.
func shift(text string, from, to int) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	lines := strings.Split(text, "\n")
	stars := true
	for _, line := range lines[1:] {
		s := strings.TrimLeft(line, " \t")
		stars = stars && (s == "" || s[0] == '*' && !strings.HasPrefix(s, "**"))
	}
	for i, line := range lines {
		s := strings.TrimLeft(line, " \t")
		switch {
		case i == 0 || s == "":
		case stars:
			lines[i] = strings.Repeat(" ", to+1) + s
		default:
			lines[i] = strings.Repeat(" ", max(0, column(line[:len(line)-len(s)])-from+to)) + s
		}
		if s == "" {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// same reports whether b has the tokens, comments and directives of a, whose structure is known. Only the indentation inside
// comments may differ.
func same(a, b []token) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		s, t := &a[i], &b[i]
		if s.kind != t.kind {
			return false
		}
		if s.kind == blockComment {
			if unindent(s.text) != unindent(t.text) {
				return false
			}
		} else if s.text != t.text {
			return false
		}
		// An @pragma goes to the end of its line.
		if i > 0 && a[i-1].pragma && a[i].pragma == (b[i].newlines > 0) {
			return false
		}
		// The two halves of a shift.
		if i > 0 && s.is(">") && a[i-1].is(">") && s.space && !t.space && a[i-1].role == binary {
			return false
		}
	}
	return true
}

func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.Trim(line, " \t\r\f\v")
	}
	return strings.Join(lines, "\n")
}

// normal is the text with \n as line end and without a byte order mark.
func normal(src []byte) string {
	text := strings.TrimPrefix(string(src), "\ufeff")
	if strings.Contains(text, "\r\n") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	return text
}

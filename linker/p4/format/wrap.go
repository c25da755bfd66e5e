package format

// breakIn finds a place for a line break in the row that begins with r, which starts at p and gets too long at token over. It makes the break,
// and returns the token that it is before, or -1 if there is no place.
func (f *formatter) breakIn(p place, r row, over int) int {
	best, bestCost, group := -1, 0, -1
	open := make([]int, 0, 8) // brackets opened in this row
	outer := len(p.groups)    // brackets opened before it that are still open
	inline := 0               // blocks on one line
	for i := r.from; i < f.to && (i == r.from || !f.brk[i]); i++ {
		t := &f.toks[i]
		switch {
		case t.closes() && len(open) > 0:
			open = open[:len(open)-1]
		case t.closes() && outer > 0:
			outer--
		}
		if i > r.from && inline == 0 && !f.forced(i) {
			if cost, ok := f.cost(i); ok {
				if cost += (outer + len(open)) * 10; best < 0 || cost <= bestCost {
					best, bestCost, group = i, cost, -1
					if len(open) > 0 {
						group = open[len(open)-1]
					} else if outer > 0 {
						group = p.groups[outer-1].open
					}
				}
			}
		}
		if i >= over && best >= 0 {
			break
		}
		switch {
		case t.role == blockOpen:
			inline++
		case t.role == blockClose:
			inline--
		case t.opens():
			open = append(open, i)
		}
	}
	if best < 0 {
		return f.hang(p)
	}
	if group >= 0 {
		if k := f.breakList(group, r); k >= 0 {
			return k
		}
	}
	f.brk[best] = true
	return best
}

// cost says how bad a break before token i is; ok is false where there can be none.
func (f *formatter) cost(i int) (cost int, ok bool) {
	t, p := &f.toks[i], &f.toks[i-1]
	if t.raw && p.raw || t.pragma || t.comment() || p.comment() || t.closes() || t.is(";") || t.kind == strayChar {
		return 0, false
	}
	switch {
	case p.is(","), p.is(";") && !p.starts:
		return 0, true
	case t.annotated:
		return 3, true
	case p.role == callOpen, p.role == groupOpen, p.role == listOpen:
		return 8, true
	case p.role == binary && assignment(p.text):
		return 25, true
	case p.role == binary:
		switch p.text {
		case "||":
			return 1, true
		case "&&":
			return 2, true
		case "?", ":":
			return 3, true
		case "==", "!=", "<", ">", "<=", ">=":
			return 5, true
		case "..", "&&&", "+:":
			return 9, true
		}
		if p.is(">") && t.is(">") {
			return 0, false
		}
		return 6, true
	case t.is("@") && f.toks[f.from].block == keyed:
		return 5, true
	}
	return 0, false
}

// breakList is asked when the row r is too long, and the brackets at open are the place to break it, for the first time.
// Parameters get a line each. What the author filled lines with is filled in again, without the old line ends. Where the
// elements are too wide to be aligned with the bracket, the list begins on the next line. The result is where to start
// again, or -1.
func (f *formatter) breakList(open int, r row) int {
	o := &f.toks[open]
	if o.match < 0 || o.match >= f.to || o.role == indexOpen || o.role == angleOpen || f.refilled[open] {
		return -1
	}
	f.refilled[open] = true
	// The widest element, and where elements begin.
	widest, width, depth, broken := 0, 0, 0, 0
	var starts []int
	for i := open + 1; i < o.match; i++ {
		t := &f.toks[i]
		if i > open+1 && spaced(&f.toks[i-1], t) {
			width++
		}
		width = endColumn(width, t.text)
		switch {
		case t.opens():
			depth++
		case t.closes():
			depth--
		case t.is(",") && depth == 0:
			widest = max(widest, width)
			width = 0
			starts = append(starts, i+1)
			if f.brk[i+1] {
				broken++
			}
		}
	}
	again := -1
	if filled := broken > 0 && broken < len(starts); filled || o.params {
		for _, i := range starts {
			if t := &f.toks[i]; !f.forced(i) && (!t.comment() || t.newlines > 0) && f.brk[i] != o.params {
				f.brk[i] = o.params
				again = open + 1
			}
		}
	}
	if open >= r.from && broken == 0 && !f.brk[open+1] && !f.toks[open+1].comment() {
		content := r.column
		for i := r.from; i <= open; i++ {
			if i > r.from && spaced(&f.toks[i-1], &f.toks[i]) {
				content++
			}
			content = endColumn(content, f.toks[i].text)
		}
		widest = max(widest, width+len(");"))
		if content+widest > maxColumns && r.column+indent < content {
			f.brk[open+1] = true
			again = open + 1
		}
	}
	return again
}

// hang moves the content of a bracket that is still open where a row begins to a line of its own, which makes room on the right.
func (f *formatter) hang(p place) int {
	for n := len(p.groups) - 1; n >= 0; n-- {
		g := &p.groups[n]
		k := g.open + 1
		if !g.hanging && g.base+indent < g.content && k < f.to && !f.brk[k] && !f.toks[k].comment() && !f.toks[k].raw &&
			(f.toks[g.open].role == callOpen || f.toks[g.open].role == groupOpen || f.toks[g.open].role == listOpen) {
			f.brk[k] = true
			return k
		}
	}
	return -1
}

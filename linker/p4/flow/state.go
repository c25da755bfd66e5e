package flow

// A cell is what may be the case for one part of a variable at one place in the program, over all ways there.
type cell = byte

// Bits of a scalar's cell. A field of an invalid header has none.
const (
	unset cell = 1 << iota
	set
)

// Bits of a header's validity. Unknown is what came from outside, tested that a test of what came from outside said no: a
// certainty inside of the test's branch, and no reason to warn behind it.
const (
	invalid cell = 1 << iota
	valid
	unknown
	tested
)

// surely reports whether a header is invalid on every way.
func surely(v cell) bool { return v != 0 && v&^(invalid|tested) == 0 }

// state is what may be the case at one place. Dead means that no way leads there.
type state struct {
	cells []cell
	dead  bool
}

// machine allots cells: every variable that is met gets a range, in every state the same.
type machine struct {
	// initial is what a state holds for cells that it has not got yet: what came from outside.
	initial []cell
	steps   int
}

// maxSteps bounds the work for one parser, control or function. What exceeds it gets no warnings from this analysis.
const maxSteps = 20_000_000

func (m *machine) spent() bool { return m.steps > maxSteps }

func (m *machine) at(st *state, i int) cell {
	if i < len(st.cells) {
		return st.cells[i]
	}
	return m.initial[i]
}

func (m *machine) put(st *state, i int, v cell) {
	m.grow(st)
	st.cells[i] = v
}

func (m *machine) grow(st *state) {
	if n := len(st.cells); n < len(m.initial) {
		st.cells = append(st.cells, m.initial[n:]...)
	}
}

func (m *machine) clone(st *state) *state {
	m.steps += 1 + len(st.cells)/16
	return &state{cells: append([]cell(nil), st.cells...), dead: st.dead}
}

func dead() *state { return &state{dead: true} }

// join makes dst what may be the case if either state is, and reports whether that changed it.
func (m *machine) join(dst, src *state) bool {
	if src.dead {
		return false
	}
	if dst.dead {
		dst.dead = false
		dst.cells = append(dst.cells[:0], src.cells...)
		m.steps += 1 + len(src.cells)/16
		return true
	}
	m.grow(dst)
	m.grow(src)
	m.steps += 1 + len(src.cells)/16
	changed := false
	for i, v := range src.cells {
		if w := dst.cells[i] | v; w != dst.cells[i] {
			dst.cells[i] = w
			changed = true
		}
	}
	return changed
}

// place is a part of a variable. Headers are the validities of the headers that it lies in.
type place struct {
	start   int
	shape   *shape
	headers []int
}

// fill sets all of a place: scalars to s, validities to v.
func (m *machine) fill(st *state, p place, s, v cell) {
	m.grow(st)
	p.shape.each(p.start, func(i int, validity bool) {
		if validity {
			st.cells[i] = v
		} else {
			st.cells[i] = s
		}
	})
}

// clear makes a place what a variable without initialiser is: scalars unset, headers invalid.
func (m *machine) clear(st *state, p place) {
	m.grow(st)
	m.clearShape(st, p.start, p.shape)
}

func (m *machine) clearShape(st *state, start int, sh *shape) {
	switch sh.kind {
	case leaf:
		st.cells[start] = unset
	case headerShape:
		m.invalidate(st, place{start: start, shape: sh})
	case stackShape:
		for i := range sh.count {
			m.clearShape(st, start+i*sh.elem.size, sh.elem)
		}
	default:
		for i, fs := range sh.fields {
			m.clearShape(st, start+sh.starts[i], fs)
		}
	}
}

// invalidate makes all headers of a place invalid.
func (m *machine) invalidate(st *state, p place) {
	m.fill(st, p, 0, invalid)
}

// validate is setValid: the fields of a header that was invalid are unset.
func (m *machine) validate(st *state, p place) {
	m.grow(st)
	was := st.cells[p.start]
	p.shape.each(p.start, func(i int, validity bool) {
		switch {
		case validity:
			st.cells[i] = valid
		case surely(was):
			st.cells[i] = unset
		case was&invalid != 0 && was&unknown == 0:
			st.cells[i] |= unset
		}
	})
}

package syntax

import "strings"

// macro is the meaning of a #define.
type macro struct {
	name     string
	function bool
	params   []string // the last is __VA_ARGS__ if variadic
	variadic bool
	body     []token
	builtin  bool // defined by a system file
}

// hideSet is an immutable set of macro names.
type hideSet struct {
	name string
	next *hideSet
	size int
}

func (h *hideSet) has(name string) bool {
	for ; h != nil; h = h.next {
		if h.name == name {
			return true
		}
	}
	return false
}

func (h *hideSet) with(name string) *hideSet {
	if h.has(name) {
		return h
	}
	size := 1
	if h != nil {
		size += h.size
	}
	return &hideSet{name, h, size}
}

func (h *hideSet) union(o *hideSet) *hideSet {
	if h == nil {
		return o
	}
	for ; o != nil; o = o.next {
		h = h.with(o.name)
	}
	return h
}

func (h *hideSet) intersect(o *hideSet) *hideSet {
	var r *hideSet
	for ; h != nil; h = h.next {
		if o.has(h.name) {
			r = r.with(h.name)
		}
	}
	return r
}

// define obeys #define; the scanner stands before the name.
func (pp *preprocessor) define() {
	sc := pp.top().sc
	name := sc.next()
	if name.kind != tIdent && name.kind != tKeyword || name.text == "defined" {
		pp.diags.errorf(name.pos, CodeBadMacro, "#define needs a name, found %s", name.describe())
		return
	}
	m := &macro{name: name.text, builtin: sc.src.builtin}
	t := sc.next()
	if t.is("(") && !t.space {
		m.function = true
		if !pp.macroParams(m) {
			return
		}
		t = sc.next()
	}
	for ; t.kind != tEOL && t.kind != tEOF; t = sc.next() {
		m.body = append(m.body, t)
	}
	if n := len(m.body); n > 0 && (m.body[0].is("##") || m.body[n-1].is("##")) {
		pp.diags.errorf(name.pos, CodeBadMacro, "## at an end of the macro %s", m.name)
		return
	}
	for i, t := range m.body {
		if m.function && t.is("#") && (i+1 == len(m.body) || m.param(m.body[i+1]) < 0) {
			pp.diags.errorf(t.pos, CodeBadMacro, "# is not followed by a parameter of the macro %s", m.name)
			return
		}
	}
	if old, ok := pp.macros[m.name]; ok && !old.same(m) {
		pp.diags.warnf(name.pos, CodeMacroRedefined, "macro %s is defined again with another meaning", m.name)
	}
	pp.macros[m.name] = m
}

// macroParams reads the parameters after the opening parenthesis.
func (pp *preprocessor) macroParams(m *macro) bool {
	sc := pp.top().sc
	t := sc.next()
	if t.is(")") {
		return true
	}
	for {
		switch {
		case t.is("..."):
			m.variadic = true
			m.params = append(m.params, "__VA_ARGS__")
			if t = sc.next(); !t.is(")") {
				pp.diags.errorf(t.pos, CodeBadMacro, "expected ) after ... in the parameters of macro %s, found %s", m.name, t.describe())
				return false
			}
			return true
		case t.kind == tIdent || t.kind == tKeyword:
			if m.param(t) >= 0 {
				pp.diags.errorf(t.pos, CodeBadMacro, "macro %s has two parameters %s", m.name, t.text)
				return false
			}
			m.params = append(m.params, t.text)
		default:
			pp.diags.errorf(t.pos, CodeBadMacro, "expected a parameter of macro %s, found %s", m.name, t.describe())
			return false
		}
		switch t = sc.next(); {
		case t.is(")"):
			return true
		case !t.is(","):
			pp.diags.errorf(t.pos, CodeBadMacro, "expected , or ) in the parameters of macro %s, found %s", m.name, t.describe())
			return false
		}
		t = sc.next()
	}
}

// param is the number of the parameter that t names, or -1.
func (m *macro) param(t token) int {
	if m.function && (t.kind == tIdent || t.kind == tKeyword) {
		for i, p := range m.params {
			if p == t.text {
				return i
			}
		}
	}
	return -1
}

// same reports whether two definitions mean the same.
func (m *macro) same(o *macro) bool {
	if m.function != o.function || m.variadic != o.variadic || len(m.params) != len(o.params) || len(m.body) != len(o.body) {
		return false
	}
	for i := range m.params {
		if m.params[i] != o.params[i] {
			return false
		}
	}
	for i := range m.body {
		if m.body[i].text != o.body[i].text || i > 0 && m.body[i].space != o.body[i].space {
			return false
		}
	}
	return true
}

// expanded returns the next token after macro expansion (Prosser's algorithm, with hide sets).
func (pp *preprocessor) expanded() (ppToken, bool) {
	for {
		t, ok := pp.raw(false)
		if !ok {
			return t, false
		}
		m := pp.macroAt(t)
		if m == nil {
			return t, true
		}
		var args [][]ppToken
		hide := t.hide
		if m.function {
			if !pp.nextIsParen() {
				return t, true
			}
			var end ppToken
			if args, end, ok = pp.arguments(m, t); !ok {
				return t, true
			}
			hide = hide.intersect(end.hide)
		}
		hide = hide.with(m.name)
		if hide.size > maxHide {
			pp.stop(t.pos, "macros nested too deeply")
			return t, false
		}
		body := pp.substitute(m, args, t, hide)
		pp.unread(body, t)
	}
}

// macroAt returns the macro that t is to be replaced by, if any. A program's own macros do not reach into system files:
// what those declare is the same for everybody.
func (pp *preprocessor) macroAt(t ppToken) *macro {
	if t.kind != tIdent && t.kind != tKeyword {
		return nil
	}
	m := pp.macros[t.text]
	if m == nil || t.hide.has(t.text) {
		return nil
	}
	if !m.builtin && !pp.inList && len(pp.pending) == 0 && len(pp.frames) > 0 && pp.top().sc.src.builtin {
		return nil
	}
	return m
}

// unread puts an expansion before what is still to be read.
func (pp *preprocessor) unread(body []ppToken, at ppToken) {
	pp.work += len(body) + 1
	if pp.work > maxExpansion {
		pp.stop(at.pos, "macros expand to more than %d tokens", maxExpansion)
		return
	}
	if len(body) > 0 {
		// What a macro yields never joins its neighbours to a longer operator.
		body[0].space, body[0].bol = true, at.bol
	}
	if n := len(pp.pending); n > 0 {
		pp.pending[n-1].space = true
		if len(body) == 0 && at.bol {
			pp.pending[n-1].bol = true
		}
	}
	for i := len(body) - 1; i >= 0; i-- {
		pp.pending = append(pp.pending, body[i])
	}
}

// nextIsParen looks for the ( of a macro's arguments, without reading it.
func (pp *preprocessor) nextIsParen() bool {
	if n := len(pp.pending); n > 0 {
		return pp.pending[n-1].is("(")
	}
	if pp.inList || len(pp.frames) == 0 {
		return false
	}
	sc := pp.top().sc
	before := *sc
	sc.quiet = true
	t := sc.next()
	*sc = before
	return t.is("(")
}

// arguments reads the arguments of a macro, up to the closing parenthesis, which it returns too.
func (pp *preprocessor) arguments(m *macro, name ppToken) (args [][]ppToken, end ppToken, ok bool) {
	pp.raw(true) // the parenthesis
	depth := 0
	var arg []ppToken
	for {
		t, ok := pp.raw(true)
		if !ok {
			pp.diags.errorf(name.pos, CodeBadMacro, "arguments of macro %s do not end before a directive or the end of the file", m.name)
			return nil, t, false
		}
		if pp.work++; pp.work > maxExpansion {
			pp.stop(name.pos, "macros expand to more than %d tokens", maxExpansion)
			return nil, t, false
		}
		if t.bol {
			t.bol, t.space = false, true
		}
		switch {
		case depth == 0 && t.is(")"):
			args = append(args, arg)
			if len(m.params) == 0 && len(args) == 1 && len(args[0]) == 0 {
				args = nil
			}
			if m.variadic && len(args) == len(m.params)-1 {
				args = append(args, nil)
			}
			if len(args) != len(m.params) {
				pp.diags.errorf(name.pos, CodeBadMacro, "macro %s takes %d arguments, found %d", m.name, len(m.params), len(args))
				return nil, t, false
			}
			return args, t, true
		case depth == 0 && t.is(",") && !(m.variadic && len(args) == len(m.params)-1):
			args = append(args, arg)
			arg = nil
			continue
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		arg = append(arg, t)
	}
}

// substitute builds the expansion of m. Its tokens stand where the macro's name stands, except those that came with an argument.
func (pp *preprocessor) substitute(m *macro, args [][]ppToken, at ppToken, hide *hideSet) []ppToken {
	var out []ppToken
	full := make([][]ppToken, len(args)) // arguments after expansion, when needed
	done := make([]bool, len(args))
	put := func(list []ppToken, space bool) {
		for i, t := range list {
			if i == 0 {
				t.space = space
			}
			out = append(out, t)
		}
	}
	for i := 0; i < len(m.body); i++ {
		b := m.body[i]
		pasteNext := i+1 < len(m.body) && m.body[i+1].is("##")
		switch n := m.param(b); {
		case m.function && b.is("#"):
			i++
			arg := args[m.param(m.body[i])]
			out = append(out, ppToken{token: token{kind: tString, space: b.space, text: quoteTokens(arg), pos: pp.from(m, b, at)}})
		case b.is("##"):
			i++
			where := pp.from(m, m.body[i], at)
			right := []ppToken{{token: m.body[i].at(where)}}
			if n := m.param(m.body[i]); n >= 0 {
				right = args[n]
			} else if m.function && m.body[i].is("#") {
				i++
				right = []ppToken{{token: token{kind: tString, text: quoteTokens(args[m.param(m.body[i])]), pos: where}}}
			}
			out = pp.paste(out, right, where)
		case n >= 0 && pasteNext:
			// An empty left operand leaves nothing to join to: a placeholder keeps what stands before it apart.
			if len(args[n]) == 0 {
				out = append(out, ppToken{token: token{kind: tEOL, space: b.space}})
			} else {
				put(args[n], b.space)
			}
		case n >= 0:
			if !done[n] {
				full[n], done[n] = pp.expandList(args[n]), true
			}
			put(full[n], b.space)
		default:
			out = append(out, ppToken{token: b.at(pp.from(m, b, at))})
		}
		if len(out)+pp.work > maxExpansion {
			pp.stop(at.pos, "macros expand to more than %d tokens", maxExpansion)
			return nil
		}
	}
	kept := out[:0]
	for _, t := range out {
		if t.kind != tEOL {
			t.hide = hide.union(t.hide)
			kept = append(kept, t)
		}
	}
	return kept
}

// at is the token t, standing at pos in the middle of a line.
func (t token) at(pos Pos) token {
	t.pos, t.bol = pos, false
	return t
}

// from is the position of what the token body of m yields where m is used.
func (pp *preprocessor) from(m *macro, body token, use ppToken) Pos {
	if len(pp.origins) == cap(pp.origins) {
		pp.origins = make([]origin, 0, 64)
	}
	pp.origins = append(pp.origins, origin{m, body.pos, use.pos})
	pos := use.pos
	pos.origin = &pp.origins[len(pp.origins)-1]
	return pos
}

// paste joins the last token of left and the first of right to one.
func (pp *preprocessor) paste(left, right []ppToken, at Pos) []ppToken {
	n := len(left)
	if len(right) == 0 {
		return left
	}
	if n == 0 || left[n-1].kind == tEOL {
		if n > 0 {
			left = left[:n-1]
		}
		return append(left, right...)
	}
	l, r := left[n-1], right[0]
	joined := scanAll(l.text+r.text, at, pp.diags)
	if len(joined) != 1 {
		pp.diags.errorf(at, CodeBadMacro, "pasting %s and %s does not make one token", l.text, r.text)
		return append(left, right...)
	}
	t := joined[0]
	t.space, t.hide = l.space, l.hide.intersect(r.hide)
	return append(append(left[:n-1:n-1], t), right[1:]...)
}

// quoteTokens is the operator #.
func quoteTokens(arg []ppToken) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, t := range arg {
		if i > 0 && t.space {
			b.WriteByte(' ')
		}
		if t.kind == tString {
			b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t.text))
		} else {
			b.WriteString(t.text)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// expandList expands a list of tokens by itself.
func (pp *preprocessor) expandList(list []ppToken) []ppToken {
	if len(list) == 0 || pp.stopped {
		return nil
	}
	if pp.args >= maxArgDepth {
		pp.stop(list[0].pos, "macro calls nested too deeply")
		return nil
	}
	saved, inList := pp.pending, pp.inList
	pp.args++
	pp.inList = true
	pp.pending = make([]ppToken, len(list))
	for i, t := range list {
		pp.pending[len(list)-1-i] = t
	}
	var out []ppToken
	for {
		t, ok := pp.expanded()
		if !ok {
			break
		}
		out = append(out, t)
	}
	pp.pending, pp.inList = saved, inList
	pp.args--
	return out
}

package syntax

import (
	"strconv"
	"strings"
)

// macro is the meaning of a #define.
type macro struct {
	name     string
	function bool
	params   []string // the last takes all that is left if variadic: it is __VA_ARGS__, or has a name
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
	if !name.isWord() || name.text == "defined" || name.text == hasInclude || predefined(name.text) {
		pp.diags.errorf(name.pos, CodeBadMacro, "#define needs a name that is free, found %s", name.describe())
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
	if pp.bodies += len(m.body); pp.bodies > maxTokens {
		pp.stop(name.pos, "macros have more than %d tokens", maxTokens)
		return
	}
	if n := len(m.body); n > 0 && (m.body[0].is("##") || m.body[n-1].is("##")) {
		pp.diags.errorf(name.pos, CodeBadMacro, "## at an end of the macro %s", m.name)
		return
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
			if dots := *sc; dots.next().is("...") {
				sc.next()
				m.variadic = true
				if t = sc.next(); !t.is(")") {
					pp.diags.errorf(t.pos, CodeBadMacro, "expected ) after ... in the parameters of macro %s, found %s", m.name, t.describe())
					return false
				}
				return true
			}
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
	if m.function && t.isWord() {
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
			if t.kind == tIdent && t.text[0] == '_' && predefined(t.text) {
				t = pp.predefined(t)
			}
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
	if !t.isWord() {
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

// hasInclude asks in conditions whether a file is there.
const hasInclude = "__has_include"

// predefined reports whether name is a macro whose meaning changes from place to place.
func predefined(name string) bool {
	switch name {
	case "__LINE__", "__FILE__", "__COUNTER__", "__INCLUDE_LEVEL__":
		return true
	}
	return false
}

// predefined is what the predefined macro t stands for.
func (pp *preprocessor) predefined(t ppToken) ppToken {
	n := len(pp.frames) - 1
	switch t.text {
	case "__FILE__":
		t.kind, t.text = tString, quote(t.pos.File)
		return t
	case "__LINE__":
		n = int(t.pos.Line)
	case "__COUNTER__":
		n = pp.counter
		pp.counter++
	}
	t.kind, t.text = tInt, strconv.Itoa(n)
	return t
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
			pp.diags.errorf(name.pos, CodeBadMacro, "arguments of macro %s do not end before the end of the file", m.name)
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
		case m.quotes(i):
			i++
			out = append(out, pp.quoted(m, i, args, at))
		case b.is("##"):
			i++
			n := m.param(m.body[i])
			where := pp.from(m, m.body[i], at)
			switch {
			case m.variadic && n == len(m.params)-1 && len(out) > 0 && m.body[i-2].is(","):
				// A comma before ## and the variable arguments goes if there are none; nothing is joined.
				if len(args[n]) == 0 {
					out = out[:len(out)-1]
				} else {
					put(args[n], true)
				}
			case n >= 0:
				out = pp.paste(out, args[n], where)
			case m.quotes(i):
				i++
				out = pp.paste(out, []ppToken{pp.quoted(m, i, args, at)}, where)
			default:
				out = pp.paste(out, []ppToken{{token: m.body[i].at(where)}}, where)
			}
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
	var before, after *hideSet // most neighbours came the same way
	for _, t := range out {
		if t.kind == tEOL {
			continue
		}
		if t.hide != before || after == nil {
			before, after = t.hide, hide.union(t.hide)
			pp.work += after.size / 4
		}
		t.hide = after
		kept = append(kept, t)
	}
	return kept
}

// quotes reports whether the body has at i the operator # and a parameter.
func (m *macro) quotes(i int) bool {
	return m.function && m.body[i].is("#") && i+1 < len(m.body) && m.param(m.body[i+1]) >= 0
}

// quoted is the operator # before the parameter at i of m's body.
func (pp *preprocessor) quoted(m *macro, i int, args [][]ppToken, at ppToken) ppToken {
	text := quoteTokens(args[m.param(m.body[i])])
	pp.work += len(text) / textPerToken
	return ppToken{token: token{kind: tString, space: m.body[i-1].space, text: text, pos: pp.from(m, m.body[i-1], at)}}
}

// textPerToken is how much text counts as one token where tokens are made.
const textPerToken = 8

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
	if pp.work += (len(l.text) + len(r.text)) / textPerToken; pp.work > maxExpansion {
		pp.stop(at, "macros expand to more than %d tokens", maxExpansion)
		return left
	}
	joined := scanAll(l.text+r.text, at)
	if len(joined) != 1 {
		// What does not join stays two tokens, as in other preprocessors for P4.
		r.space = false
		return append(append(left, r), right[1:]...)
	}
	t := joined[0]
	t.space, t.hide = l.space, l.hide.intersect(r.hide)
	left[n-1] = t
	return append(left, right[1:]...)
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

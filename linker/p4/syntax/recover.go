package syntax

import "strings"

// want reads the token text, or reports that it is missing.
func (p *parser) want(text string) {
	if p.panic || p.got(text) {
		return
	}
	p.expected(text)
	if t := p.toks[p.i]; t.kind != tEOF && !isBracket(t) && p.toks[p.i+1].is(text) && !p.toks[p.i+1].bol {
		// It stands behind one token too many.
		p.i += 2
		p.panic = false
	}
}

func isBracket(t token) bool {
	return t.kind == tPunct && len(t.text) == 1 && strings.Contains("(){}[]", t.text)
}

// open reads the brace before the elements of a list. If it is missing and elements seem to follow, it goes on as if it
// were there.
func (p *parser) open() {
	if p.panic || p.got("{") {
		return
	}
	p.expected("{")
	t := p.toks[p.i]
	if t.kind == tEOF || t.bol && topOnly(t) {
		return
	}
	for n := 1; n < 4 && !t.bol && p.i+n < len(p.toks); n++ {
		if p.toks[p.i+n].is("{") {
			p.i += n + 1
			p.panic = false
			return
		}
	}
	if !t.is(";") && !t.is(",") && !t.is(")") {
		p.panic = false
	}
}

// expected reports that something else than what stands here was needed.
func (p *parser) expected(what string) {
	t := p.tok()
	pos := t.pos
	if what == ";" && (t.bol || t.kind == tEOF) && p.i > 0 && !p.panic {
		// A semicolon is missing where the last line ends, not where the next begins.
		last := p.toks[p.i-1]
		pos = last.pos
		pos.Col += int32(len(last.text))
	}
	p.fail(pos, CodeUnexpected, "expected %s, found %s", what, t.describe())
}

// fail reports an error after which parsing cannot just go on, and enters panic mode.
func (p *parser) fail(pos Pos, code, format string, args ...any) {
	if p.panic {
		return
	}
	// A string that is not closed took the rest of its line along, and was reported.
	if p.i == 0 || !p.toks[p.i-1].openString() {
		p.tell(pos, code, format, args...)
	}
	p.echo = p.i + 2
	p.panic = true
}

// report reports an error that does not disturb parsing.
func (p *parser) report(pos Pos, code, format string, args ...any) {
	if !p.panic {
		p.tell(pos, code, format, args...)
	}
}

// tell reports an error unless it is likely to be an echo of the last one: in the same line, or at most two tokens behind
// where parsing stumbled.
func (p *parser) tell(pos Pos, code, format string, args ...any) {
	last := p.last
	p.last = p.i
	if last >= 0 && (p.i <= p.echo || pos.Line == p.lastPos.Line && pos.File == p.lastPos.File) {
		return
	}
	p.lastPos = pos
	p.diags.errorf(pos, code, format, args...)
}

// topOnly reports whether t starts a declaration that stands at top level only.
func topOnly(t token) bool {
	if t.kind != tKeyword {
		return false
	}
	switch t.text {
	case "control", "parser", "package", "extern", "struct", "header", "header_union", "enum", "typedef":
		return true
	}
	return false
}

// list parses elements up to the closing brace, which it reads. After an error in an element it goes on with the next.
func (p *parser) list(what string, open Pos, element func()) {
	indent, start := p.indent(), p.i
	for !p.at("}") && !p.eof() || p.superfluousEnd(indent) {
		from, found, t := p.i, p.diags.mark(), p.tok()
		switch {
		case t.is("}"):
			p.advance()
			continue
		case topOnly(t) && t.bol:
			p.unclosed(what, open, start, t)
			return
		case t.is("{") && bracesAreNoElement(what) && p.superfluous():
			p.report(t.pos, CodeUnexpected, "unexpected { in this %s", what)
			p.advance()
			continue
		case t.is(";") && p.last >= 0 && what != "block" && what != "state":
			p.advance() // left over from something that was reported
			continue
		}
		element()
		if p.panic && t.bol && t.pos.Col <= indent && t.pos.File == open.File && p.pops < maxPops {
			// By its indentation it belongs outside: see whether it is at home there.
			p.pops++
			p.diags.reset(found)
			p.last, p.echo, p.i, p.panic = -1, -1, from, false
			p.report(t.pos, CodeOpenBracket, "%s opened at %d:%d is not closed: } missing before this %s", what, open.Line, open.Col, t.describe())
			return
		}
		if p.panic && !p.sync(from) {
			return
		}
	}
	if p.eof() && !p.panic {
		p.unclosed(what, open, start, p.tok())
		return
	}
	if t := p.tok(); t.bol && t.pos.Col != indent && t.pos.Line != open.Line && p.crooked[0].pos.Line == 0 && p.last < 0 {
		p.crooked = [2]token{{text: what, pos: open}, t}
		p.crookedAt = start
	}
	p.want("}")
}

// unclosed reports that the list that starts with the token start is not closed before t. Where the indentation betrays
// the list inside of it that has another's brace, it names that one.
func (p *parser) unclosed(what string, open Pos, start int, t token) {
	if p.crooked[0].pos.Line != 0 && p.crookedAt > start {
		what, open, t = p.crooked[0].text, p.crooked[0].pos, p.crooked[1]
	}
	before := ""
	if t.kind != tEOF {
		before = " before this " + t.text
	}
	p.fail(t.pos, CodeOpenBracket, "%s opened at %d:%d is not closed: } missing%s", what, open.Line, open.Col, before)
}

// maxPops bounds how often an element is parsed again in an outer list.
const maxPops = 200

// indent is the column at which the line of the token before this one starts, or 0 if that is too far away.
func (p *parser) indent() int32 {
	for i := p.i - 1; i >= 0 && i > p.i-100; i-- {
		if p.toks[i].bol {
			return p.toks[i].pos.Col
		}
	}
	return 0
}

// bracesAreNoElement reports whether no element of such a list starts with a brace.
func bracesAreNoElement(what string) bool {
	switch what {
	case "block", "state", "select", "entries", "key":
		return false
	}
	return true
}

// superfluous reports whether the { at the current place has no } of its own: what it encloses then ends with the list.
func (p *parser) superfluous() bool {
	if p.pops++; p.pops > maxPops {
		return false
	}
	depth := 0
	for i := p.i; i < len(p.toks); i++ {
		switch t := p.toks[i]; {
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth--; depth == 0 {
				return !p.toks[i+1].is("}")
			}
		case i > p.i && t.bol && t.pos.Col == 1 && topOnly(t):
			return true
		}
	}
	return true
}

// superfluousEnd reports whether the } at the current place belongs to what was wrong before: it is indented more than the
// line that opened the list, and another follows that is not.
func (p *parser) superfluousEnd(indent int32) bool {
	t := p.tok()
	if !t.is("}") || p.last < 0 || !t.bol || t.pos.Col <= indent || p.pops >= maxPops {
		return false
	}
	p.pops++
	depth := 0
	for _, t := range p.toks[p.i+1:] {
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth--; depth < 0 {
				return t.bol && t.pos.Col <= indent
			}
		case t.bol && t.pos.Col == 1 && topOnly(t):
			return false
		}
	}
	return false
}

// atRest reports whether what follows a parser or control seems to be its rest: it was closed too early, and that is what
// will be reported.
func (p *parser) atRest() bool {
	t := p.tok()
	return t.is("}") || t.is("apply") || t.is("state") || t.is("table") || t.is("action") && t.pos.Col > 1
}

// sync leaves panic mode at the next element of the innermost list: after a semicolon or a nested block, before the
// closing brace, or before a keyword that starts a line. It reports false, and stays in panic mode, if the text has left
// the list: at the end of the file or at a declaration of the top level.
func (p *parser) sync(from int) bool {
	if topOnly(p.toks[p.i]) && p.toks[p.i].bol {
		return false
	}
	braces, parens := 0, 0 // that the element opened before the error
	for _, t := range p.toks[from:p.i] {
		switch {
		case t.is("{"):
			braces++
		case t.is("}") && braces > 0:
			braces--
		case t.is("("):
			parens++
		case t.is(")") && parens > 0:
			parens--
		}
	}
	for ; p.toks[p.i].kind != tEOF; p.i++ {
		t := p.toks[p.i]
		if t.bol && topOnly(t) && (t.pos.Col == 1 || braces == 0) {
			return false
		}
		switch {
		case t.is("{"):
			braces++
		case t.is("("):
			parens++
		case t.is(")"):
			parens--
		case t.is("}"):
			if braces == 0 {
				p.panic = false
				return true
			}
			if braces--; braces == 0 && parens <= 0 && !p.toks[p.i+1].is("else") {
				p.i++
				p.skipTail()
				p.panic = false
				return true
			}
		case braces > 0:
		case t.is(";"):
			p.i++
			p.panic = false
			return true
		case t.bol && p.i > from && startsElement(t):
			p.panic = false
			return true
		}
	}
	return false
}

// skipTail skips what stands behind a closing brace on its line up to a semicolon, if there is one: the rest of an
// initializer, or the name after typedef struct { }.
func (p *parser) skipTail() {
	for i := p.i; i < len(p.toks) && !p.toks[i].bol; i++ {
		switch t := p.toks[i]; {
		case t.is(";"):
			p.i = i + 1
			return
		case t.is("{"), t.is("}"), t.kind == tEOF:
			return
		}
	}
}

// startsElement reports whether t, first in its line, probably starts a statement or a local declaration.
func startsElement(t token) bool {
	if t.kind != tKeyword {
		return t.is("@")
	}
	switch t.text {
	case "if", "switch", "for", "return", "exit", "break", "continue", "const", "action", "table", "apply", "state",
		"transition", "bit", "bool", "key", "actions", "entries":
		return true
	}
	return false
}

// syncTop leaves panic mode at the next declaration of the top level: the next that starts a line as far left as the one
// at from, or the next at all where the text has no such lines.
func (p *parser) syncTop(from int) {
	p.panic = false
	if p.i == from {
		p.skipOne()
	}
	left := p.toks[from].pos.Col
	depth := 0
	for ; p.toks[p.i].kind != tEOF; p.i++ {
		t, before := p.toks[p.i], p.toks[p.i-1]
		ended := before.is(";") || before.is("}")
		switch {
		case t.bol && t.pos.Col <= left && (startsTop(t) || ended && t.kind == tIdent):
			return
		case !t.bol && depth <= 0 && ended && startsTop(t):
			return
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
		}
	}
}

// startsTop reports whether t starts a declaration that can stand at top level.
func startsTop(t token) bool {
	return topOnly(t) || t.is("const") || t.is("action") || t.is("type") || t.is("@") || t.is("error") || t.is("match_kind")
}

func (p *parser) skipOne() {
	if p.i < len(p.toks)-1 {
		p.i++
	}
}

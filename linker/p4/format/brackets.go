package format

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

// annotationToken reads @name and finds out whether a body follows.
func (r *reader) annotationToken(i int) {
	t := &r.toks[i]
	if r.annotation == 1 {
		if t.kind != word {
			r.fail(t.off, syntax.CodeBadAnnotation, "expected an annotation's name")
			return
		}
		r.annotation = 2
		if t.text == "pragma" {
			r.markPragma(i)
			return
		}
		if !r.follows(i, "(", "[") {
			r.endAnnotation()
		}
		return
	}
	if t.pragma {
		t.raw = true
		if n := r.next[i]; n >= len(r.toks) || !r.toks[n].pragma {
			r.endAnnotation()
		}
		return
	}
	r.annotation = 0
	if t.is("(") {
		t.role = callOpen
		r.push(frame{kind: parens, open: i, raw: true})
		return
	}
	t.role = indexOpen
	r.push(frame{kind: brackets, open: i, flow: true})
}

// endAnnotation is called with the last token of an annotation.
func (r *reader) endAnnotation() {
	r.annotation = 0
	r.annotated = true
}

// markPragma marks the rest of the line: it belongs to the annotation.
func (r *reader) markPragma(i int) {
	r.toks[i].pragma = true
	for n := i + 1; n < len(r.toks); n++ {
		t := &r.toks[n]
		if !t.code() && !t.comment() || t.newlines > 0 || t.comment() && t.multiline() {
			break
		}
		t.pragma = true
	}
	if n := r.next[i]; n >= len(r.toks) || !r.toks[n].pragma {
		r.endAnnotation()
	}
}

// rawToken reads a token of an annotation's body: only parentheses count.
func (r *reader) rawToken(i int) {
	t := &r.toks[i]
	switch {
	case t.is("("):
		t.role = groupOpen
		r.push(frame{kind: parens, open: i, raw: true})
	case t.is(")"):
		t.role = parenClose
		r.pop(i)
		if !r.top().raw {
			r.endAnnotation()
		}
	}
}

func (r *reader) push(f frame) {
	if len(r.frames) >= maxDepth {
		r.fail(r.toks[f.open].off, syntax.CodeTooDeep, "nested more than %d deep", maxDepth)
		return
	}
	r.frames = append(r.frames, f)
}

// pop leaves the frame that the closing bracket i ends.
func (r *reader) pop(i int) frame {
	f := *r.top()
	r.frames = r.frames[:len(r.frames)-1]
	r.toks[f.open].match = i
	r.toks[i].match = f.open
	return f
}

// closing checks that token i can close the innermost bracket.
func (r *reader) closing(i int) bool {
	t, f := &r.toks[i], r.top()
	if f.open < 0 {
		r.fail(t.off, syntax.CodeUnexpected, "unexpected %s", t.text)
		return false
	}
	o := &r.toks[f.open]
	if o.is("(") && t.is(")") || o.is("[") && t.is("]") || o.is("{") && t.is("}") || o.is("<") && t.is(">") {
		return true
	}
	r.fail(t.off, syntax.CodeUnexpected, "unexpected %s: the %s at %s is not closed", t.text, o.text, r.describe(o.off))
	return false
}

// punct reads an operator or bracket.
func (r *reader) punct(i int) {
	t, f := &r.toks[i], r.top()
	switch t.text {
	case "(":
		r.openParen(i)
	case ")":
		r.closeParen(i)
	case "[":
		t.role = indexOpen
		r.push(frame{kind: brackets, open: i})
	case "]":
		if !r.complete(i) || !r.closing(i) {
			return
		}
		t.role = indexClose
		if r.pop(i).flow {
			r.endAnnotation()
		}
	case "{":
		r.openBrace(i)
	case "}":
		r.closeBrace(i)
	case "<":
		if r.typeArguments(i) {
			t.role = angleOpen
			r.push(frame{kind: angles, open: i})
			return
		}
		r.binary(i)
	case ">":
		if f.kind == angles {
			t.role = angleClose
			r.pop(i)
			return
		}
		if r.shift(i-1) && !t.space && !(r.shift(i-2) && !r.toks[i-1].space) {
			t.role = binary // the second half of >>
			return
		}
		r.binary(i)
	case ";":
		r.semicolon(i)
	case ",":
		if f.open >= 0 {
			r.toks[f.open].commas = true
		}
		if f.kind == lines && f.block == members {
			r.endStatement(r.next[i])
		}
	case ":":
		r.colon(i)
	case "?":
		f.question++
		r.binary(i)
	case ".":
		t.role = absolute
		if r.operandBefore(i) || r.prev >= 0 && r.toks[r.prev].is("error") {
			t.role = member
		}
	case "@":
		t.role = at
		r.annotation = 1
	case "!", "~":
		t.role = unary
	case "+", "-":
		if r.operandBefore(i) {
			r.binary(i)
		} else {
			t.role = unary
		}
	case "...", "{#}":
	default:
		r.binary(i)
	}
}

// shift reports whether token i is a > that compares, or half of one that shifts.
func (r *reader) shift(i int) bool {
	return i >= 0 && r.toks[i].is(">") && r.toks[i].role == binary
}

// binary reads an operator between operands.
func (r *reader) binary(i int) {
	t, f := &r.toks[i], r.top()
	t.role = binary
	if f.kind == brackets && f.flow && t.is("=") {
		t.role = tight
		return
	}
	if f.kind == lines && assignment(t.text) {
		f.assign = true
	}
	if p := r.prev; p >= 0 && r.toks[p].role == binary && !r.inMacroUse() {
		r.fail(t.off, syntax.CodeUnexpected, "unexpected %s after %s", t.text, r.toks[p].text)
	}
}

// inMacroUse reports whether the token may be an argument of a macro, which may be anything.
func (r *reader) inMacroUse() bool {
	for _, f := range r.frames {
		if f.kind == parens && f.open > 0 && isMacroName(r.toks[f.open-1].text) {
			return true
		}
	}
	return false
}

// complete reports an expression that breaks off before token i.
func (r *reader) complete(i int) bool {
	if p := r.prev; p >= 0 && (r.toks[p].role == binary || r.toks[p].role == tight || r.toks[p].role == unary) && !r.inMacroUse() {
		r.fail(r.toks[i].off, syntax.CodeUnexpected, "unexpected %s after %s", r.toks[i].text, r.toks[p].text)
		return false
	}
	return true
}

func (r *reader) openParen(i int) {
	t := &r.toks[i]
	f := frame{kind: parens, open: i}
	t.role = groupOpen
	if top := r.top(); top.kind == lines && top.first == r.prev && r.prev >= 0 {
		f.flow = r.toks[r.prev].is("if") || r.toks[r.prev].is("for")
	}
	if !f.flow && r.callee() {
		t.role = callOpen
	}
	r.push(f)
}

// callee reports whether the last token is something that arguments or parameters may follow.
func (r *reader) callee() bool {
	if r.prev < 0 {
		return false
	}
	p := &r.toks[r.prev]
	switch p.kind {
	case word:
		switch p.text {
		case "return", "in", "out", "inout", "if", "for", "switch", "const", "else", "transition", "default", "_":
			return false
		}
		return true
	case punct:
		return p.role == angleClose || p.role == indexClose || p.role == parenClose && !r.behind
	}
	return false
}

func (r *reader) closeParen(i int) {
	t := &r.toks[i]
	if !r.complete(i) || !r.closing(i) {
		return
	}
	f := r.pop(i)
	t.role = parenClose
	if f.flow {
		r.top().expect = true
		return
	}
	if before := r.before(f.open); before >= 0 && r.toks[before].is("switch") {
		return
	}
	if r.toks[f.open].role == groupOpen && r.cast(f.open, i) {
		t.role = castClose
	}
}

// colon tells a conditional's from a slice's and a label's.
func (r *reader) colon(i int) {
	t, f := &r.toks[i], r.top()
	switch {
	case f.question > 0:
		f.question--
		t.role = binary
	case f.kind == brackets:
		t.role = tight
	default:
		t.role = labelColon
		if f.kind == lines && f.block == cases && !r.follows(i, "{") {
			r.endStatement(r.next[i])
		}
	}
}

func (r *reader) semicolon(i int) {
	f := r.top()
	if !r.complete(i) {
		return
	}
	switch f.kind {
	case lines:
		r.endStatement(r.next[i])
	case parens, list:
		// In the head of a for, or in the arguments of a macro.
		r.toks[f.open].commas = true
	default:
		r.closing(i)
	}
}

// operandBefore reports whether the last token ends an operand.
func (r *reader) operandBefore(i int) bool {
	if r.prev < 0 || r.behind {
		return false
	}
	if f := r.top(); f.kind == lines && (!f.in || f.first == i) {
		return false
	}
	p := &r.toks[r.prev]
	switch p.kind {
	case word:
		return !syntax.IsKeyword(p.text) || softName(p.text) || p.text == "true" || p.text == "false" || p.text == "this" ||
			p.text == "default" || p.text == "_"
	case number, str:
		return true
	}
	switch p.role {
	case parenClose:
		return p.match < 0 || r.toks[p.match].role != groupOpen || !r.top().expect
	case indexClose, listClose, angleClose:
		return true
	}
	return p.is("...") || p.is("{#}")
}

// operand reads a name, a keyword, a number or a string.
func (r *reader) operand(i int) {
	f, t := r.top(), &r.toks[i]
	if !r.operandBefore(i) {
		return
	}
	p := &r.toks[r.prev]
	if f.kind == parens && (p.kind == word || p.role == angleClose || p.role == indexClose) {
		r.toks[f.open].params = true
	}
	if t.is("in") {
		return
	}
	// Two operands side by side are a type and a name; after = there can be none.
	isMacro := func(t *token) bool { return t.kind == word && isMacroName(t.text) || t.role == parenClose }
	broken := p.kind == number && t.kind != str || t.kind == number && p.role != angleClose
	broken = broken || f.kind == lines && f.assign && !startsStatement(t.text)
	if broken && !isMacro(p) && !isMacro(t) && !r.inMacroUse() {
		r.fail(t.off, syntax.CodeUnexpected, "unexpected %s after %s", t.text, p.text)
	}
}

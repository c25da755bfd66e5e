package format

import (
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// maxDepth bounds the nesting of brackets.
const maxDepth = 1000

type frameKind uint8

const (
	lines    frameKind = iota // { } with lines of its own, or the file
	parens                    // ( )
	brackets                  // [ ]
	angles                    // < > of types
	list                      // { } of an expression
)

// blockKind is what stands in a block.
type blockKind uint8

const (
	statements blockKind = iota
	declarations
	fields   // of a struct, header or union
	members  // of an enum, error or match_kind: separated by commas
	property // of a table
	keyed    // lines of key: value; in a table's key and entries, and in select
	cases    // of a switch
	names    // of a table's actions
)

// A frame is one open bracket, or the file. Frames are values: the branches of an #if continue from copies.
type frame struct {
	kind frameKind
	open int // token, or -1

	// In parens, brackets and lists: an annotation's body is raw; flow marks the condition of an if or for.
	raw, flow bool
	question  int // ? whose : is still to come

	// In lines: the statement that is being read.
	block   blockKind
	level   int
	in      bool // inside a statement
	first   int  // its first token behind annotations, or -1
	assign  bool // it has an = outside brackets
	expect  bool // the body of an if, else or for comes next
	prefix  bool // a comment stands before it in the same line
	pending []pending
}

// pending is an if, else or for whose body is not complete.
type pending struct {
	kind  pendingKind
	extra int // levels that the body is indented by, if it is no block
}

type pendingKind uint8

const (
	thenPart pendingKind = iota
	thenDone             // an else may follow
	lastPart             // of an else, or a for
)

// state is where the reader of the structure is.
type state struct {
	frames     []frame
	prev       int  // last token of code, or -1
	annotation int8 // of the annotation being read: 1 behind @, 2 behind the name
	annotated  bool // an annotation was the last thing
	behind     bool // the same, of the token being read
}

func (s *state) copy() state {
	c := *s
	c.frames = slices.Clone(s.frames)
	for i := range c.frames {
		c.frames[i].pending = slices.Clone(c.frames[i].pending)
	}
	return c
}

// branches is an open #if: each of its branches starts in the same state.
type branches struct {
	off        int
	start      state
	best       state // that the text goes on with after the #endif
	have, last bool
}

// reader finds the structure: what every token is, and where lines of the structure start.
type reader struct {
	*file
	state
	conds []branches
	next  []int // the next token of code behind each
	err   error
}

// structure fills in what later steps want to know of the tokens.
func (f *file) structure() error {
	r := &reader{file: f}
	r.prev = -1
	r.frames = []frame{{kind: lines, open: -1, first: -1, block: declarations}}
	r.next = make([]int, len(f.toks))
	next := len(f.toks)
	for i := len(f.toks) - 1; i >= 0; i-- {
		r.next[i] = next
		if f.toks[i].code() {
			next = i
		}
	}
	for i := range f.toks {
		t := &f.toks[i]
		switch {
		case t.comment():
			r.comment(i)
		case t.kind == directive || t.kind == skipped:
			r.directive(i)
		default:
			r.code(i)
		}
		if r.err != nil {
			return r.err
		}
	}
	if n := len(r.conds); n > 0 {
		return r.errorf(r.conds[n-1].off, syntax.CodeUnbalancedIf, "#if without #endif")
	}
	if top := r.top(); top.open >= 0 {
		t := &r.toks[top.open]
		return r.errorf(t.off, syntax.CodeOpenBracket, "%s is not closed", t.text)
	}
	return nil
}

func (r *reader) top() *frame { return &r.frames[len(r.frames)-1] }

func (r *reader) fail(off int, code, format string, args ...any) {
	if r.err == nil {
		r.err = r.errorf(off, code, format, args...)
	}
}

// follows reports whether the next token of code behind i is one of texts.
func (r *reader) follows(i int, texts ...string) bool {
	n := r.next[i]
	return n < len(r.toks) && slices.ContainsFunc(texts, r.toks[n].is)
}

// directive follows the branches of #if.
func (r *reader) directive(i int) {
	t := &r.toks[i]
	if f := r.top(); f.kind == lines && !f.in {
		t.starts = true
		f.prefix = false
	}
	if t.kind == skipped {
		return
	}
	n := len(r.conds)
	switch name := directiveName(t.text); name {
	case "if", "ifdef", "ifndef":
		if n >= maxDepth {
			r.fail(t.off, syntax.CodeTooDeep, "#if nested more than %d deep", maxDepth)
			return
		}
		r.conds = append(r.conds, branches{off: t.off, start: r.state.copy()})
	case "else", "elif", "endif":
		if n == 0 {
			r.fail(t.off, syntax.CodeUnbalancedIf, "#%s without #if", name)
			return
		}
		c := &r.conds[n-1]
		if c.last && name != "endif" {
			r.fail(t.off, syntax.CodeUnbalancedIf, "#%s after #else", name)
			return
		}
		c.end(&r.state)
		if name == "endif" {
			r.state = c.best
			r.conds = r.conds[:n-1]
			return
		}
		c.last = name == "else"
		r.state = c.start.copy()
	}
}

// end takes the state at a branch's end. Branches that open or close a different number of brackets (a brace opened in one
// #if and closed in another) go on as the one that changes most does; else the first counts.
func (c *branches) end(s *state) {
	change := func(s *state) int {
		d := len(s.frames) - len(c.start.frames)
		return max(d, -d)
	}
	if !c.have || change(s) > change(&c.best) {
		c.have, c.best = true, s.copy()
	}
}

// comment decides whether a comment has a line of its own.
func (r *reader) comment(i int) {
	t := &r.toks[i]
	f := r.top()
	if f.kind != lines || f.in && !f.expect {
		return
	}
	sameLine := i+1 < len(r.toks) && r.toks[i+1].newlines == 0 && !t.multiline() && t.kind == blockComment
	if f.expect && (t.newlines == 0 || sameLine || r.follows(i, "{")) {
		return
	}
	if sameLine && !f.expect && !r.follows(i, "}", "else") {
		t.starts = !f.prefix
		f.prefix = true
	} else {
		t.starts = t.newlines > 0 || i == 0 || f.prefix || r.toks[i-1].kind == blockComment && r.toks[i-1].multiline()
		f.prefix = false
	}
	if t.starts {
		t.level, t.block = f.stmtLevel(), f.block
		if f.expect {
			t.level++
		}
	}
}

// stmtLevel is the level of the next statement, or that of the one being read.
func (f *frame) stmtLevel() int {
	n := f.level
	for _, p := range f.pending {
		n += p.extra
	}
	return n
}

// code reads one token of the program.
func (r *reader) code(i int) {
	t := &r.toks[i]
	f := r.top()
	if f.kind == lines && f.in && !f.expect && r.endsWithoutSemicolon(i) {
		r.endStatement(i)
	}
	if r.annotation == 0 && f.kind == lines && !t.is("}") {
		switch {
		case f.expect:
			r.body(i)
		case !f.in:
			r.begin(i)
		case f.first < 0 && !t.is("@"):
			f.first = i
			r.head(i)
		}
		t.annotated = f.first == i && r.annotated
	}
	r.behind, r.annotated = r.annotated, false
	if t.kind == strayChar && !f.raw && !t.pragma {
		r.fail(t.off, syntax.CodeBadChar, "unexpected character %q", t.text)
		return
	}
	switch {
	case f.raw:
		t.raw = true
		r.rawToken(i)
	case r.annotation > 0:
		r.annotationToken(i)
	case t.kind == punct:
		r.punct(i)
	default:
		r.operand(i)
	}
	r.prev = i
}

// begin starts a statement with token i.
func (r *reader) begin(i int) {
	f, t := r.top(), &r.toks[i]
	prev := r.prev
	if n := len(f.pending); n > 0 && f.pending[n-1].kind == thenDone && !t.is("else") {
		f.pending = nil // the branches of an #if disagree
	}
	glue := f.prefix && t.newlines == 0
	if (t.is("else") || t.is(";")) && prev == i-1 && prev >= 0 && r.toks[prev].role == blockClose {
		glue = true
	}
	t.starts = !glue
	f.in, f.first, f.assign, f.prefix = true, -1, false, false
	level := f.stmtLevel()
	if n := len(f.pending); n > 0 && f.pending[n-1].kind == thenDone {
		level -= f.pending[n-1].extra
	}
	t.level, t.block = level, f.block
	if !t.is("@") {
		f.first = i
		r.head(i)
	}
}

// body starts what an if, else or for governs.
func (r *reader) body(i int) {
	f, t := r.top(), &r.toks[i]
	f.expect = false
	if t.is("{") {
		return
	}
	p := &f.pending[len(f.pending)-1]
	elseIf := t.is("if") && r.prev >= 0 && r.toks[r.prev].is("else")
	before := &r.toks[i-1] // an if, else or for is in front
	newline := before.kind == lineComment || before.kind >= directive || before.comment() && before.multiline() ||
		t.newlines > 0 && !elseIf
	if newline {
		p.extra = 1
		t.starts = true
	}
	t.level, t.block = f.stmtLevel(), f.block
	f.first, f.assign = -1, false
	if !t.is("@") {
		f.first = i
		r.head(i)
	}
}

// head looks at the first word of a statement.
func (r *reader) head(i int) {
	f, t := r.top(), &r.toks[i]
	switch {
	case t.is("if"):
		f.pending = append(f.pending, pending{kind: thenPart})
	case t.is("for"):
		f.pending = append(f.pending, pending{kind: lastPart})
	case t.is("else"):
		if n := len(f.pending); n > 0 && f.pending[n-1].kind == thenDone {
			f.pending[n-1] = pending{kind: lastPart}
		} else {
			f.pending = append(f.pending, pending{kind: lastPart})
		}
		f.expect = true
	}
	if len(f.pending) > maxDepth {
		r.fail(t.off, syntax.CodeTooDeep, "nested more than %d deep", maxDepth)
	}
}

// endStatement ends the statement being read; next is the token of code behind it.
func (r *reader) endStatement(next int) {
	f := r.top()
	f.in, f.first, f.assign, f.expect, f.question = false, -1, false, false, 0
	isElse := next < len(r.toks) && r.toks[next].is("else")
	for n := len(f.pending); n > 0; n-- {
		if f.pending[n-1].kind == thenPart && isElse {
			f.pending[n-1].kind = thenDone
			return
		}
		f.pending = f.pending[:n-1]
	}
}

// endsWithoutSemicolon reports whether the statement being read ended before token i, as the use of a macro does: alone on
// its lines, as NAME or NAME(...).
func (r *reader) endsWithoutSemicolon(i int) bool {
	f, t := r.top(), &r.toks[i]
	first := f.first
	if first < 0 || i == 0 || t.newlines == 0 && r.toks[i-1].code() || t.kind != word && !t.is("@") {
		return false
	}
	name := &r.toks[first]
	if name.kind != word || syntax.IsKeyword(name.text) {
		return false
	}
	if r.prev == first {
		return t.is("@") || startsStatement(t.text) || isMacroName(name.text)
	}
	if open := r.next[first]; r.toks[open].role != callOpen || r.toks[open].match != r.prev {
		return false
	}
	// T(arguments), and on the next line the name of the instance.
	return t.is("@") || syntax.IsKeyword(t.text) || isMacroName(name.text) || !r.follows(i, ";", "=", "[")
}

// startsStatement reports whether the keyword can only be the first of a statement or declaration.
func startsStatement(text string) bool {
	switch text {
	case "abstract", "action", "break", "const", "continue", "control", "else", "enum", "exit", "extern", "for", "header",
		"header_union", "if", "package", "parser", "return", "struct", "switch", "table", "transition", "typedef":
		return true
	}
	return false
}

// isMacroName reports whether s is written as the names of macros are.
func isMacroName(s string) bool {
	return s == strings.ToUpper(s) && strings.ContainsFunc(s, func(c rune) bool { return 'A' <= c && c <= 'Z' })
}

package syntax

import (
	"errors"
	"io/fs"
)

// Config says where a program's text comes from.
type Config struct {
	// IncludePath is searched for #include, in order.
	IncludePath []string
	// FS is where files are read; nil is the operating system's.
	FS fs.FS
	// Builtin holds system files by name ("core.p4"): an #include finds them before the include path.
	Builtin map[string]string
	// Defines are macros defined before the first line.
	Defines map[string]string
}

// ParseFile reads, preprocesses and parses the program in the file at path. The diagnostics may hold warnings alone; if
// they hold an error, the program is what could be made of the text and must not be used for more than messages.
func ParseFile(path string, conf Config) (*Program, Diagnostics) {
	load := &loader{conf: conf}
	src, err := load.main(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		d := Diagnostic{Pos: Pos{File: path, Line: 1, Col: 1}, Code: CodeNoInclude, Msg: "cannot read the program: " + err.Error()}
		return &Program{}, Diagnostics{d}
	}
	return parse(src, conf)
}

// Parse preprocesses and parses src, which name stands for in positions. Files beside name may be included.
func Parse(name string, src []byte, conf Config) (*Program, Diagnostics) {
	if len(src) > MaxFileSize {
		d := Diagnostic{Pos: Pos{File: name, Line: 1, Col: 1}, Code: CodeTooLarge, Msg: errTooLarge.Error()}
		return &Program{}, Diagnostics{d}
	}
	return parse(newSource(name, string(src), false), conf)
}

func parse(src *source, conf Config) (*Program, Diagnostics) {
	diags := &collector{}
	pp := newPreprocessor(conf, diags)
	pp.load.setRoots(src.name)
	p := &parser{toks: pp.run(src), diags: diags}
	var prog *Program
	if pp.stopped || diags.full() || diags.textMissing() {
		// What was read is not the program that was written: parsing it would only add noise.
		prog = &Program{}
	} else {
		prog = p.program()
	}
	prog.SetPos(Pos{File: src.name, Line: 1, Col: 1})
	prog.Comments = pp.notes.list
	prog.lines = diags.lines
	diags.list.Sort()
	prog.Complete(diags.list)
	return prog, diags.list
}

// Limits of the tree, so that neither this package nor those that walk the tree exhaust the stack.
const (
	maxDepth  = 1000 // recursion while parsing: blocks in blocks, parentheses in parentheses
	maxHeight = 4000 // of an expression's tree: a + b + c + ... grows by one each
)

// parser is a recursive-descent parser over all tokens of a program.
//
// After an error it is in panic mode: every token looks like the end of the file, so that all productions finish at once
// and silently, up to the nearest list (of statements, fields, declarations), which skips to a place where the next
// element may start and leaves panic mode. One mistake thus yields one message.
type parser struct {
	toks   []token
	i      int
	diags  *collector
	scope  scopes
	panic  bool
	noGt   bool // inside <...>: a > closes it
	callee bool // at the start of a statement, a < can only open type arguments
	depth  int
	height int // of the expression parsed last
}

// tok returns the token at the current place, an end of file in panic mode.
func (p *parser) tok() token {
	if p.panic {
		return token{kind: tEOF, pos: p.toks[p.i].pos}
	}
	return p.toks[p.i]
}

// peek returns the token n places ahead.
func (p *parser) peek(n int) token {
	if p.panic || p.i+n >= len(p.toks) {
		return token{kind: tEOF}
	}
	return p.toks[p.i+n]
}

func (p *parser) eof() bool           { return p.tok().kind == tEOF }
func (p *parser) at(text string) bool { return p.tok().is(text) }
func (p *parser) pos() Pos            { return p.tok().pos }

// advance moves to the next token. The end of file stays.
func (p *parser) advance() {
	if !p.panic && p.i < len(p.toks)-1 {
		p.i++
	}
}

func (p *parser) got(text string) bool {
	if p.at(text) {
		p.advance()
		return true
	}
	return false
}

// want reads the token text, or reports that it is missing.
func (p *parser) want(text string) {
	if p.got(text) {
		return
	}
	p.expected(text)
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
	p.diags.errorf(pos, code, format, args...)
	p.panic = true
}

// report reports an error that does not disturb parsing.
func (p *parser) report(pos Pos, code, format string, args ...any) {
	if !p.panic {
		p.diags.errorf(pos, code, format, args...)
	}
}

// enter counts a level of recursion; it is undone by p.leave.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(p.pos(), CodeTooDeep, "nested more than %d deep", maxDepth)
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// grow notes the height of the expression just built.
func (p *parser) grow(h int) {
	p.height = h
	if h > maxHeight {
		p.fail(p.pos(), CodeTooDeep, "expression is more than %d operators deep", maxHeight)
	}
}

// isName reports whether t can be a declared or member name: an identifier or one of the soft keywords.
func isName(t token) bool {
	return t.kind == tIdent || t.kind == tKeyword && (softKeyword(t.text) || t.text == "list")
}

// isValueName reports whether t can name a value in an expression.
func isValueName(t token) bool {
	return t.kind == tIdent || t.kind == tKeyword && softKeyword(t.text)
}

// name reads a name; what says what it is for.
func (p *parser) name(what string) *Ident {
	t := p.tok()
	id := &Ident{}
	id.SetPos(t.pos)
	if !isName(t) {
		p.expected(what)
		return id
	}
	id.Name = t.text
	p.advance()
	return id
}

// isType reports whether the token n places ahead is the name of a type.
func (p *parser) isType(n int, absolute bool) bool {
	t := p.peek(n)
	return t.kind == tIdent && p.scope.lookup(t.text, absolute) == symType
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
	for !p.at("}") && !p.eof() {
		from := p.i
		if t := p.tok(); topOnly(t) && t.bol {
			p.fail(t.pos, CodeOpenBracket, "%s opened at %d:%d is not closed: } missing before this %s", what, open.Line, open.Col, t.text)
			return
		}
		element()
		if p.panic && !p.sync(from) {
			return
		}
	}
	if p.eof() && !p.panic {
		p.fail(p.pos(), CodeOpenBracket, "%s opened at %d:%d is not closed: } missing", what, open.Line, open.Col)
		return
	}
	p.want("}")
}

// sync leaves panic mode at the next element of the innermost list: after a semicolon or a nested block, before the
// closing brace, or before a keyword that starts a line. It reports false, and stays in panic mode, if the text has left
// the list: at the end of the file or at a declaration of the top level.
func (p *parser) sync(from int) bool {
	if topOnly(p.toks[p.i]) && p.toks[p.i].bol {
		return false
	}
	depth := 0 // braces that the element opened before the error
	for _, t := range p.toks[from:p.i] {
		if t.is("{") {
			depth++
		} else if t.is("}") && depth > 0 {
			depth--
		}
	}
	for ; p.toks[p.i].kind != tEOF; p.i++ {
		t := p.toks[p.i]
		if t.bol && topOnly(t) && (t.pos.Col == 1 || depth == 0) {
			return false
		}
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth == 0 {
				p.panic = false
				return true
			}
			if depth--; depth == 0 {
				p.i++
				p.skipTail()
				p.panic = false
				return true
			}
		case depth > 0:
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

// syncTop leaves panic mode at the next declaration of the top level.
func (p *parser) syncTop(from int) {
	p.panic = false
	if p.i == from && p.toks[p.i].kind != tEOF && !topOnly(p.toks[p.i]) {
		p.skipOne()
		if t := p.toks[p.i-1]; t.is(";") || t.is("}") {
			return
		}
	} else if p.i == from {
		p.i++
	}
	depth := 0
	for ; p.toks[p.i].kind != tEOF; p.i++ {
		t := p.toks[p.i]
		if t.bol && (t.pos.Col == 1 || depth == 0) && (topOnly(t) || t.is("const") || t.is("action") || t.is("@") || t.is("error") || t.is("match_kind")) {
			return
		}
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth--; depth <= 0 {
				p.i++
				p.skipTail()
				return
			}
		case t.is(";") && depth == 0:
			p.i++
			return
		}
	}
}

func (p *parser) skipOne() {
	if p.i < len(p.toks)-1 {
		p.i++
	}
}

// program parses everything.
func (p *parser) program() *Program {
	prog := &Program{}
	p.scope.push()
	for !p.eof() && !p.diags.full() {
		if p.got(";") {
			continue
		}
		from := p.i
		scopes := len(p.scope.stack)
		if d := p.topDecl(); d != nil && !p.panic {
			prog.Decls = append(prog.Decls, d)
		}
		p.scope.stack = p.scope.stack[:scopes]
		if p.panic {
			p.syncTop(from)
		}
	}
	return prog
}

package syntax

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// Config says where a program's text comes from.
type Config struct {
	// IncludePath is searched for #include, in order.
	IncludePath []string
	// FS is where files are read; nil is the operating system's.
	FS fs.FS
	// Builtin holds system files by name ("core.p4"): an #include finds them before the include path.
	Builtin map[string]string
	// Cache, if there is one, shares the work on system files between programs.
	Cache *Cache
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
	p := &parser{toks: pp.run(src), diags: diags, last: -1}
	p.scope.stack = []map[string]symbol{pp.head.names()}
	var prog *Program
	if pp.stopped || diags.full() || diags.textMissing() {
		// What was read is not the program that was written: parsing it would only add noise.
		prog = &Program{}
	} else {
		prog = p.program()
		if pp.head != nil {
			prog.Decls = slices.Concat(pp.head.decls, prog.Decls)
		}
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
	toks      []token
	i         int
	diags     *collector
	scope     scopes
	panic     bool
	noGt      bool // inside <...>: a > closes it
	callee    bool // at the start of a statement, a < can only open type arguments
	depth     int
	height    int             // of the expression parsed last
	last      int             // token of the last error, or -1
	lastPos   Pos             // of the last error that was reported
	echo      int             // errors up to this token are echoes
	lost      bool            // a declaration was lost: an unknown name may be its
	unknown   map[string]bool // names that were reported as no types
	crooked   [2]token        // the first { and } whose indentation does not match; see unclosed
	crookedAt int
	pops      int // of maxPops
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

func (p *parser) eof() bool           { return p.panic || p.toks[p.i].kind == tEOF }
func (p *parser) at(text string) bool { return !p.panic && p.toks[p.i].is(text) }
func (p *parser) pos() Pos            { return p.toks[p.i].pos }

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
		if p.panic {
			return id
		}
		p.expected(what)
		switch next := p.toks[p.i]; {
		case next.kind == tPunct && strings.Contains("{(<;=,):", next.text):
			p.panic = false // go on without it
			return id
		case next.kind != tEOF && !isBracket(next) && isName(p.toks[p.i+1]) && !p.toks[p.i+1].bol:
			p.i++ // it stands behind one token too many
			p.panic = false
			t = p.tok()
			id.SetPos(t.pos)
		default:
			return id
		}
	}
	id.Name = t.text
	p.advance()
	return id
}

// declareType makes id the name of a type from here on.
func (p *parser) declareType(id *Ident) {
	if id.Name == "" {
		p.lost = true
	}
	p.scope.declare(id, symType)
}

// isType reports whether the token n places ahead is the name of a type.
func (p *parser) isType(n int, absolute bool) bool {
	t := p.peek(n)
	return t.kind == tIdent && p.scope.lookup(t.text, absolute) == symType
}

// program parses everything. The names of the top level are in p.scope already, if there are any.
func (p *parser) program() *Program {
	prog := &Program{}
	for !p.eof() && !p.diags.full() {
		if p.got(";") || p.last >= 0 && p.got("}") {
			continue
		}
		from := p.i
		scopes, known := len(p.scope.stack), len(p.scope.stack[0])
		if d := p.topDecl(); d != nil && !p.panic {
			prog.Decls = append(prog.Decls, d)
		}
		p.scope.stack = p.scope.stack[:scopes]
		if p.panic {
			p.lost = p.lost || len(p.scope.stack[0]) == known
			p.syncTop(from)
		}
	}
	return prog
}

package syntax

import (
	"errors"
	"io/fs"
	"sort"
	"strconv"
	"strings"
)

// Limits of the preprocessor, against programs made to exhaust the reader.
const (
	maxTokens    = 1 << 19 // tokens handed to the parser
	maxExpansion = 1 << 19 // tokens that macros produce, counting those expanded again, and long ones by their length
	maxHide      = 256     // macros inside macros
	maxArgDepth  = 64      // macro calls inside arguments of macro calls
	maxIfDepth   = 256
)

// definesFile is where Config.Defines stand.
const definesFile = "<command line>"

// ppToken is a token on its way through the preprocessor: hide names the macros that it must not be expanded by again.
type ppToken struct {
	token
	hide *hideSet
}

// frame is one file being read.
type frame struct {
	sc    *scanner
	conds []cond
}

// cond is one #if whose #endif is not read yet.
type cond struct {
	pos      Pos
	taken    bool // a branch was in force already
	elseSeen bool
}

// preprocessor turns a program and what it includes into the tokens that the parser reads.
type preprocessor struct {
	diags   *collector
	load    *loader
	macros  map[string]*macro
	frames  []*frame
	pending []ppToken       // to be read before the file, last first
	inList  bool            // an argument is being expanded: the end of pending is the end
	args    int             // depth of arguments being expanded
	bodies  int             // tokens in the bodies of all macros
	work    int             // of maxExpansion
	counter int             // of __COUNTER__
	once    map[string]bool // files with #pragma once
	stopped bool            // a limit was exceeded
	out     []token
	origins []origin // room for those to come
	notes   comments
	head    *head      // system files that the cache knew, or knows now
	rec     *recording // of the next head
}

func newPreprocessor(conf Config, diags *collector) *preprocessor {
	pp := &preprocessor{diags: diags, load: &loader{conf: conf}, macros: map[string]*macro{}, once: map[string]bool{}}
	names := make([]string, 0, len(conf.Defines))
	for name := range conf.Defines {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		sc := newScanner(newSource(definesFile, name+" "+conf.Defines[name], false), diags)
		sc.inLine = true
		pp.frames = []*frame{{sc: sc}}
		pp.define()
	}
	pp.frames = nil
	return pp
}

// run reads everything. The last token is tEOF.
func (pp *preprocessor) run(src *source) []token {
	pp.push(src, nil)
	pp.out = make([]token, 0, len(src.text)/4+64)
	for !pp.stopped && !pp.diags.full() {
		t, ok := pp.expanded()
		if !ok {
			break
		}
		if len(pp.out) >= maxTokens {
			pp.stop(t.pos, "program is longer than %d tokens", maxTokens)
			break
		}
		pp.out = append(pp.out, t.token)
	}
	end := token{kind: tEOF, bol: true, pos: Pos{File: src.name, Line: 1, Col: 1}}
	if pp.frames != nil {
		end.pos = pp.frames[0].sc.pos(len(pp.frames[0].sc.src.text))
	}
	return append(pp.out, end)
}

// stop reports that a limit was exceeded: nothing more is read.
func (pp *preprocessor) stop(pos Pos, format string, args ...any) {
	if !pp.stopped {
		pp.stopped = true
		pp.diags.errorf(pos, CodeTooLarge, format, args...)
	}
}

// push starts to read src, which came from where the #include stands.
func (pp *preprocessor) push(src *source, from *origin) {
	sc := newScanner(src, pp.diags)
	sc.origin, sc.keep = from, &pp.notes
	pp.frames = append(pp.frames, &frame{sc: sc})
	pp.diags.lines.add(src.name, 1, 1, src.raw)
	pp.record(src)
}

func (pp *preprocessor) top() *frame { return pp.frames[len(pp.frames)-1] }

// raw returns the next token without expanding it. It obeys directives on the way, ends files, and returns ok = false
// at the end of everything. In arguments of a macro (inArgs) it does not leave the file.
func (pp *preprocessor) raw(inArgs bool) (ppToken, bool) {
	for !pp.stopped {
		if n := len(pp.pending); n > 0 {
			t := pp.pending[n-1]
			pp.pending = pp.pending[:n-1]
			return t, true
		}
		if pp.inList || len(pp.frames) == 0 {
			return ppToken{}, false
		}
		f := pp.top()
		var before scanner
		if inArgs {
			before = *f.sc
		}
		t := f.sc.next()
		switch {
		case t.kind == tEOF:
			if inArgs {
				*f.sc = before
				return ppToken{}, false
			}
			for _, c := range f.conds {
				pp.diags.errorf(c.pos, CodeUnbalancedIf, "#if without #endif")
			}
			f.conds = nil
			if len(pp.frames) == 1 {
				return ppToken{}, false
			}
			pp.frames = pp.frames[:len(pp.frames)-1]
			pp.cut()
		case t.bol && t.is("#"):
			pp.directive(t, inArgs)
		default:
			if t.kind == tString && strings.Contains(t.text, "\n") {
				t = pp.directivesIn(t)
			}
			return ppToken{token: t}, true
		}
		if pp.diags.full() {
			return ppToken{}, false
		}
	}
	return ppToken{}, false
}

// directive obeys one directive line; the # is read. In arguments of a macro some make no sense.
func (pp *preprocessor) directive(hash token, inArgs bool) {
	f := pp.top()
	f.sc.inLine = true
	defer func() {
		if f.sc.inLine {
			f.sc.drain()
			f.sc.inLine = false
		}
	}()
	name := f.sc.next()
	switch name.text {
	case "":
		return // a # alone
	case "include":
		if inArgs {
			pp.diags.errorf(hash.pos, CodeBadDirective, "#include in the arguments of a macro")
			return
		}
		pp.include(hash.pos)
	case "define":
		pp.define()
	case "undef":
		if t := f.sc.next(); !t.isWord() {
			pp.diags.errorf(t.pos, CodeBadDirective, "#undef needs a name, found %s", t.describe())
		} else if predefined(t.text) {
			pp.diags.errorf(t.pos, CodeBadMacro, "%s is predefined: it cannot be undefined", t.text)
		} else {
			delete(pp.macros, t.text)
			pp.endOfDirective("#undef")
		}
	case "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif":
		pp.conditional(name, hash.pos)
	case "line":
		pp.lineDirective(name.pos, pp.expandList(pp.restOfDirective()))
	case "error":
		pp.diags.errorf(hash.pos, CodeErrorDirective, "#error %s", f.sc.rest())
	case "warning":
		pp.diags.warnf(hash.pos, CodeWarnDirective, "#warning %s", f.sc.rest())
	case "pragma":
		// Those that are not known are for other compilers.
		if t := f.sc.next(); t.text == "once" {
			pp.once[f.sc.src.name] = true
		}
	default:
		if name.kind == tInt {
			// The line marker of a text that was preprocessed already: # 12 "file" flags.
			toks := append([]ppToken{{token: name}}, pp.restOfDirective()...)
			for len(toks) > 2 && toks[len(toks)-1].kind == tInt {
				toks = toks[:len(toks)-1]
			}
			pp.lineDirective(name.pos, toks)
			return
		}
		pp.diags.errorf(hash.pos, CodeBadDirective, "unknown directive #%s", name.text)
	}
}

func (pp *preprocessor) endOfDirective(what string) {
	if t := pp.top().sc.next(); t.kind != tEOL && t.kind != tEOF {
		pp.diags.errorf(t.pos, CodeBadDirective, "unexpected %s after %s", t.describe(), what)
	}
}

// include obeys #include "file", #include <file> and #include MACRO.
func (pp *preprocessor) include(pos Pos) {
	f := pp.top()
	name, quoted, ok := f.sc.includeName()
	if ok {
		pp.endOfDirective("the name")
	} else {
		name, quoted, ok = cutIncludeName(spell(pp.expandList(pp.restOfDirective())))
	}
	if !ok {
		pp.diags.errorf(pos, CodeBadDirective, `#include needs "file" or <file>`)
		return
	}
	if len(pp.frames) >= maxIncludeDepth || pp.load.files >= maxIncludes {
		pp.diags.errorf(pos, CodeIncludeDepth, "#include of %s: too many files, or files that include each other", name)
		pp.stopped = true
		return
	}
	src, err := pp.load.find(name, quoted, f.sc.src)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		pp.diags.errorf(pos, CodeNoInclude, "#include of %s: file not found", name)
		return
	case errors.Is(err, errOutside):
		pp.diags.errorf(pos, CodeNoInclude, "#include of %s: %v; a folder above it in the include path would admit it", name, err)
		return
	case err != nil:
		pp.diags.errorf(pos, CodeNoInclude, "#include of %s: %v", name, err)
		return
	case pp.once[src.name]:
		return
	}
	// The rest of this line belongs to this file: it is over before the other one begins.
	f.sc.drain()
	f.sc.inLine = false
	if pp.fromCache(src) {
		return
	}
	from := &origin{from: pos}
	if src.builtin && !f.sc.src.builtin {
		from = nil // system files are the same wherever they are included
	}
	pp.push(src, from)
}

// restOfDirective returns the tokens up to the end of the line.
func (pp *preprocessor) restOfDirective() []ppToken {
	sc := pp.top().sc
	var list []ppToken
	for t := sc.next(); t.kind != tEOF && t.kind != tEOL; t = sc.next() {
		list = append(list, ppToken{token: t})
	}
	return list
}

// includeName reads "file" or <file> as raw text; ok is false, and nothing is read, if neither stands here.
func (s *scanner) includeName() (name string, quoted, ok bool) {
	s.blank()
	line, _, _ := strings.Cut(s.src.text[s.off:], "\n")
	name, quoted, ok = cutIncludeName(line)
	if ok {
		s.off += len(name) + 2
	}
	return name, quoted, ok
}

// cutIncludeName cuts "file" or <file> off the front of s.
func cutIncludeName(s string) (name string, quoted, ok bool) {
	end := ""
	switch {
	case strings.HasPrefix(s, `"`):
		quoted, end = true, `"`
	case strings.HasPrefix(s, "<"):
		end = ">"
	default:
		return "", false, false
	}
	name, _, ok = strings.Cut(s[1:], end)
	return name, quoted, ok && name != ""
}

// scanAll turns one line of text into tokens, all at pos.
func scanAll(text string, pos Pos) []ppToken {
	sc := newScanner(newSource(pos.File, text, false), nil)
	sc.inLine, sc.quiet = true, true
	var list []ppToken
	for t := sc.next(); t.kind != tEOF && t.kind != tEOL; t = sc.next() {
		t.pos, t.bol = pos, false
		list = append(list, ppToken{token: t})
	}
	return list
}

// spell is the text of tokens, with white space where there was some.
func spell(toks []ppToken) string {
	var b strings.Builder
	for i, t := range toks {
		if i > 0 && t.space {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// conditional obeys #if and its kin. Where the condition does not hold, the text up to the branch in force is skipped here.
func (pp *preprocessor) conditional(name token, pos Pos) {
	f := pp.top()
	n := len(f.conds)
	switch name.text {
	case "if", "ifdef", "ifndef":
		if n >= maxIfDepth {
			pp.stop(pos, "#if nested too deeply")
			return
		}
		holds := pp.holds(name)
		f.conds = append(f.conds, cond{pos: pos, taken: holds})
		if !holds {
			pp.skip()
		}
		return
	}
	if n == 0 {
		pp.diags.errorf(pos, CodeUnbalancedIf, "#%s without #if", name.text)
		return
	}
	c := &f.conds[n-1]
	if name.text == "endif" {
		f.conds = f.conds[:n-1]
		return
	}
	// A branch in force has just ended.
	if c.elseSeen {
		pp.diags.errorf(pos, CodeUnbalancedIf, "#%s after #else", name.text)
	}
	c.elseSeen = c.elseSeen || name.text == "else"
	pp.skip()
}

// holds evaluates the condition of an #if, #ifdef, #ifndef or #elif.
func (pp *preprocessor) holds(name token) bool {
	sc := pp.top().sc
	if name.text == "if" || name.text == "elif" {
		return pp.condition(name.pos)
	}
	t := sc.next()
	if !t.isWord() {
		pp.diags.errorf(t.pos, CodeBadDirective, "#%s needs a name, found %s", name.text, t.describe())
		return false
	}
	pp.endOfDirective("#" + name.text)
	return pp.defined(t.text) == strings.HasSuffix(name.text, "ifdef")
}

func (pp *preprocessor) defined(name string) bool {
	_, ok := pp.macros[name]
	return ok || predefined(name) || name == hasInclude
}

// skip goes past text that is not in force, to the next branch that is or past the #endif.
func (pp *preprocessor) skip() {
	f := pp.top()
	sc := f.sc
	sc.quiet = true
	defer func() { sc.quiet = false }()
	depth := 0
	sc.drain()
	sc.inLine = false
	for {
		t := sc.next()
		if t.kind == tEOF {
			sc.inLine = true
			return // the caller of raw reports the open #if
		}
		if !t.bol || !t.is("#") {
			continue
		}
		sc.inLine = true
		name := sc.next()
		c := &f.conds[len(f.conds)-1]
		switch name.text {
		case "if", "ifdef", "ifndef":
			depth++
		case "endif":
			if depth == 0 {
				f.conds = f.conds[:len(f.conds)-1]
				return
			}
			depth--
		case "else", "elif", "elifdef", "elifndef":
			if depth > 0 {
				break
			}
			if c.elseSeen {
				pp.diags.errorf(t.pos, CodeUnbalancedIf, "#%s after #else", name.text)
			}
			c.elseSeen = c.elseSeen || name.text == "else"
			if c.taken {
				break
			}
			sc.quiet = false
			if name.text == "else" || pp.holds(name) {
				c.taken = true
				return
			}
			sc.quiet = true
		}
		sc.drain()
		sc.inLine = false
	}
}

// lineDirective obeys #line N ["file"]; toks is what stands after the directive's name.
func (pp *preprocessor) lineDirective(pos Pos, toks []ppToken) {
	f := pp.top()
	if f.sc.src.builtin {
		pp.rec = nil
	}
	bad := func() { pp.diags.errorf(pos, CodeBadLine, `#line needs a number, and "file" or nothing`) }
	if len(toks) < 1 || len(toks) > 2 || toks[0].kind != tInt {
		bad()
		return
	}
	n, err := strconv.Atoi(toks[0].text)
	if err != nil || n < 0 || n > 1<<30 {
		bad()
		return
	}
	n = max(n, 1) // other preprocessors start with # 0 "file"
	file := f.sc.file
	if len(toks) == 2 {
		if toks[1].kind != tString {
			bad()
			return
		}
		file = unquote(toks[1].text)
	}
	if _, ok := pp.load.conf.Builtin[file]; ok && !f.sc.src.builtin {
		pp.diags.errorf(pos, CodeBadLine, "#line cannot claim to be the system file %s", file)
		return
	}
	f.sc.catchUp(f.sc.off)
	f.sc.file = file
	f.sc.lineAdd = n - (f.sc.line + 1)
	pp.diags.lines.add(file, n, f.sc.line+1, f.sc.src.raw)
}

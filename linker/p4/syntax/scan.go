package syntax

import (
	"strings"
	"unicode/utf8"
)

// scanner turns one file into tokens. It knows line splices, comments and strings, and nothing of directives but that
// they end with their line.
type scanner struct {
	src     *source
	diags   *collector
	off     int // next byte of src.text
	line    int // physical line of off, from 1
	start   int // offset in src.text where that line starts
	splice  int // next element of src.splices
	bol     bool
	inLine  bool // in a directive: the end of the line is a token
	quiet   bool // in text that is skipped: report nothing
	file    string
	origin  *origin
	lineAdd int       // presumed line = physical line + lineAdd (after #line)
	keep    *comments // nil: nobody wants them
}

func newScanner(src *source, diags *collector) *scanner {
	return &scanner{src: src, diags: diags, line: 1, bol: true, file: src.name}
}

// newline moves past the newline at offset o.
func (s *scanner) newline(o int) {
	s.catchUp(o)
	s.line++
	s.start = o + 1
}

// catchUp counts the splices up to offset o.
func (s *scanner) catchUp(o int) {
	for s.splice < len(s.src.splices) && s.src.splices[s.splice] <= o {
		s.line++
		s.start = s.src.splices[s.splice]
		s.splice++
	}
}

func (s *scanner) pos(o int) Pos {
	s.catchUp(o)
	return Pos{File: s.file, Line: int32(max(s.line+s.lineAdd, 1)), Col: int32(o - s.start + 1), origin: s.origin}
}

func (s *scanner) errorf(pos Pos, code, format string, args ...any) {
	if !s.quiet {
		s.diags.errorf(pos, code, format, args...)
	}
}

// next returns the next token; at the end tEOF again and again.
func (s *scanner) next() token {
	space := s.blank()
	t := token{pos: s.pos(s.off), bol: s.bol, space: space}
	text := s.src.text
	if s.off >= len(text) {
		return t
	}
	if text[s.off] == '\n' {
		t.kind = tEOL
		return t
	}
	s.bol = false
	from := s.off
	switch c := text[from]; {
	case isLetter(c):
		s.off = from + identLen(text[from:])
		t.kind = tIdent
		if keyword(text[from:s.off]) {
			t.kind = tKeyword
		}
	case isDigit(c):
		s.off = from + identLen(text[from:])
		t.kind = tInt
	case c == '"':
		t.kind = tString
		if !s.str() {
			s.errorf(t.pos, CodeOpenString, "string is not closed")
		}
	default:
		if n := operator(text[from:]); n > 0 {
			s.off = from + n
			t.kind = tPunct
		} else {
			_, n := utf8.DecodeRuneInString(text[from:])
			s.off = from + n
			t.kind = tBad
		}
	}
	t.text = text[from:s.off]
	return t
}

// blank skips white space and comments and says whether there was any. In a directive it stops at the newline.
func (s *scanner) blank() (space bool) {
	text := s.src.text
	for s.off < len(text) {
		switch c := text[s.off]; {
		case c == '\n':
			if s.inLine {
				return space
			}
			s.newline(s.off)
			s.off++
			s.bol = true
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
			s.off++
		case c != '/':
			return space
		case strings.HasPrefix(text[s.off:], "//"):
			from := s.off
			if n := strings.IndexByte(text[s.off:], '\n'); n >= 0 {
				s.off += n
			} else {
				s.off = len(text)
			}
			s.note(from, s.pos(from), s.bol)
		case strings.HasPrefix(text[s.off:], "/*"):
			s.comment()
		default:
			return space
		}
		space = true
	}
	return space
}

// comment skips a block comment. An open one ends the file.
func (s *scanner) comment() {
	text := s.src.text
	from, pos, bol := s.off, s.pos(s.off), s.bol
	end := strings.Index(text[s.off+2:], "*/")
	stop := len(text)
	if end >= 0 {
		stop = s.off + 2 + end + 2
	} else {
		s.errorf(pos, CodeOpenComment, "comment is not closed")
	}
	for i := s.off; i < stop; i++ {
		if text[i] == '\n' {
			s.newline(i)
			if !s.inLine {
				s.bol = true
			}
		}
	}
	s.off = stop
	s.note(from, pos, bol)
}

// note keeps the comment that ends here, unless it stands in a directive or in text that is skipped.
func (s *scanner) note(from int, pos Pos, bol bool) {
	if s.keep != nil && !s.inLine && !s.quiet {
		s.keep.add(s.src, from, s.off, pos, !bol)
	}
}

// str skips a string, and reports whether it is closed. Strings may span lines, but not in directives and skipped text,
// where a quote is often an apostrophe's cousin. An open string ends with its line.
func (s *scanner) str() bool {
	text := s.src.text
	i := s.off + 1
	for i < len(text) && text[i] != '"' {
		if text[i] == '\n' && (s.inLine || s.quiet) {
			break
		}
		if text[i] == '\\' && i+1 < len(text) && text[i+1] != '\n' {
			i++
		}
		i++
	}
	if i >= len(text) || text[i] != '"' {
		if n := strings.IndexByte(text[s.off:], '\n'); n >= 0 {
			i = s.off + n
		} else {
			i = len(text)
		}
		s.off = i
		return false
	}
	for j := s.off; j < i; j++ {
		if text[j] == '\n' {
			s.newline(j)
		}
	}
	s.off = i + 1
	return true
}

// rest returns the rest of the line as raw text and moves to its end.
func (s *scanner) rest() string {
	text := s.src.text[s.off:]
	if n := strings.IndexByte(text, '\n'); n >= 0 {
		text = text[:n]
	}
	s.off += len(text)
	return strings.TrimSpace(text)
}

// drain moves to the end of a directive's line, past comments that span lines.
func (s *scanner) drain() {
	quiet := s.quiet
	s.quiet = true
	for t := s.next(); t.kind != tEOF && t.kind != tEOL; t = s.next() {
	}
	s.quiet = quiet
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// identLen is the length of the letters and digits that s starts with.
func identLen(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	return n
}

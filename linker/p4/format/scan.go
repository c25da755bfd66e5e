package format

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/interlock/interlock/linker/p4/syntax"
)

const (
	tabWidth = 4 // of tabs in the source
	maxSize  = 16 << 20
)

// file is the text to format, with \n as its only line end.
type file struct {
	name string
	text string
	toks []token
}

// errorf is a diagnostic at the offset off.
func (f *file) errorf(off int, code, format string, args ...any) error {
	before := f.text[:off]
	start := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(f.text[start:], "\n")
	pos := syntax.Pos{File: f.name, Line: int32(strings.Count(before, "\n") + 1), Col: int32(off - start + 1)}
	return syntax.Diagnostics{{Pos: pos, Code: code, Msg: fmt.Sprintf(format, args...), Line: line}}
}

// describe names the place at offset off inside a message.
func (f *file) describe(off int) string {
	before := f.text[:off]
	return fmt.Sprintf("%d:%d", strings.Count(before, "\n")+1, off-strings.LastIndexByte(before, '\n'))
}

// scan splits the text into tokens.
func (f *file) scan() error {
	text := f.text
	off, newlines, bol := 0, 0, true
	f.toks = make([]token, 0, len(text)/4)
	space := false
	lineStart := 0
	for {
		// White space.
		for off < len(text) {
			c := text[off]
			if c == '\n' {
				newlines++
				bol = true
				lineStart = off + 1
			} else if c == '\\' && strings.HasPrefix(text[off+1:], "\n") {
				if off > 0 && !isSpace(text[off-1]) && off+2 < len(text) && !isSpace(text[off+2]) {
					return f.errorf(off, syntax.CodeBadChar, "a token is continued on the next line")
				}
				off++
				lineStart = off + 1
			} else if !isSpace(c) {
				break
			}
			space = true
			off++
		}
		if off >= len(text) {
			return nil
		}
		t := token{off: off, newlines: newlines, space: space, match: -1}
		end, err := f.one(&t, bol)
		if err != nil {
			return err
		}
		t.text = text[off:end]
		if body := trimEnd(t.text); t.kind != blockComment && len(body) < len(t.text) && strings.HasSuffix(body, `\`) {
			return f.errorf(off+len(body)-1, syntax.CodeBadChar, "white space behind the backslash: the line may be continued or not")
		}
		switch t.kind {
		case lineComment, blockComment:
			t.text = trimLines(t.text)
			t.col = column(text[lineStart:off])
		case directive:
			t.text = trimEnd(t.text)
			bol = true
		default:
			bol = false
		}
		f.toks = append(f.toks, t)
		off, newlines, space = end, 0, t.comment()
		if i := strings.LastIndexByte(text[t.off:end], '\n'); i >= 0 {
			lineStart = t.off + i + 1
			if t.kind == blockComment {
				bol = true
			}
		}
		if t.kind == directive && neverHolds(t.text) {
			if to := f.skip(end); to > end+1 {
				body := text[end+1 : to]
				off = to
				if strings.TrimSpace(body) != "" {
					f.toks = append(f.toks, token{kind: skipped, text: strings.TrimSuffix(body, "\n"), off: end + 1, newlines: 1, match: -1})
				}
				newlines, lineStart = 1, off
			}
		}
	}
}

// one finds the kind and the end of the token at t.off.
func (f *file) one(t *token, bol bool) (end int, err error) {
	text, from := f.text, t.off
	switch c := text[from]; {
	case isLetter(c), isDigit(c):
		t.kind = word
		if isDigit(c) {
			t.kind = number
		}
		end = from
		for end < len(text) && (isLetter(text[end]) || isDigit(text[end])) {
			end++
		}
		return end, nil
	case c == '"':
		t.kind = str
		for end = from + 1; end < len(text) && text[end] != '"'; end++ {
			if text[end] == '\\' && end+1 < len(text) && text[end+1] != '\n' {
				end++
			}
		}
		if end >= len(text) {
			return 0, f.errorf(from, syntax.CodeOpenString, "string is not closed")
		}
		return end + 1, nil
	case strings.HasPrefix(text[from:], "//"):
		t.kind = lineComment
		return lineEnd(text, from), nil
	case strings.HasPrefix(text[from:], "/*"):
		t.kind = blockComment
		n := strings.Index(text[from+2:], "*/")
		if n < 0 {
			return 0, f.errorf(from, syntax.CodeOpenComment, "comment is not closed")
		}
		return from + n + 4, nil
	case c == '#' && bol:
		t.kind = directive
		return f.directiveEnd(from)
	}
	if n := operatorLen(text[from:]); n > 0 {
		t.kind = punct
		return from + n, nil
	}
	t.kind = strayChar
	_, n := utf8.DecodeRuneInString(text[from:])
	return from + n, nil
}

// operatorLen is the length of the operator that s starts with, or 0.
func operatorLen(s string) int {
	switch s[0] {
	case ';', ',', '(', ')', '[', ']', '}':
		return 1 // by far the most frequent, and nothing longer starts with them
	}
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	return 0
}

// lineEnd is the offset of the newline that ends the line of from, past continuation lines.
func lineEnd(text string, from int) int {
	for {
		n := strings.IndexByte(text[from:], '\n')
		if n < 0 {
			return len(text)
		}
		from += n
		if from == 0 || text[from-1] != '\\' {
			return from
		}
		from++
	}
}

// directiveEnd is the end of the directive at from: the end of its line, where continuation lines and comments that span
// lines belong to it.
func (f *file) directiveEnd(from int) (int, error) {
	text := f.text
	name := directiveName(text[from:])
	if name == "error" || name == "warning" || name == "include" {
		return lineEnd(text, from), nil
	}
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == '\n':
			if text[i-1] != '\\' {
				return i, nil
			}
		case text[i] == '"':
			// An open string ends with the line, and is somebody else's error.
			for i++; i < len(text) && text[i] != '"' && text[i] != '\n'; i++ {
				if text[i] == '\\' && i+1 < len(text) {
					i++
				}
			}
			if i < len(text) && text[i] == '\n' {
				i--
			}
		case strings.HasPrefix(text[i:], "//"):
			return lineEnd(text, i), nil
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return 0, f.errorf(i, syntax.CodeOpenComment, "comment is not closed")
			}
			i += n + 3
		}
	}
	return len(text), nil
}

// directiveName is the word behind the #.
func directiveName(text string) string {
	text = strings.TrimLeft(strings.TrimPrefix(text, "#"), " \t")
	n := 0
	for n < len(text) && isLetter(text[n]) {
		n++
	}
	return text[:n]
}

// neverHolds reports whether the directive is #if 0.
func neverHolds(text string) bool {
	if directiveName(text) != "if" {
		return false
	}
	_, cond, _ := strings.Cut(text, "if")
	cond, _, _ = strings.Cut(cond, "//")
	cond, _, _ = strings.Cut(cond, "/*")
	return strings.TrimSpace(cond) == "0"
}

// skip returns the offset of the line with the #else, #elif or #endif that ends the lines behind off, or that of the end.
func (f *file) skip(off int) int {
	text, depth := f.text, 0
	for i := min(off+1, len(text)); i < len(text); i++ {
		start := i
		for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
			i++
		}
		if i < len(text) && text[i] == '#' {
			switch directiveName(text[i:]) {
			case "if", "ifdef", "ifndef":
				depth++
			case "else", "elif":
				if depth == 0 {
					return start
				}
			case "endif":
				if depth == 0 {
					return start
				}
				depth--
			}
		}
		// To the end of the line, past comments, which hide directives.
		for ; i < len(text) && text[i] != '\n'; i++ {
			switch {
			case strings.HasPrefix(text[i:], "//"):
				i = lineEnd(text, i) - 1
			case strings.HasPrefix(text[i:], "/*"):
				if n := strings.Index(text[i+2:], "*/"); n >= 0 {
					i += n + 3
				} else {
					return len(text)
				}
			case text[i] == '"':
				if n := strings.IndexAny(text[i+1:], "\"\n"); n >= 0 && text[i+1+n] == '"' {
					i += n + 1
				}
			}
		}
	}
	return len(text)
}

func trimEnd(s string) string { return strings.TrimRight(s, " \t\r\f\v") }

func trimLines(s string) string {
	if !strings.Contains(s, "\n") {
		return trimEnd(s)
	}
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = trimEnd(lines[i])
	}
	return strings.Join(lines, "\n")
}

// column is how wide the text before a token is.
func column(s string) int {
	n := 0
	for _, r := range s {
		if r == '\t' {
			n += tabWidth - n%tabWidth
		} else {
			n++
		}
	}
	return n
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\n'
}
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

package syntax

import "strings"

type tokenKind uint8

const (
	tEOF     tokenKind = iota
	tEOL               // end of a directive's line; never reaches the parser
	tIdent             // an identifier that is no keyword
	tKeyword           // a keyword, and _
	tInt               // digits and what follows them: checked when it is parsed
	tString            // with its quotes
	tPunct             // operators and brackets
	tBad               // a character that starts no token; legal in annotation bodies only
)

// token is one token after scanning. Text is as written.
type token struct {
	kind  tokenKind
	bol   bool // first of its line
	space bool // white space or a comment stands before it
	text  string
	pos   Pos
}

// openString reports whether t is a string without its closing quote.
func (t token) openString() bool {
	if t.kind != tString {
		return false
	}
	for i := 1; i < len(t.text); i++ {
		switch t.text[i] {
		case '\\':
			i++
		case '"':
			return false
		}
	}
	return true
}

// is reports whether t is this keyword or operator.
func (t token) is(text string) bool {
	return (t.kind == tPunct || t.kind == tKeyword) && t.text == text
}

// isWord reports whether t is a name to the preprocessor.
func (t token) isWord() bool { return t.kind == tIdent || t.kind == tKeyword }

// describe names the token for a message.
func (t token) describe() string {
	switch t.kind {
	case tEOF:
		return "end of file"
	case tEOL:
		return "end of line"
	case tKeyword:
		if t.text != "_" {
			return "keyword " + t.text
		}
	case tIdent, tInt:
		if len(t.text) > 40 {
			return t.text[:40] + "..."
		}
	case tString:
		if i := strings.IndexByte(t.text, '\n'); i >= 0 || len(t.text) > 40 {
			return "a string"
		}
	}
	return t.text
}

// keyword reports whether s is a keyword of the language.
func keyword(s string) bool {
	switch s {
	case "_", "abstract", "action", "actions", "apply", "bit", "bool", "break", "const", "continue", "control", "default",
		"else", "entries", "enum", "error", "exit", "extern", "false", "for", "header", "header_union", "if", "in", "inout",
		"int", "key", "list", "match_kind", "out", "package", "parser", "priority", "return", "select", "state", "string",
		"struct", "switch", "table", "this", "transition", "true", "tuple", "type", "typedef", "value_set", "varbit", "void":
		return true
	}
	return false
}

// IsKeyword reports whether s is a reserved word, so that it cannot be used as a name everywhere. The words that the
// grammar accepts as names (apply, key, state, type, ...) are keywords too.
func IsKeyword(s string) bool { return keyword(s) }

// softKeyword reports whether the keyword may be used as the name of a value.
func softKeyword(s string) bool {
	switch s {
	case "actions", "apply", "entries", "key", "priority", "state", "type":
		return true
	}
	return false
}

// operator is the length of the operator or bracket that s starts with, 0 if there is none: the longest one, but a > is a
// token of its own when another > follows, because two of them may close two type argument lists; the parser joins them to a
// shift. The # tokens are the preprocessor's.
func operator(s string) int {
	var b, c byte
	if len(s) > 1 {
		b = s[1]
	}
	if len(s) > 2 {
		c = s[2]
	}
	n := 1
	switch a := s[0]; a {
	case '(', ')', '[', ']', '}', ';', ',', '?', '~', '@', ':':
	case '{':
		if b == '#' && c == '}' {
			n = 3
		}
	case '.':
		if b == '.' {
			if n = 2; c == '.' {
				n = 3
			}
		}
	case '|':
		switch {
		case (b == '+' || b == '-') && c == '|':
			if n = 3; len(s) > 3 && s[3] == '=' {
				n = 4
			}
		case b == '|', b == '=':
			n = 2
		}
	case '&':
		switch {
		case b == '&' && c == '&':
			n = 3
		case b == '&', b == '=':
			n = 2
		}
	case '<':
		switch {
		case b == '<' && c == '=':
			n = 3
		case b == '<', b == '=':
			n = 2
		}
	case '>':
		switch {
		case b == '>' && c == '=':
			n = 3
		case b == '=':
			n = 2
		}
	case '+':
		if b == '+' || b == '=' || b == ':' {
			n = 2
		}
	case '-', '*', '/', '%', '^', '=', '!':
		if b == '=' {
			n = 2
		}
	case '#':
		if b == '#' {
			n = 2
		}
	default:
		return 0
	}
	return n
}

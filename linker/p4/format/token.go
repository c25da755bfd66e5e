package format

import "strings"

type kind uint8

const (
	word kind = iota // identifier or keyword
	number
	str
	punct
	strayChar // a character that starts no token: legal in annotations only
	lineComment
	blockComment
	directive // a whole preprocessor line, with its continuation lines
	skipped   // the lines inside #if 0
)

// role is what a token does where it stands: it decides the white space around it.
type role uint8

const (
	plain      role = iota
	binary          // an operator between operands, = and ? included
	unary           //
	member          // the . of x.y
	absolute        // the . of .x
	at              // of an annotation
	callOpen        // ( behind a name
	groupOpen       // any other (
	parenClose      //
	castClose       // ) of a cast
	indexOpen       // [
	indexClose      //
	angleOpen       // < of type arguments or parameters
	angleClose      //
	listOpen        // { of an expression
	listClose       //
	blockOpen       // { with lines of its own
	blockClose      //
	tight           // : of x[7:0], = of @name[key=value]
	labelColon      // of key: value
)

// token is one token, comment or directive of the file.
type token struct {
	kind     kind
	role     role
	text     string
	off      int
	col      int  // of a comment: where it starts, from 0, tabs counting tabWidth
	newlines int  // line breaks between the token before and this one
	space    bool // white space or a comment stands before it

	starts    bool      // a new line of the structure: a statement, an element, a closing brace
	level     int       // of nesting, where starts holds
	block     blockKind // what it is in, where starts holds
	match     int       // the other bracket, or -1
	raw       bool      // in the body of an annotation, whose grammar is not ours: keep the author's spaces
	pragma    bool      // in an @pragma, which ends with its line
	annotated bool      // the first token behind annotations that stand before a declaration
	commas    bool      // of an opening bracket: a list is in it
	params    bool      // of an opening bracket: parameters are in it
	flow      bool      // of a blockOpen: an if, else or for
}

func (t *token) is(text string) bool { return (t.kind == punct || t.kind == word) && t.text == text }

func (t *token) comment() bool { return t.kind == lineComment || t.kind == blockComment }

// code reports whether t is seen by the parser.
func (t *token) code() bool { return t.kind <= strayChar }

// multiline reports whether t spans lines.
func (t *token) multiline() bool {
	return (t.kind == str || t.kind >= lineComment) && strings.Contains(t.text, "\n")
}

func (t *token) opens() bool {
	switch t.role {
	case callOpen, groupOpen, indexOpen, angleOpen, listOpen:
		return true
	}
	return false
}

func (t *token) closes() bool {
	switch t.role {
	case parenClose, castClose, indexClose, angleClose, listClose:
		return true
	}
	return false
}

// operators, longest first. A > stands alone, since two of them may close two lists of type arguments.
var operators = [...]string{
	"|+|=", "|-|=",
	"<<=", ">>=", "&&&", "...", "|+|", "|-|", "{#}",
	"&&", "||", "==", "!=", "<=", ">=", "++", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", "..", "+:",
	"+", "-", "*", "/", "%", "|", "&", "^", "~", "(", ")", "[", "]", "{", "}", "<", ">", "!", ":", ",", "?", ".", "=", ";", "@",
}

// assignment reports whether op is = or one of the compound assignments.
func assignment(op string) bool {
	switch op {
	case "=", "|+|=", "|-|=", "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=":
		return true
	}
	return false
}

// glued reports whether a and b, written without a space, would be read as something else.
func glued(a, b *token) bool {
	inWord := func(t *token) bool { return t.kind == word || t.kind == number }
	if inWord(a) && inWord(b) {
		return true
	}
	if a.kind != punct || b.kind != punct {
		return false
	}
	if a.text == "/" && (b.text[0] == '/' || b.text[0] == '*') {
		return true
	}
	for _, op := range operators {
		n := len(a.text)
		if len(op) <= n || op[:n] != a.text {
			continue
		}
		if strings.HasPrefix(b.text, op[n:]) {
			return true
		}
	}
	return false
}

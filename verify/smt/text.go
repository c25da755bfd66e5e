package smt

import (
	"errors"
	"fmt"
	"strings"
)

// ErrText is wrapped by errors about a text that is not of the form of an obligation.
var ErrText = errors.New("not the text of an obligation")

// CheckText checks that text is of the form that is decided: (set-logic L) first, then declarations, definitions and assertions,
// then one (check-sat), and nothing else: no options, no output, no second query. It returns L and what follows (set-logic L).
// Terms inside are the solver's to judge.
func CheckText(text string) (logic, body string, err error) {
	fail := func(at int, format string, args ...any) (string, string, error) {
		line := 1 + strings.Count(text[:at], "\n")
		return "", "", fmt.Errorf("%w: line %d: %s", ErrText, line, fmt.Sprintf(format, args...))
	}
	var bodyAt int
	var checked bool
	for at := 0; ; {
		start := skipSpace(text, at)
		if start == len(text) {
			break
		}
		end, problem := formEnd(text, start)
		if problem != "" {
			return fail(end, "%s", problem)
		}
		form := text[start:end]
		head, rest, _ := strings.Cut(strings.TrimLeft(form[1:len(form)-1], " \t\r\n"), " ")
		switch {
		case checked:
			return fail(start, "something follows (check-sat)")
		case logic == "":
			logic = strings.TrimSpace(rest)
			if head != "set-logic" || !isSimple(logic) {
				return fail(start, "want (set-logic ...) first")
			}
			bodyAt = end
		case head == "check-sat" && rest == "":
			checked = true
		case head == "assert", head == "declare-fun", head == "declare-const", head == "declare-sort", head == "define-fun":
		default:
			return fail(start, "the command %.40q may not be used", head)
		}
		at = end
	}
	if !checked {
		return fail(len(text), "want (check-sat) last")
	}
	return logic, text[bodyAt:], nil
}

// A Command is a top-level form of a script.
type Command struct {
	Name       string // what follows the opening parenthesis: "assert"
	Start, End int    // in the script, parentheses included
}

// Commands splits a script into its commands. What stands between them is white space and comments.
func Commands(script string) ([]Command, error) {
	var out []Command
	for at := 0; ; {
		start := skipSpace(script, at)
		if start == len(script) {
			return out, nil
		}
		end, problem := formEnd(script, start)
		if problem != "" {
			return nil, fmt.Errorf("line %d: %s", 1+strings.Count(script[:end], "\n"), problem)
		}
		name := strings.TrimLeft(script[start+1:end-1], " \t\r\n")
		if n := strings.IndexAny(name, " \t\r\n();"); n >= 0 {
			name = name[:n]
		}
		out = append(out, Command{name, start, end})
		at = end
	}
}

func skipSpace(s string, at int) int {
	for at < len(s) {
		switch s[at] {
		case ' ', '\t', '\n', '\r':
			at++
		case ';':
			n := strings.IndexByte(s[at:], '\n')
			if n < 0 {
				return len(s)
			}
			at += n
		default:
			return at
		}
	}
	return at
}

// formEnd returns where the parenthesised form that begins at start ends, or where and why there is none.
func formEnd(s string, start int) (end int, problem string) {
	if s[start] != '(' {
		return start, "want a command in parentheses"
	}
	depth := 0
	for at := start; at < len(s); at++ {
		switch c := s[at]; c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return at + 1, ""
			}
		case '|', '"':
			// A line break would let a quoted text look like the end of a request.
			n := strings.IndexAny(s[at+1:], string(c)+"\n")
			if n < 0 || s[at+1+n] == '\n' {
				return at, "a quotation does not end on its line"
			}
			at += n + 1
		case ';':
			n := strings.IndexByte(s[at:], '\n')
			if n < 0 {
				return at, "a command does not end"
			}
			at += n
		case '\t', '\n', '\r':
		default:
			if c < ' ' {
				return at, "a control character"
			}
		}
	}
	return start, "a command does not end"
}

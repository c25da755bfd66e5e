package syntax

import "strings"

// Last is where the last token of n starts, as far as the tree knows: closing brackets are not in the tree. For a
// declaration, statement or other large part it is that of its name, or of its first token.
func Last(n Node) Pos {
	switch n := n.(type) {
	case *Name:
		return n.Ident.Pos()
	case *Member:
		return n.Sel.Pos()
	case *Index:
		return Last(n.I)
	case *Slice:
		return Last(n.Lo)
	case *PlusSlice:
		return Last(n.Width)
	case *Unary:
		return Last(n.X)
	case *Binary:
		return Last(n.Y)
	case *Cond:
		return Last(n.Y)
	case *Cast:
		return Last(n.X)
	case *Paren:
		return Last(n.X)
	case *Call:
		if k := len(n.Args); k > 0 {
			return Last(n.Args[k-1].Value)
		}
		if k := len(n.TypeArgs); k > 0 {
			return Last(n.TypeArgs[k-1])
		}
		return Last(n.Fun)
	case *ListExpr:
		if k := len(n.Elems); k > 0 {
			return Last(n.Elems[k-1])
		}
	case *StructExpr:
		if k := len(n.Fields); k > 0 {
			return Last(n.Fields[k-1].Value)
		}
	case *TypeExpr:
		return Last(n.Type)
	case *Arg:
		return Last(n.Value)
	case *BaseType:
		if n.Width != nil {
			return Last(n.Width)
		}
	case *NamedType:
		return n.Ident.Pos()
	case *SpecializedType:
		if k := len(n.Args); k > 0 {
			return Last(n.Args[k-1])
		}
		return Last(n.Base)
	case *StackType:
		return Last(n.Size)
	case *TupleType:
		if k := len(n.Args); k > 0 {
			return Last(n.Args[k-1])
		}
	case *AssignStmt:
		return Last(n.RHS)
	case *CallStmt:
		return Last(n.Call)
	}
	return n.Pos()
}

// span is how many bytes of line a finding is about: from column col to the end of the token that starts at last, with the
// brackets that this leaves open. It is at least 1.
func span(line string, pos, last Pos) int {
	from := int(pos.Col) - 1
	if from < 0 || from >= len(line) {
		return 1
	}
	// The text of a macro all stands where the macro is used.
	if !last.IsValid() || last.File != pos.File || last.Before(pos) {
		last = pos
	}
	if last.Line != pos.Line {
		return len(strings.TrimRight(line[from:], " \t\r"))
	}
	to := int(last.Col) - 1
	if to >= len(line) {
		return 1
	}
	to += wordLength(line[to:])
	return closeBrackets(line, from, to) - from
}

// wordLength is the length of the token that text starts with, at least 1.
func wordLength(text string) int {
	n := 0
	for n < len(text) && (isLetter(text[n]) || isDigit(text[n])) {
		n++
	}
	if n > 0 {
		return n
	}
	if text[0] == '"' {
		for n = 1; n < len(text); n++ {
			switch text[n] {
			case '\\':
				n++
			case '"':
				return n + 1
			}
		}
		return len(text)
	}
	for _, op := range []string{"&&&", "|+|", "|-|", "<<=", ">>=", "...", "==", "!=", "<=", ">=", "<<", "++", "&&", "||", ".."} {
		if strings.HasPrefix(text, op) {
			return len(op)
		}
	}
	return 1
}

// closeBrackets moves to behind the brackets that line[from:to] opens and does not close; if the line does not close them
// either, it stays.
func closeBrackets(line string, from, to int) int {
	open := 0
	for i := from; i < to; i++ {
		switch line[i] {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			open--
		}
	}
	if open <= 0 {
		return to
	}
	for i := to; i < len(line); i++ {
		switch line[i] {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			if open--; open == 0 {
				return i + 1
			}
		}
	}
	return to
}

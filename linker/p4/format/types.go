package format

import "github.com/interlock/interlock/linker/p4/syntax"

// cast reports whether the parentheses at open hold a type that what follows is cast to.
func (r *reader) cast(open, end int) bool {
	n := r.next[end]
	if n >= len(r.toks) || open+1 == end {
		return false
	}
	first := &r.toks[r.next[open]]
	sure := baseType(first.text) || len(first.text) > 2 && first.text[len(first.text)-2:] == "_t"
	if first.kind != word && !first.is(".") {
		return false
	}
	switch t := &r.toks[n]; {
	case t.kind == number, t.kind == str, t.is("("), t.is("{"), t.is("~"), t.is("!"):
	case t.kind == word:
		if t.is("in") {
			return false
		}
	case t.is("-"), t.is("+"), t.is("."):
		if !sure {
			return false
		}
	default:
		return false
	}
	for i := open + 1; i < end; i++ {
		switch t := &r.toks[i]; {
		case t.role == angleOpen || t.role == indexOpen:
			if t.match < 0 || t.match > end {
				return false
			}
			i = t.match
		case t.kind == word && (!syntax.IsKeyword(t.text) || baseType(t.text)), t.is("."), t.kind == blockComment:
		default:
			return false
		}
	}
	return true
}

func baseType(s string) bool {
	switch s {
	case "bit", "bool", "error", "int", "list", "string", "tuple", "varbit", "void", "match_kind":
		return true
	}
	return false
}

// maxTypeArguments bounds the search for the > of a <.
const maxTypeArguments = 400

// typeArguments reports whether the < at i opens type arguments or parameters.
func (r *reader) typeArguments(i int) bool {
	if r.prev < 0 || r.toks[r.prev].kind != word || r.behind {
		return false
	}
	p := &r.toks[r.prev]
	width := p.text == "bit" || p.text == "int" || p.text == "varbit"
	if !width && p.text != "list" && p.text != "tuple" && p.text != "value_set" && syntax.IsKeyword(p.text) && p.text != "type" {
		return false
	}
	// A statement cannot begin with a comparison, and in types nothing can be compared.
	declared := r.top().kind == angles
	if q := r.before(r.prev); !declared && q < 0 {
		declared = true
	} else if !declared {
		declared = r.toks[q].starts || r.top().kind == lines && r.top().first == r.prev || declares(r.toks[q].text)
	}
	if !width && !declared && r.toks[i].space {
		return false
	}
	end := r.angleEnd(i, width)
	if end < 0 {
		return false
	}
	if width || declared {
		return true
	}
	n := r.next[end]
	if n >= len(r.toks) {
		return true
	}
	t := &r.toks[n]
	return t.kind == word || t.is("(") || t.is(">") || t.is(",") || t.is(")") || t.is("[") || t.is("{") || t.is(";") || t.is(".")
}

// before is the token of code before i, or -1.
func (r *reader) before(i int) int {
	for i--; i >= 0 && !r.toks[i].code(); i-- {
	}
	return i
}

// declares reports whether a name with type parameters or arguments may follow the keyword.
func declares(s string) bool {
	switch s {
	case "const", "control", "extern", "header", "header_union", "in", "inout", "out", "package", "parser", "struct", "typedef",
		"type", "void":
		return true
	}
	return false
}

// angleEnd finds the > that closes the < at i, if nothing but types stands in between.
func (r *reader) angleEnd(i int, width bool) int {
	depth := 0
	for j, n := i, 0; j < len(r.toks) && n < maxTypeArguments; j, n = r.next[j], n+1 {
		switch t := &r.toks[j]; {
		case t.kind == word:
			if syntax.IsKeyword(t.text) && !baseType(t.text) && t.text != "_" && !softName(t.text) {
				return -1
			}
		case t.kind == number, t.is(","), t.is("."), t.is("["), t.is("]"):
		case t.is("<"):
			depth++
		case t.is(">"):
			if depth--; depth == 0 {
				return j
			}
		case t.is("("):
			// A width.
			for open := 0; j < len(r.toks) && n < maxTypeArguments; j, n = r.next[j], n+1 {
				if t := &r.toks[j]; t.is("(") {
					open++
				} else if t.is(")") {
					if open--; open == 0 {
						break
					}
				} else if t.is("{") || t.is(";") {
					return -1
				}
			}
			if j >= len(r.toks) {
				return -1
			}
		case width && t.kind == punct && !t.is("{") && !t.is("}") && !t.is(";") && !t.is(")") && !assignment(t.text) &&
			!t.is("&&") && !t.is("||"):
		default:
			return -1
		}
	}
	return -1
}

// softName reports whether the keyword may be a name.
func softName(s string) bool {
	switch s {
	case "actions", "apply", "entries", "key", "list", "priority", "state", "type":
		return true
	}
	return false
}

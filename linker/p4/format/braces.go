package format

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

// openBrace decides whether a brace opens a block or an expression.
func (r *reader) openBrace(i int) {
	t, f := &r.toks[i], r.top()
	if f.kind != lines {
		t.role = listOpen
		r.push(frame{kind: list, open: i})
		return
	}
	kind, head := r.blockOf(f)
	named := head == "key" || head == "actions" || head == "entries"
	if head == "return" || f.block == keyed || f.assign && !named && !r.hasStatements(i) {
		t.role = listOpen
		r.push(frame{kind: list, open: i})
		return
	}
	t.role = blockOpen
	t.flow = head == "if" || head == "else" || head == "for"
	f.expect = false
	r.push(frame{kind: lines, open: i, block: kind, level: f.stmtLevel() + 1, first: -1})
}

// blockOf says what the block holds that the statement being read opens, and which word says so.
func (r *reader) blockOf(f *frame) (blockKind, string) {
	if f.first < 0 || r.prev < f.first {
		return statements, ""
	}
	depth := 0
	for i := f.first; i <= r.prev; i++ {
		t := &r.toks[i]
		switch {
		case t.opens():
			depth++
		case t.closes():
			depth--
		}
		if t.kind != word || depth > 0 {
			if t.is("=") && depth == 0 {
				return declarations, "="
			}
			continue
		}
		switch t.text {
		case "if", "else", "for", "return", "action", "apply", "state":
			return statements, t.text
		case "switch":
			return cases, t.text
		case "select":
			return keyed, t.text
		case "table":
			return property, t.text
		case "struct", "header", "header_union":
			return fields, t.text
		case "enum":
			return members, t.text
		case "error", "match_kind":
			if r.next[i] > r.prev {
				return members, t.text
			}
		case "control", "parser", "package", "extern":
			return declarations, t.text
		case "key", "entries", "actions":
			if n := r.next[i]; n > r.prev || !r.toks[n].is("=") {
				continue
			}
			if t.text == "actions" {
				return names, t.text
			}
			return keyed, t.text
		}
	}
	return statements, ""
}

// hasStatements reports whether a semicolon stands directly in the braces at open.
func (r *reader) hasStatements(open int) bool {
	depth := 0
	for i := open; i < len(r.toks); i = r.next[i] {
		switch t := &r.toks[i]; {
		case t.is("{"), t.is("("), t.is("["):
			depth++
		case t.is("}"), t.is(")"), t.is("]"):
			if depth--; depth == 0 {
				return false
			}
		case t.is(";") && depth == 1:
			return true
		}
	}
	return false
}

func (r *reader) closeBrace(i int) {
	t := &r.toks[i]
	if f := r.top(); f.kind == lines && f.open >= 0 && f.in && (f.block != members || f.expect) {
		r.unfinished(i)
	}
	if !r.complete(i) || !r.closing(i) {
		return
	}
	f := r.pop(i)
	if f.kind == list {
		t.role = listClose
		return
	}
	t.role = blockClose
	t.starts = true
	t.level = f.level - 1
	outer := r.top()
	t.block = outer.block
	if r.follows(i, ";", ",", ")") {
		outer.in = true
		return
	}
	if first := outer.first; first >= 0 && r.toks[first].is("typedef") {
		return
	}
	r.endStatement(r.next[i])
}

// unfinished reports a statement that its block's end cuts off, unless it may be the use of a macro.
func (r *reader) unfinished(i int) {
	f, t := r.top(), &r.toks[i]
	macro := false
	if f.first >= 0 && r.prev >= f.first && !f.expect {
		p := &r.toks[r.prev]
		name := &r.toks[f.first]
		macro = r.prev == f.first && name.kind == word && !syntax.IsKeyword(name.text) ||
			p.role == parenClose && p.match > 0 && (p.match == r.next[f.first] || isMacroName(r.toks[p.match-1].text)) ||
			p.kind == word && isMacroName(p.text)
	}
	if !macro {
		r.fail(t.off, syntax.CodeUnexpected, "unexpected }: ; missing before it")
	}
}

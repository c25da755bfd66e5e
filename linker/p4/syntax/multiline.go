package syntax

import "strings"

// directivesIn obeys the conditional directives among the lines of a string. The C preprocessor, which P4 programs are written
// for, ends a string with its line, so that it obeys directives inside what P4 takes for one string; annotations whose text
// depends on how a program is compiled rely on it. Lines that are left out, and those of directives, are left empty. Other
// directives, and names of macros, are text.
func (pp *preprocessor) directivesIn(t token) token {
	lines := strings.Split(t.text, "\n")
	last := len(lines) - 1 // it has the closing quote
	found := false
	for _, l := range lines[1:last] {
		name, _ := conditionalIn(l)
		found = found || name != ""
	}
	if !found {
		return t
	}
	type group struct {
		cond
		outer bool // the text around it is in force
	}
	var open []group
	live := true
	for i := 1; i < last; i++ {
		name, rest := conditionalIn(lines[i])
		if name == "" {
			if !live {
				lines[i] = ""
			}
			continue
		}
		lines[i] = ""
		pos := t.pos
		pos.Line, pos.Col = pos.Line+int32(i), 1
		switch {
		case strings.HasPrefix(name, "if"):
			if len(open) >= maxIfDepth {
				pp.stop(pos, "#if nested too deeply")
				return t
			}
			g := group{cond: cond{pos: pos}, outer: live}
			live = live && pp.holdsIn(name, rest, pos)
			g.taken = live
			open = append(open, g)
		case len(open) == 0:
			pp.diags.errorf(pos, CodeUnbalancedIf, "#%s without #if in this string", name)
		case name == "endif":
			live = open[len(open)-1].outer
			open = open[:len(open)-1]
		default:
			g := &open[len(open)-1]
			if g.elseSeen {
				pp.diags.errorf(pos, CodeUnbalancedIf, "#%s after #else", name)
			}
			g.elseSeen = g.elseSeen || name == "else"
			live = g.outer && !g.taken && (name == "else" || pp.holdsIn(name, rest, pos))
			g.taken = g.taken || live
		}
	}
	for _, g := range open {
		pp.diags.errorf(g.pos, CodeUnbalancedIf, "#if without #endif in this string")
	}
	t.text = strings.Join(lines, "\n")
	return t
}

// conditionalIn returns the name of the conditional directive that a line is, and what follows it; the name is empty if it is none.
func conditionalIn(line string) (name, rest string) {
	line, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), "#")
	if !ok {
		return "", ""
	}
	line = strings.TrimLeft(line, " \t")
	n := identLen(line)
	switch line[:n] {
	case "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif":
		return line[:n], line[n:]
	}
	return "", ""
}

// holdsIn evaluates the condition of a directive whose text after its name is rest.
func (pp *preprocessor) holdsIn(name, rest string, pos Pos) bool {
	sc := newScanner(newSource(pos.File, rest, false), pp.diags)
	sc.inLine, sc.file, sc.origin, sc.lineAdd = true, pos.File, pos.origin, int(pos.Line)-1
	pp.frames = append(pp.frames, &frame{sc: sc})
	defer func() { pp.frames = pp.frames[:len(pp.frames)-1] }()
	return pp.holds(token{kind: tIdent, text: name, pos: pos})
}

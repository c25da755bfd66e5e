package strictyaml

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Position maps a position inside a scalar's value to the file: line from 1 and column from 0, as CEL counts them, in; line and
// column from 1 out. YAML styles change white space (folding, indentation) and escape a few characters, so the value's other
// characters are found again in the source one by one.
func (n Node) Position(line, col int) (int, int) {
	if n.y == nil {
		return 0, 0
	}
	if line < 1 {
		return n.y.Line, n.y.Column
	}
	target := 0 // characters that are not space before the position
	l, c := 1, 0
	for _, r := range n.y.Value {
		if l > line || l == line && c >= col {
			break
		}
		if r == '\n' {
			l, c = l+1, 0
			continue
		}
		c++
		if !unicode.IsSpace(r) {
			target++
		}
	}
	sl, sc := n.y.Line, n.y.Column // the cursor in the source
	switch {
	case n.y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		sl, sc = sl+1, 1
	case n.y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		sc++
	}
	total := 0
	for _, r := range n.y.Value {
		if !unicode.IsSpace(r) {
			total++
		}
	}
	seen := 0
	for ; sl <= len(n.doc.lines); sl, sc = sl+1, 1 {
		runes := []rune(strings.TrimSuffix(n.doc.lines[sl-1], "\r"))
		for ; sc <= len(runes); sc++ {
			r := runes[sc-1]
			if unicode.IsSpace(r) {
				continue
			}
			skip := 0
			if n.y.Style&yaml.DoubleQuotedStyle != 0 && r == '\\' {
				if sc < len(runes) && strings.ContainsRune("ntr ", runes[sc]) {
					sc++ // an escaped space
					continue
				}
				skip = 1
			}
			if n.y.Style&yaml.SingleQuotedStyle != 0 && r == '\'' && sc < len(runes) && runes[sc] == '\'' {
				skip = 1
			}
			if seen == target {
				return sl, sc
			}
			seen++
			sc += skip
			if seen == total { // past the value's end: right behind its last character
				return sl, sc + 1
			}
		}
	}
	return n.y.Line, n.y.Column
}

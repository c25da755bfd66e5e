package syntax

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Renderer writes findings for people.
type Renderer struct {
	// Color marks severities and places with terminal escape sequences.
	Color bool
}

// Render writes each finding with the line it is in, that part underlined that it is about, and its notes:
//
//	fw.p4:12:9: error[P4101]: expected ;, found }
//	        x = 1 }
//	              ^
//	fw.p4:3:12: note: expanded from macro SET
//	    #define SET x = 1
//	                ^
func (ds Diagnostics) Render(w io.Writer) error { return Renderer{}.Render(w, ds) }

// Render writes findings as Diagnostics.Render does.
func (r Renderer) Render(w io.Writer, ds Diagnostics) error {
	b := bufio.NewWriter(w)
	for _, d := range ds {
		style := red
		if d.Severity == Warning {
			style = yellow
		}
		fmt.Fprintf(b, "%s %s %s\n", r.paint(bold, d.Pos.String()+":"), r.paint(style, fmt.Sprintf("%s[%s]:", d.Severity, d.Code)), r.paint(bold, d.Msg))
		r.excerpt(b, d.Line, d.Pos, max(d.Span, 1), style)
		for _, n := range d.Notes {
			fmt.Fprintf(b, "%s %s %s\n", r.paint(bold, n.Pos.String()+":"), r.paint(cyan, "note:"), n.Msg)
			r.excerpt(b, n.Line, n.Pos, 1, cyan)
		}
	}
	return b.Flush()
}

// maxExcerpt is how much of a source line is shown, in bytes. Generated programs have lines of megabytes.
const maxExcerpt = 160

// excerpt writes a line, or the part of it around the place if it is long, and marks span bytes of it.
func (r Renderer) excerpt(b *bufio.Writer, line string, pos Pos, span int, style string) {
	if line == "" {
		return
	}
	from := min(max(int(pos.Col)-1, 0), len(line))
	line, from = around(line, from)
	to := min(from+span, len(line))
	mark := "^" + strings.Repeat("~", max(len([]rune(line[from:to]))-1, 0))
	fmt.Fprintf(b, "    %s\n    %s%s\n", visible(line), blank(line[:from]), r.paint(style, mark))
}

// around is the part of a line around a place, with ... where something was left out, and the place in it.
func around(line string, at int) (string, int) {
	start, end := 0, len(line)
	if end > maxExcerpt {
		start = min(max(at-maxExcerpt/3, 0), end-maxExcerpt)
		end = start + maxExcerpt
	}
	for start > 0 && !utf8.RuneStart(line[start]) {
		start--
	}
	for end < len(line) && !utf8.RuneStart(line[end]) {
		end++
	}
	part, at := line[start:end], at-start
	if end < len(line) {
		part += "..."
	}
	if start > 0 {
		part, at = "..."+part, at+3
	}
	return part, at
}

// blank is white space as wide as text: tabs stay tabs, and a character of several bytes takes one place.
func blank(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' {
			return c
		}
		return ' '
	}, text)
}

// visible is a source line without what would move the cursor or change a terminal.
func visible(line string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return '?'
		}
		return c
	}, line)
}

// Escape sequences, as used by other compilers.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	cyan   = "\x1b[1;36m"
	plain  = "\x1b[0m"
)

func (r Renderer) paint(style, text string) string {
	if !r.Color {
		return text
	}
	return style + text + plain
}

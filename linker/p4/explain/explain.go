// Package explain documents the codes of diagnostics (P4xxx): what each means, a program that provokes it, the same program
// corrected, and where the P4-16 specification (version 1.2.5) speaks of it. The texts are Markdown, one file for each area of
// codes; tests run every program, and see that no code lacks an entry and no entry its code.
package explain

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.md
var texts embed.FS

// frame is a v1model program that short examples are put into.
//
//go:embed frame.p4
var frame string

// Entry is the documentation of one code.
type Entry struct {
	Code    string
	Title   string
	Text    string // paragraphs of Markdown
	Section string // of the P4-16 specification, or another document with its name; empty if none speaks of it
	// Also are codes that come with it in the wrong example, because one mistake has several consequences.
	Also []string
	// Wrong and Right are empty for the few codes that no text provokes, but only a tree that a program made.
	Wrong, Right Example
}

// Example is a program, or a part of one.
type Example struct {
	// Part is the part of a v1model program that Text stands for: "ingress" (what is in the control), "parser" (its states), "headers" (its
	// structs), "checksum" or "deparser" (their statements); empty if Text is a whole program.
	Part string
	Text string
}

// Program is the whole program of an example.
func (e Example) Program() string {
	if e.Part == "" {
		return e.Text
	}
	begin, end := "//{"+e.Part+"\n", "//}"+e.Part+"\n"
	before, rest, _ := strings.Cut(frame, begin)
	_, after, _ := strings.Cut(rest, end)
	var lines []string
	for line := range strings.Lines(before + e.Text + after) {
		if !strings.HasPrefix(line, "//{") && !strings.HasPrefix(line, "//}") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// All returns the entries of all codes, in their order.
func All() ([]Entry, error) {
	files, err := texts.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, f := range files {
		text, err := texts.ReadFile(f.Name())
		if err != nil {
			return nil, err
		}
		entries, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		all = append(all, entries...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return all, nil
}

// Find returns the entry of a code; ok is false if there is none.
func Find(code string) (e Entry, ok bool, err error) {
	all, err := All()
	if err != nil {
		return Entry{}, false, err
	}
	i := slices.IndexFunc(all, func(e Entry) bool { return strings.EqualFold(e.Code, code) })
	if i < 0 {
		return Entry{}, false, nil
	}
	return all[i], true, nil
}

var errMalformed = errors.New("malformed entry")

// parse reads entries. Each begins with "## CODE Title"; then come paragraphs, lines "Section: ..." and "Also: ..." and two
// fenced blocks "p4 wrong [PART]" and "p4 right [PART]".
func parse(text string) ([]Entry, error) {
	var all []Entry
	for i, part := range strings.Split("\n"+text, "\n## ") {
		if i == 0 {
			continue // the file's title
		}
		e, err := parseEntry(part)
		if err != nil {
			head, _, _ := strings.Cut(part, "\n")
			return nil, fmt.Errorf("%s: %w", head, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func parseEntry(part string) (Entry, error) {
	head, body, _ := strings.Cut(part, "\n")
	var e Entry
	var ok bool
	if e.Code, e.Title, ok = strings.Cut(head, " "); !ok {
		return e, errMalformed
	}
	var text []string
	lines := strings.Split(body, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if v, ok := strings.CutPrefix(line, "Section: "); ok {
			e.Section = v
			continue
		}
		if v, ok := strings.CutPrefix(line, "Also: "); ok {
			e.Also = strings.Split(v, ", ")
			continue
		}
		info, ok := strings.CutPrefix(line, "```p4 ")
		if !ok {
			text = append(text, line)
			continue
		}
		end := slices.Index(lines[i:], "```")
		if end < 0 {
			return e, errMalformed
		}
		x := Example{Text: strings.Join(lines[i+1:i+end], "\n") + "\n"}
		i += end
		which, in, _ := strings.Cut(info, " ")
		x.Part = in
		switch which {
		case "wrong":
			e.Wrong = x
		case "right":
			e.Right = x
		default:
			return e, errMalformed
		}
	}
	e.Text = strings.TrimSpace(strings.Join(text, "\n"))
	if e.Text == "" || (e.Wrong.Text == "") != (e.Right.Text == "") {
		return e, errMalformed
	}
	return e, nil
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/linker/p4/explain"
)

func newExplain() *cobra.Command {
	c := &cobra.Command{
		Use:     "explain [CODE...]",
		GroupID: "program",
		Short:   "Explain the code of an error or warning in a P4 program; without CODE list them all",
		Example: `  interlock explain
  interlock explain P4501`,
	}
	format := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		out := c.OutOrStdout()
		if len(args) == 0 {
			all, err := explain.All()
			if err != nil {
				return exitWith(exitEnvironment, err)
			}
			return exitWith(exitEnvironment, format.print(out, explained(all), func(w io.Writer) {
				for _, e := range all {
					fmt.Fprintf(w, "%s  %s\n", e.Code, plain(e.Title))
				}
			}))
		}
		var entries []explain.Entry
		for _, code := range args {
			e, ok, err := explain.Find(code)
			if err != nil {
				return exitWith(exitEnvironment, err)
			}
			if !ok {
				return inputf("there is no code %s; 'interlock explain' lists all", code)
			}
			entries = append(entries, e)
		}
		return exitWith(exitEnvironment, format.print(out, explained(entries), func(w io.Writer) {
			for i, e := range entries {
				if i > 0 {
					fmt.Fprintln(w)
				}
				printEntry(w, e)
			}
		}))
	}
	return c
}

// explanation is what explain prints as JSON.
type explanation struct {
	Code    string `json:"code"`
	Title   string `json:"title"`
	Text    string `json:"text"`    // Markdown
	Section string `json:"section"` // of the P4-16 specification, or "DOCUMENT SECTION"; may be empty
	Wrong   string `json:"wrong"`   // a program that gives the code; may be empty
	Right   string `json:"right"`   // one that does not
}

func explained(entries []explain.Entry) []explanation {
	list := []explanation{}
	for _, e := range entries {
		x := explanation{Code: e.Code, Title: e.Title, Text: e.Text, Section: e.Section}
		if e.Wrong.Text != "" {
			x.Wrong, x.Right = e.Wrong.Program(), e.Right.Program()
		}
		list = append(list, x)
	}
	return list
}

func printEntry(w io.Writer, e explain.Entry) {
	fmt.Fprintf(w, "%s: %s\n\n%s\n", e.Code, plain(e.Title), wrap(plain(e.Text), 80))
	if e.Section != "" {
		fmt.Fprintf(w, "\nSee %s.\n", where(e.Section))
	}
	if e.Wrong.Text == "" {
		return
	}
	printExample(w, "Wrong", e.Wrong)
	printExample(w, "Right", e.Right)
}

func printExample(w io.Writer, what string, x explain.Example) {
	in := ""
	switch x.Part {
	case "":
	case "ingress":
		in = " (in the ingress control)"
	case "parser", "deparser":
		in = " (in the " + x.Part + ")"
	case "checksum":
		in = " (in the control that computes checksums)"
	case "headers":
		in = " (the headers)"
	}
	fmt.Fprintf(w, "\n%s%s:\n\n", what, in)
	for line := range strings.Lines(x.Text) {
		fmt.Fprint(w, "    ", line)
	}
}

// where names the document that a section is of.
func where(section string) string {
	if section[0] >= '0' && section[0] <= '9' {
		return "section " + section + " of the P4-16 specification 1.2.5"
	}
	if doc, n, ok := strings.Cut(section, " "); ok {
		return "section " + n + " of the " + doc + " specification"
	}
	return section
}

// plain is Markdown without the marks that we use.
func plain(text string) string { return strings.ReplaceAll(text, "`", "") }

// wrap breaks the lines of each paragraph anew, at a width.
func wrap(text string, width int) string {
	var paragraphs []string
	for _, p := range strings.Split(text, "\n\n") {
		var b strings.Builder
		column := 0
		for _, word := range strings.Fields(p) {
			switch {
			case column == 0:
			case column+1+len(word) > width:
				b.WriteByte('\n')
				column = 0
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += len(word)
		}
		paragraphs = append(paragraphs, b.String())
	}
	return strings.Join(paragraphs, "\n\n")
}

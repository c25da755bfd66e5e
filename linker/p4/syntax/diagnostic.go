package syntax

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Severity of a diagnostic.
type Severity int

// Severities. Only errors make a program unusable.
const (
	Error Severity = iota
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one finding in a source text.
type Diagnostic struct {
	Pos      Pos
	Code     string // "P4xxx", documented in errors.go of the package that reports it
	Severity Severity
	Msg      string
	Line     string // the source line Pos is in, for the caret; empty if not known
	Last     Pos    // where the last token starts of what it is about; no position: it is about one token
	Span     int    // how many bytes of Line, from Pos on, it is about; Complete computes it from Last
	Notes    []Note // other places that explain it: where a macro is defined, a file included, a name declared before
}

// Note is a place that explains a finding.
type Note struct {
	Pos  Pos
	Msg  string
	Line string // the source line Pos is in; empty if not known
}

// Error returns file:line:col: error[P4xxx]: message.
func (d Diagnostic) Error() string {
	return fmt.Sprintf("%s: %s[%s]: %s", d.Pos, d.Severity, d.Code, d.Msg)
}

// Diagnostics are findings in the order of the text. A Diagnostics is an error; use Err to turn one without errors into nil.
type Diagnostics []Diagnostic

// Error returns one line per finding.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// HasErrors reports whether any finding is an error.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Err is ds if it holds an error, and nil otherwise: warnings alone are no reason to stop.
func (ds Diagnostics) Err() error {
	if !ds.HasErrors() {
		return nil
	}
	return ds
}

// Unwrap lets errors.As find the single findings.
func (ds Diagnostics) Unwrap() []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = d
	}
	return errs
}

// Sort orders the findings by position, keeping files in the order in which they first appear.
func (ds Diagnostics) Sort() {
	rank := map[string]int{}
	for _, d := range ds {
		if _, ok := rank[d.Pos.File]; !ok {
			rank[d.Pos.File] = len(rank)
		}
	}
	sort.SliceStable(ds, func(i, j int) bool {
		a, b := ds[i].Pos, ds[j].Pos
		if a.File != b.File {
			return rank[a.File] < rank[b.File]
		}
		return a.Before(b)
	})
}

// Complete adds to findings about p what p's text tells of them: the lines that they and their notes are in, and after the
// notes that they have the way through macros and includes. What a finding has already is not added again.
func (p *Program) Complete(ds Diagnostics) {
	for i := range ds {
		d := &ds[i]
		if d.Line == "" {
			d.Line = p.lines.text(d.Pos)
		}
		d.Span = span(d.Line, d.Pos, d.Last)
		trail := d.Pos.Trail()
		if n := len(d.Notes) - len(trail); n < 0 || !slices.EqualFunc(d.Notes[n:], trail, func(a, b Note) bool { return a.Pos == b.Pos && a.Msg == b.Msg }) {
			d.Notes = append(d.Notes[:len(d.Notes):len(d.Notes)], trail...)
		}
		for j := range d.Notes {
			if n := &d.Notes[j]; n.Line == "" {
				n.Line = p.lines.text(n.Pos)
			}
		}
	}
}

// collector gathers the findings of one run.
type collector struct {
	list   Diagnostics
	errors int
	lines  lineMap
}

// maxErrors bounds a report: after so many errors the reader wants to fix some first.
const maxErrors = 100

// full reports whether no further errors are wanted.
func (c *collector) full() bool { return c.errors > maxErrors }

// textMissing reports whether a finding of the preprocessor means that what it yields is not what was meant.
func (c *collector) textMissing() bool {
	for _, d := range c.list {
		if d.Severity == Error && (d.Code == CodeOpenComment || CodeBadDirective <= d.Code && d.Code <= CodeTooLarge) {
			return true
		}
	}
	return false
}

func (c *collector) errorf(pos Pos, code, format string, args ...any) {
	switch {
	case c.errors > maxErrors:
		return
	case c.errors == maxErrors:
		c.add(pos, CodeTooMany, Error, "too many errors")
	default:
		c.add(pos, code, Error, fmt.Sprintf(format, args...))
	}
	c.errors++
}

// mark remembers which findings there are; reset forgets those since.
func (c *collector) mark() [2]int { return [2]int{len(c.list), c.errors} }

func (c *collector) reset(mark [2]int) { c.list, c.errors = c.list[:mark[0]], mark[1] }

func (c *collector) warnf(pos Pos, code, format string, args ...any) {
	c.add(pos, code, Warning, fmt.Sprintf(format, args...))
}

func (c *collector) add(pos Pos, code string, sev Severity, msg string) {
	c.list = append(c.list, Diagnostic{Pos: pos, Code: code, Severity: sev, Msg: msg})
}

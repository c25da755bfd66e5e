package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
)

func newCheck() *cobra.Command {
	var include, defines []string
	var werror, quiet bool
	var describe description
	c := &cobra.Command{
		Use:     "check FILE...",
		GroupID: "program",
		Short:   "Check P4 programs: syntax, types, and what looks wrong",
		Long: `Check reads P4-16 programs (- is standard input) and prints every error and warning with its place. The codes in
brackets are explained by 'interlock explain CODE'; a warning is silenced by @noWarn("P4510") on the declaration, or by
@noWarn with the word that p4c has for its kind, like @noWarn("unused").

The exit code is 0 if there are no errors, 2 if there are. 'interlock schema diagnostics' describes the JSON.`,
		Example: `  interlock check kv.p4
  interlock check -I include -D SLOTS=1024 *.p4
  interlock check -o json - < kv.p4
  interlock check --p4info kv.p4info.txtpb --entries kv.entries.txtpb kv.p4
  interlock check -I include --preprocessed one.p4 main.p4`,
		Args: cobra.MinimumNArgs(1),
	}
	format := addFormat(c)
	c.Flags().StringArrayVarP(&include, "include", "I", nil, "directory to look for #include files in")
	c.Flags().StringArrayVarP(&defines, "define", "D", nil, "macro to define: NAME or NAME=VALUE")
	describe.flags(c)
	c.Flags().BoolVar(&werror, "werror", false, "fail on warnings too")
	c.Flags().BoolVarP(&quiet, "no-warnings", "w", false, "print errors alone")
	c.RunE = func(c *cobra.Command, args []string) error {
		debug.SetGCPercent(400) // a program is read and forgotten: collecting more often costs a quarter of the time
		opts := p4.Options{IncludePath: include, Warnings: !quiet, Architecture: true, Defines: map[string]string{}, Cache: &syntax.Cache{}}
		for _, d := range defines {
			name, value, given := strings.Cut(d, "=")
			if !given {
				value = "1"
			}
			if !isMacroName(name) {
				return inputf("-D %s: want NAME or NAME=VALUE", d)
			}
			opts.Defines[name] = value
		}
		if err := describe.check(args); err != nil {
			return err
		}
		out := c.OutOrStdout()
		renderer := syntax.Renderer{Color: colored(out)}
		list := []diagnostic{} // an empty one is [], not null
		var sum tally
		for diags := range checkAll(args, c.InOrStdin(), opts, &describe) {
			if quiet {
				diags = errorsOf(diags)
			}
			sum.add(diags)
			if *format != "table" {
				list = append(list, diagnosticData(diags)...)
			} else if err := renderer.Render(out, diags); err != nil {
				return exitWith(exitEnvironment, err)
			}
		}
		if err := format.print(out, list, func(io.Writer) {}); err != nil {
			return exitWith(exitEnvironment, err)
		}
		if sum.errors == 0 {
			if err := describe.write(); err != nil {
				return exitWith(exitEnvironment, err)
			}
		}
		if sum.errors > 0 || werror && sum.warnings > 0 {
			return inputf("%s", sum.describe(args))
		}
		if *format == "table" {
			fmt.Fprintln(out, sum.describe(args))
		}
		return nil
	}
	return c
}

// checkAll checks files on all processors, and yields what it finds in the order of the files.
func checkAll(files []string, stdin io.Reader, opts p4.Options, describe *description) func(yield func(syntax.Diagnostics) bool) {
	return func(yield func(syntax.Diagnostics) bool) {
		results := make([]chan syntax.Diagnostics, len(files))
		for i := range results {
			results[i] = make(chan syntax.Diagnostics, 1)
		}
		stop := make(chan struct{})
		defer close(stop)
		// A slot is held until its result is used: no more programs are in memory than are worked on.
		slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
		go func() {
			for i, path := range files {
				select {
				case slots <- struct{}{}:
				case <-stop:
					return
				}
				go func() { results[i] <- checkOne(path, stdin, opts, describe) }()
			}
		}()
		for _, r := range results {
			diags := <-r
			<-slots
			if !yield(diags) {
				return
			}
		}
	}
}

func checkOne(path string, stdin io.Reader, opts p4.Options, describe *description) syntax.Diagnostics {
	var src []byte
	if path == "-" {
		path = "<stdin>"
		var err error
		if src, err = io.ReadAll(io.LimitReader(stdin, syntax.MaxFileSize+1)); err != nil {
			return syntax.Diagnostics{{
				Pos: syntax.Pos{File: path, Line: 1, Col: 1}, Code: syntax.CodeNoInclude, Msg: "cannot read the program: " + err.Error(),
			}}
		}
		if src == nil {
			src = []byte{}
		}
	}
	info, diags := p4.LoadWith(path, src, opts)
	if info == nil || diags.HasErrors() {
		return diags
	}
	return append(diags, describe.generate(info)...)
}

func isMacroName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func errorsOf(diags syntax.Diagnostics) syntax.Diagnostics {
	var errs syntax.Diagnostics
	for _, d := range diags {
		if d.Severity == syntax.Error {
			errs = append(errs, d)
		}
	}
	return errs
}

// colored reports whether w is a terminal whose user did not ask for no colours (https://no-color.org).
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// tally counts what was found.
type tally struct {
	errors, warnings, bad int    // bad: files with errors
	code                  string // of the first error, or the first warning if there are no errors
}

func (t *tally) add(diags syntax.Diagnostics) {
	before := t.errors
	for _, d := range diags {
		if t.code == "" || t.errors == 0 && d.Severity == syntax.Error {
			t.code = d.Code
		}
		if d.Severity == syntax.Warning {
			t.warnings++
		} else {
			t.errors++
		}
	}
	if t.errors > before {
		t.bad++
	}
}

// describe is the summary line.
func (t *tally) describe(files []string) string {
	what := fmt.Sprintf("%d files", len(files))
	if len(files) == 1 {
		what = files[0]
	}
	counts := "no errors"
	if t.errors > 0 {
		counts = plural(t.errors, "error")
	}
	if t.warnings > 0 {
		counts += ", " + plural(t.warnings, "warning")
	}
	switch {
	case t.errors == 0 && t.warnings > 0:
		return fmt.Sprintf("%s: %s; 'interlock explain %s' says more", what, counts, t.code)
	case t.errors == 0:
		return what + ": " + counts
	case len(files) > 1:
		what = fmt.Sprintf("%d of %s", t.bad, what)
	}
	return fmt.Sprintf("%s: %s; 'interlock explain %s' says more", what, counts, t.code)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	p4format "github.com/interlock/interlock/linker/p4/format"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// fmtCommand is one run of interlock fmt.
type fmtCommand struct {
	write, list, diff bool
	out, errs         io.Writer
	failed            int
}

func newFmt() *cobra.Command {
	f := &fmtCommand{}
	c := &cobra.Command{
		Use:     "fmt [FILE|DIR...]",
		GroupID: "program",
		Short:   "Format P4 source, keeping comments, macros and #if branches",
		Long: `Fmt lays out P4-16 source in one style. It works on each file as it is written: #include, #define, macro uses and every
branch of an #if stay, and neither a complete program nor the included files are needed. Tokens, comments and directives never
change; a file that cannot be a part of a program is refused with the place of the mistake, and left as it is.

Without files it formats standard input. In directories it looks for *.p4 and *.p4vrm. Without flags it prints the result.`,
		Example: `  interlock fmt -w .             # format every program below this directory
  interlock fmt -d kv.p4         # show what would change
  test -z "$(interlock fmt -l .)"  # in CI: is everything formatted?`,
	}
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write the result to the file instead of printing it")
	c.Flags().BoolVarP(&f.list, "list", "l", false, "list the files whose formatting differs")
	c.Flags().BoolVarP(&f.diff, "diff", "d", false, "print a diff instead of the result")
	c.RunE = func(c *cobra.Command, args []string) error {
		f.out, f.errs = c.OutOrStdout(), c.ErrOrStderr()
		if len(args) == 0 {
			if f.write {
				return inputf("-w needs files: standard input cannot be written")
			}
			src, err := io.ReadAll(c.InOrStdin())
			if err != nil {
				return exitWith(exitEnvironment, err)
			}
			if err := f.format("<standard input>", "", src); err != nil {
				return err
			}
		}
		for _, arg := range args {
			if err := f.tree(arg); err != nil {
				return err
			}
		}
		if f.failed > 0 {
			return inputf("%d of the files could not be formatted", f.failed)
		}
		return nil
	}
	return c
}

// tree formats the file at root, or the programs below the directory.
func (f *fmtCommand) tree(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return f.fail(err)
		}
		if d.IsDir() || path != root && filepath.Ext(path) != ".p4" && filepath.Ext(path) != ".p4vrm" {
			return nil
		}
		if path != root && !d.Type().IsRegular() {
			return nil // what a link points to is formatted where it lies
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return f.fail(err)
		}
		return f.format(path, path, src)
	})
}

// fail reports a file that is left as it is; the others go on.
func (f *fmtCommand) fail(err error) error {
	f.failed++
	var diags syntax.Diagnostics
	if errors.As(err, &diags) {
		return exitWith(exitEnvironment, diags.Render(f.errs))
	}
	_, err = fmt.Fprintln(f.errs, err)
	return exitWith(exitEnvironment, err)
}

// format formats one text and does with it what the flags say.
func (f *fmtCommand) format(name, path string, src []byte) error {
	out, err := p4format.Source(name, src)
	if err != nil {
		return f.fail(err)
	}
	same := bytes.Equal(src, out)
	if f.list && !same {
		fmt.Fprintln(f.out, name)
	}
	if f.write && !same {
		if err := replaceFile(path, out); err != nil {
			return exitWith(exitEnvironment, err)
		}
	}
	if f.diff {
		_, err = f.out.Write(diff.Diff(name+".orig", src, name, out))
	} else if !f.list && !f.write {
		_, err = f.out.Write(out)
	}
	return exitWith(exitEnvironment, err)
}

// replaceFile puts text in the place of the file at path, or of the one that it links to, at once: there is never half a file.
func replaceFile(path string, text []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(path), ".fmt-*")
	if err != nil {
		return err
	}
	_, err = t.Write(text)
	err = errors.Join(err, t.Chmod(info.Mode().Perm()), t.Close())
	if err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/testdata"
	"github.com/interlock/interlock/verify/ledger"
)

// quickstartSite is the example that init writes, in testdata.Quickstart.
const quickstartSite = "sites/quickstart/site.yaml"

func newInit() *cobra.Command {
	c := &cobra.Command{
		Use:     "init [DIR]",
		GroupID: "program",
		Short:   "Write an example site that links, proves and runs as it is",
		Long: `Init writes DIR/site.yaml with comments, three tenants' programs in DIR/tenants, and an empty verification log with a new
key in DIR/ledger. It overwrites nothing: if any of it is there, it writes none of it.`,
		Example: "  interlock init my-site",
		Args:    cobra.MaximumNArgs(1),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		dir := "."
		if len(args) > 0 {
			dir = args[0]
		}
		files, err := exampleSite()
		if err != nil {
			return err
		}
		s, err := site.Parse(filepath.Join(dir, "site.yaml"), files["site.yaml"])
		if err != nil {
			return err
		}
		names, err := writeExample(dir, s, files)
		if err != nil {
			return err
		}
		out := c.OutOrStdout()
		for _, n := range names {
			fmt.Fprintln(out, "wrote "+n)
		}
		fmt.Fprintf(out, `
The ledger's private key is %s: keep it secret, and give key.pub to auditors. Next:

  interlock switch --listen %s &
  interlock link -s %s -o %s
  interlock prove %[4]s
  interlock install %[4]s
  interlock run %[4]s
`, filepath.Join(s.Resolve(s.Ledger.Dir), "key"), s.Switch.Address, filepath.Join(dir, "site.yaml"), filepath.Join(dir, "linked"))
		return nil
	}
	return c
}

// exampleSite returns the example's files by their paths below the directory to write. The site names its programs below itself there,
// and not beside the other sites' as in testdata.
func exampleSite() (map[string][]byte, error) {
	text, err := fs.ReadFile(testdata.Quickstart, quickstartSite)
	if err != nil {
		return nil, err
	}
	s, err := site.Parse(quickstartSite, text)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, t := range s.Tenants {
		program := path.Join("tenants", path.Base(t.Program))
		text = []byte(strings.ReplaceAll(string(text), "program: "+t.Program+"\n", "program: "+program+"\n"))
		if files[program], err = fs.ReadFile(testdata.Quickstart, path.Join(path.Dir(quickstartSite), t.Program)); err != nil {
			return nil, err
		}
	}
	files["site.yaml"] = text
	return files, nil
}

// writeExample writes files below dir, and makes the site's ledger. It returns what it wrote. If anything of it is there already,
// nothing is written.
func writeExample(dir string, s *site.Site, files map[string][]byte) ([]string, error) {
	log := s.Resolve(s.Ledger.Dir)
	var paths []string
	for name := range files {
		paths = append(paths, filepath.Join(dir, filepath.FromSlash(name)))
	}
	slices.Sort(paths)
	for _, p := range append(slices.Clone(paths), log) {
		if _, err := os.Lstat(p); err == nil {
			return nil, inputf("%s is there already: init overwrites nothing", p)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, exitWith(exitEnvironment, err)
		}
	}
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return nil, exitWith(exitEnvironment, err)
		}
		if err := writeNew(p, text); err != nil {
			return nil, exitWith(exitEnvironment, err)
		}
	}
	if err := ledger.Create(log, "interlock/"+s.Name); err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	return append(paths, log), nil
}

// writeNew makes a file that is not there yet.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

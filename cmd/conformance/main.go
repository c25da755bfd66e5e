// Command conformance runs other people's tests against the front end: the samples of a checkout of p4lang/p4c, which is no
// part of this repository. It prints a line for each kind of test,
//
//	name passed/total (percent, must reach goal)
//
// and writes every failure with its cause to a file. Nothing is left out of a total: a panic, a time-out, and a sample that is
// itself wrong by the specification (known.go says which, and by what section) all count as failures. The exit code is 1 if a
// line is below its goal, and 2 if the tests could not be run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
)

func main() {
	conf := config{}
	flag.StringVar(&conf.p4c, "p4c", "", "`directory` of a checkout of p4lang/p4c")
	flag.StringVar(&conf.only, "only", "", "run this `line` alone")
	flag.StringVar(&conf.match, "match", "", "run only files whose name contains this `text`")
	flag.IntVar(&conf.jobs, "j", runtime.NumCPU(), "`files` at a time")
	flag.Func("world", "also check every v1model program below this `directory`, a checkout of another repository; repeatable",
		func(dir string) error { conf.world = append(conf.world, dir); return nil })
	out := flag.String("o", "conformance.txt", "`file` for the failures with their causes")
	flag.Parse()
	ok, err := run(conf, os.Stdout, *out)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	case !ok:
		os.Exit(1)
	}
}

type config struct {
	p4c, only, match string
	world            []string
	jobs             int
}

// run prints the lines to w and writes the failures to the file out.
func run(conf config, w io.Writer, out string) (ok bool, err error) {
	if conf.p4c == "" && conf.world == nil {
		return false, fmt.Errorf("say where the checkout of p4lang/p4c is: -p4c DIR, or make conformance P4C=DIR")
	}
	lines, err := measure(conf)
	if err != nil {
		return false, err
	}
	ok = true
	var b strings.Builder
	for _, l := range lines {
		if conf.only != "" && l.name != conf.only {
			continue
		}
		fmt.Fprintln(w, l)
		ok = ok && l.reached()
		l.report(&b)
	}
	if err := os.WriteFile(out, []byte(b.String()), 0o644); err != nil {
		return false, err
	}
	fmt.Fprintf(w, "failures with their causes: %s\n", out)
	return ok, nil
}

// measure runs the tests of every line that is wanted.
func measure(conf config) ([]*line, error) {
	b := newBoard()
	if conf.p4c != "" {
		if err := ofP4C(conf, b); err != nil {
			return nil, err
		}
	}
	for _, dir := range conf.world {
		if err := world(dir, conf.match, conf.jobs, b); err != nil {
			return nil, err
		}
	}
	var lines []*line
	for _, l := range goals {
		if l := b.lines[l.name]; conf.want(l.name) && l.total > 0 {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return nil, errors.New("nothing to test")
	}
	return lines, nil
}

// want reports whether any of these lines is asked for.
func (conf config) want(names ...string) bool {
	return conf.only == "" || slices.Contains(names, conf.only)
}

// ofP4C runs the tests of p4c's checkout.
func ofP4C(conf config, b *board) error {
	samples, err := list(conf.p4c, "testdata/p4_16_samples", conf.match)
	if err != nil {
		return err
	}
	var wrong []sample
	for _, dir := range []string{"testdata/p4_16_errors", "testdata/p4_16_bmv_errors"} {
		more, err := list(conf.p4c, dir, conf.match)
		if err != nil {
			return err
		}
		wrong = append(wrong, more...)
	}
	if conf.want("accept-v1model", "accept-core", "accept-other", "p4info", "entries", "install", "roundtrip") {
		each(conf.jobs, samples, func(s sample) { examine(conf.p4c, s, b) })
	}
	if conf.want("nested") {
		if err := nested(conf, b); err != nil {
			return err
		}
	}
	if conf.want("reject") {
		each(conf.jobs, wrong, func(s sample) { reject(conf.p4c, s, b) })
	}
	if conf.want("stf") {
		return stf(conf.p4c, conf.match, conf.jobs, b)
	}
	return nil
}

// sample is one program of the checkout.
type sample struct {
	path string // as it is opened
	name string // below the checkout, with slashes
	arch arch
}

// arch says which line a sample belongs to.
type arch int

const (
	core    arch = iota // core.p4 or nothing
	v1model             // v1model.p4, possibly through another include
	other               // another architecture
)

// list finds the programs in a folder of the checkout, without those in folders below.
func list(root, dir, match string) ([]sample, error) {
	files, err := filepath.Glob(filepath.Join(root, dir, "*.p4"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no programs in %s: is %s a checkout of p4lang/p4c?", filepath.Join(root, dir), root)
	}
	sort.Strings(files)
	var r []sample
	for _, f := range files {
		name := filepath.ToSlash(filepath.Join(dir, filepath.Base(f)))
		if !strings.Contains(name, match) {
			continue
		}
		a, err := archOf(root, f)
		if err != nil {
			return nil, err
		}
		r = append(r, sample{path: f, name: name, arch: a})
	}
	return r, nil
}

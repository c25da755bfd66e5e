package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/types"
)

// checkout is how the programs of one repository are compiled, after its Makefiles and READMEs.
type checkout struct {
	include  []string // below the checkout; the checkout itself is always searched
	settings []setting
	wrong    map[string]string // programs that must be refused: their own repository, or p4c, says why
	// undescribed are programs that are legal, and that p4c makes no P4Info of either.
	undescribed map[string]string
	absent      map[string]string // programs that need a file that is not in the checkout
}

// setting is how programs below a folder are compiled.
type setting struct {
	under   string
	include []string
	defines []string // NAME or NAME=VALUE
}

// program is one program of a checkout, as it is compiled one way.
type program struct {
	path, name string
	opts       p4.Options
	why        string // why it must be refused, or ""
	absent     string // the file that it needs and that is not there, or ""
	described  bool   // P4Info must be made of it
}

// world runs other people's v1model programs: all below a folder that include v1model.p4 and instantiate main.
// They must be accepted, and described as P4Info.
func world(dir string, match string, jobs int, b *board) error {
	programs, err := programsOf(dir)
	if err != nil {
		return err
	}
	each(jobs, programs, func(p program) {
		switch {
		case !strings.Contains(p.name, match):
			return
		case p.absent != "":
			b.note("world", failure{p.name, "not counted: a file is not in the checkout", p.absent})
			return
		}
		var info *types.Info
		f := guarded(p.name, func() *failure {
			i, diags := p4.LoadWith(p.path, nil, p.opts)
			if !diags.HasErrors() && p.described {
				_, more := p4info.Generate(i)
				diags = append(diags, more...)
				_, more = p4info.Entries(i)
				diags = append(diags, more...)
			}
			info = i
			return diagnosed(p.name, diags)
		})
		switch {
		case p.why == "":
			b.result("world", f)
			if f == nil {
				install(p.name, info, b)
			}
		case f == nil:
			b.fail("world-wrong", failure{p.name, "accepted", "must be refused: " + p.why})
		case f.group == "panic" || f.group == "time-out":
			b.fail("world-wrong", *f)
		default:
			b.pass("world-wrong", failure{p.name, "refused, as it must be", p.why + "\nwe say: " + f.cause})
		}
	})
	return nil
}

var mainInstance = regexp.MustCompile(`\)\s*main\s*;`)

// programsOf lists the programs of a checkout, once for each way in which they are compiled.
func programsOf(dir string) ([]program, error) {
	base := filepath.Base(filepath.Clean(dir))
	c := checkouts[base]
	var programs []program
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !isFile(path) || filepath.Ext(path) != ".p4" {
			return nil
		}
		text, err := closure(path, map[string]bool{})
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !strings.Contains(text, "v1model.p4") || !mainInstance.MatchString(text) {
			return nil
		}
		for _, s := range c.settingsOf(name) {
			p := program{
				path: path, name: base + "/" + name,
				why: c.wrong[name], absent: c.absent[name], described: c.undescribed[name] == "",
				opts: p4.Options{IncludePath: []string{dir}, Defines: map[string]string{}},
			}
			for _, i := range append(append([]string(nil), c.include...), s.include...) {
				p.opts.IncludePath = append(p.opts.IncludePath, filepath.Join(dir, i))
			}
			for _, d := range s.defines {
				n, v, given := strings.Cut(d, "=")
				if !given {
					v = "1"
				}
				p.opts.Defines[n] = v
				p.name += " -D" + d
			}
			programs = append(programs, p)
		}
		return nil
	})
	if err == nil && len(programs) == 0 {
		err = fmt.Errorf("no v1model programs in %s", dir)
	}
	return programs, err
}

// settingsOf are the ways in which a program is compiled: at least one.
func (c checkout) settingsOf(name string) []setting {
	var r []setting
	for _, s := range c.settings {
		if strings.HasPrefix(name, s.under) {
			r = append(r, s)
		}
	}
	if r == nil {
		r = []setting{{}}
	}
	return r
}

// closure is the text of a program and of what it includes from beside it, without preprocessing.
func closure(file string, seen map[string]bool) (string, error) {
	if seen[file] {
		return "", nil
	}
	seen[file] = true
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	all := string(text)
	for _, m := range includeLine.FindAllStringSubmatch(all, -1) {
		if next := filepath.Join(filepath.Dir(file), m[1]); isFile(next) {
			more, err := closure(next, seen)
			if err != nil {
				return "", err
			}
			all += more
		}
	}
	return all, nil
}

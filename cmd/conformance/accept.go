package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/format"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// includePath is where samples find what they include: other architectures, and the samples themselves. Our own core.p4 and
// v1model.p4 come before either.
func includePath(root string) []string {
	return []string{filepath.Join(root, "p4include"), filepath.Join(root, "testdata", "p4_16_samples")}
}

// examine runs one sample through the lines for programs that must be accepted.
func examine(root string, s sample, b *board) {
	var info *types.Info
	accepted := guarded(s.name, func() *failure {
		i, diags := p4.Load(s.path, nil, includePath(root)...)
		info = i
		return diagnosed(s.name, diags)
	})
	b.result([]string{core: "accept-core", v1model: "accept-v1model", other: "accept-other"}[s.arch], accepted)
	if accepted == nil {
		b.result("roundtrip", guarded(s.name, func() *failure { return roundtrip(root, s, info.Program) }))
	}
	if s.arch == v1model {
		examineP4Info(root, s, info, accepted, b)
		if accepted == nil {
			install(s.name, info, b)
		}
	}
}

// install compiles an accepted v1model program for the embedded switch, unless it is a library or for another switch.
func install(name string, info *types.Info, b *board) {
	if info.Main == nil {
		return
	}
	if p, ok := info.Main.Type.(*types.Package); !ok || p.Name != "V1Switch" {
		return
	}
	b.result("install", guarded(name, func() *failure {
		if _, err := dataplane.Compile(info); err != nil {
			return &failure{name, "refused by the embedded switch", err.Error()}
		}
		return nil
	}))
}

// nested runs the programs in folders below the samples, which are larger ones: everything that is asked of the others is asked of
// each of them at once.
func nested(conf config, b *board) error {
	dir := filepath.Join(conf.p4c, "testdata", "p4_16_samples")
	var samples []sample
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Dir(path) == dir || filepath.Ext(path) != ".p4" || !isFile(path) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !mainInstance.Match(text) {
			return err // an error, or a part of a program
		}
		a, err := archOf(conf.p4c, path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(conf.p4c, path)
		if err != nil {
			return err
		}
		if name := filepath.ToSlash(rel); strings.Contains(name, conf.match) {
			samples = append(samples, sample{path: path, name: name, arch: a})
		}
		return nil
	})
	if err != nil {
		return err
	}
	each(conf.jobs, samples, func(s sample) {
		own := newBoard()
		examine(conf.p4c, s, own)
		var first *failure
		for _, g := range goals {
			if fs := own.lines[g.name].failures; first == nil && len(fs) > 0 {
				first = &failure{s.name, g.name + ": " + fs[0].group, fs[0].cause}
			}
		}
		b.result("nested", first)
	})
	return nil
}

// result counts a test.
func (b *board) result(name string, f *failure) {
	if f == nil {
		b.pass(name, failure{})
	} else {
		b.fail(name, *f)
	}
}

// diagnosed is the failure that the first error is.
func diagnosed(file string, diags syntax.Diagnostics) *failure {
	for _, d := range diags {
		if d.Severity == syntax.Error {
			return &failure{file, d.Code, d.Error() + "\n" + d.Line}
		}
	}
	return nil
}

// roundtrip prints a program and reads it again: the tree must be the same, and so must the text when it is printed again.
// The same holds for the program's own text when it is formatted.
func roundtrip(root string, s sample, prog *syntax.Program) *failure {
	var first, second bytes.Buffer
	if err := syntax.Print(&first, prog); err != nil {
		return &failure{s.name, "print", err.Error()}
	}
	again, f := reread(root, s, "printed", prog, first.Bytes())
	if f != nil {
		return f
	}
	if err := syntax.Print(&second, again); err != nil {
		return &failure{s.name, "print", err.Error()}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		return &failure{s.name, "another text", "printing the printed program again gives another text"}
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return &failure{s.name, "read", err.Error()}
	}
	once, err := format.Source(s.path, text)
	if err != nil {
		return &failure{s.name, "not formatted", err.Error()}
	}
	if _, f := reread(root, s, "formatted", prog, once); f != nil {
		return f
	}
	twice, err := format.Source(s.path, once)
	if err != nil {
		return &failure{s.name, "not formatted", "the second time: " + err.Error()}
	}
	if !bytes.Equal(once, twice) {
		return &failure{s.name, "another text", "formatting the formatted program again gives another text"}
	}
	return nil
}

// reread parses what was made of a program, and compares.
func reread(root string, s sample, how string, prog *syntax.Program, text []byte) (*syntax.Program, *failure) {
	again, diags := syntax.Parse(s.path, text, syntax.Config{IncludePath: includePath(root), Builtin: p4.Builtin()})
	if f := diagnosed(s.name, diags); f != nil {
		return nil, &failure{s.name, how + " text does not parse", f.cause}
	}
	if !syntax.Equal(prog, again) {
		return nil, &failure{s.name, how + " text is another tree", unequal(prog, again)}
	}
	return again, nil
}

// unequal names the first declaration that differs.
func unequal(a, b *syntax.Program) string {
	for i, d := range a.Decls {
		if i >= len(b.Decls) {
			return "declarations are missing from " + syntax.PrintNode(d)
		}
		if !syntax.Equal(d, b.Decls[i]) {
			return "before:\n" + syntax.PrintNode(d) + "\nafter:\n" + syntax.PrintNode(b.Decls[i])
		}
	}
	return "declarations were added"
}

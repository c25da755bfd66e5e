package p4

import (
	"github.com/interlock/interlock/linker/p4/flow"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/p4/v1model"
	"github.com/interlock/interlock/specs"
)

// Builtin are the files that #include <...> finds before any other, by name.
func Builtin() map[string]string {
	return map[string]string{"core.p4": specs.CoreP4, "v1model.p4": specs.V1ModelP4}
}

// Options say how a program is read and what is said about it.
type Options struct {
	// IncludePath is searched, after the program's own folder, for files that it includes.
	IncludePath []string
	// Defines are macros defined before the first line.
	Defines map[string]string
	// Cache shares the work on core.p4 and v1model.p4 between programs that are loaded with it; their trees must not be changed.
	Cache *syntax.Cache
	// Warnings asks for those of package flow too.
	Warnings bool
	// Architecture asks for the rules of v1model, too, if main is a V1Switch: those of package v1model.
	Architecture bool
}

// Load parses and checks the program at path, or src under that name if src is not nil. Files that it includes are looked for
// beside it and in includePath. The Info is nil if the program does not parse, and complete only if the diagnostics hold no
// error.
func Load(path string, src []byte, includePath ...string) (*types.Info, syntax.Diagnostics) {
	return LoadWith(path, src, Options{IncludePath: includePath})
}

// LoadWith is Load with all options.
func LoadWith(path string, src []byte, opts Options) (*types.Info, syntax.Diagnostics) {
	builtin := Builtin()
	conf := syntax.Config{IncludePath: opts.IncludePath, Builtin: builtin, Defines: opts.Defines, Cache: opts.Cache}
	var prog *syntax.Program
	var diags syntax.Diagnostics
	if src == nil {
		prog, diags = syntax.ParseFile(path, conf)
	} else {
		prog, diags = syntax.Parse(path, src, conf)
	}
	if diags.HasErrors() || prog == nil {
		return nil, diags
	}
	info, found := types.Check(prog)
	if opts.Warnings && !found.HasErrors() {
		found = append(found, flow.Check(info, func(file string) bool { _, ok := builtin[file]; return ok })...)
	}
	if opts.Architecture && !found.HasErrors() {
		found = append(found, v1model.Check(info)...)
	}
	prog.Complete(found)
	diags = append(diags, found...)
	diags.Sort()
	return info, diags
}

package p4

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// Builtin are the files that #include <...> finds before any other, by name.
func Builtin() map[string]string {
	return map[string]string{"core.p4": specs.CoreP4, "v1model.p4": specs.V1ModelP4}
}

// Load parses and checks the program at path, or src under that name if src is not nil. Files that it includes are looked for
// beside it and in includePath. The Info is nil if the program does not parse, and complete only if the diagnostics hold no
// error.
func Load(path string, src []byte, includePath ...string) (*types.Info, syntax.Diagnostics) {
	conf := syntax.Config{IncludePath: includePath, Builtin: Builtin()}
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
	prog.Complete(found)
	diags = append(diags, found...)
	diags.Sort()
	return info, diags
}

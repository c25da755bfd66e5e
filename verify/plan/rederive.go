package plan

import (
	"io/fs"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// rederive makes the P4Info of a linked program from its text; the file that the linker wrote beside it proves nothing. The text
// may include nothing but core.p4 and v1model.p4, so that the result depends on the text alone.
func rederive(linked []byte) (*p4configv1.P4Info, error) {
	prog, diags := syntax.Parse("linked.p4", linked, syntax.Config{Builtin: p4.Builtin(), FS: noFiles{}})
	if err := diags.Err(); err != nil {
		return nil, err
	}
	info, diags := types.Check(prog)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	out, diags := p4info.Generate(info)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

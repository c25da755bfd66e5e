package alloc

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
)

// CodecOf is the codec for a linked program, by its text.
func CodecOf(linked []byte) (*Codec, error) {
	program, diags := p4.Load("linked.p4", linked)
	if err := diags.Err(); err != nil {
		return nil, fmt.Errorf("linked program: %w", err)
	}
	info, diags := p4info.Generate(program)
	if err := diags.Err(); err != nil {
		return nil, fmt.Errorf("linked program: %w", err)
	}
	return NewCodec(info)
}

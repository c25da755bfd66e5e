package main

import (
	"os"
	"path/filepath"

	"github.com/google/go-cmp/cmp"
	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/types"
)

// examineP4Info compares the P4Info of a v1model program with what p4c wrote for it, as messages: the order of what
// is repeated counts.
func examineP4Info(root string, s sample, info *types.Info, accepted *failure, b *board) {
	file := filepath.Join(root, "testdata", "p4_16_samples_outputs", filepath.Base(s.path)+".p4info.txtpb")
	if !isFile(file) {
		return
	}
	if accepted != nil {
		b.fail("p4info", failure{s.name, "not accepted", accepted.cause})
		return
	}
	b.result("p4info", guarded(s.name, func() *failure {
		text, err := os.ReadFile(file)
		if err != nil {
			return &failure{s.name, "read", err.Error()}
		}
		want := &p4configv1.P4Info{}
		if err := prototext.Unmarshal(text, want); err != nil {
			return &failure{s.name, "expected message", err.Error()}
		}
		got, diags := p4info.Generate(info)
		if f := diagnosed(s.name, diags); f != nil {
			return f
		}
		if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
			return &failure{s.name, "another message", "(-want +got)\n" + d}
		}
		return nil
	}))
}

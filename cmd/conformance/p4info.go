package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-cmp/cmp"
	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// examineP4Info compares the P4Info of a v1model program, and its initial entries if it has any, with what p4c wrote for it, as
// messages: the order of what is repeated counts.
func examineP4Info(root string, s sample, info *types.Info, accepted *failure, b *board) {
	compareMessage(b, "p4info", root, s, ".p4info.txtpb", accepted, &p4configv1.P4Info{}, func() (proto.Message, syntax.Diagnostics) {
		return p4info.Generate(info)
	})
	compareMessage(b, "entries", root, s, ".entries.txtpb", accepted, &p4v1.WriteRequest{}, func() (proto.Message, syntax.Diagnostics) {
		return p4info.Entries(info)
	})
}

// compareMessage counts on the line name whether generate makes the message that p4c recorded under the sample's name with the
// given suffix.
func compareMessage(b *board, name, root string, s sample, suffix string, accepted *failure, want proto.Message,
	generate func() (proto.Message, syntax.Diagnostics),
) {
	file := filepath.Join(root, strings.Replace(s.name, "p4_16_samples/", "p4_16_samples_outputs/", 1)+suffix)
	if !isFile(file) {
		return
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = prototext.Unmarshal(text, want)
	}
	switch {
	case err != nil:
		b.fail(name, failure{s.name, "expected message", err.Error()})
		return
	case name == "entries" && proto.Size(want) == 0:
		return
	case accepted != nil:
		b.fail(name, failure{s.name, "not accepted", accepted.cause})
		return
	}
	b.result(name, guarded(s.name, func() *failure {
		got, diags := generate()
		if f := diagnosed(s.name, diags); f != nil {
			return f
		}
		if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
			return &failure{s.name, "another message", "(-want +got)\n" + d}
		}
		return nil
	}))
}

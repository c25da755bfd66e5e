package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// description is what 'check' writes of a program for its controllers and for switches.
type description struct {
	p4info, entries, single string // files, or ""
	data                    map[string][]byte
	err                     error // of encoding
}

func (d *description) flags(c *cobra.Command) {
	c.Flags().StringVar(&d.p4info, "p4info", "", "write the program's P4Info to this `file`: text (.txtpb), .json or .bin")
	c.Flags().StringVar(&d.single, "preprocessed", "", "write it as one text that includes core.p4 and v1model.p4 alone to this `file`: what the switch takes as p4_device_config")
	c.Flags().StringVar(&d.entries, "entries", "", "write its initial table entries, as a P4Runtime WriteRequest, to this `file`")
}

// check refuses what could not be written.
func (d *description) check(files []string) error {
	for _, name := range []string{d.p4info, d.entries, d.single} {
		if name == "" {
			continue
		}
		if len(files) != 1 {
			return inputf("--p4info, --entries and --preprocessed are of one program, and there are %d", len(files))
		}
		if name == d.single {
			continue
		}
		if _, ok := encoding(name); !ok {
			return inputf("%s: want a name that ends in .txtpb, .json or .bin", name)
		}
	}
	if d.p4info != "" && d.p4info == d.entries || d.single != "" && (d.single == d.p4info || d.single == d.entries) {
		return inputf("two of --p4info, --entries and --preprocessed name the same file")
	}
	return nil
}

// encoding of a message in the file of that name, by its suffix.
func encoding(name string) (func(proto.Message) ([]byte, error), bool) {
	switch filepath.Ext(name) {
	case ".txtpb":
		return func(m proto.Message) ([]byte, error) { return p4info.Text(m), nil }, true
	case ".json":
		return func(m proto.Message) ([]byte, error) {
			b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
			var indented bytes.Buffer // the same every time: protojson varies its white space on purpose
			if err == nil {
				err = json.Indent(&indented, b, "", "  ")
			}
			return append(indented.Bytes(), '\n'), err
		}, true
	case ".bin":
		return proto.MarshalOptions{Deterministic: true}.Marshal, true
	}
	return nil, false
}

// generate makes what is wanted and says what cannot be described. The names were checked.
func (d *description) generate(info *types.Info) syntax.Diagnostics {
	d.data = map[string][]byte{}
	var diags syntax.Diagnostics
	add := func(name string, m proto.Message, found syntax.Diagnostics) {
		if !diags.HasErrors() { // they would be the same again
			diags = found
		}
		encode, _ := encoding(name)
		data, err := encode(m)
		if err != nil {
			d.err = errors.Join(d.err, fmt.Errorf("%s: %w", name, err))
		}
		d.data[name] = data
	}
	if d.p4info != "" {
		m, found := p4info.Generate(info)
		add(d.p4info, m, found)
	}
	if d.entries != "" {
		m, found := p4info.Entries(info)
		add(d.entries, m, found)
	}
	if d.single != "" {
		var text bytes.Buffer
		err := syntax.PrintConfig{Include: slices.Sorted(maps.Keys(p4.Builtin()))}.Fprint(&text, info.Program)
		d.err = errors.Join(d.err, err)
		d.data[d.single] = text.Bytes()
	}
	info.Program.Complete(diags)
	return diags
}

// write writes what was generated.
func (d *description) write() error {
	if d.err != nil {
		return d.err
	}
	for name, data := range d.data {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

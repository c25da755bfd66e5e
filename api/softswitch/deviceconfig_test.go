package softswitch

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestSourceText(t *testing.T) {
	const text = "#include <core.p4>\n\"not at the start\" {"
	wrapped := func(data string) string {
		b := protowire.AppendTag(nil, fieldReassign, protowire.VarintType)
		b = protowire.AppendVarint(b, 1)
		b = protowire.AppendTag(b, fieldExtras, protowire.BytesType)
		b = protowire.AppendBytes(b, nil)
		b = protowire.AppendTag(b, fieldDeviceData, protowire.BytesType)
		return string(protowire.AppendString(b, data))
	}
	const asJSON = "\n\"#include <core.p4>\\n\\\"not at the start\\\" {\"\n"
	for _, c := range []struct{ name, config, err string }{
		{"the text itself", text, ""},
		{"a JSON string", asJSON, ""},
		{"P4DeviceConfig", wrapped(text), ""},
		{"a JSON string in a P4DeviceConfig", wrapped(asJSON), ""},
		{"BMv2's JSON", `{"header_types": []}`, "wants that"},
		{"BMv2's JSON in a P4DeviceConfig", wrapped(" {}"), "wants that"},
		{"a JSON string that does not end", `"#include`, "begins like a JSON string"},
		{"two JSON strings", `"a" "b"`, "begins like a JSON string"},
		{"a P4DeviceConfig cut short", wrapped(text)[:20], "begins like a p4.tmp.P4DeviceConfig"},
		{"another message", string(protowire.AppendVarint(protowire.AppendTag([]byte{8, 1}, 4, protowire.VarintType), 7)), "no field 4"},
		{"a P4DeviceConfig without a program", wrapped(""), "is empty"},
		{"white space", " \n", "is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := sourceText([]byte(c.config))
			switch {
			case c.err == "" && (err != nil || string(got) != text):
				t.Errorf("got %q, %v", got, err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %q, %v; want an error with %q", got, err, c.err)
			}
		})
	}
}

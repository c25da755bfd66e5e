package p4info

import (
	"regexp"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// field is the start of a line in the text of a message: prototext varies the white space behind the colon on purpose.
var field = regexp.MustCompile(`(?m)^( *[^ ":]+:) +`)

// Text is a message as protobuf text, the same every time.
func Text(m proto.Message) []byte {
	raw := prototext.MarshalOptions{Multiline: true, Indent: "  "}.Format(m)
	return field.ReplaceAll([]byte(raw), []byte("$1 "))
}

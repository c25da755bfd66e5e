package format

import (
	"errors"
	"fmt"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// ErrChanged says that the result was not the same program: a defect of this package. The text must stay as it is.
var ErrChanged = errors.New("formatting would change the program")

// Source formats the text of a file, or of a fragment of one. name stands for it in errors, which are syntax.Diagnostics
// with the place of the first mistake.
func Source(name string, src []byte) ([]byte, error) {
	f := &file{name: name, text: normal(src)}
	if len(src) > maxSize {
		return nil, f.errorf(0, syntax.CodeTooLarge, "file is too large")
	}
	if end := strings.TrimRight(f.text, " \t\r\n\f\v"); strings.HasSuffix(end, `\`) {
		return nil, f.errorf(len(end)-1, syntax.CodeBadChar, "the last line is continued, and nothing follows")
	}
	if err := f.scan(); err != nil {
		return nil, err
	}
	if err := f.structure(); err != nil {
		return nil, err
	}
	l := &formatter{file: f}
	l.layout()
	out := l.write()
	again := &file{name: name, text: out}
	if err := again.scan(); err != nil || !same(f.toks, again.toks) {
		return nil, fmt.Errorf("%s: %w", name, ErrChanged)
	}
	return []byte(out), nil
}

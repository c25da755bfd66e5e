package dataplane

import (
	"errors"
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// ErrUnsupported is wrapped by every Error about a construct that the switch does not run.
var ErrUnsupported = errors.New("not supported by the embedded switch")

// Error is why a program cannot be loaded, and where.
type Error struct {
	Pos syntax.Pos
	Msg string
	Err error // ErrUnsupported or nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Pos, e.Msg, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Pos, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }

// bail carries an *Error up through the compiler's recursion; Compile turns it back into an error.
type bail struct{ err *Error }

func unsupported(n syntax.Node, format string, args ...any) {
	panic(bail{&Error{Pos: n.Pos(), Msg: fmt.Sprintf(format, args...), Err: ErrUnsupported}})
}

func invalid(n syntax.Node, format string, args ...any) {
	panic(bail{&Error{Pos: n.Pos(), Msg: fmt.Sprintf(format, args...)}})
}

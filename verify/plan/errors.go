package plan

import (
	"fmt"
	"strings"
)

// InputError says that a plan cannot be judged because it does not say clearly what it does. It is a property of the input
// (M7), never of a solver.
type InputError struct {
	Step   int    // index into Input.Steps, -1 if no step is concerned
	Update int    // index of the update in the step's request, -1 if none
	Field  string // which field: "linked", "preState.entities[2].table_entry.priority", "goal[4].mask"
	Err    error
}

func (e *InputError) Error() string {
	var b strings.Builder
	if e.Step >= 0 {
		fmt.Fprintf(&b, "step %d: ", e.Step+1)
	}
	if e.Update >= 0 {
		fmt.Fprintf(&b, "update %d: ", e.Update+1)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *InputError) Unwrap() error { return e.Err }

// where is a position in an Input, from which errors are made.
type where struct {
	step, update int
	path         string
}

// item is the position of element i. Most never come to be named, so the name is made when an error is.
func (w where) item(i int) element { return element{w, i} }

type element struct {
	of    where
	index int
}

func (e element) where() where {
	return where{e.of.step, e.of.update, fmt.Sprintf("%s[%d]", e.of.path, e.index)}
}

func (e element) dot(format string, args ...any) where { return e.where().dot(format, args...) }

func (e element) errorf(format string, args ...any) error { return e.where().errorf(format, args...) }

func inField(path string) where { return where{-1, -1, path} }

func (w where) dot(format string, args ...any) where {
	name := fmt.Sprintf(format, args...)
	if w.path != "" {
		name = w.path + "." + name
	}
	return where{w.step, w.update, name}
}

func (w where) errorf(format string, args ...any) error {
	return &InputError{w.step, w.update, w.path, fmt.Errorf(format, args...)}
}

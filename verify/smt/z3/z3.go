//go:build cgo

package z3

/*
#cgo LDFLAGS: -lz3 -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <z3.h>

// Z3's own handler ends the process; what went wrong is in the text that evaluation returns.
static void il_ignore(Z3_context c, Z3_error_code e) { (void)c; (void)e; }

static Z3_context il_new_context(void) {
	Z3_config config = Z3_mk_config();
	Z3_context c = Z3_mk_context(config);
	Z3_del_config(config);
	if (c) Z3_set_error_handler(c, il_ignore);
	return c;
}

// il_failed returns the message of the error that c is in, or NULL.
static const char *il_failed(Z3_context c) {
	Z3_error_code e = Z3_get_error_code(c);
	return e == Z3_OK ? NULL : Z3_get_error_msg(c, e);
}

static const char *il_library(void) {
	Dl_info info;
	return dladdr((void *)Z3_get_full_version, &info) ? info.dli_fname : "";
}
*/
import "C"

import (
	"errors"
	"strings"
	"unsafe"
)

// Version returns Z3's version as it says itself.
func Version() string { return strings.TrimSpace(C.GoString(C.Z3_get_full_version())) }

// Library returns the path of the shared library that Z3 was loaded from, "" if it is not known.
func Library() string { return C.GoString(C.il_library()) }

// Context holds declarations, assertions and options from one evaluation to the next. It is for one goroutine.
type Context struct{ c C.Z3_context }

// NewContext returns an empty context.
func NewContext() (*Context, error) {
	c := C.il_new_context()
	if c == nil {
		return nil, errors.New("z3: cannot make a context")
	}
	return &Context{c}, nil
}

// Eval evaluates SMT-LIB 2 commands and returns what they print. A command that fails prints (error "..."), and those after it
// are evaluated all the same.
func (c *Context) Eval(text string) string {
	s := C.CString(text)
	defer C.free(unsafe.Pointer(s))
	C.Z3_set_error(c.c, C.Z3_OK) // an earlier evaluation's error stays until it is reset
	out := C.Z3_eval_smtlib2_string(c.c, s)
	var printed string
	if out != nil {
		printed = C.GoString(out)
	}
	if msg := C.il_failed(c.c); msg != nil && !strings.Contains(printed, "(error ") {
		printed += "(error \"" + strings.ReplaceAll(strings.TrimSpace(C.GoString(msg)), `"`, `""`) + "\")\n"
	}
	return printed
}

// Close frees the context.
func (c *Context) Close() {
	if c.c != nil {
		C.Z3_del_context(c.c)
		c.c = nil
	}
}

package main

import (
	"errors"
	"fmt"
)

// Exit codes (DESIGN.md §1). Nothing is applied on any code but exitDone.
const (
	exitDone        = 0
	exitRefused     = 1 // unsafe, whoever noticed: linker, policy or proof
	exitInput       = 2 // usage or bad input
	exitUndecided   = 3 // could not decide
	exitEnvironment = 4 // switch down, disk, solver missing
)

// An exitError carries the exit code that an error ends the command with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitWith gives err an exit code; nil stays nil, and a code given further in stays.
func exitWith(code int, err error) error {
	var have *exitError
	if err == nil || errors.As(err, &have) {
		return err
	}
	return &exitError{code, err}
}

// refusedf, inputf, undecidedf and environmentf make errors of each kind.
func refusedf(format string, args ...any) error {
	return &exitError{exitRefused, fmt.Errorf(format, args...)}
}

func inputf(format string, args ...any) error {
	return &exitError{exitInput, fmt.Errorf(format, args...)}
}

func undecidedf(format string, args ...any) error {
	return &exitError{exitUndecided, fmt.Errorf(format, args...)}
}

func environmentf(format string, args ...any) error {
	return &exitError{exitEnvironment, fmt.Errorf(format, args...)}
}

// adding puts more lines below an error, and leaves it its exit code.
func adding(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	text := fmt.Sprintf(format, args...)
	var coded *exitError
	if errors.As(err, &coded) {
		return &exitError{coded.code, fmt.Errorf("%w\n%s", err, text)}
	}
	return fmt.Errorf("%w\n%s", err, text)
}

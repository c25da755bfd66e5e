// Package types resolves and type-checks a P4-16 program (language version 1.2.5) and tells what it found: the object behind
// every name, the type and compile-time value of every expression, the target of every call. It refuses what it does not
// support by name and position; it never accepts a construct that it did not check.
package types

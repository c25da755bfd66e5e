// Package syntax reads and prints P4-16 source text (language version 1.2.5): preprocessor, scanner, scope-aware
// recursive-descent parser, tree and printer. It knows the grammar and nothing of types: package types checks what this
// package reads.
//
// Promises: no input panics or hangs, or takes more than a bounded amount of time and memory; a program may read nothing outside
// its own folder and the include path; every node carries its position in the file the user wrote, and the way there through
// macros and includes (Pos.Trail); what Print writes parses again to the same tree.
//
// The preprocessor is C's as far as P4 programs use one: #include, object-like and function-like macros with #, ## and variable
// arguments (GNU's names and comma too), #if with 64-bit integers, defined and __has_include, #line and line markers, #error,
// #warning, #pragma once, __FILE__, __LINE__, __COUNTER__. It has no __DATE__ and __TIME__: the same text is the same program
// every day. A program's macros do not reach into system files (Config.Builtin) except through their conditions.
//
// A mistake should give one error, where it is: after an error the parser looks for the next statement, declaration or brace
// from which it can go on, and is silent about what is likely to be an echo. When the preprocessor fails, nothing is parsed.
package syntax

// Package syntax reads and prints P4-16 source text (language version 1.2.5): preprocessor, scanner, scope-aware
// recursive-descent parser, tree and printer. It knows the grammar and nothing of types: package types checks what this
// package reads.
//
// Promises: no input panics or hangs; every node carries its position in the file the user wrote; what Print writes parses
// again to the same tree.
package syntax

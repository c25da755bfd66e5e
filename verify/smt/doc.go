// Package smt makes formulas and has solvers decide them.
//
// Formulas are typed terms (Bool, Int, bit-vectors, arrays, uninterpreted functions), hash-consed by a Builder. Script prints
// them as SMT-LIB 2 in a form that is a pure function of the terms, linear in the size of their graph. A sort error in a call of
// a Builder is a defect of the caller and panics with a clear text; nothing that a user hands in can cause one, because users
// hand in programs, not terms.
//
// Solvers are processes that read that text on their standard input. What is decided is exactly the text that is recorded: a
// Pool takes texts, never terms. Solvers are not trusted to be alive, quick, small or quiet: a process that errs, hangs, grows or
// dies yields Error or Unknown, and is replaced. Only unsat of an obligation and sat of its guard become Proved.
//
// Eval evaluates a term under a model with SMT-LIB's semantics and shares nothing with the solvers, so that models can be checked.
//
// The package does not read whole SMT-LIB scripts back into terms, does not simplify beyond local rewriting, and is pure Go.
package smt

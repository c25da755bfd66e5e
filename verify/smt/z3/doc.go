// Package z3 lets Z3 evaluate SMT-LIB 2 text in process, through Z3's C API: it is what the worker interlock-z3 runs, and nothing
// else imports it. It hands text through unchanged, and promises only that malformed text comes back as an (error ...) line and
// does not end the process; limits are the text's own (:rlimit), time-outs are the caller's, by killing the process. Without cgo
// it is empty.
package z3

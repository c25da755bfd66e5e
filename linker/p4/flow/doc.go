// Package flow warns of what a P4 program most likely does not mean: values used before they are set, fields of invalid headers,
// code, states and cases that are never reached, names that nothing uses, conditions and keys that never vary.
//
// It reads the tree and types.Info of a program without errors and changes neither. Every finding is a warning; no warning means
// no proof. The analysis follows each parser, control and function by itself, through actions, tables (with hit, miss and
// action_run) and isValid(), keeping one abstract value for each field of local variables and out parameters. What comes from
// outside (in and inout parameters) is taken to be set and, as for a header's validity, not known, so that it gives no warning.
// Where it does not know, it is silent: an index that is not constant, next and last of a header stack, very large types.
package flow

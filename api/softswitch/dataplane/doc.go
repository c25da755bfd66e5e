// Package dataplane runs a checked v1model program on packets: it compiles the tree to Go closures over one flat frame of
// 64-bit words, so that a packet costs no tree walk, no map of names and, in steady state, no allocation.
//
// It behaves as simple_switch does, in the order of effects and in what the language leaves open: a packet whose parsing fails
// still goes through ingress with parser_error set, an explicit reject is an accept, everything not initialised is zero,
// drop is egress port 511, and writes to egress_spec in egress matter only as a drop. Unlike simple_switch it never stops at a
// bad index: reading a register out of range gives 0, writing there does nothing, and a metric counts it.
//
// Table entries, default actions and register cells change under running traffic: a packet sees each of them before or after,
// never half. Waiting until the packets that are inside have left is the caller's (package softswitch).
//
// What the compiler does not support it refuses at load, with the position. It knows nothing of P4Runtime (package softswitch
// serves that) and shares no semantics with the verifier, so that running both against each other is a real check.
package dataplane

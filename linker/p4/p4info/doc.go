// Package p4info derives the control-plane description (P4Info) of a checked v1model program: the tables, actions, registers,
// counters, meters, profiles, digests and value sets that P4Runtime can address, with their ids; and its initial table entries
// as a P4Runtime write request.
//
// It promises the same messages that p4c writes for the same program: the same ids, names and aliases, in the same order. What
// it cannot describe it refuses by name and position. It describes what is declared and used, as p4c does: not what can
// never run because it stands after a return or behind a condition that is known to be false.
package p4info

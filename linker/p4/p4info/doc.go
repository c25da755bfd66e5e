// Package p4info derives the control-plane description (P4Info) of a checked v1model program: the tables, actions, registers,
// counters, meters, profiles, digests and value sets that P4Runtime can address, with their ids.
//
// It promises the same message, up to the order of objects of one kind, that p4c writes for the same program; in particular
// the same ids, names and aliases. What it cannot describe it refuses by name and position. It does not translate const
// entries, and it describes what is declared and used, not what an optimiser would leave over.
package p4info

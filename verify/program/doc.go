// Package program proves linked programs: it re-parses the printed program, executes it symbolically for every packet, every
// table and register content, and makes the obligations of properties P1 to P7 and P9 to P12 of DESIGN.md §5.1. Report says
// which of them are not checked.
//
// # What it trusts
//
// The text of the linked program, the P4 front end's reading of it, and the registered tenants: nothing that the linker says. A
// name that starts with a tenant's prefix is the tenant's, every other name is the system's; code that a tenant's code calls is
// the tenant's. What a property is about is recorded where it executes, with its path condition, whatever the construct.
//
// # The machine
//
// A value is a sequence of containers. When a packet arrives, headers are invalid and every container holds anything; of
// standard_metadata, v1model promises ingress_port, packet_length, instance_type, parser_error, checksum_error, mcast_grp and
// ingress_global_timestamp.
// Containers keep what was last written, also while their header is invalid, and that is what an invalid header's field reads; a
// packet that is too short leaves anything in the header that it was to fill. Variables without a value, hashes, checksums and
// register cells are anything. A table without const entries does anything that P4Runtime accepts: any listed action with any
// action data, and another default action where that is not const.
//
// Parsers run path by path with a known cursor; paths that meet in one state at one cursor are merged, and so are all that end
// having run the same tenants' code: what follows runs once for each of these groups, and branches join by if-then-else
// terms. Terms are bit-vectors; the packet is one variable a byte.
//
// What is not modelled is refused at its position (ErrUnsupported): varbit, header unions, sub-parsers, value sets, loops in
// controls, stack indices that are not constant, digest, truncate, parsers with a loop that neither a header stack nor the target's
// bound ends within 256 states, and others.
// So is what could be read in two ways: names under which the control plane would take an object for somebody else's, two
// unknowns at one position of the text (macros, #line), files that are not in the text, const entries that mix prefixes with
// priorities.
//
// Who uses which container is noted where it is read or written, by whoever's code runs then (P6): assignments, slices, arguments that are
// copied in and out, results of externs, extraction, validity.
//
// Parser states count each time a packet enters one (P9). What comes after the target's bound is executed like the rest, as far as the
// model goes: P9 is refuted then, and the other properties do not rest on what the target does there.
//
// A write to egress_port in egress is taken to have no effect, as on BMv2.
//
// P7 runs the machine on two programs side by side: see equivalences.
//
// # Two runs
//
// P4 compares two runs that have the same packet, tables and objects, and differ in what is stale: what containers hold when the packet
// arrives, and variables without a value. What a copy makes of the fields of a header that is not valid, and a packet that is too short of the header
// that it was to fill, is anything, but a function of what that header's containers held, how the packet got there, and the packet: it is stale
// where one of these is. So what was zeroed stays the same in both runs.
//
// An event is what can be seen of a packet (the port and drop at the end of ingress and at the output, each header with its fields, where the
// payload begins, a clone) or what is asked of something that the program does not determine: a table by its keys, a register by its index,
// and what is written there, a counter or meter by its index, a hash, a checksum, random or an assertion by its data. (What log_msg writes is
// for the operator.) The claim of an event: if it happens in the first run, it happens in the second, with the same values. In its formula the second run is the first one's terms with the
// stale unknowns renamed; the other unknowns (what tables, cells, hashes, meters, random and the target answer) are shared. That they may be
// follows by induction over the events of the first run in their order: if all before an event happened in both runs with the same
// values, then the same was asked of the same things in the same order, so there is a second run in which the answers are the same; in this
// run the event happens too, with the same values, as its claim says for any answers. Since the runs may be exchanged, what does not happen
// in the first does not happen in the second. So no event depends on what is stale, nor does what a table, register, counter or meter
// holds for the packets after.
//
// # Checks on itself
//
// Each obligation has a guard: its situation can happen. A model of a refuted obligation is replayed by a second, concrete
// execution before it is shown (Explain). The same concrete execution is compared with the embedded switch in the tests
// (Evaluate).
package program

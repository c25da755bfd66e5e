// Package dataplane runs a checked v1model program on packets: it compiles the tree to instructions on one flat frame of 64-bit
// words (see code.go), and to Go closures for what is more than that: tables, headers, hashes and externs. So a packet costs no
// tree walk, no map of names and, in steady state, no allocation.
//
// It behaves as simple_switch does, in the order of effects (see engine.go) and in what the language leaves open: a packet whose
// parsing fails still goes through ingress with parser_error set, an explicit reject is an accept, everything not initialised is
// zero, drop is egress port 511, writes to egress_spec in egress matter only as a drop, a direct counter or meter sees every
// packet that hits its entry, and a truncation does not reach copies. It differs where simple_switch would end or cannot follow
// the text of v1model:
//
//   - reading a register out of range gives 0, writing there does nothing, a meter's color there is green; a metric counts it;
//   - a false assert or assume drops the packet, with all that it asked for, and is counted;
//   - what a digest says is what was true at the call, and every call sends one;
//   - one received packet causes at most MaxPasses passes through ingress and egress, one pass at most MaxTurns turns of loops; what
//     would be more is dropped and counted (Pipeline.Overrun);
//   - packet_length stays what it was when ingress began; resubmitted and recirculated packets and clones keep ingress_port;
//   - queues are empty: the depths are 0, and the time spent in them is what the clock says.
//
// Table entries, default actions, members, groups, sessions, value sets and register cells change under running traffic: a packet
// sees each of them before or after, never half. Waiting until the packets that are inside have left is the caller's (package
// softswitch). Pipeline.Concurrent tells whether packets may run on several cores without anybody seeing it.
//
// Pipeline.Trace runs a packet through a second compilation of the program, which notes every step and lets an Oracle dictate what
// no program determines: stale fields, hashes, random numbers, colors and selectors' choices. Other packets do not pay for it.
//
// What is generic is compiled once for each call or instance, with its type arguments. Where an optional argument is left out, the
// callee finds zeros and invalid headers. C.apply(...) makes an instance that is called as the block's type, so that what it
// holds can exist only once in each control; C() as a constructor's argument makes one that is called as the parameter.
//
// What the compiler does not support it refuses at load, with the position: optional packets and externs that are left out, more
// arguments than the block has that a constructor parameter stands for, digests of type parameters, a generic block that applies
// another instance of itself, arrays and abstract methods of externs, externs and table properties that v1model does not declare,
// arithmetic on ints that are not constant, registers of headers or stacks, cases in a select that are not constant, and calls in blocks
// where v1model gives them no meaning. It knows nothing of P4Runtime (package softswitch serves that) and shares no semantics with
// the verifier, so that running both against each other is a real check.
package dataplane

// Package softswitch is the embedded switch: it runs a v1model P4 program on packets from pcap files, Linux interfaces,
// sockets or Go code, and is controlled over P4Runtime 1.5 like any other switch.
//
// The device configuration (p4_device_config) is the P4 source text itself, UTF-8, one file that includes nothing but core.p4
// and v1model.p4. The switch makes the P4Info from it and refuses a configuration whose P4Info is another one.
//
// # What it promises
//
// These are the primitives that proofs about its reconfiguration rest on; tests hold it to them.
//
//   - Fence: a PacketOut enters the pipeline only when every packet that was inside has left it. So when it comes back as a
//     PacketIn, no packet is under way that saw a table entry, default action or register cell from before any write that was
//     answered before the PacketOut was sent.
//   - Atomic updates: a packet sees each table entry, default action and register cell as it was before an update or as it is
//     after it, never half. Updates of one request are applied one after the other, in the order they are written in, and
//     packets may run between any two of them; with DATAPLANE_ATOMIC none does, at the price of a stop as long as the batch.
//   - Mastership: the primary is the stream with the highest election id ever seen, 128 bits, and a write is accepted only from
//     it. When a stream becomes primary, no write of another is under way or will be accepted.
//
// Controllers with another role than the default one have a primary of their own, and are let in only where Options.Roles says so:
// what is promised of the primary holds for each role by itself.
//
// Writes do not stop traffic. Packets run one by one, each sees the registers as the one before it left them; with
// Options.Parallel they run concurrently, and only each single access to a register cell is atomic.
//
// # What it does not do
//
// Multicast groups, clone sessions, meters, digests, action profiles and selectors, value sets and idle time-outs. Each is
// refused with UNIMPLEMENTED, or at load with the position in the program. So are header unions, loops other than a parser's,
// entries that are not const, and extern functions that act on other packets or are not deterministic (clone, resubmit,
// recirculate, digest, random, truncate, assert, assume). log_msg is ignored: no packet can tell. A multicast group is always
// empty, so that a packet to one is dropped. The state is in memory: it ends with the process.
package softswitch

// Package softswitch is the embedded switch: it runs a v1model P4 program on packets from pcap files, Linux interfaces,
// sockets or Go code, and is controlled over P4Runtime 1.5 like any other switch.
//
// The device configuration (p4_device_config) is the P4 source text itself, UTF-8, one file that includes nothing but core.p4
// and v1model.p4. Clients that were written for simple_switch_grpc may have it in a p4.tmp.P4DeviceConfig or as one JSON string
// too, and read it back as they gave it. The switch makes the P4Info from it and refuses a configuration whose P4Info is another one.
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
// Writes do not stop traffic. Packets of a program that both reads and writes a register run one by one, each sees the registers
// as the one before it left them; those of other programs run on all cores. With Options.Parallel all do, and then only each
// single access to a register cell is atomic.
//
// # The P4Runtime specification, section by section
//
// Version 1.5.0; what is not in the list is not about servers.
//
//	Client arbitration        as specified. Roles other than the default one only with Options.Roles; a role's configuration is a
//	                          google.protobuf.Struct (see parseScope in role.go). At most 1024 roles, 1024 controllers a role.
//	Bytestrings               read: any length, leading zeros; OUT_OF_RANGE if too large. Written: the shortest.
//	Translation               none: a program with @p4runtime_translation to another width or to strings is refused at load.
//	TableEntry                as specified. The default action of an indirect table is const.
//	Direct resources          as specified, but that they are accepted with an action that does not use them: as on simple_switch,
//	                          the counter and meter of an entry see every packet that hits it.
//	Idle time-outs            as specified, found at the earliest after a tenth of the shortest, between 10 ms and 1 s.
//	Action profiles           as specified: members and groups, or one shots, by hash or at random. UNIMPLEMENTED: the deprecated
//	                          watch. A group all of whose ports are down does what an empty one does: nothing.
//	Counters, registers       as specified; a write without an index is done cell by cell.
//	Meters                    as specified, colors counted: two-rate three-color markers. v1model has no way to declare
//	                          others.
//	Replication               as specified. Groups 1..65535, sessions 1..32767, instances 0..65535, at most 1024 replicas each. A
//	                          replica makes no copy while its port and those of its backups are down; one without backups does.
//	Value sets                as specified.
//	Digests                   as specified. At most 1024 samples a list, 4096 waiting, 65536 unacknowledged; past that the oldest are
//	                          forgotten, or new ones lost.
//	Extern entries            UNIMPLEMENTED: v1model has no other externs with state.
//	Write                     updates are done in the order they are written in. All three atomicities. Packets run between updates,
//	                          but for DATAPLANE_ATOMIC.
//	Read                      every wildcard; from one moment as far as writes go, cell by cell as far as packets go.
//	SetForwardingPipelineConfig, Get...   all actions. RECONCILE_AND_COMMIT keeps the state of objects by id and name, and refuses
//	                          what has no place in the new program.
//	Packet I/O                as specified; packets come from and go to Options.CPUPort.
//	Stream errors             for packets out, digest acknowledgements and messages of other kinds.
//	Capabilities              1.5.0.
//
// # What it does not do
//
// Speak for more than one device; persist anything: the state ends with the process; queue packets: the queue metadata says that
// queues are empty. What a program may contain that the data plane does not run is refused at load with its position: see
// package dataplane.
package softswitch

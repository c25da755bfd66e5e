// Package gateway lets tenants drive what is theirs on a shared switch with ordinary P4Runtime clients. Each tenant sees a virtual switch of its
// own: its own program and P4Info, its own election ids, and the tables, counters and registers of its program, by its program's names and ids.
//
// The gateway translates, and decides nothing: what it makes is decided about by the gate from the bytes (verify/request), and the gate
// alone sends it. What a tenant's program on the shared switch does not have is refused: packet-outs, digests, replication, meters, action
// profiles, idle time-outs, roles, and programs, which come in through link, prove and install. Errors speak of the tenant's own names.
package gateway

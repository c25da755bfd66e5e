// Package request decides what a tenant's P4Runtime requests at run time may say: properties T1, T2 and T4 of DESIGN.md §5.5. It reads the
// bytes that will be sent to the switch and the text of the linked program that runs there, from which it rederives ids and names; it
// trusts neither the gateway that made the request nor the linker's manifest. What it does not know it refuses.
//
//   - T1: every update and every read names only objects of the tenant by their ids: tables, direct counters and counters whose names have the
//     tenant's prefix, and slots of stage arrays that the tenant's page-table entry gives. The action of an entry is one that the table has and
//     that is the tenant's, or NoAction. Nothing else may be in a request: no system object, replication entry, meter, profile, digest, value set,
//     time-out, role, wildcard over objects, unknown field, nor an encoding that a switch could read otherwise.
//   - T2: with the inserts of a request, no table has more entries than the linked program gives it, which is what the policy was asked
//     about; requests are bounded.
//   - T4: an answer speaks of such objects only.
//
// Ports and addresses in the data of actions need no decision here: they are the tenant's virtual ones, which mean nothing until the
// system's write half has translated them, and P11 holds for all contents of tables.
//
// Decisions are exact comparisons; no solver is asked. That T1 confines a tenant rests on P1 of the program: what has a tenant's prefix is
// touched by that tenant's packets alone. That a slot is the tenant's rests on M1 and on when the page-table entry was read, for which the
// gate answers (T3).
package request

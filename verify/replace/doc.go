// Package replace proves replacements of a switch's program while it carries tenants: property M8 of DESIGN.md §5.2, and M4's rule
// over time. What is decided is decoded from the bytes that will be sent, over the P4Info that is rederived from the text of the old
// and of the new linked program.
//
// # How a program is replaced
//
// A linked program lets a tenant's packets no further than its parser without an entry of the admission table (specs.AdmissionTable); a
// program that is new has none. So:
//
//  1. close: the entries of the admission table are deleted, and a fence waits until nobody acts on them. From here on no packet
//     touches what a tenant holds. Deleting them is safe in every state by a standing lemma (specs/lemmas/replace.smt2), as an eviction is;
//     the gate does it before it asks for a proof.
//  2. read: everything that lasts is read from the closed switch (Input.Before). Nothing can change it any more: the one who reads has
//     mastership. Before is recorded in the ledger, durably, before the next step: it outlives the controller and the switch.
//  3. commit: one SetForwardingPipelineConfigRequest. The switch starts the new program with what that declares, and nothing else, as
//     its driver declares (device.Primitives.Replace).
//  4. restore: write requests with every entry, default action, count and slot that a retained tenant had, and with the system's own.
//  5. open: write requests with the entries of the admission table.
//
// Steps 3 to 5 are Input.Steps. Each begins when the one before has succeeded. Whoever dies leaves the admission table empty, or everything
// restored: a table that has any entry says that the restoration was complete. From a closed switch the next controller goes on from
// Before (Input.Continues), whatever the switch lost or half holds: step 3 begins anew. Opening alone (no commit) is for a switch that
// holds all that it should: after an eviction, or when step 5 was cut short.
//
// # What becomes of a tenant
//
// A tenant is known by its name. It is Retained if its code and all its objects are the same in both programs, at whatever VID, ports and
// place; Changed if it is in both, and they are not; Added; or Removed. Retained tenants get everything back. The others' state is gone
// with the old program: new tenants start from zero, and a VID that changes hands carries nothing over, since all of step 4 is known by
// the name of who had it. Where a retained tenant's memory has no place in the new stage arrays, or has slots there that the switch refuses to
// write (Input.Unusable), and where any tenant's was lost that stays, its page-table entry comes back with size 0 and the next generation, so that
// the tenant can tell. Everything that is lost is in
// Input.Lost, which is recorded, and was shown to the operator before step 1.
//
// # What is decided, and by whom
//
// Exactly, by comparison and not by a solver (Encoder.Obligations refuses with an *Error):
//   - the bytes mean this: canonical encodings, known fields, ids of the right program, this switch and election id (M7);
//   - the commit is of the new text, with its rederived P4Info and cookie, and comes first, once;
//   - what the steps write is, as a multiset of names, keys and values, what Before holds of retained tenants and of the system: nothing
//     is missing, doubled, changed, someone else's or new; slots lie where they lay, within the owner's extents;
//   - what is not written is in Lost, tenant by tenant and object by object, and nothing else is;
//   - fates are what comparing the two programs gives; VIDs are unique (M4); who is admitted is who should be.
//
// By the solvers, each with a guard (Obligations):
//   - M4, P10: in the old program a tenant's code runs under that VID only: names stand for VIDs;
//   - M8, P11: in the old program nothing that lasts is touched, and nothing leaves, for a VID without an entry in the admission table;
//   - M8 order: at no step is a tenant's admission open while a step that restores anything has not succeeded;
//   - M1, M3: the extents that are written lie within their stage array and are nobody else's: the next plan may start from there.
//
// The lemma in specs/lemmas/replace.smt2 says why this is enough at every instant, for any number of tenants: any part of a request, in any
// order, and death at any point. Package model tries it out.
//
// # What is assumed
//
// That Before was read after the fence from a switch that nobody else writes to (the gate sees to it), that the switch forgets the old
// program's state and starts with the new one's as its driver declares, and that a restored counter counts on. Idle time-outs of entries start
// again; how long an entry was idle is not restored. The packet replication engine is not read: linked programs do not use it (P3). That P10
// and P11 hold of the new program, as all its other properties, its own certificate says, which the gate demands too.
package replace

// Package plan proves reallocation plans: the properties M1 to M7 of the design for the exact bytes that the gate will send.
//
// A plan is decoded from its serialised P4Runtime requests through the P4Info rederived from the linked program; whatever could
// mean something that was not looked at is refused with an InputError (M7). What the bytes mean is turned into obligations,
// formulas that must be unsatisfiable, which other packages have decided. Obligations are a pure function of the Input, so that an
// auditor can build them again. A refuted obligation is explained in the user's words, after it has happened in the reference model
// (package model).
//
// # Obligations
//
//   - M1 before/N: the extents that the switch has are apart; cut/N: the ends of what the plan touches stand in the order in which the
//     encoder cut the stages, apart from what it leaves alone; exclusive/S: in an interval of shape S at most one tenant reaches a slot.
//   - M2 clean/S: whoever reaches a slot finds nothing of anybody else there, nor what it left itself before it was given the slot:
//     a slot that comes back, or comes at another virtual index, is a new grant.
//   - M3 before, written: extents lie in the array; masks, index, translation: the data plane's arithmetic does not leave them.
//   - M4 vids, keys: VIDs are unique tags, and only registered ones are written.
//   - M5 scrub/S: nothing reachable is scrubbed; frame/S: what is kept stays where it is; generation/P: it goes up by one, modulo 2^16,
//     exactly when a slot of the extent is not kept, is the old or the new one on the way, and the old one never shows other slots; once
//     for each pattern P in which the numbers of an extent lie to each other.
//     The first generation of an entry that was not there may be any.
//   - M6 requests, capacity: every update finds what it needs; goal: the end is the goal; limits: the goal is within the policy's
//     floors and ceilings, and where there is no limit nothing is granted.
//   - M7 markers: fences have distinct nonces. The rest of M7 is decoding.
//
// Their number and size grow with what the plan touches, not with the switch: a shape or pattern is decided once, for all stages, and
// its text is that of earlier plans; what is not touched is one shape; and the obligations before and, of what is not touched, masks are left
// out of a plan that names an earlier proved one whose goal is its pre-state (Input.Previous, Encoder.Follows).
//
// Obligations about shapes have guards: somebody reaches the slot, or it is scrubbed, or kept. The others have none, because all
// that they assume is that names stand for the numbers of the plan. A request that is bound to fail ends what the plan can do: M6
// refutes it, and M1 to M5 are about what happens until then.
//
// Requests without an answer (Unanswered) take effect, update by update, at any moment or never: before the plan, between any two of its
// updates, or after it; until that has ended them which the driver declares. What an entry may be when is found by trying all orders.
//
// # Primitives
//
// What a driver declares of its switches (Primitives) decides what steps mean: what is a complete fence, and in which controls it ends the
// packets in flight; whether a RegisterEntry without an index is a scrub, of every slot; what ends a request without an answer. It is
// part of the Input; what uses something else is refused, or is no fence.
//
// # What is assumed
//
// The read-back pre-state is complete and was taken after arbitration with a strictly higher election ID; the Primitives hold of the switch;
// a write request's updates are applied one by one, each wholly or not, and so is the scrub of each slot; and, before the first fence, the
// packets in flight hold only entries that earlier proved plans let them hold: what they reach is exclusive, free of others' residue, and what the tenant itself left there it wrote under the same grant. The order in
// which slots are cut is a witness and is checked; that an interval lies in an extent, how two numbers of the plan compare, and
// which is the largest, is read off by the encoder. That the plan named as Previous was proved, and Follows, is for those to see to who
// rely on the proof: the gate and the auditor's replay do.
//
// Fenced, Limits and Policy are the planner's word: the gate compares them with its own fences and with the policy in force, and
// applies nothing else. That Unanswered lists all requests, and that election ids, which fence markers carry, are never used again,
// is the gate's to see to as well.
//
// It does not send anything, and it does not decide whether the goal is a good one: only that it respects the limits given. It does
// not know whether a register is folded: a mask that leaves every index below the size alone is accepted, though a larger or smaller
// one maps indices past the size otherwise. It does not know which generation an entry had that was deleted by an earlier plan, nor who
// had a VID before the present registration: that a VID is given to another tenant only after its entries are gone is
// for the one who registers tenants to see to.
package plan

// EncoderVersion names the translation from Input to obligations. It changes whenever some Input yields other texts.
const EncoderVersion = "plan/7"

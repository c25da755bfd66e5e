// Package plan proves reallocation plans: the properties M1 to M7 of the design for the exact bytes that the gate will send.
//
// A plan is decoded from its serialised P4Runtime requests through the P4Info rederived from the linked program; whatever could
// mean something that was not looked at is refused (M7). What the bytes mean is turned into obligations, formulas that must be
// unsatisfiable, which other packages have decided. Obligations are a pure function of the Input, so that an auditor can build
// them again. A refuted obligation is explained in the user's words, after it has happened in the reference model
// (package model).
//
// What is assumed, and not proved here: the read-back pre-state is complete and was taken after arbitration with a strictly higher
// election ID; a fence ends every packet in flight that read an older entry, in every control; a write request's updates are
// applied one by one, each wholly or not; and, before the first fence, the packets in flight hold only entries that earlier proved
// plans let them hold: what they reach is exclusive and free of others' residue. The order in which slots are cut is a witness and
// is checked; that an interval lies in an extent is read off the order of the cuts by the encoder.
//
// It does not send anything, and it does not decide whether the goal is a good one: only that it respects the limits given.
package plan

// EncoderVersion names the translation from Input to obligations. It changes whenever some Input yields other texts.
const EncoderVersion = "plan/1"

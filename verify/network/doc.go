// Package network proves what plans for several switches owe the tenants together, beyond M1 to M7 of each plan (package plan): the
// properties N1 to N4 of the network in every state that it can be in between, decoded from the same bytes.
//
// # Network plans and their states
//
// A network plan is one plan for each switch, cut into rounds. A round has some of the next steps of some of the switches. In a round,
// switches go on side by side, at any pace; the next round begins when every step of this one has succeeded on every switch. When a switch
// fails, the others finish the round and nobody begins the next. So the states of the network are these: for some round, every switch, by
// itself, is anywhere in its part of it; the rounds before are done, and the later ones have not begun. A switch that has died
// or does not answer stays in its part of that round for as long as nobody has read it back. Inside a part the same can happen as inside a
// plan: any subset of a request's updates, in any order, and late requests at any moment.
//
// Switches that are part of the network but cannot be reached are absent: they do nothing, and hold at most what is said of them.
//
// # Obligations
//
//   - N1 limits: in every state a tenant has at most its ceiling over the whole network, or as much as it had before, if that is more; and
//     at the end it is within its ceiling, or has grown on no switch.
//   - N2 order: no switch grows anybody's extents before every switch has shrunk what it shrinks.
//   - N3 floor: in every state, a tenant has less than its floor there (or than it had, if that is less) on one switch at most; so over the
//     network it never has less than the sum of its floors but the largest. The one is where its extent is being moved.
//   - N4 binding: a VID is the same tenant's on every switch, and a tenant has one VID.
//
// That a stage array is never given out beyond its end follows from M1 and M3 of each plan: switches have no slots in common.
//
// N1 and N3 speak of tenants whose entries some plan writes; what nobody writes stays as it was. Obligations with alternatives have guards:
// the state can be had. Those of N2 and N4 only calculate with numbers of the plans.
//
// # What is assumed
//
// Each plan's own proof, of the same bytes. Ceilings, Absent and the switches' limits are the planner's word: the gate compares them with the
// policy in force and with what it knows of absent switches.
package network

// EncoderVersion names the translation from Input to obligations. It changes whenever some Input yields other texts.
const EncoderVersion = "network/1"

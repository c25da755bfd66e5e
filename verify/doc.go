// Package verify defines what a proof is: obligations, verdicts, certificates. Its sub-packages make obligations (program,
// plan), decide them (smt) and record them (ledger). Nothing here trusts the linker or the planner: what is proved is read
// from the bytes that will be sent.
package verify

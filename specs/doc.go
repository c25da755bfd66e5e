// Package specs holds the formal specification and the data that the binary carries: the lemmas, the built-in policies, the
// system program, the declarations of core.p4 and v1model.p4, and the names that a linked program is made of (the ABI).
package specs

// Package policy proves statements about sharing policies (Y in DESIGN.md §5.4).
//
// It translates the checked CEL expressions of a policy to terms of package smt with exactly the semantics that cel-go evaluates them by:
// each has a value and a condition of being an error; integers are those of 64 bits and overflow is an error, && and || absorb errors,
// ratios are exact, macros are unrolled over the tenants and resources, of which there are as many as a statement's bounds say. TestAgree
// holds the translation against cel-go on random expressions and inputs. What has no translation is said at its position, and leaves open what
// depends on it: nothing is approximated.
//
// Progressive filling is a transition system (engine.go, after specs/policies/ENGINE.md; TestEngine holds real runs against it): a statement
// that holds always is proved by induction over its decisions. What a solver refutes is run with package policy, and so by cel-go, before it
// counts; a state that breaks an inductive step but does not come up in a run leaves the statement open.
//
// It does not find invariants, and it does not prove the engine's Go code, nor that evaluation stays within CEL's cost limits.
package policy

// Package lemma reads the standing lemmas of specs/lemmas and has them decided.
//
// A lemma is an SMT-LIB 2 script that any solver runs as it is, in a form that leaves no room for proving nothing:
//
//	; Name: what it says, in a sentence.
//	; Used by: verify/plan decoded.cuts, alloc Recipe
//	;
//	; Why, in words, with the invariant.
//	(set-logic QF_UFLIA)
//	... declarations, definitions, assertions ...
//
//	; Claim: what follows, in words
//	(push 1)
//	... assumptions ...
//	(set-info :status sat)
//	(check-sat)                  the situation is possible
//	... the claim, negated ...
//	(set-info :status unsat)
//	(check-sat)
//	(pop 1)
//
//	; Canary: what would be wrong, in words
//	(push 1)
//	... a broken variant: an assumption less, or another step ...
//	(set-info :status sat)
//	(check-sat)
//	(pop 1)
//
// Each lemma has claims and canaries. A solver decides a lemma's checks one after the other in one process, as the script says; what it
// does not settle at once it decides again as a text of its own, made of all that is in force there, with all of its limits, as it
// decides an obligation.
//
// The package does not say what follows from the lemmas together: specs/README.md does.
package lemma

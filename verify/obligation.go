package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Digest is a SHA-256 in the form "sha256:<64 hex digits>".
type Digest string

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	s := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(s[:]))
}

// An Obligation is one formula that must be unsatisfiable. Text is SMT-LIB 2 without options and exit: (set-logic ...) first,
// then declarations, assertions and one (check-sat). What is decided is exactly this text.
type Obligation struct {
	ID       string `json:"id"`       // unique in its certificate, stable between runs: "P5/ingress/il_stage_ingress_0/kv"
	Property string `json:"property"` // "P5", "M1"
	Subject  string `json:"subject"`  // in the user's words: "tenant kv, stage ingress/0, line 212 of linked.p4"
	Logic    string `json:"logic"`    // QF_LIA, QF_BV, QF_UFLIA, ...
	Text     string `json:"text"`
	// Guard is a text in the same form that must be satisfiable: the situation the obligation speaks of can happen. Empty only
	// where the property's documentation says why no guard is needed.
	Guard string `json:"guard,omitempty"`
}

// Verdict is the outcome of deciding one text. Only Proved opens the gate.
type Verdict string

// Verdicts.
const (
	Proved  Verdict = "proved"  // unsat, and the guard is satisfiable
	Refuted Verdict = "refuted" // sat: Model says how
	Unknown Verdict = "unknown" // Reason: limit, memory, incomplete, vacuous (the guard is unsat)
	Error   Verdict = "error"   // Reason: what the solver printed, or how it died
)

// Result is one solver's verdict on one obligation.
type Result struct {
	Obligation string        `json:"obligation"` // its ID
	Text       Digest        `json:"text"`       // of Obligation.Text
	GuardText  Digest        `json:"guardText,omitempty"`
	Solver     string        `json:"solver"` // name of a SolverInfo in the certificate
	Verdict    Verdict       `json:"verdict"`
	Guard      string        `json:"guard,omitempty"` // sat, or why not
	Reason     string        `json:"reason,omitempty"`
	Model      string        `json:"model,omitempty"` // as the solver printed it
	Time       time.Duration `json:"timeNs"`
	Cached     bool          `json:"cached,omitempty"` // decided earlier: same text, solver and options
}

// SolverInfo identifies a solver so that its verdict can be reproduced.
type SolverInfo struct {
	Name    string   `json:"name"`    // "z3", "cvc5"
	Version string   `json:"version"` // as it says itself
	Binary  Digest   `json:"binary"`
	Options []string `json:"options"`
}

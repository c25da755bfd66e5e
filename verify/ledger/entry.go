package ledger

import (
	"time"

	"github.com/interlock/interlock/verify"
)

// In-toto and DSSE types of entries (https://in-toto.io/Statement/v1).
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PayloadType   = "application/vnd.in-toto+json"
	DecisionType  = "https://github.com/interlock/interlock/decision/v1alpha1"
	OutcomeType   = "https://github.com/interlock/interlock/outcome/v1alpha1"
	KeyType       = "https://github.com/interlock/interlock/key/v1alpha1"
)

// Statement is an in-toto statement, the payload of an entry's DSSE envelope.
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     any        `json:"predicate"` // *Decision, *Outcome or *KeyChange
}

// Resource names what a statement is about.
type Resource struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"` // "sha256": hex
}

// Decision says what was decided about a subject before anything is done with it.
type Decision struct {
	// Action the decision is for: "install" (a program may be installed), "plan", "replace" (a switch gets a program, or tenants are
	// admitted), "evict", "close" (nobody is admitted any more); or "network": what plans for several switches, each decided by itself as
	// well, do together; or "share": that the policy admits whatever its floors and ceilings allow, and that its tenants' balances are
	// what it makes of those before, which are what the last such decision left. Nothing is carried out on the word of these two alone, so no
	// outcome names them.
	Action string `json:"action"`
	Switch string `json:"switch,omitempty"`
	// Verdict is proved, refuted or undecided; or lemma, for an action that is safe in every state by the standing lemma named
	// in Lemma and needs no solver.
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	Lemma   string `json:"lemma,omitempty"`
	// Certificate is the certificate's JSON. It names texts by their digests.
	Certificate *Blob `json:"certificate,omitempty"`
	// Texts are packs of SMT-LIB 2 texts, among them all of the certificate's. In a pack, each text stands between a line "; DIGEST LENGTH"
	// (a comment; the length is in bytes) and a line end. Decisions with the same action may share packs.
	Texts []Blob `json:"texts,omitempty"`
	// Inputs are blobs with everything the obligations were built from, by name.
	Inputs map[string]Blob `json:"inputs,omitempty"`
	Policy string          `json:"policy,omitempty"` // digest of the policy and its input
	// Terms is a blob with the terms of a plan: the policy's text and parameters, capacities, tenants' weights and budgets, what an epoch
	// is. With them, what tenants owe follows from the log. AppendDecision stores TermsText.
	Terms     *Blob     `json:"terms,omitempty"`
	TermsText []byte    `json:"-"`
	Who       string    `json:"who"`
	At        time.Time `json:"at"`
}

// Outcome says what became of a decision on a switch.
type Outcome struct {
	// Action that was carried out: "apply", "replace", "evict", "close"; or "recover": what an interrupted controller left behind was
	// read back from the switch.
	Action   string `json:"action"`
	Switch   string `json:"switch"`
	Decision int64  `json:"decision"` // index of the decision's entry
	// Result is applied, failed (Steps of them succeeded, then Error), interrupted, or pending (of an eviction: Error says why).
	Result string `json:"result"`
	Error  string `json:"error,omitempty"`
	Steps  int    `json:"steps"`
	// PreState and PostState are digests of what was read back: of "no program", or of three lines: the linked program's digest, its
	// cookie in decimal, and the digest of the serialised page tables. A plan begins in the state that it was proved for. An entry's
	// PostState is the next one's PreState; where it is not, something else wrote to the switch.
	PreState  verify.Digest `json:"preState"`
	PostState verify.Digest `json:"postState"`
	// Refused are slots that the plan was to scrub, that are nobody's, and that the switch did not scrub though it answered, or that a
	// replacement was to restore, likewise; Scrubbed are those of earlier outcomes' that it has written now. What is refused twice in a row is in quarantine until it is scrubbed.
	Refused  []Slots                  `json:"refused,omitempty"`
	Scrubbed []Slots                  `json:"scrubbed,omitempty"`
	Times    map[string]time.Duration `json:"timesNs,omitempty"`
	Who      string                   `json:"who"`
	At       time.Time                `json:"at"`
}

// Slots are First to Last of a stage array.
type Slots struct {
	Control string `json:"control"`
	Stage   int    `json:"stage"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Why     string `json:"why,omitempty"` // what the switch said of them, or what they hold
}

// KeyChange says that the entries after it, and checkpoints that cover it, are signed with another key. Both keys sign it: whoever
// trusts one of them can follow to the other. The statement's subject is the new key, by the digest of its text.
type KeyChange struct {
	Old string    `json:"old"` // verifier keys, as in key.pub
	New string    `json:"new"`
	Who string    `json:"who"`
	At  time.Time `json:"at"`
}

// Blob refers to bytes that are stored beside the log.
type Blob struct {
	Content verify.Digest `json:"content"` // of the bytes themselves
	Stored  verify.Digest `json:"stored"`  // of the file, which is compressed
	Size    int64         `json:"size"`    // of the bytes themselves
}

// Results of outcomes.
const (
	Applied     = "applied"
	Failed      = "failed"
	Interrupted = "interrupted"
	Pending     = "pending" // of an eviction that could not be done yet; it carries out no decision and changes no state
)

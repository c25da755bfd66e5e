package check

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// An Entry is what one entry of the log says. One of Decision, Outcome and KeyChange is set, unless it is damaged.
type Entry struct {
	Index     int64      `json:"index"`
	Subject   string     `json:"subject"` // name
	Digest    string     `json:"digest"`  // "sha256:..." of the subject
	Decision  *Decision  `json:"decision,omitempty"`
	Outcome   *Outcome   `json:"outcome,omitempty"`
	KeyChange *KeyChange `json:"keyChange,omitempty"`
}

// unread tells whether the entry is too damaged to say anything.
func (e Entry) unread() bool { return e.Decision == nil && e.Outcome == nil && e.KeyChange == nil }

// Decision as documented in package ledger.
type Decision struct {
	Action      string          `json:"action"`
	Switch      string          `json:"switch,omitempty"`
	Verdict     string          `json:"verdict"`
	Reason      string          `json:"reason,omitempty"`
	Lemma       string          `json:"lemma,omitempty"`
	Certificate *Blob           `json:"certificate,omitempty"`
	Texts       []Blob          `json:"texts,omitempty"`
	Inputs      map[string]Blob `json:"inputs,omitempty"`
	Policy      string          `json:"policy,omitempty"`
	Terms       *Blob           `json:"terms,omitempty"`
	Who         string          `json:"who"`
	At          time.Time       `json:"at"`
}

// Outcome as documented in package ledger.
type Outcome struct {
	Action    string           `json:"action"`
	Switch    string           `json:"switch"`
	Decision  int64            `json:"decision"`
	Result    string           `json:"result"`
	Error     string           `json:"error,omitempty"`
	Steps     int              `json:"steps"`
	PreState  string           `json:"preState"`
	PostState string           `json:"postState"`
	Refused   []Slots          `json:"refused,omitempty"`
	Scrubbed  []Slots          `json:"scrubbed,omitempty"`
	Times     map[string]int64 `json:"timesNs,omitempty"`
	Who       string           `json:"who"`
	At        time.Time        `json:"at"`
}

// Slots as documented in package ledger.
type Slots struct {
	Control string `json:"control"`
	Stage   int    `json:"stage"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Why     string `json:"why,omitempty"`
}

// KeyChange as documented in package ledger.
type KeyChange struct {
	Old string    `json:"old"`
	New string    `json:"new"`
	Who string    `json:"who"`
	At  time.Time `json:"at"`
}

// Types of statements; see package ledger.
const (
	statementType = "https://in-toto.io/Statement/v1"
	payloadType   = "application/vnd.in-toto+json"
	decisionType  = "https://github.com/interlock/interlock/decision/v1alpha1"
	outcomeType   = "https://github.com/interlock/interlock/outcome/v1alpha1"
	keyType       = "https://github.com/interlock/interlock/key/v1alpha1"
)

// subjectKinds says what a decision's certificate has to be about, by the decision's action.
var subjectKinds = map[string]string{
	"install": "program", "plan": "plan", "network": "network", "share": "sharing", "replace": "replacement",
}

// lemmas names the standing lemma that makes an action safe in every state.
var lemmas = map[string]string{"evict": "specs/lemmas/evict.smt2", "close": "specs/lemmas/replace.smt2"}

type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"`
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string         `json:"predicateType"`
	Predicate     jsontext.Value `json:"predicate"`
}

// parsedEntry is an entry before its signatures are verified.
type parsedEntry struct {
	Entry
	signed     []byte // what the signatures are over
	signatures []signature
	err        error
}

// strict reads JSON that says nothing but what v has fields for, and nothing twice.
func strict(b []byte, v any) error { return json.Unmarshal(b, v, json.RejectUnknownMembers(true)) }

// parseEntry reads an envelope and the statement in it.
func parseEntry(index int64, b []byte) parsedEntry {
	p := parsedEntry{Entry: Entry{Index: index}}
	var env envelope
	if err := strict(b, &env); err != nil {
		p.err = fmt.Errorf("the envelope is damaged: %w", err)
		return p
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(env.Payload)
	if err != nil || env.PayloadType != payloadType {
		p.err = errors.New("the envelope is damaged")
		return p
	}
	p.signatures = env.Signatures
	p.signed = fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(env.PayloadType), env.PayloadType, len(payload), payload)
	var s statement
	if err := strict(payload, &s); err != nil || s.Type != statementType || len(s.Subject) != 1 {
		p.err = fmt.Errorf("the statement is not in-toto's (%v)", err)
		return p
	}
	p.Subject, p.Digest = s.Subject[0].Name, "sha256:"+s.Subject[0].Digest["sha256"]
	switch s.PredicateType {
	case decisionType:
		p.Decision, err = predicate[Decision](s.Predicate)
	case outcomeType:
		p.Outcome, err = predicate[Outcome](s.Predicate)
	case keyType:
		p.KeyChange, err = predicate[KeyChange](s.Predicate)
	default:
		err = fmt.Errorf("unknown predicate %q", s.PredicateType)
	}
	p.err = err
	return p
}

func predicate[T any](b []byte) (*T, error) {
	var v T
	if err := strict(b, &v); err != nil {
		return nil, fmt.Errorf("predicate: %w", err)
	}
	return &v, nil
}

// verifyEntry checks an entry's signatures and every digest that it states.
func (l *Log) verifyEntry(p parsedEntry) error {
	keys := []verifierKey{l.keyFor(p.Index)}
	if p.KeyChange != nil {
		keys = append(keys, l.keyFor(p.Index+1))
	}
	if p.signed != nil {
		if err := verifySignatures(p, keys); err != nil {
			return err
		}
	}
	if p.err != nil {
		return p.err
	}
	switch {
	case p.Decision != nil:
		return l.decision(p.Entry)
	case p.KeyChange != nil && p.Digest != digest([]byte(p.KeyChange.New)):
		return errors.New("the subject is not the new key")
	}
	return nil
}

func verifySignatures(p parsedEntry, keys []verifierKey) error {
	if len(p.signatures) != len(keys) {
		return fmt.Errorf("%d signatures, want %d", len(p.signatures), len(keys))
	}
	for i, k := range keys {
		s := p.signatures[i]
		sig, err := base64.StdEncoding.Strict().DecodeString(s.Sig)
		if err != nil || s.KeyID == k.id() && !ed25519.Verify(k.public, p.signed, sig) {
			return errors.New("the signature does not fit the statement")
		}
		if s.KeyID != k.id() {
			return fmt.Errorf("signed with key %q, not %s", s.KeyID, k.id())
		}
	}
	return nil
}

// decision checks that inputs, obligations and certificate are there and belong together.
func (l *Log) decision(e Entry) error {
	d := e.Decision
	kind := d.Action
	var cert *certificate
	if d.Certificate != nil {
		var ok bool
		if kind, ok = subjectKinds[d.Action]; !ok {
			return fmt.Errorf("a certificate for a decision to %s", d.Action)
		}
		var err error
		if cert, err = l.certificate(e); err != nil && !errors.Is(err, ErrRedacted) {
			return err
		}
		if cert != nil && cert.SubjectKind != kind {
			return fmt.Errorf("a decision to %s on a certificate of a %s", d.Action, cert.SubjectKind)
		}
	}
	if d.Terms != nil {
		if err := l.holds(*d.Terms); err != nil {
			return fmt.Errorf("terms: %w", err)
		}
	}
	subject := sha256.New()
	fmt.Fprintf(subject, "%q\n", kind)
	for _, name := range sortedNames(d.Inputs) {
		if err := l.holds(d.Inputs[name]); err != nil {
			return fmt.Errorf("input %s: %w", name, err)
		}
		fmt.Fprintf(subject, "%q %s\n", name, d.Inputs[name].Content)
	}
	got := "sha256:" + hex.EncodeToString(subject.Sum(nil))
	if got != e.Digest || cert != nil && got != cert.Subject {
		return fmt.Errorf("the inputs are not those of the subject %s", e.Digest)
	}
	if d.Certificate == nil {
		// Without a proof of its own a decision may only be what a standing lemma allows in every state.
		if d.Verdict != "lemma" || d.Lemma != lemmas[d.Action] || d.Lemma == "" || len(d.Texts) > 0 {
			return fmt.Errorf("a decision to %s, said to be %s, with neither certificate nor a lemma for it", d.Action, d.Verdict)
		}
		return nil
	}
	if d.Lemma != "" {
		return fmt.Errorf("a decision with both a certificate and a lemma")
	}
	var packs []map[string]bool
	redacted := false
	for _, ref := range d.Texts {
		names, err := l.namesIn(ref)
		if errors.Is(err, ErrRedacted) {
			redacted = true
		} else if err != nil {
			return fmt.Errorf("obligations: %w", err)
		}
		packs = append(packs, names)
	}
	if cert == nil {
		return nil
	}
	if !redacted {
		if err := cert.texts(packs); err != nil {
			return err
		}
	}
	return cert.amounts(d.Verdict)
}

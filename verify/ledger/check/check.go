// Package check reads a verification log and checks it, for auditors: signatures, inclusion, consistency with an earlier
// checkpoint, every entry's own digests, the continuity of the switch's states. It shares no code with the writer and trusts
// nothing but the verifier key it is given.
package check

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Finding is something wrong with a log.
type Finding struct {
	Entry int64  `json:"entry"` // index, or -1 where no single entry is at fault
	File  string `json:"file"`  // relative to the log's directory
	What  string `json:"what"`
}

func (f Finding) String() string {
	if f.Entry < 0 {
		return fmt.Sprintf("%s: %s", f.File, f.What)
	}
	return fmt.Sprintf("entry %d (%s): %s", f.Entry, f.File, f.What)
}

// Blob refers to bytes beside the log.
type Blob struct {
	Content string `json:"content"`
	Stored  string `json:"stored"`
	Size    int64  `json:"size"`
}

// An Entry is what one entry of the log says. Decision or Outcome is set.
type Entry struct {
	Index    int64
	Subject  string // name
	Digest   string // "sha256:..." of the subject
	Decision *Decision
	Outcome  *Outcome
}

// unread tells whether the entry is too damaged to say anything.
func (e Entry) unread() bool { return e.Decision == nil && e.Outcome == nil }

// Decision as documented in package ledger.
type Decision struct {
	Action      string          `json:"action"`
	Switch      string          `json:"switch"`
	Verdict     string          `json:"verdict"`
	Reason      string          `json:"reason"`
	Lemma       string          `json:"lemma"`
	Certificate *Blob           `json:"certificate"`
	Obligations *Blob           `json:"obligations"`
	Inputs      map[string]Blob `json:"inputs"`
	Policy      string          `json:"policy"`
	Who         string          `json:"who"`
	At          time.Time       `json:"at"`
}

// Outcome as documented in package ledger.
type Outcome struct {
	Action    string                   `json:"action"`
	Switch    string                   `json:"switch"`
	Decision  int64                    `json:"decision"`
	Result    string                   `json:"result"`
	Error     string                   `json:"error"`
	Steps     int                      `json:"steps"`
	PreState  string                   `json:"preState"`
	PostState string                   `json:"postState"`
	Times     map[string]time.Duration `json:"timesNs"`
	Who       string                   `json:"who"`
	At        time.Time                `json:"at"`
}

// Types of statements; see package ledger.
const (
	statementType = "https://in-toto.io/Statement/v1"
	payloadType   = "application/vnd.in-toto+json"
	decisionType  = "https://github.com/interlock/interlock/decision/v1alpha1"
	outcomeType   = "https://github.com/interlock/interlock/outcome/v1alpha1"
)

const width = 256 // entries and hashes a tile

// maxBlob bounds what a blob may say that it unpacks to, in bytes: a log from elsewhere must not exhaust its checker.
const maxBlob = 1 << 30

// subjectKinds says what a decision's certificate has to be about, by the decision's action.
var subjectKinds = map[string]string{"install": "program", "plan": "plan"}

// lemmas names the standing lemma that makes an action safe in every state.
var lemmas = map[string]string{"evict": "specs/lemmas/evict.smt2"}

// decisions says which decision an outcome's action carries out.
var decisions = map[string]string{"install": "install", "apply": "plan", "evict": "evict"}

// A Log is a log as read from disk.
type Log struct {
	Origin   string
	Size     int64
	Root     string // base64
	Entries  []Entry
	Findings []Finding

	dir    string
	key    verifierKey
	leaves [][32]byte
}

// Read reads the log in dir and checks everything about it. What is wrong is in Findings; an error means that there was nothing
// to check: no checkpoint, or no usable key. key is a verifier key in the note format (the content of key.pub).
func Read(dir, key string) (*Log, error) {
	k, err := parseKey(key)
	if err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	l := &Log{dir: dir, key: k}
	cp, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return nil, err
	}
	root, ok := l.checkpoint(cp)
	if !ok {
		return l, nil
	}
	l.leaves = l.entries()
	l.tiles(l.leaves)
	if int64(len(l.leaves)) == l.Size && merkle(l.leaves) != root {
		l.find(-1, "checkpoint", "the entries do not hash to the checkpoint's root")
	}
	l.continuity()
	return l, nil
}

func (l *Log) find(entry int64, file, format string, args ...any) {
	l.Findings = append(l.Findings, Finding{entry, file, fmt.Sprintf(format, args...)})
}

type verifierKey struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
}

// parseKey reads "name+hash+base64(1, public key)".
func parseKey(s string) (verifierKey, error) {
	parts := strings.SplitN(strings.TrimSpace(s), "+", 3)
	if len(parts) != 3 {
		return verifierKey{}, fmt.Errorf("want name+hash+key")
	}
	h, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil || len(parts[1]) != 8 {
		return verifierKey{}, fmt.Errorf("bad key hash %q", parts[1])
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 1 {
		return verifierKey{}, fmt.Errorf("not an Ed25519 key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if binary.BigEndian.Uint32(sum[:]) != uint32(h) {
		return verifierKey{}, fmt.Errorf("the key's hash is not %s", parts[1])
	}
	return verifierKey{parts[0], uint32(h), raw[1:]}, nil
}

// checkpoint checks the signed note byte for byte and sets Origin, Size and Root.
func (l *Log) checkpoint(cp []byte) (root [32]byte, ok bool) {
	root, err := l.parseCheckpoint(cp)
	if err != nil {
		l.find(-1, "checkpoint", "%v", err)
		return root, false
	}
	return root, true
}

func (l *Log) parseCheckpoint(cp []byte) (root [32]byte, err error) {
	text, sigs, found := strings.Cut(string(cp), "\n\n")
	if !found {
		return root, fmt.Errorf("no signature")
	}
	text += "\n"
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return root, fmt.Errorf("want three lines: origin, size, root hash")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return root, fmt.Errorf("bad size %q", lines[1])
	}
	h, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(h) != 32 {
		return root, fmt.Errorf("bad root hash %q", lines[2])
	}
	// One line "— name base64(hash, signature)", and nothing else.
	line, rest, ended := strings.Cut(sigs, "\n")
	name, blob, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
	sig, err := base64.StdEncoding.Strict().DecodeString(blob)
	switch {
	case err != nil || !ended || rest != "" || !strings.HasPrefix(line, "— ") || len(sig) != 4+ed25519.SignatureSize:
		return root, fmt.Errorf("the signature line is damaged")
	case name != l.key.name || binary.BigEndian.Uint32(sig) != l.key.hash:
		return root, fmt.Errorf("signed by %s, not by %s", name, l.key.name)
	case !ed25519.Verify(l.key.public, []byte(text), sig[4:]):
		return root, fmt.Errorf("the signature does not fit the text")
	case lines[0] != l.key.name:
		return root, fmt.Errorf("the origin is %q, not %q", lines[0], l.key.name)
	}
	l.Origin, l.Size, l.Root = lines[0], size, lines[2]
	return [32]byte(h), nil
}

// tilePath is tile/<level>/<N> with N in groups of three digits, and .p/<w> for a partial tile.
func tilePath(level string, n, w int64) string {
	p := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		p = fmt.Sprintf("x%03d/%s", n%1000, p)
	}
	if w < width {
		p += fmt.Sprintf(".p/%d", w)
	}
	return "tile/" + level + "/" + p
}

// entries reads every bundle, checks every entry and returns the leaf hashes.
func (l *Log) entries() [][32]byte {
	var leaves [][32]byte
	for first := int64(0); first < l.Size; first += width {
		n := min(l.Size-first, width)
		file := tilePath("entries", first/width, n)
		b, err := os.ReadFile(filepath.Join(l.dir, file))
		if err != nil {
			l.find(first, file, "%v", err)
			return leaves
		}
		for i := first; i < first+n; i++ {
			if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
				l.find(i, file, "the entry is cut off")
				return leaves
			}
			e := b[2 : 2+int(binary.BigEndian.Uint16(b))]
			b = b[2+len(e):]
			leaves = append(leaves, sha256.Sum256(append([]byte{0}, e...)))
			entry, err := l.entry(i, e)
			if err != nil {
				l.find(i, file, "%v", err)
			}
			l.Entries = append(l.Entries, entry)
		}
		if len(b) > 0 {
			l.find(first+n-1, file, "%d bytes after the last entry", len(b))
		}
	}
	return leaves
}

type envelope struct {
	PayloadType string `json:"payloadType"`
	Payload     string `json:"payload"`
	Signatures  []struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	} `json:"signatures"`
}

type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("text after the end")
	}
	return nil
}

// entry checks an envelope's signature and every digest that it states.
func (l *Log) entry(index int64, b []byte) (Entry, error) {
	e := Entry{Index: index}
	var env envelope
	if err := strict(b, &env); err != nil {
		return e, fmt.Errorf("the envelope is damaged: %w", err)
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(env.Payload)
	if err != nil || env.PayloadType != payloadType || len(env.Signatures) != 1 {
		return e, fmt.Errorf("the envelope is damaged")
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(env.Signatures[0].Sig)
	signed := fmt.Sprintf("DSSEv1 %d %s %d %s", len(env.PayloadType), env.PayloadType, len(payload), payload)
	if err != nil || !ed25519.Verify(l.key.public, []byte(signed), sig) {
		return e, fmt.Errorf("the signature does not fit the statement")
	}
	if env.Signatures[0].KeyID != fmt.Sprintf("%s+%08x", l.key.name, l.key.hash) {
		return e, fmt.Errorf("signed with key %q", env.Signatures[0].KeyID)
	}
	var s statement
	if err := strict(payload, &s); err != nil || s.Type != statementType || len(s.Subject) != 1 {
		return e, fmt.Errorf("the statement is not in-toto's (%v)", err)
	}
	e.Subject, e.Digest = s.Subject[0].Name, "sha256:"+s.Subject[0].Digest["sha256"]
	switch s.PredicateType {
	case decisionType:
		e.Decision = &Decision{}
		if err := strict(s.Predicate, e.Decision); err != nil {
			return e, fmt.Errorf("decision: %w", err)
		}
		return e, l.decision(e)
	case outcomeType:
		e.Outcome = &Outcome{}
		if err := strict(s.Predicate, e.Outcome); err != nil {
			return e, fmt.Errorf("outcome: %w", err)
		}
		return e, nil
	}
	return e, fmt.Errorf("unknown predicate %q", s.PredicateType)
}

// decision checks that inputs, obligations and certificate are there and belong together.
func (l *Log) decision(e Entry) error {
	d := e.Decision
	subject := sha256.New()
	var kind string
	var cert certificate
	if d.Certificate != nil {
		b, err := l.Blob(*d.Certificate)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		if err := json.Unmarshal(b, &cert); err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		kind = cert.SubjectKind
		if subjectKinds[d.Action] != kind {
			return fmt.Errorf("a decision to %s on a certificate of a %s", d.Action, kind)
		}
	} else {
		kind = d.Action
	}
	fmt.Fprintf(subject, "%q\n", kind)
	for _, name := range sortedNames(d.Inputs) {
		if _, err := l.Blob(d.Inputs[name]); err != nil {
			return fmt.Errorf("input %s: %w", name, err)
		}
		fmt.Fprintf(subject, "%q %s\n", name, d.Inputs[name].Content)
	}
	got := "sha256:" + hex.EncodeToString(subject.Sum(nil))
	if got != e.Digest || d.Certificate != nil && got != cert.Subject {
		return fmt.Errorf("the inputs are not those of the subject %s", e.Digest)
	}
	if d.Certificate == nil {
		// Without a proof of its own a decision may only be what a standing lemma allows in every state.
		if d.Verdict != "lemma" || d.Lemma != lemmas[d.Action] || d.Lemma == "" || d.Obligations != nil {
			return fmt.Errorf("a decision to %s, said to be %s, with neither certificate nor a lemma for it", d.Action, d.Verdict)
		}
		return nil
	}
	if d.Lemma != "" {
		return fmt.Errorf("a decision with both a certificate and a lemma")
	}
	if d.Obligations == nil {
		return fmt.Errorf("no obligations")
	}
	obs, err := l.Obligations(e)
	if err != nil {
		return err
	}
	return cert.check(obs, d.Verdict)
}

// Blob returns the bytes that ref refers to.
func (l *Log) Blob(ref Blob) ([]byte, error) {
	hexa, ok := strings.CutPrefix(ref.Stored, "sha256:")
	if !ok || len(hexa) != 64 || strings.Trim(hexa, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("bad digest %q", ref.Stored)
	}
	if ref.Size < 0 || ref.Size > maxBlob {
		return nil, fmt.Errorf("a blob of %d bytes", ref.Size)
	}
	file := filepath.Join("blobs", hexa[:2], hexa[2:]+".gz")
	stored, err := os.ReadFile(filepath.Join(l.dir, file))
	if err != nil {
		return nil, err
	}
	if digest(stored) != ref.Stored {
		return nil, fmt.Errorf("%s was changed", file)
	}
	z, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	b, err := io.ReadAll(io.LimitReader(z, ref.Size+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if int64(len(b)) != ref.Size || digest(b) != ref.Content {
		return nil, fmt.Errorf("%s does not hold what the entry says", file)
	}
	return b, nil
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

// Extends adds a finding unless the log continues the one that an earlier checkpoint of it describes.
func (l *Log) Extends(earlier []byte) error {
	old := &Log{key: l.key}
	root, err := old.parseCheckpoint(earlier)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if old.Size > int64(len(l.leaves)) {
		l.find(-1, "checkpoint", "the log has %d entries, it had %d", len(l.leaves), old.Size)
	} else if merkle(l.leaves[:old.Size]) != root {
		l.find(-1, "checkpoint", "the first %d entries are not those of the earlier checkpoint", old.Size)
	}
	return nil
}

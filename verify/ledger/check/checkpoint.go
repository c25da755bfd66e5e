package check

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// witnessDir has, for each witness, the newest checkpoint that it signed.
const witnessDir = "witness"

// head is a signed checkpoint, taken apart. Its signature is by the log; more are the lines after it.
type head struct {
	text, origin, rootText string
	size                   int64
	root                   [32]byte
	name                   string
	hash                   uint32
	signature              []byte
	more                   string
}

// parseCheckpoint reads a signed note: three lines, an empty one, and signature lines of which the log's is the first.
func parseCheckpoint(cp []byte) (h head, err error) {
	text, sigs, found := strings.Cut(string(cp), "\n\n")
	if !found {
		return h, fmt.Errorf("no signature")
	}
	h.text = text + "\n"
	lines := strings.Split(h.text, "\n")
	if len(lines) != 4 {
		return h, fmt.Errorf("want three lines: origin, size, root hash")
	}
	h.origin, h.rootText = lines[0], lines[2]
	if h.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || h.size < 0 || strconv.FormatInt(h.size, 10) != lines[1] {
		return h, fmt.Errorf("bad size %q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(h.rootText)
	if err != nil || len(root) != 32 {
		return h, fmt.Errorf("bad root hash %q", h.rootText)
	}
	h.root = [32]byte(root)
	line, rest, ended := strings.Cut(sigs, "\n")
	h.more = rest
	if h.name, h.hash, h.signature, err = parseSignature(line); err != nil || !ended {
		return h, fmt.Errorf("the signature line is damaged")
	}
	return h, nil
}

// parseSignature reads "— name base64(hash, signature)".
func parseSignature(line string) (name string, hash uint32, signature []byte, err error) {
	rest, ok := strings.CutPrefix(line, "— ")
	name, blob, ok2 := strings.Cut(rest, " ")
	sig, err := base64.StdEncoding.Strict().DecodeString(blob)
	if err != nil || !ok || !ok2 || len(sig) < 4+ed25519.SignatureSize || name == "" {
		return "", 0, nil, errors.New("not a signature line")
	}
	return name, binary.BigEndian.Uint32(sig), sig[4:], nil
}

// signed checks a checkpoint's signature by the key that was in charge.
func (l *Log) signed(h head) error { return l.keyFor(h.size).verifyHead(h) }

func (k verifierKey) verifyHead(h head) error {
	switch {
	case h.name != k.name || h.hash != k.hash:
		return fmt.Errorf("signed by %s+%08x, not by %s", h.name, h.hash, k.id())
	case !ed25519.Verify(k.public, []byte(h.text), h.signature):
		return fmt.Errorf("the signature does not fit the text")
	case h.origin != k.name:
		return fmt.Errorf("the origin is %q, not %q", h.origin, k.name)
	}
	return nil
}

// Cosigned is a checkpoint that a witness signed, somebody else than the log's owner: it saw it, and saw that it continued what it had
// seen before (c2sp.org/tlog-cosignature). It counts when Verify has found it signed by a key that the auditor knows.
type Cosigned struct {
	Witness  string    `json:"witness"` // name+hash of its key
	Size     int64     `json:"size"`
	At       time.Time `json:"at"`
	Verified bool      `json:"verified"`

	text      string // that is signed
	file      string
	signature []byte
}

// readCosigned reads the checkpoints that witnesses signed, and checks that the log continues them.
func (l *Log) readCosigned() {
	files, err := fs.ReadDir(l.files, witnessDir)
	if err != nil {
		return // none
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") {
			continue // it is being written
		}
		c := Cosigned{file: path.Join(witnessDir, f.Name())}
		if err := l.cosigned(&c); err != nil {
			l.find(-1, c.file, "%v", err)
			continue
		}
		l.Cosigned = append(l.Cosigned, c)
	}
}

func (l *Log) cosigned(c *Cosigned) error {
	b, err := fs.ReadFile(l.files, c.file)
	if err != nil {
		return err
	}
	h, err := parseCheckpoint(b)
	if err != nil {
		return err
	}
	if h.size > int64(len(l.leaves)) {
		return fmt.Errorf("the log has %d entries, this witness saw %d", len(l.leaves), h.size)
	}
	if err := l.signed(h); err != nil {
		return err
	}
	if merkle(l.leaves[:h.size]) != h.root {
		return fmt.Errorf("the first %d entries are not those that this witness saw", h.size)
	}
	line, rest, ended := strings.Cut(h.more, "\n")
	name, hash, sig, err := parseSignature(line)
	if err != nil || !ended || rest != "" || len(sig) != 8+ed25519.SignatureSize {
		return errors.New("want one line with the witness's signature")
	}
	at := binary.BigEndian.Uint64(sig)
	if at > 1<<40 {
		return errors.New("the witness's time is damaged")
	}
	if want := fmt.Sprintf("%08x", hash); path.Base(c.file) != want {
		return fmt.Errorf("it is signed with key %s+%s, so it belongs into %s", name, want, path.Join(witnessDir, want))
	}
	c.Witness, c.Size, c.At = fmt.Sprintf("%s+%08x", name, hash), h.size, time.Unix(int64(at), 0).UTC()
	c.text, c.signature = fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, h.text), sig[8:]
	return nil
}

// Verify adds a finding unless the witness with this verifier key signed a checkpoint that the log continues.
func (l *Log) Verify(witness string) error {
	k, err := parseKey(witness, algCosigning)
	if err != nil {
		return fmt.Errorf("witness key: %w", err)
	}
	found := false
	for i, c := range l.Cosigned {
		switch {
		case c.Witness != k.id():
		case ed25519.Verify(k.public, []byte(c.text), c.signature):
			l.Cosigned[i].Verified, found = true, true
		default:
			l.find(-1, c.file, "the signature of %s does not fit the checkpoint", k.id())
			return nil
		}
	}
	if !found {
		l.find(-1, witnessDir, "%s signed no checkpoint of this log", k.id())
	}
	return nil
}

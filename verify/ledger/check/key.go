package check

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Algorithms of verifier keys: the first byte of a key (c2sp.org/signed-note).
const (
	algEd25519   = 1
	algCosigning = 4 // c2sp.org/tlog-cosignature
)

type verifierKey struct {
	text   string
	name   string
	hash   uint32
	public ed25519.PublicKey
}

// parseKey reads "name+hash+base64(algorithm, public key)".
func parseKey(s string, algorithm byte) (verifierKey, error) {
	s = strings.TrimSpace(s)
	parts := strings.SplitN(s, "+", 3)
	if len(parts) != 3 {
		return verifierKey{}, fmt.Errorf("want name+hash+key")
	}
	h, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil || len(parts[1]) != 8 {
		return verifierKey{}, fmt.Errorf("bad key hash %q", parts[1])
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algorithm {
		return verifierKey{}, fmt.Errorf("not an Ed25519 key of the kind that is wanted here (%d)", algorithm)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if binary.BigEndian.Uint32(sum[:]) != uint32(h) {
		return verifierKey{}, fmt.Errorf("the key's hash is not %s", parts[1])
	}
	return verifierKey{s, parts[0], uint32(h), raw[1:]}, nil
}

// id is what signatures name a key by.
func (k verifierKey) id() string { return fmt.Sprintf("%s+%08x", k.name, k.hash) }

// succession finds out which key signed what. A change of keys is an entry that names both and is signed by both, so that from any
// one of them the others follow. verifyEntries checks the signatures afterwards, with these keys.
func (l *Log) succession() {
	known := false
	for _, e := range l.Entries {
		c := e.KeyChange
		if c == nil {
			continue
		}
		before, err := parseKey(c.Old, algEd25519)
		if err == nil {
			var after verifierKey
			if after, err = parseKey(c.New, algEd25519); err == nil {
				switch last := len(l.Keys) - 1; {
				case last < 0:
					l.Keys = append(l.Keys, SigningKey{before.text, 0, before})
				case l.Keys[last].Key != before.text:
					err = fmt.Errorf("it replaces key %s, the log was signed by %s", before.id(), l.Keys[last].verifier.id())
				}
				if err == nil && (after.name != before.name || after.text == before.text) {
					err = fmt.Errorf("key %s does not succeed %s", after.id(), before.id())
				}
				if err == nil {
					l.Keys = append(l.Keys, SigningKey{after.text, e.Index + 1, after})
				}
			}
		}
		if err != nil {
			l.find(e.Index, l.bundle(e.Index), "change of keys: %v", err)
			break
		}
	}
	if len(l.Keys) == 0 {
		l.Keys = []SigningKey{{l.trusted.text, 0, l.trusted}}
	}
	for _, k := range l.Keys {
		known = known || k.Key == l.trusted.text
	}
	if !known {
		l.find(-1, "checkpoint", "key %s never signed this log", l.trusted.id())
	}
}

// keyFor is the key in charge of the entry at index, and of the checkpoint before it is added.
func (l *Log) keyFor(index int64) verifierKey {
	k := l.Keys[0]
	for _, next := range l.Keys[1:] {
		if next.From <= index {
			k = next
		}
	}
	return k.verifier
}

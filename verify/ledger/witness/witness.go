// Package witness cosigns checkpoints of a log (https://c2sp.org/tlog-cosignature): a witness is somebody else than the log's owner who
// says that it saw a checkpoint at a time, and that it continued what it had seen before. Then the owner can no longer show
// different logs to different people, unless the witness helps. Checking the log, and that it continues, is the caller's: this package
// signs.
package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// algorithm is that of cosignature/v1 keys.
const algorithm = 4

// Dir, in a log's directory, has for each witness the newest checkpoint that it signed.
const Dir = "witness"

// Key of a witness.
type Key struct {
	name    string
	hash    uint32
	private ed25519.PrivateKey
}

// Create makes a key and stores it at path, readable by its owner only, and its verifier key at path.pub.
func Create(path, name string) (*Key, error) {
	if name == "" || strings.ContainsAny(name, "+ \t\r\n") {
		return nil, fmt.Errorf("%q is no name for a witness: want one without blanks and plus signs, by convention a domain", name)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	k := newKey(name, private)
	text := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s\n", k.name, k.hash, encode([]byte{algorithm}, private.Seed()))
	for _, f := range []struct {
		path, text string
		mode       os.FileMode
	}{{path, text, 0o600}, {path + ".pub", k.Verifier() + "\n", 0o644}} {
		file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
		if err != nil {
			return nil, err
		}
		_, err = file.WriteString(f.text)
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Load reads a key and refuses one that others can read.
func Load(path string) (*Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others can read this private key (mode %04o); make it 0600", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(strings.TrimSpace(string(b)), "+", 5)
	if len(parts) != 5 || parts[0] != "PRIVATE" || parts[1] != "KEY" {
		return nil, fmt.Errorf("%s is no private key", path)
	}
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != algorithm {
		return nil, fmt.Errorf("%s is no witness's key: 'interlock audit cosign --name NAME' makes one", path)
	}
	k := newKey(parts[2], ed25519.NewKeyFromSeed(raw[1:]))
	if fmt.Sprintf("%08x", k.hash) != parts[3] {
		return nil, fmt.Errorf("%s is damaged: its hash is not %s", path, parts[3])
	}
	return k, nil
}

func newKey(name string, private ed25519.PrivateKey) *Key {
	public := private.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	return &Key{name, binary.BigEndian.Uint32(sum[:]), private}
}

// ID is what signatures name the key by.
func (k *Key) ID() string { return fmt.Sprintf("%s+%08x", k.name, k.hash) }

// Verifier is the verifier key, for auditors.
func (k *Key) Verifier() string {
	return k.ID() + "+" + encode([]byte{algorithm}, k.private.Public().(ed25519.PublicKey))
}

// Cosign adds the witness's line to a checkpoint that nobody but the log has signed.
func (k *Key) Cosign(checkpoint []byte, now time.Time) ([]byte, error) {
	text, sigs, found := strings.Cut(string(checkpoint), "\n\n")
	if !found || strings.Count(sigs, "\n") != 1 || !strings.HasSuffix(sigs, "\n") {
		return nil, errors.New("not a checkpoint with the log's signature alone")
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", now.Unix(), text)
	stamp := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, k.hash), uint64(now.Unix()))
	line := fmt.Sprintf("— %s %s\n", k.name, encode(stamp, ed25519.Sign(k.private, []byte(message))))
	return append(checkpoint[:len(checkpoint):len(checkpoint)], line...), nil
}

// Publish puts a checkpoint that the witness signed into the log's directory.
func (k *Key) Publish(dir string, cosigned []byte) error {
	dir = filepath.Join(dir, Dir)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return Replace(filepath.Join(dir, fmt.Sprintf("%08x", k.hash)), cosigned)
}

// Replace writes a file whole or not at all.
func Replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

func encode(a, b []byte) string {
	return base64.StdEncoding.EncodeToString(append(a[:len(a):len(a)], b...))
}

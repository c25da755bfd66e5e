package ledger

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const (
	keyFile    = "key"
	pubKeyFile = "key.pub"
	// nextKeyFile is the key that is about to replace keyFile: it is made, the change is logged, then it takes keyFile's place.
	nextKeyFile = "key.next"
)

// key signs checkpoints, as a note signer, and entries, as a DSSE signer, with the same Ed25519 key.
type key struct {
	signer   note.Signer
	verifier note.Verifier
	name     string // "origin+hash", which both signatures name
	public   string // the verifier key's text
	private  ed25519.PrivateKey
}

// createKey makes a new key pair in dir. The private one is readable by its owner only.
func createKey(dir, origin string) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, keyFile), []byte(skey+"\n"), 0o600); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, pubKeyFile), []byte(vkey+"\n"), 0o644)
}

func writeNew(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// loadKey reads dir's key pair and refuses a private key that others can read.
func loadKey(dir string) (*key, error) {
	k, err := loadPrivate(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, err
	}
	vkey, err := os.ReadFile(filepath.Join(dir, pubKeyFile))
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(string(vkey)) != k.public {
		return nil, fmt.Errorf("%s: the private and the public key are not a pair", filepath.Join(dir, keyFile))
	}
	return k, nil
}

// loadPrivate reads a private key, from which the public one follows.
func loadPrivate(path string) (*key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others can read this private key (mode %04o); make it 0600, or replace it ('interlock rotate-key')",
			path, info.Mode().Perm())
	}
	skey, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k := &key{}
	if k.signer, err = note.NewSigner(strings.TrimSpace(string(skey))); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	k.name = fmt.Sprintf("%s+%08x", k.signer.Name(), k.signer.KeyHash())
	// The note format: PRIVATE+KEY+name+hash+base64(algorithm byte, seed).
	parts := strings.SplitN(strings.TrimSpace(string(skey)), "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, fmt.Errorf("%s: not an Ed25519 key", path)
	}
	k.private = ed25519.NewKeyFromSeed(raw[1:])
	if k.public, err = note.NewEd25519VerifierKey(k.signer.Name(), k.private.Public().(ed25519.PublicKey)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if k.verifier, err = note.NewVerifier(k.public); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// Sign, KeyID, Verify and Public make key a dsse.SignerVerifier.
func (k *key) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(k.private, data), nil
}

func (k *key) KeyID() (string, error) { return k.name, nil }

func (k *key) Public() crypto.PublicKey { return k.private.Public() }

func (k *key) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.private.Public().(ed25519.PublicKey), data, sig) {
		return fmt.Errorf("the signature is not by %s", k.name)
	}
	return nil
}

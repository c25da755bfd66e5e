package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/interlock/interlock/verify"
)

// RotateKey replaces the log's key by a new one and returns the new verifier key. The change is an entry that both keys sign; from then
// on only the new key signs, and the old private key is gone. Whoever has the old verifier key can follow to the new one. This is
// no revocation: somebody who stole the old key can still write another log from the past; checkpoints kept elsewhere show it.
//
// A crash leaves the old key in charge or the new one, whichever the newest durable checkpoint is signed with.
func (l *Log) RotateKey(ctx context.Context, who string, now time.Time) (verifier string, err error) {
	l.appending.Lock()
	defer l.appending.Unlock()
	if err := l.usable(); err != nil {
		return "", err
	}
	next, err := l.makeNextKey()
	if err != nil {
		return "", diskError(err)
	}
	payload, err := json.Marshal(Statement{
		Type: StatementType, PredicateType: KeyType,
		Predicate: &KeyChange{Old: l.key.public, New: next.public, Who: who, At: now.UTC()},
		Subject:   []Resource{{Name: "key " + next.name, Digest: map[string]string{"sha256": hexOf(verify.DigestOf([]byte(next.public)))}}},
	})
	if err != nil {
		return "", err
	}
	entry, err := seal(ctx, payload, l.key, next)
	if err != nil {
		return "", err
	}
	// Nothing that the old key signed stays in the journal: one key verifies what is there.
	if err := l.settle(); err != nil {
		return "", err
	}
	l.key = next
	if _, _, err := l.writeEntry(entry, nil); err != nil {
		return "", err
	}
	if err := l.settle(); err != nil {
		return "", err
	}
	if err := takeOver(l.disk, next); err != nil {
		return "", l.fail(err) // which key is in charge is known again when the log is opened
	}
	return next.public, nil
}

// makeNextKey makes a key of the same name and stores it where recovery finds it.
func (l *Log) makeNextKey() (*key, error) {
	path := filepath.Join(l.disk.dir, nextKeyFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	skey, _, err := note.GenerateKey(rand.Reader, l.key.signer.Name())
	if err != nil {
		return nil, err
	}
	if err := l.disk.step("create", nextKeyFile); err != nil {
		return nil, err
	}
	if err := writeNew(path, []byte(skey+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := syncFile(l.disk.dir); err != nil {
		return nil, err
	}
	return loadPrivate(path)
}

// takeOver puts the next key into the place of the old one, its public part first: as long as key.next is there, it can be done again.
func takeOver(d *disk, next *key) error {
	if err := d.write(pubKeyFile, []byte(next.public+"\n")); err != nil {
		return err
	}
	if err := errors.Join(syncFile(filepath.Join(d.dir, pubKeyFile)), syncFile(d.dir)); err != nil {
		return diskError(err)
	}
	if err := d.step("rename", keyFile); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(d.dir, nextKeyFile), filepath.Join(d.dir, keyFile)); err != nil {
		return diskError(err)
	}
	return diskError(syncFile(d.dir))
}

// settleKey finishes or undoes a change of keys that was interrupted. newest is the newest durable checkpoint.
func settleKey(d *disk, newest []byte) error {
	path := filepath.Join(d.dir, nextKeyFile)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	next, err := loadPrivate(path)
	if err == nil {
		if _, nerr := note.Open(newest, note.VerifierList(next.verifier)); nerr == nil {
			return takeOver(d, next)
		}
	}
	// It is half written, or signed nothing; but it is not thrown away unless the log can go on without it.
	old, oerr := loadPrivate(filepath.Join(d.dir, keyFile))
	if oerr != nil {
		return oerr
	}
	if _, oerr = note.Open(newest, note.VerifierList(old.verifier)); oerr != nil {
		return fmt.Errorf("neither key nor %s signed the newest checkpoint: %w", nextKeyFile, errors.Join(oerr, err))
	}
	return diskError(os.Remove(path))
}

// syncFile makes a file durable, or the names in a directory.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

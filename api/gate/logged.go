package gate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
)

// certifies checks that a certificate is of s.
func certifies(cert *verify.Certificate, s verify.Subject) error {
	if cert.Subject != s.Digest() {
		return fmt.Errorf("%w: the certificate is of %s, this is %s", ErrTampered, cert.Subject, s.Digest())
	}
	return nil
}

// logged looks for the ledger entry that says this certificate is proved. The whole log is checked first, as an auditor would; a
// certificate that is not in it is worth nothing here, whatever it says of itself. obligations were built in this process from what
// is to be done.
func (g *Gate) logged(s verify.Subject, encoder string, obligations []verify.Obligation, cert *verify.Certificate) (index int64, ok bool, err error) {
	if err := cert.Covers(s, encoder, obligations); err != nil {
		return 0, false, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if err := cert.Proved(); err != nil {
		return 0, false, err
	}
	for _, solver := range g.conf.Required {
		if !slices.Contains(cert.Required, solver) {
			return 0, false, nil // fewer solvers were asked than the site requires now: decide again
		}
	}
	text, err := cert.Marshal()
	if err != nil {
		return 0, false, err
	}
	dir := g.conf.Ledger.Dir()
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		return 0, false, err
	}
	l, err := check.Read(dir, string(key))
	if err != nil {
		return 0, false, err
	}
	if len(l.Findings) > 0 {
		return 0, false, fmt.Errorf("%w: the ledger is not intact: %s", ErrTampered, l.Findings[0])
	}
	for _, e := range slices.Backward(l.Entries) {
		d := e.Decision
		if d == nil || d.Verdict != "proved" || e.Digest != string(s.Digest()) || d.Switch != g.conf.Target.Name {
			continue
		}
		if b, err := l.Blob(*d.Certificate); err == nil && bytes.Equal(b, text) {
			return e.Index, true, nil
		}
	}
	return 0, false, nil
}

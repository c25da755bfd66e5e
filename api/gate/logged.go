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
// certificate that is not in it is worth nothing here, whatever it says of itself, and so is one in a log with a finding. Neither is
// refused: what is to be done is decided again, which rests on no log, so that nobody can stop the switch by damaging an old entry or by
// writing past the gate once. obligations were built in this process from what
// is to be done.
func (g *Gate) logged(s verify.Subject, encoder string, obligations []verify.Obligation, cert *verify.Certificate) (index int64, ok bool, err error) {
	return g.loggedFor(g.conf.Target.Name, s, encoder, obligations, cert)
}

// loggedFor is logged for a decision about the switch of that name; "" for one about several.
func (g *Gate) loggedFor(name string, s verify.Subject, encoder string, obligations []verify.Obligation, cert *verify.Certificate) (index int64, ok bool, err error) {
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
	log := g.ledger.Load()
	if err := log.Publish(); err != nil {
		return 0, false, err
	}
	dir := log.Dir()
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		return 0, false, err
	}
	l, err := check.Read(dir, string(key))
	if err != nil {
		return 0, false, err
	}
	if len(l.Findings) > 0 {
		g.log.Warn("the ledger is not intact, so its word is not taken: deciding again", "findings", len(l.Findings), "first", l.Findings[0].String())
		return 0, false, nil
	}
	for _, e := range slices.Backward(l.Entries) {
		d := e.Decision
		if d == nil || d.Verdict != "proved" || e.Digest != string(s.Digest()) || d.Switch != name {
			continue
		}
		if b, err := l.Blob(*d.Certificate); err == nil && bytes.Equal(b, text) {
			return e.Index, true, nil
		}
	}
	return 0, false, nil
}

// Package export writes a checked log into one file, for a third party: a ZIP of the same files, which package check reads as it reads the
// log itself. For a tenant, what shows the other tenants' sources is left out, what they ask for, and what they pay; its digests stay in the
// entries, so that signatures, inclusion, verdicts and the switch's states can be checked all the same.
//
// Left out, unless the tenant is the only one that it is about:
//
//	linked.p4, old.p4     programs
//	sources/NAME.p4       programs of the others, as they were handed in
//	linked.p4info.txtpb,  what controllers are told of a program's objects, and whose they are
//	ownership.json
//	before.bin,           what a replaced program held: tables, counts, slots; and the requests that give it back
//	steps.json
//	lost.json             names of tables, counters and registers that a replacement does not give back
//	shares.json           what a policy was asked and said: demands, weights, budgets, balances, targets, floors, ceilings
//	formulas              of programs, replacements and policies
//	certificates          of programs and replacements, which name what is in programs; of policies, with counterexamples
//	terms                 if the policy's price reads others' weights, budgets or the like, or parameters with others' names as keys
//
// Names of tenants, their VIDs and ports, the memory map (page tables, plans, and the limits that each plan keeps to), the policy's text, which
// decisions there were and what became of them are shared knowledge, and stay. What is left out stays committed to by its digest; whoever can
// guess all of a file can see that the guess is right.
package export

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"github.com/interlock/interlock/verify/ledger/check"
)

// ErrNoTenant says that the log knows nothing of a tenant.
var ErrNoTenant = errors.New("no such tenant in the log")

// Summary says what an export has.
type Summary struct {
	Entries  int64 `json:"entries"`
	Files    int   `json:"files"`
	Redacted int   `json:"redacted"`
}

// Write exports l, which must have no findings, to w; with a tenant's name, what that tenant may see of it.
func Write(w io.Writer, l *check.Log, tenant string) (*Summary, error) {
	about := check.Export{APIVersion: check.ExportVersion, Kind: check.ExportKind, Tenant: tenant, Redacted: l.Redacted}
	if tenant != "" {
		more, err := secrets(l, tenant)
		if err != nil {
			return nil, err
		}
		about.Redacted = slices.Compact(slices.Sorted(slices.Values(append(more, about.Redacted...))))
	}
	head, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return nil, err
	}
	names, err := l.Files()
	if err != nil {
		return nil, err
	}
	omitted := map[string]bool{}
	for _, d := range about.Redacted {
		omitted[d] = true
	}
	left := map[string]bool{}
	for _, e := range l.Entries {
		for _, b := range e.Blobs() {
			if name, err := b.File(); err == nil && omitted[b.Stored] {
				left[name] = true
			}
		}
	}
	z := zip.NewWriter(w)
	s := &Summary{Entries: l.Size, Redacted: len(about.Redacted)}
	// Stored, and without times: equal logs make equal files, and whoever reads one can tell whether a byte of it is another.
	add := func(name string, b []byte) error {
		f, err := z.CreateRaw(&zip.FileHeader{
			Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(b),
			CompressedSize64: uint64(len(b)), UncompressedSize64: uint64(len(b)),
		})
		if err == nil {
			_, err = f.Write(b)
		}
		s.Files++
		return err
	}
	if err := add(check.ExportFile, append(head, '\n')); err != nil {
		return nil, err
	}
	if err := add("key.pub", []byte(l.Keys[len(l.Keys)-1].Key+"\n")); err != nil {
		return nil, err
	}
	for _, name := range names {
		if left[name] {
			continue
		}
		b, err := l.File(name)
		if err != nil {
			return nil, err
		}
		if err := add(name, b); err != nil {
			return nil, err
		}
	}
	return s, z.Close()
}

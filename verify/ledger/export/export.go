// Package export writes a checked log into one file, for a third party: a ZIP of the same files, which package check reads as it reads the
// log itself. For a tenant, what shows the other tenants' sources is left out; its digests stay in the entries, so that signatures,
// inclusion, verdicts and the switch's states can be checked all the same.
package export

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

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

// Write exports l, which must have no findings, to w. With a tenant's name it leaves out the linked programs that others are part of, the
// formulas that were built of them, and certificates with counterexamples.
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

// secrets are the digests of the stored blobs that show the sources of others than tenant.
func secrets(l *check.Log, tenant string) ([]string, error) {
	var list []string
	known := map[string]bool{}
	for _, e := range l.Entries {
		d := e.Decision
		if d == nil {
			continue
		}
		names, err := tenants(l, d)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Index, err)
		}
		for _, n := range names {
			known[n] = true
		}
		if len(names) == 1 && names[0] == tenant {
			continue
		}
		for name, b := range d.Inputs {
			switch path.Base(name) { // programs (a network plan has one for each switch), and what tenants had in a replaced one
			case "linked.p4", "old.p4", "before.bin", "steps.json", "lost.json":
				if b.Size == 0 {
					continue
				}
				list = append(list, b.Stored)
			}
		}
		programs := d.Action == "install" || d.Action == "replace" // whose formulas and counterexamples show their text
		if programs {
			for _, pack := range d.Texts {
				list = append(list, pack.Stored)
			}
		}
		// A counterexample of a program names headers and lines of whosever it is.
		if programs && d.Certificate != nil && d.Verdict != "proved" {
			list = append(list, d.Certificate.Stored)
		}
	}
	if !known[tenant] {
		var have []string
		for n := range known {
			have = append(have, n)
		}
		slices.Sort(have)
		return nil, fmt.Errorf("%w: %q; it has %s", ErrNoTenant, tenant, strings.Join(have, ", "))
	}
	return list, nil
}

// tenants are the names of those that a decision is about.
func tenants(l *check.Log, d *check.Decision) ([]string, error) {
	type named struct {
		Name string `json:"name"`
	}
	all := map[string]bool{}
	for name, ref := range d.Inputs {
		var list []named
		name = path.Base(name)
		if name != "tenants.json" && name != "plan.json" && name != "replacement.json" {
			continue
		}
		b, err := l.Blob(ref)
		if err != nil {
			return nil, err
		}
		if name == "tenants.json" {
			err = json.Unmarshal(b, &list)
		} else {
			var p struct {
				Tenants []named `json:"tenants"`
			}
			err = json.Unmarshal(b, &p)
			list = p.Tenants
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, t := range list {
			all[t.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

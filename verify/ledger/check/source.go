package check

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
)

// ExportFile describes an export, inside it; ExportVersion and ExportKind are those of its format.
const (
	ExportFile    = "export.json"
	ExportVersion = "interlock/v1alpha1"
	ExportKind    = "LedgerExport"
)

// Export is what an export says of itself.
type Export struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Tenant     string   `json:"tenant,omitempty"`   // for whom the others' sources were left out
	Redacted   []string `json:"redacted,omitempty"` // digests of stored blobs that were left out, sorted
}

// open opens a ledger's directory, or an export of one: a ZIP file with the same files. Only an export may leave blobs out.
func open(name string) (files fs.FS, about *Export, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return os.DirFS(name), &Export{}, nil
	}
	// Read as a whole: what is checked is then what is used later, whatever happens to the file.
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, nil, fmt.Errorf("%s is neither a ledger's directory nor an export: %w", name, err)
	}
	text, err := fs.ReadFile(z, ExportFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	var e Export
	if err := strict(text, &e); err != nil {
		return nil, nil, fmt.Errorf("%s: %s: %w", name, ExportFile, err)
	}
	if e.APIVersion != ExportVersion || e.Kind != ExportKind {
		return nil, nil, fmt.Errorf("%s: %s: it is a %s %s", name, ExportFile, e.APIVersion, e.Kind)
	}
	if err := plain(b, z); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	names := map[string]bool{}
	for _, f := range z.File {
		if names[f.Name] || !fs.ValidPath(f.Name) {
			return nil, nil, fmt.Errorf("%s: %q is there twice, or is no name", name, f.Name)
		}
		names[f.Name] = true
	}
	return z, &e, nil
}

// plain checks that a ZIP file is nothing but its files: stored as they are, one after the other, without times, comments or other bytes
// that nobody looks at. Then any byte that is changed makes it another log, or no export.
func plain(b []byte, z *zip.Reader) error {
	want := bytes.NewBuffer(make([]byte, 0, len(b)))
	w := zip.NewWriter(want)
	for _, f := range z.File {
		raw, err := f.OpenRaw()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(raw)
		if err != nil {
			return err
		}
		size := uint64(len(content))
		out, err := w.CreateRaw(&zip.FileHeader{
			Name: f.Name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: size, UncompressedSize64: size,
		})
		if err == nil {
			_, err = out.Write(content)
		}
		if err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if !bytes.Equal(want.Bytes(), b) {
		return errors.New("there is something in it that 'audit export' does not write: it was changed, or made otherwise")
	}
	return nil
}

// Omission is a kind of blob that an export leaves out.
type Omission struct {
	What  string `json:"what"`  // an input's name, or "formulas", "certificates", "terms"
	Files int    `json:"files"` // equal contents are one file
}

// redactions lists what of the export's omissions the entries refer to: the blobs' digests, and what they are.
func (l *Log) redactions() (stored []string, kinds []Omission) {
	seen := map[string]bool{}
	count := map[string]map[string]bool{}
	note := func(what string, refs ...Blob) {
		for _, b := range refs {
			if !l.omitted[b.Stored] {
				continue
			}
			if count[what] == nil {
				count[what] = map[string]bool{}
			}
			seen[b.Stored], count[what][b.Stored] = true, true
		}
	}
	for _, e := range l.Entries {
		d := e.Decision
		if d == nil {
			continue
		}
		for name, b := range d.Inputs {
			note(path.Base(name), b)
		}
		note("formulas", d.Texts...)
		for what, b := range map[string]*Blob{"certificates": d.Certificate, "terms": d.Terms} {
			if b != nil {
				note(what, *b)
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(count)) {
		kinds = append(kinds, Omission{what, len(count[what])})
	}
	return slices.Sorted(maps.Keys(seen)), kinds
}

// Blobs are all that an entry refers to.
func (e Entry) Blobs() []Blob {
	if e.Decision == nil {
		return nil
	}
	var refs []Blob
	if b := e.Decision.Certificate; b != nil {
		refs = append(refs, *b)
	}
	if b := e.Decision.Terms; b != nil {
		refs = append(refs, *b)
	}
	refs = append(refs, e.Decision.Texts...)
	for _, name := range sortedNames(e.Decision.Inputs) {
		refs = append(refs, e.Decision.Inputs[name])
	}
	return refs
}

var errNoEntry = errors.New("no such entry")

// Leaf is the hash of an entry, "sha256:..." of what RFC 6962 calls a leaf: it identifies the entry's bytes.
func (l *Log) Leaf(index int64) (string, error) {
	if index < 0 || index >= int64(len(l.leaves)) {
		return "", errNoEntry
	}
	return fmt.Sprintf("sha256:%x", l.leaves[index]), nil
}

// OwnKey is the verifier key that lies in a ledger's directory or an export: fit for a first look, no proof of who wrote the log.
func OwnKey(path string) (string, error) {
	files, _, err := open(path)
	if err != nil {
		return "", err
	}
	b, err := fs.ReadFile(files, "key.pub")
	return string(b), err
}

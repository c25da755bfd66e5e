// Package check reads a verification log and checks it, for auditors: signatures, inclusion, consistency with an earlier
// checkpoint, every entry's own digests, the succession of keys, the continuity of the switch's states. It reads a ledger's directory or
// an export of one. It shares no code with the writer and trusts nothing but the verifier key that it is given.
package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A Finding is something wrong with a log.
type Finding struct {
	Entry int64  `json:"entry"` // index, or -1 where no single entry is at fault
	File  string `json:"file"`  // relative to the log's directory
	What  string `json:"what"`
}

func (f Finding) String() string {
	if f.Entry < 0 {
		return fmt.Sprintf("%s: %s", f.File, f.What)
	}
	return fmt.Sprintf("entry %d (%s): %s", f.Entry, f.File, f.What)
}

const width = 256 // entries and hashes a tile

// A Log is a log as read.
type Log struct {
	Origin   string
	Size     int64
	Root     string // base64
	Entries  []Entry
	Findings []Finding
	// Keys that signed the log, in turn; the last one signed the checkpoint.
	Keys []SigningKey
	// Tenant is for whom an export was made, if it leaves anything out.
	Tenant string
	// Redacted are the blobs that an export leaves out: nothing is known of their contents but their digests. Omissions says what they are.
	Redacted  []string
	Omissions []Omission
	// Cosigned are checkpoints that witnesses signed.
	Cosigned []Cosigned
	// Checkpoint is the text that was checked.
	Checkpoint []byte

	files   fs.FS
	trusted verifierKey
	leaves  [][32]byte
	omitted map[string]bool
	unpack  *zstd.Decoder
	rooms   sync.Pool // of *room
	intact  sync.Map  // Blob -> error of those that were read once
	packs   sync.Map  // Blob -> names of the texts in it, or an error
}

// SigningKey signed the entries from From on.
type SigningKey struct {
	Key  string `json:"key"` // as in key.pub
	From int64  `json:"from"`

	verifier verifierKey
}

// Read reads the log at path, a ledger's directory or an export, and checks everything about it. What is wrong is in Findings; an
// error means that there was nothing to check: no checkpoint, or no usable key. key is a verifier key in the note format (the
// content of key.pub), any of those that signed the log in turn.
func Read(path, key string) (*Log, error) {
	k, err := parseKey(key, algEd25519)
	if err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	files, about, err := open(path)
	if err != nil {
		return nil, err
	}
	unpack, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	omitted := map[string]bool{}
	for _, d := range about.Redacted {
		omitted[d] = true
	}
	for range attempts {
		l := &Log{files: files, trusted: k, Tenant: about.Tenant, omitted: omitted, unpack: unpack}
		if err := l.read(); err != nil {
			return nil, err
		}
		// A log that somebody appends to replaces its unfinished tiles. What was missing then was not.
		if cp, err := fs.ReadFile(files, "checkpoint"); len(l.Findings) == 0 || err == nil && bytes.Equal(cp, l.Checkpoint) {
			return l, nil
		}
	}
	return nil, fmt.Errorf("%s: the log grows faster than it can be read; copy it first", path)
}

// attempts to read a log that is being appended to.
const attempts = 20

func (l *Log) read() error {
	cp, err := fs.ReadFile(l.files, "checkpoint")
	if err != nil {
		return err
	}
	l.Checkpoint = cp
	head, err := parseCheckpoint(cp)
	if err != nil {
		l.find(-1, "checkpoint", "%v", err)
		return nil
	}
	l.Origin, l.Size, l.Root = head.origin, head.size, head.rootText
	parsed := l.entries()
	l.tiles()
	l.succession()
	l.verifyEntries(parsed)
	if err := l.signed(head); err != nil {
		l.find(-1, "checkpoint", "%v", err)
	} else if head.more != "" {
		l.find(-1, "checkpoint", "there is something after the signature")
	}
	if int64(len(l.leaves)) == l.Size && merkle(l.leaves) != head.root {
		l.find(-1, "checkpoint", "the entries do not hash to the checkpoint's root")
	}
	l.continuity()
	l.balances()
	l.Redacted, l.Omissions = l.redactions()
	l.readCosigned()
	return nil
}

func (l *Log) find(entry int64, file, format string, args ...any) {
	l.Findings = append(l.Findings, Finding{entry, file, fmt.Sprintf(format, args...)})
}

// tilePath is tile/<level>/<N> with N in groups of three digits, and .p/<w> for a partial tile.
func tilePath(level string, n, w int64) string {
	p := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		p = fmt.Sprintf("x%03d/%s", n%1000, p)
	}
	if w < width {
		p += fmt.Sprintf(".p/%d", w)
	}
	return "tile/" + level + "/" + p
}

// bundle is the file that an entry is in.
func (l *Log) bundle(index int64) string {
	first := index / width * width
	return tilePath("entries", index/width, min(l.Size-first, width))
}

// entries reads every bundle, cuts it into entries, and reads what they say; nothing of that is to be believed yet.
func (l *Log) entries() []parsedEntry {
	var raw [][]byte
bundles:
	for first := int64(0); first < l.Size; first += width {
		n := min(l.Size-first, width)
		file := l.bundle(first)
		b, err := fs.ReadFile(l.files, file)
		if err != nil {
			l.find(first, file, "%v", err)
			break
		}
		for i := first; i < first+n; i++ {
			if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
				l.find(i, file, "the entry is cut off")
				break bundles
			}
			e := b[2 : 2+int(binary.BigEndian.Uint16(b))]
			b = b[2+len(e):]
			raw = append(raw, e)
			l.leaves = append(l.leaves, sha256.Sum256(append([]byte{0}, e...)))
		}
		if len(b) > 0 {
			l.find(first+n-1, file, "%d bytes after the last entry", len(b))
		}
	}
	parsed := make([]parsedEntry, len(raw))
	parallel(len(raw), func(i int) { parsed[i] = parseEntry(int64(i), raw[i]) })
	l.Entries = make([]Entry, len(raw))
	for i, p := range parsed {
		l.Entries[i] = p.Entry
	}
	return parsed
}

// verifyEntries checks each entry's signature and every digest that it states. What does not verify says nothing.
func (l *Log) verifyEntries(parsed []parsedEntry) {
	errs := make([]error, len(parsed))
	parallel(len(parsed), func(i int) { errs[i] = l.verifyEntry(parsed[i]) })
	for i, err := range errs {
		if err != nil {
			l.find(int64(i), l.bundle(int64(i)), "%v", err)
		}
	}
}

// parallel runs f(0) to f(n-1) on all CPUs.
func parallel(n int, f func(i int)) {
	const chunk = 16
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for first := range next {
				for i := first; i < min(first+chunk, n); i++ {
					f(i)
				}
			}
		})
	}
	for first := 0; first < n; first += chunk {
		next <- first
	}
	close(next)
	wg.Wait()
}

// Extends adds a finding unless the log continues the one that an earlier checkpoint of it describes.
func (l *Log) Extends(earlier []byte) error {
	old, err := parseCheckpoint(earlier)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if old.size > int64(len(l.leaves)) {
		// Which key was in charge then is not known, so any that the log knows of will do.
		for _, k := range l.Keys {
			if err = k.verifier.verifyHead(old); err == nil {
				l.find(-1, "checkpoint", "the log has %d entries, it had %d", len(l.leaves), old.size)
				return nil
			}
		}
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if err := l.signed(old); err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if merkle(l.leaves[:old.size]) != old.root {
		l.find(-1, "checkpoint", "the first %d entries are not those of the earlier checkpoint", old.size)
	}
	return nil
}

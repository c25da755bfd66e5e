package ledger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"github.com/interlock/interlock/verify"
)

// ErrBusy says that another process has the log open.
var ErrBusy = errors.New("the ledger is in use by another process")

// A Log is an open log; one process at a time has it. Its methods may be called concurrently.
type Log struct {
	disk *disk
	key  *key
	lock *os.File

	mu     sync.Mutex
	bundle []byte      // the last, partial entry bundle
	hashes []tlog.Hash // all stored hashes, in tlog's order
	size   int64
	broken error // a failed append: what is on disk is unknown until the log is opened again
}

// Create makes an empty log in dir, with a new key. The origin names it in checkpoints; by convention "interlock/<site>".
func Create(dir, origin string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return diskError(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err == nil {
		return fmt.Errorf("%s: there is a ledger already", dir)
	}
	if err := createKey(dir, origin); err != nil {
		return diskError(err)
	}
	k, err := loadKey(dir)
	if err != nil {
		return err
	}
	l := &Log{disk: &disk{dir: dir}, key: k}
	if err := l.writeCheckpoint(0); err != nil {
		return err
	}
	return l.disk.syncDirs("checkpoint")
}

// Exists reports whether dir holds a log.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "checkpoint"))
	return err == nil
}

// Open opens the log in dir for appending and checks what it needs: the checkpoint's signature, and that the entries it covers
// are there and hash to its root.
func Open(dir string) (*Log, error) {
	l := &Log{disk: &disk{dir: dir}}
	cp, err := l.disk.read("checkpoint")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no ledger here; make one with 'interlock init' or 'interlock audit create'", dir)
	} else if err != nil {
		return nil, err
	}
	if l.key, err = loadKey(dir); err != nil {
		return nil, err
	}
	if l.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, diskError(err)
	}
	if err := syscall.Flock(int(l.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		l.lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
	}
	if err := l.load(cp); err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return l, nil
}

// load reads the checkpoint's entries and computes their hashes.
func (l *Log) load(checkpoint []byte) error {
	n, err := note.Open(checkpoint, note.VerifierList(l.key.verifier))
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	tree, err := parseCheckpoint(n.Text)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for l.size < tree.N {
		width := min(tree.N-l.size, tileWidth)
		bundle, err := l.disk.read(tilePath(tlog.Tile{H: tileHeight, L: -1, N: l.size / tileWidth, W: int(width)}))
		if err != nil {
			return err
		}
		entries, err := splitBundle(bundle)
		if err != nil || int64(len(entries)) != width {
			return fmt.Errorf("entry bundle %d is damaged", l.size/tileWidth)
		}
		for _, e := range entries {
			if err := l.addHash(e); err != nil {
				return err
			}
		}
		if width < tileWidth {
			l.bundle = bundle
		}
	}
	root, err := tlog.TreeHash(l.size, l.reader(l.hashes))
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return errors.New("the entries do not hash to the checkpoint's root: run 'interlock audit verify'")
	}
	return nil
}

// Close gives the log up.
func (l *Log) Close() error {
	if l.lock == nil {
		return nil
	}
	return l.lock.Close() // and with it the lock
}

// Size is the number of entries.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// Dir is where the log is.
func (l *Log) Dir() string { return l.disk.dir }

// Attach is bytes to store with an entry, and where to put the reference.
type Attach struct {
	Ref   *Blob
	Bytes []byte
}

// AppendDecision stores a decision with its subject, certificate and obligations, and returns its index. cert may be nil when the
// decision rests on a standing lemma.
func (l *Log) AppendDecision(ctx context.Context, d Decision, s verify.Subject, cert *verify.Certificate, obligations []verify.Obligation) (int64, error) {
	var attached []Attach
	d.Inputs = map[string]Blob{}
	refs := map[string]*Blob{}
	for name, b := range s.Inputs {
		refs[name] = &Blob{}
		attached = append(attached, Attach{refs[name], b})
	}
	if cert != nil {
		text, err := cert.Marshal()
		if err != nil {
			return 0, err
		}
		obs, err := json.Marshal(obligations)
		if err != nil {
			return 0, err
		}
		d.Certificate, d.Obligations = &Blob{}, &Blob{}
		attached = append(attached, Attach{d.Certificate, text}, Attach{d.Obligations, obs})
	}
	if err := l.store(attached); err != nil {
		return 0, err
	}
	for name, ref := range refs {
		d.Inputs[name] = *ref
	}
	return l.append(ctx, Statement{
		Type: StatementType, PredicateType: DecisionType, Predicate: &d,
		Subject: []Resource{{Name: s.Name, Digest: map[string]string{"sha256": hexOf(s.Digest())}}},
	})
}

// AppendOutcome stores what became of a decision and returns the entry's index.
func (l *Log) AppendOutcome(ctx context.Context, o Outcome) (int64, error) {
	return l.append(ctx, Statement{
		Type: StatementType, PredicateType: OutcomeType, Predicate: &o,
		Subject: []Resource{{Name: "switch " + o.Switch, Digest: map[string]string{"sha256": hexOf(o.PostState)}}},
	})
}

func hexOf(d verify.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }

// store writes blobs that are not there yet. They are durable before the entry that refers to them is.
func (l *Log) store(attached []Attach) error {
	var g errgroup.Group
	var mu sync.Mutex
	var paths []string
	for _, a := range attached {
		g.Go(func() error {
			ref, packed, err := pack(a.Bytes)
			if err != nil {
				return err
			}
			*a.Ref = ref
			path := blobPath(ref.Stored)
			if l.disk.exists(path) {
				return nil
			}
			mu.Lock()
			paths = append(paths, path)
			mu.Unlock()
			return l.disk.write(path, packed)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return l.disk.syncDirs(paths...)
}

// append signs the statement, writes the tiles it changes and then the checkpoint, which commits it.
func (l *Log) append(ctx context.Context, s Statement) (int64, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	signer, err := dsse.NewEnvelopeSigner(l.key)
	if err != nil {
		return 0, err
	}
	envelope, err := signer.SignPayload(ctx, PayloadType, payload)
	if err != nil {
		return 0, err
	}
	entry, err := json.Marshal(envelope)
	if err != nil {
		return 0, err
	}
	if len(entry) > 1<<16-1 {
		return 0, fmt.Errorf("an entry of %d bytes does not fit the log's format (65535)", len(entry))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, l.broken
	}
	index := l.size
	if err := l.commit(entry); err != nil {
		l.broken = fmt.Errorf("%w (nothing more is logged until the ledger is opened again)", err)
		return 0, err
	}
	return index, nil
}

func (l *Log) commit(entry []byte) error {
	old := l.size
	if err := l.addHash(entry); err != nil {
		return err
	}
	if old%tileWidth == 0 {
		l.bundle = nil
	}
	l.bundle = binary.BigEndian.AppendUint16(l.bundle, uint16(len(entry)))
	l.bundle = append(l.bundle, entry...)

	files := map[string][]byte{
		tilePath(tlog.Tile{H: tileHeight, L: -1, N: old / tileWidth, W: int(old%tileWidth) + 1}): l.bundle,
	}
	for _, t := range tlog.NewTiles(tileHeight, old, l.size) {
		data, err := tlog.ReadTileData(t, l.reader(l.hashes))
		if err != nil {
			return err
		}
		files[tilePath(t)] = data
	}
	var g errgroup.Group
	var paths []string
	for path, b := range files {
		paths = append(paths, path)
		g.Go(func() error { return l.disk.write(path, b) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := l.disk.syncDirs(paths...); err != nil {
		return err
	}
	if err := l.writeCheckpoint(l.size); err != nil {
		return err
	}
	if err := l.disk.syncDirs("checkpoint"); err != nil {
		return err
	}
	l.removeOld(old)
	return nil
}

// removeOld deletes the partial tiles that those for size old+1 replaced.
func (l *Log) removeOld(old int64) {
	if old%tileWidth == 0 {
		return
	}
	for level := -1; level <= 0; level++ {
		l.disk.remove(tilePath(tlog.Tile{H: tileHeight, L: level, N: old / tileWidth, W: int(old % tileWidth)}))
	}
}

func (l *Log) addHash(entry []byte) error {
	hs, err := tlog.StoredHashes(l.size, entry, l.reader(l.hashes))
	if err != nil {
		return err
	}
	l.hashes = append(l.hashes, hs...)
	l.size++
	return nil
}

func (l *Log) reader(hashes []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			if x >= int64(len(hashes)) {
				return nil, fmt.Errorf("hash %d is not in the log", x)
			}
			out[i] = hashes[x]
		}
		return out, nil
	})
}

func (l *Log) writeCheckpoint(size int64) error {
	root, err := tlog.TreeHash(size, l.reader(l.hashes))
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", l.key.signer.Name(), size, root)
	signed, err := note.Sign(&note.Note{Text: text}, l.key.signer)
	if err != nil {
		return err
	}
	return l.disk.write("checkpoint", signed)
}

func parseCheckpoint(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[3] != "" {
		return tlog.Tree{}, errors.New("want three lines: origin, size, root hash")
	}
	var t tlog.Tree
	if _, err := fmt.Sscanf(lines[1], "%d", &t.N); err != nil || t.N < 0 || fmt.Sprint(t.N) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("bad size %q", lines[1])
	}
	var err error
	t.Hash, err = tlog.ParseHash(lines[2])
	return t, err
}

func splitBundle(b []byte) ([][]byte, error) {
	var entries [][]byte
	for len(b) > 0 {
		if len(b) < 2 {
			return nil, errors.New("a length is cut off")
		}
		n := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+n {
			return nil, errors.New("an entry is cut off")
		}
		entries = append(entries, b[2:2+n])
		b = b[2+n:]
	}
	return entries, nil
}

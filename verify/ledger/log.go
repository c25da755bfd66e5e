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

	"github.com/interlock/interlock/verify"
)

// ErrBusy says that another process has the log open.
var ErrBusy = errors.New("the ledger is in use by another process")

// A Log is an open log; one process at a time has it. Its methods may be called concurrently.
type Log struct {
	disk *disk
	key  *key
	lock *os.File

	mu      sync.Mutex
	journal *journal
	bundle  []byte      // the last, partial entry bundle
	hashes  []tlog.Hash // all stored hashes, in tlog's order
	size    int64
	synced  int64 // size when the journal was last empty: the tiles for it are kept until it is again
	broken  error // a failed append: what is on disk is unknown until the log is opened again
	// packed are blobs by their content, so that what every decision refers to, the linked program, is not compressed each time.
	packed map[verify.Digest]Blob
}

// maxPacked bounds Log.packed.
const maxPacked = 64

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
	cp, err := l.checkpoint()
	if err != nil {
		return err
	}
	if err := l.disk.write("checkpoint", cp); err != nil {
		return err
	}
	j, _, err := openJournal(l.disk)
	if err != nil {
		return err
	}
	defer j.file.Close()
	return j.clear()
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
		return nil, fmt.Errorf("%s: no ledger here; 'interlock init' makes one, and so does the first 'interlock prove' of a site", dir)
	} else if err != nil {
		return nil, err
	}
	if l.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, diskError(err)
	}
	if err := syscall.Flock(int(l.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		l.lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
	}
	if err := l.recover(cp); err != nil {
		if l.journal != nil {
			l.journal.file.Close()
		}
		l.lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return l, nil
}

// recover loads what is certainly on disk and does again what the journal says came after it.
func (l *Log) recover(checkpoint []byte) error {
	j, frames, err := openJournal(l.disk)
	if err != nil {
		return err
	}
	l.journal = j
	newest := checkpoint
	if len(frames) > 0 {
		newest = frames[len(frames)-1].Checkpoint
	}
	if err := settleKey(l.disk, newest); err != nil {
		return err
	}
	if l.key, err = loadKey(l.disk.dir); err != nil {
		return err
	}
	if len(frames) == 0 {
		size, err := l.checkpointSize(checkpoint)
		if err != nil {
			return err
		}
		if err := l.load(size); err != nil {
			return err
		}
		if err := l.checkRoot(checkpoint); err != nil {
			return err
		}
	} else if err := l.load(frames[0].Index); err != nil {
		return err
	}
	l.synced = l.size
	// A checkpoint is written after its frame is durable. If it covers more than the journal can restore, then the journal lost
	// entries that were acknowledged and maybe seen, and going on would fork the log.
	if tree, err := l.openCheckpoint(checkpoint); err == nil && tree.N > l.size+int64(len(frames)) {
		return fmt.Errorf("the journal is damaged: the checkpoint covers %d entries, %d can be restored", tree.N, l.size+int64(len(frames)))
	}
	for _, f := range frames {
		if f.Index != l.size {
			return errors.New("the journal does not continue the log")
		}
		if err := l.addEntry(f.Entry); err != nil {
			return err
		}
		if err := l.checkRoot(f.Checkpoint); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if err := l.writeFiles(f, l.disk.write); err != nil {
			return err
		}
	}
	return l.flush()
}

// checkpointSize opens a signed checkpoint.
func (l *Log) checkpointSize(checkpoint []byte) (int64, error) {
	tree, err := l.openCheckpoint(checkpoint)
	return tree.N, err
}

func (l *Log) openCheckpoint(checkpoint []byte) (tlog.Tree, error) {
	n, err := note.Open(checkpoint, note.VerifierList(l.key.verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	tree, err := parseCheckpoint(n.Text)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	return tree, nil
}

// checkRoot compares the loaded entries with a signed checkpoint.
func (l *Log) checkRoot(checkpoint []byte) error {
	tree, err := l.openCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(l.size, l.reader())
	if err != nil {
		return err
	}
	if tree.N != l.size || root != tree.Hash {
		return errors.New("the entries do not hash to the checkpoint's root: run 'interlock audit verify'")
	}
	return nil
}

// load reads the first size entries and computes their hashes.
func (l *Log) load(size int64) error {
	for l.size < size {
		width := min(size-l.size, tileWidth)
		bundle, err := l.disk.read(tilePath(tlog.Tile{H: tileHeight, L: -1, N: l.size / tileWidth, W: int(width)}))
		if err != nil {
			return err
		}
		entries, err := splitBundle(bundle)
		if err != nil || int64(len(entries)) != width {
			return fmt.Errorf("entry bundle %d is damaged", l.size/tileWidth)
		}
		for _, e := range entries {
			if err := l.addEntry(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close empties the journal and gives the log up.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return nil
	}
	var err error
	if l.broken == nil {
		err = l.flush()
	}
	l.journal.file.Close()
	l.lock.Close() // and with it the lock
	l.journal = nil
	l.broken = errors.New("the ledger is closed")
	return err
}

// Size is the number of entries.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// Dir is where the log is.
func (l *Log) Dir() string { return l.disk.dir }

// AppendDecision stores a decision with its subject, certificate and obligations, and returns its index. cert may be nil when the
// decision rests on a standing lemma.
func (l *Log) AppendDecision(ctx context.Context, d Decision, s verify.Subject, cert *verify.Certificate, obligations []verify.Obligation) (int64, error) {
	files := map[string][]byte{}
	d.Inputs = map[string]Blob{}
	for name, b := range s.Inputs {
		ref, err := l.attach(files, b)
		if err != nil {
			return 0, err
		}
		d.Inputs[name] = ref
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
		certRef, err := l.attach(files, text)
		if err != nil {
			return 0, err
		}
		obsRef, err := l.attach(files, obs)
		if err != nil {
			return 0, err
		}
		d.Certificate, d.Obligations = &certRef, &obsRef
	}
	return l.append(ctx, files, Statement{
		Type: StatementType, PredicateType: DecisionType, Predicate: &d,
		Subject: []Resource{{Name: s.Name, Digest: map[string]string{"sha256": hexOf(s.Digest())}}},
	})
}

// AppendOutcome stores what became of a decision and returns the entry's index.
func (l *Log) AppendOutcome(ctx context.Context, o Outcome) (int64, error) {
	return l.append(ctx, nil, Statement{
		Type: StatementType, PredicateType: OutcomeType, Predicate: &o,
		Subject: []Resource{{Name: "switch " + o.Switch, Digest: map[string]string{"sha256": hexOf(o.PostState)}}},
	})
}

func hexOf(d verify.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }

// attach packs b and adds it to files unless it is stored already.
func (l *Log) attach(files map[string][]byte, b []byte) (Blob, error) {
	content := verify.DigestOf(b)
	l.mu.Lock()
	known, ok := l.packed[content]
	l.mu.Unlock()
	if ok && l.disk.exists(blobPath(known.Stored)) {
		return known, nil
	}
	ref, packed, err := pack(b)
	if err != nil {
		return Blob{}, err
	}
	if path := blobPath(ref.Stored); !l.disk.exists(path) {
		files[path] = packed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.packed == nil || len(l.packed) >= maxPacked {
		l.packed = map[verify.Digest]Blob{}
	}
	l.packed[content] = ref
	return ref, nil
}

// append signs the statement and commits it with the files it refers to.
func (l *Log) append(ctx context.Context, files map[string][]byte, s Statement) (int64, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, l.broken
	}
	entry, err := seal(ctx, payload, l.key)
	if err != nil {
		return 0, err
	}
	index := l.size
	if err := l.commit(entry, files); err != nil {
		l.broken = fmt.Errorf("%w (nothing more is logged until the ledger is opened again)", err)
		return 0, err
	}
	return index, nil
}

// seal puts a statement into an envelope that the keys sign.
func seal(ctx context.Context, payload []byte, keys ...dsse.Signer) ([]byte, error) {
	signer, err := dsse.NewEnvelopeSigner(keys...)
	if err != nil {
		return nil, err
	}
	envelope, err := signer.SignPayload(ctx, PayloadType, payload)
	if err != nil {
		return nil, err
	}
	entry, err := json.Marshal(envelope)
	if err == nil && len(entry) > 1<<16-1 {
		err = fmt.Errorf("an entry of %d bytes does not fit the log's format (65535)", len(entry))
	}
	return entry, err
}

// commit makes the entry durable in the journal, which is the commit point, and then writes the log's files.
func (l *Log) commit(entry []byte, files map[string][]byte) error {
	f := frame{Index: l.size, Entry: entry, Files: files}
	if err := l.addEntry(entry); err != nil {
		return err
	}
	var err error
	if f.Checkpoint, err = l.checkpoint(); err != nil {
		return err
	}
	if err := l.journal.add(f); err != nil {
		return err
	}
	if err := l.writeFiles(f, l.disk.create); err != nil {
		return err
	}
	if l.journal.size > journalLimit {
		return l.flush()
	}
	return nil
}

// writeFiles writes what f adds, each file with write, and then the checkpoint, before which nobody looks at the others. The log has
// f's entry already, as its last one.
func (l *Log) writeFiles(f frame, write func(path string, b []byte) error) error {
	for path, b := range f.Files {
		if err := write(path, b); err != nil {
			return err
		}
	}
	bundle := tlog.Tile{H: tileHeight, L: -1, N: f.Index / tileWidth, W: int(f.Index%tileWidth) + 1}
	if err := write(tilePath(bundle), l.bundle); err != nil {
		return err
	}
	for _, t := range tlog.NewTiles(tileHeight, f.Index, f.Index+1) {
		data, err := tlog.ReadTileData(t, l.reader())
		if err != nil {
			return err
		}
		if err := write(tilePath(t), data); err != nil {
			return err
		}
	}
	if err := l.disk.write("checkpoint", f.Checkpoint); err != nil {
		return err
	}
	if f.Index != l.synced { // the partial tiles of the last synced size are needed until the next sync
		l.removePartial(f.Index)
	}
	return nil
}

// flush makes everything durable and empties the journal.
func (l *Log) flush() error {
	if err := l.journal.clear(); err != nil {
		return err
	}
	if l.synced != l.size {
		l.removePartial(l.synced)
	}
	l.synced = l.size
	return nil
}

// removePartial deletes the partial tiles that only a log of that size has.
func (l *Log) removePartial(size int64) {
	for level, n := -1, size; n > 0 && level < 8; level++ {
		if n%tileWidth != 0 {
			t := tlog.Tile{H: tileHeight, L: level, N: n / tileWidth, W: int(n % tileWidth)}
			if level <= 0 || n != l.size>>(tileHeight*level) {
				l.disk.remove(tilePath(t))
			}
		}
		if level >= 0 {
			n /= tileWidth
		}
	}
}

// addEntry takes an entry into memory.
func (l *Log) addEntry(entry []byte) error {
	hs, err := tlog.StoredHashes(l.size, entry, l.reader())
	if err != nil {
		return err
	}
	if l.size%tileWidth == 0 {
		l.bundle = nil
	}
	l.bundle = binary.BigEndian.AppendUint16(l.bundle, uint16(len(entry)))
	l.bundle = append(l.bundle, entry...)
	l.hashes = append(l.hashes, hs...)
	l.size++
	return nil
}

func (l *Log) reader() tlog.HashReader {
	hashes := l.hashes
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

// checkpoint signs the log as it is in memory.
func (l *Log) checkpoint() ([]byte, error) {
	root, err := tlog.TreeHash(l.size, l.reader())
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", l.key.signer.Name(), l.size, root)
	return note.Sign(&note.Note{Text: text}, l.key.signer)
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

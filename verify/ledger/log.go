package ledger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	disk     *disk
	key      *key
	lock     *os.File
	packer   packer
	journals [2]*journal
	limit    int64 // journalLimit

	appending sync.Mutex  // one append at a time; it guards what follows
	active    *journal    // that frames are written to
	hashes    []tlog.Hash // all stored hashes, in tlog's order; only ever appended to
	size      int64
	kept      map[verify.Digest]Blob // by their content
	packs     []*textPack

	publisher publisher
	mu        sync.Mutex // it guards what follows
	changed   *sync.Cond // something of it
	queue     []queued   // appends that are not in the files yet, in order
	waiting   int64      // bytes in queue
	durable   int64      // entries that survive whatever happens
	published int64      // entries that are in the files
	retired   *journal   // that is to be emptied once its frames are in the files
	broken    error      // something failed: what is on disk is unknown until the log is opened again
	closing   bool
	stopped   chan struct{} // closed when the publisher has ended
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
	cp, err := l.checkpoint()
	if err != nil {
		return err
	}
	if err := l.disk.write("checkpoint", cp); err != nil {
		return err
	}
	j, _, err := openJournal(l.disk, journalFiles[0])
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
	l := &Log{disk: &disk{dir: dir}, limit: journalLimit, stopped: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	l.publisher.disk = l.disk
	cp, err := l.disk.read("checkpoint")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no ledger here; 'interlock init' makes one, and so does the first 'interlock prove' of a site", dir)
	} else if err != nil {
		return nil, err
	}
	if l.packer, err = newPacker(); err != nil {
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
		l.closeFiles()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	go l.publish()
	return l, nil
}

// recover loads what is certainly on disk and does again what the journals say came after it.
func (l *Log) recover(checkpoint []byte) error {
	frames, err := l.openJournals()
	if err != nil {
		return err
	}
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
	l.publisher.size, l.publisher.synced = l.size, l.size
	// A checkpoint is written after its frame is durable. If it covers more than the journals can restore, then they lost
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
	}
	if err := l.publisher.write(frames, l.hashes, l.disk.write); err != nil {
		return err
	}
	l.durable, l.published = l.size, l.size
	for _, j := range l.journals {
		if err := l.publisher.empty(j); err != nil {
			return err
		}
	}
	return nil
}

// openJournals opens both and returns their frames in order. Only one of them can have lost its end, the younger: the other was whole
// before the first frame of that.
func (l *Log) openJournals() ([]frame, error) {
	var frames [2][]frame
	for i, name := range journalFiles {
		var err error
		if l.journals[i], frames[i], err = openJournal(l.disk, name); err != nil {
			return nil, err
		}
	}
	l.active = l.journals[0]
	a, b := frames[0], frames[1]
	if len(a) > 0 && len(b) > 0 && b[0].Index < a[0].Index {
		a, b = b, a
	}
	return append(a, b...), nil
}

func (l *Log) closeFiles() {
	for _, j := range l.journals {
		if j != nil {
			j.file.Close()
		}
	}
	l.lock.Close() // and with it the lock
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
	root, err := tlog.TreeHash(l.size, reader(l.hashes))
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
		if width < tileWidth {
			l.publisher.bundle = bundle
		}
	}
	return nil
}

// Close publishes everything, empties the journals and gives the log up.
func (l *Log) Close() error {
	l.appending.Lock()
	defer l.appending.Unlock()
	if l.active == nil {
		return nil
	}
	err := l.settle()
	l.mu.Lock()
	l.closing = true
	if l.broken == nil {
		l.broken = errors.New("the ledger is closed")
	}
	l.changed.Broadcast()
	l.mu.Unlock()
	<-l.stopped
	l.closeFiles()
	l.active = nil
	return err
}

// Size is the number of entries.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable
}

// Dir is where the log is.
func (l *Log) Dir() string { return l.disk.dir }

// AppendDecision stores a decision with its subject, certificate and the texts of its obligations, and returns its index. cert may be
// nil when the decision rests on a standing lemma.
func (l *Log) AppendDecision(ctx context.Context, d Decision, s verify.Subject, cert *verify.Certificate, obligations []verify.Obligation) (int64, error) {
	var text []byte
	if cert != nil {
		var err error
		if text, err = cert.Marshal(); err != nil {
			return 0, err
		}
	}
	return l.append(ctx, func(a *attachment) Statement {
		d.Inputs = map[string]Blob{}
		for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
			d.Inputs[name] = a.add(s.Inputs[name])
		}
		if cert != nil {
			ref := a.add(text)
			d.Certificate, d.Texts = &ref, a.addTexts(d.Action, obligations)
		}
		if d.TermsText != nil {
			ref := a.add(d.TermsText)
			d.Terms = &ref
		}
		return Statement{
			Type: StatementType, PredicateType: DecisionType, Predicate: &d,
			Subject: []Resource{{Name: s.Name, Digest: map[string]string{"sha256": hexOf(s.Digest())}}},
		}
	})
}

// AppendOutcome stores what became of a decision and returns the entry's index.
func (l *Log) AppendOutcome(ctx context.Context, o Outcome) (int64, error) {
	return l.append(ctx, func(*attachment) Statement {
		return Statement{
			Type: StatementType, PredicateType: OutcomeType, Predicate: &o,
			Subject: []Resource{{Name: "switch " + o.Switch, Digest: map[string]string{"sha256": hexOf(o.PostState)}}},
		}
	})
}

func hexOf(d verify.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }

// append signs the statement that state makes, and commits it with the files that it refers to.
func (l *Log) append(ctx context.Context, state func(*attachment) Statement) (int64, error) {
	index, j, written, err := l.write(ctx, state)
	if err != nil {
		return 0, err
	}
	// Others write their frames meanwhile, and one sync does for all that are written.
	if err := l.commit(j, index, written); err != nil {
		return 0, err
	}
	return index, nil
}

// usable returns why nothing can be appended, and waits until there is room for more that is not published yet.
func (l *Log) usable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.broken == nil && l.waiting > maxWaiting {
		l.changed.Wait()
	}
	return l.broken
}

// fail notes that what is on disk is unknown from now on.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = unusable(err)
	}
	l.changed.Broadcast()
	return err
}

func unusable(err error) error {
	return fmt.Errorf("%w (nothing more is logged until the ledger is opened again)", err)
}

// write adds an entry to the log in memory and to journal j, which has to be synced up to written.
func (l *Log) write(ctx context.Context, state func(*attachment) Statement) (index int64, j *journal, written int64, err error) {
	l.appending.Lock()
	defer l.appending.Unlock()
	if err := l.usable(); err != nil {
		return 0, nil, 0, err
	}
	a := l.newAttachment()
	payload, err := json.Marshal(state(a))
	if err != nil {
		return 0, nil, 0, err
	}
	entry, err := seal(ctx, payload, l.key)
	if err != nil {
		return 0, nil, 0, err
	}
	if index, written, err = l.writeEntry(entry, a.files); err == nil {
		a.keep()
	}
	return index, l.active, written, err
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

// writeEntry writes a frame.
func (l *Log) writeEntry(entry []byte, files map[string][]byte) (index, written int64, err error) {
	f := frame{Index: l.size, Entry: entry, Files: files}
	if err := l.addEntry(entry); err != nil {
		return 0, 0, l.fail(err)
	}
	if f.Checkpoint, err = l.checkpoint(); err != nil {
		return 0, 0, l.fail(err)
	}
	if err := l.nextJournal(); err != nil {
		return 0, 0, l.fail(err)
	}
	written, n, err := l.active.write(f)
	if err != nil {
		return 0, 0, l.fail(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, queued{f, l.hashes, l.active, n})
	l.waiting += n
	return f.Index, written, nil
}

// nextJournal changes journals when one has grown and the other is empty.
func (l *Log) nextJournal() error {
	if l.active.size <= l.limit {
		return nil
	}
	l.mu.Lock()
	busy := l.retired != nil
	l.mu.Unlock()
	if busy {
		return nil
	}
	// Nothing may be durable in the next one before all of this one is.
	if err := l.active.sync(l.active.size); err != nil {
		return err
	}
	old := l.active
	l.active = l.journals[0]
	if old == l.active {
		l.active = l.journals[1]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retired = old
	l.changed.Broadcast()
	return nil
}

// commit makes the entry at index, and all before it, durable: a frame in a synced journal is the commit point.
func (l *Log) commit(j *journal, index, written int64) error {
	if err := j.sync(written); err != nil {
		return l.fail(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable = max(l.durable, index+1)
	l.changed.Broadcast()
	return nil
}

// addEntry takes an entry into memory.
func (l *Log) addEntry(entry []byte) error {
	hs, err := tlog.StoredHashes(l.size, entry, reader(l.hashes))
	if err != nil {
		return err
	}
	l.hashes = append(l.hashes, hs...)
	l.size++
	return nil
}

func reader(hashes []tlog.Hash) tlog.HashReader {
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
	root, err := tlog.TreeHash(l.size, reader(l.hashes))
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

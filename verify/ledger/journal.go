package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The journal makes an append durable with one sync of one file, where syncing every tile, blob and directory would take thirty
// (12 ms instead of 1 on the disk it was measured on). A frame is written and synced; that is the append. The log's files are written
// after that, by the publisher, and synced all at once when the journal has grown. There are two journals, so that appends go on in
// one while the other is emptied. Opening a log does again what their frames say.

// journalLimit is the size, in bytes, past which a journal is emptied.
const journalLimit = 8 << 20

var journalFiles = [2]string{"journal.0", "journal.1"}

// frame is one append: enough to do it again.
type frame struct {
	Index      int64
	Entry      []byte
	Checkpoint []byte
	Files      map[string][]byte // blobs
}

type journal struct {
	disk *disk
	name string
	file *os.File

	size    int64 // the writer's
	written atomic.Int64
	syncing sync.Mutex
	synced  int64
}

// openJournal opens a journal and reads its frames.
func openJournal(d *disk, name string) (*journal, []frame, error) {
	f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, diskError(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Close()
		return nil, nil, diskError(err)
	}
	return &journal{disk: d, name: name, file: f}, parseFrames(b), nil
}

// parseFrames reads frames up to the first that is torn: it was never acknowledged.
func parseFrames(b []byte) []frame {
	var frames []frame
	for len(b) >= 8 {
		n := int64(binary.BigEndian.Uint32(b))
		if int64(len(b)) < 8+n || crc32.ChecksumIEEE(b[8:8+n]) != binary.BigEndian.Uint32(b[4:]) {
			break
		}
		f, ok := parseFrame(b[8 : 8+n])
		if !ok {
			break
		}
		frames = append(frames, f)
		b = b[8+n:]
	}
	return frames
}

// A frame's payload is its index in 8 bytes, then the entry, the checkpoint, and a path and a content for each file; each of these with
// its length in 4 bytes before it.
func (f frame) payload() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(f.Index))
	put := func(x []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(x))), x...) }
	put(f.Entry)
	put(f.Checkpoint)
	for _, path := range slices.Sorted(maps.Keys(f.Files)) {
		put([]byte(path))
		put(f.Files[path])
	}
	return b
}

func parseFrame(b []byte) (frame, bool) {
	if len(b) < 8 {
		return frame{}, false
	}
	f := frame{Index: int64(binary.BigEndian.Uint64(b)), Files: map[string][]byte{}}
	b = b[8:]
	var parts [][]byte
	for len(b) > 0 {
		if len(b) < 4 || int64(len(b)-4) < int64(binary.BigEndian.Uint32(b)) {
			return frame{}, false
		}
		n := 4 + int(binary.BigEndian.Uint32(b))
		parts = append(parts, b[4:n])
		b = b[n:]
	}
	if len(parts) < 2 || len(parts)%2 != 0 || f.Index < 0 {
		return frame{}, false
	}
	f.Entry, f.Checkpoint = parts[0], parts[1]
	for i := 2; i < len(parts); i += 2 {
		f.Files[string(parts[i])] = parts[i+1]
	}
	return f, true
}

// write writes f. It is durable when the journal is synced up to the offset returned.
func (j *journal) write(f frame) (upTo, n int64, err error) {
	payload := f.payload()
	if len(payload) > 1<<31 {
		return 0, 0, fmt.Errorf("an append of %d bytes is too large", len(payload))
	}
	b := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint32(b, uint32(len(payload)))
	binary.BigEndian.PutUint32(b[4:], crc32.ChecksumIEEE(payload))
	b = append(b, payload...)
	if err := j.disk.step("journal", j.name); err != nil {
		return 0, 0, err
	}
	if _, err := j.file.WriteAt(b, j.size); err != nil {
		return 0, 0, diskError(err)
	}
	j.size += int64(len(b))
	j.written.Store(j.size)
	return j.size, int64(len(b)), nil
}

// sync makes the first upTo bytes durable.
func (j *journal) sync(upTo int64) error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if j.synced >= upTo {
		return nil // with somebody else's frame
	}
	if err := j.disk.step("sync", j.name); err != nil {
		return err
	}
	written := j.written.Load()
	if err := unix.Fdatasync(int(j.file.Fd())); err != nil {
		return diskError(err)
	}
	j.synced = written
	return nil
}

// clear empties the journal after everything else is on disk.
func (j *journal) clear() error {
	if err := j.disk.step("syncfs", j.name); err != nil {
		return err
	}
	if err := unix.Syncfs(int(j.file.Fd())); err != nil {
		return diskError(err)
	}
	if err := j.disk.step("clear", j.name); err != nil {
		return err
	}
	if err := j.file.Truncate(0); err != nil {
		return diskError(err)
	}
	if err := j.file.Sync(); err != nil {
		return diskError(err)
	}
	j.size, j.synced = 0, 0
	j.written.Store(0)
	return nil
}

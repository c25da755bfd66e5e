package ledger

import (
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// maxWaiting is how many bytes may wait to be written to the log's files before appends wait for that.
const maxWaiting = 64 << 20

// queued is an append that is not in the log's files yet.
type queued struct {
	frame
	hashes  []tlog.Hash // of the log that it ends
	journal *journal
	bytes   int64
}

// publisher writes the log's files: what it is given is in a journal and can be written again.
type publisher struct {
	disk   *disk
	bundle []byte // the last, partial bundle of entries
	size   int64
	synced int64 // size when a journal was last emptied: the tiles for it are kept until that happens again
}

// Publish returns when all that has been appended is in the log's files, where others read it. What is not there yet is in a journal, and
// would be there when the log is opened again.
func (l *Log) Publish() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for want := l.durable; l.published < want; l.changed.Wait() {
		if l.broken != nil {
			return l.broken
		}
	}
	return nil
}

// publish writes what is queued, as long as the log is open.
func (l *Log) publish() {
	defer close(l.stopped)
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closing && l.broken == nil {
		batch := l.batch()
		retired := l.retired
		var err error
		switch {
		case len(batch) > 0:
			l.mu.Unlock()
			err = l.publisher.write(frames(batch), batch[len(batch)-1].hashes, l.disk.create)
			l.mu.Lock()
			if err == nil {
				l.queue = l.queue[len(batch):]
				l.published += int64(len(batch))
				for _, q := range batch {
					l.waiting -= q.bytes
				}
			}
		case retired != nil && (len(l.queue) == 0 || l.queue[0].journal != retired):
			l.mu.Unlock()
			err = l.publisher.empty(retired)
			l.mu.Lock()
			if err == nil {
				l.retired = nil
			}
		default:
			l.changed.Wait()
			continue
		}
		if err != nil && l.broken == nil {
			l.broken = unusable(err)
		}
		l.changed.Broadcast()
	}
}

// batch is what can be published at once: durable, and of one journal, so that the other can be emptied before more is.
func (l *Log) batch() []queued {
	if len(l.queue) > 0 && l.retired != nil && l.queue[0].journal != l.retired {
		return nil
	}
	n := 0
	for n < len(l.queue) && l.queue[n].Index < l.durable && l.queue[n].journal == l.queue[0].journal {
		n++
	}
	return l.queue[:n:n]
}

func frames(batch []queued) []frame {
	fs := make([]frame, len(batch))
	for i, q := range batch {
		fs[i] = q.frame
	}
	return fs
}

// settle publishes everything and empties both journals. The caller holds l.appending.
func (l *Log) settle() error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.size > 0 {
		if err := l.commit(l.active, l.size-1, l.active.size); err != nil {
			return err
		}
	}
	l.mu.Lock()
	for l.broken == nil && (len(l.queue) > 0 || l.retired != nil) {
		l.changed.Wait()
	}
	err := l.broken
	l.mu.Unlock()
	if err == nil { // and the publisher has nothing to do
		if err = l.publisher.empty(l.active); err != nil {
			err = l.fail(err)
		}
	}
	return err
}

// write writes what the frames add, each file with write, and then the checkpoint, before which nobody looks at the others. hashes are those
// of the log that they end.
func (p *publisher) write(fs []frame, hashes []tlog.Hash, write func(path string, b []byte) error) error {
	if len(fs) == 0 {
		return nil
	}
	before := p.size
	for _, f := range fs {
		for path, b := range f.Files {
			if err := write(path, b); err != nil {
				return err
			}
		}
		p.bundle = binary.BigEndian.AppendUint16(p.bundle, uint16(len(f.Entry)))
		p.bundle = append(p.bundle, f.Entry...)
		p.size = f.Index + 1
		if p.size%tileWidth == 0 || p.size == fs[len(fs)-1].Index+1 {
			t := tlog.Tile{H: tileHeight, L: -1, N: f.Index / tileWidth, W: int(f.Index%tileWidth) + 1}
			if err := write(tilePath(t), p.bundle); err != nil {
				return err
			}
		}
		if p.size%tileWidth == 0 {
			p.bundle = nil
		}
	}
	for _, t := range tlog.NewTiles(tileHeight, before, p.size) {
		data, err := tlog.ReadTileData(t, reader(hashes))
		if err != nil {
			return err
		}
		if err := write(tilePath(t), data); err != nil {
			return err
		}
	}
	if err := p.disk.write("checkpoint", fs[len(fs)-1].Checkpoint); err != nil {
		return err
	}
	if before != p.synced { // the partial tiles of the last synced size are needed until the next sync
		p.removePartial(before)
	}
	return nil
}

// empty makes all that was published durable and empties a journal, all of whose frames were.
func (p *publisher) empty(j *journal) error {
	if err := j.clear(); err != nil {
		return err
	}
	if p.synced != p.size {
		p.removePartial(p.synced)
	}
	p.synced = p.size
	return nil
}

// removePartial deletes the partial tiles that only a log of that size has.
func (p *publisher) removePartial(size int64) {
	for level, n := -1, size; n > 0 && level < 8; level++ {
		if n%tileWidth != 0 {
			t := tlog.Tile{H: tileHeight, L: level, N: n / tileWidth, W: int(n % tileWidth)}
			if level <= 0 || n != p.size>>(tileHeight*level) {
				p.disk.remove(tilePath(t))
			}
		}
		if level >= 0 {
			n /= tileWidth
		}
	}
}

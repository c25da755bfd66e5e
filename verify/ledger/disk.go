package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrDisk wraps every failure to store something, a full disk among them.
var ErrDisk = errors.New("cannot store the log")

// tileHeight is tlog-tiles': 256 hashes or entries a tile.
const tileHeight = 8

const tileWidth = 1 << tileHeight

// unfinished is the name of a file that is being written.
const unfinished = ".new"

// tilePath is where tlog-tiles puts a tile: tlog's path without the height, and "entries" for its data tiles.
func tilePath(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	return "tile/" + strings.Replace(p, "data/", "entries/", 1)
}

// disk writes files below dir.
type disk struct {
	dir string
	// before is called before every step that changes the disk; tests stop there, as a crash would. Appends and the publisher call it.
	before atomic.Pointer[func(op, path string) error]
}

func (d *disk) step(op, path string) error {
	if before := d.before.Load(); before != nil {
		return (*before)(op, path)
	}
	return nil
}

// write puts b at path, whole or not at all as far as other processes see. The journal makes it durable.
func (d *disk) write(path string, b []byte) error {
	full := filepath.Join(d.dir, filepath.FromSlash(path))
	if err := d.step("write", path); err != nil {
		return err
	}
	// One process writes, one file at a time, so one name does for all that is unfinished; a crash leaves it for the next to replace.
	// It lies in the log's own directory, which is there.
	tmp := filepath.Join(d.dir, unfinished)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return diskError(err)
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return diskError(err)
	}
	if err := d.step("rename", path); err != nil {
		return err
	}
	err = os.Rename(tmp, full)
	if errors.Is(err, fs.ErrNotExist) { // the directory, the first time
		if err = os.MkdirAll(filepath.Dir(full), 0o755); err == nil {
			err = os.Rename(tmp, full)
		}
	}
	return diskError(err)
}

// create puts b at path, under a name that nothing refers to before the next checkpoint: readers never look at half of it. A crash may
// leave half of it; then the journal, which has it all, writes it again.
func (d *disk) create(path string, b []byte) error {
	full := filepath.Join(d.dir, filepath.FromSlash(path))
	if err := d.step("create", path); err != nil {
		return err
	}
	err := os.WriteFile(full, b, 0o644)
	if errors.Is(err, fs.ErrNotExist) { // the directory, the first time
		if err = os.MkdirAll(filepath.Dir(full), 0o755); err == nil {
			err = os.WriteFile(full, b, 0o644)
		}
	}
	return diskError(err)
}

func (d *disk) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.dir, filepath.FromSlash(path)))
}

func (d *disk) exists(path string) bool {
	_, err := os.Stat(filepath.Join(d.dir, filepath.FromSlash(path)))
	return err == nil
}

// remove deletes a partial tile that a longer one has replaced; what remains after a crash does no harm.
func (d *disk) remove(path string) {
	if d.step("remove", path) == nil {
		_ = os.Remove(filepath.Join(d.dir, filepath.FromSlash(path)))
	}
}

func diskError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: the disk is full: %w", ErrDisk, err)
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}

package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Blob refers to bytes beside the log.
type Blob struct {
	Content string `json:"content"`
	Stored  string `json:"stored"`
	Size    int64  `json:"size"`
}

// ErrRedacted is wrapped by errors about bytes that an export leaves out.
var ErrRedacted = errors.New("redacted")

// maxBlob bounds what a blob may say that it unpacks to, in bytes: a log from elsewhere must not exhaust its checker.
const maxBlob = 1 << 30

// newUnpacker makes a decoder that gives up where a blob unpacks to more than its entry says.
func newUnpacker() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithDecodeAllCapLimit(true))
}

// File is where a blob is, in the log.
func (b Blob) File() (string, error) {
	hexa, ok := strings.CutPrefix(b.Stored, "sha256:")
	if !ok || len(hexa) != 64 || strings.Trim(hexa, "0123456789abcdef") != "" {
		return "", fmt.Errorf("bad digest %q", b.Stored)
	}
	return path.Join("blobs", hexa[:2], hexa[2:]+".zst"), nil
}

// Blob returns the bytes that ref refers to.
func (l *Log) Blob(ref Blob) ([]byte, error) {
	var b []byte
	err := l.with(ref, func(content []byte) error {
		b = bytes.Clone(content)
		return nil
	})
	return b, err
}

// room is where a blob is read and unpacked; it is used for one after the other.
type room struct {
	stored  bytes.Buffer
	content []byte
}

// with calls use with the bytes that ref refers to, which are gone when it returns.
func (l *Log) with(ref Blob, use func(content []byte) error) error {
	file, err := ref.File()
	if err != nil {
		return err
	}
	if ref.Size < 0 || ref.Size > maxBlob {
		return fmt.Errorf("a blob of %d bytes", ref.Size)
	}
	if l.omitted[ref.Stored] {
		return fmt.Errorf("%s: %w", file, ErrRedacted)
	}
	r, ok := l.rooms.Get().(*room)
	if !ok {
		r = &room{}
	}
	defer l.rooms.Put(r)
	if err := r.read(l.files, file); err != nil {
		return err
	}
	if digest(r.stored.Bytes()) != ref.Stored {
		return fmt.Errorf("%s was changed", file)
	}
	if int64(cap(r.content)) < ref.Size {
		r.content = make([]byte, 0, ref.Size)
	}
	content, err := l.unpack.DecodeAll(r.stored.Bytes(), r.content[:0:ref.Size])
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if int64(len(content)) != ref.Size || digest(content) != ref.Content {
		return fmt.Errorf("%s does not hold what the entry says", file)
	}
	return use(content)
}

// read reads a file as it is stored.
func (r *room) read(files fs.FS, file string) error {
	f, err := files.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r.stored.Reset()
	_, err = r.stored.ReadFrom(f)
	return err
}

// holds checks that ref's bytes are there, or were left out openly. Many decisions refer to the same program: it is read once.
func (l *Log) holds(ref Blob) error {
	if known, ok := l.intact.Load(ref); ok {
		err, _ := known.(error)
		return err
	}
	err := l.with(ref, func([]byte) error { return nil })
	if errors.Is(err, ErrRedacted) {
		err = nil
	}
	l.intact.Store(ref, err)
	return err
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

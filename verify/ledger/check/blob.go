package check

import (
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
	file, err := ref.File()
	if err != nil {
		return nil, err
	}
	if ref.Size < 0 || ref.Size > maxBlob {
		return nil, fmt.Errorf("a blob of %d bytes", ref.Size)
	}
	if l.omitted[ref.Stored] {
		return nil, fmt.Errorf("%s: %w", file, ErrRedacted)
	}
	stored, err := fs.ReadFile(l.files, file)
	if err != nil {
		return nil, err
	}
	if digest(stored) != ref.Stored {
		return nil, fmt.Errorf("%s was changed", file)
	}
	b, err := l.unpack.DecodeAll(stored, make([]byte, 0, ref.Size))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if int64(len(b)) != ref.Size || digest(b) != ref.Content {
		return nil, fmt.Errorf("%s does not hold what the entry says", file)
	}
	return b, nil
}

// holds checks that ref's bytes are there, or were left out openly. Many decisions refer to the same program: it is read once.
func (l *Log) holds(ref Blob) error {
	if known, ok := l.intact.Load(ref); ok {
		err, _ := known.(error)
		return err
	}
	_, err := l.Blob(ref)
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

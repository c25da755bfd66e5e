package ledger

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/interlock/interlock/verify"
)

// blobPath is blobs/ab/cdef....gz for the digest of the stored bytes.
func blobPath(stored verify.Digest) string {
	hex := string(stored[len("sha256:"):])
	return "blobs/" + hex[:2] + "/" + hex[2:] + ".gz"
}

// pack compresses b; the result depends on b alone.
func pack(b []byte) (Blob, []byte, error) {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return Blob{}, nil, err
	}
	if _, err := w.Write(b); err != nil {
		return Blob{}, nil, err
	}
	if err := w.Close(); err != nil {
		return Blob{}, nil, err
	}
	return Blob{Content: verify.DigestOf(b), Stored: verify.DigestOf(buf.Bytes()), Size: int64(len(b))}, buf.Bytes(), nil
}

// Blob returns the bytes that ref refers to.
func (l *Log) Blob(ref Blob) ([]byte, error) {
	stored, err := l.disk.read(blobPath(ref.Stored))
	if err != nil {
		return nil, err
	}
	if verify.DigestOf(stored) != ref.Stored {
		return nil, fmt.Errorf("%s is damaged", blobPath(ref.Stored))
	}
	r, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", blobPath(ref.Stored), err)
	}
	b, err := io.ReadAll(io.LimitReader(r, ref.Size+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", blobPath(ref.Stored), err)
	}
	if int64(len(b)) != ref.Size || verify.DigestOf(b) != ref.Content {
		return nil, fmt.Errorf("%s does not hold what the entry says", blobPath(ref.Stored))
	}
	return b, nil
}

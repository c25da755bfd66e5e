package softswitch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// poll is how often a file or directory that is followed is looked at.
const poll = 5 * time.Millisecond

// maxPacket is the longest packet, in bytes, that a file or socket may hold.
const maxPacket = 65535

// fileWire replays packets from pcap files and records those that leave in another.
type fileWire struct {
	opts WireOptions
	in   func(ctx context.Context, each func(name string, r io.Reader) error) error
	out  *recorder // or nil
}

func (w *fileWire) Receive(ctx context.Context, rx func(pkt []byte) error) error {
	if w.in == nil {
		<-ctx.Done()
		return nil
	}
	return w.in(ctx, func(name string, r io.Reader) error {
		err := replay(ctx, name, r, &pacer{opts: w.opts}, rx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

func (w *fileWire) Send(pkt []byte) error {
	if w.out == nil {
		return errUnattached
	}
	return w.out.write(pkt)
}

func (w *fileWire) Close() error {
	if w.out == nil {
		return nil
	}
	return w.out.close()
}

// replay hands the packets of a pcap file to rx. A file that ends inside a packet is an error.
func replay(ctx context.Context, name string, r io.Reader, p *pacer, rx func([]byte) error) error {
	pr, err := newPcapReader(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for {
		pkt, at, err := pr.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if d := p.due(at, time.Now()); d > 0 && !sleep(ctx, d) {
			return nil
		}
		if err := rx(pkt); err != nil {
			return fmt.Errorf("%s: packet %d: %w", name, pr.n, err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func openFiles(in, out string, opts WireOptions) (Wire, error) {
	w := &fileWire{opts: opts}
	if in != "" {
		f, err := os.Open(in)
		if err != nil {
			return nil, err
		}
		if err := wellFormed(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", in, err)
		}
		w.in = func(_ context.Context, each func(string, io.Reader) error) error {
			defer f.Close()
			return each(in, bufio.NewReader(f))
		}
	}
	return withOutput(w, out)
}

// wellFormed reads a whole pcap file, so that a bad one is refused before anything is replayed, and goes back to its start.
func wellFormed(f *os.File) error {
	r, err := newPcapReader(bufio.NewReader(f))
	if err != nil {
		return err
	}
	for {
		_, _, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

func withOutput(w *fileWire, out string) (Wire, error) {
	if out == "" {
		return w, nil
	}
	r, err := newRecorder(out)
	if err != nil {
		return nil, err
	}
	w.out = r
	return w, nil
}

// openFollowed follows a file that grows.
func openFollowed(in, out string, opts WireOptions) (Wire, error) {
	w := &fileWire{opts: opts}
	w.in = func(ctx context.Context, each func(string, io.Reader) error) error {
		var f *os.File
		for {
			var err error
			if f, err = os.Open(in); err == nil {
				break
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if !sleep(ctx, poll) {
				return nil
			}
		}
		defer f.Close()
		return each(in, bufio.NewReader(&tail{ctx, f}))
	}
	return withOutput(w, out)
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// tail reads a file and waits at its end until there is more.
type tail struct {
	ctx context.Context
	f   *os.File
}

func (t *tail) Read(b []byte) (int, error) {
	for {
		n, err := t.f.Read(b)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if !sleep(t.ctx, poll) {
			return 0, t.ctx.Err()
		}
	}
}

// openDirectory replays files as they appear in a directory.
func openDirectory(dir, out string, opts WireOptions) (Wire, error) {
	if st, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !st.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	w := &fileWire{opts: opts}
	w.in = func(ctx context.Context, each func(string, io.Reader) error) error {
		for {
			names, err := filepath.Glob(filepath.Join(dir, "*.pcap")) // sorted
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := replayOnce(ctx, name, each); err != nil || ctx.Err() != nil {
					return err
				}
			}
			if !sleep(ctx, poll) {
				return nil
			}
		}
	}
	return withOutput(w, out)
}

// replayOnce replays a whole file and renames it when it has gone through.
func replayOnce(ctx context.Context, name string, each func(string, io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := each(name, bufio.NewReader(f)); err != nil || ctx.Err() != nil {
		return err
	}
	return os.Rename(name, strings.TrimSuffix(name, ".done")+".done")
}

// A recorder appends packets to a pcap file. Each packet is on disk's doorstep (written, not synced) when write returns.
type recorder struct {
	name string

	mu   sync.Mutex
	f    *os.File
	buf  *bufio.Writer
	pcap *pcapgo.Writer
}

func newRecorder(name string) (*recorder, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	r := &recorder{name: name, f: f, buf: bufio.NewWriterSize(f, maxPacket+64)}
	r.pcap = pcapgo.NewWriter(r.buf)
	if st.Size() > 0 {
		if err := sameFormat(f, name); err != nil {
			f.Close()
			return nil, err
		}
		return r, nil
	}
	if err := r.pcap.WriteFileHeader(maxPacket, layers.LinkTypeEthernet); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, r.buf.Flush()
}

// sameFormat makes sure that a file can be continued: it must be whole, and in the format that is written here.
func sameFormat(f *os.File, name string) error {
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil || magic != [4]byte{0xD4, 0xC3, 0xB2, 0xA1} {
		return fmt.Errorf("%s: not a little-endian pcap file with microseconds, so it cannot be continued", name)
	}
	if err := replay(context.Background(), name, bufio.NewReader(f), &pacer{}, func([]byte) error { return nil }); err != nil {
		return fmt.Errorf("cannot be continued: %w", err)
	}
	return nil
}

func (r *recorder) write(pkt []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil {
		return fs.ErrClosed
	}
	info := gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: len(pkt), Length: len(pkt)}
	if err := r.pcap.WritePacket(info, pkt); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	if err := r.buf.Flush(); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

func (r *recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil {
		return nil
	}
	err := errors.Join(r.buf.Flush(), r.f.Close())
	r.f = nil
	return err
}

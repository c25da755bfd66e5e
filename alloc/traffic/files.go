package traffic

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// File is the name of a port's pcap file.
func File(port uint16) string { return fmt.Sprintf("port%d.pcap", port) }

// Count of what was written for one port.
type Count struct {
	Port    uint16
	Path    string
	Packets int
	Bytes   int64
}

// WriteFiles writes the packets into a pcap file for each physical port, in dir; times start at start. Files that are there are
// replaced.
func WriteFiles(dir string, spec Spec, start time.Time) ([]Count, error) {
	g, err := New(spec)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	files := map[uint16]*portFile{}
	defer func() {
		for _, f := range files {
			f.file.Close() // again, after an error
		}
	}()
	for _, t := range spec.Tenants {
		for _, port := range []uint16{t.Near, t.Far} {
			if files[port] != nil {
				continue
			}
			if files[port], err = create(filepath.Join(dir, File(port)), port); err != nil {
				return nil, err
			}
		}
	}
	for {
		p, more, err := g.Next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		f := files[p.Port]
		info := gopacket.CaptureInfo{Timestamp: start.Add(p.At), CaptureLength: len(p.Data), Length: len(p.Data)}
		if err := f.pcap.WritePacket(info, p.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.count.Path, err)
		}
		f.count.Packets++
		f.count.Bytes += int64(len(p.Data))
	}
	var out []Count
	for _, port := range slices.Sorted(maps.Keys(files)) {
		f := files[port]
		if err := errors.Join(f.buf.Flush(), f.file.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", f.count.Path, err)
		}
		out = append(out, f.count)
	}
	return out, nil
}

type portFile struct {
	file  *os.File
	buf   *bufio.Writer
	pcap  *pcapgo.Writer
	count Count
}

func create(path string, port uint16) (*portFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	f := &portFile{file: file, buf: bufio.NewWriterSize(file, 1<<16), count: Count{Port: port, Path: path}}
	f.pcap = pcapgo.NewWriter(f.buf)
	if err := f.pcap.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

package check

import (
	"fmt"
	"io/fs"
	"slices"
)

// Files are the paths of all that the log consists of, sorted: checkpoint, tiles, what entries refer to, what witnesses signed.
func (l *Log) Files() ([]string, error) {
	files := map[string]bool{"checkpoint": true}
	for first := int64(0); first < l.Size; first += width {
		files[l.bundle(first)] = true
	}
	for level, n := 0, l.Size; n > 0; level, n = level+1, n/width {
		for first := int64(0); first < n; first += width {
			files[tilePath(fmt.Sprint(level), first/width, min(n-first, width))] = true
		}
	}
	for _, e := range l.Entries {
		for _, b := range e.Blobs() {
			if l.omitted[b.Stored] {
				continue
			}
			name, err := b.File()
			if err != nil {
				return nil, fmt.Errorf("entry %d: %w", e.Index, err)
			}
			files[name] = true
		}
	}
	for _, c := range l.Cosigned {
		files[c.file] = true
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// File returns one of Files.
func (l *Log) File(name string) ([]byte, error) { return fs.ReadFile(l.files, name) }

package linker

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Files of a linked program's directory.
const (
	FileP4        = "linked.p4"
	FileP4Info    = "linked.p4info.txtpb"
	FileManifest  = "manifest.json"
	FileResources = "resources.json"
	// DirSources has the tenants' own programs as they were linked: NAME.p4.
	DirSources = "sources"
)

// WriteDir writes the linked program's files. The directory appears, or its files change, only when all of them have been written:
// each is written beside its place and then moved there, the manifest, which has the others' digests, last.
func (l *Linked) WriteDir(dir string) (err error) {
	if err := os.MkdirAll(filepath.Join(dir, DirSources), 0o755); err != nil {
		return fmt.Errorf("write linked program: %w", err)
	}
	man, err := encode(l.Manifest)
	if err != nil {
		return err
	}
	res, err := encode(l.Resources)
	if err != nil {
		return err
	}
	type file struct {
		name string
		data []byte
	}
	var files []file
	for _, tenant := range sortedKeys(l.Sources) {
		files = append(files, file{filepath.Join(DirSources, tenant+".p4"), l.Sources[tenant]})
	}
	files = append(files, file{FileP4, l.P4}, file{FileP4Info, l.P4InfoTxt}, file{FileResources, res}, file{FileManifest, man})
	var temps []string
	defer func() {
		for _, t := range temps {
			if rmErr := os.Remove(t); rmErr != nil && !errors.Is(rmErr, os.ErrNotExist) {
				err = errors.Join(err, rmErr)
			}
		}
	}()
	for _, f := range files {
		t, err := os.CreateTemp(filepath.Join(dir, filepath.Dir(f.name)), "."+filepath.Base(f.name)+".*")
		if err != nil {
			return fmt.Errorf("write linked program: %w", err)
		}
		temps = append(temps, t.Name())
		_, err = t.Write(f.data)
		err = errors.Join(err, t.Chmod(0o644), t.Sync(), t.Close())
		if err != nil {
			return fmt.Errorf("write %s: %w", filepath.Join(dir, f.name), err)
		}
	}
	for i, f := range files {
		if err := os.Rename(temps[i], filepath.Join(dir, f.name)); err != nil {
			return fmt.Errorf("write linked program: %w", err)
		}
	}
	return nil
}

func encode(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return append(b, '\n'), nil
}

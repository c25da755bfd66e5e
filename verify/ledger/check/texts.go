package check

import (
	"bytes"
	"fmt"
	"strconv"
)

// textsIn returns the texts in a pack, by their digests.
func (l *Log) textsIn(ref Blob) (map[string]string, error) {
	texts := map[string]string{}
	err := l.with(ref, func(b []byte) error {
		return unpackTexts(b, func(digest string, text []byte) { texts[digest] = string(text) })
	})
	return texts, err
}

// namesIn returns the digests of the texts in a pack. Many decisions refer to the same one: it is read once.
func (l *Log) namesIn(ref Blob) (map[string]bool, error) {
	type result struct {
		names map[string]bool
		err   error
	}
	if known, ok := l.packs.Load(ref); ok {
		r := known.(result)
		return r.names, r.err
	}
	r := result{names: map[string]bool{}}
	r.err = l.with(ref, func(b []byte) error {
		return unpackTexts(b, func(digest string, _ []byte) { r.names[digest] = true })
	})
	l.packs.Store(ref, r)
	return r.names, r.err
}

// unpackTexts reads a pack: texts, each between a line "; DIGEST LENGTH" and a line end.
func unpackTexts(b []byte, each func(digest string, text []byte)) error {
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		fields := bytes.Fields(line)
		if !found || len(fields) != 3 || string(fields[0]) != ";" {
			return fmt.Errorf("not a pack of texts: %.100q", line)
		}
		n, err := strconv.ParseInt(string(fields[2]), 10, 32)
		if err != nil || n < 0 || n >= int64(len(rest)) || rest[n] != '\n' {
			return fmt.Errorf("not a pack of texts: %.100q", line)
		}
		if digest(rest[:n]) != string(fields[1]) {
			return fmt.Errorf("a text is not %s", fields[1])
		}
		each(string(fields[1]), rest[:n])
		b = rest[n+1:]
	}
	return nil
}

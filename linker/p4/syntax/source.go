package syntax

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits on what one program may make this package read. They are far above any real program.
const (
	MaxFileSize     = 16 << 20 // bytes of one file
	maxTotalSize    = 64 << 20 // bytes of all files together
	maxIncludeDepth = 64
	maxIncludes     = 4096 // files, counting repetitions
)

// source is one file, with its line splices (backslash, newline) removed.
type source struct {
	name    string
	text    string
	splices []int // offsets in text at which a splice was removed
	builtin bool
	raw     string
}

func newSource(name, raw string, builtin bool) *source {
	raw = strings.TrimPrefix(raw, "\ufeff")
	src := &source{name: name, text: raw, raw: raw, builtin: builtin}
	if !strings.Contains(raw, "\\") {
		return src
	}
	var b strings.Builder
	for rest := raw; ; {
		i := strings.IndexByte(rest, '\\')
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		rest = rest[i+1:]
		// White space may stand between the backslash and the newline: nobody sees it.
		if tail := strings.TrimLeft(rest, " \t\r\f\v"); strings.HasPrefix(tail, "\n") {
			src.splices = append(src.splices, b.Len())
			rest = tail[1:]
		} else {
			b.WriteByte('\\')
		}
	}
	src.text = b.String()
	return src
}

// lineMap finds the text of a source line for a caret, through #line too.
type lineMap struct{ segments map[string][]segment }

// segment: from presumed line on, line l of a file is physical line l-from+phys of raw.
type segment struct {
	from, phys int
	raw        string
}

func (m *lineMap) add(file string, from, phys int, raw string) {
	if m.segments == nil {
		m.segments = map[string][]segment{}
	}
	m.segments[file] = append(m.segments[file], segment{from, phys, raw})
}

func (m *lineMap) text(pos Pos) string {
	segs := m.segments[pos.File]
	for i := len(segs) - 1; i >= 0; i-- {
		s := segs[i]
		if int(pos.Line) < s.from {
			continue
		}
		rest := s.raw
		for n := int(pos.Line) - s.from + s.phys; n > 1; n-- {
			i := strings.IndexByte(rest, '\n')
			if i < 0 {
				rest = ""
				break
			}
			rest = rest[i+1:]
		}
		line, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSuffix(line, "\r")
	}
	return ""
}

var (
	errOutside  = errors.New("the file lies outside the program's folder and the include path")
	errTooLarge = errors.New("file is too large")
)

// loader reads files: only regular ones, and only below the program's folder and the include path.
type loader struct {
	conf  Config
	roots []string // program's folder first
	read  int      // bytes so far
	files int
}

// clean and join follow the rules of the file system in use: fs.FS has slashes only.
func (l *loader) clean(p string) string {
	if l.conf.FS != nil {
		return path.Clean(p)
	}
	return filepath.Clean(p)
}

func (l *loader) join(dir, p string) string {
	if l.conf.FS != nil {
		return path.Join(dir, p)
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(dir, p)
}

func (l *loader) dir(p string) string {
	if l.conf.FS != nil {
		return path.Dir(p)
	}
	return filepath.Dir(p)
}

// setRoots allows files below the folder of the program and below the include path.
func (l *loader) setRoots(program string) {
	l.roots = []string{l.dir(l.clean(program))}
	for _, dir := range l.conf.IncludePath {
		l.roots = append(l.roots, l.clean(dir))
	}
}

// find returns the source that an #include names: a quoted one beside the file that includes it first, then system
// declarations, then the include path.
func (l *loader) find(name string, quoted bool, from *source) (*source, error) {
	if name == "" {
		return nil, errors.New("empty file name")
	}
	if strings.ContainsRune(name, 0) {
		return nil, errors.New("malformed file name")
	}
	l.files++
	outside := false
	try := func(dir string) (*source, error) {
		src, err := l.open(l.join(dir, name))
		outside = outside || errors.Is(err, errOutside)
		return src, err
	}
	missing := func(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errOutside) }
	if quoted && !from.builtin {
		if src, err := try(l.dir(from.name)); !missing(err) {
			return src, err
		}
	}
	if text, ok := l.conf.Builtin[name]; ok {
		return newSource(name, text, true), nil
	}
	for _, dir := range l.conf.IncludePath {
		if src, err := try(dir); !missing(err) {
			return src, err
		}
	}
	if outside {
		return nil, errOutside
	}
	return nil, fs.ErrNotExist
}

// open reads the file p, which must lie below a root.
func (l *loader) open(p string) (*source, error) {
	for _, root := range l.roots {
		rel, ok := l.below(root, p)
		if !ok {
			continue
		}
		text, err := l.readBelow(root, rel)
		if err != nil && l.conf.FS == nil && !errors.Is(err, fs.ErrNotExist) {
			text, err = l.throughLink(p, err)
		}
		if err != nil {
			return nil, err
		}
		name := p
		if _, taken := l.conf.Builtin[name]; taken {
			// A user's file must not pass for a system file: positions are how the two are told apart.
			name = "./" + name
		}
		return newSource(name, text, false), nil
	}
	return nil, errOutside
}

// throughLink reads the file that p leads to through a symbolic link out of its root, if that is below another root.
// Without such a root, err is the answer, unless it hides that p leads outside.
func (l *loader) throughLink(p string, err error) (string, error) {
	real, linkErr := resolved(p)
	if linkErr != nil {
		return "", err
	}
	for _, root := range l.roots {
		if root, rootErr := resolved(root); rootErr == nil {
			if rel, ok := l.below(root, real); ok {
				return l.readBelow(root, rel)
			}
		}
	}
	return "", fmt.Errorf("%w (through a symbolic link)", errOutside)
}

// resolved is the absolute name of the file p, without symbolic links.
func resolved(p string) (string, error) {
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// below returns p relative to root if it lies inside.
func (l *loader) below(root, p string) (string, bool) {
	if l.conf.FS != nil {
		p = path.Clean(p)
		if root == "." {
			return p, fs.ValidPath(p)
		}
		rel, ok := strings.CutPrefix(p, root+"/")
		return rel, ok && fs.ValidPath(p)
	}
	rel, err := filepath.Rel(root, p)
	return rel, err == nil && filepath.IsLocal(rel)
}

// readBelow reads root/rel. On the operating system's files os.Root keeps symbolic links inside the root.
func (l *loader) readBelow(root, rel string) (string, error) {
	var f fs.File
	var err error
	if l.conf.FS != nil {
		f, err = openRegular(path.Join(root, rel), func(n string) (fs.FileInfo, error) { return fs.Stat(l.conf.FS, n) },
			func(n string) (fs.File, error) { return l.conf.FS.Open(n) })
	} else {
		var dir *os.Root
		dir, err = os.OpenRoot(root)
		if err != nil {
			return "", err
		}
		defer dir.Close()
		f, err = openRegular(rel, dir.Stat, func(n string) (fs.File, error) { return dir.Open(n) })
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	return l.readAll(f)
}

// openRegular opens a file after it made sure that it is one: opening a pipe would wait for ever.
func openRegular(name string, stat func(string) (fs.FileInfo, error), open func(string) (fs.File, error)) (fs.File, error) {
	info, err := stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if info.Size() > MaxFileSize {
		return nil, errTooLarge
	}
	return open(name)
}

func (l *loader) readAll(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return "", err
	}
	l.read += len(data)
	if len(data) > MaxFileSize || l.read > maxTotalSize {
		return "", errTooLarge
	}
	return string(data), nil
}

// main reads the program itself, wherever it lies.
func (l *loader) main(p string) (*source, error) {
	dir := l.dir(p)
	rel, ok := l.below(dir, l.clean(p))
	if !ok {
		return nil, fmt.Errorf("malformed file name %q", p)
	}
	var text string
	var err error
	if l.conf.FS != nil {
		text, err = l.readBelow(dir, rel)
	} else {
		// The caller named this file: it may be a symbolic link to anywhere.
		var f fs.File
		f, err = openRegular(p, os.Stat, func(n string) (fs.File, error) { return os.Open(n) })
		if err == nil {
			defer f.Close()
			text, err = l.readAll(f)
		}
	}
	if err != nil {
		return nil, err
	}
	return newSource(p, text, false), nil
}

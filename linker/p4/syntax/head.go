package syntax

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Cache remembers what system files (Config.Builtin) parse to where programs include them before anything else, as nearly
// all do: many programs then cost little more than their own text. A Cache belongs to one set of system files and may be used
// by several goroutines at once. Programs that were parsed with the same Cache share the declarations of system files: their
// trees must not be changed.
type Cache struct {
	mu    sync.Mutex
	heads map[string]*head
}

// maxHeads bounds a Cache: each set of macros that programs define before their first #include makes another entry.
const maxHeads = 64

func (c *Cache) get(key string) *head {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heads[key]
}

func (c *Cache) put(key string, h *head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heads == nil {
		c.heads = map[string]*head{}
	}
	if len(c.heads) < maxHeads {
		c.heads[key] = h
	}
}

// head is what the system files at the start of a program amount to. It is not changed after it was made.
type head struct {
	key      string
	decls    []Decl
	scope    map[string]symbol
	texts    []sourceText // of the last include, as all fields from here on
	comments []Comment
	defined  map[string]*macro
	deleted  []string
	once     []string
	counter  int
	files    int
}

// sourceText is a file's name and text.
type sourceText struct{ name, text string }

// recording is a head being made.
type recording struct {
	head
	macros map[string]*macro // before the #include
	notes  int               // comments before it
}

// headKey says what a system file's meaning at the start of a program depends on: the files before it, and the macros that
// its conditions may ask for.
func (pp *preprocessor) headKey(name string) string {
	var b strings.Builder
	if pp.head != nil {
		b.WriteString(pp.head.key)
	}
	b.WriteString("\x00" + name)
	for _, name := range slices.Sorted(maps.Keys(pp.macros)) {
		m := pp.macros[name]
		if m.builtin {
			continue // comes from the files before
		}
		b.WriteString("\x01" + name)
		if m.function {
			b.WriteString("(" + strings.Join(m.params, ",") + ")")
		}
		for _, t := range m.body {
			b.WriteString("\x02" + t.text)
		}
	}
	return b.String()
}

// fromCache includes the system file src as the cache knows it, if it does. If not, it sees to it that the cache will.
func (pp *preprocessor) fromCache(src *source) bool {
	if pp.load.conf.Cache == nil || !src.builtin || len(pp.frames) != 1 || len(pp.out) > 0 || pp.inList {
		return false
	}
	key := pp.headKey(src.name)
	h := pp.load.conf.Cache.get(key)
	if h == nil {
		pp.rec = &recording{head: head{key: key, files: pp.load.files, counter: pp.counter}, macros: maps.Clone(pp.macros), notes: len(pp.notes.list)}
		return false
	}
	maps.Copy(pp.macros, h.defined)
	for _, name := range h.deleted {
		delete(pp.macros, name)
	}
	for _, name := range h.once {
		pp.once[name] = true
	}
	for _, f := range h.texts {
		pp.diags.lines.add(f.name, 1, 1, f.text)
	}
	pp.notes.list = append(pp.notes.list, h.comments...)
	pp.counter += h.counter
	pp.load.files += h.files
	pp.head = h
	return true
}

// record notes that src is read while a head is made. What is no system file is no part of one.
func (pp *preprocessor) record(src *source) {
	if pp.rec == nil {
		return
	}
	if !src.builtin || pp.diags.errors > 0 {
		pp.rec = nil
		return
	}
	pp.rec.texts = append(pp.rec.texts, sourceText{src.name, src.raw})
}

// cut takes what a system file yielded off the tokens, as a head, when its end is reached.
func (pp *preprocessor) cut() {
	rec := pp.rec
	if rec == nil || len(pp.frames) != 1 {
		return
	}
	pp.rec = nil
	if len(pp.diags.list) > 0 || pp.stopped {
		return
	}
	p := &parser{toks: append(pp.out, token{kind: tEOF, bol: true}), diags: &collector{}, last: -1}
	p.scope.stack = []map[string]symbol{pp.head.names()}
	prog := p.program()
	if len(p.diags.list) > 0 {
		return // not a head: a program that goes on in the middle of a declaration, perhaps
	}
	h := rec.head
	if pp.head != nil {
		h.decls = slices.Clone(pp.head.decls)
	}
	h.decls = append(h.decls, prog.Decls...)
	h.scope = p.scope.stack[0]
	h.defined = map[string]*macro{}
	for name, m := range pp.macros {
		if rec.macros[name] != m {
			h.defined[name] = m
		}
	}
	for name := range rec.macros {
		if pp.macros[name] == nil {
			h.deleted = append(h.deleted, name)
		}
	}
	for _, f := range h.texts {
		if pp.once[f.name] {
			h.once = append(h.once, f.name)
		}
	}
	h.comments = slices.Clone(pp.notes.list[rec.notes:])
	h.counter = pp.counter - rec.counter
	h.files = pp.load.files - rec.files
	pp.head = &h
	pp.out = pp.out[:0]
	pp.load.conf.Cache.put(h.key, &h)
}

// names is a copy of what the head declares, for a parser that goes on from there.
func (h *head) names() map[string]symbol {
	if h == nil {
		return map[string]symbol{}
	}
	return maps.Clone(h.scope)
}

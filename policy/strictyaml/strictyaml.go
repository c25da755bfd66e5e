// Package strictyaml reads one YAML document as people write them for Interlock, and remembers where everything stood.
//
// It promises that nothing is guessed: a second document, an anchor, an alias, a merge key, an explicit tag, a duplicate or
// unknown key and a value of another type are errors with file, line and column, and all of them are reported, not the first. It
// does not write YAML and knows no schema; its caller asks for the fields it knows.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds a document; a longer one is refused before it is parsed.
const MaxBytes = 1 << 20

// MaxValues bounds how much of a document can be values: it is how many characters may stand in it that can begin or end one. It is counted
// before a document is parsed, which takes a microsecond and more for each.
const MaxValues = 64_000

// MaxExpressions bounds a document's expressions together, in bytes, of which each counts some more than it has: compiling takes far longer
// than reading.
const (
	MaxExpressions = 12 << 10
	eachExpression = 16
)

// MaxErrors is how many problems of a document are reported: the first that are found.
const MaxErrors = 200

// Error is one problem at a position. Line and Col count from 1; 0 is unknown.
type Error struct {
	File      string
	Line, Col int
	Msg       string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg) }

// Errors are all the problems of a document, by position.
type Errors []*Error

func (e Errors) Error() string {
	var b strings.Builder
	for i, x := range e {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(x.Error())
	}
	return b.String()
}

// Unwrap makes each problem findable with errors.As.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, x := range e {
		out[i] = x
	}
	return out
}

// Doc is a document being read; it collects the problems.
type Doc struct {
	File        string
	lines       []string
	errs        Errors
	expressions int // bytes that Expression has given out
}

// Node is a value of the document. The zero Node is an absent value: reading it gives the zero value and no error.
type Node struct {
	doc *Doc
	y   *yaml.Node
}

// Parse reads src. The returned node is the document's root; it is absent when src cannot be parsed, and then doc.Err is set.
func Parse(file string, src []byte) (*Doc, Node) {
	if n := values(src); len(src) <= MaxBytes && n > MaxValues {
		d := &Doc{File: file}
		d.at(1, 1, "document has too many values: %d characters that can begin or end one, at most %d are read", n, MaxValues)
		return d, Node{}
	}
	return ParseLarge(file, src)
}

// values counts the characters that begin or end values.
func values(src []byte) int {
	n := 0
	for _, c := range src {
		switch c {
		case '\n', ',', ':', '-', '[', '{', '?', '&', '*', '!':
			n++
		}
	}
	return n
}

// ParseLarge is Parse without a bound on how many values a document has, for those that their own operator writes.
func ParseLarge(file string, src []byte) (*Doc, Node) {
	d := &Doc{File: file}
	if len(src) > MaxBytes {
		d.at(1, 1, "document has %d bytes, at most %d are read", len(src), MaxBytes)
		return d, Node{}
	}
	d.lines = strings.Split(string(src), "\n")
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var root yaml.Node
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			d.at(1, 1, "document is empty")
		} else {
			d.notYAML(err)
		}
		return d, Node{}
	}
	var next yaml.Node
	switch err := dec.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.notYAML(err)
	default:
		d.at(next.Line, next.Column, "a second document; a file holds one")
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		d.at(1, 1, "document is empty")
		return d, Node{}
	}
	d.check(root.Content[0], 0)
	if len(d.errs) > 0 {
		return d, Node{}
	}
	return d, Node{doc: d, y: root.Content[0]}
}

// maxDepth bounds nesting, so that no document exhausts the stack.
const maxDepth = 64

// check refuses what makes a document mean something else than it shows.
func (d *Doc) check(y *yaml.Node, depth int) {
	if depth > maxDepth {
		d.at(y.Line, y.Column, "nested deeper than %d", maxDepth)
		return
	}
	if y.Anchor != "" {
		d.at(y.Line, y.Column, "anchors are not supported")
	}
	if y.Kind == yaml.AliasNode {
		d.at(y.Line, y.Column, "aliases are not supported")
		return
	}
	if y.Style&yaml.TaggedStyle != 0 {
		d.at(y.Line, y.Column, "explicit tags are not supported")
	}
	if y.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i < len(y.Content); i += 2 {
			k := y.Content[i]
			switch {
			case k.Kind != yaml.ScalarNode:
				d.at(k.Line, k.Column, "a key must be a scalar")
			case k.Tag == "!!merge":
				d.at(k.Line, k.Column, "merge keys are not supported")
			case seen[k.Value] > 0:
				d.at(k.Line, k.Column, "key %q is already set in line %d", k.Value, seen[k.Value])
			default:
				seen[k.Value] = k.Line
			}
		}
	}
	for _, c := range y.Content {
		d.check(c, depth+1)
	}
}

// notYAML reports what the parser says, at the colon of an expression that would need quotes where that is what is wrong.
func (d *Doc) notYAML(err error) {
	line, col, hint := lineOf(err), 1, ""
	message := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), fmt.Sprintf("line %d: ", line))
	colon := func(l int, after string) bool {
		if l > len(d.lines) {
			return false
		}
		text := d.lines[l-1]
		_, rest, ok := strings.Cut(text, after)
		i := strings.Index(rest, ": ")
		if !ok || i < 0 {
			return false
		}
		line, col = l, 1+utf8.RuneCountInString(text[:len(text)-len(rest)+i])
		hint = ` (an expression with ": " must be quoted, or begin with >-)`
		return true
	}
	switch {
	case strings.Contains(message, "mapping values are not allowed"): // behind the key's own colon, if the line has a key
		_ = colon(line, ": ") || colon(line, "")
	case strings.Contains(message, "did not find expected ',' or"): // the parser counts this one's lines from 0, or not
		_ = colon(line, " ? ") || colon(line+1, " ? ")
	}
	d.at(line, col, "not YAML: %s%s", message, hint)
}

func lineOf(err error) int {
	_, rest, ok := strings.Cut(err.Error(), "line ")
	if !ok {
		return 1
	}
	num, _, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(num)
	if err != nil {
		return 1
	}
	return n
}

func (d *Doc) at(line, col int, format string, args ...any) {
	if len(d.errs) == MaxErrors {
		return
	}
	d.errs = append(d.errs, &Error{File: d.File, Line: line, Col: col, Msg: fmt.Sprintf(format, args...)})
}

// Add reports a problem at a position of the document.
func (d *Doc) Add(line, col int, format string, args ...any) { d.at(line, col, format, args...) }

// Err returns all problems, or nil.
func (d *Doc) Err() error {
	if len(d.errs) == 0 {
		return nil
	}
	out := append(Errors(nil), d.errs...)
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Line != out[j].Line {
			return out[i].Line < out[j].Line
		}
		return out[i].Col < out[j].Col
	})
	return out
}

// Present says whether the document has the value.
func (n Node) Present() bool { return n.y != nil }

// Line and Col are the position of the value's first character (of the quote or the block indicator where it has one).
func (n Node) Line() int {
	if n.y == nil {
		return 0
	}
	return n.y.Line
}

// Col is the column, from 1.
func (n Node) Col() int {
	if n.y == nil {
		return 0
	}
	return n.y.Column
}

// Errorf reports a problem at the value.
func (n Node) Errorf(format string, args ...any) {
	if n.y != nil {
		n.doc.at(n.y.Line, n.y.Column, format, args...)
	}
}

// Add reports a problem at a position of the value's document.
func (n Node) Add(line, col int, format string, args ...any) {
	if n.y != nil {
		n.doc.at(line, col, format, args...)
	}
}

// Err returns all problems of the value's document, or nil.
func (n Node) Err() error {
	if n.y == nil {
		return nil
	}
	return n.doc.Err()
}

// File is the document's.
func (n Node) File() string {
	if n.y == nil {
		return ""
	}
	return n.doc.File
}

// Fields reads a mapping whose keys are all among required and optional. A missing required key and an unknown key are errors.
func (n Node) Fields(required []string, optional ...string) map[string]Node {
	out := map[string]Node{}
	if n.y == nil {
		return out
	}
	if n.y.Kind != yaml.MappingNode {
		n.Errorf("want a mapping, have %s", kind(n.y))
		return out
	}
	known := map[string]bool{}
	for _, k := range required {
		known[k] = true
	}
	for _, k := range optional {
		known[k] = true
	}
	for i := 0; i < len(n.y.Content); i += 2 {
		k := n.y.Content[i]
		if !known[k.Value] {
			n.doc.at(k.Line, k.Column, "unknown field %q (known: %s)", k.Value, strings.Join(names(known), ", "))
			continue
		}
		out[k.Value] = Node{n.doc, n.y.Content[i+1]}
	}
	for _, k := range required {
		if !out[k].Present() {
			n.Errorf("field %q is missing", k)
		}
	}
	return out
}

// Entry is a key of a mapping with its value.
type Entry struct {
	Key   string
	At    Node // of the key
	Value Node
}

// Entries reads a mapping with keys of the author's choice, in the document's order.
func (n Node) Entries() []Entry {
	if n.y == nil {
		return nil
	}
	if n.y.Kind != yaml.MappingNode {
		n.Errorf("want a mapping, have %s", kind(n.y))
		return nil
	}
	var out []Entry
	for i := 0; i < len(n.y.Content); i += 2 {
		k := n.y.Content[i]
		out = append(out, Entry{k.Value, Node{n.doc, k}, Node{n.doc, n.y.Content[i+1]}})
	}
	return out
}

// IsList says whether the value is a sequence.
func (n Node) IsList() bool { return n.y != nil && n.y.Kind == yaml.SequenceNode }

// List reads a sequence.
func (n Node) List() []Node {
	if n.y == nil {
		return nil
	}
	if n.y.Kind != yaml.SequenceNode {
		n.Errorf("want a list, have %s", kind(n.y))
		return nil
	}
	var out []Node
	for _, c := range n.y.Content {
		out = append(out, Node{n.doc, c})
	}
	return out
}

// String reads a string.
func (n Node) String() string {
	if n.y == nil {
		return ""
	}
	if n.y.Kind != yaml.ScalarNode || n.y.Tag != "!!str" {
		n.Errorf("want a string, have %s", kind(n.y))
		return ""
	}
	return n.y.Value
}

// Text reads a scalar of any type as it is written: an expression such as `true` or `1` needs no quotes.
func (n Node) Text() string {
	if n.y == nil {
		return ""
	}
	if n.y.Kind != yaml.ScalarNode || n.y.Tag == "!!null" {
		n.Errorf("want an expression, have %s", kind(n.y))
		return ""
	}
	return n.y.Value
}

// Expression is Text for what is going to be compiled. When the document's expressions are too long together, that is reported once, and
// nothing is given out any more.
func (n Node) Expression() (text string, ok bool) {
	if text = n.Text(); text == "" {
		return "", true
	}
	before := n.doc.expressions
	if n.doc.expressions += len(text) + eachExpression; n.doc.expressions <= MaxExpressions {
		return text, true
	}
	if before <= MaxExpressions {
		n.Errorf("the expressions up to here come to %d bytes (with %d for each), at most %d are allowed in a document", n.doc.expressions,
			eachExpression, MaxExpressions)
	}
	return "", false
}

// Int reads an integer between min and max, decimal or 0x.
func (n Node) Int(min, max int64) int64 {
	if n.y == nil {
		return 0
	}
	if n.y.Kind != yaml.ScalarNode || n.y.Tag != "!!int" {
		n.Errorf("want an integer, have %s", kind(n.y))
		return min
	}
	v, err := strconv.ParseInt(n.y.Value, 0, 64)
	if err != nil || v < min || v > max {
		if max == math.MaxInt64 {
			n.Errorf("%s is not an integer of at least %d", n.y.Value, min)
		} else {
			n.Errorf("%s is not an integer between %d and %d", n.y.Value, min, max)
		}
		return min
	}
	return v
}

// Bool reads true or false.
func (n Node) Bool() bool {
	if n.y == nil {
		return false
	}
	if n.y.Kind != yaml.ScalarNode || n.y.Tag != "!!bool" {
		n.Errorf("want true or false, have %s", kind(n.y))
		return false
	}
	return strings.EqualFold(n.y.Value, "true")
}

// OneOf reads a string that is one of the given.
func (n Node) OneOf(allowed ...string) string {
	s := n.String()
	for _, a := range allowed {
		if s == a {
			return s
		}
	}
	if n.y != nil && n.y.Tag == "!!str" {
		n.Errorf("want one of %s, have %q", strings.Join(allowed, ", "), s)
	}
	return ""
}

func kind(y *yaml.Node) string {
	switch y.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch y.Tag {
	case "!!null":
		return "nothing"
	case "!!str":
		return "a string"
	case "!!int":
		return "an integer"
	case "!!bool":
		return "a boolean"
	case "!!float":
		return "a floating-point number"
	}
	return "a scalar " + y.Tag
}

func names(set map[string]bool) []string {
	var out []string
	for k := range set {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

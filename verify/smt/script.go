package smt

import (
	"bytes"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// nestLimit bounds how deeply printed terms nest: deeper ones are cut by definitions, because solvers' parsers recurse.
const nestLimit = 100

// Script returns the SMT-LIB 2 text that asks whether the assertions can hold together: (set-logic ...), declarations sorted by
// name, definitions of the subterms that occur more than once, one assert each, (check-sat). It depends on nothing but the shape
// of the terms, and its length is linear in their graph. Assertions that are literally true are left out.
func Script(logic string, asserts ...*Term) string {
	p := newPrinter(asserts)
	var w bytes.Buffer
	w.WriteString("(set-logic " + logic + ")\n")
	p.declare(&w)
	for _, a := range asserts {
		p.define(&w, a)
		if a.isTrue() {
			continue
		}
		w.WriteString("(assert ")
		p.term(&w, a)
		w.WriteString(")\n")
	}
	w.WriteString("(check-sat)\n")
	return w.String()
}

// stringLimit bounds what Term.String returns, in bytes.
const stringLimit = 4096

// String returns the term with its shared subterms spelled out, cut off after 4 KiB. It is for people.
func (t *Term) String() string {
	p := &printer{names: map[*Term]string{}}
	w := &cutter{left: stringLimit}
	p.term(w, t)
	if w.left <= 0 {
		return w.String() + " ..."
	}
	return w.String()
}

// writer is what terms are printed to.
type writer interface {
	io.ByteWriter
	io.StringWriter
}

// cutter keeps what fits.
type cutter struct {
	strings.Builder
	left int
}

func (c *cutter) WriteByte(b byte) error {
	if c.left > 0 {
		c.left--
		return c.Builder.WriteByte(b)
	}
	return nil
}

func (c *cutter) WriteString(s string) (int, error) {
	s = s[:min(len(s), max(c.left, 0))]
	c.left -= len(s)
	return c.Builder.WriteString(s)
}

func (c *cutter) full() bool { return c.left <= 0 }

type printer struct {
	uses  map[*Term]int
	depth map[*Term]int
	// local holds, for each term that mentions a variable of a quantifier around it, those variables.
	local map[*Term][]*Term
	bound map[*Term]bool // variables that some quantifier binds
	names map[*Term]string
	count int // of names given
	roots []*Term
}

func newPrinter(roots []*Term) *printer {
	p := &printer{
		uses: map[*Term]int{}, depth: map[*Term]int{}, local: map[*Term][]*Term{}, bound: map[*Term]bool{},
		names: map[*Term]string{}, roots: roots,
	}
	for _, r := range roots {
		p.uses[r]++
		if r.quantified {
			walk([]*Term{r}, func(t *Term) {
				for _, v := range t.bound {
					p.bound[v] = true
				}
			})
		}
	}
	walk(roots, func(t *Term) {
		for _, a := range t.args {
			p.uses[a]++
		}
		if len(p.bound) > 0 {
			p.setLocal(t)
		}
	})
	return p
}

func (p *printer) setLocal(t *Term) {
	var free []*Term
	if p.bound[t] {
		free = []*Term{t}
	}
	for _, a := range t.args {
		for _, v := range p.local[a] {
			if !slices.Contains(t.bound, v) && !slices.Contains(free, v) {
				free = append(free, v)
			}
		}
	}
	if free != nil {
		p.local[t] = free
	}
}

// Free returns the free variables of the terms, sorted by name.
func Free(terms ...*Term) []*Term {
	p := newPrinter(terms)
	return p.free()
}

func (p *printer) free() []*Term {
	var vars []*Term
	walk(p.roots, func(t *Term) {
		if t.op == OpVar && !p.bound[t] {
			vars = append(vars, t)
		}
	})
	for _, r := range p.roots {
		for _, v := range p.local[r] { // free here, bound elsewhere
			if !slices.Contains(vars, v) {
				vars = append(vars, v)
			}
		}
	}
	slices.SortFunc(vars, func(a, b *Term) int { return strings.Compare(a.name, b.name) })
	return vars
}

func (p *printer) declare(w *bytes.Buffer) {
	var fns []*Func
	seen := map[*Func]bool{}
	walk(p.roots, func(t *Term) {
		if t.fn != nil && !seen[t.fn] {
			seen[t.fn] = true
			fns = append(fns, t.fn)
		}
	})
	slices.SortFunc(fns, func(a, b *Func) int { return strings.Compare(a.name, b.name) })
	for _, v := range p.free() {
		w.WriteString("(declare-fun " + Symbol(v.name) + " () " + v.sort.String() + ")\n")
	}
	for _, f := range fns {
		w.WriteString("(declare-fun " + Symbol(f.name) + " (")
		for i, s := range f.args {
			if i > 0 {
				w.WriteByte(' ')
			}
			w.WriteString(s.String())
		}
		w.WriteString(") " + f.ret.String() + ")\n")
	}
}

// named tells whether t is worth a name of its own; deep is how deeply t nests when printed.
func (p *printer) named(t *Term, deep int) bool {
	if len(t.args) == 0 {
		return false
	}
	return p.uses[t] > 1 || deep >= nestLimit
}

func (p *printer) newName() string {
	p.count++
	return definitionPrefix + strconv.Itoa(p.count)
}

// define writes a definition for each closed subterm of t, t included, that is shared or nests too deeply.
func (p *printer) define(w *bytes.Buffer, t *Term) {
	if _, done := p.depth[t]; done {
		return
	}
	deep := 0
	for _, a := range t.args {
		p.define(w, a)
		deep = max(deep, p.depth[a]+1)
	}
	p.depth[t] = deep
	if len(p.local[t]) > 0 || !p.named(t, deep) {
		return
	}
	name := p.newName()
	w.WriteString("(define-fun " + name + " () " + t.sort.String() + " ")
	p.term(w, t)
	w.WriteString(")\n")
	p.names[t], p.depth[t] = name, 0
}

// term writes t, using the names that its subterms have.
func (p *printer) term(w writer, t *Term) {
	if name, ok := p.names[t]; ok {
		w.WriteString(name)
		return
	}
	if c, ok := w.(*cutter); ok && c.full() {
		return
	}
	switch t.op {
	case OpVar:
		w.WriteString(Symbol(t.name))
		return
	case OpConst:
		w.WriteString(literal(t))
		return
	case OpForall, OpExists:
		p.quantifier(w, t)
		return
	case OpExtract:
		w.WriteString("((_ extract " + strconv.Itoa(t.i) + " " + strconv.Itoa(t.j) + ")")
	case OpZeroExt:
		w.WriteString("((_ zero_extend " + strconv.Itoa(t.i) + ")")
	case OpSignExt:
		w.WriteString("((_ sign_extend " + strconv.Itoa(t.i) + ")")
	case OpConstArray:
		w.WriteString("((as const " + t.sort.String() + ")")
	case OpApply:
		w.WriteString("(" + Symbol(t.fn.name))
	default:
		w.WriteString("(" + opNames[t.op])
	}
	for _, a := range t.args {
		w.WriteByte(' ')
		p.term(w, a)
	}
	w.WriteByte(')')
}

// quantifier writes t, with a let for each subterm of its body that is shared and mentions no variable bound further inside.
func (p *printer) quantifier(w writer, t *Term) {
	w.WriteString("(" + opNames[t.op] + " (")
	for i, v := range t.bound {
		if i > 0 {
			w.WriteByte(' ')
		}
		w.WriteString("(" + Symbol(v.name) + " " + v.sort.String() + ")")
	}
	w.WriteString(") ")
	var lets []*Term
	if p.uses != nil {
		inner := map[*Term]bool{}
		walk(t.args, func(s *Term) {
			for _, v := range s.bound {
				inner[v] = true
			}
		})
		walk(t.args, func(s *Term) {
			if _, done := p.names[s]; done || p.uses[s] < 2 || len(s.args) == 0 {
				return
			}
			local := p.local[s]
			if len(local) == 0 || slices.ContainsFunc(local, func(v *Term) bool { return inner[v] }) {
				return
			}
			name := p.newName()
			w.WriteString("(let ((" + name + " ")
			p.term(w, s)
			w.WriteString(")) ")
			p.names[s] = name
			lets = append(lets, s)
		})
	}
	p.term(w, t.args[0])
	w.WriteString(strings.Repeat(")", len(lets)+1))
	for _, s := range lets { // out of scope from here on
		delete(p.names, s)
	}
}

// literal writes a constant: bit-vectors of whole nibbles in hexadecimal, others in binary.
func literal(t *Term) string {
	switch t.sort.kind {
	case boolSort:
		return strconv.FormatBool(t.num.Sign() != 0)
	case intSort:
		if t.num.Sign() < 0 {
			return "(- " + new(big.Int).Neg(t.num).String() + ")"
		}
		return t.num.String()
	}
	prefix, base, digits := "#b", 2, t.sort.width
	if t.sort.width%4 == 0 {
		prefix, base, digits = "#x", 16, t.sort.width/4
	}
	s := t.num.Text(base)
	return prefix + strings.Repeat("0", digits-len(s)) + s
}

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
func Script(logic string, asserts ...*Term) string { return ScriptWith(logic, nil, asserts...) }

// Definition gives a variable a value: a name in the text, which a solver replaces by what it stands for.
type Definition struct{ Name, Value *Term }

// ScriptWith is Script with definitions, in their order: a value may mention names that were defined before it. To a solver this
// is far less than a declaration and an equation that it has to solve.
func ScriptWith(logic string, defs []Definition, asserts ...*Term) string {
	roots := slices.Clone(asserts)
	defined := make(map[*Term]bool, len(defs))
	for _, d := range defs {
		roots = append(roots, d.Value)
		defined[d.Name] = true
	}
	p := newPrinter(roots)
	var w bytes.Buffer
	w.WriteString("(set-logic " + logic + ")\n")
	p.declare(&w, defined)
	for _, d := range defs {
		p.define(&w, d.Value)
		w.WriteString("(define-fun " + Symbol(d.Name.name) + " () " + d.Name.sort.String() + " ")
		p.term(&w, d.Value)
		w.WriteString(")\n")
	}
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
	p := &printer{}
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
	roots []*Term
	order []*Term // every term once, arguments first
	nodes map[*Term]*node
	bound map[*Term]bool // variables that some quantifier binds
	count int            // of names given
}

// node is what printing needs to know of a term.
type node struct {
	uses    int
	depth   int
	defined bool // define has been here
	name    string
	// local lists the variables of quantifiers around the term that it mentions.
	local []*Term
}

func newPrinter(roots []*Term) *printer {
	p := &printer{roots: roots, nodes: map[*Term]*node{}, bound: map[*Term]bool{}}
	for _, r := range roots {
		p.add(r).uses++
	}
	if len(p.bound) > 0 {
		for _, t := range p.order {
			p.setLocal(t)
		}
	}
	return p
}

// add takes t and what it is made of in, and returns its node.
func (p *printer) add(t *Term) *node {
	n := p.nodes[t]
	if n != nil {
		return n
	}
	n = new(node)
	p.nodes[t] = n
	for _, a := range t.args {
		p.add(a).uses++
	}
	for _, v := range t.bound {
		p.bound[v] = true
	}
	p.order = append(p.order, t)
	return n
}

func (p *printer) setLocal(t *Term) {
	var free []*Term
	if p.bound[t] {
		free = []*Term{t}
	}
	for _, a := range t.args {
		for _, v := range p.nodes[a].local {
			if !slices.Contains(t.bound, v) && !slices.Contains(free, v) {
				free = append(free, v)
			}
		}
	}
	p.nodes[t].local = free
}

// Free returns the free variables of the terms, sorted by name.
func Free(terms ...*Term) []*Term {
	p := newPrinter(terms)
	return p.free()
}

func (p *printer) free() []*Term {
	var vars []*Term
	for _, t := range p.order {
		if t.op == OpVar && !p.bound[t] {
			vars = append(vars, t)
		}
	}
	for _, r := range p.roots {
		for _, v := range p.nodes[r].local { // free here, bound elsewhere
			if !slices.Contains(vars, v) {
				vars = append(vars, v)
			}
		}
	}
	slices.SortFunc(vars, func(a, b *Term) int { return strings.Compare(a.name, b.name) })
	return vars
}

// declare writes a declaration for each function and each free variable that is not defined.
func (p *printer) declare(w *bytes.Buffer, defined map[*Term]bool) {
	var fns []*Func
	seen := map[*Func]bool{}
	for _, t := range p.order {
		if t.fn != nil && !seen[t.fn] {
			seen[t.fn] = true
			fns = append(fns, t.fn)
		}
	}
	slices.SortFunc(fns, func(a, b *Func) int { return strings.Compare(a.name, b.name) })
	for _, v := range p.free() {
		if defined[v] {
			continue
		}
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

func (p *printer) newName() string {
	p.count++
	return definitionPrefix + strconv.Itoa(p.count)
}

// define writes a definition for each closed subterm of t, t included, that is shared or nests too deeply.
func (p *printer) define(w *bytes.Buffer, t *Term) *node {
	n := p.nodes[t]
	if n.defined {
		return n
	}
	n.defined = true
	for _, a := range t.args {
		n.depth = max(n.depth, p.define(w, a).depth+1)
	}
	if len(n.local) > 0 || len(t.args) == 0 || n.uses < 2 && n.depth < nestLimit {
		return n
	}
	name := p.newName()
	w.WriteString("(define-fun " + name + " () " + t.sort.String() + " ")
	p.term(w, t)
	w.WriteString(")\n")
	n.name, n.depth = name, 0
	return n
}

// term writes t, using the names that its subterms have.
func (p *printer) term(w writer, t *Term) {
	if n := p.nodes[t]; n != nil && n.name != "" {
		w.WriteString(n.name)
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
	lets := p.lets(w, t)
	p.term(w, t.args[0])
	w.WriteString(strings.Repeat(")", len(lets)+1))
	for _, n := range lets { // out of scope from here on
		n.name = ""
	}
}

// lets opens a let for each subterm of t's body that deserves one, and returns their nodes.
func (p *printer) lets(w writer, t *Term) []*node {
	if p.nodes == nil {
		return nil
	}
	var opened []*node
	inner := map[*Term]bool{}
	walk(t.args, func(s *Term) {
		for _, v := range s.bound {
			inner[v] = true
		}
	})
	walk(t.args, func(s *Term) {
		n := p.nodes[s]
		if n.name != "" || n.uses < 2 || len(s.args) == 0 || len(n.local) == 0 ||
			slices.ContainsFunc(n.local, func(v *Term) bool { return inner[v] }) {
			return
		}
		name := p.newName()
		w.WriteString("(let ((" + name + " ")
		p.term(w, s)
		w.WriteString(")) ")
		n.name = name
		opened = append(opened, n)
	})
	return opened
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

package dataplane

import (
	"math/big"
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A flow says how execution goes on after a step.
type flow uint8

const (
	next    flow = iota // with the next statement
	returns             // at the end of the action, function or control
	exits               // at the end of the top-level control
	breaks              // after the parser's state: parser error
	leaves              // after the loop
	repeats             // with the loop's next turn
	fails               // nowhere: an assertion was false
)

// maxSteps bounds the size of a compiled program, in statements and expressions: calls are expanded where they stand.
const maxSteps = 1 << 23

// compiler is the state of one compilation. It bails out by panicking with bail; Compile recovers.
type compiler struct {
	info *types.Info
	pipe *Pipeline
	code *code

	env       *env
	parsing   bool
	words     int // of the frame so far
	scratched int // words of it that the statement has taken
	nodes     int // compiled so far
	sm        *place
	smType    *types.Struct
	bound     map[string]object // instances by identity
	owner     map[string]string // P4Info names: which instance has each
	calling   []any             // callables being expanded, innermost last: recursion is refused
	site      *site             // the table whose actions are being compiled
	result    *place            // where return puts its value
	where     blockKind         // which of the six blocks is being compiled
	metadata  *place            // the user's metadata
	lists     map[int]int       // @field_list number -> index into Pipeline.lists
	digests   map[*syntax.Call]string
	tracing   bool // compile code that notes what it does
}

// A blockKind is one of V1Switch's arguments, by index.
type blockKind int

const (
	inParser blockKind = iota
	inVerify
	inIngress
	inEgress
	inUpdate
	inDeparser
)

var blockNames = [...]string{"the parser", "VerifyChecksum", "ingress", "egress", "ComputeChecksum", "the deparser"}

// only refuses an extern function in a block where v1model gives it no meaning.
func (c *compiler) only(at syntax.Node, name string, blocks ...blockKind) {
	if !slices.Contains(blocks, c.where) {
		unsupported(at, "%s in %s", name, blockNames[c.where])
	}
}

// An env is a scope of the program that is being expanded: what its objects are bound to here.
type env struct {
	outer *env
	names map[*types.Object]*binding
	id    string // identity of the control or parser instance
	path  string // its P4Info name; "" if its objects have absolute names
	// generic has the arguments of every type parameter that types may mention here
	generic typeArgs
}

// A binding is one of: a place, a known value, or an instance.
type binding struct {
	place  *place
	value  types.Value
	object object
	packet bool // packet_in or packet_out
}

func (c *compiler) push(id, path string) *env {
	saved := c.env
	c.env = &env{outer: saved, names: map[*types.Object]*binding{}, id: id, path: path, generic: saved.generic}
	return saved
}

func (c *compiler) bind(o *types.Object, b *binding) { c.env.names[o] = b }

func (c *compiler) lookup(o *types.Object) *binding {
	for e := c.env; e != nil; e = e.outer {
		if b := e.names[o]; b != nil {
			return b
		}
	}
	return nil
}

// use is the object that an identifier means.
func (c *compiler) use(id *syntax.Ident) *types.Object {
	o := c.info.Uses[id]
	if o == nil {
		invalid(id, "%s is not resolved", id.Name)
	}
	return o
}

// def is the object that an identifier declares.
func (c *compiler) def(id *syntax.Ident) *types.Object {
	o := c.info.Defs[id]
	if o == nil {
		invalid(id, "%s is not declared", id.Name)
	}
	return o
}

// alloc reserves n words of the frame.
func (c *compiler) alloc(n int) int {
	at := c.words
	c.words += n
	return at
}

// temp reserves room for a value of type t.
func (c *compiler) temp(at syntax.Node, t types.Type) place {
	return place{slot: c.alloc(wordsOf(at, t)), typ: t}
}

// count keeps the expansion of calls from running away.
func (c *compiler) count(n syntax.Node) {
	if c.nodes++; c.nodes > maxSteps {
		invalid(n, "the program has more than %d statements and expressions after its calls are expanded", maxSteps)
	}
}

// enter notes that a callable is being expanded; a callable inside itself has no finite expansion.
func (c *compiler) enter(call syntax.Node, callee any) (leave func()) {
	if slices.Contains(c.calling, callee) {
		invalid(call, "recursive call")
	}
	c.calling = append(c.calling, callee)
	return func() { c.calling = c.calling[:len(c.calling)-1] }
}

// typeOf is the type of e before any implicit conversion.
func (c *compiler) typeOf(e syntax.Expr) types.Type {
	if t := c.info.Types[e]; t != nil {
		return c.typ(t)
	}
	if p, ok := e.(*syntax.Paren); ok {
		return c.typeOf(p.X)
	}
	invalid(e, "expression without a type")
	return nil
}

// finalType is the type of e after any implicit conversion.
func (c *compiler) finalType(e syntax.Expr) types.Type {
	if t := c.info.Implicit[e]; t != nil {
		return c.typ(t)
	}
	return c.typeOf(e)
}

// value is the compile-time value of e, or nil.
func (c *compiler) value(e syntax.Expr) types.Value {
	if v := c.info.Values[e]; v != nil {
		return v
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return c.value(x.X)
	case *syntax.Binary:
		return c.intValue(x)
	case *syntax.Name:
		if o := c.info.Uses[x.Ident]; o != nil {
			if b := c.lookup(o); b != nil {
				return b.value
			}
		}
	}
	return nil
}

// intValue is the value of an operation on ints one of which is a parameter of what is being expanded.
func (c *compiler) intValue(x *syntax.Binary) types.Value {
	if t, ok := c.info.Types[x].(*types.Basic); !ok || t.Kind != types.IntKind {
		return nil
	}
	a, ok1 := c.value(x.X).(types.IntValue)
	b, ok2 := c.value(x.Y).(types.IntValue)
	if !ok1 || !ok2 {
		return nil
	}
	switch x.Op {
	case "+":
		return types.IntValue{Int: new(big.Int).Add(a.Int, b.Int)}
	case "-":
		return types.IntValue{Int: new(big.Int).Sub(a.Int, b.Int)}
	case "*":
		return types.IntValue{Int: new(big.Int).Mul(a.Int, b.Int)}
	}
	return nil
}

// number is a compile-time scalar as a non-negative number, two's complement for signed types.
func (c *compiler) number(e syntax.Expr) (*big.Int, bool) {
	v := c.value(e)
	if v == nil {
		return nil, false
	}
	return c.valueNumber(e, v, c.typeOf(e))
}

func (c *compiler) valueNumber(at syntax.Node, v types.Value, t types.Type) (*big.Int, bool) {
	switch v := v.(type) {
	case types.IntValue:
		n := v.Int
		if w, _, ok := widthOf(t); ok {
			n = new(big.Int).And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(w)), big.NewInt(1)))
		}
		return n, true
	case types.BoolValue:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	case types.EnumValue:
		switch t := under(v.Type).(type) {
		case *types.Enum:
			if i := slices.Index(t.Members, v.Member); i >= 0 {
				if t.Underlying != nil {
					return c.valueNumber(at, t.Values[i], t.Underlying)
				}
				return big.NewInt(int64(i)), true
			}
		case *types.Basic:
			if t.Kind == types.ErrorKind {
				return new(big.Int).SetUint64(c.errorIndex(at, v.Member)), true
			}
		}
	}
	return nil, false
}

func (c *compiler) constInt(e syntax.Expr) (int64, bool) {
	n, ok := c.number(e)
	if !ok || !n.IsInt64() {
		return 0, false
	}
	return n.Int64(), true
}

// errorIndex is how an error is represented: its place among the declared ones.
func (c *compiler) errorIndex(at syntax.Node, name string) uint64 {
	i := slices.Index(c.info.Errors, name)
	if i < 0 {
		invalid(at, "error %s is not declared", name)
	}
	return uint64(i)
}

// bigWords writes n as words.
func bigWords(n *big.Int, words int) []uint64 {
	out := make([]uint64, words)
	m := mask64(64)
	v := new(big.Int).Set(n)
	word := new(big.Int).SetUint64(m)
	for i := range out {
		out[i] = new(big.Int).And(v, word).Uint64()
		v.Rsh(v, 64)
	}
	return out
}

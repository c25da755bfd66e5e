package program

import (
	"fmt"
	"math/big"
	"sort"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/verify/smt"
)

// A Query asks for a value that the program and the packet do not determine.
type Query struct {
	// Kind: "packet" (len, port, pkt_0, ...), "arrival" (what the target says of the packet when it arrives), "stale" (what a container held before), "uninitialised" (a variable), "hit",
	// "action" and "data" (what a table's content does), "register" (what a cell holds), "hash", "checksum", "verify"
	// (whether a checksum is wrong), "random", "meter", "queue" (what the traffic manager writes).
	Kind string
	// Name is that of the variable in the obligations' texts; it is unique.
	Name string
	// Width in bits; 0 is a truth value (0 or 1).
	Width int
	// Object is the table or register asked about.
	Object string
	// Index of the register's cell; Args, of Widths bits, and Max are a hash's or checksum's data, leaf by leaf, and a hash's
	// bound: the answer for a hash is what is added to its base, less than Max. For "verify", Max is the checksum to be
	// compared. Only set in concrete runs.
	Index, Max *big.Int
	Args       []*big.Int
	Widths     []int
	Algorithm  string
	// Left says that it may be what an earlier packet has left: the two runs of P4 differ in it.
	Left bool
	// At is the statement that wants to know, if one does.
	At syntax.Pos
}

// sort is that of the query's variable.
func (q Query) sort() smt.Sort {
	if q.Width == 0 {
		return smt.Bool
	}
	return smt.BV(q.Width)
}

// An Oracle answers what the program and the packet do not determine. Any function may be nil.
type Oracle struct {
	// Value answers a query; nil is 0.
	Value func(Query) *big.Int
	// Table says what a table without const entries does; a nil answer is a miss with the declared default action. Without
	// this function tables are asked about by Value.
	Table func(TableQuery) *TableAnswer
	// Wrote is told of every register write, so that later reads can be answered.
	Wrote func(RegisterWrite)
}

// A concreteRun answers queries with constants and notes what happens.
type concreteRun struct {
	oracle Oracle
	steps  []Step
	tables []TableUse
	// byTenant has the statements that tenant code executed and that wrote something.
	byTenant map[syntax.Node]bool
	// left are the names of what earlier packets may have left.
	left map[string]bool
}

// A TableUse is a table's application in a concrete run.
type TableUse struct {
	Pos    syntax.Pos
	Table  string
	Keys   []*big.Int
	Const  bool // const entries: nothing was assumed
	Hit    bool
	Action string
	Data   map[string]*big.Int
}

// String says it in one line.
func (t TableUse) String() string {
	how := "miss"
	if t.Hit {
		how = "hit"
	}
	data := make([]string, 0, len(t.Data))
	for n, v := range t.Data {
		data = append(data, fmt.Sprintf("%s=%s", n, decimal(v)))
	}
	sort.Strings(data)
	keys := make([]string, len(t.Keys))
	for i, k := range t.Keys {
		keys[i] = decimal(k)
	}
	return fmt.Sprintf("%s key (%s): %s, %s(%s)", t.Table, strings.Join(keys, ", "), how, t.Action, strings.Join(data, ", "))
}

// A TableQuery asks what a table does with a key.
type TableQuery struct {
	Table string // "il_Ingress.il_page_ingress"
	Name  string // as declared: "il_page_ingress"
	Keys  []*big.Int
}

// A TableAnswer is an entry that matched, or the default action: the action's declared name and its data by parameter.
type TableAnswer struct {
	Hit    bool
	Action string
	Data   map[string]*big.Int
}

// decimal writes small numbers in decimal, others in hexadecimal.
func decimal(v *big.Int) string {
	if v == nil {
		return "?"
	}
	if v.BitLen() > 16 {
		return fmt.Sprintf("%#x", v)
	}
	return v.String()
}

// A RegisterWrite is one write to a register's cell.
type RegisterWrite struct {
	Register string
	Index    *big.Int
	Value    *big.Int
}

// A Step is a thing that happened in a concrete run, in the order of execution.
type Step struct {
	Pos  syntax.Pos
	Text string
}

func (c *concreteRun) answer(b *smt.Builder, q Query) *smt.Term {
	v := new(big.Int)
	if c.oracle.Value != nil {
		if a := c.oracle.Value(q); a != nil {
			v = a
		}
	}
	if q.Width == 0 {
		return b.Bool(v.Sign() != 0)
	}
	mod := new(big.Int).Lsh(big.NewInt(1), uint(q.Width))
	return b.BVBig(new(big.Int).Mod(v, mod), q.Width)
}

func (c *concreteRun) wrote(register string, index *big.Int, v []*big.Int) {
	if len(v) == 1 && c.oracle.Wrote != nil {
		c.oracle.Wrote(RegisterWrite{register, index, v[0]})
	}
}

// number is the value of a constant of sort Bool or bit-vector.
func number(t *smt.Term) *big.Int {
	if v, ok := t.ConstBool(); ok {
		if v {
			return big.NewInt(1)
		}
		return new(big.Int)
	}
	v, _ := t.ConstBV()
	return v
}

// constant is the value of a term in concrete runs, else nil.
func (m *machine) constant(t *smt.Term) *big.Int {
	if m.concrete == nil {
		return nil
	}
	return number(m.fold(t))
}

func (m *machine) constants(ts []*smt.Term) []*big.Int {
	if m.concrete == nil {
		return nil
	}
	out := make([]*big.Int, len(ts))
	for i, t := range ts {
		out[i] = m.constant(t)
	}
	return out
}

func widths(ts []*smt.Term) []int {
	out := make([]int, len(ts))
	for i, t := range ts {
		out[i] = max(width(t), 1)
	}
	return out
}

// step notes what is executed.
func (m *machine) step(n syntax.Node) {
	if m.concrete == nil {
		return
	}
	text := ""
	switch n := n.(type) {
	case *syntax.StateDecl:
		text = "parser state " + n.Name.Name
	default:
		text = firstLine(syntax.PrintNode(n))
	}
	m.concrete.steps = append(m.concrete.steps, Step{n.Pos(), text})
}

func (m *machine) traceTable(at syntax.Node, inst *instance, isConst bool, keys []*smt.Term, a alternative) {
	if m.concrete == nil {
		return
	}
	u := TableUse{
		Pos: at.Pos(), Table: inst.path, Keys: m.constants(keys), Const: isConst, Hit: a.hit, Action: "no action",
		Data: map[string]*big.Int{},
	}
	if a.obj != nil {
		u.Action = a.obj.Name
	}
	for n, v := range a.data {
		u.Data[n] = m.constant(v)
	}
	m.concrete.tables = append(m.concrete.tables, u)
	m.concrete.steps = append(m.concrete.steps, Step{at.Pos(), "table " + u.String()})
}

// askTable asks the oracle what a table does, in concrete runs that have one for tables.
func (m *machine) askTable(at syntax.Node, inst *instance, t tableInfo, keys []*smt.Term) *alternative {
	if m.concrete == nil || m.concrete.oracle.Table == nil {
		return nil
	}
	ans := m.concrete.oracle.Table(TableQuery{Table: inst.path, Name: inst.name, Keys: m.constants(keys)})
	if ans == nil || ans.Action == "" {
		if t.dflt == nil {
			return &alternative{cond: m.b.True(), obj: m.noAction()}
		}
		o, call := m.reference(t.dflt.Value)
		return &alternative{cond: m.b.True(), obj: o, call: call}
	}
	for _, ref := range t.actions {
		o, call := m.reference(ref.Call)
		if o.Name != ans.Action {
			continue
		}
		a := &alternative{cond: m.b.True(), hit: ans.Hit, obj: o, call: call, data: map[string]*smt.Term{}}
		d := m.actionDecl(o, at)
		for _, p := range d.Params {
			if p.Dir != syntax.NoDir {
				continue
			}
			typ := m.info.Defs[p.Name].Type
			v := ans.Data[p.Name.Name]
			if v == nil {
				m.refuse(at, "an answer for action %s without %s", o.Name, p.Name.Name)
			}
			if n := m.layout(typ, p)[0].bits; n > 0 {
				a.data[p.Name.Name] = m.bv(v, n)
			} else {
				a.data[p.Name.Name] = m.b.Bool(v.Sign() != 0)
			}
		}
		return a
	}
	m.refuse(at, "table %s has no action %s", inst.path, ans.Action)
	return nil
}

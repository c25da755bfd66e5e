package program

import (
	"fmt"
	"sort"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// EncoderVersion names the way in which this package writes obligations. It changes whenever the text of some obligation
// does, so that a replay knows whether to expect the recorded bytes.
const EncoderVersion = "program/8"

// logic of every obligation: bit-vectors alone. Tables and registers are unknowns, so no arrays are needed.
const logic = "QF_BV"

// Report is what there is to prove about a linked program.
type Report struct {
	Obligations []verify.Obligation
	// Checked and NotChecked say which properties of DESIGN.md §5.1 the obligations cover.
	Checked, NotChecked []PropertyNote
}

// PropertyNote says what is shown of a property, or why nothing is.
type PropertyNote struct {
	ID          string `json:"id"`    // "P5"
	Title       string `json:"title"` // "slot confinement"
	Note        string `json:"note,omitempty"`
	Obligations int    `json:"obligations"`
}

// A claim is an obligation before it is text: none of its sites goes wrong.
type claim struct {
	id       string
	property string
	subject  string
	sites    []site
}

// A site is one situation that a claim speaks of: pc is its path condition, bad what must not be true there.
type site struct {
	pc, bad *smt.Term
	at      syntax.Node
	// what goes wrong there, as a sentence's end: "counts packets under another VID".
	what string
}

func (m *machine) obligation(c *claim) verify.Obligation {
	return verify.Obligation{
		ID: c.id, Property: c.property, Subject: c.subject, Logic: logic,
		Text:  smt.Script(logic, m.wrong(c)),
		Guard: smt.Script(logic, m.reached(c)),
	}
}

// wrong is what an obligation's text asserts.
func (m *machine) wrong(c *claim) *smt.Term {
	bad := make([]*smt.Term, len(c.sites))
	for i, s := range c.sites {
		bad[i] = m.b.And(s.pc, s.bad)
	}
	return m.b.Or(bad...)
}

// reached is what its guard asserts: one of its situations happens.
func (m *machine) reached(c *claim) *smt.Term {
	pcs := make([]*smt.Term, len(c.sites))
	for i, s := range c.sites {
		pcs[i] = s.pc
	}
	return m.b.Or(pcs...)
}

// Obligations executes the linked program symbolically and returns what must hold of it. The result is a function of the
// input alone, to the byte. An error that wraps ErrUnsupported says at which position the program has a construct that this
// package cannot decide; other errors are about the input.
func Obligations(in *Input) (*Report, error) {
	m, claims, err := prepare(in)
	if err != nil {
		return nil, err
	}
	equal, notes, err := m.equivalences()
	if err != nil {
		return nil, err
	}
	claims = append(claims, equal...)
	compared, err := m.described()
	if err != nil {
		return nil, err
	}
	r := &Report{}
	for _, c := range claims {
		r.Obligations = append(r.Obligations, m.obligation(c))
	}
	for _, c := range compared {
		r.Obligations = append(r.Obligations, c.obligation())
	}
	count := map[string]int{}
	for _, o := range r.Obligations {
		count[o.Property]++
	}
	r.NotChecked = notes
	for _, n := range checked {
		n.Obligations = count[n.ID]
		switch {
		case n.ID == "P9" && in.Parser == (specs.ParserBound{}):
			n.Note = "what is to be proved does not say how far the target's parser gets"
		case n.ID == "P12" && in.P4Info == nil, n.ID == "P7" && in.Sources == nil:
			n.Note = "the files beside linked.p4 and the tenants' own programs were not given"
		case n.ID == "P7" && n.Obligations == 0:
			continue // the notes say why of every tenant
		default:
			r.Checked = append(r.Checked, n)
			continue
		}
		r.NotChecked = append(r.NotChecked, n)
	}
	return r, nil
}

// prepare runs the program and makes the claims, sorted by ID.
func prepare(in *Input) (m *machine, claims []*claim, err error) {
	defer recovered(&err)
	info, err := load(in)
	if err != nil {
		return nil, nil, err
	}
	m = newMachine(in, info)
	if err := m.run(); err != nil {
		return nil, nil, err
	}
	p, err := m.claims()
	if err != nil {
		return nil, nil, err
	}
	for _, t := range m.tenants {
		if !p.seen[t.Name] {
			return nil, nil, fmt.Errorf("tenant %s is registered, but %s has no code of it that can run", t.Name, LinkedName)
		}
	}
	return m, p.sorted(), nil
}

// claims states the properties of what was executed.
func (m *machine) claims() (p *prover, err error) {
	defer m.catch(&err)
	p = &prover{machine: m, byID: map[string]*claim{}}
	p.namespace()
	p.tag()
	p.copies()
	p.confinement()
	p.admission()
	p.exit()
	p.closed()
	p.depth()
	p.forward()
	p.undisturbed()
	return p, nil
}

func (p *prover) sorted() []*claim {
	var out []*claim
	for _, c := range p.byID {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

// checked lists the properties of DESIGN.md §5.1. P8 is about the policy, too: verify/policy decides it by itself.
var checked = [...]PropertyNote{
	{ID: "P1", Title: "namespace", Note: "tables, registers, counters, meters and profiles; value sets and digests are refused"},
	{ID: "P2", Title: "tag", Note: "of every packet that leaves, and as system code sees it at the end of ingress"},
	{ID: "P3", Title: "no copies", Note: "mcast_grp is 0 when a packet arrives, as v1model promises"},
	{ID: "P4", Title: "zeroed PHV", Note: "two runs that differ in what headers, metadata and variables held before"},
	{
		ID: "P5", Title: "slot confinement",
		Note: "within the page-table entry that the packet's VID matched; that entries lie within the array is M3, proved with each plan",
	},
	{ID: "P6", Title: "feed-forward", Note: "of stage arrays; and what tenant code reads and writes of headers, metadata and variables, by container"},
	{ID: "P7", Title: "equivalence", Note: "control by control, composed with the site's ports and addresses and the hop limit"},
	{ID: "P9", Title: "parsing terminates", Note: "within the states and bytes that the target declares"},
	{ID: "P10", Title: "untagged packets", Note: "wherever tenant code is entered: parser, ingress, egress"},
	{ID: "P11", Title: "admission and exit", Note: "ports, and the admission table; the addresses in packets that leave are P7's"},
	{
		ID: "P12", Title: "P4Info and ownership",
		Note: "what manifest.json says of amounts is P8's, and which stage a register has is the planner's",
	},
}

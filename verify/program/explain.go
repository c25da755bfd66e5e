package program

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// ErrNoReplay says that a solver's model is not a run of the program that goes wrong: a defect of the encoder or the solver. It
// is never shown as a counterexample.
var ErrNoReplay = errors.New("the model does not replay")

// A Counterexample is one packet that makes an obligation false, in the user's words. It was replayed: the program was run
// with it concretely and went wrong in the way it says.
type Counterexample struct {
	Obligation string
	Property   string
	Subject    string
	Tenant     string // whose VID the packet carries on a port of any kind, or ""
	Port       uint16 // ingress port
	Packet     []byte
	Fields     []Field
	// Tables are the applications on the packet's way; those that are not Const were assumed to have such an entry.
	Tables []TableUse
	// Assumed are the other values that nothing in the program determines and that are not 0: register cells, hashes, what
	// containers held before.
	Assumed []Assumption
	At      syntax.Pos
	Source  string // the line of linked.p4
	What    string // what happens there
	Steps   []Step
}

// A Field is a decoded part of the packet.
type Field struct{ Name, Value string }

// An Assumption is the value of an unknown on the packet's way.
type Assumption struct {
	Query
	Value *big.Int
	// Other is the value in the second run, if the counterexample is of two runs that differ in it.
	Other *big.Int
}

// A Replay runs a counterexample somewhere else, for example on a switch, and returns an error unless it goes wrong there too.
type Replay func(Counterexample) error

// Explain turns a model of a refuted obligation into a counterexample, after replaying it. It returns ErrNoReplay if the model
// does not lead there.
func Explain(in *Input, o verify.Obligation, model smt.Model) (Counterexample, error) {
	return ExplainWith(in, o, model, nil)
}

// ExplainWith is Explain with a second replay.
func ExplainWith(in *Input, o verify.Obligation, model smt.Model, replay Replay) (Counterexample, error) {
	m, claims, err := prepare(in)
	if err != nil {
		return Counterexample{}, err
	}
	if o.Property == "P12" {
		return m.explainComparison(o)
	}
	if o.Property == "P7" {
		if claims, _, err = m.equivalences(tenantOfClaim(o.ID)); err != nil {
			return Counterexample{}, err
		}
	}
	var c *claim
	for _, x := range claims {
		if x.id == o.ID {
			c = x
		}
	}
	if c == nil || m.obligation(c).Text != o.Text {
		return Counterexample{}, fmt.Errorf("obligation %s was not made from this program", o.ID)
	}
	return m.explain(c, model, replay)
}

// tenantOfClaim is the tenant in an ID of P7.
func tenantOfClaim(id string) string { return strings.Split(id, "/")[1] }

// explain turns a model of a claim's opposite into a counterexample.
func (m *machine) explain(c *claim, model smt.Model, replay Replay) (Counterexample, error) {
	if model == nil {
		model = smt.Model{}
	}
	wrong := m.wrong(c)
	if !smt.Eval(wrong, model).IsTrue() {
		return Counterexample{}, fmt.Errorf("%w: %s is true under it", ErrNoReplay, c.id)
	}
	values := shorten(wrong, model)

	length := int(valueOf(values, "len").Int64())
	packet := make([]byte, length)
	for i := range packet {
		packet[i] = byte(valueOf(values, packetName(i)).Uint64())
	}
	port := uint16(valueOf(values, "port").Uint64())
	ce, err := rerun(m, c, packet, port, values)
	if err != nil {
		return Counterexample{}, err
	}
	if replay != nil {
		if err := replay(ce); err != nil {
			return Counterexample{}, fmt.Errorf("%w: %w", ErrNoReplay, err)
		}
	}
	return ce, nil
}

// rerun runs the program on the model's packet and values, and describes what goes wrong.
func rerun(m *machine, c *claim, packet []byte, port uint16, values smt.Model) (Counterexample, error) {
	var assumed []Assumption
	seen := map[string]bool{}
	tell := func(a Assumption) {
		if a.Kind != "hit" && a.Kind != "action" && a.Kind != "data" && !seen[a.Name] {
			seen[a.Name] = true
			assumed = append(assumed, a)
		}
	}
	run, err := runConcrete(m.in, m, packet, port, Oracle{Value: func(q Query) *big.Int {
		v := valueOf(values, q.Name)
		if v.Sign() != 0 && (c.property != zeroed || !q.Left) {
			tell(Assumption{Query: q, Value: v})
		}
		return v
	}})
	if err != nil {
		return Counterexample{}, fmt.Errorf("%w: %w", ErrNoReplay, err)
	}
	if c.property == zeroed {
		run.twin, err = runConcrete(m.in, m, packet, port, Oracle{Value: func(q Query) *big.Int {
			v := valueOf(values, q.Name)
			if !q.Left {
				return v
			}
			w := valueOf(values, q.Name+otherRun)
			if v.Cmp(w) != 0 {
				tell(Assumption{Query: q, Value: v, Other: w})
			}
			return w
		}})
		if err != nil {
			return Counterexample{}, fmt.Errorf("%w: %w", ErrNoReplay, err)
		}
	}
	p, err := run.claims()
	if err != nil {
		return Counterexample{}, fmt.Errorf("%w: %w", ErrNoReplay, err)
	}
	if c.property == "P7" {
		equal, _, err := run.equivalences(tenantOfClaim(c.id))
		if err != nil {
			return Counterexample{}, fmt.Errorf("%w: %w", ErrNoReplay, err)
		}
		for _, x := range equal {
			p.byID[x.id] = x
		}
	}
	if x := p.byID[c.id]; x != nil {
		for _, s := range x.sites {
			if !isTrue(run.fold(s.pc)) || !isTrue(run.fold(s.bad)) {
				continue
			}
			ce := Counterexample{
				Obligation: c.id, Property: c.property, Subject: c.subject, Port: port, Packet: packet, Fields: decode(packet),
				Tables: run.concrete.tables, Assumed: assumed, What: s.what, Steps: run.concrete.steps,
			}
			if s.at != nil {
				ce.At = s.at.Pos()
				ce.Source = sourceLine(m.in.Linked, ce.At)
			}
			for _, t := range m.tenants {
				if isTrue(run.fold(p.tagged(t))) {
					ce.Tenant = t.Name
				}
			}
			return ce, nil
		}
	}
	return Counterexample{}, fmt.Errorf("%w: a concrete run on its packet does not violate %s", ErrNoReplay, c.id)
}

// valueOf is an unknown's value in a model; what the model does not mention is 0.
func valueOf(m smt.Model, name string) *big.Int {
	v, ok := m[name]
	switch {
	case !ok || !v.Defined():
		return new(big.Int)
	case v.Sort() == smt.Bool:
		if v.IsTrue() {
			return big.NewInt(1)
		}
		return new(big.Int)
	}
	return v.Int()
}

// shorten returns the model with the least packet length with which the formula still holds. The lengths that matter are those
// that the formula compares with.
func shorten(wrong *smt.Term, model smt.Model) smt.Model {
	lengths := map[int64]bool{0: true}
	seen := map[*smt.Term]bool{}
	var walk func(t *smt.Term)
	walk = func(t *smt.Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		if t.Op() == smt.OpBVUle {
			if k, ok := t.Args()[0].ConstBV(); ok && t.Args()[1].Name() == "len" {
				lengths[k.Int64()] = true
			}
		}
		for _, a := range t.Args() {
			walk(a)
		}
	}
	walk(wrong)
	for _, n := range slices.Sorted(maps.Keys(lengths)) {
		if n >= valueOf(model, "len").Int64() {
			break
		}
		shorter := maps.Clone(model)
		shorter["len"] = smt.BVValue(big.NewInt(n), 16)
		if smt.Eval(wrong, shorter).IsTrue() {
			return shorter
		}
	}
	return model
}

// decode reads a packet as Ethernet with tags.
func decode(p []byte) []Field {
	var fs []Field
	add := func(name, format string, args ...any) { fs = append(fs, Field{name, fmt.Sprintf(format, args...)}) }
	mac := func(b []byte) string {
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5])
	}
	if len(p) < 14 {
		add("payload", "%d bytes, too short for Ethernet", len(p))
		return fs
	}
	add("ethernet.dst", "%s", mac(p[0:6]))
	add("ethernet.src", "%s", mac(p[6:12]))
	at, etherType := 14, int(p[12])<<8|int(p[13])
	for isTPID(etherType) && len(p) >= at+4 {
		add("ethernet.type", "0x%04x (tag)", etherType)
		add("tag.pcp", "%d", p[at]>>5)
		add("tag.dei", "%d", p[at]>>4&1)
		add("tag.vid", "%d", int(p[at]&15)<<8|int(p[at+1]))
		etherType = int(p[at+2])<<8 | int(p[at+3])
		at += 4
	}
	add("type", "0x%04x", etherType)
	add("payload", "%d bytes", len(p)-at)
	return fs
}

func isTPID(etherType int) bool {
	return slices.Contains(specs.TagTypes(), uint16(etherType))
}

func sourceLine(text []byte, pos syntax.Pos) string {
	if pos.File != LinkedName {
		return ""
	}
	return lineOf(text, int(pos.Line))
}

// String describes the counterexample over several lines.
func (c Counterexample) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s refuted: %s\n", c.Property, c.What)
	if c.At.File != "" {
		at := c.At.String()
		if !c.At.IsValid() {
			at = c.At.File
		}
		fmt.Fprintf(&b, "  at %s", at)
		if c.Source != "" {
			fmt.Fprintf(&b, ": %s", c.Source)
		}
		b.WriteString("\n")
	}
	if c.Property == "P12" {
		return b.String() // no packet is needed
	}
	from := "no registered tenant's"
	if c.Tenant != "" {
		from = "tenant " + c.Tenant + "'s"
	}
	fmt.Fprintf(&b, "  packet (%s) received on port %d: % x\n", from, c.Port, c.Packet)
	for _, f := range c.Fields {
		fmt.Fprintf(&b, "    %s = %s\n", f.Name, f.Value)
	}
	first := true
	for _, t := range c.Tables {
		if t.Const {
			continue
		}
		if first {
			b.WriteString("  with table entries:\n")
			first = false
		}
		fmt.Fprintf(&b, "    %s\n", t)
	}
	first = true
	for _, a := range c.Assumed {
		if a.Kind == "packet" {
			continue
		}
		if first {
			b.WriteString("  and with:\n")
			first = false
		}
		fmt.Fprintf(&b, "    %s\n", a)
	}
	return b.String()
}

// String says what was assumed.
func (a Assumption) String() string {
	value := decimal(a.Value)
	if a.Other != nil {
		value += " in one run and " + decimal(a.Other) + " in the other"
	}
	switch a.Kind {
	case "register":
		return fmt.Sprintf("register %s[%s] = %s", a.Object, decimal(a.Index), decimal(a.Value))
	case "stale":
		if name, ok := strings.CutPrefix(a.Name, "stale."); ok {
			return fmt.Sprintf("%s held %s when the packet arrived", name, value)
		}
	}
	return fmt.Sprintf("%s at %s = %s", a.Kind, a.At, value)
}

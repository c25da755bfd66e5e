package program

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// Names of the files that P12 is about, in the linked directory and among the recorded inputs.
const (
	P4InfoName   = "linked.p4info.txtpb"
	ManifestName = "manifest.json"
)

// P12 compares two files with what follows from the programs' texts: linked.p4info.txtpb, by which controllers speak to the switch, and
// what manifest.json says of who owns what. Every field is one fact: what the file says, and what follows. The formulas say that both are
// equal, spelled out; they suppose nothing, so they have no guard.

// A fact is one statement of a file, and what it has to be.
type fact struct {
	file string // that says it
	what string // "table kv__KvIngress.routes: match_fields.0.bitwidth"
	said string // as the file has it; empty: it does not say it
	owed string // as it follows; empty: nothing does
	from string // what it follows from: a file's name
	line int    // in the text that is recorded; 0: not known
}

// A comparison is an obligation of P12.
type comparison struct {
	id, subject string
	facts       []fact
}

// text says that all facts hold: each value, spelled out in bytes, is the other.
func (c *comparison) text() string {
	var b strings.Builder
	b.WriteString("(set-logic " + logic + ")\n(assert (not (and true\n")
	for _, f := range c.facts {
		n := max(len(f.said), len(f.owed))
		fmt.Fprintf(&b, "; %s\n(= %s %s)\n", oneLine(f.file+": "+f.what+": "+orNothing(f.said)), spelled(f.said, n), spelled(f.owed, n))
	}
	b.WriteString(")))\n(check-sat)\n")
	return b.String()
}

// spelled is a value in n bytes and one before them, which tells what is not there from everything else.
func spelled(v string, n int) string {
	if v == "" {
		return "#x" + strings.Repeat("00", n+1)
	}
	return "#x" + strings.Repeat("00", n-len(v)) + "01" + hex.EncodeToString([]byte(v))
}

// oneLine makes sure that a comment ends where it should.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

func orNothing(v string) string {
	if v == "" {
		return "nothing"
	}
	return v
}

func (c *comparison) obligation() verify.Obligation {
	return verify.Obligation{ID: c.id, Property: "P12", Subject: c.subject, Logic: logic, Text: c.text()}
}

// wrong is the first fact that does not hold.
func (c *comparison) wrong() (fact, bool) {
	i := slices.IndexFunc(c.facts, func(f fact) bool { return f.said != f.owed })
	if i < 0 {
		return fact{}, false
	}
	return c.facts[i], true
}

// values are statements by what they are about.
type values map[string]string

// compare adds a fact for everything that one of the two says.
func (c *comparison) compare(file, about, from string, said, owed values, line func(key string) int) {
	keys := maps.Clone(said)
	if keys == nil {
		keys = values{}
	}
	maps.Copy(keys, owed)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		c.facts = append(c.facts, fact{file, about + k, said[k], owed[k], from, line(k)})
	}
}

// described are the obligations of P12; none if there are no files to compare.
func (m *machine) described() ([]*comparison, error) {
	in := m.in
	if in.P4Info == nil {
		return nil, nil
	}
	sources, err := in.sources()
	if err != nil {
		return nil, err
	}
	derived, diags := p4info.Generate(m.info)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	var said p4configv1.P4Info
	if err := prototext.Unmarshal(in.P4Info, &said); err != nil {
		return nil, fmt.Errorf("%s: %w", P4InfoName, err)
	}
	var own ownership
	if err := verify.StrictJSON(in.Ownership, &own); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	d := &description{in: in, tenants: m.tenants, said: &said, derived: derived, owners: &own, sources: sources}
	out := append(d.objects(), d.registered())
	for _, t := range d.tenants {
		out = append(out, d.owned(t), d.kept(t))
	}
	return out, nil
}

// A description is what P12 compares.
type description struct {
	in            *Input
	tenants       []Tenant
	said, derived *p4configv1.P4Info
	owners        *ownership
	sources       map[string]*ownProgram
}

// ownership is what manifest.json says of who owns what. What it says of amounts is P8's, and may change while the program stays as it is.
type ownership struct {
	Digests struct {
		Linked verify.Digest `json:"linked"`
		P4Info verify.Digest `json:"p4info"`
	} `json:"digests"`
	StageArrays []struct {
		Control specs.Control `json:"control"`
		Stage   int           `json:"stage"`
		Slots   int64         `json:"slots"`
		Width   int           `json:"width"`
	} `json:"stageArrays"`
	Tenants []struct {
		Name      string            `json:"name"`
		VID       uint16            `json:"vid"`
		Names     map[string]string `json:"names"`
		Registers []struct {
			Name     string        `json:"name"`
			Control  specs.Control `json:"control"`
			Stage    int           `json:"stage"`
			Width    int           `json:"width"`
			Declared int64         `json:"declared"`
		} `json:"registers"`
		Ports     map[uint16]uint16 `json:"ports"`
		Addresses map[string]string `json:"addresses,omitempty"`
	} `json:"tenants"`
}

// OwnershipOf takes what P12 is about from the text of manifest.json.
func OwnershipOf(manifest []byte) ([]byte, error) {
	var own ownership
	if err := json.Unmarshal(manifest, &own); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	return json.MarshalIndent(&own, "", "  ")
}

// An object is one of P4Info, with all that is said of it, by path.
type object struct {
	kind, name string // "tables", "kv__KvIngress.routes"; ("pkg_info", "") for what is no object
	values     values
}

func (o object) String() string {
	if o.name == "" {
		return o.kind
	}
	return strings.TrimSuffix(strings.ReplaceAll(o.kind, "_", " "), "s") + " " + o.name
}

// objectsOf takes P4Info apart. Of two objects of one kind and name the second is another one.
func objectsOf(info *p4configv1.P4Info) map[string]object {
	out := map[string]object{}
	add := func(kind, name string, m protoreflect.Message) {
		key := kind + " " + name
		for n := 2; out[key].kind != ""; n++ {
			key = fmt.Sprintf("%s %s again (%d)", kind, name, n)
		}
		o := object{kind, strings.TrimPrefix(key, kind+" "), values{}}
		spread(m, "", o.values)
		out[key] = o
	}
	info.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		kind := string(fd.Name())
		if !fd.IsList() {
			add(kind, "", v.Message())
			return true
		}
		for i := range v.List().Len() {
			m := v.List().Get(i).Message()
			name := fmt.Sprint(i)
			if fd := m.Descriptor().Fields().ByName("preamble"); fd != nil {
				name = m.Get(fd).Message().Interface().(*p4configv1.Preamble).GetName()
			}
			add(kind, name, m)
		}
		return true
	})
	return out
}

// spread writes down every field that is set in m, by its path.
func spread(m protoreflect.Message, path string, out values) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := path + string(fd.Name())
		switch {
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, x protoreflect.Value) bool {
				spreadValue(fd.MapValue(), x, fmt.Sprintf("%s.%q", at, k.String()), out)
				return true
			})
		case fd.IsList():
			for i := range v.List().Len() {
				spreadValue(fd, v.List().Get(i), fmt.Sprintf("%s.%d", at, i), out)
			}
		default:
			spreadValue(fd, v, at, out)
		}
		return true
	})
}

func spreadValue(fd protoreflect.FieldDescriptor, v protoreflect.Value, at string, out values) {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		out[at] = "set"
		spread(v.Message(), at+".", out)
	case protoreflect.EnumKind:
		if e := fd.Enum().Values().ByNumber(v.Enum()); e != nil {
			out[at] = string(e.Name())
		} else {
			out[at] = fmt.Sprint(v.Enum())
		}
	case protoreflect.StringKind:
		out[at] = strconv.QuoteToASCII(v.String())
	case protoreflect.BytesKind:
		out[at] = fmt.Sprintf("%q", v.Bytes())
	default:
		out[at] = v.String()
	}
}

// owner is the tenant whose prefix a part of a P4Info name has, or "".
func (d *description) owner(name string) string {
	for part := range strings.SplitSeq(name, ".") {
		for _, t := range d.tenants {
			if strings.HasPrefix(part, specs.TenantPrefix(t.Name)) {
				return t.Name
			}
		}
	}
	return ""
}

// objects says that every object of the file follows from linked.p4, and the other way round: one obligation for each owner.
func (d *description) objects() []*comparison {
	said, derived := objectsOf(d.said), objectsOf(d.derived)
	by := map[string]*comparison{}
	var out []*comparison
	for _, t := range append([]Tenant{{}}, d.tenants...) {
		by[t.Name] = &comparison{
			id: "P12/p4info/" + short(t.Name), subject: fmt.Sprintf("%s: the objects in %s follow from %s", who(t.Name), P4InfoName, LinkedName),
		}
		out = append(out, by[t.Name])
	}
	keys := maps.Clone(said)
	maps.Copy(keys, derived)
	lines := p4infoLines(d.in.P4Info)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		o := keys[k]
		by[d.owner(o.name)].compare(P4InfoName, o.String()+": ", LinkedName, said[k].values, derived[k].values, func(string) int { return lines[k] })
	}
	return slices.DeleteFunc(out, func(c *comparison) bool { return len(c.facts) == 0 })
}

var (
	p4infoObject = regexp.MustCompile(`^(\w+):? *\{`)
	p4infoName   = regexp.MustCompile(`^\s+name: *"([^"]*)"`)
)

// p4infoLines finds where objects have their names in the text that the linker writes, by kind and name; a text that was put down otherwise
// only loses its lines.
func p4infoLines(text []byte) map[string]int {
	out := map[string]int{}
	kind := ""
	for i, l := range strings.Split(string(text), "\n") {
		if m := p4infoObject.FindStringSubmatch(l); m != nil {
			kind = m[1]
		} else if m := p4infoName.FindStringSubmatch(l); m != nil && kind != "" {
			out[kind+" "+m[1]], kind = i+1, ""
		}
	}
	return out
}

// registered says that the manifest is of this program and P4Info, of the site's tenants with their VIDs and ports, and that its stage arrays
// are the program's.
func (d *description) registered() *comparison {
	c := &comparison{id: "P12/owner/il", subject: fmt.Sprintf("%s is of these files, tenants, ports and stage arrays", ManifestName)}
	m := d.owners
	c.compare(ManifestName, "digests.", "the files", values{"linked": string(m.Digests.Linked), "p4info": string(m.Digests.P4Info)},
		values{"linked": string(verify.DigestOf(d.in.Linked)), "p4info": string(verify.DigestOf(d.in.P4Info))}, d.line)
	said, owed := values{}, values{}
	for i, t := range m.Tenants {
		tell := func(what, v string) { said[again(said, t.Name+": "+what, i)] = v }
		tell("vid", fmt.Sprint(t.VID))
		for v, p := range t.Ports {
			tell(fmt.Sprintf("ports.%d", v), fmt.Sprint(p))
		}
		for v, p := range t.Addresses {
			tell("addresses."+v, p)
		}
	}
	for _, t := range d.tenants {
		owed[t.Name+": vid"] = fmt.Sprint(t.VID)
		for v, p := range t.Virtual {
			owed[fmt.Sprintf("%s: ports.%d", t.Name, v)] = fmt.Sprint(p)
		}
		for v, p := range t.Addresses {
			owed[t.Name+": addresses."+v] = p
		}
	}
	c.compare(ManifestName, "tenant ", "the site", said, owed, d.line)
	said, owed = values{}, values{}
	for i, s := range m.StageArrays {
		said[again(said, specs.StageArray(s.Control, s.Stage), i)] = fmt.Sprintf("%d slots of %d bits", s.Slots, s.Width)
	}
	for _, r := range d.derived.GetRegisters() {
		if _, _, ok := stageArray(r.GetPreamble().GetName()); ok {
			owed[r.GetPreamble().GetName()] = fmt.Sprintf("%d slots of %d bits", r.GetSize(), r.GetTypeSpec().GetBitstring().GetBit().GetBitwidth())
		}
	}
	c.compare(ManifestName, "stage array ", LinkedName, said, owed, func(string) int { return 0 })
	return c
}

// again gives what is said twice another name.
func again(said values, what string, i int) string {
	if _, ok := said[what]; ok {
		return fmt.Sprintf("%s again (%d)", what, i)
	}
	return what
}

// line is where the manifest has the first of a key's parts: a tenant's name, an object's.
func (d *description) line(key string) int {
	tenant, rest, ok := strings.Cut(key, ": ")
	if !ok {
		tenant, rest = "", key
	}
	at := 0
	find := func(s string) {
		if i := bytes.Index(d.in.Ownership[at:], []byte(s)); i >= 0 {
			at += i
		}
	}
	if tenant != "" {
		find(fmt.Sprintf(`"name": %q`, tenant))
	}
	kind, name, _ := strings.Cut(rest, ".")
	find(fmt.Sprintf("%q:", kind))
	if name != "" {
		find(fmt.Sprintf("%q", name))
	}
	if at == 0 {
		return 0
	}
	return 1 + bytes.Count(d.in.Ownership[:at], []byte("\n"))
}

// virtual are the kinds of objects that a tenant's program has in the linked one, too. Its registers become extents.
var virtual = []string{"actions", "counters", "direct_counters", "tables"}

// noAction is the one action that all programs have.
const noAction = "NoAction"

// ownObjects are a program's objects of those kinds, by "kind name".
func ownObjects(info *p4configv1.P4Info) map[string]object {
	return maps.Collect(func(yield func(string, object) bool) {
		for k, o := range objectsOf(info) {
			if slices.Contains(virtual, o.kind) && (o.kind != "actions" || o.name != noAction) && !yield(k, o) {
				return
			}
		}
	})
}

// owned says that the manifest maps the names of a tenant's objects as its own program has them, to its own, and knows its registers as they
// are declared.
func (d *description) owned(t Tenant) *comparison {
	c := &comparison{id: "P12/owner/" + t.Name, subject: fmt.Sprintf("tenant %s: the names and registers in %s are those of its own program", t.Name, ManifestName)}
	p := d.sources[t.Name]
	said, owed := values{}, values{}
	registers, declared := values{}, values{}
	for _, m := range d.owners.Tenants {
		if m.Name != t.Name {
			continue
		}
		for own, linked := range m.Names {
			said[t.Name+": names."+own] = strconv.QuoteToASCII(linked)
		}
		for i, r := range m.Registers {
			key, shape := again(registers, r.Name, i), fmt.Sprintf("%d of %d bits", r.Declared, r.Width)
			registers[key] = shape
			switch have := p.registers[r.Name]; {
			case slices.Contains(have, shape):
				declared[key] = shape
			case len(have) > 0:
				declared[key] = strings.Join(have, " or ")
			}
		}
	}
	for _, o := range ownObjects(p.p4info) {
		owed[t.Name+": names."+o.name] = strconv.QuoteToASCII(specs.TenantPrefix(t.Name) + o.name)
	}
	c.compare(ManifestName, "tenant ", SourceName(t.Name), said, owed, d.line)
	c.compare(ManifestName, fmt.Sprintf("tenant %s: register ", t.Name), SourceName(t.Name), registers, declared, func(string) int { return 0 })
	return c
}

// kept says that the objects that the tenant's controller finds in the file are those of its own program: names but for the prefix, keys,
// actions, parameters, sizes and units.
func (d *description) kept(t Tenant) *comparison {
	c := &comparison{id: "P12/objects/" + t.Name, subject: fmt.Sprintf("tenant %s: its objects in %s are those of its own program", t.Name, P4InfoName)}
	prefix := specs.TenantPrefix(t.Name)
	shapes := func(info *p4configv1.P4Info, mine func(name string) (string, bool)) (map[string]values, map[string]string) {
		names := namesOf(info)
		out, title := map[string]values{}, map[string]string{}
		for _, o := range ownObjects(info) {
			name, ok := mine(o.name)
			if !ok {
				continue
			}
			key := o.kind + " " + name
			title[key] = object{kind: o.kind, name: name}.String()
			out[key] = values{"": "there"}
			for path, v := range o.values {
				if path, v, ok := shapeOf(path, v, names, mine); ok {
					out[key]["."+path] = v
				}
			}
		}
		return out, title
	}
	said, titles := shapes(d.said, func(name string) (string, bool) { return strings.CutPrefix(name, prefix) })
	owed, more := shapes(d.sources[t.Name].p4info, func(name string) (string, bool) { return name, true })
	maps.Copy(titles, more)
	lines := p4infoLines(d.in.P4Info)
	for _, k := range slices.Sorted(maps.Keys(titles)) {
		kind, name, _ := strings.Cut(k, " ")
		c.compare(P4InfoName, titles[k], SourceName(t.Name), said[k], owed[k], func(string) int { return lines[kind+" "+prefix+name] })
	}
	return c
}

// namesOf are the names of objects by their ids.
func namesOf(info *p4configv1.P4Info) map[string]string {
	out := map[string]string{}
	for _, o := range objectsOf(info) {
		if id, err := strconv.Unquote(o.values["preamble.name"]); err == nil {
			out[o.values["preamble.id"]] = id
		}
	}
	return out
}

// reference is a field that holds another object's id.
var reference = regexp.MustCompile(`^(action_refs\.\d+\.id|const_default_action_id|initial_default_action\.action_id|implementation_id|direct_resource_ids\.\d+|direct_table_id)$`)

// incidental are fields that are another program's own: ids, aliases, annotations, names of types.
var incidental = regexp.MustCompile(`^preamble\b|\bannotations\b|structured_annotations|\.id$|type_name|\bdoc\b`)

// shapeOf is a field of an object as two programs can be compared by it; false where it says nothing of that.
func shapeOf(path, v string, names map[string]string, mine func(string) (string, bool)) (string, string, bool) {
	if reference.MatchString(path) {
		name := names[v]
		if own, ok := mine(name); ok {
			return path, own, true
		} else if name == noAction {
			return path, name, true
		}
		return path, "another's " + name, true
	}
	return path, v, !incidental.MatchString(path)
}

// explainComparison says what is wrong about a refuted obligation of P12.
func (m *machine) explainComparison(o verify.Obligation) (Counterexample, error) {
	all, err := m.described()
	if err != nil {
		return Counterexample{}, err
	}
	for _, c := range all {
		if c.id != o.ID || c.text() != o.Text {
			continue
		}
		if _, ok := c.wrong(); !ok {
			return Counterexample{}, fmt.Errorf("%w: all of %s holds", ErrNoReplay, o.ID)
		}
		return c.counterexample(m.in), nil
	}
	return Counterexample{}, fmt.Errorf("obligation %s was not made from this program", o.ID)
}

// counterexample is the first statement of a file that does not follow from the programs.
func (c *comparison) counterexample(in *Input) Counterexample {
	f, _ := c.wrong()
	ce := Counterexample{Obligation: c.id, Property: "P12", Subject: c.subject, At: syntax.Pos{File: f.file, Line: int32(f.line), Col: 1}}
	ce.What = fmt.Sprintf("%s says of %s: %s; from %s follows: %s", f.file, f.what, orNothing(f.said), f.from, orNothing(f.owed))
	switch {
	case f.line == 0:
		ce.At = syntax.Pos{}
	case f.file == ManifestName: // of which a part was taken: its lines are others
		ce.At.Line, ce.Source = 0, lineOf(in.Ownership, f.line)
	default:
		ce.Source = lineOf(in.P4Info, f.line)
	}
	return ce
}

// lineOf is a line of a text, without the white space around it.
func lineOf(text []byte, line int) string {
	lines := bytes.Split(text, []byte("\n"))
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(string(lines[line-1]))
}

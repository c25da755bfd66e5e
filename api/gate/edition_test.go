package gate_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/replace"
)

// An edition is a site at one time: its program, proved by Z3.
type edition struct {
	linked  []byte
	tenants []plan.Tenant
	input   *program.Input
	cert    *verify.Certificate
	proof   *gate.Proof
}

// A lodger is a tenant of an edition. Its ports are port and the next.
type lodger struct {
	name    string
	vid     uint16
	program string
	port    uint16
}

const (
	kinds  = "../../verify/replace/testdata/kinds.p4" // a tenant with every kind of state
	egress = "../../linker/testdata/egress.p4"        // one with registers in egress
)

var (
	ann = lodger{"ann", 10, kinds, 1}
	bob = lodger{"bob", 20, kinds, 3}
	cyd = lodger{"cyd", 30, egress, 5}
	dan = lodger{"dan", 40, kinds, 7}
)

var editions struct {
	sync.Mutex
	known map[string]*edition
}

// editionOf links and proves a site, once.
func editionOf(t testing.TB, lodgers ...lodger) *edition {
	t.Helper()
	editions.Lock()
	defer editions.Unlock()
	key := fmt.Sprint(lodgers)
	if e := editions.known[key]; e != nil {
		return e
	}
	text := `apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: tofino-like, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2, 3, 4, 5, 6, 7, 8], slots: 1024}
tenants:
`
	e := &edition{input: &program.Input{Parser: specs.ParserBound{States: 256, Bytes: 512}}}
	for _, l := range lodgers {
		path, err := filepath.Abs(l.program)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("  - {name: %s, vid: %d, program: %q, ports: {1: %d, 2: %d}}\n", l.name, l.vid, path, l.port, l.port+1)
		e.tenants = append(e.tenants, plan.Tenant{Name: l.name, VID: l.vid})
		e.input.Tenants = append(e.input.Tenants, program.Tenant{Name: l.name, VID: l.vid, Ports: []uint16{l.port, l.port + 1}, Virtual: map[uint16]uint16{1: l.port, 2: l.port + 1}})
	}
	s, err := site.Parse("site.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	linked, err := linker.Link(t.Context(), s, linker.Options{Entitler: linker.Unlimited{}})
	if err != nil {
		t.Fatal(err)
	}
	e.linked, e.input.Linked, e.input.P4Info, e.input.Sources = linked.P4, linked.P4, linked.P4InfoTxt, linked.Sources
	dir := t.TempDir()
	if err := linked.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, linker.FileManifest))
	if err != nil {
		t.Fatal(err)
	}
	if e.input.Ownership, err = program.OwnershipOf(manifest); err != nil {
		t.Fatal(err)
	}
	proof, err := gate.ProveProgram(t.Context(), solver(t, "z3"), e.input, []string{"z3"}, time.Unix(0, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Certificate.Proved(); err != nil {
		t.Fatal(err)
	}
	e.cert, e.proof = proof.Certificate, proof
	if editions.known == nil {
		editions.known = map[string]*edition{}
	}
	editions.known[key] = e
	return e
}

// A bringing is one try to bring an edition to the switch, as a controller does it.
type bringing struct {
	rig     *rig
	edition *edition
	evicted []string
	conf    gate.Config
	// at is called between any two things that it does; an error ends it there.
	at func(stage string, b *bringing) error

	gate     *gate.Gate
	standing *gate.Standing
	in       *replace.Input
	proof    *gate.Proof
	clear    *gate.Clearance
	out      *gate.Outcome
}

// bring makes a bringing without surprises. Its gate stays open until the test ends.
func (r *rig) bring(e *edition, evicted ...string) *bringing {
	b := &bringing{rig: r, edition: e, evicted: evicted, conf: r.config()}
	b.conf.Tenants = e.tenants
	return b
}

func (b *bringing) wanted() replacement.Wanted {
	return replacement.Wanted{
		Switch: "s1", DeviceID: deviceID, ElectionID: b.gate.ElectionID(), Linked: b.edition.linked, Tenants: b.edition.tenants, Evicted: b.evicted,
		Unusable: b.gate.Unusable(),
	}
}

func (b *bringing) do(ctx context.Context) error {
	at := func(stage string) error {
		if b.at == nil {
			return nil
		}
		return b.at(stage, b)
	}
	r := b.rig
	r.election++
	var err error
	if b.gate, err = gate.Open(ctx, b.conf, r.election); err != nil {
		return err
	}
	r.t.Cleanup(func() { b.gate.Close() })
	last, err := r.lastPostState()
	if err != nil {
		return err
	}
	if _, err := b.gate.Recover(ctx, last, -1); err != nil {
		return err
	}
	es, err := r.outcomes()
	if err != nil {
		return err
	}
	b.gate.Remember(gate.RefusalsOf(es, "s1"))
	if err := at("opened"); err != nil {
		return err
	}
	if !r.published[b.edition] { // as 'interlock prove' does
		if _, err := gate.Record(ctx, r.log, b.edition.proof, ledger.Decision{Action: "install", Switch: "s1", Who: "test", At: r.now}); err != nil {
			return err
		}
		if r.published == nil {
			r.published = map[*edition]bool{}
		}
		r.published[b.edition] = true
	}
	if err := b.gate.ClearProgram(ctx, b.edition.input, b.edition.cert); err != nil {
		return err
	}
	if b.standing, err = b.gate.Stand(ctx, b.edition.linked); err != nil {
		return err
	}
	if err := at("stood"); err != nil {
		return err
	}
	if b.standing.Situation == gate.Occupied {
		if _, err := b.gate.Shut(ctx); err != nil {
			return err
		}
		if err := at("shut"); err != nil {
			return err
		}
		if b.standing, err = b.gate.Hold(ctx); err != nil {
			return err
		}
		if err := at("held"); err != nil {
			return err
		}
	}
	w := b.wanted()
	planner := replacement.NewPlanner(b.gate.Replacements())
	if b.standing.Situation == gate.Complete {
		if b.in, err = planner.Open(w, b.standing.Before); err != nil || b.in == nil {
			return err
		}
	} else if b.in, err = planner.Propose(w, replacement.From{
		Linked: b.standing.Linked, Before: b.standing.Before, Continues: b.standing.Continues,
	}); err != nil {
		return err
	}
	if err := at("proposed"); err != nil {
		return err
	}
	if b.proof, err = b.gate.ProveReplacement(ctx, b.in, nil); err != nil {
		return err
	}
	if err := at("proved"); err != nil {
		return err
	}
	if b.clear, err = b.gate.ClearReplacement(ctx, b.in, b.proof, b.edition.input); err != nil {
		return err
	}
	if err := at("cleared"); err != nil {
		return err
	}
	b.out, err = b.gate.Replace(ctx, b.clear)
	return err
}

// must wants it to go well.
func (b *bringing) must() *bringing {
	b.rig.t.Helper()
	if err := b.do(b.rig.t.Context()); err != nil {
		b.rig.t.Fatal(err)
	}
	return b
}

// hosting is a switch that runs an edition with ann and bob, who have state of every kind and memory, and send packets.
func hosting(t testing.TB) (*rig, *residents) {
	t.Helper()
	r := newRig(t, "testdata/slots.p4") // the program is not used
	e := editionOf(t, ann, bob)
	r.bring(e).must()
	codec, err := alloc.CodecOf(e.linked)
	if err != nil {
		t.Fatal(err)
	}
	r.election++
	o := r.outsider(r.election) // tenants' controllers, and a plan that was proved
	defer o.cancel()
	for i, l := range []lodger{ann, bob} {
		for _, u := range entriesFor(t, e, l) {
			o.write(u)
		}
		b, err := codec.Encode(alloc.Tables{keyOf(l.vid): {{Base: int64(100 + 40*i), Size: 40, Mask: alloc.DirectMask, Generation: uint16(3 + i)}}})
		if err != nil {
			t.Fatal(err)
		}
		o.write(&p4v1.Update{Type: p4v1.Update_INSERT, Entity: firstEntity(t, b)})
	}
	r.bring(e).must() // records what was written
	x := &residents{r: r, rnd: rand.New(rand.NewPCG(*seed, 9)), wrote: map[string]map[uint16]uint32{"ann": {}, "bob": {}}}
	for range 60 {
		x.step()
	}
	if x.err != nil || x.passed == 0 {
		t.Fatal(x.err, x.passed)
	}
	return r, x
}

// entriesFor are a tenant's: key 1 goes out on its second port, keys 0x80 to 0x8f are denied, and so is what it has no route for.
func entriesFor(t testing.TB, e *edition, l lodger) []*p4v1.Update {
	t.Helper()
	r := &rig{t: t, program: e.linked}
	ids := r.ids()
	table := func(name string) uint32 { return ids[specs.TenantPrefix(l.name)+"I."+name] }
	does := func(name string, params ...byte) *p4v1.TableAction {
		a := &p4v1.Action{ActionId: table(name)}
		for i, p := range params {
			a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(i + 1), Value: []byte{p}})
		}
		return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
	}
	entry := func(kind p4v1.Update_Type, te *p4v1.TableEntry) *p4v1.Update {
		return &p4v1.Update{Type: kind, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: te}}}
	}
	return []*p4v1.Update{
		entry(p4v1.Update_INSERT, &p4v1.TableEntry{
			TableId: table("routes"), Action: does("send", 2),
			Match: []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{1}}}}},
		}),
		entry(p4v1.Update_INSERT, &p4v1.TableEntry{
			TableId: table("routes"), Action: does("send", 2),
			Match: []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{0x85}}}}},
		}),
		entry(p4v1.Update_INSERT, &p4v1.TableEntry{
			TableId: table("filter"), Action: does("deny"), Priority: 9,
			Match: []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Ternary_{
				Ternary: &p4v1.FieldMatch_Ternary{Value: []byte{0x80}, Mask: []byte{0xf0}},
			}}},
		}),
		entry(p4v1.Update_MODIFY, &p4v1.TableEntry{TableId: table("routes"), IsDefaultAction: true, Action: does("deny")}),
	}
}

// ids are those of the program's objects.
func (r *rig) ids() map[string]uint32 {
	r.t.Helper()
	info := p4infoOf(r.t, r.program)
	ids := map[string]uint32{}
	for _, x := range info.GetTables() {
		ids[x.GetPreamble().GetName()] = x.GetPreamble().GetId()
	}
	for _, x := range info.GetActions() {
		ids[x.GetPreamble().GetName()] = x.GetPreamble().GetId()
	}
	return ids
}

// residents are tenants who send packets all the time, also while the program is replaced, and know what they must find: a packet that
// passes finds the route, no packet passes that the filter denies or that has no route, and every slot holds what its tenant wrote there.
// The switch may drop their packets; it may never answer from a state that is not whole.
type residents struct {
	mu      sync.Mutex
	r       *rig
	rnd     *rand.Rand
	wrote   map[string]map[uint16]uint32
	passed  int
	dropped int
	err     error
}

func (x *residents) step() {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := []lodger{ann, bob}[x.rnd.IntN(2)]
	slot, value := uint16(x.rnd.IntN(40)), x.rnd.Uint32()>>8
	key, op := byte(1), byte(x.rnd.IntN(2))
	switch x.rnd.IntN(8) {
	case 0:
		key = 0x85 // denied by the filter
	case 1:
		key = 77 // by the default action
	}
	if key != 1 {
		op = 0
	}
	p, ok := x.probe(l, op, key, slot, value)
	if !ok {
		x.dropped++
		return
	}
	x.passed++
	was := x.wrote[l.name][slot]
	switch {
	case key != 1:
		x.err = fmt.Errorf("%s: a packet passed that its entries deny (key %#x)", l.name, key)
	case !p.hit:
		x.err = fmt.Errorf("%s: its code ran without its memory", l.name)
	case p.value != was:
		x.err = fmt.Errorf("%s: slot %d holds %d, and it wrote %d", l.name, slot, p.value, was)
	}
	if op == 1 {
		x.wrote[l.name][slot] = was + value
	}
}

// answer is what comes back to a probe.
type answer struct {
	value uint32
	hit   bool
}

func (x *residents) probe(l lodger, op, key byte, slot uint16, value uint32) (answer, bool) {
	pkt := make([]byte, 18, 64)
	pkt[12], pkt[13] = 0x81, 0
	binary.BigEndian.PutUint16(pkt[14:], l.vid)
	pkt[16], pkt[17] = 0x12, 0x34
	pkt = append(pkt, op, 0, key)
	pkt = binary.BigEndian.AppendUint16(pkt, slot)
	pkt = binary.BigEndian.AppendUint32(pkt, value)
	pkt = append(pkt, 0, 0, 0)
	out, err := x.r.sw.Process(l.port, pkt)
	if err != nil || len(out) == 0 { // the switch may run no program just now
		return answer{}, false
	}
	p := out[0].Packet
	return answer{binary.BigEndian.Uint32(p[23:]), p[29] == 1}, true
}

// during has the residents send packets while f does something.
func (x *residents) during(f func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Microsecond): // leave the gate a share of the machine
				x.step()
			}
		}
	}()
	f()
	close(stop)
	<-done
}

// whole checks that the residents are served, and find everything.
func (x *residents) whole() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return x.err
	}
	for _, l := range []lodger{ann, bob} {
		for slot := range uint16(40) {
			p, ok := x.probe(l, 0, 1, slot, 0)
			if !ok || !p.hit || p.value != x.wrote[l.name][slot] {
				return fmt.Errorf("%s: slot %d: %+v, passed %v; it wrote %d", l.name, slot, p, ok, x.wrote[l.name][slot])
			}
		}
	}
	return nil
}

// lasting reads everything of the switch but the admission table, in the words of its program's names.
func (r *rig) lasting() string {
	r.t.Helper()
	d, err := device.Dial(r.target())
	if err != nil {
		r.t.Fatal(err)
	}
	defer d.Close()
	p, err := d.Pipeline(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := d.Everything(r.t.Context(), p.P4Info)
	if err != nil {
		r.t.Fatal(err)
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		r.t.Fatal(err)
	}
	admission := device.TableID(p.P4Info, specs.AdmissionTable)
	all := ""
	for _, e := range resp.GetEntities() {
		if te := e.GetTableEntry(); te.GetTableId() == admission && te != nil {
			continue
		}
		text, err := proto.MarshalOptions{Deterministic: true}.Marshal(e) // ids follow from names
		if err != nil {
			r.t.Fatal(err)
		}
		all += fmt.Sprintf("%x\n", text)
	}
	return all
}

// Package replacement proposes how to replace a switch's program while it carries tenants: what becomes of each, and the requests that
// bring the new program, give back what is to be kept, and open admission (package verify/replace says which order that is, and proves it;
// nothing depends on what is proposed here being right).
package replacement

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// Wanted says what the switch is to run, and for whom.
type Wanted struct {
	Switch     string
	DeviceID   uint64
	ElectionID uint64
	Linked     []byte          // the new program
	Tenants    []plan.Tenant   // its tenants
	Evicted    []string        // those among them that are not admitted
	Unusable   []replace.Slots // that the switch refuses to write
}

// From is what the switch has, or had when it was closed.
type From struct {
	Linked    []byte        // the program; nil: none
	Before    []byte        // what it held, as device.Reader.Everything gives it
	Continues verify.Digest // of the decision that Before was read for, if the switch has lost it since
}

// Chunk is how many updates one request has at most.
const Chunk = 4096

// A Planner proposes replacements. It keeps what it knows of programs, so that a second proposal for the same ones, made while the switch
// is closed, takes no time to read them. It is not safe for concurrent use.
type Planner struct {
	encoder *replace.Encoder
	known   map[verify.Digest]*loaded
}

// NewPlanner returns a planner that shares what e knows.
func NewPlanner(e *replace.Encoder) *Planner { return &Planner{e, map[verify.Digest]*loaded{}} }

// Propose is the whole replacement.
func (p *Planner) Propose(w Wanted, from From) (*replace.Input, error) {
	b := &builder{encoder: p.encoder, wanted: w, in: &replace.Input{
		Switch: w.Switch, DeviceID: w.DeviceID, ElectionID: w.ElectionID, Old: from.Linked, New: w.Linked, Continues: from.Continues,
	}}
	var err error
	if b.next, err = p.load(w.Linked); err != nil {
		return nil, fmt.Errorf("the new program: %w", err)
	}
	for _, x := range w.Unusable { // it may have smaller arrays
		x.Last = min(x.Last, b.next.codec.Slots()[alloc.Array{Control: x.Control, Stage: x.Stage}]-1)
		if x.First <= x.Last {
			b.in.Unusable = append(b.in.Unusable, x)
		}
	}
	if from.Linked != nil {
		if b.old, err = p.load(from.Linked); err != nil {
			return nil, fmt.Errorf("the old program: %w", err)
		}
		if err := b.state(from.Before); err != nil {
			return nil, err
		}
	}
	if err := b.commit(); err != nil {
		return nil, err
	}
	if err := b.tenants(); err != nil {
		return nil, err
	}
	if err := b.restore(); err != nil {
		return nil, err
	}
	if err := b.open(w.Tenants); err != nil {
		return nil, err
	}
	b.in.Lost, err = b.encoder.Losses(b.in)
	return b.in, err
}

// Open lets in those of the wanted tenants that are not: the switch runs their program already, and holds what it should. admission is
// the admission table, as device.Reader.Admission gives it. It is nil if there is nothing to do.
func (p *Planner) Open(w Wanted, admission []byte) (*replace.Input, error) {
	b := &builder{encoder: p.encoder, wanted: w, in: &replace.Input{
		Switch: w.Switch, DeviceID: w.DeviceID, ElectionID: w.ElectionID, Old: w.Linked, New: w.Linked, Before: admission,
	}}
	var err error
	if b.next, err = p.load(w.Linked); err != nil {
		return nil, err
	}
	in, err := Admitted(admission)
	if err != nil {
		return nil, err
	}
	var shut []plan.Tenant
	for _, t := range w.Tenants {
		b.in.Tenants = append(b.in.Tenants, replace.Tenant{
			Name: t.Name, OldVID: t.VID, VID: t.VID, Fate: replace.Retained, Admitted: !slices.Contains(w.Evicted, t.Name),
		})
		if !slices.Contains(in, t.VID) {
			shut = append(shut, t)
		}
	}
	if err := b.open(shut); err != nil || len(b.in.Steps) == 0 {
		return nil, err
	}
	return b.in, nil
}

// Admitted are the VIDs in an admission table.
func Admitted(admission []byte) ([]uint16, error) {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(admission, &resp); err != nil {
		return nil, fmt.Errorf("admission table: %w", err)
	}
	var vids []uint16
	for _, e := range resp.GetEntities() {
		m := e.GetTableEntry().GetMatch()
		if len(m) != 1 || len(m[0].GetExact().GetValue()) > 2 {
			return nil, fmt.Errorf("admission table: an entry that is not for a VID")
		}
		vids = append(vids, uint16(new(big.Int).SetBytes(m[0].GetExact().GetValue()).Uint64()))
	}
	return vids, nil
}

// Shut is what is read from a switch that runs linked, without the entries of its admission table: what there will be to read when it is
// closed, if no packet comes until then.
func (p *Planner) Shut(linked, before []byte) ([]byte, error) {
	l, err := p.load(linked)
	if err != nil {
		return nil, err
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(before, &resp); err != nil {
		return nil, fmt.Errorf("what was read: %w", err)
	}
	resp.Entities = slices.DeleteFunc(resp.Entities, func(e *p4v1.Entity) bool {
		te := e.GetTableEntry()
		return te != nil && !te.GetIsDefaultAction() && tableName(l.info, te.GetTableId()) == specs.AdmissionTable
	})
	return proto.MarshalOptions{Deterministic: true}.Marshal(&resp)
}

// loaded is a linked program with its codec.
type loaded struct {
	info    *configv1.P4Info
	codec   *alloc.Codec
	entries *p4v1.WriteRequest // that the program declares
}

func (p *Planner) load(linked []byte) (*loaded, error) {
	key := verify.DigestOf(linked)
	if l := p.known[key]; l != nil {
		return l, nil
	}
	program, diags := p4.Load("linked.p4", linked)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	l := &loaded{}
	if l.info, diags = p4info.Generate(program); diags.HasErrors() {
		return nil, diags.Err()
	}
	if l.entries, diags = p4info.Entries(program); diags.HasErrors() {
		return nil, diags.Err()
	}
	var err error
	if l.codec, err = alloc.NewCodec(l.info); err != nil {
		return nil, err
	}
	p.known[key] = l
	return l, nil
}

// runs are the tenants that a program dispatches packets to, by name, with their VIDs.
func (l *loaded) runs() (map[string]uint16, error) {
	names := map[uint32]string{}
	for _, a := range l.info.GetActions() {
		if _, tenant, ok := strings.Cut(a.GetPreamble().GetName(), specs.RunAction("")); ok {
			names[a.GetPreamble().GetId()] = tenant
		}
	}
	vids := map[uint32]uint32{} // by table, the key field that is the VID
	for _, t := range l.info.GetTables() {
		for _, f := range t.GetMatchFields() {
			if f.GetName() == specs.PageTableKey {
				vids[t.GetPreamble().GetId()] = f.GetId()
			}
		}
	}
	found := map[string]uint16{}
	for _, u := range l.entries.GetUpdates() {
		e := u.GetEntity().GetTableEntry()
		name, ok := names[e.GetAction().GetAction().GetActionId()]
		if !ok {
			continue
		}
		for _, m := range e.GetMatch() {
			if m.GetFieldId() != vids[e.GetTableId()] {
				continue
			}
			vid := uint16(new(big.Int).SetBytes(m.GetExact().GetValue()).Uint64())
			if v, ok := found[name]; ok && v != vid {
				return nil, fmt.Errorf("tenant %s has VIDs %d and %d", name, v, vid)
			}
			found[name] = vid
		}
	}
	return found, nil
}

// builder puts one replacement together.
type builder struct {
	encoder   *replace.Encoder
	wanted    Wanted
	in        *replace.Input
	old, next *loaded
	entities  []*p4v1.Entity // of Before
	pages     alloc.Tables   // of Before
}

// state takes what was read apart.
func (b *builder) state(before []byte) error {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(before, &resp); err != nil {
		return fmt.Errorf("what was read: %w", err)
	}
	pages := &p4v1.ReadResponse{}
	for _, e := range resp.GetEntities() {
		te := e.GetTableEntry()
		name := tableName(b.old.info, te.GetTableId())
		ordinary := te != nil && !te.GetIsDefaultAction() && !te.GetIsConst()
		switch {
		case name == specs.AdmissionTable && ordinary: // none, when it is carried out
		case ordinary && (name == specs.PageTable(specs.Ingress) || name == specs.PageTable(specs.Egress)):
			pages.Entities = append(pages.Entities, e)
		default:
			b.entities = append(b.entities, e)
		}
	}
	b.in.Before = before
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(pages)
	if err == nil {
		b.pages, err = b.old.codec.Decode(text)
	}
	return err
}

// tenants says who is in which program, and what becomes of whom.
func (b *builder) tenants() error {
	had := map[string]uint16{}
	if b.old != nil {
		var err error
		if had, err = b.old.runs(); err != nil {
			return fmt.Errorf("the old program: %w", err)
		}
	}
	for _, t := range b.wanted.Tenants {
		b.in.Tenants = append(b.in.Tenants, replace.Tenant{
			Name: t.Name, OldVID: had[t.Name], VID: t.VID, Admitted: !slices.Contains(b.wanted.Evicted, t.Name),
		})
		delete(had, t.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(had)) {
		b.in.Tenants = append(b.in.Tenants, replace.Tenant{Name: name, OldVID: had[name]})
	}
	fates, err := b.encoder.Fates(b.in)
	for i, f := range fates {
		b.in.Tenants[i].Fate = f
	}
	return err
}

func (b *builder) commit() error {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: b.wanted.DeviceID, ElectionId: &p4v1.Uint128{Low: b.wanted.ElectionID},
		Action: p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		Config: &p4v1.ForwardingPipelineConfig{
			P4Info: b.next.info, P4DeviceConfig: b.wanted.Linked,
			Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: replace.Cookie(b.wanted.Linked)},
		},
	})
	b.in.Steps = append(b.in.Steps, replace.Step{Kind: replace.Commit, Bytes: text, Note: "commit the program: it starts with nobody admitted"})
	return err
}

// write adds updates as write requests.
func (b *builder) write(updates []*p4v1.Update, note string) error {
	for part := range slices.Chunk(updates, Chunk) {
		text, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.WriteRequest{
			DeviceId: b.wanted.DeviceID, ElectionId: &p4v1.Uint128{Low: b.wanted.ElectionID}, Updates: part,
		})
		if err != nil {
			return err
		}
		b.in.Steps = append(b.in.Steps, replace.Step{Kind: replace.Write, Bytes: text, Note: note})
	}
	return nil
}

// open admits those of the tenants that are not evicted.
func (b *builder) open(tenants []plan.Tenant) error {
	table := tableByName(b.next.info, specs.AdmissionTable)
	action := uint32(0)
	for _, a := range b.next.info.GetActions() {
		if a.GetPreamble().GetName() == specs.AdmitAction {
			action = a.GetPreamble().GetId()
		}
	}
	if table == nil || action == 0 {
		return fmt.Errorf("the program has no admission table")
	}
	sorted := slices.SortedFunc(slices.Values(tenants), func(x, y plan.Tenant) int { return cmp.Compare(x.VID, y.VID) })
	var updates []*p4v1.Update
	var names []string
	for _, t := range sorted {
		if slices.Contains(b.wanted.Evicted, t.Name) {
			continue
		}
		names = append(names, t.Name)
		updates = append(updates, &p4v1.Update{Type: p4v1.Update_INSERT, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{
			TableEntry: &p4v1.TableEntry{
				TableId: table.GetPreamble().GetId(),
				Match: []*p4v1.FieldMatch{{FieldId: table.GetMatchFields()[0].GetId(), FieldMatchType: &p4v1.FieldMatch_Exact_{
					Exact: &p4v1.FieldMatch_Exact{Value: bitstring(uint64(t.VID))},
				}}},
				Action: &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: &p4v1.Action{ActionId: action}}},
			},
		}}})
	}
	return b.write(updates, "admit "+strings.Join(names, ", "))
}

func tableByName(info *configv1.P4Info, name string) *configv1.Table {
	for _, t := range info.GetTables() {
		if t.GetPreamble().GetName() == name {
			return t
		}
	}
	return nil
}

func tableName(info *configv1.P4Info, id uint32) string {
	for _, t := range info.GetTables() {
		if t.GetPreamble().GetId() == id {
			return t.GetPreamble().GetName()
		}
	}
	return ""
}

// bitstring is P4Runtime's canonical form of a number.
func bitstring(v uint64) []byte {
	b := bytes.TrimLeft([]byte{byte(v >> 56), byte(v >> 48), byte(v >> 40), byte(v >> 32), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}, "\x00")
	if len(b) == 0 {
		return []byte{0}
	}
	return b
}

package plan

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// The tests' own planner and writer of requests: it shares nothing with the decoder.

const (
	testDevice   = 7
	testElection = 42
)

// testPrimitives are those of the embedded switch.
var testPrimitives = Primitives{
	Fence:      FencePrimitive{By: ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
	Scrub:      ScrubPrimitive{By: []ScrubKind{ByCell, ByArray}},
	Unanswered: UnansweredPrimitive{Until: UntilArbitration},
}

// testInfo is the P4Info of a linked program with the given stage arrays, by hand.
func testInfo(slots map[model.Array]int64) *p4configv1.P4Info {
	info := &p4configv1.P4Info{}
	for i, c := range []specs.Control{specs.Ingress, specs.Egress} {
		id := uint32(i + 1)
		action := &p4configv1.Action{Preamble: &p4configv1.Preamble{Id: 0x01000000 + id, Name: specs.MapAction(c)}}
		stages := 0
		for ; slots[model.Array{Control: c, Stage: stages}] > 0; stages++ {
			k := stages
			info.Registers = append(info.Registers, &p4configv1.Register{
				Preamble: &p4configv1.Preamble{Id: 0x16000000 + 16*id + uint32(k), Name: specs.StageArray(c, k)},
				Size:     int32(slots[model.Array{Control: c, Stage: k}]),
				TypeSpec: &p4configv1.P4DataTypeSpec{TypeSpec: &p4configv1.P4DataTypeSpec_Bitstring{Bitstring: &p4configv1.P4BitstringLikeTypeSpec{
					TypeSpec: &p4configv1.P4BitstringLikeTypeSpec_Bit{Bit: &p4configv1.P4BitTypeSpec{Bitwidth: 32}},
				}}},
			})
			for j, name := range []string{specs.BaseParam(k), specs.SizeParam(k), specs.MaskParam(k), specs.GenerationParam(k)} {
				action.Params = append(action.Params, &p4configv1.Action_Param{
					Id: uint32(4*k + j + 1), Name: name, Bitwidth: []int32{specs.BaseBits, specs.SizeBits, specs.MaskBits, specs.GenerationBits}[j],
				})
			}
		}
		if stages == 0 {
			continue
		}
		info.Actions = append(info.Actions, action)
		info.Tables = append(info.Tables, &p4configv1.Table{
			Preamble:    &p4configv1.Preamble{Id: 0x02000000 + id, Name: specs.PageTable(c)},
			MatchFields: []*p4configv1.MatchField{{Id: 1, Name: specs.PageTableKey, Bitwidth: 12, Match: &p4configv1.MatchField_MatchType_{MatchType: p4configv1.MatchField_EXACT}}},
			ActionRefs:  []*p4configv1.ActionRef{{Id: action.Preamble.Id}},
			Size:        4096,

			ConstDefaultActionId: 0x01000100 + id,
		})
	}
	return info
}

func tableID(c specs.Control) uint32 {
	return map[specs.Control]uint32{specs.Ingress: 0x02000001, specs.Egress: 0x02000002}[c]
}
func actionID(c specs.Control) uint32 { return tableID(c) - 0x01000000 }
func registerID(a model.Array) uint32 {
	return map[specs.Control]uint32{specs.Ingress: 0x16000010, specs.Egress: 0x16000020}[a.Control] + uint32(a.Stage)
}

func bits(v uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, v)
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

func marshal(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

func tableEntry(k model.Key, e model.Entry) *p4v1.TableEntry {
	te := &p4v1.TableEntry{
		TableId: tableID(k.Control),
		Match:   []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: bits(uint64(k.VID))}}}},
	}
	if e == nil {
		return te
	}
	a := &p4v1.Action{ActionId: actionID(k.Control)}
	for i, x := range e {
		for j, v := range []uint64{uint64(x.Base), uint64(x.Size), uint64(x.Mask), uint64(x.Generation)} {
			a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(4*i + j + 1), Value: bits(v)})
		}
	}
	te.Action = &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
	return te
}

func readResponse(t model.Tables) []byte {
	resp := &p4v1.ReadResponse{}
	for _, k := range t.Keys() {
		resp.Entities = append(resp.Entities, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: tableEntry(k, t[k])}})
	}
	return marshal(resp)
}

func writeRequest(us []model.Update) *p4v1.WriteRequest {
	req := &p4v1.WriteRequest{DeviceId: testDevice, ElectionId: &p4v1.Uint128{Low: testElection}}
	for i, u := range us {
		if u.Kind == model.Scrub && i > 0 && us[i-1].Kind == model.Scrub && us[i-1].Array == u.Array && us[i-1].Index == u.Index {
			req.Updates[len(req.Updates)-1].Entity.GetRegisterEntry().Index = nil // one update for every slot
			continue
		}
		x := &p4v1.Update{}
		switch u.Kind {
		case model.Insert:
			x.Type = p4v1.Update_INSERT
		case model.Delete:
			x.Type = p4v1.Update_DELETE
		default:
			x.Type = p4v1.Update_MODIFY
		}
		if u.Kind == model.Scrub {
			x.Entity = &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
				RegisterId: registerID(u.Array), Index: &p4v1.Index{Index: u.Slot},
				Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{0}}},
			}}}
		} else {
			x.Entity = &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: tableEntry(u.Key, u.Entry)}}
		}
		req.Updates = append(req.Updates, x)
	}
	return req
}

func marker(nonce uint64) []byte {
	a := specs.MarkerAddresses(testElection)
	p := binary.BigEndian.AppendUint16(a[:], specs.MarkerEtherType)
	return marshal(&p4v1.PacketOut{Payload: binary.BigEndian.AppendUint64(p, nonce)})
}

// input writes a plan of the model as an Input.
func input(p *model.Plan) *Input {
	in := &Input{Switch: "s1", DeviceID: testDevice, ElectionID: testElection, PreState: readResponse(p.Pre), Fenced: p.Fenced, Primitives: testPrimitives}
	if p.Fences != nil {
		in.Primitives.Fence.Controls = p.Fences
	}
	if len(p.Late) > 0 {
		in.Unanswered = [][]byte{marshal(writeRequest(p.Late))}
	}
	for i, v := range p.Registered {
		in.Tenants = append(in.Tenants, Tenant{Name: fmt.Sprintf("t%d", i), VID: uint16(v)})
	}
	for i, s := range p.Steps {
		if s.Fence {
			in.Steps = append(in.Steps, Step{Kind: Fence, Bytes: marker(uint64(1000 + i))})
		} else {
			in.Steps = append(in.Steps, Step{Kind: Write, Bytes: marshal(writeRequest(s.Updates))})
		}
	}
	for _, k := range p.Goal.Keys() {
		for i, x := range p.Goal[k] {
			in.Goal = append(in.Goal, Extent{VID: uint16(k.VID), Control: k.Control, Stage: i, Base: x.Base, Size: x.Size, Mask: x.Mask, Generation: x.Generation})
		}
	}
	for _, a := range p.Arrays() {
		for _, v := range p.VIDs() {
			if l, ok := p.Limits[model.Place{Array: a, VID: v}]; ok {
				in.Limits = append(in.Limits, Limit{VID: uint16(v), Control: a.Control, Stage: a.Stage, Floor: l.Floor, Ceiling: l.Ceiling})
			}
		}
	}
	return in
}

// decodeTest reads an Input whose program is testInfo of the plan's arrays.
func decodeTest(t testing.TB, in *Input, slots map[model.Array]int64) (*decoded, error) {
	t.Helper()
	l, err := layoutOf(testInfo(slots))
	if err != nil {
		t.Fatal(err)
	}
	return decode(in, l, memory{})
}

// site is a random situation: who has what, and who shall have what.
type site struct {
	arrays  map[model.Array]int64
	tenants []model.VID
	pre     model.Tables
	goal    model.Tables
	fenced  bool
	fences  []specs.Control // controls that fences empty; nil: all
}

// layOut gives random extents to tenants; some get none.
func layOut(r *rand.Rand, n int64, tenants []model.VID) map[model.VID]model.Extent {
	out := map[model.VID]model.Extent{}
	at := int64(0)
	for _, i := range r.Perm(len(tenants)) {
		at += r.Int64N(n/5 + 1)
		size := r.Int64N(n/3) + 1
		if at+size > n {
			break
		}
		out[tenants[i]] = model.Extent{Base: at, Size: size, Mask: maskFor(r, size)}
		at += size
	}
	return out
}

// rearrange makes some tenants keep, shrink, grow, move or lose what they have, and gives some that have nothing something.
func rearrange(r *rand.Rand, n int64, before map[model.VID]model.Extent, tenants []model.VID) map[model.VID]model.Extent {
	after := map[model.VID]model.Extent{}
	wish := map[model.VID]int{}
	for _, v := range tenants {
		wish[v] = r.IntN(6)
		x := before[v]
		switch wish[v] {
		case 0, 1, 2:
			after[v] = x
		case 3:
			after[v] = model.Extent{Base: x.Base, Size: x.Size / 2, Mask: ^uint32(0)}
		}
	}
	for _, v := range tenants {
		x := after[v]
		switch {
		case wish[v] == 2 && x.Size > 0: // grow
			x = model.Extent{Base: x.Base, Size: x.Size + r.Int64N(4), Mask: ^uint32(0)}
		case wish[v] == 4 || wish[v] == 0 && x.Size == 0: // move, or arrive
			size := r.Int64N(n/3) + 1
			x = model.Extent{Base: r.Int64N(n), Size: size, Mask: maskFor(r, size)}
		}
		if x.Base+x.Size <= n && !clashes(after, v, x) {
			after[v] = x
		}
	}
	return after
}

func maskFor(r *rand.Rand, size int64) uint32 {
	if size&(size-1) == 0 && r.IntN(2) == 0 {
		return uint32(size - 1)
	}
	return ^uint32(0)
}

func randomSite(r *rand.Rand, arrays map[model.Array]int64, tenants []model.VID) site {
	s := site{arrays: arrays, tenants: tenants, pre: model.Tables{}, goal: model.Tables{}, fenced: r.IntN(2) == 0}
	stages := map[specs.Control]int{}
	for a := range arrays {
		stages[a.Control]++
	}
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		if stages[c] == 0 {
			continue
		}
		for _, v := range tenants {
			k := model.Key{Control: c, VID: v}
			s.goal[k] = make(model.Entry, stages[c])
			if r.IntN(6) > 0 {
				s.pre[k] = make(model.Entry, stages[c])
			}
		}
		for k := range stages[c] {
			n := arrays[model.Array{Control: c, Stage: k}]
			before := layOut(r, n, tenants)
			for _, v := range tenants {
				key := model.Key{Control: c, VID: v}
				if s.pre[key] == nil {
					delete(before, v)
					continue
				}
				s.pre[key][k] = before[v]
				s.pre[key][k].Generation = uint16(r.IntN(4) + 65533)
			}
			after := rearrange(r, n, before, tenants)
			for _, v := range tenants {
				s.goal[model.Key{Control: c, VID: v}][k] = after[v]
			}
		}
	}
	for _, key := range s.goal.Keys() {
		e := s.goal[key]
		pre, had := s.pre[key]
		for k := range e {
			if had {
				e[k].Generation = pre[k].Generation
				if pre[k].Size > 0 && (pre[k].Base != e[k].Base || e[k].Size < pre[k].Size) {
					e[k].Generation++
				}
			} else {
				e[k].Generation = uint16(r.IntN(3))
			}
		}
		if e.Empty() && r.IntN(2) == 0 {
			delete(s.goal, key)
		}
	}
	// Where a fence empties one control only, or none, no slot of the others can change hands.
	s.fences = [][]specs.Control{{specs.Ingress}, {specs.Egress}, {}, nil, nil, nil, nil, nil, nil, nil}[r.IntN(10)]
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		for _, v := range tenants {
			if k := (model.Key{Control: c, VID: v}); s.fences != nil && !slices.Contains(s.fences, c) {
				delete(s.goal, k)
				if s.pre[k] != nil {
					s.goal[k] = s.pre[k]
				}
			}
		}
	}
	return s
}

func clashes(all map[model.VID]model.Extent, v model.VID, x model.Extent) bool {
	for w, y := range all {
		if w != v && x.Base < y.Base+y.Size && y.Base < x.Base+x.Size {
			return true
		}
	}
	return false
}

// recipe is shrink, fence, scrub, grow; with a fence first unless the site is fenced.
func (s site) recipe(r *rand.Rand) *model.Plan {
	p := &model.Plan{
		Slots: s.arrays, Capacity: map[specs.Control]int64{specs.Ingress: 4096, specs.Egress: 4096}, Registered: s.tenants,
		Pre: s.pre, Goal: s.goal, Fences: s.fences, Fenced: s.fenced, Limits: map[model.Place]model.Limit{},
	}
	var shrink, scrub, grow []model.Update
	mid := s.pre.Clone()
	keys := s.pre.Clone()
	for k, e := range s.goal {
		if keys[k] == nil {
			keys[k] = e
		}
	}
	for _, k := range keys.Keys() {
		pre, had := s.pre[k]
		goal, wanted := s.goal[k]
		if !had {
			continue
		}
		small := make(model.Entry, len(pre))
		for i := range pre {
			small[i] = model.Extent{Generation: pre[i].Generation}
			if wanted && goal[i].Base == pre[i].Base {
				small[i] = pre[i]
				small[i].Size = min(pre[i].Size, goal[i].Size)
			}
			if wanted && r.IntN(2) == 0 {
				small[i].Generation = goal[i].Generation
			}
		}
		switch {
		case !wanted && r.IntN(2) == 0:
			shrink = append(shrink, model.Update{Kind: model.Delete, Key: k})
			delete(mid, k)
		case slices.Equal(pre, small):
		default:
			shrink = append(shrink, model.Update{Kind: model.Modify, Key: k, Entry: small})
			mid[k] = small
		}
	}
	for _, a := range p.Arrays() {
		freed := make([]bool, s.arrays[a])
		for k, e := range s.goal {
			if k.Control == a.Control {
				for i := range e[a.Stage].Size {
					freed[e[a.Stage].Base+i] = true
				}
			}
		}
		for k, e := range mid {
			if k.Control == a.Control {
				for i := range e[a.Stage].Size {
					freed[e[a.Stage].Base+i] = false
				}
			}
		}
		for i, f := range freed {
			if f {
				scrub = append(scrub, model.Update{Kind: model.Scrub, Array: a, Slot: int64(i)})
			}
		}
	}
	for _, k := range keys.Keys() {
		goal, wanted := s.goal[k]
		have, had := mid[k]
		switch {
		case wanted && !had:
			grow = append(grow, model.Update{Kind: model.Insert, Key: k, Entry: goal})
		case wanted && !slices.Equal(have, goal):
			grow = append(grow, model.Update{Kind: model.Modify, Key: k, Entry: goal})
		case !wanted && had:
			grow = append(grow, model.Update{Kind: model.Delete, Key: k})
		}
	}
	add := func(us []model.Update) {
		for i := range us {
			us[i].Index = i
		}
		if len(us) > 0 {
			p.Steps = append(p.Steps, model.Step{Updates: us})
		}
	}
	if !s.fenced && r.IntN(2) == 0 { // a fence after the shrinking does as well
		p.Steps = append(p.Steps, model.Step{Fence: true})
	}
	add(shrink)
	p.Steps = append(p.Steps, model.Step{Fence: true})
	add(scrub)
	add(grow)
	for _, a := range p.Arrays() {
		for _, v := range s.tenants {
			size := int64(0)
			if e, ok := s.goal[model.Key{Control: a.Control, VID: v}]; ok {
				size = e[a.Stage].Size
			}
			p.Limits[model.Place{Array: a, VID: v}] = model.Limit{Floor: size / 2, Ceiling: size + int64(r.IntN(3))}
		}
	}
	return p
}

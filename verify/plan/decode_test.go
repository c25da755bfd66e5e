package plan

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// tinyPlan has one step of each kind: a fence, a scrub, an insertion, a modification and a deletion.
func tinyPlan() *model.Plan {
	full := ^uint32(0)
	in := func(v model.VID) model.Key { return model.Key{Control: specs.Ingress, VID: v} }
	old := model.Entry{{Base: 0, Size: 4, Mask: full}, {Mask: full}}
	p := &model.Plan{
		Slots: smallArrays, Capacity: map[specs.Control]int64{specs.Ingress: 4096, specs.Egress: 4096},
		Registered: []model.VID{3, 70, 300},
		Pre:        model.Tables{in(3): old, in(70): {{Base: 8, Size: 2, Mask: full, Generation: 9}, {}}},
		Goal: model.Tables{
			in(3):   {{Base: 0, Size: 6, Mask: full}, {Mask: full}},
			in(300): {{Base: 8, Size: 2, Mask: 1}, {Base: 0, Size: 9, Mask: full}},
		},
		Limits: map[model.Place]model.Limit{},
	}
	scrub := func(a int, s int64) model.Update {
		return model.Update{Kind: model.Scrub, Array: model.Array{Control: specs.Ingress, Stage: a}, Slot: s}
	}
	scrubs := []model.Update{scrub(0, 4), scrub(0, 5), scrub(0, 8), scrub(0, 9)}
	for s := range int64(9) {
		scrubs = append(scrubs, scrub(1, s))
	}
	p.Steps = []model.Step{
		{Updates: []model.Update{{Kind: model.Delete, Key: in(70)}}},
		{Fence: true},
		{Updates: scrubs},
		{Updates: []model.Update{{Kind: model.Modify, Key: in(3), Entry: p.Goal[in(3)]}, {Kind: model.Insert, Key: in(300), Entry: p.Goal[in(300)]}}},
	}
	for k, e := range p.Goal {
		for i, x := range e {
			p.Limits[model.Place{Array: model.Array{Control: k.Control, Stage: i}, VID: k.VID}] = model.Limit{Ceiling: x.Size}
		}
	}
	for i := range p.Steps {
		for j := range p.Steps[i].Updates {
			p.Steps[i].Updates[j].Index = j
		}
	}
	return p
}

// What is decoded is what was meant, field by field.
func TestDecode(t *testing.T) {
	for n := range uint64(60) {
		r := rand.New(rand.NewPCG(7, n))
		p := randomSite(r, smallArrays, smallTenants).recipe(r)
		if n == 0 {
			p = tinyPlan()
		}
		d, err := decodeTest(t, input(p), p.Slots)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Steps {
			if len(p.Steps[i].Updates) == 0 {
				p.Steps[i].Updates = nil
			}
		}
		all := d.model(everyScrub)
		for _, c := range []struct {
			name       string
			have, want any
		}{
			{"pre-state", d.pre.model(), p.Pre},
			{"goal", d.goal.model(), p.Goal},
			{"steps", all.Steps, p.Steps},
			{"limits", all.Limits, p.Limits},
			{"tenants", d.plan.Registered, p.Registered},
		} {
			if !reflect.DeepEqual(c.have, c.want) {
				t.Errorf("plan %d: %s:\n%+v, want\n%+v", n, c.name, c.have, c.want)
			}
		}
	}
}

// Of the requests without an answer those count that carry the plan's own election id.
func TestUnanswered(t *testing.T) {
	p := tinyPlan()
	scrub := model.Update{Kind: model.Scrub, Array: model.Array{Control: specs.Ingress}, Slot: 1}
	request := func(election uint64, us ...model.Update) []byte {
		m := writeRequest(us)
		m.ElectionId.Low = election
		return marshal(m)
	}
	many := slices.Repeat([]model.Update{{Kind: model.Modify, Key: model.Key{Control: specs.Ingress, VID: 3}, Entry: make(model.Entry, 2)}}, maxTogether+1)
	for _, c := range []struct {
		name    string
		request []byte
		late    []model.Update
		want    string // part of the error
	}{
		{"of an earlier mastership", request(testElection-1, scrub), nil, ""},
		{"of this mastership", request(testElection, scrub), []model.Update{scrub}, ""},
		{"of a later mastership", request(testElection+1, scrub), nil, "unanswered[0].election_id"},
		{"without updates", request(testElection), nil, "without updates"},
		{"no request", []byte{1}, nil, "unanswered[0]"},
		{"too many to try", request(testElection, many...), nil, "more than 8 updates"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(p)
			in.Unanswered = [][]byte{c.request}
			d, err := decodeTest(t, in, p.Slots)
			if c.want != "" {
				var bad *InputError
				if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("%v, want %q", err, c.want)
				}
				return
			}
			late := []model.Update(nil)
			if err == nil {
				late = d.late.all(everyScrub)
			}
			if err != nil || !reflect.DeepEqual(late, c.late) {
				t.Errorf("%v, %v; want %v", late, err, c.late)
			}
		})
	}
}

func TestTinyPlanIsProved(t *testing.T) {
	p := tinyPlan()
	d, err := decodeTest(t, input(p), p.Slots)
	if err != nil {
		t.Fatal(err)
	}
	bad, _ := decide(t, newPool(t, 1), d.obligations())
	for _, o := range bad {
		t.Errorf("%s: %s", o.ID, o.Subject)
	}
}

// M7: whatever a request could mean besides what is proved is refused, with the step and the update.
func TestDecodeRefuses(t *testing.T) {
	const entry, scrub, grow = 0, 2, 3 // steps
	update := func(m *p4v1.WriteRequest, i int) *p4v1.TableEntry { return m.Updates[i].Entity.GetTableEntry() }
	params := func(m *p4v1.WriteRequest) []*p4v1.Action_Param { return update(m, 0).Action.GetAction().Params }
	register := func(m *p4v1.WriteRequest) *p4v1.RegisterEntry { return m.Updates[0].Entity.GetRegisterEntry() }
	for _, c := range []struct {
		name   string
		step   int
		change func(*p4v1.WriteRequest)
		want   string
	}{
		{"device", entry, func(m *p4v1.WriteRequest) { m.DeviceId++ }, "step 1: device_id"},
		{"election", entry, func(m *p4v1.WriteRequest) { m.ElectionId.Low-- }, "step 1: election_id"},
		{"election, high half", entry, func(m *p4v1.WriteRequest) { m.ElectionId.High = 1 }, "step 1: election_id"},
		{"no election", entry, func(m *p4v1.WriteRequest) { m.ElectionId = nil }, "step 1: election_id"},
		{"role", entry, func(m *p4v1.WriteRequest) { m.Role = "x" }, "step 1: role"},
		//lint:ignore SA1019 a switch may still read it
		{"role id", entry, func(m *p4v1.WriteRequest) { m.RoleId = 1 }, "step 1: role_id"},
		{"atomicity", entry, func(m *p4v1.WriteRequest) { m.Atomicity = p4v1.WriteRequest_ROLLBACK_ON_ERROR }, "step 1: atomicity"},
		{"no updates", entry, func(m *p4v1.WriteRequest) { m.Updates = nil }, "step 1: a request without updates"},
		{"unspecified type", entry, func(m *p4v1.WriteRequest) { m.Updates[0].Type = 0 }, "step 1: update 1: type"},
		{"no entity", entry, func(m *p4v1.WriteRequest) { m.Updates[0].Entity = nil }, "step 1: update 1: names no entity"},
		{"another entity", entry, func(m *p4v1.WriteRequest) {
			m.Updates[0].Entity = &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{}}}
		}, "step 1: update 1: a plan writes page tables"},
		{"another table", entry, func(m *p4v1.WriteRequest) { update(m, 0).TableId++; update(m, 0).TableId += 5 }, "is no page table"},
		{"no key", entry, func(m *p4v1.WriteRequest) { update(m, 0).Match = nil }, "0 keys"},
		{"another field", entry, func(m *p4v1.WriteRequest) { update(m, 0).Match[0].FieldId = 2 }, "match[0]"},
		{"another kind of key", entry, func(m *p4v1.WriteRequest) {
			update(m, 0).Match[0].FieldMatchType = &p4v1.FieldMatch_Lpm{Lpm: &p4v1.FieldMatch_LPM{Value: []byte{1}, PrefixLen: 12}}
		}, "must be exact"},
		{"wide key", entry, func(m *p4v1.WriteRequest) { update(m, 0).Match[0].GetExact().Value = []byte{0x10, 0} }, "does not fit 12 bits"},
		{"empty key", entry, func(m *p4v1.WriteRequest) { update(m, 0).Match[0].GetExact().Value = nil }, "not a canonical"},
		{"padded key", entry, func(m *p4v1.WriteRequest) { update(m, 0).Match[0].GetExact().Value = []byte{0, 70} }, "leading zero"},
		{"delete with an action", entry, func(m *p4v1.WriteRequest) { update(m, 0).Action = &p4v1.TableAction{} }, "action"},
		{"priority", grow, func(m *p4v1.WriteRequest) { update(m, 1).Priority = 1 }, "step 4: update 2: table_entry.priority"},
		{"time-out", grow, func(m *p4v1.WriteRequest) { update(m, 0).IdleTimeoutNs = 1 }, "idle_timeout_ns"},
		{"metadata", grow, func(m *p4v1.WriteRequest) { update(m, 0).Metadata = []byte{1} }, "metadata"},
		//lint:ignore SA1019 a switch may still read it
		{"controller metadata", grow, func(m *p4v1.WriteRequest) { update(m, 0).ControllerMetadata = 1 }, "controller_metadata"},
		{"default action", grow, func(m *p4v1.WriteRequest) { update(m, 0).IsDefaultAction = true }, "is_default_action"},
		{"counter", grow, func(m *p4v1.WriteRequest) { update(m, 0).CounterData = &p4v1.CounterData{} }, "counter_data"},
		{"no action", grow, func(m *p4v1.WriteRequest) { update(m, 0).Action = nil }, "must be one action"},
		{"action profile", grow, func(m *p4v1.WriteRequest) {
			update(m, 0).Action = &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileMemberId{ActionProfileMemberId: 1}}
		}, "must be one action"},
		{"another action", grow, func(m *p4v1.WriteRequest) { update(m, 0).Action.GetAction().ActionId++ }, "action_id"},
		{"missing parameter", grow, func(m *p4v1.WriteRequest) {
			a := update(m, 0).Action.GetAction()
			a.Params = a.Params[1:]
		}, "7, want 8"},
		{"parameter twice", grow, func(m *p4v1.WriteRequest) { params(m)[1].ParamId = 1 }, "params[1].param_id"},
		{"wide base", grow, func(m *p4v1.WriteRequest) { params(m)[0].Value = []byte{1, 0, 0, 0} }, "base_0: not a canonical bit string: 0x1000000 does not fit 24 bits"},
		{"huge base", grow, func(m *p4v1.WriteRequest) { params(m)[0].Value = make([]byte, 9); params(m)[0].Value[0] = 1 }, "9 bytes"},
		{"padded size", grow, func(m *p4v1.WriteRequest) { params(m)[1].Value = []byte{0, 6} }, "size_0: not a canonical"},
		{"wide generation", grow, func(m *p4v1.WriteRequest) { params(m)[3].Value = []byte{1, 0, 0} }, "gen_0"},
		{"scrub past the end", scrub, func(m *p4v1.WriteRequest) { register(m).Index.Index = 16 }, "outside ingress/0"},
		{"scrub before the start", scrub, func(m *p4v1.WriteRequest) { register(m).Index.Index = -1 }, "outside ingress/0"},
		{"scrub by insertion", scrub, func(m *p4v1.WriteRequest) { m.Updates[0].Type = p4v1.Update_INSERT }, "is INSERT"},
		{"scrub with a value", scrub, func(m *p4v1.WriteRequest) {
			register(m).Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{1}}}
		}, "writes 0x1"},
		{"scrub without data", scrub, func(m *p4v1.WriteRequest) { register(m).Data = nil }, "data: is absent"},
		{"scrub with a bool", scrub, func(m *p4v1.WriteRequest) {
			register(m).Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bool{}}
		}, "must be a bit string"},
		{"scrub with padded zeros", scrub, func(m *p4v1.WriteRequest) {
			register(m).Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{0, 0}}}
		}, "leading zero"},
		{"another register", scrub, func(m *p4v1.WriteRequest) { register(m).RegisterId = 99 }, "99 is no stage array"},
		{"unknown field deep down", grow, func(m *p4v1.WriteRequest) {
			unknown := protowire.AppendVarint(protowire.AppendTag(nil, 999, protowire.VarintType), 1)
			params(m)[2].ProtoReflect().SetUnknown(unknown)
		}, "unknown field in WriteRequest.updates[0].entity.table_entry.action.action.params[2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tinyPlan()
			in := input(p)
			var m p4v1.WriteRequest
			if err := proto.Unmarshal(in.Steps[c.step].Bytes, &m); err != nil {
				t.Fatal(err)
			}
			c.change(&m)
			in.Steps[c.step].Bytes = marshal(&m)
			_, err := decodeTest(t, in, p.Slots)
			refusedWith(t, err, c.want, c.step)
		})
	}
}

func refusedWith(t *testing.T, err error, want string, step int) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
	var e *InputError
	if !errors.As(err, &e) {
		t.Fatalf("%T: %v", err, err)
	}
	if e.Step != step || !strings.Contains(err.Error(), want) {
		t.Errorf("step %d: %v; want %q in step %d", e.Step, err, want, step)
	}
}

func TestDecodeRefusesInput(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Input)
		step   int
		want   string
	}{
		{"no election", func(in *Input) { in.ElectionID = 0 }, -1, "electionId"},
		{"tenant without name", func(in *Input) { in.Tenants[0].Name = "" }, -1, "tenants[0].name"},
		{"tenant name twice", func(in *Input) { in.Tenants[1].Name = in.Tenants[0].Name }, -1, "tenants[1].name"},
		{"step of no kind", func(in *Input) { in.Steps[0].Kind = "hope" }, 0, `unknown kind "hope"`},
		{"garbage", func(in *Input) { in.Steps[0].Bytes = []byte{0xff} }, 0, "not a WriteRequest"},
		{"trailing field", func(in *Input) { in.Steps[0].Bytes = append(in.Steps[0].Bytes, 0x08, testDevice) }, 0, "canonical"},
		{"unknown field", func(in *Input) { in.Steps[0].Bytes = append(in.Steps[0].Bytes, 0xf8, 0x3f, 1) }, 0, "unknown field in WriteRequest"},
		{"a fence as a write", func(in *Input) { in.Steps[1].Kind = Write }, 1, ""},
		{"a write as a fence", func(in *Input) { in.Steps[0].Kind = Fence }, 0, ""},
		{"short marker", func(in *Input) { in.Steps[1].Bytes = marshal(&p4v1.PacketOut{Payload: make([]byte, 21)}) }, 1, "21 bytes"},
		{"long marker", func(in *Input) { in.Steps[1].Bytes = marshal(&p4v1.PacketOut{Payload: make([]byte, 61)}) }, 1, "61 bytes"},
		{"no marker", func(in *Input) {
			a := specs.MarkerAddresses(testElection)
			in.Steps[1].Bytes = marshal(&p4v1.PacketOut{Payload: append(a[:], make([]byte, 10)...)})
		}, 1, "etherType"},
		{"marker of another controller", func(in *Input) {
			var m p4v1.PacketOut
			if err := proto.Unmarshal(in.Steps[1].Bytes, &m); err != nil {
				t.Fatal(err)
			}
			m.Payload[11]--
			in.Steps[1].Bytes = marshal(&m)
		}, 1, "addresses"},
		{"marker with a trailer", func(in *Input) {
			var m p4v1.PacketOut
			if err := proto.Unmarshal(in.Steps[1].Bytes, &m); err != nil {
				t.Fatal(err)
			}
			m.Payload = append(m.Payload, 0, 1)
			in.Steps[1].Bytes = marshal(&m)
		}, 1, "bytes after the nonce"},
		{"marker with metadata", func(in *Input) {
			in.Steps[1].Bytes = marshal(&p4v1.PacketOut{Payload: make([]byte, 22), Metadata: []*p4v1.PacketMetadata{{}}})
		}, 1, "metadata"},
		{"pre-state of something else", func(in *Input) {
			in.PreState = marshal(&p4v1.ReadResponse{Entities: []*p4v1.Entity{{Entity: &p4v1.Entity_MeterEntry{MeterEntry: &p4v1.MeterEntry{}}}}})
		}, -1, "preState.entities[0]"},
		{"pre-state with an entry twice", func(in *Input) {
			var r p4v1.ReadResponse
			if err := proto.Unmarshal(in.PreState, &r); err != nil {
				t.Fatal(err)
			}
			r.Entities = append(r.Entities, r.Entities[0])
			in.PreState = marshal(&r)
		}, -1, "preState.entities[2]: a second entry"},
		{"pre-state with a default action", func(in *Input) {
			var r p4v1.ReadResponse
			if err := proto.Unmarshal(in.PreState, &r); err != nil {
				t.Fatal(err)
			}
			r.Entities[0].GetTableEntry().IsDefaultAction = true
			in.PreState = marshal(&r)
		}, -1, "is_default_action"},
		{"goal of an unknown stage", func(in *Input) { in.Goal[0].Stage = 7 }, -1, "goal[0]"},
		{"goal of an unknown tenant", func(in *Input) { in.Goal[0].VID = 9 }, -1, "goal[0].vid"},
		{"goal twice", func(in *Input) { in.Goal[1] = in.Goal[0] }, -1, "goal[1]: a second extent"},
		{"goal in part", func(in *Input) { in.Goal = in.Goal[1:] }, -1, "1 of 2 stages"},
		{"goal that does not fit", func(in *Input) { in.Goal[0].Base = 1 << 24 }, -1, "goal[0]"},
		{"negative goal", func(in *Input) { in.Goal[0].Size = -1 }, -1, "goal[0]"},
		{"limit twice", func(in *Input) { in.Limits[1] = in.Limits[0] }, -1, "limits[1]"},
		{"limit upside down", func(in *Input) { in.Limits[0].Floor = in.Limits[0].Ceiling + 1 }, -1, "limits[0]"},
		{"limit of nobody", func(in *Input) { in.Limits[0].VID = 4000 }, -1, "limits[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tinyPlan()
			in := input(p)
			c.change(in)
			_, err := decodeTest(t, in, p.Slots)
			refusedWith(t, err, c.want, c.step)
		})
	}
}

// Markers need distinct nonces; the obligation says so, and can fail.
func TestMarkers(t *testing.T) {
	p := tinyPlan()
	p.Steps = append(p.Steps, model.Step{Fence: true})
	pool := newPool(t, 1)
	for _, same := range []bool{false, true} {
		in := input(p)
		if same {
			in.Steps[4].Bytes = in.Steps[1].Bytes
		}
		d, err := decodeTest(t, in, p.Slots)
		if err != nil {
			t.Fatal(err)
		}
		bad, models := decide(t, pool, d.obligations())
		if (len(bad) == 1 && bad[0].ID == "M7/markers") != same {
			t.Errorf("same nonces: %t, refuted: %v", same, bad)
		}
		if same && !d.explain(bad[0], models[0]).Replayed {
			t.Error("not explained")
		}
	}
}

// A key of no tenant cannot be written, be it 0, and gone before the goal.
func TestKeyOfNobody(t *testing.T) {
	pool := newPool(t, 1)
	for _, v := range []model.VID{0, 9, 4095} {
		p := tinyPlan()
		k := model.Key{Control: specs.Ingress, VID: v}
		p.Steps = append(p.Steps,
			model.Step{Updates: []model.Update{{Kind: model.Insert, Key: k, Entry: model.Entry{{}, {}}}}},
			model.Step{Updates: []model.Update{{Kind: model.Delete, Key: k}}})
		d, err := decodeTest(t, input(p), p.Slots)
		if err != nil {
			t.Fatal(err)
		}
		if bad, _ := decide(t, pool, d.obligations()); len(bad) != 1 || bad[0].ID != "M4/keys" {
			t.Errorf("VID %d: refuted: %v", v, bad)
		}
	}
}

// No bytes make the decoder panic, what it accepts it writes again as it was, and in haste it reads what it reads at leisure.
func FuzzDecode(f *testing.F) {
	in := input(tinyPlan())
	for _, s := range in.Steps {
		f.Add(s.Bytes, in.PreState, s.Kind == Fence)
	}
	l, err := layoutOf(testInfo(smallArrays))
	if err != nil {
		f.Fatal(err)
	}
	cellsOnly := testPrimitives
	cellsOnly.Scrub.By = []ScrubKind{ByCell}
	f.Fuzz(func(t *testing.T, step, pre []byte, fence bool) {
		kind := Write
		if fence {
			kind = Fence
		}
		in := &Input{
			DeviceID: testDevice, ElectionID: testElection, Primitives: cellsOnly, PreState: pre, Tenants: []Tenant{{"a", 3}, {"b", 70}},
			Steps: []Step{{Kind: kind, Bytes: step}},
		}
		d, err := decode(in, l, memory{})
		if err != nil {
			hasty := newDecoded(in, l, memory{})
			if slow := newDecoded(in, l, memory{}); hasty.scanPre(pre) && slow.readPre() != nil {
				t.Errorf("pre-state %x is read in haste, but cannot be", pre)
			}
			if _, ok := hasty.scanRequest(step); ok && !fence {
				if _, err := hasty.readRequest(step, where{}); err != nil {
					t.Errorf("request %x is read in haste, but: %v", step, err)
				}
			}
			return
		}
		if os := d.obligations(); len(os) == 0 {
			t.Error("no obligations")
		}
		scanned := newDecoded(in, l, memory{})
		if scanned.scanPre(pre) && !reflect.DeepEqual(scanned.pre.model(), d.pre.model()) {
			t.Errorf("pre-state %x: %v and %v", pre, scanned.pre.model(), d.pre.model())
		}
		if !fence {
			read, err := d.readRequest(step, where{})
			if r, ok := scanned.scanRequest(step); ok && (err != nil || !reflect.DeepEqual(r, read)) {
				t.Errorf("request %x: %+v and %+v, %v", step, r, read, err)
			}
			if again := marshal(writeRequest(d.steps[0].all(everyScrub))); string(again) != string(step) {
				t.Errorf("%x was read as what is written %x", step, again)
			}
		}
	})
}

package alloc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
)

// testPrimitives are those of the embedded switch.
var testPrimitives = plan.Primitives{
	Fence:      plan.FencePrimitive{By: plan.ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
	Scrub:      plan.ScrubPrimitive{By: []plan.ScrubKind{plan.ByCell, plan.ByArray}},
	Unanswered: plan.UnansweredPrimitive{Until: plan.UntilArbitration},
}

// testInfo is that of a linked program with the given stage arrays.
func testInfo(capacity Capacity) *configv1.P4Info {
	info := &configv1.P4Info{}
	for i, control := range []specs.Control{specs.Ingress, specs.Egress} {
		n := 0
		action := &configv1.Action{Preamble: &configv1.Preamble{Id: uint32(0x01000000 + i + 1), Name: specs.MapAction(control)}}
		for ; capacity[Array{control, n}] > 0; n++ {
			info.Registers = append(info.Registers, &configv1.Register{
				Preamble: &configv1.Preamble{Id: uint32(0x15000000 + 100*i + n + 1), Name: specs.StageArray(control, n)},
				Size:     int32(capacity[Array{control, n}]),
			})
			for j, name := range []string{specs.BaseParam(n), specs.SizeParam(n), specs.MaskParam(n), specs.GenerationParam(n)} {
				action.Params = append(action.Params, &configv1.Action_Param{Id: uint32(4*n + j + 1), Name: name, Bitwidth: []int32{24, 24, 32, 16}[j]})
			}
		}
		if n == 0 {
			continue
		}
		info.Actions = append(info.Actions, action)
		info.Tables = append(info.Tables, &configv1.Table{
			Preamble:    &configv1.Preamble{Id: uint32(0x02000000 + i + 1), Name: specs.PageTable(control)},
			MatchFields: []*configv1.MatchField{{Id: 1, Name: specs.PageTableKey, Bitwidth: 12}},
			Size:        64,
		})
	}
	return info
}

func testContext(t testing.TB, capacity Capacity, vids ...uint16) *Context {
	t.Helper()
	codec, err := NewCodec(testInfo(capacity))
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Switch: "s1", DeviceID: 1, ElectionID: 7, Linked: []byte("linked"), Codec: codec, Primitives: testPrimitives, Policy: "sha256:0"}
	for _, v := range vids {
		c.Tenants = append(c.Tenants, plan.Tenant{Name: fmt.Sprint("t", v), VID: v})
		for a, n := range capacity {
			c.Limits = append(c.Limits, plan.Limit{VID: v, Control: a.Control, Stage: a.Stage, Ceiling: n})
		}
	}
	nonce := uint64(0)
	c.Nonce = func() uint64 { nonce++; return nonce }
	return c
}

// TestRecipeInModel runs random reallocations in the verifier's reference model, with an adversary who reorders, keeps packets in
// flight and kills the controller, and wants no violation.
func TestRecipeInModel(t *testing.T) {
	capacity := Capacity{stage(0): 24, stage(1): 16, {specs.Egress, 0}: 12}
	rapid.Check(t, func(t *rapid.T) {
		p, seed := randomPlan(t, capacity, func(ops []Op) []Op { return ops })
		if s, violations := model.Explore(p, rand.New(rand.NewPCG(seed, 1))); len(violations) > 0 {
			t.Fatalf("%v\nafter %+v", violations, s)
		}
	})
}

// TestRecipeCanaries: each part of the recipe is needed. Without it some random reallocation goes wrong.
func TestRecipeCanaries(t *testing.T) {
	capacity := Capacity{stage(0): 24, stage(1): 16, {specs.Egress, 0}: 12}
	drop := func(which func(Op, int) bool) func([]Op) []Op {
		return func(ops []Op) []Op {
			var out []Op
			for i, op := range ops {
				if !which(op, i) {
					out = append(out, op)
				}
			}
			return out
		}
	}
	for name, damage := range map[string]func([]Op) []Op{
		"no scrub":        drop(func(op Op, _ int) bool { return op.Scrub != nil }),
		"no fence":        drop(func(op Op, _ int) bool { return op.Fence }),
		"no second fence": drop(func(op Op, i int) bool { return op.Fence && i > 0 }),
		"no shrink":       drop(func(op Op, i int) bool { return len(op.Map) > 0 && op.Note[:6] == "shrink" }),
		"grow first": func(ops []Op) []Op {
			i := slices.IndexFunc(ops, func(op Op) bool { return len(op.Map) > 0 && op.Note[:4] == "grow" })
			if i < 0 {
				return ops
			}
			return append([]Op{ops[i]}, slices.Delete(slices.Clone(ops), i, i+1)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			caught := false
			rapid.Check(t, func(t *rapid.T) {
				if caught {
					return
				}
				p, seed := randomPlan(t, capacity, damage)
				_, violations := model.Explore(p, rand.New(rand.NewPCG(seed, 1)))
				caught = len(violations) > 0
			})
			if !caught {
				t.Error("nothing went wrong")
			}
		})
	}
}

// randomPlan is a random reallocation, by Place, Goal and Recipe, as the reference model sees it.
func randomPlan(t *rapid.T, capacity Capacity, change func([]Op) []Op) (*model.Plan, uint64) {
	tenants := rapid.IntRange(1, 4).Draw(t, "tenants")
	now, want := genState(t, capacity, tenants)
	codec, err := NewCodec(testInfo(capacity))
	if err != nil {
		t.Fatal(err)
	}
	registers := map[uint16][]Register{}
	for _, v := range slices.Sorted(keys(now)) {
		for _, a := range arrays(capacity) {
			if now[v][a].Size > 0 || want[v][a] > 0 || rapid.Bool().Draw(t, "register") {
				registers[v] = append(registers[v], Register{Array: a, Max: 1})
			}
		}
	}
	pre, err := Goal(codec, Tables{}, now, registers)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range pre.Keys() {
		e := pre[k]
		for s := range e {
			e[s].Generation = uint16(rapid.SampledFrom([]int{0, 1, 65535}).Draw(t, "generation"))
		}
		empty := !slices.ContainsFunc(e, func(m Mapping) bool { return m.Size > 0 })
		if empty && rapid.Bool().Draw(t, "newcomer") {
			delete(pre, k)
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "evict") == 0 {
		delete(registers, 1)
		delete(want, 1)
	}
	placed, err := Place(capacity, now, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	goal, err := Goal(codec, pre, placed.Layout, registers)
	if err != nil {
		t.Fatal(err)
	}
	fenced := rapid.Bool().Draw(t, "fenced")
	ops := change(Recipe(pre, goal, fenced, func(v uint16) string { return fmt.Sprint(v) }))
	return toModel(capacity, pre, goal, ops, fenced, tenants), rapid.Uint64().Draw(t, "seed")
}

func toModel(capacity Capacity, pre, goal Tables, ops []Op, fenced bool, tenants int) *model.Plan {
	array := func(a Array) model.Array { return model.Array{Control: a.Control, Stage: a.Stage} }
	entry := func(e Entry) (out model.Entry) {
		for _, m := range e {
			out = append(out, model.Extent(m))
		}
		return out
	}
	key := func(k Key) model.Key { return model.Key{Control: k.Control, VID: model.VID(k.VID)} }
	p := &model.Plan{
		Slots: map[model.Array]int64{}, Capacity: map[specs.Control]int64{specs.Ingress: 9, specs.Egress: 9}, Fenced: fenced,
		Pre: model.Tables{}, Goal: model.Tables{}, Limits: map[model.Place]model.Limit{},
	}
	for v := range tenants {
		p.Registered = append(p.Registered, model.VID(v+1))
	}
	for a, n := range capacity {
		p.Slots[array(a)] = n
		for _, v := range p.Registered {
			p.Limits[model.Place{Array: array(a), VID: v}] = model.Limit{Ceiling: n}
		}
	}
	for k, e := range pre {
		p.Pre[key(k)] = entry(e)
	}
	for k, e := range goal {
		p.Goal[key(k)] = entry(e)
	}
	now := pre.Clone()
	for _, op := range ops {
		step := model.Step{Fence: op.Fence}
		for _, k := range op.Map.Keys() {
			kind := model.Insert
			if now[k] != nil {
				kind = model.Modify
			}
			now[k] = op.Map[k]
			step.Updates = append(step.Updates, model.Update{Kind: kind, Key: key(k), Entry: entry(op.Map[k])})
		}
		for _, k := range op.Unmap {
			delete(now, k)
			step.Updates = append(step.Updates, model.Update{Kind: model.Delete, Key: key(k)})
		}
		for _, r := range op.Scrub {
			for s := r.Lo; s < r.Hi; s++ {
				step.Updates = append(step.Updates, model.Update{Kind: model.Scrub, Array: array(r.Array), Slot: s})
			}
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}

func TestGoalGenerations(t *testing.T) {
	capacity := Capacity{stage(0): 100}
	codec, err := NewCodec(testInfo(capacity))
	if err != nil {
		t.Fatal(err)
	}
	k := Key{specs.Ingress, 1}
	tests := []struct {
		name string
		old  Mapping
		next Extent
		want Mapping
	}{
		{"stays", Mapping{8, 16, 15, 5}, Extent{8, 16}, Mapping{8, 16, 15, 5}},
		{"grows in place", Mapping{8, 16, 15, 5}, Extent{8, 32}, Mapping{8, 32, 31, 5}},
		{"shrinks", Mapping{8, 16, 15, 5}, Extent{8, 8}, Mapping{8, 8, 7, 6}},
		{"moves", Mapping{8, 16, 15, 5}, Extent{9, 16}, Mapping{9, 16, 15, 6}},
		{"vanishes", Mapping{8, 16, 15, 65535}, Extent{8, 0}, Mapping{8, 0, 0, 0}},
		{"appears", Mapping{0, 0, 0, 5}, Extent{8, 16}, Mapping{8, 16, 15, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			goal, err := Goal(codec, Tables{k: {tt.old}}, Layout{1: {stage(0): tt.next}}, map[uint16][]Register{1: {{Array: stage(0), Max: 64, Fold: true}}})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(Entry{tt.want}, goal[k]); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestCodecRoundTrip(t *testing.T) {
	capacity := Capacity{stage(0): 1 << 20, stage(1): 16, {specs.Egress, 0}: 12}
	c := testContext(t, capacity)
	rapid.Check(t, func(t *rapid.T) {
		tables := Tables{}
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			k := Key{rapid.SampledFrom([]specs.Control{specs.Ingress, specs.Egress}).Draw(t, "control"), rapid.Uint16Range(1, 4094).Draw(t, "vid")}
			e := make(Entry, c.Codec.Stages(k.Control))
			for s := range e {
				e[s] = Mapping{
					rapid.Int64Range(0, 1<<24-1).Draw(t, "base"), rapid.Int64Range(0, 1<<24-1).Draw(t, "size"),
					rapid.Uint32().Draw(t, "mask"), rapid.Uint16().Draw(t, "generation"),
				}
			}
			tables[k] = e
		}
		b, err := c.Codec.Encode(tables)
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.Codec.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if !tables.Equal(back) {
			t.Fatal(cmp.Diff(tables, back))
		}
	})
}

func FuzzDecode(f *testing.F) {
	c := testContext(f, Capacity{stage(0): 64})
	b, err := c.Codec.Encode(Tables{{specs.Ingress, 1}: {{0, 16, 15, 3}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		tables, err := c.Codec.Decode(b)
		if err != nil {
			return
		}
		if _, err := c.Codec.Encode(tables); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBuildBytes(t *testing.T) {
	capacity := Capacity{stage(0): 8192, stage(1): 8192}
	c := testContext(t, capacity, 1, 2)
	pre, err := c.Codec.Encode(Tables{{specs.Ingress, 1}: {{0, 8192, 8191, 0}, {0, 16, 15, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	regs := map[uint16][]Register{1: {{stage(0), 16, 8192, true, true}, {stage(1), 16, 16, false, true}}, 2: {{stage(0), 16, 4096, true, true}}}
	old, err := c.Codec.Decode(pre)
	if err != nil {
		t.Fatal(err)
	}
	goal, err := Goal(c.Codec, old, Layout{1: {stage(0): {0, 2048}, stage(1): {0, 16}}, 2: {stage(0): {4096, 4096}}}, regs)
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Build(pre, goal, false)
	if err != nil {
		t.Fatal(err)
	}
	var shape []string
	for _, s := range in.Steps {
		switch s.Kind {
		case plan.Fence:
			shape = append(shape, "fence")
		case plan.Write:
			var req p4v1.WriteRequest
			if err := proto.Unmarshal(s.Bytes, &req); err != nil {
				t.Fatal(err)
			}
			again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&req)
			if err != nil || !bytes.Equal(again, s.Bytes) {
				t.Error("not the canonical bytes")
			}
			if req.DeviceId != 1 || req.ElectionId.Low != 7 || req.ElectionId.High != 0 || req.Atomicity != p4v1.WriteRequest_CONTINUE_ON_ERROR {
				t.Errorf("header %+v", &req)
			}
			u := req.Updates[0]
			kind := "scrub"
			if u.Entity.GetTableEntry() != nil {
				kind = u.Type.String()
			}
			shape = append(shape, fmt.Sprintf("%s %d", kind, len(req.Updates)))
		}
	}
	want := []string{"fence", "MODIFY 1", "fence", "scrub 4096", "scrub 2048", "INSERT 1"}
	if d := cmp.Diff(want, shape); d != "" {
		t.Error(d)
	}
	nothing, err := c.Build(pre, old, true)
	if err != nil || nothing != nil {
		t.Errorf("a plan for nothing: %v, %v", nothing, err)
	}
	// A sweep takes nothing from anybody and scrubs exactly what nobody has.
	sweep, err := c.Sweep(pre)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := c.Codec.Decode(pre)
	if err != nil {
		t.Fatal(err)
	}
	if sweep.Steps[0].Kind != plan.Fence || !slices.Equal(sweep.Goal, tables.extents()) {
		t.Errorf("sweep: goal %v, first %s", sweep.Goal, sweep.Steps[0].Kind)
	}
	free, owned := int64(0), int64(0)
	for _, r := range c.unowned(tables) {
		free += r.Hi - r.Lo
	}
	for _, e := range tables {
		for _, m := range e {
			owned += m.Size
		}
	}
	all := int64(0)
	for _, n := range c.Codec.Slots() {
		all += n
	}
	if owned == 0 || free+owned != all {
		t.Errorf("%d slots free and %d owned, of %d", free, owned, all)
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{3, 64, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			capacity, now, next, regs := Capacity{}, Layout{}, Layout{}, map[uint16][]Register{}
			for s := range 8 {
				capacity[stage(s)] = int64(n) * 64
				for v := range n {
					id := uint16(v + 1)
					if now[id] == nil {
						now[id], next[id] = map[Array]Extent{}, map[Array]Extent{}
					}
					now[id][stage(s)], next[id][stage(s)] = Extent{int64(v) * 64, 64}, Extent{int64(v) * 64, 64}
					if v == 1 {
						next[id][stage(s)] = Extent{64, 32}
					}
					regs[id] = append(regs[id], Register{stage(s), 16, 64, true, true})
				}
			}
			c := testContext(b, capacity)
			tables, err := Goal(c.Codec, Tables{}, now, regs)
			if err != nil {
				b.Fatal(err)
			}
			pre, err := c.Codec.Encode(tables)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				goal, err := Goal(c.Codec, tables, next, regs)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := c.Build(pre, goal, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Scrubs that are written by hand are what marshalling would write.
func TestScrubBytes(t *testing.T) {
	for _, slots := range []int64{1, 5, 200, 70000} {
		c := testContext(t, Capacity{{specs.Ingress, 0}: slots + 1, {specs.Ingress, 1}: slots}, 100)
		steps, err := c.scrub([]Range{{Array{specs.Ingress, 0}, 0, slots}, {Array{specs.Ingress, 1}, 0, slots}}, Refused{}, "")
		if err != nil {
			t.Fatal(err)
		}
		var have, want []string
		for _, s := range steps {
			var req p4v1.WriteRequest
			if err := proto.Unmarshal(s.Bytes, &req); err != nil {
				t.Fatal(err)
			}
			if again, err := (proto.MarshalOptions{Deterministic: true}).Marshal(&req); err != nil || !bytes.Equal(again, s.Bytes) {
				t.Fatalf("%d slots: %x would be written %x, %v", slots, s.Bytes[:40], again[:40], err)
			}
			if len(req.Updates) > ScrubChunk || req.DeviceId != c.DeviceID || req.ElectionId.GetLow() != c.ElectionID {
				t.Errorf("%d updates for device %d", len(req.Updates), req.DeviceId)
			}
			for _, u := range req.Updates {
				r := u.GetEntity().GetRegisterEntry()
				have = append(have, fmt.Sprint(u.Type, r.RegisterId, r.Index.GetIndex(), r.Index == nil, r.Data.GetBitstring()))
			}
		}
		for s := range slots {
			want = append(want, fmt.Sprint(p4v1.Update_MODIFY, c.Codec.registers[Array{specs.Ingress, 0}], s, false, []byte{0}))
		}
		want = append(want, fmt.Sprint(p4v1.Update_MODIFY, c.Codec.registers[Array{specs.Ingress, 1}], 0, true, []byte{0}))
		if !slices.Equal(have, want) {
			t.Errorf("%d slots: other slots are scrubbed", slots)
		}
	}
}

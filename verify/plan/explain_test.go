package plan

import (
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

var update = flag.Bool("update", false, "rewrite golden files")

// sitePlan is a plan on testdata/linked.p4 with sizes that a site may have: kv gives slots 1024..4095 of ingress/0 up, hh gets 2048 of
// them, and the slots of gone, which is no longer wanted, are not reused.
func sitePlan() *model.Plan {
	full := ^uint32(0)
	key := func(v model.VID) model.Key { return model.Key{Control: specs.Ingress, VID: v} }
	const kv, hh, gone = 100, 200, 300
	p := &model.Plan{
		Slots: linkedArrays, Capacity: map[specs.Control]int64{specs.Ingress: 4096, specs.Egress: 4096},
		Registered: []model.VID{kv, hh, gone},
		Pre: model.Tables{
			key(kv):   {{Base: 0, Size: 4096, Mask: full, Generation: 65535}, {Base: 0, Size: 16, Mask: 15}},
			key(gone): {{Base: 8192, Size: 100, Mask: full}, {}},
		},
		Goal: model.Tables{
			key(kv): {{Base: 0, Size: 1024, Mask: full}, {Base: 0, Size: 16, Mask: 15}},
			key(hh): {{Base: 2048, Size: 2048, Mask: 2047}, {}},
		},
		Fenced: true, Limits: map[model.Place]model.Limit{},
	}
	for k, e := range p.Goal {
		for i, x := range e {
			p.Limits[model.Place{Array: model.Array{Control: k.Control, Stage: i}, VID: k.VID}] = model.Limit{Floor: x.Size / 2, Ceiling: x.Size}
		}
	}
	var scrub []model.Update
	for s := range int64(3072) {
		scrub = append(scrub, model.Update{Kind: model.Scrub, Array: model.Array{Control: specs.Ingress}, Slot: 1024 + s})
	}
	p.Steps = []model.Step{
		{Updates: []model.Update{{Kind: model.Modify, Key: key(kv), Entry: p.Goal[key(kv)]}, {Kind: model.Delete, Key: key(gone)}}},
		{Fence: true},
		{Updates: scrub},
		{Updates: []model.Update{{Kind: model.Insert, Key: key(hh), Entry: p.Goal[key(hh)]}}},
	}
	renumber(p)
	return p
}

func renumber(p *model.Plan) {
	for i := range p.Steps {
		for j := range p.Steps[i].Updates {
			p.Steps[i].Updates[j].Index = j
		}
	}
}

func siteInput(t testing.TB, p *model.Plan) *Input {
	in := input(p)
	in.Linked = linked(t)
	for i, name := range []string{"kv", "hh", "gone"} {
		if i < len(in.Tenants) {
			in.Tenants[i].Name = name
		}
	}
	return in
}

// Refusals as a user meets them, from the bytes on: testdata/explain.txt has the words.
func TestExplain(t *testing.T) {
	pool, e := newPool(t, 1), NewEncoder(1)
	var text strings.Builder
	for _, c := range []struct {
		name   string
		change func(*model.Plan)
		ids    []string // of obligations that must be refuted, by prefix; the first is explained
	}{
		{"as it should be", func(*model.Plan) {}, nil},
		{"a slot for two tenants", func(p *model.Plan) {
			k := model.Key{Control: specs.Ingress, VID: 200}
			p.Goal[k][0].Base = 512
			p.Steps[3].Updates[0].Entry = p.Goal[k]
		}, []string{"M1/exclusive", "M2/clean"}},
		{
			"grown before it is scrubbed", func(p *model.Plan) { p.Steps[2], p.Steps[3] = p.Steps[3], p.Steps[2] },
			[]string{"M2/clean", "M5/scrub"},
		},
		{"not scrubbed", func(p *model.Plan) { p.Steps = slices.Delete(p.Steps, 2, 3) }, []string{"M2/clean"}},
		{
			"scrubbed before the fence", func(p *model.Plan) { p.Steps[1], p.Steps[2] = p.Steps[2], p.Steps[1] },
			[]string{"M5/scrub", "M2/clean"},
		},
		{
			"no fence", func(p *model.Plan) { p.Steps = slices.Delete(p.Steps, 1, 2) },
			[]string{"M1/exclusive", "M2/clean", "M5/scrub"},
		},
		{"no fence before, after another controller", func(p *model.Plan) {
			p.Fenced = false
			p.Pre[model.Key{Control: specs.Ingress, VID: 100}] = p.Goal[model.Key{Control: specs.Ingress, VID: 100}]
			p.Steps = p.Steps[2:]
			p.Goal[model.Key{Control: specs.Ingress, VID: 300}] = p.Pre[model.Key{Control: specs.Ingress, VID: 300}]
			p.Limits[model.Place{Array: model.Array{Control: specs.Ingress}, VID: 300}] = model.Limit{Ceiling: 100}
		}, []string{"M1/exclusive", "M5/scrub"}},
		{"all in one request", func(p *model.Plan) {
			p.Steps = []model.Step{{Updates: slices.Concat(p.Steps[0].Updates, p.Steps[2].Updates, p.Steps[3].Updates)}}
		}, []string{"M1/exclusive", "M2/clean"}},
		{"scrub and grow in one request", func(p *model.Plan) {
			p.Steps = append(p.Steps[:2:2], model.Step{Updates: slices.Concat(p.Steps[2].Updates, p.Steps[3].Updates)})
		}, []string{"M2/clean"}},
		{"what is kept is scrubbed", func(p *model.Plan) { p.Steps[2].Updates[0].Slot = 7 }, []string{"M5/scrub"}},
		{"what is kept moves", func(p *model.Plan) {
			e := slices.Clone(p.Steps[0].Updates[0].Entry)
			e[1].Base = 16
			p.Steps[0].Updates[0].Entry = e
		}, []string{"M5/frame"}},
		{"beyond the array", func(p *model.Plan) {
			k := model.Key{Control: specs.Ingress, VID: 200}
			p.Goal[k][1] = model.Extent{Base: 4000, Size: 128, Mask: 127}
			p.Limits[model.Place{Array: model.Array{Control: specs.Ingress, Stage: 1}, VID: 200}] = model.Limit{Ceiling: 128}
		}, []string{"M3/written"}},
		{"a generation that stays", func(p *model.Plan) {
			p.Goal[model.Key{Control: specs.Ingress, VID: 100}][0].Generation = 65535
		}, []string{"M5/generation"}},
		{"more than the policy grants", func(p *model.Plan) {
			p.Limits[model.Place{Array: model.Array{Control: specs.Ingress}, VID: 200}] = model.Limit{Ceiling: 1024}
		}, []string{"M6/limits"}},
		{"not what was asked for", func(p *model.Plan) {
			e := slices.Clone(p.Goal[model.Key{Control: specs.Ingress, VID: 200}])
			e[0].Size = 2047
			p.Goal[model.Key{Control: specs.Ingress, VID: 200}] = e
		}, []string{"M6/goal"}},
		{"an entry that is not there", func(p *model.Plan) { p.Steps[3].Updates[0].Kind = model.Modify }, []string{"M6/requests"}},
		{"nobody's VID", func(p *model.Plan) {
			p.Steps[3].Updates = append(p.Steps[3].Updates, model.Update{
				Kind: model.Insert, Index: 1,
				Key: model.Key{Control: specs.Ingress, VID: 999}, Entry: make(model.Entry, 2),
			})
		}, []string{"M4/keys"}},
		{"its own slots back, not scrubbed", func(p *model.Plan) {
			k := model.Key{Control: specs.Ingress, VID: 200}
			p.Steps[2].Updates = p.Steps[2].Updates[:1536]
			p.Pre[k] = model.Entry{{Base: 2560, Size: 1024, Mask: 1023}, {}}
			p.Pre[model.Key{Control: specs.Ingress, VID: 100}][0].Size = 2048
			p.Goal[k] = model.Entry{{Base: 2048, Size: 1024, Mask: 1023, Generation: 1}, {}}
			p.Steps[0].Updates = append(p.Steps[0].Updates, model.Update{Kind: model.Modify, Key: k, Entry: make(model.Entry, 2)})
			p.Steps[3].Updates[0] = model.Update{Kind: model.Modify, Key: k, Entry: p.Goal[k]}
			p.Limits[model.Place{Array: model.Array{Control: specs.Ingress}, VID: 200}] = model.Limit{Ceiling: 1024}
		}, []string{"M2/clean"}},
		{"a request that may take effect late", func(p *model.Plan) {
			k := model.Key{Control: specs.Ingress, VID: 100}
			p.Late = []model.Update{{Kind: model.Modify, Key: k, Entry: p.Pre[k]}}
		}, []string{"M1/exclusive", "M6/goal"}},
		{"a scrub that may take effect late", func(p *model.Plan) {
			p.Late = []model.Update{{Kind: model.Scrub, Array: model.Array{Control: specs.Ingress}, Slot: 2048}}
		}, []string{"M5/scrub"}},
		{"an insertion that may take effect late", func(p *model.Plan) {
			p.Late = []model.Update{p.Steps[3].Updates[0]}
		}, []string{"M6/requests"}},
		{"a request that changes nothing if it comes late", func(p *model.Plan) {
			p.Late = []model.Update{{Kind: model.Modify, Key: model.Key{Control: specs.Ingress, VID: 999}, Entry: make(model.Entry, 2)}}
		}, nil},
		{"a switch that is shared already", func(p *model.Plan) {
			p.Pre[model.Key{Control: specs.Ingress, VID: 300}] = model.Entry{{Base: 4000, Size: 100, Mask: ^uint32(0)}, {}}
		}, []string{"M1/ingress/0/before", "M1/exclusive"}},
	} {
		p := sitePlan()
		c.change(p)
		renumber(p)
		in := siteInput(t, p)
		obligations, err := e.Obligations(in)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		bad, _ := decide(t, pool, obligations)
		for _, id := range c.ids {
			if !slices.ContainsFunc(bad, func(o verify.Obligation) bool { return strings.HasPrefix(o.ID, id) }) {
				t.Errorf("%s: %s is not refuted", c.name, id)
			}
		}
		if len(c.ids) == 0 && len(bad) > 0 {
			t.Errorf("%s: %s is refuted", c.name, bad[0].ID)
		}
		text.WriteString("== " + c.name + "\n")
		for _, o := range bad {
			if len(c.ids) == 0 || !strings.HasPrefix(o.ID, c.ids[0]) {
				continue
			}
			x := e.Explain(in, o, smt.Model{}) // a solver's model would make the words depend on its version
			if !x.Replayed {
				t.Errorf("%s: not replayed: %s", c.name, x)
			}
			text.WriteString(x.String())
			break
		}
	}
	golden(t, "testdata/explain.txt", text.String())
}

func golden(t *testing.T, file, have string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if have != string(want) {
		t.Errorf("differs from %s (rewrite it with -update):\n%s", file, have)
	}
}

// Obligations are a pure function of the input, whatever the encoder did before, and their IDs are unique.
func TestPure(t *testing.T) {
	in := siteInput(t, sitePlan())
	e := NewEncoder(2)
	crowded := newCrowd(t, 20, 3)
	first, err := Obligations(in)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := e.Obligations(crowded.next(3)); err != nil {
			t.Fatal(err)
		}
		again, err := e.Obligations(in)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, again) {
			t.Fatal("obligations differ from call to call")
		}
	}
	seen := map[string]bool{}
	for _, o := range first {
		if seen[o.ID] {
			t.Errorf("%s twice", o.ID)
		}
		seen[o.ID] = true
		if !strings.HasPrefix(o.ID, o.Property+"/") || !strings.HasPrefix(o.Text, "(set-logic "+o.Logic+")") || o.Subject == "" {
			t.Errorf("%+v", o)
		}
	}
}

// Intervals of equal shape have equal texts, wherever they are and whosever they are; different shapes have different texts.
func TestShapes(t *testing.T) {
	texts, keys := map[string]string{}, map[string]string{}
	w := newCrowd(t, 30, 3)
	for range 20 {
		d, err := decodeTest(t, w.next(8), w.arrays)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.stages() {
			for _, x := range s.instances() {
				u := x.shape.unroll()
				u.exclusive()
				text, _ := u.texts()
				if old, ok := texts[x.key]; ok && old != text {
					t.Fatalf("%s has two texts", x.key)
				}
				if old, ok := keys[text]; ok && old != x.key {
					t.Fatalf("%q and %q have the same text", old, x.key)
				}
				texts[x.key], keys[text] = text, x.key
			}
		}
	}
	t.Logf("%d shapes", len(texts))
	if len(texts) > 40 {
		t.Error("too many shapes for plans of one recipe")
	}
}

package alloc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// quickstart is the linked quickstart site.
func quickstart(t testing.TB) (*manifest.Manifest, *Context) {
	t.Helper()
	dir := filepath.Join("..", "linker", "testdata", "quickstart")
	m, err := manifest.Load(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "linked.p4info.txtpb"))
	if err != nil {
		t.Fatal(err)
	}
	var info configv1.P4Info
	if err := prototext.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	codec, err := NewCodec(&info)
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Switch: m.Switch, DeviceID: 1, ElectionID: 1, Linked: []byte("linked"), Codec: codec, Primitives: testPrimitives}
	nonce := uint64(0)
	c.Nonce = func() uint64 { nonce++; return nonce }
	for _, x := range m.Tenants {
		c.Tenants = append(c.Tenants, plan.Tenant{Name: x.Name, VID: x.VID})
		for _, r := range x.Registers {
			c.Limits = append(c.Limits, plan.Limit{VID: x.VID, Control: r.Control, Stage: r.Stage, Floor: r.Min, Ceiling: r.Max})
		}
	}
	return m, c
}

// startState is the page tables with every tenant at its floor.
func startState(t testing.TB, m *manifest.Manifest, c *Context) (Tables, []byte) {
	t.Helper()
	want, registers := map[uint16]map[Array]int64{}, map[uint16][]Register{}
	tenants, err := TenantsOf(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tenants {
		want[x.VID] = map[Array]int64{}
		for i, r := range x.Ladder.Registers {
			want[x.VID][r.Array] = x.Ladder.Rungs[0].Sizes[i]
		}
		registers[x.VID] = x.Ladder.Registers
	}
	placed, err := Place(CapacityOf(m), nil, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := Goal(c.Codec, Tables{}, placed.Layout, registers)
	if err != nil {
		t.Fatal(err)
	}
	state, err := c.Codec.Encode(tables)
	if err != nil {
		t.Fatal(err)
	}
	return tables, state
}

func stepsDocument(steps string) []byte {
	return []byte("apiVersion: interlock/v1alpha1\nkind: PlanSteps\nsteps:\n" + steps)
}

func TestStepsErrors(t *testing.T) {
	m, _ := quickstart(t)
	tests := []struct{ name, steps, want string }{
		{"none", "  []\n", "4:3: no steps"},
		{"two in one", "  - {fence: {}, unmap: [{tenant: kv}]}\n", "4:5: a step is one of"},
		{"unknown step", "  - {wait: {}}\n", `4:6: unknown field "wait"`},
		{"unknown tenant", "  - unmap: [{tenant: kvs}]\n", `4:22: the linked program has no tenant "kvs"`},
		{"unknown register", "  - map: [{tenant: kv, extents: [{register: hots, base: 0, size: 1}]}]\n", `tenant kv has no virtual register "hots"`},
		{"no place", "  - map: [{tenant: kv, extents: [{base: 0, size: 1}]}]\n", "give either register or control and stage"},
		{"two places", "  - map: [{tenant: kv, extents: [{register: hot, stage: 1, base: 0, size: 1}]}]\n", "give either register or control and stage"},
		{"no stage array", "  - scrub: [{control: egress, stage: 0, from: 0, to: 1}]\n", "the linked program has no stage array egress/0"},
		{"no base", "  - map: [{tenant: kv, extents: [{register: hot, size: 1}]}]\n", `field "base" is missing`},
		{"outside", "  - scrub: [{control: ingress, stage: 0, from: 0, to: 16384}]\n", "slots 0 to 16384: ingress/0 has slots 0 to 16383"},
		{"upside down", "  - scrub: [{control: ingress, stage: 0, from: 9, to: 8}]\n", "slots 9 to 8"},
		{"whose", "  - scrub: [{register: hot, from: 9, to: 9}]\n", `whose register is "hot"?`},
		{"twice", "  - map: [{tenant: kv, extents: [{register: hot, size: 0}]}, {tenant: kv, extents: [{register: hot, size: 0}]}]\n", "mapped twice"},
		{"empty", "  - map: []\n", "4:10: the list is empty"},
		{"not a number", "  - scrub: [{control: ingress, stage: 0, from: a, to: 1}]\n", "want an integer, have a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSteps("s.yaml", stepsDocument(tt.steps), m)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "s.yaml:4:") {
				t.Errorf("have %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestStepsMatchSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(StepsSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("steps.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("steps.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("..", "testdata", "plans", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	m, _ := quickstart(t)
	for _, steps := range []string{"  []\n", "  - {wait: {}}\n", "  - {fence: {}, unmap: [{tenant: kv}]}\n", "  - map: [{tenant: kv, extents: [{base: 0, size: 1}]}]\n"} {
		var v any
		if err := yaml.Unmarshal(stepsDocument(steps), &v); err != nil {
			t.Fatal(err)
		}
		_, err := ParseSteps("s.yaml", stepsDocument(steps), m)
		if bySchema := schema.Validate(v); (bySchema == nil) != (err == nil) {
			t.Errorf("%q: schema says %v, reader says %v", steps, bySchema, err)
		}
	}
}

// What a map does not name stays, masks follow the register's kind, and generations follow the content.
func TestCompile(t *testing.T) {
	m, c := quickstart(t)
	pre, state := startState(t, m, c)
	steps, err := ParseSteps("s.yaml", stepsDocument("  - map: [{tenant: kv, extents: [{register: hot, base: 8192, size: 512}, {register: key_lo, size: 0, generation: 9}]}]\n"), m)
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Compile(state, steps, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Steps) != 1 || !in.Fenced || !strings.HasPrefix(in.Steps[0].Note, "s.yaml:4:") {
		t.Fatalf("steps %+v", in.Steps)
	}
	for _, x := range in.Goal {
		old := pre[Key{x.Control, x.VID}][x.Stage]
		want := plan.Extent{VID: x.VID, Control: x.Control, Stage: x.Stage, Base: old.Base, Size: old.Size, Mask: old.Mask, Generation: old.Generation}
		switch {
		case x.VID == 100 && x.Stage == 4:
			want.Base, want.Size, want.Mask, want.Generation = 8192, 512, 511, old.Generation+1
		case x.VID == 100 && x.Stage == 1:
			want.Base, want.Size, want.Mask, want.Generation = 0, 0, 0, 9
		}
		if x != want {
			t.Errorf("goal %+v, want %+v", x, want)
		}
	}
	gone, err := ParseSteps("s.yaml", stepsDocument("  - unmap: [{tenant: kv}]\n  - unmap: [{tenant: kv}]\n"), m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile(state, gone, true); err == nil || !strings.Contains(err.Error(), "s.yaml:5:5: there is nothing to unmap") {
		t.Errorf("have %v", err)
	}
}

func FuzzParseSteps(f *testing.F) {
	m, c := quickstart(f)
	_, state := startState(f, m, c)
	files, err := filepath.Glob(filepath.Join("..", "testdata", "plans", "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		steps, err := ParseSteps("s.yaml", b, m)
		if err != nil {
			return
		}
		if in, err := c.Compile(state, steps, false); (in == nil) == (err == nil) {
			t.Fatalf("plan %v, error %v", in, err)
		}
	})
}

func TestPlanFile(t *testing.T) {
	m, c := quickstart(t)
	_, state := startState(t, m, c)
	steps, err := LoadSteps(filepath.Join("..", "testdata", "plans", "reset.yaml"), m)
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Compile(state, steps, false)
	if err != nil {
		t.Fatal(err)
	}
	file, err := NewFile(c.Codec, in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.json")
	if err := file.Save(path); err != nil {
		t.Fatal(err)
	}
	codec := func(linked []byte) (*Codec, error) {
		if string(linked) != "linked" {
			return nil, fmt.Errorf("what is %q?", linked)
		}
		return c.Codec, nil
	}
	back, err := LoadPlan(path, codec)
	if err != nil {
		t.Fatal(err)
	}
	if back.Digest != file.Digest || len(back.Input.Steps) != len(in.Steps) {
		t.Errorf("have %s with %d steps", back.Digest, len(back.Input.Steps))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"insert kv (VID 100) in ingress/4: slots 5000..5255, mask 0xff, generation 1"`)) {
		t.Errorf("the words:\n%.3000s", text)
	}
	changes := []struct {
		name, old, new string
		changed        bool
	}{
		{"a byte of a step", `"bytes": "`, `"bytes": "AAAA`, true},
		{"a word", "slots 5000..5255", "slots 5000..5999", true},
		{"the digest", `"digest": "sha256:`, `"digest": "sha256:0`, true},
		{"the kind", `"kind": "Plan"`, `"kind": "Plans"`, false},
		{"an unknown field", `"kind": "Plan",`, `"kind": "Plan", "more": 1,`, false},
		{"the end", "\n}\n", "\n}\n{}", false},
		{"not base64", `"bytes": "`, `"bytes": "!`, false},
	}
	for _, tt := range changes {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(string(text), tt.old, tt.new, 1)
			if bad == string(text) {
				t.Fatal("nothing changed")
			}
			if _, err := ParsePlan([]byte(bad), codec); err == nil || errors.Is(err, ErrChanged) != tt.changed {
				t.Errorf("have %v", err)
			}
		})
	}
}

func TestTenantsOf(t *testing.T) {
	m, _ := quickstart(t)
	tenants, err := TenantsOf(m, map[string]Account{"kv": {Budget: 7}})
	if err != nil {
		t.Fatal(err)
	}
	kv := tenants[0]
	if kv.Name != "kv" || kv.Budget != 7 || kv.Target != 0.95 || len(kv.Ladder.Registers) != 5 || kv.Ladder.Rungs[0].Memory != 256 {
		t.Errorf("kv: %+v", kv)
	}
	if tenants[2].Ladder.Elastic() {
		t.Error("fw is elastic")
	}
	if c := CapacityOf(m); c[Array{specs.Ingress, 4}] != 16384 {
		t.Errorf("capacity %v", c)
	}
	m.Tenants[0].Target = "1.5"
	if _, err := TenantsOf(m, nil); err == nil {
		t.Error("target 1.5 was accepted")
	}
}

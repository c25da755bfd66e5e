package alloc

import (
	_ "embed"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// Version and kinds of the formats for plans.
const (
	APIVersion = "interlock/v1alpha1"
	KindSteps  = "PlanSteps"
	KindPlan   = "Plan"
)

// StepsSchema is the JSON Schema of a PlanSteps document.
//
//go:embed steps.schema.json
var StepsSchema []byte

// Steps is a hand-written plan: what to do, in order, in a tenant's own names. Nothing is added to it, reordered or left out, so it
// may well be a bad one; that is for the proof to say.
type Steps struct {
	file  string
	steps []handStep
}

// handStep has exactly one of its fields set.
type handStep struct {
	at    string // file:line:col
	fence bool
	maps  []handMap
	unmap []uint16
	scrub []Range
}

type handMap struct {
	vid     uint16
	extents []handExtent
}

type handExtent struct {
	array      Array
	base, size int64
	mask       uint32
	generation *uint16 // nil: what the extent's history asks for
}

// LoadSteps reads a PlanSteps document; names are those of the manifest. The error is a strictyaml.Errors with every problem.
func LoadSteps(path string, m *manifest.Manifest) (*Steps, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("plan steps: %w", err)
	}
	return ParseSteps(path, src, m)
}

// ParseSteps is LoadSteps for a text.
func ParseSteps(file string, src []byte, m *manifest.Manifest) (*Steps, error) {
	doc, root := strictyaml.ParseLarge(file, src)
	r := &stepsReader{m: m, file: file}
	top := root.Fields([]string{"apiVersion", "kind", "steps"}, "metadata")
	top["apiVersion"].OneOf(APIVersion)
	top["kind"].OneOf(KindSteps)
	top["metadata"].Fields(nil, "name", "description")
	out := &Steps{file: file}
	list := top["steps"].List()
	if top["steps"].Present() && len(list) == 0 {
		top["steps"].Errorf("no steps")
	}
	for _, n := range list {
		out.steps = append(out.steps, r.step(n))
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

type stepsReader struct {
	m    *manifest.Manifest
	file string
}

func (r *stepsReader) step(n strictyaml.Node) handStep {
	f := n.Fields(nil, "fence", "map", "unmap", "scrub")
	s := handStep{at: fmt.Sprintf("%s:%d:%d", r.file, n.Line(), n.Col())}
	if n.Present() && len(f) != 1 {
		n.Errorf("a step is one of fence, map, unmap and scrub; this has %d of them", len(f))
		return s
	}
	if f["fence"].Present() {
		f["fence"].Fields(nil)
		s.fence = true
	}
	for _, x := range nonEmpty(f["map"]) {
		g := x.Fields([]string{"tenant", "extents"})
		t := r.tenant(g["tenant"])
		hm := handMap{}
		for _, e := range nonEmpty(g["extents"]) {
			hm.extents = append(hm.extents, r.extent(e, t))
		}
		if t != nil {
			hm.vid = t.VID
			if slices.ContainsFunc(s.maps, func(o handMap) bool { return o.vid == t.VID }) {
				g["tenant"].Errorf("tenant %s is mapped twice in one step", t.Name)
			}
		}
		s.maps = append(s.maps, hm)
	}
	for _, x := range nonEmpty(f["unmap"]) {
		if t := r.tenant(x.Fields([]string{"tenant"})["tenant"]); t != nil {
			s.unmap = append(s.unmap, t.VID)
		}
	}
	for _, x := range nonEmpty(f["scrub"]) {
		g := x.Fields([]string{"from", "to"}, "tenant", "register", "control", "stage")
		a := r.array(x, g, r.tenant(g["tenant"]))
		lo, hi := g["from"].Int(0, math.MaxInt32), g["to"].Int(0, math.MaxInt32)
		slots := r.slots(a)
		if lo > hi || slots > 0 && hi >= slots {
			x.Errorf("slots %d to %d: %v has slots 0 to %d", lo, hi, a, slots-1)
		}
		s.scrub = append(s.scrub, Range{a, lo, hi + 1})
	}
	return s
}

func nonEmpty(n strictyaml.Node) []strictyaml.Node {
	l := n.List()
	if n.Present() && len(l) == 0 {
		n.Errorf("the list is empty")
	}
	return l
}

func (r *stepsReader) tenant(n strictyaml.Node) *manifest.Tenant {
	name := n.String()
	if name == "" {
		return nil
	}
	t := r.m.Tenant(name)
	if t == nil {
		n.Errorf("the linked program has no tenant %q", name)
	}
	return t
}

// array is the stage array meant by tenant and register, or by control and stage.
func (r *stepsReader) array(n strictyaml.Node, f map[string]strictyaml.Node, t *manifest.Tenant) Array {
	if f["register"].Present() == (f["control"].Present() || f["stage"].Present()) {
		n.Errorf("give either register or control and stage")
		return Array{}
	}
	if f["register"].Present() {
		name := f["register"].String()
		if t == nil {
			if !f["tenant"].Present() {
				n.Errorf("whose register is %q? field %q is missing", name, "tenant")
			}
			return Array{}
		}
		for _, v := range t.Registers {
			if v.Name == name {
				return Array{v.Control, v.Stage}
			}
		}
		f["register"].Errorf("tenant %s has no virtual register %q", t.Name, name)
		return Array{}
	}
	a := Array{specs.Control(f["control"].OneOf(string(specs.Ingress), string(specs.Egress))), int(f["stage"].Int(0, 255))}
	if a.Control == "" {
		n.Errorf("field %q is missing", "control")
	} else if r.slots(a) == 0 {
		n.Errorf("the linked program has no stage array %v", a)
	}
	return a
}

func (r *stepsReader) slots(a Array) int64 {
	for _, s := range r.m.StageArrays {
		if s.Control == a.Control && s.Stage == a.Stage {
			return s.Slots
		}
	}
	return 0
}

func (r *stepsReader) extent(n strictyaml.Node, t *manifest.Tenant) handExtent {
	f := n.Fields([]string{"size"}, "register", "control", "stage", "base", "mask", "generation")
	e := handExtent{array: r.array(n, f, t)}
	e.size = f["size"].Int(0, 1<<specs.SizeBits-1)
	e.base = f["base"].Int(0, 1<<specs.BaseBits-1)
	if e.size > 0 && !f["base"].Present() {
		n.Errorf("field %q is missing", "base")
	}
	fold := false
	if t != nil {
		for _, v := range t.Registers {
			fold = fold || v.Fold && v.Control == e.array.Control && v.Stage == e.array.Stage
		}
	}
	e.mask = maskOf(fold, e.size)
	if f["mask"].Present() {
		e.mask = uint32(f["mask"].Int(0, math.MaxUint32))
	}
	if f["generation"].Present() {
		g := uint16(f["generation"].Int(0, 1<<specs.GenerationBits-1))
		e.generation = &g
	}
	return e
}

// Compile makes a plan of the steps. Its goal is where they lead. An extent that a step does not name stays as it is; a generation that
// is not given is the one that M5 asks for.
func (c *Context) Compile(preState []byte, s *Steps, fenced bool) (*plan.Input, error) {
	pre, err := c.Codec.Decode(preState)
	if err != nil {
		return nil, err
	}
	_, end, err := c.ops(pre, pre, s) // generations aside
	if err != nil {
		return nil, err
	}
	for k, e := range end {
		e = slices.Clone(e)
		for i := range e {
			var old Mapping
			if o := pre[k]; o != nil {
				old = o[i]
			}
			e[i].Generation = after(old, Extent{e[i].Base, e[i].Size}, 0).Generation
		}
		end[k] = e
	}
	ops, goal, err := c.ops(pre, end, s)
	if err != nil {
		return nil, err
	}
	steps, _, err := c.assemble(pre, ops)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	in := c.input(preState, fenced, steps)
	in.Goal = goal.extents()
	return in, nil
}

// ops follows the steps through the tables; generations that are not given are those of end.
func (c *Context) ops(pre, end Tables, s *Steps) ([]Op, Tables, error) {
	now := pre.Clone()
	var ops []Op
	for _, h := range s.steps {
		op := Op{Fence: h.fence, Scrub: union(h.scrub), Note: h.at}
		if len(h.maps) > 0 {
			op.Map = Tables{}
		}
		for _, m := range h.maps {
			for _, x := range m.extents {
				k := Key{x.array.Control, m.vid}
				e := op.Map[k]
				if e == nil {
					if e = slices.Clone(now[k]); e == nil {
						e = make(Entry, c.Codec.Stages(k.Control))
					}
				}
				if x.array.Stage >= len(e) {
					return nil, nil, fmt.Errorf("%s: the linked program has no stage array %v", h.at, x.array)
				}
				next := Mapping{Base: x.base, Size: x.size, Mask: x.mask}
				if g := end[k]; g != nil {
					next.Generation = g[x.array.Stage].Generation
				}
				if x.generation != nil {
					next.Generation = *x.generation
				}
				e[x.array.Stage] = next
				op.Map[k] = e
			}
		}
		for k, e := range op.Map {
			now[k] = e
		}
		for _, v := range h.unmap {
			for _, k := range now.Keys() {
				if k.VID == v {
					op.Unmap = append(op.Unmap, k)
					delete(now, k)
				}
			}
		}
		if len(h.unmap) > 0 && len(op.Unmap) == 0 {
			return nil, nil, fmt.Errorf("%s: there is nothing to unmap", h.at)
		}
		ops = append(ops, op)
	}
	return ops, now, nil
}

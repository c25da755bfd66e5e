package resources

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// Layout is where the model puts a program on a target's stages, which ingress and egress share: each step as early as what it
// reads and what is free allow, in the order of the text. It is a measure of who takes how much of which stage, not a compiler's placement.
type Layout struct {
	// Stages has what stands in each of the target's stages. What no stage has room for stands in the last one, which then has more than
	// the target's.
	Stages []Usage
	// Tenants has each tenant's part.
	Tenants map[string]Part
}

// Part is what a tenant takes of a linked program's layout: all that stands in its namespace, and whatever else runs for its packets
// alone, such as the copying behind the dispatch to it. What several tenants' code uses counts for each of them, in full. Stage arrays
// are nobody's here: their slots are shared out while the switch runs.
type Part struct {
	Total  Usage
	Stages []Usage
}

// Lay puts a linked program of these tenants on a target.
func Lay(info *types.Info, target *Target, tenants []string) *Layout {
	l := lay(info, target, tenants)
	out := &Layout{Stages: l.stages, Tenants: map[string]Part{}}
	_, own := phv(info)
	for _, t := range tenants {
		p := Part{Total: Usage{PHV: own[t]}, Stages: l.parts[t]}
		for _, r := range perStage {
			for _, u := range p.Stages {
				p.Total[r] += u[r]
			}
			p.Total[r] += 0 // every resource is named
		}
		out.Tenants[t] = p
	}
	return out
}

// StageName is what policies call resource r of one stage, from 0.
func StageName(r string, stage int) string { return fmt.Sprintf("%s/%d", r, stage) }

// Shared is what sharing policies are asked about: what the target has, and the tenants' parts of it. byStage adds every stage by itself, up to
// the last in which something stands. The number of stages is not shared out: tenants' code stands side by side in the same ones, so each may
// have as many as the target.
func (l *Layout) Shared(target *Target, byStage bool) (capacity Usage, parts map[string]Usage) {
	used := 0
	for i, s := range l.Stages {
		if byStage && len(s) > 0 {
			used = i + 1
		}
	}
	parts = map[string]Usage{}
	for t, p := range l.Tenants {
		parts[t] = maps.Clone(p.Total)
		name(parts[t], p.Stages[:used])
	}
	return target.Shared(used), parts
}

// Shared is what the target has that is shared out, in total and in each of its first stages by itself.
func (t *Target) Shared(stages int) Usage {
	out := maps.Clone(t.Capacity)
	delete(out, Stages)
	name(out, slices.Repeat([]Usage{t.perStage}, stages))
	return out
}

// Over names what no stage of the target had room for: see Stages.
func (l *Layout) Over(target *Target) (over []string) {
	for i, s := range l.Stages {
		for _, r := range s.Exceeds(target.perStage) {
			over = append(over, fmt.Sprintf("%s %d of %d", StageName(r, i), s[r], target.perStage[r]))
		}
	}
	return over
}

// name adds what each stage has to u, as StageName calls it.
func name(u Usage, stages []Usage) {
	for i, s := range stages {
		for _, r := range perStage {
			u[StageName(r, i)] = s[r]
		}
	}
}

// layout is a Layout in the making. Without a target there is as much as anybody needs of everything, in every stage.
type layout struct {
	info    *types.Info
	target  *Target
	tenants []string
	locals  map[syntax.Decl]*syntax.ControlDecl // where what is declared in a control stands
	stages  []Usage
	parts   map[string][]Usage
	deepest int
	placed  map[syntax.Node][]spot
	charged map[charge]bool
}

// spot is a part of a need in a stage.
type spot struct {
	stage int
	usage Usage
}

type charge struct {
	what   syntax.Node
	tenant string
}

func lay(info *types.Info, target *Target, tenants []string) *layout {
	l := &layout{info: info, target: target, tenants: tenants, parts: map[string][]Usage{}, placed: map[syntax.Node][]spot{}, charged: map[charge]bool{}}
	stages := 1
	if target != nil {
		stages = int(target.Capacity[Stages])
	}
	l.grow(stages)
	l.locals = map[syntax.Decl]*syntax.ControlDecl{}
	for _, o := range info.Defs {
		if c, ok := o.Decl.(*syntax.ControlDecl); ok {
			for _, d := range c.Locals {
				l.locals[d] = c
			}
		}
	}
	for _, a := range info.MainArgs {
		if c, ok := a.Decl.(*syntax.ControlDecl); ok && (a.Param == "ig" || a.Param == "eg") {
			l.deepest = max(l.deepest, depth(l, c))
		}
	}
	l.unused()
	return l
}

func (l *layout) grow(n int) {
	for len(l.stages) < n {
		l.stages = append(l.stages, Usage{})
	}
	for _, t := range l.tenants {
		for len(l.parts[t]) < n {
			l.parts[t] = append(l.parts[t], Usage{})
		}
	}
}

// usage is the program's in total.
func (l *layout) usage() Usage {
	u := Usage{Stages: int64(l.deepest)}
	u[PHV], _ = phv(l.info)
	for _, r := range perStage {
		for _, s := range l.stages {
			u[r] += s[r]
		}
		u[r] += 0 // every resource is named
	}
	return u
}

// unused places the registers and counters that no step uses: a switch has them all the same.
func (l *layout) unused() {
	var decls []syntax.Decl
	for d := range l.info.Instances {
		decls = append(decls, d)
	}
	slices.SortFunc(decls, func(a, b syntax.Decl) int {
		p, q := a.Pos(), b.Pos()
		return cmp.Or(strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
	})
	for _, d := range decls {
		if n, ok := l.memory(d); ok && l.placed[d] == nil {
			l.put(0, "", n)
		}
	}
}

// ownerOf is the tenant in whose namespace a top-level name is, or empty.
func ownerOf(name string, tenants []string) string {
	for _, t := range tenants {
		if strings.HasPrefix(name, specs.TenantPrefix(t)) {
			return t
		}
	}
	return ""
}

// namespace is the tenant that n, or the control around it, is named after, or empty.
func (l *layout) namespace(n need) string {
	if d, ok := n.what.(syntax.Decl); ok {
		if c := l.locals[d]; c != nil {
			return ownerOf(c.Name.Name, l.tenants)
		}
	}
	return ownerOf(n.named, l.tenants)
}

// put places what a step needs, beside what of it stands somewhere already, in the first stage from from on that has room for all that
// cannot be split; memory goes on in the stages after it. It returns the last stage in which something of the step stands, and charges
// owner, and whoever's namespace a thing is in.
func (l *layout) put(from int, owner string, needs ...need) int {
	fresh := Usage{}
	seen := map[syntax.Node]bool{}
	for _, n := range needs {
		if l.placed[n.what] == nil && !seen[n.what] {
			seen[n.what] = true
			for r, x := range n.usage {
				fresh[r] += x
			}
		}
	}
	stage := l.room(from, fresh)
	last := stage
	for _, n := range needs {
		if l.placed[n.what] == nil {
			l.placed[n.what] = l.pour(stage, n.usage)
		}
		for _, s := range l.placed[n.what] {
			last = max(last, s.stage)
		}
		l.charge(n, owner)
		l.charge(n, l.namespace(n))
	}
	return last
}

// room is the first stage from from on that has all that cannot be split of u.
func (l *layout) room(from int, u Usage) int {
	if l.target == nil {
		return from
	}
	for s := from; s < len(l.stages); s++ {
		fits := true
		for r, x := range u {
			has := l.target.perStage[r]
			if r != SRAM && r != TCAM && x <= has && l.stages[s][r]+x > has {
				fits = false
			}
		}
		if fits {
			return s
		}
	}
	return max(from, len(l.stages)-1)
}

// pour places u in stage and, where that is full, in those after it. Stages that the target does not have count as its last.
func (l *layout) pour(stage int, u Usage) []spot {
	if l.target == nil {
		l.grow(stage + 1)
	}
	out := []spot{}
	last := len(l.stages) - 1
	for _, r := range slices.Sorted(maps.Keys(u)) {
		left := u[r]
		for s := min(stage, last); left > 0; s++ {
			n := left
			if l.target != nil && s < last {
				n = min(n, max(l.target.perStage[r]-l.stages[s][r], 0))
			}
			if n > 0 {
				l.stages[s][r] += n
				out = append(out, spot{s, Usage{r: n}})
				left -= n
			}
		}
	}
	return out
}

// charge counts n among a tenant's, once. Stage arrays are nobody's.
func (l *layout) charge(n need, tenant string) {
	k := charge{n.what, tenant}
	if tenant == "" || l.charged[k] || l.isStageArray(n) {
		return
	}
	l.charged[k] = true
	for _, s := range l.placed[n.what] {
		for r, x := range s.usage {
			l.parts[tenant][s.stage][r] += x
		}
	}
}

// isStageArray says that n is an array of which tenants have extents.
func (l *layout) isStageArray(n need) bool {
	d, ok := n.what.(*syntax.InstanceDecl)
	return ok && l.locals[d] == nil && strings.HasPrefix(n.named, specs.StageArrayPrefix)
}

// Package resources models what a program uses of a pipeline and what a target has. The model is simple and the same for every
// program: it is meant to share a pipeline among tenants by one measure, not to predict a compiler's placement. Its units are those
// of published RMT pipelines; where it approximates, it says so at the place.
package resources

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"path"
	"sort"
	"strings"

	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
)

// Names of resources, as in targets, resources.json and policies: totals over the pipeline. Those of one stage are StageName's.
const (
	Stages          = "stages"               // the longest chain of dependent steps in a control
	SRAM            = "sramBlocks"           // blocks of 1024 words of 128 bits
	TCAM            = "tcamBlocks"           // blocks of 512 entries of 44 bits
	ExactCrossbar   = "exactCrossbarBytes"   // key bytes of exact tables, and of hashes
	TernaryCrossbar = "ternaryCrossbarBytes" // key bytes of ternary, lpm, range and optional keys
	HashBits        = "hashBits"
	ActionUnits     = "actionUnits" // actions
	Gateways        = "gateways"    // conditions
	PHV             = "phvContainers"
)

// perStage are the resources that a target has by stage.
var perStage = []string{SRAM, TCAM, ExactCrossbar, TernaryCrossbar, HashBits, ActionUnits, Gateways}

//go:embed targets/*.yaml
var targets embed.FS

// Target is what a switch has.
type Target struct {
	Name               string
	Capacity           Usage
	Slots              int64 // of a stage array, at most
	ConditionalActions bool  // an action may access a register under a condition
	// Parser is how far the parser gets with one packet; zero in profiles from before it was declared.
	Parser specs.ParserBound

	perStage Usage // of Capacity, what each stage has
}

// Usage is an amount of each resource.
type Usage map[string]int64

// Load returns a target profile by its name.
func Load(name string) (*Target, error) {
	src, err := Profile(name)
	if err != nil {
		return nil, err
	}
	return Parse("targets/"+name+".yaml", src)
}

// Profile is the text of a target profile.
func Profile(name string) ([]byte, error) {
	src, err := targets.ReadFile("targets/" + name + ".yaml")
	if err != nil || strings.ContainsAny(name, "/.") {
		return nil, fmt.Errorf("there is no target %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return src, nil
}

// Names are the known target profiles.
func Names() []string {
	files, err := fs.Glob(targets, "targets/*.yaml")
	if err != nil {
		return nil
	}
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	sort.Strings(out)
	return out
}

// Parse reads a target profile.
func Parse(file string, src []byte) (*Target, error) {
	doc, root := strictyaml.Parse(file, src)
	f := root.Fields([]string{"apiVersion", "kind", "metadata", "stages", "perStage", "phvContainers", "slots", "conditionalActions"}, "parser")
	f["apiVersion"].OneOf("interlock/v1alpha1")
	f["kind"].OneOf("Target")
	t := &Target{
		Name:               f["metadata"].Fields([]string{"name", "description"})["name"].String(),
		Slots:              f["slots"].Int(1, 1<<24-1),
		ConditionalActions: f["conditionalActions"].Bool(),
		Capacity:           Usage{},
		perStage:           Usage{},
	}
	stages := f["stages"].Int(1, 1024)
	t.Capacity[Stages] = stages
	t.Capacity[PHV] = f["phvContainers"].Int(1, math.MaxInt32)
	for r, n := range f["perStage"].Fields(perStage) {
		t.perStage[r] = n.Int(1, math.MaxInt32)
		t.Capacity[r] = stages * t.perStage[r]
	}
	if p := f["parser"]; p.Present() {
		pf := p.Fields([]string{"states", "bytes"})
		t.Parser = specs.ParserBound{States: int(pf["states"].Int(1, math.MaxUint16)), Bytes: int(pf["bytes"].Int(1, math.MaxUint16))}
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return t, nil
}

// Exceeds lists the resources of which u has more than limit, by name.
func (u Usage) Exceeds(limit Usage) []string {
	var out []string
	for r, n := range u {
		if n > limit[r] {
			out = append(out, r)
		}
	}
	sort.Strings(out)
	return out
}

// Package manifest is the format of manifest.json, which the linker writes beside linked.p4: who the tenants are, where their
// virtual registers lie and how names map both ways. It helps planners and people; no proof rests on it.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/interlock/interlock/specs"
)

// Version and kind of the format.
const (
	APIVersion = "interlock/v1alpha1"
	Kind       = "Manifest"
)

// Manifest describes one linked program.
type Manifest struct {
	APIVersion  string       `json:"apiVersion"`
	Kind        string       `json:"kind"`
	Site        string       `json:"site"`   // the site's name
	Switch      string       `json:"switch"` // the switch's name in the site
	Target      string       `json:"target"` // profile name
	Digests     Digests      `json:"digests"`
	StageArrays []StageArray `json:"stageArrays"`
	Tenants     []Tenant     `json:"tenants"`
}

// Digests are "sha256:..." of the texts that belong together.
type Digests struct {
	Linked string `json:"linked"` // linked.p4
	P4Info string `json:"p4info"` // linked.p4info.txtpb
	Site   string `json:"site"`
	Policy string `json:"policy"`
}

// StageArray is the one big register array of a stage.
type StageArray struct {
	Control specs.Control `json:"control"`
	Stage   int           `json:"stage"`
	Slots   int64         `json:"slots"`
	Width   int           `json:"width"` // bits of a slot
}

// Tenant of the linked program.
type Tenant struct {
	Name    string `json:"name"`
	VID     uint16 `json:"vid"`
	Program string `json:"program"` // path as in the site
	Source  string `json:"source"`  // digest of the program's text
	// Names maps the tenant's own qualified object names to those in the linked program's P4Info.
	Names     map[string]string `json:"names"`
	Registers []VirtualRegister `json:"registers"`
	Ports     map[uint16]uint16 `json:"ports"` // virtual: physical
	Addresses map[string]string `json:"addresses,omitempty"`
	Usage     map[string]int64  `json:"usage"`       // resource: amount, as in resources.json
	Grant     map[string]int64  `json:"entitlement"` // resource: amount that the policy entitles to
	Weight    int64             `json:"weight"`
	Target    string            `json:"utilityTarget"` // a decimal in [0,1]
}

// VirtualRegister is a register of a tenant's program, behind the page table.
type VirtualRegister struct {
	Name    string        `json:"name"` // the tenant's own name for it
	Control specs.Control `json:"control"`
	Stage   int           `json:"stage"`
	Width   int           `json:"width"`    // bits of an element, at most the stage array's
	Size    int64         `json:"declared"` // elements, as declared
	Elastic bool          `json:"elastic"`
	Fold    bool          `json:"fold"` // hash-indexed: sizes are powers of two
	// Group tells elastic registers of one tenant apart: those of one group (by default, all) always have one size, since their
	// program uses one index for all of them.
	Group string `json:"group,omitempty"`
	Min   int64  `json:"min"` // slots; equal to Max for an inelastic one
	Max   int64  `json:"max"`
}

// Load reads a manifest and checks its version and kind.
func Load(path string) (*Manifest, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	err = dec.Decode(&m)
	if err == nil && dec.More() {
		err = errors.New("more follows after the manifest")
	}
	if err != nil {
		line := 1 + bytes.Count(b[:dec.InputOffset()], []byte("\n"))
		return nil, fmt.Errorf("%s:%d: %w", path, line, err)
	}
	if m.APIVersion != APIVersion || m.Kind != Kind {
		return nil, fmt.Errorf("%s: want %s %s, have %q %q", path, APIVersion, Kind, m.APIVersion, m.Kind)
	}
	return &m, nil
}

// Tenant returns the tenant of that name, or nil.
func (m *Manifest) Tenant(name string) *Tenant {
	for i := range m.Tenants {
		if m.Tenants[i].Name == name {
			return &m.Tenants[i]
		}
	}
	return nil
}

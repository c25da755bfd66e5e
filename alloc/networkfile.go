package alloc

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
)

// KindNetworkPlan is the kind of a saved network plan.
const KindNetworkPlan = "NetworkPlan"

// NetworkFile is a saved network plan: the input of its proof, with its digest, and in words what each switch does. As in File, bytes rule.
type NetworkFile struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Digest     verify.Digest  `json:"digest"` // of Input's JSON
	Switches   []SwitchText   `json:"switches"`
	Input      *network.Input `json:"input"`
}

// SwitchText says in words what the plan of one switch does.
type SwitchText struct {
	Switch string     `json:"switch"`
	Steps  []StepText `json:"steps"`
}

// NewNetworkFile wraps a network plan for saving. codec returns that of a linked program, by its text.
func NewNetworkFile(in *network.Input, codec func(linked []byte) (*Codec, error)) (*NetworkFile, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	f := &NetworkFile{APIVersion: APIVersion, Kind: KindNetworkPlan, Digest: verify.DigestOf(b), Input: in}
	for _, p := range in.Plans {
		c, err := codec(p.Linked)
		if err != nil {
			return nil, fmt.Errorf("switch %s: %w", p.Switch, err)
		}
		steps, err := Describe(c, p)
		if err != nil {
			return nil, fmt.Errorf("switch %s: %w", p.Switch, err)
		}
		f.Switches = append(f.Switches, SwitchText{p.Switch, steps})
	}
	return f, nil
}

// Save writes the file, replacing it as a whole.
func (f *NetworkFile) Save(path string) error { return save(path, f) }

// LoadNetworkPlan reads a saved network plan, as LoadPlan reads a plan.
func LoadNetworkPlan(path string, codec func(linked []byte) (*Codec, error)) (*NetworkFile, error) {
	b, err := readAtMost(path, MaxPlanFile)
	if err != nil {
		return nil, err
	}
	f, err := ParseNetworkPlan(b, codec)
	return f, inFile(path, err)
}

// ParseNetworkPlan is LoadNetworkPlan for a text.
func ParseNetworkPlan(b []byte, codec func(linked []byte) (*Codec, error)) (*NetworkFile, error) {
	var f NetworkFile
	if err := decodeStrictly(b, &f); err != nil {
		return nil, err
	}
	if f.APIVersion != APIVersion || f.Kind != KindNetworkPlan {
		return nil, fmt.Errorf("want %s %s, have %q %q", APIVersion, KindNetworkPlan, f.APIVersion, f.Kind)
	}
	if f.Input == nil || slices.Contains(f.Input.Plans, nil) {
		return nil, fmt.Errorf(`field "input" is missing, or a plan in it`)
	}
	want, err := NewNetworkFile(f.Input, codec)
	if err != nil {
		return nil, err
	}
	if want.Digest != f.Digest {
		return nil, fmt.Errorf("%w: its digest is %s, the file says %s", ErrChanged, want.Digest, f.Digest)
	}
	same := slices.EqualFunc(want.Switches, f.Switches, func(a, b SwitchText) bool {
		return a.Switch == b.Switch && slices.EqualFunc(a.Steps, b.Steps, func(x, y StepText) bool {
			return x.Step == y.Step && x.Note == y.Note && slices.Equal(x.Does, y.Does)
		})
	})
	if !same {
		return nil, fmt.Errorf("%w: its words are not those of its bytes", ErrChanged)
	}
	return &f, nil
}

// KindOf says of what kind a saved plan is, without looking at the rest of it; "" if that cannot be told.
func KindOf(path string) string {
	var head struct {
		Kind string `json:"kind"`
	}
	if b, err := readAtMost(path, MaxPlanFile); err != nil || json.Unmarshal(b, &head) != nil {
		return ""
	}
	return head.Kind
}

package network

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

// Input is everything that a proof about a network plan rests on, and nothing else.
type Input struct {
	Site string `json:"site"`
	// Plans are those of the switches that can be reached, each with a name of its own; one without steps does nothing.
	Plans  []*plan.Input `json:"plans"`
	Rounds []Round       `json:"rounds"`
	// Absent are the switches that cannot be reached.
	Absent []Absent `json:"absent,omitempty"`
	// Ceilings are what the policy lets a tenant have over the whole network. A tenant without one may have nothing more than it has.
	Ceilings []Ceiling `json:"ceilings"`
	Policy   string    `json:"policy"` // digest of the policy and its input for the whole network
}

// Round is what goes on side by side: a number of the next steps of some switches.
type Round []Part

// Part of a round.
type Part struct {
	Switch string `json:"switch"`
	Steps  int    `json:"steps"`
}

// Absent is a switch that cannot be reached, with the most that tenants may have there.
type Absent struct {
	Switch string    `json:"switch"`
	Holds  []Holding `json:"holds"`
}

// Holding is slots of a tenant, over all stage arrays.
type Holding struct {
	VID   uint16 `json:"vid"`
	Slots int64  `json:"slots"`
}

// Ceiling is the most slots that a tenant may have over the whole network, in all stage arrays together.
type Ceiling struct {
	VID   uint16 `json:"vid"`
	Slots int64  `json:"slots"`
}

// InputError says that a network plan cannot be judged because it is not clear what it does.
type InputError struct{ Err error }

func (e *InputError) Error() string { return "network plan: " + e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

func inputf(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// check refuses what does not say clearly which step is carried out when.
func (in *Input) check() error {
	left, absent := map[string]int{}, map[string]bool{}
	for _, p := range in.Plans {
		if p == nil || p.Switch == "" {
			return inputf("a plan without a switch")
		}
		if _, dup := left[p.Switch]; dup {
			return inputf("two plans for switch %s", p.Switch)
		}
		left[p.Switch] = len(p.Steps)
	}
	for _, a := range in.Absent {
		if _, present := left[a.Switch]; present || absent[a.Switch] || a.Switch == "" {
			return inputf("switch %q is absent, and is there or absent already", a.Switch)
		}
		absent[a.Switch] = true
		seen := map[uint16]bool{}
		for _, h := range a.Holds {
			if seen[h.VID] || h.Slots < 0 {
				return inputf("VID %d holds %d slots on absent switch %s, or is named there twice", h.VID, h.Slots, a.Switch)
			}
			seen[h.VID] = true
		}
	}
	for i, r := range in.Rounds {
		seen := map[string]bool{}
		if len(r) == 0 {
			return inputf("round %d is empty", i+1)
		}
		for _, p := range r {
			n, known := left[p.Switch]
			switch {
			case !known || seen[p.Switch]:
				return inputf("round %d: there is no plan for switch %q, or it is in the round twice", i+1, p.Switch)
			case p.Steps < 1 || p.Steps > n:
				return inputf("round %d: %d steps on switch %s, which has %d left", i+1, p.Steps, p.Switch, n)
			}
			seen[p.Switch], left[p.Switch] = true, n-p.Steps
		}
	}
	for _, p := range in.Plans {
		if n := left[p.Switch]; n > 0 {
			return inputf("%d steps on switch %s are in no round", n, p.Switch)
		}
	}
	seen := map[uint16]bool{}
	for _, c := range in.Ceilings {
		if seen[c.VID] || c.Slots < 0 {
			return inputf("VID %d has ceiling %d, or has two", c.VID, c.Slots)
		}
		seen[c.VID] = true
	}
	return nil
}

// SubjectKind is the kind of a network plan's verify.Subject.
const SubjectKind = "network"

// inputNetwork is the recorded input with everything of Input but the plans; each plan's are there under its switch's name.
const inputNetwork = "network.json"

// recorded is Input without the plans' content.
type recorded struct {
	Input
	Switches []string `json:"switches"` // whose plans they are, in order
}

// Subject is what a certificate of in speaks of. The inputs of a switch's plan are SWITCH/linked.p4 and so on, so that the log stores
// each of them once, however many proofs speak of it.
func (in *Input) Subject() (verify.Subject, error) {
	rest := recorded{Input: *in}
	rest.Plans = nil
	s := verify.Subject{
		Kind: SubjectKind, Name: fmt.Sprintf("network plan of %d rounds for %s", len(in.Rounds), switches(in.Plans)),
		Inputs: map[string][]byte{},
	}
	for _, p := range in.Plans {
		rest.Switches = append(rest.Switches, p.Switch)
		one, err := p.Subject()
		if err != nil {
			return s, err
		}
		for name, b := range one.Inputs {
			s.Inputs[p.Switch+"/"+name] = b
		}
	}
	b, err := json.Marshal(&rest)
	s.Inputs[inputNetwork] = b
	return s, err
}

func switches(plans []*plan.Input) string {
	var names []string
	for _, p := range plans {
		names = append(names, p.Switch)
	}
	return strings.Join(names, ", ")
}

// FromInputs rebuilds the Input from recorded inputs.
func FromInputs(inputs map[string][]byte) (*Input, error) {
	var r recorded
	if err := verify.StrictJSON(inputs[inputNetwork], &r); err != nil {
		return nil, fmt.Errorf("%s: %w", inputNetwork, err)
	}
	if r.Plans != nil {
		return nil, fmt.Errorf("%s repeats other inputs", inputNetwork)
	}
	in, used := r.Input, 1
	for _, name := range r.Switches {
		one := map[string][]byte{}
		for path, b := range inputs {
			if rest, ok := strings.CutPrefix(path, name+"/"); ok {
				one[rest] = b
			}
		}
		p, err := plan.FromInputs(one)
		if err != nil {
			return nil, fmt.Errorf("switch %s: %w", name, err)
		}
		if p.Switch != name {
			return nil, fmt.Errorf("the plan of switch %s is for switch %s", name, p.Switch)
		}
		in.Plans, used = append(in.Plans, p), used+len(one)
	}
	if used != len(inputs) {
		return nil, fmt.Errorf("%d inputs, want %d", len(inputs), used)
	}
	return &in, nil
}

// Plan is that of a switch, or nil.
func (in *Input) Plan(name string) *plan.Input {
	if i := slices.IndexFunc(in.Plans, func(p *plan.Input) bool { return p.Switch == name }); i >= 0 {
		return in.Plans[i]
	}
	return nil
}

package plan

import (
	"encoding/json"
	"fmt"

	"github.com/interlock/interlock/verify"
)

// SubjectKind is the kind of a plan's verify.Subject.
const SubjectKind = "plan"

// Names of a plan's recorded inputs.
const (
	inputLinked   = "linked.p4"
	inputPreState = "prestate.bin" // a serialised p4.v1.ReadResponse
	inputPlan     = "plan.json"    // everything else of Input
)

// Subject is what a certificate of in speaks of. The program and the pre-state are inputs of their own, so that the log stores
// each of them once.
func (in *Input) Subject() (verify.Subject, error) {
	rest := *in
	rest.Linked, rest.PreState = nil, nil
	b, err := json.Marshal(&rest)
	if err != nil {
		return verify.Subject{}, err
	}
	return verify.Subject{
		Kind: SubjectKind, Name: fmt.Sprintf("plan of %d steps for switch %s", len(in.Steps), in.Switch),
		Inputs: map[string][]byte{inputLinked: in.Linked, inputPreState: in.PreState, inputPlan: b},
	}, nil
}

// FromInputs rebuilds the Input from recorded inputs.
func FromInputs(inputs map[string][]byte) (*Input, error) {
	for _, name := range []string{inputLinked, inputPreState, inputPlan} {
		if _, ok := inputs[name]; !ok {
			return nil, fmt.Errorf("input %s is missing", name)
		}
	}
	if len(inputs) != 3 {
		return nil, fmt.Errorf("%d inputs, want 3", len(inputs))
	}
	var in Input
	if err := verify.StrictJSON(inputs[inputPlan], &in); err != nil {
		return nil, fmt.Errorf("%s: %w", inputPlan, err)
	}
	if in.Linked != nil || in.PreState != nil {
		return nil, fmt.Errorf("%s repeats another input", inputPlan)
	}
	in.Linked, in.PreState = inputs[inputLinked], inputs[inputPreState]
	return &in, nil
}

package program

import (
	"encoding/json"
	"fmt"

	"github.com/interlock/interlock/verify"
)

// SubjectKind is the kind of a linked program's verify.Subject.
const SubjectKind = "program"

// Names of a linked program's recorded inputs.
const (
	inputLinked  = "linked.p4"
	inputTenants = "tenants.json"
)

// Subject is what a certificate of in speaks of.
func (in *Input) Subject() (verify.Subject, error) {
	b, err := json.Marshal(in.Tenants)
	if err != nil {
		return verify.Subject{}, err
	}
	return verify.Subject{
		Kind: SubjectKind, Name: fmt.Sprintf("linked program of %d tenants", len(in.Tenants)),
		Inputs: map[string][]byte{inputLinked: in.Linked, inputTenants: b},
	}, nil
}

// FromInputs rebuilds the Input from recorded inputs.
func FromInputs(inputs map[string][]byte) (*Input, error) {
	linked, ok := inputs[inputLinked]
	tenants, ok2 := inputs[inputTenants]
	if !ok || !ok2 || len(inputs) != 2 {
		return nil, fmt.Errorf("want the inputs %s and %s", inputLinked, inputTenants)
	}
	in := Input{Linked: linked}
	if err := verify.StrictJSON(tenants, &in.Tenants); err != nil {
		return nil, fmt.Errorf("%s: %w", inputTenants, err)
	}
	return &in, nil
}

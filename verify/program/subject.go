package program

import (
	"encoding/json"
	"fmt"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// SubjectKind is the kind of a linked program's verify.Subject.
const SubjectKind = "program"

// Names of a linked program's recorded inputs.
const (
	inputLinked  = "linked.p4"
	inputTenants = "tenants.json"
	inputParser  = "parser.json"    // the target's bound; not in entries of before program/3
	inputOwners  = "ownership.json" // with P4InfoName and the tenants' programs; not in entries of before program/5
)

// Subject is what a certificate of in speaks of.
func (in *Input) Subject() (verify.Subject, error) {
	b, err := json.Marshal(in.Tenants)
	if err != nil {
		return verify.Subject{}, err
	}
	s := verify.Subject{
		Kind: SubjectKind, Name: fmt.Sprintf("linked program of %d tenants", len(in.Tenants)),
		Inputs: map[string][]byte{inputLinked: in.Linked, inputTenants: b},
	}
	if in.Parser != (specs.ParserBound{}) {
		if s.Inputs[inputParser], err = json.Marshal(in.Parser); err != nil {
			return verify.Subject{}, err
		}
	}
	if in.P4Info != nil {
		s.Inputs[P4InfoName] = in.P4Info
	}
	if in.Ownership != nil {
		s.Inputs[inputOwners] = in.Ownership
	}
	for tenant, text := range in.Sources {
		s.Inputs[SourceName(tenant)] = text
	}
	return s, nil
}

// FromInputs rebuilds the Input from recorded inputs.
func FromInputs(inputs map[string][]byte) (*Input, error) {
	linked, ok := inputs[inputLinked]
	tenants, ok2 := inputs[inputTenants]
	if !ok || !ok2 {
		return nil, fmt.Errorf("want the inputs %s and %s", inputLinked, inputTenants)
	}
	in := Input{Linked: linked}
	if err := verify.StrictJSON(tenants, &in.Tenants); err != nil {
		return nil, fmt.Errorf("%s: %w", inputTenants, err)
	}
	for name, b := range inputs {
		switch tenant, ok := SourceOf(name); {
		case name == inputLinked || name == inputTenants:
		case name == inputParser:
			if err := verify.StrictJSON(b, &in.Parser); err != nil {
				return nil, fmt.Errorf("%s: %w", inputParser, err)
			}
		case name == P4InfoName:
			in.P4Info = b
		case name == inputOwners:
			in.Ownership = b
		case ok:
			if in.Sources == nil {
				in.Sources = map[string][]byte{}
			}
			in.Sources[tenant] = b
		default:
			return nil, fmt.Errorf("an input %s, of which nothing is known", name)
		}
	}
	return &in, nil
}

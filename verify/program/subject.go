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
	inputParser  = "parser.json" // the target's bound; not in entries of before program/3
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
	return s, nil
}

// FromInputs rebuilds the Input from recorded inputs.
func FromInputs(inputs map[string][]byte) (*Input, error) {
	linked, ok := inputs[inputLinked]
	tenants, ok2 := inputs[inputTenants]
	parser, bounded := inputs[inputParser]
	want := 2
	if bounded {
		want++
	}
	if !ok || !ok2 || len(inputs) != want {
		return nil, fmt.Errorf("want the inputs %s, %s and perhaps %s", inputLinked, inputTenants, inputParser)
	}
	in := Input{Linked: linked}
	if err := verify.StrictJSON(tenants, &in.Tenants); err != nil {
		return nil, fmt.Errorf("%s: %w", inputTenants, err)
	}
	if bounded {
		if err := verify.StrictJSON(parser, &in.Parser); err != nil {
			return nil, fmt.Errorf("%s: %w", inputParser, err)
		}
	}
	return &in, nil
}

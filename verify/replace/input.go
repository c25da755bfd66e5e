package replace

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// SubjectKind is the kind of a replacement's verify.Subject.
const SubjectKind = "replacement"

// Input is everything a proof about a replacement rests on: the obligations are a pure function of it.
type Input struct {
	Switch     string `json:"switch"`
	DeviceID   uint64 `json:"deviceId"`
	ElectionID uint64 `json:"electionId"` // low 64 bits; that every request must carry
	// Old is the text of the linked program whose state Before is; empty: the switch ran none, and Before is empty.
	Old []byte `json:"old,omitempty"`
	// New is the text of the linked program that will run; the same as Old where admission is only opened.
	New     []byte   `json:"new,omitempty"`
	Tenants []Tenant `json:"tenants"` // of both programs
	// Before is a serialised p4.v1.ReadResponse, as device.Reader.Everything makes it: what the closed switch held.
	Before []byte `json:"before,omitempty"`
	// Unusable are slots that the switch refuses to write. Memory that has one of them is not given back.
	Unusable []Slots `json:"unusable,omitempty"`
	// Lost is what the tenants and the system do not get back, as the operator was told; see Losses.
	Lost []Loss `json:"lost"`
	// Continues is the digest of the decision that Before was read for, when the switch does not run Old any more; else empty.
	Continues verify.Digest `json:"continues,omitempty"`
	Steps     []Step        `json:"steps,omitempty"`
}

// Fate is what becomes of a tenant.
type Fate string

// Fates.
const (
	Retained Fate = "retained" // the same code and objects before and after
	Changed  Fate = "changed"  // another program
	Added    Fate = "added"
	Removed  Fate = "removed"
)

// Tenant of the old program, the new one, or both.
type Tenant struct {
	Name   string `json:"name"`
	OldVID uint16 `json:"oldVid,omitempty"` // 0: not in the old program
	VID    uint16 `json:"vid,omitempty"`    // 0: not in the new one
	Fate   Fate   `json:"fate"`
	// Admitted says that its packets are let in when all is done. A tenant that is evicted is not.
	Admitted bool `json:"admitted"`
}

// Slots are First to Last of a stage array.
type Slots struct {
	Control specs.Control `json:"control"`
	Stage   int           `json:"stage"`
	First   int64         `json:"first"`
	Last    int64         `json:"last"`
}

// Loss is an object whose state is gone afterwards.
type Loss struct {
	Tenant string `json:"tenant"` // empty: the system's, or nobody's
	Object string `json:"object"` // "table kv__KvIngress.cache", "register memory ingress/0"
}

// Writable says that none of size slots from base on is unusable.
func (in *Input) Writable(control specs.Control, stage int, base, size int64) bool {
	return size == 0 || !slices.ContainsFunc(in.Unusable, func(x Slots) bool {
		return x.Control == control && x.Stage == stage && x.First < base+size && base <= x.Last
	})
}

// StepKind says what the gate sends in a step.
type StepKind string

// Step kinds.
const (
	Commit StepKind = "commit" // a serialised p4.v1.SetForwardingPipelineConfigRequest
	Write  StepKind = "write"  // a serialised p4.v1.WriteRequest
)

// Step is one request; the next is sent only when it has succeeded.
type Step struct {
	Kind  StepKind `json:"kind"`
	Bytes []byte   `json:"bytes"`
	Note  string   `json:"note,omitempty"` // for people; proves nothing
}

// Commits says that the switch gets a program, and not just open admission.
func (in *Input) Commits() bool {
	for _, s := range in.Steps {
		if s.Kind == Commit {
			return true
		}
	}
	return false
}

// Cookie of a linked program's pipeline: the first 8 bytes of its digest.
func Cookie(linked []byte) uint64 {
	raw, err := hex.DecodeString(string(verify.DigestOf(linked)[len("sha256:"):]))
	if err != nil {
		panic("a digest that is not hexadecimal") // verify.DigestOf makes them
	}
	return binary.BigEndian.Uint64(raw)
}

// Names of a replacement's recorded inputs. Programs, state, requests and the names of lost objects are apart, so that an export can leave
// them out. What is lost of register memory is not among those: with the page tables before, it says who holds what afterwards.
const (
	inputOld   = "old.p4"
	inputNew   = "linked.p4"
	inputState = "before.bin"
	inputSteps = "steps.json"
	inputLost  = "lost.json"
	inputRest  = "replacement.json"
)

// memoryLost is what the names of lost stage arrays' memory begin with.
const memoryLost = "register memory "

// Memory is the stage array of which a loss says that all of the tenant's memory there is gone, such as "ingress/0".
func (l Loss) Memory() (array string, ok bool) { return strings.CutPrefix(l.Object, memoryLost) }

// Subject is what a certificate of in speaks of.
func (in *Input) Subject() (verify.Subject, error) {
	rest := *in
	rest.Old, rest.New, rest.Before, rest.Steps, rest.Lost = nil, nil, nil, nil, []Loss{}
	objects := []Loss{}
	for _, l := range in.Lost {
		if _, memory := l.Memory(); memory {
			rest.Lost = append(rest.Lost, l)
		} else {
			objects = append(objects, l)
		}
	}
	b, err := json.Marshal(&rest)
	if err != nil {
		return verify.Subject{}, err
	}
	lost, err := json.Marshal(objects)
	if err != nil {
		return verify.Subject{}, err
	}
	steps, err := json.Marshal(in.Steps)
	if err != nil {
		return verify.Subject{}, err
	}
	return verify.Subject{
		Kind: SubjectKind, Name: in.title(),
		Inputs: map[string][]byte{inputOld: in.Old, inputNew: in.New, inputState: in.Before, inputSteps: steps, inputLost: lost, inputRest: b},
	}, nil
}

func (in *Input) title() string {
	switch {
	case len(in.Old) == 0:
		return fmt.Sprintf("first program of switch %s, with %d tenants", in.Switch, len(in.Tenants))
	case !in.Commits():
		return fmt.Sprintf("admission on switch %s", in.Switch)
	}
	n := map[Fate]int{}
	for _, t := range in.Tenants {
		n[t.Fate]++
	}
	return fmt.Sprintf("replacement of the program of switch %s: %d tenants retained, %d changed, %d added, %d removed",
		in.Switch, n[Retained], n[Changed], n[Added], n[Removed])
}

// FromInputs rebuilds the Input from recorded inputs.
func FromInputs(inputs map[string][]byte) (*Input, error) {
	names := []string{inputOld, inputNew, inputState, inputSteps, inputLost, inputRest}
	for _, name := range names {
		if _, ok := inputs[name]; !ok {
			return nil, fmt.Errorf("input %s is missing", name)
		}
	}
	if len(inputs) != len(names) {
		return nil, fmt.Errorf("%d inputs, want %d", len(inputs), len(names))
	}
	in, err := Outline(inputs[inputRest])
	if err != nil {
		return nil, err
	}
	var objects []Loss
	if err := verify.StrictJSON(inputs[inputLost], &objects); err != nil {
		return nil, fmt.Errorf("%s: %w", inputLost, err)
	}
	for _, l := range objects {
		if _, memory := l.Memory(); memory {
			return nil, fmt.Errorf("%s speaks of memory, which %s does", inputLost, inputRest)
		}
	}
	if in.Lost = append(in.Lost, objects...); len(in.Lost) == 0 {
		in.Lost = nil
	}
	slices.SortFunc(in.Lost, compareLosses)
	if err := verify.StrictJSON(inputs[inputSteps], &in.Steps); err != nil {
		return nil, fmt.Errorf("%s: %w", inputSteps, err)
	}
	in.Old, in.New, in.Before = inputs[inputOld], inputs[inputNew], inputs[inputState]
	return in, nil
}

// OutlineFile is the name of the recorded input that Outline reads.
const OutlineFile = inputRest

// Outline reads that part of a replacement's recorded inputs which says what becomes of each tenant, and whose register memory is lost, and
// nothing of programs, requests and what is in the memory.
func Outline(b []byte) (*Input, error) {
	var in Input
	if err := verify.StrictJSON(b, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", inputRest, err)
	}
	if in.Old != nil || in.New != nil || in.Before != nil || in.Steps != nil {
		return nil, fmt.Errorf("%s repeats another input", inputRest)
	}
	for _, l := range in.Lost {
		if _, memory := l.Memory(); !memory {
			return nil, fmt.Errorf("%s speaks of %s, which %s does", inputRest, l.Object, inputLost)
		}
	}
	return &in, nil
}

func compareLosses(a, b Loss) int {
	return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Object, b.Object))
}

// Error says that a replacement does not keep M8, or does not say clearly what it does (M7). It is a property of the input, never of
// a solver.
type Error struct {
	Property string // M4, M7, M8
	Step     int    // index into Input.Steps, -1 if no step is concerned
	Update   int    // index of the update in the step's request, -1 if none
	Err      error
}

func (e *Error) Error() string {
	at := ""
	if e.Step >= 0 {
		at = fmt.Sprintf(" step %d:", e.Step+1)
	}
	if e.Update >= 0 {
		at += fmt.Sprintf(" update %d:", e.Update+1)
	}
	return fmt.Sprintf("%s:%s %v", e.Property, at, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

func wrong(property, format string, args ...any) *Error {
	return &Error{property, -1, -1, fmt.Errorf(format, args...)}
}

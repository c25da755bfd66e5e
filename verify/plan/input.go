package plan

import (
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// StepKind says what the gate does in a step.
type StepKind string

// Step kinds. A scrub is a Write of register entries.
const (
	Write StepKind = "write" // Bytes: a serialised p4.v1.WriteRequest
	Fence StepKind = "fence" // Bytes: a serialised p4.v1.PacketOut, a marker; the step ends when it has come back
	Wait  StepKind = "wait"  // no Bytes; the step ends when the time For has passed since it began
)

// Step is one thing the gate does; the next step begins only when it has succeeded.
type Step struct {
	Kind  StepKind      `json:"kind"`
	Bytes []byte        `json:"bytes"`
	For   time.Duration `json:"forNs,omitempty"`
	Note  string        `json:"note,omitempty"` // for people; proves nothing
}

// Input is everything a proof about a plan rests on, and nothing else: the obligations are a pure function of it. It is recorded
// in the ledger, so that an auditor can build them again.
type Input struct {
	Switch   string `json:"switch"`
	DeviceID uint64 `json:"deviceId"`
	// ElectionID (low 64 bits; high is 0) that every write request must carry.
	ElectionID uint64 `json:"electionId"`
	// Primitives are what the switch's driver declares of it.
	Primitives Primitives `json:"primitives"`
	// Linked is the text of the linked program that runs on the switch: stage arrays, page tables and P4Info are rederived from it.
	Linked []byte `json:"linked"`
	// Tenants registered at the site.
	Tenants []Tenant `json:"tenants"`
	// PreState is a serialised p4.v1.ReadResponse with all entries of all page tables, as read back from the switch.
	PreState []byte `json:"preState"`
	// Fenced says that this controller completed a fence after its last page-table write. Then packets in flight hold only
	// entries of PreState.
	Fenced bool `json:"fenced"`
	// Previous is the digest of the Subject of an earlier plan that was proved and leaves PreState when all of its steps have succeeded
	// (Follows). Then what was proved of its goal need not be proved again of PreState: see specs/lemmas/inherit.smt2. Empty: nothing
	// is known of PreState.
	Previous verify.Digest `json:"previous,omitempty"`
	// Unanswered are the write requests that were sent to the switch and had no answer when PreState was read. They may still take effect at
	// any moment, in whole or in part, until that ends which Primitives say: the mastership under which they were sent, or
	// the time that was waited after the last of them was given up on.
	Unanswered [][]byte      `json:"unanswered,omitempty"`
	Waited     time.Duration `json:"waitedNs,omitempty"`
	Steps      []Step        `json:"steps"`
	Goal       []Extent      `json:"goal"` // every tenant's extents when all steps have succeeded
	// Limits are the policy's floors and ceilings that Goal must respect.
	Limits []Limit `json:"limits"`
	Policy string  `json:"policy"` // digest of the policy and its input
}

// Tenant as registered.
type Tenant struct {
	Name string `json:"name"`
	VID  uint16 `json:"vid"`
}

// Extent of a tenant in one stage; Size 0 is none.
type Extent struct {
	VID        uint16        `json:"vid"`
	Control    specs.Control `json:"control"`
	Stage      int           `json:"stage"`
	Base       int64         `json:"base"`
	Size       int64         `json:"size"`
	Mask       uint32        `json:"mask"`
	Generation uint16        `json:"generation"`
}

// Limit bounds the size of a tenant's extent in one stage, in slots.
type Limit struct {
	VID     uint16        `json:"vid"`
	Control specs.Control `json:"control"`
	Stage   int           `json:"stage"`
	Floor   int64         `json:"floor"`
	Ceiling int64         `json:"ceiling"`
}

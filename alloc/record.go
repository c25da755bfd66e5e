package alloc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/interlock/interlock/verify"
)

// EpochKind says why an epoch did what it did.
type EpochKind string

// Epoch kinds.
const (
	Allocation EpochKind = "allocate"
	Recovery   EpochKind = "recover" // what was read back is not what this controller, or the one before, had left behind
)

// Epoch is the record of one epoch of the control loop; a run is a file of them, one JSON object a line.
type Epoch struct {
	Number   int           `json:"epoch"`            // from 0
	Switch   string        `json:"switch,omitempty"` // where the site has several; each has a record of its own
	Kind     EpochKind     `json:"kind"`
	Start    time.Time     `json:"start"`
	Strategy string        `json:"strategy"`
	Parts    []Part        `json:"parts"` // where the time went; always all of PartNames, in their order
	Total    time.Duration `json:"totalNs"`
	Tenants  []TenantEpoch `json:"tenants"`
	Share    *ShareEpoch   `json:"share,omitempty"` // nil: the policy was not asked, or nothing came of it
	Plan     *PlanEpoch    `json:"plan,omitempty"`  // nil: nothing changed
	Error    string        `json:"error,omitempty"`
}

// PartNames are the parts of an epoch's time, in order.
var PartNames = []string{"read", "estimate", "ask", "allocate", "plan", "prove", "publish", "write"}

// Part of an epoch's time.
type Part struct {
	Name string        `json:"name"`
	Time time.Duration `json:"ns"`
}

// TenantEpoch is one tenant's epoch. Extents, Level and Memory are what it has at the end.
type TenantEpoch struct {
	Name      string   `json:"name"`
	VID       uint16   `json:"vid"`
	Packets   int64    `json:"packets"`
	Hits      int64    `json:"hits"`
	Discarded string   `json:"discarded,omitempty"` // why the sample was not used
	Utility   *float64 `json:"utility,omitempty"`   // hit ratio; absent without traffic
	Target    float64  `json:"target"`
	Satisfied bool     `json:"satisfied"`
	Starved   int      `json:"starved,omitempty"` // epochs in a row under the target without more memory
	Asked     int64    `json:"asked,omitempty"`   // memory that it lacks by its estimate, slots
	Level     int      `json:"level"`             // rung of its ladder
	Floor     int      `json:"floor"`
	Share     int      `json:"share"`
	Ceiling   int      `json:"ceiling"`
	Memory    int64    `json:"memory"`            // slots of its largest elastic register
	Balance   string   `json:"balance,omitempty"` // credits, as a fraction; absent where the policy settles none
	Extents   []Placed `json:"extents"`
}

// Placed is an extent in its stage array.
type Placed struct {
	Control    string `json:"control"`
	Stage      int    `json:"stage"`
	Base       int64  `json:"base"`
	Size       int64  `json:"size"`
	Generation uint16 `json:"generation"`
}

// ShareEpoch is what became of asking the policy.
type ShareEpoch struct {
	Entry   *uint64 `json:"ledgerEntry,omitempty"` // of the decision that put other bounds or balances into force
	Refused string  `json:"refused,omitempty"`     // why those before stay
}

// PlanEpoch is what became of the epoch's plan.
type PlanEpoch struct {
	Digest       verify.Digest `json:"digest"`
	Steps        int           `json:"steps"`
	Bytes        int           `json:"bytes"`           // of all steps
	Moved        []string      `json:"moved,omitempty"` // tenants that lost content because an extent moved
	Defragmented []string      `json:"defragmented,omitempty"`
	Verdict      string        `json:"verdict"`
	Reason       string        `json:"reason,omitempty"` // when it was not proved
	Applied      bool          `json:"applied"`
	Entry        *uint64       `json:"ledgerEntry,omitempty"`
}

// add adds to the time of a part.
func (e *Epoch) add(part string, d time.Duration) {
	for i := range e.Parts {
		if e.Parts[i].Name == part {
			e.Parts[i].Time += d
		}
	}
}

// Part returns the time of a part.
func (e *Epoch) Part(name string) time.Duration {
	for _, p := range e.Parts {
		if p.Name == name {
			return p.Time
		}
	}
	return 0
}

// WriteEpoch appends an epoch to a run, as one line.
func WriteEpoch(w io.Writer, e *Epoch) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// ReadRun reads a run. A last line that was cut off, by a controller that was killed, is left out; anything else that is not an epoch is an
// error with its line.
func ReadRun(r io.Reader) ([]Epoch, error) {
	var out []Epoch
	in := bufio.NewReader(r)
	for line := 1; ; line++ {
		b, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var e Epoch
		if err := json.Unmarshal(b, &e); err != nil {
			return nil, fmt.Errorf("line %d: not an epoch: %w", line, err)
		}
		out = append(out, e)
	}
}

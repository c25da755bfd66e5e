package gate

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/replace"
)

// Situation is what a switch is in when a program is to be installed.
type Situation string

// Situations.
const (
	Empty       Situation = "empty"       // it runs no program, and is owed nothing
	Complete    Situation = "complete"    // it runs the program already, and holds what it should; perhaps not all are admitted
	Occupied    Situation = "occupied"    // it runs another program, whose tenants' state is whole
	Interrupted Situation = "interrupted" // a replacement did not come to its end: what tenants had is in the ledger
)

// A Standing is how a switch stands to a program that is to be installed.
type Standing struct {
	Situation Situation
	// Linked is the program whose state Before is: the one that runs, or the one that ran when the replacement that was interrupted was
	// decided, in ledger entry Entry, whose subject is Continues. Nil: none.
	Linked    []byte
	Before    []byte // as device.Reader.Everything gives it; of a complete switch it is the admission table alone
	Continues verify.Digest
	Entry     int64
	Read      time.Duration // how long reading took
}

// Stand reads the switch and the ledger. It writes nothing. What it reads of an occupied switch may change until the switch is shut.
func (g *Gate) Stand(ctx context.Context, linked []byte) (*Standing, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stand(ctx, linked, math.MaxInt64)
}

// stand is Stand, by what the ledger says before the entry with index before.
func (g *Gate) stand(ctx context.Context, linked []byte, before int64) (*Standing, error) {
	o, err := g.observe(ctx)
	if err != nil {
		return nil, err
	}
	last, err := g.lastReplacement(before)
	if err != nil {
		return nil, err
	}
	if o.pipeline == nil {
		if last == nil || last.done {
			return &Standing{Situation: Empty, Entry: -1}, nil
		}
		return last.standing(), nil
	}
	running := o.pipeline.DeviceConfig
	admission, err := g.reader.Admission(ctx, o.pipeline.P4Info)
	if err != nil {
		return nil, err
	}
	var admitted p4v1.ReadResponse
	if err := proto.Unmarshal(admission, &admitted); err != nil {
		return nil, err
	}
	// A program is opened when it holds everything: whoever is in shows that.
	complete := len(admitted.GetEntities()) > 0
	if last != nil {
		complete = complete || last.done && bytes.Equal(running, last.in.New) ||
			!last.done && last.in.Continues == "" && len(last.in.Old) > 0 && bytes.Equal(running, last.in.Old)
	}
	switch {
	case !complete && last != nil && !last.done:
		return last.standing(), nil
	case !complete:
		return nil, fmt.Errorf("%w (cookie %#x): nobody is admitted, and the ledger does not tell whether it holds all that its tenants had "+
			"('interlock audit verify' says whether it is intact); restart the switch to empty it", ErrOccupied, o.pipeline.Cookie)
	case bytes.Equal(running, linked):
		return &Standing{Situation: Complete, Linked: running, Before: admission, Entry: -1}, nil
	case device.TableID(o.pipeline.P4Info, specs.AdmissionTable) == 0:
		return nil, fmt.Errorf("%w (cookie %#x): it has no admission table, so nobody can be shut out; restart the switch to empty it",
			ErrOccupied, o.pipeline.Cookie)
	}
	s := &Standing{Situation: Occupied, Linked: running, Entry: -1}
	return s, g.everything(ctx, o, s)
}

// everything reads what lasts on the switch. Its P4Info must be what follows from its program: names are read through it.
func (g *Gate) everything(ctx context.Context, o *observation, s *Standing) error {
	info, err := g.info(o.pipeline.DeviceConfig)
	if err != nil {
		return err
	}
	if !proto.Equal(info, o.pipeline.P4Info) {
		return fmt.Errorf("%w: the switch reads requests by another P4Info than that of its program", ErrOccupied)
	}
	begun := time.Now()
	s.Before, err = g.reader.Everything(ctx, info)
	s.Read = time.Since(begun)
	return err
}

// Hold reads everything of a switch that Shut has closed, and remembers it: a replacement is carried out only if it is about that.
func (g *Gate) Hold(ctx context.Context) (*Standing, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shut {
		return nil, fmt.Errorf("%w: the switch is not shut", ErrStale)
	}
	o, err := g.observe(ctx)
	if err != nil {
		return nil, err
	}
	if o.pipeline == nil {
		return nil, fmt.Errorf("switch %s: %w", g.conf.Target.Name, device.ErrNoPipeline)
	}
	s := &Standing{Situation: Occupied, Linked: o.pipeline.DeviceConfig, Entry: -1}
	if err := g.everything(ctx, o, s); err != nil {
		return nil, err
	}
	g.held = s
	return s, nil
}

// recorded is a replacement as the ledger has it.
type recorded struct {
	index   int64
	subject verify.Digest
	in      *replace.Input
	done    bool // it was carried out to its end
}

func (r *recorded) standing() *Standing {
	s := &Standing{Situation: Interrupted, Before: r.in.Before, Continues: r.subject, Entry: r.index}
	if len(r.in.Old) > 0 {
		s.Linked = r.in.Old
	}
	return s
}

// lastReplacement is the last one that was proved for this switch, in the entries before the given index; nil if there is none, or the
// ledger's word cannot be taken.
func (g *Gate) lastReplacement(before int64) (*recorded, error) {
	dir := g.ledger.Load().Dir()
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		return nil, err
	}
	l, err := check.Read(dir, string(key))
	if err != nil {
		return nil, err
	}
	if len(l.Findings) > 0 {
		g.log.Warn("the ledger is not intact, so its word is not taken", "findings", len(l.Findings), "first", l.Findings[0].String())
		return nil, nil
	}
	done, admitted := map[int64]bool{}, false
	for _, e := range slices.Backward(l.Entries) {
		if o := e.Outcome; o != nil && o.Action == "replace" && o.Result == "applied" {
			done[o.Decision] = true
		}
		d := e.Decision
		if e.Index >= before || d == nil || d.Switch != g.conf.Target.Name {
			continue
		}
		// Who closed the switch later, or evicted somebody, found somebody admitted: then everything had been restored, whether or not the
		// controller lived to write it down.
		if ref, ok := d.Inputs[EvictAdmission]; ok && ref.Size > 0 {
			admitted = true
		}
		if d.Action != "replace" || d.Verdict != "proved" {
			continue
		}
		inputs := map[string][]byte{}
		for name, ref := range d.Inputs {
			if inputs[name], err = l.Blob(ref); err != nil {
				return nil, fmt.Errorf("entry %d: %w", e.Index, err)
			}
		}
		in, err := replace.FromInputs(inputs)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Index, err)
		}
		return &recorded{e.Index, verify.Digest(e.Digest), in, done[e.Index] || admitted}, nil
	}
	return nil, nil
}

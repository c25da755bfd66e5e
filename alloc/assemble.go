package alloc

import (
	"encoding/binary"
	"fmt"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// ScrubChunk is how many slots one write request scrubs at most.
const ScrubChunk = 4096

// Range is the slots Lo..Hi-1 of a stage array.
type Range struct {
	Array
	Lo, Hi int64
}

// Op is one thing that a plan does: exactly one of its fields is set. An Op may become several steps.
type Op struct {
	Fence bool
	Map   Tables  // entries to insert or modify, in one request
	Unmap []Key   // entries to delete, in one request
	Scrub []Range // slots to zero
	Note  string
}

// Context is what all plans for one switch share.
type Context struct {
	Switch     string
	DeviceID   uint64
	ElectionID uint64
	Linked     []byte // text of the linked program
	Codec      *Codec
	Primitives plan.Primitives // that the switch's driver declares
	Tenants    []plan.Tenant
	Limits     []plan.Limit
	Policy     string
	// Refused says which slots the switch did not scrub; nil: none.
	Refused func() Refused
	// Nonce returns a number that it never returned before; fences carry it.
	Nonce func() uint64
}

// assemble turns ops into the steps that the gate sends. It applies them to the tables on the way, to tell an insertion from a
// modification, and returns the tables after them.
func (c *Context) assemble(pre Tables, ops []Op) ([]plan.Step, Tables, error) {
	var steps []plan.Step
	now := pre.Clone()
	for i, op := range ops {
		var err error
		switch {
		case op.Fence:
			var s plan.Step
			s, err = c.fence(op.Note)
			steps = append(steps, s)
		case op.Scrub != nil:
			var s []plan.Step
			s, err = c.scrub(op.Scrub, c.refused(now), op.Note)
			steps = append(steps, s...)
		default:
			var updates []*p4v1.Update
			for _, k := range op.Map.Keys() {
				if err := c.Codec.fits(k, op.Map[k]); err != nil {
					return nil, nil, fmt.Errorf("step %d: %w", i+1, err)
				}
				kind := p4v1.Update_INSERT
				if _, ok := now[k]; ok {
					kind = p4v1.Update_MODIFY
				}
				updates = append(updates, &p4v1.Update{Type: kind, Entity: c.Codec.entity(k, op.Map[k])})
				now[k] = op.Map[k]
			}
			for _, k := range op.Unmap {
				updates = append(updates, &p4v1.Update{Type: p4v1.Update_DELETE, Entity: c.Codec.entity(k, nil)})
				delete(now, k)
			}
			if len(updates) == 0 {
				return nil, nil, fmt.Errorf("step %d does nothing", i+1)
			}
			var s plan.Step
			s, err = c.write(updates, op.Note)
			steps = append(steps, s)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return steps, now, nil
}

func (c *Context) write(updates []*p4v1.Update, note string) (plan.Step, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.WriteRequest{
		DeviceId:   c.DeviceID,
		ElectionId: &p4v1.Uint128{Low: c.ElectionID},
		Updates:    updates,
		Atomicity:  p4v1.WriteRequest_CONTINUE_ON_ERROR,
	})
	return plan.Step{Kind: plan.Write, Bytes: b, Note: note}, err
}

func (c *Context) scrub(ranges []Range, refused Refused, note string) ([]plan.Step, error) {
	head, err := c.write(nil, note)
	if err != nil {
		return nil, err
	}
	var steps []plan.Step
	step, updates := head, 0
	add := func(register uint32, slot *int64) {
		if updates == ScrubChunk {
			steps = append(steps, step)
			step, updates = head, 0
		}
		if updates == 0 {
			step.Bytes = slices.Clone(head.Bytes)
		}
		step.Bytes = appendScrub(step.Bytes, register, slot)
		updates++
	}
	for _, r := range ranges {
		id, ok := c.Codec.registers[r.Array]
		if !ok {
			return nil, fmt.Errorf("the linked program has no stage array %v", r.Array)
		}
		if r.Lo < 0 || r.Lo >= r.Hi || r.Hi > c.Codec.slots[r.Array] {
			return nil, fmt.Errorf("slots %d..%d of %v, which has %d", r.Lo, r.Hi-1, r.Array, c.Codec.slots[r.Array])
		}
		if r.Lo == 0 && r.Hi == c.Codec.slots[r.Array] && slices.Contains(c.Primitives.Scrub.By, plan.ByArray) && !refused.has(r.Array) {
			add(id, nil)
			continue
		}
		for s := r.Lo; s < r.Hi; s++ {
			add(id, &s)
		}
	}
	if updates > 0 {
		steps = append(steps, step)
	}
	return steps, nil
}

// appendScrub appends an update to a serialised p4.v1.WriteRequest: a RegisterEntry that writes zero into a slot, or into every one. There
// are thousands of them in a plan, so they are written by field numbers, as marshalling would.
func appendScrub(request []byte, register uint32, slot *int64) []byte {
	const (
		updates, updateType, updateEntity, entityRegister = 4, 1, 2, 11
		registerID, registerIndex, indexIndex             = 1, 2, 1
	)
	zero := [...]byte{3<<3 | 2, 3, 1<<3 | 2, 1, 0} // data, a P4Data with a bitstring of one byte
	var room [3][64]byte
	entry := protowire.AppendVarint(protowire.AppendTag(room[0][:0], registerID, protowire.VarintType), uint64(register))
	if slot != nil {
		var index []byte
		if *slot != 0 {
			index = protowire.AppendVarint(protowire.AppendTag(room[1][:0], indexIndex, protowire.VarintType), uint64(*slot))
		}
		entry = protowire.AppendBytes(protowire.AppendTag(entry, registerIndex, protowire.BytesType), index)
	}
	entry = append(entry, zero[:]...)
	entity := protowire.AppendBytes(protowire.AppendTag(room[2][:0], entityRegister, protowire.BytesType), entry)
	update := protowire.AppendVarint(protowire.AppendTag(room[1][:0], updateType, protowire.VarintType), uint64(p4v1.Update_MODIFY))
	update = protowire.AppendBytes(protowire.AppendTag(update, updateEntity, protowire.BytesType), entity)
	return protowire.AppendBytes(protowire.AppendTag(request, updates, protowire.BytesType), update)
}

func (c *Context) fence(note string) (plan.Step, error) {
	if c.Primitives.Fence.By == plan.ByTransit {
		return plan.Step{Kind: plan.Wait, For: c.Primitives.Fence.Transit, Note: note}, nil
	}
	payload := make([]byte, 0, 22)
	addresses := specs.MarkerAddresses(c.ElectionID)
	payload = append(payload, addresses[:]...)
	payload = binary.BigEndian.AppendUint16(payload, specs.MarkerEtherType)
	payload = binary.BigEndian.AppendUint64(payload, c.Nonce())
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.PacketOut{Payload: payload})
	return plan.Step{Kind: plan.Fence, Bytes: b, Note: note}, err
}

// input is everything about the plan but its goal.
func (c *Context) input(pre []byte, fenced bool, steps []plan.Step) *plan.Input {
	return &plan.Input{
		Switch: c.Switch, DeviceID: c.DeviceID, ElectionID: c.ElectionID, Linked: c.Linked, Primitives: c.Primitives, Tenants: slices.Clone(c.Tenants),
		PreState: pre, Fenced: fenced, Steps: steps, Limits: slices.Clone(c.Limits), Policy: c.Policy,
	}
}

// extents lists tables as the goal of a plan: an extent for each stage of each entry.
func (t Tables) extents() []plan.Extent {
	var out []plan.Extent
	for _, k := range t.Keys() {
		for s, m := range t[k] {
			out = append(out, plan.Extent{
				VID: k.VID, Control: k.Control, Stage: s, Base: m.Base, Size: m.Size, Mask: m.Mask, Generation: m.Generation,
			})
		}
	}
	return out
}

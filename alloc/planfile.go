package alloc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

// File is a saved plan: the input of its proof, with its digest, and the same steps in words. Bytes rule: what counts, is proved and is
// sent are the bytes in Input; Load refuses a file whose words say something else.
type File struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Digest     verify.Digest `json:"digest"` // of Input, as Digest computes it
	Steps      []StepText    `json:"steps"`
	Input      *plan.Input   `json:"input"`
}

// StepText says in words what a step's bytes say.
type StepText struct {
	Step int      `json:"step"` // from 1
	Does []string `json:"does"`
	Note string   `json:"note,omitempty"`
}

// ErrChanged is wrapped when a plan file's digest or words do not fit its bytes: somebody changed it after it was written.
var ErrChanged = errors.New("the plan was changed after it was written")

// MaxPlanFile bounds a plan file, in bytes.
const MaxPlanFile = 256 << 20

// Digest identifies a plan: it is that of the input's JSON.
func Digest(in *plan.Input) (verify.Digest, error) {
	s, err := in.Subject()
	if err != nil {
		return "", err
	}
	return s.Digest(), nil
}

// NewFile wraps a plan for saving.
func NewFile(c *Codec, in *plan.Input) (*File, error) {
	d, err := Digest(in)
	if err != nil {
		return nil, err
	}
	steps, err := Describe(c, in)
	if err != nil {
		return nil, err
	}
	return &File{APIVersion: APIVersion, Kind: KindPlan, Digest: d, Steps: steps, Input: in}, nil
}

// Save writes the file, replacing it as a whole.
func (f *File) Save(path string) error { return save(path, f) }

func save(path string, f any) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".plan-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(b, '\n'))
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), path)
}

// LoadPlan reads a saved plan. codec returns that of a linked program, by its text. An unknown field or a missing part is an
// error; an error that wraps ErrChanged means that the file is well-formed and was tampered with.
func LoadPlan(path string, codec func(linked []byte) (*Codec, error)) (*File, error) {
	b, err := readAtMost(path, MaxPlanFile)
	if err != nil {
		return nil, err
	}
	f, err := ParsePlan(b, codec)
	return f, inFile(path, err)
}

// inFile puts a file's name before an error.
func inFile(path string, err error) error {
	var at *positionError
	switch {
	case errors.As(err, &at):
		return fmt.Errorf("%s:%w", path, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// A positionError is an error at a line and column of a file whose name only the caller knows.
type positionError struct {
	at  string // line:column
	err error
}

func (e *positionError) Error() string { return e.at + ": " + e.err.Error() }
func (e *positionError) Unwrap() error { return e.err }

// ParsePlan is LoadPlan for a text.
func ParsePlan(b []byte, codec func(linked []byte) (*Codec, error)) (*File, error) {
	var f File
	if err := decodeStrictly(b, &f); err != nil {
		return nil, err
	}
	if f.APIVersion != APIVersion || f.Kind != KindPlan {
		return nil, fmt.Errorf("want %s %s, have %q %q", APIVersion, KindPlan, f.APIVersion, f.Kind)
	}
	if f.Input == nil {
		return nil, errors.New(`field "input" is missing`)
	}
	d, err := Digest(f.Input)
	if err != nil {
		return nil, err
	}
	if d != f.Digest {
		return nil, fmt.Errorf("%w: its digest is %s, the file says %s", ErrChanged, d, f.Digest)
	}
	c, err := codec(f.Input.Linked)
	if err != nil {
		return nil, fmt.Errorf("linked program of the plan: %w", err)
	}
	steps, err := Describe(c, f.Input)
	if err != nil {
		return nil, err
	}
	if len(steps) != len(f.Steps) {
		return nil, fmt.Errorf("%w: it has %d steps, and words for %d", ErrChanged, len(steps), len(f.Steps))
	}
	for i, s := range steps {
		if s.Step != f.Steps[i].Step || s.Note != f.Steps[i].Note || !slices.Equal(s.Does, f.Steps[i].Does) {
			return nil, fmt.Errorf("%w: step %d says %q, its bytes say %q", ErrChanged, i+1, f.Steps[i].Does, s.Does)
		}
	}
	return &f, nil
}

// decodeStrictly reads one JSON value and nothing else.
func decodeStrictly(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &positionError{position(b, dec.InputOffset()), fmt.Errorf("not a plan: %w", err)}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return &positionError{position(b, dec.InputOffset()), errors.New("something follows the plan")}
	}
	return nil
}

func position(b []byte, offset int64) string {
	line, col := 1, 1
	for _, x := range b[:min(offset, int64(len(b)))] {
		col++
		if x == '\n' {
			line, col = line+1, 1
		}
	}
	return fmt.Sprintf("%d:%d", line, col)
}

func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, most)
	}
	return b, nil
}

// Describe puts a plan's steps into words, read from their bytes.
func Describe(c *Codec, in *plan.Input) ([]StepText, error) {
	names := &Context{Tenants: in.Tenants}
	var out []StepText
	for i, s := range in.Steps {
		t := StepText{Step: i + 1, Note: s.Note}
		var err error
		switch s.Kind {
		case plan.Fence:
			t.Does, err = describeFence(s.Bytes)
		case plan.Wait:
			t.Does = []string{fmt.Sprintf("wait %v", s.For)}
		case plan.Write:
			t.Does, err = describeWrite(c, names, s.Bytes)
		default:
			err = fmt.Errorf("unknown kind %q", s.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		out = append(out, t)
	}
	return out, nil
}

func describeFence(b []byte) ([]string, error) {
	var out p4v1.PacketOut
	if err := proto.Unmarshal(b, &out); err != nil {
		return nil, err
	}
	if len(out.GetPayload()) < 22 || binary.BigEndian.Uint16(out.GetPayload()[12:]) != specs.MarkerEtherType {
		return nil, fmt.Errorf("packet-out that is no fence marker: %x", out.GetPayload())
	}
	return []string{fmt.Sprintf("fence, nonce %#016x", binary.BigEndian.Uint64(out.GetPayload()[14:]))}, nil
}

func describeWrite(c *Codec, names *Context, b []byte) ([]string, error) {
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(b, &req); err != nil {
		return nil, err
	}
	var out []string
	var scrubs []Range
	arrays := map[uint32]Array{}
	for a, id := range c.registers {
		arrays[id] = a
	}
	for _, u := range req.GetUpdates() {
		switch x := u.GetEntity().GetEntity().(type) {
		case *p4v1.Entity_TableEntry:
			s, err := c.describeEntry(names, u.GetType(), x.TableEntry)
			if err != nil {
				return nil, err
			}
			out = append(out, s...)
		case *p4v1.Entity_RegisterEntry:
			a, ok := arrays[x.RegisterEntry.GetRegisterId()]
			if !ok || !bytes.Equal(x.RegisterEntry.GetData().GetBitstring(), bitstring(0)) {
				return nil, fmt.Errorf("a register write that is no scrub of a slot: %v", x.RegisterEntry)
			}
			if x.RegisterEntry.GetIndex() == nil {
				out = append(out, fmt.Sprintf("scrub %v, all of its slots", a))
				continue
			}
			i := x.RegisterEntry.GetIndex().GetIndex()
			scrubs = append(scrubs, Range{a, i, i + 1})
		default:
			return nil, fmt.Errorf("update of something else: %T", x)
		}
	}
	for _, r := range union(scrubs) {
		out = append(out, fmt.Sprintf("scrub %v slots %d..%d", r.Array, r.Lo, r.Hi-1))
	}
	return out, nil
}

// describeEntry says what a page-table update does, a line for each stage that has slots.
func (c *Codec) describeEntry(names *Context, kind p4v1.Update_Type, te *p4v1.TableEntry) ([]string, error) {
	if c.admission != 0 && te.GetTableId() == c.admission && len(te.GetMatch()) == 1 { // of evictions
		vid, err := value(te.GetMatch()[0].GetExact().GetValue())
		if err != nil || vid > 4095 || kind != p4v1.Update_DELETE {
			return nil, fmt.Errorf("%v of an entry of the admission table", kind)
		}
		return []string{fmt.Sprintf("shut out %s (VID %d): its packets are dropped", names.name(uint16(vid)), vid)}, nil
	}
	if kind == p4v1.Update_DELETE {
		te = proto.Clone(te).(*p4v1.TableEntry)
		for control, ids := range c.tables { // decodeEntry wants an action
			if ids.table == te.GetTableId() {
				te.Action = c.entity(Key{control, 0}, make(Entry, ids.stages)).GetTableEntry().GetAction()
			}
		}
	}
	k, e, err := c.decodeEntry(te)
	if err != nil {
		return nil, err
	}
	verb := map[p4v1.Update_Type]string{p4v1.Update_INSERT: "insert", p4v1.Update_MODIFY: "modify", p4v1.Update_DELETE: "delete"}[kind]
	if verb == "" {
		return nil, fmt.Errorf("update of type %v", kind)
	}
	who := fmt.Sprintf("%s %s (VID %d) in %s", verb, names.name(k.VID), k.VID, k.Control)
	if kind == p4v1.Update_DELETE {
		return []string{who}, nil
	}
	var out []string
	for s, m := range e {
		if m.Size > 0 {
			out = append(out, fmt.Sprintf("%s/%d: slots %d..%d, mask %#x, generation %d", who, s, m.Base, m.Base+m.Size-1, m.Mask, m.Generation))
		}
	}
	if len(out) == 0 {
		out = append(out, who+": no slots")
	}
	return out, nil
}

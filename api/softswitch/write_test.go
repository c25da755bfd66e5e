package softswitch

import (
	"errors"
	"slices"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	insert = p4v1.Update_INSERT
	modify = p4v1.Update_MODIFY
	remove = p4v1.Update_DELETE
)

// l2 is an entry of the exact table.
func (c *controller) l2(dst, port byte) *p4v1.TableEntry {
	return &p4v1.TableEntry{
		TableId: c.tableID("I.l2"), Match: []*p4v1.FieldMatch{exact(1, dst)}, Action: c.action("I.forward", []byte{port}),
	}
}

func TestWriteRefuses(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)))
	with := func(te *p4v1.TableEntry, f func(*p4v1.TableEntry)) *p4v1.TableEntry { f(te); return te }
	acl := func(prio int32, m ...*p4v1.FieldMatch) *p4v1.TableEntry {
		return &p4v1.TableEntry{TableId: c.tableID("I.acl"), Match: m, Priority: prio, Action: c.action("I.mark", []byte{1})}
	}
	route := func(m *p4v1.FieldMatch) *p4v1.TableEntry {
		return &p4v1.TableEntry{TableId: c.tableID("I.routes"), Match: []*p4v1.FieldMatch{m}, Action: c.action("I.drop")}
	}
	fixed := &p4v1.TableEntry{TableId: c.tableID("I.fixed"), Match: []*p4v1.FieldMatch{exact(1, 13)}}
	other := func(t p4v1.Update_Type, e *p4v1.Entity) *p4v1.Update { return &p4v1.Update{Type: t, Entity: e} }
	for _, tc := range []struct {
		name string
		u    *p4v1.Update
		want codes.Code
	}{
		{"insert twice", update(insert, c.l2(1, 2)), codes.AlreadyExists},
		{"modify what is not there", update(modify, c.l2(9, 2)), codes.NotFound},
		{"delete what is not there", update(remove, c.l2(9, 2)), codes.NotFound},
		{"unknown table", update(insert, &p4v1.TableEntry{TableId: 0x2FFFFFF}), codes.NotFound},
		{"no key", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Match = nil })), codes.InvalidArgument},
		{"unknown field", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Match = append(e.Match, exact(5, 1)) })), codes.InvalidArgument},
		{"field twice", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Match = append(e.Match, exact(1, 1)) })), codes.InvalidArgument},
		{"wrong kind of match", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Match = []*p4v1.FieldMatch{lpm(1, 8, 1)} })), codes.InvalidArgument},
		{"value too wide", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Match = []*p4v1.FieldMatch{exact(1, 1, 0, 0, 0, 0, 0, 0)} })), codes.OutOfRange},
		{"empty value", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Match = []*p4v1.FieldMatch{exact(1)} })), codes.OutOfRange},
		{"priority in an exact table", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Priority = 1 })), codes.InvalidArgument},
		{"no action", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Action = nil })), codes.InvalidArgument},
		{"action of another table", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Action = c.action("I.mark", []byte{1}) })), codes.InvalidArgument},
		{"missing parameter", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Action = c.action("I.forward") })), codes.InvalidArgument},
		{"extra parameter", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Action = c.action("I.drop", []byte{1}) })), codes.InvalidArgument},
		{"parameter too wide", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Action = c.action("I.forward", []byte{2, 0}) })), codes.InvalidArgument},
		{"default-only action", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.Action = c.action("NoAction") })), codes.PermissionDenied},
		{"is_const", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.IsConst = true })), codes.InvalidArgument},
		{"idle time-out", update(insert, with(c.l2(2, 1), func(e *p4v1.TableEntry) { e.IdleTimeoutNs = 1 })), codes.InvalidArgument},
		{"counter where there is none", update(insert, with(route(lpm(1, 8, 10, 0, 0, 0)), func(e *p4v1.TableEntry) { e.CounterData = &p4v1.CounterData{} })), codes.InvalidArgument},
		{"insert of a default entry", update(insert, &p4v1.TableEntry{TableId: c.tableID("I.l2"), IsDefaultAction: true}), codes.InvalidArgument},
		{"const default", update(modify, &p4v1.TableEntry{TableId: c.tableID("I.routes"), IsDefaultAction: true}), codes.PermissionDenied},
		{"insert into a const table", update(insert, fixed), codes.PermissionDenied},
		{"delete from a const table", update(remove, fixed), codes.PermissionDenied},
		{"priority needed", update(insert, acl(0, ternary(1, []byte{1}, []byte{1}))), codes.InvalidArgument},
		{"ternary of everything", update(insert, acl(1, ternary(1, []byte{0}, []byte{0}))), codes.InvalidArgument},
		{"value outside the mask", update(insert, acl(1, ternary(1, []byte{3}, []byte{1}))), codes.InvalidArgument},
		{"range upside down", update(insert, acl(1, ranged(2, 9, 3))), codes.InvalidArgument},
		{"range of everything", update(insert, acl(1, ranged(2, 0, 255))), codes.InvalidArgument},
		{"prefix of nothing", update(insert, route(lpm(1, 0, 0))), codes.InvalidArgument},
		{"prefix too long", update(insert, route(lpm(1, 33, 10, 0, 0, 0))), codes.InvalidArgument},
		{"bits after the prefix", update(insert, route(lpm(1, 8, 10, 0, 0, 1))), codes.InvalidArgument},
		{"register index", c.cell(8192, 1), codes.OutOfRange},
		{"register value", c.cell(1, 1, 0, 0, 0, 0), codes.OutOfRange},
		{"insert of a register", other(insert, c.cell(1, 1).Entity), codes.InvalidArgument},
		{"extern", other(modify, &p4v1.Entity{Entity: &p4v1.Entity_ExternEntry{}}), codes.Unimplemented},
		{"nothing", &p4v1.Update{Type: insert}, codes.InvalidArgument},
		{"no type", &p4v1.Update{Entity: c.cell(1, 1).Entity}, codes.InvalidArgument},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := c.state(t)
			err := c.write(tc.u)
			if got := updateErrors(err); status.Code(err) != codes.Unknown || !slices.Equal(got, []codes.Code{tc.want}) {
				t.Fatalf("got %v with %v, want %v", err, got, tc.want)
			}
			if after := c.state(t); !slices.EqualFunc(before, after, func(a, b *p4v1.Entity) bool { return proto.Equal(a, b) }) {
				t.Fatal("the refused update changed something")
			}
		})
	}
}

// state is everything that can be read.
func (c *controller) state(t *testing.T) []*p4v1.Entity {
	t.Helper()
	all, err := c.read(
		&p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{}}},
		&p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{TableId: c.tableID("I.l2"), IsDefaultAction: true}}},
		&p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
			RegisterId: c.info.GetRegisters()[0].GetPreamble().GetId(), Index: &p4v1.Index{Index: 1},
		}}},
		&p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryUpdateIsAnswered has more failures in one batch than fit a small header.
func TestEveryUpdateIsAnswered(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	batch := make([]*p4v1.Update, 4096)
	for i := range batch {
		batch[i] = c.cell(int64(i)+8192-2048, 1) // half of them past the end
	}
	got := updateErrors(c.write(batch...))
	if len(got) != len(batch) {
		t.Fatalf("%d answers for %d updates", len(got), len(batch))
	}
	for i, code := range got {
		want := codes.OK
		if i >= 2048 {
			want = codes.OutOfRange
		}
		if code != want {
			t.Fatalf("update %d: %v, want %v", i, code, want)
		}
	}
}

func TestTableFull(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	for i := byte(1); i <= 4; i++ {
		c.mustWrite(update(insert, c.l2(i, i)))
	}
	if got := updateErrors(c.write(update(insert, c.l2(5, 5)))); !slices.Equal(got, []codes.Code{codes.ResourceExhausted}) {
		t.Fatalf("a fifth entry of four: %v", got)
	}
	c.mustWrite(update(remove, c.l2(1, 0)), update(insert, c.l2(5, 5)))
}

func TestWriteThenRead(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	entries := []*p4v1.TableEntry{
		c.l2(1, 200),
		{TableId: c.tableID("I.routes"), Match: []*p4v1.FieldMatch{lpm(1, 8, 10, 0, 0, 0)}, Action: c.action("I.drop"), Metadata: []byte("m")},
		{
			TableId: c.tableID("I.acl"), Priority: 3, ControllerMetadata: 9, Action: c.action("I.mark", []byte{1}),
			Match: []*p4v1.FieldMatch{
				ternary(1, []byte{1}, []byte{0xF, 0xFF}), ranged(2, 1, 9),
				{FieldId: 3, FieldMatchType: &p4v1.FieldMatch_Optional_{Optional: &p4v1.FieldMatch_Optional{Value: []byte{6}}}},
			},
		},
	}
	for _, e := range entries {
		c.mustWrite(update(insert, e))
		got := c.mustRead(entity(&p4v1.TableEntry{TableId: e.TableId}))
		if len(got) != 1 || !proto.Equal(got[0].GetTableEntry(), e) {
			t.Fatalf("wrote %v\nread %v", e, got)
		}
	}
	padded := c.l2(2, 3)
	padded.Match[0].GetExact().Value = []byte{0, 0, 0, 0, 0, 0, 0, 2} // leading zeros are taken, and not given back
	c.mustWrite(update(insert, padded))
	got := c.mustRead(entity(&p4v1.TableEntry{TableId: c.tableID("I.l2"), Match: []*p4v1.FieldMatch{exact(1, 2)}}))
	if len(got) != 1 || !proto.Equal(got[0].GetTableEntry(), c.l2(2, 3)) {
		t.Fatalf("read %v", got)
	}
	c.mustWrite(update(modify, c.l2(2, 4)))
	got = c.mustRead(entity(&p4v1.TableEntry{TableId: c.tableID("I.l2"), Action: c.action("I.forward")}))
	if len(got) != 2 || !proto.Equal(got[1].GetTableEntry(), c.l2(2, 4)) {
		t.Fatalf("after modify: %v", got)
	}
	fixed := c.mustRead(entity(&p4v1.TableEntry{TableId: c.tableID("I.fixed")}))
	if len(fixed) != 1 || !fixed[0].GetTableEntry().GetIsConst() {
		t.Fatalf("const entries: %v", fixed)
	}
	if all := c.mustRead(entity(&p4v1.TableEntry{})); len(all) != 5 {
		t.Fatalf("all tables have %d entries, want 5", len(all))
	}
}

func TestDefaultEntry(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	def := &p4v1.TableEntry{TableId: c.tableID("I.l2"), IsDefaultAction: true}
	if got := c.mustRead(entity(def)); len(got) != 1 || got[0].GetTableEntry().GetAction().GetAction().GetActionId() != c.actionID("NoAction") {
		t.Fatalf("at first: %v", got)
	}
	set := proto.CloneOf(def)
	set.Action = c.action("I.forward", []byte{5})
	c.mustWrite(update(modify, set))
	if got := c.mustRead(entity(def)); len(got) != 1 || !proto.Equal(got[0].GetTableEntry(), set) {
		t.Fatalf("after it was set: %v", got)
	}
	c.mustWrite(update(modify, def)) // without an action: the program's own again
	if got := c.mustRead(entity(def)); got[0].GetTableEntry().GetAction().GetAction().GetActionId() != c.actionID("NoAction") {
		t.Fatalf("after reset: %v", got)
	}
}

func TestRegisters(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	id := c.info.GetRegisters()[0].GetPreamble().GetId()
	cells := func(i int64) []*p4v1.Entity {
		e := &p4v1.RegisterEntry{RegisterId: id}
		if i >= 0 {
			e.Index = &p4v1.Index{Index: i}
		}
		return c.mustRead(&p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: e}})
	}
	c.mustWrite(c.cell(-1, 7), c.cell(5, 1, 0))
	all := cells(-1)
	if len(all) != 8192 {
		t.Fatalf("%d cells", len(all))
	}
	for i, e := range all {
		want := []byte{7}
		if i == 5 {
			want = []byte{1, 0}
		}
		r := e.GetRegisterEntry()
		if r.GetIndex().GetIndex() != int64(i) || !slices.Equal(r.GetData().GetBitstring(), want) {
			t.Fatalf("cell %d: %v", i, r)
		}
	}
	batch := make([]*p4v1.Update, 4096)
	for i := range batch {
		batch[i] = c.cell(int64(i), byte(i>>8), byte(i))
	}
	c.mustWrite(batch...)
	if got := cells(4095)[0].GetRegisterEntry().GetData().GetBitstring(); !slices.Equal(got, []byte{0x0F, 0xFF}) {
		t.Fatalf("cell 4095 is %x", got)
	}
	if got := cells(4096)[0].GetRegisterEntry().GetData().GetBitstring(); !slices.Equal(got, []byte{7}) {
		t.Fatalf("cell 4096 is %x", got)
	}
}

func TestAtomicity(t *testing.T) {
	for _, tc := range []struct {
		mode  p4v1.WriteRequest_Atomicity
		codes []codes.Code
		left  int
	}{
		{p4v1.WriteRequest_CONTINUE_ON_ERROR, []codes.Code{codes.OK, codes.NotFound, codes.OK}, 2},
		{p4v1.WriteRequest_ROLLBACK_ON_ERROR, []codes.Code{codes.Aborted, codes.NotFound, codes.Aborted}, 1},
		{p4v1.WriteRequest_DATAPLANE_ATOMIC, []codes.Code{codes.Aborted, codes.NotFound, codes.Aborted}, 1},
	} {
		t.Run(tc.mode.String(), func(t *testing.T) {
			_, c := serve(t, Options{})
			c.primary(1)
			c.mustWrite(update(insert, c.l2(1, 1)), c.cell(1, 42))
			before := c.state(t)
			both := proto.CloneOf(c.l2(1, 9))
			err := c.writeAs(tc.mode, update(modify, both), update(remove, c.l2(3, 3)), update(insert, c.l2(4, 4)))
			if got := updateErrors(err); !slices.Equal(got, tc.codes) {
				t.Fatalf("codes %v", got)
			}
			got := c.mustRead(entity(&p4v1.TableEntry{TableId: c.tableID("I.l2")}))
			if len(got) != tc.left {
				t.Fatalf("%d entries, want %d", len(got), tc.left)
			}
			rolledBack := slices.EqualFunc(before, c.state(t), func(a, b *p4v1.Entity) bool { return proto.Equal(a, b) })
			if rolledBack != (tc.left == 1) {
				t.Fatalf("state as before: %v", rolledBack)
			}
			// A batch without errors is applied in every mode, and everything in it can be taken back.
			def := &p4v1.TableEntry{TableId: c.tableID("I.l2"), IsDefaultAction: true, Action: c.action("I.drop")}
			err = c.writeAs(tc.mode, update(modify, c.l2(1, 2)), c.cell(1, 43), update(modify, def), update(remove, c.l2(1, 0)))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.mustRead(entity(&p4v1.TableEntry{TableId: c.tableID("I.l2")}))) != tc.left-1 {
				t.Fatal("the entry is still there")
			}
		})
	}
}

func TestRollbackRestoresEverything(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)), update(insert, c.l2(2, 2)), c.cell(1, 42))
	before := c.state(t)
	counter := &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{
		CounterId: c.info.GetCounters()[0].GetPreamble().GetId(), Data: &p4v1.CounterData{PacketCount: 3, ByteCount: 4},
	}}}
	def := &p4v1.TableEntry{TableId: c.tableID("I.l2"), IsDefaultAction: true, Action: c.action("I.drop")}
	err := c.writeAs(p4v1.WriteRequest_ROLLBACK_ON_ERROR,
		update(modify, c.l2(1, 7)), update(remove, c.l2(2, 0)), update(insert, c.l2(3, 3)), c.cell(1, 1), c.cell(-1, 9),
		&p4v1.Update{Type: modify, Entity: counter}, update(modify, def), update(remove, c.l2(99, 0)))
	if status.Code(err) != codes.Unknown {
		t.Fatal(err)
	}
	after := c.state(t)
	byText := func(a, b *p4v1.Entity) int { return slices.Compare([]byte(a.String()), []byte(b.String())) }
	slices.SortFunc(before, byText)
	slices.SortFunc(after, byText)
	if !slices.EqualFunc(before, after, func(a, b *p4v1.Entity) bool { return proto.Equal(a, b) }) {
		t.Fatalf("before %v\nafter %v", before, after)
	}
}

func TestHooks(t *testing.T) {
	boom := status.Error(codes.Unavailable, "boom")
	var onRequest, onUpdate, onReply error
	_, c := serve(t, Options{
		OnRequest: func(proto.Message) error { return onRequest },
		OnUpdate: func(i int, _ *p4v1.Update) error {
			if i == 1 {
				return onUpdate
			}
			return nil
		},
		OnReply: func(proto.Message) error { return onReply },
	})
	c.primary(1)
	count := func() int { return len(c.mustRead(entity(&p4v1.TableEntry{TableId: c.tableID("I.l2")}))) }
	onRequest = boom
	if err := c.write(update(insert, c.l2(1, 1))); status.Code(err) != codes.Unavailable || count() != 0 {
		t.Fatalf("before: %v, %d entries", err, count())
	}
	onRequest, onReply = nil, boom
	if err := c.write(update(insert, c.l2(1, 1))); status.Code(err) != codes.Unavailable || count() != 1 {
		t.Fatalf("after: %v, %d entries", err, count())
	}
	onReply, onUpdate = nil, errors.New("no")
	if err := c.write(update(insert, c.l2(2, 2)), update(insert, c.l2(3, 3))); status.Code(err) != codes.Unknown || count() != 2 {
		t.Fatalf("between: %v, %d entries", err, count())
	}
}

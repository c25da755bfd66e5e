package softswitch

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// changed is the test program with some text replaced.
func (c *controller) changed(t *testing.T, oldNew ...string) []byte {
	t.Helper()
	for i := 0; i < len(oldNew); i += 2 {
		if !bytes.Contains(c.text, []byte(oldNew[i])) {
			t.Fatalf("%q is not in the program", oldNew[i])
		}
	}
	return []byte(strings.NewReplacer(oldNew...).Replace(string(c.text)))
}

func TestReconcileKeepsTheState(t *testing.T) {
	s, c := serve(t, Options{})
	c.primary(1)
	entry := c.l2(1, 1)
	entry.Metadata = []byte("mine")
	c.mustWrite(update(insert, entry), c.cell(7, 9))
	if _, err := s.Process(3, ethernet(1, 5, 0)); err != nil { // counted at 3, cell 5 becomes 1
		t.Fatal(err)
	}
	before := c.state(t)
	c.use(c.changed(t, "meta.value = meta.value + 1", "meta.value = meta.value + 2"))
	if err := c.setPipeline(reconcileCommit, c.config(2)); err != nil {
		t.Fatal(err)
	}
	after := c.state(t)
	if !slices.EqualFunc(before, after, func(a, b *p4v1.Entity) bool { return proto.Equal(a, b) }) {
		t.Fatalf("the state before\n%v\nafter\n%v", before, after)
	}
	if out, _ := s.Process(3, ethernet(1, 5, 0)); len(out) != 1 || out[0].Port != 1 {
		t.Fatalf("the entry does not work: %v", out)
	}
	got := c.mustRead(&p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
		RegisterId: c.info.GetRegisters()[0].GetPreamble().GetId(), Index: &p4v1.Index{Index: 5},
	}}})
	if v := got[0].GetRegisterEntry().GetData().GetBitstring(); !bytes.Equal(v, []byte{3}) {
		t.Fatalf("the cell is %v: the new program does not run", v)
	}
}

func TestReconcileRefusesToLose(t *testing.T) {
	for _, tc := range []struct {
		name   string
		state  func(c *controller) *p4v1.Update
		change []string
		say    string
	}{
		{
			"smaller register",
			func(c *controller) *p4v1.Update { return c.cell(8000, 1) },
			[]string{"(8192) cells", "(4096) cells"},
			"register cells",
		},
		{
			"register of another type",
			func(c *controller) *p4v1.Update { return c.cell(0, 1) },
			[]string{"register<bit<32>>(8192) cells", "register<bit<16>>(8192) cells", "cells.read(meta.value, (bit<32>) hdr.eth.src);", "", "cells.write((bit<32>) hdr.eth.src, meta.value);", ""},
			"another type",
		},
		{
			"table that is gone",
			func(c *controller) *p4v1.Update { return update(insert, c.l2(1, 1)) },
			[]string{"table l2", "table bridge", "l2.apply()", "bridge.apply()"},
			"table I.l2",
		},
		{
			"action that is gone",
			func(c *controller) *p4v1.Update { return update(insert, c.l2(1, 1)) },
			[]string{"actions = { forward; counted;", "actions = { counted;"},
			"table I.l2",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := serve(t, Options{})
			c.primary(1)
			text := c.text
			c.mustWrite(tc.state(c))
			before := c.state(t)
			c.use(c.changed(t, tc.change...))
			err := c.setPipeline(reconcileCommit, c.config(2))
			if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), tc.say) {
				t.Fatalf("got %v", err)
			}
			c.use(text)
			if after := c.state(t); !slices.EqualFunc(before, after, func(a, b *p4v1.Entity) bool { return proto.Equal(a, b) }) {
				t.Fatal("the refusal changed something")
			}
		})
	}
	t.Run("nothing to lose", func(t *testing.T) {
		_, c := serve(t, Options{})
		c.primary(1)
		c.use(c.changed(t, "table l2", "table bridge", "l2.apply()", "bridge.apply()", "(8192) cells", "(4096) cells"))
		if err := c.setPipeline(reconcileCommit, c.config(2)); err != nil {
			t.Fatal(err)
		}
	})
}

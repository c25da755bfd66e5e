package replay

import (
	"strings"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"
)

func entry(table uint32, vid byte) *p4v1.TableEntry {
	return &p4v1.TableEntry{TableId: table, Match: []*p4v1.FieldMatch{{
		FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{vid}}},
	}}}
}

func update(kind p4v1.Update_Type, t *p4v1.TableEntry) *p4v1.Update {
	return &p4v1.Update{Type: kind, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: t}}}
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := (proto.MarshalOptions{Deterministic: true}).Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The lemma speaks of requests that delete page-table entries. Anything else that claims it is found out.
func TestDeletesOnly(t *testing.T) {
	full := entry(7, 100)
	full.Action = &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: &p4v1.Action{ActionId: 3}}}
	pre := marshal(t, &p4v1.ReadResponse{Entities: []*p4v1.Entity{
		{Entity: &p4v1.Entity_TableEntry{TableEntry: full}}, {Entity: &p4v1.Entity_TableEntry{TableEntry: entry(7, 101)}},
	}})
	request := func(us ...*p4v1.Update) *p4v1.WriteRequest {
		return &p4v1.WriteRequest{DeviceId: 1, ElectionId: &p4v1.Uint128{Low: 5}, Updates: us}
	}
	unmap := update(p4v1.Update_DELETE, entry(7, 100))
	inRole := request(unmap)
	inRole.Role = "tenant"
	withAction := entry(7, 100)
	withAction.Action = full.Action
	for _, c := range []struct {
		name    string
		request []byte
		want    string
	}{
		{"unmaps one", marshal(t, request(unmap)), ""},
		{"unmaps two", marshal(t, request(unmap, update(p4v1.Update_DELETE, entry(7, 101)))), ""},
		{"nothing", marshal(t, request()), "deletes nothing"},
		{"modifies", marshal(t, request(update(p4v1.Update_MODIFY, entry(7, 100)))), "no deletion"},
		{"inserts after unmapping", marshal(t, request(unmap, update(p4v1.Update_INSERT, entry(7, 100)))), "no deletion"},
		{"deletes from another table", marshal(t, request(update(p4v1.Update_DELETE, entry(8, 100)))), "no entry of the pre-state"},
		{"deletes what is not there", marshal(t, request(update(p4v1.Update_DELETE, entry(7, 102)))), "no entry of the pre-state"},
		{"writes a register", marshal(t, request(&p4v1.Update{Type: p4v1.Update_DELETE, Entity: &p4v1.Entity{
			Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{RegisterId: 1}},
		}})), "no deletion"},
		{"says an action too", marshal(t, request(update(p4v1.Update_DELETE, withAction))), "says more"},
		{"in a role", marshal(t, inRole), "says more"},
		{"unknown field", append(marshal(t, request(unmap)), 0x98, 0x06, 0x01), "says more"},
		{"no request", []byte{0xff}, "request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := deletesOnly(c.request, pre)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

package softswitch

import (
	"fmt"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// boundActions are the actions of a table or action profile with the ids that P4Runtime knows them by.
type boundActions struct {
	of       string // what they are the actions of
	actions  []dataplane.Action
	byID     map[uint32]int // action id -> index into actions
	ids      []uint32
	params   []map[uint32]int // by action: parameter id -> index into Params
	paramIDs [][]uint32
}

func bindActions(of string, actions []dataplane.Action, info map[string]*configv1.Action) (*boundActions, error) {
	b := &boundActions{
		of: of, actions: actions, byID: map[uint32]int{}, ids: make([]uint32, len(actions)),
		params: make([]map[uint32]int, len(actions)), paramIDs: make([][]uint32, len(actions)),
	}
	for i, a := range actions {
		ai := info[a.Name]
		if ai == nil {
			return nil, fmt.Errorf("%s: action %s is not in the P4Info", of, a.Name)
		}
		if len(ai.GetParams()) != len(a.Params) {
			return nil, fmt.Errorf("action %s has %d parameters, its P4Info %d", a.Name, len(a.Params), len(ai.GetParams()))
		}
		id := ai.GetPreamble().GetId()
		b.byID[id], b.ids[i] = i, id
		b.params[i] = map[uint32]int{}
		for j, q := range ai.GetParams() {
			if int(q.GetBitwidth()) != a.Params[j].Width {
				return nil, fmt.Errorf("action %s, parameter %s: %d bits, in its P4Info %d", a.Name, q.GetName(),
					a.Params[j].Width, q.GetBitwidth())
			}
			b.params[i][q.GetId()] = j
			b.paramIDs[i] = append(b.paramIDs[i], q.GetId())
		}
	}
	return b, nil
}

// use is where an action is to stand.
type use int

const (
	inEntry use = iota
	asDefault
)

// decode reads an action with its parameters.
func (b *boundActions) decode(x *p4v1.Action, where use) (*dataplane.Do, error) {
	if x == nil {
		return nil, bad("%s: an action is needed", b.of)
	}
	i, ok := b.byID[x.GetActionId()]
	if !ok {
		return nil, bad("%s has no action %#x", b.of, x.GetActionId())
	}
	a := &b.actions[i]
	switch {
	case where == asDefault && a.TableOnly:
		return nil, status.Errorf(codes.PermissionDenied, "%s: action %s is not for the default entry", b.of, a.Name)
	case where == inEntry && a.DefaultOnly:
		return nil, status.Errorf(codes.PermissionDenied, "%s: action %s is for the default entry only", b.of, a.Name)
	}
	n := 0
	for _, p := range a.Params {
		n = max(n, p.Offset()+p.Words())
	}
	do := &dataplane.Do{Action: i, Args: make([]uint64, n)}
	seen := make([]bool, len(a.Params))
	for _, v := range x.GetParams() {
		j, ok := b.params[i][v.GetParamId()]
		if !ok {
			return nil, bad("action %s has no parameter %d", a.Name, v.GetParamId())
		}
		if seen[j] {
			return nil, bad("action %s: parameter %d is there twice", a.Name, v.GetParamId())
		}
		seen[j] = true
		p := a.Params[j]
		if err := decodeBits(v.GetValue(), p.Width, do.Args[p.Offset():p.Offset()+p.Words()]); err != nil {
			return nil, bad("action %s, parameter %s: %s", a.Name, p.Name, status.Convert(err).Message())
		}
	}
	for j, ok := range seen {
		if !ok {
			return nil, bad("action %s: parameter %s is missing", a.Name, a.Params[j].Name)
		}
	}
	return do, nil
}

// encode is an action in canonical form; nil for none.
func (b *boundActions) encode(do *dataplane.Do) *p4v1.Action {
	if do == nil || do.Action < 0 {
		return nil
	}
	a := &p4v1.Action{ActionId: b.ids[do.Action]}
	for j, p := range b.actions[do.Action].Params {
		a.Params = append(a.Params, &p4v1.Action_Param{
			ParamId: b.paramIDs[do.Action][j], Value: encodeBits(do.Args[p.Offset() : p.Offset()+p.Words()]),
		})
	}
	return a
}

// decodeAction reads what an entry does, or the default entry: an action or, if the table has a profile, a member, a group or a
// set of actions to choose from.
func (b *boundTable) decodeAction(ta *p4v1.TableAction, where use) (*dataplane.Do, error) {
	if b.profile == nil {
		t, ok := ta.GetType().(*p4v1.TableAction_Action)
		if !ok {
			return nil, bad("table %s: an entry needs an action", b.Name)
		}
		return b.actions.decode(t.Action, where)
	}
	switch t := ta.GetType().(type) {
	case *p4v1.TableAction_ActionProfileMemberId:
		return b.profile.refer(t.ActionProfileMemberId, false)
	case *p4v1.TableAction_ActionProfileGroupId:
		return b.profile.refer(t.ActionProfileGroupId, true)
	case *p4v1.TableAction_ActionProfileActionSet:
		return b.profile.decodeSet(t.ActionProfileActionSet)
	}
	return nil, bad("table %s: an entry needs a member, a group or a set of actions of profile %s", b.Name, b.profile.Name)
}

func (b *boundTable) encodeAction(do *dataplane.Do) *p4v1.TableAction {
	switch {
	case do.Member != nil:
		return &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileMemberId{ActionProfileMemberId: do.Member.ID}}
	case do.Group != nil && do.Group.ID != 0:
		return &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileGroupId{ActionProfileGroupId: do.Group.ID}}
	case do.Group != nil:
		return &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileActionSet{ActionProfileActionSet: b.profile.encodeSet(do.Group)}}
	}
	a := b.actions.encode(do)
	if a == nil {
		return nil
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}

package gateway

//lint:file-ignore SA1019 controller_metadata is deprecated, and still written and read back by controllers

import (
	"bytes"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func bad(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// number is an unsigned value in canonical form, if it fits.
func number(b []byte, bits int) ([]byte, error) {
	if len(b) == 0 {
		return nil, status.Error(codes.OutOfRange, "an empty byte string is no number")
	}
	short := bytes.TrimLeft(b, "\x00")
	n := 8 * len(short)
	for mask := byte(0x80); len(short) > 0 && short[0]&mask == 0; mask >>= 1 {
		n--
	}
	switch {
	case n > bits:
		return nil, status.Errorf(codes.OutOfRange, "a value of %d bits does not fit %d bits", n, bits)
	case len(short) == 0:
		return []byte{0}, nil
	}
	return short, nil
}

// tableOf finds a table by the tenant's id.
func (p *program) tableOf(id uint32) (*table, error) {
	switch t := p.byID[id]; {
	case t == nil:
		return nil, status.Errorf(codes.NotFound, "there is no table %#x", id)
	case t.linked == nil:
		return nil, status.Errorf(codes.Unimplemented, "table %s is never applied, and is not on the switch", t.name())
	default:
		return t, nil
	}
}

// writes refuses what the program lets nobody write, by names; what else is wrong is decided about later.
func (t *table) writes(u p4v1.Update_Type, e *p4v1.TableEntry) error {
	switch {
	case e.GetIsDefaultAction() && t.own.GetConstDefaultActionId() != 0:
		return status.Errorf(codes.PermissionDenied, "the default action of table %s is const", t.name())
	case !e.GetIsDefaultAction() && t.own.GetIsConstTable():
		return status.Errorf(codes.PermissionDenied, "the entries of table %s are const", t.name())
	case e.GetIdleTimeoutNs() != 0 || e.GetTimeSinceLastHit() != nil:
		return status.Errorf(codes.Unimplemented, "table %s has no idle time-outs: linked programs have none", t.name())
	case e.GetMeterConfig() != nil || e.GetMeterCounterData() != nil:
		return status.Errorf(codes.Unimplemented, "table %s has no direct meter: linked programs have none", t.name())
	case e.GetCounterData() != nil && !t.counted:
		return bad("table %s has no direct counter", t.name())
	case e.GetIsConst():
		return bad("is_const is for reading only")
	case e.GetIsDefaultAction() && u != p4v1.Update_MODIFY:
		return bad("%v of a default action: only MODIFY", u)
	}
	return nil
}

// entry is an entry in the linked program's ids. Of an update that deletes, only the key counts.
func (t *table) entry(e *p4v1.TableEntry, keyOnly bool) (*p4v1.TableEntry, error) {
	out := &p4v1.TableEntry{TableId: t.linked.GetPreamble().GetId(), Priority: e.GetPriority(), IsDefaultAction: e.GetIsDefaultAction()}
	var err error
	if out.Match, err = t.match(e.GetMatch()); err != nil || keyOnly {
		return out, err
	}
	out.Metadata, out.ControllerMetadata = e.GetMetadata(), e.GetControllerMetadata()
	if e.GetCounterData() != nil {
		out.CounterData = &p4v1.CounterData{ByteCount: e.GetCounterData().GetByteCount(), PacketCount: e.GetCounterData().GetPacketCount()}
	}
	if e.GetAction() != nil {
		out.Action, err = t.action(e)
	}
	return out, err
}

func (t *table) match(ms []*p4v1.FieldMatch) ([]*p4v1.FieldMatch, error) {
	var out []*p4v1.FieldMatch
	for _, m := range ms {
		id, ok := t.keys[m.GetFieldId()]
		if !ok {
			return nil, bad("table %s has no match field %d", t.name(), m.GetFieldId())
		}
		n := proto.CloneOf(m)
		n.FieldId = id
		var values []*[]byte
		switch x := n.GetFieldMatchType().(type) {
		case *p4v1.FieldMatch_Exact_:
			values = []*[]byte{&x.Exact.Value}
		case *p4v1.FieldMatch_Lpm:
			values = []*[]byte{&x.Lpm.Value}
		case *p4v1.FieldMatch_Ternary_:
			values = []*[]byte{&x.Ternary.Value, &x.Ternary.Mask}
		case *p4v1.FieldMatch_Range_:
			values = []*[]byte{&x.Range.Low, &x.Range.High}
		case *p4v1.FieldMatch_Optional_:
			values = []*[]byte{&x.Optional.Value}
		default:
			return nil, bad("table %s, match field %d: no match of a kind that it could have", t.name(), m.GetFieldId())
		}
		for _, v := range values {
			var err error
			if *v, err = number(*v, t.width[m.GetFieldId()]); err != nil {
				return nil, status.Errorf(status.Code(err), "table %s, match field %d: %s", t.name(), m.GetFieldId(), status.Convert(err).Message())
			}
		}
		out = append(out, n)
	}
	return out, nil
}

func (t *table) action(e *p4v1.TableEntry) (*p4v1.TableAction, error) {
	does, ok := e.GetAction().GetType().(*p4v1.TableAction_Action)
	if !ok {
		return nil, status.Errorf(codes.Unimplemented, "table %s has no action profile: linked programs have none", t.name())
	}
	a := t.byID[does.Action.GetActionId()]
	switch {
	case a == nil:
		return nil, bad("table %s has no action %#x", t.name(), does.Action.GetActionId())
	case e.GetIsDefaultAction() && !a.onTable:
		return nil, status.Errorf(codes.PermissionDenied, "table %s: action %s is not for the default entry", t.name(), a.name)
	case !e.GetIsDefaultAction() && !a.onEntry:
		return nil, status.Errorf(codes.PermissionDenied, "table %s: action %s is for the default entry only", t.name(), a.name)
	}
	out := &p4v1.Action{ActionId: a.linked}
	for _, v := range does.Action.GetParams() {
		id, ok := a.fromOwn[v.GetParamId()]
		if !ok {
			return nil, bad("action %s has no parameter %d", a.name, v.GetParamId())
		}
		n, err := number(v.GetValue(), a.width[v.GetParamId()])
		if err != nil {
			return nil, status.Errorf(status.Code(err), "action %s, parameter %d: %s", a.name, v.GetParamId(), status.Convert(err).Message())
		}
		out.Params = append(out.Params, &p4v1.Action_Param{ParamId: id, Value: n})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: out}}, nil
}

// shown is an entry that was read, in the tenant's ids.
func (p *program) shown(e *p4v1.TableEntry) (*p4v1.TableEntry, error) {
	t := p.byLinked[e.GetTableId()]
	if t == nil {
		return nil, status.Error(codes.Internal, "the switch answers about another table")
	}
	out := proto.CloneOf(e)
	out.TableId = t.own.GetPreamble().GetId()
	for _, m := range out.GetMatch() {
		m.FieldId = t.fromKeys[m.GetFieldId()]
	}
	if x := out.GetAction().GetAction(); x != nil {
		a := t.byLinked[x.GetActionId()]
		if a == nil {
			return nil, status.Error(codes.Internal, "the switch answers with another action")
		}
		x.ActionId = a.own
		for _, v := range x.GetParams() {
			v.ParamId = a.params[v.GetParamId()]
		}
	}
	return out, nil
}

package gate

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// entryKey identifies a page-table entry: a table has at most one entry for a VID.
type entryKey struct {
	table uint32
	vid   uint64
}

// pageState is the content of all page tables.
type pageState map[entryKey]*p4v1.TableEntry

func keyOf(e *p4v1.TableEntry) (entryKey, error) {
	if len(e.GetMatch()) != 1 || e.GetMatch()[0].GetExact() == nil {
		return entryKey{}, fmt.Errorf("table %#x: an entry without a single exact key", e.GetTableId())
	}
	vid := new(big.Int).SetBytes(e.GetMatch()[0].GetExact().GetValue())
	if !vid.IsUint64() {
		return entryKey{}, fmt.Errorf("table %#x: key %s is too wide", e.GetTableId(), vid)
	}
	return entryKey{e.GetTableId(), vid.Uint64()}, nil
}

// parseState reads a serialised ReadResponse of page tables.
func parseState(b []byte) (pageState, error) {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		return nil, fmt.Errorf("page tables: %w", err)
	}
	st := pageState{}
	for _, e := range resp.GetEntities() {
		te := e.GetTableEntry()
		if te == nil {
			return nil, fmt.Errorf("page tables: an entity that is no table entry")
		}
		k, err := keyOf(te)
		if err != nil {
			return nil, fmt.Errorf("page tables: %w", err)
		}
		if _, dup := st[k]; dup {
			return nil, fmt.Errorf("page tables: two entries for VID %d", k.vid)
		}
		st[k] = te
	}
	return st, nil
}

// bytes is the state in the form that Reader.PageTables returns.
func (st pageState) bytes() ([]byte, error) {
	resp := &p4v1.ReadResponse{}
	for _, e := range st {
		resp.Entities = append(resp.Entities, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}})
	}
	return device.CanonicalState(resp)
}

// after returns the state that steps leave behind when all of them succeed.
func (st pageState) after(steps []plan.Step) (pageState, error) {
	next := maps.Clone(st)
	for i, s := range steps {
		if s.Kind != plan.Write || plan.ScrubsOnly(s.Bytes) {
			continue // it leaves page tables alone
		}
		var req p4v1.WriteRequest
		if err := proto.Unmarshal(s.Bytes, &req); err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		for _, u := range req.GetUpdates() {
			te := u.GetEntity().GetTableEntry()
			if te == nil {
				continue // a scrub leaves page tables alone
			}
			k, err := keyOf(te)
			if err != nil {
				return nil, fmt.Errorf("step %d: %w", i+1, err)
			}
			if u.GetType() == p4v1.Update_DELETE {
				delete(next, k)
			} else {
				next[k] = te
			}
		}
	}
	return next, nil
}

// Moved lists, in words, how page tables differ: both are serialised as Reader.PageTables returns them.
func Moved(before, now []byte, info *configv1.P4Info, tenants []plan.Tenant) ([]string, error) {
	b, err := parseState(before)
	if err != nil {
		return nil, err
	}
	n, err := parseState(now)
	if err != nil {
		return nil, err
	}
	return moved(b, n, info, tenants), nil
}

func moved(before, now pageState, info *configv1.P4Info, tenants []plan.Tenant) []string {
	name := func(k entryKey) string {
		for _, t := range tenants {
			if uint64(t.VID) == k.vid {
				return fmt.Sprintf("tenant %s (VID %d)", t.Name, k.vid)
			}
		}
		return fmt.Sprintf("VID %d", k.vid)
	}
	keys := slices.Collect(maps.Keys(before))
	for k := range now {
		if _, ok := before[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b entryKey) int {
		if a.table != b.table {
			return int(int64(a.table) - int64(b.table))
		}
		return int(int64(a.vid) - int64(b.vid))
	})
	var list []string
	for _, k := range keys {
		b, a := before[k], now[k]
		table := tableByID(info, k.table)
		switch {
		case b == nil:
			list = append(list, fmt.Sprintf("%s: %s has an entry now, and had none", table.GetPreamble().GetName(), name(k)))
		case a == nil:
			list = append(list, fmt.Sprintf("%s: %s has no entry any more", table.GetPreamble().GetName(), name(k)))
		case !proto.Equal(a, b):
			list = append(list, fmt.Sprintf("%s: %s: %s", table.GetPreamble().GetName(), name(k), changedParams(b, a, info)))
		}
	}
	return list
}

// changedParams says what changed in an entry: the stages whose extents did, and any other parameter by name.
func changedParams(before, now *p4v1.TableEntry, info *configv1.P4Info) string {
	old, cur := paramValues(before, info), paramValues(now, info)
	if maps.EqualFunc(old, cur, func(a, b *big.Int) bool { return a.Cmp(b) == 0 }) {
		return "the entry's other properties changed"
	}
	var diffs []string
	for stage := 0; cur[specs.BaseParam(stage)] != nil; stage++ {
		was, is := extentText(old, stage), extentText(cur, stage)
		if was != is {
			diffs = append(diffs, fmt.Sprintf("stage %d: %s, was %s", stage, is, was))
		}
	}
	if len(diffs) == 0 {
		diffs = append(diffs, "masks changed")
	}
	return strings.Join(diffs, "; ")
}

func paramValues(e *p4v1.TableEntry, info *configv1.P4Info) map[string]*big.Int {
	a := e.GetAction().GetAction()
	m := map[string]*big.Int{}
	for _, p := range a.GetParams() {
		m[paramName(info, a.GetActionId(), p.GetParamId())] = new(big.Int).SetBytes(p.GetValue())
	}
	return m
}

func extentText(params map[string]*big.Int, stage int) string {
	base, size := params[specs.BaseParam(stage)], params[specs.SizeParam(stage)]
	if base == nil || size == nil || size.Sign() == 0 {
		return "no slots"
	}
	last := new(big.Int).Add(base, size)
	text := fmt.Sprintf("slots %v..%v", base, last.Sub(last, big.NewInt(1)))
	if g := params[specs.GenerationParam(stage)]; g != nil {
		text += fmt.Sprintf(" of generation %v", g)
	}
	return text
}

func tableByID(info *configv1.P4Info, id uint32) *configv1.Table {
	for _, t := range info.GetTables() {
		if t.GetPreamble().GetId() == id {
			return t
		}
	}
	return nil
}

func paramName(info *configv1.P4Info, action, param uint32) string {
	for _, a := range info.GetActions() {
		if a.GetPreamble().GetId() != action {
			continue
		}
		for _, p := range a.GetParams() {
			if p.GetId() == param {
				return p.GetName()
			}
		}
	}
	return fmt.Sprintf("parameter %d", param)
}

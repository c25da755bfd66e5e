package request

import (
	"fmt"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// A Program is a linked program, as far as tenants' requests can name what it has.
type Program struct {
	info    *configv1.P4Info
	pages   *plan.Pages
	tenants []plan.Tenant
}

// Read rederives what a linked program has from its text.
func Read(linked []byte, tenants []plan.Tenant) (*Program, error) {
	info, pages, err := plan.Rederive(linked)
	if err != nil {
		return nil, err
	}
	return &Program{info, pages, tenants}, nil
}

// Info is the program's P4Info. It must not be changed.
func (p *Program) Info() *configv1.P4Info { return p.info }

// A Scope is what one tenant may name. It is safe for concurrent use.
type Scope struct {
	tenant   plan.Tenant
	pages    *plan.Pages
	tables   map[uint32]*table
	counters map[uint32]int64 // sizes
}

type table struct {
	name    string
	fields  map[uint32]*configv1.MatchField
	actions map[uint32]*action
	// priority: entries have one. fixed: its entries are const, bound: so is its default action.
	priority, fixed, bound, counted bool
	size                            int64
}

type action struct {
	name               string
	params             map[uint32]int // bits
	onEntry, onDefault bool
}

// Scope is that of one tenant. The error says that the program gives the tenant something that this package cannot decide about.
func (p *Program) Scope(tenant string) (*Scope, error) {
	s := &Scope{pages: p.pages, tables: map[uint32]*table{}, counters: map[uint32]int64{}}
	for _, t := range p.tenants {
		if t.Name == tenant {
			s.tenant = t
		}
	}
	if s.tenant.Name == "" {
		return nil, fmt.Errorf("no tenant is called %q", tenant)
	}
	for _, t := range p.info.GetTables() {
		if !p.owns(tenant, t.GetPreamble()) {
			continue
		}
		x, err := p.table(tenant, t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.GetPreamble().GetName(), err)
		}
		s.tables[t.GetPreamble().GetId()] = x
	}
	for _, c := range p.info.GetCounters() {
		if p.owns(tenant, c.GetPreamble()) {
			s.counters[c.GetPreamble().GetId()] = c.GetSize()
		}
	}
	return s, nil
}

// owns says whether an object is the tenant's by its name: the first part has the tenant's prefix, and no part has another's.
func (p *Program) owns(tenant string, o *configv1.Preamble) bool {
	if !strings.HasPrefix(o.GetName(), specs.TenantPrefix(tenant)) {
		return false
	}
	for part := range strings.SplitSeq(o.GetName(), ".") {
		for _, t := range p.tenants {
			if t.Name != tenant && strings.HasPrefix(part, specs.TenantPrefix(t.Name)) {
				return false
			}
		}
	}
	return true
}

func (p *Program) table(tenant string, t *configv1.Table) (*table, error) {
	x := &table{
		name: t.GetPreamble().GetName(), fields: map[uint32]*configv1.MatchField{}, actions: map[uint32]*action{},
		fixed: t.GetIsConstTable(), bound: t.GetConstDefaultActionId() != 0, size: t.GetSize(),
	}
	if t.GetImplementationId() != 0 || t.GetIdleTimeoutBehavior() != configv1.Table_NO_TIMEOUT {
		return nil, fmt.Errorf("action profiles and idle time-outs are not decided about")
	}
	for _, f := range t.GetMatchFields() {
		switch f.GetMatchType() {
		case configv1.MatchField_EXACT, configv1.MatchField_LPM:
		case configv1.MatchField_TERNARY, configv1.MatchField_RANGE, configv1.MatchField_OPTIONAL:
			x.priority = true
		default:
			return nil, fmt.Errorf("key %s: a match of kind %v is not decided about", f.GetName(), f.GetMatch())
		}
		if f.GetBitwidth() < 1 {
			return nil, fmt.Errorf("key %s: no width", f.GetName())
		}
		x.fields[f.GetId()] = f
	}
	for _, r := range t.GetActionRefs() {
		a := p.action(r.GetId())
		name := a.GetPreamble().GetName()
		if !p.owns(tenant, a.GetPreamble()) && (name != "NoAction" || len(a.GetParams()) > 0) {
			return nil, fmt.Errorf("action %s is not the tenant's", name)
		}
		y := &action{
			name: name, params: map[uint32]int{}, onEntry: r.GetScope() != configv1.ActionRef_DEFAULT_ONLY,
			onDefault: r.GetScope() != configv1.ActionRef_TABLE_ONLY,
		}
		for _, q := range a.GetParams() {
			if q.GetBitwidth() < 1 {
				return nil, fmt.Errorf("action %s, parameter %s: no width", name, q.GetName())
			}
			y.params[q.GetId()] = int(q.GetBitwidth())
		}
		x.actions[r.GetId()] = y
	}
	for _, id := range t.GetDirectResourceIds() {
		for _, c := range p.info.GetDirectCounters() {
			if c.GetPreamble().GetId() == id && p.owns(tenant, c.GetPreamble()) {
				x.counted = true
			}
		}
		if !x.counted {
			return nil, fmt.Errorf("a direct resource that is no counter of the tenant's")
		}
	}
	return x, nil
}

// Tables are the ids of the tenant's tables whose entries are not const, in order.
func (s *Scope) Tables() []uint32 {
	var ids []uint32
	for id, t := range s.tables {
		if !t.fixed {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (p *Program) action(id uint32) *configv1.Action {
	for _, a := range p.info.GetActions() {
		if a.GetPreamble().GetId() == id {
			return a
		}
	}
	return nil
}

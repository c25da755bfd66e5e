package metering

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/interlock/interlock/policy"
)

// ErrInterval says that a bill's interval is empty or turned round.
var ErrInterval = errors.New("the interval ends before it begins")

// Bill is what all tenants owe for the interval [From, To).
type Bill struct {
	From, To time.Time
	Invoices []Invoice // by name
	Gaps     []Gap     // in the order of time
}

// Invoice is what one tenant owes.
type Invoice struct {
	Tenant string
	Lines  []Line   // in the order of the terms
	Exact  *big.Rat // credits
	Units  *big.Int // of Exact, rounded down: the sum of the lines'
}

// Line is what a tenant owes on the same terms.
type Line struct {
	Terms *InForce
	Usage []Used // by resource
	Exact *big.Rat
	Units *big.Int
	// Unpriced says that the terms are not known, so that Exact and Units, and the invoice's, are without what the usage costs.
	Unpriced bool
}

// Used is how much of a resource was held for how long.
type Used struct {
	Resource  string
	SlotNanos *big.Int // slots times nanoseconds
}

// Gap is a time for which something was not charged because the record does not say enough.
type Gap struct {
	Switch   string
	From, To time.Time
	Why      string
}

// UnitsPerCredit is how many units invoices are rounded to.
const UnitsPerCredit = 1_000_000

// Compute makes the bill for [from, to).
func Compute(ctx context.Context, r *Record, from, to time.Time) (*Bill, error) {
	if to.Before(from) {
		return nil, fmt.Errorf("%w: from %s to %s", ErrInterval, from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano))
	}
	m := &meter{bill: &Bill{From: from, To: to}, record: r, accounts: map[string]map[int]*account{}, next: map[string]int{}, bySwitch: map[string][]*Span{}}
	cuts := []time.Time{from, to}
	cut := func(t time.Time) {
		if t.After(from) && t.Before(to) {
			cuts = append(cuts, t)
		}
	}
	for i := range r.Spans {
		s := &r.Spans[i]
		m.bySwitch[s.Switch] = append(m.bySwitch[s.Switch], s)
		cut(s.From)
		cut(s.To)
	}
	for _, f := range r.InForce {
		cut(f.From)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	m.switches = slices.Sorted(maps.Keys(m.bySwitch))
	for i := range len(cuts) - 1 {
		if err := m.segment(ctx, cuts[i], cuts[i+1]); err != nil {
			return nil, err
		}
	}
	m.invoices()
	return m.bill, nil
}

// meter is one computation.
type meter struct {
	bill     *Bill
	record   *Record
	bySwitch map[string][]*Span
	switches []string
	next     map[string]int // index of the switch's span that may cover the next segment
	inForce  int            // index of the terms after those in force
	accounts map[string]map[int]*account

	spans []*Span // that the last segment had
	terms int     // and its terms
	held  map[string]policy.Resources
	rates map[string]*big.Rat
	whys  map[string][]string // by switch: what is not charged
}

// account is a line in the making.
type account struct {
	used  map[string]*big.Int
	exact *big.Rat
}

// segment charges for a time in which nothing changes.
func (m *meter) segment(ctx context.Context, from, to time.Time) error {
	for m.inForce < len(m.record.InForce) && !m.record.InForce[m.inForce].From.After(from) {
		m.inForce++
	}
	terms := m.inForce - 1
	var spans []*Span
	for _, sw := range m.switches {
		list := m.bySwitch[sw]
		for m.next[sw] < len(list) && !list[m.next[sw]].To.After(from) {
			m.next[sw]++
		}
		if i := m.next[sw]; i < len(list) && !list[i].From.After(from) {
			spans = append(spans, list[i])
		}
	}
	if m.whys == nil || terms != m.terms || !slices.Equal(spans, m.spans) {
		if err := m.change(ctx, spans, terms); err != nil {
			return fmt.Errorf("from %s on: %w", from.Format(time.RFC3339Nano), err)
		}
	}
	for _, sw := range slices.Sorted(maps.Keys(m.whys)) {
		for _, why := range m.whys[sw] {
			m.gap(Gap{sw, from, to, why})
		}
	}
	if terms < 0 {
		return nil
	}
	nanos := big.NewInt(int64(to.Sub(from)))
	for tenant, r := range m.held {
		a := m.account(tenant, terms)
		for name, slots := range r {
			if a.used[name] == nil {
				a.used[name] = new(big.Int)
			}
			a.used[name].Add(a.used[name], new(big.Int).Mul(big.NewInt(slots), nanos))
		}
	}
	for tenant, rate := range m.rates {
		if rate.Sign() > 0 {
			a := m.account(tenant, terms)
			a.exact.Add(a.exact, new(big.Rat).Mul(rate, new(big.Rat).SetInt(nanos)))
		}
	}
	return nil
}

// change finds out who holds what from now on, and what it costs.
func (m *meter) change(ctx context.Context, spans []*Span, terms int) error {
	m.spans, m.terms = spans, terms
	m.held, m.rates, m.whys = map[string]policy.Resources{}, nil, map[string][]string{}
	var prices *Prices
	known := map[string]bool{}
	if terms >= 0 && m.record.InForce[terms].Prices == nil {
		m.unpriced(spans)
		return nil
	}
	if terms >= 0 {
		prices = m.record.InForce[terms].Prices
		for _, t := range prices.tenants {
			known[t.Name] = true
		}
	}
	for _, s := range spans {
		if s.Unknown != "" {
			m.whys[s.Switch] = append(m.whys[s.Switch], s.Unknown)
		}
		for _, h := range s.Held {
			if prices == nil {
				m.miss(s.Switch, "slots are held, and no terms are recorded yet")
				continue
			}
			name, ok := prices.Resource(s.Switch, h.Array)
			switch {
			case !ok:
				m.miss(s.Switch, fmt.Sprintf("the terms in force do not speak of %s", h.Array))
			case !known[h.Tenant]:
				m.miss(s.Switch, fmt.Sprintf("the terms in force do not speak of tenant %s, which holds slots", h.Tenant))
			default:
				if m.held[h.Tenant] == nil {
					m.held[h.Tenant] = policy.Resources{}
				}
				m.held[h.Tenant][name] += h.Slots
			}
		}
	}
	if prices == nil {
		return nil
	}
	var err error
	m.rates, err = prices.Rates(ctx, m.held)
	return err
}

// unpriced meters what is held on terms that are not known.
func (m *meter) unpriced(spans []*Span) {
	for _, s := range spans {
		if s.Unknown != "" {
			m.whys[s.Switch] = append(m.whys[s.Switch], s.Unknown)
		}
		for _, h := range s.Held {
			if m.held[h.Tenant] == nil {
				m.held[h.Tenant] = policy.Resources{}
			}
			m.held[h.Tenant]["slots/"+s.Switch+"/"+h.Array] += h.Slots
			m.miss(s.Switch, "the terms in force are not known here: what is held is metered, and not charged")
		}
	}
}

func (m *meter) miss(sw, why string) {
	if !slices.Contains(m.whys[sw], why) {
		m.whys[sw] = append(m.whys[sw], why)
	}
}

// gap adds a gap, or makes one that ends where it begins longer.
func (m *meter) gap(g Gap) {
	for i := range m.bill.Gaps {
		if o := &m.bill.Gaps[i]; o.Switch == g.Switch && o.Why == g.Why && o.To.Equal(g.From) {
			o.To = g.To
			return
		}
	}
	m.bill.Gaps = append(m.bill.Gaps, g)
}

func (m *meter) account(tenant string, terms int) *account {
	if m.accounts[tenant] == nil {
		m.accounts[tenant] = map[int]*account{}
	}
	a := m.accounts[tenant][terms]
	if a == nil {
		a = &account{used: map[string]*big.Int{}, exact: new(big.Rat)}
		m.accounts[tenant][terms] = a
	}
	return a
}

// invoices rounds what was charged.
func (m *meter) invoices() {
	for _, tenant := range slices.Sorted(maps.Keys(m.accounts)) {
		inv := Invoice{Tenant: tenant, Exact: new(big.Rat)}
		for _, terms := range slices.Sorted(maps.Keys(m.accounts[tenant])) {
			a := m.accounts[tenant][terms]
			line := Line{Terms: &m.record.InForce[terms], Exact: a.exact}
			line.Unpriced = line.Terms.Prices == nil
			for _, name := range slices.Sorted(maps.Keys(a.used)) {
				line.Usage = append(line.Usage, Used{name, a.used[name]})
			}
			inv.Lines = append(inv.Lines, line)
			inv.Exact.Add(inv.Exact, a.exact)
		}
		inv.round()
		m.bill.Invoices = append(m.bill.Invoices, inv)
	}
}

// round sets the units of an invoice and of its lines.
func (inv *Invoice) round() {
	floor := func(x *big.Rat) (units *big.Int, lost *big.Rat) {
		scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt64(UnitsPerCredit))
		units = new(big.Int).Div(scaled.Num(), scaled.Denom())
		return units, scaled.Sub(scaled, new(big.Rat).SetInt(units))
	}
	inv.Units, _ = floor(inv.Exact)
	missing := new(big.Int).Set(inv.Units)
	lost := make([]*big.Rat, len(inv.Lines))
	order := make([]int, len(inv.Lines))
	for i := range inv.Lines {
		inv.Lines[i].Units, lost[i] = floor(inv.Lines[i].Exact)
		missing.Sub(missing, inv.Lines[i].Units)
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return lost[b].Cmp(lost[a]) })
	for _, i := range order[:missing.Int64()] { // less than one a line
		inv.Lines[i].Units.Add(inv.Lines[i].Units, big.NewInt(1))
	}
}

package dataplane

import (
	"fmt"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

// A Color is what a meter says of a packet.
type Color uint8

// Colors, as v1model numbers them.
const (
	Green Color = iota
	Yellow
	Red
)

// Rates are the parameters of a two-rate three-color marker (RFC 2698): what may be sent a second, and at once, in packets or
// bytes as the meter's unit is. The peak must not be below the committed rate.
type Rates struct {
	Committed, CommittedBurst uint64
	Peak, PeakBurst           uint64
}

// Metered is how many packets, and bytes, a meter cell has given each color.
type Metered [3]Count

// meterCell is one marker, color-blind. Its tokens are counted in millionths, so that a whole microsecond adds a whole number.
type meterCell struct {
	mu     sync.Mutex
	set    bool
	rates  Rates
	tokens [2]uint64 // committed, peak
	since  uint64    // microseconds
	counts [3]cell
}

// scale is how many parts a token has.
const scale = 1_000_000

// scaled is v tokens, or as many as there can be.
func scaled(v uint64) uint64 {
	hi, lo := bits.Mul64(v, scale)
	if hi != 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return lo
}

// fill adds what rate gives in us microseconds, up to burst.
func fill(tokens, rate, burst, us uint64) uint64 {
	hi, lo := bits.Mul64(rate, us)
	full := scaled(burst)
	if hi != 0 || lo > math.MaxInt64 || tokens+lo > full {
		return full
	}
	return tokens + lo
}

// mark colors a packet of that many bytes: section 3 of RFC 2698. A cell without rates colors everything green.
func (m *meterCell) mark(now uint64, bytes int, perByte bool) Color {
	need := uint64(scale)
	if perByte {
		need = uint64(bytes) * scale
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	color := Green
	if m.set {
		if now > m.since {
			us := now - m.since
			m.tokens[0] = fill(m.tokens[0], m.rates.Committed, m.rates.CommittedBurst, us)
			m.tokens[1] = fill(m.tokens[1], m.rates.Peak, m.rates.PeakBurst, us)
			m.since = now
		}
		switch {
		case m.tokens[1] < need:
			color = Red
		case m.tokens[0] < need:
			color = Yellow
			m.tokens[1] -= need
		default:
			m.tokens[0] -= need
			m.tokens[1] -= need
		}
	}
	m.counts[color].add(bytes)
	return color
}

// configure sets the rates, and fills both buckets; nil takes the rates away.
func (m *meterCell) configure(now uint64, r *Rates) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.set = r != nil; !m.set {
		m.rates = Rates{}
		return
	}
	m.rates, m.since = *r, now
	m.tokens = [2]uint64{scaled(r.CommittedBurst), scaled(r.PeakBurst)}
}

func (m *meterCell) config() (Rates, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rates, m.set
}

func (m *meterCell) metered() (v Metered) {
	for i := range v {
		v[i] = m.counts[i].load()
	}
	return v
}

func (m *meterCell) setMetered(v Metered) {
	for i := range v {
		m.counts[i].store(v[i])
	}
}

// Check refuses rates that RFC 2698 has no meaning for.
func (r Rates) Check() error {
	if r.Peak < r.Committed {
		return fmt.Errorf("peak rate %d below the committed rate %d: %w", r.Peak, r.Committed, ErrRange)
	}
	return nil
}

// A Meter is an array of markers. Its methods are safe for concurrent use.
type Meter struct {
	Name    string // in the P4Info
	Size    int    // cells
	PerByte bool   // meters bytes, else packets

	cells []meterCell
	clock func() uint64
	stray atomic.Uint64
}

func newMeter(name string, size int, perByte bool, clock func() uint64) *Meter {
	return &Meter{Name: name, Size: size, PerByte: perByte, cells: make([]meterCell, size), clock: clock}
}

// Stray counts packets that asked for an index at or past the end. Their color is green.
func (m *Meter) Stray() uint64 { return m.stray.Load() }

func (m *Meter) cell(i int) (*meterCell, error) {
	if i < 0 || i >= m.Size {
		return nil, fmt.Errorf("meter %s has %d cells, and no cell %d: %w", m.Name, m.Size, i, ErrRange)
	}
	return &m.cells[i], nil
}

// Rates returns the rates of cell i; set is false if it has none, and colors everything green.
func (m *Meter) Rates(i int) (r Rates, set bool, err error) {
	c, err := m.cell(i)
	if err != nil {
		return Rates{}, false, err
	}
	r, set = c.config()
	return r, set, nil
}

// SetRates sets the rates of cell i and fills its buckets; nil takes them away.
func (m *Meter) SetRates(i int, r *Rates) error {
	c, err := m.cell(i)
	if err != nil {
		return err
	}
	if r != nil {
		if err := r.Check(); err != nil {
			return fmt.Errorf("meter %s: %w", m.Name, err)
		}
	}
	c.configure(m.clock(), r)
	return nil
}

// Metered returns what cell i has counted.
func (m *Meter) Metered(i int) (Metered, error) {
	c, err := m.cell(i)
	if err != nil {
		return Metered{}, err
	}
	return c.metered(), nil
}

// SetMetered sets the counts of cell i.
func (m *Meter) SetMetered(i int, v Metered) error {
	c, err := m.cell(i)
	if err != nil {
		return err
	}
	c.setMetered(v)
	return nil
}

// mark is a packet's execute_meter.
func (m *Meter) mark(i uint64, bytes int) Color {
	if i >= uint64(m.Size) {
		m.stray.Add(1)
		return Green
	}
	return m.cells[i].mark(m.clock(), bytes, m.PerByte)
}

// A DirectMeter meters per table entry: every packet that hits the entry, whether its action reads the color or not.
type DirectMeter struct {
	Name    string // in the P4Info
	PerByte bool
	table   *Table
}

package alloc

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/specs"
)

// Array names one stage array.
type Array struct {
	Control specs.Control
	Stage   int
}

func (a Array) String() string { return fmt.Sprintf("%s/%d", a.Control, a.Stage) }

// Compare orders arrays as packets meet them: ingress before egress, then by stage.
func (a Array) Compare(b Array) int {
	if a.Control != b.Control {
		if a.Control == specs.Ingress {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Stage, b.Stage)
}

// Register is a tenant's virtual register as the allocator sees it. A tenant has at most one in a stage array.
type Register struct {
	Array
	Min, Max int64 // slots, 0 <= Min <= Max, Max >= 1
	Elastic  bool  // else its size is Max, always
	Fold     bool  // sizes are powers of two, or 0
}

// LeastSlots is the smallest memory that a tenant is given, when it is given any (NetVRM's donors keep as much).
const LeastSlots = 16

// A Rung is one choice of sizes for all of a tenant's registers.
type Rung struct {
	// Memory is the unit that strategies count in: the size of the tenant's largest elastic register, in slots; 0 for none.
	Memory int64
	// Sizes are in the order of Ladder.Registers, in slots.
	Sizes []int64
}

// A Ladder lists the sizes that a tenant's registers may have, smallest first. All elastic registers keep the same proportion of
// their maxima, as far as their minima allow, because a program uses them with the same index.
type Ladder struct {
	Registers []Register // sorted by array
	Rungs     []Rung     // at least one; sizes never fall
}

// NewLadder builds the ladder: memory doubles from rung to rung.
func NewLadder(registers []Register) (Ladder, error) {
	l := Ladder{Registers: slices.Clone(registers)}
	slices.SortFunc(l.Registers, func(a, b Register) int { return a.Array.Compare(b.Array) })
	var most int64
	for i, r := range l.Registers {
		if i > 0 && r.Array == l.Registers[i-1].Array {
			return Ladder{}, fmt.Errorf("two registers in stage array %v", r.Array)
		}
		if r.Max < 1 || r.Min < 0 || r.Min > r.Max || r.Max > 1<<specs.SizeBits-1 {
			return Ladder{}, fmt.Errorf("register in %v: bounds %d..%d", r.Array, r.Min, r.Max)
		}
		if !r.Elastic && r.Fold && r.Max&(r.Max-1) != 0 {
			return Ladder{}, fmt.Errorf("register in %v: folded and inelastic with %d slots, which is no power of two", r.Array, r.Max)
		}
		if !r.Elastic {
			continue
		}
		if r.Fold {
			r.Min, r.Max = roundUp(r.Min), roundDown(r.Max)
			if r.Min > r.Max {
				return Ladder{}, fmt.Errorf("register in %v: no power of two in its bounds", r.Array)
			}
			l.Registers[i] = r
		}
		most = max(most, r.Max)
	}
	add := func(memory int64) {
		sizes := make([]int64, len(l.Registers))
		for i, r := range l.Registers {
			sizes[i] = r.size(memory, most)
		}
		if n := len(l.Rungs); n > 0 && slices.Equal(l.Rungs[n-1].Sizes, sizes) {
			return
		}
		var lead int64
		for i, r := range l.Registers {
			if r.Elastic {
				lead = max(lead, sizes[i])
			}
		}
		l.Rungs = append(l.Rungs, Rung{Memory: lead, Sizes: sizes})
	}
	add(0)
	if most > 0 {
		for m := int64(LeastSlots); m < most; m *= 2 {
			add(m)
		}
		add(most)
	}
	return l, nil
}

// size is the register's at a rung of the given memory, when the largest of the tenant's elastic registers has most at most.
func (r Register) size(memory, most int64) int64 {
	if !r.Elastic {
		return r.Max
	}
	hi, lo := bits.Mul64(uint64(memory), uint64(r.Max))
	s, _ := bits.Div64(hi, lo, uint64(most)) // memory <= most, so it fits
	size := int64(s)
	if r.Fold {
		size = roundDown(size)
	}
	return min(max(size, r.Min), r.Max)
}

// roundDown is the largest power of two that is at most n, and 0 for 0.
func roundDown(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return 1 << (bits.Len64(uint64(n)) - 1)
}

func roundUp(n int64) int64 {
	if d := roundDown(n); d != n {
		return d * 2
	}
	return n
}

// Size is the register's in a at the rung, 0 where the tenant has none.
func (l Ladder) Size(a Array, rung int) int64 {
	for i, r := range l.Registers {
		if r.Array == a {
			return l.Rungs[rung].Sizes[i]
		}
	}
	return 0
}

// Level is the highest rung that fits into sizes register by register, and 0 if none does.
func (l Ladder) Level(sizes map[Array]int64) int {
	level := 0
	for i, rung := range l.Rungs {
		fits := true
		for j, r := range l.Registers {
			fits = fits && sizes[r.Array] >= rung.Sizes[j]
		}
		if fits {
			level = i
		}
	}
	return level
}

// Elastic says that there is something to choose.
func (l Ladder) Elastic() bool { return len(l.Rungs) > 1 }

// LadderOf is the ladder of a tenant of a linked program.
func LadderOf(t *manifest.Tenant) (Ladder, error) {
	var regs []Register
	for _, r := range t.Registers {
		regs = append(regs, Register{
			Array: Array{r.Control, r.Stage}, Min: r.Min, Max: r.Max, Elastic: r.Elastic, Fold: r.Fold,
		})
	}
	l, err := NewLadder(regs)
	if err != nil {
		return Ladder{}, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	return l, nil
}

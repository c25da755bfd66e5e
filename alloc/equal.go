package alloc

// EqualAll gives every tenant the same part of what inelastic registers leave of each stage array, down to a rung: the array
// divided by For, however many tenants there are (NetVRM's static baseline).
type EqualAll struct {
	For int // 0: the number of tenants of the problem
}

// Name implements Strategy.
func (EqualAll) Name() string { return "equal-all" }

// Allocate implements Strategy.
func (e EqualAll) Allocate(p *Problem) ([]Choice, error) {
	return equal(p, func(*Presence) bool { return true }, e.For)
}

// EqualActive gives every tenant that had traffic the same part, and the others their floor. Without any traffic all are equal.
type EqualActive struct{}

// Name implements Strategy.
func (EqualActive) Name() string { return "equal-active" }

// Allocate implements Strategy.
func (EqualActive) Allocate(p *Problem) ([]Choice, error) {
	any := false
	for i := range p.Tenants {
		for j := range p.Tenants[i].On {
			any = any || p.Tenants[i].On[j].Packets > 0
		}
	}
	return equal(p, func(pr *Presence) bool { return !any || pr.New || pr.Unknown || pr.Packets > 0 }, 0)
}

// equal divides each array among the elastic registers in it of the presences that count; divisor, when not 0, replaces their number.
func equal(p *Problem, counts func(*Presence) bool, divisor int) ([]Choice, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	type place struct {
		sw int
		a  Array
	}
	number, left := map[place]int64{}, map[place]int64{}
	for s, c := range p.Switches {
		for a, n := range c {
			left[place{s, a}] = n
		}
	}
	for i := range p.Tenants {
		for j := range p.Tenants[i].On {
			pr := &p.Tenants[i].On[j]
			for _, reg := range pr.Ladder.Registers {
				switch at := (place{pr.Switch, reg.Array}); {
				case !reg.Elastic:
					left[at] -= reg.Max
				case counts(pr):
					number[at]++
				}
			}
		}
	}
	r, levels := newRoom(p), make([][]int, len(p.Tenants))
	for i := range p.Tenants {
		levels[i] = make([]int, len(p.Tenants[i].On))
		for j := range p.Tenants[i].On {
			pr := &p.Tenants[i].On[j]
			level := pr.Floor
			if counts(pr) {
				for k := pr.Floor + 1; k <= pr.Ceiling; k++ {
					fits := true
					for x, reg := range pr.Ladder.Registers {
						at := place{pr.Switch, reg.Array}
						n := number[at]
						if divisor > 0 {
							n = int64(divisor)
						}
						fits = fits && (!reg.Elastic || pr.Ladder.Rungs[k].Sizes[x] <= left[at]/max(n, 1))
					}
					if fits {
						level = k
					}
				}
			}
			levels[i][j] = level
			r.set(pr, -1, level)
		}
	}
	if err := settle(p, r, levels); err != nil {
		return nil, err
	}
	return choices(p, levels), nil
}

func choices(p *Problem, levels [][]int) []Choice {
	out := make([]Choice, len(p.Tenants))
	for i := range p.Tenants {
		out[i].Levels = levels[i]
		for j := range levels[i] {
			pr := &p.Tenants[i].On[j]
			out[i].Granted = out[i].Granted || pr.New || levels[i][j] > pr.Level
		}
	}
	return out
}

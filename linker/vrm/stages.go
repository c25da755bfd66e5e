package vrm

import "sort"

// stages puts the control's registers in an order in which every path visits them, earliest declaration first where there is a
// choice.
func (w *walker) stages() {
	var left []*Register
	for r := range w.seen {
		left = append(left, r)
	}
	sort.Slice(left, func(i, j int) bool { return before(left[i], left[j]) })
	for stage := 0; len(left) > 0; stage++ {
		pick := -1
		for i, r := range left {
			if !w.follows(r, left) {
				pick = i
				break
			}
		}
		if pick < 0 {
			w.cycle(left)
			return
		}
		left[pick].Stage = stage
		left = append(left[:pick], left[pick+1:]...)
	}
}

func before(a, b *Register) bool {
	if a.Pos().File != b.Pos().File {
		return a.Pos().File < b.Pos().File
	}
	return a.Pos().Before(b.Pos())
}

// follows says whether r must come after one of the others.
func (w *walker) follows(r *Register, others []*Register) bool {
	for _, o := range others {
		if _, ok := w.order[o][r]; ok {
			return true
		}
	}
	return false
}

// cycle reports registers that no order of stages serves.
func (w *walker) cycle(left []*Register) {
	for _, a := range left {
		for _, b := range left {
			there, ok1 := w.order[a][b]
			back, ok2 := w.order[b][a]
			if ok1 && ok2 && before(a, b) {
				w.p.errorf(back, "register %s is accessed after %s here and before it at %s; a packet passes the stages in one direction", a.Name, b.Name, there)
				return
			}
		}
	}
	w.p.errorf(left[0].Pos(), "register %s and %d others are accessed in an order that no sequence of stages has", left[0].Name, len(left)-1)
}

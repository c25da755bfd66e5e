package plan

import (
	"fmt"
	"strconv"

	"github.com/interlock/interlock/verify"
)

// sums is a text about numbers of the plan in the making: comparisons that must all hold. There are many of them in a large plan, so
// they are written as they stand: a chain (< 0 32 64) says that each number is less than the next.
//
// Such texts have no guard: they assume nothing. With numbers, a solver only has to compare.
type sums struct {
	text    []byte
	numbers int
}

func (s *sums) empty() bool { return s.numbers == 0 }

// note is a comment on what follows.
func (s *sums) note(format string, args ...any) {
	s.begin()
	s.text = append(fmt.Appendf(append(s.text, "; "...), format, args...), '\n')
}

func (s *sums) begin() {
	if s.text == nil {
		s.text = append(s.text, "(set-logic "+groundLogic+")\n(assert (not (and true\n"...)
	}
}

// chain says that each number is less than the next, or not greater.
func (s *sums) chain(op string, ns []int64) {
	s.begin()
	s.text = append(append(s.text, '('), op...)
	for _, n := range ns {
		s.text = append(s.text, ' ')
		if n < 0 {
			s.text = append(strconv.AppendUint(append(s.text, "(- "...), uint64(-n), 10), ')')
		} else {
			s.text = strconv.AppendInt(s.text, n, 10)
		}
	}
	s.text = append(s.text, ")\n"...)
	s.numbers += len(ns)
}

func (s *sums) obligation(property, id, subject string) verify.Obligation {
	return verify.Obligation{
		ID: property + "/" + id, Property: property, Subject: subject, Logic: groundLogic, Text: string(s.text) + ")))\n(check-sat)\n",
	}
}

package policy

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Coverage says which expressions of a policy were evaluated, and which rules were seen to hold and not to hold.
type Coverage struct {
	seen map[*Expression]*outcomes
}

type outcomes struct{ holds, fails, other bool }

func (c *Coverage) note(e *Expression, v ref.Val) {
	if c.seen == nil {
		c.seen = map[*Expression]*outcomes{}
	}
	o := c.seen[e]
	if o == nil {
		o = &outcomes{}
		c.seen[e] = o
	}
	switch v {
	case types.True:
		o.holds = true
	case types.False:
		o.fails = true
	default:
		o.other = true
	}
}

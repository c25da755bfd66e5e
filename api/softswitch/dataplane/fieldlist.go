package dataplane

import (
	"math/big"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// inFieldList tells whether a field has @field_list(..., list, ...). A number there is a literal, a constant of the top level or a
// member of an enum: anything else is refused, since a list that is not understood would silently preserve nothing.
func (c *compiler) inFieldList(f *syntax.Field, list int) bool {
	found := false
	for _, a := range f.Annotations {
		if a.Name != "field_list" {
			continue
		}
		for _, e := range a.Exprs {
			n, ok := c.constInt(e)
			if !ok {
				unsupported(a, "@field_list of what is no constant number")
			}
			found = found || n == int64(list)
		}
		for body := a.Body; len(body) > 0; {
			var one []string
			for len(body) > 0 && body[0].Text != "," {
				one, body = append(one, body[0].Text), body[1:]
			}
			body = body[min(1, len(body)):]
			n, ok := c.annotationNumber(a, one)
			if !ok {
				unsupported(a, "@field_list(%s): want a number, a constant of the top level or a member of an enum", strings.Join(one, ""))
			}
			found = found || n.IsInt64() && n.Int64() == int64(list)
		}
	}
	return found
}

// annotationNumber is the number that the words of an unstructured annotation stand for.
func (c *compiler) annotationNumber(at syntax.Node, words []string) (*big.Int, bool) {
	switch len(words) {
	case 1:
		text := words[0]
		if text != "" && '0' <= text[0] && text[0] <= '9' {
			if _, value, sized := strings.Cut(text, "w"); sized {
				text = value
			}
			return new(big.Int).SetString(text, 0)
		}
		if o := c.declared(text); o != nil && o.Kind == types.ConstObject {
			return c.valueNumber(at, o.Value, o.Type)
		}
	case 3:
		if o := c.declared(words[0]); words[1] == "." && o != nil && o.Kind == types.TypeObject {
			return c.valueNumber(at, types.EnumValue{Type: o.Type, Member: words[2]}, o.Type)
		}
	}
	return nil, false
}

// declared is the constant or type of the top level that has a name.
func (c *compiler) declared(name string) *types.Object {
	for id, o := range c.info.Defs {
		if id.Name == name && o != nil && o.Parent == nil && (o.Kind == types.ConstObject || o.Kind == types.TypeObject) {
			return o
		}
	}
	return nil
}

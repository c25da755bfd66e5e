package policy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sort"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Resources are amounts by resource name. An absent resource is 0.
type Resources map[string]int64

// space is the set of resources of one allocation, sorted: every amounts value of the allocation is a vector over it.
type space struct {
	names []string
	index map[string]int
}

func newSpace(capacity Resources) *space {
	s := &space{index: map[string]int{}}
	for n := range capacity {
		s.names = append(s.names, n)
	}
	sort.Strings(s.names)
	for i, n := range s.names {
		s.index[n] = i
	}
	return s
}

// vector lays r out over s. A resource that the target does not have is an error unless its amount is 0.
func (s *space) vector(r Resources) ([]int64, error) {
	v := make([]int64, len(s.names))
	for _, n := range slices.Sorted(maps.Keys(r)) {
		x := r[n]
		if x < 0 {
			return nil, fmt.Errorf("resource %q: amount %d is negative", n, x)
		}
		i, ok := s.index[n]
		if !ok {
			if x == 0 {
				continue
			}
			return nil, fmt.Errorf("resource %q is not one that the switch has", n)
		}
		v[i] = x
	}
	return v, nil
}

func (s *space) resources(v []int64) Resources {
	r := make(Resources, len(v))
	for i, x := range v {
		if x != 0 {
			r[s.names[i]] = x
		}
	}
	return r
}

// amounts is the CEL value of a map(string, int) over all resources of a space, in the order of their names, so that every
// resource can be looked up in it and iteration is deterministic. It must not change while an expression can see it.
type amounts struct {
	s *space
	v []int64
}

// toResources reads a CEL map(string, int).
func toResources(v ref.Val) (Resources, error) {
	m, ok := v.(traits.Mapper)
	if !ok {
		return nil, fmt.Errorf("something that is not a map(string, int)")
	}
	r := Resources{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		x, _ := m.Find(k)
		n, isInt := x.(types.Int)
		name, isString := k.(types.String)
		if !isInt || !isString {
			return nil, fmt.Errorf("something that is not a map(string, int)")
		}
		r[string(name)] = int64(n)
	}
	return r, nil
}

var amountsType = types.NewMapType(types.StringType, types.IntType)

var _ traits.Mapper = amounts{}

// Find implements traits.Mapper.
func (a amounts) Find(key ref.Val) (ref.Val, bool) {
	k, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	i, ok := a.s.index[string(k)]
	if !ok {
		return nil, false
	}
	return types.Int(a.v[i]), true
}

// Get implements traits.Indexer.
func (a amounts) Get(key ref.Val) ref.Val {
	if v, ok := a.Find(key); ok {
		return v
	}
	return types.NewErr("no such resource: %v", key.Value())
}

// Contains implements traits.Container.
func (a amounts) Contains(key ref.Val) ref.Val {
	_, ok := a.Find(key)
	return types.Bool(ok)
}

// Size implements traits.Sizer.
func (a amounts) Size() ref.Val { return types.Int(len(a.v)) }

// Iterator implements traits.Iterable: the names, sorted.
func (a amounts) Iterator() traits.Iterator { return &namesIterator{names: a.s.names} }

// Equal implements ref.Val.
func (a amounts) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Mapper)
	if !ok || o.Size() != a.Size() {
		return types.False
	}
	for i, n := range a.s.names {
		v, found := o.Find(types.String(n))
		if !found || v.Equal(types.Int(a.v[i])) != types.True {
			return types.False
		}
	}
	return types.True
}

// ConvertToNative implements ref.Val.
func (a amounts) ConvertToNative(t reflect.Type) (any, error) {
	if t == reflect.TypeFor[Resources]() {
		return a.s.resources(a.v), nil
	}
	return nil, fmt.Errorf("no conversion of amounts to %v", t)
}

// ConvertToType implements ref.Val.
func (a amounts) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return a
	case types.TypeType:
		return types.MapType
	}
	return types.NewErr("no conversion of amounts to %s", t.TypeName())
}

// Type implements ref.Val.
func (a amounts) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (a amounts) Value() any { return a }

// namesIterator goes through names in their order.
type namesIterator struct {
	names []string
	i     int
}

func (it *namesIterator) HasNext() ref.Val { return types.Bool(it.i < len(it.names)) }

func (it *namesIterator) Next() ref.Val {
	it.i++
	return types.String(it.names[it.i-1])
}

func (it *namesIterator) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator has no native form")
}

func (it *namesIterator) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("no conversion of an iterator to %s", t.TypeName())
}
func (it *namesIterator) Equal(other ref.Val) ref.Val { return types.Bool(other == it) }
func (it *namesIterator) Type() ref.Type              { return types.IteratorType }
func (it *namesIterator) Value() any                  { return nil }

func zero(v []int64) bool {
	for _, x := range v {
		if x != 0 {
			return false
		}
	}
	return true
}

// add adds v to sum; false on overflow. Amounts are not negative.
func add(sum, v []int64) bool {
	for i, x := range v {
		if sum[i]+x < sum[i] {
			return false
		}
		sum[i] += x
	}
	return true
}

func sumOf(quanta [][]int64, n int) []int64 {
	sum := make([]int64, n)
	for _, q := range quanta {
		add(sum, q)
	}
	return sum
}

// covers says that v is at least w throughout.
func covers(v, w []int64) bool {
	for i := range w {
		if v[i] < w[i] {
			return false
		}
	}
	return true
}

func equal(v, w []int64) bool {
	for i := range w {
		if v[i] != w[i] {
			return false
		}
	}
	return true
}

package policy

import (
	"math"
	"math/big"
	"testing"

	"github.com/google/cel-go/common/types"
	"pgregory.net/rapid"
)

// dominantOf compares in 128 bits; the twin compares big numbers, one resource after the other.
func TestDominantShareTwin(t *testing.T) {
	amount := rapid.OneOf(rapid.Int64Range(0, 10), rapid.Int64Range(math.MaxInt64-10, math.MaxInt64), rapid.Int64Range(0, math.MaxInt64))
	rapid.Check(t, func(t *rapid.T) {
		s := newSpace(Resources{"a": 1, "b": 1, "c": 1})
		usage, capacity := amounts{s, make([]int64, 3)}, amounts{s, make([]int64, 3)}
		want := new(big.Rat)
		for i := range 3 {
			usage.v[i], capacity.v[i] = amount.Draw(t, "usage"), max(1, amount.Draw(t, "capacity"))
			if r := big.NewRat(usage.v[i], capacity.v[i]); r.Cmp(want) > 0 {
				want = r
			}
		}
		have, ok := dominantShare(usage, capacity).(Ratio)
		if !ok || have.rat().Cmp(want) != 0 {
			t.Fatalf("have %v, want %v", have, want)
		}
		// The same over plain CEL maps.
		plain := func(a amounts) any { return map[string]int64{"a": a.v[0], "b": a.v[1], "c": a.v[2]} }
		adapt := types.DefaultTypeAdapter.NativeToValue
		have, ok = dominantShare(adapt(plain(usage)), adapt(plain(capacity))).(Ratio)
		if !ok || have.rat().Cmp(want) != 0 {
			t.Fatalf("maps: have %v, want %v", have, want)
		}
	})
}

func TestParseRatio(t *testing.T) {
	tests := []struct{ in, want string }{
		{"1/3", "1/3"},
		{"2/4", "1/2"},
		{"0.25", "1/4"},
		{"0.98", "49/50"},
		{"-1", "-1"},
		{"7", "7"},
		{"1e3", ""},
		{"", ""},
		{"1/0", ""},
		{"nan", ""},
		{"0x10", ""},
		{"1/2/3", ""},
		{"1_0", ""},
	}
	for _, tt := range tests {
		r, err := ParseRatio(tt.in)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%q: accepted as %s", tt.in, r)
		case tt.want != "" && (err != nil || r.String() != tt.want):
			t.Errorf("%q: have %s, %v", tt.in, r, err)
		}
	}
}

// Digits cannot grow without bound, whatever an expression multiplies.
func TestRatioBits(t *testing.T) {
	x := Ratio{big.NewRat(math.MaxInt64, 1)}
	for range 100 {
		v := x.Multiply(x)
		if types.IsError(v) {
			return
		}
		x = v.(Ratio)
	}
	t.Fatal("a hundred squarings went through")
}

package plan

import (
	"math/rand/v2"
	"slices"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// What an encoder remembers changes nothing: after plans for two switches whose entries come and go, in any order, and whose tenants change,
// it says what one says that has seen no plan before.
func TestMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	e := NewEncoder(2)
	crowds := []*crowd{newCrowd(t, 6, 3), newCrowd(t, 9, 12)}
	read := 0
	for n := range 60 {
		w := crowds[r.IntN(2)]
		for range r.IntN(4) {
			k := model.Key{Control: []specs.Control{specs.Ingress, specs.Egress}[r.IntN(2)], VID: w.tenants[r.IntN(len(w.tenants))]}
			if _, there := w.state[k]; there {
				delete(w.state, k)
			} else {
				w.state[k] = make(model.Entry, crowdStages[k.Control])
			}
		}
		in := w.next(r.IntN(3))
		in.Switch = []string{"s1", "s2", "s3"}[min(r.IntN(20), 2)]
		if r.IntN(4) == 0 {
			in.PreState = mixed(t, r, in.PreState)
		}
		if r.IntN(4) == 0 {
			in.Tenants = append(slices.Clone(in.Tenants), Tenant{Name: "more", VID: uint16(1 + r.IntN(3))})
		}
		if r.IntN(8) == 0 {
			in.PreState = in.PreState[:len(in.PreState)-1]
		}
		if r.IntN(8) == 0 && len(in.Goal) > 1 {
			r.Shuffle(len(in.Goal), func(i, j int) { in.Goal[i], in.Goal[j] = in.Goal[j], in.Goal[i] })
		}
		have, err := e.Obligations(in)
		want, wantErr := Obligations(in)
		switch {
		case (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error():
			t.Fatalf("plan %d: %v, without memory: %v", n, err, wantErr)
		case !slices.Equal(have, want):
			t.Fatalf("plan %d: other obligations than without memory", n)
		case err == nil:
			read++
		}
	}
	if read < 30 {
		t.Errorf("%d plans could be read", read)
	}
}

// mixed is a pre-state in another order.
func mixed(t *testing.T, r *rand.Rand, pre []byte) []byte {
	var m p4v1.ReadResponse
	if err := proto.Unmarshal(pre, &m); err != nil {
		t.Fatal(err)
	}
	r.Shuffle(len(m.Entities), func(i, j int) { m.Entities[i], m.Entities[j] = m.Entities[j], m.Entities[i] })
	return marshal(&m)
}

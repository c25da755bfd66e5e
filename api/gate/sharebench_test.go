package gate_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/api/gate"
	sharingpolicy "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
)

// BenchmarkShare is what a policy costs that is asked at every epoch, for 64 tenants with two registers each on twelve stages, when balances change
// in each: to settle and ask (ask), to decide it with Z3 and cel-go (prove), and to have it durably in the ledger (publish).
func BenchmarkShare(b *testing.B) {
	for _, name := range []string{"credits", "pay-as-you-go"} {
		b.Run(name, func(b *testing.B) {
			text, _ := specs.Policy(name)
			text = bytes.Replace(text, []byte("default: false"), []byte("default: true"), 1) // prepaid
			p, err := sharingpolicy.Parse(name, text)
			if err != nil {
				b.Fatal(err)
			}
			live := many(b, p, 64)
			r := newSlots(b)
			measured := make([]alloc.Measured, 64)
			var parts [3]time.Duration
			n := 0
			for b.Loop() {
				for i := range measured { // some are idle, others in the next epoch
					measured[i] = alloc.Measured{Sample: alloc.Sample{Packets: int64((i + n) % 3), Hits: 0}, Held: map[alloc.Array]int64{
						{Control: specs.Ingress, Stage: i % 12}: 1024, {Control: specs.Ingress, Stage: (i + 1) % 12}: 1024,
					}}
				}
				n++
				begun := time.Now()
				lap := func(i int) { parts[i] += time.Since(begun); begun = time.Now() }
				live.Note([][]alloc.Measured{measured})
				s, err := live.Ask(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				lap(0)
				if s == nil {
					continue
				}
				proof, err := gate.ProveAdmission(b.Context(), solver(b, "z3"), s.Admission, []string{"z3"}, time.Now())
				if err != nil {
					b.Fatal(err)
				}
				lap(1)
				if _, _, err := gate.PublishShare(b.Context(), r.log, s.Admission, proof, nil, "test", time.Now()); err != nil {
					b.Fatal(err)
				}
				lap(2)
				live.Accept(s)
			}
			for i, part := range []string{"ask", "prove", "publish"} {
				b.ReportMetric(parts[i].Seconds()*1e3/float64(b.N), part+"-ms/op")
			}
		})
	}
}

func many(t testing.TB, p *sharingpolicy.Policy, n int) *sharing.Live {
	t.Helper()
	capacity := alloc.Capacity{}
	for s := range 12 {
		capacity[alloc.Array{Control: specs.Ingress, Stage: s}] = 65536
	}
	thousand, err := sharingpolicy.NewRatio(1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var tenants []alloc.Tenant
	for i := range n {
		l, err := alloc.NewLadder([]alloc.Register{
			{Array: alloc.Array{Control: specs.Ingress, Stage: i % 12}, Min: 64, Max: 8192, Elastic: true, Fold: true},
			{Array: alloc.Array{Control: specs.Ingress, Stage: (i + 1) % 12}, Min: 64, Max: 8192, Elastic: true, Fold: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		tenants = append(tenants, alloc.Tenant{Name: fmt.Sprintf("t%02d", i), VID: uint16(i + 1), Weight: 1, Budget: 1000, Balance: thousand, Ladder: l})
	}
	site := sharing.One(tenants, capacity)
	shares, err := site.Ask(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return &sharing.Live{Policy: p, Site: site, Shares: shares}
}

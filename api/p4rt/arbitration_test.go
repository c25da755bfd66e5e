package p4rt

import (
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// A controller that reads nothing takes up a bounded amount of memory, and learns in the end what came last.
func TestQueueIsBounded(t *testing.T) {
	s := NewStream[struct{}]()
	note := func(id uint64) *p4v1.StreamMessageResponse {
		return &p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Arbitration{
			Arbitration: &p4v1.MasterArbitrationUpdate{ElectionId: &p4v1.Uint128{Low: id}},
		}}
	}
	for i := range uint64(3 * maxQueue) {
		if !s.Post(note(i), false) {
			t.Fatal("refused")
		}
	}
	if s.Post(note(0), true) {
		t.Error("a droppable message is taken")
	}
	q := s.take()
	if len(q) != maxQueue || q[maxQueue-1].GetArbitration().GetElectionId().GetLow() != 3*maxQueue-1 {
		t.Errorf("%d messages wait, the last is %v", len(q), q[len(q)-1])
	}
}

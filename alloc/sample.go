package alloc

// Reading is what a switch's counters of one tenant said at some time. They only grow until they wrap or are reset.
type Reading struct {
	Packets int64 `json:"packets"` // that asked for register memory
	Hits    int64 `json:"hits"`    // that it served
}

// Sample is one tenant's traffic on one switch in one epoch.
type Sample struct {
	Packets int64 `json:"packets"`
	Hits    int64 `json:"hits"`
	// Discarded says why the readings are not used; then Packets and Hits are 0.
	Discarded string `json:"discarded,omitempty"`
}

// Reasons to discard a sample.
const (
	WentBack    = "a counter went back: it wrapped or was reset"
	MoreHits    = "more hits than packets"
	FirstOfAll  = "no earlier reading"
	NotReadable = "a counter is negative"
)

// Difference is what happened between two readings. A counter that went back, or hits that exceed packets, make it unusable.
func Difference(before, after Reading) Sample {
	if before.Packets < 0 || before.Hits < 0 || after.Packets < 0 || after.Hits < 0 {
		return Sample{Discarded: NotReadable}
	}
	if after.Packets < before.Packets || after.Hits < before.Hits {
		return Sample{Discarded: WentBack}
	}
	s := Sample{Packets: after.Packets - before.Packets, Hits: after.Hits - before.Hits}
	if s.Hits > s.Packets {
		return Sample{Discarded: MoreHits}
	}
	return s
}

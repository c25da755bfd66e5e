package softswitch

import (
	"fmt"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// ports knows which ports are down. It is safe for concurrent use.
type ports struct {
	mu   sync.RWMutex
	down map[uint16]bool
}

func (p *ports) isDown(port uint16) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.down[port]
}

// set tells whether that is a change.
func (p *ports) set(port uint16, down bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down[port] == down {
		return false
	}
	if p.down == nil {
		p.down = map[uint16]bool{}
	}
	p.down[port] = down
	return true
}

// SetPort says whether a port has a link; every port has until it is said otherwise. A port without one takes part in no choice
// of a selector whose member watches it, and is replaced by its backup in multicast groups and clone sessions; packets that are
// sent to it nevertheless are lost.
func (s *Switch) SetPort(port uint16, up bool) error {
	if port > dataplane.MaxPort {
		return fmt.Errorf("port %d: ports are 0 to %d", port, dataplane.MaxPort)
	}
	s.control.Lock()
	defer s.control.Unlock()
	if !s.links.set(port, !up) {
		return nil
	}
	for _, p := range []*program{s.active, s.saved} {
		if p != nil {
			p.watchPorts()
			p.chooseReplicas()
		}
	}
	return nil
}

// decodePort reads a port as a byte string.
func decodePort(b []byte) (uint16, error) {
	var w [1]uint64
	if err := decodeBits(b, 16, w[:]); err != nil || w[0] > dataplane.MaxPort {
		return 0, status.Errorf(codes.InvalidArgument, "there is no port %#x: ports are 0 to %d", b, dataplane.MaxPort)
	}
	return uint16(w[0]), nil
}

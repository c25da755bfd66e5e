package softswitch

import (
	"errors"
	"fmt"
	"io"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4/types"
)

// LoadChecked installs a program that was parsed and checked already, without a controller. Its text cannot be read back. The
// error is syntax.Diagnostics or a *dataplane.Error with positions.
func (s *Switch) LoadChecked(info *types.Info) error {
	p, err := programOf(info, nil, s.environment())
	if err != nil {
		return err
	}
	s.control.Lock()
	defer s.control.Unlock()
	s.install(p)
	return nil
}

// Apply carries out updates one after the other, as a primary controller's, up to the first that cannot be.
func (s *Switch) Apply(updates []*p4v1.Update) error {
	s.control.Lock()
	defer s.control.Unlock()
	p := s.program()
	if p == nil {
		return ErrNoProgram
	}
	for i, u := range updates {
		if _, err := p.update(u.GetType(), u.GetEntity(), false); err != nil {
			return fmt.Errorf("update %d: %s", i+1, status.Convert(err).Message())
		}
	}
	return nil
}

// Trace runs a packet as Process does and tells every step of its way. The oracle may be nil.
func (s *Switch) Trace(port uint16, pkt []byte, o *dataplane.Oracle) (*dataplane.Trace, error) {
	s.inside.RLock()
	defer s.inside.RUnlock()
	s.lane.Lock()
	defer s.lane.Unlock()
	if s.active == nil {
		return nil, ErrNoProgram
	}
	return s.active.pipe.Trace(port, pkt, o)
}

// ReadPcap reads the packets of a pcap file, at most limit.
func ReadPcap(r io.Reader, limit int) ([][]byte, error) {
	p, err := newPcapReader(r)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(all) < limit {
		pkt, _, err := p.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Clone(pkt))
	}
	return all, nil
}

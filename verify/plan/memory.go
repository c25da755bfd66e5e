package plan

import (
	"bytes"
	"slices"

	"github.com/interlock/interlock/verify/plan/model"
)

// memory is what an Encoder knows from earlier plans. Nothing that is proved depends on it: what is taken from it is what would be read again
// from the same bytes.
type memory struct {
	texts  *texts
	state  *preState
	roster *roster
}

// preState is a pre-state that was read. The next plan's has most of its entries, byte for byte.
type preState struct {
	bytes    []byte
	entities []entity
	tables   *tables
}

// entity of a pre-state.
type entity struct {
	bytes []byte
	key   model.Key
	entry model.Entry
}

// known looks for an entity that was read before, at the place where the one before it was. It returns nil if this one has to be read.
func (p *preState) known(b []byte, next *int) *entity {
	if p == nil {
		return nil
	}
	for i := *next; i < min(*next+2, len(p.entities)); i++ { // one may be gone
		if e := &p.entities[i]; bytes.Equal(e.bytes, b) {
			*next = i + 1
			return e
		}
	}
	return nil
}

// pass goes on past an entity that had to be read, supposing that they are in order. If they are not, those that follow have to be read.
func (p *preState) pass(k model.Key, next *int) {
	if p == nil {
		return
	}
	i := *next
	for i < len(p.entities) && (p.entities[i].key.Control != k.Control || p.entities[i].key.VID < k.VID) {
		i++
	}
	if i < len(p.entities) && p.entities[i].key == k {
		i++
	}
	*next = i
}

// roster are the tenants of a site.
type roster struct {
	tenants  []Tenant
	vids     []model.VID // of each
	names    map[model.VID]string
	position [maxVID + 1]int32 // of a VID in vids, from 1 on; the first if it is there twice
}

// has says whether the roster is of these tenants.
func (r *roster) has(ts []Tenant) bool { return r != nil && slices.Equal(r.tenants, ts) }

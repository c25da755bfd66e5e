package traffic

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/interlock/interlock/linker/manifest"
)

// ForSite is the default scenario for the tenants of a linked program. kinds says what traffic a tenant has, by its name; a tenant that
// it does not name has none. Virtual port 1 is the near side and 2 the far side; of a tenant with translated addresses the
// lowest virtual one is the server and the others are clients, and packets carry their physical ones.
func ForSite(m *manifest.Manifest, kinds map[string]Kind, seed uint64, d time.Duration, rate float64) (Spec, error) {
	spec := Spec{Seed: seed}
	for i := range m.Tenants {
		t := &m.Tenants[i]
		kind, ok := kinds[t.Name]
		if !ok {
			continue
		}
		near, ok1 := t.Ports[1]
		far, ok2 := t.Ports[2]
		if !ok1 || !ok2 {
			return Spec{}, fmt.Errorf("traffic for tenant %s: it has no virtual ports 1 and 2", t.Name)
		}
		hosts, err := hostsOf(t)
		if err != nil {
			return Spec{}, fmt.Errorf("traffic for tenant %s: %w", t.Name, err)
		}
		spec.Tenants = append(spec.Tenants, Default(Tenant{Name: t.Name, VID: t.VID, Kind: kind, Near: near, Far: far, Hosts: hosts}, d, rate))
	}
	for name := range kinds {
		if m.Tenant(name) == nil {
			return Spec{}, fmt.Errorf("traffic for tenant %s: site %s has no such tenant", name, m.Site)
		}
	}
	return spec, spec.check()
}

func hostsOf(t *manifest.Tenant) (Hosts, error) {
	if len(t.Addresses) < 2 {
		return Hosts{
			Near: []netip.Addr{netip.AddrFrom4([4]byte{10, 1, 0, 0})},
			Far:  netip.AddrFrom4([4]byte{10, 2, 0, 0}),
		}, nil
	}
	var virtual []netip.Addr
	physical := map[netip.Addr]netip.Addr{}
	for v, p := range t.Addresses {
		a, err := netip.ParseAddr(v)
		if err != nil {
			return Hosts{}, err
		}
		b, err := netip.ParseAddr(p)
		if err != nil {
			return Hosts{}, err
		}
		virtual, physical[a] = append(virtual, a), b
	}
	slices.SortFunc(virtual, netip.Addr.Compare)
	h := Hosts{Far: physical[virtual[0]]}
	for _, v := range virtual[1:] {
		h.Near = append(h.Near, physical[v])
	}
	return h, nil
}

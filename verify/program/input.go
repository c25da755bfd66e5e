package program

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"

	"github.com/interlock/interlock/specs"
)

// Input is everything a proof about a linked program rests on: the obligations are a pure function of it.
type Input struct {
	// Linked is the text of linked.p4, as it will be compiled or loaded.
	Linked []byte `json:"linked"`
	// Tenants registered at the site, with the physical ports that are admitted for them.
	Tenants []Tenant `json:"tenants"`
	// Parser is how far the target's parser gets with one packet. Without it (zero) P9 is not checked.
	Parser specs.ParserBound `json:"parser"`
	// P4Info is linked.p4info.txtpb, Ownership what manifest.json says of who owns what (OwnershipOf), and Sources are the tenants' own programs
	// by their names, each as one text that includes nothing but core.p4 and v1model.p4. What the gate installs comes with them (Whole); a
	// program that is only to be looked into may come without.
	P4Info    []byte            `json:"p4info,omitempty"`
	Ownership []byte            `json:"ownership,omitempty"`
	Sources   map[string][]byte `json:"sources,omitempty"`
}

// Whole returns nil if there is everything that the properties of a program to be installed are about, else what is missing.
func (in *Input) Whole() error {
	switch {
	case in.P4Info == nil:
		return fmt.Errorf("P12 cannot be shown without %s", P4InfoName)
	case in.Ownership == nil:
		return fmt.Errorf("P12 cannot be shown without %s", ManifestName)
	case in.Sources == nil:
		return errors.New("P12 cannot be shown without the tenants' own programs")
	}
	return nil
}

// Tenant as registered.
type Tenant struct {
	Name  string   `json:"name"`
	VID   uint16   `json:"vid"`
	Ports []uint16 `json:"ports"` // physical
	// Virtual are the ports as the tenant numbers them, and Addresses the site's IPv4 addresses in place of the tenant's: virtual, physical.
	Virtual   map[uint16]uint16 `json:"virtual,omitempty"`
	Addresses map[string]string `json:"addresses,omitempty"`
}

// tenantName is what a tenant's name may be; tenantPrefix finds one at the start of an object's name.
var (
	tenantName   = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)
	tenantPrefix = regexp.MustCompile(`^([a-z][a-z0-9]{0,15})__`)
)

// check refuses inputs that the properties have no meaning for.
func (in *Input) check() error {
	if p := in.Parser; p != (specs.ParserBound{}) && (p.States < 1 || p.Bytes < 1) {
		return fmt.Errorf("a parser's bound of %v: both are at least 1", p)
	}
	names, vids := map[string]bool{}, map[uint16]string{}
	for _, t := range in.Tenants {
		switch {
		case !tenantName.MatchString(t.Name) || t.Name == "il":
			return fmt.Errorf("tenant %q: a name is a letter and up to 15 letters or digits", t.Name)
		case names[t.Name]:
			return fmt.Errorf("tenant %s is registered twice", t.Name)
		case t.VID < 1 || t.VID > 4094:
			return fmt.Errorf("tenant %s: VID %d is not in 1..4094", t.Name, t.VID)
		case vids[t.VID] != "":
			return fmt.Errorf("tenant %s: VID %d is registered for tenant %s", t.Name, t.VID, vids[t.VID])
		}
		names[t.Name], vids[t.VID] = true, t.Name
		for _, p := range t.Ports {
			if p >= specs.CPUPort {
				return fmt.Errorf("tenant %s: port %d is no front port (0..%d)", t.Name, p, specs.CPUPort-1)
			}
		}
		if t.Virtual == nil && in.Ownership == nil && in.Sources == nil {
			continue
		}
		for v, p := range t.Virtual {
			if !slices.Contains(t.Ports, p) {
				return fmt.Errorf("tenant %s: virtual port %d is port %d, which is none of its ports %v", t.Name, v, p, t.Ports)
			}
		}
		for _, p := range t.Ports {
			if !slices.Contains(slices.Collect(maps.Values(t.Virtual)), p) {
				return fmt.Errorf("tenant %s: port %d has no virtual number", t.Name, p)
			}
		}
	}
	files := []bool{in.P4Info != nil, in.Ownership != nil, in.Sources != nil}
	if slices.Contains(files, true) && slices.Contains(files, false) {
		return fmt.Errorf("%s, %s and the tenants' own programs come together or not at all", P4InfoName, ManifestName)
	}
	for name := range in.Sources {
		if !names[name] {
			return fmt.Errorf("a program of %q, who is not registered", name)
		}
	}
	for _, t := range in.Tenants {
		if _, ok := in.Sources[t.Name]; in.Sources != nil && !ok {
			return fmt.Errorf("the program of tenant %s is not there", t.Name)
		}
	}
	return nil
}

// tenants returns the tenants by name, so that the order in which they were given changes no obligation.
func (in *Input) tenants() []Tenant {
	ts := append([]Tenant(nil), in.Tenants...)
	sort.Slice(ts, func(i, j int) bool { return ts[i].Name < ts[j].Name })
	for i := range ts {
		ports := append([]uint16(nil), ts[i].Ports...)
		sort.Slice(ports, func(a, b int) bool { return ports[a] < ports[b] })
		ts[i].Ports = ports
	}
	return ts
}

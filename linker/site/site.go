// Package site reads the file in which an operator describes a site: the switches, the policy, the solvers, and the tenants with
// their tags, the switches that they are on, ports, addresses and memory.
//
// It promises that nothing is guessed: unknown fields, duplicates, wrong types and values out of range are all reported, each
// with file, line, column and the path of the field. What needs a tenant's program (do its registers exist, does it have an IPv4
// header to translate) is the linker's to check; positions of fields are kept for that.
package site

import (
	_ "embed"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
)

// Version and kind of the format.
const (
	APIVersion = "interlock/v1alpha1"
	Kind       = "Site"
)

// Schema is the JSON Schema of a site file, for editors.
//
//go:embed schema.json
var Schema []byte

// Limits of a site.
const (
	MinVID     = 1
	MaxVID     = 4094
	MaxTenants = 255
	// MaxPort is the highest port, virtual or physical, that packets of tenants can use: 510 is the controller's, 511 means drop.
	MaxPort = specs.CPUPort - 1
)

// Drivers of a switch.
const (
	DriverSoftswitch = "softswitch" // the embedded switch
	DriverP4Runtime  = "p4runtime"  // any P4Runtime server
)

// Site is a checked site file.
type Site struct {
	Path   string // of the file, as given
	Source []byte // its text

	Name     string
	Switches []Switch // in the file's order, each with a name of its own
	// Switch is the one that this is a view of (On); Load and Parse view the only switch of a site that has one. Of a site with several
	// it is the zero Switch, and tenants have neither ports nor memory, until On says which switch is meant.
	Switch Switch
	Policy string // "builtin:NAME" or a path, relative to the site's file
	// PolicyParams are values for the policy's parameters, a mapping that the policy reads; absent: the policy's own.
	PolicyParams strictyaml.Node
	Solvers      []Solver
	Ledger       Ledger
	Allocation   Allocation
	Tenants      []Tenant // in the file's order; of a view, those that are on its switch

	positions map[string]position
	places    map[string]string // of a view: where in the file its fields stand, by their paths in the view
}

// Switch that the tenants share.
type Switch struct {
	Name     string
	Target   string // name of a target profile
	Driver   string
	Address  string // host:port of its P4Runtime server
	DeviceID uint64
	Ports    []uint16 // physical ports in use
	Slots    int64    // of each stage array; 0: what the target has
	TLS      *TLS     // nil: the connection is neither encrypted nor authenticated
}

// TLS of the connection to a switch: files in PEM, relative to the site's file.
type TLS struct {
	CA         string // who vouches for the switch; empty: the machine's own certificate authorities
	Cert, Key  string // what the operator shows to the switch (mTLS); both or none
	ServerName string // in the switch's certificate; empty: the address's host
}

// Solver that must agree to every proof, or may.
type Solver struct {
	Name     string
	Path     string // of the binary; empty: found by name
	Required bool
}

// Ledger is where the verification log is.
type Ledger struct {
	Dir string // relative to the site's file
}

// Allocation of register memory.
type Allocation struct {
	Strategy string
	Epoch    string // a duration such as 1s, as written
}

// Tenant of the site.
type Tenant struct {
	Name      string
	VID       uint16
	Program   string // path, relative to the site's file
	On        []Presence
	Ports     map[uint16]uint16         // virtual: physical, on the view's switch
	Addresses map[netip.Addr]netip.Addr // virtual: physical, the same on every switch; empty: not translated
	Memory    map[string]Bounds         // by register, on the view's switch
	Target    *big.Rat                  // utility target in [0,1]
	Weight    int64
	Budget    int64        // credits an epoch, for policies with prices
	Balance   policy.Ratio // credits in the beginning, for policies that settle balances
}

// Presence is a tenant on one switch.
type Presence struct {
	Switch string
	Ports  map[uint16]uint16 // virtual: physical
	Memory map[string]Bounds // by register: the tenant's, and in their place what is said for this switch

	memoryAt map[string]string // where in the file the bounds of a register stand
	portsAt  string
}

// Bounds narrow what a register may get, in slots; 0 leaves the program's own bound.
type Bounds struct {
	Min, Max int64
}

// Error is one problem of a site file.
type Error = strictyaml.Error

// Errors are all problems of a site file, by position.
type Errors = strictyaml.Errors

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)

// reserved are the P4-16 keywords that a tenant's name could be; it becomes a field's name in the linked program.
var reserved = map[string]bool{
	"abstract": true, "action": true, "actions": true, "apply": true, "bit": true, "bool": true, "break": true, "const": true,
	"continue": true, "control": true, "default": true, "else": true, "entries": true, "enum": true, "error": true,
	"exit": true, "extern": true, "false": true, "for": true, "header": true, "if": true, "in": true, "inout": true,
	"int": true, "key": true, "list": true, "out": true, "package": true, "parser": true, "priority": true, "return": true,
	"select": true, "state": true, "string": true, "struct": true, "switch": true, "table": true, "this": true,
	"transition": true, "true": true, "tuple": true, "type": true, "typedef": true, "varbit": true, "void": true,
}

// Load reads and checks a site file. The error is of type Errors unless the file cannot be read.
func Load(path string) (*Site, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read site: %w", err)
	}
	return Parse(path, src)
}

// Parse checks the text of a site file.
func Parse(path string, src []byte) (*Site, error) {
	doc, root := strictyaml.ParseLarge(path, src)
	r := &reader{site: &Site{Path: path, Source: src, positions: map[string]position{}}, paths: map[position]string{}}
	r.root(root)
	if err := doc.Err(); err != nil {
		return nil, r.withPaths(err)
	}
	if len(r.site.Switches) == 1 {
		return r.site.On(r.site.Switches[0].Name), nil
	}
	return r.site, nil
}

// Resolve returns a path of the site file as seen from the working directory.
func (s *Site) Resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.Path), path)
}

// On is the site as one of its switches sees it: that switch, and the tenants that are on it, with their ports and memory there.
// It is nil if the site has no switch of that name.
func (s *Site) On(name string) *Site {
	i := slices.IndexFunc(s.Switches, func(sw Switch) bool { return sw.Name == name })
	if i < 0 {
		return nil
	}
	v := *s
	v.Switch, v.Tenants, v.places = s.Switches[i], nil, map[string]string{"switches[0]": fmt.Sprintf("switches[%d]", i)}
	for j, t := range s.Tenants {
		k := slices.IndexFunc(t.On, func(p Presence) bool { return p.Switch == name })
		if k < 0 {
			continue
		}
		path := fmt.Sprintf("tenants[%d]", len(v.Tenants))
		v.places[path], v.places[path+".ports"] = fmt.Sprintf("tenants[%d]", j), t.On[k].portsAt
		for register, at := range t.On[k].memoryAt {
			v.places[path+".memory."+register] = at
		}
		t.Ports, t.Memory = t.On[k].Ports, t.On[k].Memory
		v.Tenants = append(v.Tenants, t)
	}
	return &v
}

// Errorf is an error at a field, given as in "tenants[1].memory.cache"; of a view, "switches[0]" is its switch, and tenants are counted as
// the view lists them.
func (s *Site) Errorf(path, format string, args ...any) error {
	for prefix := path; prefix != ""; prefix = prefix[:max(strings.LastIndexByte(prefix, '.'), 0)] {
		if at, ok := s.places[prefix]; ok {
			path = at + path[len(prefix):]
			break
		}
	}
	p := s.positions[path]
	return &Error{File: s.Path, Line: p.line, Col: p.col, Msg: path + ": " + fmt.Sprintf(format, args...)}
}

// Tenant returns the tenant of that name, or nil.
func (s *Site) Tenant(name string) *Tenant {
	for i := range s.Tenants {
		if s.Tenants[i].Name == name {
			return &s.Tenants[i]
		}
	}
	return nil
}

// parsePort reads a port number of a mapping's key.
func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > MaxPort || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%q is not a port between 0 and %d", s, MaxPort)
	}
	return uint16(n), nil
}

// parseDecimal reads a decimal number between 0 and 1 exactly.
func parseDecimal(s string) (*big.Rat, error) {
	if !decimalPattern.MatchString(s) {
		return nil, fmt.Errorf("%q is not a decimal number such as \"0.95\"", s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		return nil, fmt.Errorf("%s is not between 0 and 1", s)
	}
	return r, nil
}

var decimalPattern = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,18})?$`)

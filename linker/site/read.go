package site

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

type position struct{ line, col int }

// reader walks the document and notes where each field stands.
type reader struct {
	site     *Site
	paths    map[position]string
	switches []strictyaml.Node
}

// note remembers the path of a value, so that every error about it can name it.
func (r *reader) note(n strictyaml.Node, path string) strictyaml.Node {
	if n.Present() {
		p := position{n.Line(), n.Col()}
		r.site.positions[path] = p
		if _, ok := r.paths[p]; !ok || path != "" {
			r.paths[p] = path
		}
	}
	return n
}

// withPaths puts the path of the field before the message of each problem that stands at one.
func (r *reader) withPaths(err error) error {
	var list Errors
	if !errors.As(err, &list) {
		return err
	}
	out := make(Errors, len(list))
	for i, e := range list {
		c := *e
		if p := r.paths[position{e.Line, e.Col}]; p != "" {
			c.Msg = p + ": " + c.Msg
		}
		out[i] = &c
	}
	return out
}

// fields reads a mapping at path and notes its members.
func (r *reader) fields(n strictyaml.Node, path string, required []string, optional ...string) map[string]strictyaml.Node {
	out := n.Fields(required, optional...)
	for k, v := range out {
		r.note(v, join(path, k))
	}
	return out
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

func (r *reader) list(n strictyaml.Node, path string) []strictyaml.Node {
	out := n.List()
	for i, v := range out {
		r.note(v, fmt.Sprintf("%s[%d]", path, i))
	}
	return out
}

func (r *reader) root(n strictyaml.Node) {
	if !n.Present() {
		return
	}
	f := r.fields(n, "", []string{"apiVersion", "kind", "metadata", "policy", "solvers", "ledger", "switches", "tenants"}, "allocation", "policyParams")
	f["apiVersion"].OneOf(APIVersion)
	f["kind"].OneOf(Kind)
	m := r.fields(f["metadata"], "metadata", []string{"name"})
	r.site.Name = r.nonEmpty(m["name"])
	r.site.Policy = r.nonEmpty(f["policy"])
	r.site.PolicyParams = f["policyParams"]
	r.solvers(f["solvers"])
	r.site.Ledger.Dir = r.nonEmpty(r.fields(f["ledger"], "ledger", []string{"dir"})["dir"])
	r.allocation(f["allocation"])
	r.switchList(f["switches"])
	r.tenants(f["tenants"])
}

func (r *reader) nonEmpty(n strictyaml.Node) string {
	s := n.String()
	if n.Present() && strings.TrimSpace(s) == "" {
		n.Errorf("must not be empty")
	}
	return s
}

func (r *reader) name(n strictyaml.Node) string {
	s := n.String()
	switch {
	case !n.Present():
	case !namePattern.MatchString(s):
		n.Errorf("%q is not a name: a lower-case letter, then at most 15 lower-case letters and digits", s)
	case reserved[s]:
		n.Errorf("%q is a P4 keyword; choose another name", s)
	}
	return s
}

func (r *reader) solvers(n strictyaml.Node) {
	seen := map[string]bool{}
	required := false
	for i, s := range r.list(n, "solvers") {
		f := r.fields(s, fmt.Sprintf("solvers[%d]", i), []string{"name"}, "path", "required")
		v := Solver{Name: r.nonEmpty(f["name"]), Path: f["path"].String(), Required: true}
		if f["required"].Present() {
			v.Required = f["required"].Bool()
		}
		if seen[v.Name] {
			f["name"].Errorf("solver %q is already listed", v.Name)
		}
		seen[v.Name] = true
		required = required || v.Required
		r.site.Solvers = append(r.site.Solvers, v)
	}
	if n.Present() && !required {
		n.Errorf("no solver is required; nothing would be proved")
	}
}

func (r *reader) allocation(n strictyaml.Node) {
	r.site.Allocation = Allocation{Strategy: "netvrm", Epoch: "1s"}
	if !n.Present() {
		return
	}
	f := r.fields(n, "allocation", nil, "strategy", "epoch")
	if f["strategy"].Present() {
		r.site.Allocation.Strategy = f["strategy"].OneOf("netvrm", "equal-all", "equal-active")
	}
	if e := f["epoch"]; e.Present() {
		r.site.Allocation.Epoch = e.String()
		if d, err := time.ParseDuration(e.String()); err != nil || d < 10*time.Millisecond || d > time.Hour {
			e.Errorf("%q is not a duration between 10ms and 1h", e.String())
		}
	}
}

func (r *reader) tls(n strictyaml.Node, path string) *TLS {
	f := r.fields(n, path, nil, "ca", "cert", "key", "serverName")
	optional := func(name string) string {
		if !f[name].Present() {
			return ""
		}
		return r.nonEmpty(f[name])
	}
	t := &TLS{CA: optional("ca"), Cert: optional("cert"), Key: optional("key"), ServerName: optional("serverName")}
	if (t.Cert == "") != (t.Key == "") {
		n.Errorf("a certificate needs its key, and a key its certificate")
	}
	return t
}

func (r *reader) switchList(n strictyaml.Node) {
	list := r.list(n, "switches")
	r.switches = list
	if n.Present() && len(list) == 0 {
		n.Errorf("a site has a switch")
	}
	names, devices := map[string]bool{}, map[string]string{}
	for i, s := range list {
		path := fmt.Sprintf("switches[%d]", i)
		f := r.fields(s, path, []string{"name", "target", "driver", "address", "deviceId", "ports"}, "slots", "tls")
		sw := Switch{
			Name: r.name(f["name"]), Target: r.nonEmpty(f["target"]), Driver: f["driver"].OneOf(DriverSoftswitch, DriverP4Runtime),
			Address: f["address"].String(), DeviceID: uint64(f["deviceId"].Int(0, math.MaxInt64)),
		}
		if a := f["address"]; a.Present() {
			if _, port, err := net.SplitHostPort(sw.Address); err != nil || port == "" {
				a.Errorf("%q is not host:port", sw.Address)
			}
		}
		if names[sw.Name] {
			f["name"].Errorf("switch %q is already listed", sw.Name)
		}
		names[sw.Name] = true
		device := fmt.Sprintf("%s, device %d", sw.Address, sw.DeviceID)
		if other, ok := devices[device]; ok && f["address"].Present() && f["deviceId"].Present() {
			f["address"].Errorf("%s is switch %s already", device, other)
		}
		devices[device] = sw.Name
		seen := map[uint16]bool{}
		for _, p := range r.list(f["ports"], path+".ports") {
			port := uint16(p.Int(0, MaxPort))
			if seen[port] {
				p.Errorf("port %d is already listed", port)
			}
			seen[port] = true
			sw.Ports = append(sw.Ports, port)
		}
		if f["ports"].Present() && len(sw.Ports) == 0 {
			f["ports"].Errorf("a switch has ports")
		}
		if f["slots"].Present() {
			sw.Slots = f["slots"].Int(1, 1<<24-1)
		}
		if f["tls"].Present() {
			sw.TLS = r.tls(f["tls"], path+".tls")
		}
		r.site.Switches = append(r.site.Switches, sw)
	}
}

func (r *reader) tenants(n strictyaml.Node) {
	list := r.list(n, "tenants")
	if n.Present() && len(list) == 0 {
		n.Errorf("a site has tenants")
	}
	if len(list) > MaxTenants {
		n.Errorf("%d tenants; a linked program has at most %d", len(list), MaxTenants)
		return
	}
	if len(r.site.Switches) == 0 {
		return // what the tenants say cannot be held against anything
	}
	names, vids := map[string]bool{}, map[uint16]string{}
	physical := map[netip.Addr]bool{}
	for i, tn := range list {
		path := fmt.Sprintf("tenants[%d]", i)
		f := r.fields(tn, path, []string{"name", "vid", "program"}, "ports", "switches", "addresses", "memory", "utilityTarget", "weight", "budget", "balance")
		t := Tenant{Name: r.name(f["name"]), Program: r.nonEmpty(f["program"]), Weight: 1}
		if names[t.Name] {
			f["name"].Errorf("tenant %q is already listed", t.Name)
		}
		names[t.Name] = true
		if v := f["vid"]; v.Present() {
			t.VID = uint16(v.Int(MinVID, MaxVID))
			if other, ok := vids[t.VID]; ok {
				v.Errorf("VID %d is already that of tenant %s", t.VID, other)
			}
			vids[t.VID] = t.Name
		}
		t.Addresses = r.addresses(f["addresses"], path+".addresses", physical)
		t.On = r.presences(tn, f["ports"], f["switches"], r.memory(f["memory"], path+".memory"), path)
		if u := f["utilityTarget"]; u.Present() {
			target, err := parseDecimal(u.String())
			if err != nil {
				u.Errorf("%v", err)
			}
			t.Target = target
		}
		if f["weight"].Present() {
			t.Weight = f["weight"].Int(1, 1_000_000)
		}
		if f["budget"].Present() {
			t.Budget = f["budget"].Int(0, math.MaxInt64)
		}
		if b := f["balance"]; b.Present() {
			balance, err := policy.ParseRatio(b.Text())
			if err != nil {
				b.Errorf("%v", err)
			}
			t.Balance = balance
		}
		r.site.Tenants = append(r.site.Tenants, t)
	}
	for i, sw := range r.site.Switches {
		used := slices.ContainsFunc(r.site.Tenants, func(t Tenant) bool {
			return slices.ContainsFunc(t.On, func(p Presence) bool { return p.Switch == sw.Name })
		})
		if !used && len(r.site.Switches) > 1 {
			r.switches[i].Errorf("no tenant is on switch %s", sw.Name)
		}
	}
}

// presences are the switches that a tenant is on: the only one of the site, if the tenant says its ports itself, or those under
// switches. memory holds where nothing else is said for a switch.
func (r *reader) presences(tenant, ports, switches strictyaml.Node, memory map[string]Bounds, path string) []Presence {
	at := map[string]string{}
	for register := range memory {
		at[register] = join(path+".memory", register)
	}
	switch {
	case ports.Present() && switches.Present():
		ports.Errorf("ports are said here or under switches, not both")
		return nil
	case ports.Present() && len(r.site.Switches) > 1:
		ports.Errorf("the site has %d switches: say under switches on which of them the tenant is, with its ports there", len(r.site.Switches))
		return nil
	case ports.Present():
		sw := &r.site.Switches[0]
		return []Presence{{Switch: sw.Name, Ports: r.ports(ports, path+".ports", sw), Memory: memory, memoryAt: at, portsAt: path + ".ports"}}
	case !switches.Present():
		tenant.Errorf(`field "ports" is missing, or "switches" where the site has several`)
		return nil
	}
	var out []Presence
	for _, e := range switches.Entries() {
		p := join(path+".switches", e.Key)
		r.note(e.Value, p)
		i := slices.IndexFunc(r.site.Switches, func(s Switch) bool { return s.Name == e.Key })
		if i < 0 {
			e.At.Errorf("%s: the site has no switch %q", path+".switches", e.Key)
			continue
		}
		f := r.fields(e.Value, p, []string{"ports"}, "memory")
		on := Presence{
			Switch: e.Key, Ports: r.ports(f["ports"], p+".ports", &r.site.Switches[i]),
			Memory: maps.Clone(memory), memoryAt: maps.Clone(at), portsAt: p + ".ports",
		}
		for register, b := range r.memory(f["memory"], p+".memory") {
			on.Memory[register], on.memoryAt[register] = b, join(p+".memory", register)
		}
		out = append(out, on)
	}
	if len(out) == 0 {
		switches.Errorf("a tenant is on a switch")
	}
	slices.SortFunc(out, func(a, b Presence) int {
		order := func(name string) int {
			return slices.IndexFunc(r.site.Switches, func(s Switch) bool { return s.Name == name })
		}
		return order(a.Switch) - order(b.Switch)
	})
	return out
}

func (r *reader) ports(n strictyaml.Node, path string, sw *Switch) map[uint16]uint16 {
	out := map[uint16]uint16{}
	used := map[uint16]bool{}
	known := map[uint16]bool{}
	for _, p := range sw.Ports {
		known[p] = true
	}
	for _, e := range n.Entries() {
		r.note(e.Value, join(path, e.Key))
		virtual, err := parsePort(e.Key)
		if err != nil {
			e.At.Errorf("%s: virtual port: %v", path, err)
			continue
		}
		phys := uint16(e.Value.Int(0, MaxPort))
		switch {
		case used[phys]:
			e.Value.Errorf("physical port %d already has a virtual port", phys)
		case len(known) > 0 && !known[phys]:
			e.Value.Errorf("switch %s has no port %d", sw.Name, phys)
		}
		used[phys] = true
		out[virtual] = phys
	}
	if n.Present() && len(out) == 0 {
		n.Errorf("a tenant has ports")
	}
	return out
}

func (r *reader) addresses(n strictyaml.Node, path string, taken map[netip.Addr]bool) map[netip.Addr]netip.Addr {
	out := map[netip.Addr]netip.Addr{}
	for _, e := range n.Entries() {
		r.note(e.Value, join(path, e.Key))
		virtual, err := netip.ParseAddr(e.Key)
		if err != nil || !virtual.Is4() {
			e.At.Errorf("%s: %q is not an IPv4 address", path, e.Key)
			continue
		}
		s := e.Value.String()
		phys, err := netip.ParseAddr(s)
		switch {
		case err != nil || !phys.Is4():
			e.Value.Errorf("%q is not an IPv4 address", s)
			continue
		case taken[phys]:
			e.Value.Errorf("physical address %s is already in use", phys)
		}
		taken[phys] = true
		out[virtual] = phys
	}
	return out
}

func (r *reader) memory(n strictyaml.Node, path string) map[string]Bounds {
	out := map[string]Bounds{}
	for _, e := range n.Entries() {
		p := join(path, e.Key)
		r.note(e.Value, p)
		f := r.fields(e.Value, p, nil, "min", "max")
		var b Bounds
		if f["min"].Present() {
			b.Min = f["min"].Int(1, 1<<24-1)
		}
		if f["max"].Present() {
			b.Max = f["max"].Int(1, 1<<24-1)
		}
		if b.Max > 0 && b.Min > b.Max {
			f["min"].Errorf("min %d is above max %d", b.Min, b.Max)
		}
		out[e.Key] = b
	}
	return out
}

package linker

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/template"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/rewrite"
	"github.com/interlock/interlock/linker/vrm"
	"github.com/interlock/interlock/specs"
)

// sandwich is what the system program's template is filled in with.
type sandwich struct {
	CPUPort, DropPort              int
	VLANEtherType, MarkerEtherType int
	TagTypes                       []uint16
	Ingress, Egress                []stage
	PageStages                     []int
	Admissions                     int // pairs of a tenant and a port
	Tenants                        []*filling
}

// stage is one stage array.
type stage struct {
	K     int
	Width int
	Slots int64
}

// filling is one tenant's part.
type filling struct {
	Name                                  string
	Index                                 int
	VID                                   uint16
	Headers, Metadata, Start              string
	Decls, ParserLocals, Zero, States     string
	Verify, Compute                       string
	Ports                                 []portPair
	Addresses                             []addressPair
	Ethernet                              ethernetShape
	IPv4                                  *ipv4Shape
	UDP, TCP                              *transportShape
	Emits                                 []string
	IngressType, IngressInstance          string
	EgressType, EgressInstance            string
	IngressMemory, EgressMemory           bool // the control takes the page-table entry
	IngressUtility, EgressUtility         string
	IngressGenerations, EgressGenerations []generation
}

type portPair struct{ Virtual, Physical uint16 }

type addressPair struct{ Virtual, Physical netip.Addr }

// generation is a metadata field that shows the generation of a stage's extent.
type generation struct {
	Tenant, Field string
	Stage         int
}

// text prints nodes one after the other.
func text[N syntax.Node](list []N) string {
	var b strings.Builder
	for _, n := range list {
		b.WriteString(syntax.PrintNode(n))
		b.WriteByte('\n')
	}
	return b.String()
}

// fill makes a tenant's part of the sandwich.
func (t *tenant) fill() *filling {
	locals, _ := t.parserLocals()
	f := &filling{
		Name: t.site.Name, Index: t.index, VID: t.site.VID,
		Headers: t.prefix + t.headers.Name, Metadata: t.prefix + t.metadata.Name, Start: t.prefix + "start",
		Decls: text(t.declarations()), ParserLocals: text(locals), Zero: text(t.enter()), States: text(t.states()),
		Verify: text(t.checksums(t.verify)), Compute: text(t.checksums(t.compute)),
		Ethernet: t.ethernet, IPv4: t.ipv4, UDP: t.udp, TCP: t.tcp, Emits: t.emits(),
		IngressType: t.prefix + t.ingress.Name.Name, IngressInstance: "il_ingress_" + t.site.Name,
		EgressType: t.prefix + t.egress.Name.Name, EgressInstance: "il_egress_" + t.site.Name,
		IngressMemory: t.registers.Uses(t.ingress), EgressMemory: t.registers.Uses(t.egress),
	}
	for v, p := range t.site.Ports {
		f.Ports = append(f.Ports, portPair{v, p})
	}
	slices.SortFunc(f.Ports, func(a, b portPair) int { return int(a.Virtual) - int(b.Virtual) })
	for v, p := range t.site.Addresses {
		f.Addresses = append(f.Addresses, addressPair{v, p})
	}
	slices.SortFunc(f.Addresses, func(a, b addressPair) int { return a.Virtual.Compare(b.Virtual) })
	for _, r := range t.registers.Registers {
		if g := r.Generation(); g != nil {
			gen := generation{t.site.Name, g.Field, r.Stage}
			if r.Control == specs.Ingress {
				f.IngressGenerations = append(f.IngressGenerations, gen)
			} else {
				f.EgressGenerations = append(f.EgressGenerations, gen)
			}
		}
	}
	// Hits are counted in the control that has the registers.
	if t.registers.UtilityPackets != nil {
		if len(t.registers.In(specs.Egress)) > 0 {
			f.EgressUtility = t.utility()
		} else if len(t.registers.In(specs.Ingress)) > 0 {
			f.IngressUtility = t.utility()
		}
	}
	return f
}

// utility makes the packet count as the tenant's own flags say.
func (t *tenant) utility() string {
	flag := func(f *vrm.Flag, set bool) syntax.Expr {
		e := rewrite.Path("meta", t.site.Name, f.Field)
		switch {
		case f.Bool && set:
			return e
		case f.Bool:
			return &syntax.Unary{Op: "!", X: e}
		case set:
			return rewrite.Binary(e, "==", rewrite.Int(1))
		}
		return rewrite.Binary(e, "==", rewrite.Int(0))
	}
	return text([]syntax.Stmt{
		rewrite.Assign(rewrite.Path("meta", "il_memory", "asked"), flag(t.registers.UtilityPackets, true)),
		rewrite.Assign(rewrite.Path("meta", "il_memory", "missed"), flag(t.registers.UtilityHits, false)),
	})
}

// build fills in the system program.
func build(tenants []*tenant, ingress, egress []stage) (string, error) {
	s := &sandwich{
		CPUPort: specs.CPUPort, DropPort: specs.DropPort,
		VLANEtherType: specs.VLANEtherType, MarkerEtherType: specs.MarkerEtherType, TagTypes: specs.TagTypes(),
		Ingress: ingress, Egress: egress,
	}
	for k := range max(len(ingress), len(egress)) {
		s.PageStages = append(s.PageStages, k)
	}
	for _, t := range tenants {
		f := t.fill()
		s.Admissions += len(f.Ports)
		s.Tenants = append(s.Tenants, f)
	}
	tmpl, err := template.New("system.p4").Funcs(functions).Parse(specs.SystemP4)
	if err != nil {
		return "", fmt.Errorf("system program: %w", err)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, s); err != nil {
		return "", fmt.Errorf("system program: %w", err)
	}
	return b.String(), nil
}

type pageArgs struct {
	Control string
	Stages  []stage
}

type dispatchArgs struct {
	Control    string
	Tenants    []*filling
	Admissions int
}

type halfArgs struct {
	Half   string // read or write
	Tenant *filling
}

type addressArgs struct {
	Half, Side, Field string
	Tenant            *filling
	Entries           []addressEntry
}

type addressEntry struct{ From, To netip.Addr }

// functions of the template: the arguments of its parts, and numbers.
var functions = template.FuncMap{
	"hex": func(v any) string { return fmt.Sprintf("0x%04x", v) },
	"hex32": func(a netip.Addr) string {
		b := a.As4()
		return fmt.Sprintf("0x%02x%02x%02x%02x", b[0], b[1], b[2], b[3])
	},
	"page":     func(control string, stages []stage) pageArgs { return pageArgs{control, stages} },
	"dispatch": func(control string, s *sandwich) dispatchArgs { return dispatchArgs{control, s.Tenants, s.Admissions} },
	"half":     func(half string, t *filling) halfArgs { return halfArgs{half, t} },
	"address": func(half, side string, t *filling) addressArgs {
		a := addressArgs{Half: half, Side: side, Field: t.IPv4.Src, Tenant: t}
		if side == "dst" {
			a.Field = t.IPv4.Dst
		}
		for _, p := range t.Addresses {
			e := addressEntry{p.Physical, p.Virtual}
			if half == "write" {
				e = addressEntry{p.Virtual, p.Physical}
			}
			a.Entries = append(a.Entries, e)
		}
		return a
	},
}

package linker

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/specs"
)

// describe writes the manifest.
func describe(s *site.Site, tenants []*tenant, ingress, egress []stage, out *Linked, res *Resources, policy string) *manifest.Manifest {
	m := &manifest.Manifest{
		APIVersion: manifest.APIVersion, Kind: manifest.Kind, Site: s.Name, Switch: s.Switch.Name, Target: s.Switch.Target,
		Digests: manifest.Digests{
			Linked: digestOf(out.P4), P4Info: digestOf(out.P4InfoTxt),
			Site: digestOf(s.Source), Policy: policy,
		},
	}
	for _, st := range ingress {
		m.StageArrays = append(m.StageArrays, manifest.StageArray{Control: specs.Ingress, Stage: st.K, Slots: st.Slots, Width: st.Width})
	}
	for _, st := range egress {
		m.StageArrays = append(m.StageArrays, manifest.StageArray{Control: specs.Egress, Stage: st.K, Slots: st.Slots, Width: st.Width})
	}
	for _, t := range tenants {
		mt := manifest.Tenant{
			Name: t.site.Name, VID: t.site.VID, Program: t.site.Program, Source: t.source, Names: t.objects,
			Ports: t.site.Ports, Addresses: addressText(t.site.Addresses),
			Usage: res.Tenants[t.site.Name], Grant: res.Entitled[t.site.Name], Weight: t.site.Weight, Target: decimal(t.site),
		}
		for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
			byStage := t.registers.In(c)
			for k := 0; k < len(byStage); k++ {
				for _, r := range byStage {
					if r.Stage == k {
						mt.Registers = append(mt.Registers, manifest.VirtualRegister{
							Name: r.Name, Control: c, Stage: r.Stage, Width: r.Width, Size: r.Declared,
							Elastic: r.Elastic, Fold: r.Fold, Group: r.Group, Min: r.Min, Max: r.Max,
						})
					}
				}
			}
		}
		m.Tenants = append(m.Tenants, mt)
	}
	return m
}

func addressText(m map[netip.Addr]netip.Addr) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := map[string]string{}
	for v, p := range m {
		out[v.String()] = p.String()
	}
	return out
}

// decimal writes the utility target as a decimal number; "0" if the site has none.
func decimal(t *site.Tenant) string {
	if t.Target == nil {
		return "0"
	}
	s := t.Target.FloatString(18)
	if s = strings.TrimRight(s, "0"); strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}

// checkNames checks that the map of names is what P4Info says: every tenant object in it maps back, and there is no other.
func checkNames(tenants []*tenant, p *p4configv1.P4Info) error {
	have := map[string]bool{}
	add := func(pre *p4configv1.Preamble) {
		if pre != nil {
			have[pre.Name] = true
		}
	}
	for _, x := range p.Tables {
		add(x.Preamble)
	}
	for _, x := range p.Actions {
		add(x.Preamble)
	}
	for _, x := range p.Counters {
		add(x.Preamble)
	}
	for _, x := range p.DirectCounters {
		add(x.Preamble)
	}
	for _, x := range p.Registers {
		add(x.Preamble)
	}
	for _, t := range tenants {
		for own, linked := range t.objects {
			if !have[linked] {
				delete(t.objects, own) // an action that no table uses has no place in P4Info
			}
		}
		known := map[string]bool{}
		for _, linked := range t.objects {
			known[linked] = true
		}
		for name := range have {
			if strings.HasPrefix(name, t.prefix) && !known[name] {
				return fmt.Errorf("the linked program has an object %s that tenant %s does not have; this is a defect of the linker", name, t.site.Name)
			}
		}
	}
	return nil
}

// withLines adds the source line to findings that do not have it.
func withLines(diags syntax.Diagnostics) {
	files := map[string][]string{}
	for i, d := range diags {
		if d.Line != "" || !d.Pos.IsValid() {
			continue
		}
		lines, ok := files[d.Pos.File]
		if !ok {
			if src, err := os.ReadFile(d.Pos.File); err == nil {
				lines = strings.Split(string(src), "\n")
			}
			files[d.Pos.File] = lines
		}
		if int(d.Pos.Line) <= len(lines) {
			diags[i].Line = strings.TrimRight(lines[d.Pos.Line-1], "\r")
		}
	}
}

// digestOf is a SHA-256 as manifests write it.
func digestOf(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

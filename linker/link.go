// Package linker merges the tenants' programs and the system program into one linked program (DESIGN.md, "Linking"): it refuses what
// tenants may not do, gives each tenant a namespace, surrounds their code with the system's read and write halves, and puts
// their registers behind page tables.
//
// It promises that the same inputs give the same bytes, and that every refusal names the construct and where it stands. It does not
// prove anything: what is safe about a linked program is shown by package verify/program, from the printed text alone.
package linker

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/linker/vrm"
	"github.com/interlock/interlock/specs"
)

// ErrRefused is in every error that says no to a well-formed program: it does what tenants may not do or what is not supported, or it
// uses more than it is entitled to or than the target has. Malformed input is an error without it.
var ErrRefused = errors.New("refused")

// Options of a link.
type Options struct {
	// Entitler decides what each tenant may use. It must be set; Unlimited gives every tenant the whole target.
	Entitler Entitler
	// Policy is the digest of the policy behind the Entitler, for the manifest.
	Policy string
}

// Linked is a linked program with what belongs to it.
type Linked struct {
	P4        []byte // linked.p4
	P4Info    *p4configv1.P4Info
	P4InfoTxt []byte // linked.p4info.txtpb: the same, as text
	Manifest  *manifest.Manifest
	Resources *Resources
	Info      *types.Info // of the printed text, parsed again
	// Sources are the tenants' own programs, by their names, each as one text that includes nothing but core.p4 and v1model.p4.
	Sources map[string][]byte
}

// Link links the tenants of a site. An error about a program is, or wraps, a syntax.Diagnostics.
func Link(ctx context.Context, s *site.Site, opt Options) (*Linked, error) {
	if opt.Entitler == nil {
		return nil, errors.New("link: no entitler")
	}
	target, err := resources.Load(s.Switch.Target)
	if err != nil {
		return nil, s.Errorf("switches[0].target", "%v", err)
	}
	tenants, err := load(s)
	if err != nil {
		return nil, err
	}
	if err := fits(tenants, target); err != nil {
		return nil, err
	}
	if err := narrow(s, tenants); err != nil {
		return nil, err
	}
	slots := target.Slots
	if s.Switch.Slots != 0 {
		if s.Switch.Slots > target.Slots {
			return nil, s.Errorf("switches[0].slots", "%d slots, but a stage array of target %s has at most %d", s.Switch.Slots, target.Name, target.Slots)
		}
		slots = s.Switch.Slots
	}
	ingress, egress, err := arrays(s, tenants, slots)
	if err != nil {
		return nil, err
	}
	text, err := build(tenants, ingress, egress)
	if err != nil {
		return nil, err
	}
	out, err := print(text)
	if err != nil {
		return nil, err
	}
	res, err := entitle(ctx, s, tenants, out.Info, target, opt.Entitler)
	if err != nil {
		return nil, err
	}
	if over := res.Linked.Exceeds(target.Capacity); len(over) > 0 {
		return nil, refuse(s.Errorf("switches[0].target", "the linked program does not fit target %s: %s", target.Name, excess(over, res.Linked, target.Capacity)))
	}
	out.Resources = res
	out.Sources = map[string][]byte{}
	for _, t := range tenants {
		out.Sources[t.site.Name] = t.single
	}
	out.Manifest = describe(s, tenants, ingress, egress, out, res, opt.Policy)
	if err := checkNames(tenants, out.P4Info); err != nil {
		return nil, err
	}
	return out, nil
}

func refuse(err error) error { return fmt.Errorf("%w: %w", ErrRefused, err) }

// load reads the tenants' programs. All problems of all of them are reported.
func load(s *site.Site) ([]*tenant, error) {
	var tenants []*tenant
	var diags syntax.Diagnostics
	for i := range s.Tenants {
		st := &s.Tenants[i]
		var others []string
		for j := range s.Tenants {
			if j != i {
				others = append(others, s.Tenants[j].Name)
			}
		}
		t := &tenant{
			site: st, path: fmt.Sprintf("tenants[%d]", i), index: i + 1, prefix: specs.TenantPrefix(st.Name),
			file: filepath.ToSlash(s.Resolve(st.Program)),
		}
		src, err := os.ReadFile(t.file)
		if err != nil {
			return nil, s.Errorf(t.path+".program", "%v", err)
		}
		t.load(src, others)
		diags = append(diags, t.diags...)
		if !t.diags.HasErrors() {
			if t.single, err = t.text(src); err != nil {
				return nil, err
			}
		}
		tenants = append(tenants, t)
	}
	if diags.HasErrors() {
		withLines(diags)
		for _, d := range diags {
			if d.Severity == syntax.Error && !isRefusal(d.Code) {
				return nil, diags
			}
		}
		return nil, refuse(diags)
	}
	for _, t := range tenants {
		if len(t.site.Addresses) > 0 && t.ipv4 == nil {
			return nil, s.Errorf(t.path+".addresses", "the program of tenant %s has no IPv4 header whose addresses could be translated", t.site.Name)
		}
	}
	return tenants, nil
}

// text is the program as one text: the file itself, unless it includes others.
func (t *tenant) text(src []byte) ([]byte, error) {
	if _, diags := syntax.Parse(t.file, src, syntax.Config{FS: embed.FS{}, Builtin: p4.Builtin()}); !diags.HasErrors() {
		return src, nil
	}
	var b bytes.Buffer
	for _, d := range t.info.Program.Decls {
		c, ok := d.(*syntax.ConstDecl)
		if !ok || !builtin(d) || c.Name.Name != "__v1model_version" {
			continue
		}
		if v, ok := t.info.Defs[c.Name].Value.(types.IntValue); ok {
			fmt.Fprintf(&b, "#define V1MODEL_VERSION %v\n", v.Int)
		}
	}
	err := syntax.PrintConfig{Include: slices.Sorted(maps.Keys(p4.Builtin()))}.Fprint(&b, t.info.Program)
	return b.Bytes(), err
}

// fits refuses constructs that the target cannot do.
func fits(tenants []*tenant, target *resources.Target) error {
	if target.ConditionalActions {
		return nil
	}
	var diags syntax.Diagnostics
	for _, t := range tenants {
		for _, c := range t.registers.InActions() {
			diags = append(diags, diagnosticf(c.Pos(), CodeTarget,
				"a register access inside an action would be conditional there, which target %s cannot do; move it to the apply block", target.Name))
		}
	}
	if len(diags) == 0 {
		return nil
	}
	withLines(diags)
	return refuse(diags)
}

// narrow applies the site's memory bounds.
func narrow(s *site.Site, tenants []*tenant) error {
	var errs []error
	for _, t := range tenants {
		known := map[string]bool{}
		for _, r := range t.registers.Registers {
			known[r.Name] = true
			if b, ok := t.site.Memory[r.Name]; ok {
				if err := r.Narrow(b.Min, b.Max); err != nil {
					errs = append(errs, s.Errorf(t.path+".memory."+r.Name, "%v", err))
				}
			}
		}
		for _, name := range sortedKeys(t.site.Memory) {
			if !known[name] {
				errs = append(errs, s.Errorf(t.path+".memory."+name, "the program of tenant %s uses no register %s", t.site.Name, name))
			}
		}
		if len(errs) > 0 {
			continue
		}
		groups := map[string]*vrm.Register{}
		for _, r := range t.registers.Registers {
			first := groups[r.Group]
			switch {
			case !r.Elastic:
			case first == nil:
				groups[r.Group] = r
			case first.Min != r.Min || first.Max != r.Max || first.Fold != r.Fold:
				errs = append(errs, s.Errorf(t.path, "registers %s and %s of tenant %s always have one size, but different bounds (%d..%d and %d..%d); give them equal bounds, or groups of their own",
					first.Name, r.Name, t.site.Name, first.Min, first.Max, r.Min, r.Max))
			}
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return nil
}

// arrays are the stage arrays of both controls. The least that all tenants must have fits each of them.
func arrays(s *site.Site, tenants []*tenant, slots int64) (ingress, egress []stage, err error) {
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		var list []stage
		least := map[int]int64{}
		for _, t := range tenants {
			for _, r := range t.registers.In(c) {
				for len(list) <= r.Stage {
					list = append(list, stage{K: len(list), Width: vrm.SlotBits, Slots: slots})
				}
				least[r.Stage] += r.Min
				if least[r.Stage] > slots {
					return nil, nil, refuse(s.Errorf(t.path, "stage %d of %s has %d slots, but the tenants up to %s need at least %d there", r.Stage, c, slots, t.site.Name, least[r.Stage]))
				}
			}
		}
		if c == specs.Ingress {
			ingress = list
		} else {
			egress = list
		}
	}
	return ingress, egress, nil
}

// print parses the assembled text, prints it in the canonical form and reads that again: what is described and checked from here on
// is what will be installed.
func print(text string) (*Linked, error) {
	prog, diags := syntax.Parse("linked.p4", []byte(text), syntax.Config{Builtin: p4.Builtin()})
	if diags.HasErrors() {
		return nil, fmt.Errorf("the assembled program does not parse; this is a defect of the linker: %w", diags)
	}
	own := &syntax.Program{}
	for _, d := range prog.Decls {
		if !builtin(d) {
			own.Decls = append(own.Decls, d)
		}
	}
	var b bytes.Buffer
	b.WriteString("#include <core.p4>\n#include <v1model.p4>\n\n")
	if err := syntax.Print(&b, own); err != nil {
		return nil, fmt.Errorf("print the linked program: %w", err)
	}
	info, diags := p4.Load("linked.p4", b.Bytes())
	if diags.HasErrors() {
		return nil, fmt.Errorf("the linked program does not check; this is a defect of the linker: %w", diags)
	}
	p4i, diags := p4info.Generate(info)
	if diags.HasErrors() {
		return nil, fmt.Errorf("P4Info of the linked program: %w", diags)
	}
	return &Linked{P4: b.Bytes(), P4Info: p4i, P4InfoTxt: p4info.Text(p4i), Info: info}, nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/smt"
)

// Files of a linked directory.
const (
	linkedFile      = "linked.p4"
	manifestFile    = "manifest.json"
	originFile      = "origin.json"
	siteFile        = "site.yaml" // the site's text when it was linked
	certificateFile = "certificate.json"
)

// origin says where a linked directory came from, so that later commands need nothing but the directory.
type origin struct {
	Site    string `json:"site"`              // path of the site file
	Ledger  string `json:"ledger,omitempty"`  // overrides the site's
	Address string `json:"address,omitempty"` // overrides the switch's
	Switch  string `json:"switch,omitempty"`  // whose program it is, where the site has several
	// Switches says that the program of each of these is in a linked directory of its own below this one.
	Switches []string `json:"switches,omitempty"`
}

// work is a linked directory of one switch, opened.
type work struct {
	dir      string
	origin   origin
	site     *site.Site
	manifest *manifest.Manifest
	linked   []byte
	log      *slog.Logger // of the gate; nil: none
}

const defaultDir = "linked"

// dirArg is the linked directory among a command's arguments.
func dirArg(args []string, i int) string {
	if len(args) > i {
		return args[i]
	}
	return defaultDir
}

// openWork reads a linked directory and its site, and checks that they still belong together.
func openWork(dir string) (*work, error) {
	w, err := openWorkOf(dir, site.Load)
	if err != nil {
		return nil, err
	}
	if string(verify.DigestOf(w.site.Source)) != w.manifest.Digests.Site {
		return nil, inputf("%s has changed since %s was linked: link again", w.origin.Site, dir)
	}
	return w, nil
}

// openWorkAsLinked is openWork for what must work when the site has been changed since it was linked: what the tenants are is in the
// manifest then, as the switch knows them. Of a site that is not there any more, or has a mistake, the text is taken that was linked.
func openWorkAsLinked(dir string) (*work, error) {
	return openWorkOf(dir, func(path string) (*site.Site, error) {
		s, err := site.Load(path)
		if err == nil {
			return s, nil
		}
		text, none := os.ReadFile(filepath.Join(dir, siteFile))
		if none != nil {
			return nil, err
		}
		if s, wrong := site.Parse(path, text); wrong == nil {
			fmt.Fprintf(os.Stderr, "%v\ngoing on with the site as it was linked\n", err)
			return s, nil
		}
		return nil, err
	})
}

func openWorkOf(dir string, load func(path string) (*site.Site, error)) (*work, error) {
	w := &work{dir: dir}
	var err error
	if w.origin, err = readOrigin(dir); err != nil {
		return nil, err
	}
	if list := w.origin.Switches; len(list) > 0 {
		return nil, inputf("%s has the programs of switches %s: say which, as in %s", dir, strings.Join(list, ", "), filepath.Join(dir, list[0]))
	}
	if w.site, err = load(w.origin.Site); err != nil {
		return nil, exitWith(exitInput, err)
	}
	if name := w.origin.Switch; name != "" {
		if w.site = w.site.On(name); w.site == nil {
			return nil, inputf("%s has no switch %s any more: link again", w.origin.Site, name)
		}
	}
	if w.site.Switch.Name == "" {
		return nil, inputf("%s had one switch when %s was linked, and has several now: link again", w.origin.Site, dir)
	}
	if w.manifest, err = manifest.Load(filepath.Join(dir, manifestFile)); err != nil {
		return nil, exitWith(exitInput, err)
	}
	if w.linked, err = os.ReadFile(filepath.Join(dir, linkedFile)); err != nil {
		return nil, exitWith(exitInput, err)
	}
	if w.origin.Address != "" {
		w.site.Switch.Address = w.origin.Address
	}
	return w, nil
}

func readOrigin(dir string) (origin, error) {
	var o origin
	b, err := os.ReadFile(filepath.Join(dir, originFile))
	if errors.Is(err, fs.ErrNotExist) {
		return o, inputf("%s is no linked directory; make one with 'interlock link -s site.yaml -o %s'", dir, dir)
	} else if err != nil {
		return o, exitWith(exitInput, err)
	}
	if err := verify.StrictJSON(b, &o); err != nil {
		return o, inputf("%s:%w", filepath.Join(dir, originFile), err)
	}
	return o, nil
}

// writeOrigin completes a linked directory.
func writeOrigin(dir string, o origin) error {
	for _, p := range []*string{&o.Site, &o.Ledger} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, originFile), append(b, '\n'), 0o644)
}

// target is the site's switch.
func (w *work) target() device.Target {
	s := w.site.Switch
	t := device.Target{Name: s.Name, Driver: s.Driver, Address: s.Address, DeviceID: s.DeviceID}
	if s.TLS != nil {
		file := func(name string) string {
			if name == "" {
				return ""
			}
			return w.site.Resolve(name)
		}
		t.TLS = &device.TLS{CA: file(s.TLS.CA), Cert: file(s.TLS.Cert), Key: file(s.TLS.Key), ServerName: s.TLS.ServerName}
	}
	return t
}

// ledgerDir is where the ledger is.
func (w *work) ledgerDir() string {
	if w.origin.Ledger != "" {
		return w.origin.Ledger
	}
	return w.site.Resolve(w.site.Ledger.Dir)
}

// openLedger opens the site's ledger, and makes it where there is none yet.
func (w *work) openLedger() (*ledger.Log, error) {
	dir := w.ledgerDir()
	if !ledger.Exists(dir) {
		if err := ledger.Create(dir, "interlock/"+w.site.Name); err != nil {
			return nil, exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(os.Stderr, "created the ledger %s; keep %s secret and give %s to auditors\n",
			dir, filepath.Join(dir, "key"), filepath.Join(dir, "key.pub"))
	}
	l, err := ledger.Open(dir)
	if errors.Is(err, ledger.ErrBusy) {
		return nil, environmentf("%w: if that is 'interlock run' or 'interlock gateway', end it first", err)
	}
	var file *fs.PathError
	if err == nil || errors.Is(err, ledger.ErrDisk) || errors.As(err, &file) {
		return l, exitWith(exitEnvironment, err)
	}
	return nil, exitWith(exitInput, err) // what is there is no sound log
}

// solvers starts the site's solvers and names those that are required.
func (w *work) solvers() (*smt.Pool, []string, error) {
	var confs []smt.SolverConfig
	var required []string
	for _, s := range w.site.Solvers {
		confs = append(confs, smt.SolverConfig{Name: s.Name, Path: s.Path})
		if s.Required {
			required = append(required, s.Name)
		}
	}
	if len(required) == 0 {
		return nil, nil, inputf("%s requires no solver, so nothing could be proved", w.site.Path)
	}
	pool, err := smt.NewPool(confs)
	if err != nil {
		return nil, nil, exitWith(exitEnvironment, err)
	}
	return pool, required, nil
}

// programInput is what is proved about the linked program: its text and the files that go with it, the tenants as the site registers them, and how
// far a packet may be parsed, which is the less of what the site's target profile has and what the driver declares of the switch.
func (w *work) programInput() (*program.Input, error) {
	target, err := resources.Load(w.site.Switch.Target)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	declared, err := device.DeclaredPrimitives(w.site.Switch.Driver)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	in := &program.Input{Linked: w.linked, Parser: target.Parser.Within(declared.Parser), Sources: map[string][]byte{}}
	var missing error
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil && missing == nil {
			missing = inputf("%w: link again", err)
		}
		return b
	}
	in.P4Info = read(program.P4InfoName)
	if in.Ownership, err = program.OwnershipOf(read(program.ManifestName)); err != nil && missing == nil {
		missing = exitWith(exitInput, err)
	}
	for _, t := range w.site.Tenants {
		in.Sources[t.Name] = read(program.SourceName(t.Name))
		p := program.Tenant{Name: t.Name, VID: t.VID, Virtual: t.Ports}
		seen := map[uint16]bool{}
		for _, phys := range t.Ports {
			if !seen[phys] {
				seen[phys] = true
				p.Ports = append(p.Ports, phys)
			}
		}
		slices.Sort(p.Ports) // so that equal sites give equal inputs
		if len(t.Addresses) > 0 {
			p.Addresses = map[string]string{}
		}
		for v, phys := range t.Addresses {
			p.Addresses[v.String()] = phys.String()
		}
		in.Tenants = append(in.Tenants, p)
	}
	return in, missing
}

// tenants are the site's, as plans name them.
func (w *work) tenants() []plan.Tenant {
	var ts []plan.Tenant
	for _, t := range w.site.Tenants {
		ts = append(ts, plan.Tenant{Name: t.Name, VID: t.VID})
	}
	return ts
}

// who is recorded in the ledger.
func who() string {
	host, _ := os.Hostname()
	if u, err := user.Current(); err == nil {
		return u.Username + "@" + host
	}
	return host
}

// timeout bounds what a command does with the switch, besides waiting for solvers.
func timeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Minute)
}

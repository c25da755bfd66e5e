package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/interlock/interlock/verify/ledger/check"
)

// private are the recorded inputs that show the sources, demands or state of those that a decision is about, whatever folder they are in: a
// network plan has one for each switch.
var private = map[string]bool{
	"linked.p4": true, "linked.p4info.txtpb": true, "ownership.json": true, "old.p4": true, "before.bin": true, "steps.json": true, "lost.json": true, "shares.json": true,
}

// sources is the folder of a program's inputs that has the tenants' own programs.
const sources = "sources/"

// secrets are the digests of the stored blobs that show what is others' than tenant's.
func secrets(l *check.Log, tenant string) ([]string, error) {
	known := map[string]bool{}
	hidden, shown := map[string]bool{}, map[string]bool{}
	sort := func(b check.Blob, hide bool) {
		if hide && b.Size > 0 {
			hidden[b.Stored] = true
		} else {
			shown[b.Stored] = true
		}
	}
	for _, e := range l.Entries {
		d := e.Decision
		if d == nil {
			continue
		}
		names, err := tenants(l, d)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Index, err)
		}
		for _, n := range names {
			known[n] = true
		}
		if d.Terms != nil {
			b, err := l.Blob(*d.Terms)
			if err != nil && !errors.Is(err, check.ErrRedacted) {
				return nil, fmt.Errorf("entry %d: terms: %w", e.Index, err)
			}
			sort(*d.Terms, err != nil || !fitTerms(b, tenant))
		}
		alone := len(names) == 1 && names[0] == tenant
		programs := d.Action == "install" || d.Action == "replace"
		for name, b := range d.Inputs {
			hide := private[path.Base(name)]
			if strings.HasPrefix(name, sources) {
				hide = name != sources+tenant+".p4" // their own program is no secret to them
			}
			sort(b, !alone && hide)
		}
		for _, pack := range d.Texts {
			sort(pack, !alone && (programs || d.Action == "share"))
		}
		if d.Certificate != nil {
			sort(*d.Certificate, !alone && (programs || d.Action == "share" && d.Verdict != "proved"))
		}
	}
	if !known[tenant] {
		return nil, fmt.Errorf("%w: %q; it has %s", ErrNoTenant, tenant, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	// What is shown elsewhere is no secret: the admission table, say, which is what was read where admission alone is opened.
	maps.DeleteFunc(hidden, func(stored string, _ bool) bool { return shown[stored] })
	return slices.Collect(maps.Keys(hidden)), nil
}

// fitTerms says that terms show nothing of others than tenant but their names and VIDs.
func fitTerms(text []byte, tenant string) bool {
	var terms struct {
		Policy struct {
			Params map[string]json.RawMessage `json:"params"`
		} `json:"policy"`
		Tenants []map[string]json.RawMessage `json:"tenants"`
	}
	if json.Unmarshal(text, &terms) != nil {
		return false
	}
	others := map[string]bool{}
	for _, t := range terms.Tenants {
		var name string
		if json.Unmarshal(t["name"], &name) != nil {
			return false
		}
		if name == tenant {
			continue
		}
		others[name] = true
		for field := range t {
			if field != "name" && field != "vid" {
				return false
			}
		}
	}
	for _, value := range terms.Policy.Params {
		var byKey map[string]json.RawMessage
		if json.Unmarshal(value, &byKey) != nil {
			continue // a number, a list of names, ...
		}
		for key := range byKey {
			if others[key] {
				return false
			}
		}
	}
	return true
}

// tenants are the names of those that a decision is about.
func tenants(l *check.Log, d *check.Decision) ([]string, error) {
	type named struct {
		Name string `json:"name"`
	}
	all := map[string]bool{}
	for name, ref := range d.Inputs {
		var list []named
		name = path.Base(name)
		if !slices.Contains([]string{"tenants.json", "plan.json", "replacement.json", "shares.json"}, name) {
			continue
		}
		b, err := l.Blob(ref)
		if errors.Is(err, check.ErrRedacted) {
			continue
		} else if err != nil {
			return nil, err
		}
		if name == "tenants.json" {
			err = json.Unmarshal(b, &list)
		} else {
			var p struct {
				Tenants []named `json:"tenants"`
			}
			err = json.Unmarshal(b, &p)
			list = p.Tenants
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, t := range list {
			all[t.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

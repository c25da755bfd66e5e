package site_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/interlock/interlock/linker/site"
)

const quickstart = "../../testdata/sites/quickstart/site.yaml"

func TestQuickstart(t *testing.T) {
	s, err := site.Load(quickstart)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tenants) != 3 || s.Tenant("kv") == nil || s.Tenant("kv").VID != 100 || s.Tenant("kv").Ports[2] != 2 {
		t.Errorf("tenants: %+v", s.Tenants)
	}
	if got := s.Tenant("hh").Target.RatString(); got != "7/10" {
		t.Errorf("utility target of hh: %s", got)
	}
	if s.Switch.Slots != 16384 || !s.Solvers[1].Required {
		t.Errorf("switch %+v, solvers %+v", s.Switch, s.Solvers)
	}
	if got := s.Errorf("tenants[1].memory.row_0", "no").Error(); !strings.Contains(got, "site.yaml:64:14: tenants[1].memory.row_0: no") {
		t.Errorf("position of a field: %s", got)
	}
}

// edit replaces one text of the quickstart's site by another.
func edit(t *testing.T, old, repl string) string {
	t.Helper()
	b, err := os.ReadFile(quickstart)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(b), old) != 1 {
		t.Fatalf("%q is there %d times, want once", old, strings.Count(string(b), old))
	}
	return strings.Replace(string(b), old, repl, 1)
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, old, repl, want string }{
		{"unknown field", "    vid: 200\n", "    vid: 200\n    vlan: 3\n", `site.yaml:57:5: unknown field "vlan"`},
		{"missing field", "    vid: 200\n", "", `site.yaml:55:5: tenants[1]: field "vid" is missing`},
		{"VID 0", "vid: 200", "vid: 0", "site.yaml:56:10: tenants[1].vid: 0 is not an integer between 1 and 4094"},
		{"VID 4095", "vid: 200", "vid: 4095", "tenants[1].vid: 4095"},
		{"VID twice", "vid: 200", "vid: 100", "site.yaml:56:10: tenants[1].vid: VID 100 is already that of tenant kv"},
		{"name twice", "name: hh", "name: kv", `tenants[1].name: tenant "kv" is already listed`},
		{"bad name", "name: hh", "name: h_h", `tenants[1].name: "h_h" is not a name`},
		{"keyword", "name: hh", "name: table", `tenants[1].name: "table" is a P4 keyword`},
		{"unknown port", "2: 4", "2: 9", "tenants[1].ports.2: switch s1 has no port 9"},
		{"port twice", "2: 4", "2: 3", "tenants[1].ports.2: physical port 3 already has a virtual port"},
		{"virtual port twice", "      2: 4", "      1: 4", `key "1" is already set`},
		{"controller's port", "2: 4", "510: 4", `virtual port: "510" is not a port between 0 and 509`},
		{"address twice", "198.51.100.12", "198.51.100.11", "physical address 198.51.100.11 is already in use"},
		{"no address", "198.51.100.12", "198.51.100", `"198.51.100" is not an IPv4 address`},
		{"min above max", "owners: {min: 256, max: 8192}", "owners: {min: 9000, max: 8192}", "tenants[1].memory.owners.min: min 9000 is above max 8192"},
		{"number for a decimal", `"0.70"`, "0.70", "tenants[1].utilityTarget: want a string, have a floating-point number"},
		{"utility above 1", `"0.70"`, `"1.5"`, "tenants[1].utilityTarget: 1.5 is not between 0 and 1"},
		{"utility no decimal", `"0.70"`, `"7/10"`, `"7/10" is not a decimal number`},
		{"weight 0", "weight: 1\n\n  # Heavy", "weight: 0\n\n  # Heavy", "tenants[0].weight: 0 is not an integer between 1"},
		{"key without certificate", "    slots: 16384\n", "    slots: 16384\n    tls: {ca: ca.pem, key: key.pem}\n", "a certificate needs its key"},
		{"empty authority", "    slots: 16384\n", "    slots: 16384\n    tls: {ca: \"\"}\n", "switches[0].tls.ca"},
		{"driver", "driver: softswitch", "driver: thrift", "switches[0].driver: want one of softswitch, p4runtime"},
		{"address", "127.0.0.1:9559", "localhost", `switches[0].address: "localhost" is not host:port`},
		{"no solver required", "    required: true\n  - name: cvc5\n    required: true", "    required: false", "solvers: no solver is required"},
		{"version", "apiVersion: interlock/v1alpha1", "apiVersion: v2", "apiVersion: want one of interlock/v1alpha1"},
		{"epoch", "epoch: 1s", "epoch: soon", `allocation.epoch: "soon" is not a duration`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := site.Parse("site.yaml", []byte(edit(t, c.old, c.repl)))
			var list site.Errors
			if !errors.As(err, &list) {
				t.Fatalf("got %v, want positioned errors", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %q", err, c.want)
			}
		})
	}
}

const pair = "../../testdata/sites/pair/site.yaml"

func TestSeveralSwitches(t *testing.T) {
	b, err := os.ReadFile(pair)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, b); err != nil {
		t.Errorf("the schema: %v", err)
	}
	s, err := site.Parse("site.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	if s.Switch.Name != "" || len(s.Switches) != 2 || s.On("s3") != nil {
		t.Errorf("switches: %+v", s.Switches)
	}
	left, right := s.On("left"), s.On("right")
	if len(left.Tenants) != 3 || len(right.Tenants) != 2 || right.Tenant("fw") != nil || right.Tenant("hh").Ports[1] != 5 {
		t.Errorf("left %+v\nright %+v", left.Tenants, right.Tenants)
	}
	if l, r := left.Tenant("hh").Memory["owners"], right.Tenant("hh").Memory["owners"]; l.Max != 8192 || r.Max != 4096 {
		t.Errorf("bounds of hh: %+v on left, %+v on right", l, r)
	}
	for _, c := range []struct {
		view       *site.Site
		path, want string
	}{
		{right, "tenants[1].memory.owners", "tenants[1].switches.right.memory.owners: no"},
		{left, "tenants[1].memory.owners", "tenants[1].memory.owners: no"},
		{left, "tenants[1].program", "tenants[1].program: no"},
		{right, "switches[0].slots", "switches[1].slots: no"},
		{right, "tenants[0].ports.1", "tenants[0].switches.right.ports.1: no"},
	} {
		if got := c.view.Errorf(c.path, "no").Error(); !strings.HasSuffix(got, " "+c.want) || strings.Contains(got, ":0:0:") {
			t.Errorf("%s on %s: %s", c.path, c.view.Switch.Name, got)
		}
	}
	for _, c := range []struct{ name, old, repl, want string }{
		{"name twice", "name: right", "name: left", `switches[1].name: switch "left" is already listed`},
		{"one device twice", "127.0.0.1:9560", "127.0.0.1:9559", "switches[1].address: 127.0.0.1:9559, device 1 is switch left already"},
		{"ports of no switch", "    switches:\n      left:\n        ports: {1: 5, 2: 6}", "    ports: {1: 5, 2: 6}", "tenants[2].ports: the site has 2 switches: say under switches"},
		{"ports and switches", "    vid: 300\n", "    vid: 300\n    ports: {1: 1}\n", "tenants[2].ports: ports are said here or under switches"},
		{"neither", "    switches:\n      left:\n        ports: {1: 5, 2: 6}\n", "", `tenants[2]: field "ports" is missing`},
		{"no such switch", "      left:\n        ports: {1: 5, 2: 6}", "      middle:\n        ports: {1: 5, 2: 6}", `tenants[2].switches: the site has no switch "middle"`},
		{"no such port there", "ports: {1: 5, 2: 4}", "ports: {1: 5, 2: 6}", "tenants[1].switches.right.ports.2: switch right has no port 6"},
		{"on none", "      left:\n        ports: {1: 5, 2: 6}\n", "      {}\n", "tenants[2].switches: a tenant is on a switch"},
		{"addresses there", "        ports: {1: 5, 2: 6}", "        ports: {1: 5, 2: 6}\n        addresses: {}", `unknown field "addresses"`},
		{"unused", "name: right\n", "name: other\n    target: bmv2\n    driver: softswitch\n    address: 127.0.0.1:1\n    deviceId: 1\n    ports: [1]\n  - name: right\n", "switches[1]: no tenant is on switch other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(string(b), c.old) != 1 {
				t.Fatalf("%q is there %d times", c.old, strings.Count(string(b), c.old))
			}
			_, err := site.Parse("site.yaml", []byte(strings.Replace(string(b), c.old, c.repl, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %q", err, c.want)
			}
		})
	}
}

func validate(t *testing.T, src []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(site.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("site.json", doc); err != nil {
		t.Fatal(err)
	}
	sch, err := c.Compile("site.json")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(src, &v); err != nil {
		t.Fatal(err)
	}
	return sch.Validate(jsonValue(v))
}

// jsonValue turns keys of any kind into strings, as JSON has them.
func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = jsonValue(x)
		}
		return v
	case map[any]any:
		out := map[string]any{}
		for k, x := range v {
			b, _ := yaml.Marshal(k)
			out[strings.TrimSpace(string(b))] = jsonValue(x)
		}
		return out
	case []any:
		for i := range v {
			v[i] = jsonValue(v[i])
		}
	}
	return v
}

func TestSchema(t *testing.T) {
	b, err := os.ReadFile(quickstart)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, b); err != nil {
		t.Errorf("the quickstart does not satisfy the schema: %v", err)
	}
	for _, c := range []struct{ name, old, repl string }{
		{"unknown field", "    vid: 200\n", "    vid: 200\n    vlan: 3\n"},
		{"VID 4095", "vid: 200", "vid: 4095"},
		{"number for a decimal", `"0.70"`, "0.70"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if validate(t, []byte(edit(t, c.old, c.repl))) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile(quickstart)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, src []byte) {
		if s, err := site.Parse("site.yaml", src); err == nil && (len(s.Tenants) == 0 || len(s.Switches) == 0 || len(s.Switches) == 1 && s.Switch.Name == "") {
			t.Errorf("accepted an incomplete site: %+v", s)
		}
	})
}

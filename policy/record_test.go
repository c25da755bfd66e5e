package policy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
)

// A recorded policy compiles to the policy that it was, with the values that a site gave it; with other values it is another.
func TestRecord(t *testing.T) {
	for _, name := range specs.PolicyNames() {
		p, err := Load(Builtin + name)
		if err != nil {
			t.Fatal(err)
		}
		again(t, p)
	}
	p, err := Load(Builtin + "pay-as-you-go")
	if err != nil {
		t.Fatal(err)
	}
	doc, root := strictyaml.Parse("site.yaml", []byte("prices: {slots/ingress/0: 7, sram: 3}\nprepaid: true\nbids: {kv: 150}\n"))
	q := p.With(root)
	if err := doc.Err(); err != nil {
		t.Fatal(err)
	}
	r := again(t, q)
	r.Params["prepaid"] = json.RawMessage("false")
	if _, err := r.Policy(); err == nil || !strings.Contains(err.Error(), "not the one that was recorded") {
		t.Errorf("another value: %v", err)
	}
	r.Params["prepaid"] = json.RawMessage("7")
	if _, err := r.Policy(); err == nil {
		t.Error("a value of another type was taken")
	}
	every, err := Parse("p.yaml", []byte(`apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: every}
spec:
  params:
    - {name: i, type: int, default: -3}
    - {name: b, type: bool, default: true}
    - {name: s, type: string, default: "yes: 'no'"}
    - {name: r, type: ratio, default: 2/6}
    - {name: l, type: list(string), default: [a, "1"]}
    - {name: mi, type: map(int), default: {a: 1}}
    - {name: mr, type: map(ratio), default: {a: "0.25"}}
    - {name: ms, type: map(string), default: {a: "true"}}
  rank: "0"
  grant: tenant.demand
  validations:
    - expression: params.i < 0 && params.b && params.s != '' && params.r > 0 && size(params.l) == 2 && params.mi['a'] == 1 && params.mr['a'] < 1 && params.ms['a'] != ''
      message: all are used
`))
	if err != nil {
		t.Fatal(err)
	}
	again(t, every)
}

func again(t *testing.T, p *Policy) Record {
	t.Helper()
	r, err := p.Record()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var read Record
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	if q, err := read.Policy(); err != nil {
		t.Errorf("%s: %v", p.Name(), err)
	} else if q.Digest() != p.Digest() {
		t.Errorf("%s is another policy after it was recorded", p.Name())
	}
	return read
}

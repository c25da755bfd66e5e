package p4rt

import (
	"fmt"
	"maps"
	"slices"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"google.golang.org/protobuf/proto"
)

// SameP4Info tells whether a P4Info given with a configuration is the program's own. The order of objects and what is said about
// the package do not matter; the error names the first object that differs.
func SameP4Info(given, own *configv1.P4Info) error {
	a, b := objects(given), objects(own)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		switch x, ok := a[name]; {
		case !ok:
			return fmt.Errorf("%s is missing", name)
		case !proto.Equal(x, b[name]):
			return fmt.Errorf("%s differs", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[name]; !ok {
			return fmt.Errorf("%s is not in the program", name)
		}
	}
	if n, m := count(given), count(own); n != m {
		return fmt.Errorf("it has %d objects, the program %d", n, m)
	}
	if !proto.Equal(rest(given), rest(own)) {
		return fmt.Errorf("it differs in externs or types")
	}
	return nil
}

// objects are the parts of a P4Info that have a name, by kind and name.
func objects(p *configv1.P4Info) map[string]proto.Message {
	m := map[string]proto.Message{}
	add(m, "table", p.GetTables())
	add(m, "action", p.GetActions())
	add(m, "action profile", p.GetActionProfiles())
	add(m, "register", p.GetRegisters())
	add(m, "counter", p.GetCounters())
	add(m, "direct counter", p.GetDirectCounters())
	add(m, "meter", p.GetMeters())
	add(m, "direct meter", p.GetDirectMeters())
	add(m, "value set", p.GetValueSets())
	add(m, "digest", p.GetDigests())
	add(m, "header", p.GetControllerPacketMetadata())
	return m
}

// named is an object of a P4Info.
type named interface {
	proto.Message
	GetPreamble() *configv1.Preamble
}

func add[E named](m map[string]proto.Message, kind string, xs []E) {
	for _, x := range xs {
		m[kind+" "+x.GetPreamble().GetName()] = x
	}
}

// count is the number of those objects; more than there are names if a name is there twice.
func count(p *configv1.P4Info) int {
	return len(p.GetTables()) + len(p.GetActions()) + len(p.GetActionProfiles()) + len(p.GetRegisters()) + len(p.GetCounters()) +
		len(p.GetDirectCounters()) + len(p.GetMeters()) + len(p.GetDirectMeters()) + len(p.GetValueSets()) + len(p.GetDigests()) +
		len(p.GetControllerPacketMetadata())
}

// rest is a P4Info without those objects and without what is said about the package.
func rest(p *configv1.P4Info) *configv1.P4Info {
	return &configv1.P4Info{Externs: p.GetExterns(), TypeInfo: p.GetTypeInfo()}
}

package linker

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// checkDeparser checks that a deparser emits the Ethernet header first, which is the system's to emit, and then headers, one
// statement each. Nothing else stands in a v1model deparser.
func (t *tenant) checkDeparser() {
	for _, d := range t.deparser.Locals {
		t.errorf(d.Pos(), CodeUnsupported, "declarations in a deparser are not supported yet")
	}
	seen := map[string]bool{}
	for i, s := range t.deparser.Apply.Stmts {
		field, ok := t.emitted(s)
		switch {
		case !ok:
			t.errorf(s.Pos(), CodeUnsupported, "a deparser's statements are packet.emit(hdr.field); others are not supported yet")
		case i == 0 && field != t.ethernet.Field && t.ethernet.Field != "":
			t.errorf(s.Pos(), CodeEthernet, "the deparser emits header %s before the Ethernet header", field)
		case seen[field]:
			t.errorf(s.Pos(), CodeUnsupported, "header %s is emitted twice", field)
		}
		seen[field] = true
	}
	if len(t.deparser.Apply.Stmts) == 0 {
		t.errorf(t.deparser.Pos(), CodeEthernet, "the deparser does not emit the Ethernet header")
	}
}

// emitted is the header that a deparser's statement emits.
func (t *tenant) emitted(s syntax.Stmt) (string, bool) {
	c, ok := s.(*syntax.CallStmt)
	if !ok {
		return "", false
	}
	info := t.info.Calls[c.Call]
	if info == nil || info.Kind != types.MethodCall || info.Method != "emit" {
		return "", false
	}
	return t.headerField(info.Args[0], t.info.Defs[t.deparser.Params[1].Name])
}

// emits are the headers that the deparser emits after the Ethernet header, in order.
func (t *tenant) emits() []string {
	var out []string
	for _, s := range t.deparser.Apply.Stmts[1:] {
		field, _ := t.emitted(s)
		out = append(out, field)
	}
	return out
}

// checkChecksums checks that the checksum controls consist of calls, as v1model has them.
func (t *tenant) checkChecksums() {
	for want, c := range map[string]*syntax.ControlDecl{"verify_checksum": t.verify, "update_checksum": t.compute} {
		for _, d := range c.Locals {
			t.errorf(d.Pos(), CodeUnsupported, "declarations in a checksum control are not supported yet")
		}
		for _, s := range c.Apply.Stmts {
			call, ok := s.(*syntax.CallStmt)
			if !ok || t.info.Calls[call.Call] == nil || t.info.Calls[call.Call].Method != want {
				t.errorf(s.Pos(), CodeUnsupported, "the statements of this control are calls of %s; others are not supported", want)
			}
		}
	}
	t.diags.Sort()
}

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
	first := true
	for _, s := range t.deparser.Apply.Stmts {
		fields := t.emitted(s)
		if fields == nil {
			t.errorf(s.Pos(), CodeUnsupported, "a deparser's statements are packet.emit(hdr.field) or packet.emit(hdr); others are not supported yet")
		}
		for _, field := range fields {
			switch {
			case first && field != t.ethernet.Field && t.ethernet.Field != "":
				t.errorf(s.Pos(), CodeEthernet, "the deparser emits header %s before the Ethernet header", field)
			case seen[field]:
				t.errorf(s.Pos(), CodeUnsupported, "header %s is emitted twice", field)
			}
			seen[field] = true
			first = false
		}
	}
	if len(t.deparser.Apply.Stmts) == 0 {
		t.errorf(t.deparser.Pos(), CodeEthernet, "the deparser does not emit the Ethernet header")
	}
}

// emitted are the headers that a deparser's statement emits: one, or all of them in the order of their struct.
func (t *tenant) emitted(s syntax.Stmt) []string {
	c, ok := s.(*syntax.CallStmt)
	if !ok {
		return nil
	}
	info := t.info.Calls[c.Call]
	if info == nil || info.Kind != types.MethodCall || info.Method != "emit" {
		return nil
	}
	hdr := t.info.Defs[t.deparser.Params[1].Name]
	if n, ok := info.Args[0].(*syntax.Name); ok && t.info.Uses[n.Ident] == hdr {
		var all []string
		for _, f := range t.headers.Fields {
			all = append(all, f.Name)
		}
		return all
	}
	if field, ok := t.headerField(info.Args[0], hdr); ok {
		return []string{field}
	}
	return nil
}

// emits are the headers that the deparser emits after the Ethernet header, in order.
func (t *tenant) emits() []string {
	var out []string
	for _, s := range t.deparser.Apply.Stmts {
		out = append(out, t.emitted(s)...)
	}
	return out[1:]
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
				continue
			}
			for _, a := range t.info.Calls[call.Call].Args {
				t.refuseInnerCalls(a, "the arguments of a checksum are evaluated for every tenant's packets")
			}
		}
	}
	t.diags.Sort()
}

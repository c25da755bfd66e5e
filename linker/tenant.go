package linker

import (
	"strings"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/linker/vrm"
	"github.com/interlock/interlock/specs"
)

// tenant is a tenant's program while it is being linked.
type tenant struct {
	site   *site.Tenant
	path   string // of its field in the site: tenants[1]
	index  int    // from 1
	prefix string
	file   string
	source string // digest of the file
	single []byte // the program as one text
	info   *types.Info
	diags  syntax.Diagnostics

	parser                                     *syntax.ParserDecl
	verify, ingress, egress, compute, deparser *syntax.ControlDecl
	headers, metadata                          *types.Struct

	ethernet ethernetShape
	first    *syntax.CallStmt // the extraction of the Ethernet header
	ipv4     *ipv4Shape
	udp, tcp *transportShape

	registers *vrm.Program
	names     map[*types.Object]string // new names of the program's own top-level objects
	objects   map[string]string        // control-plane names: the tenant's own to those in the linked program
	errors    map[string]bool          // error constants that the program declares
}

func (t *tenant) errorf(pos syntax.Pos, code, format string, args ...any) {
	t.diags = append(t.diags, diagnosticf(pos, code, format, args...))
}

// load checks and takes apart a tenant's program. Afterwards diags says whether it may be linked.
func (t *tenant) load(src []byte, others []string) {
	t.source = digestOf(src)
	prog, diags := syntax.Parse(t.file, src, syntax.Config{Builtin: p4.Builtin()})
	if diags.HasErrors() {
		t.diags = diags
		return
	}
	t.foreignNames(prog, others)
	if len(t.diags) > 0 {
		return
	}
	info, diags := types.Check(prog)
	if diags.HasErrors() {
		t.diags = diags
		return
	}
	t.info = info
	if !t.pipeline() {
		return
	}
	t.refuseDecls()
	t.refuseCalls()
	t.refuseWrites()
	t.refuseStatements()
	t.refuseTables()
	t.shapes()
	t.checkParser()
	t.checkDeparser()
	t.checkChecksums()
	t.checkInstances()
	if len(t.diags) > 0 {
		return
	}
	registers, diags := vrm.Analyze(info, vrm.Pipeline{Ingress: t.ingress, Egress: t.egress, Metadata: t.metadata})
	if diags.HasErrors() {
		t.diags = diags
		return
	}
	t.registers = registers
	if len(registers.In(specs.Ingress)) > 0 && len(registers.In(specs.Egress)) > 0 {
		t.errorf(registers.In(specs.Egress)[0].Pos(), CodeUnsupported,
			"registers in ingress and in egress of one program are not supported yet: hits are counted in one of them")
	}
	t.rename()
}

// foreignNames refuses every identifier that belongs to the system or to another tenant in the linked program: a program can
// reach neither, and a name that tries to is an error of its own, not an unknown name.
func (t *tenant) foreignNames(prog *syntax.Program, others []string) {
	syntax.Walk(prog, func(n syntax.Node) bool {
		if d, ok := n.(syntax.Decl); ok && builtin(d) {
			return false
		}
		if a, ok := n.(*syntax.Annotation); ok && a.Name == "name" && !builtin(a) {
			t.foreignName(a, others)
		}
		id, ok := n.(*syntax.Ident)
		if !ok || builtin(id) {
			return true
		}
		switch {
		case strings.HasPrefix(id.Name, specs.SystemPrefix):
			t.errorf(id.Pos(), CodeName, "%s is a name of the system program; a tenant's program cannot use or declare it", id.Name)
		case strings.HasPrefix(id.Name, t.prefix):
			t.errorf(id.Pos(), CodeName, "names that start with %s are made by the linker", t.prefix)
		}
		for _, o := range others {
			if strings.HasPrefix(id.Name, specs.TenantPrefix(o)) {
				t.errorf(id.Pos(), CodeName, "%s is a name of tenant %s; no program reaches another tenant's objects", id.Name, o)
			}
		}
		return true
	})
}

// foreignName refuses a control-plane name with another tenant's prefix somewhere in it.
func (t *tenant) foreignName(a *syntax.Annotation, others []string) {
	for _, tok := range a.Body {
		if s := strings.Trim(tok.Text, `"`); strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
			t.errorf(a.Pos(), CodeName, "a name has letters, digits and signs, but no quotes, backslashes and line ends")
			return
		}
	}
	text := syntax.PrintNode(a)
	for _, o := range others {
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(`."() []`, r) }) {
			if strings.HasPrefix(part, specs.TenantPrefix(o)) {
				t.errorf(a.Pos(), CodeName, "%s is a name of tenant %s; no program reaches another tenant's objects", part, o)
			}
		}
	}
}

// pipeline finds the parts of main.
func (t *tenant) pipeline() bool {
	m := t.info.Main
	if m == nil {
		t.errorf(t.start(), CodeProgram, "the program has no main package")
		return false
	}
	pkg, ok := m.Type.(*types.Package)
	if !ok || pkg.Name != "V1Switch" || pkg.Decl == nil || !builtin(pkg.Decl) || len(t.info.MainArgs) != 6 {
		t.errorf(m.Ident.Pos(), CodeUnsupported, "main is not a V1Switch; other architectures are not supported yet")
		return false
	}
	controls := []**syntax.ControlDecl{nil, &t.verify, &t.ingress, &t.egress, &t.compute, &t.deparser}
	for i, a := range t.info.MainArgs {
		ok := false
		if i == 0 {
			t.parser, ok = a.Decl.(*syntax.ParserDecl)
		} else {
			*controls[i], ok = a.Decl.(*syntax.ControlDecl)
		}
		if !ok {
			t.errorf(a.Expr.Pos(), CodeUnsupported, "argument %s of main is not a parser or control of this program", a.Param)
			return false
		}
	}
	for _, c := range []*syntax.ControlDecl{t.verify, t.ingress, t.egress, t.compute, t.deparser} {
		if len(c.TypeParams) > 0 || len(c.CtorParams) > 0 {
			t.errorf(c.Pos(), CodeUnsupported, "control %s: type parameters and constructor parameters are not supported in main's controls yet", c.Name.Name)
		}
	}
	if len(t.parser.TypeParams) > 0 || len(t.parser.CtorParams) > 0 {
		t.errorf(t.parser.Pos(), CodeUnsupported, "parser %s: type parameters and constructor parameters are not supported yet", t.parser.Name.Name)
	}
	t.headers, ok = t.info.TypeNodes[t.parser.Params[1].Type].(*types.Struct)
	if !ok || t.headers.Decl == nil {
		t.errorf(t.parser.Params[1].Pos(), CodeUnsupported, "the parsed headers are not a struct")
	}
	t.metadata, ok = t.info.TypeNodes[t.parser.Params[2].Type].(*types.Struct)
	if !ok || t.metadata.Decl == nil {
		t.errorf(t.parser.Params[2].Pos(), CodeUnsupported, "the user metadata is not a struct")
	}
	for _, s := range []*types.Struct{t.headers, t.metadata} {
		if s != nil && len(s.Args) > 0 {
			t.errorf(s.Decl.Pos(), CodeUnsupported, "%s is generic; that is not supported yet for headers and metadata", s.Name)
		}
	}
	return len(t.diags) == 0
}

// start is the position of the program as a whole.
func (t *tenant) start() syntax.Pos { return syntax.Pos{File: t.file, Line: 1, Col: 1} }

// own are the program's top-level declarations without those of core.p4 and v1model.p4.
func (t *tenant) own() []syntax.Decl {
	var out []syntax.Decl
	for _, d := range t.info.Program.Decls {
		if !builtin(d) {
			out = append(out, d)
		}
	}
	return out
}

// builtin says whether a node is core.p4's or v1model.p4's.
func builtin(n syntax.Node) bool {
	f := n.Pos().File
	return f == "core.p4" || f == "v1model.p4"
}

package linker_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/specs"
)

var update = flag.Bool("update", false, "rewrite golden files")

const quickstart = "../testdata/sites/quickstart/site.yaml"

func link(t testing.TB, path string) (*linker.Linked, error) {
	t.Helper()
	s, err := site.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return linker.Link(context.Background(), s, linker.Options{Entitler: linker.Unlimited{}})
}

// TestGolden shows what the linker makes of the quickstart, so that a change of it is seen by people.
func TestGolden(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := l.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{linker.FileP4, linker.FileP4Info, linker.FileManifest, linker.FileResources} {
		got, err := os.ReadFile(dir + "/" + f)
		if err != nil {
			t.Fatal(err)
		}
		golden := "testdata/quickstart/" + f
		if *update {
			if err := os.MkdirAll("testdata/quickstart", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs (rewrite with -update):\n%s", f, cmp.Diff(string(want), string(got)))
		}
	}
}

// TestDeterministic links twice: the bytes are the same.
func TestDeterministic(t *testing.T) {
	a, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b, err := link(t, quickstart)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.P4, b.P4) || !bytes.Equal(a.P4InfoTxt, b.P4InfoTxt) {
			t.Fatal("two links of one site differ")
		}
		if diff := cmp.Diff(a.Manifest, b.Manifest); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(a.Resources, b.Resources); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestPrintedTwice prints the linked program again from its own tree: the canonical form is a fixed point.
func TestPrintedTwice(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	var own syntax.Program
	for _, d := range l.Info.Program.Decls {
		if f := d.Pos().File; f != "core.p4" && f != "v1model.p4" {
			own.Decls = append(own.Decls, d)
		}
	}
	var b bytes.Buffer
	if err := syntax.Print(&b, &own); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(l.P4, b.Bytes()) {
		t.Error(cmp.Diff(string(l.P4), b.String()))
	}
}

// TestP4InfoText reads the text form back.
func TestP4InfoText(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	var p p4configv1.P4Info
	if err := prototext.Unmarshal(l.P4InfoTxt, &p); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(&p, l.P4Info) {
		t.Error("the text form is another P4Info")
	}
}

// preambles are the names of a P4Info's objects, by kind.
func preambles(p *p4configv1.P4Info) map[string]bool {
	out := map[string]bool{}
	for _, x := range p.Tables {
		out["table "+x.Preamble.Name] = true
	}
	for _, x := range p.Actions {
		out["action "+x.Preamble.Name] = true
	}
	for _, x := range p.Counters {
		out["counter "+x.Preamble.Name] = true
	}
	for _, x := range p.DirectCounters {
		out["direct counter "+x.Preamble.Name] = true
	}
	for _, x := range p.Registers {
		out["register "+x.Preamble.Name] = true
	}
	return out
}

// TestNames holds the manifest's names against both P4Infos: the tenant's own program has each object by its own name, the linked
// program by the other, and neither has more than its registers and what core.p4 declares.
func TestNames(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	linked := preambles(l.P4Info)
	for _, tenant := range l.Manifest.Tenants {
		info, diags := p4.Load("../testdata/tenants/"+tenant.Name+".p4", nil)
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		p, diags := p4info.Generate(info)
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		own := preambles(p)
		for kindName := range own {
			i := strings.LastIndexByte(kindName, ' ')
			kind, name := kindName[:i], kindName[i+1:]
			to, ok := tenant.Names[name]
			switch {
			case kind == "register" || name == "NoAction":
			case !ok:
				t.Errorf("%s: the manifest has no %s", tenant.Name, kindName)
			case !linked[kind+" "+to]:
				t.Errorf("%s: the linked program has no %s %s", tenant.Name, kind, to)
			case to != specs.TenantPrefix(tenant.Name)+name:
				t.Errorf("%s: %s is called %s", tenant.Name, name, to)
			}
		}
		for name := range tenant.Names {
			if !own["table "+name] && !own["action "+name] && !own["counter "+name] && !own["direct counter "+name] {
				t.Errorf("%s: its own program has no %s", tenant.Name, name)
			}
		}
	}
}

// TestWriteDir writes over an earlier directory and leaves nothing else behind.
func TestWriteDir(t *testing.T) {
	l, err := link(t, quickstart)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for range 2 {
		if err := l.WriteDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Errorf("%d files, %v", len(files), err)
	}
	sources, err := os.ReadDir(dir + "/" + linker.DirSources)
	if err != nil || len(sources) != 3 {
		t.Errorf("%d sources, %v", len(sources), err)
	}
	m, err := manifest.Load(dir + "/" + linker.FileManifest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l.Manifest, m); diff != "" {
		t.Error(diff)
	}
	if err := l.WriteDir(dir + "/" + linker.FileP4 + "/x"); err == nil {
		t.Error("wrote below a file")
	}
}

// TestSourceAsOneText links a program of several files, written for the newer version of v1model: what is kept of it reads by itself, and
// stands for the same program.
func TestSourceAsOneText(t *testing.T) {
	text, err := os.ReadFile("testdata/newer.p4")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("rest.p4", text)
	write("main.p4", []byte("#include \"rest.p4\"\n"))
	l, err := linkSite(siteWith(t, filepath.Join(dir, "main.p4"), ""))
	if err != nil {
		t.Fatal(err)
	}
	again := l.Sources["t"]
	if bytes.Contains(again, []byte("rest.p4")) {
		t.Errorf("still includes the other file:\n%s", again)
	}
	write("one.p4", again)
	if err := os.Remove(filepath.Join(dir, "rest.p4")); err != nil {
		t.Fatal(err)
	}
	m, err := linkSite(siteWith(t, filepath.Join(dir, "one.p4"), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(l.P4, m.P4) {
		t.Error(cmp.Diff(string(l.P4), string(m.P4)))
	}
	if !bytes.Equal(m.Sources["t"], again) {
		t.Error("a text that reads by itself was changed")
	}
}

func BenchmarkLink(b *testing.B) {
	for b.Loop() {
		if _, err := link(b, quickstart); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNewerV1Model links a program for the version of v1model that the linked program is not written in.
func TestNewerV1Model(t *testing.T) {
	path, err := filepath.Abs("testdata/newer.p4")
	if err != nil {
		t.Fatal(err)
	}
	l, err := linkSite(siteWith(t, path, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"typedef bit<9> t__PortId_t;", "t__PortId_t port;", "send(t__PortId_t port)", "meta.version = 32w20200408;",
		"if (hdr.ethernet.src_addr[7:0] < 16) {", "few.count((bit<32>)hdr.ethernet.src_addr[7:0]);",
		"plain.count(hdr.ethernet.src_addr[31:0]);",
	} {
		if !bytes.Contains(l.P4, []byte(want)) {
			t.Errorf("the linked program lacks %q", want)
		}
	}
	if _, err := dataplane.Compile(l.Info); err != nil {
		t.Error(err)
	}
}

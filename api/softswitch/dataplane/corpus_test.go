package dataplane

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
)

// externalP4 names directories (separated as in PATH) with other people's programs, which are not run by default.
const externalP4 = "INTERLOCK_P4_DIRS"

// TestExternalPrograms compiles every v1model program that the front end accepts, and runs packets of random bytes through it.
func TestExternalPrograms(t *testing.T) {
	dirs := os.Getenv(externalP4)
	if dirs == "" {
		t.Skipf("set %s to directories with .p4 files", externalP4)
	}
	for _, dir := range filepath.SplitList(dirs) {
		files, err := filepath.Glob(filepath.Join(dir, "*.p4"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			t.Run(filepath.Base(f), func(t *testing.T) { runRandom(t, f) })
		}
	}
}

func runRandom(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "V1Switch") {
		t.Skip("no v1model program")
	}
	info, diags := p4.Load(file, nil)
	if diags.HasErrors() {
		t.Skipf("front end: %v", diags.Err())
	}
	if info.Main == nil {
		t.Skip("no main")
	}
	p, err := Compile(info)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		pkt := make([]byte, r.IntN(200))
		for i := range pkt {
			pkt[i] = byte(r.Uint32() >> r.IntN(8))
		}
		p.Run(uint16(r.IntN(511)), pkt).Release()
		if _, err := p.Trace(uint16(r.IntN(511)), pkt, nil); err != nil {
			t.Fatal(err)
		}
	}
}

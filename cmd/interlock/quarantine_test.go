package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/verify/plan"
)

// A switch has slots that cannot be written. Commands stop, put them into quarantine, do without them, show them, and take them back.
func TestQuarantineCommands(t *testing.T) {
	base := prepared(t)
	dir := filepath.Join(t.TempDir(), "site")
	var mu sync.Mutex
	var register uint32
	first, last := int64(0), int64(-1) // of the slots that are bad
	address, stop, err := serveTestSwitch(softswitch.Options{OnUpdate: func(_ int, u *p4v1.Update) error {
		mu.Lock()
		defer mu.Unlock()
		if r := u.GetEntity().GetRegisterEntry(); r != nil && r.GetRegisterId() == register {
			if i := r.GetIndex().GetIndex(); r.GetIndex() != nil && (i < first || last < i) || first > last {
				return nil
			}
			return status.Error(codes.DataLoss, "parity error")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := copySite(base, dir, address); err != nil {
		t.Fatal(err)
	}
	linked, file := filepath.Join(dir, "linked"), filepath.Join(dir, "plan.json")
	run := func(want string, code int, args ...string) string {
		t.Helper()
		out, err := command(t, args...).CombinedOutput()
		got := 0
		if err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatal(err)
			}
			got = exit.ExitCode()
		}
		if got != code || !strings.Contains(string(out), want) {
			t.Fatalf("interlock %s: exit code %d, want %d and %q:\n%s", strings.Join(args, " "), got, code, want, out)
		}
		return string(out)
	}
	breaks := func(r uint32, from, to int64) {
		mu.Lock()
		defer mu.Unlock()
		register, first, last = r, from, to
	}
	inQuarantine := func() (n int64) {
		t.Helper()
		var s struct {
			Quarantine []quarantined
			Owners     []struct {
				Stage      int
				Base, Size int64
			}
		}
		if err := json.Unmarshal([]byte(run("", 0, "status", linked, "-o", "json")), &s); err != nil {
			t.Fatal(err)
		}
		for _, q := range s.Quarantine {
			if q.First != first || q.Last != last || !strings.Contains(q.Why, "parity error") {
				t.Errorf("%+v", q)
			}
			n += q.Last - q.First + 1
		}
		for _, o := range s.Owners {
			if q := s.Quarantine; n > 0 && o.Stage == q[0].Stage && o.Base <= last && first < o.Base+o.Size {
				t.Errorf("%+v has slots in quarantine", o)
			}
		}
		return n
	}
	run("installed", 0, "install", linked)
	run("no slots of switch", 0, "scrub", linked)
	run("is proved", 0, "plan", linked, "--set", "kv=8192", "-o", file)
	f, err := loadPlan(file)
	if err != nil {
		t.Fatal(err)
	}
	r := firstScrub(t, f.Input)
	breaks(r.GetRegisterId(), r.GetIndex().GetIndex()+100, r.GetIndex().GetIndex()+101)
	run("slots are not scrubbed", 4, "apply", file, "-d", linked)
	if inQuarantine() != 0 {
		t.Error("one refusal is enough")
	}
	run("is proved", 0, "plan", linked, "--set", "kv=8192", "-o", file)
	run("slots are not scrubbed", 4, "apply", file, "-d", linked)
	if n := inQuarantine(); n != 2 {
		t.Fatalf("%d slots are in quarantine", n)
	}
	run(fmt.Sprintf("%d..%d, since", first, last), 0, "status", linked)
	run("is proved", 0, "plan", linked, "--set", "kv=8192", "-o", file)
	run("applied", 0, "apply", file, "-d", linked)
	out := run("slots are not scrubbed", 0, "run", linked, "--epochs", "6", "--epoch", "10ms") // it tries once, and goes on
	if lines := strings.Split(strings.TrimSpace(out), "\n"); strings.Count(out, "FAILED") != 1 || !strings.Contains(lines[len(lines)-1], "no change") {
		t.Error(out)
	}
	if n := inQuarantine(); n != 2 {
		t.Errorf("%d slots are in quarantine", n)
	}
	run("0 of 2 slots are out of quarantine", 4, "scrub", linked)
	breaks(0, 0, -1)
	run("2 of 2 slots are out of quarantine", 0, "scrub", linked)
	if n := inQuarantine(); n != 0 {
		t.Errorf("%d slots are in quarantine", n)
	}
	run(": intact", 0, "audit", "verify", filepath.Join(dir, "ledger"))
}

// firstScrub is the first update of a plan that zeroes a slot.
func firstScrub(t *testing.T, in *plan.Input) *p4v1.RegisterEntry {
	t.Helper()
	for _, s := range in.Steps {
		var req p4v1.WriteRequest
		if s.Kind != plan.Write {
			continue
		}
		if err := proto.Unmarshal(s.Bytes, &req); err != nil {
			t.Fatal(err)
		}
		for _, u := range req.GetUpdates() {
			if r := u.GetEntity().GetRegisterEntry(); r.GetIndex() != nil {
				return r
			}
		}
	}
	t.Fatal("nothing is scrubbed")
	return nil
}

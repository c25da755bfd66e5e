package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
)

// How a controller is killed at a step of a plan. In each case the step's request has reached the switch, and the controller is dead
// before anything of it is done.
type crash string

const (
	lostRequest crash = "lost"    // the request is never carried out
	partRequest crash = "in part" // the first half of its updates is carried out
	lateRequest crash = "late"    // all of it is carried out, with nobody to be told
)

// crashGoal is what the interrupted plan is to reach.
var crashGoal = []string{"--set", "kv=1024", "--set", "hh=256"}

// TestCrash kills the controller (a process of its own, with SIGKILL) at every step of a plan that takes slots from one tenant and
// gives them to another, and starts it again. At no moment may two tenants reach a slot, or a tenant a slot that holds what another
// left; and the controller that comes after must read back, record what it finds, and recover by a proved plan.
func TestCrash(t *testing.T) {
	dir, requests := crashSite(t)
	f, err := loadPlan(filepath.Join(dir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Input.Steps) < 5 {
		t.Fatalf("the plan has only %d steps", len(f.Input.Steps))
	}
	for i, s := range f.Input.Steps {
		ways := []crash{lostRequest, lateRequest}
		if s.Kind == plan.Write && updates(t, s.Bytes) > 1 {
			ways = append(ways, partRequest)
		}
		for _, how := range ways {
			t.Run(fmt.Sprintf("step %d %s %s", i+1, s.Kind, how), func(t *testing.T) {
				t.Parallel()
				crashAt(t, dir, requests, f, i, how)
			})
		}
	}
}

func updates(t *testing.T, request []byte) int {
	t.Helper()
	var req p4v1.WriteRequest
	if err := proto.Unmarshal(request, &req); err != nil {
		t.Fatal(err)
	}
	return len(req.GetUpdates())
}

// crashSite makes a site with memory given out and a proved plan to give it out otherwise (plan.json). It returns the requests that
// brought the switch there, so that other switches can be brought there quickly.
func crashSite(t *testing.T) (dir string, requests []proto.Message) {
	t.Helper()
	base := prepared(t)
	dir = filepath.Join(t.TempDir(), "site")
	var mu sync.Mutex
	address, stop, err := serveTestSwitch(softswitch.Options{OnRequest: func(req proto.Message) error {
		mu.Lock()
		defer mu.Unlock()
		requests = append(requests, proto.Clone(req))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := copySite(base, dir, address); err != nil {
		t.Fatal(err)
	}
	linked, first := filepath.Join(dir, "linked"), filepath.Join(dir, "first.json")
	for _, args := range [][]string{
		{"install", linked},
		{"plan", linked, "--set", "kv=512", "--set", "hh=512", "-o", first},
		{"apply", first, "-d", linked},
		append([]string{"plan", linked, "-o", filepath.Join(dir, "plan.json")}, crashGoal...),
	} {
		if out, err := command(t, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	return dir, requests
}

// command is an interlock process that is yet to be started.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(interlockCommand(t), args...)
}

// A crashRig is a switch that kills the process that controls it.
type crashRig struct {
	t     *testing.T
	watch *ownershipWatch

	mu     sync.Mutex
	armed  bool
	victim *exec.Cmd
	dead   chan error // what the victim's Wait returned
	at     int        // the request to kill it at
	how    crash
	seen   int // requests since armed
	half   int // updates of a request to carry out before the kill; -1: no kill is due inside it

	killed atomic.Bool
}

func (r *crashRig) kill() {
	if r.killed.Swap(true) {
		return
	}
	if err := r.victim.Process.Kill(); err != nil {
		r.t.Errorf("kill: %v", err)
	}
	var exit *exec.ExitError
	if err := <-r.dead; !errors.As(err, &exit) || exit.ExitCode() != -1 {
		r.t.Errorf("the controller was not killed: %v", err)
	}
}

var errCrash = status.Error(codes.Unavailable, "the controller is dead")

func (r *crashRig) onRequest(req proto.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.half = -1
	if !r.armed {
		return nil
	}
	r.seen++
	if r.seen-1 != r.at {
		return nil
	}
	switch r.how {
	case lostRequest:
		r.kill()
		return errCrash
	case partRequest:
		r.half = len(req.(*p4v1.WriteRequest).GetUpdates()) / 2
	case lateRequest:
		r.kill()
	}
	return nil
}

func (r *crashRig) onUpdate(i int, u *p4v1.Update) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.half >= 0 && i >= r.half {
		r.kill()
		return errCrash
	}
	if r.watch != nil {
		r.watch.update(u)
	}
	return nil
}

func crashAt(t *testing.T, site string, requests []proto.Message, f *alloc.File, step int, how crash) {
	rig := &crashRig{t: t, half: -1, at: step, how: how, dead: make(chan error, 1)}
	address, stop, err := serveTestSwitch(softswitch.Options{OnRequest: rig.onRequest, OnUpdate: rig.onUpdate})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	dir := filepath.Join(t.TempDir(), "site")
	if err := copySite(site, dir, address); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(dir, "linked")
	reader, err := device.Dial(device.Target{Name: "s1", Driver: "softswitch", Address: address, DeviceID: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rig.watch = bringThere(ctx, t, address, requests, rig)
	before := readPageTables(ctx, t, reader)

	// The controller dies at the step.
	var said bytes.Buffer
	victim := command(t, "apply", filepath.Join(dir, "plan.json"), "-d", linked)
	victim.Stdout, victim.Stderr = &said, &said
	rig.mu.Lock()
	rig.armed, rig.victim = true, victim
	if err := victim.Start(); err != nil {
		rig.mu.Unlock()
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { rig.dead <- victim.Wait(); close(exited) }()
	rig.mu.Unlock()
	select {
	case <-exited:
	case <-ctx.Done():
		t.Fatal("the controller neither ended nor came to the step")
	}
	if !rig.killed.Load() {
		t.Fatalf("the controller ended before step %d:\n%s", step+1, said.String())
	}
	// A late request may have been seen by the watch and not be carried out yet.
	var left []byte
	var differs error
	for range 100 {
		left = readPageTables(ctx, t, reader)
		rig.mu.Lock()
		rig.armed = false
		differs = rig.watch.same(left)
		rig.mu.Unlock()
		if differs == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if differs != nil {
		t.Errorf("after the crash: %v", differs)
	}
	changed := !bytes.Equal(before, left)

	// And is started again.
	out, err := command(t, "run", linked, "--epochs", "2", "--epoch", "20ms").CombinedOutput()
	if err != nil {
		t.Fatalf("run after the crash: %v\n%s", err, out)
	}
	t.Logf("run after the crash:\n%s", out)
	if got := strings.Contains(string(out), "recovery: "); got != changed {
		t.Errorf("recovered: %v; the page tables had changed: %v", got, changed)
	}
	// The loop keeps what was read back if its sizes are good, or plans anew; either way the goal of the interrupted plan can still be
	// reached, by a plan that is proved.
	again := filepath.Join(dir, "again.json")
	if out, err = command(t, append([]string{"plan", linked, "-o", again}, crashGoal...)...).CombinedOutput(); err != nil {
		t.Fatalf("plan after the crash: %v\n%s", err, out)
	}
	finished := strings.Contains(string(out), "nothing to do")
	if !finished {
		if out, err := command(t, "apply", again, "-d", linked).CombinedOutput(); err != nil {
			t.Fatalf("apply after the crash: %v\n%s", err, out)
		}
	}
	rig.mu.Lock()
	for _, f := range rig.watch.faults {
		t.Error(f)
	}
	if err := rig.watch.same(readPageTables(ctx, t, reader)); err != nil {
		t.Errorf("at the end: %v", err)
	}
	rig.mu.Unlock()
	auditCrash(t, filepath.Join(dir, "ledger"), changed, !finished)
	if out, err := command(t, "audit", "compare", "-d", linked).CombinedOutput(); err != nil {
		t.Errorf("compare: %v\n%s", err, out)
	}
}

// bringThere does on a new switch what was done on another, and then leaves something in every slot that tenants could find.
func bringThere(ctx context.Context, t *testing.T, address string, requests []proto.Message, rig *crashRig) *ownershipWatch {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := p4v1.NewP4RuntimeClient(conn)
	stream, err := client.StreamChannel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	id := &p4v1.Uint128{Low: 1}
	err = stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: 1, ElectionId: id},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	var watch *ownershipWatch
	for _, r := range requests {
		switch r := proto.Clone(r).(type) {
		case *p4v1.SetForwardingPipelineConfigRequest:
			r.ElectionId = id
			if _, err := client.SetForwardingPipelineConfig(ctx, r); err != nil {
				t.Fatal(err)
			}
			watch = newOwnershipWatch(r.GetConfig().GetP4Info())
			rig.mu.Lock()
			rig.watch = watch
			rig.mu.Unlock()
		case *p4v1.WriteRequest:
			r.ElectionId = id
			if _, err := client.Write(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	dirty := &p4v1.WriteRequest{DeviceId: 1, ElectionId: id}
	for _, r := range watch.info.GetRegisters() {
		if !strings.HasPrefix(r.GetPreamble().GetName(), "il_stage_") {
			continue
		}
		for slot := range int64(r.GetSize()) {
			dirty.Updates = append(dirty.Updates, &p4v1.Update{
				Type: p4v1.Update_MODIFY,
				Entity: &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
					RegisterId: r.GetPreamble().GetId(), Index: &p4v1.Index{Index: slot},
					Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{0xde, 0xad}}},
				}}},
			})
		}
		if _, err := client.Write(ctx, dirty); err != nil {
			t.Fatal(err)
		}
		dirty.Updates = dirty.Updates[:0]
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if len(watch.entries) == 0 || len(watch.clean) == 0 {
		t.Fatal("the watch saw nothing of what was brought there")
	}
	return watch
}

func readPageTables(ctx context.Context, t *testing.T, r *device.Reader) []byte {
	t.Helper()
	p, err := r.Pipeline(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.PageTables(ctx, p.P4Info)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// auditCrash checks the log as an auditor does: intact, with the recovery recorded if the switch was left changed, and, then or where there was
// something left to do, with a plan after the interrupted one that was proved and applied.
func auditCrash(t *testing.T, dir string, changed, more bool) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := check.Read(dir, string(key))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range l.Findings {
		t.Errorf("the log is not intact: %s", f)
	}
	recovered, plans, proved, applied := false, 0, false, false
	for _, e := range l.Entries {
		switch o := e.Outcome; {
		case o != nil && o.Action == "recover":
			recovered = true
		case e.Decision != nil && e.Decision.Action == "plan":
			plans++
			proved = plans > 2 && e.Decision.Verdict == "proved" // the first two are the preparation and the interrupted plan
		case o != nil && o.Action == "apply" && proved:
			applied = o.Result == "applied"
		}
	}
	if recovered != changed || (changed || more) && !applied {
		for _, e := range l.Entries {
			switch {
			case e.Decision != nil:
				t.Logf("entry %d: decision %s: %s", e.Index, e.Decision.Action, e.Decision.Verdict)
			case e.Outcome != nil:
				t.Logf("entry %d: %s of entry %d: %s %s", e.Index, e.Outcome.Action, e.Outcome.Decision, e.Outcome.Result, e.Outcome.Error)
			}
		}
		t.Errorf("the log says: recovery %v, and then a plan that was proved and applied %v; the switch was left changed: %v, with more to do: %v",
			recovered, applied, changed, more)
	}
}

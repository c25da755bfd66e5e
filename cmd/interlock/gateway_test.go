package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/interlock/interlock/alloc/traffic"
	"github.com/interlock/interlock/specs"
)

// A controller of a tenant's, who comes in through its socket.
type tenantClient struct {
	t    *testing.T
	rpc  p4v1.P4RuntimeClient
	info *configv1.P4Info
}

func dialTenant(t *testing.T, socket string) *tenantClient {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); conn.Close() })
	c := &tenantClient{t: t, rpc: p4v1.NewP4RuntimeClient(conn)}
	stream, err := c.rpc.StreamChannel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: 1, ElectionId: &p4v1.Uint128{Low: 1}},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	resp, err := c.rpc.GetForwardingPipelineConfig(ctx, &p4v1.GetForwardingPipelineConfigRequest{DeviceId: 1})
	if err != nil {
		t.Fatal(err)
	}
	c.info = resp.GetConfig().GetP4Info()
	return c
}

func (c *tenantClient) register(name string) uint32 {
	for _, r := range c.info.GetRegisters() {
		if r.GetPreamble().GetName() == name {
			return r.GetPreamble().GetId()
		}
	}
	c.t.Errorf("no register %s", name)
	return 0
}

// set writes an element of a register; false if there is no memory behind it.
func (c *tenantClient) set(register uint32, i int64, v []byte) bool {
	_, err := c.rpc.Write(context.Background(), &p4v1.WriteRequest{DeviceId: 1, ElectionId: &p4v1.Uint128{Low: 1}, Updates: []*p4v1.Update{{
		Type: p4v1.Update_MODIFY, Entity: &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
			RegisterId: register, Index: &p4v1.Index{Index: i}, Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: v}},
		}}},
	}}})
	return err == nil
}

// all reads a register.
func (c *tenantClient) all(register uint32) map[int64][]byte {
	s, err := c.rpc.Read(context.Background(), &p4v1.ReadRequest{DeviceId: 1, Entities: []*p4v1.Entity{{
		Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{RegisterId: register}},
	}}})
	out := map[int64][]byte{}
	for err == nil {
		var m *p4v1.ReadResponse
		if m, err = s.Recv(); err != nil {
			break
		}
		for _, e := range m.GetEntities() {
			out[e.GetRegisterEntry().GetIndex().GetIndex()] = e.GetRegisterEntry().GetData().GetBitstring()
		}
	}
	if len(out) == 0 {
		c.t.Errorf("read nothing: %v", err)
	}
	return out
}

// While the control loop moves memory between them, tenants write and read their registers: each finds its own values or zeros, never the
// other's, and what stays at its place stays what it was.
func TestTenantsWhileMemoryMoves(t *testing.T) {
	text, ok := specs.Policy("max-min")
	if !ok {
		t.Fatal("no such policy")
	}
	r := newLiveRig(t, string(text), nil)
	dir := t.TempDir()
	d, err := r.c.planner.work.letIn(t.Context(), &r.out, r.c.gate, entrance{sockets: dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	kv, hh := dialTenant(t, filepath.Join(dir, "kv.sock")), dialTenant(t, filepath.Join(dir, "hh.sock"))
	both := map[string]traffic.Kind{"kv": traffic.KeyValue, "hh": traffic.Flows}
	r.epoch(nil)
	first := in(r.tenant("hh"), 2)

	// Both write a value of their own, which no packet writes, into the registers that they have in stage 2.
	mineKV, mineHH := []byte("kv's"), []byte("hh's")
	stop := make(chan struct{})
	var group sync.WaitGroup
	work := func(c *tenantClient, register uint32, mine []byte, slots int64) {
		for i := int64(0); ; i = (i + 7) % slots {
			select {
			case <-stop:
				return
			default:
			}
			c.set(register, i, mine)
		}
	}
	group.Go(func() { work(kv, kv.register("val_hi"), mineKV, 16384) })
	group.Go(func() { work(hh, hh.register("HhIngress.row_1"), mineHH, 8192) })
	sizes := map[int64]bool{first: true}
	for i := range 6 {
		kinds := both
		if i%2 == 0 {
			kinds = map[string]traffic.Kind{"kv": traffic.KeyValue}
		}
		e := r.epoch(kinds)
		if e.Error != "" {
			t.Errorf("epoch %d: %s", i, e.Error)
		}
		sizes[in(r.tenant("hh"), 2)] = true
		for i, v := range hh.all(hh.register("HhIngress.row_1")) {
			if bytes.Equal(v, mineKV) {
				t.Fatalf("hh reads kv's value at %d", i)
			}
		}
	}
	close(stop)
	group.Wait()
	if len(sizes) < 2 {
		t.Error("hh's memory never changed")
	}
	for i, v := range kv.all(kv.register("val_hi")) {
		if bytes.Equal(v, mineHH) {
			t.Fatalf("kv reads hh's value at %d", i)
		}
	}
	if err := r.c.gate.Lost(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(r.out.String(), "tenants fw, hh, kv: P4Runtime on ") {
		t.Errorf("%s", r.out.String())
	}
	r.audit()
}

// The command serves tenants until somebody else takes the switch, as an eviction does, and lets go of the ledger then.
func TestGatewayCommand(t *testing.T) {
	dir, sockets := filepath.Join(t.TempDir(), "q"), filepath.Join(t.TempDir(), "tenants")
	installed(t, dir)
	linked := filepath.Join(dir, "linked")
	out := &lockedBuffer{}
	done := make(chan error, 1)
	go func() {
		command := newRoot()
		command.SetArgs([]string{"gateway", linked, "--sockets", sockets, "--metrics", "127.0.0.1:0"})
		command.SetOut(out)
		done <- command.ExecuteContext(t.Context())
	}()
	for !strings.Contains(out.String(), "metrics on") {
		select {
		case err := <-done:
			t.Fatalf("%v\n%s", err, out)
		case <-time.After(time.Millisecond):
		}
	}
	kv := dialTenant(t, filepath.Join(sockets, "kv.sock"))
	if kv.set(kv.register("key_hi"), 0, []byte{1}) { // no plan has given it memory yet
		t.Error("kv has memory")
	}
	if got := kv.all(kv.register("key_hi")); len(got) != 16384 || got[0][0] != 0 {
		t.Errorf("%d elements", len(got))
	}
	command := newRoot()
	command.SetArgs([]string{"evict", "kv", "-d", linked})
	command.SetOut(io.Discard)
	if err := command.ExecuteContext(t.Context()); err != nil {
		t.Error(err)
	}
	var exit *exitError
	if err := <-done; !errors.As(err, &exit) || exit.code != exitEnvironment || !strings.Contains(err.Error(), "another controller has mastership") {
		t.Errorf("%v", err)
	}
	if es, err := os.ReadDir(sockets); err != nil || len(es) > 0 {
		t.Errorf("%v, %v", es, err)
	}
}

func TestGatewayRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"gateway"}, "say --sockets DIR"},
		{[]string{"gateway", "--listen", "127.0.0.1:0"}, "tls-cert"},
		{[]string{"run", "--gateway-listen", "127.0.0.1:0"}, "gateway-tls-cert"},
		{[]string{"gateway", "nowhere", "--sockets", "x"}, "no linked directory"},
	} {
		command := newRoot()
		command.SetArgs(c.args)
		command.SetOut(io.Discard)
		if err := command.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

// A lockedBuffer may be read while a command writes into it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

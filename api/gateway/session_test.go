package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/api/testcert"
)

// A tenant has a switch of its own: its program, and election ids that are no other tenant's, nor the gate's.
func TestOwnSwitch(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh") // both with election id 1
	if c, err := kv.rpc.Capabilities(t.Context(), &p4v1.CapabilitiesRequest{}); err != nil || c.GetP4RuntimeApiVersion() != p4rt.APIVersion {
		t.Errorf("%v, %v", c, err)
	}
	resp, err := hh.rpc.GetForwardingPipelineConfig(t.Context(), &p4v1.GetForwardingPipelineConfigRequest{DeviceId: deviceID})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../testdata/tenants/hh.p4")
	if err != nil {
		t.Fatal(err)
	}
	if string(resp.GetConfig().GetP4DeviceConfig()) != string(text) || len(resp.GetConfig().GetP4Info().GetRegisters()) != 3 {
		t.Errorf("hh's program: %v", resp.GetConfig().GetP4Info())
	}
	for _, x := range resp.GetConfig().GetP4Info().GetTables() {
		if strings.Contains(x.GetPreamble().GetName(), "__") {
			t.Errorf("hh sees table %s", x.GetPreamble().GetName())
		}
	}

	backup := r.dial("unix:"+filepath.Join(r.dir, "kv.sock"), insecure.NewCredentials(), 0)
	backup.info = kv.info
	if a := backup.arbitrate(0); a.GetStatus().GetCode() != int32(codes.AlreadyExists) {
		t.Errorf("a lower id: %v", a)
	}
	if backup.election = (&p4v1.Uint128{}); status.Code(backup.write(insert(backup.route(1, 1)))) != codes.PermissionDenied {
		t.Error("a backup writes")
	}
	if got := backup.reads(tableEntity(&p4v1.TableEntry{})); len(got) != 2 {
		t.Errorf("a backup reads %v", got)
	}
	if a := backup.arbitrate(5); a.GetStatus().GetCode() != int32(codes.OK) {
		t.Errorf("a higher id: %v", a)
	}
	if m, err := kv.stream.Recv(); err != nil || m.GetArbitration().GetStatus().GetCode() != int32(codes.AlreadyExists) || m.GetArbitration().GetElectionId().GetLow() != 5 {
		t.Errorf("the primary before is told %v, %v", m, err)
	}
	backup.election = &p4v1.Uint128{Low: 5}
	backup.must(insert(backup.route(1, 1)))
	if err := kv.write(insert(kv.route(2, 1))); status.Code(err) != codes.PermissionDenied {
		t.Errorf("the primary before writes: %v", err)
	}
	if err := r.gate.Lost(); err != nil {
		t.Errorf("the gate lost mastership: %v", err)
	}
}

// A client that pushes what is there at its start succeeds, and nothing happens; nothing else is taken.
func TestSetPipeline(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	kv.must(insert(kv.route(1, 1)))
	text, err := os.ReadFile("../../testdata/tenants/kv.p4")
	if err != nil {
		t.Fatal(err)
	}
	r.seen()
	const commit = p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT
	for _, c := range []struct {
		name   string
		action p4v1.SetForwardingPipelineConfigRequest_Action
		change func(*p4v1.SetForwardingPipelineConfigRequest)
		want   codes.Code
	}{
		{"the same", commit, func(*p4v1.SetForwardingPipelineConfigRequest) {}, codes.OK},
		{"the P4Info alone", commit, func(m *p4v1.SetForwardingPipelineConfigRequest) { m.Config.P4DeviceConfig = nil }, codes.OK},
		{"verified", p4v1.SetForwardingPipelineConfigRequest_VERIFY, func(*p4v1.SetForwardingPipelineConfigRequest) {}, codes.OK},
		{"reconciled", p4v1.SetForwardingPipelineConfigRequest_RECONCILE_AND_COMMIT, func(*p4v1.SetForwardingPipelineConfigRequest) {}, codes.OK},
		{"saved", p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_SAVE, func(*p4v1.SetForwardingPipelineConfigRequest) {}, codes.Unimplemented},
		{"no action", 0, func(*p4v1.SetForwardingPipelineConfigRequest) {}, codes.InvalidArgument},
		{"not the primary's", commit, func(m *p4v1.SetForwardingPipelineConfigRequest) { m.ElectionId = nil }, codes.PermissionDenied},
		{"another text", commit, func(m *p4v1.SetForwardingPipelineConfigRequest) { m.Config.P4DeviceConfig = []byte("{}") }, codes.PermissionDenied},
		{"another tenant's", commit, func(m *p4v1.SetForwardingPipelineConfigRequest) { m.Config.P4Info = hh.info }, codes.PermissionDenied},
		{"the linked program", commit, func(m *p4v1.SetForwardingPipelineConfigRequest) {
			m.Config.P4Info, m.Config.P4DeviceConfig = r.info, r.linked
		}, codes.PermissionDenied},
		{"nothing", commit, func(m *p4v1.SetForwardingPipelineConfigRequest) { m.Config = nil }, codes.PermissionDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &p4v1.SetForwardingPipelineConfigRequest{
				DeviceId: deviceID, ElectionId: kv.election, Action: c.action,
				Config: &p4v1.ForwardingPipelineConfig{P4Info: proto.CloneOf(kv.info), P4DeviceConfig: text},
			}
			c.change(m)
			if _, err := kv.rpc.SetForwardingPipelineConfig(t.Context(), m); status.Code(err) != c.want {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	if got := kv.reads(kv.route(1, 1)); len(got) != 1 {
		t.Error("the entry is gone")
	}
	if n := r.counted("PermissionDenied SetForwardingPipelineConfig kv"); n != 5 {
		t.Errorf("%v refusals are counted", n)
	}
}

// counted is how many calls the metrics say ended so: code, method and tenant, in the order of the labels' names.
func (r *rig) counted(labels string) float64 {
	r.t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(r.gateway.Collector())
	families, err := reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if strings.Join(values, " ") == labels {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// What a tenant's switch does not do is said on the stream.
func TestStreamRefuses(t *testing.T) {
	r := newRig(t)
	kv := r.tenant("kv")
	for _, m := range []*p4v1.StreamMessageRequest{
		{Update: &p4v1.StreamMessageRequest_Packet{Packet: &p4v1.PacketOut{Payload: []byte{1}}}},
		{Update: &p4v1.StreamMessageRequest_DigestAck{DigestAck: &p4v1.DigestListAck{DigestId: 1}}},
		{Update: &p4v1.StreamMessageRequest_Other{}},
	} {
		if err := kv.stream.Send(m); err != nil {
			t.Fatal(err)
		}
		got, err := kv.stream.Recv()
		if err != nil || got.GetError().GetCanonicalCode() != int32(codes.Unimplemented) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if err := kv.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: deviceID, ElectionId: kv.election, Role: &p4v1.Role{Name: "x"}},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.stream.Recv(); status.Code(err) != codes.NotFound {
		t.Errorf("a role: %v", err)
	}
}

// Registers are the tenant's virtual ones: element i is slot base+i, if there is memory behind it.
func TestRegisters(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	keys, owners := kv.register("key_hi"), hh.register("HhIngress.owners")
	kv.must(modify(cell(keys, 3, 0, 0, 7)), modify(cell(keys, 15, 8)))
	hh.must(modify(cell(owners, 0, 1, 2, 3, 4)))
	slots := map[int64]byte{}
	for _, u := range r.seen() {
		x := u.GetEntity().GetRegisterEntry()
		if x.GetRegisterId() != r.array(0) {
			t.Errorf("%v", u)
		}
		b := x.GetData().GetBitstring()
		slots[x.GetIndex().GetIndex()] = b[len(b)-1]
	}
	if len(slots) != 3 || slots[67] != 7 || slots[79] != 8 || slots[128] != 4 {
		t.Errorf("written: %v", slots)
	}
	if got := kv.reads(cell(keys, 3)); len(got) != 1 || !proto.Equal(got[0], cell(keys, 3, 7)) {
		t.Errorf("%v", got)
	}
	if got := kv.reads(cell(keys, 3+16)); len(got) != 1 || !proto.Equal(got[0], cell(keys, 19, 7)) { // folded: 19 & 15 is 3
		t.Errorf("%v", got)
	}
	all := kv.reads(cells(keys))
	if len(all) != 16384 || !proto.Equal(all[16384-13], cell(keys, 16384-13, 7)) || !proto.Equal(all[1], cell(keys, 1, 0)) {
		t.Errorf("%d elements, %v", len(all), all[16384-13])
	}
	if got := kv.reads(registerEntity(&p4v1.RegisterEntry{})); len(got) != 5*16384 {
		t.Errorf("%d elements of all registers", len(got))
	}
	fw := r.tenant("fw") // has no memory
	filter := fw.register("FwIngress.filter_0")
	err := fw.write(modify(cell(filter, 5, 1)))
	if es := p4rt.UpdateErrors(err); len(es) != 1 || codes.Code(es[0].GetCanonicalCode()) != codes.OutOfRange ||
		!strings.Contains(es[0].GetMessage(), "no memory behind index 5") {
		t.Errorf("%v", es)
	}
	if got := fw.reads(cell(filter, 5)); len(got) != 1 || !proto.Equal(got[0], cell(filter, 5, 0)) {
		t.Errorf("%v", got)
	}
}

// After the page table has moved a tenant's memory, its elements are those of the new place; nothing else is read on the way.
func TestRegistersMove(t *testing.T) {
	r := newRig(t)
	kv := r.tenant("kv")
	keys := kv.register("key_hi")
	kv.must(modify(cell(keys, 3, 7)))
	// As if another controller moved the memory after its place was found, and before it was read.
	n := 0
	move := func() {
		if n++; n == 1 {
			r.outside(modify(r.page(100, 32, 16, 1)), modify(cell(r.array(0), 35, 32)), modify(cell(r.array(0), 67, 99)))
		}
	}
	r.onCells(move)
	if got, err := kv.read(cell(keys, 3)); err != nil || n != 2 || len(got) != 1 || !proto.Equal(got[0], cell(keys, 3, 32)) {
		t.Errorf("read %d times: %v, %v", n, got, err)
	}
	r.onCells(func() { n++; r.outside(modify(r.page(100, 32, 16, byte(n)))) })
	if got, err := kv.read(cell(keys, 3)); status.Code(err) != codes.Aborted || len(got) > 0 {
		t.Errorf("moved all the time: %v, %v", got, err)
	}
}

// A tenant that is shut out is told so, and nothing is sent.
func TestNotAdmitted(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	r.outside(remove(tableEntity(r.admitted(100))))
	r.seen()
	if err := kv.write(insert(kv.route(1, 1))); status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "not admitted") {
		t.Errorf("%v", err)
	}
	if _, err := kv.read(tableEntity(&p4v1.TableEntry{})); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("%v", err)
	}
	if us := r.seen(); len(us) > 0 {
		t.Errorf("sent: %v", us)
	}
	if got := hh.reads(tableEntity(&p4v1.TableEntry{})); len(got) != 2 {
		t.Errorf("%v", got)
	}
	r.outside(remove(tableEntity(r.admitted(200))), remove(tableEntity(r.admitted(300))))
	if _, err := r.gate.Shut(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.outside(insert(tableEntity(r.admitted(100)))) // what is read of the closed switch is what the replacement restores
	r.seen()
	if err := kv.write(insert(kv.route(1, 1))); status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "is closed") {
		t.Errorf("%v", err)
	}
	if us := r.seen(); len(us) > 0 {
		t.Errorf("sent: %v", us)
	}
}

// A table takes as many entries as were linked, and no more.
func TestFull(t *testing.T) {
	r := newRig(t)
	kv := r.tenant("kv")
	var us []*p4v1.Update
	for i := range 256 {
		e := kv.route(byte(i), 1)
		us = append(us, insert(e))
	}
	kv.must(us...)
	r.seen()
	more := kv.route(1, 1)
	more.GetTableEntry().Match = []*p4v1.FieldMatch{lpm(1, 8, 11, 0, 0, 0)}
	err := kv.write(insert(more))
	if es := p4rt.UpdateErrors(err); len(es) != 1 || codes.Code(es[0].GetCanonicalCode()) != codes.ResourceExhausted ||
		!strings.Contains(es[0].GetMessage(), "table KvIngress.routes has 256 entries") {
		t.Errorf("%v", es)
	}
	if us := r.seen(); len(us) > 0 {
		t.Errorf("sent: %v", us)
	}
	kv.must(remove(kv.route(9, 1)))
	kv.must(insert(more))
}

// A request that the switch does not answer in time stops the gate, also when the tenant has gone: it may take effect late.
func TestUnanswered(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	arrived, release := make(chan struct{}), make(chan struct{})
	r.mu.Lock()
	r.hold = func() { close(arrived); <-release }
	r.mu.Unlock()
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := kv.rpc.Write(ctx, &p4v1.WriteRequest{DeviceId: deviceID, ElectionId: kv.election, Updates: []*p4v1.Update{modify(cell(kv.register("key_hi"), 0, 1))}})
		done <- err
	}()
	<-arrived
	cancel()
	if err := <-done; status.Code(err) != codes.Canceled {
		t.Errorf("%v", err)
	}
	err := hh.write(modify(cell(hh.register("HhIngress.owners"), 0, 1)))
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "may still take effect") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), r.addr) {
		t.Errorf("a tenant is told the switch's address: %v", err)
	}
	if us := r.seen(); len(us) != 1 {
		t.Errorf("%d updates arrived", len(us))
	}
}

// A tenant that goes away does not stop the gate: its request is waited for, and counted.
func TestCancelled(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	arrived, release := make(chan struct{}), make(chan struct{})
	r.mu.Lock()
	r.hold = sync.OnceFunc(func() { close(arrived); <-release })
	r.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := kv.rpc.Write(ctx, &p4v1.WriteRequest{DeviceId: deviceID, ElectionId: kv.election, Updates: []*p4v1.Update{insert(kv.route(1, 1))}})
		done <- err
	}()
	<-arrived
	cancel()
	if err := <-done; status.Code(err) != codes.Canceled {
		t.Errorf("%v", err)
	}
	close(release)
	hh.must(modify(cell(hh.register("HhIngress.owners"), 0, 1)))
	if got := kv.reads(kv.route(1, 1)); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// Whose requests wait already waits no more.
func TestQueue(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	v := r.gateway.tenants["kv"]
	if err := v.waiting.Acquire(t.Context(), maxWaiting); err != nil {
		t.Fatal(err)
	}
	if err := kv.write(insert(kv.route(1, 1))); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("%v", err)
	}
	if _, err := kv.read(tableEntity(&p4v1.TableEntry{})); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("%v", err)
	}
	hh.reads(tableEntity(&p4v1.TableEntry{}))
	v.waiting.Release(maxWaiting)
	kv.must(insert(kv.route(1, 1)))
}

// Many controllers at once: each sees its own tenant's things alone.
func TestTogether(t *testing.T) {
	r := newRig(t)
	var group sync.WaitGroup
	kv, hh := r.tenant("kv"), r.tenant("hh")
	for i := range 8 {
		group.Go(func() {
			kv.must(insert(kv.route(byte(i), 1)), modify(cell(kv.register("key_hi"), int64(i), byte(i)+1)))
			kv.reads(tableEntity(&p4v1.TableEntry{}))
		})
		group.Go(func() {
			hh.must(modify(cell(hh.register("HhIngress.owners"), int64(i), 100)))
			for _, e := range hh.reads(cell(hh.register("HhIngress.owners"), int64(i))) {
				if v := e.GetRegisterEntry().GetData().GetBitstring(); len(v) != 1 || v[0] != 100 {
					t.Errorf("hh reads %v", e)
				}
			}
		})
	}
	group.Wait()
	got := kv.reads(tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.routes")}))
	if len(got) != 8 {
		t.Errorf("%d entries", len(got))
	}
	for _, e := range kv.reads(cells(kv.register("key_hi")))[:8] {
		if x := e.GetRegisterEntry(); x.GetData().GetBitstring()[0] != byte(x.GetIndex().GetIndex())+1 {
			t.Errorf("%v", e)
		}
	}
}

// Over TCP a tenant is who its certificate says.
func TestTLS(t *testing.T) {
	r := newRig(t)
	ca, cert, key := testcert.New(t, "operator")
	tenantsCA, sign := testcert.Authority(t, "tenants")
	_, strange := testcert.Authority(t, "strangers")
	l, err := r.gateway.TLS("127.0.0.1:0", cert, key, tenantsCA)
	if err != nil {
		t.Fatal(err)
	}
	r.serve(l)
	authority, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	for _, c := range []struct {
		name string
		sign func(name string) (cert, key string)
		as   string
		want codes.Code
	}{
		{"kv", sign, "kv", codes.OK},
		{"hh", sign, "hh", codes.OK},
		{"no tenant", sign, "nobody", codes.PermissionDenied},
		{"another authority", strange, "kv", codes.Unavailable},
		{"no certificate", nil, "", codes.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
			if c.sign != nil {
				pair, err := tls.LoadX509KeyPair(c.sign(c.as))
				if err != nil {
					t.Fatal(err)
				}
				conf.Certificates = []tls.Certificate{pair}
			}
			conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(conf)))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			resp, err := p4v1.NewP4RuntimeClient(conn).GetForwardingPipelineConfig(t.Context(), &p4v1.GetForwardingPipelineConfigRequest{DeviceId: deviceID})
			if status.Code(err) != c.want {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if err == nil && !proto.Equal(resp.GetConfig().GetP4Info(), r.tenant(c.as).info) {
				t.Error("another tenant's P4Info")
			}
		})
	}
	if _, err := r.gateway.TLS("127.0.0.1:0", cert, key, ""); err == nil {
		t.Error("without an authority for tenants")
	}
}

// Sockets are the user's alone, and are gone afterwards, unless they are another gateway's by then.
func TestSockets(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	ls, err := r.gateway.Sockets(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := func() []string {
		es, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range es {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(e.Name(), " ", info.Mode()))
		}
		return out
	}
	want := []string{"fw.sock Srw-------", "hh.sock Srw-------", "kv.sock Srw-------"}
	if got := names(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	again, err := r.gateway.Sockets(dir)
	if err != nil {
		t.Fatal(err)
	}
	Close(ls...)
	if got := names(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	Close(again...)
	if got := names(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if _, err := r.gateway.Sockets(filepath.Join(dir, strings.Repeat("x", 100))); err == nil {
		t.Error("a path that is too long for a socket")
	}
}

// A program that was changed since it was linked is not served: its ids would not be those of what runs.
func TestChangedSource(t *testing.T) {
	r := newRig(t)
	m := r.manifest()
	sources := map[string]Source{}
	for _, x := range m.Tenants {
		sources[x.Name] = r.source(x.Name)
	}
	sources["hh"] = Source{"hh.p4", append(sources["hh"].Text, '\n')}
	if _, err := New(Config{Gate: r.gate, Linked: r.linked, Manifest: m, DeviceID: deviceID, Sources: sources}); err == nil || !strings.Contains(err.Error(), "link again") {
		t.Errorf("%v", err)
	}
	delete(sources, "hh")
	if _, err := New(Config{Gate: r.gate, Linked: r.linked, Manifest: m, DeviceID: deviceID, Sources: sources}); err == nil {
		t.Error("without a program")
	}
}

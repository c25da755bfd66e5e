package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// stf runs the packet tests of p4c's v1model samples on the embedded switch. What a test writes and reads goes over a P4Runtime
// connection, as a controller's; packets go in and out at the switch's ports.
func stf(root, match string, jobs int, b *board) error {
	var tests []sample
	err := filepath.WalkDir(filepath.Join(root, "testdata", "p4_16_samples"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".stf" {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		a, err := archOf(root, strings.TrimSuffix(path, ".stf")+".p4")
		if errors.Is(err, fs.ErrNotExist) {
			return nil // of no program that is there
		}
		if name := filepath.ToSlash(rel); err == nil && a == v1model && strings.Contains(name, match) {
			tests = append(tests, sample{path: path, name: name, arch: a})
		}
		return err
	})
	if err != nil {
		return err
	}
	each(jobs, tests, func(s sample) {
		b.result("stf", guarded(s.name, func() *failure { return runSTF(root, s) }))
	})
	return nil
}

// phase says what a test was about when it failed.
type phaseError struct {
	phase string
	err   error
}

func (e *phaseError) Error() string { return e.err.Error() }

func runSTF(root string, s sample) *failure {
	err := func() error {
		text, info, err := singleFile(root, strings.TrimSuffix(s.path, ".stf")+".p4")
		if err != nil {
			return &phaseError{"front end", err}
		}
		cmds, err := readSTF(s.path)
		if err != nil {
			return &phaseError{"test not understood", err}
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		r, err := startSwitch(ctx, text, info)
		if err != nil {
			return &phaseError{"program not installed", err}
		}
		defer r.stop()
		for _, c := range cmds {
			if err := r.do(ctx, c); err != nil {
				return fmt.Errorf("line %d: %w", c.line, err)
			}
		}
		return r.compare()
	}()
	if err == nil {
		return nil
	}
	group := "request refused"
	var p *phaseError
	if errors.As(err, &p) {
		group = p.phase
	}
	return &failure{s.name, group, err.Error()}
}

// singleFile is the program as a device configuration of the embedded switch: one file that includes core.p4 and v1model.p4 alone.
func singleFile(root, path string) ([]byte, *p4configv1.P4Info, error) {
	info, diags := p4.Load(path, nil, includePath(root)...)
	if diags.HasErrors() {
		return nil, nil, diags.Err()
	}
	var b bytes.Buffer
	if err := (syntax.PrintConfig{Include: []string{"core.p4", "v1model.p4"}}).Fprint(&b, info.Program); err != nil {
		return nil, nil, err
	}
	again, diags := p4.Load("program.p4", b.Bytes())
	if diags.HasErrors() {
		return nil, nil, fmt.Errorf("printed as one file: %w", diags.Err())
	}
	p4i, diags := p4info.Generate(again)
	return b.Bytes(), p4i, diags.Err()
}

// device and election of the one controller.
const device = 1

var election = p4v1.Uint128{Low: 1}

// stfRun is a switch that runs one test, with its controller.
type stfRun struct {
	sw     *softswitch.Switch
	rpc    p4v1.P4RuntimeClient
	info   *p4configv1.P4Info
	closes []func()

	mu       sync.Mutex
	received map[uint16][]string // hexadecimal, by port

	expected map[uint16][]stfExpect
	anything map[uint16]bool // ports whose packets do not matter

	nodes    []stfNode // of multicast
	groups   map[uint32][]int
	sessions map[uint32]uint32 // clone session -> multicast group
}

type stfExpect struct {
	line int
	data string
}

type stfNode struct {
	rid   uint32
	ports []uint32
}

// startSwitch serves a switch on loopback and installs the program over the connection.
func startSwitch(ctx context.Context, text []byte, info *p4configv1.P4Info) (*stfRun, error) {
	r := &stfRun{
		info: info, received: map[uint16][]string{}, expected: map[uint16][]stfExpect{}, anything: map[uint16]bool{},
		groups: map[uint32][]int{}, sessions: map[uint32]uint32{},
	}
	r.sw = softswitch.New(softswitch.Options{DeviceID: device, Output: func(port uint16, pkt []byte) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.received[port] = append(r.received[port], hex.EncodeToString(pkt))
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	serving, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- r.sw.Serve(serving, l) }()
	r.closes = append(r.closes, func() { cancel(); <-served; _ = r.sw.Close() })
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		r.stop()
		return nil, err
	}
	r.closes = append(r.closes, func() { _ = conn.Close() })
	r.rpc = p4v1.NewP4RuntimeClient(conn)
	if err := r.install(ctx, text); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *stfRun) stop() {
	for _, f := range slices.Backward(r.closes) {
		f()
	}
}

// install becomes the primary and sets the pipeline.
func (r *stfRun) install(ctx context.Context, text []byte) error {
	stream, err := r.rpc.StreamChannel(ctx)
	if err != nil {
		return err
	}
	err = stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: device, ElectionId: &election},
	}})
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	go func() { // packets to the controller and digests are no part of the language
		for {
			if _, err := stream.Recv(); err != nil {
				return
			}
		}
	}()
	_, err = r.rpc.SetForwardingPipelineConfig(ctx, &p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: device, ElectionId: &election, Action: p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		Config: &p4v1.ForwardingPipelineConfig{P4Info: r.info, P4DeviceConfig: text},
	})
	return err
}

// write sends one update.
func (r *stfRun) write(ctx context.Context, t p4v1.Update_Type, e *p4v1.Entity) error {
	_, err := r.rpc.Write(ctx, &p4v1.WriteRequest{
		DeviceId: device, ElectionId: &election, Updates: []*p4v1.Update{{Type: t, Entity: e}},
	})
	return detailed(err)
}

// detailed adds what the switch said about the single update.
func detailed(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	for _, d := range s.Details() {
		if d, ok := d.(*p4v1.Error); ok && d.Message != "" {
			return fmt.Errorf("%w: %s", err, d.Message)
		}
	}
	return err
}

// read returns the entities that answer a request for one.
func (r *stfRun) read(ctx context.Context, e *p4v1.Entity) ([]*p4v1.Entity, error) {
	stream, err := r.rpc.Read(ctx, &p4v1.ReadRequest{DeviceId: device, Entities: []*p4v1.Entity{e}})
	if err != nil {
		return nil, err
	}
	var all []*p4v1.Entity
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if len(all) == 0 {
				return nil, errors.New("nothing was read")
			}
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m.Entities...)
	}
}

// do carries out one command.
func (r *stfRun) do(ctx context.Context, c stfCommand) error {
	switch c.verb {
	case "wait": // nothing is under way here when a command is done
		return nil
	case "packet":
		return r.packet(c)
	case "expect":
		return r.expect(c)
	case "add", "setdefault":
		return r.addEntry(ctx, c.verb, c.add)
	}
	known, err := r.stateful(ctx, c)
	if !known {
		known, err = r.replicate(ctx, c)
	}
	if !known {
		return &phaseError{"test not understood", fmt.Errorf("unknown command %s", c.verb)}
	}
	return err
}

func port(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err
}

func (r *stfRun) packet(c stfCommand) error {
	p, err := port(c.args[0])
	if err != nil {
		return err
	}
	data, err := hex.DecodeString(c.args[1])
	if err != nil {
		return &phaseError{"test not understood", err}
	}
	return r.sw.Inject(p, data)
}

// expect notes what must come out: tests may say so before they send.
func (r *stfRun) expect(c stfCommand) error {
	p, err := port(c.args[0])
	if err != nil {
		return err
	}
	if c.args[1] == "" {
		r.anything[p] = true
		return nil
	}
	r.expected[p] = append(r.expected[p], stfExpect{c.line, c.args[1]})
	return nil
}

// compare holds what came out against what was expected: on each port the same packets in the same order.
func (r *stfRun) compare() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ports := map[uint16]bool{}
	for p := range r.expected {
		ports[p] = true
	}
	for p := range r.received {
		ports[p] = true
	}
	var wrong []string
	for p := range ports {
		if r.anything[p] {
			continue
		}
		want, got := r.expected[p], r.received[p]
		for i, w := range want {
			switch {
			case i >= len(got):
				wrong = append(wrong, fmt.Sprintf("line %d: no packet on port %d", w.line, p))
			case !samePacket(w.data, got[i]):
				wrong = append(wrong, fmt.Sprintf("line %d: port %d\nwant %s\ngot  %s", w.line, p, w.data, got[i]))
			}
		}
		for _, g := range got[min(len(want), len(got)):] {
			wrong = append(wrong, fmt.Sprintf("unexpected on port %d: %s", p, g))
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return &phaseError{"another output", errors.New(strings.Join(wrong, "\n"))}
}

// samePacket compares a packet with a pattern: * is any digit, and without a $ at its end the packet may be longer.
func samePacket(want, got string) bool {
	want, exact := strings.CutSuffix(want, "$")
	if len(got) < len(want) || exact && len(got) > len(want) {
		return false
	}
	for i := range len(want) {
		if want[i] != '*' && want[i] != got[i] {
			return false
		}
	}
	return true
}

// bytesOf is a number as P4Runtime writes it.
func bytesOf(n *big.Int) []byte {
	if n.Sign() == 0 {
		return []byte{0}
	}
	return n.Bytes()
}

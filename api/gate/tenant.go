package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/request"
)

// What a tenant's request is refused with, besides a *request.Error.
var (
	// ErrNotAdmitted says that the switch lets none of the tenant's packets in: it was evicted, or the program is being replaced.
	ErrNotAdmitted = errors.New("the tenant is not admitted")
	// ErrMoved says that the tenant's memory was moved while it was read, more than once.
	ErrMoved = errors.New("the tenant's memory was moved meanwhile")
)

// readTries is how often a read of memory that was moved meanwhile is done.
const readTries = 3

// Tenants are those of the linked program that a gate's switch runs: they write and read what is theirs, between plans.
type Tenants struct {
	gate    *Gate
	linked  []byte
	digest  verify.Digest
	program *request.Program
}

// Tenants makes the gate take requests of the tenants of a linked program.
func (g *Gate) Tenants(linked []byte) (*Tenants, error) {
	declared, err := device.DeclaredPrimitives(g.conf.Target.Driver)
	if err != nil {
		return nil, err
	}
	if u := declared.Proof.Unanswered.Until; u != plan.UntilArbitration {
		return nil, fmt.Errorf("switch %s: a tenant's request that it does not answer would end by %q: it could meet memory that is another's by then",
			g.conf.Target.Name, u)
	}
	p, err := request.Read(linked, g.conf.Tenants)
	if err != nil {
		return nil, err
	}
	return &Tenants{g, linked, verify.DigestOf(linked), p}, nil
}

// A Port is where one tenant's requests go in.
type Port struct {
	*Tenants
	vid   uint16
	scope *request.Scope
	name  string
}

// Port is that of a tenant.
func (t *Tenants) Port(tenant string) (*Port, error) {
	s, err := t.program.Scope(tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range t.gate.conf.Tenants {
		if x.Name == tenant {
			return &Port{t, x.VID, s, tenant}, nil
		}
	}
	return nil, fmt.Errorf("no tenant is called %q", tenant)
}

// Info is the linked program's P4Info. It must not be changed.
func (t *Tenants) Info() *configv1.P4Info { return t.program.Info() }

// Decide begins to decide about the tenant's updates one by one, so that one that would be refused need not spoil the others. What is sent is
// decided about again.
func (p *Port) Decide(st request.State) (*request.Decision, error) { return p.scope.Decide(st) }

// Write sends one write request of the tenant. build makes its bytes from what the switch holds of the tenant at that moment, which lasts until
// the answer is there: no plan is carried out meanwhile. The bytes are decided about (T1, T2) as they are, and sent, or nothing is. No bytes: there
// is nothing to send. An error of the switch comes with the details of each update. A request that is not answered stops the gate as one of its
// own does, whatever the tenant's context: it could otherwise meet memory that is another's by then (T3).
//
// At most one tenant's request waits for the gate at a time, so that a plan waits for one of them.
func (p *Port) Write(ctx context.Context, build func(request.State) ([]byte, error)) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	g := p.gate
	st, err := p.state(ctx)
	if err != nil {
		return err
	}
	if err := p.count(ctx, &st); err != nil {
		return err
	}
	b, err := build(st)
	if err != nil || b == nil {
		return err
	}
	effect, err := p.scope.Write(b, st)
	if err != nil {
		return p.refused(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.conf.Patience)
	defer cancel()
	g.log.Debug("tenant's write", "tenant", p.name, "bytes", len(b), "updates", effect.Updates())
	err = g.answered(g.session.Write(ctx, b))
	failed := p4rt.UpdateErrors(err)
	if err != nil && len(failed) != effect.Updates() {
		delete(g.entries, p.name) // nobody knows which of them succeeded
		return err
	}
	g.entries[p.name] = effect.After(st.Entries, func(i int) bool { return err == nil || failed[i].GetCanonicalCode() == int32(codes.OK) })
	return err
}

// Read sends one read request of the tenant. build makes its bytes as for Write, and they are decided about (T1); so is what is answered (T4).
// When it reads memory, what the page table says is read again afterwards: if it changed, by another controller, the values may be another
// tenant's. They are forgotten, and all is done again.
func (p *Port) Read(ctx context.Context, build func(request.State) ([]byte, error)) ([]*p4v1.Entity, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, p.gate.conf.Patience)
	defer cancel()
	st, err := p.state(ctx)
	for try := 1; err == nil; try++ {
		var got []*p4v1.Entity
		if got, err = p.read(ctx, st, build); err != nil {
			return nil, err
		}
		var after request.State
		if after, err = p.state(ctx); err != nil {
			break
		}
		if bytes.Equal(after.Pages, st.Pages) {
			return got, p.same(ctx)
		}
		if st = after; try == readTries {
			err = ErrMoved
		}
	}
	return nil, err
}

func (p *Port) read(ctx context.Context, st request.State, build func(request.State) ([]byte, error)) ([]*p4v1.Entity, error) {
	b, err := build(st)
	if err != nil || b == nil {
		return nil, err
	}
	if err := p.scope.Reads(b, st); err != nil {
		return nil, p.refused(err)
	}
	answers, err := p.gate.reader.ReadBytes(ctx, b)
	if err != nil {
		return nil, err
	}
	var got []*p4v1.Entity
	for _, a := range answers {
		if err := p.scope.Answer(a, st); err != nil {
			return nil, p.refused(err)
		}
		var resp p4v1.ReadResponse
		if err := proto.Unmarshal(a, &resp); err != nil {
			return nil, err
		}
		got = append(got, resp.GetEntities()...)
	}
	return got, nil
}

// enter waits for the tenant's turn, and checks that tenants' requests are in order now.
func (p *Port) enter(ctx context.Context) (leave func(), err error) {
	g := p.gate
	if err := g.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	g.mu.Lock()
	leave = func() {
		g.mu.Unlock()
		g.turn.Release(1)
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case g.unanswered.Load():
		err = ErrUnanswered
	case g.shut:
		err = fmt.Errorf("%w: the switch is closed, its program is being replaced", ErrNotAdmitted)
	default:
		if err = g.session.Held(); err == nil {
			err = p.running(ctx)
		}
	}
	if err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// running checks that the switch runs the program that requests are decided by, and reads them by its P4Info. As long as this gate has
// mastership and replaces nothing, that lasts.
func (p *Port) running(ctx context.Context) error {
	g := p.gate
	if g.serves == p.digest {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, g.conf.Patience)
	defer cancel()
	now, err := g.reader.Pipeline(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(now.DeviceConfig, p.linked) || now.Cookie != Cookie(p.linked) || !proto.Equal(now.P4Info, p.program.Info()) {
		return fmt.Errorf("%w: switch %s runs another program", ErrStale, g.conf.Target.Name)
	}
	g.serves, g.entries = p.digest, map[string]map[uint32]int64{}
	return nil
}

// same checks after a read that it was of this program: another controller may have replaced it.
func (p *Port) same(ctx context.Context) error {
	cookie, err := p.gate.reader.Cookie(ctx)
	if err == nil && cookie != Cookie(p.linked) {
		err = fmt.Errorf("%w: switch %s runs another program", ErrStale, p.gate.conf.Target.Name)
	}
	if err == nil {
		err = p.gate.session.Held()
	}
	return err
}

// state reads the tenant's entries of the system's tables.
func (p *Port) state(ctx context.Context) (request.State, error) {
	g := p.gate
	st := request.State{DeviceID: g.conf.Target.DeviceID, ElectionID: g.ElectionID()}
	info := p.program.Info()
	admission := device.TableID(info, specs.AdmissionTable)
	var ask []*p4v1.Entity
	for _, name := range []string{specs.AdmissionTable, specs.PageTable(specs.Ingress), specs.PageTable(specs.Egress)} {
		if t := tableByID(info, device.TableID(info, name)); t != nil {
			id := t.GetPreamble().GetId()
			key := &p4v1.FieldMatch{FieldId: t.GetMatchFields()[0].GetId(), FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: vidBytes(p.vid)}}}
			ask = append(ask, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{TableId: id, Match: []*p4v1.FieldMatch{key}}}})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, g.conf.Patience)
	defer cancel()
	got, err := g.reader.Read(ctx, ask)
	if err != nil {
		return st, err
	}
	admitted, pages := false, &p4v1.ReadResponse{}
	for _, e := range got {
		te := e.GetTableEntry()
		if k, err := keyOf(te); err != nil || k.vid != uint64(p.vid) {
			return st, fmt.Errorf("switch %s answers with something else than the entry of VID %d", g.conf.Target.Name, p.vid)
		}
		if te.GetTableId() == admission {
			admitted = true
			continue
		}
		pages.Entities = append(pages.Entities, e)
	}
	if !admitted {
		return st, fmt.Errorf("%w: it was evicted, or the switch's program is being replaced", ErrNotAdmitted)
	}
	st.Pages, err = device.CanonicalState(pages)
	return st, err
}

func vidBytes(vid uint16) []byte {
	if vid < 256 {
		return []byte{byte(vid)}
	}
	return []byte{byte(vid >> 8), byte(vid)}
}

// count says how many entries the tenant's tables have. They are read once: after that this gate alone changes them.
func (p *Port) count(ctx context.Context, st *request.State) error {
	g := p.gate
	if n := g.entries[p.name]; n != nil {
		st.Entries = n
		return nil
	}
	n := map[uint32]int64{}
	var ask []*p4v1.Entity
	for _, id := range p.scope.Tables() {
		n[id] = 0
		ask = append(ask, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{TableId: id}}})
	}
	if len(ask) > 0 {
		ctx, cancel := context.WithTimeout(ctx, g.conf.Patience)
		defer cancel()
		got, err := g.reader.Read(ctx, ask)
		if err != nil {
			return err
		}
		for _, e := range got {
			if te := e.GetTableEntry(); te != nil && !te.GetIsDefaultAction() {
				n[te.GetTableId()]++
			}
		}
	}
	g.entries[p.name], st.Entries = n, n
	return nil
}

// refused notes that a request was decided against: whoever made its bytes should not have.
func (p *Port) refused(err error) error {
	p.gate.metrics.refusals.WithLabelValues("tenant's request").Inc()
	p.gate.log.Error("tenant's request refused", "tenant", p.name, "err", err)
	return err
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/p4rt"
)

// maxMessage bounds a request of a tenant, in bytes: the ids of its own program may be longer than those of the linked one.
const maxMessage = 4 << 20

// maxCalls bounds the calls that one connection may have under way.
const maxCalls = 128

// A Listener is where tenants come in. It is closed by Serve.
type Listener struct {
	net.Listener
	who  func(context.Context) (*virtual, error)
	opts []grpc.ServerOption
	path string      // of a socket: removed in the end, unless another gateway has replaced it
	made os.FileInfo // what is at the path
}

// Sockets listens on one Unix socket for each tenant, DIR/TENANT.sock, which only this user may connect to until it is given to others: who can
// open it is the tenant. Sockets of an earlier gateway are replaced.
func (g *Gateway) Sockets(dir string) (ls []*Listener, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(dir, ".new-") // nobody else reaches a socket in it before its mode is set
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	defer func() {
		if err != nil {
			Close(ls...)
		}
	}()
	for _, name := range g.Tenants() {
		made, path := filepath.Join(private, "s"), filepath.Join(dir, name+".sock")
		l, err := net.Listen("unix", made)
		if err != nil {
			return ls, err
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		v := g.tenants[name]
		x := &Listener{Listener: l, who: func(context.Context) (*virtual, error) { return v, nil }, path: path}
		ls = append(ls, x)
		if err := os.Chmod(made, 0o600); err != nil {
			return ls, err
		}
		if x.made, err = os.Stat(made); err != nil {
			return ls, err
		}
		if err := os.Rename(made, path); err != nil {
			return ls, err
		}
	}
	return ls, nil
}

// TLS listens on a TCP address with the certificate in cert and key. Clients have to show a certificate of the authority in clientCA, whose
// common name is the tenant's name. The files are PEM.
func (g *Gateway) TLS(address, cert, key, clientCA string) (*Listener, error) {
	if clientCA == "" {
		return nil, errors.New("tenants are known by their certificates: an authority for them is needed")
	}
	secure, err := p4rt.ServerTLS(cert, key, clientCA)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Listener{Listener: l, who: g.certified, opts: []grpc.ServerOption{secure}}, nil
}

// certified is the tenant that a connection's certificate names.
func (g *Gateway) certified(ctx context.Context) (*virtual, error) {
	p, _ := peer.FromContext(ctx)
	info, ok := credentials.TLSInfo{}, false
	if p != nil {
		info, ok = p.AuthInfo.(credentials.TLSInfo)
	}
	if !ok || len(info.State.VerifiedChains) == 0 {
		return nil, status.Error(codes.Unauthenticated, "a certificate is needed")
	}
	name := info.State.VerifiedChains[0][0].Subject.CommonName
	if v := g.tenants[name]; v != nil {
		return v, nil
	}
	return nil, status.Errorf(codes.PermissionDenied, "the certificate's common name is %q, which is no tenant of this switch", name)
}

// Serve serves what is listened on until ctx ends; then it returns nil. It closes the listeners, and removes the sockets.
func (g *Gateway) Serve(ctx context.Context, ls ...*Listener) error {
	defer Close(ls...)
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range ls {
		opts := append([]grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxCalls)}, l.opts...)
		srv := grpc.NewServer(append(opts, g.counted(l.who)...)...)
		p4v1.RegisterP4RuntimeServer(srv, &server{who: l.who})
		group.Go(func() error {
			stop := context.AfterFunc(ctx, srv.Stop)
			defer stop()
			err := srv.Serve(l)
			srv.Stop() // wait for what is still answered
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("gateway: %w", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Close closes listeners that nobody serves.
func Close(ls ...*Listener) {
	for _, l := range ls {
		l.Close()
		if at, err := os.Stat(l.path); err == nil && os.SameFile(at, l.made) {
			os.Remove(l.path)
		}
	}
}

package softswitch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/api/testcert"
)

func TestTLS(t *testing.T) {
	ca, cert, key := testcert.New(t, "switch")
	clientCA, clientCert, clientKey := testcert.New(t, "operator")
	_, strangeCert, strangeKey := testcert.New(t, "stranger")
	opt, err := p4rt.ServerTLS(cert, key, clientCA)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- New(Options{}).Serve(ctx, l, opt) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	authority, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	with := func(cert, key string) credentials.TransportCredentials {
		conf := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
		if cert != "" {
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			conf.Certificates = []tls.Certificate{pair}
		}
		return credentials.NewTLS(conf)
	}
	for _, tc := range []struct {
		name  string
		creds credentials.TransportCredentials
		want  codes.Code
	}{
		{"known client", with(clientCert, clientKey), codes.OK},
		{"client without certificate", with("", ""), codes.Unavailable},
		{"client of another authority", with(strangeCert, strangeKey), codes.Unavailable},
		{"plain text", insecure.NewCredentials(), codes.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(tc.creds))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, err = p4v1.NewP4RuntimeClient(conn).Capabilities(context.Background(), &p4v1.CapabilitiesRequest{})
			if status.Code(err) != tc.want {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestTLSRefuses(t *testing.T) {
	_, cert, key := testcert.New(t, "switch")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, cert, key, ca string }{
		{"no key", cert, "", ""},
		{"key of nothing", cert, empty, ""},
		{"no such file", cert + "x", key, ""},
		{"empty authority", cert, key, empty},
		{"no such authority", cert, key, empty + "x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := p4rt.ServerTLS(tc.cert, tc.key, tc.ca); err == nil {
				t.Fatal("accepted")
			}
		})
	}
}

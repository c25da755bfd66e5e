package device_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/api/testcert"
)

func TestTLS(t *testing.T) {
	ca, cert, key := testcert.New(t, "switch")
	clientCA, clientCert, clientKey := testcert.New(t, "operator")
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
	go func() { done <- softswitch.New(softswitch.Options{DeviceID: 1}).Serve(ctx, l, opt) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	good := device.TLS{CA: ca, Cert: clientCert, Key: clientKey, ServerName: "localhost"}
	for _, tc := range []struct {
		name   string
		change func(*device.TLS)
		want   error
	}{
		{"good", func(*device.TLS) {}, device.ErrNoPipeline},
		{"no certificate of the client's", func(c *device.TLS) { c.Cert, c.Key = "", "" }, device.ErrUnreachable},
		{"another authority's switch", func(c *device.TLS) { c.CA = clientCA }, device.ErrUnreachable},
		{"another name", func(c *device.TLS) { c.ServerName = "elsewhere" }, device.ErrUnreachable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conf := good
			tc.change(&conf)
			r, err := device.Dial(device.Target{Name: "s1", Address: l.Addr().String(), DeviceID: 1, TLS: &conf})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := r.Pipeline(context.Background()); !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, conf := range map[string]device.TLS{
		"no authority in the file": {CA: empty}, "no such file": {CA: empty + "x"}, "no such key": {Cert: cert, Key: empty},
	} {
		if r, err := device.Dial(device.Target{Name: "s1", Address: "localhost:1", TLS: &conf}); err == nil {
			r.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

package device

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLS names the files, in PEM, that the connection to a switch is secured with.
type TLS struct {
	CA         string // who vouches for the switch; empty: the machine's own certificate authorities
	Cert, Key  string // shown to the switch (mTLS); both or none
	ServerName string // in the switch's certificate; empty: the address's host
}

// Credentials are what a connection to t is made with. The files are read anew at every connection's making.
func (t Target) Credentials() (credentials.TransportCredentials, error) {
	if t.TLS == nil {
		return insecure.NewCredentials(), nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.TLS.ServerName}
	if t.TLS.CA != "" {
		pem, err := os.ReadFile(t.TLS.CA)
		if err != nil {
			return nil, fmt.Errorf("switch %s: TLS: %w", t.Name, err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("switch %s: TLS: %s holds no certificate in PEM", t.Name, t.TLS.CA)
		}
	}
	if t.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.TLS.Cert, t.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("switch %s: TLS: %w", t.Name, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(conf), nil
}

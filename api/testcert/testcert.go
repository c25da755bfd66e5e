// Package testcert makes certificates for tests of TLS. They are good for nothing else.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// New makes an authority called name and a certificate of it for localhost, both valid for an hour, and returns their files.
func New(t testing.TB, name string) (ca, cert, key string) {
	t.Helper()
	ca, sign := Authority(t, name)
	cert, key = sign("")
	return ca, cert, key
}

// Authority makes an authority called name, and returns its file and what makes certificates of it: for localhost, with that common name.
func Authority(t testing.TB, name string) (ca string, sign func(commonName string) (cert, key string)) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	must(err)
	return write(t, "ca.pem", "CERTIFICATE", caDER), func(commonName string) (cert, key string) {
		t.Helper()
		leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: commonName}, DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), caKey)
		must(err)
		keyDER, err := x509.MarshalECPrivateKey(leafKey)
		must(err)
		return write(t, "cert.pem", "CERTIFICATE", der), write(t, "key.pem", "EC PRIVATE KEY", keyDER)
	}
}

func write(t testing.TB, file, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

package observe

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// TestMissingIntermediate: the site's file of authorities has the issuing one,
// too, which no client has.
func TestMissingIntermediate(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	make := func(number int64, name string, isCA bool, parent *x509.Certificate) (*x509.Certificate, []byte) {
		c := &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: name}, IsCA: isCA, BasicConstraintsValid: true,
			DNSNames: []string{"*.wire.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour)}
		if isCA {
			c.KeyUsage = x509.KeyUsageCertSign
		}
		if parent == nil {
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	root, rootPEM := make(1, "root", true, nil)
	between, betweenPEM := make(2, "issuing", true, root)
	_, leafPEM := make(3, "leaf", false, between)
	for name, test := range map[string]struct {
		authorities, chain []byte
		want               facts.Outcome
	}{
		"whole chain":      {rootPEM, slices.Concat(leafPEM, betweenPEM), facts.OK},
		"leaf alone":       {slices.Concat(rootPEM, betweenPEM), leafPEM, facts.Failed},
		"no root in there": {betweenPEM, slices.Concat(leafPEM, betweenPEM), facts.Unmade},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			site := preflight.NewSite()
			site.CAFile, site.Certificate = filepath.Join(folder, "ca.pem"), &preflight.Certificate{File: filepath.Join(folder, "chain.pem")}
			for file, data := range map[string][]byte{site.CAFile: test.authorities, site.Certificate.File: test.chain} {
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, o := range certificate(t.Context(), resolver, site) {
				if o.Check == "site.certificate-chain" && o.Outcome != test.want {
					t.Errorf("chain is %s: %s, want %s", o.Outcome, o.Detail, test.want)
				}
			}
		})
	}
}

// TestRelayOfManyLines: replies may have several lines, and a relay that is
// spoken to before its last one may hang up (RFC 5321, 4.2.1 and 3.1).
func TestRelayOfManyLines(t *testing.T) {
	t.Parallel()
	address := stream(t, func(conn net.Conn) {
		fmt.Fprint(conn, "220-relay.example\r\n")
		time.Sleep(50 * time.Millisecond)
		fmt.Fprint(conn, "220 ESMTP\r\n")
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			fmt.Fprint(conn, "250-relay.example\r\n250 SIZE\r\n")
		}
	})
	if o := mail(t.Context(), resolver, address); o.Outcome != facts.OK {
		t.Errorf("relay is %+v", o)
	}
}

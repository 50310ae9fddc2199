package observe

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/islandbundle/island/sizing/site"

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
			hospital := site.Undescribed()
			hospital.Preflight.CAFile = filepath.Join(folder, "ca.pem")
			hospital.Preflight.Certificate = &site.Certificate{File: filepath.Join(folder, "chain.pem")}
			for file, data := range map[string][]byte{hospital.Preflight.CAFile: test.authorities, hospital.Preflight.Certificate.File: test.chain} {
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if chain := certificate(t.Context(), resolver, hospital).Certificate.Chain; chain.Outcome != test.want {
				t.Errorf("chain is %s: %s, want %s", chain.Outcome, chain.Detail, test.want)
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

// TestKeyAndFilesOfACertificate: a key is compared wherever the certificate comes
// from, and a file that cannot be read is no fault of the certificate's.
func TestKeyAndFilesOfACertificate(t *testing.T) {
	t.Parallel()
	ca, good := issue(t, func(*x509.Certificate) {}, 0)
	_, other := issue(t, func(*x509.Certificate) {}, 0)
	key := func(c *site.Certificate) string { return filepath.Join(filepath.Dir(c.File), "leaf.key") }
	pair, err := tls.LoadX509KeyPair(good.File, key(good))
	if err != nil {
		t.Fatal(err)
	}
	address := stream(t, func(conn net.Conn) {
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake()
	})
	gone := filepath.Join(t.TempDir(), "gone")
	for name, test := range map[string]struct {
		certificate site.Certificate
		read        bool // whether there is a certificate to compare with
		want        facts.Outcome
	}{
		"file and its key":         {site.Certificate{File: good.File, KeyFile: key(good)}, true, facts.OK},
		"file and another key":     {site.Certificate{File: good.File, KeyFile: key(other)}, true, facts.Failed},
		"file and no key":          {site.Certificate{File: good.File, KeyFile: gone}, true, facts.Unmade},
		"file and what is no key":  {site.Certificate{File: good.File, KeyFile: ca}, true, facts.Unmade},
		"address and its key":      {site.Certificate{Address: address, KeyFile: key(good)}, true, facts.OK},
		"address and another key":  {site.Certificate{Address: address, KeyFile: key(other)}, true, facts.Failed},
		"address and no key":       {site.Certificate{Address: address, KeyFile: gone}, true, facts.Unmade},
		"no file":                  {site.Certificate{File: gone}, false, facts.Unmade},
		"file with no certificate": {site.Certificate{File: key(good)}, false, facts.Failed},
	} {
		hospital := site.Undescribed()
		hospital.Preflight.CAFile, hospital.Preflight.Certificate = ca, &test.certificate
		o := certificate(t.Context(), resolver, hospital)
		if (o.Certificate != nil) != test.read {
			t.Errorf("%s: observation is %+v", name, o)
			continue
		}
		got := facts.Result{Outcome: o.Outcome, Detail: o.Detail}
		if test.read {
			got = *o.Certificate.Pair
		}
		if got.Outcome != test.want {
			t.Errorf("%s: outcome is %s (%s), want %s", name, got.Outcome, got.Detail, test.want)
		}
	}
}

func TestTimeServerWithAnotherTime(t *testing.T) {
	t.Parallel()
	const off = -3600.5 // seconds
	address := packets(t, func(request []byte) []byte {
		reply := make([]byte, 48)
		reply[0], reply[1] = 0x24, 2 // version 4, server; stratum 2
		copy(reply[24:32], request[40:])
		at := float64(time.Now().UnixNano())/1e9 + 2208988800 + off
		binary.BigEndian.PutUint32(reply[40:], uint32(at))
		binary.BigEndian.PutUint32(reply[44:], uint32((at-float64(uint32(at)))*(1<<32)))
		return reply
	})
	o := ntp(t.Context(), resolver, address)
	if o.Outcome != facts.OK || o.Offset == nil || *o.Offset < off-1 || *o.Offset > off+0.1 {
		t.Errorf("server is %+v", o)
	}
}

func TestTimestampsOfNTP(t *testing.T) {
	t.Parallel()
	for want, stamp := range map[string][]byte{
		"1970-01-01T00:00:00Z":   {0x83, 0xaa, 0x7e, 0x80, 0, 0, 0, 0},
		"2036-02-07T06:28:15.5Z": {0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0},
		"2036-02-07T06:28:16Z":   {0, 0, 0, 0, 0, 0, 0, 0},
	} {
		if got := ntpTime(stamp).UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("%x is %s, want %s", stamp, got, want)
		}
	}
}

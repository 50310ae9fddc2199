package observe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

var resolver = &net.Resolver{PreferGo: true}

func stream(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); handle(conn) }()
		}
	}()
	return listener.Addr().String()
}

// packets answers each datagram.
func packets(t *testing.T, answer func(request []byte) []byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(answer(buffer[:n]), from)
		}
	}()
	return conn.LocalAddr().String()
}

// always answers the same.
func always(answer string) func([]byte) []byte {
	return func([]byte) []byte { return []byte(answer) }
}

// TestHostileServices: each answers nonsense, and is told to be no such service.
func TestHostileServices(t *testing.T) {
	t.Parallel()
	endless := stream(t, func(c net.Conn) { _, _ = io.Copy(c, zeros{}) })
	escapes := stream(t, func(c net.Conn) { _, _ = io.WriteString(c, "500 \x1b[2J\r\n") })
	port := func(address string) int {
		parsed, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.Port
	}
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html></html>") }))
	t.Cleanup(html.Close)
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`)
	}))
	t.Cleanup(metadata.Close)
	missing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(missing.Close)
	ctx, site := t.Context(), site.Undescribed()
	for name, test := range map[string]struct {
		look func() facts.Observation
		want []facts.Outcome
	}{
		"mail without end":  {func() facts.Observation { return mail(ctx, resolver, endless) }, []facts.Outcome{facts.Failed}},
		"mail with escapes": {func() facts.Observation { return mail(ctx, resolver, escapes) }, []facts.Outcome{facts.WrongHost}},
		"NTP nonsense": {func() facts.Observation { return ntp(ctx, resolver, packets(t, always("\x1b[2J"))) },
			[]facts.Outcome{facts.WrongHost}},
		"NTP of another": {func() facts.Observation {
			return ntp(ctx, resolver, packets(t, always("\x24\x02"+strings.Repeat("x", 46))))
		}, []facts.Outcome{facts.WrongHost}},
		"STUN nonsense": {func() facts.Observation { return binding(ctx, resolver, "127.0.0.1", "tcp", port(endless)) },
			[]facts.Outcome{facts.WrongHost}},
		"STUN cut short": {func() facts.Observation { return binding(ctx, resolver, "127.0.0.1", "tcp", port(escapes)) },
			[]facts.Outcome{facts.Failed}},
		"TLS nonsense": {func() facts.Observation { return binding(ctx, resolver, "127.0.0.1", "tls", port(endless)) },
			[]facts.Outcome{facts.Failed}},
		"IdP with a page":       {func() facts.Observation { return idp(ctx, resolver, site, html.URL) }, []facts.Outcome{facts.WrongHost}},
		"IdP not found":         {func() facts.Observation { return idp(ctx, resolver, site, missing.URL) }, []facts.Outcome{facts.Failed}},
		"IdP with metadata":     {func() facts.Observation { return idp(ctx, resolver, site, metadata.URL) }, []facts.Outcome{facts.OK}},
		"mail at a closed port": {func() facts.Observation { return mail(ctx, resolver, closed(t)) }, []facts.Outcome{facts.Refused}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := test.look()
			if !slices.Contains(test.want, o.Outcome) {
				t.Errorf("outcome is %s (%s), want %s", o.Outcome, o.Detail, test.want)
			}
			if said := words.English().Text(o.Detail); strings.ContainsFunc(said, unicode.IsControl) || len(said) > facts.MaxText {
				t.Errorf("detail is %q", said)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func closed(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	return listener.Addr().String()
}

// TestCertificateIsRecorded: each fault stands in the record, and no other does.
func TestCertificateIsRecorded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		change func(*x509.Certificate)
		bits   int
		alone  bool // without the authority
		want   []string
	}{
		"good":              {func(*x509.Certificate) {}, 0, false, nil},
		"expired":           {func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }, 0, false, []string{"over"}},
		"not yet valid":     {func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }, 0, false, []string{"early"}},
		"wrong name":        {func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} }, 0, false, []string{"names"}},
		"no wildcard":       {func(c *x509.Certificate) { c.DNSNames = []string{"webapp.wire.example"} }, 0, false, []string{"names"}},
		"weak key":          {func(*x509.Certificate) {}, 1024, false, []string{"RSA 1024"}},
		"unknown authority": {func(*x509.Certificate) {}, 0, true, []string{"chain"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hospital := site.Undescribed()
			hospital.Preflight.DNS = &site.DNS{Domain: "wire.example"}
			hospital.Preflight.CAFile, hospital.Preflight.Certificate = issue(t, test.change, test.bits)
			if test.alone {
				hospital.Preflight.CAFile = ""
			}
			o := certificate(context.Background(), resolver, hospital)
			if o.Outcome != facts.OK || o.Certificate == nil {
				t.Fatalf("observation is %+v", o)
			}
			if got := faultsOf(o.Certificate, now); !slices.Equal(got, test.want) {
				t.Errorf("faults are %q, want %q", got, test.want)
			}
		})
	}
}

func faultsOf(c *facts.Certificate, now time.Time) []string {
	var faults []string
	for fault, is := range map[string]bool{
		"over": now.After(c.NotAfter), "early": now.Before(c.NotBefore), "names": len(c.Missing) > 0, "chain": c.Chain.Outcome != facts.OK,
		c.Key + " " + strconv.Itoa(c.Bits): c.Key != "ECDSA" || c.Curve != "P-256", "pair": c.Pair != nil,
	} {
		if is {
			faults = append(faults, fault)
		}
	}
	return faults
}

// issue writes an authority's certificate and one that it issued, which has the
// authority's key, and that, as leaf.key.
func issue(t *testing.T, change func(*x509.Certificate), bits int) (string, *site.Certificate) {
	t.Helper()
	folder := t.TempDir()
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var public any = &authority.PublicKey
	if bits > 0 {
		// Only the size matters: no private key of this one is needed.
		public = &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), bits-1, 1), E: 65537}
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(9000 * time.Hour), KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"*.wire.example"}, NotBefore: time.Now().Add(-100 * time.Hour),
		NotAfter: time.Now().Add(5000 * time.Hour)}
	change(leaf)
	files := map[string]string{}
	for name, certificate := range map[string]*x509.Certificate{"ca": ca, "leaf": leaf} {
		key := public
		if name == "ca" {
			key = &authority.PublicKey
		}
		der, err := x509.CreateCertificate(rand.Reader, certificate, ca, key, authority)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = filepath.Join(folder, name+".pem")
		if err := os.WriteFile(files[name], pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	private, err := x509.MarshalPKCS8PrivateKey(authority)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "leaf.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return files["ca"], &site.Certificate{File: files["leaf"]}
}

// TestAdmin: each interface of the machine stands for itself with all its addresses,
// however many there are.
func TestAdmin(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, o := range Site(t.Context(), site.Undescribed()) {
		if o.Subject == facts.SubjectAdmin {
			seen[o.Object] = o.Found
		}
	}
	nics, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, nic := range nics {
		addresses, err := nic.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range addresses {
			told := slices.Contains(strings.Split(seen[nic.Name], ", "), address.String())
			if isOther := nic.Flags&net.FlagLoopback == 0; told != isOther {
				t.Errorf("address %s of %s is told: %v, wants %v", address, nic.Name, told, isOther)
			}
		}
	}
}

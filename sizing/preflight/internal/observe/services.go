package observe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

const (
	maxPEM      = 1 << 20
	maxMetadata = 1 << 20
	maxGreeting = 512 // RFC 5321: the longest reply line
)

// certificate reads the site's certificate.
func certificate(ctx context.Context, resolver *net.Resolver, site *site.Site) facts.Observation {
	c := site.Preflight.Certificate
	o := facts.Observation{
		Subject: facts.SubjectCertificate,
		Object:  c.File,
		Method:  message.Of("facts.method.certificate-file", nil),
		Outcome: facts.OK,
	}
	var chain []*x509.Certificate
	var err error
	if c.File != "" {
		chain, err = readPEM(c.File)
	} else {
		o.Object, o.Method = c.Address, message.Of("facts.method.handshake", nil)
		chain, err = handshake(ctx, resolver, site)
	}
	if errors.As(err, new(*fs.PathError)) {
		o.Outcome, o.Detail = facts.Unmade, facts.Reason(err)
		return o
	}
	if err != nil {
		o.Outcome, o.Detail = ended(err)
		return o
	}
	leaf := chain[0]
	o.Certificate = &facts.Certificate{
		NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(), Names: namesOf(leaf),
		Missing: slices.DeleteFunc(site.DNSNames(), func(name string) bool { return leaf.VerifyHostname(name) == nil }),
		Chain:   chainOf(chain, site), Pair: pair(leaf, c.KeyFile),
	}
	key(leaf, o.Certificate)
	return o
}

// namesOf returns the names that a certificate is for, as far as facts take them.
// What is too long for a name in DNS is none.
func namesOf(leaf *x509.Certificate) []string {
	names := []string{}
	for _, name := range leaf.DNSNames {
		if len(names) < facts.MaxList {
			names = append(names, facts.Cut(name))
		}
	}
	return names
}

// chainOf verifies the chain at a moment when the leaf is valid: its dates are
// told apart.
func chainOf(chain []*x509.Certificate, site *site.Site) facts.Result {
	roots, err := authorities(site)
	if err != nil {
		return facts.Result{Outcome: facts.Unmade, Detail: facts.Reason(err)}
	}
	leaf := chain[0]
	moment := time.Now()
	if moment.After(leaf.NotAfter) {
		moment = leaf.NotAfter
	}
	if moment.Before(leaf.NotBefore) {
		moment = leaf.NotBefore
	}
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: moment}); err != nil {
		return facts.Result{Outcome: facts.Failed, Detail: untrusted(err)}
	}
	return facts.Result{Outcome: facts.OK}
}

// untrusted says why a chain is not believed.
func untrusted(err error) message.Text {
	if err.Error() == (x509.UnknownAuthorityError{}).Error() { // which may say more, in Go's words
		return message.Of("facts.seen.unknown-authority", nil)
	}
	return message.Plain(facts.Cut(strings.TrimPrefix(err.Error(), "x509: ")))
}

// authorities are the site's own with those of the system; nil is the system's.
// A file of them often holds those between as well, which clients do not have:
// only what vouches for itself is believed.
func authorities(site *site.Site) (*x509.CertPool, error) {
	if site.Preflight.CAFile == "" {
		return nil, nil
	}
	data, err := readBounded(site.Preflight.CAFile)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	certificates, err := parsePEM(data)
	if err != nil {
		return nil, inFile(site.Preflight.CAFile, err)
	}
	found := false
	for _, certificate := range certificates {
		if bytes.Equal(certificate.RawIssuer, certificate.RawSubject) {
			pool.AddCert(certificate)
			found = true
		}
	}
	if !found {
		return nil, message.NewProblem("facts.seen.no-root", message.Args{"file": site.Preflight.CAFile})
	}
	return pool, nil
}

// key records what kind of public key a certificate has.
func key(leaf *x509.Certificate, into *facts.Certificate) {
	switch public := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		into.Key, into.Bits = "RSA", public.N.BitLen()
	case *ecdsa.PublicKey:
		into.Key, into.Curve = "ECDSA", public.Curve.Params().Name
	default:
		into.Key = leaf.PublicKeyAlgorithm.String()
	}
}

// pair compares a certificate with a private key; nil where none is named.
func pair(leaf *x509.Certificate, keyFile string) *facts.Result {
	if keyFile == "" {
		return nil
	}
	private, err := readBounded(keyFile)
	if err == nil {
		_, err = tls.X509KeyPair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), private)
	}
	if err == nil {
		return &facts.Result{Outcome: facts.OK}
	}
	if strings.Contains(err.Error(), "does not match") { // there is no error to compare with
		return &facts.Result{Outcome: facts.Failed, Detail: message.Of("facts.seen.other-key", nil)}
	}
	return &facts.Result{Outcome: facts.Unmade, Detail: message.Plain(facts.Cut(strings.TrimPrefix(err.Error(), "tls: ")))}
}

// inFile says in which file something is wrong.
func inFile(name string, err error) error {
	return message.NewProblem("facts.seen.in-file", message.Args{"file": name, "why": facts.Reason(err)})
}

func readPEM(file string) ([]*x509.Certificate, error) {
	data, err := readBounded(file)
	if err != nil {
		return nil, err
	}
	return parsePEM(data)
}

func parsePEM(data []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, message.NewProblem("facts.seen.no-certificate", nil)
	}
	return chain, nil
}

func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxPEM))
}

// handshake takes what the server presents, without believing it yet.
func handshake(ctx context.Context, resolver *net.Resolver, site *site.Site) ([]*x509.Certificate, error) {
	conn, err := dialer(resolver).DialContext(ctx, "tcp", site.Preflight.Certificate.Address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	name, _, _ := net.SplitHostPort(site.Preflight.Certificate.Address)
	if names := site.DNSNames(); len(names) > 0 {
		name = names[0]
	}
	// What is presented is looked at here, and checked by chainOf and names.
	client := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true}) //nolint:gosec // see above
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates, nil
}

// ntp asks a server for the time once (RFC 5905).
func ntp(ctx context.Context, resolver *net.Resolver, server string) facts.Observation {
	method := message.Of("facts.method.ntp", nil)
	object := server
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, "123")
	}
	conn, err := dialer(resolver).DialContext(ctx, "udp", server)
	if err != nil {
		return failed(facts.SubjectTime, object, method, err)
	}
	defer conn.Close()
	request := make([]byte, 48)
	request[0] = 0x23 // version 4, client
	copy(request[40:], rand.Text()[:8])
	answer := make([]byte, 128)
	n, err := exchange(conn, request, answer)
	received := time.Now()
	if err != nil {
		return failed(facts.SubjectTime, object, method, err)
	}
	o := facts.Observation{Subject: facts.SubjectTime, Object: object, Method: method, Outcome: facts.OK}
	switch {
	case n < 48 || answer[0]&7 != 4 || !bytes.Equal(answer[24:32], request[40:48]):
		o.Outcome, o.Detail = facts.WrongHost, message.Of("facts.seen.no-ntp", nil)
	case answer[0]>>6 == 3 || answer[1] == 0 || answer[1] > 15:
		o.Outcome, o.Detail = facts.Failed, message.Of("facts.seen.unsynchronised", nil)
	default:
		// When it was sent there, against when it came here: off by half a round trip.
		offset := ntpTime(answer[40:48]).Sub(received)
		o.Detail = message.Of("facts.seen.clock", message.Args{"stratum": int(answer[1]), "offset": offset.Seconds()})
		tenths := math.Round(offset.Seconds()*10) / 10
		o.Offset = &tenths
	}
	return o
}

// ntpTime reads a timestamp of NTP (RFC 5905, section 6): seconds since 1900, or,
// where the first bit is not set, since 2036.
func ntpTime(b []byte) time.Time {
	seconds, fraction := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	const until1970 = 2208988800
	if seconds&(1<<31) == 0 {
		seconds += 1 << 32
	}
	return time.Unix(seconds-until1970, fraction*int64(time.Second)>>32)
}

// exchange sends a datagram up to three times until something answers.
func exchange(conn net.Conn, request, answer []byte) (int, error) {
	var err error
	for range 3 {
		if _, err = conn.Write(request); err != nil {
			return 0, err
		}
		_ = conn.SetReadDeadline(time.Now().Add(limit / 4))
		var n int
		if n, err = conn.Read(answer); err == nil {
			return n, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
	}
	return 0, err
}

// mail reads a relay's greeting and takes leave (RFC 5321); it sends no mail. A
// relay may let callers wait on purpose, or while it asks a name server in vain who
// they are; RFC 5321, section 4.5.3.2, has clients wait for minutes.
func mail(ctx context.Context, resolver *net.Resolver, relay string) facts.Observation {
	method := message.Of("facts.method.smtp", nil)
	conn, err := dialer(resolver).DialContext(ctx, "tcp", relay)
	if err != nil {
		return failed(facts.SubjectMail, relay, method, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	reader := bufio.NewReaderSize(io.LimitReader(conn, 64<<10), maxGreeting)
	greeting, err := reply(reader)
	if err != nil {
		return failed(facts.SubjectMail, relay, method, err)
	}
	o := facts.Observation{Subject: facts.SubjectMail, Object: relay, Method: method, Outcome: facts.OK}
	if !strings.HasPrefix(greeting, "220") {
		o.Outcome, o.Detail = facts.WrongHost, message.Of("facts.seen.greets", message.Args{"greeting": facts.Cut(greeting)})
		return o
	}
	_, err = io.WriteString(conn, "EHLO island.invalid\r\n")
	if err == nil {
		var answer string
		if answer, err = reply(reader); err == nil && !strings.HasPrefix(answer, "250") {
			o.Outcome, o.Detail = facts.Refused, message.Plain(facts.Cut(answer))
		}
	}
	if err != nil {
		return failed(facts.SubjectMail, relay, method, err)
	}
	_, _ = io.WriteString(conn, "QUIT\r\n")
	return o
}

// reply returns the last line of a reply, which alone has no hyphen behind its
// code (RFC 5321, 4.2.1).
func reply(reader *bufio.Reader) (string, error) {
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil || len(line) < 4 || line[3] != '-' {
			return string(line), err
		}
	}
}

// turn sends a STUN binding request over each transport (RFC 8489).
func turn(ctx context.Context, resolver *net.Resolver, server site.TURN) []facts.Observation {
	var result []facts.Observation
	for _, transport := range []struct {
		name string
		port int
	}{{"udp", cmp.Or(server.UDP, 3478)}, {"tcp", cmp.Or(server.TCP, 3478)}, {"tls", cmp.Or(server.TLS, 5349)}} {
		if transport.port > 0 {
			result = append(result, binding(ctx, resolver, server.Address, transport.name, transport.port))
		}
	}
	return result
}

func binding(ctx context.Context, resolver *net.Resolver, host, transport string, port int) facts.Observation {
	const subject = facts.SubjectTURN
	method := message.Of("facts.method.stun", message.Args{"transport": strings.ToUpper(transport)})
	object := fmt.Sprintf("%s %s", transport, net.JoinHostPort(host, strconv.Itoa(port)))
	network := "tcp"
	if transport == "udp" {
		network = "udp"
	}
	conn, err := dialer(resolver).DialContext(ctx, network, net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return failed(subject, object, method, err)
	}
	defer func() { _ = conn.Close() }()
	if transport == "tls" {
		// Which certificate a TURN server has is another check's matter.
		client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // see above
		if err := client.HandshakeContext(ctx); err != nil {
			return failed(subject, object, method, err)
		}
		conn = client
	}
	request := make([]byte, 20)
	binary.BigEndian.PutUint16(request, 1)              // binding request
	binary.BigEndian.PutUint32(request[4:], 0x2112A442) // magic cookie
	_, _ = rand.Read(request[8:])
	answer := make([]byte, 1500)
	var n int
	if network == "udp" {
		n, err = exchange(conn, request, answer)
	} else {
		_ = conn.SetDeadline(time.Now().Add(limit))
		if _, err = conn.Write(request); err == nil {
			n, err = io.ReadAtLeast(conn, answer, 20)
		}
	}
	if err != nil {
		return failed(subject, object, method, err)
	}
	o := facts.Observation{Subject: subject, Object: object, Method: method, Outcome: facts.OK}
	if n < 20 || !bytes.Equal(answer[4:20], request[4:20]) || answer[0]>>6 != 0 {
		o.Outcome, o.Detail = facts.WrongHost, message.Of("facts.seen.no-stun", nil)
	}
	return o
}

// idp fetches an identity provider's metadata and looks whether it is SAML's.
func idp(ctx context.Context, resolver *net.Resolver, site *site.Site, url string) facts.Observation {
	const subject = facts.SubjectIDP
	method := message.Of("facts.method.http", nil)
	roots, err := authorities(site)
	if err != nil {
		return facts.Observation{Subject: subject, Object: url, Method: method, Outcome: facts.Unmade, Detail: facts.Reason(err)}
	}
	transport := &http.Transport{
		DialContext:       dialer(resolver).DialContext,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DisableKeepAlives: true,
	}
	client := &http.Client{Transport: transport, Timeout: limit}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return failed(subject, url, method, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return failed(subject, url, method, err)
	}
	defer response.Body.Close()
	o := facts.Observation{Subject: subject, Object: url, Method: method, Outcome: facts.OK}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMetadata))
	if err != nil {
		return failed(subject, url, method, err)
	}
	if response.StatusCode != http.StatusOK {
		o.Outcome, o.Detail = facts.Failed, message.Of("facts.seen.status", message.Args{"status": response.StatusCode})
		return o
	}
	var metadata struct {
		XMLName xml.Name
	}
	if xml.Unmarshal(body, &metadata) != nil ||
		metadata.XMLName.Local != "EntityDescriptor" && metadata.XMLName.Local != "EntitiesDescriptor" {
		o.Outcome, o.Detail = facts.WrongHost, message.Of("facts.seen.no-saml", nil)
	}
	return o
}

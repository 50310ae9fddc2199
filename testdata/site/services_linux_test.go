package site

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The site's services run as a process of their own on the admin host: this
// very test program, called anew.
const servicesVariable = "ISLAND_TEST_SITE_SERVICES"

func TestMain(m *testing.M) {
	if folder := os.Getenv(servicesVariable); folder != "" {
		serve(folder)
		return
	}
	if tools := os.Getenv(deliveryVariable); tools != "" {
		deliver(tools)
		return
	}
	if text := os.Getenv(skewVariable); text != "" {
		offset, err := time.ParseDuration(text)
		check(err)
		check(runSkewed(offset))
		return
	}
	os.Exit(withPrograms(m))
}

func withPrograms(m *testing.M) int {
	var err error
	programs, err = os.MkdirTemp("", "island-site-")
	check(err)
	defer os.RemoveAll(programs)
	return m.Run()
}

// settings of the services; a fault changes them.
type settings struct {
	Names   []string // that DNS knows, with the address of the admin host
	Forward string   // host that the load balancer leads to
	Silent  []string // services that are not there
}

var wireNames = []string{"nginz-https", "nginz-ssl", "webapp", "assets", "account", "teams", "sftd", "federator"}

func (s *site) services() {
	s.settings(settings{Names: wireNames, Forward: s.host("kubenode1").address})
	s.certificate(time.Now().Add(-time.Hour), time.Now().Add(365*24*time.Hour), "*.wire.example")
	s.restartServices()
}

func (s *site) settings(v settings) {
	data, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(filepath.Join(s.folder, "settings.json"), string(data), 0o644)
}

// restartServices starts the services, or starts them anew, and waits for them.
func (s *site) restartServices() {
	s.t.Helper()
	if s.stopServices != nil {
		s.stopServices()
	} else {
		s.stops = append(s.stops, func() { s.stopServices() })
	}
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", s.prefix+"admin", self)
	cmd.Env = append(os.Environ(), servicesVariable+"="+s.folder)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.stopServices = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		s.t.Fatalf("services did not start: %q %v", line, err)
	}
}

// certificate has the site's authority issue one, for all services.
func (s *site) certificate(from, until time.Time, names ...string) {
	s.t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "site authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(10000 * time.Hour), KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	issue := func(file string, from, until time.Time, names ...string) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			s.t.Fatal(err)
		}
		leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, NotBefore: from, NotAfter: until,
			IPAddresses: []net.IP{net.ParseIP(network + "1")}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
		if err != nil {
			s.t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			s.t.Fatal(err)
		}
		s.file(filepath.Join(s.folder, file+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
		s.file(filepath.Join(s.folder, file+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
	}
	issue("site", from, until, names...)
	issue("idp", time.Now().Add(-time.Hour), time.Now().Add(1000*time.Hour), "idp.example")
	s.file(filepath.Join(s.folder, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})), 0o644)
}

// serve is the process of the services.
func serve(folder string) {
	data, err := os.ReadFile(filepath.Join(folder, "settings.json"))
	var v settings
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	check(err)
	siteTLS := loadTLS(folder, "site")
	address := network + "1"
	for _, service := range []struct {
		name  string
		start func()
	}{
		{"dns", func() { serveDNS(v.Names) }},
		{"tls", func() {
			accept(listenTLS(address+":8443", siteTLS), func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		}},
		{"idp", func() {
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>`)
			}), ReadTimeout: 10 * time.Second}
			listener := listenTLS(address+":8444", loadTLS(folder, "idp"))
			go func() { check(server.Serve(listener)) }()
		}},
		{"mail", func() { accept(listen(address+":25"), smtp) }},
		{"ntp", serveNTP},
		{"turn-udp", serveSTUN},
		{"turn-tcp", func() { accept(listen(address+":3478"), stunStream) }},
		{"turn-tls", func() { accept(listenTLS(address+":5349", siteTLS), stunStream) }},
		{"lb-https", func() { accept(listen(address+":443"), forward(v.Forward+":31773")) }},
		{"lb-http", func() { accept(listen(address+":80"), forward(v.Forward+":31772")) }},
	} {
		if !slices.Contains(v.Silent, service.name) {
			service.start()
		}
	}
	fmt.Println("ready")
	select {}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

func listen(address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	check(err)
	return listener
}

func loadTLS(folder, name string) *tls.Config {
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, name+".pem"), filepath.Join(folder, name+".key"))
	check(err)
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

func listenTLS(address string, config *tls.Config) net.Listener {
	return tls.NewListener(listen(address), config)
}

func accept(listener net.Listener, handle func(net.Conn)) {
	go func() {
		for {
			conn, err := listener.Accept()
			check(err)
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				handle(conn)
			}()
		}
	}()
}

func forward(to string) func(net.Conn) {
	return func(conn net.Conn) {
		back, err := net.DialTimeout("tcp", to, 2*time.Second)
		if err != nil {
			return
		}
		defer back.Close()
		_, _ = io.Copy(conn, back)
	}
}

func smtp(conn net.Conn) {
	fmt.Fprint(conn, "220 relay.example ESMTP\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "QUIT") {
			fmt.Fprint(conn, "221 bye\r\n")
			return
		}
		fmt.Fprint(conn, "250 relay.example\r\n")
	}
}

func packets(port string, answer func([]byte) []byte) {
	conn, err := net.ListenPacket("udp", network+"1:"+port)
	check(err)
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			check(err)
			if reply := answer(buffer[:n]); reply != nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
}

func serveNTP() {
	packets("123", func(request []byte) []byte {
		if len(request) < 48 {
			return nil
		}
		reply := make([]byte, 48)
		reply[0], reply[1] = 0x24, 2 // version 4, server, stratum 2
		copy(reply[24:32], request[40:48])
		binary.BigEndian.PutUint32(reply[40:], uint32(time.Now().Unix()+2208988800))
		return reply
	})
}

func stun(request []byte) []byte {
	if len(request) < 20 || request[0] != 0 || request[1] != 1 {
		return nil
	}
	reply := append([]byte{1, 1, 0, 0}, request[4:20]...)
	return reply
}

func serveSTUN() { packets("3478", stun) }

func stunStream(conn net.Conn) {
	request := make([]byte, 20)
	if _, err := io.ReadFull(conn, request); err == nil {
		_, _ = conn.Write(stun(request))
	}
}

// serveDNS answers for the names of the site, and for no others.
func serveDNS(names []string) {
	packets("53", func(request []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(request) != nil || len(m.Questions) != 1 {
			return nil
		}
		q := m.Questions[0]
		m.Response, m.Authoritative, m.RCode, m.Additionals = true, true, dnsmessage.RCodeNameError, nil
		name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}
		short, inside := strings.CutSuffix(name, ".wire.example")
		switch {
		case inside && slices.Contains(names, short):
			m.RCode = dnsmessage.RCodeSuccess
			if q.Type == dnsmessage.TypeA {
				header.Type = dnsmessage.TypeA
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: netip.MustParseAddr(network + "1").As4()}}}
			}
		case short == "_wire-server-federator._tcp" && slices.Contains(names, "federator"):
			m.RCode = dnsmessage.RCodeSuccess
			header.Type = dnsmessage.TypeSRV
			m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.SRVResource{Port: 443, Target: dnsmessage.MustNewName("federator.wire.example.")}}}
		}
		reply, err := m.Pack()
		check(err)
		return reply
	})
}

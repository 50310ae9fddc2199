package testsite

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
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
	os.Exit(m.Run())
}

// check ends a process of the test's own that is not the test.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// settings of the site's services; a fault changes them.
type settings struct {
	Names   []string // that DNS knows, with the address of the admin host
	Without []string // of dns, ntp, mail, idp, lb-https, lb-http
	Clock   string   // what makes the time server vouch for its clock
	Mail    string   // what the relay has set besides
	TURN    string   // likewise
	Nodes   []string // that the load balancer leads to
	Ports   [2]int   // there, for HTTPS and HTTP
	Balance string   // how it looks after them
}

func (s *site) goodSettings() settings {
	return settings{
		Names: []string{"nginz-https", "nginz-ssl", "webapp", "assets", "account", "teams", "sftd", "federator"},
		Clock: "local stratum 2", Nodes: []string{"kubenode1", "kubenode2", "kubenode3"}, Ports: [2]int{31773, 31772},
	}
}

// services starts all, as they are good.
func (s *site) services() {
	s.certificate(time.Now().Add(-time.Hour), time.Now().Add(365*24*time.Hour), "*.wire.example")
	s.serve(s.goodSettings())
}

// daemon is one of the services, which runs on the admin host: the program that
// a real site may have, with a configuration of its own.
type daemon struct {
	name    string
	command []string // in which CONFIG stands for the path of the configuration
	config  string
	ports   []string // on which it listens, as protocol:port
}

// running is a daemon that was started.
type running struct {
	daemon
	pid  int
	stop func()
}

// serve has exactly those services run, and waits for them. What runs already
// as it should is left alone.
func (s *site) serve(v settings) {
	s.t.Helper()
	if s.daemons == nil {
		s.daemons = map[string]running{}
		s.stops = append(s.stops, func() {
			for _, d := range s.daemons {
				d.stop()
			}
		})
	}
	wanted := map[string]daemon{}
	for _, d := range s.daemonsOf(v) {
		if !slices.Contains(v.Without, d.name) {
			wanted[d.name] = d
		}
	}
	for name, d := range s.daemons {
		if d.config != wanted[name].config {
			d.stop()
			delete(s.daemons, name)
		}
	}
	for name, d := range wanted {
		if _, ok := s.daemons[name]; !ok {
			s.daemons[name] = s.startDaemon(d)
		}
	}
	for name, d := range s.daemons {
		for _, port := range d.ports {
			s.awaitPort(name, d.pid, port)
		}
	}
}

// startDaemon starts one in a mount namespace where what it writes is gone with it.
func (s *site) startDaemon(d daemon) running {
	s.t.Helper()
	config := filepath.Join(s.folder, d.name+".conf")
	s.file(config, d.config, 0o644)
	const script = `for folder in /run /var/log /var/spool; do mount -t tmpfs -o mode=1777 tmpfs $folder; done; exec "$@"`
	ns := "/run/netns/" + s.prefix + "admin"
	cmd := exec.Command("nsenter", "--net="+ns, "unshare", "--mount", "/bin/sh", "-ec", script, d.name)
	for _, arg := range d.command {
		cmd.Args = append(cmd.Args, strings.ReplaceAll(arg, "CONFIG", config))
	}
	log, err := os.Create(s.logOf(d.name))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	r := running{daemon: d, pid: cmd.Process.Pid, stop: func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if s.t.Failed() {
			text, _ := os.ReadFile(log.Name())
			s.t.Logf("%s: %s", d.name, text)
		}
	}}
	s.await("namespace of "+d.name, func() bool {
		own, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", r.pid))
		admins, err2 := os.Stat(ns)
		return err == nil && err2 == nil && os.SameFile(own, admins)
	})
	return r
}

func (s *site) logOf(daemon string) string { return filepath.Join(s.folder, daemon+".log") }

// daemonsOf configures the services.
func (s *site) daemonsOf(v settings) []daemon {
	const admin = network + "1"
	var names, balancer strings.Builder
	for _, name := range v.Names {
		fmt.Fprintf(&names, "host-record=%s.wire.example,%s\n", name, admin)
		if name == "federator" {
			names.WriteString("srv-host=_wire-server-federator._tcp.wire.example,federator.wire.example,443\n")
		}
	}
	for i, name := range []string{"lb-https", "lb-http"} {
		if slices.Contains(v.Without, name) {
			continue
		}
		fmt.Fprintf(&balancer, "listen %s\n bind %s:%d\n%s\n", name, admin, []int{443, 80}[i], v.Balance)
		for _, node := range v.Nodes {
			fmt.Fprintf(&balancer, " server %s %s:%d\n", node, s.host(node).address, v.Ports[i])
		}
	}
	if !slices.Contains(v.Without, "idp") {
		fmt.Fprintf(&balancer, "frontend idp\n mode http\n bind %s:8444 ssl crt %s\n", admin, s.pair("idp"))
		fmt.Fprintf(
			&balancer,
			` http-request return status 200 content-type application/samlmetadata+xml string '<md:EntityDescriptor `+
				`xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>'`+"\n",
		)
	}
	pair := s.pair("site")
	turnPorts := []string{"tcp:3478", "tcp:5349"}
	if v.TURN == "no-tls" {
		turnPorts = turnPorts[:1]
	}
	return []daemon{
		{
			"dns",
			[]string{
				"dnsmasq",
				"--keep-in-foreground",
				"--user=root",
				"--pid-file",
				"--no-resolv",
				"--no-hosts",
				"--bind-interfaces",
				"--listen-address=" + admin,
				"--conf-file=CONFIG",
			},
			"local=/wire.example/\n" + names.String(),
			[]string{"udp:53"},
		},
		{"ntp", []string{"chronyd", "-d", "-x", "-u", "root", "-f", "CONFIG"}, // -x: the clock is the machine's
			v.Clock + "\nallow\nbindaddress " + admin + "\ncmdport 0\npidfile /run/chronyd.pid\nbindcmdaddress /\n", []string{"udp:123"}},
		{"mail", []string{"exim4", "-bdf", "-C", "CONFIG"},
			"primary_hostname = relay.wire.example\nkeep_environment =\nlocal_interfaces = " + admin + "\ndaemon_smtp_ports = 25\n" +
				"" + v.Mail + "\n", []string{"tcp:25"}},
		{"turn", []string{"turnserver", "-c", "CONFIG"},
			"listening-ip=" + admin + "\nrelay-ip=" + admin + "\nrealm=wire.example\nuse-auth-secret\nstatic-auth-secret=x\n" +
				"cert=" + pair + "\npkey=" + pair +
				"\nno-cli\npidfile=/run/turn.pid\nuserdb=/run/turndb\nlog-file=stdout\n" + v.TURN + "\n", turnPorts},
		{"balancer", []string{"haproxy", "-db", "-f", "CONFIG"},
			"defaults\n timeout connect 2s\n timeout client 10s\n timeout server 10s\n" + balancer.String() +
				"frontend tls\n bind " + admin + ":8443 ssl crt " + pair + "\n mode http\n http-request return status 200\n", []string{"tcp:8443"}},
	}
}

// pair returns the path of a certificate with its key, whose name changes with it.
func (s *site) pair(name string) string {
	s.t.Helper()
	var both []byte
	for _, part := range []string{".pem", ".key"} {
		data, err := os.ReadFile(filepath.Join(s.folder, name+part))
		if err != nil {
			s.t.Fatal(err)
		}
		both = append(both, data...)
	}
	path := filepath.Join(s.folder, fmt.Sprintf("%s-%x.pem", name, sha256.Sum256(both)))
	s.file(path, string(both), 0o600)
	return path
}

// certificate has the site's authority issue one, for all services.
func (s *site) certificate(from, until time.Time, names ...string) {
	s.t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "site authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		NotBefore:             time.Now().Add(-1000 * time.Hour),
		NotAfter:              time.Now().Add(10000 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	issue := func(file string, from, until time.Time, names ...string) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			s.t.Fatal(err)
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2),
			Subject:      pkix.Name{CommonName: names[0]},
			DNSNames:     names,
			NotBefore:    from,
			NotAfter:     until,
			IPAddresses:  []net.IP{net.ParseIP(network + "1")},
			ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
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

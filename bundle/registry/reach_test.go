package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// dns answers each name with one address, and gives a resolver that asks it alone.
func dns(t *testing.T, names map[string]string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		for buffer := make([]byte, 1500); ; {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var asked dnsmessage.Message
			if asked.Unpack(buffer[:n]) != nil || len(asked.Questions) != 1 {
				continue
			}
			q := asked.Questions[0]
			answer := dnsmessage.Message{
				Header:    dnsmessage.Header{ID: asked.ID, Response: true, Authoritative: true, RecursionAvailable: true},
				Questions: asked.Questions,
			}
			address, err := netip.ParseAddr(names[strings.TrimSuffix(q.Name.String(), ".")])
			header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
			switch {
			case err != nil:
				answer.RCode = dnsmessage.RCodeNameError
			case address.Is4() && q.Type == dnsmessage.TypeA:
				answer.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: address.As4()}}}
			case address.Is6() && q.Type == dnsmessage.TypeAAAA:
				answer.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}}}
			}
			if packed, err := answer.Pack(); err == nil {
				_, _ = server.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func TestNetworkOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]network{
		"8.8.8.8": internet, "172.32.0.1": internet, "100.128.0.1": internet, "2606:4700::1111": internet, "::ffff:8.8.8.8": internet,
		"64:ff9b::808:808": internet,
		"10.0.0.1":         private, "172.31.255.255": private, "192.168.1.1": private, "100.64.0.1": private, "fd12::1": private,
		"::ffff:10.0.0.1": private, "::ffff:100.64.0.1": private, "64:ff9b::a00:1": private, "2002:a00:1::": private,
		"198.18.0.7": private, "fec0::1": private,
		"127.0.0.1": machine, "127.8.8.8": machine, "::1": machine, "::ffff:127.0.0.1": machine, "64:ff9b::7f00:1": machine,
		"::127.0.0.1": machine, "2002:7f00:1::": machine,
		"0.0.0.0": nobodys, "0.1.2.3": nobodys, "::": nobodys, "169.254.169.254": nobodys, "fe80::1": nobodys, "fe80::1%eth0": nobodys,
		"::ffff:169.254.169.254": nobodys, "::ffff:0.1.2.3": nobodys, "64:ff9b::a9fe:a9fe": nobodys, "224.0.0.1": nobodys, "ff02::1": nobodys,
		"255.255.255.255": nobodys, "fd00:ec2::254": nobodys, "100.100.100.200": nobodys, "168.63.129.16": nobodys,
	} {
		if got := networkOf(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %s, wanted %s", address, got, want)
		}
	}
}

// TestWhereAnswersMayLead holds each way in which somebody names a host against each
// kind of address, by a host of each network.
func TestWhereAnswersMayLead(t *testing.T) {
	t.Parallel()
	p := &places{}
	p.found.set("public.example:443", internet)
	p.found.set("company.example:443", private)
	p.found.set("tunnel.example:443", machine)
	p.named.add("127.0.0.1:5000")
	p.named.add("mine.example:443")
	for _, test := range []struct {
		by      Lead
		host    string
		most    network // that a name may turn out to be of
		refused bool
	}{
		{Lead{From: "public.example"}, "cdn.example", internet, false},
		{Lead{From: "public.example"}, "10.0.0.1", internet, true},
		{Lead{From: "public.example"}, "127.0.0.1", internet, true},
		{Lead{From: "public.example"}, "localhost:8080", internet, true},
		{Lead{From: "public.example"}, "x.localhost", internet, true},
		{Lead{From: "public.example"}, "2130706433", internet, true},
		{Lead{From: "public.example"}, "0x7f000001", internet, true},
		{Lead{From: "public.example"}, "0177.0.0.1", internet, true},
		{Lead{From: "public.example"}, "127.1", internet, true},
		{Lead{From: "public.example"}, "0x7f.1", internet, true},
		{Lead{From: "public.example"}, "127.0.0.1.", internet, true},
		{Lead{From: "public.example"}, "[::ffff:127.0.0.1]", internet, true},
		{Lead{From: "public.example"}, "[fe80::1]", internet, true},
		{Lead{From: "public.example"}, "169.254.169.254", internet, true},
		{Lead{From: "public.example"}, "127.0.0.1:5000", anywhere, false}, // which the user named
		{Lead{From: "public.example"}, "mine.example", anywhere, false},
		{Lead{From: "public.example"}, "MINE.example:443", anywhere, false},
		{Lead{From: "never-asked.example"}, "192.168.0.1", internet, true},
		{Lead{From: "8.8.8.8"}, "192.168.0.1", internet, true},
		{Lead{From: "company.example"}, "192.168.0.1", private, false},
		{Lead{From: "company.example", Document: true}, "192.168.0.1", private, false},
		{Lead{From: "company.example"}, "127.0.0.1", private, true},
		{Lead{From: "company.example"}, "169.254.169.254", private, true},
		{Lead{From: "tunnel.example"}, "127.0.0.1:8080", machine, false},
		{Lead{From: "tunnel.example"}, "10.0.0.1", machine, false},
		{Lead{From: "tunnel.example"}, "169.254.169.254", machine, true},
		{Lead{From: "tunnel.example"}, "0.0.0.0:8080", machine, true},
		{Lead{From: "tunnel.example", Document: true}, "127.0.0.1:8080", private, true},
		{Lead{From: "127.0.0.1:1", Document: true}, "127.0.0.1:8080", private, true},
		{Lead{From: "127.0.0.1:1", Document: true}, "10.0.0.1", private, false},
		{Lead{Document: true}, "10.0.0.1", private, false}, // a folder's index
		{Lead{Document: true}, "127.0.0.1", private, true},
		{Lead{Document: true}, "169.254.169.254", private, true},
	} {
		request := &http.Request{URL: &url.URL{Scheme: "https", Host: test.host}}
		request = request.WithContext(context.WithValue(t.Context(), leadKey{}, test.by))
		most, err := p.allowed(request)
		if (err != nil) != test.refused || err == nil && most != test.most {
			t.Errorf("%+v to %s: %v, up to %d, wanted %d, refused: %t", test.by, test.host, err, most, test.most, test.refused)
		}
	}
}

// TestNamesAreCheckedWhereTheyLead has names of a public host's answers lead to this
// machine, by DNS, in each way in which an answer leads somewhere.
func TestNamesAreCheckedWhereTheyLead(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	secret := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	_, port, _ := net.SplitHostPort(secret)
	resolver := dns(t, map[string]string{
		"public.example": "127.0.0.1", // what the user named; the tests have no address of the internet
		"evil.example":   "127.0.0.1", "mapped.example": "::ffff:127.0.0.1", "zero.example": "0.0.0.0", "metadata.example": "169.254.169.254",
	})
	for _, to := range []string{"evil.example", "mapped.example", "zero.example", "metadata.example", "localhost", "[::1]", "0.0.0.0",
		"2130706433"} {
		target := "http://" + to + ":" + port + "/secret"
		t.Run("redirect to "+to, func(t *testing.T) {
			t.Parallel()
			client, host := public(t, resolver, http.RedirectHandler(target, http.StatusFound))
			session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + "/"})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = session.Read(t.Context(), "", nil, 100)
			checkMisled(t, err)
		})
		t.Run("token server at "+to, func(t *testing.T) {
			t.Parallel()
			client, host := public(t, resolver, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="x"`, target))
				w.WriteHeader(http.StatusUnauthorized)
			}))
			repository := Repository{Registry: host, Name: "wire/brig", Security: Security{PlainHTTP: true}}
			_, err := client.Session(t.Context(), repository, Access{})
			isName := strings.HasSuffix(to, ".example") // what is no name is refused before, too
			if err == nil || isName && !strings.Contains(err.Error(), "not named by you") {
				t.Errorf("error is %v", err)
			}
		})
		t.Run("document names "+to, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, Options{})
			client.plain.Resolver = resolver
			lead := &Lead{From: "charts.example", Document: true}
			session, err := client.WebSession(t.Context(), Resource{URL: target, Lead: lead})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = session.Read(t.Context(), "", nil, 100)
			checkMisled(t, err)
			_, err = client.Session(t.Context(), Repository{Registry: to + ":" + port, Name: "x", Lead: lead}, Access{})
			if err == nil || !strings.Contains(err.Error(), "not named by you") {
				t.Errorf("registry: error is %v", err)
			}
		})
	}
	t.Cleanup(func() {
		if n := reached.Load(); n > 0 {
			t.Errorf("this machine was reached %d times", n)
		}
	})
}

// public makes a client for which a server is one of the internet.
func public(t *testing.T, resolver *net.Resolver, handler http.Handler) (client *Client, host string) {
	t.Helper()
	_, port, _ := net.SplitHostPort(serve(t, handler))
	host = "public.example:" + port
	client = newClient(t, Options{})
	client.plain.Resolver = resolver
	client.places.saw(host, internet)
	return client, host
}

func checkMisled(t *testing.T, err error) {
	t.Helper()
	var refused refusal
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "not named by you") || Unavailable(err) {
		t.Errorf("error is %v", err)
	}
}

// TestWhatTheUserNamedIsReached holds that the user's own hosts are asked wherever they
// are, by whatever name, and lead on within this machine.
func TestWhatTheUserNamedIsReached(t *testing.T) {
	t.Parallel()
	content := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "content") }))
	_, port, _ := net.SplitHostPort(content)
	resolver := dns(t, map[string]string{"mine.example": "127.0.0.1"})
	moved := serve(t, http.RedirectHandler("http://mine.example:"+port+"/f", http.StatusFound))
	for _, host := range []string{content, "mine.example:" + port, "localhost:" + port, moved} {
		client := newClient(t, Options{})
		client.plain.Resolver = resolver
		if strings.HasPrefix(host, "localhost") {
			client.plain.Resolver = nil
		}
		session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + "/f"})
		if err != nil {
			t.Fatal(err)
		}
		if data, _, err := session.Read(t.Context(), "", nil, 100); err != nil || string(data) != "content" {
			t.Errorf("%s: read %q, error %v", host, data, err)
		}
	}
	client := newClient(t, Options{Named: []string{content}})
	session, err := client.WebSession(t.Context(), Resource{URL: "http://" + content, Lead: &Lead{From: "public.example", Document: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := session.Read(t.Context(), "", nil, 100); err != nil {
		t.Errorf("what is named besides: %v", err)
	}
}

// TestNoRefererCrossesHosts follows redirects of every client that there is: of
// sessions, of the question how a registry logs in, and of its token server.
func TestNoRefererCrossesHosts(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		told = append(told, r.URL.Path+" "+r.Header.Get("Referer"))
		mu.Unlock()
		_, _ = io.WriteString(w, `{"token": "T"}`)
	}))
	for _, what := range []string{"/v2/", "/token", "/v2/wire/brig/manifests/1"} {
		host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == what:
				http.Redirect(w, r, "http://"+other+what+"?moved", http.StatusTemporaryRedirect)
			case r.URL.Path == "/token":
				_, _ = io.WriteString(w, `{"token": "T"}`)
			case r.URL.Path == "/v2/":
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="x"`, r.Host))
				w.WriteHeader(http.StatusUnauthorized)
			}
		}))
		_ = readRepository(t, newClient(t, Options{}), host, "wire/brig")
	}
	for _, one := range told {
		if !strings.HasSuffix(one, " ") {
			t.Errorf("the other host was told %s", one)
		}
	}
	if len(told) < 2 { // a token server on another address of this machine is refused before
		t.Errorf("the other host was asked for %q", told)
	}
}

// TestProxyIsNoLead holds that a proxy is reached wherever it is, though the host that
// is asked through it was named by an answer.
func TestProxyIsNoLead(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	connection := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if _, err := client.dialer(internet)(t.Context(), "tcp", connection); err == nil {
		t.Error("this machine was reached")
	}
	client.places.proxies.add(connection)
	dialed, err := client.dialer(internet)(t.Context(), "tcp", connection)
	if err != nil {
		t.Fatal(err)
	}
	_ = dialed.Close()
	for proxy, want := range map[string]string{
		"http://p.example": "p.example:80", "https://p.example": "p.example:443", "socks5://p.example": "p.example:1080",
		"http://p:3128": "p:3128",
	} {
		parsed, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		if got := addressOf(parsed); got != want {
			t.Errorf("%s is dialled at %s, wanted %s", proxy, got, want)
		}
	}
}

// TestNoPlainHTTPAfterHTTPS holds what follows a redirect by itself, as the handshake of
// a registry does, to the rule that sessions have.
func TestNoPlainHTTPAfterHTTPS(t *testing.T) {
	t.Parallel()
	for to, refused := range map[string]bool{
		"http://other.example/v2/": true, "file:///etc/passwd": true, "https://other.example/v2/": false,
	} {
		from, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://one.example/v2/", nil)
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
		request.Response = &http.Response{Request: from}
		_, err := leading{next: answers{}, own: []string{"one.example:443"}}.RoundTrip(request)
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "redirect from HTTPS to "+to) {
			t.Errorf("redirect to %s: error is %v", to, err)
		}
	}
}

// TestWhatIsNotOnTheWeb leads to what no server can be asked for, in both ways in which
// an answer leads somewhere. What is refused is named, with no remedy that cannot work.
func TestWhatIsNotOnTheWeb(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"file:///etc/passwd", "http:///f", "https:///f", "ftp://ftp.example/f", "unix:/run/docker.sock"} {
		host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="x"`, to))
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}))
		session, err := newClient(t, Options{}).WebSession(t.Context(), Resource{URL: "http://" + host + "/f"})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = session.Read(t.Context(), "", nil, 100)
		failed := map[string]error{"redirect": err}
		if strings.HasPrefix(to, "http") { // other schemes the library refuses
			failed["token server"] = readRepository(t, newClient(t, Options{}), host, "wire/brig")
		}
		for how, err := range failed {
			if err == nil || !strings.Contains(err.Error(), to) || strings.Contains(err.Error(), "mirror") || Unavailable(err) {
				t.Errorf("%s to %s: error is %v", how, to, err)
			}
		}
	}
}

// answers is a host that says yes.
type answers struct{}

func (answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

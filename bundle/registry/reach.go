package registry

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// Lead says who named a host that is asked, where that was not the user but an
// answer: such a host may be anything, and is not asked where only this machine or
// this network would (CWE-918, server-side request forgery).
type Lead struct {
	// From is the host that said it, as host or host:port; empty for a file of this
	// machine. A host that was not asked counts as one of the internet.
	From string
	// Document is set if what it said stands in a document that somebody else may
	// have written, such as an index or a manifest, rather than in what the host
	// itself answers, such as a redirect or the place of its token server.
	Document bool
	// Anonymous keeps the keychain out of what is asked of a web server: whoever wrote
	// the URL shall get no credentials for a host of his choice.
	Anonymous bool
}

// network is where an address is, by how few reach it.
type network int

const (
	internet network = iota
	private          // of a company or a house: RFC 1918, RFC 4193, RFC 6598
	machine          // this one: loopback
	nobodys          // no server is led to there: link-local, unspecified, multicast, what clouds tell their machines by
	anywhere         // what the user named, for comparison only
)

func (n network) String() string {
	return []string{"an address of the internet", "an address of a private network", "this machine", "no address of a server", ""}[n]
}

// special are addresses that are not of the network that they seem to be of.
var special = []struct {
	prefix  netip.Prefix
	network network
}{
	{netip.MustParsePrefix("0.0.0.0/8"), nobodys},          // RFC 1122, 3.2.1.3: this host on this network
	{netip.MustParsePrefix("100.100.100.200/32"), nobodys}, // Alibaba Cloud, instance metadata
	{netip.MustParsePrefix("168.63.129.16/32"), nobodys},   // Azure, the host of a virtual machine
	{netip.MustParsePrefix("192.0.0.0/24"), nobodys},       // RFC 6890; Oracle Cloud's earlier metadata
	{netip.MustParsePrefix("240.0.0.0/4"), nobodys},        // RFC 1112, 4; with the broadcast address
	{netip.MustParsePrefix("fd00:ec2::/32"), nobodys},      // AWS, instance metadata
	{netip.MustParsePrefix("100.64.0.0/10"), private},      // RFC 6598
	{netip.MustParsePrefix("198.18.0.0/15"), private},      // RFC 2544
	{netip.MustParsePrefix("fec0::/10"), private},          // RFC 3879
}

// embedding are IPv6 prefixes behind which an IPv4 address stands at a byte.
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("::/96"), 12},          // RFC 4291, 2.5.5.1
	{netip.MustParsePrefix("64:ff9b::/96"), 12},   // RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/96"), 12}, // RFC 8215
	{netip.MustParsePrefix("2002::/16"), 2},       // RFC 3056
}

// networkOf tells where an address is.
func networkOf(address netip.Addr) network {
	address = address.Unmap().WithZone("")
	for _, s := range special {
		if s.prefix.Contains(address) {
			return s.network
		}
	}
	switch {
	case address.IsLoopback():
		return machine
	case !address.IsValid(), address.IsUnspecified(), address.IsMulticast(), address.IsLinkLocalUnicast():
		return nobodys
	case address.IsPrivate():
		return private
	}
	for _, e := range embedding {
		if e.prefix.Contains(address) {
			bytes := address.As16()
			return networkOf(netip.AddrFrom4([4]byte(bytes[e.at : e.at+4])))
		}
	}
	return internet
}

// literal tells where a host is whose name says it: an address, or this machine's
// name. A name that ends in a number and is no address is one to some resolvers, who
// read 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1 (WHATWG, URL standard, "ends in
// a number"), and nobody's here.
func literal(host string) (network, bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if address, err := netip.ParseAddr(host); err == nil {
		return networkOf(address), true
	}
	if isLoopback(host) {
		return machine, true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	hex, isHex := strings.CutPrefix(last, "0x")
	if strings.Trim(last, "0123456789") == "" || isHex && strings.Trim(hex, "0123456789abcdef") == "" {
		return nobodys, true
	}
	return internet, false
}

// places know whom the user named, and where hosts turned out to be.
type places struct {
	named   syncSet          // host:port
	proxies syncSet          // host:port of those that requests go through
	found   syncMap[network] // by host:port, the widest to which a connection led
}

// saw keeps where a connection led. What was of the internet once stays so.
func (p *places) saw(address string, to network) {
	address = strings.ToLower(address)
	if before, known := p.found.values.LoadOrStore(address, to); known && to < before.(network) {
		p.found.set(address, to)
	}
}

// hostPort returns host:port in one form.
func hostPort(scheme, host string) string {
	return strings.ToLower(addressOf(&url.URL{Scheme: scheme, Host: host}))
}

// addressOf returns the address that net/http dials for a server or a proxy.
func addressOf(u *url.URL) string {
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}

// limit returns the network that a host may at most be of to which somebody led: that
// of who led there, since what a company's own server names is the company's, too. A
// document leads to no machine, though it came from this one: others wrote it.
func (p *places) limit(by Lead) network {
	if by.From == "" {
		return private
	}
	u := url.URL{Host: by.From}
	at, known := literal(u.Hostname())
	if !known {
		at = max(p.found.get(hostPort("https", by.From)), p.found.get(hostPort("http", by.From)))
	}
	if at == nobodys || by.Document && at == machine {
		return private
	}
	return at
}

// String tells two leads apart; nil is none.
func (l *Lead) String() string {
	if l == nil {
		return "user"
	}
	return fmt.Sprintf("%+v", *l)
}

type leadKey struct{}

// allowed returns the network of which the host of a request may be, or why that host
// is not asked at all.
func (p *places) allowed(request *http.Request) (network, error) {
	by, led := request.Context().Value(leadKey{}).(Lead)
	if !led || p.named.has(hostPort(request.URL.Scheme, request.URL.Host)) {
		return anywhere, nil
	}
	if !onTheWeb(request.URL) {
		return internet, Refuse("%s names %.200q, which no web server has", cmp.Or(by.From, "a file"), Redact(request.URL.String()))
	}
	most := p.limit(by)
	if at, known := literal(request.URL.Hostname()); known && at > most {
		return most, misled(by, request.URL.Host, at)
	}
	return most, nil
}

// onTheWeb reports whether a URL is one by which a web server can be asked.
func onTheWeb(u *url.URL) bool { return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" }

func misled(by Lead, host string, at network) error {
	return Refuse("%s leads to %s, which is %s and was not named by you: "+
		"if that is meant, name it in the mirrors file", cmp.Or(by.From, "a file"), Redact(host), at)
}

// dialer connects only to addresses up to a network, whatever names say.
func (c *Client) dialer(most network) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, how, address string) (net.Conn, error) {
		guarded := most != anywhere && !c.places.proxies.has(address)
		dial := c.dial
		if dial == nil {
			plain := c.plain
			if guarded {
				plain.ControlContext = func(_ context.Context, _, to string, _ syscall.RawConn) error { return most.admits(address, to) }
			}
			dial = plain.DialContext
		}
		connection, err := dial(ctx, how, address)
		if err != nil {
			return nil, err
		}
		if to, err := netip.ParseAddrPort(connection.RemoteAddr().String()); err == nil && !c.places.proxies.has(address) {
			c.places.saw(address, networkOf(to.Addr()))
		}
		return connection, nil
	}
}

// admits refuses an address that a name leads to.
func (n network) admits(name, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return Refuse("%s leads to %s, which is no address", name, address)
	}
	if at := networkOf(to.Addr()); at > n {
		return Refuse("an answer leads to %s, which is %s (%s) and was not named by you: "+
			"if that is meant, name it in the mirrors file", name, at, to.Addr())
	}
	return nil
}

// leading notes at each request of a session who named its host, and holds what
// nobody may be told and where nobody may be led, whichever client follows a redirect:
// no Referer, and no plain HTTP after HTTPS.
type leading struct {
	next http.RoundTripper
	own  []string // host:port of the session, the first by HTTPS if there are two
	by   *Lead    // who named it; nil for the user
}

func (l leading) RoundTrip(request *http.Request) (*http.Response, error) {
	if _, led := request.Header["Referer"]; led {
		request = request.Clone(request.Context())
		request.Header.Del("Referer")
	}
	by := l.by
	if at := hostPort(request.URL.Scheme, request.URL.Host); !slices.Contains(l.own, at) {
		by = &Lead{From: l.own[0]}
	}
	if redirect := request.Response; redirect != nil && redirect.Request != nil {
		from := redirect.Request.URL
		if err := checkScheme(from, request.URL); err != nil {
			return nil, err
		}
		if at := hostPort(from.Scheme, from.Host); by != nil && !slices.Contains(l.own, at) {
			by = &Lead{From: at}
		}
	}
	if by != nil {
		request = request.WithContext(context.WithValue(request.Context(), leadKey{}, *by))
	}
	return l.next.RoundTrip(request)
}

// checkScheme refuses to follow a redirect from HTTPS to anything else.
func checkScheme(from, to *url.URL) error {
	if from.Scheme == "https" && to.Scheme != "https" {
		return Refuse("redirect from HTTPS to %.200s is refused", Redact(to.String()))
	}
	return nil
}

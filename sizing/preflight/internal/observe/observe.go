// Package observe looks at a site's services from the admin host: names,
// certificate, time, mail, TURN, identity providers, and whether there is a way
// out. It tells what it saw and judges nothing.
package observe

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

const (
	limit     = 5 * time.Second  // of each step of an observation
	lookLimit = 2 * limit        // of an observation
	mailLimit = 30 * time.Second // of a mail relay, see mail
)

// Site looks at everything that the site document names, all at once.
func Site(ctx context.Context, site *site.Site) []facts.Observation {
	resolver := newResolver(site)
	var looks []func(context.Context) []facts.Observation
	several := func(limit time.Duration, look func(context.Context) []facts.Observation) {
		looks = append(looks, func(ctx context.Context) []facts.Observation {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			return look(ctx)
		})
	}
	one := func(limit time.Duration, look func(context.Context) facts.Observation) {
		several(limit, func(ctx context.Context) []facts.Observation { return []facts.Observation{look(ctx)} })
	}
	for _, name := range site.DNSNames() {
		one(lookLimit, func(ctx context.Context) facts.Observation { return address(ctx, resolver, name) })
	}
	if site.Preflight.DNS != nil && site.Federation {
		one(lookLimit, func(ctx context.Context) facts.Observation { return service(ctx, resolver, site.Preflight.DNS.Domain) })
	}
	if site.Preflight.Certificate != nil {
		one(lookLimit, func(ctx context.Context) facts.Observation { return certificate(ctx, resolver, site) })
	}
	for _, server := range site.Preflight.NTP {
		one(lookLimit, func(ctx context.Context) facts.Observation { return ntp(ctx, resolver, server) })
	}
	for _, relay := range site.Preflight.MailRelays {
		one(mailLimit, func(ctx context.Context) facts.Observation { return mail(ctx, resolver, relay) })
	}
	for _, server := range site.Preflight.TURN {
		several(lookLimit, func(ctx context.Context) []facts.Observation { return turn(ctx, resolver, server) })
	}
	for _, url := range site.Preflight.IDP {
		one(lookLimit, func(ctx context.Context) facts.Observation { return idp(ctx, resolver, site, url) })
	}
	if !site.Internet {
		one(lookLimit, func(ctx context.Context) facts.Observation { return outside(ctx, resolver, site) })
		one(lookLimit, func(context.Context) facts.Observation { return wayOut() })
	}
	several(lookLimit, func(context.Context) []facts.Observation { return admin() })
	results := make([][]facts.Observation, len(looks))
	var tasks sync.WaitGroup
	for i, look := range looks {
		tasks.Go(func() {
			results[i] = look(ctx)
		})
	}
	tasks.Wait()
	return slices.Concat(append(results, []facts.Observation{})...)
}

// newResolver asks the site's own name server where it is named.
func newResolver(site *site.Site) *net.Resolver {
	if site.Preflight.DNS == nil || site.Preflight.DNS.Server == "" {
		return &net.Resolver{PreferGo: true}
	}
	server := site.Preflight.DNS.Server
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, "53")
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		dialer := net.Dialer{Timeout: limit}
		return dialer.DialContext(ctx, network, server)
	}}
}

func dialer(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: limit, Resolver: resolver}
}

// ended tells how an attempt failed.
func ended(err error) (facts.Outcome, message.Text) {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return facts.Unresolved, message.Of("facts.seen.no-name", nil)
		}
		return facts.Unmade, message.Plain(facts.Cut(dns.Error()))
	case errors.Is(err, syscall.ECONNREFUSED):
		return facts.Refused, message.Text{}
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return facts.TimedOut, message.Text{}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return facts.Down, facts.Reason(err)
	}
	return facts.Failed, facts.Reason(err)
}

func failed(subject facts.Subject, object string, method message.Text, err error) facts.Observation {
	o := facts.Observation{Subject: subject, Object: object, Method: method}
	o.Outcome, o.Detail = ended(err)
	return o
}

func address(ctx context.Context, resolver *net.Resolver, name string) facts.Observation {
	method := message.Of("facts.method.addresses", nil)
	addresses, err := resolver.LookupNetIP(ctx, "ip", name+".")
	if err != nil {
		return failed(facts.SubjectName, name, method, err)
	}
	var words []string
	for _, a := range addresses {
		words = append(words, a.Unmap().String())
	}
	return facts.Observation{
		Subject: facts.SubjectName, Object: name, Outcome: facts.OK, Method: method, Found: facts.Cut(strings.Join(words, ", ")),
	}
}

func service(ctx context.Context, resolver *net.Resolver, domain string) facts.Observation {
	method := message.Of("facts.method.services", nil)
	name := "_wire-server-federator._tcp." + domain
	_, records, err := resolver.LookupSRV(ctx, "", "", name+".")
	if err != nil {
		return failed(facts.SubjectService, name, method, err)
	}
	if len(records) == 0 {
		return facts.Observation{
			Subject: facts.SubjectService, Object: name, Outcome: facts.Unresolved, Detail: message.Of("facts.seen.no-record", nil), Method: method,
		}
	}
	return facts.Observation{
		Subject: facts.SubjectService,
		Object:  name,
		Outcome: facts.OK,
		Method:  method,
		Found:   facts.Cut(records[0].Target),
	}
}

// nobody are addresses of no one (RFC 5737, RFC 3849), to which only a route out
// leads.
var nobody = []string{"192.0.2.1:9", "[2001:db8::1]:9"}

// wayOut looks whether the admin host has a route out. Nothing is sent:
// connecting a datagram socket only looks up the route (udp(7)).
func wayOut() facts.Observation {
	o := facts.Observation{Subject: facts.SubjectRoute, Object: "route of the admin host", Outcome: facts.OK}
	o.Method = message.Of("facts.method.way-out", nil)
	for _, address := range nobody {
		if conn, err := net.Dial("udp", address); err == nil {
			o.Outcome, o.Detail = facts.Failed, message.Of("facts.seen.leads-out",
				message.Args{"address": conn.LocalAddr().(*net.UDPAddr).IP.String()})
			_ = conn.Close()
		}
	}
	if o.Outcome == facts.OK {
		otherTables(&o)
	}
	return o
}

// otherTables looks for routes out that the lookup has not come by: those that rules
// keep for some packets.
func otherTables(o *facts.Observation) {
	routes, err := probe.RoutesOut()
	if err != nil {
		o.Outcome, o.Detail = facts.Unmade, facts.Reason(err)
		return
	}
	var words []string
	for _, route := range routes {
		words = append(words, route.String())
	}
	if len(words) > 0 {
		o.Outcome, o.Detail = facts.Failed, message.Of("facts.seen.route-out", message.Args{"routes": facts.Cut(strings.Join(words, ", "))})
	}
}

// admin tells the addresses that the admin host itself has, those of each interface.
func admin() []facts.Observation {
	method := message.Of("facts.method.interfaces", nil)
	unmade := func(err error) []facts.Observation {
		return []facts.Observation{{Subject: facts.SubjectAdmin, Outcome: facts.Unmade, Method: method, Detail: facts.Reason(err)}}
	}
	nics, err := net.Interfaces()
	if err != nil {
		return unmade(err)
	}
	seen := []facts.Observation{}
	for _, nic := range nics {
		addresses, err := nic.Addrs()
		if err != nil {
			return unmade(err)
		}
		var words []string
		for _, address := range addresses {
			words = append(words, address.String())
		}
		if nic.Flags&net.FlagLoopback == 0 && len(words) > 0 {
			seen = append(seen, facts.Observation{
				Subject: facts.SubjectAdmin, Object: nic.Name, Outcome: facts.OK, Method: method, Found: strings.Join(words, ", "),
			})
		}
	}
	if len(seen) == 0 { // which is seen as well
		seen = append(seen, facts.Observation{Subject: facts.SubjectAdmin, Outcome: facts.OK, Method: method})
	}
	return seen
}

// outside looks for a way out that an island must not have. It sends one
// packet at the most, to a name server for a name outside: no other machine.
func outside(ctx context.Context, resolver *net.Resolver, site *site.Site) facts.Observation {
	method := message.Of("facts.method.outside", nil)
	names := site.Preflight.Outside
	if len(names) == 0 {
		names = []string{"wire.com"}
	}
	for _, name := range names {
		if found, err := resolver.LookupNetIP(ctx, "ip", name+"."); err == nil && len(found) > 0 {
			return facts.Observation{
				Subject: facts.SubjectOutside, Object: name, Outcome: facts.Failed, Detail: message.Of("facts.seen.found", nil), Method: method,
				Found: found[0].String(),
			}
		}
	}
	return facts.Observation{
		Subject: facts.SubjectOutside, Object: strings.Join(names, ", "), Outcome: facts.OK, Method: method,
		Detail: message.Of("facts.seen.not-here", nil),
	}
}

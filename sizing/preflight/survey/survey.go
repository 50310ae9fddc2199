// Package survey collects: it reaches every host of a site at once, has their
// facts read, lets them speak to each other, and looks at the site's services.
// It judges nothing.
package survey

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/observe"
	"github.com/islandbundle/island/sizing/preflight/probe"
	"github.com/islandbundle/island/sizing/preflight/remote"
)

// Host is one host to look at.
type Host struct {
	Name     string
	Groups   []string
	Internal string // address that other hosts use; empty: found in its facts
	Target   remote.Target
}

// Options say how a survey is made.
type Options struct {
	Remote   remote.Options
	Ports    *preflight.Ports
	Site     *preflight.Site // what of the site to look at; nil for nothing
	Request  probe.Request   // Name is filled in for each host
	NoLinks  bool            // do not let hosts speak to each other
	Parallel int             // hosts at once; default 64
	Progress Progress        // nil for none
}

// Progress is told how far each host is.
type Progress interface {
	Host(name, stage string)             // begins a stage: connect, collect, listen, dial
	Done(name string, reach facts.Reach) // is done with a host
}

const defaultParallel = 64

// clockExchanges are made with each host; the best one counts.
const clockExchanges = 8

// Take makes a survey. It fails only when it is cancelled: what goes wrong with
// a host is part of the survey.
func Take(ctx context.Context, hosts []Host, options Options) (*facts.Survey, error) {
	start := time.Now()
	s := &surveyor{options: options, visits: make([]visit, len(hosts))}
	for i, host := range hosts {
		s.visits[i] = visit{host: host, token: rand.Text(), result: facts.Host{Name: host.Name, Groups: host.Groups, Internal: host.Internal, Address: host.Target.Address}}
	}
	observed := make(chan []facts.Observation, 1)
	go func() {
		if options.Site == nil {
			observed <- []facts.Observation{}
			return
		}
		observed <- observe.Site(ctx, options.Site)
	}()
	s.each(func(v *visit) { s.collect(ctx, v) })
	links := []facts.Link{}
	if !options.NoLinks {
		links = s.link(ctx)
	}
	s.each(func(v *visit) {
		if v.session != nil {
			v.session.Close()
		}
		if options.Progress != nil {
			options.Progress.Done(v.host.Name, v.result.Reach)
		}
	})
	site := append(<-observed, s.balanced...)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	survey := &facts.Survey{APIVersion: facts.APIVersion, Kind: facts.SurveyKind, Started: start.UTC(), Hosts: []facts.Host{}, Links: links, Site: site}
	for i := range s.visits {
		survey.Hosts = append(survey.Hosts, s.visits[i].result)
	}
	survey.Elapsed = time.Since(start).Seconds()
	return survey, nil
}

type surveyor struct {
	options  Options
	visits   []visit
	balanced []facts.Observation // what the load balancer's ports led to
}

type visit struct {
	host    Host
	token   string
	session *remote.Session
	result  facts.Host
}

// each works on all hosts at once, and waits for all.
func (s *surveyor) each(work func(*visit)) {
	slots := make(chan struct{}, cmp.Or(s.options.Parallel, defaultParallel))
	var tasks sync.WaitGroup
	for i := range s.visits {
		slots <- struct{}{}
		tasks.Go(func() {
			defer func() { <-slots }()
			work(&s.visits[i])
		})
	}
	tasks.Wait()
}

func (s *surveyor) stage(v *visit, stage string) {
	if s.options.Progress != nil {
		s.options.Progress.Host(v.host.Name, stage)
	}
}

func (s *surveyor) collect(ctx context.Context, v *visit) {
	start := time.Now()
	v.result.Reach = facts.Reach{Outcome: facts.Reached, Method: "ssh"}
	if v.host.Target.Local {
		v.result.Reach.Method, v.result.Address = "local", ""
	}
	s.stage(v, "connect")
	session, err := remote.Open(ctx, v.host.Target, s.options.Remote)
	if err == nil {
		v.session = session
		v.result.Clock, err = session.Clock(ctx, clockExchanges)
	}
	if err == nil {
		s.stage(v, "collect")
		request := s.options.Request
		request.Name = v.host.Name
		v.result.Facts, err = session.Collect(ctx, request)
	}
	v.result.Reach.Elapsed = time.Since(start).Seconds()
	if err != nil {
		s.lost(v, err)
		return
	}
	if v.result.Internal == "" {
		v.result.Internal = firstAddress(v.result.Facts)
	}
}

// lost gives a host up.
func (s *surveyor) lost(v *visit, err error) {
	v.result.Reach.Outcome, v.result.Reach.Detail = facts.Failed, facts.Cut(err.Error())
	if reach := (*remote.ReachError)(nil); errors.As(err, &reach) {
		v.result.Reach.Outcome, v.result.Reach.Detail = reach.Outcome, reach.Detail
	}
	v.result.Facts, v.result.Clock = nil, nil
	if v.session != nil {
		v.session.Close()
		v.session = nil
	}
}

// firstAddress gives the first address that other hosts could use, for hosts
// whose inventory does not say.
func firstAddress(f *facts.Facts) string {
	for _, nic := range f.Network.Interfaces.Value {
		for _, address := range nic.Addresses {
			if prefix, err := netip.ParsePrefix(address.Prefix); err == nil && prefix.Addr().Is4() && prefix.Addr().IsGlobalUnicast() {
				return prefix.Addr().String()
			}
		}
	}
	return ""
}

// link lets hosts speak to each other: first all listen, then all dial.
func (s *surveyor) link(ctx context.Context) []facts.Link {
	hosts := make([]facts.Host, len(s.visits))
	byName := map[string]*visit{}
	for i := range s.visits {
		hosts[i] = s.visits[i].result
		byName[s.visits[i].host.Name] = &s.visits[i]
	}
	wants := s.options.Ports.Wants(hosts)
	listening := s.listen(ctx, wants)
	s.balanced = s.loadBalancer(ctx)
	var mu sync.Mutex
	links := []facts.Link{}
	s.each(func(v *visit) {
		if v.session == nil {
			return
		}
		s.stage(v, "dial")
		mine := slices.DeleteFunc(slices.Clone(wants), func(w preflight.Want) bool { return w.From != v.host.Name || byName[w.To].session == nil })
		made := s.dial(ctx, v, mine, byName, listening)
		mu.Lock()
		defer mu.Unlock()
		links = append(links, made...)
	})
	order := map[string]int{}
	for i := range s.visits {
		order[s.visits[i].host.Name] = i
	}
	slices.SortStableFunc(links, func(a, b facts.Link) int {
		return cmp.Or(order[a.From]-order[b.From], order[a.To]-order[b.To], cmp.Compare(a.Protocol, b.Protocol), a.Port-b.Port)
	})
	return links
}

type portOf struct {
	host string
	port probe.Port
}

// listen opens all ports that anyone wants to reach.
func (s *surveyor) listen(ctx context.Context, wants []preflight.Want) map[portOf]probe.Listening {
	wanted := map[string][]probe.Port{}
	for _, want := range wants {
		port := probe.Port{Protocol: want.Protocol, Port: want.Port}
		if !slices.Contains(wanted[want.To], port) {
			wanted[want.To] = append(wanted[want.To], port)
		}
	}
	var mu sync.Mutex
	states := map[portOf]probe.Listening{}
	s.each(func(v *visit) {
		if v.session == nil || len(wanted[v.host.Name]) == 0 {
			return
		}
		s.stage(v, "listen")
		answer, err := v.session.Listen(ctx, v.result.Internal, v.token, wanted[v.host.Name])
		if err != nil {
			s.lost(v, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, state := range answer {
			states[portOf{v.host.Name, state.Port}] = state
		}
	})
	return states
}

// dial makes one host try all that it wants to reach. A port that could not be
// listened on is not dialled: whatever answered would be another program.
func (s *surveyor) dial(ctx context.Context, v *visit, wants []preflight.Want, byName map[string]*visit, listening map[portOf]probe.Listening) []facts.Link {
	var links []facts.Link
	var targets []probe.Target
	var index []int
	var peers []string
	for _, want := range wants {
		to := byName[want.To]
		port := probe.Port{Protocol: want.Protocol, Port: want.Port}
		link := facts.Link{From: want.From, To: want.To, Address: to.result.Internal, Protocol: want.Protocol, Port: want.Port, Rows: want.Rows}
		state, ok := listening[portOf{want.To, port}]
		switch {
		case to.result.Internal == "":
			link.Outcome, link.Detail = facts.Unmade, "address of the host is not known"
		case !ok || state.Outcome == facts.Failed:
			link.Outcome, link.Detail = facts.Unmade, cmp.Or(state.Detail, "probe did not listen")
		case state.Outcome == facts.InUse:
			link.Outcome, link.Detail = facts.InUse, holder(to.result.Facts, port)
		default:
			targets = append(targets, probe.Target{Port: port, Address: to.result.Internal, Token: to.token})
			index = append(index, len(links))
		}
		links = append(links, link)
		if to.result.Internal != "" && !slices.Contains(peers, want.To) {
			peers = append(peers, want.To)
		}
	}
	if len(targets) > 0 {
		results, err := v.session.Dial(ctx, targets)
		if err != nil {
			s.lost(v, err)
			return nil
		}
		for i, result := range results {
			link := &links[index[i]]
			link.Outcome, link.Detail, link.RoundTrip = result.Outcome, result.Detail, result.RoundTrip
		}
	}
	return append(links, s.paths(ctx, v, peers, byName)...)
}

func (s *surveyor) paths(ctx context.Context, v *visit, peers []string, byName map[string]*visit) []facts.Link {
	if len(peers) == 0 {
		return nil
	}
	var addresses []string
	for _, peer := range peers {
		addresses = append(addresses, byName[peer].result.Internal)
	}
	results, err := v.session.PathMTU(ctx, mtu(v.result), addresses)
	if err != nil {
		s.lost(v, err)
		return nil
	}
	var links []facts.Link
	for i, result := range results {
		links = append(links, facts.Link{
			From: v.host.Name, To: peers[i], Address: result.Address, Protocol: "mtu", Rows: []string{},
			Outcome: result.Outcome, Detail: result.Detail, MTU: result.Bytes, RoundTrip: result.RoundTrip,
		})
	}
	return links
}

// mtu gives the MTU of the interface that has a host's internal address.
func mtu(host facts.Host) int {
	for _, nic := range host.Facts.Network.Interfaces.Value {
		for _, address := range nic.Addresses {
			if prefix, err := netip.ParsePrefix(address.Prefix); err == nil && prefix.Addr().String() == host.Internal {
				return nic.MTU
			}
		}
	}
	return 1500
}

// holder names the program that has a port, where the probe could see it.
func holder(f *facts.Facts, port probe.Port) string {
	for _, listener := range f.Network.Listeners.Value {
		if listener.Protocol == port.Protocol && listener.Port == port.Port {
			return listener.Process
		}
	}
	return ""
}

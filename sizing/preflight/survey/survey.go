//go:build linux

// Package survey collects: it reaches every host of a site at once, has their
// facts read, lets them speak to each other, and looks at the site's services.
// It judges nothing.
package survey

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/observe"
	"github.com/islandbundle/island/sizing/preflight/probe"
	"github.com/islandbundle/island/sizing/preflight/remote"
)

// Host is one host to look at.
type Host struct {
	Name     string
	Groups   []string
	Internal string // address that other hosts use; empty: found in its facts
	// Interfaces are those that its services are told to use.
	Interfaces []string
	// ClusterNetworks are those of pods and services, where the inventory says.
	ClusterNetworks []string
	Target          remote.Target
}

// Options say how a survey is made.
type Options struct {
	Remote     remote.Options
	Wants      func(hosts []facts.Host) []facts.Link // which host must reach which
	Site       *site.Site                            // what of the site to look at; nil for nothing
	Request    probe.Request                         // Name is filled in for each host
	NoLinks    bool                                  // do not let hosts speak to each other
	Throughput bool                                  // send data between conference hosts
	Partial    bool                                  // there are more hosts, which were left out on purpose
	Upgrade    bool                                  // a service that has its port already is spoken to
	Parallel   int                                   // hosts at once; default 64
	Progress   Progress                              // nil for none
}

// Progress is told how far each host is.
type Progress interface {
	Host(name string, stage Stage)       // begins a stage
	Done(name string, reach facts.Reach) // is done with a host, once
}

// Stage is a part of the work on a host.
type Stage string

// Stages are all of them, in their order. A host may skip some.
var Stages = []Stage{Connect, Collect, Listen, Dial, Send, Finish}

// The stages.
const (
	Connect Stage = "connect"
	Collect Stage = "collect"
	Listen  Stage = "listen"
	Dial    Stage = "dial"
	Send    Stage = "send"   // to measure throughput
	Finish  Stage = "finish" // what takes a while to see, and cleaning up
)

const defaultParallel = 64

// clockExchanges are made with each host; the best one counts.
const clockExchanges = 8

// Take makes a survey. It fails only when it is cancelled: what goes wrong with
// a host is part of the survey.
func Take(ctx context.Context, hosts []Host, options Options) (*facts.Survey, error) {
	start := time.Now()
	s := &surveyor{options: options, visits: make([]visit, len(hosts)), door: make(chan struct{}, atTheDoor)}
	for i, host := range hosts {
		s.visits[i] = visit{host: host, token: rand.Text(), result: facts.Host{
			Name: host.Name, Groups: host.Groups, Interfaces: host.Interfaces, ClusterNetworks: host.ClusterNetworks,
			Internal: host.Internal, Address: host.Target.Address,
		}}
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
	if options.Throughput {
		links = append(links, s.throughput(ctx, links)...)
	}
	s.each(func(v *visit) { s.finish(ctx, v) })
	s.watches.Wait()
	site := append(<-observed, s.balanced...)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	survey := facts.NewSurvey(start.UTC())
	survey.Partial, survey.Links, survey.Site = options.Partial, s.inOrder(append(links, s.ways...)), site
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

	door    chan struct{} // as many as may try again at once
	watches sync.WaitGroup
	mu      sync.Mutex
	ways    []facts.Link // from the admin host to the hosts
}

type visit struct {
	host    Host
	token   string
	session *remote.Session
	end     context.CancelFunc // of the session
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

func (s *surveyor) stage(v *visit, stage Stage) {
	if s.options.Progress != nil {
		s.options.Progress.Host(v.host.Name, stage)
	}
}

func (s *surveyor) collect(ctx context.Context, v *visit) {
	start := time.Now()
	v.result.Reach = facts.Reach{Outcome: facts.Reached, Method: message.Plain("ssh")}
	if v.host.Target.Local {
		v.result.Reach.Method, v.result.Address = message.Of("facts.method.local", nil), ""
	}
	s.stage(v, Connect)
	session, end := context.WithCancel(ctx)
	v.end = end
	begun, ended := s.watch(ctx, v.host, end)
	err := s.visit(session, v, begun)
	narrow := ended()
	v.result.Reach.Elapsed = time.Since(start).Seconds()
	switch {
	case narrow && (session.Err() != nil || reachOf(err).Outcome == facts.TimedOut):
		s.lost(v, &remote.ReachError{Outcome: facts.LargeLost})
	case err != nil:
		s.lost(v, err)
	case v.result.Internal == "":
		v.result.Internal = internal(ctx, v.host.Target.Address, v.result.Facts.Network.Interfaces.Value)
	}
}

// The way in may be one for all hosts, a jump host, whose sshd turns some away
// when more than ten log in at once (sshd_config(5), MaxStartups). Those try
// again, a few at a time.
const (
	atTheDoor = 4
	doorTries = 6
	doorPause = 300 * time.Millisecond
)

// open reaches a host, once more where the door was too crowded.
func (s *surveyor) open(ctx context.Context, v *visit) (*remote.Session, error) {
	session, err := remote.Open(ctx, v.host.Target, s.options.Remote)
	for try := 1; reachOf(err).Busy && try < doorTries; try++ {
		select {
		case <-time.After(time.Duration(try)*doorPause + mathrand.N(doorPause)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		session, err = s.openInTurn(ctx, v)
	}
	return session, err
}

// reachOf returns how reaching a host ended; nothing where err is of another kind.
func reachOf(err error) remote.ReachError {
	var reach *remote.ReachError
	if !errors.As(err, &reach) {
		return remote.ReachError{}
	}
	return *reach
}

// openInTurn waits for a place at the door, which it keeps until the login is
// done.
func (s *surveyor) openInTurn(ctx context.Context, v *visit) (*remote.Session, error) {
	select {
	case s.door <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave := sync.OnceFunc(func() { <-s.door })
	defer leave()
	options := s.options.Remote
	options.Greeted = leave
	return remote.Open(ctx, v.host.Target, options)
}

// visit has a host's clock compared and its facts read.
func (s *surveyor) visit(ctx context.Context, v *visit, begun func()) error {
	session, err := s.open(ctx, v)
	if err != nil {
		return err
	}
	begun()
	v.session = session
	if v.result.Clock, err = session.Clock(ctx, clockExchanges); err != nil {
		return err
	}
	s.stage(v, Collect)
	request := s.options.Request
	request.Name, request.StealLater = v.host.Name, true
	request.Fsync = cmp.Or(s.options.Site, site.Undescribed()).FsyncPaths(v.host.Groups)
	v.result.Facts, err = session.Collect(ctx, request)
	return err
}

// lost returns a host up.
func (s *surveyor) lost(v *visit, err error) {
	v.result.Reach.Outcome, v.result.Reach.Detail = facts.Failed, facts.Reason(err)
	if reach := reachOf(err); reach.Outcome != "" {
		v.result.Reach.Outcome, v.result.Reach.Detail = reach.Outcome, reach.Detail
	}
	v.result.Facts, v.result.Clock = nil, nil
	v.leave()
	s.done(v)
}

func (s *surveyor) done(v *visit) {
	if s.options.Progress != nil {
		s.options.Progress.Done(v.host.Name, v.result.Reach)
	}
}

// leave ends a host's session, if it has one.
func (v *visit) leave() {
	if v.session != nil {
		v.session.Close()
		v.session = nil
	}
	v.end()
}

// finish takes what a host was left to watch meanwhile, and leaves it.
func (s *surveyor) finish(ctx context.Context, v *visit) {
	if v.session == nil {
		return
	}
	s.stage(v, Finish)
	steal, err := v.session.Steal(ctx)
	if err != nil {
		s.lost(v, err)
		return
	}
	v.result.Facts.CPU.Steal = steal
	v.leave()
	s.done(v)
}

// internal returns the address that other hosts could use, for hosts whose
// inventory does not say: the one that ssh went to, if it is the host's own;
// else the first of a device, which the bridge of a container runtime is not.
func internal(ctx context.Context, target string, nics []facts.NIC) string {
	wanted, _ := resolve(ctx, target)
	best, bestRank := "", 0
	for _, nic := range nics {
		for _, address := range nic.Addresses {
			prefix, err := netip.ParsePrefix(address.Prefix)
			if err != nil || !prefix.Addr().IsGlobalUnicast() {
				continue
			}
			rank := 1
			if nic.Driver != "" {
				rank += 2
			}
			if prefix.Addr().Is4() {
				rank++
			}
			if prefix.Addr() == wanted {
				return wanted.String()
			}
			if rank > bestRank {
				best, bestRank = prefix.Addr().String(), rank
			}
		}
	}
	return best
}

// link lets hosts speak to each other: first all listen, then all dial.
func (s *surveyor) link(ctx context.Context) []facts.Link {
	hosts := make([]facts.Host, len(s.visits))
	for i := range s.visits {
		hosts[i] = s.visits[i].result
	}
	wants := s.options.Wants(hosts)
	listening := s.listen(ctx, wants)
	balanced := s.loadBalancer(ctx)
	// As they are now: while hosts dial, some may be lost.
	peers := map[string]peer{}
	for i := range s.visits {
		if v := &s.visits[i]; v.session != nil {
			peers[v.host.Name] = peer{v.result.Internal, v.token, v.result.Facts.Network.Listeners.Value}
		}
	}
	var mu sync.Mutex
	links := []facts.Link{}
	s.each(func(v *visit) {
		if v.session == nil {
			return
		}
		s.stage(v, Dial)
		mine := slices.DeleteFunc(slices.Clone(wants), func(w facts.Link) bool {
			_, there := peers[w.To]
			return w.From != v.host.Name || !there
		})
		made := s.dial(ctx, v, mine, peers, listening)
		mu.Lock()
		defer mu.Unlock()
		links = append(links, made...)
	})
	s.balanced = balanced()
	return links
}

// inOrder sorts links by the inventory's order of hosts.
func (s *surveyor) inOrder(links []facts.Link) []facts.Link {
	order := map[string]int{facts.AdminHost: -1}
	for i := range s.visits {
		order[s.visits[i].host.Name] = i
	}
	slices.SortStableFunc(links, func(a, b facts.Link) int {
		return cmp.Or(order[a.From]-order[b.From], order[a.To]-order[b.To], cmp.Compare(a.Protocol, b.Protocol), a.Port-b.Port)
	})
	return links
}

// peer is what others need to know of a host to dial it.
type peer struct {
	address   string // empty if it is not known
	token     string
	listeners []facts.Listener
}

type portOf struct {
	host string
	port probe.Port
}

// listen opens all ports that anyone wants to reach.
func (s *surveyor) listen(ctx context.Context, wants []facts.Link) map[portOf]probe.Listening {
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
		s.stage(v, Listen)
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
func (s *surveyor) dial(ctx context.Context, v *visit, wants []facts.Link, peers map[string]peer,
	listening map[portOf]probe.Listening) []facts.Link {
	var links []facts.Link
	var targets []probe.Target
	var index []int
	var others []string
	for _, want := range wants {
		to := peers[want.To]
		port := probe.Port{Protocol: want.Protocol, Port: want.Port}
		link := want
		link.Address = to.address
		state, ok := listening[portOf{want.To, port}]
		switch {
		case to.address == "":
			link.Outcome, link.Detail = facts.Unmade, message.Of("facts.link.no-address", nil)
		case !ok || state.Outcome == facts.Failed:
			link.Outcome, link.Detail = facts.Unmade, state.Detail
			if link.Detail.IsZero() {
				link.Detail = message.Of("facts.link.no-listener", nil)
			}
		case s.options.Upgrade && port.Protocol == "tcp" && (state.Outcome == facts.InUse || isNodePort(port.Port)):
			// What is installed has the port, or the kernel passes it on to what is
			// installed, without a socket: whether it can be reached is what counts.
			targets = append(targets, probe.Target{Port: port, Address: to.address})
			index = append(index, len(links))
		case state.Outcome == facts.InUse:
			link.Outcome, link.Detail = facts.InUse, message.Plain(holder(to.listeners, port))
		default:
			targets = append(targets, probe.Target{Port: port, Address: to.address, Token: to.token})
			index = append(index, len(links))
		}
		links = append(links, link)
		if to.address != "" && !slices.Contains(others, want.To) {
			others = append(others, want.To)
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
	return append(links, s.paths(ctx, v, others, peers)...)
}

// isNodePort tells ports of Kubernetes' default range for services.
func isNodePort(port int) bool { return port >= 30000 && port <= 32767 }

// paths measures the ways from one host to others.
func (s *surveyor) paths(ctx context.Context, v *visit, others []string, peers map[string]peer) []facts.Link {
	if len(others) == 0 {
		return nil
	}
	var addresses []string
	for _, name := range others {
		addresses = append(addresses, peers[name].address)
	}
	largest := mtu(v.result)
	results, err := v.session.PathMTU(ctx, largest, addresses)
	if err != nil {
		s.lost(v, err)
		return nil
	}
	var links []facts.Link
	for i, result := range results {
		links = append(links, pathLink(v.host.Name, others[i], largest, result))
	}
	return links
}

// mtu returns the MTU of the interface that has a host's internal address.
func mtu(host facts.Host) int {
	for _, nic := range host.Facts.Network.Interfaces.Value {
		for _, address := range nic.Addresses {
			if prefix, err := netip.ParsePrefix(address.Prefix); err == nil && prefix.Addr().String() == host.Internal {
				return nic.MTU
			}
		}
	}
	return ethernet
}

// holder names the program that has a port, where the probe could see it.
func holder(listeners []facts.Listener, port probe.Port) string {
	for _, listener := range listeners {
		if listener.Protocol == port.Protocol && listener.Port == port.Port {
			return listener.Process
		}
	}
	return ""
}

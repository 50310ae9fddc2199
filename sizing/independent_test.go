package sizing_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// What follows was written from the text of the guide and of wire-docs, and knows
// nothing of how the product calculates: streams are counted one by one, numbers of
// machines and their sizes are typed off the published tables, and fractions are kept
// whole until the end. It shares with the product the report's type alone.

// machineSize is a line of a published table: machines, cores, GB of memory, GB of disk.
type machineSize struct{ count, cores, memory, disk int64 }

var published = map[string]map[site.Role]machineSize{
	"guide": {
		"cassandra": {3, 2, 4, 80}, "minio": {3, 1, 2, 400}, "elasticsearch": {3, 1, 2, 60}, "kubernetes": {3, 6, 8, 40},
		"restund": {2, 1, 2, 10}, "admin-host": {1, 1, 4, 40}, "asset-host": {1, 1, 4, 100},
	},
	// PostgreSQL with the 2 cores that wire-server-deploy demands.
	"guide-postgresql": {
		"cassandra": {3, 2, 4, 80}, "minio": {3, 1, 2, 400}, "elasticsearch": {3, 1, 2, 60}, "kubernetes": {3, 6, 8, 40},
		"postgresql": {3, 2, 2, 50}, "restund": {2, 1, 2, 10}, "admin-host": {1, 1, 4, 40}, "asset-host": {1, 1, 4, 100},
	},
	// Cassandra and PostgreSQL with the higher figures of the guide and of wire-server-deploy.
	"wire-docs-99": {
		"cassandra": {3, 2, 4, 80}, "postgresql": {3, 2, 2, 80}, "minio": {3, 1, 2, 400}, "elasticsearch": {3, 1, 2, 60},
		"rabbitmq": {3, 2, 4, 80}, "kubernetes": {3, 6, 8, 80}, "calling": {3, 4, 10, 70}, "admin-host": {1, 1, 4, 90},
		"asset-host": {1, 1, 4, 100},
	},
}

// byHand is what a site takes, in kbit/s and whole machines.
type byHand struct {
	in, out, largestIn, largestOut, relayed int64
	participants, largest, relayedPeople    int64
	conferences                             int
}

// streams counts one conference, participant by participant.
func (h *byHand) streams(people, cameras, behindTURN int64) {
	var in, out int64
	for person := range people {
		hasCamera, relayed := person < cameras, person < behindTURN
		sends := int64(50) // one audio stream
		if hasCamera {
			sends += 350
		}
		var gets int64
		for voice := range people { // up to 5 audio streams; with fewer participants, up to as many as they are
			if voice < 5 {
				gets += 50
			}
		}
		seen := int64(0) // up to 9 video streams where nine cameras are on, else those of others
		for camera := range cameras {
			if seen < 9 && (cameras >= 9 || camera < people-1) {
				seen++
			}
		}
		gets += 350 * seen
		in, out = in+sends, out+gets
		if relayed {
			h.relayed += sends + gets
		}
	}
	h.in, h.out = h.in+in, h.out+out
	h.largestIn, h.largestOut = max(h.largestIn, in), max(h.largestOut, out)
	h.conferences++
	h.participants, h.largest, h.relayedPeople = h.participants+people, max(h.largest, people), h.relayedPeople+behindTURN
}

// people is a share of a number, of which nobody is left half.
func people(of, percent int64) int64 {
	whole := new(big.Int)
	rest := new(big.Int)
	whole.DivMod(big.NewInt(of*percent), big.NewInt(100), rest)
	return whole.Int64() + int64(rest.Sign())
}

// fullest is the most that one of several servers carries, if each load goes to the one
// that then carries least: the mean of all but the largest, and the largest on top; and
// where a server is left for each load, the largest, alone.
func fullest(loads int, total, largest int64, servers int) int64 {
	if free := servers - (loads - 1); free >= 1 {
		return largest
	}
	mean := new(big.Rat).SetFrac64(total-largest, int64(servers))
	return ceiling(mean.Add(mean, new(big.Rat).SetInt64(largest)))
}

func ceiling(r *big.Rat) int64 {
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	return whole.Int64() + int64(rest.Sign())
}

// addedCores is the most demanding of the public rules: 3 % of a core for each
// participant on each node, the same spread over three nodes, and a core for every 50
// participants on the node.
func (h *byHand) addedCores(nodes int) int64 {
	each := ceiling(new(big.Rat).SetFrac64(3*h.participants, 100))
	spread := ceiling(new(big.Rat).SetFrac64(h.participants, 100))
	fifties := ceiling(new(big.Rat).SetFrac64(fullest(h.conferences, h.participants, h.largest, nodes), 50))
	return max(each, spread, fifties)
}

// cardsNeeded counts servers up until the cards of all carry the load with 30 % free.
func (h *byHand) cardsNeeded() int {
	const free = 700_000
	for servers := 1; servers <= 100_000; servers++ {
		if fullest(h.conferences, h.out, h.largestOut, servers) <= free && fullest(h.conferences, h.in, h.largestIn, servers) <= free {
			return servers
		}
	}
	return 0
}

// grown are the users after some months, year by year and the rest by roots, with
// numbers of 200 bits.
func grown(users, percent int64, months int) int64 {
	rate := new(big.Float).SetPrec(200).Quo(big.NewFloat(float64(100+percent)), big.NewFloat(100))
	product := new(big.Float).SetPrec(200).SetInt64(1)
	for range months {
		product.Mul(product, rate)
	}
	// The twelfth root: square root, square root, and cube root by halving.
	root := new(big.Float).SetPrec(200).Sqrt(new(big.Float).SetPrec(200).Sqrt(product))
	low, high := new(big.Float).SetPrec(200), new(big.Float).SetPrec(200).Add(root, big.NewFloat(1))
	for range 180 {
		middle := new(big.Float).SetPrec(200).Quo(new(big.Float).SetPrec(200).Add(low, high), big.NewFloat(2))
		cube := new(big.Float).SetPrec(200).Mul(middle, middle)
		if cube.Mul(cube, middle).Cmp(root) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	exact := new(big.Float).SetPrec(200).Mul(high, new(big.Float).SetInt64(users))
	whole, _ := exact.Int(nil)
	if rest := new(big.Float).SetPrec(200).Sub(exact, new(big.Float).SetInt(whole)); rest.Cmp(big.NewFloat(1e-6)) > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole.Int64()
}

type randomSite struct {
	*site.Site
	table                   string
	video, relayed, percent int64
	months                  int
}

func randomOne(random *rand.Rand) randomSite {
	s := site.New()
	s.Name, s.Scenario, s.Users = "Example Works", sizing.DefaultScenario, 1+random.Int64N(30_000)
	s.Conferences = site.Conferences{}
	for range random.IntN(5) {
		group := site.ConferenceGroup{Count: 1 + random.Int64N(30), Participants: 1 + random.Int64N(90)}
		if random.IntN(3) == 0 { // few, that each may have a server of its own
			group.Count, group.Participants = 1, 60+random.Int64N(200)
		}
		if random.IntN(2) == 0 { // where the guide's rules change
			group.Participants = 1 + random.Int64N(12)
		}
		if !slices.ContainsFunc(s.Conferences, func(g site.ConferenceGroup) bool { return g.Participants == group.Participants }) {
			s.Conferences = append(s.Conferences, group)
		}
	}
	r := randomSite{s, []string{"guide", "guide-postgresql", "wire-docs-99"}[random.IntN(3)], 100, 100, 0, 36}
	if random.IntN(4) > 0 {
		r.video, r.relayed = random.Int64N(101), random.Int64N(101)
		video, relayed := site.Percent(r.video), site.Percent(r.relayed)
		s.VideoShare, s.RelayedShare = &video, &relayed
	}
	if random.IntN(2) == 0 {
		r.percent, r.months = 1+random.Int64N(60), 1+random.IntN(60)
		s.Growth = site.Growth{UsersPerYear: site.Percent(r.percent), Months: r.months}
	}
	s.ServerCount = random.IntN(8)
	if r.table != "wire-docs-99" && random.IntN(2) == 0 {
		s.Restund = 2 + random.IntN(2)
	}
	return r
}

// TestSizingAgreesWithAnIndependentCalculation sizes 60 random sites twice.
func TestSizingAgreesWithAnIndependentCalculation(t *testing.T) {
	random := rand.New(rand.NewPCG(2026, 11))
	for i := range 60 {
		s := randomOne(random)
		table, _, err := sizing.Embedded(s.table)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check("", sizing.SiteNames()); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%d %s %s", i, s.table, s.Conferences), func(t *testing.T) {
			agree(t, s, sizing.Calculate(sizing.Input{Site: s.Site, Table: table}))
		})
	}
}

// agree holds a report against what was counted by hand.
func agree(t *testing.T, s randomSite, r *sizing.Report) {
	t.Helper()
	want := map[string]int64{}
	hand := byHand{}
	for _, group := range s.Conferences {
		for range group.Count {
			hand.streams(group.Participants, people(group.Participants, s.video), people(group.Participants, s.relayed))
		}
	}
	const nodes = 3
	want["conference.total.in"], want["conference.total.out"] = hand.in, hand.out
	want["conference.server.in"] = fullest(hand.conferences, hand.in, hand.largestIn, nodes)
	want["conference.server.out"] = fullest(hand.conferences, hand.out, hand.largestOut, nodes)
	want["conference.largest.out"] = hand.largestOut
	want["conference.cores"] = hand.addedCores(nodes)
	want["network.usable"] = 700_000
	want["turn.relayed"], want["turn.participants"] = hand.relayed, hand.relayedPeople
	got := map[string]int64{}
	for _, list := range [][]sizing.Figure{r.Conferencing.Figures, r.Turn.Figures} {
		for _, f := range list {
			got[f.ID] = f.Value
		}
	}
	for id, value := range want {
		if got[id] != value {
			t.Errorf("%s is %d, by hand %d", id, got[id], value)
		}
	}
	if r.Conferencing.ServersNeeded != hand.cardsNeeded() {
		t.Errorf("%d conference servers, by hand %d", r.Conferencing.ServersNeeded, hand.cardsNeeded())
	}
	agreeOnServers(t, s, r, hand.addedCores(nodes))
	agreeOnUsers(t, s, r)
}

// agreeOnServers adds up all machines of the published table.
func agreeOnServers(t *testing.T, s randomSite, r *sizing.Report, added int64) {
	t.Helper()
	var cores, memory, disk int64
	counts, left := map[site.Role]int64{}, map[site.Role]int64{}
	for role, m := range published[s.table] {
		count := m.count
		if role == "restund" && s.Restund > 0 {
			count = int64(s.Restund)
		}
		counts[role], left[role] = count, count
		cores, memory, disk = cores+count*m.cores, memory+count*m.memory, disk+count*m.disk
	}
	cores += 3 * added
	total := r.Placement.Total
	if total.Cores != cores || int64(total.Memory) != memory*1e9 || int64(total.Disk) != disk*1e9 {
		t.Errorf("all servers need %+v, by hand %d cores, %d GB, %d GB", total, cores, memory, disk)
	}
	servers := int64(3) // at least three, one machine of each component on each
	if s.ServerCount > 0 {
		servers = int64(s.ServerCount)
	}
	if int64(len(r.Placement.Servers)) != servers {
		t.Errorf("%d servers, by hand %d", len(r.Placement.Servers), servers)
	}
	for _, server := range r.Placement.Servers {
		here := map[site.Role]int64{}
		for _, m := range server.Machines {
			here[m.Role]++
			left[m.Role]--
		}
		for role, n := range here {
			if most := (counts[role] + servers - 1) / servers; n > most {
				t.Errorf("%s has %d machines of %s, by hand at most %d", server.Name, n, role, most)
			}
		}
	}
	for role, n := range left {
		if n != 0 {
			t.Errorf("%d machines of %s are not placed as often as by hand", n, role)
		}
	}
	if short := has(r, "placement.servers"); short != (servers < 3) {
		t.Errorf("%d servers are called too few: %v", servers, short)
	}
}

// agreeOnUsers wants Wire asked where users, now or later, are more than the source says.
func agreeOnUsers(t *testing.T, s randomSite, r *sizing.Report) {
	t.Helper()
	later := s.Users
	if s.percent > 0 {
		if later = grown(s.Users, s.percent, s.months); r.Growth == nil || r.Growth.UsersAfter != later {
			t.Fatalf("%d users, %d %% a year, %d months: %+v, by hand %d", s.Users, s.percent, s.months, r.Growth, later)
		}
	}
	tooMany := later >= 10_000
	if s.table == "wire-docs-99" {
		tooMany = later > 4_000
	}
	if has(r, "users.ask") != tooMany || has(r, "users.table") == tooMany || has(r, "users.growth") != (s.percent > 0) {
		t.Errorf("%d users, later %d: findings %v", s.Users, later, r.Findings)
	}
}

func has(r *sizing.Report, id string) bool {
	return slices.ContainsFunc(r.Findings, func(f sizing.Remark) bool { return f.ID == id })
}

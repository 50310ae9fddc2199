package sizing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
)

// needs is all of a report that must not fall when more is asked for.
func needs(r *Report) map[string]int64 {
	n := map[string]int64{
		"cores": r.Placement.Total.Cores, "memory": int64(r.Placement.Total.Memory), "disk": int64(r.Placement.Total.Disk),
		"servers for conferences": int64(r.Conferencing.ServersNeeded),
		"questions":               int64(len(r.Questions)),
	}
	if n["servers for conferences"] == 0 {
		n["servers for conferences"] = 1 << 40 // no number is enough
	}
	for _, list := range [][]Figure{r.Conferencing.Figures, r.Turn.Figures, r.Storage.Figures} {
		for _, f := range list {
			n[f.ID] = f.Value
		}
	}
	for _, s := range r.Storage.Series {
		n["series "+s.ID] = int64(s.Used[len(s.Used)-1])
	}
	for _, s := range r.Placement.Servers {
		n["network of "+s.Name] = int64(s.Network.Busier())
	}
	return n
}

// TestMoreNeedsNoLess grows random sites and wants no need to fall.
func TestMoreNeedsNoLess(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	table := tableWithFactors(t)
	for range 300 {
		hospital := randomSite(t, random)
		less := needs(Calculate(Input{Site: hospital, Table: table}))
		grown := *hospital
		grown.Conferences = slices.Clone(hospital.Conferences)
		what := ""
		switch i := random.IntN(len(grown.Conferences)); random.IntN(4) {
		case 0:
			what, grown.Users = "users", hospital.Users+1+random.Int64N(10_000)
		case 1:
			what, grown.Conferences[i].Participants = "participants", grown.Conferences[i].Participants+1+random.Int64N(50)
		case 2:
			what, grown.Conferences[i].Count = "conferences", grown.Conferences[i].Count+1+random.Int64N(20)
		case 3:
			what, grown.Conferences = "another conference", append(grown.Conferences,
				site.ConferenceGroup{Count: 1 + random.Int64N(3), Participants: 1 + random.Int64N(300)})
		}
		more := needs(Calculate(Input{Site: &grown, Table: table}))
		for id, value := range less {
			if more[id] < value {
				t.Fatalf("more %s: %s falls from %d to %d (%s, %s)", what, id, value, more[id], hospital.Conferences, grown.Conferences)
			}
		}
	}
}

func randomSite(t testing.TB, random *rand.Rand) *site.Site {
	t.Helper()
	hospital := someSite(t, 1+random.Int64N(20_000), "1x2")
	hospital.Conferences = nil
	for range 1 + random.IntN(5) {
		hospital.Conferences = append(hospital.Conferences,
			site.ConferenceGroup{Count: 1 + random.Int64N(40), Participants: 1 + random.Int64N(200)})
	}
	video, relayed := site.Percent(random.IntN(101)), site.Percent(random.IntN(101))
	hospital.VideoShare, hospital.RelayedShare = &video, &relayed
	hospital.ServerCount = 1 + random.IntN(7)
	hospital.Growth.UsersPerYear = site.Percent(random.IntN(50))
	return hospital
}

func tableWithFactors(t testing.TB) *Table {
	t.Helper()
	_, data, err := Embedded("guide-postgresql")
	if err != nil {
		t.Fatal(err)
	}
	table, err := ReadTable("own.yaml", sizingtest.WithFactors(data))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestTotalsAreSums adds every total up again from its parts.
func TestTotalsAreSums(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		r := calculate(t, randomSite(t, random), "guide-postgresql")
		all := Amounts{}
		for _, s := range r.Placement.Servers {
			sum := Amounts{}
			for _, m := range s.Machines {
				sum = sum.plus(m.Amounts)
			}
			if sum != s.Needs {
				t.Fatalf("%s needs %v, its machines %v", s.Name, s.Needs, sum)
			}
			all = all.plus(sum)
		}
		if all != r.Placement.Total {
			t.Fatalf("all servers need %v, together %v", r.Placement.Total, all)
		}
		traffic, count, participants := Traffic{}, int64(0), int64(0)
		for _, g := range r.Conferencing.Groups {
			if g.All != g.Each.times(g.Count) {
				t.Fatalf("%d conferences of %v are %v", g.Count, g.Each, g.All)
			}
			traffic, count, participants = traffic.plus(g.All), count+g.Count, participants+g.Count*g.Participants
		}
		if total := r.Conferencing.Total; total.All != traffic || total.Count != count || total.Participants != participants {
			t.Fatalf("total %v of %v", total, r.Conferencing.Groups)
		}
	}
}

// TestPlacementKeepsRolesApart wants no two machines of a role on one server
// while another server has none, whatever the servers can hold.
func TestPlacementKeepsRolesApart(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		hospital := randomSite(t, random)
		if random.IntN(2) == 0 {
			for i := range hospital.ServerCount {
				hospital.Servers = append(hospital.Servers, site.Server{
					Name: fmt.Sprintf("s%d", i), Cores: random.Int64N(64),
					Memory: site.Capacity(random.Int64N(64e9)), Disk: site.Capacity(random.Int64N(2e12)),
				})
			}
			hospital.ServerCount = 0
		}
		r := calculate(t, hospital, "guide")
		for _, role := range site.Roles() {
			most, least := 0, 1<<30
			for _, s := range r.Placement.Servers {
				here := 0
				for _, m := range s.Machines {
					if m.Role == role {
						here++
					}
				}
				most, least = max(most, here), min(least, here)
			}
			if most-least > 1 {
				t.Fatalf("%s: %d on one server, %d on another", role, most, least)
			}
		}
	}
}

func TestPlacementOfTheGuide(t *testing.T) {
	r := calculate(t, someSite(t, 1000, "none"), "guide")
	var got []string
	for _, s := range r.Placement.Servers {
		gb := func(b manifests.Bytes) string { return words.English().GB(int64(b)) }
		got = append(got, fmt.Sprintf("%d/%s/%s", s.Needs.Cores, gb(s.Needs.Memory), gb(s.Needs.Disk)))
	}
	want := []string{"12/22\u00a0GB/690\u00a0GB", "11/18\u00a0GB/590\u00a0GB", "11/20\u00a0GB/620\u00a0GB"}
	if !slices.Equal(got, want) {
		t.Errorf("servers need %q, want %q", got, want)
	}
	hospital := someSite(t, 1000, "none")
	hospital.AdminHost, hospital.AssetHost, hospital.Restund = "server-1", "server-1", 3
	full := calculate(t, hospital, "guide").Placement.Servers[0].Needs
	if full != (Amounts{13, 26e9, 730e9}) {
		t.Errorf("the server with admin and asset host needs %v, want the guide's 13/26/730", full)
	}
	hospital.AdminHost, hospital.AssetHost = site.Elsewhere, site.Elsewhere
	for _, s := range calculate(t, hospital, "guide").Placement.Servers {
		if s.Needs != (Amounts{11, 18e9, 590e9}) {
			t.Errorf("%s needs %v, want the guide's 11/18/590", s.Name, s.Needs)
		}
	}
}

// TestFindings returns each circumstance its finding.
func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name        string
		users       int64
		conferences string
		change      func(*site.Site)
		id          string
		level       Level
	}{
		{"more users than some thousands", 10_000, "none", nil, "users.ask", Warn},
		{"some thousands", 9_999, "none", nil, "users.table", Info},
		{"more participants than users", 10, "1x20", nil, "conference.participants", Warn},
		{"a conference that no card carries", 5000, "1x300", nil, "conference.largest", Fail},
		{"too many conferences for a card", 5000, "100x50", nil, "conference.network", Fail},
		{"conferences that eat the headroom", 5000, "12x50", nil, "conference.network", Warn},
		{"conferences that fit", 5000, "2x50", nil, "conference.network", Good},
		{"too much for two servers", 5000, "9x50", nil, "conference.network.after-loss", Warn},
		{"relayed more than a card carries", 5000, "6x50", nil, "turn.network", Warn},
		{"more relayed than allocations", 100_000, "700x100", nil, "turn.allocations", Fail},
		{"two servers", 100, "none", func(s *site.Site) { s.ServerCount = 2 }, "placement.servers", Fail},
		{"two of a role on a server", 100, "none", func(s *site.Site) { s.ServerCount = 2 }, "placement.same-server.server-1.cassandra", Warn},
		{"a loss that stops a role", 100, "none", func(s *site.Site) { s.ServerCount = 2 }, "loss.server-1", Warn},
		{"a server that is too small", 100, "none", func(s *site.Site) {
			s.Servers = []site.Server{
				{Name: "a", Cores: 32, Memory: 64e9, Disk: 2e12}, {Name: "b", Cores: 32, Memory: 15e9, Disk: 2e12},
				{Name: "c", Cores: 32, Memory: 64e9, Disk: 2e12},
			}
		}, "placement.room.b", Fail},
		{"push on an island", 100, "none", func(s *site.Site) { s.Push = site.PushOwn }, "push.island", Fail},
		{"no push for iOS", 100, "none", nil, "push.ios", Info},
		{"iOS wanted on an island", 100, "none", func(s *site.Site) { s.Clients = []site.Client{site.ClientIOS} }, "push.ios", Warn},
		{"public app on an island", 100, "none", func(s *site.Site) { s.Scenario = "public-app-on-premises" }, "scenario.public-app", Warn},
		{"cloud", 100, "none", func(s *site.Site) { s.Scenario = "custom-app-cloud" }, "scenario.no-bundle", Info},
		{"cloud from an island", 70, "1x3", func(s *site.Site) { s.Scenario = "custom-functionality-cloud" }, "scenario.no-way-to-cloud", Fail},
		{"one server is lost", 100, "none", func(s *site.Site) { s.ServerCount = 1 }, "loss.server-1", Warn},
		{"no mail", 100, "none", nil, "mail.open", Ask},
		{"federation", 100, "none", func(s *site.Site) { s.Federation = true }, "federation", Info},
		{"push with internet not chosen", 100, "none", func(s *site.Site) { s.Internet = true }, "push.open", Ask},
		{"images unknown", 100, "none", nil, "node.images", Ask},
		{"images too large compressed alone", 100, "none", func(s *site.Site) { s.Bundle.ImagesCompressed = 41e9 }, "node.images", Fail},
		{"images that reach the kubelet's limit", 100, "none", func(s *site.Site) {
			s.Bundle.ImagesCompressed, s.Bundle.ImagesUnpacked = 10e9, 25e9
		}, "node.images", Warn},
		{
			"images that fit",
			100,
			"none",
			func(s *site.Site) { s.Bundle.ImagesCompressed, s.Bundle.ImagesUnpacked = 8e9, 20e9 },
			"node.images",
			Good,
		},
		{"compressed alone proves nothing", 100, "none", func(s *site.Site) { s.Bundle.ImagesCompressed = 8e9 }, "node.images", Ask},
		{"bundles too large for the asset host", 100, "none", func(s *site.Site) { s.Bundle.Size = 60e9 }, "storage.asset-host", Warn},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := someSite(t, c.users, c.conferences)
			if c.change != nil {
				c.change(site)
			}
			wantFinding(t, calculate(t, site, "guide"), c.id, c.level)
		})
	}
}

// TestSourcesDisagree wants both figures of PostgreSQL told, and the higher used.
func TestSourcesDisagree(t *testing.T) {
	r := calculate(t, someSite(t, 100, "1x100"), "guide-postgresql")
	wantFinding(t, r, "table.disagree.postgresql", Info)
	for _, m := range r.Placement.Servers[0].Machines {
		if m.Role == site.PostgreSQL && m.Cores != 2 {
			t.Errorf("PostgreSQL is placed with %d cores", m.Cores)
		}
		if m.Role == site.Kubernetes && m.Cores != 6+3 {
			t.Errorf("Kubernetes is placed with %d cores, want 6 and 3 for 100 participants", m.Cores)
		}
	}
	var cores []int64
	for _, line := range r.Conferencing.Cores {
		cores = append(cores, line.Cores)
	}
	if !slices.Equal(cores, []int64{3, 1, 2}) || !r.Conferencing.Cores[0].Used || r.Conferencing.Cores[2].Used {
		t.Errorf("rules give %v: %+v", cores, r.Conferencing.Cores)
	}
}

// TestNothingIsMadeUp wants what no source gives asked, until the customer gives
// a factor.
func TestNothingIsMadeUp(t *testing.T) {
	plain := calculate(t, someSite(t, 20_000, "2x50"), "guide-postgresql")
	asked := map[string]string{}
	for _, q := range plain.Questions {
		asked[q.ID] = english(q.Answered)
	}
	for _, id := range []string{"users", "sft-memory", "storage-growth", "unlisted-rabbitmq", "unlisted-coturn"} {
		if answer, ok := asked[id]; !ok || answer != "" {
			t.Errorf("%s is not asked: %v", id, asked)
		}
	}
	if f := figureOf(t, plain.Storage.Figures, "images.unpacked"); f.Bound != Unknown || english(f.Shown) != "unknown" {
		t.Errorf("unpacked images: %+v", f)
	}
	for _, m := range plain.Placement.Servers[0].Machines {
		if m.Role == site.Kubernetes && m.Memory != 8e9 {
			t.Errorf("Kubernetes has %d bytes of memory, though no source gives more", m.Memory)
		}
	}
	own := Calculate(Input{Site: someSite(t, 2000, "2x50"), Table: tableWithFactors(t), Lock: sizingtest.Lock(t, 1e9)})
	for _, q := range own.Questions {
		if q.ID == "sft-memory" && !strings.Contains(english(q.Answered), "your own factor 2.5 (measured)") {
			t.Errorf("own factor is not shown as such: %+v", q)
		}
	}
	f := figureOf(t, own.Storage.Figures, "images.unpacked")
	if f.Value != 12_500_015_000 || !strings.Contains(english(f.Label), "your own factor") {
		t.Errorf("unpacked by an own factor: %+v", f)
	}
}

func TestFootprint(t *testing.T) {
	f := FootprintOf(sizingtest.Lock(t, 1e6))
	// Four images: manifest and config each, one shared layer, one layer each.
	if want := manifests.Bytes(4*1500 + 5*1e6); f.Compressed != want || f.Images != 4 {
		t.Errorf("compressed %d of %d images, want %d of 4", f.Compressed, f.Images, want)
	}
	if want := f.Compressed + 7; f.Contents != want {
		t.Errorf("contents %d, want %d", f.Contents, want)
	}
	want := []ChartFootprint{
		{"wire-server", false, 2, 3_003_000}, {"images, group system", true, 1, 2_001_500}, {"webapp", false, 1, 2_001_500},
	}
	if !slices.Equal(f.Charts, want) {
		t.Errorf("charts\n%v, want\n%v", f.Charts, want)
	}
	for size, level := range map[int64]Level{9e9: Fail, 7e9: Warn} {
		in := Input{Site: someSite(t, 100, "none"), Table: embeddedTable(t, "guide"), Lock: sizingtest.Lock(t, size)}
		wantFinding(t, Calculate(in), "node.images", level)
	}
}

// A node takes one of several manifests for its platform, and no artifact.
func TestFootprintTakesOneOfSeveral(t *testing.T) {
	lock := sizingtest.Lock(t, 1e6)
	plain := FootprintOf(lock)
	more := func(i int, m manifests.LockedManifest) {
		for _, d := range []manifests.Digest{m.Digest, m.Config, m.Layers[0]} {
			lock.Blobs = append(lock.Blobs, manifests.Content{Digest: d, Size: 1e9, MediaType: manifests.OCIManifest, Repository: "quay.io/wire/x"})
		}
		lock.Images[i].Manifests = append(lock.Images[i].Manifests, m)
	}
	digest := func(name string) manifests.Digest { return manifests.DigestOf([]byte(name)) }
	platform := lock.Release.Platforms[0]
	more(0, manifests.LockedManifest{Platform: platform, Digest: digest("a"), Config: digest("b"), Layers: []manifests.Digest{digest("c")}})
	more(1, manifests.LockedManifest{Platform: platform, ArtifactType: "application/vnd.example",
		Digest: digest("d"), Config: digest("e"), Layers: []manifests.Digest{digest("f")}})
	lock.Images = append(lock.Images, manifests.LockedImage{Artifact: true, Digest: digest("g"), Manifests: []manifests.LockedManifest{
		{Platform: platform, Digest: digest("g"), Config: digest("h"), Layers: []manifests.Digest{digest("i")}},
	}})
	if f := FootprintOf(lock); f.Compressed != plain.Compressed || f.Contents != plain.Contents+6e9 {
		t.Errorf("a node takes %d, want %d; all contents are %d", f.Compressed, plain.Compressed, f.Contents)
	}
}

func TestCloudNeedsNothing(t *testing.T) {
	site := someSite(t, 2500, "10x8")
	site.Scenario = "public-app-cloud"
	r := calculate(t, site, "guide")
	if r.Hardware != nil || r.Placement != nil || len(r.Questions) != 0 {
		t.Error("hardware is listed for Wire's cloud")
	}
}

func TestScenariosAreTheGuides(t *testing.T) {
	var bundles []site.ScenarioID
	all := Scenarios()
	for _, s := range all {
		if s.OnPremises {
			bundles = append(bundles, s.ID)
		}
		for _, text := range []message.Text{s.App(), s.Backend(), s.When(), s.Web()} {
			if !words.English().Has(text.Code) {
				t.Errorf("%s is not in the catalogue", text.Code)
			}
		}
	}
	if want := []site.ScenarioID{"public-app-on-premises", "custom-app-on-premises"}; len(all) != 5 || !slices.Equal(bundles, want) {
		t.Errorf("%d scenarios, of which %v need a bundle", len(all), bundles)
	}
}

// TestScenariosSayWhatTheGuideSays holds the words of each scenario, and where its apps
// come from, against the guide's table: what must be there, and what must not.
func TestScenariosSayWhatTheGuideSays(t *testing.T) {
	for _, test := range []struct {
		id        site.ScenarioID
		says, not []string
		files     int // apps that are files to deliver
	}{
		{"public-app-cloud", []string{"Wire's own download pages", "The web app is Wire's own.", "SCIM", "SSO"},
			[]string{"white-label", "EMM"}, 0},
		{"public-app-on-premises", []string{"data sovereignty", "can be pointed at a private backend", "limited to the version", "SCIM"},
			[]string{"white-label"}, 4},
		{"custom-app-on-premises", []string{"staff have no internet", "EMM/MDM", "limited to the version", "SCIM"},
			[]string{"download pages", "app store"}, 4},
		{"custom-app-cloud", []string{"white-label", "Apple Business Manager", "Wire builds it for you", "EMM/MDM", "support.wire.com", "SCIM"},
			[]string{"download pages", "app store", "web app is Wire's own", "Nothing to hand out"}, 4},
		{"custom-functionality-cloud", []string{"native integration", "not fully supported", "ask Wire before", "support.wire.com", "SCIM"},
			[]string{"download pages", "app store", "web app is Wire's own", "Apple Business Manager", "white-label", "EMM"}, 0},
	} {
		hospital := someSite(t, 700, "none")
		hospital.Scenario = test.id
		r := calculate(t, hospital, "guide")
		said, files := english(r.Scenario.When)+"\n"+english(r.Scenario.Web), 0
		for _, client := range r.Scenario.Clients {
			said += "\n" + english(client.Text)
			if client.File {
				files++
			}
		}
		for _, f := range r.Findings {
			said += "\n" + english(f.Text) + "\n" + english(f.Hint)
		}
		for _, words := range test.says {
			if !strings.Contains(said, words) {
				t.Errorf("%s does not say %q:\n%s", test.id, words, said)
			}
		}
		for _, words := range test.not {
			if test.id != "public-app-on-premises" && strings.Contains(said, words) || strings.Contains(english(r.Scenario.When), words) {
				t.Errorf("%s says %q:\n%s", test.id, words, said)
			}
		}
		if files != test.files {
			t.Errorf("%s has %d files to deliver, want %d", test.id, files, test.files)
		}
		wantFinding(t, r, "onboarding", Info)
	}
}

// TestConferencesThatShareNoServer wants no more than the largest on a server where there
// is one for each conference, and the bound of several where there is not.
func TestConferencesThatShareNoServer(t *testing.T) {
	for _, c := range []struct {
		conferences string
		out         site.Kbps
		level       Level
		servers     int
	}{
		{"3x190", 646_000, Good, 3}, // 190 × 3,400 kbit/s each, and never two on one
		{"1x190,2x60", 646_000, Good, 3},
		{"2x240", 816_000, Warn, 0}, // no number of servers helps
		{"4x190", 1_292_000, Fail, 4},
		{"4x100", 680_000, Good, 3},
	} {
		r := calculate(t, someSite(t, 9000, c.conferences), "guide")
		if got := site.Kbps(figureOf(t, r.Conferencing.Figures, "conference.server.out").Value); got != c.out {
			t.Errorf("%s: a server sends %d, want %d", c.conferences, got, c.out)
		}
		if r.Conferencing.ServersNeeded != c.servers {
			t.Errorf("%s: %d servers are needed, want %d", c.conferences, r.Conferencing.ServersNeeded, c.servers)
		}
		wantFinding(t, r, "conference.network", c.level)
	}
	// With one of three servers lost two conferences still have one each, and three do not.
	if f := findingOf(calculate(t, someSite(t, 9000, "2x190"), "guide"), "conference.network.after-loss"); f != nil {
		t.Errorf("two conferences on two servers: %s", english(f.Text))
	}
	r := calculate(t, someSite(t, 9000, "3x190"), "guide")
	wantFinding(t, r, "conference.network.after-loss", Warn)
	f := figureOf(t, r.Conferencing.Figures, "conference.server.out.after-loss")
	if how := english(f.Formula); f.Value != 1_292_000 || !strings.Contains(how, "/ 2") {
		t.Errorf("after a loss: %d by %s", f.Value, how)
	}
	if how := english(figureOf(t, r.Conferencing.Figures, "conference.server.out").Formula); !strings.Contains(how, "none shares a server") {
		t.Errorf("the formula is %s", how)
	}
	if got := r.Conferencing.Cores[2].Cores; got != 4 { // 190 on the fullest node, 50 for each core
		t.Errorf("the rule of fifty gives %d cores", got)
	}
}

// TestTheOnlyServer wants nothing to go on where the only server is lost.
func TestTheOnlyServer(t *testing.T) {
	alone := someSite(t, 300, "1x4")
	alone.Servers = []site.Server{{Name: "all"}}
	for _, table := range []string{"guide", "wire-docs-99"} {
		r := calculate(t, alone, table)
		wantFinding(t, r, "loss.all", Warn)
		for _, loss := range r.Placement.Servers[0].Lost {
			if said := english(loss.Text); loss.Level != Fail || strings.Contains(said, "goes on") || strings.Contains(said, "runs on") {
				t.Errorf("%s: %s is lost with the only server: %s %s", table, loss.Role, loss.Level, said)
			}
		}
	}
	two := someSite(t, 300, "1x4")
	two.ServerCount, two.AdminHost = 2, "server-1"
	for _, loss := range calculate(t, two, "guide").Placement.Servers[0].Lost {
		if loss.Role == site.AdminHost && !strings.Contains(english(loss.Text), "no administration") {
			t.Errorf("with another server the admin host's loss is: %s", english(loss.Text))
		}
	}
}

// TestFactorsOfOneRoleAnswerForIt wants storage asked until each role has a factor.
func TestFactorsOfOneRoleAnswerForIt(t *testing.T) {
	table := *embeddedTable(t, "guide")
	growing := someSite(t, 800, "none")
	growing.Growth.UsersPerYear = 20
	ask := func() Asked {
		r := Calculate(Input{Site: growing, Table: &table})
		level := Ask
		if len(table.Rules.Factors) == 3 {
			level = Info
		}
		wantFinding(t, r, "users.growth", level)
		return r.Questions[slices.IndexFunc(r.Questions, func(q Asked) bool { return q.ID == "storage-growth" })]
	}
	for i, role := range []site.Role{site.Elasticsearch, site.Cassandra, site.MinIO} {
		table.Rules.Factors = append(table.Rules.Factors, Factor{
			ID: StoragePerUser, Role: role, Value: float64(7 + i), Basis: Given{"en": "counted in spring"},
		})
		q := ask()
		if answered := !q.Answered.IsZero(); answered != (i == 2) {
			t.Errorf("with %d factors the question is answered: %v", i+1, answered)
		}
		said := english(q.Text) + english(q.Answered)
		if !strings.Contains(said, "7 for Elasticsearch (counted in spring)") {
			t.Errorf("with %d factors: %s", i+1, said)
		}
		if i == 0 && !strings.Contains(said, "none for Cassandra and MinIO") {
			t.Errorf("what has no factor is not named: %s", said)
		}
		if i == 2 && (!strings.Contains(said, "8 for Cassandra") || !strings.Contains(said, "9 for MinIO")) {
			t.Errorf("one factor stands for all: %s", said)
		}
	}
}

// TestCloudWantsInternet wants each scenario on Wire's cloud refused on an island, and
// none elsewhere.
func TestCloudWantsInternet(t *testing.T) {
	for _, s := range Scenarios() {
		for _, internet := range []bool{false, true} {
			place := someSite(t, 40, "1x5")
			place.Scenario, place.Internet = s.ID, internet
			f := findingOf(calculate(t, place, "guide"), "scenario.no-way-to-cloud")
			if (f != nil) != (!internet && !s.OnPremises) {
				t.Errorf("%s, internet %v: %+v", s.ID, internet, f)
			}
		}
	}
}

// TestDemoIsNotForProduction wants it said for however few users, and more than are meant told.
func TestDemoIsNotForProduction(t *testing.T) {
	for users, id := range map[int64]string{7: "users.table", 50: "users.table", 51: "users.ask", 6000: "users.ask"} {
		r := calculate(t, someSite(t, users, "1x4"), "demo")
		wantFinding(t, r, "table.demo", Warn)
		f := findingOf(r, id)
		if f == nil || !strings.Contains(english(f.Text), "15 to 50") || strings.Contains(allFindings(r), "thousands") {
			t.Errorf("%d users: %s", users, allFindings(r))
		}
	}
	for _, table := range []string{"guide", "wire-docs-99"} {
		if f := findingOf(calculate(t, someSite(t, 7, "1x4"), table), "table.demo"); f != nil {
			t.Errorf("table %s is called a demo", table)
		}
	}
}

// TestIOSWithoutPush wants option C told to whoever chose it, on an island or not, and no
// option called chosen where none was.
func TestIOSWithoutPush(t *testing.T) {
	for _, c := range []struct {
		scenario site.ScenarioID
		internet bool
		push     site.Push
		clients  []site.Client
		level    Level // empty: nothing is said
		chosen   string
	}{
		{"custom-app-on-premises", true, site.PushNone, []site.Client{site.ClientIOS, site.ClientWeb}, Warn, "C"},
		{"public-app-on-premises", true, site.PushNone, []site.Client{site.ClientIOS}, Warn, "C"},
		{"public-app-on-premises", true, site.PushNone, nil, Info, "C"},
		{"public-app-on-premises", true, site.PushOwn, []site.Client{site.ClientIOS}, "", "B"},
		{"custom-app-on-premises", true, "", []site.Client{site.ClientIOS}, "", ""},
		{"custom-app-on-premises", false, "", []site.Client{site.ClientIOS}, Warn, "C"},
	} {
		place := someSite(t, 60, "none")
		place.Scenario, place.Internet, place.Push, place.Clients = c.scenario, c.internet, c.push, c.clients
		r := calculate(t, place, "guide")
		if f := findingOf(r, "push.ios"); c.level == "" && f != nil {
			t.Errorf("%+v: %s", c, english(f.Text))
		} else if c.level != "" {
			wantFinding(t, r, "push.ios", c.level)
			if said := english(f.Text); c.internet && strings.Contains(said, "island") {
				t.Errorf("%+v: %s", c, said)
			}
		}
		chosen := ""
		for _, row := range r.Scenario.Push {
			if row.Chosen {
				chosen += string(row.Option)
			}
		}
		if chosen != c.chosen {
			t.Errorf("%+v: %q is called chosen", c, chosen)
		}
	}
}

func TestDemo(t *testing.T) {
	r := calculate(t, someSite(t, 20, "1x4"), "demo")
	if len(r.Placement.Servers) != 1 || len(r.Placement.Servers[0].Machines) != 1 || r.Hardware.Rows[0].Unit != "GiB" {
		t.Errorf("demo is placed as %+v", r.Placement)
	}
}

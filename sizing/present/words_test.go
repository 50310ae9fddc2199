package present

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
)

// someReports are reports that between them say nearly all there is to say.
func someReports(t *testing.T) []*sizing.Report {
	t.Helper()
	var reports []*sizing.Report
	for _, c := range []struct {
		users       int64
		conferences string
		change      func(*site.Site)
	}{
		{2500, "10x8,2x50", func(*site.Site) {}},
		{25_000, "12x50", func(s *site.Site) { s.ServerCount, s.Mail, s.Federation = 2, site.MailExternal, true }},
		{100, "1x300", func(s *site.Site) { s.ServerCount, s.Push, s.Internet = 1, site.PushWire, true }},
		{100_000, "700x100", func(s *site.Site) { s.Scenario, s.Push = "public-app-on-premises", site.PushOwn }},
		{100, "none", func(s *site.Site) {
			s.Servers = []site.Server{{Name: "a", Cores: 1, Memory: 1e9, Disk: 1e9}, {Name: "b"}}
			s.Clients, s.Internet = []site.Client{site.ClientIOS, site.ClientWeb}, true
		}},
		{100, "none", func(s *site.Site) {
			s.Bundle.Size, s.Bundle.ImagesCompressed, s.Bundle.ImagesUnpacked = 60e9, 10e9, 25e9
		}},
		{10, "1x20", func(s *site.Site) { s.Scenario = "custom-functionality-cloud" }},
		{10, "6x50", func(s *site.Site) { s.Clients = []site.Client{site.ClientIOS} }},
	} {
		hospital := someSite(t, c.users, c.conferences)
		c.change(hospital)
		for _, table := range []*sizing.Table{embeddedTable(t, "guide"), embeddedTable(t, "demo"), tableWithFactors(t)} {
			existing := []sizing.Existing{{Name: "m", Role: site.MinIO, Cores: 1}, {Name: "r", Role: site.RabbitMQ, Cores: 1}}
			reports = append(reports, sizing.Calculate(sizing.Input{Site: hospital, Table: table}),
				sizing.Calculate(sizing.Input{Site: hospital, Table: table, Lock: sizingtest.Lock(t, 9e9), Against: existing}))
		}
	}
	return reports
}

// TestEverythingHasWords wants no code and no gap to be seen in any report, in
// any language.
func TestEverythingHasWords(t *testing.T) {
	seen := regexp.MustCompile(`sizing\.[a-z-]+\.[A-Za-z0-9]|\{[a-z][A-Za-z:0-9]*\}`)
	for _, r := range someReports(t) {
		for _, lang := range words.All() {
			var text bytes.Buffer
			if err := Text(&text, r, lang); err != nil {
				t.Fatal(err)
			}
			html, err := HTML(r, lang)
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(string(html), "</style>")
			if found := seen.FindString(text.String() + body); found != "" {
				t.Errorf("%s: %s is seen", lang.Tag, found)
			}
		}
	}
}

// TestEveryCodeHasWords looks for the codes that stand in the sources, those as
// well that no report above says.
func TestEveryCodeHasWords(t *testing.T) {
	said := regexp.MustCompile(`\b(?:say|Say|Word)\(?[ ]?"([a-z][a-z.-]*[a-z])"`)
	count := 0
	for _, pattern := range []string{"*.go", "*.tmpl", "../*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil || strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range said.FindAllSubmatch(data, -1) {
				count++
				if code := string(m[1]); !words.English().Has("sizing."+code) && !words.English().Has(code) {
					t.Errorf("%s says %s, which no catalogue has", file, code)
				}
			}
		}
	}
	if count < 200 {
		t.Errorf("only %d codes were found", count)
	}
}

// TestThirdLanguage reads a catalogue beside the English one and nothing else,
// and wants the report in it, tables and pages included. What it lacks is English.
func TestThirdLanguage(t *testing.T) {
	english, err := os.ReadFile(filepath.Join("..", "..", "internal", "words", "en.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := words.Load(fstest.MapFS{"en.yaml": {Data: english}, "nl.yaml": {Data: []byte(`name: Nederlands
words:
  page: {skip: Naar de inhoud}
  sizing:
    title: {findings: Bevindingen}
    level: {warn: Let op}
    value: {cores: {count: n, one: "{n:int} kern", other: "{n:int} kernen"}}
    table: {title: {guide: Wire's gids}}
    finding: {users: {ask: {text: "{users:int} gebruikers, meer dan {serves}."}}}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	dutch, err := all.Parse("nl_NL.UTF-8")
	if err != nil {
		t.Fatal(err)
	}
	r := calculate(t, someSite(t, 25_000, "2x50"), "guide")
	var text bytes.Buffer
	if err := Text(&text, r, dutch); err != nil {
		t.Fatal(err)
	}
	html, err := HTML(r, dutch)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Bevindingen", "Let op", "3 kernen", "Wire's gids", "25.000 gebruikers, meer dan some thousands", "Hardware table",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%.900s", want, text.String())
		}
	}
	for _, want := range []string{`<html lang="nl">`, "Naar de inhoud", "Bevindingen"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestMessagesBesideTexts wants each text of the JSON in the language, and beside
// it the code, the arguments, and the words in English.
func TestMessagesBesideTexts(t *testing.T) {
	type said struct {
		Code, Text string
		Args       map[string]any
	}
	var doc struct {
		Language string
		Table    struct {
			Title        string
			TitleMessage said
		}
		Findings []struct {
			ID, Text, Hint           string
			TextMessage, HintMessage *said
		}
		Questions []struct {
			ID              string
			AnsweredMessage *said
		}
	}
	r := sizing.Calculate(sizing.Input{Site: someSite(t, 25_000, "2x50"), Table: tableWithFactors(t)})
	data, err := JSON(r, language(t, "de"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	const german, english = "Leitfaden von Wire mit PostgreSQL, hochverfügbar", "Wire's guide with PostgreSQL, high availability"
	title := doc.Table.TitleMessage
	if doc.Language != "de" || doc.Table.Title != german || title.Code != "sizing.table.title.guide-postgresql" || title.Text != english {
		t.Errorf("table: %+v", doc.Table)
	}
	for _, f := range doc.Findings {
		if f.TextMessage == nil || (f.Hint == "") != (f.HintMessage == nil) {
			t.Errorf("%s: a text without its message, or the other way round", f.ID)
		} else if f.ID == "users.ask" && (f.TextMessage.Code != "sizing.finding.users.ask.text" || f.TextMessage.Args["users"] != 25_000.0 ||
			!strings.HasPrefix(f.TextMessage.Text, "25,000 users are more") || !strings.HasPrefix(f.Text, "25.000 Nutzer sind mehr")) {
			t.Errorf("users.ask: %+v %+v", f, f.TextMessage)
		}
	}
	for _, q := range doc.Questions {
		if q.ID == "sft-memory" && (q.AnsweredMessage == nil || q.AnsweredMessage.Args["basis"].(map[string]any)["text"] != "measured") {
			t.Errorf("the basis of an own factor is not told: %+v", q.AnsweredMessage)
		}
	}
}

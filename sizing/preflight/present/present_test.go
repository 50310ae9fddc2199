package present

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

func german(t *testing.T) *words.Language {
	t.Helper()
	l, err := words.All().Parse("de")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTextIsWorstFirstAndPrintable(t *testing.T) {
	t.Parallel()
	for _, lang := range words.All() {
		var b strings.Builder
		if err := Text(&b, sample(), Options{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("text has control characters: %q", text)
		}
		order := []string{"cpu.cores", "reach.down", "time.synchronised"}
		at := -1
		for _, id := range order {
			if next := strings.Index(text, id); next <= at {
				t.Errorf("%s is not behind what is worse:\n%s", id, text)
			} else {
				at = next
			}
		}
		if strings.Contains(text, "os.release") {
			t.Error("what passed is printed without being asked for")
		}
	}
	var all strings.Builder
	if err := Text(&all, sample(), Options{Lang: words.English(), All: true}); err != nil || !strings.Contains(all.String(), "os.release") {
		t.Errorf("all: %v\n%s", err, all.String())
	}
}

// TestOwnNamesOfRoles wants what a customer's table calls a role in every language,
// before what catalogues have for the role.
func TestOwnNamesOfRoles(t *testing.T) {
	t.Parallel()
	_, data, err := sizing.Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	for title, inGerman := range map[string]string{"Asset host": "Asset-Host", "Storehouse": "Storehouse"} { // the first is the guide's own
		table, err := sizing.ReadTable("own.yaml", bytes.Replace(data, []byte("title: Asset host\n"), []byte("title: "+title+"\n"), 1))
		if err != nil {
			t.Fatal(err)
		}
		r := judgedBy(t, table, someSurvey(t, 1), site.Undescribed())
		for lang, name := range map[*words.Language]string{words.English(): title, german(t): inGerman} {
			var text strings.Builder
			if err := Text(&text, r, Options{Lang: lang, All: true}); err != nil {
				t.Fatal(err)
			}
			page, err := HTML(r, lang)
			if err != nil {
				t.Fatal(err)
			}
			want := lang.Say("preflight.finding.count", message.Args{"hosts": 1, "required": 1, "role": name})
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: no %q in the text\n%s", lang.Tag, want, text.String())
			}
			if !strings.Contains(string(page), "<h3>"+name+"</h3>") {
				t.Errorf("%s: no hosts of %q on the page", lang.Tag, name)
			}
		}
	}
}

func TestTasksStandOnce(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Findings[3].Waived = "an old clock"
	todo, waived := tasks(r, words.English())
	if len(todo) != 2 || todo[0].ID != "cpu.cores" || len(todo[0].Steps) != 2 {
		t.Errorf("tasks are %+v", todo)
	}
	if len(waived) != 1 || waived[0].Steps[0].Waived != "an old clock" {
		t.Errorf("waived are %+v", waived)
	}
}

func TestJUnitCountsAgree(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := JUnit(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var back testSuites
	if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	tests, failures, errors, skipped := 0, 0, 0, 0
	for _, suite := range back.Suites {
		tests, failures, errors, skipped = tests+suite.Tests, failures+suite.Failures, errors+suite.Errors, skipped+suite.Skipped
		if len(suite.Cases) != suite.Tests {
			t.Errorf("suite %q says %d tests, has %d", suite.Name, suite.Tests, len(suite.Cases))
		}
	}
	if tests != 6 || failures != 2 || errors != 1 || skipped != 1 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", tests, failures, errors, skipped)
	}
}

// TestJUnitSaysWhyItPasses looks for the reason of a waiver, as the text has it.
func TestJUnitSaysWhyItPasses(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Findings[3].Waived = "an old\x07clock"
	var b bytes.Buffer
	if err := JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	if want := "<system-out>clock is not kept (waived: an old�clock)</system-out>"; !strings.Contains(b.String(), want) {
		t.Errorf("no %s in\n%s", want, b.String())
	}
}

func TestPageEscapesAndLinksNowhere(t *testing.T) {
	t.Parallel()
	for _, lang := range words.All() {
		page, err := HTML(sample(), lang)
		if err != nil {
			t.Fatal(err)
		}
		text := string(page)
		for _, bad := range []string{"<script", "\x1b", "href=\"http", "src=", " style="} {
			if strings.Contains(strings.ReplaceAll(text, "style-src", ""), bad) {
				t.Errorf("%s page has %q", lang.Tag, bad)
			}
		}
		for _, want := range []string{"cassandra1", `class="tick"`, "<svg", lang.Word("preflight.page.todo"), "tcp/9042"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s page lacks %q", lang.Tag, want)
			}
		}
		ids := map[string]bool{}
		for _, match := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(text, -1) {
			if ids[match[1]] {
				t.Errorf("id %q stands twice", match[1])
			}
			ids[match[1]] = true
		}
	}
}

// TestTextFits holds lines to the width of a terminal, and columns below each
// other, umlauts or not.
func TestTextFits(t *testing.T) {
	t.Parallel()
	r := faultySite(t)
	for _, lang := range words.All() {
		for _, width := range []int{60, 80, 120} {
			var b strings.Builder
			if err := Text(&b, r, Options{Lang: lang, All: true, Width: width}); err != nil {
				t.Fatal(err)
			}
			head, host := "", ""
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				if columns(line) > width {
					t.Errorf("%s: line is wider than %d: %q", lang.Tag, width, line)
				}
				switch {
				case strings.Contains(line, "HOST"):
					head, _, _ = strings.Cut(line, "HOST")
				case head != "" && strings.Contains(line, " kernel.modules"):
					host, _, _ = strings.Cut(line, "kubenode")
					if columns(host) != columns(head) {
						t.Errorf("%s, %d columns: hosts do not stand below their head: %q", lang.Tag, width, line)
					}
				}
			}
			if host == "" {
				t.Errorf("%s: no table in\n%s", lang.Tag, b.String())
			}
		}
	}
	var whole strings.Builder
	if err := Text(&whole, r, Options{Lang: words.English()}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(whole.String(), "/etc/systemd/system/minio-server1.service (waived: Upgrade 2024)\n") {
		t.Errorf("a line is broken, although nobody reads it on a terminal:\n%s", whole.String())
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		room int
		want []string
	}{
		{"", 5, []string{""}},
		{"über das Maß", 8, []string{"über das", "Maß"}},
		{"a /very/long/path b", 6, []string{"a", "/very/", "long/p", "ath b"}},
		{"no room", 0, []string{"no room"}},
		{"combi\u0301ning", 9, []string{"combi\u0301ning"}},
	} {
		if got := wrap(c.text, c.room); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: %q, want %q", c.text, c.room, got, c.want)
		}
	}
}

// TestMatrixTellsOutcomesApart wants a letter of its own for each outcome, in
// each language, and both ends of every link by name.
func TestMatrixTellsOutcomesApart(t *testing.T) {
	t.Parallel()
	r := faultySite(t)
	for _, lang := range words.All() {
		seen := map[string]bool{}
		for _, m := range append(slices.Clone(marks), reached) {
			shown := m.shown(lang)
			if seen[shown.Letter] || shown.Word == "" || shown.Means == "" {
				t.Errorf("%s: mark of %s is used twice, or has no words: %+v", lang.Tag, m.outcome, shown)
			}
			seen[shown.Letter] = true
		}
		if got := legend(r, lang); len(got) != len(marks)+1 {
			t.Errorf("%s: legend has %d rows: %+v", lang.Tag, len(got), got)
		}
	}
	picture := string(drawMatrix(r, names(roleGroups(r, words.English())), words.English()))
	for _, host := range r.Hosts {
		if strings.Count(picture, ">"+host.Name+"</text>") != 2 {
			t.Errorf("%s is not named on both sides", host.Name)
		}
	}
	for _, want := range []string{
		">RT</text>", "kubenode2 → cassandra1: 0 of 2 ports reached, tcp/9042 timed out, tcp/9160 refused",
		"elasticsearch2 → elasticsearch3: 0 of 1 port reached, tcp/9300 wrong host",
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("picture lacks %q", want)
		}
	}
}

func TestBadPortsAreJoined(t *testing.T) {
	t.Parallel()
	for _, row := range badPorts(faultySite(t), german(t)) {
		if row.To == "cassandra1" && row.Mark.Letter == "Z" {
			if len(row.From) != 3 || !slices.Equal(row.Ports, []string{"tcp/9042"}) || row.Purposes[0] != "Backend zu Cassandra" {
				t.Errorf("row is %+v", row)
			}
			return
		}
	}
	t.Error("no row of cassandra1")
}

func TestLongNamesAreCutInTheMiddle(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"kubenode1": "kubenode1", "kubenode1.wire.example.org": "kubenode…mple.org", "größer-als-alles-andere-1": "größer-a…andere-1",
	} {
		if got := inMiddle(in, 17); got != want {
			t.Errorf("%s is cut to %s, not %s", in, got, want)
		}
	}
}

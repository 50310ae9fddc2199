package present

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
)

func somePage(t *testing.T, lang *words.Language) string {
	t.Helper()
	r := sizing.Calculate(sizing.Input{
		Site: someSite(t, 2500, "10x8,2x50"), Table: tableWithFactors(t), Lock: sizingtest.Lock(t, 1e9),
		Against: []sizing.Existing{{Name: "m1", Role: site.MinIO, Cores: 1, Memory: 2e9, Disk: 400e9}},
	})
	page, err := HTML(r, lang)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestPageStandsAlone wants nothing in the page that reaches outside it, and
// nothing that its own policy would refuse.
func TestPageStandsAlone(t *testing.T) {
	page := somePage(t, words.English())
	for _, bad := range []string{
		"<script", "<link", "<img", "<iframe", "src=", "style=", "url(", "@import", "javascript:", "onclick", "http-equiv=\"refresh\"",
	} {
		if strings.Contains(page, bad) {
			t.Errorf("page has %s", bad)
		}
	}
	for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(link[1], "#") {
			t.Errorf("page links to %s", link[1])
		} else if !strings.Contains(page, `id="`+link[1][1:]+`"`) {
			t.Errorf("page links to %s, which is not on it", link[1])
		}
	}
	if !strings.Contains(page, `default-src &#39;none&#39;`) && !strings.Contains(page, `default-src 'none'`) {
		t.Error("page has no policy that forbids everything")
	}
}

// TestPageIsAccessible wants what those who do not see the page need.
func TestPageIsAccessible(t *testing.T) {
	named := regexp.MustCompile(`role="img" aria-labelledby="[a-z-]+ [a-z-]+".*<title id="[a-z-]+">[^<]+</title>` +
		`<desc id="[a-z-]+">[^<]+</desc>`)
	for _, lang := range words.All() {
		page := somePage(t, lang)
		if !strings.Contains(page, `<html lang="`+lang.Tag+`">`) {
			t.Errorf("%s: page does not say its language", lang.Tag)
		}
		drawings := regexp.MustCompile(`(?s)<svg class="drawing".*?</svg>`).FindAllString(page, -1)
		if len(drawings) != 4 {
			t.Errorf("%s: %d pictures, want 4", lang.Tag, len(drawings))
		}
		for _, drawing := range drawings {
			if !named.MatchString(drawing) {
				t.Errorf("%s: picture without title and description: %.200s", lang.Tag, drawing)
			}
			wantXML(t, drawing)
		}
		ids := map[string]bool{}
		for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[id[1]] {
				t.Errorf("%s: id %s is given twice", lang.Tag, id[1])
			}
			ids[id[1]] = true
		}
		for _, cell := range regexp.MustCompile(`<th( [^>]*)?>`).FindAllString(page, -1) {
			if !strings.Contains(cell, "scope=") {
				t.Errorf("%s: table head without scope: %s", lang.Tag, cell)
			}
		}
		if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "%!") || strings.Contains(page, "<no value>") {
			t.Errorf("%s: a text was not filled in", lang.Tag)
		}
	}
}

func wantXML(t *testing.T, text string) {
	t.Helper()
	reader := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := reader.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Errorf("picture is not well-formed: %v", err)
			return
		}
	}
}

// TestLanguagesDoNotMix looks for words of one language in the other's report.
func TestLanguagesDoNotMix(t *testing.T) {
	for tag, foreign := range map[string]string{
		"en": `\b(und|oder|nicht|höchstens|Teilnehmer|Kerne|Speicher|Nutzer|je)\b`,
		"de": `\b(and|or|not|at most|participants|cores|memory|users|each)\b`,
	} {
		r := sizing.Calculate(sizing.Input{Site: someSite(t, 25_000, "10x8,2x50"), Table: tableWithFactors(t), Lock: sizingtest.Lock(t, 1e9)})
		r.Sources = nil // titles of documents stay as they are
		var text bytes.Buffer
		if err := Text(&text, r, language(t, tag)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			line = strings.NewReplacer("images, group system", "", "an extra 3", "").Replace(line)
			if found := regexp.MustCompile(foreign).FindString(line); found != "" {
				t.Errorf("%s: %q in %s", tag, found, line)
			}
		}
	}
}

// TestHostileNames wants what comes from outside to stay text.
func TestHostileNames(t *testing.T) {
	site := someSite(t, 10, "1x3")
	site.Name = `</title><script>alert(1)</script>"'`
	lock := sizingtest.Lock(t, 1e6)
	lock.Images[0].From[0].Chart = `<img src=x onerror=alert(1)>`
	page, err := HTML(sizing.Calculate(sizing.Input{Site: site, Table: embeddedTable(t, "guide"), Lock: lock}), words.English())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(page, []byte("<script")) || bytes.Contains(page, []byte("<img")) {
		t.Error("a name became markup")
	}
}

// TestCloudIsPrinted wants a report without hardware in every form.
func TestCloudIsPrinted(t *testing.T) {
	site := someSite(t, 2500, "10x8")
	site.Scenario = "public-app-cloud"
	r := calculate(t, site, "guide")
	if _, err := HTML(r, words.English()); err != nil {
		t.Error(err)
	}
	if err := Text(new(bytes.Buffer), r, words.English()); err != nil {
		t.Error(err)
	}
}

func TestDemoPage(t *testing.T) {
	page, err := HTML(calculate(t, someSite(t, 20, "1x4"), "demo"), language(t, "de"))
	if err != nil || !strings.Contains(string(page), "&gt; 16") || !strings.Contains(string(page), "200\u00a0GiB") {
		t.Errorf("the page of the demo lacks its memory (%v)", err)
	}
}

package present

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/browser"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/sizingtest"
)

// visit opens a page and gives it as the browser has it, what was asked for
// beyond it, and what stands in the browser's console.
func visit(b *browser.Browser, page []byte) (dom string, asked, console []string) {
	b.Open(page)
	b.Eval("document.documentElement.outerHTML", &dom)
	return dom, b.Asked(), b.Console()
}

// TestPageInBrowser opens the report in Chromium: no request leaves the page,
// nothing is written to the console, and all of the page is there. The same
// look at a page that does both shows that they would be seen.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	const bad = `<!DOCTYPE html><title>x</title><img src="http://outside.example/pixel.png"><script>console.error("seen")</script>`
	_, asked, console := visit(b, []byte(bad))
	if !slices.Contains(asked, "outside.example/pixel.png") || !strings.Contains(fmt.Sprint(console), "seen") {
		t.Fatalf("a page that asks and complains is not noticed: %q, %q", asked, console)
	}
	for _, lang := range words.All() {
		r := sizing.Calculate(sizing.Input{Site: someSite(t, 2500, "10x8,2x50"), Table: tableWithFactors(t), Lock: sizingtest.Lock(t, 1e9)})
		page, err := HTML(r, lang)
		if err != nil {
			t.Fatal(err)
		}
		dom, asked, console := visit(b, page)
		if len(asked) > 0 || len(console) > 0 {
			t.Errorf("%s: the page asks for %q and its console says %q", lang.Tag, asked, console)
		}
		if !strings.Contains(dom, `id="sources"`) || strings.Count(dom, "<svg class=\"drawing\"") != 4 {
			t.Errorf("%s: the page has %d pictures, want 4", lang.Tag, strings.Count(dom, "<svg class=\"drawing\""))
		}
	}
	// The policy itself: what it forbids does not happen, and is told.
	r := calculate(t, someSite(t, 10, "1x3"), "guide")
	page, err := HTML(r, words.English())
	if err != nil {
		t.Fatal(err)
	}
	const taking = `<img src="http://outside.example/pixel.png"><script>document.title="taken"</script></main>`
	injected := bytes.Replace(page, []byte("</main>"), []byte(taking), 1)
	dom, asked, console := visit(b, injected)
	if len(asked) > 0 || strings.Contains(dom, "<title>taken") || !strings.Contains(fmt.Sprint(console), "Content Security Policy") {
		t.Errorf("the page's policy does not hold: %q, %q", asked, console)
	}
}

package sizing

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/islandbundle/island/sizing/report"
)

// browserTime bounds one start of a browser.
const browserTime = 60 * time.Second

// visit opens a page in a real browser, in which every host name leads to this
// test, and gives what was asked for beyond the page itself, and what stands in
// the browser's console.
func visit(t *testing.T, browser string, page []byte) (dom string, asked, console []string) {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/report.html" && r.Host != "" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(page)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Host+r.URL.Path)
	}))
	defer server.Close()
	address := server.Listener.Addr().(*net.TCPAddr)
	ctx, cancel := context.WithTimeout(t.Context(), browserTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--enable-logging=stderr",
		"--host-resolver-rules=MAP *.example "+address.String(), "--dump-dom", "http://page.example/report.html")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, log.String())
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, strings.TrimSpace(line))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return out.String(), asked, console
}

// TestPageInBrowser opens the report in Chromium: no request leaves the page,
// nothing is written to the console, and all of the page is there. The same
// look at a page that does both shows that they would be seen.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	browser := tool(t, "chromium", "chromium-browser", "google-chrome")
	_, asked, console := visit(t, browser, []byte(`<!DOCTYPE html><title>x</title><img src="http://outside.example/pixel.png"><script>console.error("seen")</script>`))
	if !slices.Contains(asked, "outside.example/pixel.png") || !strings.Contains(fmt.Sprint(console), "seen") {
		t.Fatalf("a page that asks and complains is not noticed: %q, %q", asked, console)
	}
	for _, lang := range []report.Lang{report.English, report.German} {
		r := Calculate(Input{Site: someSite(t, 2500, "10x8,2x50"), Table: tableWithFactors(t), Lang: lang, Lock: someLock(t, 1e9)})
		page, err := r.HTML()
		if err != nil {
			t.Fatal(err)
		}
		dom, asked, console := visit(t, browser, page)
		if len(asked) > 0 || len(console) > 0 {
			t.Errorf("%s: the page asks for %q and its console says %q", lang, asked, console)
		}
		if !strings.Contains(dom, `id="sources"`) || strings.Count(dom, "<svg class=\"drawing\"") != 4 {
			t.Errorf("%s: the page has %d pictures, want 4", lang, strings.Count(dom, "<svg class=\"drawing\""))
		}
	}
	// The policy itself: what it forbids does not happen, and is told.
	r := calculate(t, someSite(t, 10, "1x3"), "guide", report.English)
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	injected := bytes.Replace(page, []byte("</main>"), []byte(`<img src="http://outside.example/pixel.png"><script>document.title="taken"</script></main>`), 1)
	dom, asked, console := visit(t, browser, injected)
	if len(asked) > 0 || strings.Contains(dom, "<title>taken") || !strings.Contains(fmt.Sprint(console), "Content Security Policy") {
		t.Errorf("the page's policy does not hold: %q, %q", asked, console)
	}
}

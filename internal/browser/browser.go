// Package browser shows pages to a real Chromium, for tests. It speaks the
// DevTools protocol over a pipe (--remote-debugging-pipe: commands on file
// descriptor 3, answers on 4, each ended by a zero byte), so that one browser
// can be asked for a page in every size, colour and medium, although the page
// itself allows no script.
package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds all that one test asks of a browser.
const patience = 15 * time.Minute

// find returns the path of a program that a test needs. Without it the test is
// skipped, or fails where all tools are wanted.
func find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
		t.Fatalf("none of %v is in PATH", names)
	}
	t.Skipf("none of %v is in PATH", names)
	return ""
}

// Browser is a running Chromium in which every host name that ends in .example
// leads to the test.
type Browser struct {
	t        testing.TB
	ctx      context.Context
	server   *httptest.Server
	commands *os.File

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	page    []byte
	opened  int
	asked   []string
	console []string
	loaded  chan struct{}
	session string
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Start starts a browser that ends with the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	program := find(t, "chromium", "chromium-browser", "google-chrome")
	ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own ends before the browser is closed
	b := &Browser{t: t, ctx: ctx, waiting: map[int]chan message{}, loaded: make(chan struct{}, 1)}
	b.server = httptest.NewServer(b)
	theirs, commands, err := os.Pipe()
	b.must(err)
	answers, theirAnswers, err := os.Pipe()
	b.must(err)
	b.commands = commands
	cmd := exec.CommandContext(ctx, program,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe",
		"--host-resolver-rules=MAP *.example "+b.server.Listener.Addr().String())
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.WaitDelay = patience / 10
	cmd.ExtraFiles = []*os.File{theirs, theirAnswers}
	b.must(cmd.Start())
	theirs.Close()
	theirAnswers.Close()
	go b.listen(answers)
	t.Cleanup(func() {
		_, _ = b.try("", "Browser.close", nil)
		_ = cmd.Wait()
		commands.Close()
		b.server.Close()
		cancel()
		if t.Failed() && testing.Verbose() {
			t.Logf("%s said:\n%s", program, log.String())
		}
	})
	var target struct{ TargetID string }
	b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Runtime.enable", "Log.enable"} {
		b.call(b.session, domain, nil, nil)
	}
	return b
}

// ServeHTTP returns the page under its own address, and notes what else is asked for.
func (b *Browser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.URL.Path != "/report.html" {
		b.asked = append(b.asked, r.Host+r.URL.Path)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.page)
}

// Open loads a page.
func (b *Browser) Open(page []byte) {
	b.t.Helper()
	b.mu.Lock()
	b.page, b.asked, b.console = page, nil, nil
	b.opened++
	address := fmt.Sprintf("http://page.example/report.html?%d", b.opened)
	b.mu.Unlock()
	b.call(b.session, "Page.navigate", map[string]any{"url": address}, nil)
	for there := false; !there; {
		select {
		case <-b.loaded:
			b.Eval(fmt.Sprintf("location.href == %q", address), &there)
		case <-b.ctx.Done():
			b.t.Fatal("browser does not load the page")
		}
	}
}

// Asked returns what was asked for beyond the page itself.
func (b *Browser) Asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked)
}

// Console returns what stands in the browser's console.
func (b *Browser) Console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console)
}

// View is how a page is looked at.
type View struct {
	Name  string
	Width int // CSS pixels
	Dark  bool
	Print bool
}

// The views that every page is made for. A sheet of A4 with the printer's usual
// margins is 190 mm wide, 718 CSS pixels.
var (
	Light  = View{Name: "light", Width: 1280}
	Dark   = View{Name: "dark", Width: 1280, Dark: true}
	Narrow = View{Name: "narrow", Width: 360}
	Paper  = View{Name: "print", Width: 718, Print: true}
	Views  = []View{Light, Dark, Narrow, Paper}
)

// Look sets how the page is looked at, in a window as high as the page.
func (b *Browser) Look(v View) {
	b.t.Helper()
	medium, scheme := "screen", "light"
	if v.Print {
		medium = "print"
	}
	if v.Dark {
		scheme = "dark"
	}
	b.call(b.session, "Emulation.setEmulatedMedia", map[string]any{
		"media": medium, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
	b.size(v.Width, 800)
	var height int
	b.Eval("document.documentElement.scrollHeight", &height)
	b.size(v.Width, height)
}

func (b *Browser) size(width, height int) {
	b.call(b.session, "Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// Eval returns the value of an expression in the page.
func (b *Browser) Eval(expression string, into any) {
	b.t.Helper()
	var result struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	b.call(b.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &result)
	if result.ExceptionDetails != nil {
		b.t.Fatalf("in the page: %s", result.ExceptionDetails.Exception.Description)
	}
	b.must(json.Unmarshal(result.Result.Value, into))
}

// Picture returns what is seen, as PNG.
func (b *Browser) Picture() []byte {
	b.t.Helper()
	return b.data("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
}

// PDF prints the page on A4 with margins of 10 mm.
func (b *Browser) PDF() []byte {
	b.t.Helper()
	const inch = 25.4
	return b.data("Page.printToPDF", map[string]any{
		"paperWidth": 210 / inch, "paperHeight": 297 / inch, "printBackground": true, "generateTaggedPDF": true,
		"marginTop": 10 / inch, "marginBottom": 10 / inch, "marginLeft": 10 / inch, "marginRight": 10 / inch,
	})
}

func (b *Browser) data(method string, params map[string]any) []byte {
	b.t.Helper()
	var result struct{ Data string }
	b.call(b.session, method, params, &result)
	data, err := base64.StdEncoding.DecodeString(result.Data)
	b.must(err)
	return data
}

func (b *Browser) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *Browser) call(session, method string, params map[string]any, into any) {
	b.t.Helper()
	answer, err := b.try(session, method, params)
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

func (b *Browser) try(session, method string, params map[string]any) (json.RawMessage, error) {
	encoded, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	b.last++
	m := message{ID: b.last, Session: session, Method: method, Params: encoded}
	b.waiting[m.ID] = answer
	b.mu.Unlock()
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if _, err := b.commands.Write(append(data, 0)); err != nil {
		return nil, err
	}
	select {
	case got, open := <-answer:
		switch {
		case !open:
			return nil, errors.New("browser has ended")
		case got.Error != nil:
			return nil, errors.New(got.Error.Message)
		}
		return got.Result, nil
	case <-b.ctx.Done():
		return nil, b.ctx.Err()
	}
}

// listen hands answers to those who wait, and notes events, until the browser ends.
func (b *Browser) listen(answers *os.File) {
	defer answers.Close()
	reader := bufio.NewReader(answers)
	for {
		data, err := reader.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(data[:len(data)-1], &m)
		}
		b.mu.Lock()
		if err != nil {
			for _, answer := range b.waiting {
				close(answer)
			}
			b.waiting = map[int]chan message{}
			b.mu.Unlock()
			return
		}
		if answer, ok := b.waiting[m.ID]; ok {
			delete(b.waiting, m.ID)
			answer <- m
		} else {
			b.note(m)
		}
		b.mu.Unlock()
	}
}

func (b *Browser) note(m message) {
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case b.loaded <- struct{}{}:
		default: // one is enough to look
		}
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
		b.console = append(b.console, fmt.Sprintf("%s %s", m.Method, m.Params))
	}
}

// Words returns what can be read on the pages of a PDF, by pdftotext of Poppler.
func Words(t testing.TB, pdf []byte) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), find(t, "pdftotext"), "-layout", "-", "-") //nolint:gosec // found there
	cmd.Stdin = bytes.NewReader(pdf)
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	return string(text)
}

// Pages counts the pages of a PDF as this browser writes it, with its page
// objects in plain.
func Pages(pdf []byte) int {
	return strings.Count(string(pdf), "/Type /Page\n")
}

package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// flaky serves data, but first makes each fault of a list once.
type flaky struct {
	data   []byte
	faults []func(w http.ResponseWriter, request *http.Request, data []byte)
	asked  atomic.Int32
	ranges chan string
}

func newFlaky(data []byte, faults ...func(http.ResponseWriter, *http.Request, []byte)) *flaky {
	return &flaky{data: data, faults: faults, ranges: make(chan string, 100)}
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	f.ranges <- request.Header.Get("Range")
	if n := int(f.asked.Add(1)); n <= len(f.faults) {
		f.faults[n-1](w, request, f.data)
		return
	}
	http.ServeContent(w, request, "", time.Time{}, bytes.NewReader(f.data))
}

func status(code int, header ...string) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// rest returns the part of the data that a request asks for.
func rest(request *http.Request, data []byte) []byte {
	var from int
	_, _ = fmt.Sscanf(request.Header.Get("Range"), "bytes=%d-", &from)
	return data[from:]
}

// partly sends the head of an answer with its true length and some of it.
func partly(w http.ResponseWriter, request *http.Request, data []byte, n int) {
	wanted := rest(request, data)
	w.Header().Set("Content-Length", strconv.Itoa(len(wanted)))
	if len(wanted) < len(data) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(data)-len(wanted), len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(wanted[:n])
	_ = http.NewResponseController(w).Flush()
}

func resetAtOnce(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }

// wholly sends everything, whatever was asked for.
func wholly(w http.ResponseWriter, _ *http.Request, data []byte) { _, _ = w.Write(data) }

func cutAfter(n int) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, request *http.Request, data []byte) {
		partly(w, request, data, n)
		panic(http.ErrAbortHandler)
	}
}

func resetAfter(n int) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, request *http.Request, data []byte) {
		partly(w, request, data, n)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		if tcp, ok := connection.(interface{ SetLinger(int) error }); ok {
			_ = tcp.SetLinger(0) // closing then sends RST
		}
		_ = connection.Close()
	}
}

// chunkedAfter ends an answer without a length properly, but too early.
func chunkedAfter(n int) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, data []byte) {
		_, _ = w.Write(data[:n])
		_ = http.NewResponseController(w).Flush()
	}
}

// silent sends some bytes and then nothing until the client goes.
func silentAfter(n int) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, request *http.Request, data []byte) {
		if n > 0 {
			partly(w, request, data, n)
		}
		<-request.Context().Done()
	}
}

func TestReaderSurvives(t *testing.T) {
	t.Parallel()
	const size = 300_000
	type faults = []func(http.ResponseWriter, *http.Request, []byte)
	for name, test := range map[string]struct {
		faults faults
		ranges []string // of the requests, in order
		pauses int
	}{
		"nothing":                 {nil, []string{""}, 0},
		"429 with Retry-After":    {faults{status(429, "Retry-After", "7")}, []string{"", ""}, 1},
		"503 twice":               {faults{status(503), status(503)}, []string{"", "", ""}, 2},
		"reset before an answer":  {faults{resetAtOnce}, []string{"", ""}, 1},
		"body cut short":          {faults{cutAfter(100_000)}, []string{"", "bytes=100000-299999"}, 1},
		"reset within the body":   {faults{resetAfter(0)}, []string{"", ""}, 1},
		"chunked body ends early": {faults{chunkedAfter(1234)}, []string{"", "bytes=1234-299999"}, 1},
		"cut, 503, cut": {
			faults{cutAfter(70_000), status(503), cutAfter(70_000)},
			[]string{"", "bytes=70000-299999", "bytes=70000-299999", "bytes=140000-299999"}, 3,
		},
		"silence within the body":  {faults{silentAfter(10)}, []string{"", "bytes=10-299999"}, 1},
		"silence before an answer": {faults{silentAfter(0)}, []string{"", ""}, 1},
		"server ignores ranges":    {faults{cutAfter(50_000), wholly}, []string{"", "bytes=50000-299999"}, 1},
		"cut while skipping to an offset": {faults{cutAfter(50_000), func(w http.ResponseWriter, r *http.Request, data []byte) {
			r.Header.Del("Range")
			cutAfter(20_000)(w, r, data)
		}}, []string{"", "bytes=50000-299999", "bytes=50000-299999"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := noise(1, size)
			server := newFlaky(data, test.faults...)
			stall := time.Minute // which a busy machine does not take for silence
			if strings.HasPrefix(name, "silence") {
				stall = time.Second
			}
			u := newUpstream(t, Options{Network: registry.Options{Stall: stall}})
			got, err := readAll(t, u.Upstream, contentOf(serve(t, server).URL+"/file?token=secret", data), 0)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("read %d bytes, error %v", len(got), err)
			}
			for _, want := range test.ranges {
				if got := <-server.ranges; got != want {
					t.Errorf("asked for range %q, wanted %q", got, want)
				}
			}
			if len(server.ranges) > 0 || len(u.clock.pauses) != test.pauses {
				t.Errorf("%d more requests, %d pauses, wanted %d", len(server.ranges), len(u.clock.pauses), test.pauses)
			}
			if strings.Contains(u.notes.String(), "secret") {
				t.Errorf("log tells the query: %s", u.notes)
			}
			if strings.Contains(name, "Retry-After") && u.clock.pauses[0] != 7*time.Second {
				t.Errorf("paused for %s, the server asked for 7s", u.clock.pauses[0])
			}
		})
	}
}

func TestReaderOffsets(t *testing.T) {
	t.Parallel()
	data := noise(2, 5000)
	server := serve(t, newFlaky(data))
	u := newUpstream(t, Options{})
	for _, offset := range []int64{0, 1, 4999, 5000} {
		got, err := readAll(t, u.Upstream, contentOf(server.URL, data), offset)
		if err != nil || !bytes.Equal(got, data[offset:]) {
			t.Errorf("from %d: %d bytes, error %v", offset, len(got), err)
		}
	}
	if _, err := readAll(t, u.Upstream, contentOf(server.URL, data), 5001); err == nil {
		t.Error("an offset behind the end was accepted")
	}
	if got, err := readAll(t, u.Upstream, contentOf(serve(t, newFlaky(nil)).URL, nil), 0); err != nil || len(got) != 0 {
		t.Errorf("empty content: %d bytes, error %v", len(got), err)
	}
}

func TestReaderGivesUp(t *testing.T) {
	t.Parallel()
	data := noise(3, 200_000)
	always := func(fault func(http.ResponseWriter, *http.Request, []byte)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fault(w, r, data) })
	}
	for name, test := range map[string]struct {
		handler  http.Handler
		requests int
		says     []string
	}{
		"401":                 {always(status(401)), 1, []string{"401 Unauthorized"}},
		"403":                 {always(status(403)), 1, []string{"403 Forbidden"}},
		"404":                 {always(status(404)), 1, []string{"404 Not Found"}},
		"416":                 {always(status(416)), 1, []string{"416"}},
		"503 for ever":        {always(status(503)), registry.MaxTries, []string{"503 Service Unavailable"}},
		"429 for ever":        {always(status(429, "Retry-After", "99999")), registry.MaxTries, []string{"429 Too Many Requests"}},
		"always cut short":    {always(cutAfter(5)), registry.MaxTries, []string{"cut short", "at byte 30 of 200000"}},
		"longer than pinned":  {always(chunkedOf(append(bytes.Clone(data), 1))), 1, []string{"goes on after its 200000 bytes"}},
		"says another length": {newFlaky([]byte("login page")), 1, []string{"content has 10 bytes, not 200000"}},
		"redirects for ever":  {http.RedirectHandler("/x?s=secret", http.StatusFound), 10, []string{"stopped after 10 redirects"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := counting(test.handler)
			u := newUpstream(t, Options{})
			_, err := readAll(t, u.Upstream, contentOf(serve(t, handler).URL+"/f?s=secret", data), 0)
			wantError(t, err, test.says...)
			if handler.total() != test.requests {
				t.Errorf("%d requests, wanted %d", handler.total(), test.requests)
			}
			var explained *fault.Error
			if !errors.As(err, &explained) || explained.Side != fault.Upstream || explained.Kind != fault.Failure {
				t.Errorf("error %#v is not a failure of upstream", err)
			}
			if strings.Contains(err.Error()+u.notes.String(), "secret") {
				t.Errorf("query is told: %v\n%s", err, u.notes)
			}
		})
	}
}

func chunkedOf(data []byte) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(data)
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	data := noise(4, 150_000)
	good := serve(t, newFlaky(data))
	gone := httptest.NewServer(nil)
	gone.Close()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "f"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	failing := func(code int) string { return serve(t, newAlways(status(code))).URL }
	for name, test := range map[string]struct {
		mirror, origin string
		onlyMirrors    bool
		says           []string // of the error; none if it is found
	}{
		"mirror has it":                  {good.URL, failing(500), false, nil},
		"folder has it":                  {folder, failing(500), false, nil},
		"404 then origin":                {failing(404), good.URL, false, nil},
		"410 then origin":                {failing(410), good.URL, false, nil},
		"503 then origin":                {failing(503), good.URL, false, nil},
		"no connection then origin":      {gone.URL, good.URL, false, nil},
		"empty folder then origin":       {t.TempDir(), good.URL, false, nil},
		"cut for ever then origin":       {serve(t, newAlways(cutAfter(7))).URL, good.URL, false, nil},
		"403 ends the search":            {failing(403), good.URL, false, []string{"403 Forbidden"}},
		"401 ends the search":            {failing(401), good.URL, false, []string{"401 Unauthorized"}},
		"another length ends the search": {serve(t, newFlaky([]byte("x"))).URL, good.URL, false, []string{"content has 1 bytes"}},
		"origin is not asked":            {failing(404), good.URL, true, []string{"404 Not Found"}},
		"all fail, each is told": {
			failing(404), failing(503), false,
			[]string{"none of 2 locations gave it", "404 Not Found; http", "503 Service Unavailable"},
		},
		"none has it":                      {failing(404), failing(404), false, []string{"none of 2 locations gave it"}},
		"folder and origin are both tried": {t.TempDir(), failing(404), false, []string{"none of 2 locations gave it", "no such file", "404"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := fmt.Sprintf("- prefix: %s\n  onlyMirrors: %t\n  mirrors: [{location: '%s'}]\n", test.origin, test.onlyMirrors, test.mirror)
			u := newUpstream(t, Options{Mirrors: mirrorsOf(t, rule)})
			got, err := readAll(t, u.Upstream, contentOf(test.origin+"/f", data), 0)
			if len(test.says) > 0 {
				wantError(t, err, test.says...)
				missing := name == "none has it" || name == "origin is not asked" || strings.HasPrefix(name, "folder and")
				if errors.Is(err, ErrNotFound) != missing && !strings.Contains(err.Error(), "503") {
					t.Errorf("%v is ErrNotFound: %t, wanted %t", err, !missing, missing)
				}
				return
			}
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("read %d bytes, error %v", len(got), err)
			}
		})
	}
}

func newAlways(fault func(http.ResponseWriter, *http.Request, []byte)) http.Handler {
	data := noise(4, 150_000)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fault(w, r, data) })
}

func TestFallbackWithinABody(t *testing.T) {
	t.Parallel()
	data := noise(4, 150_000)
	origin := newFlaky(data)
	server := serve(t, origin)
	mirror := serve(t, newAlways(cutAfter(1000)))
	u := newUpstream(t, withMirror(t, server.URL, mirror.URL))
	got, err := readAll(t, u.Upstream, contentOf(server.URL+"/f", data), 0)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read %d bytes, error %v", len(got), err)
	}
	if from := <-origin.ranges; from != "bytes=6000-149999" {
		t.Errorf("origin was asked for %q, wanted what the mirror did not give", from)
	}
}

// What one location failed is not held against the next.
func TestPatienceIsOfOneLocation(t *testing.T) {
	t.Parallel()
	data := noise(4, 150_000)
	for name, end := range map[string]func(http.ResponseWriter, *http.Request, []byte){
		"cut once too often": cutAfter(10),
		"gone at the last":   status(404),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mirror := newFlaky(data, append(slicesOf(registry.MaxTries-1, cutAfter(10)), end)...)
			origin := newFlaky(data, slicesOf(registry.MaxTries-1, cutAfter(10))...)
			server := serve(t, origin)
			u := newUpstream(t, withMirror(t, server.URL, serve(t, mirror).URL))
			got, err := readAll(t, u.Upstream, contentOf(server.URL+"/f", data), 0)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("read %d bytes, error %v", len(got), err)
			}
			if n := origin.asked.Load(); n != registry.MaxTries {
				t.Errorf("the origin was asked %d times, wanted %d", n, registry.MaxTries)
			}
		})
	}
}

// A mirror that is down costs its retries once, not for each blob.
func TestDownMirrorIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	data := noise(4, 150_000)
	origin := serve(t, newFlaky(data))
	gone := httptest.NewServer(nil)
	gone.Close()
	back := newFlaky(data, slicesOf(registry.MaxTries, status(503))...)
	for name, test := range map[string]struct {
		mirror string
		pauses int
	}{
		"no connection":     {gone.URL, registry.MaxTries - 1},
		"503":               {serve(t, newAlways(status(503))).URL, registry.MaxTries - 1},
		"503, then working": {serve(t, back).URL, registry.MaxTries - 1},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, withMirror(t, origin.URL, test.mirror))
			for range 5 {
				if got, err := readAll(t, u.Upstream, contentOf(origin.URL+"/f", data), 0); err != nil || len(got) != len(data) {
					t.Fatalf("read %d bytes, error %v", len(got), err)
				}
			}
			if len(u.clock.pauses) != test.pauses {
				t.Errorf("%d pauses, wanted %d", len(u.clock.pauses), test.pauses)
			}
		})
	}
	if n := back.asked.Load(); n != registry.MaxTries+4 {
		t.Errorf("the mirror that came back was asked %d times, wanted %d", n, registry.MaxTries+4)
	}
}

func slicesOf[T any](n int, value T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = value
	}
	return all
}

// TestCredentialsStay watches every host that a redirect leads to.
func TestCredentialsStay(t *testing.T) {
	t.Parallel()
	data := noise(5, 1000)
	var leaks atomic.Int32
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, field := range []string{"Authorization", "Referer", "Cookie"} {
			if r.Header.Get(field) != "" {
				leaks.Add(1)
			}
		}
		_, _ = w.Write(data)
	}))
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
			w.WriteHeader(401)
			return
		}
		http.Redirect(w, r, other.URL+"/signed?signature=s3cret", http.StatusTemporaryRedirect)
	}))
	withLogin := strings.Replace(server.URL, "http://", "http://me:s3cret@", 1)
	for name, options := range map[string]Options{
		"keychain":     loggedIn(server, "me", "s3cret"),
		"mirrors file": withMirror(t, server.URL, withLogin),
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, options)
			got, err := readAll(t, u.Upstream, contentOf(server.URL+"/f", data), 0)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("read %d bytes, error %v", len(got), err)
			}
			if size, err := u.Stat(t.Context(), server.URL+"/f"); err != nil || size != 1000 {
				t.Errorf("size is %d, error %v", size, err)
			}
		})
	}
	if leaks.Load() > 0 {
		t.Errorf("%d headers went to another host", leaks.Load())
	}
	t.Run("errors", func(t *testing.T) {
		u := newUpstream(t, loggedIn(server, "me", "s3cret"))
		other.Close() // the redirect leads to a closed door
		_, err := readAll(t, u.Upstream, contentOf(server.URL+"/f", data), 0)
		wantError(t, err, "connection refused")
		if strings.Contains(err.Error()+u.notes.String(), "s3cret") {
			t.Errorf("a secret is told: %v\n%s", err, u.notes)
		}
	})
}

func TestRedirectToPlainHTTP(t *testing.T) {
	t.Parallel()
	plain := counting(newFlaky([]byte("data")))
	target := serve(t, plain)
	server := httptest.NewTLSServer(http.RedirectHandler(target.URL, http.StatusFound))
	t.Cleanup(server.Close)
	options := withOnlyMirror(t, server.URL, server.URL)
	options.Mirrors.Rules[0].Mirrors[0].CAFile = caFile(t, server)
	u := newUpstream(t, options)
	_, err := readAll(t, u.Upstream, contentOf(server.URL+"/f", []byte("data")), 0)
	wantError(t, err, "redirect from HTTPS to http")
	if plain.total() > 0 {
		t.Error("the redirect was followed")
	}
}

func TestConcurrencyLimits(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	data := noise(6, 1000)
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for n := now.Add(1); ; {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		_, _ = w.Write(data)
		now.Add(-1)
	}))
	u := newUpstream(t, Options{Network: registry.Options{PerHost: 2, Total: 3}})
	done := make(chan error)
	for range 40 {
		go func() {
			_, err := readAll(t, u.Upstream, contentOf(server.URL, data), 0)
			done <- err
		}()
	}
	for range 40 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d requests at one time, wanted at most 2", most.Load())
	}
}

func TestLimitIsHeldUntilClose(t *testing.T) {
	t.Parallel()
	data := noise(6, 1<<20)
	server := serve(t, newFlaky(data))
	u := newUpstream(t, Options{Network: registry.Options{PerHost: 1}})
	first, err := u.Open(t.Context(), contentOf(server.URL, data), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := u.Open(ctx, contentOf(server.URL, data), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second reader at one host: error is %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("a closed reader can be read")
	}
	if got, err := readAll(t, u.Upstream, contentOf(server.URL, data), 0); err != nil || len(got) != len(data) {
		t.Errorf("after closing: %d bytes, error %v", len(got), err)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	data := noise(7, 10_000)
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(newFlaky(data, chunkedOf(data), chunkedOf(data), status(404), status(503)))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	u := newUpstream(t, Options{})
	for i := range 8 { // with and without a length, errors among them
		if _, err := readAll(t, u.Upstream, contentOf(server.URL, data), 0); err != nil && i != 2 {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for requests one after the other, wanted 1", n)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	data := noise(8, 100_000)
	server := serve(t, newAlways(silentAfter(10)))
	u := newUpstream(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := u.Open(ctx, manifests.Content{URL: server.URL, Size: 150_000, Digest: manifests.DigestOf(data)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, wanted that of the context", err)
	}
}

func TestLocalFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "release"), 0o700); err != nil {
		t.Fatal(err)
	}
	data := []byte("values: 1\n")
	if err := os.WriteFile(filepath.Join(dir, "common.yaml"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUpstream(t, Options{Network: registry.Options{Offline: true}, BaseDir: filepath.Join(dir, "release")})
	for _, url := range []string{"../common.yaml", "file://" + dir + "/common.yaml"} {
		got, err := readAll(t, u.Upstream, contentOf(url, data), 2)
		if err != nil || string(got) != "lues: 1\n" {
			t.Errorf("%s is %q, error %v", url, got, err)
		}
		if size, err := u.Stat(t.Context(), url); err != nil || size != 10 {
			t.Errorf("size of %s is %d, error %v", url, size, err)
		}
	}
	for what, test := range map[string]struct{ url, says string }{
		"missing":         {"none.yaml", "no such file"},
		"folder":          {".", "not a regular file"},
		"another length":  {"../common.yaml", "file has 10 bytes, not 4"},
		"server, offline": {"https://files.example.com/x", "not in the cache"},
	} {
		_, err := readAll(t, u.Upstream, contentOf(test.url, []byte("else")), 0)
		wantError(t, err, test.says)
		var explained *fault.Error
		if !errors.As(err, &explained) || explained.Side != fault.Here {
			t.Errorf("%s: side is %s", what, explained.Side)
		}
	}
}

func TestStat(t *testing.T) {
	t.Parallel()
	data := noise(9, 4321)
	for name, handler := range map[string]http.HandlerFunc{
		"HEAD works": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "4321")
			_, _ = w.Write(data)
		},
		"HEAD refused": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			w.Header().Set("Content-Length", "4321")
			_, _ = w.Write(data)
		},
		"HEAD forbidden, as by a signed URL": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Header().Set("Content-Length", "4321")
			_, _ = w.Write(data)
		},
	} {
		u := newUpstream(t, Options{})
		if size, err := u.Stat(t.Context(), serve(t, handler).URL); err != nil || size != 4321 {
			t.Errorf("%s: size is %d, error %v", name, size, err)
		}
	}
	u := newUpstream(t, Options{})
	_, err := u.Stat(t.Context(), serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(data)
	})).URL)
	wantError(t, err, "does not tell the size")
	_, err = u.Stat(t.Context(), serve(t, http.NotFoundHandler()).URL)
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("error is %v, wanted ErrNotFound", err)
	}
}

// BenchmarkOpen reads a blob of 64 MiB from a server in the same process; the
// sub-benchmark "floor" does so with net/http alone.
func BenchmarkOpen(b *testing.B) {
	data := noise(1, 64<<20)
	server := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	buffer := make([]byte, 1<<20)
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			response, err := http.Get(server.URL)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{response.Body}, buffer); err != nil {
				b.Fatal(err)
			}
			_ = response.Body.Close()
		}
	})
	b.Run("open", func(b *testing.B) {
		u := newUpstream(b, Options{})
		content := contentOf(server.URL, data)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := u.Open(b.Context(), content, 0)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, buffer); err != nil {
				b.Fatal(err)
			}
			_ = r.Close()
		}
	})
}

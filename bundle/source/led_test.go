package source

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// TestIndexLeadsNowhereInside has indexes name addresses that only this machine or
// nobody has, in every spelling, from the web, by a mirror, in a folder.
func TestIndexLeadsNowhereInside(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	archive := chartArchive(t, "brig", "1.3.0")
	inside := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = w.Write(archive)
	}))
	port := strings.Split(host(inside), ":")[1]
	for _, to := range []string{
		"http://127.0.0.1:PORT/c.tgz", "http://localhost:PORT/c.tgz", "http://[::ffff:127.0.0.1]:PORT/c.tgz", "http://0.0.0.0:PORT/c.tgz",
		"http://2130706433:PORT/c.tgz", "http://0177.0.0.1:PORT/c.tgz", "http://[::1]:PORT/c.tgz", "http://127.0.0.2:PORT/c.tgz",
		"http://169.254.169.254/latest/c.tgz", "http://[fe80::1]/c.tgz", "oci://127.0.0.1:PORT/charts/brig:1.3.0",
		"oci://localhost:PORT/charts/brig:1.3.0",
	} {
		to = strings.ReplaceAll(to, "PORT", port)
		index := entryOf("    urls: ['" + to + "']\n")
		server := serve(t, index)
		folder := t.TempDir()
		recorded := httptest.NewRecorder()
		index(recorded, nil)
		if err := os.WriteFile(filepath.Join(folder, "index.yaml"), recorded.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for repo, options := range map[string]Options{
			server.URL:                      {},
			"http://charts.example.com":     withOnlyMirror(t, "http://charts.example.com", server.URL),
			"file://" + folder:              {},
			"http://charts.example.com/dir": withOnlyMirror(t, "http://charts.example.com/dir", folder),
		} {
			_, err := newUpstream(t, options).Chart(t.Context(), repo, "brig", "1.3.0")
			wantError(t, err, "not named by you")
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("this machine was reached %d times", n)
	}
	u := newUpstream(t, withMirror(t, "https://charts.example.com", "http://"+host(inside)))
	named := serve(t, entryOf("    urls: ['http://"+host(inside)+"/c.tgz']\n"))
	if _, err := u.Chart(t.Context(), named.URL, "brig", "1.3.0"); err != nil {
		t.Errorf("a host that the mirrors file names: %v", err)
	}
}

// TestIndexDoesNotLeadOutOfHTTPS has an index that came over HTTPS, or by a name with
// it, name archives over plain HTTP.
func TestIndexDoesNotLeadOutOfHTTPS(t *testing.T) {
	t.Parallel()
	plain := counting(text("archive"))
	to := serve(t, plain)
	index := entryOf("    urls: ['" + to.URL + "/c.tgz']\n")
	secure := httptest.NewTLSServer(index)
	t.Cleanup(secure.Close)
	overTLS := withOnlyMirror(t, secure.URL, secure.URL)
	overTLS.Mirrors.Rules[0].Mirrors[0].CAFile = caFile(t, secure)
	for repo, options := range map[string]Options{
		secure.URL:                   overTLS,
		"https://charts.example.com": withOnlyMirror(t, "https://charts.example.com", serve(t, index).URL),
	} {
		options.Network.Named = []string{host(to)}
		_, err := newUpstream(t, options).Chart(t.Context(), repo, "brig", "1.3.0")
		wantError(t, err, "from HTTPS to plain HTTP", host(to))
	}
	if plain.total() > 0 {
		t.Error("plain HTTP was asked")
	}
}

// TestLayersLeadNowhereInside opens layers whose manifest, which anybody may have
// written, names such a place.
func TestLayersLeadNowhereInside(t *testing.T) {
	t.Parallel()
	data := noise(9, 1000)
	files := counting(newFlaky(data))
	inside := serve(t, files)
	content := contentOf(inside.URL+"/layer", data)
	var err error
	for _, content.MediaType = range []string{
		chartMediaType + " ", strings.ToUpper(chartMediaType), chartMediaType + "; charset=utf-8", " ", "application/octet-stream",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
	} {
		_, err = readAll(t, newUpstream(t, Options{}).Upstream, content, 0)
		wantError(t, err, "not named by you")
	}
	content.URL = "http://10.255.255.1/layer"
	_, err = readAll(t, newUpstream(t, Options{}).Upstream, content, 0)
	wantError(t, err, "a private network", "not named by you")
	if files.total() > 0 {
		t.Error("this machine was asked")
	}
	content.URL = inside.URL + "/layer"
	if _, err = readAll(t, newUpstream(t, naming(host(inside))).Upstream, content, 0); err != nil {
		t.Errorf("a host that the user named: %v", err)
	}
}

// TestSlowUpstreams asks what is slow for each kind of content: no more than three
// windows, with the object, the host and the rate in the error; or patience ends.
func TestSlowUpstreams(t *testing.T) {
	t.Parallel()
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100000")
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte{'a'})
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}
	server := serve(t, http.HandlerFunc(drip))
	mirror := withOnlyMirror(t, "quay.io", host(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			drip(w, r)
		}
	}))))
	file := contentOf(server.URL+"/file", noise(1, 100_000))
	blob := manifests.Content{Digest: file.Digest, Size: file.Size, Repository: "quay.io/wire/brig"}
	for name, test := range map[string]struct {
		options Options
		ask     func(*Upstream) error
		object  string
	}{
		"file": {Options{}, func(u *Upstream) error { _, err := readAll(t, u, file, 0); return err }, server.URL + "/file"},
		"blob": {mirror, func(u *Upstream) error { _, err := readAll(t, u, blob, 0); return err }, "quay.io/wire/brig@sha256:"},
		"manifest": {mirror, func(u *Upstream) error {
			_, err := u.Manifest(t.Context(), imageRef(t, "quay.io/wire/brig:1"))
			return err
		}, "quay.io/wire/brig:1"},
		"index": {Options{}, func(u *Upstream) error {
			_, err := u.Chart(t.Context(), server.URL, "brig", "1.3.0")
			return err
		}, "chart brig 1.3.0 from"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := test.options
			options.Network = registry.Options{RateWindow: 200 * time.Millisecond}
			u := newUpstream(t, options)
			err := test.ask(u.Upstream)
			wantError(t, err, test.object, "127.0.0.1:", "which is slower than 1.00 KiB a second")
			if len(u.clock.pauses) != registry.MaxTries/2-1 {
				t.Errorf("%d pauses, wanted %d", len(u.clock.pauses), registry.MaxTries/2-1)
			}
			options.Network = registry.Options{Patience: 300 * time.Millisecond}
			u = newUpstream(t, options)
			err = test.ask(u.Upstream)
			var impatient *registry.PatienceError
			if !errors.As(err, &impatient) || !strings.Contains(fmt.Sprint(hintOf(err)), "--patience") {
				t.Errorf("error is %v, hint %s", err, hintOf(err))
			}
			wantError(t, err, test.object, "nothing was finished for 300ms; waited for http://127.0.0.1:")
		})
	}
}

func hintOf(err error) string {
	var explained *fault.Error
	if errors.As(err, &explained) {
		return explained.Hint
	}
	return ""
}

package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/islandbundle/island/bundle/registry"
)

// TestSecretsAreSent checks with which query and user what is in a repository is
// asked for.
func TestSecretsAreSent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		repo, reference string // BASE is the server
		index, archive  string // USER QUERY that they are asked for with
		url             string
	}{
		"token":               {"BASE/p?private_token=a%2Bb", "c.tgz", " private_token=a%2Bb", " private_token=a%2Bb", "BASE/p/c.tgz"},
		"token and slash":     {"BASE/p/?private_token=x", "d/c.tgz", " private_token=x", " private_token=x", "BASE/p/d/c.tgz"},
		"plain query":         {"BASE/p?ref=main", "c.tgz", " ref=main", " ref=main", "BASE/p/c.tgz?ref=main"},
		"both":                {"BASE/p?ref=main&t=x", "c.tgz", " ref=main&t=x", " ref=main&t=x", "BASE/p/c.tgz?ref=main"},
		"absolute below":      {"BASE/p?t=x", "BASE/p/c.tgz", " t=x", " t=x", "BASE/p/c.tgz"},
		"absolute elsewhere":  {"BASE/p?t=x", "BASE/q/c.tgz", " t=x", " ", "BASE/q/c.tgz"},
		"signed":              {"BASE/p", "BASE/q/c.tgz?sig=y&se=1", " ", " sig=y&se=1", "BASE/q/c.tgz"},
		"signed, and a token": {"BASE/p?t=x", "c.tgz?sig=y", " t=x", " sig=y", "BASE/p/c.tgz"},
		"user":                {"USER@BASE/p", "c.tgz", "me:pw ", "me:pw ", "BASE/p/c.tgz"},
		"user, same host":     {"USER@BASE/p", "BASE/q/c.tgz", "me:pw ", "me:pw ", "BASE/q/c.tgz"},
		"user and token":      {"USER@BASE/p?t=x", "/q/c.tgz", "me:pw t=x", "me:pw t=x", "BASE/q/c.tgz"},
		"user of the archive": {"BASE/p", "USER@BASE/p/c.tgz", " ", "me:pw ", "BASE/p/c.tgz"},
		"fragment":            {"BASE/p#x", "c.tgz#y", " ", " ", "BASE/p/c.tgz"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			asked := map[string]string{}
			var base string
			replace := func(s string) string {
				s = strings.ReplaceAll(s, "USER@BASE", strings.Replace(base, "://", "://me:pw@", 1))
				return strings.ReplaceAll(s, "BASE", base)
			}
			archive := chartArchive(t, "brig", "1.3.0")
			server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				mu.Lock()
				asked[filepath.Base(r.URL.Path)] = strings.TrimPrefix(user+":"+password, ":") + " " + r.URL.RawQuery
				mu.Unlock()
				if strings.HasSuffix(r.URL.Path, "/index.yaml") {
					_, _ = fmt.Fprintf(w, "entries:\n  brig:\n  - version: 1.3.0\n    urls: ['%s']\n", replace(test.reference))
					return
				}
				_, _ = w.Write(archive)
			}))
			base = server.URL
			chart, err := newUpstream(t, Options{}).Chart(t.Context(), replace(test.repo), "brig", "1.3.0")
			if err != nil {
				t.Fatal(err)
			}
			if chart.Content.URL != replace(test.url) {
				t.Errorf("the lock would hold %s", chart.Content.URL)
			}
			if asked["index.yaml"] != test.index || asked["c.tgz"] != test.archive {
				t.Errorf("asked with %q, wanted %q and %q", asked, test.index, test.archive)
			}
		})
	}
}

// TestSecretsAreForOneHost holds that user information goes to its host alone, and
// that a redirect takes nothing along.
func TestSecretsAreForOneHost(t *testing.T) {
	t.Parallel()
	archive := chartArchive(t, "brig", "1.3.0")
	var told []string
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = append(told, r.Header.Get("Authorization")+r.Header.Get("Referer")+r.URL.RawQuery)
		_, _ = w.Write(archive)
	}))
	elsewhere := "http://localhost:" + strings.Split(host(other), ":")[1]
	mux := http.NewServeMux()
	mux.Handle("/redirects/c.tgz", http.RedirectHandler(elsewhere+"/r.tgz", http.StatusFound))
	mux.HandleFunc("/redirects/index.yaml", entryOf("    urls: [c.tgz]\n"))
	mux.HandleFunc("/names/index.yaml", entryOf("    urls: ['"+elsewhere+"/c.tgz']\n"))
	server := serve(t, mux)
	for _, repo := range []string{"redirects", "names"} {
		u := newUpstream(t, naming(strings.TrimPrefix(elsewhere, "http://")))
		if _, err := u.Chart(t.Context(), "http://me:hunter2@"+host(server)+"/"+repo+"?private_token=hunter2", "brig", "1.3.0"); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(told, ""); len(told) != 2 || got != "" {
		t.Errorf("the other host was told %q", told)
	}
}

// TestUserOverPlainHTTP holds that user information which a release writes before a
// host of http:// is sent there, and what a keychain has is not.
func TestUserOverPlainHTTP(t *testing.T) {
	t.Parallel()
	var said []string
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		said = append(said, password)
		_, _ = io.WriteString(w, "content")
	}))
	toServer := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, host(server))
	}
	keychain := logins{"files.example.com": authn.AuthConfig{Username: "keychain", Password: "keychain"}}
	for _, url := range []string{"http://me:hunter2@files.example.com/f", "http://files.example.com/f"} {
		u := newUpstream(t, Options{Network: registry.Options{Dial: toServer, Keychain: keychain}})
		if _, err := u.Stat(t.Context(), url); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(said, ","); got != "hunter2," {
		t.Errorf("the server was told %q", got)
	}
}

// TestCleaner takes secrets out of indexes of every style, cut into pieces anywhere.
func TestCleaner(t *testing.T) {
	t.Parallel()
	for name, index := range map[string]string{
		"block": "entries:\n  brig:\n  - icon: https://h/i.png?sanitize=true\n    urls:\n    - https://h/c.tgz?sig=hunter2\n" +
			"    version: 1.3.0\n",
		"flow":   "entries: {brig: [{urls: [c.tgz?token=hunter2], version: 1.3.0}]}\n",
		"quoted": "entries:\n  brig:\n  - urls: [\"https://me:hunter2@h/c.tgz\"]\n    version: 1.3.0\n",
		"JSON":   `{"entries":{"brig":[{"urls":["https:\/\/h\/c.tgz?raw=1\u0026sig=hunter2"],"version":"1.3.0"}]}}`,
		"bracket": "entries:\n  brig:\n  - urls: [\"https://h/c.tgz?a[]=hunter2&b={hunter2}|hunter2'hunter2\",'https://h/d.tgz?[x]=hunter2']\n" +
			"    version: 1.3.0\n",
		"compact": `{"entries":{"brig":[{"home":"","icon":"it's","urls":["https://h/c.tgz?a[]=hunter2&b={x}hunter2"],"version":"1.3.0"}]}}`,
		"prose": "entries:\n  brig:\n  - description: \"see <a href='https://me:hunter2@h/'>it</a>, [x](https://h/x?t=hunter2)\"\n" +
			"    urls: [c.tgz?t=hunter2]\n    version: 1.3.0\n",
		"bare":    "entries:\n  brig:\n  - urls:\n    - c.tgz?hunter2\n    version: 1.3.0\n",
		"twice":   "entries:\n  brig:\n  - urls: ['https://h/d?f=c.tgz&s=hunter2', 'https://h/d?f=e.tgz&s=hunter2']\n    version: 1.3.0\n",
		"network": "entries:\n  brig:\n  - urls:\n    - //h/c.tgz?token=hunter2\n    version: 1.3.0\n",
		"sent":    "entries:\n  brig:\n  - urls: [c.tgz]\n    version: 1.3.0\n    description: you said hunter2\n",
	} {
		for size := 1; size < 40; size += 3 {
			var out bytes.Buffer
			clean := &cleaner{to: &out, hide: func(s string) string { return strings.ReplaceAll(s, "hunter2", "…") }}
			if name != "sent" {
				clean.hide = nil
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{clean}, strings.NewReader(index), make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			if err := clean.end(); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Fatalf("%s: %s", name, out.String())
			}
			s := search{name: "brig", version: "1.3.0"}
			if err := s.scan(bytes.NewReader(out.Bytes())); err != nil || len(s.found) != 1 {
				t.Fatalf("%s: %v\n%s", name, err, out.String())
			}
			whole := indexFile{secrets: clean.secrets}.whole(s.found[0].URLs[0])
			if name != "sent" && !strings.Contains(whole, "hunter2") || !strings.Contains(whole, "c.tgz") {
				t.Fatalf("%s: URL is %s", name, whole)
			}
			if strings.Contains(out.String(), "sanitize=true#") || int64(out.Len()) != clean.written {
				t.Fatalf("%s: %s", name, out.String())
			}
		}
	}
	long := "entries: {}\nx: data:image/png;base64," + strings.Repeat("A", 1<<20) + "\n"
	var out bytes.Buffer
	clean := &cleaner{to: &out}
	if _, err := io.Copy(clean, strings.NewReader(long)); err != nil || clean.end() != nil || out.String() != long {
		t.Errorf("a long word: %d of %d bytes, error %v", out.Len(), len(long), err)
	}
	if _, err := clean.Write([]byte("?" + strings.Repeat("A", maxWord))); err == nil {
		t.Error("an endless URL was taken")
	}
}

// TestIndexWithSecretsIsAskedForAnew checks that an index whose secrets are not kept is
// not taken from the cache while it can be asked for, and can be without a network.
func TestIndexWithSecretsIsAskedForAnew(t *testing.T) {
	t.Parallel()
	archive := chartArchive(t, "brig", "1.3.0")
	signature := "first"
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/index.yaml" && r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		case r.URL.Path == "/index.yaml":
			w.Header().Set("ETag", `"1"`)
			entryOf("    urls: ['/c.tgz?sig=hunter2"+signature+"']\n")(w, r)
		case r.URL.Query().Get("sig") != "hunter2"+signature:
			w.WriteHeader(http.StatusForbidden)
		default:
			_, _ = w.Write(archive)
		}
	}))
	dir := t.TempDir()
	for _, signature = range []string{"first", "second"} {
		if err := os.RemoveAll(filepath.Join(dir, blobsFolder)); err != nil && signature == "second" {
			t.Fatal(err)
		}
		checkChart(t, newUpstream(t, Options{CacheDir: dir}).Upstream, server.URL, server.URL+"/c.tgz")
		again := newUpstream(t, Options{CacheDir: dir})
		checkChart(t, again.Upstream, server.URL, server.URL+"/c.tgz")
	}
	checkChart(t, newUpstream(t, Options{CacheDir: dir, Network: registry.Options{Offline: true}}).Upstream, server.URL, server.URL+"/c.tgz")
	filesHold(t, dir, "hunter2")
}

// filesHold fails for every file below a folder that holds a text.
func filesHold(t *testing.T, dir, text string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			t.Errorf("%s holds %s", path, text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestMirrorsWithSecrets asks mirrors that have secrets of their own, which the
// origin does not get.
func TestMirrorsWithSecrets(t *testing.T) {
	t.Parallel()
	archive := chartArchive(t, "brig", "1.3.0")
	memory := memoryRegistry()
	plain := host(serve(t, memory))
	pushChart(t, plain+"/charts/brig:1.3.0", archive, chartMediaType)
	image := push(t, plain+"/wire/brig:1")
	guarded := host(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user+password != "mehunter2/" {
			w.Header().Set("WWW-Authenticate", `Basic realm="mirror"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		memory.ServeHTTP(w, r)
	})))
	for _, location := range []string{"oci://me:hunter2%2F@" + guarded, "me:hunter2%2F@" + guarded} {
		u := newUpstream(t, withOnlyMirror(t, "quay.io", location))
		m, err := u.Manifest(t.Context(), imageRef(t, "quay.io/wire/brig:1"))
		if err != nil || m.Digest != digestOf(t, image) {
			t.Errorf("%s: %v", location, err)
		}
		charts := newUpstream(t, withOnlyMirror(t, "oci://ghcr.io/x", location+"/charts"))
		checkChart(t, charts.Upstream, "oci://me:wrong@ghcr.io/x", "oci://ghcr.io/x/brig")
	}
	wrong := newUpstream(t, withOnlyMirror(t, "quay.io", "me:swordfish@"+guarded))
	_, err := wrong.Manifest(t.Context(), imageRef(t, "quay.io/wire/brig:1"))
	wantError(t, err, guarded+"/wire/brig", "401")
	if strings.Contains(err.Error(), "swordfish") {
		t.Error(err)
	}
	web := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, _, _ := r.BasicAuth(); r.URL.Query().Get("token") != "hunter2/" || user != "me" || r.URL.Query().Get("t") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if strings.HasSuffix(r.URL.Path, "index.yaml") {
			entryOf("    urls: [c.tgz]\n")(w, r)
			return
		}
		_, _ = w.Write(archive)
	}))
	u := newUpstream(t, withOnlyMirror(t, "https://charts.example.com/a", strings.Replace(web.URL, "://", "://me:pw@", 1)+"/b?token=hunter2/"))
	checkChart(t, u.Upstream, "https://charts.example.com/a?t=mine&ref=main", "https://charts.example.com/a/c.tgz?ref=main")
}

// FuzzCleaner holds that it does not matter where an index is cut, that nothing plain is
// changed, and that what was taken out can be put in again.
func FuzzCleaner(f *testing.F) {
	f.Add([]byte("urls: [https://me:pw@h/c.tgz?sig=x, 'd?a=b']"), 3)
	f.Add([]byte(`{"urls":["https:\/\/h\/c.tgz?raw=1\u0026sig=x"]}`), 7)
	f.Fuzz(func(t *testing.T, index []byte, cut int) {
		var whole, parts bytes.Buffer
		one, two := &cleaner{to: &whole}, &cleaner{to: &parts}
		if _, err := one.Write(index); err != nil || one.end() != nil {
			return
		}
		for rest := index; len(rest) > 0; {
			n := min(max(cut, 1), len(rest))
			if _, err := two.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
		if err := two.end(); err != nil || !bytes.Equal(whole.Bytes(), parts.Bytes()) {
			t.Fatalf("%q becomes %q, and in parts %q: %v", index, whole.Bytes(), parts.Bytes(), err)
		}
		if len(one.secrets) == 0 && !bytes.Equal(whole.Bytes(), index) {
			t.Fatalf("%q becomes %q", index, whole.Bytes())
		}
		for written := range one.secrets {
			if !bytes.Contains(whole.Bytes(), []byte(written)) {
				t.Fatalf("%q is not in %q", written, whole.Bytes())
			}
		}
	})
}

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// canaries are secrets that nothing which the program prints or writes may hold, in
// any form. Each has a letter that is written otherwise in a URL.
type canaries struct {
	seed string
	mu   sync.Mutex
	all  []string
}

// new returns a secret for a place, as it is and as a URL has it.
func (c *canaries) new(place string) (raw, escaped string) {
	raw = "canary+" + place + "/" + c.seed
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, raw)
	return raw, url.QueryEscape(raw)
}

// forms returns all that would give a secret away.
func (c *canaries) forms() map[string]string {
	forms := map[string]string{}
	for _, raw := range c.all {
		for _, form := range []string{
			raw, url.QueryEscape(raw), url.PathEscape(raw), strings.ToLower(url.QueryEscape(raw)), url.QueryEscape(url.QueryEscape(raw)),
			hex.EncodeToString([]byte(raw)), strings.ReplaceAll(raw, "/", `\/`),
		} {
			forms[form] = raw
		}
		for shift := range 3 { // base64 of it behind 0 to 2 other bytes, without what these change
			padded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + raw))
			forms[padded[(shift*8+5)/6:len(padded)-2]] = raw
			padded = base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + raw))
			forms[padded[(shift*8+5)/6:len(padded)-2]] = raw
		}
	}
	return forms
}

// guardedWorld is an upstream in which nothing is given without the right secret,
// and which says every secret again when it refuses.
type guardedWorld struct {
	t     *testing.T
	mux   *http.ServeMux
	host  string
	other string // another host, to which it redirects
	canaries
	leaked []string // secrets that came to where they are not for
}

func newGuardedWorld(t *testing.T, seed string) *guardedWorld {
	t.Helper()
	w := &guardedWorld{t: t, mux: http.NewServeMux(), canaries: canaries{seed: seed}}
	server := httptest.NewServer(w.mux)
	t.Cleanup(server.Close)
	w.host = strings.TrimPrefix(server.URL, "http://")
	archive := tgz(t, "redirected", "1.0.0", "")
	other := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if said := r.Header.Get("Authorization") + r.Header.Get("Referer") + r.URL.RawQuery; said != "" {
			w.leaked = append(w.leaked, said)
		}
		_, _ = out.Write(archive)
	}))
	t.Cleanup(other.Close)
	w.other = strings.Replace(strings.TrimPrefix(other.URL, "http://"), "127.0.0.1", "localhost", 1)
	return w
}

// guard answers a path for whoever has a secret: as the query's parameter of a name,
// or as the password of somebody.
func (w *guardedWorld) guard(path, parameter, secret string, answer []byte) {
	w.mux.HandleFunc(path, func(out http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		user, _, _ := r.BasicAuth()
		given := password == secret || user == secret
		if parameter != "" {
			given = r.URL.Query().Get(parameter) == secret
		}
		if !given {
			w.refuse(out, r, http.StatusForbidden)
			return
		}
		out.Header().Set("ETag", `"1"`)
		_, _ = out.Write(answer)
	})
}

// refuse answers as a server that tells everything that it was asked.
func (w *guardedWorld) refuse(out http.ResponseWriter, r *http.Request, status int) {
	said := fmt.Sprintf("no: %s %v %v", r.URL, r.URL.Query(), r.Header["Authorization"])
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": said}}})
}

// tgz makes a chart whose one image is given, if any.
func tgz(t *testing.T, name, version, more string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	writer := tar.NewWriter(zipped)
	for file, body := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n" + more,
	} {
		if err := writer.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func indexOf(chart, reference string) []byte {
	return fmt.Appendf(nil, "entries:\n  %s:\n  - name: %s\n    version: 1.0.0\n    urls:\n    - %s\n", chart, chart, reference)
}

// fill makes the upstream and the documents that name it.
func (w *guardedWorld) fill(folder string) {
	w.t.Helper()
	var charts, files []string
	chart := func(name, repo string) {
		charts = append(charts, fmt.Sprintf("  - {name: %s, repo: '%s', version: 1.0.0}", name, repo))
	}
	base := "http://" + w.host
	password := func(name, index string) { // of a chart repository
		raw, escaped := w.new(name)
		w.guard("/"+name+"/index.yaml", "", raw, indexOf(name, index))
		w.guard("/"+name+"/"+name+".tgz", "", raw, tgz(w.t, name, "1.0.0", ""))
		chart(name, "http://me:"+escaped+"@"+w.host+"/"+name)
	}
	password("password", "password.tgz")
	password("absolute", base+"/absolute/absolute.tgz")
	raw, escaped := w.new("user")
	w.guard("/user/index.yaml", "", raw, indexOf("user", "user.tgz"))
	w.guard("/user/user.tgz", "", raw, tgz(w.t, "user", "1.0.0", ""))
	chart("user", "http://"+escaped+"@"+w.host+"/user/")
	for name, parameter := range map[string]string{"token": "private_token", "strange": "zugang", "sas": "sig"} {
		raw, escaped := w.new(name)
		w.guard("/"+name+"/index.yaml", parameter, raw, indexOf(name, name+".tgz"))
		w.guard("/"+name+"/"+name+".tgz", parameter, raw, tgz(w.t, name, "1.0.0", ""))
		chart(name, base+"/"+name+"?ref=main&"+parameter+"="+escaped)
	}
	signed := func(name, reference string) { // of an archive, in an index for everybody
		w.mux.HandleFunc("/"+name+"/index.yaml", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("ETag", `"1"`)
			_, _ = out.Write(indexOf(name, reference))
		})
		chart(name, base+"/"+name)
	}
	raw, escaped = w.new("presigned")
	w.guard("/s3/presigned.tgz", "X-Amz-Signature", raw, tgz(w.t, "presigned", "1.0.0", ""))
	signed("presigned", base+"/s3/presigned.tgz?X-Amz-Date=20260101T000000Z&X-Amz-Signature="+escaped)
	raw, escaped = w.new("relative")
	w.guard("/relative/relative.tgz", "t", raw, tgz(w.t, "relative", "1.0.0", ""))
	signed("relative", `"relative.tgz?t=`+escaped+`"`)
	raw, escaped = w.new("inindex")
	w.guard("/private/inindex.tgz", "", raw, tgz(w.t, "inindex", "1.0.0", ""))
	signed("inindex", "http://me:"+escaped+"@"+w.host+"/private/inindex.tgz")
	raw, escaped = w.new("redirected")
	w.guard("/redirected/index.yaml", "", raw, indexOf("redirected", "redirected.tgz"))
	w.mux.HandleFunc("/redirected/redirected.tgz", func(out http.ResponseWriter, r *http.Request) {
		http.Redirect(out, r, "http://"+w.other+"/elsewhere.tgz", http.StatusFound)
	})
	_, token := w.new("redirectedquery")
	chart("redirected", "http://me:"+escaped+"@"+w.host+"/redirected?private_token="+token)
	raw, escaped = w.new("alias")
	w.guard("/alias/index.yaml", "private_token", raw, indexOf("alias", "alias.tgz"))
	w.guard("/alias/alias.tgz", "private_token", raw, tgz(w.t, "alias", "1.0.0", ""))
	aliases := "repositoryAliases: {ours: '" + base + "/alias?private_token=" + escaped + "'}\n"
	_, commit := w.new("commit")
	charts = append(charts, "  - {name: alias, repo: ours, version: 1.0.0, meta: {commitURL: 'https://me:"+commit+"@git.example.com/c'}}")

	raw, escaped = w.new("registry")
	w.registry(raw)
	chart("registry", "oci://me:"+escaped+"@"+w.host+"/registry")

	file := func(name, parameter, link string, raw string) {
		content := []byte("content of " + name)
		w.guard("/files/"+name, parameter, raw, content)
		files = append(files, fmt.Sprintf("  - {url: '%s', sha256: %x, destination: %s}", link, sha256.Sum256(content), name))
	}
	raw, escaped = w.new("filetoken")
	file("filetoken", "private_token", base+"/files/filetoken?inline=false&private_token="+escaped, raw)
	raw, escaped = w.new("fileuser")
	file("fileuser", "", "http://me:"+escaped+"@"+w.host+"/files/fileuser", raw)
	raw, escaped = w.new("filesas")
	file("filesas", "sig", base+"/files/filesas?sv=2024&se=2030&sig="+escaped, raw)

	raw, escaped = w.new("mirrorquery")
	user, userEscaped := w.new("mirroruser")
	w.guard("/mirrored/index.yaml", "private_token", raw, indexOf("mirrored", "https://charts.example.com/mirrored/mirrored.tgz"))
	w.guard("/mirrored/mirrored.tgz", "", user, tgz(w.t, "mirrored", "1.0.0", ""))
	_, unused := w.new("never")
	chart("mirrored", "https://me:"+unused+"@charts.example.com/mirrored?private_token="+unused)
	write(w.t, filepath.Join(folder, "mirrors.yaml"), []byte("apiVersion: island/v1\nkind: Mirrors\nrules:\n"+
		"- prefix: https://charts.example.com\n  onlyMirrors: true\n  mirrors:\n"+
		"  - location: http://me:"+userEscaped+"@"+w.host+"?private_token="+escaped+"\n    insecure: true\n"+
		"- prefix: quay.io\n  onlyMirrors: true\n  mirrors: [{location: 'oci://me:"+url.QueryEscape(w.all[len(w.all)-1])+"@"+w.host+"/none'}]\n"))

	raw, escaped = w.new("overlay")
	w.guard("/overlaid/index.yaml", "", raw, indexOf("overlaid", "overlaid.tgz"))
	w.guard("/overlaid/overlaid.tgz", "", raw, tgz(w.t, "overlaid", "1.0.0", ""))
	write(w.t, filepath.Join(folder, "overlay.yaml"), []byte("apiVersion: island/v1\nkind: Overlay\n"+
		"charts:\n  - {name: overlaid, repo: 'http://me:"+escaped+"@"+w.host+"/overlaid', version: 1.0.0}\n"))
	write(w.t, filepath.Join(folder, "release.yaml"), []byte("apiVersion: island/v1\nkind: Release\n"+
		"metadata: {name: guarded, version: 1.0.0, date: 2026-03-31}\nplatforms: [linux/amd64]\n"+aliases+
		"charts:\n"+strings.Join(charts, "\n")+"\nfiles:\n"+strings.Join(files, "\n")+"\n"))
	changed := strings.Replace(charts[0], "version: 1.0.0", "version: 2.0.0", 1)
	write(w.t, filepath.Join(folder, "newer.yaml"), []byte("apiVersion: island/v1\nkind: Release\n"+
		"metadata: {name: guarded, version: 2.0.0, date: 2026-04-30}\nplatforms: [linux/amd64]\n"+aliases+
		"charts:\n"+strings.Join(append([]string{changed}, charts[1:]...), "\n")+"\nfiles:\n"+strings.Join(files[1:], "\n")+"\n"))
}

// registry serves a registry with one chart to whoever has the password.
func (w *guardedWorld) registry(password string) {
	handler := registry.New(registry.Logger(log.New(bytes.NewBuffer(nil), "", 0)))
	plain := httptest.NewServer(handler)
	w.t.Cleanup(plain.Close)
	ref, err := name.ParseReference(strings.TrimPrefix(plain.URL, "http://")+"/registry/registry:1.0.0", name.Insecure)
	if err != nil {
		w.t.Fatal(err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.helm.config.v1+json")
	layer := static.NewLayer(tgz(w.t, "registry", "1.0.0", ""), "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		w.t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		w.t.Fatal(err)
	}
	w.mux.HandleFunc("/v2/", func(out http.ResponseWriter, r *http.Request) {
		if _, given, _ := r.BasicAuth(); given != password {
			out.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.refuse(out, r, http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(out, r)
	})
}

// outputs are all that the program said and wrote.
type outputs struct {
	t      *testing.T
	folder string
	said   map[string]string // by command
}

// must and may run the program, and keep what it says.
func (o *outputs) must(args ...string) string {
	o.t.Helper()
	stdout, stderr, err := o.try(args...)
	if err != nil {
		o.t.Fatalf("island %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

func (o *outputs) fails(args ...string) string {
	o.t.Helper()
	_, stderr, err := o.try(args...)
	if err == nil {
		o.t.Errorf("island %s did not fail", strings.Join(args, " "))
	}
	return stderr
}

func (o *outputs) try(args ...string) (stdout, stderr string, err error) {
	o.t.Helper()
	stdout, stderr, err = try(o.t, o.folder, island, args...)
	o.said[strings.Join(args, " ")] = stdout + stderr
	return stdout, stderr, err
}

// check looks for secrets in everything.
func (o *outputs) check(forms map[string]string, inputs ...string) {
	o.t.Helper()
	look := func(where, text string) {
		for form, secret := range forms {
			if at := strings.Index(text, form); at >= 0 {
				o.t.Errorf("%s holds %s: …%q…", where, secret, text[max(0, at-60):min(len(text), at+len(form)+20)])
			}
		}
	}
	for command, said := range o.said {
		look("what island "+command+" said", said)
	}
	err := filepath.WalkDir(o.folder, func(path string, entry fs.DirEntry, err error) error {
		relative, _ := filepath.Rel(o.folder, path)
		look("the name "+relative, relative)
		for _, input := range inputs {
			if relative == input {
				return nil
			}
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		look(relative, string(data))
		return err
	})
	if err != nil {
		o.t.Error(err)
	}
}

// TestSecretsInURLsStayWhereTheyAre holds that secrets in URLs work for fetching, and
// that nothing which comes out has any: lock, bundle, cache, reports, errors.
func TestSecretsInURLsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	w := newGuardedWorld(t, "one")
	o := &outputs{t: t, folder: t.TempDir(), said: map[string]string{}}
	w.fill(o.folder)
	inputs := []string{"release.yaml", "newer.yaml", "overlay.yaml", "mirrors.yaml", "old.lock.json", "bad.yaml", "site.yaml"}
	common := []string{"--mirrors", "mirrors.yaml", "--cache-dir", "cache"}
	release := append([]string{"-f", "release.yaml", "--overlay", "overlay.yaml"}, common...)
	with := func(args ...string) func(more ...string) []string {
		return func(more ...string) []string { return append(append([]string{}, args...), more...) }
	}
	o.must(with("resolve", "-o", "island.lock.json")(release...)...)
	o.must(with("resolve", "-o", "-")(release...)...)
	o.must(with("resolve", "--output", "json", "-o", "again.lock.json")(release...)...)
	sameFiles(t, o.folder, "island.lock.json", "again.lock.json")
	o.must(with("discover")(release...)...)
	o.must(with("discover", "--output", "json", "--offline")(release...)...)
	o.must(with("build", "--unsigned", "--without-tools", "-o", "of-release.tar")(release...)...)
	// A lock knows no secrets: charts are in the cache, files are not.
	said := o.fails(with("build", "island.lock.json", "--unsigned", "--without-tools", "-o", "of-lock.tar")(common...)...)
	if !strings.Contains(said, "a lock holds no user, token or query of a URL; if the release has one, build from the release (-f)") {
		t.Errorf("building from the lock says:\n%s", said)
	}
	o.checkMirroredFiles(w)
	sameFiles(t, o.folder, "of-release.tar", "of-lock.tar")
	for _, subject := range []string{"island.lock.json", "of-release.tar"} {
		for _, what := range []string{"--charts", "--files", "--images", "--left-out", "--sbom", "--why=fileuser", "--patches"} {
			_, _, _ = o.try("show", subject, what)
			_, _, _ = o.try("show", subject, what, "--output", "json")
		}
		o.must("show", subject)
	}
	o.must("verify", "of-release.tar", "--allow-unsigned")
	_, _, _ = o.try("diff", "release.yaml", "newer.yaml")
	_, _, _ = o.try("diff", "release.yaml", "newer.yaml", "--output", "json")
	_, _, _ = o.try("diff", "release.yaml", "island.lock.json", "--output", "json")
	o.must("patch", "from", "release.yaml", "newer.yaml", "--id", "G-1", "--severity", "high", "-o", "patch.yaml")
	o.must("patch", "from", "release.yaml", "newer.yaml", "--id", "G-1", "--severity", "high", "-o", "-")
	o.must("patches", "-f", "release.yaml", "-p", "patch.yaml", "--output", "json")
	o.fails(with("resolve", "-p", "patch.yaml", "--sequence", "2", "-o", "patched.lock.json")(release...)...) // 2.0.0 is nowhere
	o.brokenOnes(w, with("resolve", "-o", "never.lock.json")(common...))
	o.oldLock(w)
	o.check(w.forms(), inputs...)
	for _, said := range w.leaked {
		t.Errorf("another host was told %s", said)
	}
}

// checkMirroredFiles builds from the lock with the secrets in the mirrors file.
func (o *outputs) checkMirroredFiles(w *guardedWorld) {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.folder, "mirrors.yaml"))
	if err != nil {
		o.t.Fatal(err)
	}
	for file, parameters := range map[string]string{"filetoken": "private_token=", "fileuser": "", "filesas": "sv=2024&sig="} {
		for _, raw := range w.all {
			if !strings.HasPrefix(raw, "canary+"+file+"/") {
				continue
			}
			location := "http://" + w.host + "/files/" + file + "?" + parameters + url.QueryEscape(raw)
			if parameters == "" {
				location = "http://me:" + url.QueryEscape(raw) + "@" + w.host + "/files/" + file
			}
			data = append(data, []byte("- prefix: http://"+w.host+"/files/"+file+"\n  mirrors: [{location: '"+location+"'}]\n")...)
		}
	}
	write(o.t, filepath.Join(o.folder, "mirrors.yaml"), data)
	o.must("build", "island.lock.json", "--unsigned", "--without-tools", "-o", "of-lock.tar",
		"--mirrors", "mirrors.yaml", "--cache-dir", "cache")
}

// brokenOnes resolves releases that name what is not there, refused or no URL.
func (o *outputs) brokenOnes(w *guardedWorld, resolve []string) {
	o.t.Helper()
	_, escaped := w.new("wrong")
	for _, status := range []int{401, 403, 404, 400} {
		w.mux.HandleFunc(fmt.Sprintf("/status%d/", status), func(out http.ResponseWriter, r *http.Request) { w.refuse(out, r, status) })
	}
	w.mux.HandleFunc("/echo/", func(out http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(out, "%s\n%s\n", r.URL.RawQuery, r.URL.Query())
	})
	var repos []string
	for _, path := range []string{"status401", "status403", "status404", "status400", "echo"} {
		repos = append(repos, "http://me:"+escaped+"@"+w.host+"/"+path+"?private_token="+escaped)
	}
	repos = append(repos,
		"oci://me:"+escaped+"@"+w.host+"/registry2", "oci://"+w.host+"/x?private_token="+escaped,
		"https://me:"+escaped+"%zz@"+w.host+"/x", "https://me:hun/"+escaped+"@"+w.host+"/x", "ftp://me:"+escaped+"@"+w.host+"/x",
		"s3://me:"+escaped+"@bucket/x?sig="+escaped, "https://me:"+escaped+"@127.0.0.1:1/x?sig="+escaped,
	)
	for _, repo := range repos {
		for _, kind := range []string{"charts", "chart", "files"} {
			body := map[string]string{
				"charts": "charts:\n  - {name: bad, repo: '" + repo + "', version: 1.0.0}\n  - {name: bad, repo: '" + repo + "', version: 1.0.0}\n",
				"chart":  "charts:\n  - {name: bad, repo: '" + repo + "', version: 1.0.0}\n",
				"files":  "files:\n  - {url: '" + repo + "', sha256: " + strings.Repeat("0", 64) + ", destination: bad}\n",
			}[kind]
			write(o.t, filepath.Join(o.folder, "bad.yaml"), []byte("apiVersion: island/v1\nkind: Release\n"+
				"metadata: {name: bad, version: 1.0.0, date: 2026-03-31}\nplatforms: [linux/amd64]\n"+body))
			_, stderr, _ := o.try(append(append([]string{}, resolve...), "-f", "bad.yaml")...)
			o.said[kind+" "+strings.ReplaceAll(repo, escaped, "…")] = stderr
		}
	}
	for _, location := range []string{
		"me:" + escaped + "@registry/x", "oci://me:" + escaped + "@registry", "https://me:" + escaped + "%zz@h", "ftp://" + escaped + "@h",
	} {
		write(o.t, filepath.Join(o.folder, "site.yaml"), []byte("apiVersion: island/v1\nkind: Mirrors\nrules:\n"+
			"- prefix: https://charts.example.com\n  mirrors: [{location: '"+location+"'}]\n"))
		o.fails("resolve", "-f", "release.yaml", "--mirrors", "site.yaml", "-o", "never.lock.json")
	}
}

// oldLock builds from a lock of an earlier version, which has secrets.
func (o *outputs) oldLock(w *guardedWorld) {
	o.t.Helper()
	_, escaped := w.new("oldlock")
	data, err := os.ReadFile(filepath.Join(o.folder, "island.lock.json"))
	if err != nil {
		o.t.Fatal(err)
	}
	bare := "http://" + w.host + "/files/fileuser\""
	old := strings.ReplaceAll(string(data), bare, strings.Replace(bare, "http://", "http://me:"+escaped+"@", 1))
	write(o.t, filepath.Join(o.folder, "old.lock.json"), []byte(old))
	if said := o.fails("build", "old.lock.json", "--unsigned", "--without-tools", "-o", "old.tar"); !strings.Contains(said, "resolve again") {
		o.t.Errorf("a lock with a secret is told as:\n%s", said)
	}
	o.must("show", "old.lock.json", "--files")
	o.must("show", "old.lock.json", "--files", "--output", "json")
	o.must("show", "old.lock.json", "--sbom")
	o.must("diff", "old.lock.json", "island.lock.json", "--output", "json")
}

func sameFiles(t *testing.T, folder, one, other string) {
	t.Helper()
	a, err := os.ReadFile(filepath.Join(folder, one))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(folder, other))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s and %s differ", one, other)
	}
}

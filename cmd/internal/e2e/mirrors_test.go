package e2e

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/islandbundle/island/internal/fixture"
)

// pageOfMirrors is the page whose examples are tried here as they stand in it.
var pageOfMirrors = filepath.Join("..", "..", "..", "docs", "mirrors.md")

var mirrorsExample = regexp.MustCompile("(?s)<!-- example: ([a-z-]+) -->\n```yaml\n(.*?)```\n")

// company is a network in which nothing is reached but through a proxy that wants a
// login, and leads every name to servers that behave as those of the name would.
type company struct {
	world   *fixture.Server
	servers *httptest.Server // of all names, by TLS
	proxy   net.Listener
	ca      []byte // PEM

	mu        sync.Mutex
	connected []string // host:port that the proxy was asked for
	leaked    []string // what came to where it is not for
}

const proxyLogin = "me:s3cret"

func newCompany(t *testing.T, world *fixture.World) *company {
	t.Helper()
	backend, err := world.Serve(context.Background(), fixture.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	c := &company{world: backend}
	c.servers = httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	c.servers.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.ca, c.servers.TLS = certificates(t)
	c.servers.StartTLS()
	t.Cleanup(c.servers.Close)
	if c.proxy, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.proxy.Close() })
	go func() {
		for {
			connection, err := c.proxy.Accept()
			if err != nil {
				return
			}
			go c.connect(connection)
		}
	}()
	return c
}

// certificates makes an authority and a certificate of all names by it.
func certificates(t *testing.T) (ca []byte, config *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "company"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		DNSNames: []string{"*.company.example", "*.artifactory.company.example", "quay.io", "charts.example.com", "storage.cloud.example"},
	}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}),
		&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{server}, PrivateKey: key}}}
}

// connect is the proxy (RFC 9110, 9.3.6).
func (c *company) connect(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	if request.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(proxyLogin)) {
		fmt.Fprint(connection, "HTTP/1.1 407 Proxy Authentication Required\r\n"+
			"Proxy-Authenticate: Basic realm=\"company\"\r\nContent-Length: 0\r\n\r\n")
		return
	}
	if request.Method != http.MethodConnect {
		fmt.Fprint(connection, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
		return
	}
	c.mu.Lock()
	c.connected = append(c.connected, request.Host)
	c.mu.Unlock()
	to, err := net.Dial("tcp", c.servers.Listener.Addr().String())
	if err != nil {
		return
	}
	defer to.Close()
	fmt.Fprint(connection, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(to, reader); _ = to.Close() }()
	_, _ = io.Copy(connection, to)
}

// give answers with what upstream has under a path.
func (c *company) give(w http.ResponseWriter, r *http.Request, path string) {
	asked := r.Clone(r.Context())
	asked.URL.Path = path
	c.world.ServeHTTP(w, asked)
}

func (c *company) leak(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaked = append(c.leaked, what)
}

// serve answers as the host of the request would.
func (c *company) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Referer") != "" || r.Header.Get("Proxy-Authorization") != "" {
		c.leak("a header to " + r.Host)
	}
	switch host, _, _ := strings.Cut(r.Host, ":"); {
	case host == "quay.io" && r.URL.Path == "/v2/": // anybody may
	case host == "quay.io":
		c.give(w, r, strings.Replace(r.URL.Path, "/v2/", "/v2/quay.io/", 1))
	case host == "charts.example.com":
		c.give(w, r, "/charts/charts.example.com"+r.URL.Path)
	case strings.HasSuffix(host, "artifactory.company.example"):
		c.artifactory(w, r)
	case host == "harbor.company.example":
		c.harbor(w, r)
	case host == "nexus.company.example":
		c.nexus(w, r)
	case host == "storage.cloud.example":
		c.storage(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// refuse answers with a status and the error of a registry.
func refuse(w http.ResponseWriter, status int, code, authenticate string) {
	if authenticate != "" {
		w.Header().Set("WWW-Authenticate", authenticate)
	}
	w.Header().Set("Content-Type", "application/json;charset=ISO-8859-1")
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"as the product says it","detail":null}]}`, code)
}

func isMe(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	return user == "me" && password == "s3cret"
}

// token gives a token to whom it knows, for the one scope that is asked for.
func token(w http.ResponseWriter, r *http.Request, known bool) {
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": "T " + r.URL.Query().Get("scope"), "expires_in": 3600})
}

// mayPull reports whether a request has the token for a repository.
func mayPull(r *http.Request, repository string) bool {
	return r.Header.Get("Authorization") == "Bearer T repository:"+repository+":pull"
}

// parts cuts /v2/REPOSITORY/KIND/REFERENCE.
func parts(path string) (repository, kind string) {
	found := regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|tags|referrers)/[^/]+$`).FindStringSubmatch(path)
	if found == nil {
		return "", ""
	}
	return found[1], found[2]
}

// artifactory wants a login for everything, has its token server below a path of the
// main host, with the port, and redirects blobs to a cloud's storage. A repository's key
// is in the path or in the host's name; charts are on the main host.
func (c *company) artifactory(w http.ResponseWriter, r *http.Request) {
	key, sub := strings.CutSuffix(r.Host, ".artifactory.company.example")
	realm := "https://artifactory.company.example:443/v2/token"
	if sub {
		realm = "https://artifactory.company.example:443/artifactory/api/docker/" + key + "/v2/token"
	}
	challenge := fmt.Sprintf(`Bearer realm="%s",service="artifactory.company.example"`, realm)
	repository, kind := parts(r.URL.Path)
	switch {
	case strings.HasSuffix(r.URL.Path, "/v2/token"):
		token(w, r, isMe(r))
	case strings.HasPrefix(r.URL.Path, "/artifactory/helm-remote/") && !isMe(r):
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", `Basic realm="Artifactory Realm"`)
	case strings.HasPrefix(r.URL.Path, "/artifactory/helm-remote/"):
		c.give(w, r, "/charts/charts.example.com/"+strings.TrimPrefix(r.URL.Path, "/artifactory/helm-remote/"))
	case kind == "" || !mayPull(r, repository):
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", challenge)
	case kind == "blobs":
		at := map[bool]string{true: key + "/" + repository, false: repository}[sub]
		http.Redirect(w, r, "https://storage.cloud.example/"+at+"/"+filepath.Base(r.URL.Path)+"?X-Amz-Signature=5ecret", http.StatusFound)
	default:
		if sub {
			r.URL.Path = strings.Replace(r.URL.Path, "/v2/", "/v2/"+key+"/", 1)
		}
		c.give(w, r, named(r.URL.Path))
	}
}

// named puts the name of the origin in the place of a repository of a product.
func named(path string) string {
	return strings.NewReplacer("/quay-remote/", "/quay.io/", "/docker-remote/", "/docker.io/", "/quay-proxy/", "/quay.io/",
		"/hub-proxy/", "/docker.io/", "/docker-group/", "/quay.io/").Replace(path)
}

// storage is the storage of a cloud, which refuses a request that is signed in two ways.
func (c *company) storage(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.URL.Query().Get("X-Amz-Signature") != "5ecret" {
		c.leak("a login to the storage")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	at := strings.LastIndexByte(r.URL.Path, '/')
	c.give(w, r, named("/v2"+r.URL.Path[:at]+"/blobs"+r.URL.Path[at:]))
}

// harbor gives tokens to everybody, which are good for nothing without a login, sets
// cookies, does no ranges while it fetches, and says 401 of blobs that there are not.
func (c *company) harbor(w http.ResponseWriter, r *http.Request) {
	const challenge = `Bearer realm="https://harbor.company.example/service/token",service="harbor-registry"`
	repository, kind := parts(r.URL.Path)
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: "5ecret", Path: "/", HttpOnly: true})
	switch {
	case r.URL.Path == "/service/token" && isMe(r):
		token(w, r, true)
	case r.URL.Path == "/service/token":
		_, _ = io.WriteString(w, `{"token":"good for nothing"}`)
	case kind == "" || !mayPull(r, repository):
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", challenge)
	case strings.Contains(repository, "nonesuch") && kind == "blobs":
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "")
	default:
		r.Header.Del("Range")
		c.give(w, r, named(r.URL.Path))
	}
}

// nexus wants a Basic login at the port of a repository, in capital letters, and has tokens
// for paths; its own web server has charts below /repository.
func (c *company) nexus(w http.ResponseWriter, r *http.Request) {
	repository, kind := parts(r.URL.Path)
	atPort := strings.HasSuffix(r.Host, ":8082")
	basic := `BASIC realm="Sonatype Nexus Repository Manager"`
	switch {
	case strings.HasPrefix(r.URL.Path, "/repository/helm-proxy/") && !isMe(r), atPort && !isMe(r):
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", basic)
	case strings.HasPrefix(r.URL.Path, "/repository/helm-proxy/"):
		c.give(w, r, "/charts/charts.example.com/"+strings.TrimPrefix(r.URL.Path, "/repository/helm-proxy/"))
	case r.URL.Path == "/v2/token":
		token(w, r, isMe(r))
	case atPort && kind != "":
		c.give(w, r, strings.Replace(r.URL.Path, "/v2/", "/v2/quay.io/", 1))
	case atPort:
	case kind == "" || !mayPull(r, repository):
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED",
			`Bearer realm="https://nexus.company.example/v2/token",service="https://nexus.company.example/v2/token"`)
	default:
		c.give(w, r, named(r.URL.Path))
	}
}

// examplesOfMirrors returns the examples of the page, by name.
func examplesOfMirrors(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(pageOfMirrors)
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{}
	for _, found := range mirrorsExample.FindAllStringSubmatch(string(page), -1) {
		examples[found[1]] = found[2]
	}
	if documents := strings.Count(string(page), "kind: Mirrors\n"); documents != len(examples) {
		t.Errorf("the page has %d mirrors files, and %d of them are tried", documents, len(examples))
	}
	return examples
}

// TestExamplesOfMirrorsWork resolves and builds by each example of the page, as it stands
// there, in a company that has the product.
func TestExamplesOfMirrorsWork(t *testing.T) {
	t.Parallel()
	world, err := fixture.Empty(fixture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"quay.io/wire/brig:5.30.9", "docker.io/library/nginx:1.27"} {
		if _, err := world.AddImage(t.Context(), name, fixture.ImageSpec{Index: []string{"linux/amd64"}}); err != nil {
			t.Fatal(err)
		}
	}
	chart, err := world.AddChart(t.Context(), "https://charts.example.com", map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: brig\nversion: 5.30.9\n",
		"templates/brig.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: brig}\n" +
			"spec: {containers: [{name: a, image: 'quay.io/wire/brig:5.30.9'}]}\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	c := newCompany(t, world)
	hosts := map[string][]string{ // that may be asked
		"proxy":                 {"quay.io:443", "charts.example.com:443"},
		"artifactory-path":      {"artifactory.company.example:443", "storage.cloud.example:443"},
		"artifactory-subdomain": {"quay-remote.artifactory.company.example:443", "artifactory.company.example:443", "storage.cloud.example:443"},
		"harbor":                {"harbor.company.example:443"},
		"nexus-port":            {"nexus.company.example:8082", "nexus.company.example:443"},
		"nexus-path":            {"nexus.company.example:443"},
		"folder":                nil,
	}
	examples := examplesOfMirrors(t)
	if len(examples) != len(hosts) {
		t.Errorf("examples are %d, and %d are known", len(examples), len(hosts))
	}
	locks := map[string]string{} // by what is in the release
	for name, allowed := range hosts {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, filepath.Join(folder, "mirrors.yaml"), []byte(examples[name]))
			write(t, filepath.Join(folder, "company-ca.pem"), c.ca)
			release := c.release(t, folder, name, examples[name], chart)
			c.connected, c.leaked = nil, nil
			if out, err := c.island(t, folder, proxyLogin, "resolve", "-f", "release.yaml", "--mirrors", "mirrors.yaml"); err != nil {
				t.Fatalf("resolve: %v\n%s", err, out)
			}
			out, err := c.island(t, folder, proxyLogin, "build", "island.lock.json", "--mirrors", "mirrors.yaml", "--unsigned",
				"--without-tools", "-o", "b.tar", "--cache-dir", "another")
			if err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			run(t, folder, island, "verify", "b.tar", "--allow-unsigned")
			lock, err := os.ReadFile(filepath.Join(folder, "island.lock.json"))
			if err != nil {
				t.Fatal(err)
			}
			if first, known := locks[release]; known && first != string(lock) {
				t.Error("the lock is another than by another mirror")
			}
			locks[release] = string(lock)
			for _, word := range []string{"company.example", "5ecret", "s3cret"} {
				if strings.Contains(string(lock)+out, word) {
					t.Errorf("lock or messages hold %s:\n%s", word, out)
				}
			}
			for _, host := range c.connected {
				if !slices.Contains(allowed, host) {
					t.Errorf("%s was asked", host)
				}
			}
			if len(c.leaked) > 0 || (len(allowed) > 0) != (len(c.connected) > 0) {
				t.Errorf("leaked %q, connected %q", c.leaked, c.connected)
			}
		})
	}
	t.Run("proxy without its login", func(t *testing.T) {
		folder := t.TempDir()
		write(t, filepath.Join(folder, "mirrors.yaml"), []byte(examples["proxy"]))
		write(t, filepath.Join(folder, "company-ca.pem"), c.ca)
		c.release(t, folder, "proxy", examples["proxy"], chart)
		out, err := c.island(t, folder, "me:wr0ng", "resolve", "-f", "release.yaml", "--mirrors", "mirrors.yaml")
		const says = "wants a login: put user and password into the variable that names it"
		if err == nil || !strings.Contains(out, says) || strings.Contains(out, "wr0ng") {
			t.Errorf("error is %v\n%s", err, out)
		}
	})
}

// release writes a release of what an example has prefixes for, and fills its folders if
// it has some.
func (c *company) release(t *testing.T, folder, name, example string, chart *fixture.Chart) string {
	t.Helper()
	release := "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31, sequence: 1}\n" +
		"platforms: [linux/amd64]\nimages:\n- name: quay.io/wire/brig:5.30.9\n"
	if strings.Contains(example, "docker.io") {
		release += "- name: docker.io/library/nginx:1.27\n"
	}
	if strings.Contains(example, "charts.example.com") {
		release += "charts:\n- {name: brig, repo: 'https://charts.example.com', version: 5.30.9}\n"
	}
	write(t, filepath.Join(folder, "release.yaml"), []byte(release))
	if name == "folder" {
		run(t, folder, tool(t, "skopeo"), "copy", "-q", "--all", "--src-tls-verify=false",
			"docker://"+c.world.Addr()+"/quay.io/wire/brig:5.30.9", "oci:images:quay.io/wire/brig:5.30.9")
		if err := os.Mkdir(filepath.Join(folder, "charts"), 0o755); err != nil {
			t.Fatal(err)
		}
		response, err := http.Get(c.world.URL() + "/charts/charts.example.com/" + chart.File())
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		archive, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, "charts", chart.File()), archive)
	}
	return release
}

// island runs the program in the company's network, with the logins of docker login.
func (c *company) island(t *testing.T, folder, login string, args ...string) (said string, err error) {
	t.Helper()
	auths := map[string]any{}
	for _, host := range []string{
		"artifactory.company.example", "quay-remote.artifactory.company.example", "harbor.company.example",
		"nexus.company.example", "nexus.company.example:8082",
	} {
		auths[host] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("me:s3cret"))}
	}
	config, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "config.json"), config)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, island, args...)
	cmd.Dir = folder
	cmd.Env = []string{
		"HOME=" + folder, "DOCKER_CONFIG=" + folder, "XDG_RUNTIME_DIR=" + folder, "XDG_CACHE_HOME=" + filepath.Join(folder, "cache"),
		"HTTPS_PROXY=http://" + login + "@" + c.proxy.Addr().String(), "NO_PROXY=.nowhere.example,10.0.0.0/8",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

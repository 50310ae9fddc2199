package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/printable"
)

// TestSavedFactsSteerNothing puts hostile text into each value of a survey and of one
// host's facts, and looks at what is printed and at the pages that are written.
func TestSavedFactsSteerNothing(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	survey := must(os.ReadFile("facts/survey.json"))
	var whole struct {
		Hosts []struct {
			Facts json.RawMessage `json:"facts"`
		} `json:"hosts"`
	}
	if err := json.Unmarshal(survey, &whole); err != nil || len(whole.Hosts) == 0 {
		t.Fatalf("%d hosts, %v", len(whole.Hosts), err)
	}
	write(t, "hosts.ini", []byte("[cassandra]\ncassandra1 ansible_host=10.0.0.11\n"))
	for _, document := range []struct{ file, text, inventory string }{
		{"saved/survey.json", string(survey), ""},
		{"alone/cassandra1.json", string(whole.Hosts[0].Facts), "-i hosts.ini"},
	} {
		seen := map[string]int{}
		eachHostile(t, document.text, func(field string, text []byte) {
			last := field[strings.LastIndexByte(field, '.')+1:]
			if seen[last]++; seen[last] > 3 && (last == "method" || last == "source") {
				return // how a fact is known is told in the same way of each
			}
			write(t, document.file, text)
			judge := "preflight --facts " + filepath.Dir(document.file) + " " + document.inventory + " --all"
			prints(t, document.file+" "+field, strings.Fields(judge+" --html page.html --junit cases.xml")...)
			written(t, document.file+" "+field)
		})
	}
}

// TestPagesOfASiteSteerNothing is the same for the page of a sizing report.
func TestPagesOfASiteSteerNothing(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	eachHostile(t, hostileDocuments["site"].text, func(field string, text []byte) {
		write(t, "site.yaml", text)
		prints(t, "site "+field, strings.Fields("size --site site.yaml --html page.html")...)
		written(t, "site "+field)
	})
}

// written looks at the pages that a command has written, and removes them.
func written(t *testing.T, what string) {
	t.Helper()
	links := regexp.MustCompile(`(?i)(?:href|src)\s*=\s*["']?\s*javascript:|<script>alert`)
	if page, err := os.ReadFile("page.html"); err == nil {
		if found := links.Find(page); found != nil {
			t.Errorf("%s: a page runs %q", what, found)
		}
		isHarmless(t, what+" on a page", string(page))
	}
	if cases, err := os.ReadFile("cases.xml"); err == nil {
		isHarmless(t, what+" in JUnit", string(cases))
		decoder := xml.NewDecoder(bytes.NewReader(cases))
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: JUnit cannot be read: %v", what, err)
			}
			if start, ok := token.(xml.StartElement); ok {
				for _, attribute := range start.Attr {
					isHarmless(t, what+" in JUnit", attribute.Value)
				}
			} else if text, ok := token.(xml.CharData); ok {
				isHarmless(t, what+" in JUnit", string(text))
			}
		}
	}
	for _, name := range []string{"page.html", "cases.xml"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// TestInventoriesSteerNoTerminal: names of hosts, groups and variables, and their
// values, in both forms of an inventory.
func TestInventoriesSteerNoTerminal(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	inLine := strings.NewReplacer("\n", " ", "\r", " ").Replace(hostileText)
	quoted := string(must(json.Marshal(hostileText)))
	for _, text := range []string{
		"[cassandra]\n%s\n", "[cassandra]\na%s ansible_host=10.0.0.1\n", "[%s]\na\n", "[cassandra:%s]\na\n", "[%s:children]\ncassandra\n",
		"[cassandra]\na ansible_host=%s\n", "[cassandra]\na %s=1\n", "[cassandra]\na ansible_user='%s'\n", "[all:vars]\n%s=1\n",
		"[cassandra]\na ansible_ssh_common_args='-o %s'\n", "[cassandra]\na ansible_become_pass='{{ %s }}'\n", "%s\n", "[cassandra\n%s\n",
	} {
		write(t, "hosts.ini", []byte(strings.ReplaceAll(text, "%s", inLine)))
		prints(t, fmt.Sprintf("inventory %q", text), strings.Fields("preflight --facts facts -i hosts.ini --all")...)
	}
	for _, text := range []string{
		"all: {hosts: {%s: {}}}", "all: {children: {%s: {hosts: {a: {}}}}}", "all: {vars: {%s: 1}}", "%s: {hosts: {a: {}}}",
		"all: {hosts: {a: {ansible_host: %s}}}", "all: {hosts: {a: {ansible_port: %s}}}", "all: {hosts: {a: {%s: b}}}", "all: {%s: {}}",
	} {
		write(t, "hosts.yml", []byte(strings.ReplaceAll(text, "%s", quoted)))
		prints(t, fmt.Sprintf("inventory %q", text), strings.Fields("preflight --facts facts -i hosts.yml --all")...)
	}
}

// TestHostsSteerNoTerminal: what ssh complains of, and what answers in a probe's place.
func TestHostsSteerNoTerminal(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	if runtime.GOOS != "linux" {
		t.Skip("hosts are measured on Linux")
	}
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	write(t, "probes/linux-"+runtime.GOARCH+"/island-probe", []byte("probe"))
	write(t, "hosts.ini", []byte("[cassandra]\nc1 ansible_host=10.0.0.1\n"))
	write(t, "said", []byte(hostileText+"\n"))
	write(t, "answer", append(must(json.Marshal(map[string]any{"op": "collect", "facts": map[string]any{"name": hostileText}})), '\n'))
	said := must(filepath.Abs("said"))
	hello := "echo island-shell; echo 'island-hello Linux " + machine + "'; read x; "
	started := hello + "echo island-ready; echo island-start; read y; "
	for _, script := range []string{
		"cat " + said + " >&2; exit 255", "cat " + said, "echo island-shell; printf 'island-hello Linux '; cat " + said,
		"echo island-shell; printf island-hello; cat " + said,
		hello + "printf 'island-fail disk-full '; cat " + said, hello + "printf 'island-fail '; cat " + said,
		hello + "cat " + said + " >&2; exit 1",
		started + "cat " + said, started + "cat " + filepath.Join(filepath.Dir(said), "answer"), started + "printf 'island-end '; cat " + said,
		"{ printf 'ssh: connect to host '; cat " + said + "; } >&2; exit 255",
	} {
		write(t, "ssh", []byte("#!/bin/sh\n"+script+"\n"))
		if err := os.Chmod("ssh", 0o755); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
		prints(t, "ssh "+script, strings.Fields("preflight -i hosts.ini --probe probes --no-links --all "+
			"--html page.html --junit cases.xml --ssh "+must(filepath.Abs("ssh")))...)
		written(t, "ssh "+script)
	}
}

// hostileAnswers are answers of a server, as they go over the wire; {} stands for the
// hostile text in one line, and {{}} for it as JSON has it.
var hostileAnswers = []string{
	"HTTP/1.1 404 {}\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 403 Forbidden\r\nContent-Type: {}\r\nConnection: close\r\n\r\n{}",
	"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" +
		`{"errors": [{"code": {{}}, "message": {{}}, "detail": {{}}}]}`,
	"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://{}\",service=\"{}\",scope=\"{}\"\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {}\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 302 Found\r\nLocation: http://evil.invalid/{}\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Type: {}\r\nDocker-Content-Digest: {}\r\nConnection: close\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\nConnection: close\r\n\r\n" +
		`{"schemaVersion": 2, "mediaType": {{}}, "manifests": [{"mediaType": {{}}, "digest": {{}}, "size": 1, "platform": {"os": {{}}}}]}`,
	"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\nConnection: close\r\n\r\n" +
		`{"schemaVersion": 2, "config": {"mediaType": {{}}, "digest": {{}}, "size": 1}, "layers": [], {{}}: 1}`,
	"HTTP/1.1 {}\r\n\r\n",
	"{}\r\n\r\n",
}

// hostileIndexes are what a repository of charts may say of them.
var hostileIndexes = []string{
	"apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [{}]}]}\n",
	"apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [a.tgz], digest: {}}]}\n",
	"apiVersion: v1\nentries: {web: [{name: web, version: {}, urls: [a.tgz]}]}\n",
	"apiVersion: v1\nentries: {web: [{name: {}, version: 1.0.0, urls: [a.tgz], {}: {}}]}\n",
	"apiVersion: v1\nentries: {{}: [{name: {}, version: 2.0.0, urls: [a.tgz]}]}\n",
	"apiVersion: {}\nentries: {}\n", "{}", "{}: {}\n",
	"apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [\"http://x/\", {}]}]}\n",
}

// TestServersSteerNoTerminal: bodies, headers and status lines of servers, and indexes
// of charts.
func TestServersSteerNoTerminal(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	var answer []byte
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = connection.Write(answer)
	}))
	defer server.Close()
	at := server.Listener.Addr().(*net.TCPAddr).String()
	write(t, "mirrors.yaml", []byte(strings.ReplaceAll(`apiVersion: island/v1
kind: Mirrors
rules:
  - {prefix: quay.io, onlyMirrors: true, mirrors: [{location: "AT", insecure: true}]}
  - {prefix: "https://charts.example", onlyMirrors: true, mirrors: [{location: "http://AT/charts", insecure: true}]}
  - {prefix: "https://files.example", onlyMirrors: true, mirrors: [{location: "http://AT/files", insecure: true}]}
`, "AT", at)))
	of := "apiVersion: island/v1\nkind: Release\nmetadata: {name: demo, version: 1.0.0, date: 2026-01-15}\nplatforms: [linux/amd64]\n"
	releases := map[string]string{
		"image": of + "images: [{name: \"quay.io/a/b:1\"}]\n",
		"chart": of + "charts: [{name: web, repo: \"https://charts.example\", version: 1.0.0}]\n",
		"file":  of + "files: [{url: \"https://files.example/a\", destination: a, sha256: \"" + strings.Repeat("a", 64) + "\"}]\n",
	}
	inLine := strings.NewReplacer("\n", " ", "\r", " ").Replace(hostileText)
	fill := func(text string) []byte {
		text = strings.ReplaceAll(text, "{{}}", string(must(json.Marshal(hostileText))))
		return []byte(strings.ReplaceAll(text, "{}", inLine))
	}
	resolve := func(kind string) {
		write(t, "release.yaml", []byte(releases[kind]))
		before := asked
		prints(t, fmt.Sprintf("%s, answer %.60q", kind, answer), strings.Fields("resolve -f release.yaml --mirrors mirrors.yaml "+
			"--cache-dir "+t.TempDir()+" -o lock.json --patience 1s")...)
		if asked == before {
			t.Errorf("nobody was asked for the %s", kind)
		}
	}
	for _, text := range hostileAnswers {
		answer = fill(text)
		for kind := range releases {
			resolve(kind)
		}
	}
	for _, text := range hostileIndexes {
		body := strings.ReplaceAll(text, "{}", string(printable.JSON(must(json.Marshal(hostileText)))))
		answer = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		resolve("chart")
	}
}

package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

func TestParseMirrorsFaults(t *testing.T) {
	t.Parallel()
	head := "apiVersion: island/v1\nkind: Mirrors\n"
	for flaw, test := range map[string]struct{ document, says string }{
		"unknown field":   {head + "rules:\n- prefix: quay.io\n  mirror: []\n", "m.yaml:5:3"},
		"duplicate field": {head + "rules:\n- prefix: quay.io\n  prefix: quay.io\n  mirrors: [{location: ./x}]\n", "m.yaml:5:3"},
		"wrong type":      {head + "rules:\n- prefix: quay.io\n  onlyMirrors: maybe\n  mirrors: [{location: ./x}]\n", "m.yaml:5:16"},
		"other kind":      {"apiVersion: island/v1\nkind: Release\nrules: []\n", "wanted island/v1 Mirrors"},
		"other version":   {"apiVersion: island/v9\nkind: Mirrors\nrules: []\n", "wanted island/v1 Mirrors"},
		"no prefix":       {head + "rules:\n- mirrors: [{location: ./x}]\n", "m.yaml:4:3: rules[0].prefix: rule has no prefix"},
		"same prefix twice": {
			head + "rules:\n- {prefix: quay.io, mirrors: [{location: ./x}]}\n- {prefix: QUAY.io/, mirrors: [{location: ./x}]}\n",
			"m.yaml:5:12: rules[1].prefix",
		},
		"no mirrors":                {head + "rules:\n- prefix: quay.io\n", "m.yaml:4:3: rules[0].mirrors: rule for quay.io has no mirror"},
		"no location":               {head + "rules:\n- {prefix: quay.io, mirrors: [{insecure: true}]}\n", "has no location"},
		"prefix without host":       {head + "rules:\n- {prefix: wire/brig, mirrors: [{location: ./x}]}\n", "m.yaml:4:12"},
		"prefix with credentials":   {head + "rules:\n- {prefix: 'https://u:secret@h/x', mirrors: [{location: ./x}]}\n", "no credentials"},
		"prefix of an unknown kind": {head + "rules:\n- {prefix: 's3://bucket', mirrors: [{location: ./x}]}\n", "s3://bucket"},
		"image mirror by URL": {
			head + "rules:\n- {prefix: quay.io, mirrors: [{location: 'https://h/x'}]}\n",
			"m.yaml:4:31: rules[0].mirrors[0]: https://h/x cannot stand for quay.io: write registry/repository without https://",
		},
		"chart mirror by repository": {
			head + "rules:\n- {prefix: 'https://h', mirrors: [{location: 'reg.local/x'}]}\n",
			"write an http or https URL",
		},
		"location that is a word": {head + "rules:\n- {prefix: quay.io, mirrors: [{location: folder}]}\n", "a folder begins with ./"},
		"location with a tag": {
			head + "rules:\n- {prefix: quay.io, mirrors: [{location: 'reg.local/x@sha256:aa'}]}\n",
			"registry/repository",
		},
		"insecure folder": {
			head + "rules:\n- {prefix: quay.io, mirrors: [{location: ./x, insecure: true}]}\n",
			"neither insecure nor caFile",
		},
		"quotes of a word processor": {head + "rules:\n- {prefix: “quay.io”, mirrors: [{location: ./x}]}\n", "m.yaml:4:12"},
		"quotes in a location":       {head + "rules:\n- {prefix: quay.io, mirrors: [{location: „reg.local“}]}\n", "no name of a host"},
		"bare IPv6":                  {head + "rules:\n- {prefix: quay.io, mirrors: [{location: '::1/x'}]}\n", "stands in brackets"},
		"no IPv6":                    {head + "rules:\n- {prefix: 'https://h', mirrors: [{location: 'https://[fe80::g]/x'}]}\n", "m.yaml:4:46"},
		"a port too high":            {head + "rules:\n- {prefix: quay.io, mirrors: [{location: 'h.local:99999/x'}]}\n", "up to 65535"},
		"no port":                    {head + "rules:\n- {prefix: 'https://h:0', mirrors: [{location: ./x}]}\n", "up to 65535"},
		"not YAML":                   {head + "rules: [", "m.yaml"},
		"empty":                      {"", "empty"},
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			_, err := ParseMirrors("m.yaml", []byte(test.document))
			wantError(t, err, test.says)
			if code := fault.ExitCode(err); code != int(fault.Usage) {
				t.Errorf("exit code is %d, wanted that of usage", code)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error tells a password: %v", err)
			}
		})
	}
}

func TestParseMirrorsJSON(t *testing.T) {
	t.Parallel()
	m, err := ParseMirrors("/etc/island/m.json", []byte(`{"apiVersion":"island/v1","kind":"Mirrors","rules":[
		{"prefix":"https://charts.example.com/","mirrors":[{"location":"https://p.local/c/","caFile":"ca.pem"},{"location":"./charts"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := m.Rules[0].Mirrors
	if got[0].CAFile != "/etc/island/ca.pem" || got[0].Location != "https://p.local/c" || got[1].Location != "/etc/island/charts" {
		t.Errorf("mirrors are %+v", got)
	}
}

func TestReadMirrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "mirrors.yaml")
	document := "apiVersion: island/v1\nkind: Mirrors\nrules:\n- prefix: quay.io\n  mirrors:\n  - location: ../images\n"
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMirrors(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := Location(filepath.Join(filepath.Dir(dir), "images")); m.Rules[0].Mirrors[0].Location != want {
		t.Errorf("location is %s, wanted %s", m.Rules[0].Mirrors[0].Location, want)
	}
	for what, file := range map[string]string{"missing": filepath.Join(dir, "none"), "folder": dir} {
		if _, err := ReadMirrors(file); fault.ExitCode(err) != int(fault.Usage) {
			t.Errorf("%s file: error is %v", what, err)
		}
	}
}

// TestCAFilesAreReadAtOnce tells of files that hold no certificates before anybody is asked.
func TestCAFilesAreReadAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "mirrors.yaml")
	if err := os.WriteFile(filepath.Join(dir, "text.pem"), []byte("no certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"none.pem": "no such file", "text.pem": "holds no PEM certificate", ".": "is a directory",
	} {
		document := "apiVersion: island/v1\nkind: Mirrors\nrules:\n- prefix: quay.io\n  mirrors:\n  - {location: quay.io, caFile: " + name + "}\n"
		if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadMirrors(file)
		wantError(t, err, file+":6:33: rules[0].mirrors[0].caFile", says)
		if code := fault.ExitCode(err); code != int(fault.Usage) {
			t.Errorf("%s: exit code is %d, wanted that of usage", name, code)
		}
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	locator := &locator{baseDir: "/release", mirrors: mirrorsOf(t, `
- prefix: quay.io
  mirrors: [{location: all.local}]
- prefix: quay.io/wire
  mirrors: [{location: "registry.local:5000/quay", insecure: true}, {location: /srv/layout}]
- prefix: docker.io/library
  onlyMirrors: true
  mirrors: [{location: hub.local/lib}]
- prefix: https://charts.example.com/a
  mirrors: [{location: "http://proxy.local/x"}, {location: /srv/charts}]
- prefix: http://plain.example.com:80
  mirrors: [{location: /srv/plain}]
- prefix: oci://reg.example.com/charts
  mirrors: [{location: "oci://m.local/c"}]
`)}
	for name, want := range map[string]string{
		"quay.io/wire/brig":                       "registry.local:5000/quay/brig /srv/layout quay.io/wire/brig",
		"quay.io/wire":                            "registry.local:5000/quay /srv/layout quay.io/wire",
		"quay.io/wireapp/x":                       "all.local/wireapp/x quay.io/wireapp/x",
		"QUAY.io/other/x":                         "all.local/other/x quay.io/other/x",
		"quay.io:8443/wire/brig":                  "quay.io:8443/wire/brig",
		"docker.io/library/nginx":                 "hub.local/lib/nginx",
		"index.docker.io/library/nginx":           "hub.local/lib/nginx",
		"docker.io/wire/x":                        "docker.io/wire/x",
		"https://charts.example.com/a/b/c.tgz":    "http://proxy.local/x/b/c.tgz /srv/charts/b/c.tgz https://charts.example.com/a/b/c.tgz",
		"https://Charts.example.com:443/a/c.tgz":  "http://proxy.local/x/c.tgz /srv/charts/c.tgz https://charts.example.com/a/c.tgz",
		"https://charts.example.com:80/a/c.tgz":   "https://charts.example.com:80/a/c.tgz",
		"http://plain.example.com/a":              "/srv/plain/a http://plain.example.com/a",
		"https://charts.example.com/a?q=1":        "http://proxy.local/x /srv/charts https://charts.example.com/a",
		"https://charts.example.com/ab":           "https://charts.example.com/ab",
		"https://charts.example.com/a/%2e%2e/e":   "http://proxy.local/x/%2e%2e/e /srv/charts/e https://charts.example.com/a/%2e%2e/e",
		"https://charts.example.com/a/../../../e": "http://proxy.local/x/../../../e /srv/charts/e https://charts.example.com/a/../../../e",
		"oci://reg.example.com/charts/brig":       "m.local/c/brig reg.example.com/charts/brig",
		"file:///srv/a%20b.tgz":                   "/srv/a b.tgz",
		"charts/brig.tgz":                         "/release/charts/brig.tgz",
		"../common/values.yaml":                   "/common/values.yaml",
	} {
		locate := locator.url
		isImage := strings.ContainsAny(strings.Split(name, "/")[0], ":") && !strings.Contains(name, "://")
		if isImage || strings.Contains(strings.ToLower(name), ".io") {
			locate = locator.repository
		}
		locations, err := locate(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, l := range locations {
			got = append(got, l.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is at %s, wanted %s", name, got, want)
		}
	}
	for _, name := range []string{"", "/etc/passwd", "s3://bucket/x", "https://", "file://relative", "oci://word/x", "https://u:p%zz@host/x"} {
		if _, err := locator.url(name); fault.ExitCode(err) != int(fault.Usage) {
			t.Errorf("%q: error is %v, wanted a usage error", name, err)
		}
	}
}

func FuzzParseMirrors(f *testing.F) {
	f.Add([]byte("apiVersion: island/v1\nkind: Mirrors\nrules:\n- prefix: quay.io/wire\n  mirrors:\n" +
		"  - location: registry.local:5000/quay\n    insecure: true\n"))
	f.Add([]byte(`{"apiVersion":"island/v1","kind":"Mirrors","rules":[` +
		`{"prefix":"https://h/x","onlyMirrors":true,"mirrors":[{"location":"./f"}]}]}`))
	f.Add([]byte("rules: [{prefix: 'oci://a.b', mirrors: [{location: '../x'}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMirrors("mirrors.yaml", data)
		if err != nil {
			var explained *fault.Error
			if !errors.As(err, &explained) {
				t.Fatalf("error without an explanation: %v", err)
			}
			return
		}
		locator := &locator{mirrors: m}
		for _, rule := range m.Rules {
			name := string(rule.Prefix) + "/x"
			if best, rest := m.rule(name); best == nil || rest == "" {
				t.Fatalf("prefix %q does not cover %q", rule.Prefix, name)
			}
			locate := locator.repository
			if strings.Contains(name, "://") {
				locate = locator.url
			}
			locations, err := locate(name)
			if err != nil || len(locations) < len(rule.Mirrors) {
				t.Fatalf("%q has the locations %v, error %v", name, locations, err)
			}
		}
	})
}

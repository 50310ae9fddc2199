package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files writes files into a folder, and returns it.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestAnchorsAreBounded: little text with aliases stands for very much.
func TestAnchorsAreBounded(t *testing.T) {
	t.Parallel()
	bomb := func(line, last string, levels int) string {
		var b strings.Builder
		b.WriteString("all:\n  hosts: {h: }\n  vars:\n    a0: &a0 " + last + "\n")
		for i := 1; i <= levels; i++ {
			fmt.Fprintf(&b, "    a%d: &a%d "+line+"\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
		}
		return b.String()
	}
	for name, test := range map[string]struct{ text, want string }{
		"lists": {bomb("[*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]", "[x, x]", 9), "aliases make more than"},
		"maps":  {bomb("{a: *a%d, b: *a%d, c: *a%d, d: *a%d, e: *a%d, f: *a%d, g: *a%d, h: *a%d}", "{k: v}", 9), "aliases make more than"},
		"merges": {
			bomb("{<<: [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]}", "{k: v}", 9), "aliases make more than",
		},
		"ring of maps":    {"all:\n  hosts: {h: }\n  vars:\n    a: &a {b: *a}\n", "deep"},
		"ring of merges":  {"all:\n  hosts: {h: }\n  vars:\n    a: &a {<<: *a}\n", "deep"},
		"ring of groups":  {"all: &g\n  hosts: {h: }\n  children: {b: *g}\n", "deep"},
		"merge of a text": {"all:\n  hosts: {h: {<<: x}}\n", "what is to be merged is not a map"},
		"merge of texts":  {"all:\n  hosts: {h: {<<: [{a: 1}, x]}}\n", "what is to be merged is not a map"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(write(t, "hosts.yml", test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, wants one with %q", err, test.want)
			}
		})
	}
}

func TestSourcesAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files   map[string]string
		sources []string
		want    string
	}{
		"one is missing": {map[string]string{"a.ini": "h\n"}, []string{"a.ini", "b.ini"}, "b.ini"},
		"one is broken":  {map[string]string{"a.ini": "h\n", "b.ini": "[g\n"}, []string{"a.ini", "b.ini"}, "b.ini:1"},
		"none has hosts": {map[string]string{"a.ini": "[g]\n", "b.ini": "[h]\n"}, []string{"a.ini", "b.ini"}, "no hosts"},
		"ring over both": {
			map[string]string{"a.ini": "[a:children]\nb\n[b]\nh\n", "b.ini": "[b:children]\na\n[a]\nk\n"}, []string{"a.ini", "b.ini"},
			"within itself",
		},
		"byte order mark": {map[string]string{"a.ini": "\ufeff[g]\nh\n"}, []string{"a.ini"}, "a.ini:1: file begins with a byte order mark"},
		"mark, no ending": {map[string]string{"a": "\ufeff[g]\nh\n"}, []string{"a"}, "byte order mark"},
		"vault":           {map[string]string{"a": "$ANSIBLE_VAULT;1.1;AES256\n3132\n"}, []string{"a"}, "encrypted with Ansible Vault"},
		"number as host":  {map[string]string{"a.yml": "g: {hosts: {1234: }}\n"}, []string{"a.yml"}, "a.yml:1:13: 1234 is not read as a name"},
		"truth as group":  {map[string]string{"a.yml": "no: {hosts: {h: }}\n"}, []string{"a.yml"}, "a.yml:1:1: no is not read as a name"},
		"null as host":    {map[string]string{"a.yml": "g: {hosts: {~: }}\n"}, []string{"a.yml"}, "~ is not read as a name"},
		"TOML":            {map[string]string{"a.toml": "[all.hosts]\nh = {}\n"}, []string{"a.toml"}, "TOML"},
		"plugin":          {map[string]string{"a.yml": "plugin: constructed\nstrict: false\n"}, []string{"a.yml"}, "made by a plugin"},
		"program":         {map[string]string{"a": "#!/bin/sh\necho\n"}, []string{"a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := files(t, test.files)
			var sources []string
			for _, source := range test.sources {
				sources = append(sources, filepath.Join(folder, source))
			}
			if name == "program" {
				if err := os.Chmod(sources[0], 0o700); err != nil {
					t.Fatal(err)
				}
				test.want = "inventory is a program"
			}
			if _, err := Read(sources...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, wants one with %q", err, test.want)
			}
		})
	}
	if _, err := Read("n[1:3],"); err == nil || !strings.Contains(err.Error(), "no ranges") {
		t.Errorf("a range in a list of hosts: %v", err)
	}
}

// TestPassedOverIsTold: what a reader may take as read, and is not.
func TestPassedOverIsTold(t *testing.T) {
	t.Parallel()
	folder := files(t, map[string]string{
		"main": "[web]\nh\n", "nodes.ini": "[db]\nk\n", "sub/more.ini": "[db]\nl\n", "x.cfg": "", ".old.ini": "",
		"group_vars/web/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n3031\n", "group_vars/web/main.yml": "a: 1\n",
	})
	inv, err := Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, note := range inv.Notes {
		first, _, _ := strings.Cut(note, " ")
		name, err := filepath.Rel(folder, first)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, name)
	}
	if want := []string{"nodes.ini", "sub/more.ini", "group_vars/web/vault.yml"}; !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
	if inv, err = Read(filepath.Join(folder, "nodes.ini")); err != nil || len(inv.Notes) > 0 {
		t.Errorf("the file itself: %v, %q", err, inv.Notes)
	}
}

// TestTwiceIsTold: of what stands twice in a map the first is dropped, as Ansible does,
// and told. What a merge brings and is said anew is no slip.
func TestTwiceIsTold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"minio:\n  hosts: {m1: }\nweb:\n  hosts: {w: }\nminio:\n  hosts: {m2: }\n":            {":5:1: \"minio\""},
		"minio:\n  hosts:\n    m1: {ip: 10.0.0.1}\n    m1: {ip: 10.0.0.2}\n":                  {":4:5: \"m1\""},
		"minio:\n  hosts: {m1: {x: 1, x: 2}}\n  vars: {d: {y: 1, y: 1}}\n":                    {":2:22: \"x\"", ":3:20: \"y\""},
		"minio:\n  vars: {a: &a {x: 1}}\n  hosts: {m1: {<<: *a, x: 2}, m2: {x: 3, <<: *a}}\n": nil,
		"minio:\n  hosts: {m1: {x: 1}}\nweb:\n  hosts: {m1: {x: 2}}\n":                        nil,
	} {
		inv, err := Read(write(t, "hosts.yml", text))
		if err != nil {
			t.Fatal(err)
		}
		if len(inv.Notes) != len(want) {
			t.Errorf("%q: notes are %q, want %q", text, inv.Notes, want)
			continue
		}
		for i, note := range inv.Notes {
			if !strings.Contains(note, "hosts.yml"+want[i]+" is there twice") {
				t.Errorf("%q: note is %q, wants %q", text, note, want[i])
			}
		}
	}
}

// TestNoHostByASlip: a name that ends in a colon, a port that is none, and a section
// with blanks are not taken for hosts.
func TestNoHostByASlip(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[minio]\nm1:\n":                     "hosts.ini:2: \"m1:\" is not the name of a host: what follows its colon is no port",
		"[minio]\nm1:99999\n":                "no port from 1 to 65535",
		"[minio]\nm1:0\n":                    "no port from 1 to 65535",
		"[minio]\nm[1:2]:ssh\n":              "no port from 1 to 65535",
		"[ minio ]\nm1\n":                    "hosts.ini:1: section is not understood: \"[ minio ]\"",
		"[web]\nw\n[kube node]\nn1\n":        "hosts.ini:3: section is not understood",
		"[web:vars]\nx=1\n[kube-node ]\nn\n": "hosts.ini:3: section is not understood",
	} {
		if _, err := Read(write(t, "hosts.ini", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, wants one with %q", text, err, want)
		}
	}
}

// TestEmptyFolderIsNoSource: beside another source, too, a folder that nothing is read
// of is not passed over.
func TestEmptyFolderIsNoSource(t *testing.T) {
	t.Parallel()
	folder := files(t, map[string]string{
		"hosts": "[web]\nh\n", "empty/.keep": "", "settings/ansible.cfg": "", "vars/group_vars/web.yml": "a: 1\n", "void/hosts": "",
	})
	for name, isSource := range map[string]bool{"empty": false, "settings": false, "vars": false, "void": true} {
		_, err := Read(filepath.Join(folder, "hosts"), filepath.Join(folder, name))
		if isSource != (err == nil) || err != nil && !strings.Contains(err.Error(), name+": folder has no file") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestVariablesWhereOneStands: Ansible reads them, and so that they are passed over is
// told, unless they lie beside a source.
func TestVariablesWhereOneStands(t *testing.T) {
	t.Chdir(files(t, map[string]string{
		"sites/hosts": "[web]\nh\n", "hosts": "[web]\nh\n", "group_vars/web.yml": "ansible_port: 2222\n", "host_vars/h.yml": "x: 1\n",
	}))
	for _, test := range []struct {
		sources []string
		notes   int
	}{{[]string{"sites/hosts"}, 2}, {[]string{"sites"}, 2}, {[]string{"hosts"}, 0}, {[]string{"sites/hosts", "./hosts"}, 0}} {
		inv, err := Read(test.sources...)
		if err != nil {
			t.Fatal(err)
		}
		if len(inv.Notes) != test.notes {
			t.Errorf("%q: notes are %q, want %d", test.sources, inv.Notes, test.notes)
		}
	}
}

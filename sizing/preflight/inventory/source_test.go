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

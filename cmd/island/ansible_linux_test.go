package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/islandbundle/island/sizing/preflight/inventory"
	"github.com/islandbundle/island/sizing/preflight/remote"
)

// TestSSHIsCalledAsAnsibleCallsIt has ansible and preflight reach the hosts of each
// inventory by what stands for ssh, and compares what that was told: where to go, and
// each option, in their order.
func TestSSHIsCalledAsAnsibleCallsIt(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ansible"); err != nil {
		if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
			t.Fatal("ansible is not in PATH")
		}
		t.Skip("ansible is not in PATH")
	}
	if testing.Short() {
		t.Skip("runs ansible once for each inventory")
	}
	archive, err := txtar.ParseFile("testdata/ssh_inventories.txtar")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var names []string
	for _, file := range archive.Files {
		path := filepath.Join(folder, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(file.Name), "hosts.") {
			names = append(names, file.Name)
		}
	}
	if len(names) < 30 {
		t.Fatalf("there are %d inventories, wants 30", len(names))
	}
	for _, name := range names {
		t.Run(filepath.Dir(name), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(folder, name)
			want, got := calledByAnsible(t, path), calledByPreflight(t, path)
			if len(want) == 0 {
				t.Fatal("ansible has called no ssh")
			}
			for host, line := range want {
				if !slices.Equal(got[host], line) {
					t.Errorf("%s: ssh is told\n%q\nby Ansible\n%q", host, got[host], line)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d hosts, by Ansible %d", len(got), len(want))
			}
		})
	}
}

// standIn is a program that stands for ssh: it keeps its arguments, each on a line of
// its own, in a file for each call.
func standIn(t *testing.T) (program string, calls func() [][]string) {
	t.Helper()
	folder := t.TempDir()
	program = filepath.Join(t.TempDir(), "ssh")
	script := fmt.Sprintf("#!/bin/sh\nfor word; do printf '%%s\\n' \"$word\" | tr '\\n' '\\f'; printf '\\n'; done >'%s/'$$\n", folder)
	syscall.ForkLock.RLock() // a child that had it open for writing would keep it from being run
	err := os.WriteFile(program, []byte(script), 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	return program, func() [][]string {
		files, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		var all [][]string
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for line := range strings.Lines(string(data)) {
				words = append(words, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\f"))
			}
			all = append(all, words)
		}
		return all
	}
}

func calledByAnsible(t *testing.T, path string) map[string][]string {
	t.Helper()
	program, calls := standIn(t)
	cmd := exec.Command("ansible", "all", "-i", path, "-m", "raw", "-a", "true", "-f", "20")
	cmd.Dir = filepath.Dir(path)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8", "ANSIBLE_SSH_EXECUTABLE=" + program,
		"ANSIBLE_LOCAL_TEMP=" + t.TempDir(), "ANSIBLE_SSH_CONTROL_PATH_DIR=" + filepath.Join(t.TempDir(), "cp"),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ansible: %v\n%s", err, out)
	}
	result := map[string][]string{}
	for _, words := range calls() {
		options, host := takeApart(t, words)
		if host == "" {
			continue // it asks what this ssh can do
		}
		options = withoutDefaults(options)
		options = slices.DeleteFunc(options, func(option string) bool {
			// Terminal, and the connection that Ansible keeps.
			return option == "-t" || strings.HasPrefix(option, "controlpath=") && strings.Contains(option, "/cp/")
		})
		result[host] = append(result[host], options...)
	}
	return result
}

// withoutDefaults leaves out what Ansible has in place of ansible_ssh_args where those
// are not given.
func withoutDefaults(options []string) []string {
	usual := []string{"compression=yes", "controlmaster=auto", "controlpersist=60s"}
	if len(options) >= len(usual) && slices.Equal(options[:len(usual)], usual) {
		return options[len(usual):]
	}
	return options
}

func calledByPreflight(t *testing.T, path string) map[string][]string {
	t.Helper()
	program, calls := standIn(t)
	inv, err := inventory.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := (&preflightFlags{ssh: program}).hosts(inv)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		session, err := remote.Open(t.Context(), host.Target, remote.Options{
			SSH: program, Probe: func(string) ([]byte, error) { return nil, errors.New("none") },
		})
		if err == nil {
			session.Close()
		} else if errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	result := map[string][]string{}
	for _, words := range calls() {
		options, host := takeApart(t, words)
		last := slices.Index(options, "controlpersist=no")
		timeout := slices.IndexFunc(options[:last], func(option string) bool { return strings.HasPrefix(option, "connecttimeout=") })
		rest := slices.DeleteFunc(options[last+1:], func(option string) bool { // what preflight says after the inventory's
			return option == "-T" || option == "-v" || strings.HasPrefix(option, "-E ")
		})
		// Ansible says how long to wait after the user, and before further arguments.
		at := len(rest)
		for i, option := range rest {
			if option == "passwordauthentication=no" {
				at = i + 1
				if at < len(rest) && strings.HasPrefix(rest[at], "user=") {
					at++
				}
				break
			}
		}
		result[host] = slices.Insert(rest, at, options[timeout])
	}
	return result
}

// takeApart returns the options of a call of ssh in one form, and where it goes.
func takeApart(t *testing.T, words []string) (options []string, host string) {
	t.Helper()
	names := map[byte]string{'p': "port=", 'l': "user=", 'i': "-i ", 'J': "proxyjump=", 'F': "-F ", 'E': "-E "}
	flags := map[byte]string{'C': "compression=yes", '4': "addressfamily=inet", '6': "addressfamily=inet6"}
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "--" {
			return options, words[i+1]
		}
		if word[0] != '-' {
			return options, word
		}
		for k := 1; k < len(word); k++ {
			letter := word[k]
			if !strings.Contains("bceilmopBDEFIJLOPQRSWw", string(letter)) {
				if name, ok := flags[letter]; ok {
					options = append(options, name)
				} else if option := "-" + string(letter); !slices.Contains(options, option) || letter != 't' {
					options = append(options, option)
				}
				continue
			}
			value := word[k+1:]
			if value == "" && i+1 < len(words) {
				i++
				value = words[i]
			}
			if letter == 'o' {
				key, rest, _ := strings.Cut(value, "=")
				key = strings.ToLower(strings.TrimSpace(key))
				if key == "user" { // which Ansible puts into quotes
					rest = strings.Trim(rest, `"`)
				}
				options = append(options, key+"="+rest)
			} else {
				options = append(options, names[letter]+value)
			}
			break
		}
	}
	return options, ""
}

// TestClosedPasswordsAreNamed: those of hosts that root is wanted on.
func TestClosedPasswordsAreNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hosts.yml")
	const text = `minio:
  hosts:
    m1: {ansible_become: true, ansible_become_password: !vault x}
    m2: {ansible_become: true, ansible_become_password: open}
    m3: {ansible_become_password: !vault x}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := (&preflightFlags{ssh: "ssh"}).hosts(inv)
	if err != nil {
		t.Fatal(err)
	}
	if got := closedPasswords(hosts, inv); !slices.Equal(got, []string{"m1"}) {
		t.Errorf("named are %q, want m1", got)
	}
}

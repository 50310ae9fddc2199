package main

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
	"github.com/islandbundle/island/sizing/preflight/probe"
	"github.com/islandbundle/island/sizing/preflight/remote"
	"github.com/islandbundle/island/sizing/preflight/survey"
)

// maxPassword bounds the file of a sudo password.
const maxPassword = 4096

// hostsCleanup is how long the probes may take to take themselves off all hosts.
const hostsCleanup = 20 * time.Second

// measure reaches the hosts of an inventory, or this machine, and has them
// measured.
func (a *app) measure(
	ctx context.Context, f preflightFlags, inv *inventory.Inventory, input preflight.Input, found *kit,
) (*facts.Survey, error) {
	if err := f.checkProbes(); err != nil {
		return nil, err
	}
	hosts, err := f.hosts(inv)
	if err != nil {
		return nil, err
	}
	if names := passwordHosts(inv); len(names) > 0 {
		a.note("note: the inventory gives a password to log in with for %s; ssh is given none, and wants a key",
			strings.Join(names, ", "))
	}
	if names := closedPasswords(hosts, inv); len(names) > 0 && f.sudoFile == "" {
		a.note("note: the password for sudo on %s is encrypted or a template that is not known, and is not used; "+
			"give it with --sudo-password-file", someOf(names))
	}
	a.allowCleanup(hostsCleanup)
	progress := a.hostProgress(hosts)
	defer progress.close()
	request := probe.Request{NoFsync: f.noFsync}
	request.Paths = probe.Defaults().Paths
	for _, paths := range input.Site.Preflight.Paths {
		request.Paths = append(request.Paths, paths...)
	}
	if input.Site.Preflight.Registry != nil {
		request.Paths = append(request.Paths, input.Site.Preflight.Registry.Path)
	}
	return survey.Take(ctx, hosts, survey.Options{
		Remote: remote.Options{Probe: f.probe(found), SSH: f.ssh, ConfigFile: f.sshConfig},
		Wants:  func(hosts []facts.Host) []facts.Link { return preflight.Wants(input.Ports, hosts) },
		Site:   input.Site, Request: request, NoLinks: f.noLinks, Throughput: f.through, Partial: f.local || len(f.groups) > 0,
		Upgrade: input.Site.Preflight.Installed != "", Progress: progress,
	})
}

// passwordHosts returns hosts that Ansible reaches with a password alone.
func passwordHosts(inv *inventory.Inventory) []string {
	if inv == nil {
		return nil
	}
	var names []string
	for _, host := range inv.Hosts {
		if c, err := host.Connection(); err == nil && c.Password && c.KeyFile == "" {
			names = append(names, host.Name)
		}
	}
	return names
}

// closedPasswords returns the hosts that root is wanted on, by a password that the
// inventory keeps closed.
func closedPasswords(hosts []survey.Host, inv *inventory.Inventory) []string {
	if inv == nil {
		return nil
	}
	var names []string
	for _, host := range inv.Hosts {
		reached := slices.ContainsFunc(hosts, func(h survey.Host) bool { return h.Name == host.Name && h.Target.Sudo })
		if reached && host.PasswordClosed() {
			names = append(names, host.Name)
		}
	}
	return names
}

// hosts returns the hosts to reach, and how.
func (f *preflightFlags) hosts(inv *inventory.Inventory) ([]survey.Host, error) {
	password, err := f.sudoPassword()
	if err != nil {
		return nil, err
	}
	if f.local {
		name, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		return []survey.Host{{Name: name, Groups: f.groups, Target: remote.Target{Local: true, Sudo: f.sudo, SudoPassword: password}}}, nil
	}
	if err := f.checkGroups(inv.Populated()); err != nil {
		return nil, err
	}
	if err := f.checkSSH(inv); err != nil {
		return nil, err
	}
	var hosts []survey.Host
	for _, host := range inv.Hosts {
		if f.leavesOut(host.Groups) {
			continue
		}
		target, err := f.target(host, password)
		if err != nil {
			return nil, err
		}
		known, err := described(host)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, survey.Host{
			Name: known.Name, Groups: known.Groups, Interfaces: known.Interfaces, ClusterNetworks: known.ClusterNetworks,
			Internal: known.Internal, Target: target,
		})
	}
	return hosts, nil
}

// target says how a host of the inventory is reached.
func (f *preflightFlags) target(host *inventory.Host, password string) (remote.Target, error) {
	connection, err := host.Connection()
	if err != nil {
		return remote.Target{}, err
	}
	become := connection.Become
	target := remote.Target{
		Local: connection.Local, Address: connection.Address, Args: connection.Args, Connect: connection.Timeout,
		Sudo: f.sudo || become.Wanted, SudoProgram: become.Program, SudoPassword: cmp.Or(password, become.Password),
	}
	if become.Wanted && !f.sudo { // who says --sudo has said how
		target.NoRoot = become.Unknown
	}
	return target, f.checkProgram(host, connection.Program)
}

// sudoPassword reads the password that was given as a file, which may be a pipe, and is
// opened once.
func (f *preflightFlags) sudoPassword() (string, error) {
	name := f.sudoFile
	if name == "" {
		return "", nil
	}
	const flag, hint = "--sudo-password-file", "give a file that holds the password for sudo and nothing else"
	info, err := os.Stat(name)
	if err != nil {
		return "", fault.Explain(err, fault.Usage, fault.Here, flag, hint)
	}
	if info.IsDir() {
		return "", explainFolder(name, []form{aPassword})
	}
	data, err := readBounded(name, maxPassword)
	if err != nil {
		return "", fault.Explain(err, fault.Usage, fault.Here, flag, hint)
	}
	password := strings.TrimRight(string(data), "\r\n")
	switch found := recognise(data); {
	case strings.TrimSpace(password) == "":
		return "", fault.New(fault.Usage, fault.Here, flag, hint, "%s is empty", name)
	case strings.ContainsAny(password, "\r\n"), password[0] == '{' && found != notRecognised:
		if err := found.check(name, aPassword); err != nil {
			return "", err
		}
		return "", fault.New(fault.Usage, fault.Here, flag, hint, "%s has several lines", name)
	}
	return password, nil
}

// checkSSH says once, and before any host is tried, that there is no ssh, or no file
// that it is to be configured by.
func (f *preflightFlags) checkSSH(inv *inventory.Inventory) error {
	if !slices.ContainsFunc(inv.Hosts, func(host *inventory.Host) bool {
		c, err := host.Connection()
		return err != nil || !c.Local
	}) {
		return nil
	}
	if _, err := exec.LookPath(f.ssh); err != nil {
		return f.explainSSH()
	}
	if f.sshConfig == "" || f.sshConfig == "none" { // which is ssh's word for no file at all
		return nil
	}
	info, err := os.Stat(f.sshConfig)
	if err != nil || f.sshConfig == os.DevNull || info.Mode().IsRegular() && info.Size() == 0 {
		return fault.Explain(err, fault.Usage, fault.Here, "--ssh-config", "give "+anSSHConfig.origin())
	}
	return checkForm(f.sshConfig, anSSHConfig)
}

// explainSSH says of what is to be ssh, and is no program, what it is.
func (f *preflightFlags) explainSSH() error {
	const hint = "install the OpenSSH client, or name it with --ssh"
	switch info, err := os.Stat(f.ssh); {
	case err != nil:
		return fault.New(fault.Usage, fault.Here, "--ssh", hint, "no such program: %.80q", f.ssh)
	case info.IsDir():
		return fault.New(fault.Usage, fault.Here, "--ssh", hint, "%s is a folder, not a program", f.ssh)
	case info.Mode()&0o111 != 0: // it is not looked for here without a slash
		return fault.New(fault.Usage, fault.Here, "--ssh", "name it with its folder, such as ./"+f.ssh, "no such program in PATH: %.80q", f.ssh)
	}
	return fault.New(fault.Usage, fault.Here, "--ssh", hint+"; its configuration is named with --ssh-config",
		"%s is not a program: nobody may run it", f.ssh)
}

// checkProbes refuses a folder for probes that has none, before any host is reached.
func (f *preflightFlags) checkProbes() error {
	if f.probes == "" {
		return nil
	}
	const hint = "give the folder with linux-amd64/island-probe, or leave it out"
	if info, err := os.Stat(f.probes); err != nil || !info.IsDir() {
		return fault.New(fault.Usage, fault.Here, "--probe", hint, "%s is no folder", f.probes)
	}
	for _, form := range []string{"linux-*/island-probe", "island-probe-*"} {
		if found, err := filepath.Glob(filepath.Join(escapeGlob(f.probes), form)); err == nil && len(found) > 0 {
			return nil
		}
	}
	return fault.New(fault.Usage, fault.Here, "--probe", hint, "folder %s has no probe", f.probes)
}

// checkProgram refuses to go another way than the inventory says, and to run a program
// because an inventory says so.
func (f *preflightFlags) checkProgram(host *inventory.Host, program string) error {
	path, _ := exec.LookPath(f.ssh)
	if program == "" || program == f.ssh || program == path {
		return nil
	}
	return host.Wrong("ansible_ssh_executable", "name it with --ssh if it is to be run", "the inventory wants another ssh than %s: %.80q",
		f.ssh, program)
}

// probe finds the probe for an architecture: in the bundle, in the folder that
// was named, or beside this program. It is compressed once, for all hosts.
func (f *preflightFlags) probe(found *kit) func(string) ([]byte, error) {
	var mu sync.Mutex
	cache := map[string][]byte{}
	return func(architecture string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if data, ok := cache[architecture]; ok {
			return data, nil
		}
		data, err := f.findProbe(found, architecture)
		if err == nil {
			data, err = remote.Compress(data)
		}
		if err == nil {
			cache[architecture] = data
		}
		return data, err
	}
}

func (f *preflightFlags) findProbe(found *kit, architecture string) ([]byte, error) {
	if data := found.probes[architecture]; data != nil && f.probes == "" {
		return data, nil
	}
	var tried []string
	if f.probes != "" {
		tried = append(tried,
			filepath.Join(f.probes, "linux-"+architecture, "island-probe"), filepath.Join(f.probes, "island-probe-"+architecture))
	} else if self, err := os.Executable(); err == nil {
		folder := filepath.Dir(self)
		tried = append(tried, filepath.Join(filepath.Dir(folder), "linux-"+architecture, "island-probe"))
		if architecture == runtime.GOARCH && runtime.GOOS == "linux" {
			tried = append(tried, filepath.Join(folder, "island-probe"))
		}
	}
	for _, name := range tried {
		if data, err := manifests.ReadRegular(name, maxProbe); err == nil {
			return data, nil
		}
	}
	return nil, message.NewProblem("facts.reach.no-probe", message.Args{"architecture": architecture, "places": strings.Join(tried, ", ")})
}

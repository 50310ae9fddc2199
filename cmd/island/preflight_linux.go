package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/islandbundle/island/sizing/site"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
	"github.com/islandbundle/island/sizing/preflight/present"
	"github.com/islandbundle/island/sizing/preflight/probe"
	"github.com/islandbundle/island/sizing/preflight/remote"
	"github.com/islandbundle/island/sizing/preflight/survey"
)

// preflightFlags say what is measured and against what it is judged.
type preflightFlags struct {
	inventory string
	groups    []string
	local     bool
	factsDir  string
	save      string
	site      string
	table     string
	ports     string
	bundle    string
	trust     trustFlags
	probes    string
	ssh       string
	sshConfig string
	sudo      bool
	sudoFile  string
	noLinks   bool
	noFsync   bool
	waive     []string
	reason    string
	strict    bool
	all       bool
	lang      string
	html      string
	junit     string
	json      string
	signKey   string
	passFile  string
	installed string
	through   bool
}

// maxPassword bounds the file of a sudo password.
const maxPassword = 4096

// maxProbe bounds a probe that is read.
const maxProbe = 32 << 20

func (a *app) preflight() *cobra.Command {
	var f preflightFlags
	cmd := &cobra.Command{
		Use:   "preflight",
		Short: "Check whether an island can be installed on these machines",
		Long: `Measure the machines of a site and the network between them, and judge them
against the hardware table and the table of ports. The site's Ansible inventory
says which machines there are; the system's ssh reaches them with the
operator's own configuration. A small probe is sent along, checked, run and
removed: nothing stays on a host, and nothing is changed.

Measuring and judging are apart: --save keeps what was measured, and --facts
judges it again, elsewhere and later. For hosts without SSH, carry island-probe
there, run island-probe collect --out FILE.json, and bring the files back to
--facts. docs/preflight.md explains every check and its remedy.` + exitStatus(refusedStatus,
			"4  a machine does not meet the requirements (with --strict: or there is a warning that is not waived)",
			"5  something could not be measured, and nothing failed"),
		Example: `  island preflight -i inventory/hosts.ini --site site.yaml
  island preflight -i hosts.ini --bundle wire-2026.1.tar --key island.pub --html report.html
  island preflight -i hosts.ini --bundle wire-2026.2.tar --key island.pub --installed 5.28.0
  island preflight -i hosts.ini --throughput --html report.html --json report.json --sign-key site.key
  island preflight -i hosts.ini --facts saved/ --table guide-postgresql`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runPreflight(cmd.Context(), f) },
	}
	f.add(cmd)
	return cmd
}

func (f *preflightFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.inventory, "inventory", "i", "", "the site's Ansible inventory, a file or a folder")
	flags.BoolVar(&f.local, "local", false, "measure this machine alone; --group says its roles")
	flags.StringArrayVar(&f.groups, "group", nil,
		"with --local, a group that this machine is in; else, look at these groups alone (repeatable)")
	flags.StringVar(&f.factsDir, "facts", "", "judge what a folder holds (a survey.json, or facts of hosts) and measure nothing")
	flags.StringVar(&f.save, "save", "", "folder to keep what was measured in, as survey.json")
	flags.StringVar(&f.site, "site", "", "site document (docs/site.schema.json): what the site promised, and what of it is to be looked at")
	flags.StringVar(&f.table, "table", "", "hardware table: a name ("+strings.Join(sizing.Names(), ", ")+") or a file")
	flags.StringVar(&f.ports, "ports", "", "table of ports, in place of the program's own")
	flags.StringVar(&f.bundle, "bundle", "", "bundle to install: it is verified, and its probe, tables and size are used")
	f.trust.add(cmd)
	flags.StringVar(&f.probes, "probe", "", "folder with linux-ARCH/island-probe (default: beside this program)")
	flags.StringVar(&f.ssh, "ssh", "ssh", "ssh client")
	flags.StringVar(&f.sshConfig, "ssh-config", "", "configuration file of ssh, in place of the operator's own")
	flags.BoolVar(&f.sudo, "sudo", false, "run the probe as root by sudo (default: as the inventory's ansible_become says)")
	flags.StringVar(&f.sudoFile, "sudo-password-file", "", "file with the password for sudo (default: the inventory's, else none)")
	flags.BoolVar(&f.noLinks, "no-links", false, "do not let hosts try to speak to each other")
	flags.BoolVar(&f.through, "throughput", false,
		"send data from each conference host (group kube-node) to the next for 2 seconds, to see that they have 1 Gbit/s")
	flags.BoolVar(&f.noFsync, "no-fsync", false, "do not time writes with a small test file")
	flags.StringVar(&f.installed, "installed", "",
		"version of Wire's server that is to be upgraded; what it has left on the machines is then no fault")
	flags.StringArrayVar(&f.waive, "waive", nil, "let a failed check pass as a warning: ID or ID@HOST (repeatable; needs --reason)")
	flags.StringVar(&f.reason, "reason", "", "why the checks are waived")
	flags.BoolVar(&f.strict, "strict", false, "fail on warnings, too, but for those that are waived")
	flags.BoolVar(&f.all, "all", false, "print passed and skipped checks, too")
	flags.StringVar(&f.lang, "lang", "", "language of the report: "+languages()+" (default: the locale's)")
	flags.StringVar(&f.html, "html", "", "write the report as one HTML page, too")
	flags.StringVar(&f.junit, "junit", "", "write the report as JUnit XML, too")
	flags.StringVar(&f.json, "json", "", "write the report as JSON, too")
	flags.StringVar(&f.signKey, "sign-key", "",
		"private key to sign the written reports with: FILE.sigstore.json beside each, as cosign verify-blob --bundle reads it")
	flags.StringVar(&f.passFile, "passphrase-file", "", "file that holds the key's passphrase (else COSIGN_PASSWORD, else the terminal)")
	_ = cmd.RegisterFlagCompletionFunc("table", cobra.FixedCompletions(sizing.Names(), cobra.ShellCompDirectiveDefault))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(words.All().Tags(), cobra.ShellCompDirectiveNoFileComp))
}

// preflightResult is a report as a command's result.
type preflightResult struct {
	*preflight.Report
	options present.Options
}

func (r preflightResult) text(w io.Writer) {
	_ = present.Text(w, r.Report, r.options) // a terminal
}

// MarshalJSON returns the report alone.
func (r preflightResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(present.NewDocument(r.Report))
}

func (a *app) runPreflight(ctx context.Context, f preflightFlags) error {
	lang, err := language(f.lang)
	if err != nil {
		return err
	}
	signer, err := f.signer(ctx)
	if err != nil {
		return err
	}
	input, found, err := f.read(ctx)
	if err != nil {
		return err
	}
	if input.Survey, err = a.takeSurvey(ctx, f, input, found); err != nil {
		return err
	}
	if f.save != "" {
		if err := saveSurvey(f.save, input.Survey); err != nil {
			return err
		}
	}
	result, err := preflight.Judge(input)
	if err != nil {
		return err
	}
	if err := f.write(result, lang, signer); err != nil {
		return err
	}
	if err := a.print(preflightResult{result, present.Options{Lang: lang, All: f.all}}); err != nil {
		return err
	}
	for _, waiver := range result.Idle(input.Site.Preflight.Waivers) {
		a.note("note: the waiver of %s lets nothing pass: what it names is well, could not be measured, or is not there",
			printable(waiver.String()))
	}
	return preflightVerdict(result, f.strict)
}

// preflightVerdict turns the worst outcome into the exit code.
func preflightVerdict(r *preflight.Report, strict bool) error {
	failed, unmeasured, warned := r.Counts[preflight.Fail], r.Counts[preflight.Error], r.Counts[preflight.Warn]-r.Waived()
	switch {
	case failed > 0:
		return fault.New(fault.PreflightFailed, fault.Site, "", "mend what the report names, and run it again",
			"%d requirements are not met", failed)
	case unmeasured > 0:
		return fault.New(fault.Unmeasured, fault.Site, "", "the report says why; run it again", "%d things could not be measured", unmeasured)
	case strict && warned > 0:
		return fault.New(fault.PreflightFailed, fault.Site, "", "leave out --strict to let warnings pass", "there are %d warnings", warned)
	}
	return nil
}

// read reads all documents, and the probes that a bundle brings.
func (f *preflightFlags) read(ctx context.Context) (preflight.Input, *kit, error) {
	input := preflight.Input{Tool: toolVersion(), Site: site.Undescribed()}
	found := &kit{}
	var err error
	if f.bundle != "" {
		if found, err = f.openBundle(ctx); err != nil {
			return input, nil, err
		}
		input.Bundle, input.Table, input.Ports = found.footprint, found.table, found.ports
	}
	if f.table != "" || input.Table == nil {
		name := f.table
		if name == "" {
			name = sizing.DefaultTable
		}
		if input.Table, _, err = readTable(name); err != nil {
			return input, nil, err
		}
	}
	if f.ports != "" {
		data, err := manifests.ReadFile(f.ports)
		if err != nil {
			return input, nil, err
		}
		if input.Ports, err = site.ReadPorts(f.ports, data); err != nil {
			return input, nil, err
		}
	}
	if input.Ports == nil {
		if input.Ports, err = site.DefaultPorts(); err != nil {
			return input, nil, err
		}
	}
	if f.site != "" {
		data, err := manifests.ReadFile(f.site)
		if err != nil {
			return input, nil, err
		}
		if input.Site, err = site.Read(f.site, data, sizing.SiteNames()); err != nil {
			return input, nil, err
		}
	}
	if f.installed != "" {
		input.Site.Preflight.Installed = f.installed
	}
	if err := input.Site.Preflight.CheckInstalled(); err != nil {
		return input, nil, err
	}
	for _, text := range f.waive {
		waiver, err := site.ParseWaiver(text, f.reason)
		if err != nil {
			return input, nil, err
		}
		input.Site.Preflight.Waivers = append(input.Site.Preflight.Waivers, waiver)
	}
	return input, found, nil
}

// takeSurvey measures, or reads what was measured before.
func (a *app) takeSurvey(ctx context.Context, f preflightFlags, input preflight.Input, found *kit) (*facts.Survey, error) {
	if f.local && f.factsDir != "" {
		return nil, usage("leave one of them out", "--local measures this machine, --facts measures nothing")
	}
	if f.local == (f.inventory != "") && (f.factsDir == "" || f.local) {
		return nil, usage("name the site's Ansible inventory, or measure this machine with --local", "give either -i INVENTORY or --local")
	}
	var inv *inventory.Inventory
	if f.inventory != "" {
		var err error
		if inv, err = inventory.Read(f.inventory); err != nil {
			return nil, err
		}
	}
	if f.factsDir != "" {
		return a.readSurvey(f.factsDir, inv, f.groups)
	}
	hosts, err := f.hosts(inv)
	if err != nil {
		return nil, err
	}
	if names := passwordHosts(inv); len(names) > 0 {
		a.note("note: the inventory gives a password to log in with for %s; ssh is given none, and wants a key",
			printable(strings.Join(names, ", ")))
	}
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

// hosts returns the hosts to reach, and how.
func (f *preflightFlags) hosts(inv *inventory.Inventory) ([]survey.Host, error) {
	password := ""
	if f.sudoFile != "" {
		data, err := readBounded(f.sudoFile, maxPassword)
		if err != nil {
			return nil, err
		}
		password = strings.TrimRight(string(data), "\r\n")
	}
	if f.local {
		name, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		return []survey.Host{{Name: name, Groups: f.groups, Target: remote.Target{Local: true, Sudo: f.sudo, SudoPassword: password}}}, nil
	}
	var hosts []survey.Host
	for _, host := range inv.Hosts {
		if len(f.groups) > 0 && !slices.ContainsFunc(f.groups, func(g string) bool { return slices.Contains(host.Groups, g) }) {
			continue
		}
		connection, err := host.Connection()
		if err != nil {
			return nil, err
		}
		args, err := inventory.SplitArgs(connection.CommonArgs)
		if err != nil {
			return nil, fault.At(host.Place, "", "arguments for ssh of host %s: %w", host.Name, err)
		}
		target := remote.Target{
			Local: connection.Local, Address: connection.Address, Port: connection.Port, User: connection.User, KeyFile: connection.KeyFile,
			Args: args, Sudo: f.sudo || connection.Become, SudoPassword: password,
		}
		if target.SudoPassword == "" {
			target.SudoPassword = connection.BecomePassword
		}
		hosts = append(hosts, survey.Host{
			Name: host.Name, Groups: host.Groups, Interfaces: host.Interfaces(), Internal: connection.Internal, Target: target,
		})
	}
	if len(hosts) == 0 {
		return nil, usage("the groups of the inventory are "+strings.Join(inv.Groups(), ", "), "no host is in the groups that were asked for")
	}
	return hosts, nil
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
		if data, err := readBounded(name, maxProbe); err == nil {
			return data, nil
		}
	}
	return nil, facts.NewProblem("facts.reach.no-probe", message.Args{"architecture": architecture, "places": strings.Join(tried, ", ")})
}

// signer reads the key that reports are signed with, before anything is
// measured for them; nil where none is given.
func (f *preflightFlags) signer(ctx context.Context) (*namedSigner, error) {
	if f.signKey == "" {
		return nil, nil
	}
	if f.html == "" && f.junit == "" && f.json == "" {
		return nil, usage("write one with --html, --junit or --json", "--sign-key has no report to sign")
	}
	signer, err := (&signingFlags{key: f.signKey, passphraseFile: f.passFile}).signer(ctx)
	return &signer, err
}

// write writes the reports that were asked for, and signs each.
func (f *preflightFlags) write(r *preflight.Report, lang *words.Language, signer *namedSigner) error {
	for _, form := range []struct {
		file   string
		encode func() ([]byte, error)
	}{
		{f.html, func() ([]byte, error) { return present.HTML(r, lang) }},
		{f.junit, func() ([]byte, error) {
			var b bytes.Buffer
			err := present.JUnit(&b, r)
			return b.Bytes(), err
		}},
		{f.json, func() ([]byte, error) { return manifests.EncodeJSON(present.NewDocument(r)) }},
	} {
		if form.file == "" {
			continue
		}
		data, err := form.encode()
		if err == nil {
			err = writeWhole(form.file, data, 0o644)
		}
		if err == nil && signer != nil {
			_, err = signBeside(form.file, data, *signer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kit is what a bundle brings for the preflight.
type kit struct {
	probes    map[string][]byte // by architecture
	table     *sizing.Table
	ports     *site.Ports
	footprint *preflight.Footprint
}

// openBundle verifies a bundle and takes out of it what is used here.
func (f *preflightFlags) openBundle(ctx context.Context) (*kit, error) {
	trust, err := f.trust.trust()
	if err != nil {
		return nil, err
	}
	file, err := open(f.bundle)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := file.bundle(trust)
	if err != nil {
		return nil, err
	}
	if err := file.explain(b.Verify(ctx, bundle.VerifyOptions{})); err != nil {
		return nil, err
	}
	found := &kit{
		probes:    map[string][]byte{},
		footprint: &preflight.Footprint{Name: filepath.Base(f.bundle), Size: manifests.Bytes(file.size)},
	}
	if found.footprint.Upgrades, found.footprint.Version, err = upgradesOfLock(&b.Inventory.Lock); err != nil {
		return nil, err
	}
	for _, platform := range b.Inventory.Lock.Release.Platforms {
		if _, architecture, ok := strings.Cut(platform.String(), "/"); ok {
			found.footprint.Architectures = append(found.footprint.Architectures, architecture)
		}
	}
	for _, blob := range b.Inventory.Lock.Blobs {
		found.footprint.Images += manifests.Bytes(blob.Size)
	}
	found.footprint.NodeImages = sizing.FootprintOf(&b.Inventory.Lock).Compressed
	for _, entry := range b.Inventory.Entries {
		if err := found.take(b, entry); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// take keeps an entry that the preflight uses. The bundle is verified already.
func (k *kit) take(b *bundle.Bundle, entry bundle.Entry) error {
	name := string(entry.Path)
	architecture, isProbe := strings.CutSuffix(strings.TrimPrefix(name, bundle.ToolsFolder+"linux-"), "/island-probe")
	isTable, isPorts := name == bundle.SizingFolder+"table.yaml", name == bundle.SizingFolder+"ports.yaml"
	_, here := b.Entry(entry.Path) // a delta may lack it
	if !isProbe && !isTable && !isPorts || entry.Size > maxProbe || !here {
		return nil
	}
	data, err := b.ReadEntry(entry.Path, maxProbe)
	if err != nil {
		return err
	}
	switch {
	case isProbe:
		k.probes[architecture] = data
	case isTable:
		k.table, err = sizing.ReadTable(name, data)
	default:
		k.ports, err = site.ReadPorts(name, data)
	}
	return err
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
	"github.com/islandbundle/island/sizing/preflight/present"
)

// preflightFlags say what is measured and against what it is judged.
type preflightFlags struct {
	inventory []string
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
judges it again, elsewhere and later, on any system. For hosts without SSH, carry island-probe
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
	f.add(a, cmd)
	return cmd
}

func (f *preflightFlags) add(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.inventory, "inventory", "i", nil,
		"the site's Ansible inventory: a file, a folder, or hosts with a comma (repeatable: later ones are laid over earlier ones)")
	flags.BoolVar(&f.local, "local", false, "measure this machine alone; --group says its roles")
	flags.StringArrayVar(&f.groups, "group", nil,
		"with --local, a group that this machine is in; else, look at these groups alone (repeatable)")
	flags.StringVar(&f.factsDir, "facts", "", "judge what a folder holds (a survey.json, or facts of hosts) and measure nothing")
	flags.StringVar(&f.save, "save", "", "folder to keep what was measured in, as survey.json")
	flags.StringVar(&f.site, "site", "", "site document (docs/site.schema.json): what the site promised, and what of it is to be looked at")
	flags.StringVar(&f.table, "table", "", "hardware table: a name ("+strings.Join(sizing.Names(), ", ")+") or a file")
	flags.StringVar(&f.ports, "ports", "", "table of ports, in place of the program's own")
	flags.StringVar(&f.bundle, "bundle", "", "bundle to install: it is verified, and its probe, tables and size are used")
	flags.StringVar(&f.installed, "installed", "",
		"version of Wire's server that is to be upgraded; what it has left on the machines is then no fault")
	flags.StringArrayVar(&f.waive, "waive", nil, "let a failed check pass as a warning: ID or ID@HOST (repeatable; needs --reason)")
	flags.StringVar(&f.reason, "reason", "", "why the checks are waived")
	flags.BoolVar(&f.strict, "strict", false, "fail on warnings, too, but for those that are waived")
	inGroup(cmd, ofMeasuring, f.addMeasuring)
	inGroup(cmd, ofReport, f.addReport)
	f.trust.add(a, cmd)
	_ = cmd.RegisterFlagCompletionFunc("table", cobra.FixedCompletions(sizing.Names(), cobra.ShellCompDirectiveDefault))
	withoutBundle := idleWithout(nil, "name the bundle with --bundle", "bundle")
	withoutBundle.group = ofTrust
	withFacts := idleWith(nil, "facts", "leave one of them out: --facts judges what was measured before")
	withFacts.group = ofMeasuring
	a.idle(cmd, withoutBundle, withFacts,
		idleWith([]string{"ssh", "ssh-config", "no-links", "throughput"}, "local", "leave one of them out: --local measures this machine alone"),
		idleWithout([]string{"reason"}, "name the check that it is for with --waive", "waive"),
		idleWithout([]string{"passphrase-file"}, "name the key with --sign-key", "sign-key"),
		idleWithout([]string{"sign-key"}, "write a report with --html, --junit or --json", "html", "junit", "json"),
		a.idleInJSON([]string{"lang"}, "html"), a.idleInJSON([]string{"all"}),
	)
}

func (f *preflightFlags) addMeasuring(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.probes, "probe", "", "folder with linux-ARCH/island-probe (default: beside this program)")
	flags.StringVar(&f.ssh, "ssh", "ssh", "ssh client")
	flags.StringVar(&f.sshConfig, "ssh-config", "", "configuration file of ssh, in place of the operator's own")
	flags.BoolVar(&f.sudo, "sudo", false, "run the probe as root by sudo (default: as the inventory's ansible_become says)")
	flags.StringVar(&f.sudoFile, "sudo-password-file", "", "file with the password for sudo (default: the inventory's, else none)")
	flags.BoolVar(&f.noLinks, "no-links", false, "do not let hosts try to speak to each other")
	flags.BoolVar(&f.through, "throughput", false,
		"send data from each conference host (group kube-node) to the next for 2 seconds, to see that they have 1 Gbit/s")
	flags.BoolVar(&f.noFsync, "no-fsync", false, "do not time writes with a small test file")
}

func (f *preflightFlags) addReport(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "print passed and skipped checks, too")
	flags.StringVar(&f.lang, "lang", "", "language of the report: "+languages()+" (default: the locale's)")
	flags.StringVar(&f.html, "html", "", "write the report as one HTML page, too")
	flags.StringVar(&f.junit, "junit", "", "write the report as JUnit XML, too")
	flags.StringVar(&f.json, "json", "", "write the report as JSON, too")
	flags.StringVar(&f.signKey, "sign-key", "",
		"private key to sign the written reports with: FILE.sigstore.json beside each, as cosign verify-blob --bundle reads it")
	flags.StringVar(&f.passFile, "passphrase-file", "", "file that holds the key's passphrase (else COSIGN_PASSWORD, else the terminal)")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(words.All().Tags(), cobra.ShellCompDirectiveNoFileComp))
}

// preflightResult is a report as a command's result.
type preflightResult struct {
	*preflight.Verdict
	options present.Options
}

func (r preflightResult) text(w *printable.Printer) {
	_ = present.Text(w, r.Verdict, r.options) // the printer tells
}

// MarshalJSON returns the report alone.
func (r preflightResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(present.NewDocument(r.Verdict))
}

func (a *app) runPreflight(ctx context.Context, f preflightFlags) error {
	lang, err := language(f.lang)
	if err != nil {
		return err
	}
	if err := f.checkReports(); err != nil {
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
	if idle := idleGroups(result); len(idle) > 0 {
		a.note("note: nothing is required of these groups of the inventory: %s", someOf(idle))
	}
	for _, waiver := range result.Idle(input.Site.Preflight.Waivers) {
		a.note("note: the waiver of %s lets nothing pass: what it names is well, could not be measured, or is not there",
			waiver.String())
	}
	return preflightVerdict(result, f.strict, lang)
}

// checkReports says before anything is measured which report could not be kept.
func (f *preflightFlags) checkReports() error {
	reports := []string{f.html, f.junit, f.json}
	inputs := append([]string{f.site, f.table, f.ports, f.bundle, f.sudoFile, f.sshConfig, f.signKey, f.passFile}, f.inventory...)
	if f.factsDir != "" {
		inputs = append(inputs, f.factsDir, filepath.Join(f.factsDir, surveyFile))
	}
	return checkReports(reports, inputs...)
}

// preflightVerdict turns the worst outcome into the exit code. It is the last line of
// the report, and in its language.
func preflightVerdict(r *preflight.Verdict, strict bool, lang *words.Language) error {
	failed, unmeasured, warned := r.Counts[preflight.Fail], r.Counts[preflight.Error], r.Counts[preflight.Warn]-r.Waived()
	ends := func(kind fault.Kind, code string, count int) error {
		return fault.New(kind, fault.Site, "", lang.Word(code+".hint"), "%s", lang.Say(code+".text", message.Args{"n": count}))
	}
	switch {
	case failed > 0:
		return ends(fault.PreflightFailed, "preflight.end.failed", failed)
	case unmeasured > 0:
		return ends(fault.Unmeasured, "preflight.end.unmeasured", unmeasured)
	case strict && warned > 0:
		return ends(fault.PreflightFailed, "preflight.end.warned", warned)
	}
	return nil
}

// measurable refuses to measure on a system that the probes are not made for.
// What was measured elsewhere is judged on each.
func measurable(system string) error {
	if system == "linux" {
		return nil
	}
	return usage("run it on the admin host with --save DIR, and judge here with --facts DIR",
		"island preflight measures on Linux only, and this program is for %s", system)
}

// takeSurvey measures, or reads what was measured before.
func (a *app) takeSurvey(ctx context.Context, f preflightFlags, input preflight.Input, found *kit) (*facts.Survey, error) {
	if f.local && f.factsDir != "" {
		return nil, usage("leave one of them out", "--local measures this machine, --facts measures nothing")
	}
	if f.local == (len(f.inventory) > 0) && (f.factsDir == "" || f.local) {
		return nil, usage("name the site's Ansible inventory, or measure this machine with --local", "give either -i INVENTORY or --local")
	}
	if f.factsDir == "" {
		if err := measurable(runtime.GOOS); err != nil {
			return nil, err
		}
	}
	if f.local {
		if err := f.checkRoles(input); err != nil {
			return nil, err
		}
	}
	var inv *inventory.Inventory
	if len(f.inventory) > 0 {
		var err error
		if inv, err = a.readInventory(f.inventory); err != nil {
			return nil, err
		}
		if err := f.checkClusterNetworks(inv, input.Site); err != nil {
			return nil, err
		}
	}
	if f.factsDir != "" {
		return a.readSurvey(f, inv)
	}
	s, err := a.measure(ctx, f, inv, input, found)
	if err == nil {
		s.Groups = groupsOf(inv, f.groups)
	}
	return s, err
}

// readInventory reads the sources of an inventory, and tells what of them was passed
// over.
func (a *app) readInventory(sources []string) (*inventory.Inventory, error) {
	for _, source := range sources {
		if !inventory.IsHostList(source) {
			if err := checkInventory(source); err != nil {
				return nil, err
			}
			continue
		}
		for _, name := range strings.Split(source, ",") {
			if _, err := os.Stat(name); err == nil && name != "" {
				return nil, usage("give -i once for each: -i "+strings.Join(strings.Split(source, ","), " -i "),
					"-i %s is a list of hosts, and %s a file", source, name)
			}
		}
	}
	inv, err := inventory.Read(sources...)
	if err != nil {
		return nil, cmp.Or(othersIn(sources), err)
	}
	for _, note := range inv.Notes {
		a.note("note: %s", note)
	}
	return inv, nil
}

// checkInventory refuses a file that is recognised as something else than an
// inventory. A folder may be one.
func checkInventory(name string) error {
	switch info, err := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return explainMissing(name, err, []form{aHostsFile})
	case err == nil && !info.IsDir() && !(info.Mode().IsRegular() && info.Size() == 0): // one of several may be empty
		return checkForm(name, aHostsFile)
	}
	return nil
}

// othersIn names what makes a folder no inventory: a file in it that is another document,
// which Ansible would take for a part of it, too.
func othersIn(sources []string) error {
	for _, folder := range sources {
		files, _ := os.ReadDir(folder) // else it is none, or whoever read it has told
		for _, file := range files {
			if !file.Type().IsRegular() || strings.HasPrefix(file.Name(), ".") {
				continue
			}
			if err := checkForm(filepath.Join(folder, file.Name()), aHostsFile); err != nil {
				return err
			}
		}
	}
	return nil
}

// signer reads the key that reports are signed with, before anything is
// measured for them; nil where none is given.
func (f *preflightFlags) signer(ctx context.Context) (*namedSigner, error) {
	if f.signKey == "" {
		return nil, nil
	}
	signer, err := (&signingFlags{key: f.signKey, passphraseFile: f.passFile}).signer(ctx)
	return &signer, err
}

// write writes the reports that were asked for, and signs each.
func (f *preflightFlags) write(r *preflight.Verdict, lang *words.Language, signer *namedSigner) error {
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

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/islandbundle/island/sizing/site"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/present"
)

// sizeFlags say what a site wants. What a flag gives goes before what the site
// document says.
type sizeFlags struct {
	siteFile string
	saveSite string
	table    string
	lock     string
	against  string
	lang     string
	html     string

	name, scenario, conferences, mail, push string
	adminHost, assetHost                    string
	users                                   int64
	video, relayed, growth                  int64
	servers, restund, months, keep          int
	federation, internet                    bool
	clients                                 []string
	bundleSize, imagesUnpacked              string
}

func (a *app) size() *cobra.Command {
	var f sizeFlags
	cmd := &cobra.Command{
		Use:   "size",
		Short: "Say what hardware and network an island needs",
		Long: `Say how many machines of what size an installation needs, on which servers they
stand, and what network conferences take; each number with its formula and its
source. What no public source gives is not made up: the report says to ask Wire,
and what to ask.

The site comes from a document (--site), from flags, or, on a terminal, from a
short dialogue for what is still open. --html writes the report as one page to
print and sign. docs/sizing.md explains every rule.` + exitStatus(),
		Example: `  island size --users 2500 --conferences 10x8,2x50 --table guide-postgresql
  island size --site site.yaml --lock island.lock.json --html report.html --lang de
  island size --site site.yaml --against facts.json --output json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runSize(cmd, f) },
	}
	f.add(cmd)
	return cmd
}

func (f *sizeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.siteFile, "site", "", "site document (docs/site.schema.json)")
	flags.StringVar(&f.saveSite, "save-site", "", "write what was given and answered as a site document, for the next time")
	flags.StringVar(&f.table, "table", "", "hardware table: a name ("+strings.Join(sizing.Names(), ", ")+") or a file")
	flags.StringVar(&f.lock, "lock", "", "lock of the release, for its footprint")
	flags.StringVar(&f.against, "against", "", "site document or facts with machines that exist, to compare with")
	flags.StringVar(&f.lang, "lang", "", "language of the report: "+languages()+" (default: the locale's)")
	flags.StringVar(&f.html, "html", "", "write the report as one HTML page, too")
	flags.StringVar(&f.name, "name", "", "name of the site")
	flags.StringVar(&f.scenario, "scenario", "", "deployment scenario (default: "+string(sizing.DefaultScenario)+")")
	numberVar(flags, &f.users, "users", 0, "messaging users, in all")
	flags.StringVar(&f.conferences, "conferences", "", "conferences at peak, such as 10x8,2x50, or none")
	percentVar(flags, &f.video, "video", 100, "share of participants who send video, in percent")
	percentVar(flags, &f.relayed, "relayed", 100, "share of participants whose streams TURN relays, in percent")
	flags.StringVar(&f.mail, "mail", "", "who delivers mail: external or bundled")
	flags.StringVar(&f.push, "push", "", "push option: A (Wire's AWS SNS), B (own AWS SNS) or C (none)")
	flags.BoolVar(&f.federation, "federation", false, "the backend federates with others")
	flags.BoolVar(&f.internet, "internet", false, "the site reaches the internet: it is no island")
	numberVar(flags, &f.servers, "servers", 0, "physical servers (default: as many as the table wants)")
	numberVar(flags, &f.restund, "restund", 0, "Restund machines, 2 or 3 (default: as many as the table wants)")
	flags.StringVar(&f.adminHost, "admin-host", "", "server that the admin host stands on, or elsewhere (default: where there is room)")
	flags.StringVar(&f.assetHost, "asset-host", "", "server that the asset host stands on, or elsewhere (default: where there is room)")
	percentVar(flags, &f.growth, "growth", 0, "growth of users, in percent a year")
	numberVar(flags, &f.months, "months", 0, "months to look ahead (default: 36)")
	flags.StringArrayVar(&f.clients, "client", nil,
		"client app to hand out: web, windows, macos, linux, android or ios (repeatable; default: all)")
	flags.StringVar(&f.bundleSize, "bundle-size", "", "size of the bundle, such as \"14 GB\", where no lock is given")
	flags.StringVar(&f.imagesUnpacked, "images-unpacked", "", "what the release's images take unpacked, measured on a node")
	numberVar(flags, &f.keep, "keep", 0, "bundles kept on the asset host (default: 2)")
	_ = cmd.RegisterFlagCompletionFunc("table", cobra.FixedCompletions(sizing.Names(), cobra.ShellCompDirectiveDefault))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(words.All().Tags(), cobra.ShellCompDirectiveNoFileComp))
}

// sizeResult is a sizing report as a command's result.
type sizeResult struct{ present.Document }

func (r sizeResult) text(w *printable.Printer) {
	_ = present.Text(w, r.Report, r.Language) // the printer tells
}

func (a *app) runSize(cmd *cobra.Command, f sizeFlags) error {
	lang, err := language(f.lang)
	if err != nil {
		return err
	}
	if err := checkReports([]string{f.html, f.saveSite}, f.table, f.lock, f.against); err != nil {
		return err
	}
	if err := checkReports([]string{f.html}, f.siteFile); err != nil { // the site itself may be written anew
		return err
	}
	site, err := f.site(cmd)
	if err != nil {
		return err
	}
	if err := a.complete(cmd.Context(), cmd.InOrStdin(), lang, site); err != nil {
		return err
	}
	if err := site.Check(f.siteFile, sizing.SiteNames()); err != nil {
		return err
	}
	input := sizing.Input{Site: site, Tool: toolVersion(), Made: time.Now().Format(time.DateOnly)}
	if err := f.read(&input); err != nil {
		return err
	}
	if f.saveSite != "" {
		data, err := manifests.EncodeJSON(site)
		if err != nil {
			return err
		}
		if err := writeWhole(f.saveSite, data, 0o644); err != nil {
			return err
		}
	}
	result := sizing.Calculate(input)
	if f.html != "" {
		page, err := present.HTML(result, lang)
		if err != nil {
			return err
		}
		if err := writeWhole(f.html, page, 0o644); err != nil {
			return err
		}
		a.note("wrote %s", f.html)
	}
	return a.print(sizeResult{present.Document{Report: result, Language: lang}})
}

// read reads the other documents that a report is made from.
func (f *sizeFlags) read(input *sizing.Input) error {
	table, data, err := readTable(cmp.Or(f.table, input.Site.Table, sizing.DefaultTable))
	if err != nil {
		return err
	}
	if err := table.CheckSite(input.Site); err != nil {
		return err
	}
	input.Table, input.TableDigest = table, manifests.DigestOf(data)
	if f.lock != "" {
		if input.Lock, err = readLock(f.lock); err != nil {
			return err
		}
	}
	if f.against != "" {
		data, err := readDocument(f.against, facts.MaxSurvey, aSite, aSurvey, aReport)
		if err != nil {
			return err
		}
		if input.Against, err = existing(f.against, data, table); err != nil {
			return err
		}
	}
	return nil
}

// existing reads machines that exist, from what sizing itself reads or from the
// facts that preflight collected of all hosts.
func existing(name string, data []byte, table *sizing.Table) ([]sizing.Existing, error) {
	survey, err := facts.ReadSurvey(bytes.NewReader(data))
	err = inWords(err)
	if err != nil { // not a survey, or not a good one: then the kind tells
		if bytes.Contains(data, []byte(`"`+facts.SurveyKind+`"`)) {
			return nil, fault.Explain(err, fault.Usage, fault.Here, name, "collect the facts again with island preflight")
		}
		return sizing.ReadExisting(name, data)
	}
	var machines []sizing.Existing
	for _, host := range survey.Hosts {
		for _, role := range table.Requirements() {
			if slices.ContainsFunc(host.Groups, func(group string) bool { return slices.Contains(role.Groups, group) }) {
				machines = append(machines, machineOf(host, role.Role))
			}
		}
	}
	if len(machines) == 0 {
		return nil, usage("do the inventory's groups name roles, such as cassandra?", "%s: no host has a role of table %s", name, table.Name)
	}
	return machines, nil
}

// machineOf returns what the facts of a host say of its size; 0 is not known. Its
// disk is all file systems that were looked at, each once.
func machineOf(host facts.Host, role site.Role) sizing.Existing {
	m := sizing.Existing{Name: host.Name, Role: role}
	if host.Facts == nil {
		return m
	}
	m.Cores = int64(host.Facts.CPU.Usable.Value)
	m.Memory = manifests.Bytes(host.Facts.Memory.Usable.Value)
	seen := map[string]bool{}
	for _, path := range host.Facts.Paths {
		if system := path.FileSystem.Value; !seen[system.DeviceID] {
			seen[system.DeviceID] = true
			m.Disk += manifests.Bytes(system.Size)
		}
	}
	return m
}

// site returns the document's site with the flags laid over it.
func (f *sizeFlags) site(cmd *cobra.Command) (*site.Site, error) {
	wanted := site.New()
	if f.siteFile != "" {
		data, err := readDocument(f.siteFile, manifests.MaxDocumentBytes, aSite)
		if err != nil {
			return nil, err
		}
		if wanted, err = sizing.ReadSite(f.siteFile, data); err != nil {
			return nil, err
		}
	}
	given := cmd.Flags().Changed
	if err := f.countsAreGiven(given); err != nil {
		return nil, err
	}
	if given("conferences") {
		if isNone(f.conferences) {
			f.conferences = site.Conferences{}.String()
		}
		conferences, err := site.ParseConferences(site.Keyword(f.conferences))
		if err != nil {
			return nil, usage("such as 10x8,2x50 (ten of 8 participants, two of 50), or none", "--conferences: %w", err)
		}
		wanted.Conferences = conferences
	}
	for _, size := range []struct {
		flag, text string
		into       *site.Capacity
	}{{"bundle-size", f.bundleSize, &wanted.Bundle.Size}, {"images-unpacked", f.imagesUnpacked, &wanted.Bundle.ImagesUnpacked}} {
		if given(size.flag) {
			amount, err := site.ParseCapacity(size.text)
			if err != nil {
				return nil, usage("", "--%s: %w", size.flag, err)
			}
			if amount == 0 {
				return nil, usage("leave it out if it is not known", "--%s: %q is nothing", size.flag, size.text)
			}
			*size.into = amount
		}
	}
	f.layOver(wanted, given)
	return wanted, nil
}

// isNone reports whether a text is what some language calls none, as the dialogue takes it.
func isNone(text string) bool {
	return slices.ContainsFunc(words.All(), func(l *words.Language) bool {
		return strings.EqualFold(strings.TrimSpace(text), l.Word("sizing.dialogue.none"))
	})
}

// countsAreGiven refuses a 0 that stands for "not given" in the site document: who
// writes it means it, and would get the default.
func (f *sizeFlags) countsAreGiven(given func(string) bool) error {
	for _, count := range []struct {
		flag, hint, what string
		value            int64
		wants            string
	}{
		{"users", "count everybody who sends messages", "number of users", f.users, "at least 1"},
		{"servers", "leave it out for as many as the table wants", "number of servers", int64(f.servers), "at least 1"},
		{"restund", "leave it out for as many as the table wants", "number of Restund machines", int64(f.restund),
			fmt.Sprintf("%d or %d", site.MinRestund, site.MaxRestund)},
		{"months", "leave --growth out if nothing grows", "number of months", int64(f.months), "at least 1"},
		{"keep", "the one that runs is kept in any case", "number of bundles", int64(f.keep), "at least 1"},
	} {
		if given(count.flag) && count.value < 1 {
			return usage(count.hint, "--%s: %s is %d, wants %s", count.flag, count.what, count.value, count.wants)
		}
	}
	return nil
}

// layOver puts into the site what flags give as it is; [site.Site.Check]
// judges it.
func (f *sizeFlags) layOver(wanted *site.Site, given func(string) bool) {
	video, relayed := site.Percent(f.video), site.Percent(f.relayed)
	for flag, lay := range map[string]func(){
		"name":       func() { wanted.Name = f.name },
		"scenario":   func() { wanted.Scenario = site.ScenarioID(f.scenario) },
		"users":      func() { wanted.Users = f.users },
		"video":      func() { wanted.VideoShare = &video },
		"relayed":    func() { wanted.RelayedShare = &relayed },
		"mail":       func() { wanted.Mail = site.Mail(site.Keyword(f.mail)) },
		"push":       func() { wanted.Push = site.Push(f.push) },
		"federation": func() { wanted.Federation = f.federation },
		"internet":   func() { wanted.Internet = f.internet },
		"servers":    func() { wanted.ServerCount = f.servers },
		"restund":    func() { wanted.Restund = f.restund },
		"admin-host": func() { wanted.AdminHost = f.adminHost },
		"asset-host": func() { wanted.AssetHost = f.assetHost },
		"growth":     func() { wanted.Growth.UsersPerYear = site.Percent(f.growth) },
		"months":     func() { wanted.Growth.Months = f.months },
		"keep":       func() { wanted.Bundle.Keep = f.keep },
		"client": func() {
			wanted.Clients = nil
			for _, client := range f.clients {
				wanted.Clients = append(wanted.Clients, site.Client(client))
			}
		},
	} {
		if given(flag) {
			lay()
		}
	}
	if name := f.table; given("table") && slices.Contains(sizing.Names(), name) {
		wanted.Table = name
	}
}

// complete asks for what is open, on a terminal, and else takes defaults for
// what has one.
func (a *app) complete(ctx context.Context, in io.Reader, lang *words.Language, site *site.Site) error {
	open := site.Users == 0 || site.Conferences == nil
	if file, ok := in.(*os.File); ok && open && term.IsTerminal(int(file.Fd())) {
		return present.AskSite(ctx, in, a.err, lang, site)
	}
	site.Name = cmp.Or(site.Name, "island")
	site.Scenario = cmp.Or(site.Scenario, sizing.DefaultScenario)
	if site.Users == 0 {
		return usage("give --users, a site document with --site, or run it on a terminal to be asked",
			"users: number of messaging users is not given")
	}
	if site.Conferences == nil {
		return usage("give --conferences, such as 10x8,2x50, or none", "conferences: no conferences are given")
	}
	return nil
}

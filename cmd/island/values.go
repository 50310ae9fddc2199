package main

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/carried"
	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) values() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "values",
		Short:   "Look at a site's own values",
		Long:    "Look at a site's own values for the charts of a bundle (docs/values.md)." + exitStatus(),
		Example: `  island values check wire-2026.1-amd64.tar --key island.pub -f values/`,
		Args:    noCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.valuesCheck())
	return cmd
}

// valuesFlags say which values a site has, and how its charts are installed.
type valuesFlags struct {
	files     []string
	settings  settingFlags
	charts    []string
	bundled   bool
	releases  []string
	namespace []string
	kube      string
	apis      []string
	registry  []string
	trust     trustFlags
	lang      string
}

func (a *app) valuesCheck() *cobra.Command {
	var f valuesFlags
	cmd := &cobra.Command{
		Use:   "check BUNDLE -f VALUES...",
		Short: "Say which images, charts and files a site's values ask for that a bundle lacks",
		Long: `Render the charts of a bundle with the site's own values, as helm would, and say
what they ask for that the bundle lacks: before anything is installed. The bundle is
verified first. Charts are rendered in processes of their own, which can do no harm;
nothing of the values is sent anywhere, and none of them stands in what is printed.

VALUES is what helm gets with -f, repeated in the order in which helm gets it:

  FILE         for every chart that is looked at
  CHART=FILE   for one chart; CHART@VERSION where the bundle has several versions
  CHART=FOLDER its values.yaml, and over it its secrets.yaml
  FOLDER       for each chart CHART/values.yaml, and over it CHART/secrets.yaml

Looked at are the charts that have values of their own, else all of the bundle;
--chart says which. Values that the bundle's patches want set are laid over the
files last, as on site. Each chart is rendered as an installation and as an
upgrade. docs/values.md explains what is told, and what to do.` + exitStatus(refusedStatus,
			"4  something that these values ask for is missing in the bundle") + "\n" +
			"  1 is also a chart that does not render with these values; the error names the value and the template.",
		Example: `  island values check wire-2026.1-amd64.tar --key island.pub -f values/
  island values check wire.tar --key island.pub -f common.yaml -f wire-server=prod.yaml -f wire-server=secrets.yaml
  island values check wire.tar --key island.pub -f sftd=sftd.yaml --set joinCall.image.tag=1.27.3 --output json
  island values check wire.tar --key island.pub -f values/ --registry harbor.example.org/wire`,
		Args: oneArg("a bundle"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runValuesCheck(cmd.Context(), args[0], f) },
	}
	f.add(a, cmd)
	return cmd
}

func (f *valuesFlags) add(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.files, "values", "f", nil, "values as [CHART=]FILE or FOLDER; - is standard input (repeatable; later ones win)")
	f.settings.add(cmd)
	flags.StringArrayVar(&f.charts, "chart", nil, "look at this chart, NAME or NAME@VERSION (repeatable)")
	flags.BoolVar(&f.bundled, "bundled-values", false, "lay the values files that the bundle carries below the site's own")
	flags.StringArrayVar(&f.releases, "release-name", nil, "name of the Helm release, as CHART=NAME (repeatable; default: the chart's name)")
	flags.StringArrayVarP(&f.namespace, "namespace", "n", nil,
		"namespace, as NAME or CHART=NAME (repeatable; default: the one that the release was made for)")
	flags.StringVar(&f.kube, "kube-version", "", "version of the site's Kubernetes (default: the one that the release was made for)")
	flags.StringArrayVarP(&f.apis, "api-versions", "a", nil, "API that the site's cluster has beside Kubernetes' own (repeatable)")
	flags.StringArrayVar(&f.registry, "registry", nil,
		"registry of the site's own that the bundle's images were pushed to, as HOST[:PORT][/PATH] (repeatable)")
	f.trust.add(a, cmd)
	flags.StringVar(&f.lang, "lang", "", "language of the report: "+languages()+" (default: the locale's)")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(words.All().Tags(), cobra.ShellCompDirectiveNoFileComp))
	a.idle(cmd, a.idleInJSON([]string{"lang"}))
}

func (a *app) runValuesCheck(ctx context.Context, name string, f valuesFlags) error {
	lang, err := language(f.lang)
	if err != nil {
		return err
	}
	trust, err := f.trust.trust()
	if err != nil {
		return err
	}
	file, err := open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	b, err := file.bundle(trust)
	if err != nil {
		return err
	}
	if b.Delta != nil {
		return usage("make the whole bundle first: island apply BASE "+name,
			"%s is a delta bundle, which lacks the charts that its base has", name)
	}
	plan, err := f.plan(b) // mistakes in usage are told before a large bundle is read
	if err != nil {
		return err
	}
	progress := a.progress("verify")
	err = file.explain(b.Verify(ctx, bundle.VerifyOptions{Progress: progress}))
	progress.close()
	if err != nil {
		return err
	}
	progress = a.progress("values")
	found, errs, err := plan.discover(ctx, b, progress.Notice)
	progress.close()
	if err != nil {
		return err
	}
	result := newValuesResult(b, name, plan, found, errs)
	result.lang = lang
	if err := a.print(result); err != nil {
		return err
	}
	return errors.Join(append(errs, result.verdict())...)
}

// discover renders the charts of the plan, each with its values. Errors of charts are in
// their order. What workers lack of their layers is told.
func (p *valuesPlan) discover(ctx context.Context, b *bundle.Bundle, lacks func(string)) ([]charts.Discovery, []error, error) {
	pool, err := sandbox.New(sandbox.Options{Lacks: lacks})
	if err != nil {
		return nil, nil, err
	}
	defer pool.Close()
	found, errs := make([]charts.Discovery, len(p.charts)), make([]error, len(p.charts))
	next := make(chan int)
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(p.charts)) {
		group.Go(func() {
			for i := range next {
				found[i], errs[i] = p.charts[i].discover(ctx, b, pool)
			}
		})
	}
	for i := range p.charts {
		next <- i
	}
	close(next)
	group.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	for i, err := range errs {
		if isRefusal(err) {
			return nil, nil, err // the bundle was altered after it was verified
		}
		found[i].Chart.Name, found[i].Chart.Version = p.charts[i].locked.Name, p.charts[i].locked.Version
	}
	return found, errs, nil
}

func isRefusal(err error) bool {
	refusal := (*fault.Error)(nil)
	return errors.As(err, &refusal) && refusal.Kind == fault.Refused
}

// discover looks for what one chart asks for. Its archive is checked once more while
// it is taken out of the bundle.
func (c *plannedChart) discover(ctx context.Context, b *bundle.Bundle, pool *sandbox.Pool) (charts.Discovery, error) {
	archive, err := b.ReadEntry(c.locked.Path, charts.MaxArchive)
	if err != nil {
		return charts.Discovery{}, err
	}
	return pool.Discover(ctx, archive, charts.DiscoverOptions{Renderings: []charts.Rendering{c.how}, ForSite: true})
}

// verdict turns what is missing into the exit code.
func (r valuesResult) verdict() error {
	if len(r.Missing) == 0 {
		return nil
	}
	return fault.New(fault.PreflightFailed, fault.Site, "", "the report says what to do about each",
		"%s", words.English().Say("values.check.missing", message.Args{"n": len(r.Missing)}))
}

// settingFlags are helm's flags for values in place.
type settingFlags struct{ json, value, text, file, literal []string }

func (f *settingFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.value, "set", nil, "value KEY=VALUE for every chart that is looked at, as helm's flag (repeatable)")
	flags.StringArrayVar(&f.text, "set-string", nil, "the same, always a text (repeatable)")
	flags.StringArrayVar(&f.json, "set-json", nil, "the same, in JSON (repeatable)")
	flags.StringArrayVar(&f.file, "set-file", nil, "the same, the text of a file: KEY=FILE (repeatable)")
	flags.StringArrayVar(&f.literal, "set-literal", nil, "the same, nothing in the text having a meaning (repeatable)")
}

func (f *settingFlags) settings() ([]charts.Setting, error) {
	var all []charts.Setting
	for _, kind := range []struct {
		kind  charts.SettingKind
		texts []string
	}{
		{charts.SetJSON, f.json}, {charts.SetValue, f.value}, {charts.SetString, f.text},
		{charts.SetFile, f.file}, {charts.SetLiteral, f.literal},
	} {
		for _, text := range kind.texts {
			setting := charts.Setting{Kind: kind.kind, Text: text}
			if err := readSettingFiles(&setting); err != nil {
				return nil, err
			}
			if err := setting.Check(); err != nil {
				return nil, err
			}
			all = append(all, setting)
		}
	}
	return all, nil
}

func readSettingFiles(setting *charts.Setting) error {
	if setting.Kind != charts.SetFile {
		return nil
	}
	names, err := charts.FilesOf(setting.Text)
	if err != nil {
		return err
	}
	setting.Files = map[string]string{}
	for _, name := range names {
		data, err := readBounded(name, charts.MaxValues)
		if err != nil {
			return err
		}
		setting.Files[name] = string(data)
	}
	return nil
}

// valuesResult is what is printed.
type valuesResult struct {
	Bundle    string                  `json:"bundle"`
	Release   manifests.LockedRelease `json:"release"`
	Digest    manifests.Digest        `json:"digest"`
	Signature string                  `json:"signature"` // valid, or unsigned where that is allowed
	Charts    []checkedChart          `json:"charts"`
	// charts of the bundle that were not looked at, as name and version
	NotChecked []string        `json:"notChecked"`
	Missing    []valuesFinding `json:"missing"` // pods that want it will not start
	Unsure     []valuesFinding `json:"unsure"`  // may be an image or a file that is needed: a person has to look
	Decided    []valuesFinding `json:"decided"` // the release has left it out at this very place, with its reason
	Warnings   []valuesWarning `json:"warnings"`

	lang *words.Language
}

// checkedChart is a chart that was rendered with the site's values.
type checkedChart struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Values  []string `json:"values"`            // files, in the order in which they were laid over each other
	Renders bool     `json:"renders"`           // else what it asks for is not known
	Notices []string `json:"notices,omitempty"` // what else the island's cluster may need, and other things to know
}

func newValuesResult(b *bundle.Bundle, name string, plan *valuesPlan, found []charts.Discovery, errs []error) valuesResult {
	lock := &b.Inventory.Lock
	r := valuesResult{
		Bundle: name, Release: lock.Release, Digest: b.Digest, Signature: b.SignatureState(), Charts: []checkedChart{},
		NotChecked: plan.others, Warnings: plan.warnings(found),
	}
	for i, c := range plan.charts {
		checked := checkedChart{
			Name: c.locked.Name, Version: c.locked.Version, Values: []string{}, Renders: errs[i] == nil, Notices: found[i].Notices,
		}
		for _, source := range c.how.Values {
			checked.Values = append(checked.Values, source.Name)
		}
		r.Charts = append(r.Charts, checked)
	}
	report := carried.Judge(lock, found, plan.registries)
	r.Missing, r.Unsure, r.Decided = valuesFindings(report.Missing), valuesFindings(report.Unsure), valuesFindings(report.Decided)
	return r
}

// chartLabel names a chart of a bundle in words.
func chartLabel(c manifests.LockedChart) string { return c.Name + " " + c.Version }

// chartsOf returns the charts of a bundle that a name stands for: NAME or NAME@VERSION.
func chartsOf(lock *manifests.Lock, text string) []manifests.LockedChart {
	name, version, versioned := strings.Cut(text, "@")
	return slices.DeleteFunc(slices.Clone(lock.Charts), func(c manifests.LockedChart) bool {
		return c.Name != name || versioned && manifests.CompareChartVersions(c.Version, version) != manifests.SameVersion
	})
}

// among reports whether a chart of the bundle is one of some.
func among(list []manifests.LockedChart, c manifests.LockedChart) bool {
	return slices.ContainsFunc(list, func(one manifests.LockedChart) bool { return one.Path == c.Path })
}

// perChart reads flags of the form CHART=TEXT, or TEXT for all.
func perChart(
	lock *manifests.Lock, chosen []manifests.LockedChart, flag string, texts []string, forAll bool,
) (func(manifests.LockedChart) string, error) {
	type given struct {
		charts []manifests.LockedChart
		text   string
	}
	var all []given
	for _, text := range texts {
		chart, rest, named := strings.Cut(text, "=")
		if named && rest == "" {
			return nil, usage("write "+flag+" CHART=NAME", "%s %s names nothing", flag, text)
		}
		if !named && !forAll {
			return nil, usage("write "+flag+" CHART=NAME", "%s %s does not say for which chart it is", flag, text)
		}
		if !named {
			all = append(all, given{lock.Charts, text})
			continue
		}
		list := chartsOf(lock, chart)
		if len(list) == 0 {
			return nil, noSuchChart(lock, chart)
		}
		if !slices.ContainsFunc(list, func(c manifests.LockedChart) bool { return among(chosen, c) }) {
			return nil, usage("name the chart with --chart, too", "%s %s is for a chart that is not looked at", flag, text)
		}
		all = append(all, given{list, rest})
	}
	return func(c manifests.LockedChart) string {
		for _, g := range slices.Backward(all) {
			if among(g.charts, c) {
				return g.text
			}
		}
		return ""
	}, nil
}

func renderedFor(c manifests.LockedChart) manifests.LockedRendering {
	return *cmp.Or(c.Rendered, &manifests.LockedRendering{})
}

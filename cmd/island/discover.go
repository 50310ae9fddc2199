package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) discover() *cobra.Command {
	var release releaseFlags
	var upstream upstreamFlags
	var values []string
	var rulesOnly bool
	cmd := &cobra.Command{
		Use:   "discover -f RELEASE | CHART...",
		Short: "Find the images in charts, and say how sure that is",
		Long: `Render charts in all the ways that a release wants and look for images: in pod
specs, custom resources, arguments, environment, configuration files, annotations,
and in values of features that are switched off.

Each find is certain, likely, or a candidate. Likely ones are confirmed with the
registry; with --offline, or where a registry cannot be reached, they are shown as
not looked up. Candidates, and charts that a chart names for others to install,
are not carried until a rule of the release includes or excludes them; island
build refuses while one is undecided. They are printed as a list of rules to paste
into the release (docs/discovery.md).

CHART is a folder or an archive on this machine.` + exitStatus(demandedStatus),
		Example: `  island discover -f build.json --profile default
  island discover -f release.yaml --rules > rules.yaml
  island discover ./charts/wire-server --values prod.yaml --stub-required --output json`,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) > 0) == (release.file != "") {
				return usage("island discover -f release.yaml, or island discover CHART...", "wants either -f RELEASE or charts")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			progress := a.progress("discover")
			defer progress.close()
			pool, err := sandbox.New(sandbox.Options{Lacks: progress.Notice})
			if err != nil {
				return err
			}
			defer pool.Close()
			assembled, err := release.assembleOr(cmd.Context(), args, values, pool.Discover)
			if err != nil {
				return err
			}
			return a.runDiscover(cmd.Context(), assembled, upstream, resolve.Options{
				Parallel: upstream.total, Progress: progress, Discover: pool.Discover, StubRequired: release.stubRequired,
			}, progress.close, rulesOnly)
		},
	}
	release.addFile(cmd)
	release.addDiscovery(cmd)
	inGroup(cmd, ofDocuments, func(cmd *cobra.Command) {
		release.addDocuments(cmd)
		release.addSelection(cmd)
	})
	upstream.add(a, cmd)
	a.idle(cmd,
		idleRule{group: ofDocuments, where: "beside charts on this machine", hint: "leave them out, or name a release with -f",
			when: func(_ *cobra.Command, args []string) bool { return len(args) > 0 }},
		idleRule{flags: []string{"rules"}, where: "with --output json", hint: "leave one out: the JSON has them as rules",
			when: func(*cobra.Command, []string) bool { return a.format == "json" }},
		idleRule{flags: []string{"values"}, where: "beside a release", hint: "name values files in an overlay",
			when: func(_ *cobra.Command, args []string) bool { return len(args) == 0 }},
	)
	cmd.Flags().StringArrayVar(&values, "values", nil, "values file for the charts given as arguments (repeatable)")
	cmd.Flags().BoolVar(&rulesOnly, "rules", false, "print nothing but the rules to paste")
	return cmd
}

// assembleOr returns the release that is named, or one of the charts on this
// machine that are.
func (f *releaseFlags) assembleOr(ctx context.Context, paths, values []string, look resolve.Discover) (*resolve.Assembled, error) {
	if len(paths) == 0 {
		return f.assemble()
	}
	release := &manifests.Release{Discovery: manifests.Discovery{IncludeDisabled: f.includeDisabled}}
	for _, name := range paths {
		if err := checkChart(name); err != nil {
			return nil, err
		}
		meta, err := chartAt(ctx, name, look)
		if err != nil {
			return nil, err
		}
		release.Charts = append(release.Charts, manifests.Chart{Name: meta.Name, Version: meta.Version, Path: name, Values: values})
	}
	return &resolve.Assembled{Release: release, BaseDir: "."}, nil
}

// checkChart refuses what is neither a folder nor an archive that a chart may be in.
func checkChart(name string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		if !exists(filepath.Join(name, "Chart.yaml")) {
			return usage("give the folder that has its Chart.yaml", "%s is a folder, not %s", name, aChart)
		}
		return nil
	}
	file, _, err := openRegular(name, []form{aChart})
	if err != nil {
		return err
	}
	defer file.Close()
	head, err := readHead(file)
	if err != nil {
		return fault.Explain(err, fault.Failure, fault.Here, name, "")
	}
	switch f := recognise(head); f {
	case aRelease:
		return usage("did you mean -f "+name+"?", "%s is %s, not %s", name, f, aChart)
	case aLock, aBundle:
		return usage(give([]form{aChart})+"; island show "+name+" --images lists the images in it", "%s is %s, not %s", name, f, aChart)
	case aGzip, aChart:
		return nil
	default:
		if f == notRecognised && isText(head) {
			f = aText
		}
		return f.check(name, aChart)
	}
}

// chartAt reads what a chart on this machine calls itself.
func chartAt(ctx context.Context, name string, look resolve.Discover) (charts.Metadata, error) {
	meta, err := loadAt(ctx, filepath.Clean(name), look)
	if err != nil {
		return meta, fmt.Errorf("%s: %w", name, err)
	}
	return meta, nil
}

func loadAt(ctx context.Context, name string, look resolve.Discover) (charts.Metadata, error) {
	info, err := os.Stat(name)
	if err != nil {
		return charts.Metadata{}, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	if info.IsDir() {
		files, err := charts.ReadFolder(name)
		if err != nil {
			return charts.Metadata{}, err
		}
		return resolve.NameOfFolder(ctx, name, files, look)
	}
	archive, err := readBounded(name, charts.MaxArchive)
	if err != nil {
		return charts.Metadata{}, err
	}
	found, err := look(ctx, archive, charts.DiscoverOptions{LoadOnly: true})
	return found.Chart, err
}

func (a *app) runDiscover(
	ctx context.Context, assembled *resolve.Assembled, upstream upstreamFlags, options resolve.Options, looked func(), rulesOnly bool,
) error {
	world, err := upstream.open(a, assembled.BaseDir, assembled.Secrets)
	if err != nil {
		return err
	}
	defer world.Close()
	found, err := resolve.Find(ctx, assembled, world, options)
	looked()
	result := newDiscoverResult(found)
	var printErr error
	switch {
	case rulesOnly:
		printErr = a.printDocument([]byte(result.Rules))
	case len(found.Charts) > 0:
		printErr = a.print(result)
	}
	return cmp.Or(printErr, err)
}

type discoverResult struct {
	Charts    []discoveredChart `json:"charts"`
	Conflicts []charts.Conflict `json:"conflicts"`
	Undecided int               `json:"undecided"`
	// likely images that no registry was asked for: it could not be reached, or
	// --offline says not to
	NotLookedUp int    `json:"notLookedUp,omitempty"`
	Rules       string `json:"rules"` // YAML, to paste into the release
}

type discoveredChart struct {
	Name    string              `json:"name"`
	Version string              `json:"version"`
	Images  []discoveredImage   `json:"images"`
	LeftOut []discoveredImage   `json:"leftOut"`
	Off     []charts.Switch     `json:"off"`
	Stubbed []charts.StubbedFor `json:"stubbed"`
	Notices []string            `json:"notices"` // what else the island's cluster may need, and other things to know
}

type discoveredImage struct {
	Image     string           `json:"image"` // of the class chart: the chart that is named
	Class     charts.Class     `json:"class"`
	Decision  string           `json:"decision"` // included, excluded, undecided or left out
	Reason    string           `json:"reason,omitempty"`
	Subchart  string           `json:"subchart,omitempty"`
	Rendering string           `json:"rendering,omitempty"`
	Origin    manifests.Origin `json:"origin"`

	Chart       *charts.NamedChart `json:"chart,omitempty"`       // of the class chart
	NotLookedUp bool               `json:"notLookedUp,omitempty"` // nobody said yet whether the image exists
}

func newDiscoverResult(found *resolve.Found) discoverResult {
	result := discoverResult{
		Charts: []discoveredChart{}, Conflicts: found.Conflicts,
		Undecided: len(found.Decision.Undecided), Rules: charts.ProposeRules(found.Decision.Undecided),
	}
	byChart := map[string]*discoveredChart{}
	for _, d := range found.Charts {
		chart := discoveredChart{
			Name: d.Chart.Name, Version: d.Chart.Version, Images: []discoveredImage{}, LeftOut: []discoveredImage{},
			Off: d.Off, Stubbed: d.Stubbed, Notices: d.Notices,
		}
		result.Charts = append(result.Charts, chart)
	}
	for i := range result.Charts {
		byChart[result.Charts[i].Name] = &result.Charts[i]
	}
	add := func(find charts.ImageFind, decision, reason string) {
		if chart := byChart[find.Origin.Chart]; chart != nil {
			image := discovered(find, decision, reason)
			if image.NotLookedUp = find.Class == charts.Likely && found.NotLookedUp[find.Image]; image.NotLookedUp {
				result.NotLookedUp++
			}
			chart.Images = append(chart.Images, image)
		}
	}
	for _, left := range found.Decision.LeftOut {
		if chart := byChart[left.Origin.Chart]; chart != nil {
			chart.LeftOut = append(chart.LeftOut, discovered(left.ImageFind, "left out", left.Rule))
		}
	}
	for _, find := range found.Decision.Included {
		add(find, "included", find.Reason)
	}
	for _, find := range found.Decision.Undecided {
		add(find, "undecided", find.Reason)
	}
	for _, excluded := range found.Decision.Excluded {
		add(excluded.ImageFind, "excluded", excluded.Rule.Reason)
	}
	return result
}

func discovered(find charts.ImageFind, decision, reason string) discoveredImage {
	image := discoveredImage{
		Image: find.Image, Class: find.Class, Decision: decision, Reason: reason,
		Subchart: find.Subchart, Rendering: find.Rendering, Origin: find.Origin,
	}
	if find.Class == charts.Named {
		image.Chart = &find.Chart
	}
	return image
}

// marks say a decision in one character, so that colour need not.
var marks = map[string]string{"included": "+", "undecided": "?", "excluded": "-", "left out": "-"}

func (r discoverResult) text(w *printable.Printer) {
	included := 0
	for _, chart := range r.Charts {
		w.Printf("%s %s\n", chart.Name, chart.Version)
		if len(chart.Images)+len(chart.LeftOut) == 0 {
			w.Printf("    no images\n")
		}
		for _, line := range imageLines(append(chart.Images, chart.LeftOut...)) {
			w.Printf("  %s\n", line)
		}
		for _, off := range chart.Off {
			w.Printf("  . subchart %s is off; on with %s\n", off.Subchart, strings.Join(off.On, " or "))
		}
		for _, stub := range chart.Stubbed {
			w.Printf("  ! %s was made up: %s\n", stub.Path, stub.Why)
		}
		for _, image := range chart.Images {
			if image.Decision == "included" {
				included++
			}
		}
	}
	for _, conflict := range r.Conflicts {
		var versions []string
		for _, version := range conflict.Versions {
			versions = append(versions, strings.TrimPrefix(version.Image, conflict.Name))
		}
		w.Printf("\nnote: %s is wanted in %d versions: %s\n",
			conflict.Name, len(versions), strings.Join(versions, ", "))
	}
	w.Printf("\n+ carried (%s)   ? undecided (%d)   - left out, with the reason\n", fault.Counted(included, "find", "finds"), r.Undecided)
	if r.NotLookedUp > 0 {
		w.Printf("not looked up: %d; whether these images exist is not known\n", r.NotLookedUp)
	}
	if r.Rules != "" && r.Undecided > 0 {
		w.Printf("\nrules for what is undecided, to be read, corrected and put under discovery.rules:\n\n")
		io.WriteString(w, r.Rules) //nolint:errcheck // the printer remembers
	}
}

// imageLines returns a line for each image and decision, with how often and where
// it was found first.
func imageLines(images []discoveredImage) []string {
	var lines []string
	seen := map[string]int{}
	at := map[string]int{}
	for _, image := range images {
		key := image.Decision + " " + image.Image
		seen[key]++
		if seen[key] > 1 {
			continue
		}
		at[key] = len(lines)
		line := fmt.Sprintf("%s %s", marks[image.Decision], image.Image)
		where := image.Origin.Object
		if where == "" {
			where = image.Origin.List + image.Origin.Field
		}
		note := string(image.Class) + ", " + where
		if image.Decision != "included" && image.Reason != "" {
			note += ": " + image.Reason
		}
		if image.NotLookedUp {
			note += ", not looked up"
		}
		if image.Rendering != "" {
			note += " [" + image.Rendering + "]"
		}
		lines = append(lines, fmt.Sprintf("%-72s  %s", line, note))
	}
	for key, count := range seen {
		if count > 1 {
			lines[at[key]] += fmt.Sprintf(" (and %d more)", count-1)
		}
	}
	return lines
}

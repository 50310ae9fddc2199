package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/manifests/wireapp"
)

func (a *app) patch() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "patch",
		Short:   "Write patch documents",
		Long:    "Write patch documents (docs/patches.md)." + exitStatus(),
		Example: `  island patch from old/build.json new/build.json --charts wire-server --id WIRE-2026-001 --severity high`,
		Args:    noCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.patchFrom())
	return cmd
}

type patchFromFlags struct {
	charts    []string
	id        string
	date      string
	deadline  string
	severity  string
	summary   string
	summaryDE string
	cves      []string
	release   string
	appliesTo string
	version   string
	sequence  sequenceFlag
	steps     string
	stepsDE   string
	noSteps   bool
	out       string
	upstream  upstreamFlags
}

func (a *app) patchFrom() *cobra.Command {
	var f patchFromFlags
	cmd := &cobra.Command{
		Use:   "from OLD NEW",
		Short: "Write a patch of the charts that changed between two releases",
		Long: `Write a patch that takes chart entries from one release to another, as a
cherry-pick of entries of a build.json does: of an entry that changed its version and
what else differs is taken, one that is new is added, one that is gone is removed. What
both releases set is not in the patch, which would lay it over what sites set. OLD and
NEW are Wire build.json files or releases. The patch applies to the version of OLD,
unless --applies-to says otherwise. Edit it before you sign it: add what vulnerabilities
were in, a range of versions.

What has to be looked at is said on stderr, and stands at the top of the patch: charts
that go back, minor releases that are crossed without known steps, how much it takes,
what comes along or stays behind, charts that are gone, that moved, or that are others of
the same version, what NEW does not say of a chart any more, and what else differs. Where
the charts can be had, so do the values whose defaults changed. What nobody has written
yet is a text that begins with DRAFT; with one in it, a patch is
neither signed nor resolved.` + exitStatus(),
		Example: `  island patch from 2026-q1/build.json 2026-q2/build.json --charts wire-server,nginz \
      --id WIRE-2026-001 --severity critical --cve CVE-2026-12345=9.8 --deadline 2026-05-01 -o WIRE-2026-001.yaml`,
		Args: twoArgs("the old and the new release"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for i := range f.charts {
				f.charts[i] = strings.TrimSpace(f.charts[i]) // "one, two"
			}
			return a.runPatchFrom(cmd.Context(), f, args[0], args[1])
		},
	}
	f.upstream.add(a, cmd)
	a.idle(cmd, idleWith([]string{"steps", "steps-de"}, "no-steps", "leave one of them out"))
	flags := cmd.Flags()
	flags.StringSliceVar(&f.charts, "charts", nil, "charts to take, separated by commas (default: all that differ)")
	flags.StringVar(&f.id, "id", "", "id of the patch, such as WIRE-2026-001")
	flags.StringVar(&f.date, "date", "", "day of publication (default: today)")
	flags.StringVar(&f.deadline, "deadline", "", "day by which it should be installed")
	flags.StringVar(&f.severity, "severity", "", "none, low, medium, high or critical")
	flags.StringVar(&f.summary, "summary", "", "what it does, in English (default: a draft with the chart versions)")
	flags.StringVar(&f.summaryDE, "summary-de", "", "the same in German")
	flags.StringVar(&f.steps, "steps", "", "what to do on site after installing, in English (default: a draft)")
	flags.StringVar(&f.stepsDE, "steps-de", "", "the same in German")
	flags.BoolVar(&f.noSteps, "no-steps", false, "nothing is to be done on site")
	flags.StringVar(&f.version, "release-version", "", "version of the patched release (default: the release's, and the patches' ids)")
	flags.Var(&f.sequence, "sequence", "`number` of the patched release (default: one more than the release's)")
	flags.StringArrayVar(&f.cves, "cve", nil, "vulnerability that it closes, as ID or ID=SCORE (repeatable)")
	flags.StringVar(&f.release, "release", "", "name of the release that it is for (default: OLD's, or wire for a build.json)")
	flags.StringVar(&f.appliesTo, "applies-to", "", `versions that it is for, such as ">=2026.1.0 <2026.2.0" (default: OLD's version)`)
	flags.StringVarP(&f.out, "out", "o", "-", "file to write; - for standard output")
	return cmd
}

type patchFromResult struct {
	Patch   string   `json:"patch"`
	ID      string   `json:"id"`
	Changed []string `json:"changed"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	// Warnings are what has to be looked at.
	Warnings []manifests.PatchConcern `json:"warnings"`
	// Defaults are the keys of charts' values whose defaults changed, where the charts could be had.
	Defaults []diff.ValuesChanges `json:"defaults"`
	Drafts   []string             `json:"drafts"` // fields whose text is to be written yet
}

func (r patchFromResult) text(w *printable.Printer) {
	w.Printf("patch    %s  (%s)\n", r.Patch, r.ID)
	for _, list := range []struct {
		what  string
		names []string
	}{{"changed", r.Changed}, {"added  ", r.Added}, {"removed", r.Removed}} {
		if len(list.names) > 0 {
			w.Printf("%s  %s\n", list.what, strings.Join(list.names, ", "))
		}
	}
	if len(r.Drafts) > 0 {
		w.Printf("to write %s\n", strings.Join(r.Drafts, ", "))
	}
	if len(r.Warnings) > 0 {
		w.Printf("warnings %d: they stand at the top of the patch\n", len(r.Warnings))
	}
	if len(r.Defaults) > 0 {
		w.Printf("\n")
		table(w, "DEFAULT|CHART|VALUE|OLD|NEW", func(row func(...string)) {
			eachValue(r.Defaults, func(kind, chart string, v diff.ValueChange) { row(kind, chart, v.Path, orDash(v.Old), orDash(v.New)) })
		})
	}
}

func (a *app) runPatchFrom(ctx context.Context, f patchFromFlags, oldFile, newFile string) error {
	if f.id == "" || f.severity == "" {
		return usage("island patch from OLD NEW --id WIRE-2026-001 --severity high", "wants --id and --severity")
	}
	if err := notAnInput(f.out, oldFile, newFile, f.upstream.mirrors); err != nil {
		return err
	}
	older, err := newPatchEnd(oldFile, f.out)
	if err != nil {
		return err
	}
	newer, err := newPatchEnd(newFile, f.out)
	if err != nil {
		return err
	}
	metadata, err := f.metadata()
	if err != nil {
		return err
	}
	p, stays, err := manifests.PatchFrom(older.Release, newer.Release, f.charts, metadata, older.folder.files())
	if err != nil {
		return err
	}
	if c := p.Changes; len(c.Charts)+len(c.Add.Charts)+len(c.Remove.Charts) == 0 {
		return nothingToPatch(oldFile, newFile, stays)
	}
	result, err := a.concernsOf(ctx, f, older, newer, p, stays)
	if err != nil {
		return err
	}
	if err := f.complete(p, older.Release); err != nil {
		return err
	}
	text, err := manifests.EncodePatch(p)
	if err != nil {
		return err
	}
	result.Patch, result.ID, result.Drafts = f.out, p.ID(), draftFields(p)
	for _, w := range result.Warnings {
		a.note("warning: %s", w.Text)
	}
	text = append(result.heading(), text...)
	if f.out == "-" {
		return a.printDocument(text)
	}
	if err := writeWhole(f.out, text, 0o644); err != nil {
		return err
	}
	return a.print(result)
}

func nothingToPatch(oldFile, newFile string, stays []manifests.PatchConcern) error {
	if len(stays) > 0 {
		return usage("write by hand what it shall be instead, below changes.charts",
			"there is nothing that a patch could take: %s", stays[0].Text)
	}
	return usage("give the release that the site has, and the one with the fix", "%s and %s have the same charts: there is nothing to patch",
		oldFile, newFile)
}

// concernsOf returns what there is to say of a patch.
func (a *app) concernsOf(
	ctx context.Context, f patchFromFlags, older, newer *patchEnd, p *manifests.Patch, stays []manifests.PatchConcern,
) (patchFromResult, error) {
	result := patchFromResult{
		Changed: names(p.Changes.Charts), Added: names(p.Changes.Add.Charts), Removed: append([]string{}, p.Changes.Remove.Charts...),
	}
	upgrades, _, err := upgradesOfRelease(newer.Release)
	if err != nil {
		return result, err
	}
	result.Warnings = manifests.PatchConcerns(older.Release, newer.Release, p, len(f.charts) > 0, upgrades)
	result.Warnings = slices.Concat(result.Warnings, stays, older.folder.notTaken(older.Release, newer.Release))
	defaults, more, err := a.lookAtCharts(ctx, f.upstream, older, newer, p)
	result.Defaults, result.Warnings = defaults, append(result.Warnings, more...)
	if result.Warnings == nil {
		result.Warnings = []manifests.PatchConcern{}
	}
	return result, err
}

// complete adds what flags say, and drafts of what nobody has said.
func (f *patchFromFlags) complete(p *manifests.Patch, older *manifests.Release) error {
	p.AppliesTo.Release = cmp.Or(f.release, p.AppliesTo.Release)
	p.AppliesTo.Versions = cmp.Or(f.appliesTo, p.AppliesTo.Versions)
	p.Release = manifests.Becomes{Version: f.version, Sequence: manifests.Sequence(f.sequence)}
	changes, inGerman := summaryOf(p, older, "to", "added", "removed"), summaryOf(p, older, "auf", "neu", "entfernt")
	if p.Metadata.Summary.En == "" && p.Metadata.Summary.De != "" {
		return usage("add --summary", "--summary-de has no English beside it")
	}
	p.Metadata.Summary.Draft(changes+". Say in one sentence what this is good for.", inGerman+". In einem Satz sagen, wozu das gut ist.")
	if f.noSteps {
		return nil
	}
	p.Steps = manifests.Text{En: f.steps, De: f.stepsDE}
	p.Steps.Draft("say what is to be done on site before and after: "+changes+".",
		"sagen, was am Standort vorher und nachher zu tun ist: "+inGerman+".")
	return nil
}

func draftFields(p *manifests.Patch) []string {
	fields := []string{}
	for _, flaw := range fault.All(p.Drafts()) {
		fields = append(fields, strings.TrimPrefix(flaw.Place.Field, "patch "+p.ID()+": "))
	}
	return fields
}

// maxHeading bounds the lines at the top of a patch that list defaults.
const maxHeading = 100

// heading is what stands as comments at the top of a patch: for whoever edits it.
func (r patchFromResult) heading() []byte {
	var b strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, "# %s\n", printable.Line(fmt.Sprintf(format, args...)))
	}
	for _, w := range r.Warnings {
		line("WARNING: %s", w.Text)
	}
	n := 0
	eachValue(r.Defaults, func(kind, chart string, v diff.ValueChange) {
		if n++; n <= maxHeading {
			line("default %s: %s of chart %s: %s → %s", kind, v.Path, chart, orDash(v.Old), orDash(v.New))
		}
	})
	if n > maxHeading {
		line("… and %d more: island patch from --output json lists them", n-maxHeading)
	}
	for _, field := range r.Drafts {
		line("TO WRITE: %s", field)
	}
	return []byte(b.String())
}

// rebaseFor makes the paths of a release relative to the folder of the patch, which it
// returns.
func rebaseFor(out, file string, r *manifests.Release) (patchFolder, error) {
	folder := "."
	if out != "-" {
		folder = filepath.Dir(out)
	}
	to, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	from, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(to, from)
	if err == nil && relative != "." {
		r.Rebase(relative)
	}
	return patchFolder(folder), err
}

// readRelease reads a release or a build.json, which then has the name under
// which it is resolved.
func readRelease(file string) (*manifests.Release, error) {
	data, err := readDocument(file, manifests.MaxDocumentBytes, aRelease)
	if err != nil {
		return nil, err
	}
	r, err := manifests.Read(file, data)
	if err != nil || !r.IsWireBuild() {
		return r, err
	}
	overlay, err := wireapp.Overlay()
	if err != nil {
		return nil, err
	}
	r.Metadata.Name = overlay.Metadata.Name
	return r, nil
}

func (f *patchFromFlags) metadata() (manifests.PatchMetadata, error) {
	m := manifests.PatchMetadata{ID: f.id, Summary: manifests.Text{En: f.summary, De: f.summaryDE}}
	var err error
	if m.Date, err = today(); err != nil {
		return m, err
	}
	for _, date := range []struct {
		flag, text string
		into       *manifests.Date
	}{{"--date", f.date, &m.Date}, {"--deadline", f.deadline, &m.Deadline}} {
		if date.text != "" {
			if *date.into, err = manifests.ParseDate(date.text); err != nil {
				return m, usage("", "%s: %w", date.flag, err)
			}
		}
	}
	if err := m.Severity.UnmarshalText([]byte(f.severity)); err != nil {
		return m, usage("", "--severity: %w", err)
	}
	for _, text := range f.cves {
		id, score, scored := strings.Cut(text, "=")
		v := manifests.Vulnerability{ID: id}
		if scored {
			if v.CVSS.Score, err = strconv.ParseFloat(score, 64); err != nil {
				return m, usage("such as --cve CVE-2026-12345=9.8", "--cve %q has no score that is a number", text)
			}
		}
		m.Vulnerabilities = append(m.Vulnerabilities, v)
	}
	return m, nil
}

func names(charts []manifests.Chart) []string {
	list := []string{}
	for _, c := range charts {
		list = append(list, c.Name)
	}
	return list
}

// summaryOf words the change where nobody did.
func summaryOf(p *manifests.Patch, older *manifests.Release, to, added, removed string) string {
	var parts []string
	for _, c := range p.Changes.Charts {
		parts = append(parts, fmt.Sprintf("%s %s %s %s", c.Name, older.ChartNamed(c.Name).Version, to, c.Version))
	}
	for _, c := range p.Changes.Add.Charts {
		parts = append(parts, fmt.Sprintf("%s %s %s", c.Name, c.Version, added))
	}
	for _, name := range p.Changes.Remove.Charts {
		parts = append(parts, name+" "+removed)
	}
	return strings.Join(parts, ", ")
}

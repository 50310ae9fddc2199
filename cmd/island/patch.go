package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
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
	out       string
}

func (a *app) patchFrom() *cobra.Command {
	var f patchFromFlags
	cmd := &cobra.Command{
		Use:   "from OLD NEW",
		Short: "Write a patch of the charts that changed between two releases",
		Long: `Write a patch that takes chart entries from one release to another, as a
cherry-pick of entries of a build.json does: an entry that changed is taken whole,
one that is new is added, one that is gone is removed. OLD and NEW are Wire
build.json files or releases. The patch applies to the version of OLD, unless
--applies-to says otherwise. Edit it before you sign it: add what vulnerabilities
were in, steps, a range of versions.` + exitStatus(),
		Example: `  island patch from 2026-q1/build.json 2026-q2/build.json --charts wire-server,nginz \
      --id WIRE-2026-001 --severity critical --cve CVE-2026-12345=9.8 --deadline 2026-05-01 -o WIRE-2026-001.yaml`,
		Args: twoArgs("the old and the new release"),
		RunE: func(_ *cobra.Command, args []string) error { return a.runPatchFrom(f, args[0], args[1]) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.charts, "charts", nil, "charts to take, separated by commas (default: all that differ)")
	flags.StringVar(&f.id, "id", "", "id of the patch, such as WIRE-2026-001")
	flags.StringVar(&f.date, "date", "", "day of publication (default: today)")
	flags.StringVar(&f.deadline, "deadline", "", "day by which it should be installed")
	flags.StringVar(&f.severity, "severity", "", "none, low, medium, high or critical")
	flags.StringVar(&f.summary, "summary", "", "what it does, in English (default: the chart versions)")
	flags.StringVar(&f.summaryDE, "summary-de", "", "the same in German")
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
}

func (a *app) runPatchFrom(f patchFromFlags, oldFile, newFile string) error {
	if f.id == "" || f.severity == "" {
		return usage("island patch from OLD NEW --id WIRE-2026-001 --severity high", "wants --id and --severity")
	}
	older, err := readRelease(oldFile)
	if err != nil {
		return err
	}
	newer, err := readRelease(newFile)
	if err != nil {
		return err
	}
	for _, doc := range []struct {
		file    string
		release *manifests.Release
	}{{oldFile, older}, {newFile, newer}} {
		doc.release.MapURLs(manifests.BareURL, manifests.BareURL, manifests.BareURL) // whoever resolves has the secrets in the release
		if err := rebaseFor(f.out, doc.file, doc.release); err != nil {
			return err
		}
	}
	metadata, err := f.metadata()
	if err != nil {
		return err
	}
	p, err := manifests.PatchFrom(older, newer, f.charts, metadata)
	if err != nil {
		return err
	}
	p.AppliesTo.Release = cmp.Or(f.release, p.AppliesTo.Release)
	p.AppliesTo.Versions = cmp.Or(f.appliesTo, p.AppliesTo.Versions)
	p.Metadata.Summary.En = cmp.Or(p.Metadata.Summary.En, summaryOf(p, older))
	text, err := manifests.EncodePatch(p)
	if err != nil {
		return err
	}
	if f.out == "-" {
		return a.printDocument(text)
	}
	if err := writeWhole(f.out, text, 0o644); err != nil {
		return err
	}
	return a.print(patchFromResult{
		Patch: f.out, ID: p.ID(), Changed: names(p.Changes.Charts), Added: names(p.Changes.Add.Charts),
		Removed: append([]string{}, p.Changes.Remove.Charts...),
	})
}

// rebaseFor makes the paths of a release relative to the folder of the patch.
func rebaseFor(out, file string, r *manifests.Release) error {
	folder := "."
	if out != "-" {
		folder = filepath.Dir(out)
	}
	to, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	from, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(to, from)
	if err == nil && relative != "." {
		r.Rebase(relative)
	}
	return err
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
func summaryOf(p *manifests.Patch, older *manifests.Release) string {
	var parts []string
	for _, c := range p.Changes.Charts {
		parts = append(parts, fmt.Sprintf("%s %s to %s", c.Name, older.ChartNamed(c.Name).Version, c.Version))
	}
	for _, c := range p.Changes.Add.Charts {
		parts = append(parts, fmt.Sprintf("%s %s added", c.Name, c.Version))
	}
	for _, name := range p.Changes.Remove.Charts {
		parts = append(parts, name+" removed")
	}
	return strings.Join(parts, ", ")
}

package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) diff() *cobra.Command {
	var trust trustFlags
	var markdown bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what differs between two releases, locks or bundles",
		Long: `Say what differs between any two of release (or Wire build.json), lock and
bundle: charts, images, files, with versions, digests and the patch that decided
them; and how many bytes NEW has that OLD lacks. Between two bundles also the
keys of charts' values.yaml whose defaults changed.

Only inventories are read, and of bundles the archives of charts that differ, so
that it answers at once. With --key the signatures of bundles are checked first.` + exitStatus(refusedStatus),
		Example: `  island diff wire-2026.1-amd64.tar wire-2026.2-amd64.tar
  island diff island.lock.json wire-2026.2-amd64.tar --output json
  island diff 2026-q1/build.json 2026-q2/build.json --markdown >> NOTES.md`,
		Args: twoArgs("the old and the new"),
		RunE: func(_ *cobra.Command, args []string) error {
			if markdown && a.format == "json" {
				return usage("leave one out", "--markdown and --output json cannot be given together")
			}
			d, err := compare(args[0], args[1], trust)
			if err != nil {
				return err
			}
			if markdown {
				diffMarkdown(a.out, d)
				return nil
			}
			return a.print(diffResult{d})
		},
	}
	trust.add(a, cmd)
	cmd.Flags().BoolVar(&markdown, "markdown", false, "write Markdown, for release notes")
	return cmd
}

func compare(older, newer string, trust trustFlags) (diff.Difference, error) {
	was, err := openSubject(older, trust, aLock, aRelease)
	if err != nil {
		return diff.Difference{}, err
	}
	defer was.close()
	is, err := openSubject(newer, trust, aLock, aRelease)
	if err != nil {
		return diff.Difference{}, err
	}
	defer is.close()
	if err := trust.wantsBundle(was, is); err != nil {
		return diff.Difference{}, err
	}
	d := diff.Compare(was.side(), is.side())
	if was.bundle != nil && is.bundle != nil {
		for _, change := range d.Charts {
			if err := compareDefaults(&d, was, is, change); err != nil {
				d.Caveats = append(d.Caveats, fmt.Sprintf("values of chart %s are not compared: %v", change.Name, err))
			}
		}
	}
	return d, nil
}

func (s *subject) side() diff.Side {
	if s.release != nil {
		return diff.OfRelease(s.name, s.release)
	}
	return diff.OfLock(s.name, s.lock)
}

// compareDefaults adds what changed in the defaults of one chart.
func compareDefaults(d *diff.Difference, was, is *subject, change diff.Change) error {
	if change.Old == nil || change.New == nil {
		return nil
	}
	older, err := was.defaults(change.Name, change.Old.Version)
	if err != nil {
		return err
	}
	newer, err := is.defaults(change.Name, change.New.Version)
	if err != nil {
		return err
	}
	values := diff.CompareValues(change.Name, older, newer)
	values.Old, values.New = change.Old.Version, change.New.Version
	if !values.IsEmpty() {
		d.Values = append(d.Values, values)
	}
	return nil
}

// defaults reads a chart's values.yaml out of a bundle.
func (s *subject) defaults(name, version string) (map[string]any, error) {
	for _, chart := range s.lock.Charts {
		if chart.Name != name || chart.Version != version {
			continue
		}
		archive, err := s.bundle.ReadEntry(chart.Path, diff.MaxChartArchive)
		if err != nil {
			return nil, err
		}
		return diff.Defaults(archive)
	}
	return nil, fmt.Errorf("%s %s is not in %s", name, version, s.name)
}

type diffResult struct{ diff.Difference }

func (r diffResult) text(w *printable.Printer) {
	d := r.Difference
	w.Printf("old  %s\nnew  %s\n", endLine(d.Old), endLine(d.New))
	for _, list := range diffLists(d) {
		if len(list.changes) == 0 {
			continue
		}
		w.Printf("\n")
		table(w, list.heads, func(row func(...string)) {
			for _, c := range list.changes {
				row(c.Kind(), c.Name, partCell(c.Old), partCell(c.New), decider(c))
			}
		})
	}
	if len(d.Values) > 0 {
		w.Printf("\n")
		table(w, "DEFAULT|CHART|VALUE|OLD|NEW", func(row func(...string)) {
			eachValue(d.Values, func(kind, chart string, v diff.ValueChange) { row(kind, chart, v.Path, v.Old, v.New) })
		})
	}
	if len(d.Set) > 0 {
		w.Printf("\n")
		table(w, "SET BY PATCHES|CHART|VALUE|OLD|NEW", func(row func(...string)) {
			eachValue(d.Set, func(kind, chart string, v diff.ValueChange) { row(kind, chart, v.Path, orDash(v.Old), orDash(v.New)) })
		})
	}
	w.Printf("\n")
	if d.IsEmpty() {
		w.Printf("nothing differs\n")
	}
	if d.Carry != nil {
		parts := fault.Counted(d.Carry.Parts, "part", "parts")
		w.Printf("to carry  %s in %s, of %s\n", manifests.Bytes(d.Carry.Bytes), parts, manifests.Bytes(d.Carry.Of))
	}
	for _, caveat := range d.Caveats {
		w.Printf("note      %s\n", caveat)
	}
}

type diffList struct {
	title   string
	heads   string
	changes []diff.Change
}

func diffLists(d diff.Difference) []diffList {
	return []diffList{
		{"Charts", "CHANGE|CHART|OLD|NEW|DECIDED BY", d.Charts},
		{"Images", "CHANGE|IMAGE|OLD|NEW|DECIDED BY", d.Images},
		{"Files", "CHANGE|FILE|OLD|NEW|DECIDED BY", d.Files},
	}
}

func endLine(e diff.End) string {
	line := strings.TrimSpace(e.Release + " " + e.Version)
	if e.Sequence > 0 {
		line += fmt.Sprintf(", sequence %d", e.Sequence)
	}
	if len(e.Patches) > 0 {
		line += ", patches " + strings.Join(e.Patches, ", ")
	}
	return fmt.Sprintf("%s  (%s)", e.Name, line)
}

func partCell(p *diff.Part) string {
	if p == nil {
		return "-"
	}
	cell := cmp.Or(p.Version, p.From)
	if p.Digest != "" {
		cell = strings.TrimSpace(p.Version + " " + p.Digest.Short())
	}
	return cmp.Or(cell, "-")
}

// decider names the patch that decided the new part.
func decider(c diff.Change) string {
	if c.New != nil {
		return cmp.Or(c.New.DecidedBy, "-")
	}
	return "-"
}

func eachValue(charts []diff.ValuesChanges, visit func(kind, chart string, v diff.ValueChange)) {
	for _, chart := range charts {
		for _, list := range []struct {
			kind   string
			values []diff.ValueChange
		}{{"added", chart.Added}, {"removed", chart.Removed}, {"changed", chart.Changed}} {
			for _, v := range list.values {
				visit(list.kind, chart.Chart, v)
			}
		}
	}
}

// diffMarkdown writes a difference as a section of release notes.
func diffMarkdown(w *printable.Printer, d diff.Difference) {
	release := cmp.Or(d.New.Release, d.New.Name)
	from, to := cmp.Or(d.Old.Version, d.Old.Name), cmp.Or(d.New.Version, d.New.Name)
	w.Printf("## %s: %s to %s\n", mark(release), mark(from), mark(to))
	if len(d.New.Patches) > 0 {
		w.Printf("\nPatches: %s\n", mark(strings.Join(d.New.Patches, ", ")))
	}
	for _, list := range diffLists(d) {
		if len(list.changes) == 0 {
			continue
		}
		w.Printf("\n### %s\n\n| change | name | old | new | decided by |\n|---|---|---|---|---|\n", list.title)
		for _, c := range list.changes {
			w.Printf("| %s | %s | %s | %s | %s |\n", c.Kind(), mark(c.Name), mark(partCell(c.Old)), mark(partCell(c.New)), mark(decider(c)))
		}
	}
	valuesMarkdown(w, "Values whose defaults changed", d.Values)
	valuesMarkdown(w, "Values that patches set", d.Set)
	if d.IsEmpty() {
		w.Printf("\nNothing differs.\n")
	}
	if d.Carry != nil {
		parts := fault.Counted(d.Carry.Parts, "part", "parts")
		w.Printf("\nTo carry: %s in %s, of %s.\n", manifests.Bytes(d.Carry.Bytes), parts, manifests.Bytes(d.Carry.Of))
	}
	for _, caveat := range d.Caveats {
		w.Printf("\nNote: %s.\n", mark(caveat))
	}
}

func valuesMarkdown(w *printable.Printer, title string, list []diff.ValuesChanges) {
	if len(list) == 0 {
		return
	}
	w.Printf("\n### %s\n\n| change | chart | value | old | new |\n|---|---|---|---|---|\n", title)
	eachValue(list, func(kind, chart string, v diff.ValueChange) {
		w.Printf("| %s | %s | %s | %s | %s |\n", kind, mark(chart), mark(v.Path), mark(v.Old), mark(v.New))
	})
}

// markdownSigns are what may mean something within a line of Markdown: in CommonMark,
// in GitHub's tables, and as a mention or a reference to an issue on GitHub and GitLab.
const markdownSigns = "\\`*_{}[]|~#@!$^"

// markdownAtStart is what may begin a block, and markdownLinks what becomes a link by
// itself (GitHub Flavored Markdown Spec, section 6.9, autolinks), each up to the sign
// that is to be escaped for it.
var (
	markdownAtStart = regexp.MustCompile(`^(\s*)([-+=])(.)|^(\s*[0-9]+)([.)])(\s|$)`)
	markdownLinks   = regexp.MustCompile(`(?i)(www)(\.)|([a-z]|mailto|xmpp)(:)(//)|(mailto|xmpp)(:)`)
)

// mark keeps text from outside from being taken for Markdown or HTML, in a line or a
// cell of a table. Versions and names look as they are.
func mark(s string) string {
	s = printable.Line(s)
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(markdownSigns, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	s = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(b.String())
	s = markdownAtStart.ReplaceAllString(s, `$1$4\$2$5$3$6`)
	return markdownLinks.ReplaceAllString(s, `$1$3$6\$2$4$7$5`)
}

package manifests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
)

// SiteValues returns, for each chart in which the lock's patches set values, what has to
// be given to Helm on site after all other values, as a values file: by CHART, and
// by CHART/RENDERING what is for a rendering alone and comes after that. Without them pods
// would go on asking for images that are not there.
//
// What is laid over what is as it was when the images were looked for: first what charts'
// entries set, in the order of the patches, then what image overrides set.
func SiteValues(l *Lock) (map[string][]byte, error) {
	trees, decided := SiteTrees(l), map[string][]string{}
	note := func(file, id string) {
		if by := decided[file]; len(by) == 0 || by[len(by)-1] != id { // what a patch sets follows each other
			decided[file] = append(by, id)
		}
	}
	for _, p := range l.Patches {
		for _, v := range p.Set {
			note(v.file(), p.ID)
		}
		for _, v := range p.Values {
			note(v.Chart, p.ID)
		}
	}
	files := map[string][]byte{}
	for _, file := range sortedKeys(trees) {
		text, err := EncodeYAML(trees[file], 4)
		if err != nil {
			return nil, fmt.Errorf("encode values of chart %s: %w", file, err)
		}
		head := "# Give this to Helm after all other values of chart " + file + ": -f\n"
		if chart, rendering, ok := strings.Cut(file, "/"); ok {
			head = fmt.Sprintf("# Give this to Helm after patches/values/%s.yaml where chart %s runs as rendering %s: -f\n", chart, chart, rendering)
		}
		files[file] = append([]byte(head+"# Decided by "+printable.Line(strings.Join(decided[file], ", "))+".\n"), text...)
	}
	return files, nil
}

// file returns the name of the values file that a value is in.
func (v PatchedValue) file() string {
	if v.Rendering == "" {
		return v.Chart
	}
	return v.Chart + "/" + v.Rendering
}

// SiteTrees returns the values of [SiteValues] as trees.
func SiteTrees(l *Lock) map[string]map[string]any {
	trees := map[string]map[string]any{}
	set := func(file, path string, value any) {
		if trees[file] == nil {
			trees[file] = map[string]any{}
		}
		layOnto(trees[file], nested(path, value))
	}
	for _, p := range l.Patches {
		for _, v := range p.Set {
			set(v.file(), v.Path, plainNumbers(v.Value))
		}
	}
	for _, p := range l.Patches {
		for _, v := range p.Values {
			set(v.Chart, v.Path, v.Value)
		}
	}
	return trees
}

// Command is what is to be run on site, with the programs that are there.
type Command struct {
	Rendering string // where it takes the place of the one before it; empty elsewhere
	Line      string // for a shell, in the folder where charts/ and patches/ of the bundle are
}

// SiteCommands returns what is to be run on site for the lock's patches, by the id of the
// patch that it is first wanted for. Patches are run in the order of the lock, and of
// each the charts that it adds, those that it changes, those in which it sets values, and
// last what it removes. A chart is upgraded once, with the values of all patches.
//
// The site's own values stay (helm upgrade --reset-then-reuse-values, Helm 3.14), and the
// patches' come after them.
func SiteCommands(l *Lock) map[string][]Command {
	s := newCommands(l)
	for _, p := range l.Patches {
		charts := slices.Concat(p.Added, p.Charts)
		for _, v := range p.Set {
			charts = append(charts, v.Chart)
		}
		for _, v := range p.Values {
			charts = append(charts, v.Chart)
		}
		for i, name := range charts {
			s.upgrade(p.ID, name, i < len(p.Added))
		}
		for _, removed := range p.Removed {
			if name, isChart := strings.CutPrefix(removed, "chart "); isChart {
				s.uninstall(p, name)
			}
		}
	}
	return s.all
}

// maxSiteCommands bounds what [SiteCommands] makes: a chart that a lock has in very many
// versions, and sets values for in very many renderings, would else be upgraded as often
// as the product of both.
const maxSiteCommands = 100_000

// checkCommands refuses a lock of more commands than anybody runs.
func (l *Lock) checkCommands() error {
	versions, upgraded, renderings := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, chart := range l.Charts {
		versions[chart.Name]++
	}
	count := 0
	for _, p := range l.Patches {
		for _, name := range slices.Concat(p.Added, p.Charts) {
			upgraded[name] = versions[name]
		}
		for _, v := range p.Values {
			upgraded[v.Chart] = versions[v.Chart]
		}
		for _, v := range p.Set {
			upgraded[v.Chart] = versions[v.Chart]
			if file := v.file(); file != v.Chart && !renderings[file] {
				renderings[file] = true
				count += versions[v.Chart]
			}
		}
		for _, namespaces := range p.Namespaces {
			count += len(namespaces)
		}
		count += len(p.Removed)
	}
	for _, times := range upgraded {
		count += times
	}
	if count > maxSiteCommands {
		return fmt.Errorf("patches bring %d commands for the site, and at most %d are taken", count, maxSiteCommands)
	}
	return nil
}

// commands is looked up by name: locks come from outside, and may name very many charts.
type commands struct {
	charts     map[string][]LockedChart // by name
	files      map[string]map[string]any
	renderings map[string][]string // that have values of their own, by chart
	upgraded   map[string]bool
	all        map[string][]Command
}

func newCommands(l *Lock) *commands {
	s := &commands{
		charts: map[string][]LockedChart{}, files: SiteTrees(l), renderings: map[string][]string{},
		upgraded: map[string]bool{}, all: map[string][]Command{},
	}
	for _, chart := range l.Charts {
		s.charts[chart.Name] = append(s.charts[chart.Name], chart)
	}
	for _, file := range sortedKeys(s.files) {
		if chart, rendering, ok := strings.Cut(file, "/"); ok {
			s.renderings[chart] = append(s.renderings[chart], rendering)
		}
	}
	return s
}

func (s *commands) add(patch string, c Command) { s.all[patch] = append(s.all[patch], c) }

func (s *commands) upgrade(patch, name string, isNew bool) {
	if s.upgraded[name] {
		return
	}
	s.upgraded[name] = true
	for _, chart := range s.charts[name] {
		line := "helm upgrade " + name + " " + shellWord(string(chart.Path))
		if isNew {
			line += " --install"
		}
		if chart.Rendered != nil && chart.Rendered.Namespace != "" {
			line += " --namespace " + shellWord(chart.Rendered.Namespace)
		}
		line += " --reset-then-reuse-values"
		if s.files[name] != nil {
			line += " -f patches/values/" + name + ".yaml"
		}
		s.add(patch, Command{Line: line})
		for _, rendering := range s.renderings[name] {
			s.add(patch, Command{Rendering: rendering, Line: line + " -f patches/values/" + name + "/" + rendering + ".yaml"})
		}
	}
}

// uninstall takes a chart away where it runs. In another namespace Helm would find none of
// that name, and not complain.
func (s *commands) uninstall(p LockedPatch, name string) {
	namespaces := p.Namespaces[name]
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		line := "helm uninstall " + name + " --ignore-not-found"
		if namespace != "" {
			line += " --namespace " + shellWord(namespace)
		}
		s.add(p.ID, Command{Line: line})
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9._/+@=:-]+$`)

// shellWord returns a text as one word for a shell.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// SiteSteps returns what is to be run and done on site for the lock's patches, in both
// languages and in the order of the patches; nil if nothing.
func SiteSteps(l *Lock) []byte {
	var b strings.Builder
	all, listed := SiteCommands(l), listedBy(l)
	for _, language := range words.All() {
		if len(all) > 0 {
			fmt.Fprintf(&b, "# %s\n", language.Word("patches.site.run"))
		}
	}
	if len(all) > 0 {
		b.WriteByte('\n')
	}
	for _, p := range l.Patches {
		lines := append(commandLines(all[p.ID]), restLines(p, listed[p.ID])...)
		if len(lines) > 0 {
			fmt.Fprintf(&b, "%s of %s\n\n%s\n\n", printable.Line(p.ID), p.Date, strings.Join(lines, "\n"))
		}
		for _, text := range []string{p.Steps.En, p.Steps.De} {
			if text != "" {
				// Behind an indent no line of a text looks like the head of another patch.
				fmt.Fprintf(&b, "%s of %s\n\n    %s\n\n", printable.Line(p.ID), p.Date, printable.Block(strings.TrimSpace(text), "    "))
			}
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return []byte(b.String())
}

// commandLines are the lines of commands that are to be run. What is for a rendering is
// a comment, since it takes the place of the line before.
func commandLines(commands []Command) []string {
	var lines []string
	for _, c := range commands {
		if c.Rendering == "" {
			lines = append(lines, c.Line)
			continue
		}
		for _, language := range words.All() {
			lines = append(lines, "# "+language.Say("patches.site.rendering", map[string]any{"rendering": c.Rendering}))
		}
		lines = append(lines, "# "+c.Line)
	}
	return lines
}

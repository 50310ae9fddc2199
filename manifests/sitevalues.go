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
		if !slices.Contains(decided[file], id) {
			decided[file] = append(decided[file], id)
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
	for _, p := range l.Patches {
		for _, v := range p.Set {
			trees[v.file()] = setPath(trees[v.file()], v.Path, plainNumbers(v.Value))
		}
	}
	for _, p := range l.Patches {
		trees = setAll(trees, p.Values)
	}
	return trees
}

func setAll(trees map[string]map[string]any, values []ValuesPath) map[string]map[string]any {
	for _, v := range values {
		trees[v.Chart] = SetValues(trees[v.Chart], []ValuesPath{v})
	}
	return trees
}

// Command is what is to be run on site, with the programs that are there.
type Command struct {
	Patch     string // id of the one that it is first wanted for
	Rendering string // where it takes the place of the one before it; empty elsewhere
	Line      string // for a shell, in the folder where charts/ and patches/ of the bundle are
}

// SiteCommands returns what is to be run on site for the lock's patches, in this order:
// of each patch the charts that it adds, those that it changes, those in which it sets
// values, and last what it removes. A chart is upgraded once, with the values of all patches.
//
// The site's own values stay (helm upgrade --reset-then-reuse-values, Helm 3.14), and the
// patches' come after them.
func SiteCommands(l *Lock) []Command {
	s := commands{lock: l, files: SiteTrees(l), done: map[string]bool{}}
	for _, p := range l.Patches {
		charts := slices.Clone(p.Added)
		charts = append(charts, p.Charts...)
		for _, v := range p.Set {
			charts = append(charts, v.Chart)
		}
		for _, v := range p.Values {
			charts = append(charts, v.Chart)
		}
		for _, name := range charts {
			s.upgrade(p, name)
		}
		for _, removed := range p.Removed {
			if name, isChart := strings.CutPrefix(removed, "chart "); isChart {
				s.list = append(s.list, Command{Patch: p.ID, Line: "helm uninstall " + name + " --ignore-not-found"})
			}
		}
	}
	return s.list
}

type commands struct {
	lock  *Lock
	files map[string]map[string]any
	done  map[string]bool
	list  []Command
}

func (s *commands) upgrade(p LockedPatch, name string) {
	if s.done[name] {
		return
	}
	s.done[name] = true
	for _, chart := range s.lock.Charts {
		if chart.Name != name {
			continue
		}
		line := "helm upgrade " + name + " " + shellWord(string(chart.Path))
		if slices.Contains(p.Added, name) {
			line += " --install"
		}
		if chart.Rendered != nil && chart.Rendered.Namespace != "" {
			line += " --namespace " + shellWord(chart.Rendered.Namespace)
		}
		line += " --reset-then-reuse-values"
		if s.files[name] != nil {
			line += " -f patches/values/" + name + ".yaml"
		}
		s.list = append(s.list, Command{Patch: p.ID, Line: line})
		for _, file := range sortedKeys(s.files) {
			if of, rendering, ok := strings.Cut(file, "/"); ok && of == name {
				s.list = append(s.list, Command{Patch: p.ID, Rendering: rendering, Line: line + " -f patches/values/" + file + ".yaml"})
			}
		}
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
	all := SiteCommands(l)
	for _, language := range words.All() {
		if len(all) > 0 {
			fmt.Fprintf(&b, "# %s\n", language.Word("patches.site.run"))
		}
	}
	if len(all) > 0 {
		b.WriteByte('\n')
	}
	for _, p := range l.Patches {
		lines := commandLines(all, p.ID)
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

// commandLines are the lines that are to be run for a patch. What is for a rendering is
// a comment, since it takes the place of the line before.
func commandLines(all []Command, patch string) []string {
	var lines []string
	for _, c := range all {
		switch {
		case c.Patch != patch:
		case c.Rendering == "":
			lines = append(lines, c.Line)
		default:
			for _, language := range words.All() {
				lines = append(lines, "# "+language.Say("patches.site.rendering", map[string]any{"rendering": c.Rendering}))
			}
			lines = append(lines, "# "+c.Line)
		}
	}
	return lines
}

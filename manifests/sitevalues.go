package manifests

import (
	"fmt"
	"strings"

	"github.com/islandbundle/island/internal/printable"
)

// SiteValues returns, for each chart of which the lock's patches replaced images,
// the values that have to be set on site, as a values file for Helm: without
// them pods would go on asking for the old images. By chart, in YAML.
func SiteValues(l *Lock) (map[string][]byte, error) {
	trees, decided := map[string]map[string]any{}, map[string][]string{}
	for _, p := range l.Patches {
		for _, v := range p.Values {
			trees[v.Chart] = SetValues(trees[v.Chart], []ValuesPath{v})
			if ids := decided[v.Chart]; len(ids) == 0 || ids[len(ids)-1] != p.ID {
				decided[v.Chart] = append(ids, p.ID)
			}
		}
	}
	files := map[string][]byte{}
	for _, chart := range sortedKeys(trees) {
		text, err := EncodeYAML(trees[chart], 4)
		if err != nil {
			return nil, fmt.Errorf("encode values of chart %s: %w", chart, err)
		}
		head := fmt.Sprintf("# Give this to Helm after all other values of chart %s: -f\n# Decided by %s.\n",
			chart, printable.Line(strings.Join(decided[chart], ", ")))
		files[chart] = append([]byte(head), text...)
	}
	return files, nil
}

// SiteSteps returns what the lock's patches want done on site after installing, in
// both languages and in the order of the patches; nil if nothing.
func SiteSteps(l *Lock) []byte {
	var b strings.Builder
	for _, p := range l.Patches {
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

package diff

import "github.com/islandbundle/island/manifests"

// compareSet reports what patches set in charts, value by value: by chart, or by
// CHART/RENDERING what is for a rendering alone.
func compareSet(older, newer map[string]map[string]any) []ValuesChanges {
	all := []ValuesChanges{}
	for _, name := range union(older, newer) {
		was, is := leaves(older[name]), leaves(newer[name])
		c := noChanges(name)
		for _, path := range union(was, is) {
			if c.isFull() {
				break
			}
			old, had := was[path]
			now, has := is[path]
			c.note(path, old, had, now, has)
		}
		if !c.IsEmpty() {
			all = append(all, c)
		}
	}
	return all
}

func leaves(tree map[string]any) map[string]any {
	values := map[string]any{}
	for _, v := range manifests.Leaves("", "", tree) {
		values[v.Path] = v.Value
	}
	return values
}

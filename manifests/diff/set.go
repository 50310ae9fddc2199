package diff

import "github.com/islandbundle/island/manifests"

// compareSet reports what patches set in charts, value by value: by chart, or by
// CHART/RENDERING what is for a rendering alone.
func compareSet(older, newer map[string]map[string]any) []ValuesChanges {
	all := []ValuesChanges{}
	for _, name := range union(older, newer) {
		was, is := leaves(older[name]), leaves(newer[name])
		c := ValuesChanges{Chart: name, Added: []ValueChange{}, Removed: []ValueChange{}, Changed: []ValueChange{}}
		for _, path := range union(was, is) {
			old, had := was[path]
			now, has := is[path]
			switch change := (ValueChange{Path: path, Old: old, New: now}); {
			case !had:
				c.Added = append(c.Added, change)
			case !has:
				c.Removed = append(c.Removed, change)
			case old != now:
				c.Changed = append(c.Changed, change)
			}
		}
		if !c.IsEmpty() {
			all = append(all, c)
		}
	}
	return all
}

func leaves(tree map[string]any) map[string]string {
	values := map[string]string{}
	for _, v := range manifests.Leaves("", "", tree) {
		values[v.Path] = shown(v.Value)
	}
	return values
}

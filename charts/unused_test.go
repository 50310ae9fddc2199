package charts

import (
	"slices"
	"strings"
	"testing"
)

// TestImagesInValues holds the shapes in which values of features that are
// switched off say what image it is.
func TestImagesInValues(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, values, want string }{
		{"a number", `cache: {image: {repository: q/cache, tag: 7}}`, "q/cache:7"},
		{"a fraction", `cache: {image: {repository: q/cache, tag: 0.1}}`, "q/cache:0.1"},
		{"a fraction with a zero at its end is what Helm reads", `cache: {image: {repository: q/cache, tag: 16.10}}`, "q/cache:16.1"},
		{"in quotes it is not", `cache: {image: {repository: q/cache, tag: "16.10"}}`, "q/cache:16.10"},
		{"a date", `cache: {image: {repository: q/cache, tag: 20240131}}`, "q/cache:20240131"},
		{"an exponent", `cache: {image: {repository: q/cache, tag: 1e3}}`, "q/cache:1000"},
		{"a number beside", `cache: {image: q/cache, tag: 3.2}`, "q/cache:3.2"},
		{"a number as version", `cache: {repository: r.example.com/q/cache, version: 12}`, "r.example.com/q/cache:12"},
		{"a number in a variable", `env: [{name: WEB_IMAGE_REPOSITORY, value: q/web}, {name: WEB_IMAGE_TAG, value: 8}]`, "q/web:8"},
		{"a number of a group", `images: {tag: 5, web: r.example.com/q/web, api: r.example.com/q/api}`,
			"r.example.com/q/api:5 r.example.com/q/web:5"},

		{"repo and image", `web: {repo: r.example.com/team, image: web, version: v3}`, "r.example.com/team/web:v3"},
		{"a registry one level up", `web: {registry: r.example.com, image: {repository: q/web, tag: "1"}}`, "r.example.com/q/web:1"},
		{"a tag one level up", `web: {tag: "9", image: {registry: r.example.com, name: q/web}}`, "r.example.com/q/web:9"},
		{"with prefixes", `{webImageRepository: q/web, webImageTag: "2", apiImageRepository: q/api, apiImageTag: "4"}`, "q/api:4 q/web:2"},
		{"a repo and a tag", `web: {imageRepo: q/web, tag: 1.2.3}`, "q/web:1.2.3"},
		{"a bare digest", `web: {image: {repository: q/web, sha: "0123456789012345678901234567890123456789012345678901234567890123"}}`,
			"q/web@sha256:0123456789012345678901234567890123456789012345678901234567890123"},
		{"below an image", `web: {repository: q/web, tag: "1", exporter: {image: q/exporter, imageTag: "2"},
			init: {image: {repository: q/init, tag: "3"}}}`,
			"q/web:1 q/exporter:2 q/init:3"},
		{"an image of git", `git: {registry: r.example.com, repository: q/git, tag: "2"}`, "r.example.com/q/git:2"},
		{"a repository of git", `git: {repository: q/git, ref: main}`, ""},
		{"a hub and tag of all", `{global: {hub: r.example.com/mesh, tag: 1.20.1}, pilot: {image: pilot}, proxy: {image: proxyv2}}`,
			"r.example.com/mesh/pilot:1.20.1 r.example.com/mesh/proxyv2:1.20.1"},
		{"a hub that nobody uses", `{global: {hub: r.example.com/mesh, tag: 1.20.1}}`, "r.example.com/mesh:1.20.1"},
		{"a tag of all", `{global: {image: {tag: "77"}}, web: {image: {repository: q/web}}}`, "q/web:77"},
		{"its own tag", `{global: {imageTag: "77"}, web: {image: {repository: q/web, tag: "1"}}}`, "q/web:1"},
		{"a namespace of all", `{defaultImageRegistry: r.example.com, defaultImageRepository: team, defaultImageTag: "4",
			web: {image: {registry: "", repository: "", name: web, tag: ""}}}`, "r.example.com/team/web:4"},
		{"the chart's version", `web: {image: {repository: q/web}}`, "q/web:9.9.9"},
		{"of something else", `{replicas: 3, port: 8080, source: {repository: "https://git.example.com/x.git", tag: 1}, version: 2, name: app,
			chart: {repository: stable, name: web, version: 1.0.0}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chart := mustLoad(t, map[string]string{
				"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: 9.9.9\n", "values.yaml": test.values + "\n",
			})
			found, err := chart.Discover(t.Context(), DiscoverOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got, want := names(found.Images), strings.Fields(test.want)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestValuesBelowAliases: a subchart that is there twice has values of its own for
// each of its names.
func TestValuesBelowAliases(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{
		"Chart.yaml": `{apiVersion: v2, name: app, version: 1.0.0, dependencies: [
			{name: store, alias: hot, version: 1.0.0, condition: hot.enabled},
			{name: store, alias: cold, version: 1.0.0, condition: cold.enabled}]}`,
		"values.yaml":              "hot: {enabled: false, image: {tag: 15}}\ncold: {enabled: false, image: {repository: q/archive}}\n",
		"charts/store/Chart.yaml":  "apiVersion: v2\nname: store\nversion: 1.0.0\n",
		"charts/store/values.yaml": "image: {repository: q/store, tag: 14}\n",
	})
	found, err := chart.Discover(t.Context(), DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, find := range found.Images {
		got = append(got, find.Image+" "+find.Origin.Field)
	}
	checkLines(t, "images", got, []string{"q/store:15 hot.image", "q/archive:14 cold.image"})
}

package charts

import (
	"encoding/json"
	"fmt"
	"testing"

	"sigs.k8s.io/yaml"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestPartsOfImages holds which names are which part, and how parts become an
// image. A find that is doubted has its doubt behind it.
func TestPartsOfImages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		under, fields string
		want          []string
	}{
		{"proxy", "{registry: ghcr.io, name: zeta/envoy, tag: v2}", []string{"ghcr.io/zeta/envoy:v2"}},
		{"proxy", "{registry: ghcr.io, image: zeta/envoy, version: v2}", []string{"ghcr.io/zeta/envoy:v2"}},
		{"proxy", "{registry: ghcr.io/, repo: zeta/envoy, digest: " + someDigest + "}", []string{"ghcr.io/zeta/envoy@" + someDigest}},
		{"proxy", "{registry: 'https://ghcr.io', repository: zeta/envoy, tag: v2}", []string{"ghcr.io/zeta/envoy:v2"}},
		{"proxy", "{repository: ghcr.io/zeta/envoy, version: 1.30.1}", []string{"ghcr.io/zeta/envoy:1.30.1"}},
		{"proxy", "{repository: zeta/envoy, tag: 7}", []string{"zeta/envoy:7"}},
		{"proxy", "{repository: zeta/envoy, tag: v2, sha: " + someDigest + "}", []string{"zeta/envoy:v2@" + someDigest}},
		{"proxy", "{repository: zeta/envoy, tag: v2, sha256: " + someDigest[7:] + "}", []string{"zeta/envoy:v2@" + someDigest}},
		{"proxy", "{repository: zeta/envoy, tag: '" + someDigest + "'}", []string{"zeta/envoy@" + someDigest}},
		{"proxy", "{repository: zeta/envoy, tag: 'v2@" + someDigest + "'}", []string{"zeta/envoy:v2@" + someDigest}},
		{"validator", "{repository: ghcr.io/zeta, image: probe, version: v3}", []string{"ghcr.io/zeta/probe:v3"}},
		{"validator", "{repository: ghcr.io/zeta/probe, image: probe, version: v3}", []string{"ghcr.io/zeta/probe:v3"}},
		{"validator", "{registry: ghcr.io, repository: zeta, name: probe, tag: v3}", []string{"ghcr.io/zeta/probe:v3"}},
		{"validator", "{registry: ghcr.io, repository: probe, image: probe, tag: v3}", []string{"ghcr.io/probe/probe:v3"}},
		{"validator", "{repository: probe, image: probe, tag: v3}", []string{"probe:v3"}},
		{"", "{worker_container_repository: zeta/worker, worker_container_tag: 2.9.1}", []string{"zeta/worker:2.9.1"}},
		{"", "{hub: gcr.io/mesh-release, image: pilot, tag: 1.22.3}", []string{"gcr.io/mesh-release/pilot:1.22.3"}},
		{"", "{hub: gcr.io/mesh-release, tag: 1.22.3}", []string{"gcr.io/mesh-release:1.22.3, " + doubtNoName}},
		{"", "{imageName: relay, imageRegistry: ghcr.io/zeta, imageTag: '0.1'}", []string{"ghcr.io/zeta/relay:0.1"}},
		{"", "{cacheImageRepository: zeta/cache, cacheImageTag: 16.10, webImageRepo: zeta/web, webVersion: 3}",
			[]string{"zeta/cache:16.1", "zeta/web:3"}},
		{"", "{cacheImage: zeta/cache, cacheTag: '16.10', webImage: zeta/web:4}", []string{"zeta/cache:16.10"}},
		{"", "{image: zeta/web, tag: 4}", []string{"zeta/web:4"}},
		{"", "{registry: ghcr.io, image: 'zeta/web:4'}", []string{"ghcr.io/zeta/web:4"}},
		{"", "{registry: ghcr.io, image: 'quay.io/zeta/web:4'}", nil},
		{"", "{image: 'zeta/web:4', digest: '" + someDigest + "'}", []string{"zeta/web:4@" + someDigest}},
		{"", "{QUEUE_IMAGE_REPOSITORY: zeta/queue, QUEUE_IMAGE_TAG: v9, IMAGE_REGISTRY: ghcr.io}", []string{"ghcr.io/zeta/queue:v9"}},
		{"", "{queue.image.name: zeta/queue, queue.image.tag: v9}", []string{"zeta/queue:v9"}},
		{"", "{containerImage: zeta/a, image: zeta/b, tag: 1}", []string{"zeta/a:1", "zeta/b:1"}},
		{"", "{registry: ghcr.io, imagePath: zeta/web, tag: v1}", []string{"ghcr.io/zeta/web:v1"}},
		{"image", "{repository: zeta/untagged}", []string{"zeta/untagged"}},
		{"image", "{url: ghcr.io/zeta/web, tag: 2}", []string{"ghcr.io/zeta/web:2"}},
		{"image", "{path: zeta/web, registry: ghcr.io, tag: 2}", []string{"ghcr.io/zeta/web:2"}},
		{"image", "{name: zeta/web, tag: 2}", []string{"zeta/web:2"}},
		{"worker", "{repository: zeta/web, pullPolicy: Always}", []string{"zeta/web"}},
		{"images", "{name: nginx, newName: ghcr.io/zeta/nginx, newTag: 1.27}", []string{"ghcr.io/zeta/nginx:1.27"}},
		{"images", "{name: nginx, newTag: 1.27}", []string{"nginx:1.27"}},
		{"images", "{name: nginx, newName: zeta/nginx, digest: '" + someDigest + "'}", []string{"zeta/nginx@" + someDigest}},

		{"source", "{repository: zeta/web, tag: v1}", nil},
		{"app", "{repository: zeta/charts, chart: web, version: 1.2.3}", nil},
		{"app", "{repository: 'https://charts.example.com', name: web, version: 1.2.3}", nil},
		{"app", "{repository: stable, version: 1.2.3}", []string{"stable:1.2.3, " + doubtVersion}},
		{"app", "{repository: github.com/zeta/web, tag: v1}", nil},
		{"app", "{gitRepo: zeta/web, gitTag: v1}", nil},
		{"pullSecret", "{registry: ghcr.io, name: key, username: u, version: 1}", nil},
		{"", "{registry: ghcr.io, imagePath: zeta}", nil},
		{"", "{name: web, version: 1.2.3}", nil},
		{"package", "{registry: 'https://registry.npmjs.org', name: web, version: 1.2.3}", nil},
		{"", "{clusterName: web, clusterVersion: 1.2.3, apiVersion: v1}", nil},
	}
	for _, test := range tests {
		var fields map[string]any
		if err := yaml.Unmarshal([]byte(test.fields), &fields, func(d *json.Decoder) *json.Decoder { d.UseNumber(); return d }); err != nil {
			t.Fatal(err)
		}
		var values map[string]any // numbers as a chart's values have them
		if err := yaml.Unmarshal([]byte(test.fields), &values); err != nil {
			t.Fatal(err)
		}
		for _, fields := range []map[string]any{fields, values} {
			var got []string
			for _, image := range (mapOfParts{fields: fields, under: test.under}).images() {
				text := image.String()
				if image.doubt != "" {
					text += ", " + image.doubt
				}
				got = append(got, text)
			}
			checkLines(t, test.under+": "+test.fields, got, test.want)
		}
	}
}

// TestPartsFurtherOut holds that registry, tag and version of a map hold for the
// images in it.
func TestPartsFurtherOut(t *testing.T) {
	t.Parallel()
	outer := map[string]any{"registry": "ghcr.io", "version": json.Number("1.5")}
	for _, test := range []struct {
		fields map[string]any
		around []map[string]any
		want   string
	}{
		{map[string]any{"repository": "zeta/a"}, []map[string]any{outer}, "ghcr.io/zeta/a:1.5"},
		{map[string]any{"repository": "quay.io/zeta/a"}, []map[string]any{{}, outer}, "quay.io/zeta/a:1.5"},
		{map[string]any{"repository": "zeta/a", "tag": "3"}, []map[string]any{{"tag": "2"}, outer}, "ghcr.io/zeta/a:3"},
		{map[string]any{"repository": "zeta/a"}, []map[string]any{{"tag": "2"}, outer}, "ghcr.io/zeta/a:2"},
		{map[string]any{"repository": "zeta/a"}, []map[string]any{{"version": "4"}, {"tag": "2"}}, "zeta/a:4"},
		{map[string]any{"repository": "zeta/a"}, []map[string]any{{}, {}, {}, outer}, "zeta/a"},
	} {
		images := mapOfParts{fields: test.fields, under: "image", around: test.around}.images()
		if len(images) != 1 || images[0].String() != test.want {
			t.Errorf("%v in %v: got %v, want %s", test.fields, test.around, images, test.want)
		}
	}
}

// TestPartsFurtherOutMakeAnImage holds that a repository in a map which nothing says is
// an image is one if what stands further out completes it.
func TestPartsFurtherOutMakeAnImage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fields, outer map[string]any
		want          []string
	}{
		{map[string]any{"repository": "zeta/operator"}, map[string]any{"imageRegistry": "registry.zeta.example", "version": "4.5.6"},
			[]string{"registry.zeta.example/zeta/operator:4.5.6"}},
		{map[string]any{"registry": "ghcr.io", "repository": "zeta/exporter"}, map[string]any{"tag": json.Number("7")},
			[]string{"ghcr.io/zeta/exporter:7"}},
		{map[string]any{"repository": "quay.io/zeta/proxy"}, map[string]any{"imageTag": "v2"}, []string{"quay.io/zeta/proxy:v2"}},
		{map[string]any{"registry": "ghcr.io/", "repository": "/zeta/slashes/", "tag": "1"}, nil, []string{"ghcr.io/zeta/slashes:1"}},
		{map[string]any{"repository": "zeta/operator"}, map[string]any{"version": "4.5.6"}, nil},
		{map[string]any{"repository": "https://github.com/zeta/app", "branch": "main"}, map[string]any{"tag": "1"}, nil},
		{map[string]any{"repository": "ghcr.io/zeta/charts", "chart": "app"}, map[string]any{"version": "1"}, nil},
	} {
		var got []string
		for _, image := range (mapOfParts{fields: test.fields, under: "part", around: []map[string]any{test.outer}}).images() {
			got = append(got, image.String())
		}
		checkLines(t, fmt.Sprint(test.fields), got, test.want)
	}
}

// TestNamesInLists holds that the name of an item of a list is what the item is
// called, and no part of its image.
func TestNamesInLists(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fields map[string]any
		want   []string
	}{
		{map[string]any{"name": "db", "version": "16", "image": "ghcr.io/zeta/db:16.2"}, nil},
		{map[string]any{"name": "db", "repository": "ghcr.io/zeta/db", "tag": "16"}, []string{"ghcr.io/zeta/db:16"}},
		{map[string]any{"name": "db", "repository": "postgres", "tag": "16"}, []string{"postgres:16"}},
		{map[string]any{"name": "db", "repository": "ghcr.io/zeta", "tag": "16"}, []string{"ghcr.io/zeta/db:16"}},
		{map[string]any{"name": "db", "image": "zeta/db", "tag": "16"}, []string{"zeta/db:16"}},
		{map[string]any{"name": "db"}, nil},
	} {
		var got []string
		for _, image := range (mapOfParts{fields: test.fields, under: "images", inList: true}).images() {
			got = append(got, image.String())
		}
		checkLines(t, "item", got, test.want)
	}
}

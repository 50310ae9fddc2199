package charts

import (
	"slices"
	"testing"
)

// TestChartsThatChartsName holds where the objects of each controller name a chart.
func TestChartsThatChartsName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, object, want string }{
		{"Argo CD", `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {source: {repoURL: "https://charts.example.com/stable/", chart: tracker, targetRevision: 4.5.6,
  helm: {valuesObject: {image: {repository: quay.io/example/tracker, tag: "4"}}}}}`,
			"https://charts.example.com/stable/tracker:4.5.6"},
		{"Argo CD, a registry and values from Git", `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {sources: [{repoURL: registry.example.com/charts, chart: mail, targetRevision: "1.*"},
  {repoURL: "https://git.example.com/x", ref: values}]}`,
			"registry.example.com/charts/mail:1.*"},
		{"Argo CD, a folder in Git", `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {source: {repoURL: "https://git.example.com/ops.git", path: charts/ldap, targetRevision: main}}`,
			"https://git.example.com/ops.git/charts/ldap:main"},
		{"Argo CD, a generator's template", `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: a}
spec:
  generators: [{list: {elements: [{v: "1"}], template: {spec: {source: {repoURL: oci.example.com/c, chart: other,
    targetRevision: 2.0.0}}}}}]
  template: {spec: {source: {repoURL: oci.example.com/c, chart: inner, targetRevision: "{{v}}"}}}`,
			"oci.example.com/c/other:2.0.0, oci.example.com/c/inner:{{v}}"},
		{"Flux", `
apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: {name: a}
spec: {chart: {spec: {chart: wiki, version: ">=3.0.0 <4", sourceRef: {kind: HelmRepository, name: docs}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: docs}
spec: {url: "https://docs.example.com/charts"}`,
			"https://docs.example.com/charts/wiki:>=3.0.0 <4"},
		{"Flux, a source from elsewhere", `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec: {chart: {spec: {chart: ./charts/wiki, sourceRef: {kind: GitRepository, name: all}}}}`,
			"GitRepository/all/charts/wiki"},
		{"Flux, a registry", `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec: {chartRef: {kind: OCIRepository, name: chat}}
---
apiVersion: source.toolkit.fluxcd.io/v1beta2
kind: OCIRepository
metadata: {name: chat}
spec: {url: "oci://registry.example.com/charts/chat", ref: {semver: 1.x}}`,
			"oci://registry.example.com/charts/chat:1.x"},
		{"Flux, a reference to what is not there", `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec: {chartRef: {kind: OCIRepository, name: chat}}`, "OCIRepository/chat"},
		{"Argo CD, a token", `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {sources: [{repoURL: "https://me:hunter2@git.example.com/ops?ref=main&private_token=hunter2", chart: mail, targetRevision: 1.0.0},
  {repoURL: "me:hunter2@oci.example.com/charts", chart: chat, targetRevision: 2.0.0}]}`,
			"https://git.example.com/ops?ref=main/mail:1.0.0, oci.example.com/charts/chat:2.0.0"},
		{"Flux, a password in the source", `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec: {chart: {spec: {chart: wiki, version: 3.0.0, sourceRef: {kind: HelmRepository, name: docs}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: docs}
spec: {url: "oci://me:hunter2@docs.example.com/charts"}`,
			"oci://docs.example.com/charts/wiki:3.0.0"},
		{"k3s, a signed archive", `
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: a}
spec: {chart: "https://files.example.com/c/ldap-1.2.3.tgz?X-Amz-Signature=hunter2"}`,
			"https://files.example.com/c/ldap:1.2.3"},
		{"Flux, by digest", `
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: a}
spec: {url: "oci://registry.example.com/charts/chat",
  ref: {tag: 1.0.0, digest: "sha256:0123456789012345678901234567890123456789012345678901234567890123"}}`,
			"oci://registry.example.com/charts/chat@sha256:0123456789012345678901234567890123456789012345678901234567890123"},
		{"Flux, a chart", `
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: a}
spec: {chart: wiki, version: 3.1.4, sourceRef: {kind: Bucket, name: b}}`, "Bucket/b/wiki:3.1.4"},
		{"k3s", `
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: a}
spec: {repo: "https://charts.example.com", chart: ldap, version: 0.1.2,
  valuesContent: "image:\n  repository: quay.io/example/ldap\n  tag: '2'\n"}`,
			"https://charts.example.com/ldap:0.1.2"},
		{"RKE2, an archive", `
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: a}
spec: {chart: "https://files.example.com/c/web-proxy-1.2.3-rc.1.tgz"}`, "https://files.example.com/c/web-proxy:1.2.3-rc.1"},
		{"k3s, the chart itself", `
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: a}
spec: {chartContent: H4sIAAAA}`, "chartContent/an archive"},
		{"Cluster API", `
apiVersion: addons.cluster.x-k8s.io/v1alpha1
kind: HelmChartProxy
metadata: {name: a}
spec: {chartName: cni, repoURL: "https://cni.example.com", version: v3.4.5}`, "https://cni.example.com/cni:v3.4.5"},
		{"Fleet", `
apiVersion: fleet.cattle.io/v1alpha1
kind: Bundle
metadata: {name: a}
spec: {helm: {chart: grid, repo: "https://grid.example.com", version: 1.0.0},
  targets: [{helm: {version: 1.1.0, chart: "oci://r.example.com/x/grid"}}]}`,
			"https://grid.example.com/grid:1.0.0, oci://r.example.com/x/grid:1.1.0"},
		{"Crossplane", `
apiVersion: helm.crossplane.io/v1beta1
kind: Release
metadata: {name: a}
spec: {forProvider: {chart: {name: store, repository: "https://store.example.com", version: 9.8.7}}}`,
			"https://store.example.com/store:9.8.7"},
		{"Crossplane, an archive", `
apiVersion: helm.crossplane.io/v1beta1
kind: Release
metadata: {name: a}
spec: {forProvider: {chart: {url: "https://store.example.com/store-9.8.7.tgz"}}}`, "https://store.example.com/store:9.8.7"},
		{"Flux 1", `
apiVersion: helm.fluxcd.io/v1
kind: HelmRelease
metadata: {name: a}
spec: {chart: {repository: "https://old.example.com/", name: forum, version: 2.0.0}}`, "https://old.example.com/forum:2.0.0"},
		{"KubeVela", `
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: a}
spec: {components: [{type: helm, properties: {repoType: helm, url: "https://v.example.com", chart: ml, version: 0.3.0}}]}`,
			"https://v.example.com/ml:0.3.0"},
		{"k0s", `
apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
metadata: {name: a}
spec: {extensions: {helm: {charts: [{name: m, chartname: mirror/monitor, version: "5.5"}]}}}`, "mirror/monitor:5.5"},
		{"Sveltos", `
apiVersion: config.projectsveltos.io/v1beta1
kind: ClusterProfile
metadata: {name: a}
spec: {helmCharts: [{repositoryURL: "https://s.example.com", repositoryName: s, chartName: s/gate, chartVersion: v1.2.3}]}`,
			"https://s.example.com/s/gate:v1.2.3"},
		{"kapp", `
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: a}
spec: {fetch: [{helmChart: {name: queue, version: 1.2.3, repository: {url: "https://q.example.com"}}}]}`,
			"https://q.example.com/queue:1.2.3"},
		{"Kustomize, in a file", `
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {kustomization.yaml: "helmCharts:\n- {name: minecraft, repo: \"https://games.example.com\", version: 3.1.3}\n"}`,
			"https://games.example.com/minecraft:3.1.3"},
		{"in a list", `
apiVersion: v1
kind: List
items: [{apiVersion: helm.cattle.io/v1, kind: HelmChart, metadata: {name: a}, spec: {chart: "oci://r.example.com/c/one", version: 1.0.0}}]`,
			"oci://r.example.com/c/one:1.0.0"},
		{"none", `
apiVersion: example.org/v1
kind: Application
metadata: {name: a}
spec: {source: {repoURL: "https://x.example.com", chart: x}}
---
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: {name: traefik}
spec: {valuesContent: "image: {tag: '2'}"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chart := mustLoad(t, map[string]string{"templates/x.yaml": "{{ .Files.Get \"object.yaml\" }}", "object.yaml": test.object})
			found, err := chart.Discover(t.Context(), DiscoverOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, find := range found.Images {
				if find.Class == Named {
					got += ", " + find.Image
				}
			}
			if got != "" {
				got = got[2:]
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestValuesOfNamedCharts: the values that a named chart is given are looked through.
func TestValuesOfNamedCharts(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{"templates/x.yaml": `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {source: {repoURL: "https://c.example.com", chart: a, targetRevision: 1.0.0,
  helm: {values: "image:\n  repository: quay.io/x/text\n  tag: 1\n"}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec: {chart: {spec: {chart: a, version: 1.0.0, sourceRef: {kind: HelmRepository, name: r}}},
  values: {image: {repository: quay.io/x/map, tag: 2}}}
`})
	found, err := chart.Discover(t.Context(), DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"quay.io/x/text:1", "quay.io/x/map:2"} {
		if !slices.ContainsFunc(found.Images, func(f ImageFind) bool { return f.Image == want && f.Class == Likely }) {
			t.Errorf("%s was not found: %+v", want, found.Images)
		}
	}
}

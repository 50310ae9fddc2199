package charts

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// A chart can name another one, for a controller in the cluster to fetch and
// install. What images that one needs, nobody sees in the rendering, and on the
// island there is nobody to fetch it from.

// Named is the class of a find that is a chart: [ImageFind.Chart] says which. A
// rule has to say that it is not needed, or that the release has it.
const Named Class = "chart"

// NamedChart is a chart that an object asks a controller for.
type NamedChart struct {
	Repository string `json:"repository,omitempty"` // a URL, a registry, or the object that holds it, such as HelmRepository/stable
	Name       string `json:"name"`                 // or the path in a Git repository
	Version    string `json:"version,omitempty"`    // as it is written: often a range; empty for the newest
}

// String returns the chart as one text, which rules match.
func (c NamedChart) String() string {
	text := joinName(strings.TrimSuffix(c.Repository, "/"), strings.TrimPrefix(c.Name, "./"))
	if strings.HasPrefix(c.Version, "sha256:") {
		return text + "@" + c.Version
	}
	if c.Version != "" {
		text += ":" + c.Version
	}
	return text
}

// ChartName returns the name that the chart itself has, where a repository's name
// or a path stands before it.
func (c NamedChart) ChartName() string { return path.Base(c.Name) }

// reasonNamed says why a chart that is named has to be decided.
const reasonNamed = "a controller fetches this chart on the island; what it needs is not seen here"

// naming tells how the objects of some kinds name a chart: in a map that holds
// the name, and its neighbours in the map.
type naming struct {
	group      string
	kinds      []string
	at         string // where the map is, as a path of [KnownObject]; empty for anywhere in the object
	name       string // the field that names the chart, or its path in Git, or its URL
	repository string // the field with a URL or a registry
	source     string // the field with kind and name of the object that holds the repository
	version    string // the fields with the version; the first that is set holds
}

// namings are those of the controllers that are in use. Sources: Argo CD,
// "Application Specification"; Flux, "Helm API reference" and "Source API
// reference"; k3s helm-controller, "HelmChart"; Cluster API add-on provider for
// Helm, "HelmChartProxy"; Fleet, "CRD's"; Rancher, "ManagedChart"; Crossplane
// provider-helm, "Release"; KubeVela, "Helm"; Sveltos, "Helm chart"; k0s, "Helm
// charts"; kapp-controller, "App"; Kustomize, "helmCharts".
var namings = []naming{
	{"argoproj.io", []string{"Application", "ApplicationSet"}, "", "chart", "repoURL", "", "targetRevision"},
	{"argoproj.io", []string{"Application", "ApplicationSet"}, "", "path", "repoURL", "", "targetRevision"},
	{"helm.toolkit.fluxcd.io", []string{"HelmRelease"}, "", "chart", "", "sourceRef", "version"},
	{"helm.toolkit.fluxcd.io", []string{"HelmRelease"}, "spec.chartRef", "name", "", "kind", ""},
	{"helm.fluxcd.io", []string{"HelmRelease"}, "spec.chart", "name", "repository", "", "version"},
	{"helm.fluxcd.io", []string{"HelmRelease"}, "spec.chart", "path", "git", "", "ref"},
	{"source.toolkit.fluxcd.io", []string{"HelmChart"}, "spec", "chart", "", "sourceRef", "version"},
	{"source.toolkit.fluxcd.io", []string{"OCIRepository"}, "spec", "url", "", "", "ref.digest ref.semver ref.tag"},
	{"helm.cattle.io", []string{"HelmChart"}, "spec", "chart", "repo", "", "version"},
	{"helm.cattle.io", []string{"HelmChart"}, "spec", "chartContent", "", "", "version"},
	{"addons.cluster.x-k8s.io", []string{"HelmChartProxy", "HelmReleaseProxy"}, "spec", "chartName", "repoURL", "", "version"},
	{"fleet.cattle.io", []string{"Bundle", "HelmOp", "HelmApp"}, "", "chart", "repo", "", "version"},
	{"management.cattle.io", []string{"ManagedChart"}, "spec", "chart", "repoName", "", "version"},
	{"helm.crossplane.io", []string{"Release"}, "spec.forProvider.chart", "name", "repository", "", "version"},
	{"helm.crossplane.io", []string{"Release"}, "spec.forProvider.chart", "url", "", "", "version"},
	{"helm.m.crossplane.io", []string{"Release"}, "spec.forProvider.chart", "name", "repository", "", "version"},
	{"helm.m.crossplane.io", []string{"Release"}, "spec.forProvider.chart", "url", "", "", "version"},
	{"core.oam.dev", []string{"Application"}, "", "chart", "url", "", "version"},
	{"config.projectsveltos.io", []string{"ClusterProfile", "Profile"}, "spec.helmCharts[]", "chartName", "repositoryURL", "", "chartVersion"},
	{"k0s.k0sproject.io", []string{"ClusterConfig"}, "spec.extensions.helm.charts[]", "chartname", "", "", "version"},
	{"helm.k0sproject.io", []string{"Chart"}, "spec", "chartName", "", "", "version"},
	{"kappctrl.k14s.io", []string{"App"}, "spec.fetch[].helmChart", "name", "repository.url", "", "version"},
	{"", nil, "helmCharts[]", "name", "repo", "", "version"},
	{"", nil, "helmChartInflationGenerator[]", "chartName", "chartRepoUrl", "", "chartVersion"},
	{"builtin", []string{"HelmChartInflationGenerator"}, "*", "name", "repo", "", "version"},
}

// namedCharts adds the charts that an object names.
func (f *finder) namedCharts(object map[string]any, where string) {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	group, _, _ := strings.Cut(apiVersion, "/")
	for _, how := range namings {
		if how.group != "" && (how.group != group || !slices.Contains(how.kinds, kind)) {
			continue
		}
		for _, at := range how.maps(object) {
			fields, _ := at.value.(map[string]any)
			chart, used := how.read(fields)
			field := joinPaths(where, at.field)
			if chart.Name == "" || f.typed[joinPaths(field, how.name)] {
				continue
			}
			for _, key := range used {
				f.typed[joinPaths(field, key)] = true
			}
			find := f.find(chart.String(), Named, joinPaths(field, how.name))
			find.Chart, find.Reason = chart, reasonNamed
			f.add(find)
		}
	}
	f.source(object, group, kind)
}

// joinPaths appends one path of a field to another.
func joinPaths(where, path string) string {
	if where == "" || path == "" || strings.HasSuffix(where, ":") {
		return where + path
	}
	return where + "." + path
}

// maps returns where a chart may be named.
func (n naming) maps(object map[string]any) []located {
	switch n.at {
	case "":
		return mapsBelow(located{"", object}, nil)
	case "*":
		return []located{{"", object}}
	default:
		return locate(object, n.at)
	}
}

func mapsBelow(at located, found []located) []located {
	switch value := at.value.(type) {
	case map[string]any:
		found = append(found, at)
		for _, key := range sortedKeys(value) {
			found = mapsBelow(located{joinField(at.field, key), value[key]}, found)
		}
	case []any:
		for i, item := range value {
			found = mapsBelow(located{indexed(at.field, i), item}, found)
		}
	}
	return found
}

// read reads the chart that a map names, and which fields it stands in. The name
// is empty if the map names none.
func (n naming) read(fields map[string]any) (NamedChart, []string) {
	name, _ := fields[n.name].(string)
	if strings.TrimSpace(name) == "" {
		return NamedChart{}, nil
	}
	chart, used := NamedChart{Name: manifests.BareName(strings.TrimSpace(name))}, []string{n.name}
	for field := range strings.FieldsSeq(n.version) {
		if chart.Version == "" {
			chart.Version = strings.TrimSpace(fieldText(fields, field))
			used = append(used, field)
		}
	}
	switch {
	case n.repository != "":
		chart.Repository = manifests.BareName(strings.TrimSpace(fieldText(fields, n.repository)))
		used = append(used, n.repository)
	case n.source == "kind": // the reference itself
		chart.Repository = fieldText(fields, "kind")
	case n.source != "":
		source, _ := fields[n.source].(map[string]any)
		if source == nil {
			return NamedChart{}, nil
		}
		chart.Repository = joinName(fieldText(source, "kind"), fieldText(source, "name"))
	}
	if n.name == "chartContent" {
		return NamedChart{Repository: n.name, Name: or(fieldText(fields, "chart"), "an archive"), Version: chart.Version}, used
	}
	chart = chart.fromURL()
	if n.at == "" && chart.Repository == "" || n.name == "path" && fieldText(fields, "chart") != "" {
		return NamedChart{}, nil
	}
	return chart, used
}

// archiveName is the name of a chart's archive, which helm package writes.
var archiveName = regexp.MustCompile(`^(.+?)-(v?[0-9]+\.[0-9].*)\.tgz$`)

// fromURL takes a name apart that is a URL: of an archive, or in a registry.
func (c NamedChart) fromURL() NamedChart {
	scheme, rest, isURL := strings.Cut(c.Name, "://")
	if !isURL {
		return c
	}
	c.Repository = scheme + "://" + path.Dir(rest)
	c.Name = path.Base(rest)
	if found := archiveName.FindStringSubmatch(c.Name); found != nil {
		c.Name, c.Version = found[1], or(c.Version, found[2])
	}
	return c
}

// chartSource is an object that holds a repository of charts.
type chartSource struct {
	ref string // kind and name
	url string
}

// source keeps what an object says of a repository that others refer to.
func (f *finder) source(object map[string]any, group, kind string) {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := scalar(metadata["name"])
	if group != "source.toolkit.fluxcd.io" || name == "" {
		return
	}
	url := manifests.BareName(fieldText(object, "spec.url"))
	f.finds.sources = append(f.finds.sources, chartSource{kind + "/" + name, url})
}

// withSources puts the URLs of repositories in the place of the objects that hold
// them. A chart that refers to an object which names one itself says nothing new.
func withSources(finds Finds, sources []chartSource) Finds {
	urls := map[string]string{}
	for _, source := range sources {
		urls[source.ref] = source.url
	}
	kept := finds.Images[:0:0]
	for _, find := range finds.Images {
		if find.Class == Named {
			if _, held := urls[find.Chart.Repository+"/"+find.Chart.Name]; held {
				continue
			}
			if url := urls[find.Chart.Repository]; url != "" {
				find.Chart.Repository = url
				find.Image = find.Chart.String()
			}
		}
		kept = append(kept, find)
	}
	finds.Images = kept
	return finds
}

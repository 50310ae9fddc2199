package charts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/internal/yamlmarks"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// What `helm template` takes where nothing is said.
const (
	DefaultReleaseName = "release-name"
	DefaultNamespace   = "default"
	// DefaultKubeVersion is the Kubernetes version that the released Helm of
	// the version linked here assumes: the one of its k8s.io/client-go. (As a
	// library, Helm would say v1.20.0.)
	DefaultKubeVersion = "v1.37.0"
)

// Rendering is one way to render a chart: one set of values for one cluster.
type Rendering struct {
	Name        string          // of this rendering, such as production; for messages and provenance
	ReleaseName string          // empty means DefaultReleaseName
	Namespace   string          // empty means DefaultNamespace
	Values      []ValuesSource  // in order; later ones win
	Set         map[string]any  // laid over Values
	Settings    []Setting       // values in the form of helm's flags, laid over Values and Set
	Tags        map[string]bool // subchart tags, laid over the tags in Values and Set
	KubeVersion string          // such as 1.29.10; empty means DefaultKubeVersion
	APIVersions []string        // in addition to Kubernetes' own, such as monitoring.coreos.com/v1
	As          Event           // what happens to the release; empty means an installation, and both to [Chart.Discover]
	TimeLimit   time.Duration   // 0 means MaxRenderTime; to [Chart.Discover], of installation and upgrade together
	// StubRequired makes up the values that the chart demands and nobody gave,
	// for the sake of finding images: secrets are the usual case. What was made
	// up is told in [Rendered.Stubbed]. Values that were given stay as they are.
	StubRequired bool

	// forImages leaves out making keys and certificates, which is slow, and notes
	// what templates ask.
	forImages bool
	revision  int // of the release; 0 means 1, as to helm template
}

// Event is what happens to a release when its chart is rendered.
type Event string

// The events.
const (
	AsInstall Event = "install" // the first installation
	AsUpgrade Event = "upgrade" // a later one
)

// ValuesSource is a values file that has been read.
type ValuesSource struct {
	Name string // for messages
	Data []byte // YAML
}

// Render renders the chart as `helm template --include-crds` does: as an
// installation into a cluster that cannot be asked. Dependencies follow their
// conditions and tags. A library chart renders to nothing and says so in the
// notices.
//
// A chart that does not render is an error that holds a [*RenderError]. When
// ctx ends or the time limit passes, Render returns at once; the template that
// does not end runs on in the background until the process exits, since Go
// cannot stop it.
func (c *Chart) Render(ctx context.Context, how Rendering) (*Rendered, error) {
	return c.timed(ctx, how.limit(), func() (*Rendered, error) { return c.render(how) })
}

func (c *Chart) timed(ctx context.Context, limit time.Duration, render func() (*Rendered, error)) (*Rendered, error) {
	timed, cancel := context.WithTimeoutCause(ctx, limit, ErrRenderTime)
	defer cancel()
	type result struct {
		rendered *Rendered
		err      error
	}
	done := make(chan result, 1)
	go func() {
		rendered, err := render()
		done <- result{rendered, err}
	}()
	select {
	case r := <-done:
		return r.rendered, r.err
	case <-timed.Done():
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fault.New(fault.Failure, fault.Upstream, c.object(),
			"a template of this chart loops or works on far too much; helm template would hang as well",
			"%w after %s", ErrRenderTime, limit)
	}
}

func (how Rendering) limit() time.Duration {
	if how.TimeLimit <= 0 {
		return MaxRenderTime
	}
	return how.TimeLimit
}

// ErrRenderTime says that a rendering took longer than its time limit.
var ErrRenderTime = errors.New("rendering has not come to an end")

func (c *Chart) object() string { return "chart " + c.metadata.String() }

func (c *Chart) render(how Rendering) (rendered *Rendered, err error) {
	defer c.recover(&err)
	values, err := how.values()
	if err != nil {
		return nil, err
	}
	if how.StubRequired {
		return c.renderStubbed(how, values)
	}
	return c.renderWith(how, values)
}

func (c *Chart) recover(err *error) {
	if r := recover(); r != nil {
		*err = c.explain(nil, fmt.Errorf("helm stopped: %v", r))
	}
}

// renderUpgrade renders those templates of a chart once more that can tell an
// upgrade. Many charts demand what the cluster has from the installation,
// passwords above all: they go on without it.
func (c *Chart) renderUpgrade(ctx context.Context, how Rendering, installed *Rendered, events map[string]bool) (*Rendered, error) {
	how.As, how.revision = AsUpgrade, 2
	return c.timed(ctx, how.limit(), func() (rendered *Rendered, err error) {
		defer c.recover(&err)
		loaded := installed.loaded
		onlyTemplates(loaded, events)
		withoutDemands(loaded)
		input, err := c.input(loaded, installed.values, how)
		if err != nil {
			return nil, err
		}
		output, err := engine.Engine{}.Render(loaded, input)
		if err != nil {
			return nil, c.explain(loaded, err)
		}
		rendered = &Rendered{Chart: c.metadata, Rendering: how.Name, Subcharts: installed.Subcharts}
		return rendered, rendered.collect(loaded, output)
	})
}

// onlyTemplates empties the other templates, but for those that are only there
// for others.
func onlyTemplates(loaded *chart.Chart, wanted map[string]bool) {
	for _, template := range loaded.Templates {
		if name := loaded.ChartFullPath() + "/" + template.Name; !wanted[name] && !strings.HasPrefix(path.Base(name), "_") {
			template.Data = nil
		}
	}
	for _, sub := range loaded.Dependencies() {
		onlyTemplates(sub, wanted)
	}
}

func (c *Chart) renderWith(how Rendering, values map[string]any) (*Rendered, error) {
	rendered := &Rendered{Chart: c.metadata, Rendering: how.Name}
	if c.metadata.IsLibrary() {
		rendered.note("%s is a library chart: it renders nothing by itself", c.metadata)
		return rendered, nil
	}
	loaded, err := c.load()
	if err != nil {
		return nil, explainLoad(err, fault.Upstream, c.object())
	}
	if err := c.checkDependencies(loaded, rendered); err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, values); err != nil {
		return nil, c.explain(loaded, err)
	}
	rendered.Subcharts = switchedOn(loaded, "")
	input, err := c.input(loaded, values, how)
	if err != nil {
		return nil, err
	}
	if how.forImages {
		rendered.templates = templateTexts(loaded)
		if all, err := input.Table("Values"); err == nil {
			rendered.texts = textsOf(loaded, all)
		}
		withoutKeys(loaded)
		rendered.loaded, rendered.values = loaded, values
	}
	if err := c.validate(loaded, input, rendered); err != nil {
		return nil, err
	}
	output, err := engine.Engine{}.Render(loaded, input)
	if err != nil {
		return nil, c.explain(loaded, err)
	}
	if err := rendered.collect(loaded, output); err != nil {
		return nil, err
	}
	return rendered, nil
}

// input composes what templates see besides the chart: values, release and
// capabilities.
func (c *Chart) input(loaded *chart.Chart, values map[string]any, how Rendering) (chartutil.Values, error) {
	capabilities, err := how.capabilities()
	if err != nil {
		return nil, err
	}
	if want := loaded.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, capabilities.KubeVersion.Version) {
		return nil, fault.New(fault.Failure, fault.Here, c.object(),
			"say which Kubernetes the site runs: kubeVersion, in the release's defaults or at this chart",
			"%w", &RenderError{
				Chart:   c.metadata.Name,
				Message: fmt.Sprintf("chart wants Kubernetes %s and is rendered for %s", want, capabilities.KubeVersion.Version),
			})
	}
	release := chartutil.ReleaseOptions{
		Name: or(how.ReleaseName, DefaultReleaseName), Namespace: or(how.Namespace, DefaultNamespace),
		Revision: max(how.revision, 1), IsInstall: how.As != AsUpgrade, IsUpgrade: how.As == AsUpgrade,
	}
	if err := chartutil.ValidateReleaseName(release.Name); err != nil {
		return nil, fault.New(fault.Usage, fault.Here, c.object(), "a release name is a DNS label of at most 53 characters",
			"release name %q: %w", release.Name, err)
	}
	if !namespace.MatchString(release.Namespace) {
		return nil, fault.New(fault.Usage, fault.Here, c.object(), "a namespace is a DNS label: a-z, 0-9 and - inside, at most 63 characters",
			"no cluster has a namespace %.100q", release.Namespace)
	}
	// Helm's own schema check is passed over because it downloads schemas that
	// a schema refers to; Chart.validate takes its place.
	input, err := chartutil.ToRenderValuesWithSchemaValidation(loaded, values, release, capabilities, true)
	if err != nil {
		return nil, c.explain(loaded, err)
	}
	return input, nil
}

func (how Rendering) capabilities() (*chartutil.Capabilities, error) {
	version, err := chartutil.ParseKubeVersion(or(how.KubeVersion, DefaultKubeVersion))
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, "", "write it as 1.29.10", "kubeVersion %q: %w", how.KubeVersion, err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, how.APIVersions)
	return capabilities, nil
}

// values merges the values given, as Helm merges those of -f and --set.
func (how Rendering) values() (map[string]any, error) {
	merged, err := mergeAll("rendering "+how.Name, how.Values, how.Set)
	if err != nil {
		return nil, err
	}
	if err := laySettings(merged, how.Settings); err != nil {
		return nil, err
	}
	if len(how.Tags) > 0 {
		tags := map[string]any{}
		for tag, on := range how.Tags {
			tags[tag] = on
		}
		merged = mergeValues(merged, map[string]any{"tags": tags})
	}
	return merged, nil
}

// MergeValues lays values files over each other, in order, and over them what is given in
// place, as Helm does with -f and --set; numbers are as Helm has them, 64-bit floats.
// Files may have up to [MaxValues] bytes. What is wrong with one is a Usage error with its
// place.
func MergeValues(files []ValuesSource, set map[string]any) (map[string]any, error) {
	return mergeAll("values", files, set)
}

// mergeAll does so for an object that errors name.
func mergeAll(object string, files []ValuesSource, set map[string]any) (map[string]any, error) {
	merged := map[string]any{}
	for _, source := range files {
		values, err := source.read()
		if err != nil {
			return nil, err
		}
		merged = mergeValues(merged, values)
	}
	given, err := plain(set)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, object, "values given in place have to be plain YAML", "values cannot be used: %w", err)
	}
	return mergeValues(merged, given), nil
}

// namespace is what Kubernetes takes for one (RFC 1123, "label").
var namespace = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// read reads the file as Helm does.
func (v ValuesSource) read() (map[string]any, error) {
	if len(v.Data) > MaxValues {
		return nil, fault.At(fault.Place{File: v.Name}, "", "values file is larger than %s", manifests.Bytes(MaxValues))
	}
	if err := yamlmarks.Check(v.Data, yamlmarks.Most); err != nil {
		return nil, fault.At(fault.Place{File: v.Name}, "split it into several files, which are laid over each other", "%w", err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(v.Data, &values); err != nil {
		line, message := yamlError(err)
		return nil, fault.At(fault.Place{File: v.Name, Line: line}, "a values file is one YAML document that is a map", "%s", message)
	}
	return values, nil
}

// plain returns values the types they would have in a values file, in a copy.
func plain(values map[string]any) (map[string]any, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	var copied map[string]any
	return copied, json.Unmarshal(data, &copied)
}

// mergeValues lays over on top of base: maps are merged, all else is replaced.
// Neither argument is changed.
func mergeValues(base, over map[string]any) map[string]any {
	merged := make(map[string]any, len(base)+len(over))
	maps.Copy(merged, base)
	for key, value := range over {
		below, haveMap := merged[key].(map[string]any)
		if above, isMap := value.(map[string]any); isMap && haveMap {
			value = mergeValues(below, above)
		}
		merged[key] = value
	}
	return merged
}

// checkDependencies reports subcharts that Chart.yaml declares and the archive
// lacks. At the top that is an error, as it is for Helm. Further down Helm goes
// on without a word; here a notice is left.
func (c *Chart) checkDependencies(loaded *chart.Chart, rendered *Rendered) error {
	if missing := missingDependencies(loaded); len(missing) > 0 {
		return fault.New(fault.Failure, fault.Upstream, c.object(),
			"run helm dependency build on the chart's folder and package it again",
			"%w", &RenderError{Chart: c.metadata.Name, Template: c.metadata.Name + "/Chart.yaml",
				Message: "declared in Chart.yaml and not in charts/: " + strings.Join(missing, ", ")})
	}
	var walk func(parent *chart.Chart)
	walk = func(parent *chart.Chart) {
		for _, sub := range parent.Dependencies() {
			if missing := missingDependencies(sub); len(missing) > 0 {
				rendered.note("subchart %s declares %s and does not hold it; Helm goes on without", sub.ChartFullPath(), strings.Join(missing, ", "))
			}
			walk(sub)
		}
	}
	walk(loaded)
	slices.Sort(rendered.Notices)
	return nil
}

func missingDependencies(parent *chart.Chart) []string {
	var missing []string
	for _, declared := range parent.Metadata.Dependencies {
		held := slices.ContainsFunc(parent.Dependencies(), func(sub *chart.Chart) bool { return sub.Name() == declared.Name })
		if !held {
			missing = append(missing, declared.Name)
		}
	}
	return missing
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

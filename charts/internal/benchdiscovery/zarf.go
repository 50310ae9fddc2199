package main

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// The rules of `zarf dev find-images` were read in zarf-dev/zarf at v0.84.0:
// src/pkg/packager/find_images.go (processUnstructuredImages and below),
// src/internal/packager/helm/template.go (CRDs and hooks are rendered) and
// src/internal/packager/helm/images.go (annotations).

const segment = `[\w.-]+` // of a name in lower or upper case, or a tag

var (
	// zarfField is what makes an image of a field of any kind that is not known:
	// one slash at most, and no digest.
	zarfField = regexp.MustCompile(`(?i)"image":"((?:` + segment + `/)?` + segment + `(?::` + segment + `)?)"`)
	// zarfMaybe is any text with a colon whose end has more than digits. The
	// registry is asked whether it is an image.
	zarfMaybe = regexp.MustCompile(`(?i)["|=]([\w./:-]+:[\w.-]*[a-z._-][\w.-]*)"`)
)

// zarfPods are the kinds that Zarf reads as typed objects, and where each has
// its pod spec.
var zarfPods = map[string]string{
	"Pod": "spec", "CronJob": "spec.jobTemplate.spec.template.spec",
	"Deployment": "spec.template.spec", "DaemonSet": "spec.template.spec", "StatefulSet": "spec.template.spec",
	"ReplicaSet": "spec.template.spec", "ReplicationController": "spec.template.spec", "Job": "spec.template.spec",
}

// byZarf returns what Zarf takes for images, and about what else it asks the
// registry.
func byZarf(p printed) (found, asked map[string]bool) {
	found, asked = map[string]bool{}, map[string]bool{}
	zarfAnnotated(p.chart, found)
	for _, object := range objects(p.withCRDs) {
		annotations, _ := below(object, "metadata.annotations").(map[string]any)
		if annotations["helm.sh/hook"] == "test" {
			continue
		}
		printed, err := json.Marshal(object)
		if err != nil {
			panic(err) // it came from YAML
		}
		kind := text(object, "kind")
		switch where, isPod := zarfPods[kind]; {
		case isPod:
			zarfPod(below(object, where), found)
		case kind == "OCIRepository":
			zarfChart(object, found)
		default:
			for _, match := range zarfField.FindAllSubmatch(printed, -1) {
				found[normal(string(match[1]))] = true
			}
		}
		for _, match := range zarfMaybe.FindAllSubmatch(printed, -1) {
			asked[normal(string(match[1]))] = true
		}
	}
	return found, asked
}

func zarfPod(spec any, found map[string]bool) {
	images := func(list, field string) {
		all, _ := below(spec, list).([]any)
		for _, one := range all {
			if image := text(one, field); reference.ReferenceRegexp.MatchString(image) {
				found[normal(image)] = true
			}
		}
	}
	images("initContainers", "image")
	images("containers", "image")
	images("ephemeralContainers", "image")
	images("volumes", "image.reference")
}

// zarfChart finds the chart that Flux is told to fetch: not one with a range of
// versions.
func zarfChart(repository any, found map[string]bool) {
	name := strings.TrimPrefix(text(repository, "spec.url"), "oci://")
	tag, digest := text(repository, "spec.ref.tag"), text(repository, "spec.ref.digest")
	switch {
	case tag != "":
		name += ":" + tag
	case digest != "":
		name += "@" + digest
	case text(repository, "spec.ref.semver")+text(repository, "spec.ref.semverFilter") != "":
		return
	}
	if reference.ReferenceRegexp.MatchString(name) {
		found[normal(name)] = true
	}
}

// zarfAnnotated finds what the annotation helm.sh/images of a chart and its
// subcharts declares, but for what a condition switches off.
func zarfAnnotated(name string, found map[string]bool) {
	loaded, err := loader.Load(name)
	if err != nil {
		return
	}
	var walk func(*chart.Chart, chartutil.Values)
	walk = func(one *chart.Chart, values chartutil.Values) {
		var declared []struct{ Image, Condition string }
		if yaml.Unmarshal([]byte(one.Metadata.Annotations["helm.sh/images"]), &declared) == nil {
			for _, image := range declared {
				on, err := values.PathValue(image.Condition)
				if image.Condition == "" || err == nil && on == true {
					found[normal(image.Image)] = true
				}
			}
		}
		for _, subchart := range one.Dependencies() {
			own, _ := values[subchart.Name()].(map[string]any)
			walk(subchart, own)
		}
	}
	walk(loaded, loaded.Values)
}

package charts

import (
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/manifests"
)

// imageAnnotations are the annotations of Chart.yaml that list a chart's
// images: Artifact Hub's ("Supported annotations"), Helm's, and the one of
// Bitnami-style charts.
var imageAnnotations = []string{"artifacthub.io/images", "helm.sh/images", "images"}

// imagesLock is the file in which charts pin their images (vmware-labs
// distribution-tooling-for-helm, "Images.lock").
const imagesLock = "Images.lock"

// declared returns the images that a chart and its subcharts list in their own
// metadata and that no rendering used. A list is no use by itself: it names
// the images of every feature, the ones that are off included.
func (c *Chart) declared(all []scope, on map[string]bool, index used) []ImageFind {
	var finds []ImageFind
	seen := map[string]bool{}
	add := func(s scope, image, file, field string) {
		if _, err := manifests.ParseImageRef(image); err != nil || seen[s.template+image] {
			return
		}
		seen[s.template+image] = true
		one := valuesFinder{}
		one.reference(image, "")
		if len(one.found) == 1 && index.has(one.found[0], overridesRegistry(all[0].values)) {
			return
		}
		reason := "declared in " + file + ", and no rendering used it"
		if len(s.prefix) > 0 && !on[s.name()] {
			reason = "declared in " + file + " of subchart " + s.name() + ", which is switched off"
		}
		finds = append(finds, ImageFind{Image: image, Class: Candidate, Subchart: s.name(), Reason: reason,
			Origin: manifests.Origin{Chart: c.metadata.Name, Template: s.template + "/" + file, Object: "Chart/" + s.chart.Name(), Field: field}})
	}
	for _, s := range all {
		for _, name := range imageAnnotations {
			for _, image := range listedImages(s.chart.Metadata.Annotations[name]) {
				add(s, image, "Chart.yaml", joinField("annotations", name))
			}
		}
		for _, image := range lockedImages(s.chart) {
			add(s, image, imagesLock, "images")
		}
	}
	return finds
}

var listSeparators = regexp.MustCompile(`[\s,;'"]+`)

// listedImages reads a list of images in any of the forms that are in use: YAML
// of maps with an image, YAML of texts, words.
func listedImages(text string) []string {
	if text == "" {
		return nil
	}
	var images []string
	var content any
	if yaml.Unmarshal([]byte(text), &content) == nil {
		switch content := content.(type) {
		case []any:
			for _, item := range content {
				images = append(images, imageOf(item))
			}
			return images
		case map[string]any:
			for _, name := range sortedKeys(content) {
				images = append(images, imageOf(content[name]))
			}
			return images
		}
	}
	return listSeparators.Split(strings.TrimSpace(text), -1)
}

func imageOf(item any) string {
	switch item := item.(type) {
	case string:
		return item
	case map[string]any:
		if image, ok := item["image"].(string); ok {
			return image
		}
		image, _ := imageOfParts(item)
		return image
	}
	return ""
}

// lockedImages reads an Images.lock, if the chart ships one. What is no such
// file is passed over: it can only be a list of candidates.
func lockedImages(c *chart.Chart) []string {
	var images []string
	for _, file := range c.Raw {
		if path.Base(file.Name) != imagesLock || strings.HasPrefix(file.Name, "charts/") {
			continue
		}
		var lock struct {
			Images []struct {
				Image string `json:"image"`
			} `json:"images"`
		}
		if yaml.Unmarshal(file.Data, &lock) == nil {
			for _, one := range lock.Images {
				images = append(images, one.Image)
			}
		}
	}
	return images
}

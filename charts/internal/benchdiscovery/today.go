package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
)

// printed is what Helm prints of one rendering of a chart.
type printed struct {
	chart    string // its folder or archive
	text     string // without CRDs, as scripts ask for it: the descriptions in them are full of the word image
	withCRDs string
}

// ways are those in which images are looked for today, beside ours. What a way
// asks a registry about is an image if the registry has it.
var ways = []struct {
	name string
	find func(printed) (found, asked map[string]bool)
}{
	{"grep", byGrep}, {"yq", byQuery}, {"Zarf", byZarf}, {"helm-images", byHelmImages},
}

// helmPrints renders a chart as all ways need it.
func helmPrints(chart string, how charts.Rendering) (printed, error) {
	text, err := helmTemplate(chart, how)
	if err != nil {
		return printed{}, err
	}
	withCRDs, err := helmTemplate(chart, how, "--include-crds")
	return printed{chart, text, withCRDs}, err
}

// helmTemplate runs `helm template` for one rendering.
func helmTemplate(chart string, how charts.Rendering, more ...string) (string, error) {
	// A Helm that was built without its release's settings assumes Kubernetes 1.20.
	arguments := []string{"template", "release-name", chart, "--kube-version", cmp.Or(how.KubeVersion, charts.DefaultKubeVersion)}
	arguments = append(arguments, more...)
	for _, version := range how.APIVersions {
		arguments = append(arguments, "--api-versions", version)
	}
	if how.Set != nil {
		values, err := os.CreateTemp("", "values-*.json")
		if err != nil {
			return "", err
		}
		defer os.Remove(values.Name())
		if err := json.NewEncoder(values).Encode(how.Set); err != nil {
			return "", err
		}
		if err := values.Close(); err != nil {
			return "", err
		}
		arguments = append(arguments, "--values", values.Name())
	}
	var out, problems bytes.Buffer
	helm := exec.Command("helm", arguments...)
	helm.Stdout, helm.Stderr = &out, &problems
	if err := helm.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

var imageLine = regexp.MustCompile(`(?m)image:(.*)$`)

// byGrep returns what `grep image:` leaves once the key and quotes are cut off.
func byGrep(p printed) (found, asked map[string]bool) {
	found = map[string]bool{}
	for _, line := range imageLine.FindAllStringSubmatch(p.text, -1) {
		if image := strings.Trim(strings.TrimSpace(line[1]), `"',`); image != "" {
			found[normal(image)] = true
		}
	}
	return found, nil
}

// byQuery returns what yq '.. | select(has("image")) | .image' prints: a line for
// a scalar, and YAML for a map or list.
func byQuery(p printed) (found, asked map[string]bool) {
	found = map[string]bool{}
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			switch image := value["image"].(type) {
			case nil:
			case map[string]any, []any:
				printed, err := yaml.Marshal(image)
				if err != nil {
					panic(err) // it came from YAML
				}
				for line := range strings.Lines(string(printed)) {
					found["part of a map: "+strings.TrimSpace(line)] = true
				}
			default:
				if printed := fmt.Sprint(image); printed != "" {
					found[normal(printed)] = true
				}
			}
			for _, below := range value {
				walk(below)
			}
		case []any:
			for _, below := range value {
				walk(below)
			}
		}
	}
	for _, object := range objects(p.text) {
		walk(object)
	}
	return found, nil
}

// objects returns all documents that are YAML.
func objects(text string) []any {
	var all []any
	for document := range strings.SplitSeq("\n"+text, "\n---") {
		var content any
		if yaml.Unmarshal([]byte(document), &content) == nil && content != nil {
			all = append(all, content)
		}
	}
	return all
}

// below returns the value at a path of keys, or nil.
func below(value any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// text returns the text at a path of keys, or "".
func text(value any, path string) string {
	text, _ := below(value, path).(string)
	return text
}

// normal returns a reference with its registry, so that two ways to write it are
// the same.
func normal(image string) string {
	ref, err := manifests.ParseImageRef(image)
	if err != nil && ref.Repository == "" {
		return image
	}
	return ref.String()
}

// load reads a chart from an archive or a folder.
func load(chart string) (*charts.Chart, error) {
	info, err := os.Stat(chart)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return charts.LoadFolder(chart)
	}
	data, err := os.ReadFile(chart)
	if err != nil {
		return nil, err
	}
	return charts.Load(data)
}

func without(all, some map[string]bool) []string {
	var left []string
	for one := range all {
		if !some[one] {
			left = append(left, one)
		}
	}
	slices.Sort(left)
	return left
}

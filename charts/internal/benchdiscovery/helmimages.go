package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// The rules of the Helm plugin `helm images get` were read in
// nikhilsbhat/helm-images at v0.1.8: pkg/k8s/k8s.go, pkg/images.go and
// cmd/flags.go (defaults). The program gives up a chart in which an object has no
// name, or a Prometheus or Alertmanager no image; here its rules go on.

// pluginPods are the kinds that the plugin reads, and where each has pod specs.
var pluginPods = map[string][]string{
	"Deployment": {"spec.template.spec"}, "StatefulSet": {"spec.template.spec"}, "DaemonSet": {"spec.template.spec"},
	"ReplicaSet": {"spec.template.spec"}, "Job": {"spec.template.spec"}, "Pod": {"spec"},
	"CronJob":    {"spec.jobTemplate.spec.template.spec"},
	"Prometheus": {"spec"}, "ThanosRuler": {"spec"}, "Grafana": {"spec.deployment.spec.template.spec"},
	"Thanos": {
		"spec.rule.statefulsetOverrides.spec.template.spec", "spec.query.deploymentOverrides.spec.template.spec",
		"spec.storeGateway.deploymentOverrides.spec.template.spec", "spec.queryFrontend.deploymentOverrides.spec.template.spec",
	},
}

// pluginFields are single fields of a kind that hold an image.
var pluginFields = map[string][]string{
	"Alertmanager": {"spec.image"}, "Prometheus": {"spec.image", "spec.thanos.image"}, "ThanosRuler": {"spec.image"},
	"Provider": {"spec.package"}, "Configuration": {"spec.package"}, "Function": {"spec.package"},
}

// pluginFlags are the arguments that name an image, of workloads alone.
var (
	pluginFlags = []string{"--prometheus-config-reloader", "--thanos-default-base-image", "--acme-http01-solver-image"}
	workloads   = []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod", "CronJob"}
)

// pluginKey is a key of a ConfigMap, or of the YAML or JSON in it, that holds an
// image. An underscore belongs to a word.
var pluginKey = regexp.MustCompile(`\bimage\b`)

// byHelmImages returns what the plugin prints.
func byHelmImages(p printed) (found, asked map[string]bool) {
	found = map[string]bool{}
	add := func(image string) {
		if image != "" {
			found[normal(image)] = true
		}
	}
	for _, object := range objects(p.text) {
		kind := text(object, "kind")
		for _, where := range pluginPods[kind] {
			pluginPod(below(object, where), slices.Contains(workloads, kind), add)
		}
		for _, where := range pluginFields[kind] {
			add(text(object, where))
		}
		if kind == "Receiver" {
			groups, _ := below(object, "spec.receiverGroups").([]any)
			for _, group := range groups {
				pluginPod(below(group, "statefulSetOverrides.spec.template.spec"), false, add)
			}
		}
		if kind == "ConfigMap" {
			pluginFiles(below(object, "data"), add)
		}
	}
	return found, nil
}

func pluginPod(spec any, withArguments bool, add func(string)) {
	for _, list := range []string{"containers", "initContainers"} {
		containers, _ := below(spec, list).([]any)
		for _, container := range containers {
			add(text(container, "image"))
			arguments, _ := below(container, "args").([]any)
			for _, argument := range arguments {
				argument, _ := argument.(string)
				flag, image, _ := strings.Cut(argument, "=")
				if withArguments && slices.Contains(pluginFlags, flag) && !strings.Contains(image, "=") {
					add(image)
				}
			}
		}
	}
}

// pluginFiles looks at the data of a ConfigMap: in YAML and JSON for keys, and
// other text is an image if its own key says so.
func pluginFiles(data any, add func(string)) {
	var walk func(map[string]any)
	walk = func(content map[string]any) {
		for key, value := range content {
			if image, ok := value.(string); ok && pluginKey.MatchString(strings.ToLower(key)) {
				add(image)
			}
			switch value := value.(type) {
			case map[string]any:
				walk(value)
			case []any:
				for _, item := range value {
					if item, ok := item.(map[string]any); ok {
						walk(item)
					}
				}
			}
		}
	}
	files, _ := data.(map[string]any)
	for key, file := range files {
		file, _ := file.(string)
		var content any
		err := yaml.Unmarshal([]byte(file), &content)
		switch content := content.(type) {
		case map[string]any:
			walk(content)
		case []any:
			walk(merged(content))
		default:
			if (err != nil || content != nil) && pluginKey.MatchString(strings.ToLower(key)) {
				add(file)
			}
		}
	}
}

// merged makes one map of the maps in a list: of keys that several have, the
// last counts.
func merged(list []any) map[string]any {
	all := map[string]any{}
	for _, item := range list {
		item, _ := item.(map[string]any)
		maps.Copy(all, item)
	}
	return all
}

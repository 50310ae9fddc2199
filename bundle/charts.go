package bundle

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/manifests"
)

// chartIndexFile is a Helm repository's index.yaml (helm.sh/docs, "The Chart
// Repository Guide").
type chartIndexFile struct {
	APIVersion string                  `yaml:"apiVersion"`
	Entries    map[string][]chartEntry `yaml:"entries"`
	Generated  string                  `yaml:"generated"`
}

type chartEntry struct {
	APIVersion string   `yaml:"apiVersion"`
	AppVersion string   `yaml:"appVersion,omitempty"`
	Created    string   `yaml:"created"`
	Digest     string   `yaml:"digest"`
	Name       string   `yaml:"name"`
	URLs       []string `yaml:"urls"`
	Version    string   `yaml:"version"`
}

// chartIndex makes the charts folder a Helm repository. URLs are relative, so
// that it is one wherever it is served from.
func chartIndex(lock *manifests.Lock) ([]byte, error) {
	when := lock.Release.Date.Time().Format("2006-01-02T15:04:05Z07:00")
	index := chartIndexFile{APIVersion: "v1", Entries: map[string][]chartEntry{}, Generated: when}
	for _, chart := range lock.Charts {
		index.Entries[chart.Name] = append(index.Entries[chart.Name], chartEntry{
			APIVersion: "v2", AppVersion: chart.App, Created: when, Digest: chart.Content.Digest.Hex(),
			Name: chart.Name, URLs: []string{strings.TrimPrefix(string(chart.Path), path.Dir(ChartIndexPath)+"/")}, Version: chart.Version,
		})
	}
	encoded, err := yaml.Marshal(index)
	if err != nil {
		return nil, fmt.Errorf("encode chart index: %w", err)
	}
	return encoded, nil
}

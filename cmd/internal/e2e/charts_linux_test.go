package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// helmRenders takes every chart out of the bundle with tar and renders it.
func helmRenders(t *testing.T, d delivery) {
	helm, out := tool(t, "helm"), t.TempDir()
	run(t, out, "tar", "-xf", d.bundle, "charts")
	for _, chart := range d.charts {
		rendered := run(t, out, helm, "template", chart.Name, filepath.FromSlash(chart.Path),
			"--set", "config.dns.https=nginz-https.example.com", "--kube-version", "1.29.10")
		if !strings.Contains(rendered, "kind: ") {
			t.Errorf("%s renders to nothing", chart.Path)
		}
	}
	t.Logf("helm rendered %d charts", len(d.charts))
}

// helmPulls uses the folder charts/ of the bundle as the Helm repository that
// it is.
func helmPulls(t *testing.T, d delivery) {
	helm, out := tool(t, "helm"), t.TempDir()
	run(t, out, "tar", "-xf", d.bundle, "charts")
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(out, "charts"))))
	defer server.Close()
	home := []string{
		"--repository-config", filepath.Join(out, "repositories.yaml"), "--repository-cache", filepath.Join(out, "cache"),
		"--registry-config", filepath.Join(out, "registry.json"),
	}
	run(t, out, helm, append([]string{"repo", "add", "island", server.URL}, home...)...)
	for _, chart := range d.charts {
		run(t, out, helm, append([]string{"pull", "island/" + chart.Name, "--version", chart.Version}, home...)...)
		pulled, err := os.ReadFile(filepath.Join(out, chart.Name+"-"+chart.Version+".tgz"))
		if err != nil {
			t.Fatal(err)
		}
		carried, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(chart.Path)))
		if err != nil {
			t.Fatal(err)
		}
		if string(pulled) != string(carried) {
			t.Errorf("helm pulled another %s than the bundle has", chart.Path)
		}
	}
	// Helm's own index of the same folder names the same charts and digests.
	run(t, out, helm, "repo", "index", "charts", "--merge", filepath.Join("charts", "index.yaml"))
	merged, err := os.ReadFile(filepath.Join(out, "charts", "index.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if have := strings.Count(string(merged), "\n    digest: "); have != len(d.charts) {
		t.Errorf("helm's own index has %d charts besides ours, want %d in all", have, len(d.charts))
	}
	t.Logf("helm pulled %d charts", len(d.charts))
}

package charts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/islandbundle/island/manifests/fault"
)

// TestRenderEqualsHelm renders charts with this package and with the real
// `helm template`, under several sets of values, and compares every byte.
func TestRenderEqualsHelm(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	tests := []struct {
		name, chart string
		args        []string
		how         Rendering
	}{
		{"defaults", "umbrella", nil, Rendering{}},
		{"tags and conditions", "umbrella", []string{"--set", "tags.federation=true,front.enabled=false"},
			Rendering{Tags: map[string]bool{"federation": true}, Set: map[string]any{"front": map[string]any{"enabled": false}}}},
		{"condition beats tag", "umbrella", []string{"--set", "spare.enabled=false", "--set", "imported.colour=red"},
			Rendering{Set: map[string]any{"spare": map[string]any{"enabled": false}, "imported": map[string]any{"colour": "red"}}}},
		{"values in order", "umbrella", []string{"-f", "one.yaml", "-f", "two.yaml"},
			Rendering{Values: []ValuesSource{{"one.yaml", []byte("image: {tag: one}\nreplicas: 5\n")},
				{"two.yaml", []byte("image: {tag: two}\nglobal: {domain: island.test}\nfront: {image: null}")}}}},
		{"capabilities", "umbrella", []string{"--api-versions", "monitoring.coreos.com/v1", "--is-upgrade", "--namespace", "wire",
			"--name-template", "prod"},
			Rendering{APIVersions: []string{"monitoring.coreos.com/v1"}, As: AsUpgrade, Namespace: "wire", ReleaseName: "prod"}},
		{"shapes", "shapes", nil, Rendering{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			for _, source := range test.how.Values {
				if err := os.WriteFile(filepath.Join(folder, source.Name), source.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			path, err := filepath.Abs(filepath.Join("testdata", "charts", test.chart))
			if err != nil {
				t.Fatal(err)
			}
			command := exec.Command(helm, append([]string{"template", path, "--include-crds", "--kube-version", "1.29.10"}, test.args...)...)
			command.Dir, command.Stderr = folder, os.Stderr
			want, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			test.how.KubeVersion = "1.29.10"
			if got := mustRender(t, mustLoadFolder(t, test.chart), test.how).Text(); got != string(want) {
				t.Errorf("got\n%s\nwant, as helm template renders it,\n%s", got, want)
			}
		})
	}
}

// TestErrorsEqualHelm checks that what does not render here does not render
// with the real Helm either.
func TestErrorsEqualHelm(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	for _, test := range renderFaults {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "app.tgz")
			if err := os.WriteFile(file, archive(t, chartFiles(test.files)), 0o644); err != nil {
				t.Fatal(err)
			}
			output, err := exec.Command(helm, "template", file, "--kube-version", DefaultKubeVersion).CombinedOutput()
			if err == nil {
				t.Errorf("helm renders this chart:\n%s", output)
			}
		})
	}
}

func TestDefaultKubeVersionIsThatOfClientGo(t *testing.T) {
	t.Parallel()
	module, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(string(module), "k8s.io/client-go ")
	var minor, patch int
	if _, err := fmt.Sscanf(version, "v0.%d.%d", &minor, &patch); err != nil {
		t.Fatalf("go.mod names no version of k8s.io/client-go: %v", err)
	}
	if want := fmt.Sprintf("v1.%d.0", minor); DefaultKubeVersion != want {
		t.Errorf("DefaultKubeVersion is %s, a released Helm assumes %s", DefaultKubeVersion, want)
	}
}

func TestRenderSubchartsByConditionAndTag(t *testing.T) {
	t.Parallel()
	c := mustLoadFolder(t, "umbrella")
	for _, test := range []struct {
		how  Rendering
		want string
	}{
		{Rendering{}, "front spare"},
		{Rendering{Tags: map[string]bool{"federation": true}}, "gate front spare"},
		{Rendering{Set: map[string]any{"spare": map[string]any{"enabled": false}, "imported": map[string]any{"colour": "x"}}}, "front"},
		{Rendering{Values: []ValuesSource{{"values.yaml", []byte("front: {enabled: false}")}}}, "spare"},
		{Rendering{Values: []ValuesSource{{"values.yaml", []byte("tags: {federation: true}")}}, Tags: map[string]bool{"federation": false}},
			"front spare"},
	} {
		seen := map[string]bool{}
		for _, document := range mustRender(t, c, test.how).Manifests {
			seen[document.Subchart()] = true
		}
		for _, name := range []string{"front", "gate", "spare"} {
			if want := slices.Contains(strings.Fields(test.want), name); seen[name] != want {
				t.Errorf("%+v: subchart %s rendered: %v, want %v", test.how, name, seen[name], want)
			}
		}
	}
}

func TestRenderNotices(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"library", map[string]string{
			"Chart.yaml":         "apiVersion: v2\nname: app\nversion: 1.0.0\ntype: library\n",
			"templates/pod.yaml": "kind: Pod",
		}, "app 1.0.0 is a library chart: it renders nothing by itself"},
		{"unknown hook", map[string]string{
			"templates/x.yaml": "kind: Pod\nmetadata: {name: x, annotations: {helm.sh/hook: crd-install}}",
		}, `app/templates/x.yaml: Pod/x is a hook of the unknown kind "crd-install"; Helm never installs it`},
		{"subchart without its own subchart", map[string]string{
			"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\ndependencies: [{name: gone, version: 1.0.0}]\n",
		}, "subchart app/charts/sub declares gone and does not hold it; Helm goes on without"},
		{"schema elsewhere", map[string]string{
			"values.schema.json": `{"properties": {"a": {"$ref": "https://schemas.example.com/a.json#/definitions/A"}}}`,
		}, "the values of app are not checked against its schema, which refers to https://schemas.example.com/a.json: nothing is downloaded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rendered := mustRender(t, mustLoad(t, test.files), Rendering{})
			if !slices.Equal(rendered.Notices, []string{test.want}) {
				t.Errorf("got notices %q, want %q", rendered.Notices, test.want)
			}
			if len(rendered.Manifests)+len(rendered.Hooks) > 0 {
				t.Errorf("got documents %v %v", rendered.Manifests, rendered.Hooks)
			}
		})
	}
}

// TestSchemaIsNeverDownloaded has a server on this machine count requests.
func TestSchemaIsNeverDownloaded(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r.URL.Path; fmt.Fprint(w, "true") }))
	defer server.Close()
	c := mustLoad(t, map[string]string{"values.schema.json": `{"$ref": "` + server.URL + `/schema.json"}`})
	if rendered := mustRender(t, c, Rendering{}); len(rendered.Notices) != 1 {
		t.Errorf("got notices %q", rendered.Notices)
	}
	select {
	case path := <-asked:
		t.Errorf("%s was downloaded", path)
	default:
	}
}

func TestRenderSeesNeitherEnvironmentNorFiles(t *testing.T) {
	t.Parallel()
	for name, template := range map[string]string{
		"env":       `{{ env "HOME" }}`,
		"expandenv": `{{ expandenv "$HOME" }}`,
	} {
		c := mustLoad(t, map[string]string{"templates/x.yaml": "a: " + template})
		if _, err := c.Render(t.Context(), Rendering{}); err == nil || !strings.Contains(err.Error(), "not defined") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	c := mustLoad(t, map[string]string{
		"templates/x.yaml": `{{ .Files.Get "/etc/passwd" }}{{ .Files.Get "../../../../etc/passwd" }}` +
			`{{ range $path, $_ := .Files.Glob "/**" }}{{ $path }}{{ end }}{{ getHostByName "localhost" }}`,
	})
	if rendered := mustRender(t, c, Rendering{}); len(rendered.Manifests) > 0 {
		t.Errorf("rendered %v", rendered.Manifests)
	}
}

func TestRenderStopsWaiting(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"templates/x.yaml": `{{ range until 2000 }}{{ range until 1000 }}{{ end }}{{ end }}`})
	t.Run("time limit", func(t *testing.T) {
		t.Parallel()
		_, err := c.Render(t.Context(), Rendering{TimeLimit: time.Microsecond})
		if err == nil || !strings.Contains(err.Error(), "rendering has not come to an end after 1µs") || fault.ExitCode(err) != 1 {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		cancel(why)
		if _, err := c.Render(ctx, Rendering{}); !errors.Is(err, why) {
			t.Errorf("got error %v", err)
		}
	})
}

func TestRenderStopsHugeOutput(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"templates/x.yaml": `{{ repeat 70000000 "x" }}`})
	if _, err := c.Render(t.Context(), Rendering{}); !errors.Is(err, ErrTooLarge) ||
		!strings.Contains(err.Error(), "renders to more than 64.0 MiB") {
		t.Errorf("got error %v", err)
	}
	c = mustLoad(t, map[string]string{"templates/x.yaml": `{{ range until 20001 }}
---
a: b{{ end }}`})
	if _, err := c.Render(t.Context(), Rendering{}); !errors.Is(err, ErrTooLarge) ||
		!strings.Contains(err.Error(), "renders to more than 20000 documents") {
		t.Errorf("got error %v", err)
	}
}

// TestRenderAtOnce renders one chart in several ways at the same time; the
// race detector watches.
func TestRenderAtOnce(t *testing.T) {
	t.Parallel()
	c := mustLoadFolder(t, "umbrella")
	hows := []Rendering{
		{}, {Tags: map[string]bool{"federation": true}}, {Set: map[string]any{"replicas": 7}},
		{APIVersions: []string{"monitoring.coreos.com/v1"}},
	}
	var want []string
	for _, how := range hows {
		want = append(want, mustRender(t, c, how).Text())
	}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			rendered, err := c.Render(t.Context(), hows[i%len(hows)])
			if err != nil {
				t.Error(err)
			} else if rendered.Text() != want[i%len(hows)] {
				t.Errorf("rendering %d differs when others run", i)
			}
		})
	}
	group.Wait()
}

func TestValuesFaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, nil)
	tests := []struct {
		name string
		how  Rendering
		want string
	}{
		{"bad YAML", Rendering{Values: []ValuesSource{{"a.yaml", []byte("a: 1\nb: [\n")}}}, "a.yaml:2: "},
		{"not a map", Rendering{Values: []ValuesSource{{"a.yaml", []byte("- a\n")}}}, "a.yaml: "},
		{"too large", Rendering{Values: []ValuesSource{{"a.yaml", bytes.Repeat([]byte("#"), MaxValues+1)}}},
			"a.yaml: values file is larger than 16.0 MiB"},
		{"not YAML at all", Rendering{Name: "prod", Set: map[string]any{"f": func() {}}}, "rendering prod: values cannot be used"},
		{"kube version", Rendering{KubeVersion: "latest"}, `kubeVersion "latest"`},
		{"release name", Rendering{ReleaseName: "Not A Label"}, `release name "Not A Label"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Render(t.Context(), test.how)
			if err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "chart app 1.0.0: "), test.want) {
				t.Errorf("got error %v, want %s", err, test.want)
			}
			if fault.ExitCode(err) != int(fault.Usage) {
				t.Errorf("exit code is %d", fault.ExitCode(err))
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	c := mustLoadFolder(b, "umbrella")
	for b.Loop() {
		if _, err := c.Render(b.Context(), Rendering{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadAgain(b *testing.B) {
	c := mustLoadFolder(b, "umbrella")
	for b.Loop() {
		if _, err := c.load(); err != nil {
			b.Fatal(err)
		}
	}
}

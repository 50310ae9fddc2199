package sandbox

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func TestMain(m *testing.M) {
	mainWith(replyOrAttack)
	os.Exit(m.Run())
}

// pack makes a chart archive.
func pack(t testing.TB, files map[string]string) []byte {
	t.Helper()
	all := map[string]string{"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n"}
	maps.Copy(all, files)
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	writer := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "app/" + name, Mode: 0o644,
			Size: int64(len(all[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(all[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func newPool(t testing.TB, workers int) *Pool {
	t.Helper()
	pool, err := New(Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: \"quay.io/island/app:1\"}]}\n"

func TestResultsEqualThoseInProcess(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../testdata/corpus/*/chart")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	pool := newPool(t, 2)
	options := charts.DiscoverOptions{Renderings: []charts.Rendering{
		{Name: "one", Set: map[string]any{"calls": map[string]any{"enabled": true}}, Tags: map[string]bool{"legalhold": true}},
		{Name: "two", KubeVersion: "1.24.17", Values: []charts.ValuesSource{{Name: "v.yaml", Data: []byte("a: 1\n")}}},
	}}
	for _, folder := range folders {
		chart, err := charts.LoadFolder(folder)
		if err != nil {
			t.Fatal(err)
		}
		archive, err := chart.Package()
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := chart.Discover(t.Context(), options)
		got, gotErr := pool.Discover(t.Context(), archive, options)
		if a, b := asJSON(t, got), asJSON(t, want); a != b {
			t.Errorf("%s: got\n%s\nwant\n%s", folder, a, b)
		}
		if (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
			t.Errorf("%s: got error\n%v\nwant\n%v", folder, gotErr, wantErr)
		}
		for i, explained := range fault.All(wantErr) {
			same := *fault.All(gotErr)[i]
			same.Err = explained.Err
			if !reflect.DeepEqual(same, *explained) {
				t.Errorf("%s: got %+v, want %+v", folder, same, explained)
			}
		}
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestErrorsKeepWhatTheyAre(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	_, err := pool.Discover(t.Context(), []byte("<html>"), charts.DiscoverOptions{})
	if !errors.Is(err, charts.ErrNotArchive) {
		t.Errorf("got %v, want %v", err, charts.ErrNotArchive)
	}
	_, err = pool.Discover(t.Context(), pack(t, map[string]string{"templates/x.yaml": "{{ required \"set it\" .Values.secret.key }}"}),
		charts.DiscoverOptions{})
	if cause := (*charts.RenderError)(nil); !errors.As(err, &cause) || cause.ValuePath != "secret.key" {
		t.Errorf("got %v, want one that names secret.key", err)
	}
}

// TestHostileCharts holds that each way to never end is ended, with an error
// that says which, and that the pool goes on.
func TestHostileCharts(t *testing.T) {
	t.Parallel()
	if underRaceDetector {
		t.Skip("workers have limits of memory, and the race detector takes several times as much: they would end all by that one")
	}
	tests := []struct {
		name   string
		files  map[string]string
		memory manifests.Bytes
		limit  time.Duration
		want   error
		text   string
	}{
		{"endless loop", map[string]string{
			"templates/x.yaml": `{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}`,
		}, 0, 300 * time.Millisecond, charts.ErrRenderTime, "rendering has not come to an end after 300ms"},
		{"memory", map[string]string{
			"templates/x.yaml": `{{ $s := repeat 1000 "` + strings.Repeat("x", 100) + `" }}{{ $l := list }}` +
				`{{ range until 1000000 }}{{ $l = append $l (repeat 1000 $s) }}{{ end }}`,
		}, 256 << 20, 10 * time.Minute, ErrMemory, ""},
		{"mutual include", map[string]string{
			"templates/_h.tpl": `{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}`,
			"templates/x.yaml": `{{ include "a" . }}`,
		}, 0, 10 * time.Minute, nil, "nested reference name"},
		{"mutual template", map[string]string{
			"templates/_h.tpl": `{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}`,
			"templates/x.yaml": `{{ template "a" . }}`,
		}, 0, 10 * time.Minute, nil, "exceeded maximum template depth"},
		{"tpl of itself", map[string]string{
			"values.yaml": "x: '{{ tpl .Values.x . }}'\n", "templates/x.yaml": `{{ tpl .Values.x . }}`,
		}, 0, 10 * time.Minute, ErrRecursion, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pool, err := New(Options{Workers: 1, Memory: test.memory})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			_, err = pool.Discover(t.Context(), pack(t, test.files), charts.DiscoverOptions{Renderings: []charts.Rendering{{TimeLimit: test.limit}}})
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("got %v, want %v %s", err, test.want, test.text)
			}
			if !strings.Contains(err.Error(), "app 1.0.0") {
				t.Errorf("%v does not name the chart", err)
			}
			discovery, err := pool.Discover(t.Context(), pack(t, map[string]string{"templates/x.yaml": pod}), charts.DiscoverOptions{})
			if err != nil || len(discovery.Images) != 1 {
				t.Errorf("the next chart: got %+v, %v", discovery, err)
			}
		})
	}
}

func TestKilledWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := pool.Discover(ctx,
		pack(t, map[string]string{"templates/x.yaml": `{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}`}),
		charts.DiscoverOptions{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 2)
	archive := pack(t, map[string]string{"templates/x.yaml": pod})
	done := make(chan error)
	for range 20 {
		go func() {
			discovery, err := pool.Discover(t.Context(), archive, charts.DiscoverOptions{})
			if err == nil && len(discovery.Images) != 1 {
				err = errors.New("image not found")
			}
			done <- err
		}()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestWorkerIsBare holds that templates see no environment and that a worker
// has none.
func TestWorkerIsBare(t *testing.T) {
	t.Setenv("ISLAND_SECRET", "seen")
	pool := newPool(t, 1)
	files := map[string]string{"templates/x.yaml": strings.Replace(pod, "quay.io/island/app:1",
		`{{ getHostByName "localhost" }}quay.io/island/app:1{{ .Files.Get "/etc/hostname" }}{{ .Files.Get "../../etc/hostname" }}`, 1)}
	discovery, err := pool.Discover(t.Context(), pack(t, files), charts.DiscoverOptions{})
	if err != nil || len(discovery.Images) != 1 || discovery.Images[0].Image != "quay.io/island/app:1" {
		t.Fatalf("got %+v, %v", discovery, err)
	}
	w := <-pool.slots
	defer func() { pool.slots <- w }()
	environment, err := os.ReadFile(filepath.Join("/proc", itoa(w.process.Process.Pid), "environ"))
	if err != nil {
		t.Skip("no /proc")
	}
	if len(environment) != 0 {
		t.Errorf("worker has the environment %q", environment)
	}
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }

func FuzzReceive(f *testing.F) {
	var good bytes.Buffer
	if err := send(&good, answer{Plain: "no"}, maxAnswer); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{', '}'})
	f.Add([]byte{0, 0, 0, 9, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		var said answer
		if receiveAnswer(bytes.NewReader(data), &said) == nil {
			_ = said.err()
		}
	})
}

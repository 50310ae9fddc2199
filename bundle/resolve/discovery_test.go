package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
)

// assembled returns a release made of a document and the files of its charts.
func assembled(t *testing.T, release string, files map[string]string) *resolve.Assembled {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	document := "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\n" +
		"platforms: [linux/amd64]\n" + release
	if err := os.WriteFile(filepath.Join(folder, "release.yaml"), []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := resolve.Assemble(resolve.Input{File: filepath.Join(folder, "release.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// unreachable is a world without a registry.
type unreachable struct {
	*source.Upstream
	err error
}

func (u unreachable) Manifest(context.Context, manifests.ImageRef) (source.Manifest, error) {
	return source.Manifest{}, u.err
}

func newWorld(t *testing.T, err error) resolve.World {
	t.Helper()
	world, openErr := source.New(source.Options{CacheDir: t.TempDir()})
	if openErr != nil {
		t.Fatal(openErr)
	}
	t.Cleanup(func() { world.Close() })
	return unreachable{world, err}
}

// TestFindsThatAreNotLookedUp: what was found is told though no registry can be
// asked. Nothing is resolved then.
func TestFindsThatAreNotLookedUp(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	for name, test := range map[string]struct{ world, want error }{
		"a registry that does not answer": {refused, refused},
		"offline":                         {fmt.Errorf("not in the cache: %w", source.ErrOffline), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := assembled(t, "charts: [{name: app, version: 1.0.0, path: app}]\n", map[string]string{
				"app/Chart.yaml":       "apiVersion: v2\nname: app\nversion: 1.0.0\n",
				"app/templates/x.yaml": "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}\nspec: {serverImage: \"quay.io/wire/w:1\"}\n",
			})
			found, err := resolve.Find(t.Context(), a, newWorld(t, test.world), resolve.Options{})
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if len(found.Decision.Included) != 1 || !found.NotLookedUp["quay.io/wire/w:1"] {
				t.Errorf("got %+v, not looked up %v", found.Decision, found.NotLookedUp)
			}
			if _, err := resolve.Resolve(t.Context(), a, newWorld(t, test.world), resolve.Options{}); err == nil {
				t.Error("resolved an image that nobody was asked for")
			}
		})
	}
}

// TestNobodyIsAskedAboutWhatARuleDecides: an image of a registry that only the
// island reaches can be ruled out.
func TestNobodyIsAskedAboutWhatARuleDecides(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule string
		ok   bool
	}{
		"no rule":              {"", false},
		"excluded by name":     {"{image: \"registry.corp.example/*\", action: exclude, reason: built on the island}", true},
		"excluded by place":    {"{where: \"*config.toml*\", action: exclude, reason: built on the island}", true},
		"another one excluded": {"{image: \"registry.other.example/*\", action: exclude, reason: none, optional: true}", false},
		"included":             {"{image: \"registry.corp.example/*\", action: include, reason: needed}", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := assembled(t, "charts: [{name: app, version: 1.0.0, path: app}]\ndiscovery: {rules: ["+test.rule+"]}\n", map[string]string{
				"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
				"app/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  config.toml: |\n" +
					"    [build]\n    image = \"registry.corp.example/ci/runner:4\"\n",
			})
			lock, err := resolve.Resolve(t.Context(), a, newWorld(t, errors.New("no such host")), resolve.Options{})
			if (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
			if test.ok && (len(lock.Images) > 0 || len(lock.LeftOut) != 1) {
				t.Errorf("images %v, left out %v", lock.Images, lock.LeftOut)
			}
		})
	}
}

// TestChartThatCannotBeReadDoesNotHideTheOthers: what other charts hold is told
// beside the error.
func TestChartThatCannotBeReadDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	a := assembled(t, "charts: [{name: app, version: 1.0.0, path: app}, {name: gone, version: 1.0.0, path: gone}]\n"+
		"discovery: {rules: [{image: \"quay.io/gone:*\", action: exclude, reason: of the chart that cannot be read}]}\n", map[string]string{
		"app/Chart.yaml":  "apiVersion: v2\nname: app\nversion: 1.0.0\n",
		"app/values.yaml": "tools: {image: \"quay.io/wire/tools:1\"}\n",
	})
	found, err := resolve.Find(t.Context(), a, newWorld(t, nil), resolve.Options{})
	if err == nil || strings.Contains(err.Error(), "rule matches nothing") || len(found.Decision.Undecided) != 1 {
		t.Errorf("got %v, %+v", err, found.Decision)
	}
}

// TestChartsThatChartsName: a chart that is named for a controller to fetch is
// undecided, unless the release has it or a rule decides.
func TestChartsThatChartsName(t *testing.T) {
	t.Parallel()
	const naming = "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: l}\n" +
		"spec: {repo: \"https://c.example.com\", chart: ldap, version: v1.2}\n"
	files := map[string]string{
		"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n", "app/templates/x.yaml": naming,
		"k0s/Chart.yaml": "apiVersion: v2\nname: k0s\nversion: 1.0.0\n",
		"k0s/templates/x.yaml": "apiVersion: helm.k0sproject.io/v1beta1\nkind: Chart\nmetadata: {name: l}\n" +
			"spec: {chartName: mirror/ldap, version: 1.2.0}\n",
		"ldap/Chart.yaml":  "apiVersion: v2\nname: ldap\nversion: 1.2.0\n",
		"older/Chart.yaml": "apiVersion: v2\nname: ldap\nversion: 1.1.0\n",
	}
	const app, ldap, older = "charts:\n- {name: app, version: 1.0.0, path: app}\n", "- {name: ldap, version: 1.2.0, path: ldap}\n",
		"- {name: ldap, version: 1.1.0, path: older}\n"
	rule := func(action string) string {
		return "discovery: {rules: [{image: \"https://c.example.com/ldap:*\", action: " + action + ", reason: it is so}]}\n"
	}
	for name, test := range map[string]struct {
		release   string
		undecided int
		leftOut   int
		wrong     string
	}{
		"nobody says":        {app, 1, 0, ""},
		"the release has it": {app + ldap, 0, 0, ""},
		"the release has it, named with its repository": {strings.ReplaceAll(app, "app", "k0s") + ldap, 0, 0, ""},
		"the release has another version":               {app + older, 1, 0, ""},
		"another version, and a rule":                   {app + older + rule("include"), 0, 0, ""},
		"a rule says so of a chart that is not":         {app + rule("include"), 0, 0, "the release has no chart ldap"},
		"a rule excludes it":                            {app + rule("exclude"), 0, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lock, err := resolve.Resolve(t.Context(), assembled(t, test.release, files), newWorld(t, nil), resolve.Options{})
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("got %v, want %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(lock.Undecided) != test.undecided || len(lock.LeftOut) != test.leftOut || len(lock.Images) != 0 {
				t.Errorf("undecided %+v, left out %+v, images %+v", lock.Undecided, lock.LeftOut, lock.Images)
			}
		})
	}
}

// TestRenderedAsOneEvent: a release can ask for an installation or an upgrade alone.
func TestRenderedAsOneEvent(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
		"app/templates/x.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n" +
			"spec: {containers: [{name: c, image: \"q/{{ .Release.IsUpgrade }}:1\"}]}\n",
	}
	const app = "charts:\n- {name: app, version: 1.0.0, path: app"
	for release, want := range map[string]string{
		app + "}\n":              "q/false:1 [], q/true:1 [upgrade]",
		app + ", as: upgrade}\n": "q/true:1 []",
		app + ", as: install}\n": "q/false:1 []",
		app + ", as: install, renderings: [{name: later, as: upgrade}]}\n": "q/false:1 [default], q/true:1 [later]",
		app + ", renderings: [{name: later, as: upgrade}]}\n":              "q/false:1 [default], q/true:1 [default (upgrade),later]",
	} {
		found, err := resolve.Find(t.Context(), assembled(t, release, files), newWorld(t, nil), resolve.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, find := range found.Decision.Included {
			got = append(got, fmt.Sprintf("%s [%s]", find.Image, find.Rendering))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q, want %q", release, got, want)
		}
	}
}

// TestFindsAreInTheOrderOfTheRelease: charts are looked at side by side, and which of
// them is ready first says nothing about the order in which people read of them.
func TestFindsAreInTheOrderOfTheRelease(t *testing.T) {
	t.Parallel()
	names := []string{"cannon", "brig", "gundeck"}
	release, files := "charts:\n", map[string]string{}
	for _, name := range names {
		release += fmt.Sprintf("- {name: %s, version: 1.0.0, path: %s}\n", name, name)
		files[name+"/Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
		files[name+"/values.yaml"] = "tools: {image: \"quay.io/wire/tools:1\"}\n"
	}
	ordered, world := assembled(t, release, files), newWorld(t, nil)
	for _, ready := range [][]string{names, {"gundeck", "brig", "cannon"}, {"brig", "gundeck", "cannon"}} {
		done := map[string]chan struct{}{}
		for _, name := range names {
			done[name] = make(chan struct{})
		}
		// inTurn lets a chart be ready when those that stand before it in the list are.
		inTurn := func(ctx context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error) {
			chart, err := charts.Load(archive)
			if err != nil {
				return charts.Discovery{}, err
			}
			found, err := chart.Discover(ctx, options)
			if options.LoadOnly { // what a folder's archive is called
				return found, err
			}
			if i := slices.Index(ready, found.Chart.Name); i > 0 {
				<-done[ready[i-1]]
			}
			defer close(done[found.Chart.Name])
			return found, err
		}
		found, err := resolve.Find(t.Context(), ordered, world, resolve.Options{Discover: inTurn, Parallel: len(names)})
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, find := range found.Decision.Undecided {
			order = append(order, find.Origin.Chart)
		}
		if !slices.Equal(order, names) {
			t.Errorf("ready in the order %v, charts are told of in the order %v, not as in the release, %v", ready, order, names)
		}
	}
}

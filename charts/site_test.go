package charts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

// siteChart prints its values and those of its subcharts.
var siteChart = map[string]string{
	"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n" +
		"- {name: sub, version: 1.x, tags: [more]}\n- {name: sub, version: 1.x, alias: twin, condition: twin.enabled}\n",
	"values.yaml": "a: {b: 1, c: [1, 2], d: {e: x}}\ntext: default\ntags: {more: false}\ntwin: {enabled: false}\nnothing: null\n" +
		"sub: {own: 7}\nglobal: {imageRegistry: quay.io}\n",
	"templates/all.yaml":                "kind: A\nvalues: {{ toJson .Values | quote }}\n",
	"charts/sub/Chart.yaml":             "apiVersion: v2\nname: sub\nversion: 1.2.3\n",
	"charts/sub/values.yaml":            "own: 1\nmore: {x: y, z: 0}\n",
	"charts/sub/templates/printed.yaml": "kind: B\nvalues: {{ toJson .Values | quote }}\n",
}

// TestSiteValuesMergeAsWithHelm renders with files and settings here and with helm.
func TestSiteValuesMergeAsWithHelm(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	for name, test := range map[string]struct {
		files []string
		set   []Setting
	}{
		"nothing":               {},
		"an empty file":         {files: []string{""}},
		"comments alone":        {files: []string{"# a: 1\n"}},
		"null":                  {files: []string{"null\n"}},
		"later wins":            {files: []string{"a: {b: 2}\ntext: one\n", "text: two\n"}},
		"other way round":       {files: []string{"text: two\n", "a: {b: 2}\ntext: one\n"}},
		"null takes away":       {files: []string{"a: {d: null}\ntext: null\n"}},
		"null and back":         {files: []string{"a: null\n", "a: {b: 5}\n"}},
		"null below a subchart": {files: []string{"tags: {more: true}\nsub: {more: {x: null}, own: null}\n"}},
		"lists are replaced":    {files: []string{"a: {c: [3]}\n"}},
		"a map for a scalar":    {files: []string{"text: {now: map}\n"}},
		"a scalar for a map":    {files: []string{"a: {d: text}\n"}},
		"anchors":               {files: []string{"base: &b {x: 1, y: 2}\nover: {<<: *b, y: 3}\nlist: [*b, *b]\n"}},
		"byte order mark":       {files: []string{"\ufefftext: marked\n"}},
		"lines of Windows":      {files: []string{"a:\r\n  b: 4\r\ntext: |\r\n  one\r\n  two\r\n"}},
		"duplicate keys":        {files: []string{"text: one\ntext: two\n"}},
		"numbers":               {files: []string{"n: [1, 1.5, 1e3, 0x10, 0o17, 017, 12345678901234567890, 1_000, .5, 5.30]\n"}},
		"truth":                 {files: []string{"t: [yes, on, true, Yes, 'yes', n]\n"}},
		"two documents":         {files: []string{"text: one\n---\ntext: two\n"}},
		"JSON":                  {files: []string{`{"a": {"b": 9}, "text": "json"}`}},
		"a tag":                 {files: []string{"tags: {more: true}\n"}},
		"a condition":           {files: []string{"twin: {enabled: true, own: 4}\n"}},
		"a registry for all":    {files: []string{"global: {imageRegistry: harbor}\ntags: {more: true}\n"}},
		"set over files":        {files: []string{"a: {b: 2}\n"}, set: []Setting{{Kind: SetValue, Text: "a.b=3,a.c[1]=9,text=x"}}},
		"set takes away":        {set: []Setting{{Kind: SetValue, Text: "a.d=null"}}},
		"kinds in helm's order": {set: []Setting{
			{Kind: SetLiteral, Text: "text=a,b=c"}, {Kind: SetString, Text: "n=5,text=s"},
			{Kind: SetJSON, Text: `a.d={"e": [1]}`}, {Kind: SetValue, Text: "n=6,a.d.e[0]=2"},
		}},
		"escapes": {set: []Setting{{Kind: SetValue, Text: `text=a\,b,a.b\.c=1,l={x,y},e=`}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			file := filepath.Join(folder, "app.tgz")
			if err := os.WriteFile(file, archive(t, siteChart), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"template", "r", file}
			how := Rendering{ReleaseName: "r", Settings: test.set}
			for i, text := range test.files {
				name := filepath.Join(folder, string(rune('a'+i))+".yaml")
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "-f", name)
				how.Values = append(how.Values, ValuesSource{Name: name, Data: []byte(text)})
			}
			for _, s := range test.set {
				args = append(args, string(s.Kind), s.Text)
			}
			want, theirs := exec.Command(helm, args...).Output()
			got, ours := mustLoad(t, siteChart).Render(context.Background(), how)
			switch {
			case (ours == nil) != (theirs == nil):
				t.Errorf("here: %v; helm template: %v", ours, theirs)
			case ours == nil && strings.TrimSpace(got.Text()) != strings.TrimSpace(string(want)):
				t.Errorf("got\n%s\nwant, as helm template renders it,\n%s", got.Text(), want)
			}
		})
	}
}

// TestSiteIsToldKeysAndSwitches looks at what is told of the keys of a chart.
func TestSiteIsToldKeysAndSwitches(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{
		"Chart.yaml":             siteChart["Chart.yaml"],
		"values.yaml":            "image: quay.io/example/app:1\nparts: {registry: quay.io, repository: example/other, tag: 2}\n",
		"values.schema.json":     `{"properties": {"ofSchema": {}}}`,
		"charts/sub/Chart.yaml":  siteChart["charts/sub/Chart.yaml"],
		"charts/sub/values.yaml": "image: quay.io/example/sub:3\n",
		"templates/a.yaml": "kind: Pod\nspec: {containers: [{image: {{ .Values.image }} }, " +
			"{image: {{ .Values.parts.registry }}/{{ .Values.parts.repository }}:{{ .Values.parts.tag }} }]}\n" +
			"{{ if .Values.asked }}{{ index .Values \"with-dash\" }}{{ end }}",
		"charts/sub/templates/b.yaml": "kind: Pod\nspec: {containers: [{image: {{ .Values.image }} }]}\n",
	})
	found, err := chart.Discover(context.Background(), DiscoverOptions{ForSite: true, Renderings: []Rendering{{
		Values: []ValuesSource{{Name: "site.yaml", Data: []byte("tags: {more: true}\nmistyped: 1\n")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	site := found.Site
	for _, key := range []string{"image", "parts", "ofSchema", "asked", "with-dash", "sub", "twin", "tags", "global"} {
		if !slices.Contains(site.Keys, key) {
			t.Errorf("%s is no key: %q", key, site.Keys)
		}
	}
	if slices.Contains(site.Keys, "mistyped") || site.AnyKey {
		t.Errorf("keys %q, any %t", site.Keys, site.AnyKey)
	}
	for image, path := range map[string]string{
		"quay.io/example/app:1": "image", "quay.io/example/other:2": "parts", "quay.io/example/sub:3": "sub.image",
	} {
		if !slices.Contains(site.Held[image], path) {
			t.Errorf("%s is made of %q, want %s", image, site.Held[image], path)
		}
	}
	if len(site.On) != 2 || site.On[0].Subchart != "sub" || site.On[0].On[0] != "tags.more=true" {
		t.Errorf("on: %+v", site.On)
	}
}

// TestImagesOfValuesAreLookedUp: eight times as many values and images take about eight
// times as much. Not in parallel with other tests: it measures the whole program.
func TestImagesOfValuesAreLookedUp(t *testing.T) {
	allocated := func(n int) float64 {
		var values strings.Builder
		l := &looker{result: &Discovery{}}
		for i := range n {
			fmt.Fprintf(&values, "part%d: {image: \"quay.io/zeta/part%d:1\"}\n", i, i)
			l.result.Images = append(l.result.Images, ImageFind{Image: fmt.Sprintf("quay.io/zeta/part%d:1", i)})
		}
		chart := mustLoad(t, map[string]string{"values.yaml": values.String()})
		return testing.AllocsPerRun(1, func() {
			site, err := chart.insight([]Rendering{{}, {Name: "other"}}, l)
			if err != nil || len(site.Held) != n {
				t.Fatalf("%d of %d images are made of values: %v", len(site.Held), n, err)
			}
			for image, paths := range site.Held {
				if len(paths) != 1 || !strings.HasPrefix(image, "quay.io/zeta/"+strings.TrimSuffix(paths[0], ".image")+":") {
					t.Errorf("%s is made of %q", image, paths)
				}
			}
		})
	}
	if few, many := allocated(50), allocated(400); many > 12*few {
		t.Errorf("50 values and images take %.0f allocations, 400 take %.0f", few, many)
	}
}

// TestWhatSwitchedASubchartOn tells the values that did it, and none that only could have.
func TestWhatSwitchedASubchartOn(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n" +
			"- {name: sub, version: 1.x, alias: one, condition: \"one.enabled,global.ones\", tags: [ones, more]}\n" +
			"- {name: outer, version: 1.x, condition: outer.enabled}\n",
		"values.yaml":                 "tags: {ones: false, more: false}\n",
		"templates/a.yaml":            "kind: A\n",
		"charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\nversion: 1.2.3\n",
		"charts/sub/templates/a.yaml": "kind: B\n",
		"charts/outer/Chart.yaml": "apiVersion: v2\nname: outer\nversion: 1.0.0\n" +
			"dependencies: [{name: inner, version: 1.x, condition: global.inner}]\n",
		"charts/outer/templates/a.yaml":              "kind: C\n",
		"charts/outer/charts/inner/Chart.yaml":       "apiVersion: v2\nname: inner\nversion: 1.0.0\n",
		"charts/outer/charts/inner/templates/a.yaml": "kind: D\n",
	})
	for values, want := range map[string]string{
		"tags: {more: true}": "one: tags.more=true", "tags: {more: true, ones: true}": "one: tags.ones=true tags.more=true",
		"one: {enabled: true}\ntags: {more: true}":      "one: one.enabled=true",
		"one: {enabled: text}\ntags: {more: true}":      "one: tags.more=true",
		"global: {ones: true}\ntags: {more: true}":      "one: global.ones=true",
		"one: {enabled: false}\nglobal: {ones: true}":   "",
		"outer: {enabled: true}\nglobal: {inner: true}": "outer: outer.enabled=true outer/inner: global.inner=true",
	} {
		found, err := chart.Discover(context.Background(), DiscoverOptions{ForSite: true, Renderings: []Rendering{{
			Values: []ValuesSource{{Name: "site.yaml", Data: []byte(values)}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		told := []string{}
		for _, on := range found.Site.On {
			if on.Subchart == "one" || strings.Contains(values, "outer") {
				told = append(told, on.Subchart+": "+strings.Join(on.On, " "))
			}
		}
		if got := strings.Join(told, " "); got != want {
			t.Errorf("%q: on by %q, want %q", values, got, want)
		}
	}
}

// TestSecretsAreNotRepeated lets charts say what they were given, in all the ways that
// there are, and looks for it in what is told.
func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery"
	for name, template := range map[string]string{
		"fail":          `{{ fail (printf "password %s is weak" .Values.password) }}`,
		"fail, quoted":  `{{ fail (printf "password %q is weak" .Values.password) }}`,
		"a conversion":  `{{ .Values.password | fromYaml | toJson | fail }}`,
		"a function":    `{{ mustRegexMatch .Values.pattern "x" }}`,
		"encoded":       `{{ fail (b64enc .Values.password) }}`,
		"one line of a": `{{ fail (index (splitList "\n" .Values.key) 1) }}`,
		"in a list":     `{{ fail (index .Values.list 0).inner }}`,
		"no manifest":   "kind: Secret\ndata: [\n  {{ .Values.password }}: x: y\n",
		"no image":      "kind: Pod\nspec: {containers: [{name: a, image: \"{{ .Values.password }}\"}]}\n",
		"short":         `{{ fail (printf "pin %s" .Values.pin) }}`,
		"a number":      `{{ fail (printf "number %v" .Values.number) }}`,
		"escaped":       `{{ fail (printf "%q" .Values.odd) }}`,
		"in JSON":       `{{ fail (toJson .Values.odd) }}`,
		"in raw JSON":   `{{ fail (toRawJson .Values.odd) }}`,
		"in a URL":      `{{ fail (urlquery .Values.odd) }}`,
		"in a login":    `{{ fail (b64enc (printf "admin:%s@host" .Values.password)) }}`,
		"short, twice":  `{{ fail (printf "pins %s %s,%s" .Values.pin .Values.pin .Values.pin) }}`,
		"short, longer": `{{ fail (printf "pins %s" .Values.pins) }}`,
		"a whole":       `{{ fail (printf "code %d" (int .Values.code)) }}`,
		"a whole, JSON": `{{ fail (toJson .Values.code) }}`,
		"a whole, YAML": `{{ fail (toYaml .Values.code) }}`,
		"whole part":    `{{ fail (printf "rate %d" (int .Values.rate)) }}`,
		"read as one":   `{{ fail (printf "code %v" (float64 .Values.digits)) }}`,
		"in YAML":       `{{ fail (toYaml .Values.phrase) }}`,
		"in HTML":       `{{ fail (html .Values.phrase) }}`,
		"in JavaScript": `{{ fail (js .Values.phrase) }}`,
		"in a notice":   job("{{ if .Release.IsUpgrade }}{{ mustRegexMatch .Values.columns \"x\" }}", "quay.io/app/convert:2"),
	} {
		values := "password: " + secret + "\npattern: '" + secret + "('\nkey: \"BEGIN\\n" + secret + "\\nEND\"\nlist: [{inner: " + secret +
			"}]\npin: x7q\npins: x7q z9\nnumber: 84721\nodd: 'wh\"at<>\\e v&er'\ncode: 52345678\nrate: 7654321.25\ndigits: '62345678'\n" +
			"phrase: \"it's: <open>\"\ncolumns: \"left(\\tright\"\n"
		told, rendered := toldTheSite(t, map[string]string{
			"templates/a.yaml": template, "values.schema.json": `{"properties": {"checked": {"pattern": "^[0-9]*$"}}}`,
		}, Rendering{Values: []ValuesSource{{Name: "site.yaml", Data: []byte(values)}}})
		if rendered != (name == "in a notice") || told == "" {
			t.Errorf("%s: rendered %t, and told is %q", name, rendered, told)
		}
		for _, leak := range []string{
			"horse", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5", "x7q", "84721", "wh\\\"at", "wh\"at", "wh%22at", "dCBob3JzZS",
			"z9", "52345678", "5.2345678", "7654321", "6.2345678", "open", "left",
		} {
			if strings.Contains(told, leak) {
				t.Errorf("%s: %q stands in %q", name, leak, told)
			}
		}
	}
}

// TestSchemasRepeatNoSecrets has a chart's schema refuse what a site gave.
func TestSchemasRepeatNoSecrets(t *testing.T) {
	t.Parallel()
	for schema, secrets := range map[string][]string{
		`{"maximum": 5}`:    {"123456", "12345678", "12345678901234567"},
		`{"minimum": 1e30}`: {"123456", "-12345678"}, `{"multipleOf": 7}`: {"123456", "12345678"},
		`{"pattern": "^$"}`: {"correct horse battery", "'o''brien\"s\\road'", `"o'brien's\nsecond \"line's\""`},
	} {
		for _, secret := range secrets {
			for name, how := range map[string]Rendering{
				"file": {Values: []ValuesSource{{Name: "site.yaml", Data: []byte("pin: " + secret + "\n")}}},
				"set":  {Settings: []Setting{{Kind: SetValue, Text: "pin=" + secret}}},
			} {
				told, rendered := toldTheSite(t, map[string]string{
					"templates/a.yaml": "kind: A\n", "values.schema.json": `{"properties": {"pin": ` + schema + `}}`,
				}, how)
				if rendered {
					t.Errorf("%s of %s, from a %s, is taken", secret, schema, name)
				}
				for _, leak := range []string{"123", "1,23", "1.23", "234", "678", "horse", "brien", "road", "line"} {
					if strings.Contains(told, leak) {
						t.Errorf("%s of %s, from a %s: %q stands in %q", secret, schema, name, leak, told)
					}
				}
			}
		}
	}
}

// toldTheSite returns all that is told of a site's values, and whether they render.
func toldTheSite(t *testing.T, files map[string]string, how Rendering) (told string, rendered bool) {
	t.Helper()
	files["Chart.yaml"] = "apiVersion: v2\nname: app\nversion: 1.0.0\n"
	found, err := mustLoad(t, files).Discover(context.Background(), DiscoverOptions{ForSite: true, Renderings: []Rendering{how}})
	told = strings.Join(found.Notices, "\n")
	if err != nil {
		told += err.Error()
	}
	for _, flaw := range fault.All(err) {
		told += flaw.Hint + flaw.Object + flaw.Place.String()
		if render := (*RenderError)(nil); errors.As(flaw, &render) {
			told += render.Message + render.IncludedFrom
		}
	}
	return told, err == nil
}

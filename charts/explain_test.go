package charts

import (
	"errors"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

// renderFaults are charts that do not render, with what is to be said of each.
var renderFaults = []struct {
	name  string
	files map[string]string
	want  RenderError
	hint  string
}{
	{"required", map[string]string{
		"values.yaml":      "config: {}\n",
		"templates/x.yaml": "a: 1\nb: {{ required \"the host is missing\" .Values.config.host }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 2, Column: 7, ValuePath: "config.host", Message: "the host is missing"},
		"set config.host in a values or secrets file of chart app"},
	{"required, piped", map[string]string{
		"templates/x.yaml": "b: {{ .Values.config | quote }}{{ .Values.password | required \"no password\" }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 54, ValuePath: "password", Message: "no password"},
		"set password in a values or secrets file of chart app"},
	{"required in a helper", map[string]string{
		"templates/_h.tpl":  "{{ define \"h\" }}\n{{- required \"a zone, please\" .Values.zone -}}\n{{ end }}",
		"templates/x.yaml":  "b:\n  c: {{ include \"h\" . }}\n",
		"templates/aa.yaml": "c: a zone, please\n",
	}, RenderError{Template: "app/templates/_h.tpl", Line: 2, IncludedFrom: "app/templates/x.yaml:2", ValuePath: "zone",
		Message: "a zone, please"},
		"set zone in a values or secrets file of chart app"},
	{"required in a subchart", map[string]string{
		"charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/templates/x.yaml": "b: {{ required \"give .Values.key\" .Values.key }}\n",
	}, RenderError{Template: "app/charts/sub/templates/x.yaml", Line: 1, Column: 7, ValuePath: "sub.key", Message: "give .Values.key"},
		"set sub.key in a values or secrets file of chart app"},
	{"nil pointer", map[string]string{
		"templates/x.yaml": "\n\nb: {{ .Values.foo.bar }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 3, Column: 14, ValuePath: "foo.bar",
		Message: "nil pointer evaluating interface {}.bar"},
		"set foo.bar in a values or secrets file of chart app"},
	{"nil pointer, long path", map[string]string{
		"templates/x.yaml": "b: {{ .Values.other }} {{ $.Values.federation.config.remotes.certificate.name }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 28, ValuePath: "federation.config.remotes.certificate.name",
		Message: "nil pointer evaluating interface {}.config"},
		"set federation.config.remotes.certificate.name in a values or secrets file of chart app"},
	{"nil pointer in a helper of a subchart", map[string]string{
		"charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/templates/_h.tpl": "{{ define \"h\" }}{{ .Values.global.registry.host }}{{ end }}",
		"charts/sub/templates/x.yaml": "b: {{ include \"h\" . }}\n",
	}, RenderError{Template: "app/charts/sub/templates/_h.tpl", Line: 1, Column: 27, IncludedFrom: "app/charts/sub/templates/x.yaml:1",
		ValuePath: "global.registry.host", Message: "nil pointer evaluating interface {}.host"},
		"set global.registry.host in a values or secrets file of chart app"},
	{"nil pointer in tpl", map[string]string{
		"values.yaml":      "text: '{{ .Values.missing.part }}'\n",
		"templates/x.yaml": "b: {{ tpl .Values.text . }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 7, ValuePath: "missing.part",
		Message: "nil pointer evaluating interface {}.part"},
		"set missing.part in a values or secrets file of chart app"},
	{"fail", map[string]string{
		"templates/x.yaml": "{{ if not .Values.tls }}{{ fail \"neither certificate nor issuer is set\" }}{{ end }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 28, ValuePath: "tls", Message: "neither certificate nor issuer is set"},
		"set tls in a values or secrets file of chart app"},
	{"fail that names a value", map[string]string{
		"templates/x.yaml": "{{ fail \"set .Values.tls.issuer, please\" }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 4, ValuePath: "tls.issuer", Message: "set .Values.tls.issuer, please"},
		"set tls.issuer in a values or secrets file of chart app"},
	{"parse", map[string]string{
		"templates/x.yaml": "a: b\n{{ if }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 2, Message: "missing value for if"},
		"the template itself is at fault"},
	{"unknown function", map[string]string{
		"templates/x.yaml": "{{ fromTheFuture . }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Message: `function "fromTheFuture" not defined`},
		"the template itself is at fault"},
	{"bad YAML", map[string]string{
		"templates/x.yaml": "{{/* a comment of the template */}}\na: b\n---\n\nc: d\ne: [f\ng: h\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 6, Rendered: true,
		Message: "the rendered text is no Kubernetes object in YAML: did not find expected ',' or ']'"},
		"the line is one of the rendered text"},
	{"YAML that is no object", map[string]string{
		"templates/x.yaml": "a: b\n---\n- c\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 3, Rendered: true,
		Message: "the rendered text is no Kubernetes object in YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
			"array into Go value of type releaseutil.SimpleHead"},
		"the line is one of the rendered text"},
	{"missing dependency", map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies: [{name: gone, version: 1.0.0}, {name: lost, version: 1.0.0}]\n",
	}, RenderError{Template: "app/Chart.yaml", Message: "declared in Chart.yaml and not in charts/: gone, lost"},
		"run helm dependency build"},
	{"kubeVersion", map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\nkubeVersion: <1.20.0\n",
	}, RenderError{Message: "chart wants Kubernetes <1.20.0 and is rendered for v1.37.0"},
		"say which Kubernetes the site runs"},
	{"schema", map[string]string{
		"values.yaml":        "config: {replicas: many}\n",
		"values.schema.json": `{"properties": {"config": {"properties": {"replicas": {"type": "integer"}}}}}`,
	}, RenderError{Template: "app/values.schema.json", ValuePath: "config.replicas",
		Message: "value is not what the chart's schema allows: got string, want integer"},
		"correct config.replicas in a values file of chart app"},
	{"schema of a subchart", map[string]string{
		"charts/sub/Chart.yaml":         "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/values.schema.json": `{"required": ["host"]}`,
	}, RenderError{Template: "app/charts/sub/values.schema.json", ValuePath: "sub",
		Message: "value is not what the chart's schema allows: missing property 'host'"},
		"correct sub in a values file of chart app"},
	{"schema that reads files", map[string]string{
		"values.schema.json": `{"$ref": "file:///etc/hostname"}`,
	}, RenderError{Template: "app/values.schema.json", Message: `failing loading "file:///etc/hostname": a schema may not refer to files`},
		"the chart's own schema is broken"},
	{"value of the wrong kind for a subchart", map[string]string{
		"values.yaml":           "sub: on\n",
		"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
	}, RenderError{Message: "type mismatch on sub: true"},
		"give chart app the values"},
	{"endless recursion", map[string]string{
		"templates/x.yaml": "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 20,
		Message: "error calling include: rendering template has a nested reference name: r: unable to execute template"},
		"a template of this chart includes itself without end"},
	{"a template of a missing dependency", map[string]string{
		"templates/x.yaml": "a: {{ include \"common.names\" . }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 7,
		Message: "error calling include: template: no template \"common.names\" associated with template \"gotpl\""},
		"a dependency that is not in the archive defines it"},
	{"a mistake in a template", map[string]string{
		"values.yaml":      "a: {b: 1}\n",
		"templates/x.yaml": "{{ if (.Values.a.b) 1 }}{{ end }}\n",
	}, RenderError{Template: "app/templates/x.yaml", Line: 1, Column: 7, Message: "can't give argument to non-function .Values.a.b"},
		"the template itself is at fault"},
}

func TestRenderFaults(t *testing.T) {
	t.Parallel()
	for _, test := range renderFaults {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rendered, err := mustLoad(t, test.files).Render(t.Context(), Rendering{})
			if err == nil {
				t.Fatalf("it renders: %+v", rendered)
			}
			got := (*RenderError)(nil)
			if !errors.As(err, &got) {
				t.Fatalf("%v holds no RenderError", err)
			}
			test.want.Chart = "app"
			if *got != test.want {
				t.Errorf("got  %+v\nwant %+v\nsaid %v", *got, test.want, err)
			}
			explained := fault.All(err)
			if len(explained) != 1 || !strings.HasPrefix(explained[0].Hint, test.hint) || explained[0].Object != "chart app 1.0.0" {
				t.Fatalf("explained as %+v, want hint %s", explained, test.hint)
			}
			if place := explained[0].Place; got.Line > 0 && (place.File != got.Template || place.Line != got.Line || place.Field != got.ValuePath) {
				t.Errorf("place is %v", place)
			}
		})
	}
}

func TestRenderFaultReadsWell(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"templates/x.yaml": "b: {{ .Values.foo.bar }}"})
	_, err := c.Render(t.Context(), Rendering{})
	want := "app/templates/x.yaml:1:14: foo.bar: chart app 1.0.0: nil pointer evaluating interface {}.bar"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("execution error at (app/templates/x.yaml:12:34): message", "{{ required \"message\" .Values.a }}")
	f.Add(`template: app/templates/x.yaml:1:3: executing "app/templates/x.yaml" at <.Values.foo.bar>: nil pointer evaluating interface {}.bar`,
		"")
	f.Add("parse error at (app/templates/x.yaml:2): missing", "{{")
	f.Fuzz(func(t *testing.T, message, source string) {
		e := explainer{sources: map[string]string{"app/templates/x.yaml": source}}
		e.read(message)
		if e.side == "" || e.cause.Line < 0 || e.cause.Column < 0 {
			t.Fatalf("%q was read as %+v", message, e.cause)
		}
	})
}

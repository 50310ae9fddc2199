package charts

import (
	"errors"
	"slices"
	"testing"
)

func TestValuesThatTheDotMeans(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, template, value string }{
		{"required inside with", `{{ with .Values.config }}{{ required "Missing value: sesQueue" .aws.sesQueue }}{{ end }}`,
			"config.aws.sesQueue"},
		{"required inside with inside with", `{{ with .Values.config }}{{ with .aws }}{{ required "no queue" .queue }}{{ end }}{{ end }}`,
			"config.aws.queue"},
		{"nil inside with", `{{ with .Values.config }}{{ .tls.ca.name }}{{ end }}`, "config.tls.ca.name"},
		{"a function at the end of a pipeline", `{{ with .Values.config }}{{ .key | b64enc }}{{ end }}`, "config.key"},
		{"fail in the else of an if",
			`{{ if .Values.cert }}{{ else if .Values.issuer }}{{ else }}{{ fail "neither certificate nor issuer" }}{{ end }}`, "issuer"},
		{"a name in the message", `{{ include "check" . }}{{/* .Values.dns.name */}}`, "dns.name"},
		{"the top inside of a range", `{{ range list 1 }}{{ required "no such thing" $.Values.x }}{{ end }}`, "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chart := mustLoad(t, map[string]string{
				"values.yaml":      "config: {aws: {a: 1}, b: 1}\n",
				"templates/_h.tpl": `{{ define "check" }}{{ fail (printf "dns.name is missing %d" 1) }}{{ end }}`,
				"templates/x.yaml": test.template,
			})
			_, err := chart.Render(t.Context(), Rendering{})
			if cause := (*RenderError)(nil); !errors.As(err, &cause) || cause.ValuePath != test.value {
				t.Errorf("got %v, want the value %s", err, test.value)
			}
		})
	}
}

func TestConditionValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		source string
		want   []string
	}{
		{`{{ if not .Values.a }}`, []string{"a"}},
		{`{{- if and (not .Values.a) (not .Values.b) -}}`, []string{"a", "b"}},
		{`{{ if .Values.a }}x{{ else }}`, []string{"a"}},
		{`{{ if .Values.a }}x{{ else if and .Values.b .Values.c }}y{{- else -}}`, []string{"b", "c"}},
		{`{{ if not .Values.a }}x{{ end }}`, nil},
		{`{{ if .Values.a }}`, nil},
		{`{{ with .Values.a }}{{ if empty .b }}`, []string{"a.b"}},
		{`{{ end }}{{ end }}{{ else }}{{ if not .Values.a }}`, []string{"a"}},
	}
	for _, test := range tests {
		if got := conditionValues(test.source); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.source, got, test.want)
		}
	}
}

func FuzzConditionValues(f *testing.F) {
	f.Add(`{{ if not .Values.a }}{{ else }}{{ end }}`)
	f.Add(`{{ with .Values.a }}{{ range .b }}{{ else if`)
	f.Fuzz(func(_ *testing.T, source string) { conditionValues(source) })
}

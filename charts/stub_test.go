package charts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestStubRequired(t *testing.T) {
	t.Parallel()
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: \"x:1\"}]}\n"
	tests := []struct {
		name, template string
		files          map[string]string
		want           []string
	}{
		{"required", `{{ required "set it" .Values.secret }}`, nil, []string{"secret=placeholder"}},
		{"required below nothing", `{{ required "set it" .Values.a.b.c }}`, nil, []string{"a.b.c=placeholder"}},
		{"nil pointer", `{{ .Values.a.b.c }}`, nil, []string{"a.b.c=placeholder"}},
		{"empty in the chart's values", `{{ required "set it" .Values.empty }}`, map[string]string{"values.yaml": "empty: \"\"\n"},
			[]string{"empty=placeholder"}},
		{"fail", `{{ if not .Values.tls.issuer }}{{ fail "neither certificate nor issuer is set" }}{{ end }}`, nil,
			[]string{"tls.issuer=placeholder"}},
		{"schema", `{{ .Values.port }}`,
			map[string]string{"values.schema.json": `{
				"required": ["port", "mode"],
				"properties": {"port": {"type": "integer"}, "mode": {"enum": ["fast", "slow"]}}
			}`}, []string{"port=1", "mode=fast"}},
		{"list", `{{ range required "hosts" .Values.hosts }}{{ . }}{{ end }}`, nil, []string{"hosts=[placeholder]"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"templates/x.yaml": "# " + strings.ReplaceAll(test.template, "\n", " ") + "\n" + pod}
			for name, content := range test.files {
				files[name] = content
			}
			rendered, err := mustLoad(t, files).Render(t.Context(), Rendering{StubRequired: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, stub := range rendered.Stubbed {
				got = append(got, fmt.Sprintf("%s=%v", stub.Path, stub.Value))
				if stub.Why == "" {
					t.Errorf("%s: nothing says why", stub.Path)
				}
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestStubsKeepWhatWasGiven holds that a value that was given, and is wrong, is
// still an error, and so is a template that no value can help.
func TestStubsKeepWhatWasGiven(t *testing.T) {
	t.Parallel()
	for _, template := range []string{
		`{{ if ne .Values.mode "fast" }}{{ fail "mode has to be fast, see .Values.mode" }}{{ end }}`,
		`{{ range .Values.mode }}{{ .x }}{{ end }}`,
		`{{ fail "not on this Helm" }}`,
	} {
		chart := mustLoad(t, map[string]string{"templates/x.yaml": template})
		_, err := chart.Render(t.Context(), Rendering{StubRequired: true, Set: map[string]any{"mode": "slow"}})
		if cause := (*RenderError)(nil); !errors.As(err, &cause) {
			t.Errorf("%s: got %v, want a RenderError", template, err)
		}
	}
}

func TestStubsAreBounded(t *testing.T) {
	t.Parallel()
	var template strings.Builder
	for i := range MaxStubs + 1 {
		fmt.Fprintf(&template, "{{ required \"r%d\" .Values.v%d }}\n", i, i)
	}
	_, err := mustLoad(t, map[string]string{"templates/x.yaml": template.String()}).Render(t.Context(), Rendering{StubRequired: true})
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want %v", err, ErrTooLarge)
	}
}

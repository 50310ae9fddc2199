package charts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// job is a template that starts one image under a condition.
func job(condition, image string) string {
	return fmt.Sprintf(`%s
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec: {template: {spec: {containers: [{name: c, image: %q}]}}}
{{- end }}
`, condition, image)
}

// TestUpgradesAreRendered: an installation and an upgrade are two renderings, and
// what either needs is found, with a word on what only an upgrade needs.
func TestUpgradesAreRendered(t *testing.T) {
	t.Parallel()
	const migrate = "quay.io/app/migrate:1"
	one := func(text string) map[string]string { return map[string]string{"templates/j.yaml": text} }
	tests := []struct {
		name  string
		files map[string]string
		as    Event
		want  []string // images, with the rendering behind a space
	}{
		{"upgrade", one(job("{{ if .Release.IsUpgrade }}", migrate)), "", []string{migrate + " upgrade"}},
		{"no installation", one(job("{{ if not $.Release.IsInstall }}", migrate)), "", []string{migrate + " upgrade"}},
		{"installation", one(job("{{ if .Release.IsInstall }}", migrate)), "", []string{migrate + " "}},
		{"with", one(job("{{ with .Release }}{{ if .IsUpgrade }}", migrate) + "{{ end }}"), "",
			[]string{migrate + " upgrade"}},
		{"by index", one(job(`{{ $r := .Release }}{{ if index $r "IsUpgrade" }}`, migrate)), "",
			[]string{migrate + " upgrade"}},
		{"a later revision", one(job("{{ if gt (int .Release.Revision) 1 }}", migrate)), "",
			[]string{migrate + " upgrade"}},
		{"the release as text", one(job(`{{ if contains "IsUpgrade: true" (toYaml .Release) }}`, migrate)), "",
			[]string{migrate + " upgrade"}},
		{"a helper", map[string]string{
			"templates/_h.tpl": `{{ define "later" }}{{ if .root.Release.IsUpgrade }}yes{{ end }}{{ end }}`,
			"templates/j.yaml": job(`{{ if eq "yes" (include "later" (dict "root" $)) }}`, migrate)}, "", []string{migrate + " upgrade"}},
		{"a value", map[string]string{
			"values.yaml":      `tool: '{{ if .Release.IsUpgrade }}quay.io/app/new:1{{ else }}quay.io/app/old:1{{ end }}'` + "\n",
			"templates/j.yaml": fmt.Sprintf(deployment, "{{ tpl .Values.tool . }}")}, "",
			[]string{"quay.io/app/old:1 ", "quay.io/app/new:1 upgrade"}},
		{"a file", map[string]string{
			"files/job.yaml":   job("{{ if .Release.IsUpgrade }}", migrate),
			"templates/j.yaml": `{{ tpl (.Files.Get "files/job.yaml") . }}`}, "", []string{migrate + " upgrade"}},
		{"a subchart", map[string]string{
			"charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
			"charts/sub/templates/j.yaml": job("{{ if .Release.IsUpgrade }}", migrate)}, "", []string{migrate + " upgrade"}},
		{"both", map[string]string{"templates/d.yaml": fmt.Sprintf(deployment, "quay.io/app/app:1") + "---\n" +
			strings.Replace(job("{{ if .Release.Revision }}", migrate), "name: job", "name: job-{{ .Release.Revision }}", 1)}, "",
			[]string{"quay.io/app/app:1 ", migrate + " "}},
		{"passwords", map[string]string{
			"templates/s.yaml": `{{ if .Release.IsUpgrade }}{{ fail "tell the password" }}{{ printf "now" | fail }}
kind: Secret
stringData: {password: {{ required "no password" .Values.password }}}
{{ end }}`,
			"templates/j.yaml": job("{{ if .Release.IsUpgrade }}", migrate)}, "", []string{migrate + " upgrade"}},
		{"an installation alone", one(job("{{ if .Release.IsUpgrade }}", migrate)), AsInstall, nil},
		{"an upgrade alone", one(job("{{ if .Release.IsUpgrade }}", migrate)), AsUpgrade, []string{migrate + " "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			found, err := mustLoad(t, test.files).Discover(t.Context(), DiscoverOptions{Renderings: []Rendering{{As: test.as}}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, find := range found.Images {
				if find.Class != Candidate {
					got = append(got, find.Image+" "+find.Rendering)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestUpgradeOfANamedRendering: what only the upgrade of one rendering needs says
// so.
func TestUpgradeOfANamedRendering(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{"templates/j.yaml": job("{{ if and .Release.IsUpgrade .Values.old }}", "quay.io/app/convert:2")})
	found, err := chart.Discover(t.Context(), DiscoverOptions{Renderings: []Rendering{
		{Name: "default"}, {Name: "from-4", Set: map[string]any{"old": true}},
	}})
	if err != nil || len(found.Images) != 1 || found.Images[0].Rendering != "from-4 (upgrade)" {
		t.Errorf("got %+v, %v", found.Images, err)
	}
}

// TestFailedUpgradeIsTold: a chart that renders as an installation alone is told of.
func TestFailedUpgradeIsTold(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{"templates/j.yaml": job("{{ if .Release.IsUpgrade }}{{ .Values.a.b.c }}", "quay.io/app/convert:2")})
	found, err := chart.Discover(t.Context(), DiscoverOptions{})
	if err != nil || len(found.Notices) != 1 || !strings.Contains(found.Notices[0], "as an upgrade it does not render") {
		t.Errorf("got %q, %v", found.Notices, err)
	}
}

// TestWhoCanTellAnUpgrade: charts that cannot tell an upgrade are rendered once.
func TestWhoCanTellAnUpgrade(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{{ .Release.Name }} {{ include "x" (dict "Release" .Release) }}{{ define "x" }}{{ .Release.Namespace }}{{ end }}`: false,
		`{{ include "x" (dict "Release" .Release) }}{{ define "x" }}{{ .Release.IsUpgrade }}{{ end }}`:                     true,
		`{{ define "unused" }}{{ if .Release.IsUpgrade }}x{{ end }}{{ end }}`:                                              false,
		`{{ $unused := .Release.IsUpgrade }}`:                                                                              false,
		`{{ range $k, $v := .Release }}{{ end }}`:                                                                          true,
		`{{ get .Release "Name" }}`:                                                                                        false,
		`{{ get .Release "IsUpgrade" | quote }}`:                                                                           true,
		`{{ get .Release .Values.which }}`:                                                                                 true,
		`{{ dig "Release" "IsInstall" false . }}`:                                                                          true,
		`{{ .Values.revision }} # .Release.IsUpgrade`:                                                                      false,
		`{{ $_ := set .Values "later" .Release.IsUpgrade }}{{ if .Values.later }}x{{ end }}`:                               true,
		`{{ $name := printf "%s" "x" }}{{ include $name . }}{{ define "x" }}{{ .Release.Revision }}{{ end }}`:              true,
		`{{ ternary "a" "b" (or .Values.x .Release.IsInstall) }}`:                                                          true,
	} {
		got := asks([]templateText{{name: "app/templates/x.yaml", text: text}}, nil, nil, false)
		if len(got.events) > 0 != want {
			t.Errorf("%s: got %t, want %t", text, len(got.events) > 0, want)
		}
	}
}

// TestDecisionsOfTheCluster: what is rendered for a cluster that cannot be asked,
// at one time, is told where it may be another image on the island.
func TestDecisionsOfTheCluster(t *testing.T) {
	t.Parallel()
	const ends = "{{ end }}"
	tests := map[string]struct {
		text string
		want string // kinds with their lines
	}{
		"lookup":           {`{{ if (lookup "v1" "ConfigMap" "" "flags") }}\nimage: a/b:1\n` + ends, "lookup 1"},
		"with":             {`a: b\n{{ with (lookup "v1" "Secret" "" "x") }}\n- --proxy-image={{ .data.x }}\n` + ends, "lookup 2"},
		"range":            {`{{ range (lookup "v1" "Node" "" "").items }}\nkind: DaemonSet\n` + ends, "lookup 1"},
		"range of objects": {`{{ range (lookup "v1" "Node" "" "").items }}\nspec: {containers: []}\n` + ends, "lookup 1"},
		"variable": {`{{ $found := lookup "apps/v1" "Deployment" "" "x" }}\n{{ $old := $found | empty | not }}\n` +
			"{{ if $old }}\nimage: a/b:1\n" + ends, "lookup 3"},
		"default": {`\nimage: {{ default "a/b:1" (lookup "v1" "ConfigMap" "" "x").data.image }}`, "lookup 2"},
		"ternary": {`\n\nimage: "a/b:{{ ternary "1" "2" (eq (now | date "Mon") "Mon") }}"`, "time 3"},
		"a chosen object": {`{{ ternary (include "pod" .) "" (.Capabilities.APIVersions.Has "x.io/v1") }}` +
			`{{ define "pod" }}image: a{{ end }}`, "x.io/v1 1"},
		"helper": {`{{ define "has" }}{{ if lookup "v1" "Secret" "" .name }}yes{{ end }}{{ end }}` +
			`\n{{ if eq (include "has" (dict "name" "x")) "yes" }}image: a{{ end }}`, "lookup 2"},
		"argument": {`{{ define "x" }}\n{{ if .secret }}image: a{{ end }}{{ end }}` +
			`{{ include "x" (dict "secret" (lookup "v1" "Secret" "" "x") "context" $) }}`, "lookup 2"},
		"other argument": {`{{ define "x" }}{{ if .context.Values.on }}image: a{{ end }}{{ end }}` +
			`{{ include "x" (dict "secret" (lookup "v1" "Secret" "" "x") "context" $) }}`, ""},
		"assigned under a condition": {`{{ $tag := "1" }}` +
			`{{ if semverCompare ">=1.30" .Capabilities.KubeVersion.Version }}{{ $tag = "2" }}{{ end }}\n` +
			"image: a/b:{{ $tag }}", "version 2"},
		"set":              {`{{ $_ := set .Values "mode" (randAlpha 1) }}\n{{ if eq .Values.mode "a" }}image: x{{ end }}`, "random 2"},
		"set later":        {`{{ if eq .Values.mode "a" }}image: x{{ end }}{{ $_ := set .Values "mode" (randAlpha 1) }}`, "random 1"},
		"random":           {"{{ if gt (randInt 0 10 | int) 5 }}\nimage: a/b:1\n" + ends, "random 1"},
		"shuffle":          {"image: {{ first (shuffle .Values.images) }}", "random 1"},
		"certificate":      {`{{ $ca := genCA "x" 3 }}{{ if $ca.Cert }}image: x{{ end }}`, "random 1"},
		"time":             {"{{ if lt (now | unixEpoch | int) 7 }}\ncontainers: []\n" + ends, "time 1"},
		"name":             {`{{ if getHostByName "registry.local" }}image: x{{ end }}`, "name 1"},
		"api":              {`{{ if .Capabilities.APIVersions.Has "cilium.io/v2" }}image: x{{ end }}`, "cilium.io/v2 1"},
		"api in a list":    {`{{ if has "cilium.io/v2" .Capabilities.APIVersions }}image: x{{ end }}`, "cilium.io/v2 1"},
		"api by name":      {`{{ $v := .Capabilities.APIVersions }}{{ if $v.Has (printf "%s/v1" .Values.group) }}image: x{{ end }}`, "api 1"},
		"api, else":        {`{{ if .Capabilities.APIVersions.Has "cilium.io/v2" }}a: b{{ else }}\nimage: x{{ end }}`, "cilium.io/v2 1"},
		"api, else if":     {`{{ if .Values.x }}a: b{{ else if .Capabilities.APIVersions.Has "a.io/v2" }}\nimage: x{{ end }}`, "a.io/v2 1"},
		"api given":        {`{{ if .Capabilities.APIVersions.Has "given.io/v1" }}image: x{{ end }}`, ""},
		"api by with":      {`{{ with .Capabilities }}{{ if .APIVersions.Has "a.io/v1" }}image: x{{ end }}{{ end }}`, "a.io/v1 1"},
		"all capabilities": {`{{ if contains "cilium" (toYaml .Capabilities) }}image: x{{ end }}`, "version 1, cilium 1"},
		"version":          {"{{ if lt (.Capabilities.KubeVersion.Minor | int) 25 }}image: x{{ end }}", "version 1"},
		"version by a helper": {`{{ define "kube" }}{{ default .Capabilities.KubeVersion.Version .Values.kube }}{{ end }}` +
			`{{ if semverCompare "<1.2" (include "kube" .) }}image: x{{ end }}`, "version 1"},
		"both kinds": {`{{ if or (lookup "v1" "Node" "" "") (.Capabilities.APIVersions.Has "a.io/v1") }}\nimage: x{{ end }}`,
			"lookup 1, a.io/v1 1"},
		"api by a helper": {`{{ define "has" }}{{ .Capabilities.APIVersions.Has "keda.sh/v1" }}{{ end }}` +
			`\n{{ if eq "true" (include "has" .) }}image: x{{ end }}`, "keda.sh/v1 2"},
		"once": {`{{ if lookup "v1" "Node" "" "" }}image: x{{ end }}\n{{ if lookup "v1" "Node" "" "" }}image: x{{ end }}`, "lookup 1"},

		"an API version is chosen": {`{{ if .Capabilities.APIVersions.Has "policy/v2" }}\napiVersion: policy/v2\n` +
			`{{ else }}\napiVersion: policy/v1\n` + ends, ""},
		"a monitor": {`{{ if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}\n` +
			`kind: ServiceMonitor\nspec: {endpoints: []}\n` + ends, ""},
		"a query":       {`{{ if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}\nexpr: sum(x{image!=""})\n` + ends, ""},
		"a pull secret": {`{{ if lookup "v1" "Secret" "" "regcred" }}\nimagePullSecrets: [{name: regcred}]\n` + ends, ""},
		"a password":    {"data:\n  password: {{ default (randAlphaNum 10) .Values.password | b64enc }}\nimage: x", ""},
		"a password that is kept": {`{{ $old := lookup "v1" "Secret" "" "x" }}data:\n{{ if $old }}\n  password: {{ $old.data.password }}\n` +
			"{{ else }}\n  password: {{ randAlphaNum 8 }}\n{{ end }}\nimage: x", ""},
		"a date":  {`annotations: {rolled: {{ now | date "2006" }}}\nimage: x`, ""},
		"unused":  {`{{ define "x" }}{{ if lookup "v1" "Node" "" "" }}image: x{{ end }}{{ end }}`, ""},
		"comment": {"{{/* if lookup */}}\n# lookup now\nimage: x", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(test.text, `\n`, "\n")
			result := asks([]templateText{{name: "app/templates/x.yaml", text: text}}, nil, []string{"given.io/v1"}, false)
			short := map[answers]string{askedLookup: "lookup", askedAPIs: "api", askedVersion: "version", askedName: "name",
				askedTime: "time", askedRandom: "random"}
			var got []string
			for _, one := range result.branches {
				got = append(got, short[one.by]+" "+strings.TrimPrefix(one.place, "app/templates/x.yaml:"))
			}
			for _, one := range result.apis {
				got = append(got, one.version+" "+strings.TrimPrefix(one.places[0], "app/templates/x.yaml:"))
			}
			if strings.Join(got, ", ") != test.want || result.gaveUp {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestGivenAnswersAreNoDecision: what the release says of the cluster is known.
func TestGivenAnswersAreNoDecision(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{"templates/x.yaml": job(`{{ if .Capabilities.APIVersions.Has "a.io/v1" }}`, "x/y:1") + "---\n" +
		job(`{{ if semverCompare "<1.25-0" .Capabilities.KubeVersion.Version }}`, "x/z:1")})
	for _, test := range []struct {
		how  []Rendering
		want int
	}{
		{nil, 2},
		{[]Rendering{{KubeVersion: "1.29.10"}}, 1},
		{[]Rendering{{APIVersions: []string{"a.io/v1"}}}, 1},
		{[]Rendering{{Name: "default"}, {Name: "more", APIVersions: []string{"a.io/v1"}, KubeVersion: "1.24.1"}}, 0},
	} {
		found, err := chart.Discover(t.Context(), DiscoverOptions{Renderings: test.how})
		if err != nil || len(found.Notices) != test.want {
			t.Errorf("%+v: got %q, %v, want %d notices", test.how, found.Notices, err, test.want)
		}
	}
}

// TestAskingIsBounded: templates that call each other without end come to one.
func TestAskingIsBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 60 {
		fmt.Fprintf(&text, `{{ define "t%d" }}`, i)
		for j := range 60 {
			fmt.Fprintf(&text, `{{ include "t%d" (dict "a%d" . "b" (lookup "v1" "Node" "" "")) }}`, j, j)
		}
		text.WriteString("{{ end }}")
	}
	text.WriteString(`{{ include "t0" . }}`)
	result := asks([]templateText{{name: "app/templates/x.yaml", text: text.String()}}, nil, nil, false)
	if !result.gaveUp || len(result.events) == 0 || len(result.notices()) == 0 {
		t.Errorf("got %+v", result)
	}
}

// TestAPIVersionsAreToldOnce: a version that decides in several templates is one
// notice, which names it.
func TestAPIVersionsAreToldOnce(t *testing.T) {
	t.Parallel()
	one := job(`{{ if .Capabilities.APIVersions.Has "example.org/v1" }}`, "x/y:1")
	chart := mustLoad(t, map[string]string{"templates/a.yaml": one, "templates/b.yaml": one, "templates/c.yaml": "\n" + one})
	found, err := chart.Discover(t.Context(), DiscoverOptions{})
	if err != nil || len(found.Notices) != 1 || !strings.HasPrefix(found.Notices[0], "app/templates/a.yaml:1 (and 2 more): ") ||
		!strings.Contains(found.Notices[0], "example.org/v1") {
		t.Errorf("got %q, %v", found.Notices, err)
	}
}

// TestUpgradeThatDoesNotEnd: what a chart does as an upgrade is within the limits,
// and beyond them an error.
func TestUpgradeThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	loop := `{{ if .Release.IsUpgrade }}{{ range $i := until 4000 }}{{ range $j := until 4000 }}{{ end }}{{ end }}{{ end }}`
	chart := mustLoad(t, map[string]string{"templates/x.yaml": loop})
	_, err := chart.Discover(t.Context(), DiscoverOptions{Renderings: []Rendering{{TimeLimit: 200 * time.Millisecond}}})
	if !errors.Is(err, ErrRenderTime) {
		t.Errorf("got %v, want %v", err, ErrRenderTime)
	}
}

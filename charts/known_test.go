package charts

import (
	"strings"
	"testing"
)

// TestBuiltinKnown holds that the data file is complete: every entry can match
// and says where it is from.
func TestBuiltinKnown(t *testing.T) {
	t.Parallel()
	known := BuiltinKnown()
	if err := known.Check(); err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for _, object := range known.Objects {
		if object.Source == "" {
			t.Errorf("%s %v has no source", object.Group, object.Kinds)
		}
		for _, kind := range object.Kinds {
			if seen[object.Group+kind] {
				t.Errorf("%s %s is there twice", object.Group, kind)
			}
			seen[object.Group+kind] = true
		}
	}
	for _, argument := range known.Arguments {
		if argument.Source == "" {
			t.Errorf("%s has no source", argument.Name)
		}
	}
}

func TestKnownOfARelease(t *testing.T) {
	t.Parallel()
	rendered := mustRender(t, mustLoad(t, map[string]string{"templates/x.yaml": `
apiVersion: example.com/v1
kind: Engine
metadata: {name: e}
spec: {release: "1.2", parts: {a: {runtime: "quay.io/corpus/a"}, b: {runtime: "quay.io/corpus/b:1"}}, picture: ""}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: "x:1", args: ["-runtime=corpus/runtime:3"]}]}
`}), Rendering{})
	finds, err := FindKnown(rendered, Known{
		Objects: []KnownObject{{Group: "example.com", Kinds: []string{"Engine"}, Images: []string{"spec.parts.*.runtime"},
			Defaults: []KnownDefault{{Field: "spec.picture", Image: "quay.io/corpus/engine:{spec.release}"}}}},
		Arguments: []KnownArgument{{Name: "--runtime"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, find := range finds.Images {
		got = append(got, string(find.Class)+" "+find.Image+" "+find.Origin.Field)
	}
	checkLines(t, "finds", got, []string{
		"certain quay.io/corpus/a spec.parts.a.runtime", "certain quay.io/corpus/b:1 spec.parts.b.runtime",
		"likely quay.io/corpus/engine:1.2 spec.picture", "certain x:1 spec.containers[0].image",
		"certain corpus/runtime:3 spec.containers[0].args[0]",
	})
}

func TestKnownFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		known Known
		want  string
	}{
		{Known{Objects: []KnownObject{{Group: "a", Kinds: []string{"B"}}}}, "images or podSpecs are needed"},
		{Known{Objects: []KnownObject{{Group: "a", Kinds: []string{"B"}, Images: []string{".spec.image"}}}}, "is no path"},
		{Known{Objects: []KnownObject{{Group: "a", Kinds: []string{"B"}, Defaults: []KnownDefault{{Field: "spec.image", Image: "x:{.spec}"}}}}},
			"is no path"},
		{Known{Arguments: []KnownArgument{{Name: "--"}}}, "is no name"},
	}
	for _, test := range tests {
		if err := test.known.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

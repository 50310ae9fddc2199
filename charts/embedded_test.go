package charts

import (
	"testing"
)

// TestWhatIsStructured holds what is read as YAML or JSON: a text that goes on
// behind the end of a document is neither, and nothing of it is dropped.
func TestWhatIsStructured(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want int // documents
	}{
		{"image: a:1\n", 1},
		{"- image: a:1\n", 1},
		{"a: 1\n---\n[b]\n", 2},
		{`{"image": "a:1"}`, 1},
		{"{\"a\": 1}\n{\"image\": \"a:1\"}\n", 2},
		{`[1]{"a": 2}"x"[3]`, 4},
		{"\"a/b:1\"\n\"c/d:1\"\n", 0},
		{"[[runners]]\n  image = \"a:1\"\n", 0},
		{"[core]\nimage = a:1\n", 0},
		{"[core]\n; of the pool\nimage: a:1\n", 0},
		{"# of the pool\n[core]\nimage = a:1\n", 0},
		{"\n[[core]]\nimage = a:1\n", 0},
		{"\ufeff[core]\nimage = a:1\n", 0},
		{"\ufeffimage: a:1\n", 1},
		{"{a: 1}\nimage = a:1\n", 0},
		{"\"x\" run a/b:1\n", 0},
		{"a: 1\n...\nimage = a:1\n", 0},
		{"[a]\nb: c\n", 0},
		{"just a text: of words: here\n", 0},
		{"word\n", 0},
	} {
		documents, ok := structured(test.text)
		if len(documents) != test.want && (ok || test.want > 0) || ok != (test.want > 0) {
			t.Errorf("%q: got %v, %v, want %d documents", test.text, documents, ok, test.want)
		}
	}
}

// TestRepeatedInText holds that a text which only repeats what is sure is not to
// be decided about, and one that says something new is.
func TestRepeatedInText(t *testing.T) {
	t.Parallel()
	images, _ := mustFind(t, mustRender(t, mustLoad(t, map[string]string{"templates/x.yaml": `
apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {note: "runs zeta/main:1, docker.io/zeta/main:1 and zeta/other:2"}}
spec: {containers: [{name: c, image: "zeta/main:1"}]}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec: {runtime: "zeta/side:3", image: "docker.io/zeta/side:3"}
`}), Rendering{}))
	checkLines(t, "images", images, []string{
		"certain zeta/main:1 Pod/p spec.containers[0].image",
		"candidate zeta/other:2 Pod/p metadata.annotations.note " + reasonText,
		"likely docker.io/zeta/side:3 Thing/t spec.image",
	})
}

// TestStatus holds that only what a controller once wrote is passed over.
func TestStatus(t *testing.T) {
	t.Parallel()
	images, _ := mustFind(t, mustRender(t, mustLoad(t, map[string]string{"templates/x.yaml": `
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec: {template: {status: {image: "zeta/a:1"}}, status: [{image: "zeta/b:2"}]}
status: {image: "zeta/was:0", nested: {image: "zeta/was:0"}}
---
apiVersion: v1
kind: List
items:
- apiVersion: example.com/v1
  kind: Thing
  metadata: {name: listed}
  spec: {status: {image: "zeta/c:3"}}
  status: {image: "zeta/was:0"}
`}), Rendering{}))
	checkLines(t, "images", images, []string{
		"likely zeta/a:1 Thing/t spec.template.status.image",
		"likely zeta/b:2 Thing/t spec.status[0].image",
		"likely zeta/c:3 Thing/listed spec.status.image",
	})
}

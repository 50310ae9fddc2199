package charts

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Rendered is what a chart rendered to.
type Rendered struct {
	Chart     Metadata
	Rendering string     // the name of the rendering
	CRDs      []Document // the files below crds/, as they are
	Manifests []Document // in the order in which Helm installs them
	Hooks     []Document // in the order in which helm template prints them
	Notices   []string   // what a person should know, though it is no error
	Subcharts []string   // those that were switched on, by their names joined by slashes: front, front/inner
	Stubbed   []Stub     // the values that Rendering.StubRequired filled in

	// What a further rendering of the same chart and values has use for:
	templates []templateText // that were rendered
	texts     []templateText // that tpl may have made templates of
	loaded    *chart.Chart
	values    map[string]any
}

// Document is one YAML document that was rendered, or one file below crds/.
type Document struct {
	Template string   // full path, such as wire-server/charts/brig/templates/deployment.yaml
	Line     int      // line on which the document begins in the template's output, from 1
	Kind     string   // empty if the document has none
	Name     string   // metadata.name
	Hooks    []string // values of the annotation helm.sh/hook
	Content  string
}

// Subchart returns the names of the charts between the chart and the document's
// template, joined by slashes: "" for a template of the chart itself,
// "brig" for wire-server/charts/brig/templates/deployment.yaml.
func (d Document) Subchart() string { return strings.Join(subcharts(d.Template), "/") }

func subcharts(template string) []string {
	parts := strings.Split(template, "/")
	var names []string
	for i := 1; i+2 < len(parts) && parts[i] == "charts"; i += 2 {
		names = append(names, parts[i+1])
	}
	return names
}

// Text returns everything that was rendered as `helm template --include-crds`
// prints it.
func (r *Rendered) Text() string {
	var manifests strings.Builder
	for _, document := range slices.Concat(r.CRDs, r.Manifests) {
		fmt.Fprintf(&manifests, "---\n# Source: %s\n%s\n", document.Template, document.Content)
	}
	text := strings.TrimSpace(manifests.String()) + "\n"
	for _, document := range r.Hooks {
		text += fmt.Sprintf("---\n# Source: %s\n%s\n", document.Template, document.Content)
	}
	return text
}

func (r *Rendered) note(format string, args ...any) {
	r.Notices = append(r.Notices, fmt.Sprintf(format, args...))
}

// collect takes the engine's output apart into documents, as Helm does
// (helm.sh/helm/v3/pkg/action, renderResources).
func (r *Rendered) collect(loaded *chart.Chart, output map[string]string) error {
	total := 0
	for _, crd := range loaded.CRDObjects() {
		total += len(crd.File.Data)
		r.CRDs = append(r.CRDs, Document{Template: crd.Filename, Line: 1, Content: string(crd.File.Data)})
	}
	for _, template := range slices.Sorted(maps.Keys(output)) {
		text := output[template]
		if total += len(text); total > MaxRenderedBytes {
			return fault.New(fault.Failure, fault.Upstream, "chart "+r.Chart.String(), "look into the chart before it is used",
				"%w: renders to more than %s", ErrTooLarge, manifests.Bytes(MaxRenderedBytes))
		}
		base := path.Base(template)
		if strings.HasPrefix(base, "_") || strings.HasSuffix(template, "NOTES.txt") || strings.TrimSpace(text) == "" {
			continue
		}
		for _, document := range split(template, text) {
			if err := r.add(document); err != nil {
				return err
			}
		}
	}
	inInstallOrder(r.Manifests)
	inInstallOrder(r.Hooks)
	return nil
}

// separators returns where Helm splits a stream of documents
// (releaseutil.SplitManifests): what the pattern (?:^|\s*\n)---\s* matches,
// found without the cost of it.
func separators(text string) [][2]int {
	const space = "\t\n\f\r "
	var marks [][2]int
	mark := func(from, at int) int {
		start := from + len(strings.TrimRight(text[from:at], space))
		end := len(text) - len(strings.TrimLeft(text[at+len("---"):], space))
		if strings.HasPrefix(text[at:], "\n") {
			end = len(text) - len(strings.TrimLeft(text[at+len("\n---"):], space))
		}
		marks = append(marks, [2]int{start, end})
		return end
	}
	from := 0
	if strings.HasPrefix(text, "---") {
		from = mark(0, 0)
	}
	for {
		at := strings.Index(text[from:], "\n---")
		if at < 0 {
			return marks
		}
		from = mark(from, from+at)
	}
}

// split takes the text of one template or file apart into documents, of which
// it knows no more than the place.
func split(template, text string) []Document {
	text = strings.TrimRight(text, " \t\r\n")
	start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	line := 1 + strings.Count(text[:start], "\n")
	text, start = text[start:], 0
	counted := 0
	var documents []Document
	for _, mark := range append(separators(text), [2]int{len(text), len(text)}) {
		if content := strings.TrimSpace(text[start:mark[0]]); content != "" {
			at := start + strings.Index(text[start:], content)
			line += strings.Count(text[counted:at], "\n")
			counted = at
			documents = append(documents, Document{Template: template, Line: line, Content: content})
		}
		start = mark[1]
	}
	return documents
}

func (r *Rendered) add(document Document) error {
	if len(r.Manifests)+len(r.Hooks) >= MaxDocuments {
		return fault.New(fault.Failure, fault.Upstream, "chart "+r.Chart.String(), "look into the chart before it is used",
			"%w: renders to more than %d documents", ErrTooLarge, MaxDocuments)
	}
	var head releaseutil.SimpleHead
	if err := yaml.Unmarshal([]byte(document.Content), &head); err != nil {
		return r.explainYAML(document, err)
	}
	document.Kind = head.Kind
	if head.Metadata == nil {
		r.Manifests = append(r.Manifests, document)
		return nil
	}
	document.Name = head.Metadata.Name
	events, isHook := head.Metadata.Annotations[release.HookAnnotation]
	if !isHook {
		r.Manifests = append(r.Manifests, document)
		return nil
	}
	for event := range strings.SplitSeq(events, ",") {
		event = strings.ToLower(strings.TrimSpace(event))
		if !knownHook(event) {
			r.note("%s: %s is a hook of the unknown kind %q; Helm never installs it", document.Template, document.object(), event)
			return nil
		}
		document.Hooks = append(document.Hooks, event)
	}
	r.Hooks = append(r.Hooks, document)
	return nil
}

// object names the document's object for a person.
func (d Document) object() string {
	switch {
	case d.Kind == "":
		return d.Name
	case d.Name == "":
		return d.Kind
	default:
		return d.Kind + "/" + d.Name
	}
}

// explainYAML says where a rendered document is not YAML. The line is one of
// the output: the template that wrote it has lines of its own.
func (r *Rendered) explainYAML(document Document, err error) error {
	line, message := yamlError(err)
	if line > 0 {
		line += document.Line - 1
	} else {
		line = document.Line
	}
	cause := &RenderError{Chart: r.Chart.Name, Template: document.Template, Line: line, Rendered: true,
		Message: "the rendered text is no Kubernetes object in YAML: " + message}
	e := fault.New(fault.Failure, fault.Here, "chart "+r.Chart.String(),
		"the line is one of the rendered text; helm template --debug prints that, and a value of the wrong form is the usual cause",
		"%w", cause)
	e.Place = fault.Place{File: document.Template, Line: line}
	return e
}

var yamlLine = regexp.MustCompile(`(?:error converting YAML to JSON: )?yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// yamlError takes the line out of the text of a YAML error: 0 if it has none.
func yamlError(err error) (int, string) {
	text := err.Error()
	found := yamlLine.FindStringSubmatchIndex(text)
	if found == nil {
		return 0, text
	}
	line := 0
	if found[2] >= 0 {
		line, _ = strconv.Atoi(text[found[2]:found[3]])
	}
	return line, strings.TrimSpace(text[:found[0]] + text[found[1]:])
}

// knownHook reports whether Helm knows the event (Helm documentation, "Chart
// Hooks"; test-success is Helm 2's name).
func knownHook(event string) bool {
	switch release.HookEvent(event) {
	case release.HookPreInstall, release.HookPostInstall, release.HookPreDelete, release.HookPostDelete,
		release.HookPreUpgrade, release.HookPostUpgrade, release.HookPreRollback, release.HookPostRollback,
		release.HookTest, "test-success":
		return true
	}
	return false
}

// inInstallOrder sorts documents by kind as Helm installs them: known kinds in
// Helm's order, then the others by name.
func inInstallOrder(documents []Document) {
	rank := map[string]int{}
	for i, kind := range releaseutil.InstallOrder {
		rank[kind] = i
	}
	slices.SortStableFunc(documents, func(a, b Document) int {
		rankA, knownA := rank[a.Kind]
		rankB, knownB := rank[b.Kind]
		switch {
		case knownA && knownB:
			return rankA - rankB
		case knownA:
			return -1
		case knownB:
			return 1
		default:
			return strings.Compare(a.Kind, b.Kind)
		}
	})
}

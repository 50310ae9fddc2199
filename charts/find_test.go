package charts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func line(find ImageFind) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", find.Class, find.Image, find.Origin.Object, find.Origin.Field, find.Reason))
}

func mustFind(t testing.TB, rendered *Rendered) (images, leftOut []string) {
	t.Helper()
	finds, err := Find(rendered)
	if err != nil {
		t.Fatal(err)
	}
	for _, find := range finds.Images {
		images = append(images, line(find))
	}
	for _, left := range finds.LeftOut {
		leftOut = append(leftOut, line(left.ImageFind)+" because it is "+left.Rule)
	}
	return images, leftOut
}

func checkLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, one := range want {
		if !slices.Contains(got, one) {
			t.Errorf("%s: missing %s", what, one)
		}
	}
	for _, one := range got {
		if !slices.Contains(want, one) {
			t.Errorf("%s: not wanted %s", what, one)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: got %d, want %d", what, len(got), len(want))
	}
}

func TestFindEveryShape(t *testing.T) {
	t.Parallel()
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	images, leftOut := mustFind(t, mustRender(t, mustLoadFolder(t, "shapes"), Rendering{}))
	checkLines(t, "images", images, []string{
		"certain typed/deployment:1 Deployment/w spec.template.spec.containers[0].image",
		"certain typed/statefulset:1 StatefulSet/w spec.template.spec.containers[0].image",
		"certain typed/daemonset:1 DaemonSet/w spec.template.spec.containers[0].image",
		"certain typed/replicaset:1 ReplicaSet/w spec.template.spec.containers[0].image",
		"certain typed/replicationcontroller:1 ReplicationController/w spec.template.spec.containers[0].image",
		"certain typed/job:1 Job/w spec.template.spec.containers[0].image",
		"certain typed/init:1 Pod/w spec.initContainers[0].image",
		"certain typed/pod@" + digest + " Pod/w spec.containers[0].image",
		"certain typed/ephemeral Pod/w spec.ephemeralContainers[0].image",
		"certain typed/volume:1 Pod/w spec.volumes[0].image.reference",
		"certain typed/cronjob:1 CronJob/w spec.jobTemplate.spec.template.spec.containers[0].image",
		"certain typed/podtemplate:1 PodTemplate/w template.spec.containers[0].image",
		"certain typed/listed:1 Pod/listed spec.containers[0].image",
		"certain quay.io/wire/anything:1 Pod/brig-integration spec.containers[0].image",
		"certain typed/nested:1 Deployment/nested spec.template.spec.containers[0].image",
		"likely shape/text:1 Widget/w spec.text.image",
		"likely quay.io/shape/parts:1 Widget/w spec.parts.image",
		"likely quay.io/shape/repo:2 Widget/w spec.repo.image",
		"likely shape/digest@" + digest + " Widget/w spec.digest.image",
		"likely quay.io/shape/named:v3 Widget/w spec.named.image",
		"likely shape/date:20240131 Widget/w spec.date.image",
		"likely shape/untagged Widget/w spec.untagged.image",
		"likely shape/list:1 Widget/w spec.list.image[0]",
		"likely shape/list:2 Widget/w spec.list.image[1]",
		`likely shape/pod:1 Widget/w spec.deep[0]["a.b"].podTemplate.spec.containers[0].image`,
		"likely shape/inner:1 Widget/w spec.policy.image.next.image",
		"candidate  Widget/w spec.empty.image empty: whoever reads the object may take an image of its own choice",
		"candidate {{inputs.parameters.image}} Widget/w spec.garbage.image not an image reference",
		"candidate 5 Widget/w spec.number.image not a text",
		"candidate :1 Widget/w spec.onlytag.image written in parts, of which the repository is missing",
	})
	checkLines(t, "left out", leftOut, []string{
		"likely some-disk Pod/w spec.volumes[1].rbd.image because it is " + RuleDisk,
		"certain quay.io/wire/galley-integration:1 Pod/other spec.containers[0].image because it is " + RuleIntegration,
	})
}

func TestFindInDependenciesHooksAndCRDs(t *testing.T) {
	t.Parallel()
	rendered := mustRender(t, mustLoadFolder(t, "umbrella"), Rendering{Name: "production", Tags: map[string]bool{"federation": true}})
	images, leftOut := mustFind(t, rendered)
	checkLines(t, "images", images, []string{
		"likely quay.io/island/widget:7 CustomResourceDefinition/widgets.example.com " +
			"spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.image.default",
		"certain busybox:1.36 Deployment/release-name-umbrella spec.template.spec.initContainers[0].image",
		"certain quay.io/island/umbrella:4.5.6 Deployment/release-name-umbrella spec.template.spec.containers[0].image",
		"certain nginx:1.27 StatefulSet/front spec.template.spec.containers[0].image",
		"certain nginx:1.27 StatefulSet/front spec.template.spec.containers[1].image",
		"certain quay.io/island/gate:0.2.0 DaemonSet/gate spec.template.spec.containers[0].image",
		"certain quay.io/island/gate:0.2.0 DaemonSet/spare spec.template.spec.containers[0].image",
		"certain quay.io/island/migrate:3 Job/migrate spec.template.spec.containers[0].image",
	})
	checkLines(t, "left out", leftOut, []string{
		"certain quay.io/island/check:1 Pod/umbrella-check spec.containers[0].image because it is " + RuleTestHook,
	})
	finds, err := Find(rendered)
	if err != nil {
		t.Fatal(err)
	}
	spare := finds.Images[slices.IndexFunc(finds.Images, func(f ImageFind) bool { return f.Subchart == "spare" })]
	want := manifests.Origin{
		Chart: "umbrella", Template: "umbrella/charts/spare/templates/daemonset.yaml",
		Object: "DaemonSet/spare", Field: "spec.template.spec.containers[0].image",
	}
	if spare.Origin != want || spare.Rendering != "production" {
		t.Errorf("got %+v of rendering %s, want %+v", spare.Origin, spare.Rendering, want)
	}
}

func TestFindFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, image, want string }{
		{"empty", "",
			"app/templates/x.yaml: spec.template.spec.containers[0].image: chart app 1.0.0: Deployment/main has a container without an image"},
		{"colon without tag", "quay.io/wire/brig:", `Deployment/main has the image "quay.io/wire/brig:", which is no image reference`},
		{"capitals", "quay.io/Wire/brig:1", `has the image "quay.io/Wire/brig:1", which is no image reference`},
		{"password", "me:hunter2@quay.io/wire/brig:1", `has the image "quay.io/wire/brig:1", which is no image reference`},
		{"signed URL", "https://me:hunter2@quay.io/wire/brig?sig=hunter2", `has the image "https://quay.io/wire/brig", which is no image`},
		{"template", "{{`{{ .Values.image }}`}}", `has the image "{{ .Values.image }}", which is no image reference`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rendered := mustRender(t, mustLoad(t, map[string]string{
				"templates/x.yaml": fmt.Sprintf(deployment, test.image),
				"templates/y.yaml": fmt.Sprintf(deployment, "fine:1"),
			}), Rendering{})
			finds, err := Find(rendered)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %s", err, test.want)
			}
			if len(finds.Images) != 1 || finds.Images[0].Image != "fine:1" {
				t.Errorf("the other image was not found: %+v", finds)
			}
			if explained := fault.All(err); len(explained) != 1 || explained[0].Hint != "set the image's values in a values file of chart app" {
				t.Errorf("explained as %+v", explained)
			}
		})
	}
}

func TestFindReportsBadYAMLInCRDs(t *testing.T) {
	t.Parallel()
	rendered := mustRender(t, mustLoad(t, map[string]string{"crds/a.yaml": "a: b\n---\nc: [\n"}), Rendering{})
	_, err := Find(rendered)
	if cause := (*RenderError)(nil); !errors.As(err, &cause) || cause.Template != "app/crds/a.yaml" || cause.Line != 3 {
		t.Errorf("got error %v", err)
	}
}

func TestCheckTag(t *testing.T) {
	t.Parallel()
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for image, want := range map[string]error{
		"quay.io/wire/brig:5.30.9":              nil,
		"quay.io/wire/brig" + digest:            nil,
		"quay.io/wire/brig:latest" + digest:     nil,
		"quay.io/wire/brig":                     manifests.ErrNoTag,
		"quay.io/wire/brig:latest":              ErrLatest,
		"quay.io/wire/brig:do-not-use":          ErrDoNotUse,
		"quay.io/wire/brig:do-not-use" + digest: ErrDoNotUse,
	} {
		ref, err := manifests.ParseImageRef(image)
		if err != nil && !errors.Is(err, manifests.ErrNoTag) {
			t.Fatal(err)
		}
		if err := CheckTag(ref); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", image, err, want)
		}
	}
}

// FuzzFind holds that no image of a container gets lost, whatever stands
// around it: each is found, left out or an error.
func FuzzFind(f *testing.F) {
	f.Add("kind: Pod\nspec: {containers: [{image: a}]}", "a:1")
	f.Add("kind: List\nitems: [{kind: Pod, spec: {volumes: [{image: {reference: x}}]}}]", "")
	f.Add("kind: CustomResourceDefinition\nspec: {openAPIV3Schema: {properties: {image: {default: x}}}}", "a b")
	f.Add("image: {repository: a, tag: 1, image: [null, 1, {x: y}]}", "x@sha256:0")
	f.Fuzz(func(t *testing.T, document, image string) {
		pod, err := yaml.Marshal(map[string]any{"kind": "Pod", "spec": map[string]any{"containers": []any{map[string]any{"image": image}}}})
		if err != nil {
			t.Skip()
		}
		rendered := &Rendered{Manifests: []Document{{Template: "a", Content: document}, {Template: "pod", Content: string(pod)}}}
		finds, err := Find(rendered)
		found := 0
		for _, find := range finds.Images {
			if find.Class == Candidate && find.Reason == "" {
				t.Fatalf("a candidate without a reason: %+v", find)
			}
			if find.Origin.Template == "pod" {
				found++
			}
		}
		for _, left := range finds.LeftOut {
			if left.Origin.Template == "pod" {
				found++
			}
		}
		for _, explained := range fault.All(err) {
			if explained.Place.File == "pod" {
				found++
			}
		}
		if found != 1 {
			t.Fatalf("image %q was told of %d times: %+v, %v", image, found, finds, err)
		}
	})
}

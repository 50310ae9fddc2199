package sbom_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/sbom"
)

func lock(t *testing.T) *manifests.Lock {
	t.Helper()
	date, err := manifests.ParseDate("2026-04-20")
	if err != nil {
		t.Fatal(err)
	}
	image := func(name, by string, from ...manifests.Origin) manifests.LockedImage {
		ref, err := manifests.ParseImageRef(name)
		if err != nil {
			t.Fatal(err)
		}
		digest := manifests.DigestOf([]byte(name))
		return manifests.LockedImage{
			Name: ref, Digest: digest, DecidedBy: by, From: from,
			Manifests: []manifests.LockedManifest{{Platform: manifests.Platform{OS: "linux", Architecture: "amd64"}, Digest: digest,
				Layers: []manifests.Digest{digest}}},
		}
	}
	content := func(url string) manifests.Content {
		return manifests.Content{Digest: manifests.DigestOf([]byte(url)), Size: 1, URL: url}
	}
	return &manifests.Lock{
		Release: manifests.LockedRelease{Name: "wire", Version: "2026.1.1", Date: date},
		Charts: []manifests.LockedChart{
			{Name: "brig", Version: "1.0.0", App: "1", Repo: "https://example.com/charts", Path: "charts/brig-1.0.0.tgz",
				Content: content("https://example.com/charts/brig-1.0.0.tgz"), Meta: &manifests.ChartMeta{Commit: "abc"}},
			{Name: "local", Version: "1.0.0", Path: "charts/local-1.0.0.tgz", Content: content("folder:local")},
		},
		Images: []manifests.LockedImage{
			image("quay.io/wire/brig:1", "A", manifests.Origin{Chart: "brig"}),
			image("registry.k8s.io/pause:3.9", "", manifests.Origin{List: "images of the release, group system"}),
		},
		Files: []manifests.LockedFile{{Path: "files/kubelet", Content: content("https://example.com/kubelet")}},
	}
}

func TestEveryPartIsInIt(t *testing.T) {
	t.Parallel()
	l := lock(t)
	encoded, err := sbom.Encode(l)
	if err != nil {
		t.Fatal(err)
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(encoded), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	var got []string
	refs := []string{bom.Metadata.Component.BOMRef}
	for _, c := range *bom.Components {
		from := "-"
		if c.ExternalReferences != nil {
			from = (*c.ExternalReferences)[0].URL
		}
		got = append(got, fmt.Sprint(c.Type, " ", c.Name, " ", c.Version, " ", (*c.Hashes)[0].Value[:8], " ", from))
		refs = append(refs, c.BOMRef)
	}
	short := func(s string) string { return manifests.DigestOf([]byte(s)).Hex()[:8] }
	want := []string{
		"application brig 1.0.0 " + short("https://example.com/charts/brig-1.0.0.tgz") + " https://example.com/charts/brig-1.0.0.tgz",
		"application local 1.0.0 " + short("folder:local") + " -",
		"container quay.io/wire/brig 1 " + short("quay.io/wire/brig:1") + " -",
		"container registry.k8s.io/pause 3.9 " + short("registry.k8s.io/pause:3.9") + " -",
		"file files/kubelet  " + short("https://example.com/kubelet") + " https://example.com/kubelet",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	unique := slices.Clone(refs)
	slices.Sort(unique)
	if len(slices.Compact(unique)) != len(refs) {
		t.Errorf("references are not unique: %v", refs)
	}
	// Who needs what: each reference leads somewhere.
	needs := map[string][]string{}
	for _, d := range *bom.Dependencies {
		if d.Dependencies == nil {
			continue
		}
		needs[d.Ref] = *d.Dependencies
		for _, on := range *d.Dependencies {
			if !slices.Contains(refs, on) {
				t.Errorf("%s needs %s, which is not there", d.Ref, on)
			}
		}
	}
	if got := fmt.Sprint(needs["charts/brig-1.0.0.tgz"],
		needs[refs[0]]); got != "[quay.io/wire/brig:1] [charts/brig-1.0.0.tgz charts/local-1.0.0.tgz files/kubelet registry.k8s.io/pause:3.9]" {
		t.Errorf("needs %s", got)
	}
	for _, want := range []string{`"island:decidedBy"`, `"island:commit"`, `"island:manifest:linux/amd64"`, `"specVersion": "1.6"`,
		`"timestamp": "2026-04-20T00:00:00Z"`} {
		if !bytes.Contains(encoded, []byte(want)) {
			t.Errorf("no %s", want)
		}
	}
}

func TestArtifactIsNoContainer(t *testing.T) {
	t.Parallel()
	l := lock(t)
	for i := range l.Images {
		l.Images[i].Artifact = l.Images[i].Name.Repository == "pause"
		l.Images[i].Manifests[0].ArtifactType = "application/vnd.example"
	}
	encoded, err := sbom.Encode(l)
	if err != nil {
		t.Fatal(err)
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(encoded), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	for _, c := range *bom.Components {
		if c.Name == "registry.k8s.io/pause" && (c.Type != cyclonedx.ComponentTypeFile || (*c.Properties)[0].Name != "island:manifest:artifact") {
			t.Errorf("an artifact is %s with %v", c.Type, *c.Properties)
		}
	}
}

func TestEncodeIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := sbom.Encode(lock(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if again, err := sbom.Encode(lock(t)); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the same lock gives other bytes (%v)", err)
		}
	}
	// CycloneDX 1.6, serialNumber: an RFC 4122 UUID.
	serial := regexp.MustCompile(`"serialNumber": "(urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"`)
	match := serial.FindSubmatch(first)
	if match == nil {
		t.Fatal("no serial number")
	}
	other := lock(t)
	other.Release.Sequence++
	if again, _ := sbom.Encode(other); bytes.Contains(again, match[1]) {
		t.Error("another lock has the same serial number")
	}
}

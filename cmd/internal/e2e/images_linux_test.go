package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// skopeoName returns the name by which every skopeo finds an image in the bundle.
// In an OCI layout old ones look only at what has a media type of OCI, Debian
// 12's 1.9 among them (containers/image, oci/layout/oci_transport.go; newer ones
// take Docker's types too). An image of Docker's types they find in the same
// file as in an archive of Docker.
func skopeoName(t *testing.T, d delivery, image image) string {
	t.Helper()
	if strings.HasPrefix(image.MediaType, "application/vnd.oci.") {
		return "oci-archive:" + d.bundle + ":" + image.Name
	}
	return dockerArchiveName(t, d, image)
}

// dockerArchiveName returns the name by which skopeo finds an image in the bundle
// as in an archive of Docker, by number: names there are tags.
func dockerArchiveName(t *testing.T, d delivery, image image) string {
	t.Helper()
	var list []struct{ Config string }
	if err := json.Unmarshal([]byte(run(t, d.folder, "tar", "-xOf", d.bundle, "manifest.json")), &list); err != nil {
		t.Fatal(err)
	}
	for i, entry := range list {
		if "sha256:"+filepath.Base(entry.Config) == image.Manifests[0].Config {
			return fmt.Sprintf("docker-archive:%s:@%d", d.bundle, i)
		}
	}
	t.Fatalf("manifest.json does not have %s", image.Name)
	return ""
}

// skopeoInspects looks every image up in the bundle, and of those in OCI's form
// finds the manifest that upstream had.
func skopeoInspects(t *testing.T, d delivery) {
	skopeo := tool(t, "skopeo")
	exact := 0
	for _, image := range d.images {
		var seen struct{ Digest, Architecture string }
		name := skopeoName(t, d, image)
		inspected := run(t, d.folder, skopeo, "inspect", "--override-os=linux", "--override-arch=amd64", name)
		if err := json.Unmarshal([]byte(inspected), &seen); err != nil {
			t.Fatal(err)
		}
		if seen.Architecture != "amd64" {
			t.Errorf("%s: skopeo sees an image for %s", image.Name, seen.Architecture)
		}
		if !strings.HasPrefix(name, "oci-archive:") {
			continue
		}
		exact++
		if seen.Digest != image.Digest {
			t.Errorf("%s: skopeo sees %s, the bundle has %s", image.Name, seen.Digest, image.Digest)
		}
	}
	t.Logf("skopeo inspected %d images, %d of them in the OCI layout", len(d.images), exact)
}

// skopeoCopies copies every image out of the bundle. The image for the platform
// arrives with the configuration, and out of the OCI layout with the digest,
// that it has upstream.
func skopeoCopies(t *testing.T, d delivery) {
	skopeo := tool(t, "skopeo")
	for i, image := range d.images {
		out, name := filepath.Join(t.TempDir(), fmt.Sprint(i)), skopeoName(t, d, image)
		run(t, d.folder, skopeo, "--insecure-policy", "--override-os=linux", "--override-arch=amd64", "copy", name, "dir:"+out)
		data, err := os.ReadFile(filepath.Join(out, "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		want := image.Manifests[0]
		if digest := digestOf(data); strings.HasPrefix(name, "oci-archive:") && digest != want.Digest {
			t.Errorf("%s: skopeo copied the manifest %s, want %s", image.Name, digest, want.Digest)
		}
		var manifest struct{ Config struct{ Digest string } }
		if err := json.Unmarshal(data, &manifest); err != nil || manifest.Config.Digest != want.Config {
			t.Errorf("%s: skopeo copied the configuration %s, want %s", image.Name, manifest.Config.Digest, want.Config)
		}
	}
	t.Logf("skopeo copied %d images", len(d.images))
}

// podmanLoads loads the whole bundle into a storage of its own.
func podmanLoads(t *testing.T, d delivery) {
	podman, storage := podmanHere(t)
	run(t, d.folder, podman, append(storage, "load", "-i", d.bundle)...)
	out := run(t, d.folder, podman, append(storage, "images", "--all", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")...)
	loaded := strings.Split(strings.TrimSpace(out), "\n")
	slices.Sort(loaded)

	// Docker's archive format has no place for a digest in a name: such an image
	// has its tag, or no name at all.
	var want []string
	for _, image := range d.images {
		name, _, _ := strings.Cut(image.Name, "@")
		if strings.LastIndexByte(name, ':') <= strings.LastIndexByte(name, '/') {
			name = "<none>:<none>"
		}
		want = append(want, name+" "+image.Manifests[0].Config)
	}
	slices.Sort(want)
	if !slices.Equal(loaded, want) {
		t.Errorf("podman has loaded\n%s\nwant\n%s", strings.Join(loaded, "\n"), strings.Join(want, "\n"))
	}
	t.Logf("podman loaded %d images", len(loaded))
}

// containerdImports imports the whole bundle into a containerd of its own, and
// unpacks every image.
func containerdImports(t *testing.T, d delivery) {
	ctr := tool(t, "ctr")
	asRoot(t)
	client := []string{"--address", startContainerd(t), "--namespace", "k8s.io"}
	command := strings.Fields(ctrCommand(t, d)) // ctr -n k8s.io images import …, and the bundle's name
	command = append(command[3:len(command)-1], "--snapshotter", "native", d.bundle)
	out := run(t, d.folder, ctr, append(client, command...)...)
	if done := strings.Count(out, "...done"); done != len(d.images) {
		t.Errorf("ctr unpacked %d images of %d:\n%s", done, len(d.images), out)
	}
	lines := strings.Split(strings.TrimSpace(run(t, d.folder, ctr, append(client, "images", "check", "--snapshotter", "native")...)), "\n")[1:]
	state := map[string][]string{}
	for _, line := range lines {
		fields := strings.Fields(line)
		state[fields[0]] = fields
	}
	for _, image := range d.images {
		// name, media type, digest, "complete", …, "true" for unpacked
		// Containerd must have it under the name by which it looks it up for a pod.
		name, err := reference.ParseDockerRef(image.Name)
		if err != nil {
			t.Fatal(err)
		}
		fields := state[name.String()]
		if len(fields) < 5 || fields[2] != image.Digest || fields[3] != "complete" || fields[len(fields)-1] != "true" {
			t.Errorf("%s: containerd has %q, want %s, complete and unpacked", image.Name, fields, image.Digest)
		}
	}
	if len(lines) != len(d.images) {
		t.Errorf("containerd has %d images, want %d", len(lines), len(d.images))
	}
	t.Logf("containerd imported and unpacked %d images", len(lines))
}

// ctrCommand returns the first command for containerd in README.txt.
func ctrCommand(t *testing.T, d delivery) string {
	t.Helper()
	for line := range strings.Lines(block(t, d, "READ IT WITH WHAT YOU HAVE")) {
		if strings.HasPrefix(line, "ctr -n k8s.io images import ") {
			return line
		}
	}
	t.Fatal("README.txt has no command for ctr")
	return ""
}

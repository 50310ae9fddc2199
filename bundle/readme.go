package bundle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// readme tells whoever finds the archive how to check it with public tools
// before anything in it is run.
func readme(lock *manifests.Lock) []byte {
	r := lock.Release
	name := FileName(lock)
	title := fmt.Sprintf("%s %s, %s", r.Name, r.Version, r.Date)
	return []byte(title + "\n" + strings.Repeat("=", len(title)) + `

This archive installs ` + r.Name + ` where there is no internet. It is an island
bundle: a plain tar archive, an OCI image layout, a Docker archive and a Helm
repository in one. bundle.json lists everything in it, and is signed.

VERIFY BEFORE ANYTHING IN HERE IS RUN
-------------------------------------
You need the sender's public key, got on another way than this archive.

    BUNDLE=` + name + `
    KEY=island.pub

With OpenSSL (the last line printed must be "Verified OK"):

` + indent(OpenSSLInstructions) + `
Or with cosign 2.6 or later:

` + indent(CosignInstructions) + `
This proves bundle.json. It names every other file with its SHA-256, tools/
included. Take the program out, compare, and let it verify all the rest:

    tar -xf "$BUNDLE" tools
    sha256sum tools/*/island
    grep -A3 '"tools/' bundle.json
    tools/linux-amd64/island verify "$BUNDLE" --key "$KEY"

READ IT WITH WHAT YOU HAVE
--------------------------
    skopeo inspect oci-archive:` + name + `:IMAGE
    skopeo inspect docker-archive:` + name + `:IMAGE   # where the line above fails:
                                                   # older skopeo at Docker's form,
                                                   # every skopeo at layers with URLs
    podman load -i ` + name + `
    docker load -i ` + name + `
` + containerdImports(lock) + artifactsCopied(lock) + `    tar -xf ` + name + ` charts     # a Helm repository with its index.yaml

ctr wants the platform of the machine that it runs on. Without one, containerd 1.x
also looks for images of older processors, which are not in here, and imports nothing.
` + withoutUnpacking(lock))
}

// artifactsCopied returns the command for what is no image.
func artifactsCopied(lock *manifests.Lock) string {
	if !slices.ContainsFunc(lock.Images, func(i manifests.LockedImage) bool { return i.Artifact }) {
		return ""
	}
	return "    oras copy --from-oci-layout " + FileName(lock) + "@DIGEST TO   # what is no image:\n" +
		"                                   # index.json says the digests\n"
}

// containerdImports returns a command for each platform. Without --platform, ctr of
// containerd 1.x takes 386 for amd64 and arm for arm64 as well, and fails where
// an index names them (platforms.Only).
func containerdImports(lock *manifests.Lock) string {
	var lines strings.Builder
	command := "    ctr -n k8s.io images import "
	if !unpacks(lock) {
		command += "--no-unpack "
	}
	for _, p := range lock.Release.Platforms {
		p.OSVersion = "" // which ctr of 1.x does not read; all versions that are here suit
		line := command + "--platform " + p.String() + " " + FileName(lock) + "\n"
		if !strings.Contains(lines.String(), line) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// unpacks reports whether ctr of containerd 1.x can unpack all that it imports. It
// stops at the first of what is no image, or an image for another platform, where
// that stands in front in an index.
func unpacks(lock *manifests.Lock) bool {
	for _, image := range lock.Images {
		for _, m := range image.Manifests {
			suits := func(p manifests.Platform) bool { return p.Matches(m.Platform) }
			if !image.Runs(m) || !slices.ContainsFunc(lock.Release.Platforms, suits) {
				return false
			}
		}
	}
	return true
}

func withoutUnpacking(lock *manifests.Lock) string {
	if unpacks(lock) {
		return `If it stops at one that it cannot unpack, say --no-unpack as well: all are imported
then, and each is unpacked when it is first run.
`
	}
	return `With --no-unpack each image is unpacked when it is first run: some of what is in here
is no image that could be unpacked, at which ctr of containerd 1.x would stop.
`
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}

// FileName returns the name that a bundle should have: NAME-VERSION-ARCH.tar,
// where ARCH is "multi" for more than one platform.
func FileName(lock *manifests.Lock) string {
	arch := "multi"
	if len(lock.Release.Platforms) == 1 {
		p := lock.Release.Platforms[0]
		arch = p.Architecture + p.Variant
	}
	return fmt.Sprintf("%s-%s-%s.tar", lock.Release.Name, lock.Release.Version, arch)
}

package source

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
)

// An image mirror can be a folder that holds an OCI image layout
// (image-spec, image-layout.md), such as skopeo writes with
// "oci:FOLDER:registry/repository:tag". One layout holds any number of images;
// a tag is found by the whole name in one of these annotations.
var nameAnnotations = []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"}

func layoutBlob(l location, digest manifests.Digest) string {
	return filepath.Join(l.path, "blobs", "sha256", digest.Hex())
}

// layoutManifest reads the manifest of a tag or digest out of a layout.
func layoutManifest(l location, reference string) ([]byte, error) {
	digest, err := manifests.ParseDigest(reference)
	if err != nil {
		if digest, err = layoutTag(l, reference); err != nil {
			return nil, err
		}
	}
	data, err := readLocal(layoutBlob(l, digest), maxManifestBytes)
	if err == nil && manifests.DigestOf(data) != digest {
		err = registry.Refuse("blob in the layout does not have its digest %s", digest)
	}
	return data, err
}

func layoutTag(l location, tag string) (manifests.Digest, error) {
	data, err := readLocal(filepath.Join(l.path, "index.json"), maxManifestBytes)
	if err != nil {
		return "", err
	}
	var index struct {
		Manifests []struct {
			Digest      manifests.Digest  `json:"digest"`
			Annotations map[string]string `json:"annotations"`
		} `json:"manifests"`
	}
	if err := manifests.DecodeImageJSON(data, &index); err != nil {
		return "", registry.Refuse("index.json of the layout is not valid: %w", err)
	}
	wanted := strings.TrimPrefix(l.name, "oci://") + ":" + tag
	for _, m := range index.Manifests {
		for _, annotation := range nameAnnotations {
			if m.Annotations[annotation] == wanted {
				return m.Digest, nil
			}
		}
	}
	return "", fmt.Errorf("%s is %w in the layout", wanted, ErrNotFound)
}

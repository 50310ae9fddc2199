package main

import (
	"fmt"
	"os"
	"path"
	"time"

	"github.com/islandbundle/island/manifests"
)

// finale says what happened, and what to try next.
func (s *stage) finale() error {
	data, err := os.ReadFile(s.path(lockFile))
	if err != nil {
		return err
	}
	lock, err := manifests.ReadLock(s.path(lockFile), data)
	if err != nil {
		return err
	}
	bundle, err := os.Stat(s.path(bundleFile))
	if err != nil {
		return err
	}
	apart, once := layerBytes(lock)
	s.say("")
	s.say("%s", s.style.heading("What happened"))
	s.say("  %d charts, %d images, %d files became one archive of %s.",
		len(lock.Charts), len(lock.Images), len(lock.Files), manifests.Bytes(bundle.Size()))
	s.say("  Image by image, layers would take %s; each carried once, they take %s:", apart, once)
	s.say("  %s saved. The rest is the program itself, for the site.", apart-once)
	s.say("  resolve took %s, build %s, verify %s. One flipped bit was found.",
		s.time("resolve"), s.time("build"), s.time("verify"))
	s.say("  The patch for two holes crossed the gap as a delta of %s, and was applied in %s.",
		s.size(deltaFile), s.time("apply"))
	s.say("")
	s.say("%s", s.style.heading("Try next")+"  (the server is gone; the files are in "+s.dir+")")
	archive := s.path(bundleFile)
	for _, words := range [][]string{
		{s.island, "verify", archive, "--key", s.path(publicKey)},
		{s.island, "show", archive, "--images"},
		{s.island, "show", archive, "--why", "nginx"},
		{"tar", "-tvf", archive},
		{"skopeo", "inspect", "oci-archive:" + archive + ":" + someImage(lock)},
		{"podman", "load", "-i", archive},
	} {
		s.prompt(words...)
	}
	return nil
}

func (s *stage) time(command string) string {
	return fmt.Sprintf("%.1f s", s.took[command].Round(100*time.Millisecond).Seconds())
}

// layerBytes returns what the layers of all images hold if each image has its
// own, as an archive for each image would, and if each is there once.
func layerBytes(lock *manifests.Lock) (apart, once manifests.Bytes) {
	sizes := map[manifests.Digest]int64{}
	for _, blob := range lock.Blobs {
		sizes[blob.Digest] = blob.Size
	}
	seen := map[manifests.Digest]bool{}
	for _, image := range lock.Images {
		for _, manifest := range image.Manifests {
			for _, layer := range manifest.Layers {
				apart += manifests.Bytes(sizes[layer])
				if !seen[layer] {
					once += manifests.Bytes(sizes[layer])
				}
				seen[layer] = true
			}
		}
	}
	return apart, once
}

// someImage names an image as it stands in the archive's index.
func someImage(lock *manifests.Lock) string {
	for _, image := range lock.Images {
		if path.Base(image.Name.Repository) == "brig" {
			return image.Name.String()
		}
	}
	return lock.Images[0].Name.String()
}

package sizing

import (
	"slices"

	"github.com/islandbundle/island/manifests"
)

// Footprint is what a release takes, as its lock says.
type Footprint struct {
	// Charts are the charts and lists of the release, by name. Layers that several
	// share are counted in each.
	Charts []ChartFootprint `json:"charts"`
	Images int              `json:"images"`
	// Platform is the one whose images take most.
	Platform manifests.Platform `json:"platform"`
	// Compressed is what all images for that platform take, each blob once. Exact.
	Compressed manifests.Bytes `json:"compressed"`
	// Contents is all that the bundle carries, each blob once: charts, files, and
	// the images of all platforms. The bundle is larger by its headers and tools.
	Contents manifests.Bytes `json:"contents"`
}

// ChartFootprint is what the images of one chart, or of a list of the release, take.
type ChartFootprint struct {
	Name       string          `json:"name"`
	List       bool            `json:"list,omitempty"` // a list of images that no chart names
	Images     int             `json:"images"`
	Compressed manifests.Bytes `json:"compressed"` // each blob once
}

// FootprintOf adds up a lock.
func FootprintOf(lock *manifests.Lock) *Footprint {
	sizes := map[manifests.Digest]int64{}
	total := int64(0)
	for _, blob := range lock.Blobs {
		sizes[blob.Digest] = blob.Size
		total += blob.Size
	}
	for _, chart := range lock.Charts {
		total += chart.Content.Size
	}
	for _, file := range lock.Files {
		total += file.Content.Size
	}
	f := &Footprint{Charts: []ChartFootprint{}, Images: len(lock.Images), Contents: manifests.Bytes(total)}
	for _, platform := range lock.Release.Platforms {
		sum := sumOf(lock.Images, platform, sizes, func(manifests.LockedImage) bool { return true })
		if sum > f.Compressed || f.Platform == (manifests.Platform{}) {
			f.Platform, f.Compressed = platform, sum
		}
	}
	f.Charts = chartFootprints(lock, f.Platform, sizes)
	return f
}

func chartFootprints(lock *manifests.Lock, platform manifests.Platform, sizes map[manifests.Digest]int64) []ChartFootprint {
	type key struct {
		list bool
		name string
	}
	needed := map[key]map[manifests.Digest]bool{}
	for _, image := range lock.Images {
		for _, origin := range image.From {
			k := key{false, origin.Chart}
			if origin.Chart == "" {
				k = key{true, origin.List}
			}
			if needed[k] == nil {
				needed[k] = map[manifests.Digest]bool{}
			}
			needed[k][image.Digest] = true
		}
	}
	list := []ChartFootprint{}
	for k, images := range needed {
		list = append(list, ChartFootprint{
			Name: k.name, List: k.list, Images: len(images),
			Compressed: sumOf(lock.Images, platform, sizes, func(image manifests.LockedImage) bool { return images[image.Digest] }),
		})
	}
	slices.SortFunc(list, func(a, b ChartFootprint) int {
		switch {
		case a.Compressed != b.Compressed:
			return int(min(1, max(-1, b.Compressed-a.Compressed)))
		case a.Name < b.Name:
			return -1
		default:
			return 1
		}
	})
	return list
}

// sumOf adds up the blobs that a node of a platform fetches for some images,
// each once. Of several manifests for the platform it takes one.
func sumOf(
	images []manifests.LockedImage, platform manifests.Platform, sizes map[manifests.Digest]int64, of func(manifests.LockedImage) bool,
) manifests.Bytes {
	seen := map[manifests.Digest]bool{}
	sum := int64(0)
	add := func(digest manifests.Digest) {
		if !seen[digest] {
			seen[digest] = true
			sum += sizes[digest]
		}
	}
	for _, image := range images {
		if !of(image) {
			continue
		}
		m, ok := image.For(platform)
		if !ok {
			continue
		}
		for _, digest := range slices.Concat([]manifests.Digest{image.Digest, m.Digest, m.Config}, image.Indexes, m.Layers) {
			add(digest)
		}
	}
	return manifests.Bytes(sum)
}

package manifests

import (
	"path"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
)

// restLines name what a patch changes beside charts, for which there is no command: files, and
// images of the release's own list. They are comments, since they stand below commands.
func restLines(p LockedPatch, listed []ImageRef) []string {
	var files, images, goneFiles, goneImages, lines []string
	for _, file := range p.Files {
		files = append(files, string(file))
	}
	replaced := map[ImageRef]ImageRef{}
	for _, swap := range p.Images {
		replaced[swap.New] = swap.Old
	}
	for _, image := range listed {
		name := image.String()
		if old, known := replaced[image]; known {
			name += " (" + old.String() + ")"
		}
		images = append(images, name)
	}
	for _, removed := range p.Removed {
		if name, isFile := strings.CutPrefix(removed, "file "); isFile {
			goneFiles = append(goneFiles, path.Join("files", name))
		}
		if name, isImage := strings.CutPrefix(removed, "image "); isImage {
			goneImages = append(goneImages, name)
		}
	}
	for _, part := range []struct {
		code  string
		names []string
	}{
		{"patches.site.files", files}, {"patches.site.files-gone", goneFiles},
		{"patches.site.images", images}, {"patches.site.images-gone", goneImages},
	} {
		if len(part.names) == 0 {
			continue
		}
		for _, language := range words.All() {
			lines = append(lines, "# "+language.Word(part.code))
		}
		for _, name := range part.names {
			lines = append(lines, "#   "+printable.Line(name))
		}
	}
	return lines
}

// listedBy returns the images of the release's own list that patches decided, by patch.
func listedBy(l *Lock) map[string][]ImageRef {
	listed := map[string][]ImageRef{}
	for _, image := range l.Images {
		if slices.ContainsFunc(image.From, func(from Origin) bool { return from.Chart == "" }) {
			listed[image.DecidedBy] = append(listed[image.DecidedBy], image.Name)
		}
	}
	return listed
}

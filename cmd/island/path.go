package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/manifests/fault"
)

// explainMissing says of a file that cannot be opened what lies in its place: a
// bundle is large, and often it arrives in parts, or is not yet built.
func explainMissing(name string, err error, wanted []form) error {
	hint := "give the path of " + anyOf(wanted)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
	case name == "-":
		hint = "only island verify reads standard input; save it to a file"
	case exists(name + bundle.PartialSuffix):
		hint = unfinished(name + bundle.PartialSuffix)
	default:
		if first := firstPartOf(name); first != "" {
			hint = hintOfName(first)
		} else if like := fileLike(name); like != "" {
			hint = "did you mean " + like + "?"
		} else if slices.Contains(wanted, aPrivateKey) {
			hint += "; island keygen makes one"
		}
	}
	return fault.Explain(err, fault.Usage, fault.Here, "", hint)
}

// fileLike returns the file beside one that is missing whose name is most like its.
func fileLike(name string) string {
	folder, base := filepath.Split(name)
	entries, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return ""
	}
	var names []string
	for _, entry := range entries {
		if strings.TrimSuffix(entry.Name(), filepath.Ext(entry.Name())) == base {
			return folder + entry.Name()
		}
		names = append(names, entry.Name())
	}
	if like := nearest.Of(base, names); like != "" {
		return folder + like
	}
	return ""
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func unfinished(name string) string {
	return name + " is what an interrupted island build has finished: run the same island build again"
}

// partEnd ends the name of a part of a divided archive, as split and other
// programs write it: .part-000, .001, .aa.
var partEnd = regexp.MustCompile(`\.(part[-.]?)?([0-9]{1,4}|a[a-z]{1,2})$`)

// hintOfName says what to do with a file that is no whole bundle, and is named as
// if it were only a part of one; else it is empty.
func hintOfName(name string) string {
	if strings.HasSuffix(name, bundle.PartialSuffix) {
		return unfinished(name)
	}
	end := partEnd.FindStringSubmatchIndex(name)
	if end == nil || !strings.HasSuffix(name[:end[0]], ".tar") {
		return ""
	}
	whole, pattern := name[:end[0]], name[:end[4]]+"*"
	return "it is one of several parts; put them together: cat " + pattern + " > " + whole
}

// firstPartOf returns the name of the first part of a file that is there in parts
// alone.
func firstPartOf(name string) string {
	names, err := filepath.Glob(escapeGlob(name) + ".*")
	if err != nil {
		return ""
	}
	for _, part := range names {
		if !strings.HasSuffix(part, bundle.PartialSuffix) && hintOfName(part) != "" {
			return part
		}
	}
	return ""
}

// escapeGlob makes a pattern that matches nothing but this name.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// explainFolder says what a folder is that stands where a file is wanted.
func explainFolder(name string, wanted []form) error {
	what, hint := "a folder", "give the path of "+anyOf(wanted)
	archives, err := filepath.Glob(filepath.Join(escapeGlob(name), "*.tar"))
	switch parts := firstPartIn(name); {
	case exists(filepath.Join(name, bundle.InventoryPath)):
		what, hint = "a folder with what was in a bundle", "give the archive as it was sent: unpacked it cannot be verified"
	case exists(filepath.Join(name, "oci-layout")):
		what, hint = "a folder with an OCI image layout", anImages.hint(name)
	case err == nil && len(archives) > 0:
		hint = "give a file in it, such as " + archives[0]
	case parts != "":
		what, hint = "a folder with parts of a bundle", hintOfName(parts)
	case exists(filepath.Join(name, "Chart.yaml")):
		what, hint = "a chart's folder", "island discover "+name+" finds the images in it"
	}
	return usage(hint, "%s is %s, not %s", name, what, anyOf(wanted))
}

// firstPartIn returns the name of a part of a bundle that is in a folder.
func firstPartIn(folder string) string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	for _, entry := range entries {
		if name := filepath.Join(folder, entry.Name()); hintOfName(name) != "" {
			return name
		}
	}
	return ""
}

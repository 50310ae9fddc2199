package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Chart is a chart whose files have been read and checked. It does not change,
// and may be rendered several times at once.
type Chart struct {
	metadata Metadata
	packed   []*loader.BufferedFile // as they were found
	files    []*loader.BufferedFile // with the archives of subcharts expanded
}

// Metadata is what Chart.yaml says of a chart, as far as an index or a lock
// wants it (Helm documentation, "Charts", "The Chart.yaml File").
type Metadata struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	APIVersion  string `json:"apiVersion"`
	AppVersion  string `json:"appVersion,omitempty"`
	Description string `json:"description,omitempty"`
	Type        string `json:"type,omitempty"`        // application, library, or empty for application
	KubeVersion string `json:"kubeVersion,omitempty"` // range of Kubernetes versions
	Deprecated  bool   `json:"deprecated,omitempty"`
}

// String returns "name version".
func (m Metadata) String() string { return m.Name + " " + m.Version }

// IsLibrary reports whether the chart only holds templates for other charts.
func (m Metadata) IsLibrary() bool { return strings.EqualFold(m.Type, "library") }

// Load reads a chart archive: a gzip-compressed tar with one top folder, as
// `helm package` writes it. Links, devices, names that leave the folder and
// files that are there twice are refused ([ErrForbidden]), and so is whatever
// exceeds a limit of this package ([ErrTooLarge]).
func Load(archive []byte) (*Chart, error) {
	left := newBudget()
	files, err := unpack(archive, left)
	if err != nil {
		return nil, explainLoad(err, fault.Upstream, "chart archive")
	}
	return load(files, left, fault.Upstream, "chart archive")
}

// LoadFolder reads a chart from a folder, leaving out what its .helmignore
// names. A symbolic link that leads out of the folder is refused.
func LoadFolder(folder string) (*Chart, error) {
	read, err := ReadFolder(folder)
	if err != nil {
		return nil, err
	}
	return load(read.files, read.left, fault.Here, "chart "+folder)
}

// Folder is the files of a chart that is kept as a folder, of which only names
// and sizes have been looked at: what is in them nobody has read yet, Chart.yaml
// included. So a process that wants no part of a chart can hand it on.
type Folder struct {
	files []*loader.BufferedFile
	left  *budget
}

// ReadFolder reads the files that [LoadFolder] makes a chart of.
func ReadFolder(folder string) (*Folder, error) {
	left := newBudget()
	files, err := readFolder(folder, left)
	if err != nil {
		return nil, explainLoad(err, fault.Here, "chart "+folder)
	}
	return &Folder{files: files, left: left}, nil
}

// Package returns the files as the archive of a chart of this name, which
// [Chart.Package] would give as well if Chart.yaml says the name.
func (f *Folder) Package(name string) ([]byte, error) { return packageFiles(name, f.files) }

// Digests returns the digest of each file that is packaged, by its path in the chart.
// Unlike that of the archive, they do not depend on who compresses it.
func (f *Folder) Digests() map[string]manifests.Digest {
	digests := map[string]manifests.Digest{}
	for _, file := range f.files {
		digests[file.Name] = manifests.DigestOf(file.Data)
	}
	return digests
}

func load(packed []*loader.BufferedFile, left *budget, side fault.Side, object string) (*Chart, error) {
	files, err := expand(packed, left, 0)
	if err != nil {
		return nil, explainLoad(err, side, object)
	}
	c := &Chart{packed: packed, files: files}
	loaded, err := c.load()
	if err != nil {
		return nil, explainLoad(err, side, object)
	}
	c.metadata = metadataOf(loaded.Metadata)
	return c, nil
}

// load makes a fresh Helm chart of the files. Helm changes a chart while it
// works out dependencies, so that every rendering needs one of its own.
func (c *Chart) load() (loaded *chart.Chart, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("helm cannot load it: %v", r)
		}
	}()
	return loader.LoadFiles(c.files)
}

func explainLoad(err error, side fault.Side, object string) error {
	hint := "helm lint says more about a chart that cannot be loaded"
	switch {
	case errors.Is(err, ErrNotArchive):
		hint = "a chart archive is a .tgz made by helm package; a proxy's error page in its place is the usual cause"
	case errors.Is(err, ErrForbidden):
		hint = "helm package writes plain files in one folder: package the chart again from its sources"
	case errors.Is(err, ErrTooLarge):
		hint = "Helm refuses such a chart on site, too: leave the file out in .helmignore, split it, or package the chart without it"
	}
	return fault.Explain(err, fault.Failure, side, object, hint)
}

func metadataOf(m *chart.Metadata) Metadata {
	return Metadata{
		Name: m.Name, Version: m.Version, APIVersion: m.APIVersion, AppVersion: m.AppVersion,
		Description: m.Description, Type: m.Type, KubeVersion: m.KubeVersion, Deprecated: m.Deprecated,
	}
}

// Metadata returns what Chart.yaml says.
func (c *Chart) Metadata() Metadata { return c.metadata }

// Verify checks that the chart is the one that was asked for: that Chart.yaml
// gives this name, and this version as [manifests.CompareChartVersions] compares
// them. An empty version is not checked.
func (c *Chart) Verify(name, version string) error { return c.metadata.Verify(name, version) }

// Verify does what [Chart.Verify] does, for what is known of a chart.
func (m Metadata) Verify(name, version string) error {
	if m.Name == name && (version == "" || manifests.CompareChartVersions(m.Version, version) != manifests.OtherVersion) {
		return nil
	}
	return fault.New(fault.Failure, fault.Upstream, strings.TrimSpace("chart "+name+" "+version),
		"the repository's index and its archives do not agree, or a mirror serves another chart",
		"the archive holds %s", m)
}

// Package returns the chart as an archive. The same files give the same bytes:
// they are sorted, and carry neither times nor owners.
func (c *Chart) Package() ([]byte, error) { return packageFiles(c.metadata.Name, c.packed) }

func packageFiles(name string, packed []*loader.BufferedFile) ([]byte, error) {
	files := slices.SortedFunc(slices.Values(packed), func(a, b *loader.BufferedFile) int {
		return strings.Compare(packageOrder(a.Name), packageOrder(b.Name))
	})
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	entries := tar.NewWriter(zipped)
	for _, file := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name + "/" + file.Name, Size: int64(len(file.Data)), Mode: 0o644}
		if err := entries.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := entries.Write(file.Data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(entries.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

// packageOrder puts Chart.yaml first: Helm finds it there quickest.
func packageOrder(name string) string {
	if name == "Chart.yaml" {
		return ""
	}
	return name
}

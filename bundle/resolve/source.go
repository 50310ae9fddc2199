package resolve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/manifests/wireapp"
)

// World is where charts, manifests and files are looked up, and where a lock's
// content comes from. [source.Upstream] is one.
type World interface {
	Chart(ctx context.Context, repo, name, version string) (source.Chart, error)
	Manifest(ctx context.Context, ref manifests.ImageRef) (source.Manifest, error)
	Referrers(ctx context.Context, ref manifests.ImageRef) (source.Manifest, error)
	Stat(ctx context.Context, url string) (int64, error)
	Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error)
}

// folderScheme stands before the path of a chart folder whose archive is made
// anew each time, always to the same bytes.
const folderScheme = "folder:"

// Source opens all content that a lock made here can name: what the world has,
// the values files embedded in the program, and charts kept as folders.
type Source struct {
	World    World
	BaseDir  string   // of the release document
	Discover Discover // as in [Options]: a chart's folder has to say its name
}

// Open implements bundle.Source.
func (s Source) Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	var data []byte
	var err error
	if folder, ok := strings.CutPrefix(content.URL, folderScheme); ok {
		data, err = packageFolder(ctx, below(s.BaseDir, folder), s.Discover)
	} else if manifests.HasScheme(content.URL) {
		data, err = readEmbedded(content.URL)
	} else {
		return s.World.Open(ctx, content, offset)
	}
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data[min(offset, int64(len(data))):])), nil
}

// packageFolder packages a chart's folder. The archive's folder has the name that
// Chart.yaml says; who looks into charts reads that.
func packageFolder(ctx context.Context, folder string, look Discover) ([]byte, error) {
	files, err := charts.ReadFolder(folder)
	if err != nil {
		return nil, err
	}
	return packageFiles(ctx, folder, files, look)
}

func packageFiles(ctx context.Context, folder string, files *charts.Folder, look Discover) ([]byte, error) {
	chart, err := NameOfFolder(ctx, folder, files, look)
	if err != nil {
		return nil, err
	}
	return files.Package(chart.Name)
}

// NameOfFolder returns what a chart that is kept as a folder calls itself.
func NameOfFolder(ctx context.Context, folder string, files *charts.Folder, look Discover) (charts.Metadata, error) {
	draft, err := files.Package("chart")
	if err != nil {
		return charts.Metadata{}, err
	}
	if look == nil {
		look = inProcess
	}
	found, err := look(ctx, draft, charts.DiscoverOptions{LoadOnly: true})
	var all []error
	for _, flaw := range fault.All(err) {
		here := *flaw
		here.Side, here.Object = fault.Here, "chart "+folder
		all = append(all, &here)
	}
	if len(all) > 0 {
		err = errors.Join(all...)
	}
	return found.Chart, err
}

func readEmbedded(name string) ([]byte, error) {
	data, err := fs.ReadFile(wireapp.FS(), strings.TrimPrefix(name, manifests.EmbeddedScheme))
	return data, fault.Explain(err, fault.Usage, fault.Here, name, "the lock was made by another version of this program: resolve again")
}

// below returns a path of a release document as one of this machine.
func below(baseDir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(baseDir, filepath.FromSlash(name))
}

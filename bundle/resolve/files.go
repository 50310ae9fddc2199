package resolve

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
)

func (r *resolver) resolveFiles(ctx context.Context) error {
	r.progress.Stage("files", len(r.release.Files)+len(r.release.Values))
	filesErr := each(ctx, r.parallel, r.release.Files, func(ctx context.Context, file manifests.File) error {
		defer r.progress.Step(file.Destination)
		return r.resolveFile(ctx, file)
	})
	valuesErr := each(ctx, 1, r.release.Values, func(_ context.Context, folder manifests.ValuesFolder) error {
		defer r.progress.Step(folder.Path)
		return r.resolveFolder(folder)
	})
	return errors.Join(filesErr, valuesErr)
}

func (r *resolver) resolveFile(ctx context.Context, file manifests.File) error {
	size := int64(file.Size)
	if size == 0 {
		var err error
		if size, err = r.world.Stat(ctx, file.URL); err != nil {
			return err
		}
	}
	mode := uint64(0o644)
	if file.Mode != "" {
		mode, _ = strconv.ParseUint(file.Mode, 8, 32) // its form was checked
	}
	if r.secrets.Has(file.URL) {
		r.progress.Notice("the lock holds " + manifests.RedactURLs(file.URL) + " without what may be a secret in it: " + source.HintSecrets)
	}
	content := manifests.Content{Digest: manifests.Digest("sha256:" + file.SHA256), Size: size, URL: file.URL}
	return r.carry("files/"+file.Destination, fs.FileMode(mode), file.Place(".destination"), content)
}

// resolveFolder takes along every regular file below a folder of values.
func (r *resolver) resolveFolder(folder manifests.ValuesFolder) error {
	files, err := r.inputs.folder(folder.Path)
	if err != nil {
		return err
	}
	for _, file := range files {
		content := manifests.Content{Digest: file.digest, Size: file.size, URL: path.Join(folder.Path, file.name)}
		if err := r.carry(path.Join("values", folder.Destination, file.name), 0o644, folder.Place(""), content); err != nil {
			return err
		}
	}
	return nil
}

func hashFile(name string) (manifests.Digest, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	return manifests.DigestFromSum(sum.Sum(nil)), size, err
}

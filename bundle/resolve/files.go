package resolve

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
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
	root := below(r.baseDir, folder.Path)
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fault.Explain(err, fault.Usage, fault.Here, "", "path is relative to the release document")
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fault.New(fault.Usage, fault.Here, name, "copy what it points to, or leave it out", "not a regular file")
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		digest, size, err := hashFile(name)
		if err != nil {
			return fault.Explain(err, fault.Failure, fault.Here, "", "")
		}
		relative = filepath.ToSlash(relative)
		return r.carry(path.Join("values", folder.Destination, relative), 0o644, folder.Place(""),
			manifests.Content{Digest: digest, Size: size, URL: path.Join(folder.Path, relative)})
	})
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

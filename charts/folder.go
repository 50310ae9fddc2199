package charts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"github.com/islandbundle/island/manifests"
)

// readFolder reads the files of a chart folder as Helm does, .helmignore
// included. Symbolic links are followed inside of the folder; one that leaves
// it is an error, since what it points to is not part of the chart.
func readFolder(folder string, left *budget) ([]*loader.BufferedFile, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	rules, err := ignoreRules(root)
	if err != nil {
		return nil, err
	}
	reader := folderReader{root: root, rules: rules, left: left}
	if err := reader.walk(".", 0); err != nil {
		return nil, err
	}
	return reader.files, nil
}

func ignoreRules(root *os.Root) (*ignore.Rules, error) {
	rules := ignore.Empty()
	data, err := readLimited(root, ignore.HelmIgnore)
	if err == nil {
		rules, err = ignore.Parse(bytes.NewReader(data))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", ignore.HelmIgnore, err)
	}
	rules.AddDefaults()
	return rules, nil
}

type folderReader struct {
	root  *os.Root
	rules *ignore.Rules
	left  *budget
	size  total
	files []*loader.BufferedFile
}

func (r *folderReader) walk(folder string, depth int) error {
	if depth > MaxFolders {
		return fmt.Errorf("%w: %q is nested more than %d folders deep", ErrTooLarge, folder, MaxFolders)
	}
	names, err := r.list(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		name = path.Join(folder, name)
		if err := r.left.takeFile(); err != nil {
			return err
		}
		info, err := r.root.Stat(name)
		if err != nil {
			if link, gone := r.root.Lstat(name); gone == nil && r.rules.Ignore(name, link) {
				continue
			}
			return r.linkError(name, err)
		}
		switch {
		case r.rules.Ignore(name, info):
		case info.IsDir():
			if err := r.walk(name, depth+1); err != nil {
				return err
			}
		case !info.Mode().IsRegular():
			return fmt.Errorf("%w: %q is not a regular file", ErrForbidden, name)
		default:
			if err := r.read(name, info.Size()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *folderReader) list(folder string) ([]string, error) {
	opened, err := r.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	names, err := opened.Readdirnames(MaxFiles + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

func (r *folderReader) read(name string, size int64) error {
	if _, err := checkName(name); err != nil {
		return err
	}
	if err := r.size.fits(name, size); err != nil {
		return err
	}
	data, err := readLimited(r.root, name)
	if err != nil {
		return err
	}
	if err := r.size.add(name, int64(len(data))); err != nil { // it may have grown
		return err
	}
	r.left.bytes -= int64(len(data))
	r.files = append(r.files, &loader.BufferedFile{Name: name, Data: trimBOM(data)})
	return nil
}

// linkError says what is wrong with a link that cannot be followed; the
// operating system's own error does not say where it leads.
func (r *folderReader) linkError(name string, err error) error {
	target, linkErr := r.root.Readlink(name)
	if linkErr != nil {
		return err
	}
	if strings.Contains(err.Error(), "escapes") {
		return fmt.Errorf("%w: symbolic link %q to %q leaves the chart's folder", ErrForbidden, name, target)
	}
	return fmt.Errorf("%w: symbolic link %q to %q: %w", ErrForbidden, name, target, err)
}

func readLimited(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%w: %q is larger than %s", ErrTooLarge, name, manifests.Bytes(MaxFile))
	}
	return data, nil
}

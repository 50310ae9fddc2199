package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/islandbundle/island/internal/plaintar"
	"github.com/islandbundle/island/manifests"
)

// The faults of an archive, for errors.Is.
var (
	ErrTooLarge   = errors.New("chart exceeds a limit")
	ErrForbidden  = errors.New("chart holds an entry that is not allowed")
	ErrNotArchive = errors.New("not a chart archive")
)

// budget is what may still be unpacked. The archives of subcharts draw on the
// budget of the archive that holds them, so that nesting multiplies nothing.
type budget struct {
	bytes int64
	files int
}

func newBudget() *budget { return &budget{bytes: MaxNested, files: MaxFiles} }

func (b *budget) takeFile() error {
	if b.files--; b.files < 0 {
		return fmt.Errorf("%w: more than %d files", ErrTooLarge, MaxFiles)
	}
	return nil
}

// reader returns what r gives and stops with an error when the budget is spent:
// a decompression bomb is stopped while it unpacks, whatever its headers say.
func (b *budget) reader(r io.Reader) io.Reader { return &budgetReader{from: r, budget: b} }

type budgetReader struct {
	from   io.Reader
	budget *budget
}

func (r *budgetReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.budget.bytes -= int64(n); r.budget.bytes < 0 {
		return 0, fmt.Errorf("%w: unpacks, subcharts included, to more than %s", ErrTooLarge, manifests.Bytes(MaxNested))
	}
	return n, err
}

// unpack reads a gzip-compressed tar of one top folder and gives its files by
// their names inside of it (Helm documentation, "Charts", "The Chart File
// Structure"). Archives of subcharts stay as they are.
func unpack(archive []byte, left *budget) ([]*loader.BufferedFile, error) {
	if len(archive) > MaxArchive {
		return nil, fmt.Errorf("%w: archive of %s is larger than %s", ErrTooLarge, manifests.Bytes(len(archive)), manifests.Bytes(MaxArchive))
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotArchive, err)
	}
	entries := plaintar.NewReader(left.reader(unzipped))
	var files []*loader.BufferedFile
	var size total
	seen := map[string]bool{}
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, plaintar.ErrSparse) {
			return nil, fmt.Errorf("%w: %.200q is a %w", ErrForbidden, header.Name, err)
		}
		if err != nil {
			return nil, brokenArchive(err)
		}
		if err := left.takeFile(); err != nil {
			return nil, err
		}
		name, err := checkEntry(header)
		if err != nil {
			return nil, err
		}
		if name == "" {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("%w: %q is there twice", ErrForbidden, header.Name)
		}
		seen[name] = true
		// What is read counts; what the header says can only be too much at once.
		if err := size.fits(header.Name, header.Size); err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(entries, MaxFile+1))
		if err != nil {
			return nil, brokenArchive(err)
		}
		if err := size.add(header.Name, int64(len(data))); err != nil {
			return nil, err
		}
		files = append(files, &loader.BufferedFile{Name: name, Data: trimBOM(data)})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no file in it", ErrNotArchive)
	}
	return files, nil
}

// total is how many bytes the files of one archive or folder have together.
type total int64

// fits refuses a file that Helm would not read, or nothing beyond it.
func (t *total) fits(name string, size int64) error {
	if size > MaxFile {
		return fmt.Errorf("%w: %q has %d bytes, more than %s", ErrTooLarge, name, size, manifests.Bytes(MaxFile))
	}
	if *t+total(size) >= MaxUnpacked {
		return fmt.Errorf("%w: its files, %q among them, have together %s or more", ErrTooLarge, name, manifests.Bytes(MaxUnpacked))
	}
	return nil
}

// add counts a file in that fits.
func (t *total) add(name string, size int64) error {
	err := t.fits(name, size)
	*t += total(size)
	return err
}

func brokenArchive(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotArchive, err)
}

// checkEntry returns the name of a file inside of the chart, and nothing for an
// entry that holds no file.
func checkEntry(header *tar.Header) (string, error) {
	if len(header.Name) > MaxNameBytes {
		return "", fmt.Errorf("%w: name %.40q… is longer than %d bytes", ErrTooLarge, header.Name, MaxNameBytes)
	}
	if header.Typeflag == tar.TypeXGlobalHeader {
		return "", nil
	}
	if _, err := checkName(header.Name); err != nil {
		return "", err
	}
	switch {
	case header.FileInfo().IsDir():
		return "", nil
	case header.Typeflag != tar.TypeReg:
		return "", fmt.Errorf("%w: %q is a %s", ErrForbidden, header.Name, kindOfEntry(header.Typeflag))
	}
	return nameInside(header.Name)
}

// nameInside returns the name that Helm gives to an entry of an archive: what
// follows its first slash, or its first backslash where it has any, whatever the
// folder is called (helm.sh/helm/v3/pkg/chart/loader, LoadArchiveFiles). So
// ./Chart.yaml is a chart's, and ./app/Chart.yaml is not.
func nameInside(name string) (string, error) {
	delimiter := "/"
	if strings.Contains(name, `\`) {
		delimiter = `\`
	}
	folder, inside, _ := strings.Cut(name, delimiter)
	inside = strings.ReplaceAll(inside, delimiter, "/")
	clean := path.Clean(inside)
	switch {
	case folder == "Chart.yaml" || clean == ".":
		return "", fmt.Errorf("%w: %q lies outside of the chart's folder", ErrForbidden, name)
	case strings.HasPrefix(inside, "/"):
		return "", fmt.Errorf("%w: %q is absolute inside of the chart's folder", ErrForbidden, name)
	case strings.HasPrefix(clean, ".."):
		return "", fmt.Errorf("%w: name %q begins with two dots inside of the chart's folder", ErrForbidden, name)
	}
	return clean, nil
}

// checkName refuses a name that leaves the folder, on any operating system,
// and returns it clean and with slashes. Helm packaged on Windows once wrote
// backslashes, and Helm reads them.
func checkName(name string) (string, error) {
	slashed := strings.ReplaceAll(name, `\`, "/")
	switch {
	case strings.ContainsFunc(slashed, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }):
		return "", fmt.Errorf("%w: name %q holds a control character or is not UTF-8", ErrForbidden, name)
	case strings.HasPrefix(slashed, "/") || hasDrive(slashed):
		return "", fmt.Errorf("%w: name %q is absolute", ErrForbidden, name)
	}
	for part := range strings.SplitSeq(slashed, "/") {
		if part == ".." || hasDrive(part+"/") {
			return "", fmt.Errorf("%w: name %q leaves the chart's folder", ErrForbidden, name)
		}
	}
	return path.Clean(slashed), nil
}

func hasDrive(name string) bool {
	return len(name) >= 3 && name[1] == ':' && name[2] == '/'
}

func kindOfEntry(flag byte) string {
	switch flag {
	case tar.TypeLink:
		return "hard link"
	case tar.TypeSymlink:
		return "symbolic link"
	case tar.TypeChar, tar.TypeBlock:
		return "device"
	case tar.TypeFifo:
		return "named pipe"
	default:
		return fmt.Sprintf("tar entry of type %q", flag)
	}
}

// expand puts the files of subcharts that are archives in the place of the
// archives. Helm would unpack them itself, but with limits of its own and
// without the checks made here.
func expand(files []*loader.BufferedFile, left *budget, depth int) ([]*loader.BufferedFile, error) {
	var all []*loader.BufferedFile
	for _, file := range files {
		if !isSubchartArchive(file.Name) {
			all = append(all, file)
			continue
		}
		if depth >= MaxNesting {
			return nil, fmt.Errorf("%w: subchart %s is nested more than %d archives deep", ErrTooLarge, file.Name, MaxNesting)
		}
		inner, err := unpack(file.Data, left)
		if err != nil {
			return nil, fmt.Errorf("subchart %s: %w", file.Name, err)
		}
		if inner, err = expand(inner, left, depth+1); err != nil {
			return nil, fmt.Errorf("subchart %s: %w", file.Name, err)
		}
		for _, f := range inner {
			// The suffix keeps the folder apart from one of the same name, and
			// from what Helm takes for an archive.
			all = append(all, &loader.BufferedFile{Name: file.Name + ".d/" + f.Name, Data: f.Data})
		}
	}
	return all, nil
}

// isSubchartArchive reports whether Helm would unpack the file as a subchart:
// charts/NAME.tgz, of the chart itself or of a subchart that is a folder. Helm
// passes over names that begin with a dot or an underscore.
func isSubchartArchive(name string) bool {
	parts := strings.Split(name, "/")
	if len(parts)%2 != 0 {
		return false
	}
	for i := 0; i < len(parts); i += 2 {
		last := i+2 == len(parts)
		archive := path.Ext(parts[i+1]) == ".tgz"
		if parts[i] != "charts" || archive != last || strings.IndexAny(parts[i+1], "_.") == 0 {
			return false
		}
	}
	return true
}

func trimBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")) }

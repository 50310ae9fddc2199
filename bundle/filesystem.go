package bundle

import (
	"cmp"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/islandbundle/island/manifests"
)

// FS returns the entries of the archive as a file system. What is read of its
// files is checked as [Bundle.OpenEntry] checks it. Files have the mode that the
// inventory says, all have the date of the release, and Sys returns a file's
// [Entry]. bundle.json and its signatures, which are no entries, are not in it.
func (b *Bundle) FS() fs.FS {
	f := &fileSystem{bundle: b, folders: map[string][]fs.DirEntry{".": nil}}
	for _, entry := range b.contents.entries {
		f.add(string(entry.Path), fs.FileInfoToDirEntry(b.info(entry)))
	}
	for _, list := range f.folders {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	}
	return f
}

// fileSystem is the view of a bundle as files in folders. No entry has the name of a
// folder: an inventory with one is not read.
type fileSystem struct {
	bundle  *Bundle
	folders map[string][]fs.DirEntry
}

// add lists a file, and the folders above it that are not listed yet.
func (f *fileSystem) add(name string, listed fs.DirEntry) {
	for {
		parent := path.Dir(name)
		_, known := f.folders[parent]
		f.folders[parent] = append(f.folders[parent], listed)
		if known {
			return
		}
		name, listed = parent, fs.FileInfoToDirEntry(f.bundle.folderInfo(parent))
	}
}

// Open implements [fs.FS].
func (f *fileSystem) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if entry, ok := f.bundle.Entry(manifests.EntryPath(name)); ok {
		reader, err := f.bundle.OpenEntry(entry.Path)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &openFile{reader, f.bundle.info(entry)}, nil
	}
	if list, ok := f.folders[name]; ok {
		return &openFolder{info: f.bundle.folderInfo(name), left: list}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type openFile struct {
	io.ReadCloser
	info fileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

type openFolder struct {
	info fileInfo
	left []fs.DirEntry
}

func (f *openFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFolder) Close() error               { return nil }

func (f *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (f *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.left)
	} else if len(f.left) == 0 {
		return nil, io.EOF
	}
	list := slices.Clone(f.left[:min(n, len(f.left))])
	f.left = f.left[len(list):]
	return list, nil
}

// fileInfo is what is known of a file or a folder.
type fileInfo struct {
	name  string
	mode  fs.FileMode
	date  time.Time
	entry *Entry // nil for a folder
}

func (b *Bundle) info(entry Entry) fileInfo {
	date := b.Inventory.Lock.Release.Date.Time()
	return fileInfo{path.Base(string(entry.Path)), fs.FileMode(entry.mode()), date, &entry}
}

func (b *Bundle) folderInfo(name string) fileInfo {
	return fileInfo{path.Base(name), fs.ModeDir | 0o755, b.Inventory.Lock.Release.Date.Time(), nil}
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.date }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }

func (i fileInfo) Size() int64 {
	if i.entry == nil {
		return 0
	}
	return i.entry.Size
}

func (i fileInfo) Sys() any {
	if i.entry == nil {
		return nil
	}
	return *i.entry
}

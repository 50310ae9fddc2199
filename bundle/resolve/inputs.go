package resolve

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// SaltSuffix follows the name of a file with secrets in that of its salt, without which
// its signed digest says nothing about it.
const SaltSuffix = ".salt"

// maxSalt is how many bytes of a salt are read.
const maxSalt = 1 << 10

// inputs reads the local files that documents name. What a signed document names has
// to be what was signed with it, and that is checked on the very bytes that are used. A
// file that is used twice is read once, so that both uses are of one content.
type inputs struct {
	baseDir string
	bound   map[string][]boundPath // by path on this machine

	mu   sync.Mutex
	read map[string][]byte
}

// boundPath is what a signed document says of a path that it names.
type boundPath struct {
	manifests.LocalPath
	name string // the path, as it starts at the release
	is   manifests.Binding
}

func newInputs(baseDir string) *inputs {
	return &inputs{baseDir: baseDir, bound: map[string][]boundPath{}, read: map[string][]byte{}}
}

// bind demands that paths are what bindings say, and refuses those of which they say
// nothing. The paths are given as the document names them, and as they start at the
// release.
func (in *inputs) bind(named, rebased []manifests.LocalPath, bindings *manifests.Bindings) error {
	var errs []error
	for i, local := range named {
		is, ok := bindings.Of(local.Path)
		if !ok {
			errs = append(errs, refusedPath(local, "it was not signed along with the document that names it"))
			continue
		}
		at := below(in.baseDir, rebased[i].Path)
		in.bound[at] = append(in.bound[at], boundPath{local, rebased[i].Path, is})
	}
	return errors.Join(errs...)
}

func refusedPath(local manifests.LocalPath, format string, args ...any) error {
	err := fault.New(fault.Refused, fault.Here, local.Path,
		"get it again from whoever signed the document; if it was changed on purpose, they sign the document again", format, args...)
	err.Place = local.Place
	return err
}

// checkAll looks at all that is bound, so that what differs is told before anything is
// fetched. It is checked again when it is used.
func (in *inputs) checkAll() error {
	var errs []error
	for _, at := range slices.Sorted(maps.Keys(in.bound)) {
		first := in.bound[at][0]
		if _, err := in.state(first.name, first.Kind); err != nil {
			errs = append(errs, placed(first.LocalPath, err))
		}
	}
	return errors.Join(errs...)
}

// placed tells where what cannot be read is named, unless the error says it.
func placed(local manifests.LocalPath, err error) error {
	if explained := (*fault.Error)(nil); errors.As(err, &explained) && explained.Place == (fault.Place{}) && fault.All(err)[0] == explained {
		at := *explained
		at.Place = local.Place
		return &at
	}
	return err
}

// state reads what is behind a path, as it is used.
func (in *inputs) state(name string, kind manifests.LocalKind) (content, error) {
	switch kind {
	case manifests.LocalChart:
		data, folder, err := in.chart(name)
		if err != nil || folder == nil {
			return content{data: data}, err
		}
		return content{files: folder.Digests()}, nil
	case manifests.LocalFolder:
		files, err := in.folder(name)
		return content{files: digestsOf(files)}, err
	default:
		data, err := in.file(name)
		return content{data: data}, err
	}
}

// content is what a file or a folder holds.
type content struct {
	data  []byte
	files map[string]manifests.Digest // of a folder; else nil
}

// check refuses what is not as the documents that name it say.
func (in *inputs) check(at string, is content) error {
	var errs []error
	for _, b := range in.bound[at] {
		errs = append(errs, b.check(at, is))
	}
	return errors.Join(errs...)
}

func (b boundPath) check(at string, is content) error {
	switch {
	case (b.is.Files != nil) != (is.files != nil):
		return refusedPath(b.LocalPath, "it was another kind of thing when the document was signed: a folder is a file, or a file a folder")
	case is.files != nil:
		return b.checkFiles(is.files)
	case b.is.Salted != "":
		return b.checkSecret(at, is.data)
	}
	if digest := manifests.DigestOf(is.data); digest != b.is.Digest {
		return refusedPath(b.LocalPath, "it has digest %s, and %s was signed", digest, b.is.Digest)
	}
	return nil
}

func (b boundPath) checkFiles(have map[string]manifests.Digest) error {
	for _, name := range slices.Sorted(maps.Keys(b.is.Files)) {
		switch digest, ok := have[name]; {
		case !ok:
			return refusedPath(b.LocalPath, "its file %q, which was signed, is not there", name)
		case digest != b.is.Files[name]:
			return refusedPath(b.LocalPath, "its file %q has digest %s, and %s was signed", name, digest, b.is.Files[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := b.is.Files[name]; !ok {
			return refusedPath(b.LocalPath, "its file %q was not there when the document was signed", name)
		}
	}
	return nil
}

// checkSecret compares a file with secrets by its salt. Neither digest is told: who
// knows the salt could try out what the file may hold.
func (b boundPath) checkSecret(at string, data []byte) error {
	name := filepath.Base(at) + SaltSuffix
	salt, err := manifests.ReadRegular(at+SaltSuffix, maxSalt)
	if errors.Is(err, fs.ErrNotExist) {
		return refusedPath(b.LocalPath, "its salt is not there, which lies beside it as %s since the document was signed", name)
	}
	if err != nil {
		return fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	if digest, err := manifests.SaltedDigest(salt, data); err != nil || digest != b.is.Salted {
		return refusedPath(b.LocalPath, "it is not what was signed, or %s is not its salt", name)
	}
	return nil
}

// file reads a values file or a key.
func (in *inputs) file(name string) ([]byte, error) {
	if manifests.HasScheme(name) {
		return readEmbedded(name)
	}
	at := below(in.baseDir, name)
	in.mu.Lock()
	defer in.mu.Unlock()
	if data, ok := in.read[at]; ok {
		return data, nil
	}
	data, err := manifests.ReadFile(at)
	if err == nil {
		err = in.check(at, content{data: data})
	}
	if err != nil {
		return nil, err
	}
	in.read[at] = data
	return data, nil
}

// chart reads the archive of a chart, or the files of its folder.
func (in *inputs) chart(name string) ([]byte, *charts.Folder, error) {
	at := below(in.baseDir, name)
	info, err := os.Stat(at)
	if err != nil {
		return nil, nil, fault.Explain(err, fault.Usage, fault.Here, "", "path is relative to the release document")
	}
	if info.IsDir() {
		folder, err := charts.ReadFolder(at)
		if err == nil {
			err = in.check(at, content{files: folder.Digests()})
		}
		return nil, folder, err
	}
	data, err := manifests.ReadRegular(at, charts.MaxArchive)
	if err == nil {
		err = in.check(at, content{data: data})
	}
	return data, nil, fault.Explain(err, fault.Usage, fault.Here, "", "a chart archive is a .tgz made by helm package")
}

// archive returns the archive of a chart, made if that is kept as a folder, and where
// it can be had again.
func (in *inputs) archive(ctx context.Context, name string, look Discover) (archive []byte, url string, err error) {
	archive, folder, err := in.chart(name)
	if err != nil || folder == nil {
		return archive, name, err
	}
	archive, err = packageFiles(ctx, below(in.baseDir, name), folder, look)
	return archive, folderScheme + name, err
}

// folderFile is a file of a folder of values.
type folderFile struct {
	name   string // within the folder, with slashes
	digest manifests.Digest
	size   int64
}

// folder lists the files of a folder, of which all have to be regular.
func (in *inputs) folder(name string) ([]folderFile, error) {
	root := below(in.baseDir, name)
	var files []folderFile
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fault.Explain(err, fault.Usage, fault.Here, "", "path is relative to the release document")
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fault.New(fault.Usage, fault.Here, file, "copy what it points to, or leave it out", "not a regular file")
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		digest, size, err := hashFile(file)
		if err != nil {
			return fault.Explain(err, fault.Failure, fault.Here, "", "")
		}
		files = append(files, folderFile{filepath.ToSlash(relative), digest, size})
		return nil
	})
	if err == nil {
		err = in.check(root, content{files: digestsOf(files)})
	}
	return files, err
}

func digestsOf(files []folderFile) map[string]manifests.Digest {
	digests := map[string]manifests.Digest{}
	for _, file := range files {
		digests[file.name] = file.digest
	}
	return digests
}

// keys reads the public keys that a document's policy names.
func (in *inputs) keys(names []string) ([]signature.PublicKey, error) {
	var keys []signature.PublicKey
	for _, name := range names {
		data, err := in.file(name)
		if err == nil && len(data) > signature.MaxKeyFileSize {
			err = errors.New("file is too large for a key")
		}
		if err != nil {
			return nil, fault.Explain(err, fault.Usage, fault.Here, name, "a key of the policy is named relative to its document")
		}
		key, err := signature.ParsePublicKey(below(in.baseDir, name), data)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// forged is a bundle of somebody else's making: it is put together with
// archive/tar, not by this package, and its inventory is signed by the right
// key, whatever it says.
type forged struct {
	inventory bundle.Inventory
	front     []forgedEntry // before bundle.json
	entries   []forgedEntry // behind the signatures, as they stand in the archive
	text      []byte        // bundle.json, if it is not the inventory's encoding
	mtime     time.Time
	own       []string // entries that a test has replaced: they stay as they are
}

type forgedEntry struct {
	header  tar.Header
	content []byte
}

// forge takes a whole bundle apart, for a test to change and put together.
func forge(t testing.TB, archive []byte) *forged {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(archive))
	f := &forged{}
	for i := 0; ; i++ {
		header, err := r.Next()
		if err == io.EOF {
			return f
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch i {
		case 0:
			f.mtime = header.ModTime
			if err := json.Unmarshal(content, &f.inventory); err != nil {
				t.Fatal(err)
			}
		case 1:
		default:
			f.entries = append(f.entries, forgedEntry{*header, content})
		}
	}
}

// seal signs and writes the archive.
func (f *forged) seal(t testing.TB) []byte {
	t.Helper()
	f.nameAgain()
	text := f.text
	if text == nil {
		var err error
		if text, err = manifests.EncodeJSON(f.inventory); err != nil {
			t.Fatal(err)
		}
	}
	private, _ := testKey(t, "sender")
	signed, err := signature.Sign(private, sha256.Sum256(text))
	if err != nil {
		t.Fatal(err)
	}
	if signed, err = bundle.Pad(signed); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	all := append(slices.Clone(f.front), f.plain("bundle.json", text), f.plain("bundle.sigstore.json", signed))
	for _, entry := range append(all, f.entries...) {
		if err := w.WriteHeader(&entry.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(entry.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func (f *forged) plain(path string, content []byte) forgedEntry {
	return forgedEntry{tar.Header{
		Name: path, Mode: 0o644, Size: int64(len(content)), ModTime: f.mtime, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
	}, content}
}

func (f *forged) at(path string) int {
	i := slices.IndexFunc(f.entries, func(e forgedEntry) bool { return e.header.Name == path })
	if i < 0 {
		panic("no entry " + path)
	}
	return i
}

// replace returns an entry other content, in the inventory too.
func (f *forged) replace(path string, content []byte) {
	f.own = append(f.own, path)
	f.put(path, content)
}

// nameAgain makes the indexes name what the lock now says, but for those that a test
// has replaced.
func (f *forged) nameAgain() {
	for path, content := range bundle.IndexesOf(&f.inventory.Lock) {
		there := slices.ContainsFunc(f.entries, func(e forgedEntry) bool { return e.header.Name == path })
		if there && !slices.Contains(f.own, path) && len(f.inventory.Entries) == len(f.entries) {
			f.put(path, content)
		}
	}
}

func (f *forged) put(path string, content []byte) {
	i := f.at(path)
	f.entries[i].content, f.entries[i].header.Size = content, int64(len(content))
	f.inventory.Entries[i].Digest, f.inventory.Entries[i].Size = manifests.DigestOf(content), int64(len(content))
}

// remove takes an entry out, of the inventory too.
func (f *forged) remove(path string) {
	i := f.at(path)
	f.entries = slices.Delete(f.entries, i, i+1)
	f.inventory.Entries = slices.Delete(f.inventory.Entries, i, i+1)
}

// move puts an entry before another, in the inventory too.
func (f *forged) move(path, before string) {
	i := f.at(path)
	entry, listed := f.entries[i], f.inventory.Entries[i]
	f.remove(path)
	j := f.at(before)
	f.entries = slices.Insert(f.entries, j, entry)
	f.inventory.Entries = slices.Insert(f.inventory.Entries, j, listed)
}

// add puts an entry at the end, in the inventory too.
func (f *forged) add(path string, content []byte) {
	f.entries = append(f.entries, f.plain(path, content))
	f.inventory.Entries = append(f.inventory.Entries, bundle.Entry{
		Path: manifests.EntryPath(path), Size: int64(len(content)), Digest: manifests.DigestOf(content),
	})
}

// swapBlob replaces a blob by another one everywhere that the lock knows.
func (f *forged) swapBlob(old manifests.Digest, content []byte) {
	digest, path := manifests.DigestOf(content), bundle.BlobsFolder+manifests.DigestOf(content).Hex()
	i := f.at(bundle.BlobsFolder + old.Hex())
	f.replace(f.entries[i].header.Name, content)
	f.entries[i].header.Name = path
	f.inventory.Entries[i].Path = manifests.EntryPath(path)
	for i := range f.inventory.Lock.Blobs {
		if blob := &f.inventory.Lock.Blobs[i]; blob.Digest == old {
			blob.Digest, blob.Size = digest, int64(len(content))
		}
	}
	for i := range f.inventory.Lock.Images {
		image := &f.inventory.Lock.Images[i]
		if image.Digest == old {
			image.Digest, image.Size = digest, int64(len(content))
		}
		for j := range image.Manifests {
			if image.Manifests[j].Digest == old {
				image.Manifests[j].Digest = digest
			}
		}
	}
}

// respell writes the inventory with another text in the place of one.
func (f *forged) respell(t testing.TB, old, new string) {
	t.Helper()
	text, err := manifests.EncodeJSON(f.inventory)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		t.Fatalf("%q is not in the inventory (%v)", old, err)
	}
	f.text = bytes.Replace(text, []byte(old), []byte(new), 1)
}

// dropBlob takes a blob out, of the lock too.
func (f *forged) dropBlob(digest manifests.Digest) {
	f.remove(bundle.BlobsFolder + digest.Hex())
	lock := &f.inventory.Lock
	lock.Blobs = slices.DeleteFunc(lock.Blobs, func(b manifests.Content) bool { return b.Digest == digest })
	for i := range lock.Images {
		for j := range lock.Images[i].Manifests {
			m := &lock.Images[i].Manifests[j]
			m.Layers = slices.DeleteFunc(m.Layers, func(d manifests.Digest) bool { return d == digest })
		}
	}
}

func (f *forged) image() *manifests.LockedImage { return &f.inventory.Lock.Images[0] }

// rewrite changes the text of a manifest or index, and all that names it.
func (f *forged) rewrite(digest manifests.Digest, old, new string) {
	text := string(f.entries[f.at(bundle.BlobsFolder+digest.Hex())].content)
	if !strings.Contains(text, old) {
		panic(old + " is not in " + text)
	}
	changed := strings.Replace(text, old, new, 1)
	f.swapBlob(digest, []byte(changed))
	if image := f.image(); image.Manifests[0].Digest == manifests.DigestOf([]byte(changed)) && image.Digest != image.Manifests[0].Digest {
		index := f.entries[f.at(bundle.BlobsFolder+image.Digest.Hex())].content
		var parsed map[string]any
		if err := json.Unmarshal(index, &parsed); err != nil {
			panic(err)
		}
		first := parsed["manifests"].([]any)[0].(map[string]any)
		first["digest"], first["size"] = manifests.DigestOf([]byte(changed)), len(changed)
		f.swapBlob(image.Digest, toJSON(parsed))
	}
}

func TestForgeryThatChangesNothingIsAccepted(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	if again := forge(t, archive).seal(t); !bytes.Equal(again, archive) {
		t.Error("archive/tar writes another archive for the same entries")
	}
	f := forge(t, archive)
	f.rewrite(f.image().Manifests[0].Digest, `"schemaVersion":2`, `"schemaVersion":2,"annotations":{}`)
	wantAccepted(t, f.seal(t), trust(t, "sender"))
}

// The right key has signed all of these inventories.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	archive := build(t, w.plan(t, options(t)), w.source())
	layerDigest := w.lock.Images[0].Manifests[0].Layers[0]
	configDigest := w.lock.Images[0].Manifests[0].Config
	manifestDigest := w.lock.Images[0].Manifests[0].Digest
	indexDigest := w.lock.Images[0].Digest
	blobs := func(d manifests.Digest) string { return bundle.BlobsFolder + d.Hex() }

	tests := []struct {
		name   string
		change func(f *forged)
		texts  []string
	}{
		// Archives that are not what their inventory says.
		{"an entry that is not listed, at the end", func(f *forged) { f.entries = append(f.entries, f.plain("files/evil", []byte("x"))) },
			[]string{"end of archive"}},
		{"an entry that is not listed, in between", func(f *forged) {
			f.entries = slices.Insert(f.entries, 3, f.plain("tools/linux-amd64/evil", []byte("x")))
		}, nil},
		{"an entry in front of bundle.json", func(f *forged) { f.front = []forgedEntry{f.plain("README.md", nil)} },
			[]string{"bundle.json", "first entry"}},
		{"bundle.json twice", func(f *forged) { f.front = []forgedEntry{f.plain("bundle.json", []byte("{}"))} },
			[]string{"bundle.sigstore.json"}},
		{"a signature entry that is not listed", func(f *forged) {
			f.entries = slices.Insert(f.entries, 0, f.plain("bundle.evil.sigstore.json", bundle.BlankSlot()))
		}, []string{"2 signature entries, the inventory lists 1"}},
		{"an entry twice", func(f *forged) { f.entries = slices.Insert(f.entries, 3, f.entries[2]) }, nil},
		{"two entries in the other's place", func(f *forged) {
			f.entries[f.at("oci-layout")], f.entries[f.at("index.json")] = f.entries[f.at("index.json")], f.entries[f.at("oci-layout")]
		}, nil},
		{"an entry that is missing", func(f *forged) { f.entries = slices.Delete(f.entries, 4, 5) }, nil},
		{"an entry under another name", func(f *forged) { f.entries[2].header.Name = "tools/linux-amd64/isl4nd" },
			[]string{"tools/linux-amd64/island", "tar header"}},
		{"a climbing name", func(f *forged) { f.entries[2].header.Name = "../../../linux-amd64/x" },
			[]string{"tools/linux-amd64/island", "tar header"}},
		{"another mode", func(f *forged) { f.entries[2].header.Mode = 0o4755 }, []string{"tools/linux-amd64/island", "tar header"}},
		{"another owner", func(f *forged) { f.entries[2].header.Uid = 1000 }, []string{"tools/linux-amd64/island", "tar header"}},
		{"another time", func(f *forged) { f.entries[2].header.ModTime = time.Unix(1, 0) }, []string{"tools/linux-amd64/island", "tar header"}},
		{"a link", func(f *forged) {
			e := &f.entries[f.at("files/kubectl")]
			e.header.Typeflag, e.header.Linkname, e.header.Size, e.content = tar.TypeSymlink, "/etc/passwd", 0, nil
		}, []string{}},
		{"a hard link", func(f *forged) {
			e := &f.entries[f.at("files/kubectl")]
			e.header.Typeflag, e.header.Linkname, e.header.Size, e.content = tar.TypeLink, "README.txt", 0, nil
		}, []string{}},
		{"a folder", func(f *forged) {
			f.entries = slices.Insert(f.entries, 2,
				forgedEntry{tar.Header{Name: "tools/", Mode: 0o755, Typeflag: tar.TypeDir, ModTime: f.mtime, Format: tar.FormatUSTAR}, nil})
		}, nil},
		{"a device", func(f *forged) {
			e := &f.entries[f.at("files/kubectl")]
			e.header.Typeflag, e.header.Size, e.content = tar.TypeBlock, 0, nil
		}, []string{}},
		{"a PAX header that is not needed", func(f *forged) {
			f.entries[2].header.Format, f.entries[2].header.PAXRecords = tar.FormatPAX, map[string]string{"comment": "x"}
		}, nil},

		// Inventories that are wrong in themselves.
		{"inventory of another kind", func(f *forged) { f.inventory.Kind = "Lock" }, []string{"bundle.json", "Lock"}},
		{"inventory in a later format", func(f *forged) { f.inventory.Format = 3 }, []string{"bundle.json", "format 3"}},
		{"inventory in format 2 with a lock for format 1", func(f *forged) { f.inventory.Format = 2 }, []string{"bundle.json", "format 2"}},
		{"inventory in format 1 with a lock for format 2", func(f *forged) { f.inventory.Lock.Format = 2 }, []string{"bundle.json", "format 1"}},
		{"inventory in no format", func(f *forged) { f.inventory.Format = 0 }, []string{"bundle.json", "format 0"}},
		{"inventory in a later format with more members", func(f *forged) {
			f.text = []byte(`{"apiVersion":"island/v1","kind":"Bundle","format":7,"surprise":{}}`)
		}, []string{"bundle.json", "format 7", "reads formats 1 to 2"}},
		{"inventory that is no JSON", func(f *forged) { f.text = []byte("\x00") }, []string{"bundle.json", "not readable"}},
		{"empty inventory", func(f *forged) { f.text = []byte{} }, []string{"bundle.json"}},
		{"inventory with an unknown field", func(f *forged) { f.text = []byte(`{"surprise":1}`) }, []string{"bundle.json", "surprise"}},
		{"climbing path", func(f *forged) { f.inventory.Entries[2].Path = "tools/../../x" }, []string{"bundle.json", "clean relative path"}},
		{"absolute path", func(f *forged) { f.inventory.Entries[2].Path = "/tools/x" }, []string{"bundle.json", "clean relative path"}},
		{"path that is too long", func(f *forged) {
			f.inventory.Entries[2].Path = manifests.EntryPath("tools/" + strings.Repeat("x", 250))
		}, []string{"bundle.json", "longer than 255"}},
		{"path without a path", func(f *forged) { f.inventory.Entries[2].Path = "" }, []string{"bundle.json", "empty"}},
		{"entry that nobody knows", func(f *forged) { f.add("etc/cron.d/evil", []byte("x")) }, []string{"bundle.json", "etc/cron.d/evil"}},
		{"blob that the lock does not list", func(f *forged) { f.add(blobs(manifests.DigestOf([]byte("x"))), []byte("x")) },
			[]string{"bundle.json", blobs(manifests.DigestOf([]byte("x")))}},
		{"entry listed twice", func(f *forged) { f.add("files/kubectl", []byte("x")) }, []string{"bundle.json", "listed twice"}},
		// Indexes that name others than the lock does.
		{"index.json with a name more for an image", func(f *forged) {
			image := f.image()
			named := func(name string) map[string]any {
				return map[string]any{"mediaType": image.MediaType, "digest": image.Digest, "size": image.Size, "annotations": map[string]string{
					"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}}
			}
			f.replace("index.json", toJSON(map[string]any{"schemaVersion": 2, "mediaType": manifests.OCIIndex,
				"manifests": []any{named(image.Name.String()), named("docker.io/library/redis:7")}}))
		}, []string{"index.json", "more than the images of the lock"}},
		{"index.json with another name for an image", func(f *forged) {
			f.replace("index.json", bytes.ReplaceAll(bundle.IndexesOf(&f.inventory.Lock)["index.json"],
				[]byte("wire/brig:5"), []byte("wire/galley:5")))
		}, []string{"index.json", "quay.io/wire/brig:5.30.9"}},
		{"index.json with another name for containerd alone", func(f *forged) {
			text := string(bundle.IndexesOf(&f.inventory.Lock)["index.json"])
			at := strings.Index(text, `"io.containerd.image.name":"`)
			f.replace("index.json", []byte(text[:at]+strings.Replace(text[at:], "brig", "cannon", 1)))
		}, []string{"index.json", "quay.io/wire/brig:5.30.9"}},
		{"index.json with a member twice", func(f *forged) {
			f.replace("index.json", bytes.Replace(bundle.IndexesOf(&f.inventory.Lock)["index.json"], []byte(`{`), []byte(`{"manifests":[],`), 1))
		}, []string{"index.json", `"manifests" is given twice`}},
		{"index.json with a member in capitals", func(f *forged) {
			f.replace("index.json", bytes.Replace(bundle.IndexesOf(&f.inventory.Lock)["index.json"], []byte(`{`), []byte(`{"Manifests":[],`), 1))
		}, []string{"index.json", `"Manifests" is spelled "manifests"`}},
		{"manifest.json with another tag", func(f *forged) {
			f.replace("manifest.json", bytes.Replace(bundle.IndexesOf(&f.inventory.Lock)["manifest.json"],
				[]byte("brig:5.30.9"), []byte("brig:latest"), 1))
		}, []string{"manifest.json", "as the lock does"}},
		{"manifest.json without images", func(f *forged) { f.replace("manifest.json", []byte("[]")) },
			[]string{"manifest.json", "as the lock does"}},
		{"layout of another version", func(f *forged) { f.replace("oci-layout", []byte(`{"imageLayoutVersion":"2.0.0"}`)) },
			[]string{"oci-layout", "1.0.0"}},
		{"layout that is empty", func(f *forged) { f.replace("oci-layout", nil) }, []string{"oci-layout", "1.0.0"}},
		{"chart index with another address", func(f *forged) {
			f.replace("charts/index.yaml", bytes.Replace(bundle.IndexesOf(&f.inventory.Lock)["charts/index.yaml"],
				[]byte("- nginz"), []byte("- https://evil.example/nginz"), 1))
		}, []string{"charts/index.yaml", "as the lock does"}},
		{"chart index that is none", func(f *forged) { f.replace("charts/index.yaml", []byte("entries: [")) }, []string{"charts/index.yaml"}},

		// Texts that two readers understand differently.
		{"manifest that names its layers twice", func(f *forged) {
			f.rewrite(manifestDigest, `"layers":`, `"layers":[],"layers":`)
		}, []string{blobs(""), `"layers" is given twice`}},
		{"manifest with a configuration in capitals", func(f *forged) {
			f.rewrite(manifestDigest, `"config":`, `"Config":{},"config":`)
		}, []string{blobs(""), `"Config" is spelled "config"`}},
		{"descriptor with a size in capitals", func(f *forged) {
			f.rewrite(manifestDigest, `"size":`, `"Size":1,"size":`)
		}, []string{blobs(""), `"Size" is spelled "size"`}},
		{"manifest that is an index, too", func(f *forged) {
			f.rewrite(manifestDigest, `"schemaVersion":2`, `"schemaVersion":2,"manifests":[]`)
		}, []string{blobs(""), "index and a manifest at once"}},
		{"inventory with a member twice", func(f *forged) { f.respell(t, `"format": 1`, `"format": 1, "format": 1`) },
			[]string{"bundle.json", `"format" is given twice`, "line 4"}},
		{"inventory with a member in capitals", func(f *forged) { f.respell(t, `"tool"`, `"Tool"`) },
			[]string{"bundle.json", `"Tool" is spelled "tool"`}},
		{"lock in the inventory with a member twice", func(f *forged) { f.respell(t, `"sequence": 1`, `"sequence": 1, "sequence": 9`) },
			[]string{"bundle.json", `"sequence" is given twice`}},
		{"number with an exponent", func(f *forged) { f.respell(t, `"format": 1`, `"format": 1e0`) }, []string{"bundle.json", "not readable"}},
		{"number with a fraction", func(f *forged) { f.respell(t, `"sequence": 1`, `"sequence": 1.0`) }, []string{"bundle.json", "not readable"}},
		{"text that is no UTF-8", func(f *forged) { f.respell(t, `"tool": "`, "\"tool\": \"\xff") },
			[]string{"bundle.json", "not valid Unicode"}},
		{"half a surrogate", func(f *forged) { f.respell(t, `"tool": "`, `"tool": "\ud800`) }, []string{"bundle.json", "not valid Unicode"}},
		{"file below a file", func(f *forged) { f.add("tools/linux-amd64/island/x", []byte("x")) },
			[]string{"bundle.json", `"tools/linux-amd64/island" and "tools/linux-amd64/island/x"`, "one is a file"}},
		{"two entries in upper and lower case", func(f *forged) { f.add("tools/linux-amd64/Island", []byte("x")) },
			[]string{"bundle.json", `"tools/linux-amd64/Island" and "tools/linux-amd64/island"`, "upper and lower case"}},
		{"folders in upper and lower case, below different parts of the lock", func(f *forged) {
			f.add("patches/A/x", []byte("x"))
			f.add("patches/a/y", []byte("y"))
		}, []string{"bundle.json", `"patches/A/x" and "patches/a/y"`}},
		{"device of Windows", func(f *forged) { f.add("sizing/nul.json", []byte("x")) }, []string{"bundle.json", "device"}},
		{"stream of NTFS", func(f *forged) { f.add("tools/linux-amd64/island:x", []byte("x")) }, []string{"bundle.json", "Windows"}},
		{"dot at the end", func(f *forged) { f.add("patches/STEPS.txt.", []byte("x")) }, []string{"bundle.json", "ends with a dot"}},
		{"name in Unicode", func(f *forged) { f.inventory.Entries[2].Path = "tools/\u212aubectl" },
			[]string{"bundle.json", "not printable ASCII"}},
		{"signature listed as an entry", func(f *forged) { f.add("bundle.x.sigstore.json", []byte("x")) }, []string{"bundle.json"}},
		{"inventory listed as an entry", func(f *forged) { f.add("bundle.json", []byte("x")) }, []string{"bundle.json"}},
		{"negative size", func(f *forged) { f.inventory.Entries[0].Size = -1 }, []string{"bundle.json", "README.txt"}},
		{"size of 8 EiB", func(f *forged) { f.inventory.Entries[0].Size = 1<<63 - 1 }, []string{"bundle.json", "README.txt"}},
		{"sizes whose sum is larger than all disks", func(f *forged) {
			for range 4 {
				f.inventory.Entries = append(f.inventory.Entries, bundle.Entry{
					Path: manifests.EntryPath(fmt.Sprintf("tools/%d", len(f.inventory.Entries))), Size: 1 << 49, Digest: manifests.DigestOf(nil),
				})
			}
		}, []string{"bundle.json", "makes the contents larger"}},
		{"sizes whose sum overflows to the real one", func(f *forged) {
			for range 4 {
				f.inventory.Entries = append(f.inventory.Entries, bundle.Entry{
					Path: manifests.EntryPath(fmt.Sprintf("tools/%d", len(f.inventory.Entries))), Size: 1 << 62, Digest: manifests.DigestOf(nil),
				})
			}
		}, []string{"bundle.json", "makes the contents larger"}},
		{"mode with more than permissions", func(f *forged) { f.inventory.Entries[0].Mode = 0o4755 }, []string{"bundle.json", "README.txt"}},
		{"no signature entry", func(f *forged) { f.inventory.Signatures = nil }, []string{"bundle.json", "0 signatures"}},
		{"signature entry of another size", func(f *forged) { f.inventory.Signatures[0].Size = 1 << 40 },
			[]string{"bundle.json", "bundle.sigstore.json"}},
		{"signature entry twice", func(f *forged) {
			f.inventory.Signatures = append(f.inventory.Signatures, f.inventory.Signatures[0])
			f.entries = slices.Insert(f.entries, 0, f.plain("bundle.sigstore.json", bundle.BlankSlot()))
		}, []string{"bundle.json", "bundle.sigstore.json"}},
		{"further signature first", func(f *forged) { f.inventory.Signatures[0].Path = "bundle.x.sigstore.json" },
			[]string{"bundle.json", "bundle.x.sigstore.json"}},
		{"lock with another content than the archive", func(f *forged) { f.inventory.Lock.Files[0].Content.Digest = manifests.DigestOf(nil) },
			[]string{"bundle.json", "files/kubectl"}},
		{"lock that contradicts itself", func(f *forged) { f.inventory.Lock.Images[0].Size++ }, []string{"bundle.json", "quay.io/wire/brig"}},

		// Bundles in which something is missing.
		{"no README", func(f *forged) { f.remove("README.txt") }, []string{"bundle.json", "README.txt"}},
		{"no trusted root", func(f *forged) { f.remove("trusted_root.json") }, []string{"bundle.json", "trusted_root.json"}},
		{"no chart index", func(f *forged) { f.remove("charts/index.yaml") }, []string{"bundle.json", "charts/index.yaml"}},
		{"no oci-layout", func(f *forged) { f.remove("oci-layout") }, []string{"bundle.json", "oci-layout"}},
		{"no index.json", func(f *forged) { f.remove("index.json") }, []string{"bundle.json", "index.json"}},
		{"no manifest.json", func(f *forged) { f.remove("manifest.json") }, []string{"bundle.json", "manifest.json"}},
		{"no chart", func(f *forged) { f.remove("charts/nginz-1.0.0.tgz") }, []string{"bundle.json", "charts/nginz-1.0.0.tgz"}},

		// Images that are not whole.
		{"a layer that is in no entry", func(f *forged) { f.dropBlob(layerDigest) },
			[]string{blobs(manifestDigest), string(layerDigest), "not in the archive"}},
		{"a manifest that calls another config", func(f *forged) {
			f.rewrite(manifestDigest, string(configDigest), string(manifests.DigestOf([]byte("x"))))
		}, []string{"not in the archive"}},
		{"a manifest without a config", func(f *forged) { f.rewrite(manifestDigest, `"config"`, `"konfig"`) }, []string{"not in the archive"}},
		{"a manifest that lies about a size", func(f *forged) { f.rewrite(manifestDigest, `"size":`, `"size":1`) },
			[]string{"bytes, the archive has"}},
		{"a manifest that is no JSON", func(f *forged) { f.rewrite(manifestDigest, `{`, `[`) }, []string{"not an image manifest"}},
		{"an index that is no JSON", func(f *forged) { f.rewrite(indexDigest, `{`, `[`) }, []string{"not an image index"}},
		{"an index without the release's platform", func(f *forged) {
			f.rewrite(indexDigest, string(manifestDigest), string(manifests.DigestOf([]byte("x"))))
		}, []string{"linux/amd64", "not in the archive"}},
		{"an index none of whose images is there", func(f *forged) {
			f.rewrite(indexDigest, string(manifestDigest), string(manifests.DigestOf([]byte("x"))))
			f.rewrite(f.image().Digest, `"architecture":"amd64"`, `"architecture":"s390x"`)
		}, []string{"none of its images"}},
		{"an index that lies about a size", func(f *forged) { f.rewrite(indexDigest, `"size":`, `"size":1`) },
			[]string{"bytes, the archive has"}},
		{"an index that names a layer as an image", func(f *forged) { f.rewrite(indexDigest, manifests.OCIManifest, layerType) },
			[]string{"unknown type"}},
		{"index.json that is no JSON", func(f *forged) { f.replace("index.json", []byte("[")) }, []string{"index.json", "not an OCI index"}},
		{"index.json that names nothing", func(f *forged) { f.replace("index.json", []byte(`{"manifests":[]}`)) },
			[]string{"index.json", "quay.io/wire/brig"}},
		{"index.json that names what is not there", func(f *forged) {
			f.replace("index.json",
				toJSON(map[string]any{"manifests": []descriptor{{MediaType: manifests.OCIManifest, Digest: manifests.DigestOf([]byte("x")), Size: 1}}}))
		}, []string{"index.json", "not in the archive"}},
		{"index.json that takes an index for a manifest", func(f *forged) {
			f.replace("index.json",
				toJSON(map[string]any{"manifests": []descriptor{{MediaType: manifests.OCIManifest, Digest: f.image().Digest, Size: f.image().Size}}}))
		}, []string{"index.json", "as the lock does"}},
		{"index.json that is too large", func(f *forged) {
			f.replace("index.json", bytes.Repeat([]byte{' '}, bundle.MaxInventoryBytes+1))
		}, []string{"index.json", "larger than"}},
		{"a manifest that is too large", func(f *forged) {
			f.rewrite(manifestDigest, `{`, `{`+strings.Repeat(" ", 5<<20))
		}, []string{"larger than"}},
		{"a manifest before index.json", func(f *forged) { f.move(blobs(manifestDigest), "index.json") },
			[]string{blobs(manifestDigest), "before what names it"}},
		{"a manifest before its index", func(f *forged) { f.move(blobs(manifestDigest), blobs(indexDigest)) },
			[]string{blobs(manifestDigest), "before what names it"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := forge(t, archive)
			test.change(f)
			wantRefused(t, f.seal(t), trust(t, "sender"), test.texts...)
		})
	}
}

// Headers of entries that are read before anything is believed.
func TestHostileFronts(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	slot := spans(t, archive)[1]
	// set writes into a header and makes its checksum right.
	set := func(start int64, at int, text string) []byte {
		spoilt := bytes.Clone(archive)
		block := spoilt[start : start+512]
		copy(block[at:], text)
		copy(block[148:156], "        ")
		sum := 0
		for _, b := range block {
			sum += int(b)
		}
		copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
		return spoilt
	}
	tests := []struct {
		name    string
		archive []byte
		texts   []string
	}{
		{"nothing", nil, []string{"bundle.json", "cut short"}},
		{"zeros", make([]byte, 4096), []string{"bundle.json", "not an island bundle"}},
		{"gzip", append([]byte{0x1f, 0x8b}, make([]byte, 4096)...), []string{"bundle.json", "not an island bundle"}},
		{"inventory of 8 GiB", set(0, 124, "77777777777"), []string{"bundle.json", "at most"}},
		{"inventory of 60 MiB that is not there", set(0, 124, "00360000000"), []string{"bundle.json", "cut short"}},
		{"inventory with a size in GNU's binary form", set(0, 124, "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00"),
			[]string{"bundle.json", "not octal"}},
		{"inventory with a negative size", set(0, 124, "-0000000001"), []string{"bundle.json", "not octal"}},
		{"inventory that is a link", set(0, 156, "2"), []string{"bundle.json", "plain file"}},
		{"inventory behind a PAX header", set(0, 156, "x"), []string{"bundle.json", "plain file"}},
		{"inventory in GNU's format", set(0, 257, "ustar  \x00"), []string{"bundle.json", "plain file"}},
		{"inventory with a prefix", set(0, 345, "evil"), []string{"bundle.json", "plain file"}},
		{"inventory under another name", set(0, 0, "Bundle.json"), []string{"bundle.json", "first entry"}},
		{"inventory with text behind its name", set(0, 20, "x"), []string{"bundle.json", "tar header"}},
		{"signature of 1 GiB", set(slot.start, 124, "10000000000"), []string{"bundle.sigstore.json", "at most"}},
		{"short signature", set(slot.start, 124, "00000000010"), []string{"bundle.sigstore.json"}},
		{"signature that is a link", set(slot.start, 156, "2"), []string{"bundle.sigstore.json", "no signature entry"}},
		{"signature under another name", set(slot.start, 0, "Bundle.sigstore.json"), []string{"bundle.sigstore.json", "no signature entry"}},
		{"more signatures than are read", func() []byte {
			many := bytes.Clone(archive[:slot.start])
			for i := range 40 {
				one := set(slot.start, 0, fmt.Sprintf("bundle.s%d.sigstore.json\x00", i))
				many = append(many, one[slot.start:slot.next()]...)
			}
			return append(many, archive[slot.next():]...)
		}(), []string{"more than 16 signatures"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, test.archive, trust(t, "sender"), test.texts...)
		})
	}
}

// Even the right key cannot make the reader allocate without bound. Not in
// parallel with other tests: it measures the whole program.
func TestHostileInventoriesAreBounded(t *testing.T) {
	many := func(open, element, end string) []byte {
		return []byte(open + strings.Repeat(element, 2_000_001) + strings.TrimSuffix(element, ",") + end)
	}
	tests := []struct {
		name string
		text []byte
		want string
	}{
		{"a million entries",
			append(append([]byte(`{"apiVersion":"`+manifests.APIVersion+`","kind":"Bundle","format":1,"signatures":[],"entries":[`),
				bytes.Repeat([]byte("{},"), 1_000_000)...), "{}]}"...), "takes more memory"},
		{"two million empty charts", many(`{"lock":{"charts":[`, "{},", `]}}`), "commas"},
		{"two million images that are null", many(`{"lock":{"images":[`, "null,", `]}}`), "commas"},
		{"a million brackets", bytes.Repeat([]byte{'['}, 1_000_000), "not readable"},
		{"as long a text as fits", []byte(`{"tool":"` + strings.Repeat("x", bundle.MaxInventoryBytes-11) + `"}`), "inventory is a"},
		{"text behind the end", []byte(`{} {}`), "text follows"},
		{"a bracket behind the end", []byte(`{}]`), "text follows"},
		{"a brace behind the end", []byte(`{}}`), "text follows"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := forge(t, tiny(t))
			f.text = test.text
			archive := f.seal(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), trust(t, "sender"))
			runtime.ReadMemStats(&after)
			wantFault(t, err, fault.Refused, fault.Site, "bundle.json", test.want)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<30 {
				t.Errorf("%s allocated for an inventory of %s", manifests.Bytes(allocated), manifests.Bytes(len(test.text)))
			}
		})
	}
}

package bundle_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

// vectors are the files in testdata/vectors, for other implementations of
// docs/format.md. The format promises that those that were released are read
// for ever.
func vectors(t *testing.T) map[string][]byte {
	t.Helper()
	w := newWorld("vector")
	w.chart("nginz", "1.0.0", []byte("no chart, but pinned\n"))
	w.file("files/kubectl", 0o755, []byte("#!/bin/sh\n"))
	w.file(paxPath, 0o644, []byte("behind an extended header\n"))
	w.file(longPath, 0o600, []byte("behind a prefix\n"))
	w.file(emptyPath, 0o644, nil)
	manifest, locked := w.manifest("amd64", layer("etc/hostname", []byte("island\n")))
	w.image("quay.io/wire/brig:5.30.9", w.index(manifest), locked)
	w.image("quay.io/wire/brig@"+string(manifest.Digest), manifest, locked)
	good := build(t, w.plan(t, bundle.PlanOptions{Tool: "island 0", Tools: []bundle.Tool{tool(t, "a tool\n")}, Signers: []string{"auditor"}}),
		w.source())

	bad := bytes.Clone(good)
	badPath := bundle.BlobsFolder + locked.Layers[0].Hex()
	badAt := int64(0)
	for _, span := range spans(t, good) {
		if span.path == badPath {
			badAt = span.content
		}
	}
	bad[badAt] ^= 0x01
	_, public := testKey(t, "sender")
	inventory := spans(t, good)[0]
	identity := manifests.DigestOf(good[inventory.content:inventory.end()])

	odd := oddWorld()
	second := build(t, odd.plan(t, bundle.PlanOptions{Tool: "island 0"}), odd.source())
	lacks := oddWorld()
	without := lacks.lock.Images[0].Manifests[3]
	lacks.lock.Images[0].Manifests = lacks.lock.Images[0].Manifests[:3]
	lacks.lock.Blobs = slices.DeleteFunc(lacks.lock.Blobs, func(b manifests.Content) bool {
		return slices.Contains(append(without.Layers, without.Digest, without.Config), b.Digest)
	})
	missing := forge(t, second).with(lacks).seal(t)

	with := func(paths ...string) []byte {
		f := forge(t, second)
		for _, path := range paths {
			f.add(path, []byte(path+"\n"))
		}
		return f.seal(t)
	}
	wantAccepted(t, with("tools/island", "tools/island-2", "sizing/auxiliary.json"), trust(t, "sender")) // but for the paths, they are good
	cased, under, aux := with("tools/island", "tools/Island"), with("tools/island", "tools/island/bin"), with("sizing/aux.json")

	readme := fmt.Sprintf(`# Test vectors of the bundle format, versions 1 and 2

For implementations of docs/format.md. Written by `+"`go test ./bundle -run Vectors -update`"+`, and
checked by every run of the tests.

| file | bytes | what |
|---|---|---|
| `+"`good.tar`"+` | %d | a bundle of format 1 that verifies with `+"`sender.pub`"+` |
| `+"`bad-layer.tar`"+` | %d | the same with one bit flipped: byte %d, the first of the content of `+"`%s`"+`, a layer. `+
		`The signature holds; a verifier must refuse the archive and name this entry |
| `+"`good-1a.tar`"+` | 48640 | as good.tar was before its README.txt told ctr the platform; it verifies |
| `+"`good-2.tar`"+` | %d | a bundle of format 2 that verifies with `+"`sender.pub`"+` |
| `+"`bad-2-missing.tar`"+` | %d | the same without the manifest `+"`%s`"+`, of which an index says no platform, `+
		`and without its blobs. The signature holds, and the lock is consistent; a verifier must refuse the archive and name the index |
| `+"`bad-path-case.tar`"+` | %d | good-2.tar with two more entries, `+"`tools/island`"+` and `+"`tools/Island`"+`. The signature holds; `+
		`a verifier must refuse the inventory, as in the two below |
| `+"`bad-path-below.tar`"+` | %d | the same with `+"`tools/island`"+` and `+"`tools/island/bin`"+` |
| `+"`bad-path-device.tar`"+` | %d | the same with `+"`sizing/aux.json`"+`, which is a device on Windows |
| `+"`sender.pub`"+` | %d | the public key, id `+"`%s`"+` |

`+"`good.tar`"+` has SHA-256 `+"`%s`"+`; its identity, the
digest of bundle.json, is `+"`%s`"+`.

It has one entry of each kind, and: a second signature entry, which is blank; a path that needs a USTAR
prefix; a path that needs a PAX extended header; an empty file; modes 0600 and 0755; an image that
is an index of which one of two platforms is carried; and the same image pinned by digest.

`+"`good-2.tar`"+` has SHA-256 `+"`%s`"+`. It has an index with two
images for the platform, an artifact for it, an entry without platform, entries for other platforms and variants that
are not carried, and an index within it, which stands before it; an image with one layer twice; an artifact that is
named as an image; and an empty blob.

The private key is the SHA-256 of the ASCII text "island test key sender" as a big-endian number. Everybody
can compute it: it is worth nothing but for this. The charts, files and tools in here are not what their names say.
`, len(good), len(bad), badAt, badPath, len(second), len(missing), without.Digest, len(cased), len(under), len(aux),
		len(public.PEM()), public.ID(), manifests.DigestOf(good).Hex(), identity, manifests.DigestOf(second).Hex())
	return map[string][]byte{
		"good.tar": good, "bad-layer.tar": bad, "good-2.tar": second, "bad-2-missing.tar": missing,
		"bad-path-case.tar": cased, "bad-path-below.tar": under, "bad-path-device.tar": aux,
		"sender.pub": public.PEM(), "README.md": []byte(readme),
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "testdata", "vectors")
	want := vectors(t)
	if *update {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, data := range want {
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, data := range want {
		if !bytes.Equal(read(t, filepath.Join(folder, name)), data) {
			t.Errorf("%s is not what is written today; if that is meant, keep the old file under another name and write anew with -update", name)
		}
	}
	// The published files themselves, older ones too, whatever is written today.
	files, err := filepath.Glob(filepath.Join(folder, "*.tar"))
	if err != nil || len(files) < 2 {
		t.Fatalf("there are the files %q (%v)", files, err)
	}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "good") {
			wantAccepted(t, read(t, file), trust(t, "sender"))
		} else {
			wantRefused(t, read(t, file), trust(t, "sender"))
		}
	}
	wantRefused(t, read(t, filepath.Join(folder, "bad-layer.tar")), trust(t, "sender"), "blobs/sha256/", "digest")
	wantRefused(t, read(t, filepath.Join(folder, "bad-path-case.tar")), trust(t, "sender"), "bundle.json", "upper and lower case")
	wantRefused(t, read(t, filepath.Join(folder, "bad-path-below.tar")), trust(t, "sender"), "bundle.json", "one is a file")
	wantRefused(t, read(t, filepath.Join(folder, "bad-path-device.tar")), trust(t, "sender"), "bundle.json", "device on Windows")
	wantRefused(t, read(t, filepath.Join(folder, "bad-2-missing.tar")), trust(t, "sender"), "blobs/sha256/", "not in the archive")
}

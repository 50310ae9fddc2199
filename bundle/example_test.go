package bundle_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
)

// shelf is a source that has everything at hand. Real ones are in
// bundle/source.
type shelf map[manifests.Digest][]byte

func (s shelf) Open(_ context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(s[content.Digest][offset:])), nil
}

// smallLock pins one file, as bundle/resolve pins all that a release names.
func smallLock(content []byte) *manifests.Lock {
	day, err := manifests.ParseDate("2026-03-31")
	if err != nil {
		panic(err)
	}
	return &manifests.Lock{
		APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
		Release: manifests.LockedRelease{
			Name: "wire", Version: "2026.1", Date: day, Sequence: 1,
			Platforms: []manifests.Platform{{OS: "linux", Architecture: "amd64"}},
		},
		Files: []manifests.LockedFile{{
			Path: "files/kubectl", Mode: 0o755,
			Content: manifests.Content{Digest: manifests.DigestOf(content), Size: int64(len(content)), URL: "https://dl.example/kubectl"},
		}},
	}
}

// From a lock to a file out of a verified bundle: the first half is done where
// bundles are built, the second on the island.
func Example() {
	ctx := context.Background()
	folder, private, public := exampleSender()
	defer os.RemoveAll(folder)
	content := []byte("#!/bin/sh\n")

	plan, err := bundle.NewPlan(smallLock(content), bundle.PlanOptions{Tool: "example 1.0"})
	if err != nil {
		panic(err)
	}
	if err := plan.Sign(bundle.Signer{Key: private}); err != nil {
		panic(err)
	}
	name := filepath.Join(folder, bundle.FileName(&plan.Inventory.Lock))
	if err := bundle.Fill(ctx, plan, shelf{manifests.DigestOf(content): content}, name, bundle.FillOptions{}); err != nil {
		panic(err)
	}
	fmt.Println(filepath.Base(name), "has the planned size:", sizeOf(name) == plan.Size())

	file, err := os.Open(name)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	b, err := bundle.Open(file, sizeOf(name), bundle.Trust{Keys: []signature.PublicKey{public}})
	if err != nil {
		panic(err)
	}
	if err := b.Verify(ctx, bundle.VerifyOptions{}); err != nil {
		panic(err)
	}
	fmt.Println("signed by the sender:", b.SignedBy[0].Key.ID() == public.ID(), "in", b.SignedBy[0].Slot)
	read, err := b.ReadEntry("files/kubectl", 1<<20)
	fmt.Printf("%q %v\n", read, err)
	// Output:
	// wire-2026.1-amd64.tar has the planned size: true
	// signed by the sender: true in bundle.sigstore.json
	// "#!/bin/sh\n" <nil>
}

// An entry that was altered on the disk is never read as a good one.
func ExampleBundle_OpenEntry() {
	archive, public := exampleBundle([]byte("#!/bin/sh\n"))
	archive = bytes.Replace(archive, []byte("#!/bin/sh\n"), []byte("#!/bin/zz\n"), 1)
	b, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), bundle.Trust{Keys: []signature.PublicKey{public}})
	if err != nil {
		panic(err) // it is not: what is signed is as it was
	}
	reader, err := b.OpenEntry("files/kubectl")
	if err != nil {
		panic(err)
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	fmt.Printf("%q\n%.61s…\n", content, err)
	// Output:
	// ""
	// files/kubectl: content has digest sha256:520d7337eb98b594c343…
}

// A bundle is a file system whose files are checked while they are read.
func ExampleBundle_FS() {
	archive, public := exampleBundle([]byte("#!/bin/sh\n"))
	b, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), bundle.Trust{Keys: []signature.PublicKey{public}})
	if err != nil {
		panic(err)
	}
	files := b.FS()
	found, err := fs.Glob(files, "*/*")
	if err != nil {
		panic(err)
	}
	for _, name := range found {
		info, err := fs.Stat(files, name)
		if err != nil {
			panic(err)
		}
		fmt.Println(info.Mode(), name)
	}
	// Output:
	// -rw-r--r-- charts/index.yaml
	// -rwxr-xr-x files/kubectl
}

// Signers are a set: a site can demand more than one.
func ExampleSigners_Keys() {
	_, vendor := exampleKey()
	_, auditor := exampleKey()
	signers := bundle.Signers{
		{Slot: "bundle.sigstore.json", Key: vendor},
		{Slot: "bundle.auditor.sigstore.json", Key: auditor},
		{Slot: "bundle.again.sigstore.json", Key: vendor},
	}
	fmt.Println("signatures:", len(signers), "keys:", len(signers.Keys()))
	// Output: signatures: 3 keys: 2
}

func exampleKey() (crypto.Signer, signature.PublicKey) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	public, err := signature.NewPublicKey(private.Public())
	if err != nil {
		panic(err)
	}
	return private, public
}

func exampleSender() (folder string, private crypto.Signer, public signature.PublicKey) {
	folder, err := os.MkdirTemp("", "island-example-")
	if err != nil {
		panic(err)
	}
	private, public = exampleKey()
	return folder, private, public
}

// exampleBundle builds a bundle of one file, and gives the key that it verifies
// with.
func exampleBundle(content []byte) ([]byte, signature.PublicKey) {
	folder, private, public := exampleSender()
	defer os.RemoveAll(folder)
	plan, err := bundle.NewPlan(smallLock(content), bundle.PlanOptions{})
	if err != nil {
		panic(err)
	}
	if err := plan.Sign(bundle.Signer{Key: private}); err != nil {
		panic(err)
	}
	name := filepath.Join(folder, "b.tar")
	source := shelf{manifests.DigestOf(content): content}
	if err := bundle.Fill(context.Background(), plan, source, name, bundle.FillOptions{}); err != nil {
		panic(err)
	}
	archive, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return archive, public
}

func sizeOf(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		panic(err)
	}
	return info.Size()
}

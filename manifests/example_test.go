package manifests_test

import (
	"fmt"
	"log"

	"github.com/islandbundle/island/manifests"
)

const release = `apiVersion: island/v1
kind: Release
metadata: {name: demo, version: 1.0.0, date: 2026-03-31}
platforms: [linux/amd64]
charts:
  - {name: wire-server, repo: "https://charts.example.com", version: 5.30.9}
images:
  - {name: "registry.k8s.io/pause:3.9", group: system}
`

// Reading a release gives what it says; checking it tells all of its flaws at
// once, each with its place.
func ExampleRead() {
	doc, err := manifests.Read("release.yaml", []byte(release))
	if err != nil {
		log.Fatal(err)
	}
	if err := doc.Check(); err != nil {
		log.Fatal(err)
	}
	chart := doc.ChartNamed("wire-server")
	fmt.Println(doc.Metadata.Name, doc.Metadata.Version, "of", doc.Metadata.Date)
	fmt.Println(chart.Name, chart.Version, "from", chart.Repo)
	// Output:
	// demo 1.0.0 of 2026-03-31
	// wire-server 5.30.9 from https://charts.example.com
}

// An overlay changes a release without touching its document: here the version
// of one chart, and what is carried besides.
func ExampleLay() {
	doc, err := manifests.Read("release.yaml", []byte(release))
	if err != nil {
		log.Fatal(err)
	}
	overlay, err := manifests.ReadOverlay("site.yaml", []byte(`apiVersion: island/v1
kind: Overlay
charts:
  - {name: wire-server, version: 5.30.10}
images:
  - {name: "quay.io/example/tool:1.0"}
`))
	if err != nil {
		log.Fatal(err)
	}
	laid, err := manifests.Lay(doc, overlay, false)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(laid.Charts[0].Name, laid.Charts[0].Version, "from", laid.Charts[0].Repo)
	for _, image := range laid.Images {
		fmt.Println(image.Name)
	}
	fmt.Println("before:", doc.Charts[0].Version)
	// Output:
	// wire-server 5.30.10 from https://charts.example.com
	// registry.k8s.io/pause:3.9
	// quay.io/example/tool:1.0
	// before: 5.30.9
}

// A lock pins everything by digest and size, so that what a delivery takes is
// known before anything is fetched.
func ExampleReadLock() {
	lock, err := manifests.ReadLock("island.lock.json", []byte(`{
  "apiVersion": "island/v1",
  "kind": "Lock",
  "release": {"name": "demo", "version": "1.0.0", "date": "2026-03-31", "sequence": 1, "platforms": ["linux/amd64"]},
  "charts": [], "images": [], "blobs": [], "leftOut": [],
  "files": [{
    "path": "files/bin/kubectl",
    "mode": 493,
    "content": {
      "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "size": 49283072,
      "url": "https://downloads.example.com/kubectl"
    }
  }]
}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(lock.Release.Name, lock.Release.Version, "for", lock.Release.Platforms[0])
	for _, file := range lock.Files {
		fmt.Println(file.Path, file.Content.Digest.Short(), manifests.Bytes(file.Content.Size))
	}
	// Output:
	// demo 1.0.0 for linux/amd64
	// files/bin/kubectl e3b0c44298fc 47.0 MiB
}

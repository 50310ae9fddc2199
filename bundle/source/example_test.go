package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
)

// A mirrors file lets a folder stand for a server that cannot be reached: what
// is named by its URL is read from the folder, and the name stays what it is.
func Example() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	mirrors, err := source.ParseMirrors(filepath.Join(dir, "mirrors.yaml"), []byte(`
apiVersion: island/v1
kind: Mirrors
rules:
- prefix: https://files.example.com/tools
  onlyMirrors: true        # never ask the server itself
  mirrors:
  - location: ./downloads  # beside this file
- prefix: quay.io/wire
  mirrors:
  - location: registry.local:5000/quay
    insecure: true         # plain HTTP
`))
	if err != nil {
		panic(err)
	}
	data := []byte("#!/bin/sh\n")
	if err := os.Mkdir(filepath.Join(dir, "downloads"), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "downloads", "hello.sh"), data, 0o644); err != nil {
		panic(err)
	}
	upstream, err := source.New(source.Options{Mirrors: mirrors})
	if err != nil {
		panic(err)
	}
	defer upstream.Close()
	size, err := upstream.Stat(context.Background(), "https://files.example.com/tools/hello.sh")
	if err != nil {
		panic(err)
	}
	r, err := upstream.Open(context.Background(), manifests.Content{
		URL: "https://files.example.com/tools/hello.sh", Size: size, Digest: manifests.DigestOf(data),
	}, 2)
	if err != nil {
		panic(err)
	}
	defer r.Close()
	var interpreter string
	if _, err := fmt.Fscan(r, &interpreter); err != nil {
		panic(err)
	}
	fmt.Println(size, interpreter)
	// Output: 10 /bin/sh
}

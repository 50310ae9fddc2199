package charts_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log"

	"github.com/islandbundle/island/charts"
)

// archive packs a chart as `helm package` does.
func archive(files ...[2]string) []byte {
	var packed bytes.Buffer
	zipper := gzip.NewWriter(&packed)
	writer := tar.NewWriter(zipper)
	for _, file := range files {
		name, content := file[0], file[1]
		if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			log.Fatal(err)
		}
		if _, err := writer.Write([]byte(content)); err != nil {
			log.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		log.Fatal(err)
	}
	if err := zipper.Close(); err != nil {
		log.Fatal(err)
	}
	return packed.Bytes()
}

func demo() []byte {
	return archive(
		[2]string{"demo/Chart.yaml", "apiVersion: v2\nname: demo\nversion: 1.0.0\n"},
		[2]string{"demo/values.yaml", "tag: \"1.0\"\n"},
		[2]string{"demo/templates/pod.yaml", `apiVersion: v1
kind: Pod
metadata: {name: demo}
spec:
  containers:
    - name: main
      image: "quay.io/example/demo:{{ .Values.tag }}"
`},
	)
}

// A chart is read, rendered and searched in three steps, each of which can be
// done alone.
func Example() {
	chart, err := charts.Load(demo())
	if err != nil {
		log.Fatal(err)
	}
	rendered, err := chart.Render(context.Background(), charts.Rendering{
		Values: []charts.ValuesSource{{Name: "site.yaml", Data: []byte("tag: \"1.1\"\n")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	finds, err := charts.Find(rendered)
	if err != nil {
		log.Fatal(err)
	}
	for _, find := range finds.Images {
		fmt.Println(find.Class, find.Image, "at", find.Place())
	}
	// Output:
	// certain quay.io/example/demo:1.1 at demo/templates/pod.yaml Pod/demo spec.containers[0].image
}

// Discover does all of it for several sets of values, and says which of them
// needs an image.
func ExampleChart_Discover() {
	chart, err := charts.Load(demo())
	if err != nil {
		log.Fatal(err)
	}
	discovery, err := chart.Discover(context.Background(), charts.DiscoverOptions{Renderings: []charts.Rendering{
		{Name: "now"},
		{Name: "next", Set: map[string]any{"tag": "2.0"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	for _, find := range discovery.Images {
		fmt.Println(find.Image, "for", find.Rendering)
	}
	// Output:
	// quay.io/example/demo:1.0 for now
	// quay.io/example/demo:2.0 for next
}

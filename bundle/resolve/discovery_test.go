package resolve_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
)

// TestFindsAreInTheOrderOfTheRelease: charts are looked at side by side, and which of
// them is ready first says nothing about the order in which people read of them.
func TestFindsAreInTheOrderOfTheRelease(t *testing.T) {
	t.Parallel()
	names := []string{"cannon", "brig", "gundeck"}
	folder := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	release := "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\n" +
		"platforms: [linux/amd64]\ncharts:\n"
	for _, name := range names {
		release += fmt.Sprintf("- {name: %s, version: 1.0.0, path: %s}\n", name, name)
		write(name+"/Chart.yaml", "apiVersion: v2\nname: "+name+"\nversion: 1.0.0\n")
		write(name+"/values.yaml", "tools: {image: \"quay.io/wire/tools:1\"}\n")
	}
	write("release.yaml", release)
	assembled, err := resolve.Assemble(resolve.Input{File: filepath.Join(folder, "release.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	world, err := source.New(source.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	for _, ready := range [][]string{names, {"gundeck", "brig", "cannon"}, {"brig", "gundeck", "cannon"}} {
		done := map[string]chan struct{}{}
		for _, name := range names {
			done[name] = make(chan struct{})
		}
		// inTurn lets a chart be ready when those that stand before it in the list are.
		inTurn := func(ctx context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error) {
			chart, err := charts.Load(archive)
			if err != nil {
				return charts.Discovery{}, err
			}
			found, err := chart.Discover(ctx, options)
			if i := slices.Index(ready, found.Chart.Name); i > 0 {
				<-done[ready[i-1]]
			}
			defer close(done[found.Chart.Name])
			return found, err
		}
		found, err := resolve.Find(t.Context(), assembled, world, resolve.Options{Discover: inTurn, Parallel: len(names)})
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, find := range found.Decision.Undecided {
			order = append(order, find.Origin.Chart)
		}
		if !slices.Equal(order, names) {
			t.Errorf("ready in the order %v, charts are told of in the order %v, not as in the release, %v", ready, order, names)
		}
	}
}

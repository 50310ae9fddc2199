package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/sandbox"
)

// fifty charts are measured: fewer are taken several times.
const fifty = 50

// fourWays are renderings that differ in what a build's do.
func fourWays() []charts.Rendering {
	return []charts.Rendering{
		{Name: "production"}, {Name: "demo", Set: map[string]any{"replicaCount": 1}},
		{Name: "old", KubeVersion: "1.29.10"}, {Name: "monitored", APIVersions: []string{"monitoring.coreos.com/v1"}},
	}
}

// speed times four renderings of each chart, with the images found and in
// workers that are started for it, against as many runs of helm template one
// after the other.
func speed(names []string) error {
	for i := 0; len(names) < fifty; i++ {
		names = append(names, names[i])
	}
	ours, err := timeOurs(names)
	if err != nil {
		return err
	}
	begin := time.Now()
	for _, name := range names {
		for _, how := range fourWays() {
			if _, err := helmTemplate(name, how); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(name), err)
			}
		}
	}
	theirs := time.Since(begin)
	fmt.Printf("%d charts, 4 renderings each: island %s, a loop of helm template %s: %.1f times as fast\n",
		len(names), ours.Round(time.Millisecond), theirs.Round(time.Millisecond), theirs.Seconds()/ours.Seconds())
	if ours > theirs/4 {
		return errors.New("island takes more than a quarter of the time")
	}
	return nil
}

func timeOurs(names []string) (time.Duration, error) {
	begin := time.Now()
	pool, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	faults := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			chart, err := load(name)
			if err != nil {
				faults[i] = err
				return
			}
			archive, err := chart.Package()
			if err == nil {
				_, err = pool.Discover(context.Background(), archive, charts.DiscoverOptions{Renderings: fourWays()})
			}
			faults[i] = err
		})
	}
	all.Wait()
	return time.Since(begin), errors.Join(faults...)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// totals of a comparison.
type totals struct {
	charts, rendered, helmRendered, library int
	certain, likely, candidates, leftOut    int
	against                                 []difference // in the order of ways
}

// difference to another way.
type difference struct {
	more  int // images that the other way lacks
	only  int // references that it alone has
	text  int // lines of its that are no reference
	asked int // texts that it asks a registry about, and of which we say nothing
}

// compare prints every difference between what is found and what the two other
// ways find, chart by chart.
func compare(names []string) error {
	pool, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return err
	}
	defer pool.Close()
	sum := totals{against: make([]difference, len(ways))}
	for _, name := range names {
		sum.charts++
		if err := sum.chart(pool, name); err != nil {
			fmt.Printf("FAIL %s\n", name)
			for _, explained := range fault.All(err) {
				fmt.Printf("     %s\n     hint: %s\n", strings.ReplaceAll(explained.Error(), "\n", "\n     "), explained.Hint)
			}
			if len(fault.All(err)) == 0 {
				fmt.Printf("     UNEXPLAINED %s\n", err)
			}
		}
	}
	fmt.Printf("%+v\n", sum)
	return nil
}

func (sum *totals) chart(pool *sandbox.Pool, name string) error {
	chart, err := load(name)
	if err != nil {
		return err
	}
	archive, err := chart.Package()
	if err != nil {
		return err
	}
	how := charts.Rendering{KubeVersion: charts.DefaultKubeVersion, StubRequired: os.Getenv("STUB") != ""}
	output, helmErr := helmPrints(name, how)
	if helmErr == nil {
		sum.helmRendered++
	}
	discovery, err := pool.Discover(context.Background(), archive, charts.DiscoverOptions{Renderings: []charts.Rendering{how}})
	if err != nil {
		if helmErr == nil {
			err = errors.Join(err, fault.New(fault.Failure, fault.Here, "", "", "AND HELM RENDERS IT"))
		}
		return err
	}
	sum.rendered++
	if chart.Metadata().IsLibrary() {
		sum.library++
	}
	fmt.Printf("OK   %s (%s)\n", filepath.Base(name), name)
	included := sum.found(discovery)
	sum.leftOut += len(discovery.LeftOut)
	for _, stub := range discovery.Stubbed {
		fmt.Printf("     stubbed %s=%v: %.100s\n", stub.Path, stub.Value, strings.ReplaceAll(stub.Why, "\n", " "))
	}
	for _, off := range discovery.Off {
		fmt.Printf("     off %s by %s\n", off.Subchart, strings.Join(off.On, " or "))
	}
	if helmErr != nil {
		fmt.Printf("     helm template fails: %.200s\n", strings.ReplaceAll(helmErr.Error(), "\n", " "))
		return nil
	}
	told := maps.Clone(included)
	for _, find := range discovery.Images {
		told[normal(find.Image)] = true
	}
	leftOut := map[string]bool{}
	for _, left := range discovery.LeftOut {
		leftOut[normal(left.Image)] = true
	}
	for i, way := range ways {
		found, asked := way.find(output)
		sum.against[i].add(way.name, found, asked, included, told, leftOut)
	}
	return nil
}

// found counts what was found by its class, and returns what would be carried.
func (sum *totals) found(discovery charts.Discovery) map[string]bool {
	included := map[string]bool{}
	for _, find := range discovery.Images {
		switch find.Class {
		case charts.Candidate, charts.Named:
			sum.candidates++
			if os.Getenv("VERBOSE") != "" {
				fmt.Printf("     candidate %s: %s: %s\n", find.Image, find.Place(), find.Reason)
			}
			continue
		case charts.Certain:
			sum.certain++
		case charts.Likely:
			sum.likely++
			fmt.Printf("     likely %s: %s %s\n", find.Image, find.Place(), find.Reason)
		}
		included[normal(find.Image)] = true
	}
	return included
}

// add prints and counts what only one of the two ways finds: included is what
// we would carry, told that and our candidates.
func (d *difference) add(way string, found, asked, included, told, leftOut map[string]bool) {
	for _, image := range without(included, found) {
		if !asked[image] {
			d.more++
			fmt.Printf("     not by %s: %s\n", way, image)
		}
	}
	for _, image := range without(found, included) {
		if !leftOut[image] {
			count(image, &d.only, &d.text)
			fmt.Printf("     ONLY by %s: %.120s\n", way, image)
		}
	}
	for _, image := range without(asked, told) {
		if !leftOut[image] && !found[image] {
			d.asked++
			fmt.Printf("     ASKED by %s: %.120s\n", way, image)
		}
	}
}

// count adds a line to the references, or to other text.
func count(line string, references, text *int) {
	if _, err := manifests.ParseImageRef(line); err == nil {
		*references++
	} else {
		*text++
	}
}

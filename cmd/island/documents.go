package main

import (
	"maps"
	"slices"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/sbom"
	"github.com/islandbundle/island/manifests/vex"
)

// documentsOf makes the documents that every bundle carries beside what its lock
// pins. They follow from the lock alone.
func documentsOf(lock *manifests.Lock) ([]bundle.Document, error) {
	materials, err := sbom.Encode(lock)
	if err != nil {
		return nil, err
	}
	documents := []bundle.Document{{Path: bundle.SBOMPath, Bytes: materials}}
	fixed, err := vex.Encode(lock)
	if err != nil {
		return nil, err
	}
	if fixed != nil {
		documents = append(documents, bundle.Document{Path: bundle.VEXPath, Bytes: fixed})
	}
	values, err := manifests.SiteValues(lock)
	if err != nil {
		return nil, err
	}
	for _, chart := range slices.Sorted(maps.Keys(values)) {
		documents = append(documents, bundle.Document{Path: manifests.EntryPath(bundle.PatchesFolder + "values/" + chart + ".yaml"), Bytes: values[chart]})
	}
	if steps := manifests.SiteSteps(lock); steps != nil {
		documents = append(documents, bundle.Document{Path: bundle.PatchesFolder + "STEPS.txt", Bytes: steps})
	}
	return documents, nil
}

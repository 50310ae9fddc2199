package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/sbom"
	"github.com/islandbundle/island/manifests/vex"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/present"
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
		documents = append(documents, bundle.Document{Path: patchedValues(chart), Bytes: values[chart]})
	}
	if steps := manifests.SiteSteps(lock); steps != nil {
		documents = append(documents, bundle.Document{Path: bundle.PatchesFolder + "STEPS.txt", Bytes: steps})
	}
	return documents, nil
}

// patchedValues is where a bundle has what its patches want set of a chart.
func patchedValues(chart string) manifests.EntryPath {
	return manifests.EntryPath(bundle.PatchesFolder + "values/" + chart + ".yaml")
}

// portsPath is where preflight looks for the table of ports in a bundle.
const portsPath = bundle.SizingFolder + "ports.yaml"

// sizingDocuments makes what stands below sizing/: the tables always, since
// preflight judges by them, and the report of a site where one is given.
func (f *buildFlags) sizingDocuments(lock *manifests.Lock) ([]bundle.Document, error) {
	ports := bundle.Document{Path: portsPath, Bytes: site.DefaultPortsFile()}
	if f.site == "" {
		_, table, err := readTable(cmp.Or(f.table, sizing.DefaultTable))
		return []bundle.Document{ports, {Path: present.BundleTable, Bytes: table}}, err
	}
	data, err := readDocument(f.site, manifests.MaxDocumentBytes, aSite)
	if err != nil {
		return nil, err
	}
	site, err := sizing.ReadSite(f.site, data)
	if err != nil {
		return nil, err
	}
	lang, err := language(f.lang)
	if err != nil {
		return nil, err
	}
	name := cmp.Or(f.table, site.Table, sizing.DefaultTable)
	_, table, err := readTable(name)
	if err != nil {
		return nil, err
	}
	files, err := present.ForBundle(present.BundleInput{
		Lock: lock, Site: site, TableFile: name, TableData: table, Language: lang, Tool: toolVersion(),
	})
	return []bundle.Document{
		ports,
		{Path: present.BundleReportJSON, Bytes: files.JSON},
		{Path: present.BundleReportHTML, Bytes: files.HTML},
		{Path: present.BundleTable, Bytes: files.Table},
	}, err
}

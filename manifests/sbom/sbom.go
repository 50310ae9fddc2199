// Package sbom writes the bill of materials of a release as CycloneDX: every
// image, chart and file with its digest, where it comes from, and what needs it.
//
// Specification: CycloneDX 1.6 (ECMA-424).
package sbom

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

// specVersion is the version of CycloneDX that is written.
const specVersion = cyclonedx.SpecVersion1_6

// Names of properties, in a namespace of our own (CycloneDX, "Properties").
const (
	decidedBy  = "island:decidedBy"
	listedIn   = "island:listedIn"
	manifestOf = "island:manifest:" // followed by the platform, or by artifact
	layerOf    = "island:layer:"
)

// of returns the bill of materials for a lock. What the lock left out is not in it.
func of(lock *manifests.Lock) (*cyclonedx.BOM, error) {
	serial, err := serialNumber(lock)
	if err != nil {
		return nil, err
	}
	root := cyclonedx.Component{
		BOMRef: lock.Release.PURL(), Type: cyclonedx.ComponentTypeApplication,
		Name: lock.Release.Name, Version: lock.Release.Version, PackageURL: lock.Release.PURL(),
	}
	bom := cyclonedx.NewBOM()
	bom.SpecVersion, bom.JSONSchema = specVersion, "http://cyclonedx.org/schema/bom-1.6.schema.json"
	bom.SerialNumber = serial
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: lock.Release.Date.Time().Format(time.RFC3339),
		Component: &root,
		Tools: &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{{
			Type: cyclonedx.ComponentTypeApplication, Name: "island",
		}}},
	}
	components := []cyclonedx.Component{}
	needs := map[string][]string{root.BOMRef: {}}
	paths := map[string]string{} // of charts, by name
	for _, chart := range lock.Charts {
		paths[chart.Name] = string(chart.Path)
		components = append(components, chartComponent(chart))
		needs[root.BOMRef] = append(needs[root.BOMRef], string(chart.Path))
		needs[string(chart.Path)] = []string{}
	}
	for _, image := range lock.Images {
		components = append(components, imageComponent(image))
		ref := image.Name.String()
		needs[ref] = []string{}
		for _, origin := range image.From { // a chart, or a list of the release's own
			by := cmp.Or(paths[origin.Chart], root.BOMRef)
			needs[by] = append(needs[by], ref)
		}
	}
	for _, file := range lock.Files {
		components = append(components, fileComponent(file))
		needs[root.BOMRef] = append(needs[root.BOMRef], string(file.Path))
	}
	bom.Components, bom.Dependencies = &components, dependencies(needs)
	return bom, nil
}

// Encode returns the bill of materials as JSON. The same lock gives the same bytes.
func Encode(lock *manifests.Lock) ([]byte, error) {
	bom, err := of(lock)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&b, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := encoder.EncodeVersion(bom, specVersion); err != nil {
		return nil, fmt.Errorf("encode bill of materials: %w", err)
	}
	return printable.JSON(b.Bytes()), nil
}

// serialNumber is a UUID that follows from the lock (RFC 9562, version 8), so
// that the same release has the same.
func serialNumber(lock *manifests.Lock) (string, error) {
	encoded, err := lock.Encode()
	if err != nil {
		return "", err
	}
	id, err := hex.DecodeString(manifests.DigestOf(encoded).Hex()[:32])
	if err != nil {
		return "", err
	}
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}

func chartComponent(c manifests.LockedChart) cyclonedx.Component {
	component := cyclonedx.Component{
		BOMRef: string(c.Path), Type: cyclonedx.ComponentTypeApplication, Name: c.Name, Version: c.Version,
		PackageURL: c.PURL(), Hashes: hashes(c.Content.Digest), ExternalReferences: distribution(c.Content),
	}
	properties := []cyclonedx.Property{}
	if c.App != "" {
		properties = append(properties, cyclonedx.Property{Name: "island:appVersion", Value: c.App})
	}
	if c.Meta != nil && c.Meta.Commit != "" {
		properties = append(properties, cyclonedx.Property{Name: "island:commit", Value: c.Meta.Commit})
	}
	return withProperties(component, properties, c.DecidedBy)
}

func imageComponent(i manifests.LockedImage) cyclonedx.Component {
	component := cyclonedx.Component{
		BOMRef: i.Name.String(), Type: cyclonedx.ComponentTypeContainer, Name: i.Name.Name(),
		Version: cmp.Or(i.Name.Tag, string(i.Digest)), PackageURL: i.PURL(), Hashes: hashes(i.Digest),
	}
	if i.Artifact {
		component.Type = cyclonedx.ComponentTypeFile
	}
	properties := []cyclonedx.Property{}
	for _, m := range i.Manifests {
		properties = append(properties, cyclonedx.Property{Name: manifestOf + m.For(), Value: string(m.Digest)})
		for _, layer := range m.Layers {
			properties = append(properties, cyclonedx.Property{Name: layerOf + m.For(), Value: string(layer)})
		}
	}
	for _, origin := range i.From {
		if origin.Chart == "" && origin.List != "" {
			properties = append(properties, cyclonedx.Property{Name: listedIn, Value: origin.List})
		}
	}
	return withProperties(component, properties, i.DecidedBy)
}

func fileComponent(f manifests.LockedFile) cyclonedx.Component {
	component := cyclonedx.Component{
		BOMRef: string(f.Path), Type: cyclonedx.ComponentTypeFile, Name: string(f.Path),
		PackageURL: f.PURL(), Hashes: hashes(f.Content.Digest), ExternalReferences: distribution(f.Content),
	}
	return withProperties(component, nil, f.DecidedBy)
}

func withProperties(c cyclonedx.Component, properties []cyclonedx.Property, by string) cyclonedx.Component {
	if by != "" {
		properties = append(properties, cyclonedx.Property{Name: decidedBy, Value: by})
	}
	if len(properties) > 0 {
		c.Properties = &properties
	}
	return c
}

func hashes(digest manifests.Digest) *[]cyclonedx.Hash {
	return &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: digest.Hex()}}
}

// distribution says where content was fetched from, where that is a place that
// others can reach.
func distribution(c manifests.Content) *[]cyclonedx.ExternalReference {
	url := c.URL
	if c.Repository != "" {
		url = "oci://" + c.Repository + "@" + string(c.Digest)
	}
	if !strings.Contains(url, "://") || strings.HasPrefix(url, "file:") {
		return nil
	}
	return &[]cyclonedx.ExternalReference{{Type: cyclonedx.ERTypeDistribution, URL: url}}
}

func dependencies(needs map[string][]string) *[]cyclonedx.Dependency {
	list := []cyclonedx.Dependency{}
	for ref, on := range needs {
		slices.Sort(on)
		on = slices.Compact(on)
		list = append(list, cyclonedx.Dependency{Ref: ref, Dependencies: &on})
	}
	slices.SortFunc(list, func(a, b cyclonedx.Dependency) int { return cmp.Compare(a.Ref, b.Ref) })
	return &list
}

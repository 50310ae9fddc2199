// Package vex says in OpenVEX, which security teams' scanners read, which
// vulnerabilities the patches of a release have fixed, and in what.
//
// Specification: OpenVEX 0.2.0 (github.com/openvex/spec, OPENVEX-SPEC.md).
package vex

import (
	"slices"
	"time"

	"github.com/islandbundle/island/manifests"
)

// Namespace is the version of OpenVEX that is written.
const Namespace = "https://openvex.dev/ns/v0.2.0"

// Document is an OpenVEX document.
type Document struct {
	Context    string      `json:"@context"`
	ID         string      `json:"@id"`
	Author     string      `json:"author"`
	Timestamp  string      `json:"timestamp"`
	Version    int         `json:"version"`
	Tooling    string      `json:"tooling"`
	Statements []Statement `json:"statements"`
}

// Statement is what is said of one vulnerability.
type Statement struct {
	Vulnerability Vulnerability `json:"vulnerability"`
	Timestamp     string        `json:"timestamp"`
	Products      []Product     `json:"products"`
	Status        string        `json:"status"`
	Justification string        `json:"justification,omitempty"`
	StatusNotes   string        `json:"status_notes,omitempty"`
}

// Vulnerability names a vulnerability.
type Vulnerability struct {
	ID          string `json:"@id,omitempty"` // an IRI at which it is described
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Product is something in which a vulnerability was fixed.
type Product struct {
	ID          string            `json:"@id"`
	Identifiers map[string]string `json:"identifiers,omitempty"`
	Hashes      map[string]string `json:"hashes,omitempty"`
}

// The statuses and the justification that are written.
const (
	fixed               = "fixed"
	notAffected         = "not_affected"
	componentNotPresent = "component_not_present"
)

// Of says which vulnerabilities the patches of a lock have fixed; nil where no
// patch names any, since a document without statements is not a valid one. A
// vulnerability of something that the release does not carry, because a profile
// leaves it out, is one that the release is not affected by.
func Of(lock *manifests.Lock) *Document {
	when := lock.Release.Date.Time().Format(time.RFC3339)
	d := &Document{
		Context: Namespace, Author: lock.Release.Name, Timestamp: when, Version: 1, Tooling: "island",
		ID: "https://openvex.dev/docs/public/" + lock.Release.Name + "-" + lock.Release.Version + "-" + identity(lock),
	}
	parts := decidedBy(lock)
	for _, patch := range lock.Patches {
		for _, v := range patch.Vulnerabilities {
			d.Statements = append(d.Statements, statement(lock.Release, patch, v, parts[patch.ID]))
		}
	}
	if len(d.Statements) == 0 {
		return nil
	}
	return d
}

// Encode returns the document for a lock as JSON, or nil where there is nothing to
// say. The same lock gives the same bytes.
func Encode(lock *manifests.Lock) ([]byte, error) {
	document := Of(lock)
	if document == nil {
		return nil, nil
	}
	return manifests.EncodeJSON(document)
}

// identity tells documents apart by what they are made from.
func identity(lock *manifests.Lock) string {
	var seed []byte
	for _, patch := range lock.Patches {
		seed = append(seed, patch.Digest...)
	}
	for _, image := range lock.Images {
		seed = append(seed, image.Digest...)
	}
	return manifests.DigestOf(seed).Short()
}

// parts are what one patch brought.
type parts struct {
	images []manifests.LockedImage
	charts []manifests.LockedChart
	files  []manifests.LockedFile
}

// decidedBy sorts what a lock has by the ids of the patches that decided it.
func decidedBy(lock *manifests.Lock) map[string]parts {
	by := map[string]parts{}
	for _, image := range lock.Images {
		p := by[image.DecidedBy]
		p.images = append(p.images, image)
		by[image.DecidedBy] = p
	}
	for _, chart := range lock.Charts {
		p := by[chart.DecidedBy]
		p.charts = append(p.charts, chart)
		by[chart.DecidedBy] = p
	}
	for _, file := range lock.Files {
		p := by[file.DecidedBy]
		p.files = append(p.files, file)
		by[file.DecidedBy] = p
	}
	return by
}

func statement(release manifests.LockedRelease, patch manifests.LockedPatch, v manifests.Vulnerability, brought parts) Statement {
	s := Statement{
		Vulnerability: Vulnerability{Name: v.ID, Description: v.Summary},
		Timestamp:     patch.Date.Time().Format(time.RFC3339),
		Products:      brought.products(v),
		Status:        fixed,
		StatusNotes:   "patch " + patch.ID + ": " + patch.Summary.En,
	}
	if len(v.Advisories) > 0 {
		s.Vulnerability.ID = v.Advisories[0]
	}
	if len(s.Products) == 0 {
		s.Products = []Product{product(release.PURL(), "")}
		s.Status, s.Justification = notAffected, componentNotPresent
	}
	return s
}

// products returns those in which a vulnerability had been: the images first, since
// these are what is scanned, then charts and files.
func (p parts) products(v manifests.Vulnerability) []Product {
	var list []Product
	for _, image := range p.images {
		if v.Names(image.Name.Name()) || slices.ContainsFunc(image.From, func(o manifests.Origin) bool {
			return o.Chart != "" && v.Names(o.Chart)
		}) {
			list = append(list, product(image.PURL(), image.Digest))
		}
	}
	for _, chart := range p.charts {
		if v.Names(chart.Name) {
			list = append(list, product(chart.PURL(), chart.Content.Digest))
		}
	}
	for _, file := range p.files {
		if v.Names(string(file.Path)) {
			list = append(list, product(file.PURL(), file.Content.Digest))
		}
	}
	return list
}

func product(purl string, digest manifests.Digest) Product {
	p := Product{ID: purl, Identifiers: map[string]string{"purl": purl}}
	if digest != "" {
		p.Hashes = map[string]string{"sha-256": digest.Hex()}
	}
	return p
}

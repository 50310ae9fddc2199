package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/site"
)

// maxProbe bounds a probe that is read.
const maxProbe = 32 << 20

// read reads all documents, and the probes that a bundle brings.
func (f *preflightFlags) read(ctx context.Context) (preflight.Input, *kit, error) {
	input := preflight.Input{Tool: toolVersion()}
	found := &kit{}
	var err error
	if f.bundle != "" {
		if found, err = f.openBundle(ctx); err != nil {
			return input, nil, err
		}
		input.Bundle = found.needs
	}
	if input.Table, err = f.readTable(found.table); err != nil {
		return input, nil, err
	}
	if input.Ports, err = f.readPorts(found.ports); err != nil {
		return input, nil, err
	}
	input.Site, err = f.readSite()
	return input, found, err
}

// readTable returns the hardware table that is named, else the bundle's, else
// the built-in one.
func (f *preflightFlags) readTable(ofBundle *sizing.Table) (*sizing.Table, error) {
	if f.table == "" && ofBundle != nil {
		return ofBundle, nil
	}
	table, _, err := readTable(cmp.Or(f.table, sizing.DefaultTable))
	return table, err
}

// readPorts returns the table of ports likewise.
func (f *preflightFlags) readPorts(ofBundle *site.Ports) (*site.Ports, error) {
	switch {
	case f.ports != "":
		data, err := readDocument(f.ports, manifests.MaxDocumentBytes, aPortsTable)
		if err != nil {
			return nil, err
		}
		return site.ReadPorts(f.ports, data)
	case ofBundle != nil:
		return ofBundle, nil
	}
	return site.DefaultPorts()
}

// readSite returns what the site document and flags say of the site.
func (f *preflightFlags) readSite() (*site.Site, error) {
	described := site.Undescribed()
	if f.site != "" {
		data, err := readDocument(f.site, manifests.MaxDocumentBytes, aSite)
		if err != nil {
			return nil, err
		}
		if described, err = site.Read(f.site, data, sizing.SiteNames()); err != nil {
			return nil, err
		}
	}
	described.Preflight.Installed = cmp.Or(f.installed, described.Preflight.Installed)
	if err := described.Preflight.CheckInstalled(); err != nil {
		return nil, err
	}
	for _, text := range f.waive {
		waiver, err := site.ParseWaiver(text, f.reason)
		if err != nil {
			return nil, err
		}
		described.Preflight.Waivers = append(described.Preflight.Waivers, waiver)
	}
	return described, nil
}

// kit is what a bundle brings for the preflight.
type kit struct {
	probes map[string][]byte // by architecture
	table  *sizing.Table
	ports  *site.Ports
	needs  *preflight.BundleNeeds
}

// openBundle verifies a bundle and takes out of it what is used here.
func (f *preflightFlags) openBundle(ctx context.Context) (*kit, error) {
	trust, err := f.trust.trust()
	if err != nil {
		return nil, err
	}
	file, err := open(f.bundle)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := file.bundle(trust)
	if err != nil {
		return nil, err
	}
	if err := file.explain(b.Verify(ctx, bundle.VerifyOptions{})); err != nil {
		return nil, err
	}
	return takeKit(b, filepath.Base(f.bundle))
}

// takeKit takes out of a verified bundle what is used here. It is checked again as it
// is read: the file may have become another since.
func takeKit(b *bundle.Bundle, name string) (*kit, error) {
	found := &kit{
		probes: map[string][]byte{},
		needs:  &preflight.BundleNeeds{Name: name, Size: manifests.Bytes(b.Size())},
	}
	var err error
	if found.needs.Upgrades, found.needs.Version, err = upgradesOfLock(&b.Inventory.Lock); err != nil {
		return nil, err
	}
	for _, platform := range b.Inventory.Lock.Release.Platforms {
		architecture := strings.TrimSuffix(platform.Architecture+"/"+platform.Variant, "/")
		if !slices.Contains(found.needs.Architectures, architecture) {
			found.needs.Architectures = append(found.needs.Architectures, architecture)
		}
	}
	for _, blob := range b.Inventory.Lock.Blobs {
		found.needs.Images += manifests.Bytes(blob.Size)
	}
	found.needs.NodeImages = sizing.FootprintOf(&b.Inventory.Lock).Compressed
	for _, entry := range b.Inventory.Entries {
		if err := found.take(b, entry); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// take keeps an entry that the preflight uses.
func (k *kit) take(b *bundle.Bundle, entry bundle.Entry) error {
	name := string(entry.Path)
	architecture, isProbe := strings.CutSuffix(strings.TrimPrefix(name, bundle.ToolsFolder+"linux-"), "/island-probe")
	isTable, isPorts := name == bundle.SizingFolder+"table.yaml", name == bundle.SizingFolder+"ports.yaml"
	_, here := b.Entry(entry.Path) // a delta may lack it
	if !isProbe && !isTable && !isPorts || entry.Size > maxProbe || !here {
		return nil
	}
	data, err := b.ReadEntry(entry.Path, maxProbe)
	if err != nil {
		return err
	}
	switch {
	case isProbe:
		k.probes[architecture] = data
	case isTable:
		k.table, err = sizing.ReadTable(name, data)
	default:
		k.ports, err = site.ReadPorts(name, data)
	}
	return err
}

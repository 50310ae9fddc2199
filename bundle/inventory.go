package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// The names of the entries that every bundle has (docs/format.md).
const (
	InventoryPath   = "bundle.json"
	SignaturePath   = "bundle.sigstore.json" // the first signer's
	ReadmePath      = "README.txt"
	TrustedRootPath = "trusted_root.json"
	ToolsFolder     = "tools/"
	ChartIndexPath  = manifests.ChartIndexPath
	OCILayoutPath   = "oci-layout"
	OCIIndexPath    = "index.json"
	DockerPath      = "manifest.json"
	BlobsFolder     = "blobs/sha256/"
)

// Entries that a bundle may have: what follows from its lock, for people and
// for other programs.
const (
	SBOMPath      = "sbom.cdx.json"    // CycloneDX
	VEXPath       = "vex.openvex.json" // OpenVEX; only where patches fix vulnerabilities
	PatchesFolder = "patches/"         // values to set and steps to take on site
	SizingFolder  = "sizing/"
)

// Limits on what is read before the signature is checked, and on what a signed
// inventory may say.
const (
	MaxInventoryBytes = 64 << 20
	maxEntries        = 100_000
	maxSignatures     = 16
	maxBundleBytes    = 1 << 50 // of all contents together, so that no offset can overflow
	maxManifestBytes  = 4 << 20 // distribution-spec, "Pushing Manifests"
	// maxInventoryCommas bounds the members and elements of bundle.json, and so
	// what decoding it takes: three bytes of "{}," can become 250 in memory.
	maxInventoryCommas = 2_000_000
)

// FormatVersion is the latest version of the bundle format that this package writes
// and reads. What an earlier one can carry is written in that.
const FormatVersion = manifests.MaxFormat

// KindBundle is the kind of an inventory.
const KindBundle = "Bundle"

// Inventory is bundle.json: what a bundle is and everything in it. It is the
// one entry that is signed, and binds all others by digest, order and size.
type Inventory struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Format     int             `json:"format"`
	Tool       string          `json:"tool"`       // the program and version that planned it
	Signatures []SignatureSlot `json:"signatures"` // in archive order, right after bundle.json
	Entries    []Entry         `json:"entries"`    // all further entries, in archive order
	Lock       manifests.Lock  `json:"lock"`
}

// SignatureSlot is an entry that holds a signature over bundle.json. Its
// content is not in the inventory, since it is made from the inventory.
type SignatureSlot struct {
	Path manifests.EntryPath `json:"path"`
	Size int64               `json:"size"`
}

// Entry is one file in the archive.
type Entry struct {
	Path   manifests.EntryPath `json:"path"`
	Size   int64               `json:"size"` // bytes
	Digest manifests.Digest    `json:"digest"`
	Mode   uint32              `json:"mode,omitempty"` // permission bits, 0644 unless given
}

func (e Entry) mode() uint32 {
	if e.Mode == 0 {
		return 0o644
	}
	return e.Mode
}

// decodeInventory reads a signed inventory and checks that it is consistent in
// itself and with the lock that it holds.
func decodeInventory(data []byte) (*Inventory, error) {
	if commas := bytes.Count(data, []byte(",")); commas > maxInventoryCommas {
		return nil, fmt.Errorf("inventory has %d commas, at most %d are read", commas, maxInventoryCommas)
	}
	var inventory Inventory
	if err := manifests.DecodeJSON(data, &inventory); err != nil {
		// A later format may have members that are not known here: say so.
		var later struct{ Format int }
		if json.Unmarshal(data, &later) == nil && later.Format > FormatVersion {
			return nil, fmt.Errorf("inventory is in format %d; this program reads formats 1 to %d", later.Format, FormatVersion)
		}
		return nil, fmt.Errorf("inventory is not readable: %w", err)
	}
	return &inventory, inventory.check()
}

func (inv *Inventory) check() error {
	if inv.APIVersion != manifests.APIVersion || inv.Kind != KindBundle || inv.Format < 1 || inv.Format > FormatVersion {
		return fmt.Errorf("inventory is a %q of %q in format %d; this program reads %s of %s in formats 1 to %d",
			inv.Kind, inv.APIVersion, inv.Format, KindBundle, manifests.APIVersion, FormatVersion)
	}
	if len(inv.Entries) > maxEntries || len(inv.Signatures) == 0 || len(inv.Signatures) > maxSignatures {
		return fmt.Errorf("inventory lists %d entries and %d signatures; at most %d and 1 to %d are read",
			len(inv.Entries), len(inv.Signatures), maxEntries, maxSignatures)
	}
	if err := inv.Lock.Check(); err != nil {
		return fmt.Errorf("lock in the inventory: %w", err)
	}
	if inv.Format != inv.Lock.BundleFormat() {
		return fmt.Errorf("inventory is in format %d, and its lock is for format %d", inv.Format, inv.Lock.BundleFormat())
	}
	paths := []manifests.EntryPath{inventoryFile.path()}
	for i, slot := range inv.Signatures {
		first := slot.Path == SignaturePath
		if !inventoryFile.isSlot(string(slot.Path)) || slot.Size != SignatureSize || first != (i == 0) {
			return fmt.Errorf("signature entry %q of %d bytes is not of the known form", slot.Path, slot.Size)
		}
		paths = append(paths, slot.Path)
	}
	total := int64(0)
	entries := map[manifests.EntryPath]Entry{}
	for _, entry := range inv.Entries {
		if isFront(string(entry.Path)) {
			return fmt.Errorf("entry %q is one of the front", entry.Path)
		}
		if entry.Path == "" || entry.Digest == "" || entry.Size < 0 || entry.Mode&^0o777 != 0 {
			return fmt.Errorf("entry %q has no path or digest, a negative size or a strange mode", entry.Path)
		}
		// Two comparisons, so that the sum cannot overflow.
		if entry.Size > maxBundleBytes || total+entry.Size > maxBundleBytes {
			return fmt.Errorf("entry %q of %d bytes makes the contents larger than %s", entry.Path, entry.Size, manifests.Bytes(maxBundleBytes))
		}
		total += entry.Size
		entries[entry.Path] = entry
		paths = append(paths, entry.Path)
	}
	if clashes := manifests.PathClashes(paths); len(clashes) > 0 {
		return clashes[0]
	}
	return inv.checkAgainstLock(entries)
}

// checkAgainstLock makes sure that the archive holds what the lock promises
// and nothing that nobody knows the meaning of.
func (inv *Inventory) checkAgainstLock(entries map[manifests.EntryPath]Entry) error {
	promised := map[manifests.EntryPath]manifests.Content{}
	for _, chart := range inv.Lock.Charts {
		promised[chart.Path] = chart.Content
	}
	for _, file := range inv.Lock.Files {
		promised[file.Path] = file.Content
	}
	for _, blob := range inv.Lock.Blobs {
		promised[blobPath(blob.Digest)] = blob
	}
	for path, content := range promised {
		if entry, ok := entries[path]; !ok || entry.Digest != content.Digest || entry.Size != content.Size {
			return fmt.Errorf("entry %q is not in the archive as the lock describes it", path)
		}
	}
	for _, path := range []manifests.EntryPath{ReadmePath, TrustedRootPath, ChartIndexPath, OCILayoutPath, OCIIndexPath, DockerPath} {
		entry, ok := entries[path]
		if !ok {
			return fmt.Errorf("entry %q, which every bundle has, is not in the archive", path)
		}
		promised[path] = manifests.Content{Digest: entry.Digest, Size: entry.Size}
	}
	for path := range entries {
		if _, known := promised[path]; !known && !isOptional(string(path)) {
			return fmt.Errorf("entry %q is neither in the lock nor a known part of a bundle", path)
		}
	}
	return nil
}

func isOptional(path string) bool {
	return path == SBOMPath || path == VEXPath || strings.HasPrefix(path, ToolsFolder) ||
		strings.HasPrefix(path, PatchesFolder) || strings.HasPrefix(path, SizingFolder)
}

func blobPath(d manifests.Digest) manifests.EntryPath {
	return manifests.EntryPath(BlobsFolder + d.Hex())
}

// isFront reports whether an entry stands before the parts, and is none.
func isFront(path string) bool {
	return path == string(inventoryFile.path()) || path == string(deltaFile.path()) ||
		inventoryFile.isSlot(path) || deltaFile.isSlot(path)
}

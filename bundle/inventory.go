package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/islandbundle/island/bundle/signature"
	"github.com/islandbundle/island/manifests"
)

// The names of the entries that every bundle has (docs/format.md).
const (
	InventoryPath   = "bundle.json"
	ReadmePath      = "README.txt"
	TrustedRootPath = "trusted_root.json"
	ToolsFolder     = "tools/"
	ChartIndexPath  = "charts/index.yaml"
	OCILayoutPath   = "oci-layout"
	OCIIndexPath    = "index.json"
	DockerPath      = "manifest.json"
	BlobsFolder     = "blobs/sha256/"
)

// Limits on what is read before the signature is checked, and on what a signed
// inventory may say.
const (
	MaxInventoryBytes = 64 << 20
	MaxEntries        = 100_000
	MaxSignatures     = 16
	maxManifestBytes  = 4 << 20 // distribution-spec, "Pushing Manifests"
)

// FormatVersion is the version of the bundle format that this package writes
// and reads.
const FormatVersion = 1

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

// slotPath gives the path of a signer's slot: the first signer has no name.
func slotPath(signer string) manifests.EntryPath {
	if signer == "" {
		return signature.FileName
	}
	return manifests.EntryPath("bundle." + signer + ".sigstore.json")
}

// decodeInventory reads a signed inventory and checks that it is consistent in
// itself and with the lock that it holds.
func decodeInventory(data []byte) (*Inventory, error) {
	var inventory Inventory
	reader := json.NewDecoder(bytes.NewReader(data))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&inventory); err != nil {
		return nil, fmt.Errorf("inventory is not readable: %w", err)
	}
	if reader.More() {
		return nil, errors.New("text follows the inventory")
	}
	return &inventory, inventory.check()
}

func (inv *Inventory) check() error {
	if inv.APIVersion != manifests.APIVersion || inv.Kind != KindBundle || inv.Format != FormatVersion {
		return fmt.Errorf("inventory is a %q of %q in format %d; this program reads %s of %s in format %d",
			inv.Kind, inv.APIVersion, inv.Format, KindBundle, manifests.APIVersion, FormatVersion)
	}
	if len(inv.Entries) > MaxEntries || len(inv.Signatures) == 0 || len(inv.Signatures) > MaxSignatures {
		return fmt.Errorf("inventory lists %d entries and %d signatures; at most %d and 1 to %d are read",
			len(inv.Entries), len(inv.Signatures), MaxEntries, MaxSignatures)
	}
	if err := inv.Lock.Check(); err != nil {
		return fmt.Errorf("lock in the inventory: %w", err)
	}
	for _, slot := range inv.Signatures {
		if !isSlotPath(string(slot.Path)) || slot.Size != signature.Size {
			return fmt.Errorf("signature entry %q of %d bytes is not of the known form", slot.Path, slot.Size)
		}
	}
	entries := map[manifests.EntryPath]Entry{}
	for _, entry := range inv.Entries {
		if _, twice := entries[entry.Path]; twice || isSlotPath(string(entry.Path)) || entry.Path == InventoryPath {
			return fmt.Errorf("entry %q is listed twice", entry.Path)
		}
		if entry.Path == "" || entry.Digest == "" || entry.Size < 0 || entry.Mode&^0o777 != 0 {
			return fmt.Errorf("entry %q has no path or digest, a negative size or a strange mode", entry.Path)
		}
		entries[entry.Path] = entry
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
	for path := range entries {
		_, known := promised[path]
		switch path {
		case ReadmePath, TrustedRootPath, ChartIndexPath, OCILayoutPath, OCIIndexPath, DockerPath:
			known = true
		}
		if !known && !strings.HasPrefix(string(path), ToolsFolder) && !strings.HasPrefix(string(path), "sizing/") {
			return fmt.Errorf("entry %q is neither in the lock nor a known part of a bundle", path)
		}
	}
	return nil
}

func blobPath(d manifests.Digest) manifests.EntryPath {
	return manifests.EntryPath(BlobsFolder + d.Hex())
}

// isSlotPath tells "bundle.sigstore.json" and "bundle.NAME.sigstore.json".
func isSlotPath(path string) bool {
	if path == signature.FileName {
		return true
	}
	middle, ok := strings.CutPrefix(path, "bundle.")
	middle, ok2 := strings.CutSuffix(middle, ".sigstore.json")
	return ok && ok2 && IsSignerName(middle)
}

// IsSignerName tells whether a further signer can have this name: up to 32
// lowercase letters, digits and dashes.
func IsSignerName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= 32
}

package bundle

import (
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Tool is an executable that travels in the bundle, below tools/.
type Tool struct {
	Path string // below tools/, such as linux-amd64/island
	File string // on this machine
}

// PlanOptions are what a plan needs beside the lock. The zero value plans a
// bundle without tools and with one signature.
type PlanOptions struct {
	Tool    string   // the program and version that builds, such as "island 0.1.0"
	Tools   []Tool   // executables to carry
	Signers []string // names of further signers; the first signer has no name

	// Documents are texts that follow from the lock, such as its bill of
	// materials, in the order in which they stand behind the tools. They
	// are called [SBOMPath], [VEXPath], or stand below [PatchesFolder].
	Documents []Document
}

// Document is a text that is carried beside what the lock pins.
type Document struct {
	Path  manifests.EntryPath
	Bytes []byte
}

// Plan is a bundle on paper: every byte that is not fetched, and the place of
// every byte that is.
type Plan struct {
	Inventory *Inventory
	encoded   []byte // bundle.json
	layout    layout
	parts     []part // as Inventory.Entries
	slots     [][]byte

	delta        *Delta // nil for a whole bundle
	encodedDelta []byte // delta.json
	deltaSlots   [][]byte
	patches      *os.File // nil but for a deep delta
}

// Close returns back what the plan of a deep delta keeps: its patches. Other plans
// keep nothing.
func (p *Plan) Close() error {
	if p.patches == nil {
		return nil
	}
	return p.patches.Close()
}

// part is one entry's content and where it comes from: generated text, a file
// of this machine or a stretch of an open one, what a patch makes of other
// content, or pinned content that a [Source] opens.
type part struct {
	entry   Entry
	text    []byte
	file    string
	stretch *section
	rebuilt *rebuilt
	content manifests.Content
}

// NewPlan turns a lock into a plan. It reads the tools once, to hash them;
// nothing else is read, and nothing is fetched.
func NewPlan(lock *manifests.Lock, options PlanOptions) (*Plan, error) {
	if err := lock.Check(); err != nil {
		return nil, fault.New(fault.Usage, fault.Here, "lock", "write it anew with island resolve", "%w", err)
	}
	parts := []part{
		textPart(ReadmePath, readme(lock)),
		textPart(TrustedRootPath, emptyTrustedRoot()),
	}
	for _, tool := range options.Tools {
		p, err := toolPart(tool)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	for _, document := range options.Documents {
		parts = append(parts, textPart(string(document.Path), document.Bytes))
	}
	for _, chart := range lock.Charts {
		parts = append(parts, contentPart(chart.Path, 0, chart.Content))
	}
	index, err := chartIndex(lock)
	if err != nil {
		return nil, err
	}
	parts = append(parts, textPart(ChartIndexPath, index))
	for _, file := range lock.Files {
		parts = append(parts, contentPart(file.Path, file.Mode, file.Content))
	}
	image, err := imageParts(lock)
	if err != nil {
		return nil, err
	}
	parts = append(parts, image...)
	return newPlan(lock, options, parts)
}

func newPlan(lock *manifests.Lock, options PlanOptions, parts []part) (*Plan, error) {
	inventory := &Inventory{
		APIVersion: manifests.APIVersion, Kind: KindBundle, Format: lock.BundleFormat(),
		Tool: options.Tool, Lock: *lock,
	}
	for _, signer := range append([]string{""}, options.Signers...) {
		inventory.Signatures = append(inventory.Signatures, SignatureSlot{Path: inventoryFile.slot(signer), Size: SignatureSize})
	}
	for _, p := range parts {
		inventory.Entries = append(inventory.Entries, p.entry)
	}
	encoded, err := manifests.EncodeJSON(inventory)
	if err != nil {
		return nil, err
	}
	if len(encoded) > MaxInventoryBytes {
		return nil, fault.New(fault.Failure, fault.Here, "plan", "split the release", "inventory would have %s, more than %s",
			manifests.Bytes(len(encoded)), manifests.Bytes(MaxInventoryBytes))
	}
	// Read as a verifier reads it, so that nothing is built that cannot be read.
	if _, err := decodeInventory(encoded); err != nil {
		return nil, fault.New(fault.Failure, fault.Here, "plan", "", "%w", err)
	}
	plan := &Plan{Inventory: inventory, encoded: encoded, layout: layOut(inventory, int64(len(encoded)), nil, 0), parts: parts}
	for range inventory.Signatures {
		plan.slots = append(plan.slots, blankSlot())
	}
	return plan, nil
}

// Size returns the size of the whole archive in bytes.
func (p *Plan) Size() int64 { return p.layout.size }

// Signer is a private key, wherever it is kept, and the name of its slot, which
// is empty for the first.
type Signer struct {
	Name string
	Key  crypto.Signer // ECDSA on P-256
}

// Sign signs the inventory. Its slot must have been planned.
func (p *Plan) Sign(signer Signer) error {
	at := slices.IndexFunc(p.Inventory.Signatures, func(s SignatureSlot) bool { return s.Path == inventoryFile.slot(signer.Name) })
	if at < 0 {
		return fmt.Errorf("no signature entry is planned for signer %q", signer.Name)
	}
	signed, err := signedSlot(signer.Key, p.encoded)
	if err != nil {
		return err
	}
	if p.delta != nil {
		signedDelta, err := signedSlot(signer.Key, p.encodedDelta)
		if err != nil {
			return err
		}
		p.deltaSlots[at] = signedDelta
	}
	p.slots[at] = signed
	return nil
}

func textPart(path string, text []byte) part {
	return part{
		entry: Entry{Path: manifests.EntryPath(path), Size: int64(len(text)), Digest: manifests.DigestOf(text)},
		text:  text,
	}
}

func contentPart(path manifests.EntryPath, mode uint32, content manifests.Content) part {
	if mode == 0o644 {
		mode = 0
	}
	return part{
		entry:   Entry{Path: path, Size: content.Size, Digest: content.Digest, Mode: mode},
		content: content,
	}
}

func toolPart(tool Tool) (part, error) {
	path, err := manifests.ParseEntryPath(ToolsFolder + tool.Path)
	if err != nil {
		return part{}, err
	}
	f, err := os.Open(tool.File)
	if err != nil {
		return part{}, fault.Explain(err, fault.Usage, fault.Here, "tool "+tool.Path, "")
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return part{}, fault.Explain(err, fault.Failure, fault.Here, "tool "+tool.Path, "")
	}
	return part{
		entry: Entry{Path: path, Size: size, Digest: manifests.DigestFromSum(sum.Sum(nil)), Mode: 0o755},
		file:  tool.File,
	}, nil
}

// open opens what a part is filled from. What is empty is not asked for. The folder is for what rebuilding
// it needs in between.
func (p part) open(ctx context.Context, source Source, folder string) (io.ReadCloser, error) {
	switch {
	case p.rebuilt != nil:
		return p.rebuilt.open(ctx, source, folder)
	case p.file != "":
		return os.Open(p.file)
	case p.stretch != nil:
		return &sectionReader{section: *p.stretch}, nil
	case p.content.Digest == manifests.EmptyDigest:
		return io.NopCloser(strings.NewReader("")), nil
	default:
		return source.Open(ctx, p.content, 0)
	}
}

// Digest returns the digest of bundle.json: the identity of the bundle.
func (p *Plan) Digest() manifests.Digest { return manifests.DigestOf(p.encoded) }

// filled returns the bundle that the plan makes of a file with all its parts.
func (p *Plan) filled(file io.ReaderAt) *Bundle {
	return &Bundle{Inventory: p.Inventory, Delta: p.delta, layout: p.layout, unverified: file, size: p.layout.size}
}

// BaseDigest returns the identity of the bundle that a delta is for, and nothing
// for a whole bundle.
func (p *Plan) BaseDigest() manifests.Digest {
	if p.delta == nil {
		return ""
	}
	return p.delta.Base.Digest
}

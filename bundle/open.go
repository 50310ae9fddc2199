package bundle

import (
	"bufio"
	"errors"
	"io"
	"time"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Bundle is an open bundle whose inventory is believed. Its parts are not
// checked until [Bundle.Verify] has been through them.
type Bundle struct {
	Inventory *Inventory
	Digest    manifests.Digest // of bundle.json: the identity of the bundle
	SignedBy  Signers          // over bundle.json; none if unsigned or unchecked
	Delta     *Delta           // not nil for a delta bundle, which lacks what its base has
	unchecked bool
	text      []byte   // bundle.json
	slots     [][]byte // the signatures over it
	contents  contents
	layout    layout
	size      int64

	unverified io.ReaderAt // the archive; nil for one that was read from a stream
}

// Open reads the front of an archive of size bytes and checks the signature
// over bundle.json before it believes anything in it. A bad signature, or a
// front that is not as the inventory says, is a Refused error.
func Open(reader io.ReaderAt, size int64, trust Trust) (*Bundle, error) {
	b, err := openFront(bufio.NewReaderSize(io.NewSectionReader(reader, 0, size), copyBuffer), trust)
	if err != nil {
		return nil, err
	}
	b.unverified, b.size = reader, size
	return b, nil
}

// openFront reads bundle.json and the signatures behind it, in one pass.
func openFront(r *bufio.Reader, trust Trust) (*Bundle, error) {
	front, err := readSigned(r, inventoryFile, MaxInventoryBytes)
	if err != nil {
		return nil, err
	}
	b := &Bundle{
		Digest: manifests.DigestOf(front.text), unchecked: trust.WithoutAnyCheck,
		text: front.text, slots: front.slots,
	}
	if b.SignedBy, err = front.believe(trust); err != nil {
		return nil, err
	}
	if b.Inventory, err = decodeInventory(front.text); err != nil {
		return nil, refused(InventoryPath, "%w", err)
	}
	delta, err := b.openDelta(r, trust)
	if err != nil {
		return nil, err
	}
	b.contents = newContents(b.Inventory, b.Delta)
	b.layout = layOut(b.Inventory, int64(len(front.text)), b.Delta, delta.size())
	if err := front.compare(b.layout.front[:1+len(b.Inventory.Signatures)]); err != nil {
		return nil, err
	}
	if delta != nil {
		return b, delta.compare(b.layout.front[1+len(b.Inventory.Signatures):])
	}
	return b, nil
}

// openDelta reads delta.json and its signatures, if they come next.
func (b *Bundle) openDelta(r *bufio.Reader, trust Trust) (*signedText, error) {
	name, err := nextName(r)
	if err != nil || name != string(deltaFile.path()) {
		return nil, asRefusal(InventoryPath, err)
	}
	signed, err := readSigned(r, deltaFile, maxDeltaBytes)
	if err != nil {
		return nil, err
	}
	if _, err := signed.believe(trust); err != nil {
		return nil, err
	}
	b.Delta, err = decodeDelta(signed.text, b.Inventory, b.Digest)
	if err != nil {
		return nil, refused(string(deltaFile.path()), "%w", err)
	}
	return signed, nil
}

func refused(path, format string, args ...any) error {
	return fault.New(fault.Refused, fault.Site, path, "get the bundle again from its sender; do not use this one", format, args...)
}

// asRefusal makes an early end a refusal, and leaves errors of reading the
// disk or the pipe what they are.
func asRefusal(path string, err error) error {
	var explained *fault.Error
	switch {
	case err == nil || errors.As(err, &explained):
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return refused(path, "the archive is cut short: %w", noEOF(err))
	default:
		return fault.Explain(err, fault.Failure, fault.Here, path, "")
	}
}

// noEOF words a bare end of input for people.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Size returns the size of the whole archive in bytes.
func (b *Bundle) Size() int64 { return b.layout.size }

// SignatureState returns what is known of the signature: "valid", "unsigned" (and
// allowed to be) or "unchecked".
func (b *Bundle) SignatureState() string {
	switch {
	case b.unchecked:
		return "unchecked"
	case len(b.SignedBy) == 0:
		return "unsigned"
	default:
		return "valid"
	}
}

// Expired reports whether a bundle's expiry lies before now. It is a warning by
// default: clocks on islands are weak.
func (b *Bundle) Expired(now time.Time) bool {
	expires := b.Inventory.Lock.Release.Expires
	return !expires.IsZero() && now.UTC().After(expires.Time().AddDate(0, 0, 1))
}

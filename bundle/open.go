package bundle

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/islandbundle/island/bundle/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Trust says whose signature makes a bundle worth believing. The zero value
// trusts nobody.
type Trust struct {
	Keys          []signature.PublicKey // any one of them is enough
	AllowUnsigned bool                  // a bundle built with --unsigned is taken as it is
	// WithoutAnyCheck believes the inventory of whoever made the archive. It is
	// for looking at a bundle, never for using one.
	WithoutAnyCheck bool
}

// Bundle is an open bundle whose inventory is believed. Its parts are not
// checked until [Bundle.Verify] has been through them.
type Bundle struct {
	Inventory *Inventory
	Digest    manifests.Digest     // of bundle.json: the identity of the bundle
	SignedBy  *signature.PublicKey // nil if unsigned or unchecked
	layout    layout
	reader    io.ReaderAt
	size      int64
}

// Open reads the front of an archive of size bytes and checks the signature
// over bundle.json before it believes anything in it. A bad signature, or a
// front that is not as the inventory says, is a Refused error.
func Open(reader io.ReaderAt, size int64, trust Trust) (*Bundle, error) {
	b, err := openFront(bufio.NewReaderSize(io.NewSectionReader(reader, 0, size), copyBuffer), trust)
	if err != nil {
		return nil, err
	}
	b.reader, b.size = reader, size
	return b, nil
}

// Entry gives the inventory's record of a path, and a reader for its content.
// The content is not checked.
func (b *Bundle) Entry(path manifests.EntryPath) (Entry, *io.SectionReader, bool) {
	i := slices.IndexFunc(b.Inventory.Entries, func(e Entry) bool { return e.Path == path })
	if i < 0 || b.reader == nil {
		return Entry{}, nil, false
	}
	span := b.layout.entries[i]
	return b.Inventory.Entries[i], io.NewSectionReader(b.reader, span.content(), span.size), true
}

// openFront reads bundle.json and the signatures behind it, in one pass.
func openFront(r *bufio.Reader, trust Trust) (*Bundle, error) {
	front, err := readFront(r)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Digest: manifests.DigestOf(front.inventory)}
	if b.SignedBy, err = front.believe(trust); err != nil {
		return nil, err
	}
	if b.Inventory, err = decodeInventory(front.inventory); err != nil {
		return nil, refused(InventoryPath, "%w", err)
	}
	b.layout = layOut(b.Inventory, int64(len(front.inventory)))
	return b, front.compare(b.layout)
}

// front is the start of an archive, not yet believed.
type front struct {
	raw       []byte // everything read, headers and padding included
	inventory []byte
	slots     [][]byte
}

func readFront(r *bufio.Reader) (*front, error) {
	f := &front{}
	name, inventory, err := f.readEntry(r, MaxInventoryBytes)
	if err != nil || name != InventoryPath {
		if err == nil {
			err = fmt.Errorf("the first entry is %.80q", name)
		}
		return nil, asRefusal(InventoryPath, fmt.Errorf("not an island bundle: %w", err))
	}
	f.inventory = inventory
	for {
		block, err := r.Peek(blockSize)
		if err != nil {
			return nil, asRefusal(signature.FileName, err)
		}
		name, _, err := ustarNameAndSize(block)
		if err != nil || !isSlotPath(name) {
			break
		}
		if len(f.slots) == MaxSignatures {
			return nil, refused(name, "more than %d signatures", MaxSignatures)
		}
		_, content, err := f.readEntry(r, signature.Size)
		if err != nil {
			return nil, asRefusal(name, err)
		}
		f.slots = append(f.slots, content)
	}
	if len(f.slots) == 0 {
		return nil, refused(signature.FileName, "the archive has no signature entry behind %s", InventoryPath)
	}
	return f, nil
}

// readEntry reads one whole entry of a bounded size.
func (f *front) readEntry(r io.Reader, limit int64) (string, []byte, error) {
	block := make([]byte, blockSize)
	if _, err := io.ReadFull(r, block); err != nil {
		return "", nil, err
	}
	name, size, err := ustarNameAndSize(block)
	if err != nil {
		return "", nil, err
	}
	if size > limit {
		return "", nil, fmt.Errorf("entry %.80q has %d bytes, at most %d are read", name, size, limit)
	}
	// Grown as it is read: a size is only a claim.
	var content bytes.Buffer
	if n, err := io.CopyN(&content, r, size+paddingOf(size)); err != nil {
		return "", nil, fmt.Errorf("entry %.80q ends after %d of %d bytes: %w", name, n, size, noEOF(err))
	}
	f.raw = append(append(f.raw, block...), content.Bytes()...)
	return name, content.Bytes()[:size], nil
}

// believe tells who signed the inventory. Of several signatures one by a
// trusted key is enough; the error is that of the first.
func (f *front) believe(trust Trust) (*signature.PublicKey, error) {
	if trust.WithoutAnyCheck {
		return nil, nil
	}
	digest := sha256.Sum256(f.inventory)
	var first error
	unsigned := true
	for _, slot := range f.slots {
		unsigned = unsigned && signature.IsBlank(slot)
		if len(trust.Keys) == 0 && signature.IsBlank(slot) {
			continue
		}
		key, err := signature.Verify(trust.Keys, slot, digest)
		if err == nil {
			return &key, nil
		}
		if first == nil {
			first = err
		}
	}
	switch {
	case unsigned && trust.AllowUnsigned:
		return nil, nil
	case unsigned && first == nil:
		return nil, fault.New(fault.Refused, fault.Site, signature.FileName,
			"give the sender's public key with --key; --allow-unsigned takes the bundle as it is", "bundle is not signed")
	default:
		return nil, first
	}
}

// compare makes sure that the front is, to the byte, what the inventory says.
func (f *front) compare(l layout) error {
	if len(l.slots) != len(f.slots) {
		return refused(signature.FileName, "the archive has %d signature entries, the inventory lists %d", len(f.slots), len(l.slots))
	}
	check := func(s span, content []byte) error {
		want := append(slices.Clone(s.header), content...)
		want = append(want, make([]byte, paddingOf(s.size))...)
		if int64(len(content)) != s.size || !bytes.Equal(want, f.raw[s.start:min(s.next(), int64(len(f.raw)))]) {
			return refused(string(s.path), "tar header or padding is not what the inventory says")
		}
		return nil
	}
	if err := check(l.inventory, f.inventory); err != nil {
		return err
	}
	for i, slot := range l.slots {
		if err := check(slot, f.slots[i]); err != nil {
			return err
		}
		if err := checkPadded(f.slots[i]); err != nil {
			return refused(string(slot.path), "%w", err)
		}
	}
	return nil
}

// checkPadded makes sure that a signature entry is filled up with spaces and a
// newline and nothing else, as signature.Pad does it.
func checkPadded(slot []byte) error {
	want := signature.Unsigned()
	if !signature.IsBlank(slot) {
		padded, err := signature.Pad(bytes.TrimRight(slot, " \t\r\n"))
		if err != nil {
			return err
		}
		want = padded
	}
	if !bytes.Equal(want, slot) {
		return errors.New("white space around the signature was altered")
	}
	return nil
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
	case isReadError(err):
		return fault.Explain(err, fault.Failure, fault.Here, path, "")
	default:
		return refused(path, "%w", err)
	}
}

// noEOF words a bare end of input for people.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

package bundle

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// signedFile is one of the two entries that are signed: its name without
// ".json". Behind NAME.json stand NAME.sigstore.json and, for further signers,
// NAME.SIGNER.sigstore.json.
type signedFile string

const (
	inventoryFile signedFile = "bundle"
	deltaFile     signedFile = "delta"

	slotSuffix = ".sigstore.json"
)

func (f signedFile) path() manifests.EntryPath { return manifests.EntryPath(f + ".json") }

// slot returns the path of a signer's entry: the first signer has no name.
func (f signedFile) slot(signer string) manifests.EntryPath {
	if signer != "" {
		signer = "." + signer
	}
	return manifests.EntryPath(string(f) + signer + slotSuffix)
}

// isSlot reports whether a path is that of a signature over this file.
func (f signedFile) isSlot(path string) bool {
	middle, ok := strings.CutPrefix(path, string(f))
	signer, ok2 := strings.CutSuffix(middle, slotSuffix)
	if !ok || !ok2 {
		return false
	}
	name, named := strings.CutPrefix(signer, ".")
	return signer == "" || named && IsSignerName(name)
}

// signer returns the name of the signer that a slot of the inventory is for.
func (s SignatureSlot) signer() string {
	middle := strings.TrimSuffix(strings.TrimPrefix(string(s.Path), string(inventoryFile)), slotSuffix)
	return strings.TrimPrefix(middle, ".")
}

// IsSignerName reports whether a further signer can have this name: up to 32
// lowercase letters, digits and dashes.
func IsSignerName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= 32
}

// signedText is a signed entry and its signatures as they were read, not yet
// believed.
type signedText struct {
	file  signedFile
	read  []rawEntry // as they stood there: the text, then its signatures
	text  []byte
	names []manifests.EntryPath // of the signatures
	slots [][]byte
}

// rawEntry is an entry as it was read, with the padding behind its content.
type rawEntry struct{ header, content, padding []byte }

// readSigned reads a signed entry and the signatures behind it.
func readSigned(r *bufio.Reader, file signedFile, limit int64) (*signedText, error) {
	s := &signedText{file: file}
	text, err := s.readEntry(r, string(file.path()), limit)
	if err != nil {
		return nil, asRefusal(string(file.path()), err)
	}
	s.text = text
	for {
		name, err := nextName(r)
		if err != nil {
			return nil, asRefusal(string(file.slot("")), err)
		}
		if !file.isSlot(name) {
			break
		}
		if len(s.slots) == maxSignatures {
			return nil, refused(name, "more than %d signatures", maxSignatures)
		}
		content, err := s.readEntry(r, name, SignatureSize)
		if err != nil {
			return nil, asRefusal(name, err)
		}
		s.names, s.slots = append(s.names, manifests.EntryPath(name)), append(s.slots, content)
	}
	if len(s.slots) == 0 {
		return nil, refused(string(file.slot("")), "the archive has no signature entry behind %s", file.path())
	}
	return s, nil
}

// nextName returns the name in the header that comes next, or nothing if that is
// no plain header.
func nextName(r *bufio.Reader) (string, error) {
	block, err := r.Peek(blockSize)
	if err != nil {
		return "", err
	}
	name, _, err := ustarNameAndSize(block)
	if err != nil {
		return "", nil //nolint:nilerr // not a name that anything looks for
	}
	return name, nil
}

// readEntry reads one whole entry that has to have a path and a bounded size.
func (s *signedText) readEntry(r io.Reader, path string, limit int64) ([]byte, error) {
	block := make([]byte, blockSize)
	if _, err := io.ReadFull(r, block); err != nil {
		return nil, err
	}
	switch name, size, err := ustarNameAndSize(block); {
	case err != nil:
		return nil, refused(path, "not an island bundle: %w", err)
	case name != path:
		return nil, refused(path, "not an island bundle: the first entry is %.80q", name)
	case size > limit:
		return nil, refused(path, "entry has %d bytes, at most %d are read", size, limit)
	default:
		return s.readContent(r, block, size)
	}
}

func (s *signedText) readContent(r io.Reader, block []byte, size int64) ([]byte, error) {
	// Grown as it is read: a size is only a claim.
	var content bytes.Buffer
	if n, err := io.CopyN(&content, r, size+paddingOf(size)); err != nil {
		return nil, fmt.Errorf("entry ends after %d of %d bytes: %w", n, size, noEOF(err))
	}
	entry := rawEntry{block, content.Bytes()[:size], content.Bytes()[size:]}
	s.read = append(s.read, entry)
	return entry.content, nil
}

// compare makes sure that what was read is, to the byte, what the layout says.
// Spans are those of the text and its slots.
func (s *signedText) compare(spans []span) error {
	if len(spans) != 1+len(s.slots) {
		return refused(string(s.file.slot("")), "the archive has %d signature entries, the inventory lists %d",
			len(s.slots), len(spans)-1)
	}
	for i, entry := range s.read {
		at := spans[i]
		if int64(len(entry.content)) != at.size || !bytes.Equal(entry.header, at.header) || len(bytes.Trim(entry.padding, "\x00")) > 0 {
			return refused(string(at.path), "tar header or padding is not what the inventory says")
		}
		if i == 0 {
			continue
		}
		if err := checkPadded(entry.content); err != nil {
			return refused(string(at.path), "%w", err)
		}
	}
	return nil
}

// size returns the size of the text, 0 if there is none.
func (s *signedText) size() int64 {
	if s == nil {
		return 0
	}
	return int64(len(s.text))
}

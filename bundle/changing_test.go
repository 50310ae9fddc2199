package bundle_test

import (
	"bytes"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests/fault"
)

// changing is an archive in which somebody exchanges an entry once it has been
// read whole.
type changing struct {
	*bytes.Reader
	archive []byte
	at      int64
	other   []byte
	armed   bool
}

func (c *changing) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	if c.armed && at < c.at+int64(len(c.other)) && c.at+int64(len(c.other)) <= at+int64(n) {
		copy(c.archive[c.at:], c.other)
	}
	return n, err
}

// TestManifestsAreHeldAgainstTheirDigestsTwice exchanges an index or a manifest between
// the check of its content and the reading of what it names.
func TestManifestsAreHeldAgainstTheirDigestsTwice(t *testing.T) {
	t.Parallel()
	w := richWorld()
	plan := w.plan(t, options(t))
	good := build(t, plan, w.source())
	tried := 0
	for digest, content := range w.content {
		other := bytes.Replace(content, []byte(`"schemaVersion":2`), []byte(`"schemaVersion":1`), 1)
		archive := bytes.Clone(good)
		at := bytes.Index(archive, content)
		if bytes.Equal(other, content) || at < 0 {
			continue
		}
		reader := &changing{Reader: bytes.NewReader(archive), archive: archive, at: int64(at), other: other}
		b, err := bundle.Open(reader, int64(len(archive)), trust(t, "sender"))
		if err != nil {
			t.Fatal(err)
		}
		reader.armed = true
		err = b.Verify(t.Context(), bundle.VerifyOptions{Parallel: 1})
		wantFault(t, err, fault.Refused, fault.Site, "content changed while it was verified", digest.Hex())
		tried++
	}
	if tried < 2 {
		t.Errorf("%d manifests were tried", tried)
	}
}
